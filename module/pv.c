// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's paravirtual services: steal time and preemption hints, EOI without an
 * exit, hypercalls. The clock is clock.c's; pv.h says who calls what when.
 *
 * All of it is memory that the guest shares by writing an address into an MSR, or
 * a hypercall. The guest may take the memory away or lie in it: the harm is its own.
 */
#include <linux/sched.h>
#include <linux/uaccess.h>

#include <asm/kvm_para.h>
#include <uapi/linux/kvm_para.h>

#include "exit.h"
#include "irqchip/irqchip.h"
#include "mmu/mmu.h"
#include "pv.h"
#include "vcpu.h"

#define STEAL_ADDRESS  GENMASK_ULL(63, 6) /* 64-byte aligned; bits 5:1 are reserved */
#define EOI_ADDRESS    GENMASK_ULL(63, 2) /* bit 1 is reserved */
#define EOI_PENDING    1
#define IPI_RESERVED   (BIT(11) | GENMASK(19, 18)) /* physical, no shorthand: the mask names ids */

/* ------------------------------------------------------------------ features */

/* One row: feature bit, and where it is done. */
static const u8 features[] = {
	KVM_FEATURE_NOP_IO_DELAY, /* port 80h writes are pointless here */
	KVM_FEATURE_CLOCKSOURCE, /* clock.c */
	KVM_FEATURE_CLOCKSOURCE2, /* likewise, by the new MSR numbers */
	KVM_FEATURE_CLOCKSOURCE_STABLE_BIT, /* the page says itself when it is stable */
	KVM_FEATURE_PV_EOI, /* mvm_pv_eoi_*() */
	KVM_FEATURE_PV_UNHALT, /* KVM_HC_KICK_CPU */
	KVM_FEATURE_PV_TLB_FLUSH, /* the flag in the steal time page */
	KVM_FEATURE_PV_SEND_IPI, /* KVM_HC_SEND_IPI */
	KVM_FEATURE_POLL_CONTROL, /* halt.c obeys the MSR */
	KVM_FEATURE_PV_SCHED_YIELD, /* KVM_HC_SCHED_YIELD */
};

/**
 * mvm_pv_features() - what KVM_CPUID_FEATURES says in EAX
 *
 * Return: KVM_FEATURE_* bits; steal time only where the host counts run delay.
 */
u32 mvm_pv_features(void)
{
	u32 bits = mvm_has_run_delay() ? BIT(KVM_FEATURE_STEAL_TIME) : 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(features); i++)
		bits |= BIT(features[i]);
	return bits;
}

/* ----------------------------------------------------------------- the MSRs */

/**
 * mvm_pv_msr_read() - MSR_KVM_STEAL_TIME, _PV_EOI_EN, _POLL_CONTROL
 * @vcpu: the vCPU
 * @index: its number
 * @data: its value
 *
 * Return: 0, or 1: another one (#GP).
 */
int mvm_pv_msr_read(struct mvm_vcpu *vcpu, u32 index, u64 *data)
{
	switch (index) {
	case MSR_KVM_STEAL_TIME:
		*data = vcpu->pv.steal_msr;
		return 0;
	case MSR_KVM_PV_EOI_EN:
		*data = vcpu->pv.eoi_msr;
		return 0;
	case MSR_KVM_POLL_CONTROL:
		*data = vcpu->pv.host_polls;
		return 0;
	default:
		return 1;
	}
}

static int write_steal_msr(struct mvm_vcpu *vcpu, u64 data)
{
	if (!mvm_has_run_delay() || (data & ~(STEAL_ADDRESS | KVM_MSR_ENABLED)))
		return 1;
	vcpu->pv.steal_msr = data & KVM_MSR_ENABLED ? data : 0;
	vcpu->pv.steal_task = NULL; /* what was stolen before does not count */
	vcpu->pv.preempted = true; /* the page's hint is to be cleared */
	return 0;
}

