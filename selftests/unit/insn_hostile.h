/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The emulator on hostile input: an instruction in a random world, with a
 * userspace that sometimes changes registers and memory in the middle. Whatever
 * comes, it ends, stays inside of its buffers (the sanitizers look) and keeps its
 * promises. The includer defines hostile_complain().
 */
#ifndef INSN_HOSTILE_H
#define INSN_HOSTILE_H

#include <stdlib.h>

#include "insn_world.h"

#define STOP_AFTER	1000	/* exits of one instruction until something is more urgent */
#define MAX_USER	(STOP_AFTER + 5000)	/* a block of input is used up even then */

static void hostile_complain(const struct mvm_insn *insn, const char *what);

static u64 rng_state = 1;

static u64 rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state;
}

/* Addresses and counts that matter: near page borders, near limits, small, huge. */
static u64 interesting(void)
{
	switch (rng() % 8) {
	case 0:
		return rng();
	case 1:
		return rng() % 64;
	case 2:
		return (rng() & 0xff000) - rng() % 16;
	case 3:
		return -(rng() % 0x3000);
	case 4:
		return 0x800000000000 - rng() % 32;
	case 5:
		return 0x10000 - rng() % 16;
	default:
		return rng() & 0xfffff;
	}
}

static void random_world(struct world *w)
{
	unsigned int i;

	world_init(w);
	for (i = 0; i < WORLD_PAGES; i++)
		w->kind[i] = rng() % 3 ? rng() % PAGE_KINDS : PAGE_USER_MMIO;
	for (i = 0; i < MVM_NR_GPRS; i++)
		w->gpr[i] = interesting();
	if (rng() % 4)
		w->gpr[MVM_RCX] = rng() % 100;
	w->rflags = 2 | (rng() & 0xcd5);
	for (i = 0; i < MVM_NR_SEGS && rng() & 1; i++)
		w->seg[i] = (struct mvm_emul_seg){
			.base = interesting(), .limit = interesting(), .type = rng() & 15,
			.usable = rng() % 8, .db = rng() & 1,
		};
	w->e.protected = rng() % 4;
	w->e.align_check = rng() % 8 == 0;
	w->e.io_checked = rng() % 8;
	w->e.single_step = rng() % 16 == 0;
	w->e.la_bits = rng() & 1 ? 48 : 57;
	w->e.rip = interesting();
	w->e.last_try = rng() & 1;
	w->race = rng() % 8 == 0;
	w->vec_fault = rng() % 8 ? 0 : 7;
	for (i = 0; i < sizeof(w->ymm); i++)
		((u8 *)w->ymm)[i] = i;
	w->kernel_port = rng() % 4 == 0;
	w->stop_after = rng() % 4 ? 0 : 1 + rng() % 8;
}

/* What an instruction may change besides memory. */
struct hostile_state {
	u64 gpr[MVM_NR_GPRS], rflags, mmx[8];
	u8 ymm[16][32];
};

static void hostile_save(const struct world *w, struct hostile_state *s)
{
	memcpy(s->gpr, w->gpr, sizeof(s->gpr));
	memcpy(s->mmx, w->mmx, sizeof(s->mmx));
	memcpy(s->ymm, w->ymm, sizeof(s->ymm));
	s->rflags = w->rflags;
}

static bool hostile_changed(const struct world *w, const struct hostile_state *s)
{
	return memcmp(s->gpr, w->gpr, sizeof(s->gpr)) || memcmp(s->mmx, w->mmx, sizeof(s->mmx)) ||
	       memcmp(s->ymm, w->ymm, sizeof(s->ymm)) || s->rflags != w->rflags;
}

static void hostile_meddle(struct world *w)
{
	w->gpr[rng() & 15] = interesting();
	if (rng() % 4 == 0)
		w->kind[rng() % WORLD_PAGES] = rng() % PAGE_KINDS;
}

/* Run until it needs userspace no more. */
static enum mvm_emul_result hostile_run(struct world *w, bool meddle)
{
	enum mvm_emul_result res;
	unsigned int exits = 0;

	while ((res = mvm_emul_run(&w->e)) == MVM_EMUL_USER) {
		if (w->log.pending == MVM_PENDING_NONE)
			hostile_complain(&w->insn, "wants nothing of userspace");
		if (w->log.pending == MVM_PENDING_PIO &&
		    w->log.pio.size * w->log.pio.count > sizeof(w->io_buf))
			hostile_complain(&w->insn, "block larger than its buffer");
		if (++exits == STOP_AFTER)
			w->stop_after = 1;
		if (exits > MAX_USER) {
			hostile_complain(&w->insn, "does not stop");
			break;
		}
		world_answer(w);
		if (meddle && exits < 50)
			hostile_meddle(w);
		world_forget(w);
	}
	return res;
}

static void hostile_check_trace(const struct world *w)
{
	unsigned int i;

	for (i = 0; i < w->nr_trace; i++) {
		const struct world_event *ev = &w->trace[i];

		if (!ev->pio && (!ev->len || ev->len > 8 || (ev->gpa & 4095) + ev->len > 4096))
			hostile_complain(&w->insn, "access beyond 8 bytes or its page");
		if (!w->insn.string && w->fault_seen && ev->write && !ev->pio)
			hostile_complain(&w->insn, "wrote to a device, then faulted");
		if (ev->pio && ev->len != 1 && ev->len != 2 && ev->len != 4)
			hostile_complain(&w->insn, "port access of another size");
	}
}

/* Execute w->insn, in the world as it is. */
static inline enum mvm_emul_result hostile_one(struct world *w)
{
	bool meddle = rng() % 8 == 0;
	struct hostile_state before;
	enum mvm_emul_result res;

	hostile_save(w, &before);
	/* The first step alone: a plain instruction that left has changed nothing. */
	res = mvm_emul_run(&w->e);
	if (!w->insn.string && res != MVM_EMUL_DONE && hostile_changed(w, &before))
		hostile_complain(&w->insn, "did not retire, but changed registers");
	if (res == MVM_EMUL_USER) {
		world_answer(w);
		world_forget(w);
		res = hostile_run(w, meddle);
	}
	if (res > MVM_EMUL_FAIL)
		hostile_complain(&w->insn, "no such result");
	if (!w->insn.string && !meddle && res != MVM_EMUL_DONE && hostile_changed(w, &before))
		hostile_complain(&w->insn, "did not retire, but changed registers at last");
	if (res == MVM_EMUL_AGAIN && !w->insn.rep)
		hostile_complain(&w->insn, "goes on without REP");
	if (w->log.nr || w->log.pos || w->log.pending || w->log.pio.answered)
		hostile_complain(&w->insn, "left something in the log");
	w->fault_seen = res == MVM_EMUL_FAULT && !meddle;
	hostile_check_trace(w);
	return res;
}

#endif
