/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What random_state.c's parts share: where the world's things are, and the bends.
 */
#ifndef RANDOM_BENDS_H
#define RANDOM_BENDS_H

#include "random_state.h"

/* Beside the library's tables: the 32-bit modes' IDT, the 64-bit mode's GDT, user code. */
#define IDT32		0xc000
#define GDT64		0x1800
#define USER_CODE	0x20000

#define CR0_PE		0x1u
#define CR0_PG		0x80000000u
#define EFER_LME	0x100u
#define EFER_MSR	0xc0000080u

struct bend {
	struct state_world *world;
	struct rng *rng;
	struct vcpu_state *state;
};

/* Change one thing of the state, or of the memory that goes with it. */
void bend_one(struct bend *b);

#endif /* RANDOM_BENDS_H */
