/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Turning virtualization on and off, per CPU and for the whole machine.
 */
#ifndef MVM_HW_H
#define MVM_HW_H

#include <linux/percpu.h>
#include <asm/msr.h>

#include "backend.h"

/* How a CPU stands. Written with interrupts off on the CPU itself. */
enum mvm_hw_state {
	MVM_HW_OFF, /* no vCPU may enter here */
	MVM_HW_OWNED, /* minivmm turned virtualization on */
	MVM_HW_LENT, /* another owner has it on; minivmm borrows it entry by entry */
};

DECLARE_PER_CPU(enum mvm_hw_state, mvm_hw_state);

/* hw.c */
int mvm_hw_init(const struct mvm_backend *backend);
void mvm_hw_exit(void);
int mvm_hw_get(struct mvm_reason *reason);
void mvm_hw_put(void);
int mvm_hw_reclaim(struct mvm_reason *reason, bool lost);
int mvm_hw_show(char *buf);

/*
 * crash.c: the kernel's one slot for a callback that turns virtualization off in a
 * crash. Armed while minivmm has it on and no KVM module, whose callback does the
 * same, is loaded. May sleep.
 */
int mvm_crash_init(const struct mvm_backend *backend);
void mvm_crash_exit(void);
void mvm_crash_arm(void);
void mvm_crash_disarm(void);

/*
 * Sleep to memory may set the host's TSC to zero, and counts in its boot time. For the
 * guests' clocks the TSC never goes back: that many ticks are added to it. Written with
 * one CPU and every task frozen.
 */
extern u64 mvm_hw_tsc_lost;
extern u64 mvm_hw_slept_ns; /* boot time that passed without the TSC */
extern unsigned int mvm_hw_nr_sleeps; /* a vCPU that finds another number follows the two */

static inline u64 mvm_host_tsc(void)
{
	return rdtsc_ordered() + mvm_hw_tsc_lost;
}

u64 mvm_hw_clock_pair(u64 (*read)(void), u64 *tsc);

/* May this CPU enter a guest? Interrupts off, the last check before each entry. */
static inline bool mvm_hw_ready(void)
{
	return this_cpu_read(mvm_hw_state) != MVM_HW_OFF;
}

#endif
