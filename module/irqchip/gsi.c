// SPDX-License-Identifier: GPL-2.0-only
/*
 * Building the routing table from KVM_SET_GSI_ROUTING's entries, and looking into
 * it. Pure: see gsi.h.
 *
 * A GSI goes to one message, or to at most one input of each chip. The routes are
 * stored by GSI, so that an injector finds its GSI's by index; of those of one GSI
 * the order does not matter.
 */
#include "gsi.h"

#ifdef __KERNEL__
#include <linux/nospec.h>
#else
#define array_index_nospec(index, size) (index)
#endif

static u32 count_gsis(const struct kvm_irq_routing_entry *entries, u32 n)
{
	u32 i, last = 0;

	for (i = 0; i < n; i++)
		last = max(last, entries[i].gsi);
	return n ? last + 1 : 0;
}

/**
 * mvm_gsi_table_size() - the bytes a table of these entries takes; 0 = a GSI is out of range
 * @entries: KVM_SET_GSI_ROUTING's
 * @n: how many, at most MVM_MAX_GSIS
 */
size_t mvm_gsi_table_size(const struct kvm_irq_routing_entry *entries, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (entries[i].gsi >= MVM_MAX_GSIS)
			return 0;
	return sizeof(struct mvm_gsi_table) + n * sizeof(struct mvm_route) +
	       (count_gsis(entries, n) + 1) * sizeof(u16);
}

/* An input of a chip. 0 or -EINVAL. */
static int pin_from_entry(struct mvm_route *route, const struct kvm_irq_routing_irqchip *in)
{
	switch (in->irqchip) {
	case KVM_IRQCHIP_PIC_MASTER:
	case KVM_IRQCHIP_PIC_SLAVE:
		if (in->pin >= MVM_I8259_PINS / 2)
			return -EINVAL;
		route->chip = MVM_ROUTE_PIC;
		route->pin = in->pin + (in->irqchip == KVM_IRQCHIP_PIC_SLAVE ? 8 : 0);
		return 0;
	case KVM_IRQCHIP_IOAPIC:
		if (in->pin >= MVM_IOAPIC_PINS)
			return -EINVAL;
		route->chip = MVM_ROUTE_IOAPIC;
		route->pin = in->pin;
		return 0;
	default:
		return -EINVAL;
	}
}

static int route_from_entry(struct mvm_route *route, const struct kvm_irq_routing_entry *entry,
			    const struct mvm_gsi_rules *rules)
{
	memset(route, 0, sizeof(*route));
	route->gsi = entry->gsi;
	switch (entry->type) {
	case KVM_IRQ_ROUTING_IRQCHIP:
		if (!rules->chips || entry->flags)
			return -EINVAL;
		return pin_from_entry(route, &entry->u.irqchip);
	case KVM_IRQ_ROUTING_MSI:
		/* A device id may be told; nothing here is keyed by it. */
		if (entry->flags & ~KVM_MSI_VALID_DEVID)
			return -EINVAL;
		route->chip = MVM_ROUTE_MSI;
		if (!mvm_msi_decode(entry->u.msi.address_lo, entry->u.msi.address_hi,
				    entry->u.msi.data, rules->wide_msi, &route->msg))
			return -EINVAL;
		return 0;
	default:
		return -EINVAL;
	}
}

/* May the same GSI go both ways? Master and slave are two chips here, as they are for KVM. */
static bool routes_agree(const struct mvm_route *a, const struct mvm_route *b)
{
	if (a->chip == MVM_ROUTE_MSI || b->chip == MVM_ROUTE_MSI)
		return false;
	return a->chip != b->chip || (a->chip == MVM_ROUTE_PIC && a->pin / 8 != b->pin / 8);
}

/* Put @route behind the others of its GSI. 0 or -EINVAL. */
static int place(struct mvm_gsi_table *table, const struct mvm_route *route)
{
	struct mvm_route *slot = &table->routes[table->first[route->gsi]];
	const struct mvm_route *end = &table->routes[table->first[route->gsi + 1]];

	for (; slot < end && slot->placed; slot++)
		if (!routes_agree(slot, route))
			return -EINVAL;
	*slot = *route;
	slot->placed = true;
	if (route->chip == MVM_ROUTE_PIC)
		table->pic_gsi[route->pin] = route->gsi;
	else if (route->chip == MVM_ROUTE_IOAPIC)
		table->ioapic_gsi[route->pin] = route->gsi;
	return 0;
}

