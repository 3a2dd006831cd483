// SPDX-License-Identifier: GPL-2.0-only
/*
 * The opcode tables, from the opcode maps of the Intel SDM and the AMD APM.
 *
 * Data only; table.h describes a row. A row of zeroes has the shape that is
 * usual in its map: nothing follows in the one-byte map, a ModRM byte in 0F and
 * 0F38.
 */
#include "table.h"

#define ROW(o, a, b, c, f)	{ .op = MVM_OP_##o, .opnd = { a, b, c }, .flags = (f) }
#define OP0(o, f)		ROW(o, NONE, NONE, NONE, f)
#define OP1(o, a, f)		ROW(o, a, NONE, NONE, f)
#define OP2(o, a, b, f)		ROW(o, a, b, NONE, f)
#define OP3(o, a, b, c, f)	ROW(o, a, b, c, f)
#define GRP(g, f)		{ .op = (g), .flags = F_GRP | F_M | (f) }
#define PFX(p, f)		{ .op = (p), .flags = F_PFX | (f) }
#define LEN_M			OP0(OTHER, F_M)
#define LEN_MI			OP1(OTHER, Ib, F_M)
#define UNDEF			OP0(OTHER, F_UD)

/* Eight and four rows that differ in the opcode's low bits alone. */
#define X2(n, ...)	[n] = __VA_ARGS__, [(n) + 1] = __VA_ARGS__
#define X4(n, ...)	X2(n, __VA_ARGS__), X2((n) + 2, __VA_ARGS__)
#define X8(n, ...)	X4(n, __VA_ARGS__), X4((n) + 4, __VA_ARGS__)
#define X16(n, ...)	X8(n, __VA_ARGS__), X8((n) + 8, __VA_ARGS__)

/* The six encodings that each of the eight arithmetic operations has. */
#define ALU(n, o, lock) \
	[(n) + 0] = OP2(o, Eb, Gb, lock), \
	[(n) + 1] = OP2(o, Ev, Gv, lock), \
	[(n) + 2] = OP2(o, Gb, Eb, 0), \
	[(n) + 3] = OP2(o, Gv, Ev, 0), \
	[(n) + 4] = OP2(o, Ab, Ib, 0), \
	[(n) + 5] = OP2(o, Av, Iz, 0)

