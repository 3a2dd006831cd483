// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the paravirtual services ask of a local APIC: whether the guest may do an EOI
 * in memory, and an interrupt to one APIC id.
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
