// SPDX-License-Identifier: GPL-2.0-only
/*
 * The string instructions, with and without REP.
 *
 * RSI, RDI, RCX and the flags move on with each iteration, as the manuals have
 * it, so that a fault, an interrupt or an exit to userspace leaves a state from
 * which the same instruction goes on. INS and OUTS take a block of elements
 * from or to userspace at once; for the guest each is still its own iteration.
 */
#include "internal.h"

/* Iterations until the caller gets the CPU back. */
#define STRING_BATCH	1024

/* An iteration that retired ends the instruction. */
#define STRING_LAST	(-1)

static u64 addr_reg(const struct mvm_emul *e, u8 reg)
{
	return e->gpr[reg] & mvm_size_mask(e->insn->adsize);
}

static void advance(struct mvm_emul *e, u8 reg, unsigned int size, unsigned int n)
{
	u64 by = (u64)size * n;

	if (*e->rflags & FLAG_DF)
		by = -by;
	mvm_emul_set_reg(e, reg, e->insn->adsize, addr_reg(e, reg) + by);
}

static int src_read(struct mvm_emul *e, u64 *val, unsigned int size)
{
	return mvm_emul_mem(e, e->insn->mem.seg, addr_reg(e, MVM_RSI), val, size,
			    MVM_ACCESS_READ, false);
}

static int dst_read(struct mvm_emul *e, u64 *val, unsigned int size)
{
	return mvm_emul_mem(e, MVM_SEG_ES, addr_reg(e, MVM_RDI), val, size,
			    MVM_ACCESS_READ, false);
}

static int dst_write(struct mvm_emul *e, u64 val, unsigned int size)
{
	return mvm_emul_mem(e, MVM_SEG_ES, addr_reg(e, MVM_RDI), &val, size,
			    MVM_ACCESS_WRITE, true);
}

static int do_movs(struct mvm_emul *e, unsigned int size)
{
	gva_t la;
	u64 val;
	int ret;

	/* A device is not read for a destination that faults. */
	ret = mvm_emul_probe(e, MVM_SEG_ES, addr_reg(e, MVM_RDI), size, MVM_ACCESS_WRITE, &la);
	if (!ret)
		ret = src_read(e, &val, size);
	if (!ret)
		ret = dst_write(e, val, size);
	if (ret)
		return ret;
	advance(e, MVM_RSI, size, 1);
	advance(e, MVM_RDI, size, 1);
	return 0;
}

static int do_stos(struct mvm_emul *e, unsigned int size)
{
	int ret = dst_write(e, e->gpr[MVM_RAX], size);

	if (!ret)
		advance(e, MVM_RDI, size, 1);
	return ret;
}

static int do_lods(struct mvm_emul *e, unsigned int size)
{
	u64 val;
	int ret = src_read(e, &val, size);

	if (ret)
		return ret;
	mvm_emul_set_reg(e, MVM_RAX, size, val);
	advance(e, MVM_RSI, size, 1);
	return 0;
}

/* Does the comparison end a REPE or REPNE? Both prefixes look at ZF. */
static int repeat_condition(const struct mvm_emul *e)
{
	bool zf = *e->rflags & FLAG_ZF;

	return zf == (e->insn->rep == 0xf3) ? 0 : STRING_LAST;
}

static int do_cmps(struct mvm_emul *e, unsigned int size)
{
	u64 a, b;
	int ret = src_read(e, &a, size);

	if (!ret)
		ret = dst_read(e, &b, size);
	if (ret)
		return ret;
	mvm_alu(MVM_OP_CMP, a, b, size, e->rflags);
	advance(e, MVM_RSI, size, 1);
	advance(e, MVM_RDI, size, 1);
	return repeat_condition(e);
}

static int do_scas(struct mvm_emul *e, unsigned int size)
{
	u64 val;
	int ret = dst_read(e, &val, size);

	if (ret)
		return ret;
	mvm_alu(MVM_OP_CMP, e->gpr[MVM_RAX], val, size, e->rflags);
	advance(e, MVM_RDI, size, 1);
	return repeat_condition(e);
}

/* Iterations left, this one included. */
static u64 count_left(const struct mvm_emul *e)
{
	return e->insn->rep ? addr_reg(e, MVM_RCX) : 1;
}

/* How many elements from @la on, in the direction of DF, lie on its page. */
static unsigned int elements_on_page(const struct mvm_emul *e, gva_t la, unsigned int size)
{
	unsigned int offset = la & (EMUL_PAGE_SIZE - 1);
	unsigned int n;

	if (offset + size > EMUL_PAGE_SIZE)
		return 1;
	n = *e->rflags & FLAG_DF ? offset / size + 1 : (EMUL_PAGE_SIZE - offset) / size;
	n = e->single_step ? 1 : min(n, e->io_buf_size / size);
	return count_left(e) < n ? (unsigned int)count_left(e) : n;
}

/* Ask userspace for, or to take, @count elements at port DX. */
static int pio_request(struct mvm_emul *e, unsigned int size, u32 count, bool in)
{
	struct mvm_emul_log *log = e->log;

	log->pending = MVM_PENDING_PIO;
	log->pio.port = (u16)e->gpr[MVM_RDX];
	log->pio.size = size;
	log->pio.in = in;
	log->pio.count = count;
	log->pio.pos = 0;
	return MVM_EMUL_USER;
}

/* Is the log's answer one to what this iteration asks? */
static bool pio_answered(const struct mvm_emul *e, unsigned int size, bool in)
{
	const struct mvm_emul_log *log = e->log;

	return log->pio.answered && log->pio.in == in && log->pio.size == size &&
	       log->pio.port == (u16)e->gpr[MVM_RDX];
}

