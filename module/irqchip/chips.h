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

#include "irqchip.h"
#include "model.h"

#define MVM_NR_GSIS MVM_IOAPIC_PINS

/* Who drives a GSI; the line is the OR of them. */
#define MVM_GSI_USER BIT(0)
#define MVM_GSI_PIT  BIT(1)

/**
 * struct mvm_irqchip - the VM-wide chips. All [Q]
 * @sources: by GSI, MVM_GSI_* of those that hold the line up
 */
struct mvm_irqchip {
	struct mvm_vm *vm;
	struct mvm_i8259 pic;
	struct mvm_ioapic ioapic;
	u8 sources[MVM_NR_GSIS];
};

/**
 * struct mvm_pit - the 8254 with its timer. [Q]
 * @due: when IRQ 0 is to be raised next; MVM_NEVER = not armed
 * @last_irq: when IRQ 0 was last raised
 * @speaker: port 61h is ours too [I]
 */
struct mvm_pit {
	struct mvm_vm *vm;
	struct mvm_i8254 model;
	struct hrtimer timer;
	u64 due;
	u64 last_irq;
	bool speaker;
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
};

/* route.c. vm->irq_lock held by the first three. */
int __mvm_gsi_set(struct mvm_irqchip *chip, u32 gsi, u8 source, bool level);
void __mvm_ioapic_eoi(struct mvm_irqchip *chip, u8 vector);
void __mvm_pic_changed(struct mvm_irqchip *chip, bool was_up);
int mvm_apic_send(struct mvm_vm *vm, struct mvm_vcpu *sender, const struct mvm_apic_msg *msg);

/* lapic_vcpu.c. lapic->lock held. */
void __mvm_lapic_arm(struct mvm_lapic *lapic, u64 now);

/* lapic_access.c */
bool mvm_lapic_mmio(struct mvm_vcpu *vcpu, gpa_t gpa, int len, void *data, bool write);

/* pit.c. vm->irq_lock held. */
bool __mvm_pit_pio(struct mvm_pit *pit, u16 port, u8 *val, bool write);

#endif
