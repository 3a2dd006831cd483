# SPDX-License-Identifier: GPL-2.0-only
#
# Gives counted instructions to their functions and to the classes of heavy ones.
#
# Input: lines "ADDRESS symbol NAME" and "ADDRESS count ROW COUNT BYTES", sorted
# by address. Output: "ROW function COUNT NAME" and "ROW heavy COUNT CLASS NAME". What
# the guest itself executes is no cost of the device's, however heavy.

# The bytes of an instruction without prefixes; sets "locked" and "rep".
function opcode(bytes) {
	locked = rep = 0
	while (bytes ~ /^(66|67|f0|f2|f3|2e|36|3e|26|64|65)/) {
		if (bytes ~ /^f0/) locked = 1
		if (bytes ~ /^f3/) rep = 1
		bytes = substr(bytes, 3)
	}
	sub(/^4[0-9a-f]/, "", bytes)
	return bytes
}

# The class of an instruction that costs a processor more than the one tick it takes here.
# XCHG with memory locks the bus without a prefix.
function class_of(bytes,   i, op) {
	op = opcode(bytes)
	if (locked || op ~ /^8[67][0-9ab]/) return "lock"
	if (rep && op ~ /^0fae[c-f]/) return "fsgsbase"
	for (i = 1; i <= classes; i++)
		if (op ~ pattern[i]) return class[i]
	return ""
}

function add(name, regex) {
	class[++classes] = name
	pattern[classes] = "^(" regex ")"
}

BEGIN {
	add("vmrun", "0f01d8")
	add("vmload", "0f01da")
	add("vmsave", "0f01db")
	add("gif", "0f01d[cd]")
	add("vmresume", "0f01c[23]")
	add("vmread", "0f78")
	add("vmwrite", "0f79")
	# VMPTRLD, VMCLEAR, VMPTRST, VMXOFF
	add("vmptr", "0fc7[37ab][0-9a-f]|0f01c4")
	# INVLPGA, INVEPT, INVVPID, INVPCID, INVLPG
	add("tlb", "0f01df|0f388[012]|0f01[37b][89a-f]")
	add("rdmsr", "0f32")
	add("wrmsr", "0f30")
	# MOV to and from CR, CLTS
	add("cr", "0f20|0f22|0f06")
	add("dr", "0f21|0f23")
	add("cli+sti", "f[ab]")
	add("popf", "9d")
	# SYSCALL, SYSRET, SWAPGS, IRET
	add("syscall", "0f05|0f07|0f01f8|cf")
	# FXSAVE and FXRSTOR; XSAVE, XRSTOR; XSAVEOPT; XRSTORS, XSAVEC and XSAVES; XGETBV, XSETBV
	add("xsave", "0fae[048][0-9a-f]|0fae[26a][0-9a-f]|0fae[37b][0-7]|0fc7[159][89a-f]|0fc7[26a][0-9a-f]|0f01d[01]")
	# LLDT, LTR; LGDT, LIDT
	add("table", "0f00[159d][0-9a-f]|0f01[159][0-9a-f]")
	# MOV and POP to a segment register, LFS and its kin
	add("segment", "8e|0fa1|0fa9|0fb[245]")
	add("fence", "0fae[ef]")
}

$2 == "symbol" {
	name = $3
	next
}

{
	by[$3 " function", name] += $4
	kind = class_of($5)
	if (kind != "" && name != "guest") by[$3 " heavy", kind " " name] += $4
}

END {
	for (key in by) {
		split(key, part, SUBSEP)
		printf "%s %.2f %s\n", part[1], by[key], part[2]
	}
}
