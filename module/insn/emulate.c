// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator: what each operation does with its operands.
 *
 * mvm_emul_run() at the end is the only entry. A handler reads its operands,
 * writes memory, and only then registers and flags: a handler that is broken
 * off has changed nothing. What has no row in the table cannot be emulated.
 */
#include "internal.h"

typedef int (*emul_fn)(struct mvm_emul *e);

/**
 * mvm_emul_reg() - a general register
 * @e: the execution
 * @reg: its number
 * @size: how many of its bytes
 */
u64 mvm_emul_reg(const struct mvm_emul *e, u8 reg, unsigned int size)
{
	return e->gpr[reg & 15] & mvm_size_mask(size);
}

/**
 * mvm_emul_set_reg() - write a general register as an instruction does
 * @e: the execution
 * @reg: its number
 * @size: 4 bytes clear the upper half, less leaves the rest as it is
 * @val: what to write
 */
void mvm_emul_set_reg(struct mvm_emul *e, u8 reg, unsigned int size, u64 val)
{
	u64 *gpr = &e->gpr[reg & 15];
	u64 mask = mvm_size_mask(size);

	*gpr = size >= 4 ? val & mask : (*gpr & ~mask) | (val & mask);
}

static int read_mem(struct mvm_emul *e, u64 ea, u64 *val, unsigned int size, bool rmw)
{
	return mvm_emul_mem(e, e->insn->mem.seg, ea, val, size,
			    rmw ? MVM_ACCESS_WRITE : MVM_ACCESS_READ, false);
}

static int write_mem(struct mvm_emul *e, u64 ea, u64 val, unsigned int size)
{
	return mvm_emul_mem(e, e->insn->mem.seg, ea, &val, size, MVM_ACCESS_WRITE, true);
}

static int read_opnd(struct mvm_emul *e, const struct mvm_opnd *o, u64 *val, bool rmw)
{
	struct mvm_emul_seg seg;

	switch (o->kind) {
	case MVM_OPND_REG:
		*val = (e->gpr[o->reg & 15] >> (o->high ? 8 : 0)) & mvm_size_mask(o->size);
		return 0;
	case MVM_OPND_IMM:
		*val = e->insn->imm;
		return 0;
	case MVM_OPND_MEM:
		return read_mem(e, mvm_emul_ea(e), val, o->size, rmw);
	case MVM_OPND_SEG:
		if (o->reg > MVM_SEG_GS)
			return mvm_emul_raise(e, VECTOR_UD);
		e->ops->segment(e->priv, o->reg, &seg);
		*val = seg.selector;
		return 0;
	default:
		return MVM_EMUL_FAIL;
	}
}

static int write_opnd(struct mvm_emul *e, const struct mvm_opnd *o, u64 val)
{
	u64 *gpr;

	switch (o->kind) {
	case MVM_OPND_REG:
		if (o->high) {
			gpr = &e->gpr[o->reg & 15];
			*gpr = (*gpr & ~0xff00ULL) | (val & 0xff) << 8;
		} else {
			mvm_emul_set_reg(e, o->reg, o->size, val);
		}
		return 0;
	case MVM_OPND_MEM:
		return write_mem(e, mvm_emul_ea(e), val, o->size);
	default:
		return MVM_EMUL_FAIL;
	}
}

/*
 * A locked read-modify-write of memory is the CPU's business: on guest memory,
 * which other vCPUs may use at the same moment, the emulator is not atomic.
 * XCHG is always locked.
 */
static bool must_be_atomic(const struct mvm_emul *e)
{
	return (e->insn->lock || e->insn->op == MVM_OP_XCHG) && e->log->pos &&
	       e->log->access[0].ram;
}

/* Read the destination, which will be written back. */
static int read_dst(struct mvm_emul *e, u64 *val)
{
	int ret = read_opnd(e, &e->insn->opnd[0], val, true);

	if (!ret && must_be_atomic(e))
		return MVM_EMUL_RETRY;
	return ret;
}

static u64 sign_extend(u64 val, unsigned int size)
{
	u64 sign = size >= 8 ? 0 : 1ULL << (8 * size - 1);

	return (val ^ sign) - sign;
}

static u64 swap_bytes(u64 val, unsigned int size)
{
	u64 res = 0;
	unsigned int i;

	for (i = 0; i < size; i++)
		res |= ((val >> (8 * i)) & 0xff) << (8 * (size - 1 - i));
	return res;
}