const struct mvm_opcode mvm_insn_one[256] = {
	ALU(0x00, ADD, F_LOCK),
	[0x06] = OP1(PUSH, Ss, F_I64),
	[0x07] = OP1(POP, Ss, F_I64),
	ALU(0x08, OR, F_LOCK),
	[0x0e] = OP1(PUSH, Ss, F_I64),
	ALU(0x10, ADC, F_LOCK),
	[0x16] = OP1(PUSH, Ss, F_I64),
	[0x17] = OP1(POP, Ss, F_I64),
	ALU(0x18, SBB, F_LOCK),
	[0x1e] = OP1(PUSH, Ss, F_I64),
	[0x1f] = OP1(POP, Ss, F_I64),
	ALU(0x20, AND, F_LOCK),
	[0x27] = OP0(OTHER, F_I64),
	ALU(0x28, SUB, F_LOCK),
	[0x2f] = OP0(OTHER, F_I64),
	ALU(0x30, XOR, F_LOCK),
	[0x37] = OP0(OTHER, F_I64),
	ALU(0x38, CMP, 0),
	[0x3f] = OP0(OTHER, F_I64),
	X8(0x40, OP1(INC, Zv, F_I64)),
	X8(0x48, OP1(DEC, Zv, F_I64)),
	X8(0x50, OP1(PUSH, Zv, F_D64)),
	X8(0x58, OP1(POP, Zv, F_D64)),
	[0x60] = OP0(PUSHA, F_I64),
	[0x61] = OP0(POPA, F_I64),
	[0x62] = OP2(OTHER, Gv, M, F_I64 | F_MEM),
	[0x63] = OP2(ARPL, Ew, Gw, F_I64),
	[0x68] = OP1(PUSH, Iz, F_D64),
	[0x69] = OP3(IMUL, Gv, Ev, Iz, 0),
	[0x6a] = OP1(PUSH, Is, F_D64),
	[0x6b] = OP3(IMUL, Gv, Ev, Is, 0),
	[0x6c] = OP2(INS, Yb, ADX, F_STR),
	[0x6d] = OP2(INS, Yz, ADX, F_STR),
	[0x6e] = OP2(OUTS, ADX, Xb, F_STR),
	[0x6f] = OP2(OUTS, ADX, Xz, F_STR),
	X16(0x70, OP1(JCC, Jb, F_F64 | F_CC)),
	[0x80] = GRP(GRP1_Eb_Ib, 0),
	[0x81] = GRP(GRP1_Ev_Iz, 0),
	[0x82] = GRP(GRP1_Eb_Ib, F_I64),
	[0x83] = GRP(GRP1_Ev_Is, 0),
	[0x84] = OP2(TEST, Eb, Gb, 0),
	[0x85] = OP2(TEST, Ev, Gv, 0),
	[0x86] = OP2(XCHG, Eb, Gb, F_LOCK),
	[0x87] = OP2(XCHG, Ev, Gv, F_LOCK),
	[0x88] = OP2(MOV, Eb, Gb, 0),
	[0x89] = OP2(MOV, Ev, Gv, 0),
	[0x8a] = OP2(MOV, Gb, Eb, 0),
	[0x8b] = OP2(MOV, Gv, Ev, 0),
	[0x8c] = OP2(MOV, Ex, Sw, 0),
	[0x8d] = OP2(LEA, Gv, M, F_MEM),
	[0x8e] = OP2(MOV, Sw, Ew, 0),
	[0x8f] = GRP(GRP1A, F_D64),
	X8(0x90, OP2(XCHG, Zv, Av, 0)),
	[0x9a] = OP1(CALLF, Ap, F_I64),
	[0x9c] = OP0(PUSHF, F_D64),
	[0x9d] = OP0(POPF, F_D64),
	[0x9e] = OP0(SAHF, 0),
	[0x9f] = OP0(LAHF, 0),
	[0xa0] = OP2(MOV, Ab, Ob, 0),
	[0xa1] = OP2(MOV, Av, Ov, 0),
	[0xa2] = OP2(MOV, Ob, Ab, 0),
	[0xa3] = OP2(MOV, Ov, Av, 0),
	[0xa4] = OP2(MOVS, Yb, Xb, F_STR),
	[0xa5] = OP2(MOVS, Yv, Xv, F_STR),
	[0xa6] = OP2(CMPS, Xb, Yb, F_STR),
	[0xa7] = OP2(CMPS, Xv, Yv, F_STR),
	[0xa8] = OP2(TEST, Ab, Ib, 0),
	[0xa9] = OP2(TEST, Av, Iz, 0),
	[0xaa] = OP2(STOS, Yb, Ab, F_STR),
	[0xab] = OP2(STOS, Yv, Av, F_STR),
	[0xac] = OP2(LODS, Ab, Xb, F_STR),
	[0xad] = OP2(LODS, Av, Xv, F_STR),
	[0xae] = OP2(SCAS, Ab, Yb, F_STR),
	[0xaf] = OP2(SCAS, Av, Yv, F_STR),
	X8(0xb0, OP2(MOV, Zb, Ib, 0)),
	X8(0xb8, OP2(MOV, Zv, Iv, 0)),
	[0xc0] = GRP(GRP2_Eb_Ib, 0),
	[0xc1] = GRP(GRP2_Ev_Ib, 0),
	[0xc2] = OP1(RET, Iw, F_F64),
	[0xc3] = OP0(RET, F_F64),
	[0xc4] = OP2(OTHER, Gv, M, F_I64 | F_MEM),
	[0xc5] = OP2(OTHER, Gv, M, F_I64 | F_MEM),
	[0xc6] = GRP(GRP11_Eb, 0),
	[0xc7] = GRP(GRP11_Ev, 0),
	[0xc8] = OP2(ENTER, Iw, Ie, F_D64),
	[0xc9] = OP0(LEAVE, F_D64),
	[0xca] = OP1(RETF, Iw, 0),
	[0xcb] = OP0(RETF, 0),
	[0xcc] = OP0(INT3, 0),
	[0xcd] = OP1(INT, Ib, 0),
	[0xce] = OP0(INTO, F_I64),
	[0xcf] = OP0(IRET, 0),
	[0xd0] = GRP(GRP2_Eb_1, 0),
	[0xd1] = GRP(GRP2_Ev_1, 0),
	[0xd2] = GRP(GRP2_Eb_CL, 0),
	[0xd3] = GRP(GRP2_Ev_CL, 0),
	X2(0xd4, OP1(OTHER, Ib, F_I64)),
	[0xd6] = OP0(OTHER, F_I64),
	X8(0xd8, LEN_M),
	X4(0xe0, OP1(LOOP, Jb, F_F64)),
	[0xe4] = OP2(IN, Ab, Ib, 0),
	[0xe5] = OP2(IN, Az, Ib, 0),
	[0xe6] = OP2(OUT, Ib, Ab, 0),
	[0xe7] = OP2(OUT, Ib, Az, 0),
	[0xe8] = OP1(CALL, Jz, F_F64),
	[0xe9] = OP1(JMP, Jz, F_F64),
	[0xea] = OP1(JMPF, Ap, F_I64),
	[0xeb] = OP1(JMP, Jb, F_F64),
	[0xec] = OP2(IN, Ab, ADX, 0),
	[0xed] = OP2(IN, Az, ADX, 0),
	[0xee] = OP2(OUT, ADX, Ab, 0),
	[0xef] = OP2(OUT, ADX, Az, 0),
	[0xf1] = OP0(INT1, 0),
	[0xf4] = OP0(HLT, 0),
	[0xf5] = OP0(CMC, 0),
	[0xf6] = GRP(GRP3_Eb, 0),
	[0xf7] = GRP(GRP3_Ev, 0),
	[0xf8] = OP0(CLC, 0),
	[0xf9] = OP0(STC, 0),
	[0xfa] = OP0(CLI, 0),
	[0xfb] = OP0(STI, 0),
	[0xfc] = OP0(CLD, 0),
	[0xfd] = OP0(STD, 0),
	[0xfe] = GRP(GRP4, 0),
	[0xff] = GRP(GRP5, 0),
};

