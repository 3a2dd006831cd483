# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# Helpers shared by the scripts: where things are, how to speak, how to fail.
#
# Sourced, never run. Progress and complaints go to stderr, so that stdout
# stays free for what a script was asked to produce.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${MINIVMM_CACHE:-$TOP/.cache}
ME=$(basename "$0")

# Says one line to the person watching.
say() {
	printf '%s: %s\n' "$ME" "$*" >&2
}

# Says why the script cannot go on, and ends it with the status for "own failure".
die() {
	say "$*"
	exit 125
}

# Dies unless each named command is there; the remedy is one script.
need() {
	local cmd
	for cmd in "$@"; do
		command -v "$cmd" >/dev/null ||
			die "$cmd is not installed; run: sudo $TOP/scripts/deps"
	done
}

# The sbin directories hold depmod and modprobe, also for ordinary users.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# Runs a command that takes its time, its output in a log; a terminal sees the
# seconds pass, and anybody the log's end when it fails.
long_step() {
	local what=$1 log=$2 pid start=$SECONDS status=0
	shift 2
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	[ -t 2 ] || say "$what ..."
	while [ -t 2 ] && kill -0 $pid 2>/dev/null; do
		printf '\r%s: %s ... %d s ' "$ME" "$what" $((SECONDS - start)) >&2
		sleep 0.5
	done
	wait $pid || status=$?
	[ ! -t 2 ] || printf '\n' >&2
	[ $status -eq 0 ] || {
		tail -20 "$log" >&2
		say "$what: failed with status $status"
	}
	return $status
}
