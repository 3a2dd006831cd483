# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Prints TAP from a shell script. Sourced by the checks: one claim, one result
# line, what was found against it as comments above.

TAP_COUNT=0 TAP_FAILED=0

# Reports one claim. The command after it prints what speaks against it; that
# it ends badly speaks against it, too, or a broken check would look green.
tap_check() {
	local claim=$1 findings status=0
	shift
	findings=$("$@" 2>&1) || status=$?
	TAP_COUNT=$((TAP_COUNT + 1))
	if [ -z "$findings" ] && [ $status -eq 0 ]; then
		echo "ok $TAP_COUNT - $claim"
		return
	fi
	printf '%s\n' "${findings:-$1 ended with status $status}" | sed 's/^/# /'
	echo "not ok $TAP_COUNT - $claim"
	TAP_FAILED=$((TAP_FAILED + 1))
}

tap_skip() {
	TAP_COUNT=$((TAP_COUNT + 1))
	echo "ok $TAP_COUNT - $1 # SKIP $2"
}

# The plan comes last, and the status with it.
tap_end() {
	echo "1..$TAP_COUNT"
	[ $TAP_FAILED -eq 0 ]
}
