/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The routing table: where each global system interrupt (GSI) goes.
 *
 * A table is built whole, published, and never changed: readers hold vm->irq_srcu,
 * which any context may take, and a replaced table is freed when the last of
 * them has let go. Building and searching are pure (gsi.c builds in userspace,
 * too); publishing and the injectors are in line.c.
 */
#ifndef MVM_IRQCHIP_GSI_H
#define MVM_IRQCHIP_GSI_H

#include "model.h"

/* Both the GSIs and the routes of a VM are bounded by it: KVM_CAP_IRQ_ROUTING. */
#define MVM_MAX_GSIS	4096
#define MVM_I8259_PINS	16

enum mvm_route_chip { MVM_ROUTE_MSI, MVM_ROUTE_PIC, MVM_ROUTE_IOAPIC };

/**
 * struct mvm_route - one way a GSI goes
 * @gsi: which
 * @chip: to a message, or to an input of a chip
 * @pin: the input; the 8259 pair's are 0 to 15
 * @placed: while the table is built: this place is taken
 * @msg: the message
 */
struct mvm_route {
	u16 gsi;
	u8 chip; /* enum mvm_route_chip */
	u8 pin;
	bool placed;
	struct mvm_apic_msg msg;
};

/**
 * struct mvm_gsi_table - a VM's routing
 * @nr_gsis: GSIs from here on have no route
 * @nr_routes: how many
 * @pic_gsi: by input of the 8259 pair, the GSI that goes there, or -1
 * @ioapic_gsi: likewise for the I/O APIC
 * @level_vectors: of the messages of the first GSIs (see mvm_gsi_table_fill()), the vectors of
 *	those that are level-triggered
 * @first: by GSI, its first route; the next GSI's is behind its last
 * @routes: by GSI
 */
struct mvm_gsi_table {
	u32 nr_gsis;
	u32 nr_routes;
	s16 pic_gsi[MVM_I8259_PINS];
	s16 ioapic_gsi[MVM_IOAPIC_PINS];
	u32 level_vectors[8];
	u16 *first;
	struct mvm_route routes[];
};

/* What the routes may name. */
struct mvm_gsi_rules {
	bool chips; /* the 8259 pair and the I/O APIC are there */
	bool wide_msi; /* 32-bit destinations in messages */
	u32 split_pins; /* GSIs that stand for the inputs of userspace's I/O APIC */
};

size_t mvm_gsi_table_size(const struct kvm_irq_routing_entry *entries, u32 n);
int mvm_gsi_table_fill(struct mvm_gsi_table *table, const struct kvm_irq_routing_entry *entries,
		       u32 n, const struct mvm_gsi_rules *rules);
bool mvm_gsi_table_equal(const struct mvm_gsi_table *a, const struct mvm_gsi_table *b);
const struct mvm_route *mvm_gsi_routes(const struct mvm_gsi_table *table, u32 gsi, u32 *n);
u32 mvm_gsi_defaults(struct kvm_irq_routing_entry *entries);

/* How many entries mvm_gsi_defaults() writes. */
#define MVM_GSI_NR_DEFAULTS (MVM_IOAPIC_PINS + MVM_I8259_PINS)

#endif
