# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# How the scripts build: in copies, so that builds for several kernels do not
# meet, and against installed headers. Sourced by check and demo.

# Copies the tree without what builds and git left in it.
build_copy() {
	mkdir -p "$1"
	tar -C "$TOP" --exclude=./.git --exclude=./.cache --exclude='*.o' --exclude='*.ko' \
		--exclude='*.a' --exclude='*.so*' --exclude='*.cmd' --exclude='*.mod' \
		--exclude='*.mod.c' --exclude=./asm-offsets.h -cf - . | tar -C "$1" -xf -
}

# The build tree of the newest installed headers of a series; the cloud
# flavour wins, as its kernel is the one the lab boots.
build_headers() {
	local dir
	dir=$({
		printf '%s\n' /usr/src/linux-headers-"$1".*-amd64 | sort -V
		printf '%s\n' /usr/src/linux-headers-"$1".*cloud-amd64 | sort -V
	} | tail -1)
	[ -e "$dir/Makefile" ] && echo "$dir"
}
