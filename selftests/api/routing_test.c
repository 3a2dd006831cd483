// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_SET_GSI_ROUTING, KVM_SIGNAL_MSI and KVM_IRQ_LINE_STATUS: the defaults, what is
 * refused, what a line's status tells, and a table replaced under injection.
 */
#include <pthread.h>

#include "irq_util.h"
#include "mvm_harness.h"

#define BAD_PTR ((void *)0x8)
#define RTE_LEVEL 0x8000

FIXTURE(routing) {
	struct tvm vm;
	struct tvcpu vcpu;
};

FIXTURE_SETUP(routing)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvm_create_irqchip(&self->vm, false));
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
	ASSERT_EQ(0, tlapic_enable(&self->vcpu));
}

FIXTURE_TEARDOWN(routing)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

static int extension(struct tvm *vm, long cap)
{
	return tvm_ioctl(vm->fd, KVM_CHECK_EXTENSION, (void *)cap);
}

TEST_F(routing, capabilities_are_reported)
{
	EXPECT_LE(1024, extension(&self->vm, KVM_CAP_IRQ_ROUTING));
	EXPECT_EQ(1, extension(&self->vm, KVM_CAP_IRQ_INJECT_STATUS));
	EXPECT_EQ(1, extension(&self->vm, KVM_CAP_SIGNAL_MSI));
}

TEST(without_an_irqchip_there_is_nothing_to_route)
{
	struct kvm_irq_routing none = {};
	struct kvm_irq_level line = {};
	struct kvm_msi msi = { .address_lo = TIRQ_MSI_ADDR, .data = 0x41 };
	struct tvm vm;

	TVM_CREATE_OR_SKIP(&vm, TVM_MEM_SIZE);
	EXPECT_EQ(-EINVAL, tvm_ioctl(vm.fd, KVM_SET_GSI_ROUTING, &none));
	EXPECT_EQ(-EINVAL, tvm_ioctl(vm.fd, KVM_SIGNAL_MSI, &msi));
	EXPECT_EQ(-ENXIO, tvm_ioctl(vm.fd, KVM_IRQ_LINE_STATUS, &line));
	tvm_destroy(&vm);
}

TEST_F(routing, tables_are_checked)
{
	const struct {
		const char *what;
		uint32_t n;
		struct kvm_irq_routing_entry e[3];
		int want;
	} cases[] = {
		{ "none", 0, {}, 0 },
		{ "the last GSI", 1, { tirq_msi(4095, 0x41) }, 0 },
		{ "a GSI too many", 1, { tirq_msi(4096, 0x41) }, -EINVAL },
		{ "a huge GSI", 1, { tirq_msi(~0u, 0x41) }, -EINVAL },
		{ "the last pin", 1, { tirq_pin(0, KVM_IRQCHIP_IOAPIC, 23) }, 0 },
		{ "a pin too many", 1, { tirq_pin(0, KVM_IRQCHIP_IOAPIC, 24) }, -EINVAL },
		{ "of the master", 1, { tirq_pin(0, KVM_IRQCHIP_PIC_MASTER, 8) }, -EINVAL },
		{ "of the slave", 1, { tirq_pin(0, KVM_IRQCHIP_PIC_SLAVE, 8) }, -EINVAL },
		{ "no such chip", 1, { tirq_pin(0, 3, 0) }, -EINVAL },
		{ "twice to a chip", 2, { tirq_pin(0, KVM_IRQCHIP_IOAPIC, 1),
					  tirq_pin(0, KVM_IRQCHIP_IOAPIC, 2) }, -EINVAL },
		{ "to three chips", 3, { tirq_pin(9, KVM_IRQCHIP_IOAPIC, 1),
					 tirq_pin(9, KVM_IRQCHIP_PIC_SLAVE, 2),
					 tirq_pin(9, KVM_IRQCHIP_PIC_MASTER, 3) }, 0 },
		{ "two messages", 2, { tirq_msi(7, 0x41), tirq_msi(7, 0x42) }, -EINVAL },
		{ "message and pin", 2, { tirq_msi(7, 0x41),
					  tirq_pin(7, KVM_IRQCHIP_IOAPIC, 2) }, -EINVAL },
		{ "unknown type", 1, { { .gsi = 1, .type = 77 } }, -EINVAL },
		{ "flags of a pin", 1, { { .type = KVM_IRQ_ROUTING_IRQCHIP, .flags = 1,
					   .u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC } }, -EINVAL },
		{ "device id", 1, { { .type = KVM_IRQ_ROUTING_MSI,
				      .flags = KVM_MSI_VALID_DEVID } }, 0 },
		{ "flags of a message", 1, { { .type = KVM_IRQ_ROUTING_MSI, .flags = 2 } },
		  -EINVAL },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		EXPECT_EQ(cases[i].want, tirq_route(&self->vm, cases[i].e, cases[i].n)) {
			TH_LOG("%s", cases[i].what);
		}
	}
}

