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

static void set_gpr(u64 *gpr, unsigned int size, u64 val)
{
	u64 mask = mvm_size_mask(size);

	*gpr = size >= 4 ? val & mask : (*gpr & ~mask) | (val & mask);
}

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
	set_gpr(&e->gpr[reg & 15], size, val);
}

/**
 * mvm_opnd_get_reg() - the value of an operand that is a general register
 * @o: the operand
 * @gpr: the registers
 */
u64 mvm_opnd_get_reg(const struct mvm_opnd *o, const u64 *gpr)
{
	return (gpr[o->reg & 15] >> (o->high ? 8 : 0)) & mvm_size_mask(o->size);
}

/**
 * mvm_opnd_set_reg() - write an operand that is a general register
 * @o: the operand
 * @gpr: the registers
 * @val: what to write, as mvm_emul_set_reg() does
 */
void mvm_opnd_set_reg(const struct mvm_opnd *o, u64 *gpr, u64 val)
{
	gpr += o->reg & 15;
	if (o->high)
		*gpr = (*gpr & ~0xff00ULL) | (val & 0xff) << 8;
	else
		set_gpr(gpr, o->size, val);
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

/**
 * mvm_emul_read_opnd() - the value of an operand
 * @e: the execution
 * @o: the operand
 * @val: gets it; immediates are sign-extended, the rest zero-extended
 * @rmw: memory will be written back
 */
int mvm_emul_read_opnd(struct mvm_emul *e, const struct mvm_opnd *o, u64 *val, bool rmw)
{
	struct mvm_emul_seg seg;

	switch (o->kind) {
	case MVM_OPND_REG:
		*val = mvm_opnd_get_reg(o, e->gpr);
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

/**
 * mvm_emul_write_opnd() - write an operand
 * @e: the execution
 * @o: a general register or memory
 * @val: what to write
 */
int mvm_emul_write_opnd(struct mvm_emul *e, const struct mvm_opnd *o, u64 val)
{
	switch (o->kind) {
	case MVM_OPND_REG:
		mvm_opnd_set_reg(o, e->gpr, val);
		return 0;
	case MVM_OPND_MEM:
		return write_mem(e, mvm_emul_ea(e), val, o->size);
	default:
		return MVM_EMUL_FAIL;
	}
}

/**
 * mvm_emul_read_dst() - read the destination of a read-modify-write
 * @e: the execution
 * @val: gets the value
 */
int mvm_emul_read_dst(struct mvm_emul *e, u64 *val)
{
	return mvm_emul_read_opnd(e, &e->insn->opnd[0], val, true);
}

/**
 * mvm_emul_write_dst() - write it back
 * @e: the execution
 * @old: what mvm_emul_read_dst() gave
 * @new: what is to be there
 */
int mvm_emul_write_dst(struct mvm_emul *e, u64 old, u64 new)
{
	const struct mvm_opnd *dst = &e->insn->opnd[0];

	if (dst->kind != MVM_OPND_MEM)
		return mvm_emul_write_opnd(e, dst, new);
	return mvm_emul_write_back(e, mvm_emul_ea(e), &old, &new, dst->size);
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
	ret = mvm_emul_read_opnd(e, src, &val, false);
	if (ret)
		return ret;
	switch (e->insn->op) {
	case MVM_OP_MOVSX: case MVM_OP_MOVSXD:
		val = mvm_sign_extend(val, src->size);
		break;
	case MVM_OP_MOVBE:
		val = swap_bytes(val, src->size);
		break;
	}
	return mvm_emul_write_opnd(e, dst, val);
}

/* The destination is written also where the condition is false: bits 63:32. */
static int do_cmov(struct mvm_emul *e)
{
	const struct mvm_opnd *dst = &e->insn->opnd[0];
	u64 val, old;
	int ret = mvm_emul_read_opnd(e, &e->insn->opnd[1], &val, false);

	if (ret)
		return ret;
	old = mvm_emul_reg(e, dst->reg, dst->size);
	return mvm_emul_write_opnd(e, dst, mvm_alu_condition(e->insn->cc, *e->rflags) ? val : old);
}

static int do_setcc(struct mvm_emul *e)
{
	bool holds = mvm_alu_condition(e->insn->cc, *e->rflags);

	return mvm_emul_write_opnd(e, &e->insn->opnd[0], holds);
}

/* Group 1, TEST and CMP; NOT, NEG, INC and DEC have no second operand. */
static int do_alu(struct mvm_emul *e)
{
	const struct mvm_insn *insn = e->insn;
	const struct mvm_opnd *dst = &insn->opnd[0], *src = &insn->opnd[1];
	bool writes = insn->op != MVM_OP_CMP && insn->op != MVM_OP_TEST;
	u64 flags = *e->rflags, a, b = 0, res;
	int ret;

	ret = writes ? mvm_emul_read_dst(e, &a) : mvm_emul_read_opnd(e, dst, &a, false);
	if (!ret && src->kind != MVM_OPND_NONE)
		ret = mvm_emul_read_opnd(e, src, &b, false);
	if (ret)
		return ret;
	res = mvm_alu(insn->op, a, b, dst->size, &flags);
	if (writes)
		ret = mvm_emul_write_dst(e, a, res);
	if (!ret)
		*e->rflags = flags;
	return ret;
}

/* Group 2: the count is in opnd[1]. SHLD and SHRD have it in opnd[2]. */
static int do_shift(struct mvm_emul *e)
{
	const struct mvm_insn *insn = e->insn;
	bool is_double = insn->op == MVM_OP_SHLD || insn->op == MVM_OP_SHRD;
	unsigned int size = insn->opnd[0].size;
	u64 flags = *e->rflags, a, b = 0, count, res;
	int ret = mvm_emul_read_dst(e, &a);

	if (!ret)
		ret = mvm_emul_read_opnd(e, &insn->opnd[1 + is_double], &count, false);
	if (!ret && is_double)
		ret = mvm_emul_read_opnd(e, &insn->opnd[1], &b, false);
	if (ret)
		return ret;
	if (is_double)
		res = mvm_shift_double(insn->op, a, b, (u8)count, size, &flags);
	else
		res = mvm_shift(insn->op, a, (u8)count, size, &flags);
	ret = mvm_emul_write_dst(e, a, res);
	if (!ret)
		*e->rflags = flags;
	return ret;
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
	[MVM_OP_MUL] = mvm_emul_muldiv,
	[MVM_OP_IMUL] = mvm_emul_muldiv,
	[MVM_OP_DIV] = mvm_emul_muldiv,
	[MVM_OP_IDIV] = mvm_emul_muldiv,
	[MVM_OP_ROL] = do_shift,
	[MVM_OP_ROR] = do_shift,
	[MVM_OP_RCL] = do_shift,
	[MVM_OP_RCR] = do_shift,
	[MVM_OP_SHL] = do_shift,
	[MVM_OP_SHR] = do_shift,
	[MVM_OP_SAR] = do_shift,
	[MVM_OP_SHLD] = do_shift,
	[MVM_OP_SHRD] = do_shift,
	[MVM_OP_BSF] = mvm_emul_bits,
	[MVM_OP_BSR] = mvm_emul_bits,
	[MVM_OP_TZCNT] = mvm_emul_bits,
	[MVM_OP_LZCNT] = mvm_emul_bits,
	[MVM_OP_POPCNT] = mvm_emul_bits,
	[MVM_OP_BT] = mvm_emul_bits,
	[MVM_OP_BTS] = mvm_emul_bits,
	[MVM_OP_BTR] = mvm_emul_bits,
	[MVM_OP_BTC] = mvm_emul_bits,
	[MVM_OP_XCHG] = mvm_emul_exchange,
	[MVM_OP_XADD] = mvm_emul_exchange,
	[MVM_OP_CMPXCHG] = mvm_emul_exchange,
	[MVM_OP_CMPXCHG8B] = mvm_emul_exchange,
	[MVM_OP_CMPXCHG16B] = mvm_emul_exchange,
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
	[MVM_OP_PUSH] = mvm_emul_stack,
	[MVM_OP_POP] = mvm_emul_stack,
	[MVM_OP_PUSHA] = mvm_emul_stack,
	[MVM_OP_POPA] = mvm_emul_stack,
	[MVM_OP_PUSHF] = mvm_emul_stack,
	[MVM_OP_ENTER] = mvm_emul_stack,
	[MVM_OP_LEAVE] = mvm_emul_stack,
	[MVM_OP_CALL] = mvm_emul_stack,
	[MVM_OP_JMP] = mvm_emul_stack,
	[MVM_OP_RET] = mvm_emul_stack,
	[MVM_OP_MOVD] = mvm_emul_vector,
	[MVM_OP_MOVQ] = mvm_emul_vector,
	[MVM_OP_MOVSS] = mvm_emul_vector,
	[MVM_OP_MOVSD] = mvm_emul_vector,
	[MVM_OP_MOVLPS] = mvm_emul_vector,
	[MVM_OP_MOVLPD] = mvm_emul_vector,
	[MVM_OP_MOVHPS] = mvm_emul_vector,
	[MVM_OP_MOVHPD] = mvm_emul_vector,
	[MVM_OP_MOVUPS] = mvm_emul_vector,
	[MVM_OP_MOVUPD] = mvm_emul_vector,
	[MVM_OP_MOVDQU] = mvm_emul_vector,
	[MVM_OP_LDDQU] = mvm_emul_vector,
	[MVM_OP_MOVAPS] = mvm_emul_vector,
	[MVM_OP_MOVAPD] = mvm_emul_vector,
	[MVM_OP_MOVDQA] = mvm_emul_vector,
	[MVM_OP_MOVNTPS] = mvm_emul_vector,
	[MVM_OP_MOVNTPD] = mvm_emul_vector,
	[MVM_OP_MOVNTDQ] = mvm_emul_vector,
	[MVM_OP_MOVNTDQA] = mvm_emul_vector,
	[MVM_OP_MOVNTQ] = mvm_emul_vector,
};

/* Neither memory nor a port: why would anybody want it emulated? */
static bool touches_memory(const struct mvm_insn *insn)
{
	unsigned int i;

	for (i = 0; i < MVM_INSN_OPNDS; i++)
		if (insn->opnd[i].kind == MVM_OPND_MEM)
			return true;
	switch (insn->op) {
	case MVM_OP_PUSH: case MVM_OP_POP: case MVM_OP_PUSHA: case MVM_OP_POPA:
	case MVM_OP_PUSHF: case MVM_OP_POPF: case MVM_OP_ENTER: case MVM_OP_LEAVE:
	case MVM_OP_CALL: case MVM_OP_RET: case MVM_OP_CALLF: case MVM_OP_RETF:
	case MVM_OP_IRET: case MVM_OP_INT: case MVM_OP_INT1: case MVM_OP_INT3: case MVM_OP_INTO:
	case MVM_OP_OTHER:
		return true;
	default:
		return insn->string;
	}
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
