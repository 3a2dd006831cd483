// SPDX-License-Identifier: GPL-2.0-only
/*
 * The routing table: the defaults, what entries are refused, and that a GSI's
 * routes are found whatever order they came in.
 */
#include "mvm_harness.h"

#include "irqchip/gsi.h"

static const struct mvm_gsi_rules full = { .chips = true };
static const struct mvm_gsi_rules split = { .split_pins = 24 };

/* A table, or NULL with *@err. */
static struct mvm_gsi_table *build(const struct kvm_irq_routing_entry *entries, u32 n,
				   const struct mvm_gsi_rules *rules, int *err)
{
	size_t size = mvm_gsi_table_size(entries, n);
	struct mvm_gsi_table *table;

	*err = -EINVAL;
	if (!size)
		return NULL;
	table = calloc(1, size);
	*err = mvm_gsi_table_fill(table, entries, n, rules);
	if (!*err)
		return table;
	free(table);
	return NULL;
}

static int check(const struct kvm_irq_routing_entry *entries, u32 n,
		 const struct mvm_gsi_rules *rules)
{
	int err;

	free(build(entries, n, rules, &err));
	return err;
}

static struct kvm_irq_routing_entry pin(u32 gsi, u32 chip, u32 nr)
{
	return (struct kvm_irq_routing_entry) {
		.gsi = gsi, .type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { .irqchip = chip, .pin = nr },
	};
}

static struct kvm_irq_routing_entry msi(u32 gsi, u32 data)
{
	return (struct kvm_irq_routing_entry) {
		.gsi = gsi, .type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = 0xfee00000, .data = data },
	};
}

TEST(defaults_go_to_both_chips)
{
	struct kvm_irq_routing_entry entries[MVM_GSI_NR_DEFAULTS];
	u32 n = mvm_gsi_defaults(entries), gsi, routes;
	struct mvm_gsi_table *table;
	int err;

	ASSERT_EQ(MVM_GSI_NR_DEFAULTS, n);
	table = build(entries, n, &full, &err);
	ASSERT_EQ(0, err);
	for (gsi = 0; gsi < 24; gsi++) {
		const struct mvm_route *route = mvm_gsi_routes(table, gsi, &routes);

		ASSERT_EQ(gsi < 16 ? 2 : 1, routes);
		EXPECT_EQ(MVM_ROUTE_IOAPIC, route[0].chip);
		EXPECT_EQ(gsi, route[0].pin);
		EXPECT_EQ(gsi, table->ioapic_gsi[gsi]);
		if (gsi >= 16)
			continue;
		EXPECT_EQ(MVM_ROUTE_PIC, route[1].chip);
		EXPECT_EQ(gsi, route[1].pin);
		EXPECT_EQ(gsi, table->pic_gsi[gsi]);
	}
	mvm_gsi_routes(table, 24, &routes);
	EXPECT_EQ(0, routes);
	mvm_gsi_routes(table, ~0, &routes);
	EXPECT_EQ(0, routes);
	free(table);
}

TEST(an_empty_table_routes_nothing)
{
	struct mvm_gsi_table *table;
	u32 routes;
	int err;

	table = build(NULL, 0, &full, &err);
	ASSERT_EQ(0, err);
	mvm_gsi_routes(table, 0, &routes);
	EXPECT_EQ(0, routes);
	EXPECT_EQ(-1, table->ioapic_gsi[0]);
	free(table);
}

