// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the paravirtual services ask of a local APIC: an EOI that the guest did in
 * memory, and an interrupt to one APIC id.
 */
#include "chips.h"

/**
 * mvm_lapic_eoi_is_silent() - may the guest end its interrupt without anybody hearing?
 * @vcpu: the vCPU
 */
bool mvm_lapic_eoi_is_silent(struct mvm_vcpu *vcpu)
{
	struct mvm_lapic *lapic = vcpu->lapic;
	unsigned long flags;
	bool silent;

	if (!lapic || mvm_ends_matter(vcpu->vm))
		return false;
	raw_spin_lock_irqsave(&lapic->lock, flags);
	silent = mvm_apic_eoi_is_silent(&lapic->model);
	raw_spin_unlock_irqrestore(&lapic->lock, flags);
	return silent;
}

/**
 * mvm_lapic_eoi() - end the interrupt that mvm_lapic_eoi_is_silent() spoke of
 * @vcpu: the vCPU
 */
void mvm_lapic_eoi(struct mvm_vcpu *vcpu)
{
	unsigned long flags;
	int vector;

	raw_spin_lock_irqsave(&vcpu->lapic->lock, flags);
	vector = mvm_apic_eoi(&vcpu->lapic->model);
	raw_spin_unlock_irqrestore(&vcpu->lapic->lock, flags);
	if (vector >= 0)
		mvm_irq_eoi(vcpu, vector, false);
	mvm_vcpu_set_request(vcpu, MVM_REQ_EVENT);
}

/**
 * mvm_lapic_send_to() - send an interrupt to one APIC
 * @vcpu: the sender
 * @dest: APIC id
 * @icr: vector and delivery mode, as in the ICR; the trigger is an edge
 *
 * Return: how many took it, 0 or 1.
 */
int mvm_lapic_send_to(struct mvm_vcpu *vcpu, u32 dest, u32 icr)
{
	const struct mvm_apic_msg msg = {
		.dest = dest,
		.vector = icr & 0xff,
		.mode = (icr >> 8) & 7,
		.assert = true,
		.wide = true,
	};

	return mvm_apic_send(vcpu->vm, vcpu, &msg) > 0;
}
