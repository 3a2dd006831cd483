# SPDX-License-Identifier: GPL-2.0-only
#
# From uapi/API.md's tables to C initialisers: { name, number, file }.

/^## / { file = "" }
/^## System file/ { file = "FILE_SYSTEM" }
/^## VM file/ { file = "FILE_VM" }
/^## vCPU file/ { file = "FILE_VCPU" }
file && /^\| [A-Z0-9_]+ \| 0x/ { printf "{ \"%s\", %s, %s },\n", $2, $4, file }
