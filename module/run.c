// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two loops of KVM_RUN. Read this file first.
 *
 * The outer loop may sleep: it finishes what userspace answered, handles signals,
 * requests and HLT, and calls the exits' sleeping handlers. The inner loop holds
 * the guest's FPU state and the backend's MSRs loaded, with preemption off, and
 * takes the exits that need no sleep. One pass of it, run_once(), is one call of the
 * backend with interrupts off: an entry and an exit, and quick exits before it (quick.h).
 *
 * A kick (kick.c) cannot be lost: a kicker sets its request bit, then reads
 * vcpu->mode; the vCPU sets its mode, then reads the requests, with full barriers on
 * both sides.
 */
#include <linux/entry-kvm.h>
#include <linux/hw_breakpoint.h>
#include <linux/sched/signal.h>
#include <asm/debugreg.h>

#include "backend.h"
#include "exit.h"
#include "fpu.h"
#include "guestmode.h"
#include "halt.h"
#include "host_work.h"
#include "hw.h"
#include "irqchip/irqchip.h"
#include "pv.h"
#include "vcpu.h"

/* run_once()'s answer besides the exit handlers': no entry, something to do outside first. */
#define MVM_LEAVE 4

/* Requests that need the outer loop. */
#define MVM_OUTER_REQS                                                            \
	(BIT(MVM_REQ_CLOCK) | BIT(MVM_REQ_TRIPLE_FAULT) | BIT(MVM_REQ_DEAD) |     \
	 BIT(MVM_REQ_INIT) | BIT(MVM_REQ_SIPI) | BIT(MVM_REQ_YIELD) |              \
	 BIT(MVM_REQ_IRQ_ACKED) | BIT(MVM_REQ_IOAPIC_EOI) | BIT(MVM_REQ_STEPPED) | \
	 BIT(MVM_REQ_TIMER))

/* -------------------------------------------------------------- inner loop */

/* Guest breakpoints are in the registers only while the guest runs with some enabled. */
static void load_debugregs(struct mvm_vcpu *vcpu)
{
	const u64 *dr = mvm_hw_dr(vcpu);

	if (likely(!(mvm_hw_dr7(vcpu) & (DR_GLOBAL_ENABLE_MASK | DR_LOCAL_ENABLE_MASK))))
		return;
	/* The host's breakpoints first go off, or they would hit at the guest's addresses. */
	set_debugreg(0, 7);
	set_debugreg(dr[0], 0);
	set_debugreg(dr[1], 1);
	set_debugreg(dr[2], 2);
	set_debugreg(dr[3], 3);
}

/* The exit cleared DR7; give the host its own breakpoints back where it has any. */
static void restore_debugregs(void)
{
	if (unlikely(hw_breakpoint_active()))
		hw_breakpoint_restore();
}

/* Requests that only concern the hardware's caches. Interrupts off, loaded. */
static void inner_requests(struct mvm_vcpu *vcpu)
{
	const struct mvm_backend *backend = vcpu->vm->backend;

	if (likely(!atomic_long_read(&vcpu->requests)))
		return;
	/* Events are looked at before every entry: the bit has done its work. */
	mvm_vcpu_take_request(vcpu, MVM_REQ_EVENT);
	if (mvm_vcpu_take_request(vcpu, MVM_REQ_TLB_FLUSH)) {
		mvm_vcpu_take_request(vcpu, MVM_REQ_TLB_FLUSH_GUEST);
		backend->tlb_flush(vcpu, true);
	} else if (mvm_vcpu_take_request(vcpu, MVM_REQ_TLB_FLUSH_GUEST)) {
		backend->tlb_flush(vcpu, false);
	}
}

static bool must_leave(struct mvm_vcpu *vcpu)
{
	return xfer_to_guest_mode_work_pending() ||
	       (atomic_long_read(&vcpu->requests) & MVM_OUTER_REQS) || !mvm_hw_ready();
}

/* Enter once. Interrupts off in and out. */
static void enter_guest(struct mvm_vcpu *vcpu)
{
	const struct mvm_backend *backend = vcpu->vm->backend;
	struct mvm_inject inject;

	mvm_events_prepare(vcpu, &inject);
	backend->load_events(vcpu, &inject);
	mvm_pv_eoi_offer(vcpu);

	mvm_guest_timing_enter();
	load_debugregs(vcpu);
	mvm_fpu_swap_in(vcpu);
	backend->vcpu_run(vcpu, &vcpu->exit);
	mvm_fpu_swap_out(vcpu);
	restore_debugregs();
}