/**
 * mvm_pv_msr_write() - the same, written by the guest or by userspace
 * @vcpu: the vCPU
 * @index: its number
 * @data: the new value; the pages' addresses are not looked at before they are used
 *
 * Context: the vCPU's thread; does not sleep.
 * Return: 0, or 1: another one, a reserved bit, or steal time where the host counts none (#GP).
 */
int mvm_pv_msr_write(struct mvm_vcpu *vcpu, u32 index, u64 data)
{
	switch (index) {
	case MSR_KVM_STEAL_TIME:
		return write_steal_msr(vcpu, data);
	case MSR_KVM_PV_EOI_EN:
		if (data & ~(EOI_ADDRESS | KVM_MSR_ENABLED))
			return 1;
		vcpu->pv.eoi_msr = data & KVM_MSR_ENABLED ? data : 0;
		return 0;
	case MSR_KVM_POLL_CONTROL:
		if (data & ~1ULL)
			return 1;
		WRITE_ONCE(vcpu->pv.host_polls, data);
		return 0;
	default:
		return 1;
	}
}

/**
 * mvm_pv_vcpu_reset() - power-up or INIT: nothing is shared, the host may poll
 * @vcpu: the vCPU
 */
void mvm_pv_vcpu_reset(struct mvm_vcpu *vcpu)
{
	vcpu->pv = (struct mvm_pv){ .host_polls = 1 };
}

/* --------------------------------------------------------------- steal time */

/*
 * What this thread waited for a CPU since the guest last heard of it. A vCPU that
 * changes its thread starts anew.
 */
static u64 stolen_since(struct mvm_vcpu *vcpu)
{
	u64 now = mvm_run_delay(), stolen = now - vcpu->pv.steal_seen;

	vcpu->pv.steal_seen = now;
	if (vcpu->pv.steal_task == current)
		return stolen;
	vcpu->pv.steal_task = current;
	return 0;
}

/* Add to the page, with its version odd meanwhile. 0 or -EFAULT. */
static int add_steal(struct mvm_vm *vm, gpa_t gpa, u64 stolen)
{
	const gpa_t version_gpa = gpa + offsetof(struct kvm_steal_time, version);
	struct kvm_steal_time page;
	u32 version;
	int err;

	err = mvm_gpa_read(vm, gpa, &page, sizeof(page));
	if (err)
		return err;
	version = (page.version + 1) | 1;
	page.steal += stolen;
	err = mvm_gpa_write(vm, version_gpa, &version, sizeof(version));
	smp_wmb(); /* pairs with the guest's read barriers: version, contents, version */
	if (!err)
		err = mvm_gpa_write(vm, gpa, &page.steal, sizeof(page.steal));
	smp_wmb(); /* likewise */
	version++;
	return err ? err : mvm_gpa_write(vm, version_gpa, &version, sizeof(version));
}

/*
 * Withdraw the hint. Another vCPU that saw it may have left its TLB flush to us; the
 * exchange makes sure that it either did so before or sends an IPI after.
 */
static void clear_preempted(struct mvm_vcpu *vcpu, gpa_t gpa)
{
	u8 old = KVM_VCPU_PREEMPTED;
	int ret = 1, tries;

	vcpu->pv.preempted = false;
	/* A guest that changes the byte all the time has its flush, and keeps the hint. */
	for (tries = 0; ret > 0 && tries < 8; tries++)
		ret = mvm_gpa_cmpxchg_u8(vcpu->vm, gpa, &old, 0, true);
	if (ret || (old & KVM_VCPU_FLUSH_TLB))
		mvm_vcpu_set_request(vcpu, MVM_REQ_TLB_FLUSH_GUEST);
}

/**
 * __mvm_pv_before_run() - mvm_pv_before_run() where the guest has a steal time page
 * @vcpu: the vCPU
 *
 * Takes back the preemption hint, does the TLB flush that another vCPU left with it, and adds
 * what was stolen since. A page outside memory is passed over. Context: the outer loop; may sleep.
 */
