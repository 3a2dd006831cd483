#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Loading and unloading: refused while in use, clean otherwise, a hundred times
# over; parameters; CPUs that go and come. Needs the module's file: MINIVMM_KO,
# default /minivmm.ko, and a host of which nobody else is using the module.

KO=${MINIVMM_KO:-/minivmm.ko}
SPIN=$(dirname "$0")/spin
n=0 failed=0

result() { # STATUS NAME
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n $2"
	else
		echo "not ok $n $2"
		failed=1
	fi
}

refused() { # a command that has to fail
	if "$@" 2>/dev/null; then return 1; else return 0; fi
}

runs() { # a process: there, and no zombie
	grep -q '^State:[[:space:]]*[^ZX]' "/proc/$1/status"
}

echo "TAP version 13"
if [ ! -e "$KO" ] || ! grep -q '^minivmm ' /proc/modules; then
	echo "1..0 # SKIP $KO is not there, or the module is not loaded from a file"
	exit 4
fi

# What the bed needs has to be there for the tests to come.
bound=$(cat /sys/module/minivmm/parameters/max_guest_us)

exec 3<>/dev/minivmm
refused rmmod minivmm
result $? "rmmod_is_refused_while_the_device_is_open"
exec 3>&-

"$SPIN" &
pid=$!
sleep 1
refused rmmod minivmm
result $? "rmmod_is_refused_while_a_guest_runs"
kill -9 $pid
wait $pid 2>/dev/null
rmmod minivmm
result $? "rmmod_succeeds_after_the_launcher_was_killed"

i=0
while [ $i -lt 100 ] && insmod "$KO" && rmmod minivmm; do i=$((i + 1)); done
[ $i -eq 100 ]
result $? "loads_and_unloads_100_times"

i=0
while [ $i -lt 5 ] && insmod "$KO" && "$SPIN" 1 && rmmod minivmm; do i=$((i + 1)); done
[ $i -eq 5 ]
result $? "unloads_right_after_a_vm_5_times"

insmod "$KO" kvm_minor=1
if grep -q '^kvm ' /proc/modules; then
	echo "# kvm.ko has the minor number: kvm_minor=1 is refused, as it should be"
else
	grep -q '^232 minivmm-kvm' /proc/misc
	result $? "kvm_minor_serves_minor_232"
	rmmod minivmm
fi

insmod "$KO" max_vms=1
"$SPIN" &
pid=$!
sleep 1
refused "$SPIN" 1
result $? "max_vms_is_a_limit"
kill -9 $pid
wait $pid 2>/dev/null

if [ -w /sys/devices/system/cpu/cpu1/online ]; then
	"$SPIN" &
	pid=$!
	i=0
	while [ $i -lt 5 ] && echo 0 >/sys/devices/system/cpu/cpu1/online &&
		echo 1 >/sys/devices/system/cpu/cpu1/online; do
		i=$((i + 1))
	done
	[ $i -eq 5 ] && runs $pid
	result $? "cpus_go_and_come_under_a_running_guest"
	kill -9 $pid
	wait $pid 2>/dev/null
fi

i=0
while [ $i -lt 50 ]; do
	"$SPIN" &
	pid=$!
	usleep $((i * 3000)) 2>/dev/null || sleep 0.1
	kill -9 $pid
	wait $pid 2>/dev/null
	i=$((i + 1))
done
rmmod minivmm && insmod "$KO" "max_guest_us=$bound"
result $? "nothing_is_held_after_50_kills_at_various_moments"

echo "1..$n"
exit $failed
