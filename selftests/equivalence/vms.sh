#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The job in the emulated host: the suite in a VM on minivmm, then in one on KVM, twice.
#
# A case that ends its VM costs a line with a question mark; the next VM goes on behind it.
# KVM is the yardstick, and gets a second try: QEMU's VMRUN forgets the shadow of STI, so that
# a tick of the host's at the wrong moment lets an interrupt into KVM's guest too early.
# TICKS: microseconds between interrupts of the host, beside its own, while minivmm runs.

MAX_VMS=40

run_on() {
	from=0 vms=0
	echo "== $1"
	while [ $vms -lt $MAX_VMS ]; do
		minivmm run --device "/dev/$1" -m 64M --no-reboot --timeout 120 -p "from=$from" \
			/equivalence.elf >/tmp/out 2>/tmp/err </dev/null
		status=$?
		grep -E '^[a-z0-9-]+: ' /tmp/out
		! grep -q '^equivalence: ' /tmp/out || break
		echo "?: the VM ended here with status $status, $(head -n 1 /tmp/err)"
		from=$((from + $(grep -cE '^[a-z0-9-]+: ' /tmp/out) + 1))
		vms=$((vms + 1))
	done
	echo "== end"
}

insmod /minivmm.ko
if [ -n "$TICKS" ]; then
	/ticks "$TICKS" &
	run_on minivmm
	kill $!
else
	run_on minivmm
fi
# KVM has to wait until minivmm lets go of the processor.
n=0
until rmmod minivmm 2>/dev/null || [ $n -ge 20 ]; do
	sleep 1
	n=$((n + 1))
done
modprobe "kvm-$LAB_BED"
run_on kvm
run_on kvm
