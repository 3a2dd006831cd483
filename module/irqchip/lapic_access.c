// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vCPU's way to its local APIC's registers: MMIO page, x2APIC MSRs,
 * IA32_APIC_BASE, IA32_TSC_DEADLINE, CR8, and the state ioctls.
 *
 * The model decides what a write does inside the APIC; what reaches further (an
 * IPI, the I/O APIC's EOI, the hrtimer) is done here, after lapic->lock has been
 * dropped where another lock is needed.
 */
#include <asm/apicdef.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>

#include "chips.h"

/* The page a guest writes through when no APIC answers there reads as this. */
#define LAPIC_NOTHING_THERE 0xff

/* --------------------------------------------------------------- registers */

/* Send what the ICR says; a Fixed message needs a vector that exists. */
static void lapic_send_icr(struct mvm_vcpu *vcpu, const struct mvm_apic_msg *msg)
{
	struct mvm_lapic *lapic = vcpu->lapic;
	unsigned long flags;

	if (msg->vector < 16 && msg->mode <= MVM_APIC_LOWEST) {
		raw_spin_lock_irqsave(&lapic->lock, flags);
		mvm_apic_error(&lapic->model, MVM_APIC_ESR_SEND_VECTOR);
		raw_spin_unlock_irqrestore(&lapic->lock, flags);
		return;
	}
	mvm_apic_send(vcpu->vm, vcpu, msg);
}

/* An xAPIC's id can be written: from then on ids are not the way to find a vCPU. */
static void lapic_id_changed(struct mvm_lapic *lapic)
{
	if (mvm_apic_reg(&lapic->model, MVM_APIC_ID) != lapic->model.id << 24)
		WRITE_ONCE(lapic->vcpu->vm->apic_ids_moved, true);
}

/* Registers whose write changes no more than what is pending in this APIC. */
static bool concerns_pending_alone(unsigned int nr)
{
	return nr == MVM_APIC_EOI || nr == MVM_APIC_TPR || nr == MVM_APIC_ICR ||
	       nr == MVM_APIC_SELF_IPI;
}

/* Write a register and do what it calls for. 0, or 1 where there is no such register. */
static int lapic_write(struct mvm_vcpu *vcpu, unsigned int nr, u32 val)
{
	struct mvm_lapic *lapic = vcpu->lapic;
	/* The time costs more than the rest: only where it counts. */
	u64 now = mvm_apic_reg_has_time(nr) ? ktime_get_ns() : 0;
	struct mvm_apic_msg msg;
	bool eoi_level, pending;
	unsigned long flags;
	u8 eoi_vector;
	u32 fx;

	raw_spin_lock_irqsave(&lapic->lock, flags);
	fx = mvm_apic_write(&lapic->model, nr, val, now);
	if (nr == MVM_APIC_ID)
		lapic_id_changed(lapic);
	if (fx & MVM_APIC_FX_TIMER)
		__mvm_lapic_arm(lapic, now);
	if (fx & MVM_APIC_FX_IPI)
		mvm_apic_icr_msg(&lapic->model, &msg);
	if (fx & MVM_APIC_FX_SELF)
		msg = (struct mvm_apic_msg) { .vector = val, .shorthand = MVM_APIC_SELF };
	eoi_vector = lapic->model.eoi_vector;
	eoi_level = lapic->model.eoi_level;
	pending = mvm_apic_pending(&lapic->model) >= 0;
	raw_spin_unlock_irqrestore(&lapic->lock, flags);

	if (fx & (MVM_APIC_FX_IPI | MVM_APIC_FX_SELF))
		lapic_send_icr(vcpu, &msg);
	if (fx & MVM_APIC_FX_EOI)
		mvm_irq_eoi(vcpu, eoi_vector, eoi_level);
	/* What an IPI to itself or the I/O APIC posts asks for its own look. */
	if (pending || !concerns_pending_alone(nr))
		mvm_vcpu_set_request(vcpu, MVM_REQ_EVENT);
	return fx & MVM_APIC_FX_BAD ? 1 : 0;
}

/*
 * What a guest writes with each interrupt has shorter ways, for who comes by an MSR, CR8
 * or the paravirtual EOI: nothing changes but what is pending, here or elsewhere.
 */

/**
 * mvm_lapic_eoi() - end the interrupt of highest priority in service, if any
 * @vcpu: the vCPU; it has a local APIC
 */
void mvm_lapic_eoi(struct mvm_vcpu *vcpu)
{
	struct mvm_lapic *lapic = vcpu->lapic;
	bool level, pending;
	unsigned long flags;
	int vector;

	raw_spin_lock_irqsave(&lapic->lock, flags);
	vector = mvm_apic_eoi(&lapic->model);
	level = lapic->model.eoi_level;
	pending = vector >= 0 && mvm_apic_pending(&lapic->model) >= 0;
	raw_spin_unlock_irqrestore(&lapic->lock, flags);
	if (vector >= 0)
		mvm_irq_eoi(vcpu, vector, level);
	if (pending)
		mvm_vcpu_set_request(vcpu, MVM_REQ_EVENT);
}

static void lapic_set_tpr(struct mvm_vcpu *vcpu, u8 tpr)
{
	struct mvm_lapic *lapic = vcpu->lapic;
	unsigned long flags;
	bool pending;

	raw_spin_lock_irqsave(&lapic->lock, flags);
	mvm_apic_set_reg(&lapic->model, MVM_APIC_TPR, tpr);
	pending = mvm_apic_pending(&lapic->model) >= 0;
	raw_spin_unlock_irqrestore(&lapic->lock, flags);
	if (pending)
		mvm_vcpu_set_request(vcpu, MVM_REQ_EVENT);
}

static int lapic_read(struct mvm_vcpu *vcpu, unsigned int nr, u32 *val)
{
	struct mvm_lapic *lapic = vcpu->lapic;
	unsigned long flags;
	int ret;

	raw_spin_lock_irqsave(&lapic->lock, flags);
	ret = mvm_apic_read(&lapic->model, nr, mvm_apic_reg_has_time(nr) ? ktime_get_ns() : 0, val);
	raw_spin_unlock_irqrestore(&lapic->lock, flags);
	return ret;
}

/**
 * mvm_lapic_mmio() - an access to the xAPIC's page
 * @vcpu: the vCPU
 * @gpa: guest physical address
 * @len: bytes
 * @data: what is read or written
 * @write: a write rather than a read
 *
 * Registers are 32 bits wide on 16-byte boundaries: an aligned 32-bit write
 * counts, every other is dropped; a read may take part of a register. Where the
 * APIC is disabled or in x2APIC mode the page reads as ones, as KVM has it.
 * Return: false when @gpa is outside the page.
 */
bool mvm_lapic_mmio(struct mvm_vcpu *vcpu, gpa_t gpa, int len, void *data, bool write)
{
	struct mvm_lapic *lapic = vcpu->lapic;
	u64 base;
	u32 offset, val;

	if (!lapic)
		return false;
	base = READ_ONCE(lapic->model.base);
	if ((gpa & MVM_APIC_BASE_ADDR) != (base & MVM_APIC_BASE_ADDR))
		return false;
	offset = gpa & ~MVM_APIC_BASE_ADDR;
	if (!(base & MVM_APIC_BASE_ENABLE) || (base & MVM_APIC_BASE_X2APIC)) {
		if (!write)
			memset(data, LAPIC_NOTHING_THERE, len);
		return true;
	}
	if (write) {
		if (len != sizeof(val) || (offset & 0xf))
			return true;
		memcpy(&val, data, sizeof(val));
		lapic_write(vcpu, offset / 16, val);
		return true;
	}
	memset(data, 0, len);
	if ((offset & 0xf) + len <= sizeof(val)) {
		lapic_read(vcpu, offset / 16, &val);
		memcpy(data, (u8 *)&val + (offset & 3), len);
	}
	return true;
}

/* ---------------------------------------------------------------- MSRs, CR8 */

/**
 * mvm_lapic_base() - read IA32_APIC_BASE
 * @vcpu: the vCPU
 *
 * Context: any; takes no lock.
 * Return: the MSR; its reset value where no local APIC is in the kernel.
 */
u64 mvm_lapic_base(struct mvm_vcpu *vcpu)
{
	if (vcpu->lapic)
		return READ_ONCE(vcpu->lapic->model.base);
	return MVM_APIC_DEFAULT_PHYS | MVM_APIC_BASE_ENABLE |
	       (vcpu->id == vcpu->vm->bsp_id ? MVM_APIC_BASE_BSP : 0);
}

/**
 * mvm_lapic_set_base() - write IA32_APIC_BASE
 * @vcpu: the vCPU
 * @base: the new value
 * @host: from an ioctl
 *
 * Without an in-kernel APIC there is nothing to set: the write is accepted and
 * the reset value stays. Return: 0, or 1 = #GP.
 */
int mvm_lapic_set_base(struct mvm_vcpu *vcpu, u64 base, bool host)
{
	struct mvm_lapic *lapic = vcpu->lapic;
	unsigned long flags;
	int ret;

	if (!lapic)
		return 0;
	if (base & vcpu->maxphyaddr_rsvd)
		return 1;
	if (!host && (base & MVM_APIC_BASE_X2APIC) && !mvm_guest_has(vcpu, X86_FEATURE_X2APIC))
		return 1;
	raw_spin_lock_irqsave(&lapic->lock, flags);
	ret = mvm_apic_set_base(&lapic->model, base, host);
	__mvm_lapic_arm(lapic, ktime_get_ns());
	raw_spin_unlock_irqrestore(&lapic->lock, flags);
	mvm_vcpu_set_request(vcpu, MVM_REQ_EVENT);
	return ret;
}

/**
 * mvm_lapic_get_deadline() - read IA32_TSC_DEADLINE
 * @vcpu: the vCPU
 *
 * Return: the deadline; 0 where the timer is in another mode, or there is none.
 */
u64 mvm_lapic_get_deadline(struct mvm_vcpu *vcpu)
{
	struct mvm_lapic *lapic = vcpu->lapic;
	unsigned long flags;
	u64 deadline = 0;

	if (!lapic)
		return 0;
	raw_spin_lock_irqsave(&lapic->lock, flags);
	if (mvm_apic_timer_mode(&lapic->model) == MVM_APIC_TSC_DEADLINE)
		deadline = lapic->model.tsc_deadline;
	raw_spin_unlock_irqrestore(&lapic->lock, flags);
	return deadline;
}

/**
 * mvm_lapic_set_deadline() - write IA32_TSC_DEADLINE
 * @vcpu: the vCPU
 * @deadline: guest TSC; 0 disarms. Counts in TSC-deadline mode alone
 */
void mvm_lapic_set_deadline(struct mvm_vcpu *vcpu, u64 deadline)
{
	struct mvm_lapic *lapic = vcpu->lapic;
	unsigned long flags;

	if (!lapic)
		return;
	raw_spin_lock_irqsave(&lapic->lock, flags);
	if (mvm_apic_timer_mode(&lapic->model) == MVM_APIC_TSC_DEADLINE) {
		lapic->model.tsc_deadline = deadline;
		/* A timer that waits for an earlier one finds this when it comes. */
		if (lapic->backend_waits)
			lapic_set_deadline(lapic, deadline ?: MVM_NEVER);
		else if (deadline < lapic->armed_tsc)
			__mvm_lapic_arm(lapic, ktime_get_ns());
	}
	raw_spin_unlock_irqrestore(&lapic->lock, flags);
}

static bool in_x2apic_mode(const struct mvm_lapic *lapic)
{
	return lapic && (READ_ONCE(lapic->model.base) & MVM_APIC_BASE_X2APIC);
}

/**
 * mvm_lapic_msr_read() - RDMSR of an x2APIC register
 * @vcpu: the vCPU
 * @index: 800H to 8FFH
 * @data: the value
 *
 * Return: 0, or 1 = #GP.
 */
int mvm_lapic_msr_read(struct mvm_vcpu *vcpu, u32 index, u64 *data)
{
	const unsigned int nr = index - APIC_BASE_MSR;
	u32 low, high = 0;

	if (!in_x2apic_mode(vcpu->lapic) || lapic_read(vcpu, nr, &low))
		return 1;
	if (nr == MVM_APIC_ICR)
		high = mvm_apic_reg(&vcpu->lapic->model, MVM_APIC_ICR2);
	*data = (u64)high << 32 | low;
	return 0;
}

/* A Fixed interrupt for one processor; to itself it goes in with the next entry. */
static void lapic_send_fixed(struct mvm_vcpu *vcpu, struct mvm_vcpu *to, u8 vector)
{
	struct mvm_lapic *lapic = to->lapic;
	unsigned long flags;
	int ret;

	raw_spin_lock_irqsave(&lapic->lock, flags);
	ret = mvm_apic_post(&lapic->model, vector, false);
	raw_spin_unlock_irqrestore(&lapic->lock, flags);
	if (!ret)
		return; /* refused is not the same: that may have raised the error interrupt */
	mvm_vcpu_set_request(to, MVM_REQ_EVENT);
	if (to != vcpu)
		mvm_vcpu_kick(to);
}

/* Whom an ICR means that asks for no more than that, of a vector that exists; else NULL. */
static struct mvm_vcpu *icr_target(struct mvm_vcpu *vcpu, u64 icr)
{
	const u8 shorthand = (icr >> 18) & 3;
	const bool logical = icr & BIT(11);

	if (((icr >> 8) & 7) != MVM_APIC_FIXED || (icr & 0xff) < 16)
		return NULL;
	if (shorthand == MVM_APIC_SELF)
		return vcpu;
	return shorthand == MVM_APIC_DEST && !logical ? mvm_apic_by_id(vcpu->vm, icr >> 32) : NULL;
}

/* Without the lock: none but the vCPU's own thread comes to the ICR. */
static noinline void lapic_send_message(struct mvm_vcpu *vcpu)
{
	struct mvm_apic_msg msg;

	mvm_apic_icr_msg(&vcpu->lapic->model, &msg);
	lapic_send_icr(vcpu, &msg);
}

static int lapic_write_icr(struct mvm_vcpu *vcpu, u64 icr)
{
	struct mvm_vcpu *to;

	if (!mvm_apic_write_icr(&vcpu->lapic->model, icr))
		return 1;
	to = icr_target(vcpu, icr);
	if (to)
		lapic_send_fixed(vcpu, to, icr);
	else
		lapic_send_message(vcpu);
	return 0;
}

/* Not inline: the shorter ways do not pay for it. */
static noinline int lapic_msr_write_any(struct mvm_vcpu *vcpu, unsigned int nr, u64 data)
{
	if (nr == MVM_APIC_ICR)
		return lapic_write_icr(vcpu, data);
	/* The upper half of every other register is reserved. */
	return data >> 32 ? 1 : lapic_write(vcpu, nr, data);
}

/**
 * mvm_lapic_msr_write() - WRMSR to an x2APIC register
 * @vcpu: the vCPU
 * @index: 800H to 8FFH
 * @data: the value
 *
 * Return: 0, or 1 = #GP.
 */
int mvm_lapic_msr_write(struct mvm_vcpu *vcpu, u32 index, u64 data)
{
	const unsigned int nr = index - APIC_BASE_MSR;

	if (!in_x2apic_mode(vcpu->lapic))
		return 1;
	/* Short ways for what they take; the rest is lapic_write()'s, #GP with it. */
	if (nr == MVM_APIC_EOI && !data)
		mvm_lapic_eoi(vcpu);
	else if (nr == MVM_APIC_TPR && data <= U8_MAX)
		lapic_set_tpr(vcpu, data);
	else if (nr == MVM_APIC_SELF_IPI && data > 15 && data <= U8_MAX)
		lapic_send_fixed(vcpu, vcpu, data);
	else
		return lapic_msr_write_any(vcpu, nr, data);
	return 0;
}

/**
 * mvm_lapic_get_cr8() - read CR8 ("Task Priority in IA-32e Mode")
 * @vcpu: the vCPU
 *
 * Context: the vCPU's thread.
 * Return: bits 7:4 of the TPR; 0 where no local APIC is in the kernel.
 */
u64 mvm_lapic_get_cr8(struct mvm_vcpu *vcpu)
{
	return vcpu->lapic ? mvm_apic_reg(&vcpu->lapic->model, MVM_APIC_TPR) >> 4 : 0;
}

/**
 * mvm_lapic_set_cr8() - write CR8, and with it the whole TPR
 * @vcpu: the vCPU; nothing happens where no local APIC is in the kernel
 * @cr8: bits 3:0 count
 *
 * Asks for a look at events where one is deliverable now. Context: the vCPU's thread,
 * interrupts on or off.
 */
void mvm_lapic_set_cr8(struct mvm_vcpu *vcpu, u64 cr8)
{
	if (vcpu->lapic)
		lapic_set_tpr(vcpu, (cr8 & 0xf) << 4);
}

/* ------------------------------------------------------------------- state */

/**
 * mvm_lapic_get_state() - KVM_GET_LAPIC
 * @vcpu: the vCPU; its APIC timer is held until the next KVM_RUN
 * @s: the saved registers
 *
 * Context: as mvm_lapic_hold_timer(): outside of KVM_RUN, vcpu->lock held.
 * Return: 0, or -EINVAL: no local APIC in the kernel.
 */
int mvm_lapic_get_state(struct mvm_vcpu *vcpu, struct kvm_lapic_state *s)
{
	struct mvm_lapic *lapic = vcpu->lapic;
	unsigned long flags;

	if (!lapic)
		return -EINVAL;
	mvm_lapic_hold_timer(lapic);
	raw_spin_lock_irqsave(&lapic->lock, flags);
	mvm_apic_get_state(&lapic->model, s, ktime_get_ns());
	raw_spin_unlock_irqrestore(&lapic->lock, flags);
	return 0;
}

/**
 * mvm_lapic_set_state() - KVM_SET_LAPIC
 * @vcpu: the vCPU; its APIC timer is armed anew, and events are looked at again
 * @s: the saved registers
 *
 * Context: outside of KVM_RUN, vcpu->lock held.
 * Return: 0; -EINVAL: no local APIC in the kernel, or as mvm_apic_set_state().
 */
int mvm_lapic_set_state(struct mvm_vcpu *vcpu, const struct kvm_lapic_state *s)
{
	struct mvm_lapic *lapic = vcpu->lapic;
	u64 now = ktime_get_ns();
	unsigned long flags;
	int ret;

	if (!lapic)
		return -EINVAL;
	raw_spin_lock_irqsave(&lapic->lock, flags);
	ret = mvm_apic_set_state(&lapic->model, s, now);
	lapic_id_changed(lapic);
	__mvm_lapic_arm(lapic, now);
	raw_spin_unlock_irqrestore(&lapic->lock, flags);
	mvm_vcpu_set_request(vcpu, MVM_REQ_EVENT);
	return ret;
}
