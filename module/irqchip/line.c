// SPDX-License-Identifier: GPL-2.0-only
/*
 * Global system interrupts: from a line that userspace, the 8254 or an irqfd drives
 * to the inputs and messages that the routing table names, and back from an end of
 * interrupt to the line.
 *
 * Injectors run in any context: they read the table under vm->irq_srcu, and take
 * vm->irq_lock for the chips' inputs; a message needs no lock but its targets'.
 * Who replaces the table waits for them, so that a route that is gone is not
 * followed any more when KVM_SET_GSI_ROUTING returns.
 */
#include <linux/slab.h>

#include "chips.h"

/* The 8254's. */
#define PIT_GSI 0

/* ------------------------------------------------------------ the table */

/* Every VM with the chips starts with this one. */
static struct mvm_gsi_table *default_table;

static struct mvm_gsi_table *table_build(const struct kvm_irq_routing_entry *entries, u32 n,
					 const struct mvm_gsi_rules *rules)
{
	size_t size = mvm_gsi_table_size(entries, n);
	struct mvm_gsi_table *table;
	int err;

	if (!size)
		return ERR_PTR(-EINVAL);
	table = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!table)
		return ERR_PTR(-ENOMEM);
	err = mvm_gsi_table_fill(table, entries, n, rules);
	if (err) {
		kvfree(table);
		return ERR_PTR(err);
	}
	return table;
}

static void table_free(struct mvm_gsi_table *table)
{
	if (table != default_table)
		kvfree(table);
}

/**
 * mvm_irqchip_module_init() - build the routing table that every VM with the chips starts with
 *
 * Context: module load; may sleep.
 * Return: 0 or -ENOMEM.
 */
int mvm_irqchip_module_init(void)
{
	static const struct mvm_gsi_rules rules = { .chips = true };
	struct kvm_irq_routing_entry *entries;

	entries = kcalloc(MVM_GSI_NR_DEFAULTS, sizeof(*entries), GFP_KERNEL);
	if (!entries)
		return -ENOMEM;
	default_table = table_build(entries, mvm_gsi_defaults(entries), &rules);
	kfree(entries);
	return PTR_ERR_OR_ZERO(default_table);
}

/**
 * mvm_irqchip_module_exit() - reverse of mvm_irqchip_module_init(); no VM is left
 */
void mvm_irqchip_module_exit(void)
{
	kvfree(default_table);
}

/* The present one. vm->irq_srcu held. */
static const struct mvm_gsi_table *routing(struct mvm_irqchip *chip)
{
	return srcu_dereference(chip->routing, &chip->vm->irq_srcu);
}

/**
 * mvm_routing_default() - the routing table of a new irqchip; a split one starts without routes
 * @chip: the chips, not published yet
 *
 * Context: vm->lock held; may sleep.
 * Return: 0 or -ENOMEM.
 */
int mvm_routing_default(struct mvm_irqchip *chip)
{
	const struct mvm_gsi_rules none = {};
	struct mvm_gsi_table *table = chip->split ? table_build(NULL, 0, &none) : default_table;

	if (IS_ERR(table))
		return PTR_ERR(table);
	rcu_assign_pointer(chip->routing, table);
	return 0;
}

/**
 * mvm_routing_destroy() - free the routing table
 * @chip: the chips, at the VM's end: no injector is left
 */
void mvm_routing_destroy(struct mvm_irqchip *chip)
{
	table_free(rcu_dereference_protected(chip->routing, true));
}

/**
 * mvm_routing_set() - KVM_SET_GSI_ROUTING
 * @vm: the VM, with an irqchip
 * @entries: the whole table
 * @n: how many, at most MVM_MAX_GSIS
 *
 * A table that routes as the present one does costs no wait for the injectors:
 * virtual machine monitors repeat themselves. Return: 0, -EINVAL, -ENOMEM.
 */
int mvm_routing_set(struct mvm_vm *vm, const struct kvm_irq_routing_entry *entries, u32 n)
{
	struct mvm_irqchip *chip = vm->irqchip;
	const struct mvm_gsi_rules rules = {
		.chips = !chip->split,
		.split_pins = chip->split_pins,
	};
	struct mvm_gsi_table *table = table_build(entries, n, &rules), *old;

	if (IS_ERR(table))
		return PTR_ERR(table);
	mutex_lock(&vm->irq_setup_lock);
	old = rcu_dereference_protected(chip->routing, lockdep_is_held(&vm->irq_setup_lock));
	if (mvm_gsi_table_equal(old, table)) {
		old = table;
	} else {
		rcu_assign_pointer(chip->routing, table);
		synchronize_srcu_expedited(&vm->irq_srcu);
	}
	mutex_unlock(&vm->irq_setup_lock);
	table_free(old);
	return 0;
}

/* ------------------------------------------------------------- the lines */