/* MOV, MOVZX, MOVSX, MOVSXD, MOVBE, MOVNTI */
static int do_mov(struct mvm_emul *e)
{
	const struct mvm_opnd *dst = &e->insn->opnd[0], *src = &e->insn->opnd[1];
	u64 val;
	int ret;

	/* Loading a segment register is more than a move. */
	if (dst->kind != MVM_OPND_REG && dst->kind != MVM_OPND_MEM)
		return MVM_EMUL_FAIL;
	ret = read_opnd(e, src, &val, false);
	if (ret)
		return ret;
	switch (e->insn->op) {
	case MVM_OP_MOVSX: case MVM_OP_MOVSXD:
		val = sign_extend(val, src->size);
		break;
	case MVM_OP_MOVBE:
		val = swap_bytes(val, src->size);
		break;
	}
	return write_opnd(e, dst, val);
}

/* The destination is written also where the condition is false: bits 63:32. */
static int do_cmov(struct mvm_emul *e)
{
	const struct mvm_opnd *dst = &e->insn->opnd[0];
	u64 val, old;
	int ret = read_opnd(e, &e->insn->opnd[1], &val, false);

	if (ret)
		return ret;
	old = mvm_emul_reg(e, dst->reg, dst->size);
	return write_opnd(e, dst, mvm_alu_condition(e->insn->cc, *e->rflags) ? val : old);
}

static int do_setcc(struct mvm_emul *e)
{
	return write_opnd(e, &e->insn->opnd[0], mvm_alu_condition(e->insn->cc, *e->rflags));
}

/* Group 1, TEST and CMP; NOT, NEG, INC and DEC have no second operand. */
static int do_alu(struct mvm_emul *e)
{
	const struct mvm_insn *insn = e->insn;
	const struct mvm_opnd *dst = &insn->opnd[0], *src = &insn->opnd[1];
	bool writes = insn->op != MVM_OP_CMP && insn->op != MVM_OP_TEST;
	u64 flags = *e->rflags, a, b = 0;
	int ret;

	ret = writes ? read_dst(e, &a) : read_opnd(e, dst, &a, false);
	if (!ret && src->kind != MVM_OPND_NONE)
		ret = read_opnd(e, src, &b, false);
	if (ret)
		return ret;
	a = mvm_alu(insn->op, a, b, dst->size, &flags);
	if (writes)
		ret = write_opnd(e, dst, a);
	if (!ret)
		*e->rflags = flags;
	return ret;
}

/* BT, BTS, BTR, BTC: a bit offset in a register reaches beyond the operand. */
static int do_bt(struct mvm_emul *e)
{
	const struct mvm_insn *insn = e->insn;
	const struct mvm_opnd *dst = &insn->opnd[0], *src = &insn->opnd[1];
	bool writes = insn->op != MVM_OP_BT;
	unsigned int bits = 8 * dst->size;
	u64 flags = *e->rflags, ea, a, b;
	int ret;

	ret = read_opnd(e, src, &b, false);
	if (ret)
		return ret;
	if (dst->kind != MVM_OPND_MEM)
		return MVM_EMUL_RETRY;
	ea = mvm_emul_ea(e);
	if (src->kind == MVM_OPND_REG) {
		s64 offset = (s64)sign_extend(b, src->size);

		ea += (u64)((offset - (s64)(b & (bits - 1))) / 8);
		ea &= mvm_size_mask(insn->adsize);
	}
	ret = read_mem(e, ea, &a, dst->size, writes);
	if (!ret && writes && must_be_atomic(e))
		ret = MVM_EMUL_RETRY;
	if (ret)
		return ret;
	a = mvm_alu(insn->op, a, b, dst->size, &flags);
	if (writes)
		ret = write_mem(e, ea, a, dst->size);
	if (!ret)
		*e->rflags = flags;
	return ret;
}

static int do_xchg(struct mvm_emul *e)
{
	const struct mvm_opnd *dst = &e->insn->opnd[0], *src = &e->insn->opnd[1];
	u64 a, b;
	int ret = read_dst(e, &a);

	if (!ret)
		ret = read_opnd(e, src, &b, false);
	if (!ret)
		ret = write_opnd(e, dst, b);
	return ret ? ret : write_opnd(e, src, a);
}

static int do_xadd(struct mvm_emul *e)
{
	const struct mvm_opnd *dst = &e->insn->opnd[0], *src = &e->insn->opnd[1];
	u64 flags = *e->rflags, a, b;
	int ret = read_dst(e, &a);

	if (!ret)
		ret = read_opnd(e, src, &b, false);
	if (!ret)
		ret = write_opnd(e, dst, mvm_alu(MVM_OP_ADD, a, b, dst->size, &flags));
	if (ret)
		return ret;
	*e->rflags = flags;
	return write_opnd(e, src, a);
}

