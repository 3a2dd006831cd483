/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Telling the kernel that this CPU enters and leaves a guest: RCU, context
 * tracking, time accounting, lockdep's view of interrupts.
 *
 * mvm_guest_state_enter() and _exit() bracket the hardware entry inside the
 * backends' noinstr functions; between the two nothing may be traced or
 * instrumented. mvm_guest_timing_*() bracket them from the run loop.
 */
#ifndef MVM_GUESTMODE_H
#define MVM_GUESTMODE_H

#include <linux/context_tracking.h>
#include <linux/instrumentation.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/rcupdate.h>
#include <linux/vtime.h>

#include "compat.h"

/* Guest time begins. Interrupts off. */
static __always_inline void mvm_guest_timing_enter(void)
{
	instrumentation_begin();
	vtime_account_guest_enter();
	instrumentation_end();
}

/* Guest time ends; a pending tick has been taken. Interrupts off. */
static __always_inline void mvm_guest_timing_exit(void)
{
	instrumentation_begin();
	vtime_account_guest_exit();
	instrumentation_end();
}

/*
 * RCU may treat the guest as a quiescent state. It is told once a jiffy: its own ticks look no
 * more often, and a guest that stays in for long is interrupted by the next one. @told: when
 * that was, kept for each vCPU. Interrupts off, noinstr callers only.
 */
static __always_inline void mvm_guest_state_enter(unsigned long *told)
{
	const unsigned long now = jiffies;

	instrumentation_begin();
	trace_hardirqs_on_prepare();
	lockdep_hardirqs_on_prepare();
	instrumentation_end();

	if (!context_tracking_guest_enter() && *told != now) {
		*told = now;
		instrumentation_begin();
		mvm_rcu_virt_note_context_switch();
		instrumentation_end();
	}
	lockdep_hardirqs_on(CALLER_ADDR0);
}

/* The reverse. */
static __always_inline void mvm_guest_state_exit(void)
{
	lockdep_hardirqs_off(CALLER_ADDR0);
	context_tracking_guest_exit();

	instrumentation_begin();
	trace_hardirqs_off_finish();
	instrumentation_end();
}

#endif
