// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operands of an instruction: what each operand code of the opcode tables
 * stands for, and where its register number, bytes and size come from.
 *
 * decode.c calls mvm_insn_decode_opnd() in the order of the row, which is the
 * order of the bytes.
 */
#include "cursor.h"

/* Where the bytes or the number of an operand come from. */
enum opnd_source {
	FROM_NONE,
	FROM_RM,		/* ModRM.r/m: register or memory */
	FROM_REG,		/* ModRM.reg */
	FROM_IMM, FROM_IMM2, FROM_FAR,
	FROM_OFFSET,		/* an absolute offset of address size */
	FROM_STRING,		/* implied memory */
	FROM_OPCODE,		/* low three opcode bits */
	FROM_OPCODE_SEG,	/* opcode bits 5:3 */
	FROM_FIXED,		/* register .reg */
	FROM_ONE,		/* the constant 1 */
	FROM_VVVV,
};

enum opnd_size {
	SZ_0 = 0, SZ_1 = 1, SZ_2 = 2, SZ_4 = 4, SZ_8 = 8, SZ_16 = 16,
	SZ_V, SZ_Z, SZ_Y, SZ_N,
	SZ_X,			/* memory: 2, register: operand size */
	SZ_L,			/* 16, or 32 with VEX.L */
	SZ_D16, SZ_Q16,		/* memory: 4 or 8, register: 16 */
};

struct opnd_format {
	u8 kind;		/* enum mvm_opnd_kind; with FROM_RM of the register form */
	u8 source;
	u8 size;
	u8 reg;
};

static const struct opnd_format opnd_formats[MVM_NR_OPND_CODES] = {
	[Eb] = { MVM_OPND_REG, FROM_RM, SZ_1 },
	[Ew] = { MVM_OPND_REG, FROM_RM, SZ_2 },
	[Ev] = { MVM_OPND_REG, FROM_RM, SZ_V },
	[Ez] = { MVM_OPND_REG, FROM_RM, SZ_Z },
	[Ey] = { MVM_OPND_REG, FROM_RM, SZ_Y },
	[Ex] = { MVM_OPND_REG, FROM_RM, SZ_X },
	[Gb] = { MVM_OPND_REG, FROM_REG, SZ_1 },
	[Gw] = { MVM_OPND_REG, FROM_REG, SZ_2 },
	[Gv] = { MVM_OPND_REG, FROM_REG, SZ_V },
	[Gy] = { MVM_OPND_REG, FROM_REG, SZ_Y },
	[M]  = { MVM_OPND_REG, FROM_RM, SZ_0 },
	[Mv] = { MVM_OPND_REG, FROM_RM, SZ_V },
	[My] = { MVM_OPND_REG, FROM_RM, SZ_Y },
	[Mq] = { MVM_OPND_REG, FROM_RM, SZ_8 },
	[Mx] = { MVM_OPND_REG, FROM_RM, SZ_L },
	[Ib] = { MVM_OPND_IMM, FROM_IMM, SZ_1 },
	[Iw] = { MVM_OPND_IMM, FROM_IMM, SZ_2 },
	[Iz] = { MVM_OPND_IMM, FROM_IMM, SZ_Z },
	[Iv] = { MVM_OPND_IMM, FROM_IMM, SZ_V },
	[Is] = { MVM_OPND_IMM, FROM_IMM, SZ_1 },
	[Ie] = { MVM_OPND_NONE, FROM_IMM2, SZ_1 },
	[Jb] = { MVM_OPND_REL, FROM_IMM, SZ_1 },
	[Jz] = { MVM_OPND_REL, FROM_IMM, SZ_Z },
	[Ap] = { MVM_OPND_IMM, FROM_FAR, SZ_Z },
	[Ob] = { MVM_OPND_MEM, FROM_OFFSET, SZ_1 },
	[Ov] = { MVM_OPND_MEM, FROM_OFFSET, SZ_V },
	[Xb] = { MVM_OPND_SRC, FROM_STRING, SZ_1 },
	[Xv] = { MVM_OPND_SRC, FROM_STRING, SZ_V },
	[Xz] = { MVM_OPND_SRC, FROM_STRING, SZ_Z },
	[Yb] = { MVM_OPND_DST, FROM_STRING, SZ_1 },
	[Yv] = { MVM_OPND_DST, FROM_STRING, SZ_V },
	[Yz] = { MVM_OPND_DST, FROM_STRING, SZ_Z },
	[Zb] = { MVM_OPND_REG, FROM_OPCODE, SZ_1 },
	[Zv] = { MVM_OPND_REG, FROM_OPCODE, SZ_V },
	[Ab] = { MVM_OPND_REG, FROM_FIXED, SZ_1, MVM_RAX },
	[Av] = { MVM_OPND_REG, FROM_FIXED, SZ_V, MVM_RAX },
	[Az] = { MVM_OPND_REG, FROM_FIXED, SZ_Z, MVM_RAX },
	[ADX] = { MVM_OPND_REG, FROM_FIXED, SZ_2, MVM_RDX },
	[ACL] = { MVM_OPND_REG, FROM_FIXED, SZ_1, MVM_RCX },
	[One] = { MVM_OPND_IMM, FROM_ONE, SZ_1 },
	[Sw] = { MVM_OPND_SEG, FROM_REG, SZ_2 },
	[Ss] = { MVM_OPND_SEG, FROM_OPCODE_SEG, SZ_2 },
	[Cn] = { MVM_OPND_CR, FROM_REG, SZ_N },
	[Dn] = { MVM_OPND_DR, FROM_REG, SZ_N },
	[Rn] = { MVM_OPND_REG, FROM_RM, SZ_N },
	[Vo] = { MVM_OPND_VEC, FROM_REG, SZ_16 },
	[Vx] = { MVM_OPND_VEC, FROM_REG, SZ_L },
	[Wd] = { MVM_OPND_VEC, FROM_RM, SZ_D16 },
	[Wq] = { MVM_OPND_VEC, FROM_RM, SZ_Q16 },
	[Wx] = { MVM_OPND_VEC, FROM_RM, SZ_L },
	[Ho] = { MVM_OPND_VEC, FROM_VVVV, SZ_16 },
	[Hr] = { MVM_OPND_VEC, FROM_VVVV, SZ_16 },
	[Pq] = { MVM_OPND_MMX, FROM_REG, SZ_8 },
	[Qq] = { MVM_OPND_MMX, FROM_RM, SZ_8 },
};

