// SPDX-License-Identifier: GPL-2.0-only
/*
 * Integer arithmetic with the flags that x86 gives it: values in, value and
 * RFLAGS out. Flags that the manuals leave undefined are cleared, as processors
 * do for AF after a logical operation.
 */
#include "internal.h"

/**
 * mvm_alu_szp() - SF, ZF and PF of a result
 * @res: the result
 * @size: its size in bytes
 */
u64 mvm_alu_szp(u64 res, unsigned int size)
{
	u64 flags = 0;
	u8 low = res;

	if (!(res & mvm_size_mask(size)))
		flags |= FLAG_ZF;
	if (res & (1ULL << (8 * size - 1)))
		flags |= FLAG_SF;
	low ^= low >> 4;
	low ^= low >> 2;
	low ^= low >> 1;
	if (!(low & 1))
		flags |= FLAG_PF;
	return flags;
}

/* @carries: the carry out of, or borrow into, each bit. @overflow: in the top bit. */
static u64 flags_carry(u64 carries, u64 overflow, unsigned int size)
{
	u64 top = 1ULL << (8 * size - 1);

	return (carries & top ? FLAG_CF : 0) | (overflow & top ? FLAG_OF : 0) |
	       (carries & 0x8 ? FLAG_AF : 0);
}

static u64 alu_add(u64 a, u64 b, bool carry, unsigned int size, u64 *flags)
{
	u64 res = a + b + carry;

	*flags = mvm_alu_szp(res, size) |
		 flags_carry((a & b) | ((a | b) & ~res), (a ^ res) & (b ^ res), size);
	return res;
}

static u64 alu_sub(u64 a, u64 b, bool borrow, unsigned int size, u64 *flags)
{
	u64 res = a - b - borrow;

	*flags = mvm_alu_szp(res, size) |
		 flags_carry((~a & b) | ((~a | b) & res), (a ^ b) & (a ^ res), size);
	return res;
}

static u64 alu_logic(u64 res, unsigned int size, u64 *flags)
{
	*flags = mvm_alu_szp(res, size);
	return res;
}

static u64 alu_bit(unsigned int op, u64 a, u64 b, unsigned int size, u64 *flags)
{
	u64 bit = 1ULL << (b & (8 * size - 1));

	*flags = (*flags & ~FLAG_CF) | (a & bit ? FLAG_CF : 0);
	switch (op) {
	case MVM_OP_BTS:
		return a | bit;
	case MVM_OP_BTR:
		return a & ~bit;
	case MVM_OP_BTC:
		return a ^ bit;
	default:
		return a;
	}
}

/**
 * mvm_alu() - one arithmetic or logical operation
 * @op: ADD to CMP of group 1, TEST, NOT, NEG, INC, DEC, the BT family
 * @a: first operand
 * @b: second operand, where there is one
 * @size: operand size in bytes
 * @flags: RFLAGS, the arithmetic flags updated
 *
 * Return: the result, of which the low @size bytes count.
 */
u64 mvm_alu(unsigned int op, u64 a, u64 b, unsigned int size, u64 *flags)
{
	bool carry = *flags & FLAG_CF;
	u64 mask = mvm_size_mask(size);
	u64 new = 0, keep = FLAGS_ARITH, res;

	a &= mask;
	b &= mask;
	switch (op) {
	case MVM_OP_ADD:
		res = alu_add(a, b, false, size, &new);
		break;
	case MVM_OP_ADC:
		res = alu_add(a, b, carry, size, &new);
		break;
	case MVM_OP_INC:
		keep &= ~FLAG_CF;
		res = alu_add(a, 1, false, size, &new);
		break;
	case MVM_OP_SUB: case MVM_OP_CMP:
		res = alu_sub(a, b, false, size, &new);
		break;
	case MVM_OP_SBB:
		res = alu_sub(a, b, carry, size, &new);
		break;
	case MVM_OP_DEC:
		keep &= ~FLAG_CF;
		res = alu_sub(a, 1, false, size, &new);
		break;
	case MVM_OP_NEG:
		res = alu_sub(0, a, false, size, &new);
		break;
	case MVM_OP_AND: case MVM_OP_TEST:
		res = alu_logic(a & b, size, &new);
		break;
	case MVM_OP_OR:
		res = alu_logic(a | b, size, &new);
		break;
	case MVM_OP_XOR:
		res = alu_logic(a ^ b, size, &new);
		break;
	case MVM_OP_NOT:
		return ~a & mask;
	default:
		return alu_bit(op, a, b, size, flags) & mask;
	}
	*flags = (*flags & ~keep) | (new & keep);
	return res & mask;
}

/**
 * mvm_alu_condition() - is the condition of Jcc, SETcc, CMOVcc true?
 * @cc: condition code, 0 to 15
 * @flags: RFLAGS
 */
bool mvm_alu_condition(unsigned int cc, u64 flags)
{
	bool cf = flags & FLAG_CF, zf = flags & FLAG_ZF, sf = flags & FLAG_SF;
	bool of = flags & FLAG_OF, pf = flags & FLAG_PF;
	bool res = false;

	switch ((cc >> 1) & 7) {
	case 0:
		res = of;
		break;
	case 1:
		res = cf;
		break;
	case 2:
		res = zf;
		break;
	case 3:
		res = cf || zf;
		break;
	case 4:
		res = sf;
		break;
	case 5:
		res = pf;
		break;
	case 6:
		res = sf != of;
		break;
	case 7:
		res = zf || sf != of;
		break;
	}
	return res != (cc & 1);
}