TEST_F(routing, the_head_is_checked)
{
	struct kvm_irq_routing *r = calloc(1, sizeof(*r) + 4097 * sizeof(r->entries[0]));
	uint32_t i;

	for (i = 0; i < 4097; i++)
		r->entries[i] = tirq_msi(i % 4096, 0x41);
	r->nr = 4097;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->vm.fd, KVM_SET_GSI_ROUTING, r));
	r->nr = 4096;
	EXPECT_EQ(0, tvm_ioctl(self->vm.fd, KVM_SET_GSI_ROUTING, r));
	r->flags = 1;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->vm.fd, KVM_SET_GSI_ROUTING, r));
	r->flags = 0;
	r->nr = ~0u;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->vm.fd, KVM_SET_GSI_ROUTING, r));
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->vm.fd, KVM_SET_GSI_ROUTING, BAD_PTR));
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->vm.fd, KVM_IRQ_LINE_STATUS, BAD_PTR));
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->vm.fd, KVM_SIGNAL_MSI, BAD_PTR));
	free(r);
}

/* A refused table changes nothing. */
TEST_F(routing, the_old_table_stays_when_the_new_one_is_refused)
{
	struct kvm_irq_routing_entry e[2] = { tirq_msi(30, 0x51), tirq_msi(5000, 0x52) };

	ASSERT_EQ(0, tirq_route(&self->vm, e, 1));
	ASSERT_EQ(-EINVAL, tirq_route(&self->vm, e, 2));
	EXPECT_EQ(1, tirq_status(&self->vm, 30, 1));
	EXPECT_EQ(1, tlapic_requested(&self->vcpu, 0x51, true));
}

/* With the 8259's inputs unmasked and the I/O APIC's masked, as they come up. */
TEST_F(routing, a_line_tells_what_became_of_it)
{
	EXPECT_EQ(1, tirq_status(&self->vm, 4, 1));
	EXPECT_EQ(2, tirq_status(&self->vm, 4, 0));
	EXPECT_EQ(-1, tirq_status(&self->vm, 20, 1));
	EXPECT_EQ(1, tirq_status(&self->vm, 20, 0));
	EXPECT_EQ(-1, tirq_status(&self->vm, 24, 1));
	EXPECT_EQ(-1, tirq_status(&self->vm, 24, 0));
	EXPECT_EQ(-1, tirq_status(&self->vm, 4096, 1));
	EXPECT_EQ(-1, tirq_status(&self->vm, ~0u, 1));
}

TEST_F(routing, an_edge_is_delivered_then_coalesced)
{
	ASSERT_EQ(0, tioapic_set(&self->vm, 20, 0x41));
	EXPECT_EQ(1, tirq_status(&self->vm, 20, 1));
	EXPECT_EQ(0, tirq_status(&self->vm, 20, 1));
	EXPECT_EQ(1, tirq_status(&self->vm, 20, 0));
	EXPECT_EQ(1, tirq_status(&self->vm, 20, 1)); /* although the vector is requested already */
	EXPECT_EQ(1, tlapic_requested(&self->vcpu, 0x41, true));
}

TEST_F(routing, a_level_waits_for_its_eoi)
{
	uint64_t entry;

	ASSERT_EQ(0, tioapic_set(&self->vm, 20, 0x42 | RTE_LEVEL));
	EXPECT_EQ(1, tirq_status(&self->vm, 20, 1));
	EXPECT_EQ(-1, tirq_status(&self->vm, 20, 1));
	ASSERT_EQ(0, tioapic_get(&self->vm, 20, &entry));
	EXPECT_EQ(0x42 | RTE_LEVEL | 0x4000, entry);
}

TEST_F(routing, defaults_reach_both_chips)
{
	struct kvm_irqchip chip = {};
	unsigned int gsi;

	for (gsi = 0; gsi < 24; gsi++) {
		ASSERT_LE(-1, tirq_status(&self->vm, gsi, 1));
		chip.chip_id = KVM_IRQCHIP_IOAPIC;
		ASSERT_EQ(0, tvm_ioctl(self->vm.fd, KVM_GET_IRQCHIP, &chip));
		EXPECT_EQ(1u << gsi, chip.chip.ioapic.irr);
		if (gsi < 16 && gsi != 2) {
			chip.chip_id = gsi / 8;
			ASSERT_EQ(0, tvm_ioctl(self->vm.fd, KVM_GET_IRQCHIP, &chip));
			EXPECT_EQ(1 << gsi % 8, chip.chip.pic.last_irr);
		}
		tirq_status(&self->vm, gsi, 0);
	}
}