/* One pass: an entry, an exit, and what needs no sleep. An exit handler's answer, or MVM_LEAVE. */
static int run_once(struct mvm_vcpu *vcpu)
{
	local_irq_disable();
	smp_store_mb(vcpu->mode, MVM_IN_GUEST); /* the mode before the requests */
	if (must_leave(vcpu)) {
		WRITE_ONCE(vcpu->mode, MVM_OUTSIDE_GUEST);
		local_irq_enable();
		return MVM_LEAVE;
	}
	inner_requests(vcpu);
	enter_guest(vcpu);
	/* What the guest did comes before; mvm_vm_request_sync() may stop waiting after. */
	smp_store_release(&vcpu->mode, MVM_OUTSIDE_GUEST);
	vcpu->launched = true;
	vcpu->stat_entries++;
	vcpu->stat[vcpu->exit.kind]++;

	/* One window: the interrupt that ended the guest is taken, and accounted to it. */
	local_irq_enable();
	asm volatile("nop");
	local_irq_disable();
	mvm_guest_timing_exit();
	local_irq_enable();

	mvm_events_exit(vcpu);
	if (unlikely(vcpu->exit.stepped)) {
		vcpu->debug.pushed_flags = vcpu->exit.pushed_flags;
		mvm_vcpu_set_request(vcpu, MVM_REQ_STEPPED);
	}
	return mvm_pv_eoi_collect(vcpu, false) ? mvm_exit_fast(vcpu) : MVM_SLEEP;
}

static int inner_loop(struct mvm_vcpu *vcpu)
{
	const struct mvm_backend *backend = vcpu->vm->backend;
	int cpu, ret;

	mvm_fpu_enter(vcpu);
	cpu = smp_processor_id();
	if (unlikely(vcpu->nr_sleeps != mvm_hw_nr_sleeps))
		mvm_clock_host_slept(vcpu);
	if (unlikely(vcpu->cpu != cpu)) {
		WRITE_ONCE(vcpu->cpu, cpu);
		mvm_clock_load(vcpu);
	}
	backend->vcpu_load(vcpu);
	do {
		ret = run_once(vcpu);
		/* A debugger's step is prepared outside. */
	} while (ret == MVM_RESUME && vcpu->mp_state == KVM_MP_STATE_RUNNABLE &&
		 !mvm_is_stepped(vcpu));
	backend->vcpu_put(vcpu);
	mvm_clock_put(vcpu);
	mvm_fpu_leave(vcpu);
	return ret;
}

/* -------------------------------------------------------------- outer loop */

static bool is_runnable(struct mvm_vcpu *vcpu)
{
	return vcpu->mp_state == KVM_MP_STATE_RUNNABLE;
}

/**
 * mvm_vcpu_accept_init() - take a pending INIT and start-up IPI
 * @vcpu: the vCPU; vcpu->lock held
 *
 * Both bits in one step: a start-up IPI seen together with INIT came after it. Between
 * two steps a second INIT and its start-up IPI could arrive, and the latter be taken
 * for the first INIT's. Context: outside the inner loop.
 */
void mvm_vcpu_accept_init(struct mvm_vcpu *vcpu)
{
	long both = BIT(MVM_REQ_INIT) | BIT(MVM_REQ_SIPI), got;

	if (!(atomic_long_read(&vcpu->requests) & both))
		return;
	got = atomic_long_fetch_andnot(both, &vcpu->requests); /* before the vector is read */
	if (got & BIT(MVM_REQ_INIT)) {
		mvm_vcpu_reset(vcpu, true);
		vcpu->mp_state = vcpu->id == vcpu->vm->bsp_id ? KVM_MP_STATE_RUNNABLE :
								KVM_MP_STATE_INIT_RECEIVED;
	}
	if ((got & BIT(MVM_REQ_SIPI)) && vcpu->mp_state == KVM_MP_STATE_INIT_RECEIVED) {
		u8 vector = READ_ONCE(vcpu->sipi_vector);

		mvm_state_modify(vcpu, MVM_STATE_CS | MVM_STATE_RIP);
		vcpu->seg[MVM_SEG_CS].selector = vector << 8;
		vcpu->seg[MVM_SEG_CS].base = (u64)vector << 12;
		vcpu->rip = 0;
		vcpu->mp_state = KVM_MP_STATE_RUNNABLE;
	}
}

