// SPDX-License-Identifier: GPL-2.0-only
/*
 * Multiplication and division. A double-width value is a pair of u64, high part
 * first, whatever the operand size: what is smaller is extended. Flags that the
 * manuals leave undefined stay as they are.
 */
#include "internal.h"

struct wide {
	u64 high, low;
};

static struct wide multiply(u64 a, u64 b)
{
	u64 al = (u32)a, ah = a >> 32, bl = (u32)b, bh = b >> 32;
	u64 mid = ah * bl + (al * bl >> 32);
	u64 mid2 = al * bh + (u32)mid;

	return (struct wide){ .high = ah * bh + (mid >> 32) + (mid2 >> 32), .low = a * b };
}

static struct wide multiply_signed(u64 a, u64 b)
{
	struct wide w = multiply(a, b);

	w.high -= ((s64)a < 0 ? b : 0) + ((s64)b < 0 ? a : 0);
	return w;
}

static struct wide negate(struct wide w)
{
	return (struct wide){ .high = ~w.high + !w.low, .low = -w.low };
}

/* Schoolbook division, a bit at a time. False where the quotient has no room. */
static bool divide(struct wide n, u64 d, u64 *quot, u64 *rem)
{
	u64 q = 0, r = n.high;
	int i;

	if (n.high >= d)
		return false;
	for (i = 63; i >= 0; i--) {
		bool carry = r >> 63;

		r = (r << 1) | (n.low >> i & 1);
		q <<= 1;
		if (carry || r >= d) {
			r -= d;
			q |= 1;
		}
	}
	*quot = q;
	*rem = r;
	return true;
}

static bool divide_signed(struct wide n, u64 d, u64 *quot, u64 *rem)
{
	bool n_neg = (s64)n.high < 0, q_neg = n_neg != ((s64)d < 0);

	if (!divide(n_neg ? negate(n) : n, (s64)d < 0 ? -d : d, quot, rem))
		return false;
	/* The magnitude of the smallest number is one more than that of the largest. */
	if (*quot > (1ULL << 63) - !q_neg)
		return false;
	if (q_neg)
		*quot = -*quot;
	if (n_neg)
		*rem = -*rem;
	return true;
}

/* rDX:rAX of the operand size; of bytes AX. */
static struct wide read_pair(const struct mvm_emul *e, unsigned int size, bool is_signed)
{
	u64 low = mvm_emul_reg(e, MVM_RAX, size), high = mvm_emul_reg(e, MVM_RDX, size);
	struct wide w;

	if (size == 8)
		return (struct wide){ .high = high, .low = low };
	w.low = size == 1 ? mvm_emul_reg(e, MVM_RAX, 2) : high << (8 * size) | low;
	if (is_signed)
		w.low = mvm_sign_extend(w.low, 2 * size);
	w.high = is_signed && (s64)w.low < 0 ? ~0ULL : 0;
	return w;
}

/* @high and @low into rDX and rAX, or AH and AL. */
static void write_pair(struct mvm_emul *e, unsigned int size, u64 high, u64 low)
{
	if (size == 1) {
		mvm_emul_set_reg(e, MVM_RAX, 2, (high & 0xff) << 8 | (low & 0xff));
	} else {
		mvm_emul_set_reg(e, MVM_RAX, size, low);
		mvm_emul_set_reg(e, MVM_RDX, size, high);
	}
}

static int do_divide(struct mvm_emul *e, u64 divisor, unsigned int size)
{
	bool is_signed = e->insn->op == MVM_OP_IDIV;
	struct wide n = read_pair(e, size, is_signed);
	u64 quot, rem;
	bool fits;

	if (is_signed) {
		fits = divide_signed(n, mvm_sign_extend(divisor, size), &quot, &rem) &&
		       mvm_sign_extend(quot, size) == quot;
	} else {
		fits = divide(n, divisor, &quot, &rem) && quot <= mvm_size_mask(size);
	}
	if (!fits)
		return mvm_emul_raise(e, VECTOR_DE);
	write_pair(e, size, rem, quot);
	return 0;
}

/* CF and OF say that the upper half means something. */
static void set_overflow(struct mvm_emul *e, bool overflow)
{
	*e->rflags &= ~(u64)(FLAG_CF | FLAG_OF);
	if (overflow)
		*e->rflags |= FLAG_CF | FLAG_OF;
}

/* One operand: the product has twice the width. */
static void do_multiply(struct mvm_emul *e, u64 b, unsigned int size)
{
	u64 a = mvm_emul_reg(e, MVM_RAX, size), high;
	struct wide w;

	if (e->insn->op == MVM_OP_IMUL) {
		w = multiply_signed(mvm_sign_extend(a, size), mvm_sign_extend(b, size));
		set_overflow(e, mvm_sign_extend(w.low, size) != w.low ||
			     w.high != ((s64)w.low < 0 ? ~0ULL : 0));
	} else {
		w = multiply(a, b);
		set_overflow(e, w.high || w.low & ~mvm_size_mask(size));
	}
	high = size == 8 ? w.high : w.low >> (8 * size);
	write_pair(e, size, high, w.low);
}

/* IMUL with two operands, or three. */
static int do_multiply_reg(struct mvm_emul *e)
{
	const struct mvm_opnd *dst = &e->insn->opnd[0];
	bool three = e->insn->opnd[2].kind != MVM_OPND_NONE;
	struct wide w;
	u64 a, b;
	int ret;

	ret = mvm_emul_read_opnd(e, &e->insn->opnd[1], &a, false);
	if (!ret)
		ret = mvm_emul_read_opnd(e, three ? &e->insn->opnd[2] : dst, &b, false);
	if (ret)
		return ret;
	w = multiply_signed(mvm_sign_extend(a, dst->size), mvm_sign_extend(b, dst->size));
	set_overflow(e, mvm_sign_extend(w.low, dst->size) != w.low ||
		     w.high != ((s64)w.low < 0 ? ~0ULL : 0));
	return mvm_emul_write_opnd(e, dst, w.low);
}

/**
 * mvm_emul_muldiv() - MUL, IMUL, DIV, IDIV
 * @e: the execution
 */
int mvm_emul_muldiv(struct mvm_emul *e)
{
	const struct mvm_insn *insn = e->insn;
	const struct mvm_opnd *src = &insn->opnd[0];
	u64 val;
	int ret;

	if (insn->opnd[1].kind != MVM_OPND_NONE)
		return do_multiply_reg(e);
	ret = mvm_emul_read_opnd(e, src, &val, false);
	if (ret)
		return ret;
	if (insn->op == MVM_OP_DIV || insn->op == MVM_OP_IDIV)
		return do_divide(e, val, src->size);
	do_multiply(e, val, src->size);
	return 0;
}
