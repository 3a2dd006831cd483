/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A world for the emulator under test: 1 MiB of memory in which any page may
 * be a device, missing or readonly, one port, and a userspace that answers.
 * Every access of a device or port is recorded, in order.
 */
#ifndef INSN_WORLD_H
#define INSN_WORLD_H

#include "insn/emulate.h"

#define WORLD_SIZE	0x100000
#define WORLD_PAGES	(WORLD_SIZE / 4096)
#define WORLD_TRACE	64

enum page_kind {
	PAGE_RAM, PAGE_USER_MMIO, PAGE_KERNEL_MMIO, PAGE_ROM, PAGE_ABSENT,
	PAGE_BROKEN,		/* the walk cannot say */
	PAGE_KINDS
};

struct world_event {
	bool pio, write, user;
	gpa_t gpa;		/* or the port */
	unsigned int len, count;
	u64 data;
};

struct world {
	struct mvm_emul e;
	struct mvm_emul_log log;
	struct mvm_insn insn;
	struct mvm_emul_seg seg[MVM_NR_SEGS];
	u64 gpr[MVM_NR_GPRS];
	u64 rflags;
	u8 kind[WORLD_PAGES];
	u8 io_buf[4096];
	u8 out[8192];		/* what the port was given */
	unsigned int nr_out;
	u8 in;			/* next byte the port gives */
	u64 mmx[8];
	u8 ymm[16][32];
	u8 vec_fault;		/* what vec_check() says; 0 = nothing */
	enum mvm_emul_file asked_file;
	bool race;		/* another vCPU writes before the next locked exchange */
	unsigned int nr_atomic;
	bool fault_seen;
	bool kernel_port;
	unsigned int stop_after;	/* should_stop() says yes from then on; 0 = never */
	unsigned int asked;
	void (*on_pio)(struct world *w);	/* userspace meddles */
	struct world_event trace[WORLD_TRACE];
	unsigned int nr_trace;
	u8 mem[WORLD_SIZE + 8];	/* last: not cleared by world_init() */
};

static struct world_event *world_record(struct world *w)
{
	static struct world_event overflow;

	return w->nr_trace < WORLD_TRACE ? &w->trace[w->nr_trace++] : &overflow;
}

static int world_translate(void *priv, gva_t la, u32 access, gpa_t *gpa,
			   struct mvm_fault *fault)
{
	struct world *w = priv;
	gpa_t at = la & (WORLD_SIZE - 1);

	if (w->kind[at >> 12] == PAGE_BROKEN)
		return -EFAULT;
	if (w->kind[at >> 12] == PAGE_ABSENT) {
		*fault = (struct mvm_fault){
			.vector = 14, .has_error = true, .cr2 = la,
			.error = access & MVM_ACCESS_WRITE ? 2 : 0,
		};
		return 1;
	}
	*gpa = at;
	return 0;
}

static void world_copy(struct world *w, gpa_t gpa, void *buf, unsigned int len, bool write)
{
	if (write)
		memcpy(w->mem + gpa, buf, len);
	else
		memcpy(buf, w->mem + gpa, len);
}

static bool world_ram(void *priv, gpa_t gpa, void *buf, unsigned int len, bool write)
{
	struct world *w = priv;
	u8 kind = w->kind[gpa >> 12];

	if (kind != PAGE_RAM && (kind != PAGE_ROM || write))
		return false;
	world_copy(w, gpa, buf, len, write);
	return true;
}

static void world_device(struct world *w, gpa_t gpa, void *buf, unsigned int len,
			 bool write, bool user)
{
	struct world_event *ev = world_record(w);

	*ev = (struct world_event){ .gpa = gpa, .len = len, .write = write, .user = user };
	if (!write || w->kind[gpa >> 12] != PAGE_ROM)
		world_copy(w, gpa, buf, len, write);
	memcpy(&ev->data, buf, len);
}

static enum mvm_emul_atomic world_exchange(void *priv, gpa_t gpa, u64 old, u64 new,
					   unsigned int len)
{
	struct world *w = priv;
	u64 now = 0;

	if (w->kind[gpa >> 12] != PAGE_RAM)
		return MVM_ATOMIC_NONE;
	if (len > 8 || (gpa & 63) + len > 64)
		return MVM_ATOMIC_CANNOT;
	w->nr_atomic++;
	if (w->race) {
		w->race = false;
		w->mem[gpa]++;
	}
	memcpy(&now, w->mem + gpa, len);
	if (memcmp(&now, &old, len))
		return MVM_ATOMIC_LOST;
	memcpy(w->mem + gpa, &new, len);
	return MVM_ATOMIC_DONE;
}

static u8 *world_vec(struct world *w, enum mvm_emul_file file, u8 reg)
{
	return file == MVM_FILE_MMX ? (u8 *)&w->mmx[reg & 7] : w->ymm[reg & 15];
}