/* The destination gets a write cycle in either case. */
static int do_cmpxchg(struct mvm_emul *e)
{
	const struct mvm_opnd *dst = &e->insn->opnd[0], *src = &e->insn->opnd[1];
	u64 flags = *e->rflags, old, new;
	bool equal;
	int ret = read_dst(e, &old);

	if (!ret)
		ret = read_opnd(e, src, &new, false);
	if (ret)
		return ret;
	mvm_alu(MVM_OP_CMP, e->gpr[MVM_RAX], old, dst->size, &flags);
	equal = flags & FLAG_ZF;
	ret = write_opnd(e, dst, equal ? new : old);
	if (ret)
		return ret;
	if (!equal)
		mvm_emul_set_reg(e, MVM_RAX, dst->size, old);
	*e->rflags = flags;
	return 0;
}

static int do_cmpxchg8b(struct mvm_emul *e)
{
	u64 *gpr = e->gpr, old, new, expected;
	bool equal;
	int ret = read_dst(e, &old);

	if (ret)
		return ret;
	expected = (gpr[MVM_RDX] << 32) | (u32)gpr[MVM_RAX];
	new = (gpr[MVM_RCX] << 32) | (u32)gpr[MVM_RBX];
	equal = old == expected;
	ret = write_opnd(e, &e->insn->opnd[0], equal ? new : old);
	if (ret)
		return ret;
	if (equal) {
		*e->rflags |= FLAG_ZF;
	} else {
		*e->rflags &= ~FLAG_ZF;
		mvm_emul_set_reg(e, MVM_RAX, 4, old);
		mvm_emul_set_reg(e, MVM_RDX, 4, old >> 32);
	}
	return 0;
}

static const emul_fn handlers[MVM_NR_OPS] = {
	[MVM_OP_ADD] = do_alu,
	[MVM_OP_OR] = do_alu,
	[MVM_OP_ADC] = do_alu,
	[MVM_OP_SBB] = do_alu,
	[MVM_OP_AND] = do_alu,
	[MVM_OP_SUB] = do_alu,
	[MVM_OP_XOR] = do_alu,
	[MVM_OP_CMP] = do_alu,
	[MVM_OP_TEST] = do_alu,
	[MVM_OP_NOT] = do_alu,
	[MVM_OP_NEG] = do_alu,
	[MVM_OP_INC] = do_alu,
	[MVM_OP_DEC] = do_alu,
	[MVM_OP_BT] = do_bt,
	[MVM_OP_BTS] = do_bt,
	[MVM_OP_BTR] = do_bt,
	[MVM_OP_BTC] = do_bt,
	[MVM_OP_XCHG] = do_xchg,
	[MVM_OP_XADD] = do_xadd,
	[MVM_OP_CMPXCHG] = do_cmpxchg,
	[MVM_OP_CMPXCHG8B] = do_cmpxchg8b,
	[MVM_OP_MOV] = do_mov,
	[MVM_OP_MOVZX] = do_mov,
	[MVM_OP_MOVSX] = do_mov,
	[MVM_OP_MOVSXD] = do_mov,
	[MVM_OP_MOVBE] = do_mov,
	[MVM_OP_MOVNTI] = do_mov,
	[MVM_OP_CMOV] = do_cmov,
	[MVM_OP_SETCC] = do_setcc,
	[MVM_OP_INS] = mvm_emul_string,
	[MVM_OP_OUTS] = mvm_emul_string,
	[MVM_OP_MOVS] = mvm_emul_string,
	[MVM_OP_CMPS] = mvm_emul_string,
	[MVM_OP_STOS] = mvm_emul_string,
	[MVM_OP_LODS] = mvm_emul_string,
	[MVM_OP_SCAS] = mvm_emul_string,
};

/* Neither memory nor a port: why would anybody want it emulated? */
static bool touches_memory(const struct mvm_insn *insn)
{
	unsigned int i;

	if (insn->string || insn->op == MVM_OP_OTHER)
		return true;
	for (i = 0; i < MVM_INSN_OPNDS; i++)
		if (insn->opnd[i].kind == MVM_OPND_MEM)
			return true;
	return false;
}

/**
 * mvm_emul_run() - execute an instruction, or go on with one
 * @e: the execution; @e->log as the last call left it, with the answer to what
 *	was pending added by mvm_emul_log_answer()
 *
 * The log is clear again where the result is not MVM_EMUL_USER.
 *
 * Return: an enum mvm_emul_result.
 */
enum mvm_emul_result mvm_emul_run(struct mvm_emul *e)
{
	const struct mvm_insn *insn = e->insn;
	emul_fn fn = insn->op < MVM_NR_OPS ? handlers[insn->op] : NULL;
	int ret;

	e->log->pos = 0;
	if (insn->lock && (!insn->lockable || insn->opnd[0].kind != MVM_OPND_MEM))
		ret = mvm_emul_raise(e, VECTOR_UD);
	else if (!touches_memory(insn))
		ret = MVM_EMUL_RETRY;
	else
		ret = fn ? fn(e) : MVM_EMUL_FAIL;

	if (ret != MVM_EMUL_USER)
		mvm_emul_log_reset(e->log);
	return ret;
}
