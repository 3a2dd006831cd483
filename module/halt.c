// SPDX-License-Identifier: GPL-2.0-only
/*
 * Polling at HLT: look for an event for a moment before the thread sleeps.
 *
 * Sleeping and waking costs more than many a wait is long. The window adapts: it
 * grows while events come soon after it would have ended, and closes where they take
 * long. A guest that polls by itself turns it off (MSR_KVM_POLL_CONTROL).
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>

#include "halt.h"

#define POLL_START_NS 10000
#define POLL_GROWTH   2

static unsigned int halt_poll_ns = 200000;
module_param(halt_poll_ns, uint, 0644);
MODULE_PARM_DESC(halt_poll_ns,
		 "Longest time in ns to poll for an event at a guest's HLT, 0 = never (default: 200000)");

static u32 poll_limit(struct mvm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->pv.host_polls) ? READ_ONCE(halt_poll_ns) : 0;
}

/**
 * mvm_halt_poll() - wait for an event without giving up the CPU, for a moment
 * @vcpu: the vCPU
 * @woken: is there a reason to stop?
 *
 * Gives way to every other task, and to a signal. Context: the vCPU's thread.
 */
void mvm_halt_poll(struct mvm_vcpu *vcpu, bool (*woken)(struct mvm_vcpu *vcpu))
{
	u64 end = ktime_get_ns() + min(vcpu->halt_poll_ns, poll_limit(vcpu));

	while (!woken(vcpu) && single_task_running() && !need_resched() &&
	       !signal_pending(current) && ktime_get_ns() < end)
		cpu_relax();
}

/**
 * mvm_halt_adapt() - learn from a wait
 * @vcpu: the vCPU
 * @waited: how long it took, in ns
 */
void mvm_halt_adapt(struct mvm_vcpu *vcpu, u64 waited)
{
	u32 limit = poll_limit(vcpu);

	if (waited > limit)
		vcpu->halt_poll_ns = 0;
	else if (waited > vcpu->halt_poll_ns)
		vcpu->halt_poll_ns = clamp(vcpu->halt_poll_ns * POLL_GROWTH,
					   min_t(u32, POLL_START_NS, limit), limit);
}