/* One source of one input changes. vm->irq_lock held. Return: as mvm_irq_set_gsi(). */
static int set_pin(struct mvm_irqchip *chip, const struct mvm_route *route, u8 source, bool level)
{
	bool pic = route->chip == MVM_ROUTE_PIC, was_up = chip->pic.output;
	u8 *sources = pic ? chip->pic_sources : chip->ioapic_sources;
	int ret;

	if (level)
		sources[route->pin] |= source;
	else
		sources[route->pin] &= ~source;
	if (!pic)
		return mvm_ioapic_set_line(&chip->ioapic, route->pin, sources[route->pin]);
	ret = mvm_i8259_set_line(&chip->pic, route->pin, sources[route->pin]);
	__mvm_pic_changed(chip, was_up);
	return ret;
}

/**
 * mvm_apic_send_device() - deliver a device's message
 * @vm: the VM
 * @msg: the message
 *
 * Return: how many took it, 0 where nobody did. As KVM counts: a vector that was requested
 * already is taken once more, and what is lost is told of lines alone.
 */
int mvm_apic_send_device(struct mvm_vm *vm, const struct mvm_apic_msg *msg)
{
	int ret = mvm_apic_send(vm, NULL, msg);

	return ret < 0 ? 0 : max(ret, 1);
}

/* A message goes out with each rise. */
static int set_route(struct mvm_irqchip *chip, const struct mvm_route *route, u8 source, bool level)
{
	if (route->chip == MVM_ROUTE_MSI)
		return level ? mvm_apic_send_device(chip->vm, &route->msg) : -1;
	lockdep_assert_held(&chip->vm->irq_lock);
	return set_pin(chip, route, source, level);
}

static int set_routes(struct mvm_irqchip *chip, const struct mvm_route *routes, u32 n, u8 source,
		      bool level)
{
	int ret, total = -1;
	u32 i;

	for (i = 0; i < n; i++) {
		ret = set_route(chip, &routes[i], source, level);
		if (ret >= 0)
			total = max(total, 0) + ret;
	}
	return total;
}

/**
 * __mvm_gsi_set() - mvm_irq_set_gsi() for who holds vm->irq_lock
 * @chip: the chips
 * @gsi: the line
 * @source: MVM_SOURCE_*
 * @level: raise
 */
int __mvm_gsi_set(struct mvm_irqchip *chip, u32 gsi, u8 source, bool level)
{
	const struct mvm_route *routes;
	int ret, idx;
	u32 n;

	idx = srcu_read_lock(&chip->vm->irq_srcu);
	routes = mvm_gsi_routes(routing(chip), gsi, &n);
	ret = set_routes(chip, routes, n, source, level);
	srcu_read_unlock(&chip->vm->irq_srcu, idx);
	return ret;
}

/**
 * mvm_irq_set_gsi() - one source of a GSI raises or drops it
 * @vm: the VM, with an irqchip
 * @gsi: the line; any number
 * @source: MVM_SOURCE_*
 * @level: raise
 *
 * Context: any. Return: as KVM_IRQ_LINE_STATUS tells it: > 0 how many took an
 * interrupt (or let go of the line); 0 it was pending there already; -1 masked
 * everywhere, or no route.
 */
int mvm_irq_set_gsi(struct mvm_vm *vm, u32 gsi, u8 source, bool level)
{
	struct mvm_irqchip *chip = vm->irqchip;
	const struct mvm_route *routes;
	unsigned long flags;
	int ret, idx;
	u32 n;

	idx = srcu_read_lock(&vm->irq_srcu);
	routes = mvm_gsi_routes(routing(chip), gsi, &n);
	if (n && routes->chip == MVM_ROUTE_MSI) {
		ret = set_routes(chip, routes, n, source, level);
	} else {
		raw_spin_lock_irqsave(&vm->irq_lock, flags);
		ret = set_routes(chip, routes, n, source, level);
		raw_spin_unlock_irqrestore(&vm->irq_lock, flags);
	}
	srcu_read_unlock(&vm->irq_srcu, idx);
	return ret;
}

/**
 * mvm_irq_send_msi() - KVM_SIGNAL_MSI
 * @vm: the VM, with an irqchip
 * @msi: what a device writes, and where
 */
int mvm_irq_send_msi(struct mvm_vm *vm, const struct kvm_msi *msi)
{
	struct mvm_apic_msg msg;

	/* A device id may be told; nothing here is keyed by it. */
	if ((msi->flags & ~KVM_MSI_VALID_DEVID) ||
	    !mvm_msi_decode(msi->address_lo, msi->address_hi, msi->data, false, &msg))
		return -EINVAL;
	return mvm_apic_send_device(vm, &msg);
}

/* -------------------------------------------------------- end of interrupt */

/* The GSI behind an input of a mask: the I/O APIC's 24, above them the 8259 pair's 16. */
static int pin_gsi(const struct mvm_gsi_table *table, unsigned int bit)
{
	if (bit < MVM_PINS_PIC_SHIFT)
		return table->ioapic_gsi[bit];
	return table->pic_gsi[bit - MVM_PINS_PIC_SHIFT];
}