/* INIT and SIPI, the clock, and the ends of a VM. MVM_RESUME, MVM_TO_USER or -errno. */
static int outer_requests(struct mvm_vcpu *vcpu)
{
	if (likely(!(atomic_long_read(&vcpu->requests) & MVM_OUTER_REQS)))
		return MVM_RESUME;
	if (mvm_vcpu_test_request(vcpu, MVM_REQ_DEAD))
		return -EIO;
	if (mvm_vcpu_take_request(vcpu, MVM_REQ_TRIPLE_FAULT)) {
		vcpu->run->exit_reason = KVM_EXIT_SHUTDOWN;
		return MVM_TO_USER;
	}
	if (mvm_vcpu_take_request(vcpu, MVM_REQ_STEPPED))
		return mvm_debug_report_step(vcpu);
	mvm_vcpu_accept_init(vcpu);
	if (mvm_vcpu_take_request(vcpu, MVM_REQ_CLOCK))
		mvm_clock_update(vcpu);
	if (mvm_vcpu_take_request(vcpu, MVM_REQ_TIMER))
		mvm_lapic_rearm(vcpu);
	if (mvm_vcpu_take_request(vcpu, MVM_REQ_YIELD))
		mvm_pv_yield(vcpu);
	if (mvm_vcpu_take_request(vcpu, MVM_REQ_IRQ_ACKED))
		mvm_pic_tell_acked(vcpu->vm);
	if (mvm_vcpu_take_request(vcpu, MVM_REQ_IOAPIC_EOI)) {
		vcpu->run->exit_reason = KVM_EXIT_IOAPIC_EOI;
		vcpu->run->eoi.vector = vcpu->ioapic_eoi;
		return MVM_TO_USER;
	}
	return MVM_RESUME;
}

/* Something that ends a halted vCPU's sleep. */
static bool is_awake(struct mvm_vcpu *vcpu)
{
	return mvm_vcpu_test_request(vcpu, MVM_REQ_UNHALT) || mvm_has_wake_event(vcpu);
}

/* Or any vCPU's: an event, or a request for the outer loop. */
static bool must_wake(struct mvm_vcpu *vcpu)
{
	if (atomic_long_read(&vcpu->requests) & MVM_OUTER_REQS)
		return true;
	return vcpu->mp_state == KVM_MP_STATE_HALTED && is_awake(vcpu);
}

static void sleep_until_woken(struct mvm_vcpu *vcpu)
{
	DECLARE_SWAITQUEUE(wait);

	mvm_pv_sched_out(vcpu);
	for (;;) {
		prepare_to_swait_exclusive(&vcpu->wq, &wait, TASK_INTERRUPTIBLE);
		if (must_wake(vcpu) || signal_pending(current))
			break;
		schedule();
	}
	finish_swait(&vcpu->wq, &wait);
}

/* Wait until there is a reason to run. MVM_RESUME, also when a signal waits. */
static int wait_for_event(struct mvm_vcpu *vcpu)
{
	const bool halted = vcpu->mp_state == KVM_MP_STATE_HALTED;
	u64 start = ktime_get_ns();

	mvm_lapic_wait_begin(vcpu);
	if (halted)
		mvm_halt_poll(vcpu, must_wake);
	if (!must_wake(vcpu))
		sleep_until_woken(vcpu);
	mvm_lapic_wait_end(vcpu);
	if (halted)
		mvm_halt_adapt(vcpu, ktime_get_ns() - start);

	if (halted && is_awake(vcpu)) {
		mvm_vcpu_take_request(vcpu, MVM_REQ_UNHALT);
		vcpu->mp_state = KVM_MP_STATE_RUNNABLE;
	}
	return MVM_RESUME;
}

/* Run the guest until an exit that needs the outer loop. */
static int run_guest(struct mvm_vcpu *vcpu)
{
	int ret;

	mvm_pv_before_run(vcpu);
	if (mvm_wants_irq_window(vcpu) && mvm_irq_window_open(vcpu)) {
		vcpu->run->exit_reason = KVM_EXIT_IRQ_WINDOW_OPEN;
		return MVM_TO_USER;
	}
	if (unlikely(mvm_is_stepped(vcpu)))
		mvm_debug_prepare_step(vcpu);
	ret = inner_loop(vcpu);
	if (ret == MVM_SLEEP) {
		mvm_pv_eoi_collect(vcpu, true);
		return mvm_exit_slow(vcpu);
	}
	if (ret != MVM_LEAVE)
		return ret;
	/* The CPU may be going down, or a lender took virtualization away. */
	if (!__xfer_to_guest_mode_work_pending() && !raw_cpu_read(mvm_hw_state))
		ret = mvm_hw_reclaim(&vcpu->reason, false);
	else
		ret = 0;
	return ret ? ret : MVM_RESUME;
}

