/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel objects around the models, for the files of irqchip/ alone.
 *
 * Locks, both raw and taken with interrupts off, from any context:
 *
 *	vm->irq_lock	the 8259 pair, the I/O APIC, the 8254, the input lines
 *	  lapic->lock	one local APIC; never two at once
 *
 * So what a vCPU does with its own APIC (TPR, EOI, timer, acceptance) contends
 * with nothing but a sender to that very APIC.
 */
#ifndef MVM_IRQCHIP_CHIPS_H
#define MVM_IRQCHIP_CHIPS_H

#include "gsi.h"
#include "irqchip.h"
#include "model.h"

/**
 * struct mvm_irqchip - the VM-wide chips
 * @vm: the VM
 * @pic: [Q]; unused with a split irqchip
 * @ioapic: likewise
 * @pic_sources: by input, MVM_SOURCE_* of those that hold the line up [Q]
 * @ioapic_sources: likewise
 * @split: local APICs alone: the other chips are userspace's [I]
 * @split_pins: with @split: how many GSIs stand for inputs of userspace's I/O APIC [I]
 * @routing: where the GSIs go; changed under vm->irq_setup_lock, read under vm->irq_srcu
 */
struct mvm_irqchip {
	struct mvm_vm *vm;
	struct mvm_i8259 pic;
	struct mvm_ioapic ioapic;
	u8 pic_sources[MVM_I8259_PINS];
	u8 ioapic_sources[MVM_IOAPIC_PINS];
	bool split;
	u32 split_pins;
	struct mvm_gsi_table __rcu *routing;
};

/**
 * struct mvm_pit - the 8254 with its timer. [Q]
 * @due: when IRQ 0 is to be raised next; MVM_NEVER = not armed
 * @last_irq: when IRQ 0 was last raised
 * @speaker: port 61h is ours too [I]
 * @reinject: ticks that could not be given are owed
 * @unended: with @reinject: the guest has a tick that it has not ended
 * @owed: with @reinject: how many are to follow
 */
struct mvm_pit {
	struct mvm_vm *vm;
	struct mvm_i8254 model;
	struct hrtimer timer;
	u64 due;
	u64 last_irq;
	bool speaker;
	bool reinject;
	bool unended;
	u32 owed;
};

/**
 * struct mvm_lapic - one vCPU's local APIC
 * @model: under @lock
 */
struct mvm_lapic {
	raw_spinlock_t lock;
	struct mvm_vcpu *vcpu;
	struct mvm_apic model;
	struct hrtimer timer;
	u64 armed_tsc; /* the TSC deadline that the timer waits for, MVM_NEVER = none */
	bool backend_waits; /* for a TSC deadline, and not the timer */
};

/* line.c */
int mvm_apic_send_device(struct mvm_vm *vm, const struct mvm_apic_msg *msg);
int mvm_routing_default(struct mvm_irqchip *chip);
void mvm_routing_destroy(struct mvm_irqchip *chip);
/* vm->irq_lock held. */
int __mvm_gsi_set(struct mvm_irqchip *chip, u32 gsi, u8 source, bool level);
/* From interrupts that ended to their lines: inputs as one mask, see line.c. */
#define MVM_PINS_PIC_SHIFT MVM_IOAPIC_PINS
void __mvm_pins_acked(struct mvm_irqchip *chip, u64 pins);
void __mvm_pins_unmasked(struct mvm_irqchip *chip, u64 pins);
/* Afterwards, without any lock. */
void mvm_pins_resample(struct mvm_irqchip *chip, u64 pins);
void mvm_irq_eoi(struct mvm_vcpu *vcpu, u8 vector, bool level);

/* irqfd.c */
void mvm_irqfd_resample(struct mvm_vm *vm, u32 gsi);

/* route.c. vm->irq_lock held by the first. */
void __mvm_pic_changed(struct mvm_irqchip *chip, bool was_up);
int mvm_apic_send(struct mvm_vm *vm, struct mvm_vcpu *sender, const struct mvm_apic_msg *msg);

/* lapic_vcpu.c. lapic->lock held by the second. */
void mvm_lapic_hold_timer(struct mvm_lapic *lapic);
void __mvm_lapic_arm(struct mvm_lapic *lapic, u64 now);
/* @backend_waits: until when. In the vCPU's thread or with its lock, lapic->lock held. */
static inline void lapic_set_deadline(struct mvm_lapic *lapic, u64 deadline)
{
	lapic->vcpu->deadline = deadline;
	lapic->vcpu->each_entry |= MVM_EACH_DEADLINE;
}

/* lapic_access.c */
bool mvm_lapic_mmio(struct mvm_vcpu *vcpu, gpa_t gpa, int len, void *data, bool write);

/* Does the end of an interrupt matter beyond the chip that it ends at? Without a lock. */
static inline bool mvm_ends_matter(struct mvm_vm *vm)
{
	struct mvm_pit *pit = READ_ONCE(vm->pit);

	return !xa_empty(&vm->resamplers) || (pit && READ_ONCE(pit->unended));
}

/* pit.c. vm->irq_lock held. */
void __mvm_pit_ended(struct mvm_pit *pit);
void __mvm_pit_forget(struct mvm_pit *pit);
bool mvm_pit_owns(const struct mvm_pit *pit, u16 port); /* without the lock, too */
bool __mvm_pit_pio(struct mvm_pit *pit, u16 port, u8 *val, bool write);

/**
 * mvm_apic_by_id() - the vCPU that a physical APIC id means, without asking all
 * @vm: the VM
 * @dest: the id
 *
 * Context: any. Return: NULL where there is none, or it is not so simple.
 */
static inline struct mvm_vcpu *mvm_apic_by_id(struct mvm_vm *vm, u32 dest)
{
	/* 255 is a broadcast, for an x2APIC from a narrow source alone. */
	if (dest >= 0xff || READ_ONCE(vm->apic_ids_moved))
		return NULL;
	return mvm_vcpu_by_id(vm, dest);
}

#endif