/* Opcode 63h in 64-bit mode. */
const struct mvm_opcode mvm_insn_movsxd = OP2(MOVSXD, Gv, Ez, 0);

const struct mvm_opcode mvm_insn_0f[256] = {
	[0x00] = GRP(GRP6, 0),
	[0x01] = GRP(GRP7, 0),
	[0x02] = OP2(LAR, Gv, Ex, 0),
	[0x03] = OP2(LSL, Gv, Ex, 0),
	[0x04] = UNDEF,
	[0x05] = OP0(SYSCALL, F_NM),
	[0x06] = OP0(CLTS, F_NM),
	[0x07] = OP0(SYSRET, F_NM),
	[0x08] = OP0(INVD, F_NM),
	[0x09] = OP0(WBINVD, F_NM),
	[0x0a] = UNDEF,
	[0x0b] = OP0(UD, F_NM),
	[0x0c] = UNDEF,
	[0x0e] = OP0(OTHER, F_NM),
	[0x0f] = LEN_MI,
	[0x10] = PFX(PFX_10, 0),
	[0x11] = PFX(PFX_11, 0),
	[0x12] = PFX(PFX_12, 0),
	[0x13] = PFX(PFX_13, 0),
	[0x16] = PFX(PFX_16, 0),
	[0x17] = PFX(PFX_17, 0),
	[0x20] = OP2(MOV, Rn, Cn, F_RM),
	[0x21] = OP2(MOV, Rn, Dn, F_RM),
	[0x22] = OP2(MOV, Cn, Rn, F_RM),
	[0x23] = OP2(MOV, Dn, Rn, F_RM),
	X4(0x24, UNDEF),
	[0x28] = PFX(PFX_28, 0),
	[0x29] = PFX(PFX_29, 0),
	[0x2b] = PFX(PFX_2B, 0),
	[0x30] = OP0(WRMSR, F_NM),
	[0x31] = OP0(RDTSC, F_NM),
	[0x32] = OP0(RDMSR, F_NM),
	[0x33] = OP0(RDPMC, F_NM),
	[0x34] = OP0(SYSENTER, F_NM),
	[0x35] = OP0(SYSEXIT, F_NM),
	[0x36] = UNDEF,
	[0x37] = OP0(OTHER, F_NM),
	[0x39] = UNDEF,
	[0x3b] = UNDEF,
	X4(0x3c, UNDEF),
	X16(0x40, OP2(CMOV, Gv, Ev, F_CC)),
	[0x6e] = PFX(PFX_6E, 0),
	[0x6f] = PFX(PFX_6F, 0),
	X4(0x70, LEN_MI),
	[0x77] = OP0(OTHER, F_NM),
	[0x78] = PFX(PFX_78, F_M),
	X2(0x7a, UNDEF),
	[0x7e] = PFX(PFX_7E, 0),
	[0x7f] = PFX(PFX_7F, 0),
	X16(0x80, OP1(JCC, Jz, F_F64 | F_CC)),
	X16(0x90, OP1(SETCC, Eb, F_CC)),
	[0xa0] = OP1(PUSH, Ss, F_D64),
	[0xa1] = OP1(POP, Ss, F_D64),
	[0xa2] = OP0(CPUID, F_NM),
	[0xa3] = OP2(BT, Ev, Gv, 0),
	[0xa4] = OP3(SHLD, Ev, Gv, Ib, 0),
	[0xa5] = OP3(SHLD, Ev, Gv, ACL, 0),
	[0xa8] = OP1(PUSH, Ss, F_D64),
	[0xa9] = OP1(POP, Ss, F_D64),
	[0xaa] = OP0(RSM, F_NM),
	[0xab] = OP2(BTS, Ev, Gv, F_LOCK),
	[0xac] = OP3(SHRD, Ev, Gv, Ib, 0),
	[0xad] = OP3(SHRD, Ev, Gv, ACL, 0),
	[0xaf] = OP2(IMUL, Gv, Ev, 0),
	[0xb0] = OP2(CMPXCHG, Eb, Gb, F_LOCK),
	[0xb1] = OP2(CMPXCHG, Ev, Gv, F_LOCK),
	[0xb2] = OP2(OTHER, Gv, M, F_MEM),
	[0xb3] = OP2(BTR, Ev, Gv, F_LOCK),
	X2(0xb4, OP2(OTHER, Gv, M, F_MEM)),
	[0xb6] = OP2(MOVZX, Gv, Eb, 0),
	[0xb7] = OP2(MOVZX, Gv, Ew, 0),
	[0xb8] = PFX(PFX_B8, 0),
	[0xb9] = OP0(UD, F_M),
	[0xba] = GRP(GRP8, 0),
	[0xbb] = OP2(BTC, Ev, Gv, F_LOCK),
	[0xbc] = PFX(PFX_BSF, 0),
	[0xbd] = PFX(PFX_BSR, 0),
	[0xbe] = OP2(MOVSX, Gv, Eb, 0),
	[0xbf] = OP2(MOVSX, Gv, Ew, 0),
	[0xc0] = OP2(XADD, Eb, Gb, F_LOCK),
	[0xc1] = OP2(XADD, Ev, Gv, F_LOCK),
	[0xc2] = LEN_MI,
	[0xc3] = PFX(PFX_C3, 0),
	X2(0xc4, LEN_MI),
	[0xc6] = LEN_MI,
	[0xc7] = GRP(GRP9, 0),
	X8(0xc8, OP1(BSWAP, Zv, 0)),
	[0xd6] = PFX(PFX_D6, 0),
	[0xe7] = PFX(PFX_E7, 0),
	[0xf0] = PFX(PFX_F0, 0),
	[0xff] = OP0(UD, F_M),
};

