// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator's way to memory: effective address, segment checks, pages, and
 * the log that makes every access happen exactly once.
 *
 * An operand is cut into pieces of at most 8 bytes within a page. All pages are
 * translated before the first piece is touched, so that a fault finds nothing
 * done. Each piece then goes to memory, to a device in the kernel or to
 * userspace; what has an answer in the log takes that.
 *
 * Translations are kept for the length of one execution, which ends when anybody
 * wants something of the vCPU: no longer than a processor keeps them in its TLB.
 */
#include "internal.h"

/* The access must be allowed by the segment's type: bits of the descriptor. */
#define SEG_TYPE_CODE		0x8
#define SEG_TYPE_EXPAND_DOWN	0x4	/* data */
#define SEG_TYPE_WRITABLE	0x2	/* data; readable for code */

/**
 * mvm_emul_raise() - have an exception raised instead of the instruction
 * @e: the execution
 * @vector: with error code 0 where it has one
 *
 * Return: MVM_EMUL_FAULT.
 */
int mvm_emul_raise(struct mvm_emul *e, u8 vector)
{
	e->fault = (struct mvm_fault){
		.vector = vector,
		.has_error = vector == VECTOR_SS || vector == VECTOR_GP || vector == VECTOR_AC,
	};
	return MVM_EMUL_FAULT;
}

/**
 * mvm_emul_log_reset() - forget all accesses; the next execution is a first one
 * @log: the log
 */
void mvm_emul_log_reset(struct mvm_emul_log *log)
{
	log->pending = MVM_PENDING_NONE;
	log->nr = 0;
	log->pos = 0;
	log->pio.answered = false;
}

/**
 * mvm_emul_log_answer() - userspace has made the pending access
 * @log: the log
 * @data: what a memory-mapped read gave; not looked at otherwise
 *
 * The data of string input are in the caller's io_buf by now.
 */
void mvm_emul_log_answer(struct mvm_emul_log *log, const void *data)
{
	struct mvm_emul_access *a;

	if (log->pending == MVM_PENDING_PIO) {
		log->pio.answered = true;
	} else if (log->pending == MVM_PENDING_MMIO && log->nr < MVM_EMUL_LOG_SIZE) {
		a = &log->access[log->nr++];
		if (!a->write)
			memcpy(a->data, data, sizeof(a->data));
	}
	log->pending = MVM_PENDING_NONE;
}

/**
 * mvm_insn_ea() - the effective address of an instruction's memory operand
 * @insn: the instruction
 * @gpr: the general registers
 * @rip: the instruction's address
 */
u64 mvm_insn_ea(const struct mvm_insn *insn, const u64 *gpr, u64 rip)
{
	const struct mvm_mem *mem = &insn->mem;
	u64 ea = mem->disp;

	if (mem->base == MVM_REG_IP)
		ea += rip + insn->len;
	else if (mem->base != MVM_REG_NONE)
		ea += gpr[mem->base & 15];
	if (mem->index != MVM_REG_NONE)
		ea += gpr[mem->index & 15] << mem->scale;
	return ea & mvm_size_mask(insn->adsize);
}

/**
 * mvm_emul_ea() - the effective address of the instruction's memory operand
 * @e: the execution
 */
u64 mvm_emul_ea(const struct mvm_emul *e)
{
	return mvm_insn_ea(e->insn, e->gpr, e->rip);
}

/**
 * mvm_emul_canonical() - is it an address that 64-bit mode can have?
 * @e: the execution
 * @la: linear address
 */
bool mvm_emul_canonical(const struct mvm_emul *e, u64 la)
{
	unsigned int shift = 64 - e->la_bits;

	return (u64)((s64)(la << shift) >> shift) == la;
}

/* Limits and types; outside 64-bit mode. */
static bool segment_allows(const struct mvm_emul *e, const struct mvm_emul_seg *s,
			   u64 ea, unsigned int size, u32 access)
{
	u64 last = ea + size - 1;

	if (e->protected) {
		bool code = s->type & SEG_TYPE_CODE;

		if (!s->usable)
			return false;
		if ((access & MVM_ACCESS_WRITE) && (code || !(s->type & SEG_TYPE_WRITABLE)))
			return false;
		if (code && !(s->type & SEG_TYPE_WRITABLE))
			return false;
		if (!code && (s->type & SEG_TYPE_EXPAND_DOWN))
			return ea > s->limit && last <= (s->db ? 0xffffffffULL : 0xffff);
	}
	return last <= s->limit;
}

