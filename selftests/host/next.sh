#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Ends this host's kernel while guests run on every CPU. A job for "lab --next"; scripts/check
# runs it by host/run.
#
# usage: next.sh STANDING END
#
#   STANDING  owner     no KVM module is loaded
#             idle      one is, without a VM: from 6.12 on it is the owner all the same
#             borrower  KVM has a VM too
#   END       crash     a panic, with a crash kernel loaded
#             kexec     into the next kernel
#             reboot    by the firmware, at once

cd "$(dirname "$0")" || exit 1
vendor=${LAB_BED:-amd}
kvm=kvm_$vendor

fail() {
	echo "next.sh: $*"
	exit 1
}

# A guest on each CPU, on the device of the environment.
guests() {
	for cpu in /sys/devices/system/cpu/cpu[0-9]*; do
		./busy "${cpu##*cpu}" >/dev/null &
	done
	sleep 1
}

# First, while nothing else runs: its checksum takes Bochs long.
line="$(sed 's/crashkernel=[^ ]*//' /proc/cmdline) reset_devices"
case $2 in
crash) ./nextkernel crash /next/vmlinuz /next/initrd "$line nr_cpus=1" || exit 1 ;;
kexec) ./nextkernel load /next/vmlinuz /next/initrd "$line" || exit 1 ;;
esac
insmod /minivmm.ko || fail "minivmm does not load"
case $1 in
owner) want=owner ;;
idle)
	modprobe "$kvm" || fail "no $kvm"
	want=owner
	case $(uname -r) in 6.1.*) ;; *) want=borrower ;; esac
	;;
borrower)
	[ "$vendor" = intel ] || fail "AMD-V is not lent"
	modprobe "$kvm" || fail "no $kvm"
	MINIVMM_DEV=/dev/kvm guests
	want=borrower
	;;
esac
guests
read -r is cpus </sys/devices/virtual/misc/minivmm/standing
[ "$is" = "$want" ] || fail "minivmm is '$is $cpus', not $want"

case $2 in
crash)
	echo "crashing as $is"
	sleep 1
	echo c >/proc/sysrq-trigger
	;;
kexec)
	./nextkernel start
	;;
reboot) reboot -f ;;
esac
sleep 30
fail "the kernel is still there after $2"
