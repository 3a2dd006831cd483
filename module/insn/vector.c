// SPDX-License-Identifier: GPL-2.0-only
/*
 * Moves between memory and MMX, XMM and YMM registers.
 *
 * What is not a move (arithmetic, shuffles, masks, EVEX) has no row here and is
 * not emulated. A move to a register clears what it does not write, but for the
 * halves: MOVLPS and its kin keep the other half of the destination, or, in
 * VEX form, take it from the register that vvvv names.
 */
#include "internal.h"

#define V_MOVE		0x01
#define V_ALIGNED	0x02	/* #GP unless aligned to the operand's size */
#define V_HALF		0x04	/* 8 of 16 bytes */
#define V_HIGH		0x08	/* namely the upper ones */

static const u8 vector_moves[MVM_NR_OPS] = {
	[MVM_OP_MOVD] = V_MOVE,
	[MVM_OP_MOVQ] = V_MOVE,
	[MVM_OP_MOVSS] = V_MOVE,
	[MVM_OP_MOVSD] = V_MOVE,
	[MVM_OP_MOVLPS] = V_MOVE | V_HALF,
	[MVM_OP_MOVLPD] = V_MOVE | V_HALF,
	[MVM_OP_MOVHPS] = V_MOVE | V_HALF | V_HIGH,
	[MVM_OP_MOVHPD] = V_MOVE | V_HALF | V_HIGH,
	[MVM_OP_MOVUPS] = V_MOVE,
	[MVM_OP_MOVUPD] = V_MOVE,
	[MVM_OP_MOVDQU] = V_MOVE,
	[MVM_OP_LDDQU] = V_MOVE,
	[MVM_OP_MOVAPS] = V_MOVE | V_ALIGNED,
	[MVM_OP_MOVAPD] = V_MOVE | V_ALIGNED,
	[MVM_OP_MOVDQA] = V_MOVE | V_ALIGNED,
	[MVM_OP_MOVNTPS] = V_MOVE | V_ALIGNED,
	[MVM_OP_MOVNTPD] = V_MOVE | V_ALIGNED,
	[MVM_OP_MOVNTDQ] = V_MOVE | V_ALIGNED,
	[MVM_OP_MOVNTDQA] = V_MOVE | V_ALIGNED,
	[MVM_OP_MOVNTQ] = V_MOVE,
};

static enum mvm_emul_file register_file(const struct mvm_emul *e, const struct mvm_opnd *reg)
{
	if (reg->kind == MVM_OPND_MMX)
		return MVM_FILE_MMX;
	return e->insn->enc == MVM_ENC_VEX ? MVM_FILE_AVX : MVM_FILE_SSE;
}

static int store(struct mvm_emul *e, const struct mvm_opnd *mem, const struct mvm_opnd *reg,
		 u8 flags)
{
	enum mvm_emul_file file = register_file(e, reg);
	u8 buf[MVM_EMUL_VEC_MAX] = { 0 };
	int ret;

	e->ops->vec_read(e->priv, file, reg->reg, buf);
	ret = mvm_emul_access(e, e->insn->mem.seg, mvm_emul_ea(e),
			      buf + (flags & V_HIGH ? 8 : 0), mem->size, MVM_ACCESS_WRITE, true);
	/* Using an MMX register makes the x87 stack one, reading it too. */
	if (!ret && file == MVM_FILE_MMX)
		e->ops->vec_write(e->priv, file, reg->reg, NULL);
	return ret;
}

static int load(struct mvm_emul *e, const struct mvm_opnd *reg, const struct mvm_opnd *mem,
		u8 flags)
{
	enum mvm_emul_file file = register_file(e, reg);
	u8 buf[MVM_EMUL_VEC_MAX] = { 0 }, half[8];
	int ret;

	if (!(flags & V_HALF)) {
		ret = mvm_emul_access(e, e->insn->mem.seg, mvm_emul_ea(e), buf, mem->size,
				      MVM_ACCESS_READ, false);
	} else {
		ret = mvm_emul_access(e, e->insn->mem.seg, mvm_emul_ea(e), half, sizeof(half),
				      MVM_ACCESS_READ, false);
		e->ops->vec_read(e->priv, file,
				 file == MVM_FILE_AVX ? e->insn->vvvv : reg->reg, buf);
		memset(buf + 16, 0, sizeof(buf) - 16);
		memcpy(buf + (flags & V_HIGH ? 8 : 0), half, sizeof(half));
	}
	if (!ret)
		e->ops->vec_write(e->priv, file, reg->reg, buf);
	return ret;
}

static bool is_register(const struct mvm_opnd *o)
{
	return o->kind == MVM_OPND_VEC || o->kind == MVM_OPND_MMX;
}

/**
 * mvm_emul_vector() - a move between memory and a vector register
 * @e: the execution
 */
int mvm_emul_vector(struct mvm_emul *e)
{
	const struct mvm_insn *insn = e->insn;
	const struct mvm_opnd *o = insn->opnd;
	bool is_store = o[0].kind == MVM_OPND_MEM;
	const struct mvm_opnd *reg = is_store ? &o[1] : &o[0];
	/* The VEX forms of the halves have a second source. */
	const struct mvm_opnd *mem = is_store ? &o[0] : o[2].kind ? &o[2] : &o[1];
	u8 flags = vector_moves[insn->op], vector;
	gva_t la;
	int ret;

	if (!flags || mem->kind != MVM_OPND_MEM || !is_register(reg) ||
	    mem->size > MVM_EMUL_VEC_MAX)
		return MVM_EMUL_FAIL;
	vector = e->ops->vec_check(e->priv, register_file(e, reg));
	if (vector != MVM_EMUL_NO_VECTOR)
		return mvm_emul_raise(e, vector);
	if (flags & V_ALIGNED) {
		ret = mvm_emul_linear(e, insn->mem.seg, mvm_emul_ea(e), mem->size,
				      is_store ? MVM_ACCESS_WRITE : MVM_ACCESS_READ, &la);
		if (ret)
			return ret;
		if (la & (mem->size - 1))
			return mvm_emul_raise(e, VECTOR_GP);
	}
	return is_store ? store(e, mem, reg, flags) : load(e, reg, mem, flags);
}
