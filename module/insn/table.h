/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The opcode tables' row format, private to the decoder and to its tests.
 *
 * A row names the operation, up to three operands and flags. Where the bytes
 * of an instruction come from (ModRM, immediates) follows from its operands,
 * so a row of which only the length matters has the operand kinds that have a
 * length and no operation. Adding an instruction is adding a row.
 */
#ifndef MVM_INSN_TABLE_H
#define MVM_INSN_TABLE_H

#include "decode.h"

/*
 * Operand codes after the manuals' opcode maps: E is ModRM's r/m, G its reg
 * field, I an immediate, J a branch offset, O an absolute offset, X and Y the
 * string source and destination, Z a register in the opcode's low bits, A the
 * accumulator, S, C and D segment, control and debug registers, R a register
 * in r/m whatever mod says, M memory only. Sizes: b, w, d, q = 1, 2, 4, 8
 * bytes, v = operand size, z = v but at most 4, y = 4 or 8, n = 8 in 64-bit
 * mode and 4 elsewhere. V, W and H are vector registers from reg, from r/m (or
 * memory) and from VEX.vvvv, P and Q MMX registers from reg and r/m; sizes o = 16
 * bytes, x = 16 or 32 by VEX.L; a d or q is the size of the memory form.
 */
enum mvm_opnd_code {
	NONE,
	Eb, Ew, Ev, Ez, Ey, Ex,		/* Ex: a word in memory, v in a register */
	Gb, Gw, Gv, Gy,
	M, Mv, My, Mq, Mx,		/* M: address only */
	Ib, Iw, Iz, Iv, Is, Ie,		/* Is: a byte sign-extended; Ie: ENTER's level */
	Jb, Jz,
	Ap,
	Ob, Ov,
	Xb, Xv, Xz, Yb, Yv, Yz,
	Zb, Zv,
	Ab, Av, Az, ADX, ACL,		/* AL, rAX, eAX, DX, CL */
	One,
	Sw, Ss,				/* Sw: from reg; Ss: from opcode bits 5:3 */
	Cn, Dn, Rn,
	Vo, Vx, Wd, Wq, Wx,
	Ho, Hr,				/* VEX only; Hr: and r/m is a register */
	Pq, Qq,
	MVM_NR_OPND_CODES
};

#define F_M		0x0001		/* has a ModRM byte, whatever the operands say */
#define F_NM		0x0002		/* has none, where the map's default is to have one */
#define F_I64		0x0004		/* invalid in 64-bit mode */
#define F_D64		0x0008		/* 64-bit mode: operand size 8, or 2 with 66h */
#define F_F64		0x0010		/* 64-bit mode: operand size always 8 */
#define F_LOCK		0x0020		/* may be locked */
#define F_STR		0x0040		/* string instruction */
#define F_UD		0x0080		/* undefined */
#define F_GRP		0x0100		/* .op indexes mvm_insn_groups, row by ModRM.reg */
#define F_PFX		0x0200		/* .op indexes mvm_insn_prefixed: none, 66, F3, F2 */
#define F_CC		0x0400		/* low four opcode bits are a condition code */
#define F_RM		0x0800		/* r/m is a register whatever mod says */
#define F_MEM		0x1000		/* r/m must be memory */
#define F_VEX		0x2000		/* has a VEX form */
#define F_L0		0x4000		/* in which VEX.L must be 0 */

/**
 * struct mvm_opcode - one row
 * @op:		enum mvm_insn_op, or the index that F_GRP and F_PFX speak of
 * @opnd:	enum mvm_opnd_code
 * @flags:	F_*
 */
struct mvm_opcode {
	u8 op;
	u8 opnd[MVM_INSN_OPNDS];
	u16 flags;
};

/* An operation selected by a whole ModRM byte (0F 01 /r with mod = 3). */
struct mvm_modrm_op {
	u8 modrm;
	u8 op;
	bool no_prefix;		/* 66, F2, F3 in front make it another */
};

enum mvm_insn_group {
	GRP1_Eb_Ib, GRP1_Ev_Iz, GRP1_Ev_Is, GRP1A,
	GRP2_Eb_Ib, GRP2_Ev_Ib, GRP2_Eb_1, GRP2_Ev_1, GRP2_Eb_CL, GRP2_Ev_CL,
	GRP3_Eb, GRP3_Ev, GRP4, GRP5, GRP6, GRP7, GRP8, GRP9,
	GRP11_Eb, GRP11_Ev,
	MVM_NR_GROUPS
};

enum mvm_insn_prefixed {
	PFX_MOVBE_LOAD, PFX_MOVBE_STORE, PFX_BSF, PFX_BSR, PFX_78, PFX_C3,
	PFX_B8,
	PFX_10, PFX_11, PFX_12, PFX_13, PFX_16, PFX_17, PFX_28, PFX_29, PFX_2B,
	PFX_6E, PFX_6F, PFX_7E, PFX_7F, PFX_D6, PFX_E7, PFX_F0, PFX_38_2A,
	MVM_NR_PREFIXED
};

extern const struct mvm_opcode mvm_insn_one[256];
extern const struct mvm_opcode mvm_insn_0f[256];
extern const struct mvm_opcode mvm_insn_0f38[256];
extern const struct mvm_opcode mvm_insn_0f3a;
extern const struct mvm_opcode mvm_insn_movsxd;
extern const struct mvm_opcode mvm_insn_groups[MVM_NR_GROUPS][8];
extern const struct mvm_opcode mvm_insn_prefixed[MVM_NR_PREFIXED][4];
extern const struct mvm_modrm_op mvm_insn_0f01[];

const struct mvm_opcode *mvm_insn_row(const struct mvm_insn *insn, u16 *flags);

#endif
