# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# Finds a kernel to boot: an image, its version and its modules.
#
# An installed package is taken where there is one. Otherwise the package is
# downloaded and unpacked into the cache: installing it would run its
# initramfs and boot loader hooks on a machine that never boots it.

# The version string a bzImage carries.
bzimage_version() {
	local off
	off=$(od -An -tu2 -j 526 -N 2 "$1" | tr -d ' ')
	dd if="$1" bs=1 skip=$((off + 512)) count=128 2>/dev/null |
		tr '\0' '\n' | { read -r version _ && echo "$version"; }
}

# The newest installed image of a series ("6.1") with modules beside it; the
# cloud flavour wins, its kernel being the one every figure comes from.
kernel_installed() {
	local root=$1 series=$2 image version found=
	for image in $(printf '%s\n' "$root"/boot/vmlinuz-"$series".* | sort -V) \
		$(printf '%s\n' "$root"/boot/vmlinuz-"$series".*cloud-amd64 | sort -V); do
		version=${image##*/vmlinuz-}
		[ -r "$image" ] && [ -e "$root/lib/modules/$version/modules.dep" ] &&
			found=$version
	done
	[ -n "$found" ] && echo "$found"
}

# The name of the package with the image of a series, by way of the meta package.
kernel_package() {
	local meta=linux-image-$1-cloud-amd64
	[ "$1" = 6.1 ] && meta=linux-image-cloud-amd64
	apt-cache depends --important "$meta" 2>/dev/null |
		awk '/Depends: linux-image-[0-9]/ { print $2; exit }'
}

# Downloads and unpacks the image package of a series into the cache.
kernel_download() {
	local series=$1 dir=$CACHE/kernels/$1 package version
	mkdir -p "$CACHE/kernels"
	(
		flock 9
		[ -e "$dir/complete" ] && exit 0
		package=$(kernel_package "$series")
		[ -n "$package" ] || die "no package has a kernel $series; is apt-get update due?"
		say "downloading $package"
		rm -rf "$dir" && mkdir -p "$dir/deb"
		(cd "$dir/deb" && apt-get -q -o APT::Sandbox::User=root download "$package" >/dev/null) ||
			die "cannot download $package"
		dpkg -x "$dir"/deb/*.deb "$dir" && rm -rf "$dir/deb"
		version=$(basename "$dir"/lib/modules/*)
		depmod -b "$dir" "$version"
		touch "$dir/complete"
	) 9>"$CACHE/kernels/lock"
}

# Sets KERNEL_IMAGE, KERNEL_VERSION and KERNEL_ROOT (what lib/modules is under)
# for a series such as 6.1 or for the path of an image.
kernel_find() {
	local spec=$1
	KERNEL_ROOT=
	if [ -f "$spec" ]; then
		KERNEL_IMAGE=$spec
		KERNEL_VERSION=$(bzimage_version "$spec")
		[ -n "$KERNEL_VERSION" ] || die "$spec is not a Linux bzImage"
		local beside
		beside=$(cd "$(dirname "$spec")/.." && pwd)
		[ -d "$beside/lib/modules/$KERNEL_VERSION" ] && KERNEL_ROOT=${beside%/}
		return
	fi
	[[ $spec =~ ^[0-9]+\.[0-9]+$ ]] ||
		die "--kernel $spec: neither a file nor a series such as 6.1"
	if ! KERNEL_VERSION=$(kernel_installed "" "$spec"); then
		kernel_download "$spec"
		KERNEL_ROOT=$CACHE/kernels/$spec
		KERNEL_VERSION=$(kernel_installed "$KERNEL_ROOT" "$spec") ||
			die "the downloaded package of kernel $spec holds no image"
	fi
	KERNEL_IMAGE=$KERNEL_ROOT/boot/vmlinuz-$KERNEL_VERSION
}
