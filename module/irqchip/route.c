// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a message to the processors it is meant for, and from the 8259's output to
 * those that listen to it. A message takes each target's own lock, never two at
 * once; what leads here from a line is in line.c.
 */
#include "chips.h"

/* Hand @msg to one local APIC. Return: > 0 taken, 0 pending already, -1 refused. */
static int apic_deliver(struct mvm_vcpu *vcpu, const struct mvm_apic_msg *msg)
{
	int ret;

	lockdep_assert_held(&vcpu->lapic->lock);
	switch ((enum mvm_apic_delivery)msg->mode) {
	case MVM_APIC_FIXED:
	case MVM_APIC_LOWEST:
		ret = mvm_apic_post(&vcpu->lapic->model, msg->vector, msg->level);
		if (ret) /* refused, too: that may have raised the error interrupt */
			mvm_vcpu_request(vcpu, MVM_REQ_EVENT);
		return ret;
	case MVM_APIC_NMI:
		mvm_queue_nmi(vcpu);
		mvm_vcpu_request(vcpu, MVM_REQ_EVENT);
		return 1;
	case MVM_APIC_INIT:
		if (msg->assert)
			mvm_vcpu_init_signal(vcpu);
		return 1;
	case MVM_APIC_SIPI:
		mvm_vcpu_startup_signal(vcpu, msg->vector);
		return 1;
	case MVM_APIC_SMI: /* there is no SMM */
	case MVM_APIC_EXTINT: /* the 8259 comes through LINT0, not as a message */
		break;
	}
	return -1;
}

/*
 * Is @vcpu among the destinations? Without its lapic->lock: a message that races with
 * a change of what it matches may come before or after it.
 */
static bool apic_is_target(struct mvm_vcpu *vcpu, struct mvm_vcpu *sender,
			   const struct mvm_apic_msg *msg)
{
	if (msg->shorthand == MVM_APIC_SELF)
		return vcpu == sender;
	if (msg->shorthand == MVM_APIC_OTHERS)
		return vcpu != sender && mvm_apic_enabled(&vcpu->lapic->model);
	return mvm_apic_match(&vcpu->lapic->model, msg);
}

/*
 * Lowest priority: the matching APIC with the lowest processor priority, among
 * equals the one that had the fewest turns.
 */
static int apic_send_lowest(struct mvm_vm *vm, struct mvm_vcpu *sender,
			    const struct mvm_apic_msg *msg)
{
	struct mvm_vcpu *vcpu, *best = NULL;
	u64 best_rank = MVM_NEVER;
	unsigned long flags;
	int i, ret;

	mvm_for_each_vcpu(i, vcpu, vm) {
		struct mvm_apic *apic = &vcpu->lapic->model;
		u64 rank = (u64)(mvm_apic_ppr(apic) >> 4) << 32 | apic->turns;

		if (rank < best_rank && mvm_apic_sw_enabled(apic) &&
		    apic_is_target(vcpu, sender, msg)) {
			best = vcpu;
			best_rank = rank;
		}
	}
	if (!best)
		return -1;
	raw_spin_lock_irqsave(&best->lapic->lock, flags);
	best->lapic->model.turns++;
	ret = apic_deliver(best, msg);
	raw_spin_unlock_irqrestore(&best->lapic->lock, flags);
	return ret;
}

/* The one target of a message, where that is found at once. */
static struct mvm_vcpu *apic_only_target(struct mvm_vcpu *sender, struct mvm_vm *vm,
					 const struct mvm_apic_msg *msg)
{
	if (msg->shorthand == MVM_APIC_SELF)
		return sender;
	return msg->shorthand == MVM_APIC_DEST && !msg->logical ? mvm_apic_by_id(vm, msg->dest) :
								  NULL;
}

static int apic_send_one(struct mvm_vcpu *vcpu, const struct mvm_apic_msg *msg)
{
	unsigned long flags;
	int ret;

	raw_spin_lock_irqsave(&vcpu->lapic->lock, flags);
	ret = apic_deliver(vcpu, msg);
	raw_spin_unlock_irqrestore(&vcpu->lapic->lock, flags);
	return ret;
}

/**
 * mvm_apic_send() - deliver a message to all it is meant for
 * @vm: the VM
 * @sender: the vCPU whose ICR sends it; NULL from the I/O APIC
 * @msg: the message
 *
 * Context: any; no local APIC's lock held. Return: how many took it; 0 when it was
 * pending at all of them already; -1 when nobody took it.
 */
int mvm_apic_send(struct mvm_vm *vm, struct mvm_vcpu *sender, const struct mvm_apic_msg *msg)
{
	struct mvm_vcpu *vcpu;
	int i, ret, total = -1;

	vcpu = apic_only_target(sender, vm, msg);
	if (vcpu)
		return apic_is_target(vcpu, sender, msg) ? apic_send_one(vcpu, msg) : -1;
	if (msg->mode == MVM_APIC_LOWEST)
		return apic_send_lowest(vm, sender, msg);
	mvm_for_each_vcpu(i, vcpu, vm) {
		if (!apic_is_target(vcpu, sender, msg))
			continue;
		ret = apic_send_one(vcpu, msg);
		if (ret >= 0)
			total = max(total, 0) + ret;
	}
	return total;
}

/* The 8259's output rose and LINT0 is not a virtual wire but an interrupt or NMI input. */
static void pic_drive_lint0(struct mvm_vcpu *vcpu)
{
	u32 lvt = mvm_apic_reg(&vcpu->lapic->model, MVM_APIC_LVT_LINT0);
	struct mvm_apic_msg msg = { .vector = lvt & 0xff, .mode = (lvt >> 8) & 7 };

	if (!(lvt & MVM_APIC_LVT_MASKED) &&
	    (msg.mode == MVM_APIC_FIXED || msg.mode == MVM_APIC_NMI))
		apic_deliver(vcpu, &msg);
}

/**
 * __mvm_pic_changed() - the 8259 pair was touched: tell who listens to its output
 * @chip: the chips
 * @was_up: the output before the change
 */
void __mvm_pic_changed(struct mvm_irqchip *chip, bool was_up)
{
	struct mvm_vcpu *vcpu;
	unsigned long flags;
	int i;

	lockdep_assert_held(&chip->vm->irq_lock);
	if (!chip->pic.output)
		return;
	mvm_for_each_vcpu(i, vcpu, chip->vm) {
		raw_spin_lock_irqsave(&vcpu->lapic->lock, flags);
		if (mvm_apic_takes_extint(&vcpu->lapic->model))
			mvm_vcpu_request(vcpu, MVM_REQ_EVENT);
		else if (!was_up)
			pic_drive_lint0(vcpu);
		raw_spin_unlock_irqrestore(&vcpu->lapic->lock, flags);
	}
}