static u8 world_vec_check(void *priv, enum mvm_emul_file file)
{
	struct world *w = priv;

	w->asked_file = file;
	return w->vec_fault ? w->vec_fault : MVM_EMUL_NO_VECTOR;
}

static void world_vec_read(void *priv, enum mvm_emul_file file, u8 reg, u8 *buf)
{
	memcpy(buf, world_vec(priv, file, reg), file == MVM_FILE_MMX ? 8 : 32);
}

static void world_vec_write(void *priv, enum mvm_emul_file file, u8 reg, const u8 *buf)
{
	static const unsigned int size[] = {
		[MVM_FILE_MMX] = 8, [MVM_FILE_SSE] = 16, [MVM_FILE_AVX] = 32,
	};

	if (buf)
		memcpy(world_vec(priv, file, reg), buf, size[file]);
}

static bool world_mmio(void *priv, gpa_t gpa, void *buf, unsigned int len, bool write)
{
	struct world *w = priv;

	if (w->kind[gpa >> 12] != PAGE_KERNEL_MMIO)
		return false;
	world_device(w, gpa, buf, len, write, false);
	return true;
}

static void world_port(struct world *w, u16 port, u8 *buf, unsigned int size,
		       unsigned int count, bool write, bool user)
{
	struct world_event *ev = world_record(w);
	unsigned int i;

	*ev = (struct world_event){ .pio = true, .gpa = port, .len = size, .count = count,
				    .write = write, .user = user };
	for (i = 0; i < size * count; i++) {
		if (!write)
			buf[i] = w->in++;
		else if (w->nr_out < sizeof(w->out))
			w->out[w->nr_out++] = buf[i];
	}
}

static bool world_pio(void *priv, u16 port, void *buf, unsigned int size, bool write)
{
	struct world *w = priv;

	if (!w->kernel_port)
		return false;
	world_port(w, port, buf, size, 1, write, false);
	return true;
}

static void world_segment(void *priv, unsigned int seg, struct mvm_emul_seg *out)
{
	struct world *w = priv;

	*out = w->seg[seg];
}

static bool world_should_stop(void *priv)
{
	struct world *w = priv;

	return w->stop_after && ++w->asked >= w->stop_after;
}

static const struct mvm_emul_ops world_ops = {
	.translate = world_translate,
	.ram = world_ram,
	.exchange = world_exchange,
	.mmio = world_mmio,
	.pio = world_pio,
	.segment = world_segment,
	.vec_check = world_vec_check,
	.vec_read = world_vec_read,
	.vec_write = world_vec_write,
	.should_stop = world_should_stop,
};

/* Registers 0, flat segments, all memory RAM and left as it is. */
static void world_init(struct world *w)
{
	unsigned int i;

	memset(w, 0, offsetof(struct world, mem));
	w->rflags = 2;
	for (i = 0; i < MVM_NR_SEGS; i++)
		w->seg[i] = (struct mvm_emul_seg){
			.limit = 0xffffffff, .selector = 8 * (i + 1),
			.type = i == MVM_SEG_CS ? 0xb : 3, .usable = true, .db = true,
		};
	w->e = (struct mvm_emul){
		.ops = &world_ops, .priv = w, .insn = &w->insn, .log = &w->log,
		.io_buf = w->io_buf, .io_buf_size = sizeof(w->io_buf),
		.gpr = w->gpr, .rflags = &w->rflags, .rip = 0x1000,
		.protected = true, .io_checked = true, .la_bits = 48,
		.has_tzcnt = true, .has_lzcnt = true,
	};
}

/* Userspace's part of an exit. */
static void world_answer(struct world *w)
{
	struct mvm_emul_log *log = &w->log;
	struct mvm_emul_access *a = &log->access[log->nr];
	u8 data[8] = { 0 };

	if (log->pending == MVM_PENDING_PIO) {
		world_port(w, log->pio.port, w->io_buf, log->pio.size, log->pio.count,
			   !log->pio.in, true);
		if (w->on_pio)
			w->on_pio(w);
	} else {
		memcpy(data, a->data, a->len);
		world_device(w, a->gpa, data, a->len, a->write, true);
	}
	mvm_emul_log_answer(log, data);
}

/* Each KVM_RUN is an execution of its own. */
static inline void world_forget(struct world *w)
{
	memset(w->e.tlb, 0, sizeof(w->e.tlb));
	w->e.jumped = false;
}

static inline enum mvm_emul_result world_run(struct world *w, const void *bytes,
					     unsigned int len, enum mvm_insn_mode mode)
{
	enum mvm_emul_result res;
	unsigned int exits = 0;

	if (mvm_insn_decode(&w->insn, bytes, len, mode) != MVM_INSN_OK)
		return MVM_EMUL_FAIL;
	world_forget(w);
	while ((res = mvm_emul_run(&w->e)) == MVM_EMUL_USER && exits++ < 100000) {
		world_answer(w);
		world_forget(w);
	}
	return res;
}

#endif
