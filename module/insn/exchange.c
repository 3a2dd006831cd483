// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exchanges: XCHG, XADD, CMPXCHG and its forms of 8 and 16 bytes. On guest memory
 * they are atomic where they are locked, which XCHG always is.
 */
#include "internal.h"

static int do_xchg(struct mvm_emul *e)
{
	const struct mvm_opnd *src = &e->insn->opnd[1];
	u64 a, b;
	int ret = mvm_emul_read_dst(e, &a);

	if (!ret)
		ret = mvm_emul_read_opnd(e, src, &b, false);
	if (!ret)
		ret = mvm_emul_write_dst(e, a, b);
	return ret ? ret : mvm_emul_write_opnd(e, src, a);
}

static int do_xadd(struct mvm_emul *e)
{
	const struct mvm_opnd *dst = &e->insn->opnd[0], *src = &e->insn->opnd[1];
	u64 flags = *e->rflags, a, b;
	int ret = mvm_emul_read_dst(e, &a);

	if (!ret)
		ret = mvm_emul_read_opnd(e, src, &b, false);
	if (!ret)
		ret = mvm_emul_write_dst(e, a, mvm_alu(MVM_OP_ADD, a, b, dst->size, &flags));
	if (ret)
		return ret;
	*e->rflags = flags;
	return mvm_emul_write_opnd(e, src, a);
}

/* The destination gets a write cycle in either case. */
static int do_cmpxchg(struct mvm_emul *e)
{
	const struct mvm_opnd *dst = &e->insn->opnd[0], *src = &e->insn->opnd[1];
	u64 flags = *e->rflags, old, new;
	bool equal;
	int ret = mvm_emul_read_dst(e, &old);

	if (!ret)
		ret = mvm_emul_read_opnd(e, src, &new, false);
	if (ret)
		return ret;
	mvm_alu(MVM_OP_CMP, e->gpr[MVM_RAX], old, dst->size, &flags);
	equal = flags & FLAG_ZF;
	ret = mvm_emul_write_dst(e, old, equal ? new : old);
	if (ret)
		return ret;
	if (!equal)
		mvm_emul_set_reg(e, MVM_RAX, dst->size, old);
	*e->rflags = flags;
	return 0;
}

/* CMPXCHG8B and 16B: pairs of registers of half the operand's size. */
static int do_cmpxchg_pair(struct mvm_emul *e)
{
	unsigned int size = e->insn->opnd[0].size, half = size / 2;
	u64 ea = mvm_emul_ea(e), old[2] = { 0 }, new[2] = { 0 }, low, high;
	gva_t la;
	bool equal;
	int ret;

	ret = mvm_emul_linear(e, e->insn->mem.seg, ea, size, MVM_ACCESS_WRITE, &la);
	if (!ret && size == 16 && la & 15)
		ret = mvm_emul_raise(e, VECTOR_GP);
	if (!ret)
		ret = mvm_emul_access(e, e->insn->mem.seg, ea, old, size, MVM_ACCESS_WRITE, false);
	if (ret)
		return ret;
	low = half == 8 ? old[0] : (u32)old[0];
	high = half == 8 ? old[1] : old[0] >> 32;
	equal = mvm_emul_reg(e, MVM_RAX, half) == low && mvm_emul_reg(e, MVM_RDX, half) == high;
	new[0] = mvm_emul_reg(e, MVM_RBX, half);
	new[1] = mvm_emul_reg(e, MVM_RCX, half);
	if (half == 4)
		new[0] |= new[1] << 32;
	ret = mvm_emul_write_back(e, ea, old, equal ? new : old, size);
	if (ret)
		return ret;
	if (equal) {
		*e->rflags |= FLAG_ZF;
	} else {
		*e->rflags &= ~(u64)FLAG_ZF;
		mvm_emul_set_reg(e, MVM_RAX, half, low);
		mvm_emul_set_reg(e, MVM_RDX, half, high);
	}
	return 0;
}

/**
 * mvm_emul_exchange() - XCHG, XADD, CMPXCHG, CMPXCHG8B, CMPXCHG16B
 * @e: the execution
 */
int mvm_emul_exchange(struct mvm_emul *e)
{
	switch (e->insn->op) {
	case MVM_OP_XCHG:
		return do_xchg(e);
	case MVM_OP_XADD:
		return do_xadd(e);
	case MVM_OP_CMPXCHG:
		return do_cmpxchg(e);
	default:
		return do_cmpxchg_pair(e);
	}
}
