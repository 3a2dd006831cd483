/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts for the tests: lines, routes, messages, and what a local APIC was asked
 * for. Functions return 0 or -errno unless they say otherwise.
 */
#ifndef MVM_IRQ_UTIL_H
#define MVM_IRQ_UTIL_H

#include "mvm_util.h"

#define TIRQ_MSI_ADDR	0xfee00000u	/* to the local APIC with id 0 */
#define TIRQ_LEVEL	0x8000u		/* in a message's data: level-triggered */

/* KVM_IRQ_LINE_STATUS: its status, or -errno below -1. */
int tirq_status(struct tvm *vm, uint32_t gsi, int level);

/* Entries for KVM_SET_GSI_ROUTING. */
struct kvm_irq_routing_entry tirq_msi(uint32_t gsi, uint32_t data);
struct kvm_irq_routing_entry tirq_pin(uint32_t gsi, uint32_t chip, uint32_t pin);
int tirq_route(struct tvm *vm, const struct kvm_irq_routing_entry *entries, uint32_t n);

/* KVM_IRQFD with @flags; @resample is its second eventfd. */
int tirq_irqfd(struct tvm *vm, int fd, uint32_t gsi, uint32_t flags, int resample);

/* Registers of a local APIC, by their xAPIC offset. */
int tlapic_get(struct tvcpu *vcpu, uint32_t offset, uint32_t *val);
int tlapic_set(struct tvcpu *vcpu, uint32_t offset, uint32_t val);
/* Software-enable it. */
int tlapic_enable(struct tvcpu *vcpu);
/* Is @vector requested? 1 or 0; with @clear the request is taken away. */
int tlapic_requested(struct tvcpu *vcpu, uint8_t vector, bool clear);
/* One redirection entry, written the way KVM_SET_IRQCHIP does. */
int tioapic_set(struct tvm *vm, unsigned int pin, uint64_t entry);
int tioapic_get(struct tvm *vm, unsigned int pin, uint64_t *entry);

#endif /* MVM_IRQ_UTIL_H */