const struct mvm_opcode mvm_insn_0f38[256] = {
	[0x2a] = PFX(PFX_38_2A, 0),
	[0xf0] = PFX(PFX_MOVBE_LOAD, 0),
	[0xf1] = PFX(PFX_MOVBE_STORE, 0),
};

/* Every row of this map has the same shape. */
const struct mvm_opcode mvm_insn_0f3a = LEN_MI;

#define GRP1(e, i) { \
	OP2(ADD, e, i, F_LOCK), OP2(OR, e, i, F_LOCK), \
	OP2(ADC, e, i, F_LOCK), OP2(SBB, e, i, F_LOCK), \
	OP2(AND, e, i, F_LOCK), OP2(SUB, e, i, F_LOCK), \
	OP2(XOR, e, i, F_LOCK), OP2(CMP, e, i, 0) }

#define GRP2(e, i) { \
	OP2(ROL, e, i, 0), OP2(ROR, e, i, 0), OP2(RCL, e, i, 0), \
	OP2(RCR, e, i, 0), OP2(SHL, e, i, 0), OP2(SHR, e, i, 0), \
	OP2(SHL, e, i, 0), OP2(SAR, e, i, 0) }

#define GRP3(e, i) { \
	OP2(TEST, e, i, 0), OP2(TEST, e, i, 0), \
	OP1(NOT, e, F_LOCK), OP1(NEG, e, F_LOCK), \
	OP1(MUL, e, 0), OP1(IMUL, e, 0), OP1(DIV, e, 0), OP1(IDIV, e, 0) }

