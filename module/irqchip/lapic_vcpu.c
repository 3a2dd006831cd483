// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC of a vCPU: lifetime, lock, hrtimer, and what event.c asks (is
 * there an interrupt, take it). The chip itself is the model in lapic.c; the
 * vCPU's way to its registers is in lapic_access.c.
 *
 * The timer's callback sets the request in the APIC from hard interrupt context
 * and kicks the vCPU; it is re-armed under lapic->lock by whoever changes the
 * timer, so callback and vCPU never disagree about what is armed. For a TSC deadline
 * it is needed only while the vCPU waits, where the backend can leave the guest at one: an
 * hrtimer costs its start, an interrupt of the host's and its callback.
 */
#include <linux/slab.h>

#include <asm/tsc.h>

#include "../backend.h"
#include "../exit.h"
#include "chips.h"

/* ------------------------------------------------------------------ timer */

/* Set the hrtimer for what the model waits for. lapic->lock held. */
static void lapic_start_timer(struct mvm_lapic *lapic, u64 now)
{
	u64 tsc = mvm_clock_read_tsc(lapic->vcpu), next;

	next = mvm_apic_timer_next(&lapic->model, now, tsc, tsc_khz ?: 1);
	lapic->armed_tsc = mvm_apic_timer_deadline(&lapic->model);
	if (lapic->backend_waits && lapic->armed_tsc != MVM_NEVER) {
		lapic->armed_tsc = MVM_NEVER;
		next = MVM_NEVER;
	}
	if (next < KTIME_MAX)
		hrtimer_start(&lapic->timer, ns_to_ktime(next), HRTIMER_MODE_ABS_HARD);
	else
		hrtimer_try_to_cancel(&lapic->timer); /* a running callback finds nothing due */
}

/**
 * __mvm_lapic_arm() - after every change of what the model waits for: arm the timer anew
 * @lapic: the local APIC; its lock is held
 * @now: the time
 *
 * A TSC deadline that the backend waits for starts no hrtimer.
 * Context: the vCPU's thread, or with its lock; interrupts off.
 */
void __mvm_lapic_arm(struct mvm_lapic *lapic, u64 now)
{
	lockdep_assert_held(&lapic->lock);
	if (lapic->backend_waits)
		lapic_set_deadline(lapic, mvm_apic_timer_deadline(&lapic->model));
	lapic_start_timer(lapic, now);
}

/* Request the interrupt if its time has come. lapic->lock held. */
static void lapic_fire(struct mvm_lapic *lapic, u64 now)
{
	if (mvm_apic_timer_fire(&lapic->model, now, mvm_clock_read_tsc(lapic->vcpu)))
		mvm_vcpu_request(lapic->vcpu, MVM_REQ_EVENT);
}

static enum hrtimer_restart lapic_timer_expired(struct hrtimer *timer)
{
	struct mvm_lapic *lapic = container_of(timer, struct mvm_lapic, timer);
	unsigned long flags;
	u64 now;

	raw_spin_lock_irqsave(&lapic->lock, flags);
	now = ktime_get_ns();
	lapic_fire(lapic, now);
	lapic_start_timer(lapic, now);
	raw_spin_unlock_irqrestore(&lapic->lock, flags);
	return HRTIMER_NORESTART; /* lapic_start_timer() has started it again where it must */
}

/**
 * mvm_lapic_deadline_passed() - the backend has left the guest at vcpu->deadline
 * @vcpu: the vCPU
 *
 * It may not have come yet: then nothing happens. Context: the vCPU's thread.
 */
void mvm_lapic_deadline_passed(struct mvm_vcpu *vcpu)
{
	struct mvm_lapic *lapic = vcpu->lapic;
	unsigned long flags;

	if (vcpu->deadline == MVM_NEVER)
		return;
	raw_spin_lock_irqsave(&lapic->lock, flags);
	lapic_fire(lapic, 0);
	lapic_set_deadline(lapic, mvm_apic_timer_deadline(&lapic->model));
	raw_spin_unlock_irqrestore(&lapic->lock, flags);
}

/**
 * mvm_lapic_wait_begin() - the vCPU stops running until something wakes it
 * @vcpu: the vCPU
 *
 * What would end its stay in the guest is the hrtimer's now. That may still wait for an
 * earlier deadline: it finds the new one when it comes. Context: the vCPU's thread.
 */
void mvm_lapic_wait_begin(struct mvm_vcpu *vcpu)
{
	struct mvm_lapic *lapic = vcpu->lapic;
	unsigned long flags;
	u64 now;

	if (vcpu->deadline == MVM_NEVER)
		return;
	raw_spin_lock_irqsave(&lapic->lock, flags);
	lapic->backend_waits = false;
	if (mvm_apic_timer_deadline(&lapic->model) < lapic->armed_tsc) {
		now = ktime_get_ns();
		lapic_fire(lapic, now);
		lapic_start_timer(lapic, now);
	}
	raw_spin_unlock_irqrestore(&lapic->lock, flags);
}

