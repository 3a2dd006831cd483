// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions that use the stack, and near jumps: an operand of theirs, or the
 * stack itself, is device memory.
 *
 * RSP and the other registers change after the last access. Pops of segment
 * registers and of flags, far transfers and nested frames are not emulated.
 */
#include "internal.h"

/* The stack while an instruction moves it. */
struct stack {
	u64 sp;
	unsigned int width;	/* of the stack pointer */
};

static struct stack stack_open(struct mvm_emul *e)
{
	struct mvm_emul_seg ss;
	struct stack s = { .width = 8 };

	if (e->insn->mode != MVM_INSN_64) {
		e->ops->segment(e->priv, MVM_SEG_SS, &ss);
		s.width = ss.db ? 4 : 2;
	}
	s.sp = mvm_emul_reg(e, MVM_RSP, s.width);
	return s;
}

static void stack_move(struct stack *s, s64 by)
{
	s->sp = (s->sp + by) & mvm_size_mask(s->width);
}

static void stack_commit(struct mvm_emul *e, const struct stack *s)
{
	mvm_emul_set_reg(e, MVM_RSP, s->width, s->sp);
}

static int push(struct mvm_emul *e, struct stack *s, u64 val, unsigned int size)
{
	stack_move(s, -(s64)size);
	return mvm_emul_mem(e, MVM_SEG_SS, s->sp, &val, size, MVM_ACCESS_WRITE, true);
}

/* Would that push succeed? To be asked before a device is read for its value. */
static int push_check(struct mvm_emul *e, struct stack s, unsigned int size)
{
	gva_t la;

	stack_move(&s, -(s64)size);
	return mvm_emul_probe(e, MVM_SEG_SS, s.sp, size, MVM_ACCESS_WRITE, &la);
}

static int pop(struct mvm_emul *e, struct stack *s, u64 *val, unsigned int size)
{
	int ret = mvm_emul_mem(e, MVM_SEG_SS, s->sp, val, size, MVM_ACCESS_READ, false);

	stack_move(s, size);
	return ret;
}

/* ------------------------------------------------------------------ branches */

static int check_target(struct mvm_emul *e, u64 target)
{
	struct mvm_emul_seg cs;

	if (e->insn->mode == MVM_INSN_64)
		return mvm_emul_canonical(e, target) ? 0 : mvm_emul_raise(e, VECTOR_GP);
	e->ops->segment(e->priv, MVM_SEG_CS, &cs);
	return target <= cs.limit ? 0 : mvm_emul_raise(e, VECTOR_GP);
}

static void jump(struct mvm_emul *e, u64 target)
{
	e->target = target;
	e->jumped = true;
}

static int do_jmp(struct mvm_emul *e)
{
	u64 target;
	int ret = mvm_emul_read_opnd(e, &e->insn->opnd[0], &target, false);

	if (!ret)
		ret = check_target(e, target);
	if (!ret)
		jump(e, target);
	return ret;
}

static int do_call(struct mvm_emul *e)
{
	const struct mvm_insn *insn = e->insn;
	u64 next = (e->rip + insn->len) & mvm_size_mask(insn->opsize), target;
	struct stack s = stack_open(e);
	int ret = push_check(e, s, insn->opsize);

	if (ret)
		return ret;
	if (insn->opnd[0].kind == MVM_OPND_REL)
		target = (next + insn->imm) & mvm_size_mask(insn->opsize);
	else
		ret = mvm_emul_read_opnd(e, &insn->opnd[0], &target, false);
	if (!ret)
		ret = check_target(e, target);
	if (!ret)
		ret = push(e, &s, next, insn->opsize);
	if (ret)
		return ret;
	stack_commit(e, &s);
	jump(e, target);
	return 0;
}

static int do_ret(struct mvm_emul *e)
{
	struct stack s = stack_open(e);
	u64 target;
	int ret = pop(e, &s, &target, e->insn->opsize);

	if (!ret)
		ret = check_target(e, target);
	if (ret)
		return ret;
	if (e->insn->opnd[0].kind == MVM_OPND_IMM)
		stack_move(&s, (u16)e->insn->imm);
	stack_commit(e, &s);
	jump(e, target);
	return 0;
}

/* --------------------------------------------------------------- push and pop */

static int do_push(struct mvm_emul *e)
{
	unsigned int size = e->insn->opsize;
	struct stack s = stack_open(e);
	int ret = push_check(e, s, size);
	u64 val;

	if (!ret)
		ret = mvm_emul_read_opnd(e, &e->insn->opnd[0], &val, false);
	if (!ret)
		ret = push(e, &s, val, size);
	if (!ret)
		stack_commit(e, &s);
	return ret;
}