TEST_F(routing, a_gsi_goes_where_the_new_table_says)
{
	struct kvm_irq_routing_entry e[] = { tirq_pin(4, KVM_IRQCHIP_IOAPIC, 9),
					     tirq_msi(100, 0x61) };
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };

	ASSERT_EQ(0, tirq_route(&self->vm, e, 2));
	EXPECT_EQ(-1, tirq_status(&self->vm, 4, 1));
	ASSERT_EQ(0, tvm_ioctl(self->vm.fd, KVM_GET_IRQCHIP, &chip));
	EXPECT_EQ(1 << 9, chip.chip.ioapic.irr);
	chip.chip_id = KVM_IRQCHIP_PIC_MASTER;
	ASSERT_EQ(0, tvm_ioctl(self->vm.fd, KVM_GET_IRQCHIP, &chip));
	EXPECT_EQ(0, chip.chip.pic.last_irr);
	EXPECT_EQ(-1, tirq_status(&self->vm, 5, 1)); /* it had a default route */

	EXPECT_EQ(1, tirq_status(&self->vm, 100, 1));
	EXPECT_EQ(1, tirq_status(&self->vm, 100, 1));
	EXPECT_EQ(-1, tirq_status(&self->vm, 100, 0));
	EXPECT_EQ(1, tlapic_requested(&self->vcpu, 0x61, true));
}

TEST_F(routing, irq_line_reaches_a_message_too)
{
	struct kvm_irq_routing_entry e = tirq_msi(33, 0x62);
	struct kvm_irq_level line = { .irq = 33, .level = 1 };

	ASSERT_EQ(0, tirq_route(&self->vm, &e, 1));
	EXPECT_EQ(0, tvm_ioctl(self->vm.fd, KVM_IRQ_LINE, &line));
	EXPECT_EQ(1, tlapic_requested(&self->vcpu, 0x62, true));
}

TEST_F(routing, signal_msi_tells_who_took_it)
{
	struct kvm_msi msi = { .address_lo = TIRQ_MSI_ADDR, .data = 0x71 };

	EXPECT_EQ(1, tvm_ioctl(self->vm.fd, KVM_SIGNAL_MSI, &msi));
	EXPECT_EQ(1, tvm_ioctl(self->vm.fd, KVM_SIGNAL_MSI, &msi));
	EXPECT_EQ(1, tlapic_requested(&self->vcpu, 0x71, true));
	msi.address_lo = 0xfee01000; /* nobody has this id */
	EXPECT_EQ(0, tvm_ioctl(self->vm.fd, KVM_SIGNAL_MSI, &msi));
	msi.address_lo = 0xfee0100c; /* logical, flat, lowest priority */
	ASSERT_EQ(0, tlapic_set(&self->vcpu, 0xd0, 1 << 24));
	EXPECT_EQ(1, tvm_ioctl(self->vm.fd, KVM_SIGNAL_MSI, &msi));
	msi.flags = KVM_MSI_VALID_DEVID;
	EXPECT_EQ(1, tvm_ioctl(self->vm.fd, KVM_SIGNAL_MSI, &msi));
	msi.flags = 2;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->vm.fd, KVM_SIGNAL_MSI, &msi));
}

/* -------------------------------------------------------------- two threads */

struct race {
	struct tvm *vm;
	bool stop;
	unsigned long n;
};

/* GSI 40 is routed to 0x80 or 0x81, again and again. */
static void *replace(void *arg)
{
	struct kvm_irq_routing_entry e[2] = { tirq_msi(40, 0x80), tirq_msi(41, 0x91) };
	struct race *race = arg;

	while (!__atomic_load_n(&race->stop, __ATOMIC_RELAXED)) {
		e[0].u.msi.data = 0x80 | (race->n & 1);
		if (tirq_route(race->vm, e, 2))
			break;
		race->n++;
	}
	return NULL;
}

TEST_F(routing, a_table_is_replaced_under_injection)
{
	struct kvm_irq_routing_entry first = tirq_msi(40, 0x80);
	struct race race = { .vm = &self->vm };
	pthread_t thread;
	int i, seen = 0, vector;

	ASSERT_EQ(0, tirq_route(&self->vm, &first, 1));
	ASSERT_EQ(0, pthread_create(&thread, NULL, replace, &race));
	for (i = 0; i < 20000 && (i < 200 || seen != 3); i++) {
		ASSERT_LE(0, tirq_status(&self->vm, 40, 1));
		for (vector = 0x80; vector < 0x82; vector++)
			if (tlapic_requested(&self->vcpu, vector, true) == 1)
				seen |= 1 << (vector & 1);
		ASSERT_EQ(0, tlapic_requested(&self->vcpu, 0x91, false));
	}
	__atomic_store_n(&race.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_EQ(3, seen);
	EXPECT_LT(1, race.n);
	TH_LOG("%lu tables, %d injections", race.n, i);
}

/* After the call no injector follows the old table: the last word is the new one's. */
TEST_F(routing, the_old_table_is_done_with_when_the_call_returns)
{
	struct kvm_irq_routing_entry a = tirq_msi(40, 0xa0), b = tirq_msi(40, 0xa1);
	int i;

	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, tirq_route(&self->vm, &a, 1));
		ASSERT_EQ(1, tirq_status(&self->vm, 40, 1));
		ASSERT_EQ(0, tirq_route(&self->vm, &b, 1));
		ASSERT_EQ(1, tirq_status(&self->vm, 40, 1));
		ASSERT_EQ(1, tlapic_requested(&self->vcpu, 0xa0, true));
		ASSERT_EQ(1, tlapic_requested(&self->vcpu, 0xa1, true));
	}
}

MVM_HARNESS_MAIN