/**
 * mvm_lapic_wait_end() - reverse of mvm_lapic_wait_begin()
 * @vcpu: the vCPU
 *
 * The hrtimer is not stopped: the guest's next wait often is for the same deadline.
 */
void mvm_lapic_wait_end(struct mvm_vcpu *vcpu)
{
	struct mvm_lapic *lapic = vcpu->lapic;
	unsigned long flags;

	if (vcpu->deadline == MVM_NEVER)
		return;
	raw_spin_lock_irqsave(&lapic->lock, flags);
	lapic->backend_waits = true;
	lapic_set_deadline(lapic, mvm_apic_timer_deadline(&lapic->model));
	raw_spin_unlock_irqrestore(&lapic->lock, flags);
}

/**
 * mvm_lapic_rearm() - the guest TSC jumped, and a TSC deadline with it; or MVM_REQ_TIMER
 * @vcpu: the vCPU
 *
 * Context: the vCPU's thread, or with its lock.
 */
void mvm_lapic_rearm(struct mvm_vcpu *vcpu)
{
	struct mvm_lapic *lapic = vcpu->lapic;
	unsigned long flags;

	if (!lapic)
		return;
	raw_spin_lock_irqsave(&lapic->lock, flags);
	__mvm_lapic_arm(lapic, ktime_get_ns());
	raw_spin_unlock_irqrestore(&lapic->lock, flags);
}

/**
 * mvm_lapic_hold_timer() - the timer requests nothing until the next KVM_RUN
 * @lapic: the local APIC
 *
 * Its registers and IA32_TSC_DEADLINE are read by two ioctls. An interrupt that was
 * requested between them would be in neither, and lost where they are loaded.
 * Context: outside of KVM_RUN with the vCPU's lock; waits for a running callback.
 */
void mvm_lapic_hold_timer(struct mvm_lapic *lapic)
{
	unsigned long flags;

	if (!hrtimer_cancel(&lapic->timer))
		return;
	raw_spin_lock_irqsave(&lapic->lock, flags);
	lapic->armed_tsc = MVM_NEVER;
	raw_spin_unlock_irqrestore(&lapic->lock, flags);
	mvm_vcpu_set_request(lapic->vcpu, MVM_REQ_TIMER);
}

/* --------------------------------------------------------------- lifetime */

/**
 * mvm_lapic_create() - give a new vCPU its local APIC, at power-up
 * @vcpu: the vCPU, with its id; its VM has an irqchip
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int mvm_lapic_create(struct mvm_vcpu *vcpu)
{
	struct mvm_lapic *lapic = kzalloc(sizeof(*lapic), GFP_KERNEL_ACCOUNT);

	if (!lapic)
		return -ENOMEM;
	lapic->model.regs = (u32 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!lapic->model.regs) {
		kfree(lapic);
		return -ENOMEM;
	}
	raw_spin_lock_init(&lapic->lock);
	lapic->vcpu = vcpu;
	lapic->model.id = vcpu->id;
	lapic->armed_tsc = MVM_NEVER;
	lapic->backend_waits = vcpu->vm->backend->caps->deadline;
	hrtimer_setup(&lapic->timer, lapic_timer_expired, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
	mvm_apic_reset(&lapic->model, false, vcpu->id == vcpu->vm->bsp_id);
	vcpu->lapic = lapic;
	return 0;
}

/**
 * mvm_lapic_destroy() - reverse of mvm_lapic_create()
 * @vcpu: the vCPU; it has a local APIC and runs nowhere
 *
 * Context: waits for the timer's callback.
 */
void mvm_lapic_destroy(struct mvm_vcpu *vcpu)
{
	struct mvm_lapic *lapic = vcpu->lapic;

	hrtimer_cancel(&lapic->timer);
	vcpu->lapic = NULL;
	free_page((unsigned long)lapic->model.regs);
	kfree(lapic);
}

/**
 * mvm_lapic_reset() - mvm_apic_reset(), and the timer is armed anew
 * @vcpu: the vCPU; nothing happens where no local APIC is in the kernel
 * @init_event: INIT rather than power-up
 *
 * Context: the vCPU's thread, or before it is published.
 */
void mvm_lapic_reset(struct mvm_vcpu *vcpu, bool init_event)
{
	struct mvm_lapic *lapic = vcpu->lapic;
	unsigned long flags;

	if (!lapic)
		return;
	raw_spin_lock_irqsave(&lapic->lock, flags);
	mvm_apic_reset(&lapic->model, init_event, vcpu->id == vcpu->vm->bsp_id);
	__mvm_lapic_arm(lapic, ktime_get_ns());
	raw_spin_unlock_irqrestore(&lapic->lock, flags);
}