const struct mvm_opcode mvm_insn_groups[MVM_NR_GROUPS][8] = {
	[GRP1_Eb_Ib] = GRP1(Eb, Ib),
	[GRP1_Ev_Iz] = GRP1(Ev, Iz),
	[GRP1_Ev_Is] = GRP1(Ev, Is),
	[GRP1A] = {
		OP1(POP, Ev, F_D64), UNDEF, UNDEF, UNDEF,
		UNDEF, UNDEF, UNDEF, UNDEF,
	},
	[GRP2_Eb_Ib] = GRP2(Eb, Ib),
	[GRP2_Ev_Ib] = GRP2(Ev, Ib),
	[GRP2_Eb_1] = GRP2(Eb, One),
	[GRP2_Ev_1] = GRP2(Ev, One),
	[GRP2_Eb_CL] = GRP2(Eb, ACL),
	[GRP2_Ev_CL] = GRP2(Ev, ACL),
	[GRP3_Eb] = GRP3(Eb, Ib),
	[GRP3_Ev] = GRP3(Ev, Iz),
	[GRP4] = {
		OP1(INC, Eb, F_LOCK), OP1(DEC, Eb, F_LOCK), UNDEF, UNDEF,
		UNDEF, UNDEF, UNDEF, UNDEF,
	},
	[GRP5] = {
		OP1(INC, Ev, F_LOCK), OP1(DEC, Ev, F_LOCK),
		OP1(CALL, Ev, F_F64), OP1(CALLF, M, F_MEM),
		OP1(JMP, Ev, F_F64), OP1(JMPF, M, F_MEM),
		OP1(PUSH, Ev, F_D64), UNDEF,
	},
	[GRP6] = {
		OP1(SLDT, Ex, 0), OP1(STR, Ex, 0), OP1(LLDT, Ew, 0), OP1(LTR, Ew, 0),
		OP1(VERR, Ew, 0), OP1(VERW, Ew, 0), UNDEF, UNDEF,
	},
	/* With mod = 3 mvm_insn_0f01 has the operation, but for SMSW and LMSW. */
	[GRP7] = {
		OP1(SGDT, M, F_MEM), OP1(SIDT, M, F_MEM),
		OP1(LGDT, M, F_MEM), OP1(LIDT, M, F_MEM),
		OP1(SMSW, Ex, 0), OP0(OTHER, 0),
		OP1(LMSW, Ew, 0), OP1(INVLPG, M, F_MEM),
	},
	[GRP8] = {
		UNDEF, UNDEF, UNDEF, UNDEF,
		OP2(BT, Ev, Ib, 0), OP2(BTS, Ev, Ib, F_LOCK),
		OP2(BTR, Ev, Ib, F_LOCK), OP2(BTC, Ev, Ib, F_LOCK),
	},
	/* /1 with REX.W is CMPXCHG16B; the rest is VMX, RDRAND, XSAVES. */
	[GRP9] = {
		UNDEF, OP1(CMPXCHG8B, Mq, F_LOCK | F_MEM), OP0(OTHER, 0), OP0(OTHER, 0),
		OP0(OTHER, 0), OP0(OTHER, 0), OP0(OTHER, 0), OP0(OTHER, 0),
	},
	[GRP11_Eb] = {
		OP2(MOV, Eb, Ib, 0), UNDEF, UNDEF, UNDEF,
		UNDEF, UNDEF, UNDEF, OP1(OTHER, Ib, 0),
	},
	[GRP11_Ev] = {
		OP2(MOV, Ev, Iz, 0), UNDEF, UNDEF, UNDEF,
		UNDEF, UNDEF, UNDEF, OP1(OTHER, Jz, 0),
	},
};