/* Get input for at least one iteration: from the kernel, or a block from userspace. */
static int ins_fill(struct mvm_emul *e, unsigned int size)
{
	gva_t la;
	int ret;

	/* Faults come before the port is read. */
	ret = mvm_emul_probe(e, MVM_SEG_ES, addr_reg(e, MVM_RDI), size, MVM_ACCESS_WRITE, &la);
	if (ret)
		return ret;
	ret = pio_request(e, size, elements_on_page(e, la, size), true);
	if (e->ops->pio(e->priv, e->log->pio.port, e->io_buf, size, false)) {
		e->log->pio.count = 1;
		mvm_emul_log_answer(e->log, NULL);
		ret = 0;
	}
	return ret;
}

static int do_ins(struct mvm_emul *e, unsigned int size)
{
	struct mvm_emul_log *log = e->log;
	u64 val = 0;
	int ret = 0;

	if (!pio_answered(e, size, true))
		ret = ins_fill(e, size);
	if (ret)
		return ret;
	memcpy(&val, e->io_buf + (log->pio.pos * size & (e->io_buf_size - 1)), size);
	ret = dst_write(e, val, size);
	if (ret)
		return ret;
	advance(e, MVM_RDI, size, 1);
	if (++log->pio.pos >= log->pio.count)
		log->pio.answered = false;
	return 0;
}

/* Put what follows the first element on its page into io_buf; returns how many. */
static u32 outs_gather(struct mvm_emul *e, unsigned int size)
{
	unsigned int seg = e->insn->mem.seg;
	u64 mask = mvm_size_mask(e->insn->adsize);
	u64 ea = addr_reg(e, MVM_RSI);
	gva_t first, la;
	gpa_t gpa;
	u32 i, n;

	if (mvm_emul_linear(e, seg, ea, size, MVM_ACCESS_READ, &first) ||
	    mvm_emul_translate(e, first, MVM_ACCESS_READ, &gpa))
		return 1;
	n = elements_on_page(e, first, size);
	for (i = 1; i < n; i++) {
		ea = (*e->rflags & FLAG_DF ? ea - size : ea + size) & mask;
		if (mvm_emul_linear(e, seg, ea, size, MVM_ACCESS_READ, &la) ||
		    (la ^ first) & ~(u64)(EMUL_PAGE_SIZE - 1))
			break;
		if (!e->ops->ram(e->priv, gpa + (la - first), e->io_buf + i * size,
				 size, false))
			break;
	}
	return i;
}

/* Retires as many iterations as elements were taken: @done. */
static int do_outs(struct mvm_emul *e, unsigned int size, u64 *done)
{
	struct mvm_emul_log *log = e->log;
	u64 val;
	u32 n = 1;
	int ret;

	if (pio_answered(e, size, false)) {
		*done = min_t(u64, log->pio.count, count_left(e));
		log->pio.answered = false;
		advance(e, MVM_RSI, size, *done);
		return 0;
	}
	ret = src_read(e, &val, size);
	if (ret)
		return ret;
	if (!e->ops->pio(e->priv, (u16)e->gpr[MVM_RDX], &val, size, true)) {
		memcpy(e->io_buf, &val, size);
		/* Behind a device's register nothing is read ahead. */
		if (log->pos == 1 && log->access[0].ram)
			n = outs_gather(e, size);
		return pio_request(e, size, n, false);
	}
	advance(e, MVM_RSI, size, 1);
	return 0;
}

static int one_iteration(struct mvm_emul *e, u64 *done)
{
	/* The port operand of INS and OUTS has a size of its own. */
	unsigned int size = e->insn->opnd[e->insn->op == MVM_OP_OUTS].size;

	*done = 1;
	switch (e->insn->op) {
	case MVM_OP_MOVS:
		return do_movs(e, size);
	case MVM_OP_STOS:
		return do_stos(e, size);
	case MVM_OP_LODS:
		return do_lods(e, size);
	case MVM_OP_CMPS:
		return do_cmps(e, size);
	case MVM_OP_SCAS:
		return do_scas(e, size);
	case MVM_OP_INS:
		return do_ins(e, size);
	case MVM_OP_OUTS:
		return do_outs(e, size, done);
	default:
		return MVM_EMUL_FAIL;
	}
}

/* The next iteration makes its accesses anew; a block of input is kept. */
static void next_iteration(struct mvm_emul_log *log)
{
	log->nr = 0;
	log->pos = 0;
}

/**
 * mvm_emul_string() - a string instruction, or some iterations of it
 * @e: the execution
 */
int mvm_emul_string(struct mvm_emul *e)
{
	const struct mvm_insn *insn = e->insn;
	unsigned int i;
	u64 done;
	int ret;

	if ((insn->op == MVM_OP_INS || insn->op == MVM_OP_OUTS) && !e->io_checked)
		return MVM_EMUL_RETRY;

	for (i = 1; count_left(e); i++) {
		ret = one_iteration(e, &done);
		if (ret > 0)
			return ret;
		next_iteration(e->log);
		if (!insn->rep)
			return MVM_EMUL_DONE;
		mvm_emul_set_reg(e, MVM_RCX, insn->adsize, count_left(e) - done);
		if (ret == STRING_LAST)
			return MVM_EMUL_DONE;
		/* A block of input is used up before anything else may use the port. */
		if (e->log->pio.answered)
			continue;
		if (i >= STRING_BATCH || e->single_step || e->ops->should_stop(e->priv))
			break;
	}
	return count_left(e) ? MVM_EMUL_AGAIN : MVM_EMUL_DONE;
}