/* --------------------------------------------- the vCPU takes interrupts */

/**
 * mvm_lapic_takes_extint() - would the vCPU take what an 8259 outside the kernel offers?
 * @vcpu: the vCPU; it has a local APIC
 *
 * Context: the vCPU's thread; takes no lock.
 * Return: true where LINT0 lets it through: mvm_apic_takes_extint().
 */
bool mvm_lapic_takes_extint(struct mvm_vcpu *vcpu)
{
	return mvm_apic_takes_extint(&vcpu->lapic->model);
}

/* Does the 8259 pair interrupt this vCPU? Without vm->irq_lock: a change ends in a request. */
static bool lapic_extint(struct mvm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->vm->irqchip->pic.output) &&
	       mvm_apic_takes_extint(&vcpu->lapic->model);
}

/**
 * mvm_irq_requested() - is anything requested, whether or not it may be delivered?
 * @vcpu: the vCPU
 *
 * Takes no lock. Where it says no mvm_irq_pending() would, too.
 */
bool mvm_irq_requested(struct mvm_vcpu *vcpu)
{
	return vcpu->lapic && (READ_ONCE(vcpu->lapic->model.irr_words) ||
			       READ_ONCE(vcpu->vm->irqchip->pic.output));
}

/**
 * mvm_irq_pending() - the vector this vCPU could take now, or -1
 * @vcpu: the vCPU
 *
 * The 8259 comes first: it is wired past the local APIC's priorities.
 */
int mvm_irq_pending(struct mvm_vcpu *vcpu)
{
	struct mvm_lapic *lapic = vcpu->lapic;
	unsigned long flags;
	int vector = -1;

	if (!lapic)
		return -1;
	if (lapic_extint(vcpu)) {
		raw_spin_lock_irqsave(&vcpu->vm->irq_lock, flags);
		vector = mvm_i8259_peek(&vcpu->vm->irqchip->pic);
		raw_spin_unlock_irqrestore(&vcpu->vm->irq_lock, flags);
	}
	if (vector >= 0)
		return vector;
	/* Without the lock: what comes now ends in a request. */
	if (!READ_ONCE(lapic->model.irr_words))
		return -1;
	raw_spin_lock_irqsave(&lapic->lock, flags);
	vector = mvm_apic_pending(&lapic->model);
	raw_spin_unlock_irqrestore(&lapic->lock, flags);
	return vector;
}

/* The 8259's acknowledge cycle, or -1 when its request went away. */
static int lapic_ack_extint(struct mvm_vcpu *vcpu)
{
	struct mvm_irqchip *chip = vcpu->vm->irqchip;
	unsigned long flags;
	int vector = -1;

	raw_spin_lock_irqsave(&vcpu->vm->irq_lock, flags);
	if (chip->pic.output) {
		vector = mvm_i8259_ack(&chip->pic);
		__mvm_pic_changed(chip, true);
		if (chip->pic.acked && mvm_ends_matter(vcpu->vm))
			mvm_vcpu_set_request(vcpu, MVM_REQ_IRQ_ACKED);
	}
	raw_spin_unlock_irqrestore(&vcpu->vm->irq_lock, flags);
	return vector;
}

/* The local APIC's own, or -1. */
static int lapic_ack(struct mvm_lapic *lapic)
{
	unsigned long flags;
	int vector;

	/* Without the lock: what comes now ends in a request. */
	if (!READ_ONCE(lapic->model.irr_words))
		return -1;
	raw_spin_lock_irqsave(&lapic->lock, flags);
	vector = mvm_apic_pending(&lapic->model);
	if (vector >= 0)
		mvm_apic_accept(&lapic->model, vector);
	raw_spin_unlock_irqrestore(&lapic->lock, flags);
	return vector;
}

/**
 * mvm_lapic_ack() - take the local APIC's interrupt
 * @vcpu: the vCPU; it has a local APIC
 *
 * Return: its vector; -1: none may be delivered now, or the 8259's comes first.
 */
int mvm_lapic_ack(struct mvm_vcpu *vcpu)
{
	return lapic_extint(vcpu) ? -1 : lapic_ack(vcpu->lapic);
}

/**
 * mvm_irq_ack() - take the interrupt that mvm_irq_pending() promised, or -1
 * @vcpu: the vCPU
 */
int mvm_irq_ack(struct mvm_vcpu *vcpu)
{
	int vector = -1;

	if (!vcpu->lapic)
		return -1;
	if (lapic_extint(vcpu))
		vector = lapic_ack_extint(vcpu);
	return vector >= 0 ? vector : lapic_ack(vcpu->lapic);
}