/* An address with RSP in it is made of the RSP after the pop. */
static int do_pop(struct mvm_emul *e)
{
	const struct mvm_opnd *dst = &e->insn->opnd[0];
	u64 val, ea, before = e->gpr[MVM_RSP];
	struct stack s = stack_open(e);
	int ret;

	if (dst->kind != MVM_OPND_REG && dst->kind != MVM_OPND_MEM)
		return MVM_EMUL_FAIL;
	ret = pop(e, &s, &val, dst->size);
	if (ret)
		return ret;
	stack_commit(e, &s);
	if (dst->kind == MVM_OPND_REG)
		return mvm_emul_write_opnd(e, dst, val);
	ea = mvm_emul_ea(e);
	ret = mvm_emul_mem(e, e->insn->mem.seg, ea, &val, dst->size, MVM_ACCESS_WRITE, true);
	if (ret)
		e->gpr[MVM_RSP] = before;
	return ret;
}

/* The value of SP is the one before the instruction. */
static int do_pusha(struct mvm_emul *e)
{
	unsigned int size = e->insn->opsize, i;
	struct stack s = stack_open(e), probe = s;
	int ret = 0;

	for (i = 0; i < 8 && !ret; i++) {
		ret = push_check(e, probe, size);
		stack_move(&probe, -(s64)size);
	}
	for (i = 0; i < 8 && !ret; i++)
		ret = push(e, &s, e->gpr[MVM_RAX + i], size);
	if (!ret)
		stack_commit(e, &s);
	return ret;
}

static int do_popa(struct mvm_emul *e)
{
	unsigned int size = e->insn->opsize, i;
	struct stack s = stack_open(e);
	u64 val[8];
	int ret = 0;

	for (i = 0; i < 8 && !ret; i++)
		ret = pop(e, &s, &val[i], size);
	if (ret)
		return ret;
	stack_commit(e, &s);
	for (i = 0; i < 8; i++)
		if (MVM_RDI - i != MVM_RSP)
			mvm_emul_set_reg(e, MVM_RDI - i, size, val[i]);
	return 0;
}

static int do_pushf(struct mvm_emul *e)
{
	struct stack s = stack_open(e);
	int ret;

	if (*e->rflags & FLAG_VM)
		return MVM_EMUL_FAIL;
	ret = push(e, &s, *e->rflags & ~(u64)(FLAG_RF | FLAG_VM), e->insn->opsize);
	if (!ret)
		stack_commit(e, &s);
	return ret;
}

/* -------------------------------------------------------------------- frames */

/* All of what ENTER writes, and the place where the stack then ends, must take a write. */
static int enter_check(struct mvm_emul *e, struct stack s, unsigned int size, bool nested)
{
	gva_t la;
	int ret = push_check(e, s, size);

	stack_move(&s, -(s64)size);
	if (!ret && nested)
		ret = push_check(e, s, size);
	stack_move(&s, -(s64)(nested ? size : 0) - (s64)(u16)e->insn->imm);
	if (!ret)
		ret = mvm_emul_probe(e, MVM_SEG_SS, s.sp, size, MVM_ACCESS_WRITE, &la);
	return ret;
}

static int do_enter(struct mvm_emul *e)
{
	unsigned int size = e->insn->opsize, level = e->insn->imm2 & 31;
	struct stack s = stack_open(e);
	u64 frame;
	int ret;

	/* Where the two sizes differ the manuals do. */
	if (level > 1 || size != s.width)
		return MVM_EMUL_FAIL;
	ret = enter_check(e, s, size, level);
	if (!ret)
		ret = push(e, &s, e->gpr[MVM_RBP], size);
	frame = s.sp;
	if (!ret && level)
		ret = push(e, &s, frame, size);
	if (ret)
		return ret;
	stack_move(&s, -(s64)(u16)e->insn->imm);
	mvm_emul_set_reg(e, MVM_RBP, size, frame);
	stack_commit(e, &s);
	return 0;
}

static int do_leave(struct mvm_emul *e)
{
	struct stack s = stack_open(e);
	u64 val;
	int ret;

	s.sp = mvm_emul_reg(e, MVM_RBP, s.width);
	ret = pop(e, &s, &val, e->insn->opsize);
	if (ret)
		return ret;
	stack_commit(e, &s);
	mvm_emul_set_reg(e, MVM_RBP, e->insn->opsize, val);
	return 0;
}

/**
 * mvm_emul_stack() - PUSH to PUSHF, ENTER, LEAVE, near CALL, JMP and RET
 * @e: the execution
 */
int mvm_emul_stack(struct mvm_emul *e)
{
	switch (e->insn->op) {
	case MVM_OP_PUSH:
		return do_push(e);
	case MVM_OP_POP:
		return do_pop(e);
	case MVM_OP_PUSHA:
		return do_pusha(e);
	case MVM_OP_POPA:
		return do_popa(e);
	case MVM_OP_PUSHF:
		return do_pushf(e);
	case MVM_OP_ENTER:
		return do_enter(e);
	case MVM_OP_LEAVE:
		return do_leave(e);
	}
	/* The vendors disagree about a near branch with 66h in 64-bit mode. */
	if (e->insn->mode == MVM_INSN_64 && e->insn->opsize_prefix)
		return MVM_EMUL_FAIL;
	switch (e->insn->op) {
	case MVM_OP_CALL:
		return do_call(e);
	case MVM_OP_JMP:
		return do_jmp(e);
	case MVM_OP_RET:
		return do_ret(e);
	default:
		return MVM_EMUL_FAIL;
	}
}