/**
 * mvm_emul_linear() - segment checks, and the linear address
 * @e: the execution
 * @seg: segment register
 * @ea: offset in it
 * @size: bytes accessed there
 * @access: MVM_ACCESS_READ or MVM_ACCESS_WRITE
 * @la: gets the address
 */
int mvm_emul_linear(struct mvm_emul *e, unsigned int seg, u64 ea, unsigned int size,
		    u32 access, gva_t *la)
{
	u8 vector = seg == MVM_SEG_SS ? VECTOR_SS : VECTOR_GP;
	struct mvm_emul_seg s = { 0 };

	if (e->insn->mode == MVM_INSN_64) {
		if (seg == MVM_SEG_FS || seg == MVM_SEG_GS)
			e->ops->segment(e->priv, seg, &s);
		*la = s.base + ea;
		if (!mvm_emul_canonical(e, *la) || !mvm_emul_canonical(e, *la + size - 1))
			return mvm_emul_raise(e, vector);
	} else {
		e->ops->segment(e->priv, seg, &s);
		if (!segment_allows(e, &s, ea, size, access))
			return mvm_emul_raise(e, vector);
		*la = (u32)(s.base + ea);
	}
	return 0;
}

/**
 * mvm_emul_translate() - linear to guest physical address
 * @e: the execution
 * @la: linear address
 * @access: MVM_ACCESS_READ or MVM_ACCESS_WRITE
 * @gpa: gets the address
 */
int mvm_emul_translate(struct mvm_emul *e, gva_t la, u32 access, gpa_t *gpa)
{
	gva_t offset = la & (EMUL_PAGE_SIZE - 1), page = la - offset;
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(e->tlb); i++) {
		if (e->tlb[i].page == page && (e->tlb[i].access & access)) {
			*gpa = e->tlb[i].gpa + offset;
			return 0;
		}
	}
	ret = e->ops->translate(e->priv, la, access, gpa, &e->fault);
	if (ret)
		return ret > 0 ? MVM_EMUL_FAULT : MVM_EMUL_FAIL;
	i = e->tlb_next++ % ARRAY_SIZE(e->tlb);
	e->tlb[i].page = page;
	e->tlb[i].gpa = *gpa - offset;
	/* What may be written may be read. */
	e->tlb[i].access = access | MVM_ACCESS_READ;
	return 0;
}

static int find_pages(struct mvm_emul *e, unsigned int seg, u64 ea, unsigned int size,
		      u32 access, gva_t *la, gpa_t gpa[2])
{
	gva_t next;
	int ret = mvm_emul_linear(e, seg, ea, size, access, la);

	/* Vectors of 32 bytes are two of 16 to a processor. */
	if (!ret && e->align_check && (*la & (min(size, 16U) - 1)))
		ret = mvm_emul_raise(e, VECTOR_AC);
	if (!ret)
		ret = mvm_emul_translate(e, *la, access, &gpa[0]);
	if (ret || (*la & (EMUL_PAGE_SIZE - 1)) + size <= EMUL_PAGE_SIZE)
		return ret;
	next = (*la | (EMUL_PAGE_SIZE - 1)) + 1;
	if (e->insn->mode != MVM_INSN_64)
		next = (u32)next;
	return mvm_emul_translate(e, next, access, &gpa[1]);
}

/**
 * mvm_emul_probe() - all checks of an access, which is not made
 * @e: the execution
 * @seg: segment register
 * @ea: offset in it
 * @size: bytes
 * @access: MVM_ACCESS_READ or MVM_ACCESS_WRITE
 * @la: gets the linear address
 */
int mvm_emul_probe(struct mvm_emul *e, unsigned int seg, u64 ea, unsigned int size,
		   u32 access, gva_t *la)
{
	gpa_t gpa[2];

	return find_pages(e, seg, ea, size, access, la, gpa);
}

/* One piece. @buf gets what was read, or has what is written. */
static int access_piece(struct mvm_emul *e, gpa_t gpa, u8 *buf, unsigned int len, bool write)
{
	struct mvm_emul_log *log = e->log;
	struct mvm_emul_access *a;

	if (log->pos >= MVM_EMUL_LOG_SIZE)
		return MVM_EMUL_FAIL;
	a = &log->access[log->pos];
	/* An answer to another question: registers or memory were changed meanwhile. */
	if (log->pos < log->nr && (a->gpa != gpa || a->len != len || a->write != write))
		log->nr = log->pos;

	if (log->pos == log->nr) {
		a->gpa = gpa;
		a->len = len;
		a->write = write;
		if (write)
			memcpy(a->data, buf, len);
		a->ram = e->ops->ram(e->priv, gpa, a->data, len, write);
		if (!a->ram && !e->ops->mmio(e->priv, gpa, a->data, len, write) &&
		    !(write && e->ops->post && e->ops->post(e->priv, gpa, a->data, len))) {
			log->pending = MVM_PENDING_MMIO;
			return MVM_EMUL_USER;
		}
		log->nr++;
	}
	log->pos++;
	if (!write)
		memcpy(buf, a->data, len);
	return 0;
}

