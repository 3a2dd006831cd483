# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Builds initramfs images: busybox, kernel modules, and whatever files a job
# names, with the shared libraries these need. No root is needed: the kernel's
# built-in initramfs already has /dev/console.

# Starts a tree: directories, busybox and a link for each of its applets.
image_base() {
	local tree=$1 busybox applet
	busybox=$(command -v busybox) || die "busybox is not installed; run: sudo $TOP/scripts/deps"
	! ldd "$busybox" >/dev/null 2>&1 || die "$busybox is dynamic; install busybox-static"
	mkdir -p "$tree"/{bin,sbin,dev,proc,sys,run,tmp,root,etc,lab,lib/modules,usr/bin,usr/sbin,usr/lib}
	cp "$busybox" "$tree/bin/busybox"
	for applet in $("$busybox" --list); do
		[ "$applet" = busybox ] || ln -s busybox "$tree/bin/$applet"
	done
	printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' >"$tree/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$tree/etc/group"
}

# Copies the shared libraries of one dynamic executable into the tree. What
# lies outside the system's directories goes to /usr/lib, which ld.so searches.
image_libraries() {
	local tree=$1 file=$2 name path target here
	here=$(dirname "$file")
	head -c 4 "$file" | grep -q ELF || return 0
	while read -r name path; do
		[ -n "$path" ] || die "$file needs $name, which ldd cannot find"
		case $path in
		/lib/* | /lib64/* | /usr/lib/*) target=$tree$path ;;
		*) target=$tree/usr/lib/$name ;;
		esac
		[ -e "$target" ] && continue
		mkdir -p "$(dirname "$target")"
		cp -L "$path" "$target"
	done < <(LD_LIBRARY_PATH=$here:${LD_LIBRARY_PATH:-} ldd "$file" 2>/dev/null |
		awk '/not found/ { print $1; next }
		     / => \//    { print $1, $3; next }
		     $1 ~ /^\//  { n = $1; sub(".*/", "", n); print n, $1 }')
}

# Puts SRC (a file or a directory) at DST in the tree.
image_file() {
	local tree=$1 src=$2 dst=$3 file
	[ -e "$src" ] || die "--file $src: no such file"
	mkdir -p "$tree/$(dirname "$dst")"
	if [ -d "$src" ]; then
		mkdir -p "$tree/$dst"
		cp -rL "$src/." "$tree/$dst"
	else
		cp -L "$src" "$tree/$dst"
	fi
	while IFS= read -r file; do
		image_libraries "$tree" "$file"
	done < <(find -L "$src" -type f -perm /111)
}

# Adds kernel modules with all they depend on, unpacked so that any insmod
# can load them, and the index that busybox's modprobe reads.
image_modules() {
	local tree=$1 name file dir=$1/lib/modules/$KERNEL_VERSION
	shift
	[ $# -gt 0 ] || return 0
	mkdir -p "$dir"
	for name in "$@"; do
		modprobe -d "${KERNEL_ROOT:-/}" -S "$KERNEL_VERSION" --show-depends "$name" \
			>"$tree.depends" || die "kernel $KERNEL_VERSION has no module $name"
		while read -r _ file _; do
			case $file in
			*.ko) cp "$file" "$dir/" ;;
			*.ko.xz) xz -dc "$file" >"$dir/$(basename "$file" .xz)" ;;
			*.ko.zst) zstd -qdc "$file" >"$dir/$(basename "$file" .zst)" ;;
			esac
		done < <(grep '^insmod' "$tree.depends")
	done
	rm -f "$tree.depends"
}

# Adds a module built here, so that modprobe finds it and insmod can name it.
image_own_module() {
	local tree=$1 ko=$2 magic
	[ -f "$ko" ] || die "--ko $ko: no such file"
	magic=$(modinfo -F vermagic "$ko")
	[ "${magic%% *}" = "$KERNEL_VERSION" ] ||
		die "$ko was built for ${magic%% *}, the lab boots $KERNEL_VERSION"
	mkdir -p "$tree/lib/modules/$KERNEL_VERSION"
	cp "$ko" "$tree/lib/modules/$KERNEL_VERSION/"
	ln -sf "lib/modules/$KERNEL_VERSION/$(basename "$ko")" "$tree/$(basename "$ko")"
}

# Writes the tree as one archive.
image_pack() {
	local tree=$1 out=$2 dir=$1/lib/modules/$KERNEL_VERSION
	if [ -d "$dir" ]; then
		cp "${KERNEL_ROOT:-}/lib/modules/$KERNEL_VERSION"/modules.{order,builtin,builtin.modinfo} "$dir/" 2>/dev/null || :
		depmod -b "$tree" "$KERNEL_VERSION"
	fi
	(cd "$tree" && find . -print0 | sort -z |
		cpio --quiet --null -o -H newc -R 0:0) >"$out"
}