/**
 * __mvm_pins_acked() - interrupts from these inputs ended: resampling irqfds let go, the
 *	8254 gives the next tick
 * @chip: the chips
 * @pins: one mask of inputs, MVM_PINS_*
 *
 * vm->irq_lock held; when it is dropped mvm_pins_resample() does the rest.
 */
void __mvm_pins_acked(struct mvm_irqchip *chip, u64 pins)
{
	const struct mvm_gsi_table *table;
	const struct mvm_route *routes;
	int idx, gsi;
	u32 n;

	lockdep_assert_held(&chip->vm->irq_lock);
	idx = srcu_read_lock(&chip->vm->irq_srcu);
	table = routing(chip);
	for (; pins; pins &= pins - 1) {
		gsi = pin_gsi(table, __ffs64(pins));
		if (gsi == PIT_GSI && chip->vm->pit)
			__mvm_pit_ended(chip->vm->pit);
		if (gsi < 0 || !xa_load(&chip->vm->resamplers, gsi))
			continue;
		routes = mvm_gsi_routes(table, gsi, &n);
		set_routes(chip, routes, n, MVM_SOURCE_RESAMPLE, false);
	}
	srcu_read_unlock(&chip->vm->irq_srcu, idx);
}

/**
 * __mvm_pins_unmasked() - the guest unmasked these inputs
 * @chip: the chips
 * @pins: as for __mvm_pins_acked()
 */
void __mvm_pins_unmasked(struct mvm_irqchip *chip, u64 pins)
{
	const struct mvm_gsi_table *table;
	int idx;

	lockdep_assert_held(&chip->vm->irq_lock);
	if (!chip->vm->pit)
		return;
	idx = srcu_read_lock(&chip->vm->irq_srcu);
	table = routing(chip);
	for (; pins; pins &= pins - 1)
		if (pin_gsi(table, __ffs64(pins)) == PIT_GSI)
			__mvm_pit_forget(chip->vm->pit);
	srcu_read_unlock(&chip->vm->irq_srcu, idx);
}

/**
 * mvm_pins_resample() - interrupts from these inputs ended: tell the devices behind
 * @chip: the chips
 * @pins: as for __mvm_pins_acked()
 *
 * Context: no lock held that an injection takes.
 */
void mvm_pins_resample(struct mvm_irqchip *chip, u64 pins)
{
	const struct mvm_gsi_table *table;
	int idx, gsi;

	idx = srcu_read_lock(&chip->vm->irq_srcu);
	table = routing(chip);
	for (; pins; pins &= pins - 1) {
		gsi = pin_gsi(table, __ffs64(pins));
		if (gsi >= 0)
			mvm_irqfd_resample(chip->vm, gsi);
	}
	srcu_read_unlock(&chip->vm->irq_srcu, idx);
}

static void chips_eoi(struct mvm_irqchip *chip, u8 vector, bool level)
{
	struct mvm_vm *vm = chip->vm;
	unsigned long flags;
	u32 pins;

	/* An edge interests nobody but a resampling irqfd, and an 8254 that owes ticks. */
	if (!level && !mvm_ends_matter(vm))
		return;
	raw_spin_lock_irqsave(&vm->irq_lock, flags);
	pins = mvm_ioapic_pins(&chip->ioapic, vector);
	/* Their lines first: a pin whose line is still up after its EOI sends again. */
	__mvm_pins_acked(chip, pins);
	if (level)
		mvm_ioapic_eoi(&chip->ioapic, vector);
	raw_spin_unlock_irqrestore(&vm->irq_lock, flags);
	mvm_pins_resample(chip, pins);
}

/* Userspace's I/O APIC hears of level-triggered interrupts that it may have sent. */
static void split_eoi(struct mvm_vcpu *vcpu, u8 vector)
{
	struct mvm_irqchip *chip = vcpu->vm->irqchip;
	int idx = srcu_read_lock(&vcpu->vm->irq_srcu);

	if (routing(chip)->level_vectors[vector / 32] & BIT(vector % 32)) {
		vcpu->ioapic_eoi = vector;
		mvm_vcpu_set_request(vcpu, MVM_REQ_IOAPIC_EOI);
	}
	srcu_read_unlock(&vcpu->vm->irq_srcu, idx);
}

/**
 * mvm_irq_eoi() - an interrupt ended at a vCPU's local APIC
 * @vcpu: the vCPU; its thread calls
 * @vector: interrupt vector
 * @level: it was level-triggered
 */
void mvm_irq_eoi(struct mvm_vcpu *vcpu, u8 vector, bool level)
{
	if (mvm_pic_in_kernel(vcpu->vm))
		chips_eoi(vcpu->vm->irqchip, vector, level);
	else if (level)
		split_eoi(vcpu, vector);
}
