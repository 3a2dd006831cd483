// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator on hostile input: random instructions, registers, segments and
 * pages, a userspace that changes registers in the middle. Whatever comes, it
 * ends, stays inside of its buffers (the sanitizers look) and keeps its promises:
 * what did not retire has changed nothing, what is left over in the log is gone.
 *
 * MVM_INSN_STRINGS sets the number of instructions, MVM_INSN_SEED the seed.
 */
#include <stdio.h>
#include <stdlib.h>

#include "kselftest.h"
#include "insn_world.h"

#define STRINGS		300000
#define STOP_AFTER	1000	/* exits of one instruction until something is more urgent */
#define MAX_USER	(STOP_AFTER + 5000)	/* a block of input is used up even then */

static u64 rng_state;
static unsigned long errors;
static unsigned long results[MVM_EMUL_FAIL + 1];

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
		w->kind[i] = rng() % 3 ? rng() % 5 : PAGE_USER_MMIO;
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
	w->kernel_port = rng() % 4 == 0;
	w->stop_after = rng() % 4 ? 0 : 1 + rng() % 8;
}

/* Opcodes with a handler, one time in two; else anything. */
static void random_insn(u8 *bytes)
{
	static const u8 common[] = {
		0x00, 0x01, 0x03, 0x29, 0x30, 0x38, 0x80, 0x81, 0x83, 0x84, 0x86, 0x87, 0x88,
		0x89, 0x8a, 0x8b, 0x8c, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xaa,
		0xab, 0xac, 0xad, 0xae, 0xaf, 0x6c, 0x6d, 0x6e, 0x6f, 0xc6, 0xc7, 0xf6, 0xf7,
		0xfe, 0xff,
	};
	static const u8 prefixes[] = { 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x64, 0x36, 0x48 };
	unsigned int i;

	for (i = 0; i < MVM_INSN_MAX; i++)
		bytes[i] = rng();
	for (i = 0; i < 4 && rng() & 1; i++)
		bytes[i] = prefixes[rng() % ARRAY_SIZE(prefixes)];
	if (rng() & 1)
		bytes[i] = common[rng() % ARRAY_SIZE(common)];
	else if (rng() & 1)
		bytes[i] = 0x0f;
}

static void complain(const struct mvm_insn *insn, const char *what)
{
	char hex[3 * MVM_INSN_MAX + 1] = "";
	unsigned int i;

	if (errors++ >= 20)
		return;
	for (i = 0; i < insn->len; i++)
		sprintf(hex + 3 * i, "%02x ", insn->bytes[i]);
	ksft_print_msg("%s (%s): %s\n", mvm_insn_op_name(insn->op), hex, what);
}

/* Run until it needs userspace no more; sometimes userspace is not to be trusted. */
static enum mvm_emul_result execute(struct world *w)
{
	bool meddle = rng() % 8 == 0;
	enum mvm_emul_result res;
	unsigned int exits = 0;

	while ((res = mvm_emul_run(&w->e)) == MVM_EMUL_USER) {
		if (w->log.pending == MVM_PENDING_NONE)
			complain(&w->insn, "wants nothing of userspace");
		if (w->log.pending == MVM_PENDING_PIO &&
		    w->log.pio.size * w->log.pio.count > sizeof(w->io_buf))
			complain(&w->insn, "block larger than its buffer");
		if (++exits == STOP_AFTER)
			w->stop_after = 1;
		if (exits > MAX_USER) {
			complain(&w->insn, "does not stop");
			break;
		}
		world_answer(w);
		if (meddle)
			w->gpr[rng() & 15] = interesting();
		if (meddle && exits > 50)
			meddle = false;
	}
	return res;
}

static void check_trace(const struct world *w)
{
	unsigned int i;

	for (i = 0; i < w->nr_trace; i++) {
		const struct world_event *ev = &w->trace[i];

		if (!ev->pio && (!ev->len || ev->len > 8 || (ev->gpa & 4095) + ev->len > 4096))
			complain(&w->insn, "access beyond 8 bytes or its page");
		if (ev->pio && ev->len != 1 && ev->len != 2 && ev->len != 4)
			complain(&w->insn, "port access of another size");
	}
}

static void one(struct world *w)
{
	u64 gpr[MVM_NR_GPRS], rflags;
	enum mvm_emul_result res;
	u8 bytes[MVM_INSN_MAX];

	random_insn(bytes);
	random_world(w);
	if (mvm_insn_decode(&w->insn, bytes, sizeof(bytes), rng() & 3) != MVM_INSN_OK)
		return;
	memcpy(gpr, w->gpr, sizeof(gpr));
	rflags = w->rflags;

	/* The first step alone: a plain instruction that left has changed nothing. */
	res = mvm_emul_run(&w->e);
	if (!w->insn.string && res != MVM_EMUL_DONE &&
	    (memcmp(gpr, w->gpr, sizeof(gpr)) || rflags != w->rflags))
		complain(&w->insn, "did not retire, but changed registers");
	if (res == MVM_EMUL_USER) {
		world_answer(w);
		res = execute(w);
	}
	if (res > MVM_EMUL_FAIL) {
		complain(&w->insn, "no such result");
		return;
	}
	results[res]++;
	if (res == MVM_EMUL_AGAIN && !w->insn.rep)
		complain(&w->insn, "goes on without REP");
	if (w->log.nr || w->log.pos || w->log.pending || w->log.pio.answered)
		complain(&w->insn, "left something in the log");
	check_trace(w);
}

static unsigned long env_number(const char *name, unsigned long def)
{
	const char *val = getenv(name);

	return val ? strtoul(val, NULL, 0) : def;
}

int main(void)
{
	static const char *const names[] = {
		"done", "again", "user", "fault", "retry", "fail",
	};
	unsigned long n = env_number("MVM_INSN_STRINGS", STRINGS), i;
	struct world *w = calloc(1, sizeof(*w));

	rng_state = env_number("MVM_INSN_SEED", 0x9e3779b97f4a7c15UL) | 1;
	ksft_print_header();
	ksft_set_plan(1 + ARRAY_SIZE(names));
	if (!w)
		ksft_exit_fail_msg("no memory\n");
	for (i = 0; i < n; i++)
		one(w);
	free(w);
	ksft_test_result(!errors, "%lu random instructions, %lu complaints\n", n, errors);
	/* All kinds of ends must have been seen, or the input is not as random as it should be. */
	for (i = 0; i < ARRAY_SIZE(names); i++)
		ksft_test_result(i == MVM_EMUL_USER ? !results[i] : results[i] > n / 10000,
				 "%lu ended in %s\n", results[i], names[i]);
	ksft_finished();
}