/* Rows by mandatory prefix: none, 66h, F3h, F2h. */
const struct mvm_opcode mvm_insn_prefixed[MVM_NR_PREFIXED][4] = {
	[PFX_MOVBE_LOAD] = {
		OP2(MOVBE, Gv, Mv, F_MEM), OP2(MOVBE, Gv, Mv, F_MEM), UNDEF, LEN_M,
	},
	[PFX_MOVBE_STORE] = {
		OP2(MOVBE, Mv, Gv, F_MEM), OP2(MOVBE, Mv, Gv, F_MEM), UNDEF, LEN_M,
	},
	/* F3 makes TZCNT and LZCNT of these two. */
	[PFX_BSF] = {
		OP2(BSF, Gv, Ev, 0), OP2(BSF, Gv, Ev, 0), OP2(TZCNT, Gv, Ev, 0),
		OP2(BSF, Gv, Ev, 0),
	},
	[PFX_BSR] = {
		OP2(BSR, Gv, Ev, 0), OP2(BSR, Gv, Ev, 0), OP2(LZCNT, Gv, Ev, 0),
		OP2(BSR, Gv, Ev, 0),
	},
	/* VMREAD, EXTRQ, -, INSERTQ: the SSE4a forms have two immediate bytes. */
	[PFX_78] = {
		LEN_M, OP2(OTHER, Ib, Ie, F_M), UNDEF, OP2(OTHER, Ib, Ie, F_M),
	},
	[PFX_C3] = {
		OP2(MOVNTI, My, Gy, F_MEM), UNDEF, UNDEF, UNDEF,
	},
	[PFX_B8] = { UNDEF, UNDEF, OP2(POPCNT, Gv, Ev, 0), UNDEF },
	[PFX_10] = {
		OP2(MOVUPS, Vx, Wx, F_VEX), OP2(MOVUPD, Vx, Wx, F_VEX),
		OP3(MOVSS, Vo, Hr, Wd, F_VEX), OP3(MOVSD, Vo, Hr, Wq, F_VEX),
	},
	[PFX_11] = {
		OP2(MOVUPS, Wx, Vx, F_VEX), OP2(MOVUPD, Wx, Vx, F_VEX),
		OP3(MOVSS, Wd, Hr, Vo, F_VEX), OP3(MOVSD, Wq, Hr, Vo, F_VEX),
	},
	/* Register forms of the first are MOVHLPS. F3, F2: MOVSLDUP, MOVDDUP. */
	[PFX_12] = {
		OP3(MOVLPS, Vo, Ho, Wq, F_VEX | F_L0),
		OP3(MOVLPD, Vo, Ho, Mq, F_VEX | F_L0 | F_MEM), LEN_M, LEN_M,
	},
	[PFX_13] = {
		OP2(MOVLPS, Mq, Vo, F_VEX | F_L0 | F_MEM),
		OP2(MOVLPD, Mq, Vo, F_VEX | F_L0 | F_MEM), UNDEF, UNDEF,
	},
	/* Register forms of the first are MOVLHPS. F3: MOVSHDUP. */
	[PFX_16] = {
		OP3(MOVHPS, Vo, Ho, Wq, F_VEX | F_L0),
		OP3(MOVHPD, Vo, Ho, Mq, F_VEX | F_L0 | F_MEM), LEN_M, UNDEF,
	},
	[PFX_17] = {
		OP2(MOVHPS, Mq, Vo, F_VEX | F_L0 | F_MEM),
		OP2(MOVHPD, Mq, Vo, F_VEX | F_L0 | F_MEM), UNDEF, UNDEF,
	},
	[PFX_28] = {
		OP2(MOVAPS, Vx, Wx, F_VEX), OP2(MOVAPD, Vx, Wx, F_VEX), UNDEF, UNDEF,
	},
	[PFX_29] = {
		OP2(MOVAPS, Wx, Vx, F_VEX), OP2(MOVAPD, Wx, Vx, F_VEX), UNDEF, UNDEF,
	},
	/* F3, F2: MOVNTSS, MOVNTSD. */
	[PFX_2B] = {
		OP2(MOVNTPS, Mx, Vx, F_VEX | F_MEM), OP2(MOVNTPD, Mx, Vx, F_VEX | F_MEM),
		LEN_M, LEN_M,
	},
	/* With REX.W or VEX.W these two are MOVQ. */
	[PFX_6E] = {
		OP2(MOVD, Pq, Ey, 0), OP2(MOVD, Vo, Ey, F_VEX | F_L0), UNDEF, UNDEF,
	},
	[PFX_7E] = {
		OP2(MOVD, Ey, Pq, 0), OP2(MOVD, Ey, Vo, F_VEX | F_L0),
		OP2(MOVQ, Vo, Wq, F_VEX | F_L0), UNDEF,
	},
	[PFX_6F] = {
		OP2(MOVQ, Pq, Qq, 0), OP2(MOVDQA, Vx, Wx, F_VEX),
		OP2(MOVDQU, Vx, Wx, F_VEX), UNDEF,
	},
	[PFX_7F] = {
		OP2(MOVQ, Qq, Pq, 0), OP2(MOVDQA, Wx, Vx, F_VEX),
		OP2(MOVDQU, Wx, Vx, F_VEX), UNDEF,
	},
	/* F3, F2: MOVQ2DQ, MOVDQ2Q. */
	[PFX_D6] = {
		UNDEF, OP2(MOVQ, Wq, Vo, F_VEX | F_L0), LEN_M, LEN_M,
	},
	[PFX_E7] = {
		OP2(MOVNTQ, Mq, Pq, F_MEM), OP2(MOVNTDQ, Mx, Vx, F_VEX | F_MEM), UNDEF, UNDEF,
	},
	[PFX_F0] = { UNDEF, UNDEF, UNDEF, OP2(LDDQU, Vx, Mx, F_VEX | F_MEM) },
	[PFX_38_2A] = {
		UNDEF, OP2(MOVNTDQA, Vx, Mx, F_VEX | F_MEM), UNDEF, UNDEF,
	},
};

const struct mvm_modrm_op mvm_insn_0f01[] = {
	{ 0xc1, MVM_OP_VMCALL, true },	{ 0xc8, MVM_OP_MONITOR, true },
	{ 0xc9, MVM_OP_MWAIT, true },	{ 0xca, MVM_OP_CLAC, true },
	{ 0xcb, MVM_OP_STAC, true },	{ 0xd0, MVM_OP_XGETBV, true },
	{ 0xd1, MVM_OP_XSETBV, true },	{ 0xd9, MVM_OP_VMMCALL, false },
	{ 0xf8, MVM_OP_SWAPGS, false },	{ 0xf9, MVM_OP_RDTSCP, false },
	{ 0x00, MVM_OP_OTHER, false },
};
