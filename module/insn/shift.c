// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shifts and rotates with the flags that x86 gives them: values in, value and
 * RFLAGS out. What the manuals leave undefined (OF after more than one bit, AF
 * after a shift) comes out as most processors have it.
 */
#include "internal.h"

/* The processor looks at five bits of a count, or at six. */
static unsigned int mask_count(unsigned int count, unsigned int size)
{
	return count & (size == 8 ? 63 : 31);
}

static void set_flag(u64 *flags, u64 flag, bool on)
{
	*flags = on ? *flags | flag : *flags & ~flag;
}

/* ROL and ROR. A count that comes to nothing still sets CF. */
static u64 rotate(unsigned int op, u64 a, unsigned int count, unsigned int size, u64 *flags)
{
	unsigned int bits = 8 * size, left = count % bits;
	u64 mask = mvm_size_mask(size), res = a;
	bool top, next;

	if (op == MVM_OP_ROR)
		left = (bits - left) % bits;
	if (left)
		res = ((a << left) | (a >> (bits - left))) & mask;
	top = res >> (bits - 1) & 1;
	next = res >> (bits - 2) & 1;
	if (op == MVM_OP_ROL) {
		set_flag(flags, FLAG_CF, res & 1);
		set_flag(flags, FLAG_OF, top != (bool)(res & 1));
	} else {
		set_flag(flags, FLAG_CF, top);
		set_flag(flags, FLAG_OF, top != next);
	}
	return res;
}

/* RCL and RCR, a bit at a time through CF. */
static u64 rotate_carry(unsigned int op, u64 a, unsigned int count, unsigned int size, u64 *flags)
{
	unsigned int bits = 8 * size;
	bool carry = *flags & FLAG_CF, out;

	for (count %= bits + 1; count; count--) {
		if (op == MVM_OP_RCL) {
			out = a >> (bits - 1) & 1;
			a = ((a << 1) | carry) & mvm_size_mask(size);
		} else {
			out = a & 1;
			a = (a >> 1) | (u64)carry << (bits - 1);
		}
		carry = out;
	}
	set_flag(flags, FLAG_CF, carry);
	if (op == MVM_OP_RCL)
		set_flag(flags, FLAG_OF, (a >> (bits - 1) & 1) != carry);
	else
		set_flag(flags, FLAG_OF, (a >> (bits - 1) & 1) != (a >> (bits - 2) & 1));
	return a;
}

/* The flags of a shift: CF is the last bit that went out. */
static u64 shifted(u64 res, bool carry, bool overflow, unsigned int size, u64 *flags)
{
	*flags = (*flags & ~FLAGS_ARITH) | mvm_alu_szp(res, size);
	set_flag(flags, FLAG_CF, carry);
	set_flag(flags, FLAG_OF, overflow);
	return res & mvm_size_mask(size);
}

static u64 shift_left(u64 a, unsigned int count, unsigned int size, u64 *flags)
{
	unsigned int bits = 8 * size;
	u64 res = a << count;
	bool carry = count <= bits && (a >> (bits - count) & 1);

	return shifted(res, carry, (res >> (bits - 1) & 1) != carry, size, flags);
}

static u64 shift_right(u64 a, unsigned int count, unsigned int size, u64 *flags)
{
	u64 res = a >> count;

	return shifted(res, a >> (count - 1) & 1, a >> (8 * size - 1) & 1, size, flags);
}

static u64 shift_right_signed(u64 a, unsigned int count, unsigned int size, u64 *flags)
{
	s64 val = (s64)mvm_sign_extend(a, size);

	return shifted((u64)(val >> count), val >> (count - 1) & 1, false, size, flags);
}

/**
 * mvm_shift() - a shift or rotate of group 2
 * @op: ROL, ROR, RCL, RCR, SHL, SHR or SAR
 * @a: what is shifted
 * @count: by how many bits, as the operand has it
 * @size: operand size in bytes
 * @flags: RFLAGS, updated; not touched where the count, masked, is 0
 */
u64 mvm_shift(unsigned int op, u64 a, unsigned int count, unsigned int size, u64 *flags)
{
	a &= mvm_size_mask(size);
	count = mask_count(count, size);
	if (!count)
		return a;
	switch (op) {
	case MVM_OP_ROL: case MVM_OP_ROR:
		return rotate(op, a, count, size, flags);
	case MVM_OP_RCL: case MVM_OP_RCR:
		return rotate_carry(op, a, count, size, flags);
	case MVM_OP_SHL:
		return shift_left(a, count, size, flags);
	case MVM_OP_SHR:
		return shift_right(a, count, size, flags);
	default:
		return shift_right_signed(a, count, size, flags);
	}
}

/**
 * mvm_shift_double() - SHLD and SHRD
 * @op: which
 * @a: destination
 * @b: where the bits that come in are from
 * @count: by how many bits; more than the operand has leaves an undefined result
 * @size: operand size in bytes, 2 or more
 * @flags: RFLAGS, updated; not touched where the count, masked, is 0
 */
u64 mvm_shift_double(unsigned int op, u64 a, u64 b, unsigned int count, unsigned int size,
		     u64 *flags)
{
	unsigned int bits = 8 * size;
	bool carry, sign;
	u64 res;

	a &= mvm_size_mask(size);
	b &= mvm_size_mask(size);
	count = mask_count(count, size);
	if (!count)
		return a;
	/* Only 16-bit operands can get here; the bits go on in a circle. */
	if (count > bits) {
		count -= bits;
		res = a;
		a = b;
		b = res;
	}
	if (op == MVM_OP_SHLD) {
		carry = a >> (bits - count) & 1;
		res = count == bits ? b : (a << count) | (b >> (bits - count));
	} else {
		carry = a >> (count - 1) & 1;
		res = count == bits ? b : (a >> count) | (b << (bits - count));
	}
	sign = (res ^ a) >> (bits - 1) & 1;
	return shifted(res & mvm_size_mask(size), carry, sign, size, flags);
}