TEST(entries_are_checked)
{
	struct kvm_irq_routing_entry e[4];

	e[0] = pin(4095, KVM_IRQCHIP_IOAPIC, 23);
	EXPECT_EQ(0, check(e, 1, &full));
	EXPECT_EQ(-EINVAL, check(e, 1, &split));
	e[0].gsi = 4096;
	EXPECT_EQ(-EINVAL, check(e, 1, &full));
	e[0] = pin(0, KVM_IRQCHIP_IOAPIC, 24);
	EXPECT_EQ(-EINVAL, check(e, 1, &full));
	e[0] = pin(0, KVM_IRQCHIP_PIC_MASTER, 8);
	EXPECT_EQ(-EINVAL, check(e, 1, &full));
	e[0] = pin(0, KVM_IRQCHIP_PIC_SLAVE, 8);
	EXPECT_EQ(-EINVAL, check(e, 1, &full));
	e[0] = pin(0, 3, 0);
	EXPECT_EQ(-EINVAL, check(e, 1, &full));
	e[0] = pin(0, KVM_IRQCHIP_IOAPIC, 0);
	e[0].flags = KVM_MSI_VALID_DEVID;
	EXPECT_EQ(-EINVAL, check(e, 1, &full));
	e[0].flags = 0;
	e[0].type = 77;
	EXPECT_EQ(-EINVAL, check(e, 1, &full));
	e[0] = msi(5, 0x41);
	EXPECT_EQ(0, check(e, 1, &split));
	e[0].flags = KVM_MSI_VALID_DEVID;
	EXPECT_EQ(0, check(e, 1, &full));
	e[0].flags = 2;
	EXPECT_EQ(-EINVAL, check(e, 1, &full));
}

TEST(a_gsi_goes_to_one_message_or_one_input_a_chip)
{
	struct kvm_irq_routing_entry e[4];

	e[0] = msi(5, 0x41);
	e[1] = msi(5, 0x42);
	EXPECT_EQ(-EINVAL, check(e, 2, &full));
	e[1] = pin(5, KVM_IRQCHIP_IOAPIC, 1);
	EXPECT_EQ(-EINVAL, check(e, 2, &full));
	e[0] = pin(5, KVM_IRQCHIP_IOAPIC, 2);
	EXPECT_EQ(-EINVAL, check(e, 2, &full));
	e[0] = pin(5, KVM_IRQCHIP_PIC_MASTER, 1);
	EXPECT_EQ(0, check(e, 2, &full));
	e[2] = pin(5, KVM_IRQCHIP_PIC_SLAVE, 1);
	EXPECT_EQ(0, check(e, 3, &full));
	e[3] = pin(5, KVM_IRQCHIP_PIC_SLAVE, 2);
	EXPECT_EQ(-EINVAL, check(e, 4, &full));
}

/* Every GSI to a message with its own number, handed over in an order that mixes them. */
TEST(as_many_routes_as_there_may_be)
{
	struct kvm_irq_routing_entry *e = calloc(MVM_MAX_GSIS, sizeof(*e));
	struct mvm_gsi_table *table, *again;
	u32 i, routes;
	int err;

	for (i = 0; i < MVM_MAX_GSIS; i++) {
		u32 gsi = i * 2531 % MVM_MAX_GSIS;

		e[i] = msi(gsi, gsi & 0xff);
		e[i].u.msi.address_lo |= (gsi >> 8) << 12;
	}
	table = build(e, MVM_MAX_GSIS, &full, &err);
	ASSERT_EQ(0, err);
	for (i = 0; i < MVM_MAX_GSIS; i++) {
		const struct mvm_route *route = mvm_gsi_routes(table, i, &routes);

		ASSERT_EQ(1, routes);
		ASSERT_EQ(i, route->gsi);
		ASSERT_EQ(i & 0xff, route->msg.vector);
		ASSERT_EQ(i >> 8, route->msg.dest);
	}
	again = build(e, MVM_MAX_GSIS, &full, &err);
	EXPECT_TRUE(mvm_gsi_table_equal(table, again));
	free(again);
	e[77].u.msi.data ^= 1;
	again = build(e, MVM_MAX_GSIS, &full, &err);
	EXPECT_FALSE(mvm_gsi_table_equal(table, again));
	free(again);
	free(table);
	free(e);
}

TEST(level_messages_of_userspaces_pins_are_noted)
{
	struct kvm_irq_routing_entry e[] = { msi(1, 0x8041), msi(2, 0x42), msi(30, 0x8043) };
	struct mvm_gsi_table *table;
	int err;

	table = build(e, 3, &split, &err);
	ASSERT_EQ(0, err);
	EXPECT_EQ(1u << 1, table->level_vectors[2]);
	free(table);
}

MVM_HARNESS_MAIN