void __mvm_pv_before_run(struct mvm_vcpu *vcpu)
{
	gpa_t gpa = vcpu->pv.steal_msr & STEAL_ADDRESS;
	u64 stolen;

	if (vcpu->pv.preempted)
		clear_preempted(vcpu, gpa + offsetof(struct kvm_steal_time, preempted));
	stolen = stolen_since(vcpu);
	if (stolen)
		add_steal(vcpu->vm, gpa, stolen);
}

/**
 * mvm_pv_sched_out() - the thread is about to be descheduled: other vCPUs may see it
 * @vcpu: the vCPU
 *
 * Sets the preemption hint in the steal time page. Only between two instructions of the guest.
 * Context: the outer loop; may sleep.
 */
void mvm_pv_sched_out(struct mvm_vcpu *vcpu)
{
	gpa_t gpa = vcpu->pv.steal_msr & STEAL_ADDRESS;
	u8 hint = KVM_VCPU_PREEMPTED;

	if (likely(!vcpu->pv.steal_msr) || vcpu->pv.preempted)
		return;
	vcpu->pv.preempted = true;
	mvm_gpa_write(vcpu->vm, gpa + offsetof(struct kvm_steal_time, preempted), &hint,
		      sizeof(hint));
}

/* ---------------------------------------------------------------------- EOI */

/**
 * __mvm_pv_eoi_offer() - mvm_pv_eoi_offer() where the guest has given a byte for it
 * @vcpu: the vCPU
 *
 * Only while ending the interrupt in service has no other effect; a page that is not present gets
 * no offer. Context: the vCPU's thread, interrupts off.
 */
void __mvm_pv_eoi_offer(struct mvm_vcpu *vcpu)
{
	gpa_t gpa = vcpu->pv.eoi_msr & EOI_ADDRESS;
	u8 none = 0;

	/* With another interrupt waiting, the EOI's exit is what lets that in. */
	if (!mvm_lapic_eoi_is_silent(vcpu))
		return;
	vcpu->pv.eoi_offered = !mvm_gpa_cmpxchg_u8(vcpu->vm, gpa, &none, EOI_PENDING, false);
}

/**
 * __mvm_pv_eoi_collect() - mvm_pv_eoi_collect() where an offer is out
 * @vcpu: the vCPU
 * @may_sleep: the page may be brought in
 *
 * Takes the offer back and, where the guest has used it, ends the interrupt in the local APIC.
 * Return: true: done; false: the page is not present, and @may_sleep is not set.
 */
bool __mvm_pv_eoi_collect(struct mvm_vcpu *vcpu, bool may_sleep)
{
	gpa_t gpa = vcpu->pv.eoi_msr & EOI_ADDRESS;
	u8 offer = EOI_PENDING;
	int ret;

	ret = mvm_gpa_cmpxchg_u8(vcpu->vm, gpa, &offer, 0, may_sleep);
	if (ret < 0 && !may_sleep)
		return false;
	vcpu->pv.eoi_offered = false;
	if (ret > 0 && !(offer & EOI_PENDING))
		mvm_lapic_eoi(vcpu);
	return true;
}

/* --------------------------------------------------------------- hypercalls */

struct hypercall {
	u64 nr, arg[4];
	u64 mask; /* of a register: the caller's mode */
};

static u64 hc_nothing(struct mvm_vcpu *vcpu, const struct hypercall *call)
{
	return 0;
}

/* Wake a halted vCPU, also one that waits with interrupts off; remembered until it halts. */
static u64 hc_kick_cpu(struct mvm_vcpu *vcpu, const struct hypercall *call)
{
	struct mvm_vcpu *target = mvm_vcpu_by_id(vcpu->vm, call->arg[1]);

	if (target)
		mvm_vcpu_request(target, MVM_REQ_UNHALT);
	return 0;
}