static unsigned int opnd_size(const struct mvm_insn *insn, u8 code, bool is_mem)
{
	switch (code) {
	case SZ_V:
		return insn->opsize;
	case SZ_Z:
		return insn->opsize == 2 ? 2 : 4;
	case SZ_Y:
		return insn->opsize == 8 ? 8 : 4;
	case SZ_N:
		return is_64(insn) ? 8 : 4;
	case SZ_X:
		return is_mem ? 2 : insn->opsize;
	case SZ_L:
		return 16U << insn->vl;
	case SZ_D16:
		return is_mem ? 4 : 16;
	case SZ_Q16:
		return is_mem ? 8 : 16;
	default:
		return code;
	}
}

/* Without REX, byte registers 4 to 7 are AH, CH, DH, BH. */
static void set_reg(const struct mvm_insn *insn, struct mvm_opnd *opnd, u8 reg)
{
	opnd->reg = opnd->kind == MVM_OPND_MMX ? reg & 7 : reg;
	if (opnd->kind == MVM_OPND_REG && opnd->size == 1 && !insn->rex &&
	    reg >= 4 && reg < 8) {
		opnd->reg = reg - 4;
		opnd->high = 1;
	}
}

/**
 * mvm_insn_opnd_in_modrm() - does this operand need a ModRM byte?
 * @code: enum mvm_opnd_code
 */
bool mvm_insn_opnd_in_modrm(u8 code)
{
	return opnd_formats[code].source == FROM_RM || opnd_formats[code].source == FROM_REG;
}

/**
 * mvm_insn_opnd_absent() - an operand that this form of the instruction lacks
 * @insn: with encoding and ModRM known
 * @code: enum mvm_opnd_code
 */
bool mvm_insn_opnd_absent(const struct mvm_insn *insn, u8 code)
{
	if (opnd_formats[code].source != FROM_VVVV)
		return false;
	return insn->enc != MVM_ENC_VEX || (code == Hr && insn->modrm < 0xc0);
}

/**
 * mvm_insn_decode_opnd() - the next operand of a row
 * @c: where its bytes are
 * @opnd: filled in
 * @code: enum mvm_opnd_code
 * @rm_is_reg: ModRM.r/m is a register whatever mod says
 */
void mvm_insn_decode_opnd(struct cursor *c, struct mvm_opnd *opnd, u8 code, bool rm_is_reg)
{
	struct mvm_insn *insn = c->insn;
	const struct opnd_format *format = &opnd_formats[code];
	bool is_mem = format->source == FROM_RM && !rm_is_reg && insn->modrm < 0xc0;
	u8 reg;

	opnd->kind = is_mem ? MVM_OPND_MEM : format->kind;
	opnd->size = opnd_size(insn, format->size, is_mem);
	switch (format->source) {
	case FROM_RM:
		if (!is_mem)
			set_reg(insn, opnd, (insn->modrm & 7) |
				(insn->rex & REX_B ? 8 : 0));
		break;
	case FROM_REG:
		reg = (insn->modrm >> 3) & 7;
		if (opnd->kind != MVM_OPND_SEG && insn->rex & REX_R)
			reg |= 8;
		/* AMD: LOCK in front of MOV CR0 reaches CR8 outside 64-bit mode. */
		if (opnd->kind == MVM_OPND_CR && insn->lock)
			reg |= 8;
		set_reg(insn, opnd, reg);
		break;
	case FROM_IMM:
		insn->imm = next_value(c, opnd->size);
		break;
	case FROM_IMM2:
		insn->imm2 = (u8)next_byte(c);
		break;
	case FROM_FAR:
		insn->imm = next_value(c, opnd->size);
		insn->imm2 = (u16)next_value(c, 2);
		break;
	case FROM_OFFSET:
		insn->mem.disp = next_value(c, insn->adsize);
		break;
	case FROM_OPCODE:
		set_reg(insn, opnd, (insn->opcode & 7) | (insn->rex & REX_B ? 8 : 0));
		break;
	case FROM_OPCODE_SEG:
		opnd->reg = (insn->opcode >> 3) & 7;
		break;
	case FROM_FIXED:
		opnd->reg = format->reg;
		break;
	case FROM_ONE:
		insn->imm = 1;
		break;
	case FROM_VVVV:
		opnd->reg = insn->vvvv;
		break;
	}
	/* A byte immediate that is sign-extended counts as a full operand. */
	if (code == Is)
		opnd->size = insn->opsize;
}
