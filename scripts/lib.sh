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