/* One interrupt to all ids in a mask of two words, counted from a lowest id. */
static u64 hc_send_ipi(struct mvm_vcpu *vcpu, const struct hypercall *call)
{
	const u32 word_bits = call->mask == U32_MAX ? 32 : 64;
	u64 sent = 0, lowest = call->arg[2] & call->mask;
	u32 icr = call->arg[3], bit;

	if ((icr & IPI_RESERVED) || !mvm_irqchip_in_kernel(vcpu->vm))
		return -KVM_EINVAL;
	/* No id is so high, least of all the one that means every APIC. */
	for (bit = 0; bit < 2 * word_bits && lowest < MVM_MAX_VCPU_ID; bit++, lowest++) {
		if (call->arg[bit / word_bits] & BIT_ULL(bit % word_bits))
			sent += mvm_lapic_send_to(vcpu, lowest, icr);
	}
	return sent;
}

static u64 hc_sched_yield(struct mvm_vcpu *vcpu, const struct hypercall *call)
{
	vcpu->pv.yield_to = call->arg[0];
	mvm_vcpu_set_request(vcpu, MVM_REQ_YIELD);
	return 0;
}

/**
 * mvm_pv_yield() - MVM_REQ_YIELD: give the CPU to the vCPU that the guest named
 * @vcpu: who made KVM_HC_SCHED_YIELD; an APIC id that nobody has, or its own, does nothing
 *
 * Context: the outer loop; may sleep.
 */
void mvm_pv_yield(struct mvm_vcpu *vcpu)
{
	struct mvm_vcpu *target = mvm_vcpu_by_id(vcpu->vm, vcpu->pv.yield_to);

	if (target && target != vcpu)
		mvm_vcpu_yield_to(target);
}

static const struct {
	u64 nr;
	u64 (*fn)(struct mvm_vcpu *vcpu, const struct hypercall *call);
} hypercalls[] = {
	{ KVM_HC_VAPIC_POLL_IRQ, hc_nothing }, /* the exit itself is its effect */
	{ KVM_HC_KICK_CPU, hc_kick_cpu },
	{ KVM_HC_SEND_IPI, hc_send_ipi },
	{ KVM_HC_SCHED_YIELD, hc_sched_yield },
};

static u64 hypercall(struct mvm_vcpu *vcpu, const struct hypercall *call)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hypercalls); i++) {
		if (hypercalls[i].nr == call->nr)
			return hypercalls[i].fn(vcpu, call);
	}
	return -KVM_ENOSYS;
}

/* @mask: of a register, by the guest's mode. */
static void do_hypercall(struct mvm_vcpu *vcpu, u64 mask, bool allowed)
{
	const struct hypercall call = {
		.nr = vcpu->gpr[MVM_RAX] & mask,
		.arg = { vcpu->gpr[MVM_RBX] & mask, vcpu->gpr[MVM_RCX] & mask,
			 vcpu->gpr[MVM_RDX] & mask, vcpu->gpr[MVM_RSI] & mask },
		.mask = mask,
	};

	vcpu->gpr[MVM_RAX] = (allowed ? hypercall(vcpu, &call) : -KVM_EPERM) & mask;
}

/**
 * mvm_pv_hypercall() - VMCALL or VMMCALL: does it, with its result in the guest's RAX
 * @vcpu: the vCPU; number in RAX, arguments in RBX, RCX, RDX and RSI, 32 bits outside 64-bit mode
 *
 * -KVM_EPERM from CPL 1 to 3, -KVM_ENOSYS for an unknown number. Stepping over the instruction is
 * the caller's. Context: the vCPU's thread; does not sleep.
 */
void mvm_pv_hypercall(struct mvm_vcpu *vcpu)
{
	do_hypercall(vcpu, mvm_cpu_mode(vcpu) == MVM_MODE_LONG ? ~0ULL : U32_MAX, !mvm_cpl(vcpu));
}

/**
 * mvm_pv_hypercall_quick() - the same where the caller knows it for one from 64-bit code at CPL 0
 * @vcpu: the vCPU
 *
 * Context: inside vcpu_run(), interrupts off.
 */
void mvm_pv_hypercall_quick(struct mvm_vcpu *vcpu)
{
	do_hypercall(vcpu, ~0ULL, true);
}