/*
 * A vCPU that waits for its first INIT: KVM_RUN sleeps and then, as KVM has it, ends
 * with -EAGAIN, so that userspace may look at the new state before the next one.
 */
static int wait_for_init(struct mvm_vcpu *vcpu)
{
	int ret;

	wait_for_event(vcpu);
	ret = outer_requests(vcpu);
	if (ret != MVM_RESUME)
		return ret;
	return signal_pending(current) ? -EINTR : -EAGAIN;
}

static int outer_loop(struct mvm_vcpu *vcpu)
{
	int ret;

	if (unlikely(vcpu->mp_state == KVM_MP_STATE_UNINITIALIZED))
		return wait_for_init(vcpu);
	do {
		if (__xfer_to_guest_mode_work_pending()) {
			if (need_resched())
				mvm_pv_sched_out(vcpu);
			ret = mvm_host_work();
			if (ret)
				return ret;
		}
		ret = outer_requests(vcpu);
		if (ret != MVM_RESUME)
			return ret;
		ret = is_runnable(vcpu) ? run_guest(vcpu) : wait_for_event(vcpu);
	} while (ret == MVM_RESUME);
	return ret;
}

/* What every return of KVM_RUN refreshes. */
static void publish_run(struct mvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	mvm_state_get(vcpu, MVM_STATE_RIP);
	run->if_flag = !!(vcpu->rflags & X86_EFLAGS_IF);
	run->cr8 = mvm_get_cr8(vcpu);
	run->apic_base = mvm_lapic_base(vcpu);
	run->flags = 0;
	run->ready_for_interrupt_injection = mvm_pic_in_kernel(vcpu->vm) ||
					     mvm_irq_window_open(vcpu);
	mvm_sync_regs_out(vcpu);
}

/* What userspace hands in with KVM_RUN. MVM_RESUME, MVM_TO_USER or -errno. */
static int take_over_run(struct mvm_vcpu *vcpu)
{
	int (*complete)(struct mvm_vcpu *vcpu) = vcpu->complete;
	int ret = mvm_sync_regs_in(vcpu);

	if (ret)
		return ret;
	if (!mvm_irqchip_in_kernel(vcpu->vm) && mvm_set_cr8(vcpu, READ_ONCE(vcpu->run->cr8)))
		return -EINVAL;
	if (!complete)
		return MVM_RESUME;
	/* The instruction that left to userspace is finished first, also with immediate_exit. */
	vcpu->complete = NULL;
	ret = complete(vcpu);
	if (ret == MVM_RESUME && mvm_vcpu_take_request(vcpu, MVM_REQ_STEPPED))
		ret = mvm_debug_report_step(vcpu);
	return ret;
}

/**
 * mvm_vcpu_run() - KVM_RUN
 * @vcpu: the vCPU; vcpu->lock held
 *
 * Context: a thread of the VM's address space; sleeps.
 * Return: 0: kvm_run tells why; -EINTR: a signal, or immediate_exit; -EAGAIN: the vCPU has waited
 * for its first INIT, and there was something; -EINVAL: what kvm_run hands in; -EIO: the VM is
 * dead; or what a handler answers.
 */
int mvm_vcpu_run(struct mvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	int ret;

	mvm_vcpu_note_thread(vcpu);
	ret = take_over_run(vcpu);
	/* As KVM does it: that alone is no exit, the reason before it stays to be looked at. */
	if (ret == MVM_RESUME && READ_ONCE(run->mvm_immediate_exit)) {
		ret = -EINTR;
	} else if (ret == MVM_RESUME) {
		run->exit_reason = KVM_EXIT_UNKNOWN;
		ret = outer_loop(vcpu);
		if (ret == -EINTR)
			run->exit_reason = KVM_EXIT_INTR;
	}
	vcpu->stat_to_user++;
	publish_run(vcpu);
	return ret == MVM_TO_USER ? 0 : ret;
}
