/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What "minivmm run --stats" says at the end: sums over all machines of a
 * session, because each guest reset makes a new one.
 */
#ifndef LAUNCHER_STATS_H
#define LAUNCHER_STATS_H

#include <stdint.h>
#include <stdio.h>

#include "../devices/bus.h"
#include "minivmm.h"

#define STATS_NR_REASONS 64	/* exit reasons; the last counts all beyond */

struct machine;
struct minivmm;
struct run_options;

struct stats {
	uint64_t exits[STATS_NR_REASONS];
	uint64_t kernel_exits[MINIVMM_NR_STATS];
	uint64_t entries;
	unsigned int nr_kernel;		/* 0: the device has no counters */
	unsigned int machines;
	struct bus pio, mmio;		/* for their counters alone */
	double seconds;
};

void stats_add_machine(struct stats *st, struct machine *m);
void stats_print(const struct stats *st, const struct run_options *opt, struct minivmm *sys,
		 FILE *to);

#endif