static int access_page(struct mvm_emul *e, gpa_t gpa, u8 *buf, unsigned int len, bool write)
{
	unsigned int n;
	int ret = 0;

	for (; len && !ret; len -= n) {
		n = min(len, 8U);
		ret = access_piece(e, gpa, buf, n, write);
		gpa += n;
		buf += n;
	}
	return ret;
}

/**
 * mvm_emul_access() - read or write a memory operand of any size
 * @e: the execution
 * @seg: segment register
 * @ea: offset in it
 * @buf: what is read or written
 * @size: up to MVM_EMUL_VEC_MAX bytes
 * @access: rights that are wanted: a read that will be followed by a write asks
 *	for MVM_ACCESS_WRITE
 * @write: which of the two
 */
int mvm_emul_access(struct mvm_emul *e, unsigned int seg, u64 ea, void *buf,
		    unsigned int size, u32 access, bool write)
{
	unsigned int first;
	gpa_t gpa[2];
	gva_t la;
	int ret = find_pages(e, seg, ea, size, access, &la, gpa);

	if (ret)
		return ret;
	first = min(size, EMUL_PAGE_SIZE - (unsigned int)(la & (EMUL_PAGE_SIZE - 1)));
	ret = access_page(e, gpa[0], buf, first, write);
	if (!ret && first < size)
		ret = access_page(e, gpa[1], (u8 *)buf + first, size - first, write);
	return ret;
}

/**
 * mvm_emul_mem() - mvm_emul_access() of a value
 * @e: the execution
 * @seg: segment register
 * @ea: offset in it
 * @val: the value, zero-extended
 * @size: 1, 2, 4 or 8
 * @access: as there
 * @write: as there
 */
int mvm_emul_mem(struct mvm_emul *e, unsigned int seg, u64 ea, u64 *val,
		 unsigned int size, u32 access, bool write)
{
	u64 data = write ? *val : 0;
	int ret = mvm_emul_access(e, seg, ea, &data, size, access, write);

	if (!ret && !write)
		*val = data;
	return ret;
}

/* Has everything so far been an access of guest memory, and no answer waits? */
static bool only_ram(const struct mvm_emul_log *log)
{
	unsigned int i;

	for (i = 0; i < log->pos; i++)
		if (!log->access[i].ram)
			return false;
	return log->pos && log->pos == log->nr;
}

/*
 * The write of a locked read-modify-write whose memory was guest memory, which
 * other vCPUs use at the same moment. What this cannot do is left to the CPU.
 * -1: write as to a device.
 */
static int locked_write(struct mvm_emul *e, u64 old, u64 new, unsigned int size)
{
	struct mvm_emul_log *log = e->log;
	struct mvm_emul_access *a;
	enum mvm_emul_atomic res = MVM_ATOMIC_CANNOT;

	if (log->pos == 1 && log->access[0].len == size)
		res = e->ops->exchange(e->priv, log->access[0].gpa, old, new, size);
	switch (res) {
	case MVM_ATOMIC_DONE:
		a = &log->access[log->pos++];
		*a = log->access[0];
		a->write = true;
		log->nr = log->pos;
		return 0;
	case MVM_ATOMIC_LOST:
		return MVM_EMUL_RETRY;
	case MVM_ATOMIC_CANNOT:
		return e->last_try ? -1 : MVM_EMUL_RETRY;
	default:
		return -1;
	}
}

/**
 * mvm_emul_write_back() - the write of a read-modify-write
 * @e: the execution
 * @ea: offset in the operand's segment
 * @old: what was read there, as the instruction's first access
 * @new: what is to be there now
 * @size: bytes, up to 16
 *
 * XCHG is locked without a prefix.
 */
int mvm_emul_write_back(struct mvm_emul *e, u64 ea, const u64 *old, const u64 *new,
			unsigned int size)
{
	u64 data[2] = { new[0], size > 8 ? new[1] : 0 };
	int ret;

	if ((e->insn->lock || e->insn->op == MVM_OP_XCHG) && only_ram(e->log)) {
		ret = locked_write(e, *old, *new, size);
		if (ret >= 0)
			return ret;
	}
	return mvm_emul_access(e, e->insn->mem.seg, ea, data, size, MVM_ACCESS_WRITE, true);
}
