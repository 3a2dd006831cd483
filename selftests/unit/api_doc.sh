#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# uapi/API.md has exactly one entry for each row of the module's ioctl tables, in
# the section of its file, with the number that the headers give it.

set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
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

# The rows of the ioctl tables in these sources, one name a line.
rows() {
	sed -n 's/^\tMVM_IOCTL[A-Z_]*(\([A-Z0-9_]*\),.*/\1/p' "$@" | sort
}

# The entries of a section of API.md: "NAME NUMBER" a line.
entries() {
	awk -v want="## $1" '/^## / { inside = $0 == want }
		inside && /^\| [A-Z0-9_]+ \| 0x/ { print $2, $4 }' "$top/uapi/API.md" | sort
}

# What the headers say the numbers of these names are.
numbers() {
	{
		echo '#include <stdio.h>'
		echo '#include <linux/kvm.h>'
		echo '#include "minivmm.h"'
		echo 'int main(void) {'
		sed 's/.*/printf("& 0x%lx\\n", (unsigned long)&);/'
		echo 'return 0; }'
	} >"$work/numbers.c"
	"${CC:-cc}" -I"$top/uapi" -o "$work/numbers" "$work/numbers.c"
	"$work/numbers" | sort
}

section() { # HEADING SOURCE...
	local heading=$1
	shift
	rows "$@" | numbers >"$work/code"
	entries "$heading" >"$work/page"
	diff "$work/code" "$work/page" | sed 's/^/# /' || :
	[ -s "$work/code" ] && cmp -s "$work/code" "$work/page"
	result $? "API.md_describes_the_${heading// /_}"
}

echo "TAP version 13"
echo "1..3"
set +e
section "System file" "$top/module/main.c"
section "VM file" "$top/module/vm.c" "$top/module/vm_irq.c"
section "vCPU file" "$top/module/vcpu.c" "$top/module/vcpu_state.c"
exit $failed
