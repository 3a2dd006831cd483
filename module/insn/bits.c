// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions that test, scan and count bits.
 */
#include "internal.h"

/* BT, BTS, BTR, BTC: a bit offset in a register reaches beyond the operand. */
static int do_bt(struct mvm_emul *e)
{
	const struct mvm_insn *insn = e->insn;
	const struct mvm_opnd *dst = &insn->opnd[0], *src = &insn->opnd[1];
	bool writes = insn->op != MVM_OP_BT;
	unsigned int bits = 8 * dst->size;
	u64 flags = *e->rflags, ea, a, b, res;
	int ret;

	ret = mvm_emul_read_opnd(e, src, &b, false);
	if (ret)
		return ret;
	if (dst->kind != MVM_OPND_MEM)
		return MVM_EMUL_RETRY;
	ea = mvm_emul_ea(e);
	if (src->kind == MVM_OPND_REG) {
		s64 offset = (s64)mvm_sign_extend(b, src->size);

		ea += (u64)((offset - (s64)(b & (bits - 1))) / 8);
		ea &= mvm_size_mask(insn->adsize);
	}
	ret = mvm_emul_mem(e, insn->mem.seg, ea, &a, dst->size,
			   writes ? MVM_ACCESS_WRITE : MVM_ACCESS_READ, false);
	if (ret)
		return ret;
	res = mvm_alu(insn->op, a, b, dst->size, &flags);
	if (writes)
		ret = mvm_emul_write_back(e, ea, &a, &res, dst->size);
	if (!ret)
		*e->rflags = flags;
	return ret;
}

/* How many zero bits @val has below its lowest one, or above its highest. */
static unsigned int count_zeros(u64 val, unsigned int bits, bool from_top)
{
	unsigned int i;

	for (i = 0; i < bits; i++)
		if (val >> (from_top ? bits - 1 - i : i) & 1)
			break;
	return i;
}

static unsigned int count_ones(u64 val)
{
	unsigned int n;

	for (n = 0; val; n++)
		val &= val - 1;
	return n;
}

/* BSF and BSR: of zero they leave the destination as it is. */
static int do_bit_scan(struct mvm_emul *e, bool reverse)
{
	const struct mvm_opnd *dst = &e->insn->opnd[0];
	unsigned int bits = 8 * dst->size, n;
	u64 val;
	int ret = mvm_emul_read_opnd(e, &e->insn->opnd[1], &val, false);

	if (ret)
		return ret;
	if (!val) {
		*e->rflags |= FLAG_ZF;
		return 0;
	}
	*e->rflags &= ~(u64)FLAG_ZF;
	n = count_zeros(val, bits, reverse);
	return mvm_emul_write_opnd(e, dst, reverse ? bits - 1 - n : n);
}

static int do_bit_count(struct mvm_emul *e)
{
	const struct mvm_opnd *dst = &e->insn->opnd[0];
	u8 op = e->insn->op;
	u64 val, res, flags = *e->rflags & ~(u64)(FLAG_CF | FLAG_ZF);
	int ret;

	/* Older processors do not know the prefix. */
	if ((op == MVM_OP_TZCNT && !e->has_tzcnt) || (op == MVM_OP_LZCNT && !e->has_lzcnt))
		return do_bit_scan(e, op == MVM_OP_LZCNT);
	ret = mvm_emul_read_opnd(e, &e->insn->opnd[1], &val, false);
	if (ret)
		return ret;
	if (op == MVM_OP_POPCNT) {
		res = count_ones(val);
		flags = (*e->rflags & ~FLAGS_ARITH) | (val ? 0 : FLAG_ZF);
	} else {
		res = count_zeros(val, 8 * dst->size, op == MVM_OP_LZCNT);
		flags |= (val ? 0 : FLAG_CF) | (res ? 0 : FLAG_ZF);
	}
	*e->rflags = flags;
	return mvm_emul_write_opnd(e, dst, res);
}

/**
 * mvm_emul_bits() - BT to BTC, BSF, BSR, TZCNT, LZCNT, POPCNT
 * @e: the execution
 */
int mvm_emul_bits(struct mvm_emul *e)
{
	switch (e->insn->op) {
	case MVM_OP_BT: case MVM_OP_BTS: case MVM_OP_BTR: case MVM_OP_BTC:
		return do_bt(e);
	case MVM_OP_BSF: case MVM_OP_BSR:
		return do_bit_scan(e, e->insn->op == MVM_OP_BSR);
	default:
		return do_bit_count(e);
	}
}