/* Where each GSI's routes begin; as many places as there are entries of it. */
static void lay_out(struct mvm_gsi_table *table, const struct kvm_irq_routing_entry *entries,
		    u32 n)
{
	u32 i;

	table->first = (u16 *)&table->routes[n];
	for (i = 0; i < n; i++)
		table->first[array_index_nospec(entries[i].gsi, MVM_MAX_GSIS) + 1]++;
	for (i = 0; i < table->nr_gsis; i++)
		table->first[i + 1] += table->first[i];
}

/**
 * mvm_gsi_table_fill() - build a table
 * @table: zeroed memory of mvm_gsi_table_size() bytes
 * @entries: KVM_SET_GSI_ROUTING's
 * @n: how many
 * @rules: what the entries may name
 *
 * Return: 0, or -EINVAL for an entry of an unknown type, with flags or an input that
 * do not exist, or that does not go together with another one of its GSI.
 */
int mvm_gsi_table_fill(struct mvm_gsi_table *table, const struct kvm_irq_routing_entry *entries,
		       u32 n, const struct mvm_gsi_rules *rules)
{
	struct mvm_route route;
	int err;
	u32 i;

	table->nr_gsis = count_gsis(entries, n);
	table->nr_routes = n;
	memset(table->pic_gsi, 0xff, sizeof(table->pic_gsi));
	memset(table->ioapic_gsi, 0xff, sizeof(table->ioapic_gsi));
	lay_out(table, entries, n);
	for (i = 0; i < n; i++) {
		err = route_from_entry(&route, &entries[i], rules);
		if (!err)
			err = place(table, &route);
		if (err)
			return err;
		if (route.chip == MVM_ROUTE_MSI && route.msg.level &&
		    route.gsi < rules->split_pins)
			table->level_vectors[route.msg.vector / 32] |= BIT(route.msg.vector % 32);
	}
	return 0;
}

/**
 * mvm_gsi_table_equal() - do two tables route alike?
 * @a: one
 * @b: the other
 */
bool mvm_gsi_table_equal(const struct mvm_gsi_table *a, const struct mvm_gsi_table *b)
{
	return a->nr_gsis == b->nr_gsis && a->nr_routes == b->nr_routes &&
	       !memcmp(a->first, b->first, (a->nr_gsis + 1) * sizeof(*a->first)) &&
	       !memcmp(a->routes, b->routes, a->nr_routes * sizeof(*a->routes)) &&
	       !memcmp(a->pic_gsi, b->pic_gsi, sizeof(a->pic_gsi)) &&
	       !memcmp(a->ioapic_gsi, b->ioapic_gsi, sizeof(a->ioapic_gsi));
}

/**
 * mvm_gsi_routes() - the routes of a GSI
 * @table: the routing table
 * @gsi: any number
 * @n: how many routes there are
 */
const struct mvm_route *mvm_gsi_routes(const struct mvm_gsi_table *table, u32 gsi, u32 *n)
{
	*n = 0;
	if (gsi >= table->nr_gsis)
		return NULL;
	gsi = array_index_nospec(gsi, table->nr_gsis);
	*n = table->first[gsi + 1] - table->first[gsi];
	return &table->routes[table->first[gsi]];
}

/**
 * mvm_gsi_defaults() - KVM's routing of a new irqchip
 * @entries: room for MVM_GSI_NR_DEFAULTS
 *
 * GSI n goes to I/O APIC input n, and up to 15 to the 8259 pair's input n as well. So
 * the timer's GSI 0 reaches I/O APIC input 0, and ACPI tables that describe an
 * override to input 2 need a routing of their own. Return: how many there are.
 */
u32 mvm_gsi_defaults(struct kvm_irq_routing_entry *entries)
{
	u32 gsi, n = 0;

	for (gsi = 0; gsi < MVM_IOAPIC_PINS; gsi++) {
		entries[n++] = (struct kvm_irq_routing_entry) {
			.gsi = gsi,
			.type = KVM_IRQ_ROUTING_IRQCHIP,
			.u.irqchip = { .irqchip = KVM_IRQCHIP_IOAPIC, .pin = gsi },
		};
		if (gsi >= MVM_I8259_PINS)
			continue;
		entries[n++] = (struct kvm_irq_routing_entry) {
			.gsi = gsi,
			.type = KVM_IRQ_ROUTING_IRQCHIP,
			.u.irqchip = { .irqchip = gsi < 8 ? KVM_IRQCHIP_PIC_MASTER :
							    KVM_IRQCHIP_PIC_SLAVE,
				       .pin = gsi % 8 },
		};
	}
	return n;
}
