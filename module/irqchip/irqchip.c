// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM-wide interrupt controllers: creation, ports, MMIO and saved state of the
 * 8259 pair and the I/O APIC. The chips are the models in i8259.c and ioapic.c;
 * vm->irq_lock protects them. Reading order: model.h, chips.h, here, route.c.
 */
#include <linux/slab.h>

#include "chips.h"

#define IOAPIC_ROW 16 /* registers are 32 bits wide on 16-byte boundaries */

static int ioapic_send(void *ctx, const struct mvm_apic_msg *msg)
{
	struct mvm_irqchip *chip = ctx;

	return mvm_apic_send_device(chip->vm, msg);
}

static int irqchip_create(struct mvm_vm *vm, bool split, u32 pins)
{
	struct mvm_irqchip *chip;
	int err;

	chip = kzalloc(sizeof(*chip), GFP_KERNEL_ACCOUNT);
	if (!chip)
		return -ENOMEM;
	chip->vm = vm;
	chip->split = split;
	chip->split_pins = pins;
	mvm_i8259_reset(&chip->pic);
	mvm_ioapic_reset(&chip->ioapic);
	chip->ioapic.send = ioapic_send;
	chip->ioapic.ctx = chip;
	err = mvm_routing_default(chip);
	if (err) {
		kfree(chip);
		return err;
	}
	vm->irqchip_split = split;
	smp_store_release(&vm->irqchip, chip); /* pairs with mvm_irqchip_in_kernel() */
	return 0;
}

/**
 * mvm_irqchip_create() - KVM_CREATE_IRQCHIP
 * @vm: the VM
 *
 * vm->lock held. Return: 0, -EEXIST, -EINVAL once a vCPU exists (it would have no
 * local APIC), -ENOMEM.
 */
int mvm_irqchip_create(struct mvm_vm *vm)
{
	if (vm->irqchip)
		return mvm_fail(&vm->reason, -EEXIST, "the VM has an in-kernel irqchip already");
	if (vm->nr_vcpus)
		return mvm_fail(&vm->reason, -EINVAL,
				"KVM_CREATE_IRQCHIP comes too late: create it before the first vCPU");
	return irqchip_create(vm, false, 0);
}

/**
 * mvm_irqchip_create_split() - KVM_CAP_SPLIT_IRQCHIP
 * @vm: the VM
 * @pins: how many GSIs stand for the inputs of userspace's I/O APIC
 *
 * vm->lock held. Return: 0; -EEXIST, also once a vCPU exists; -EINVAL: too many
 * pins; -ENOMEM.
 */
int mvm_irqchip_create_split(struct mvm_vm *vm, u64 pins)
{
	if (pins > MVM_MAX_GSIS)
		return mvm_fail(&vm->reason, -EINVAL, "a split irqchip has at most %u pins",
				MVM_MAX_GSIS);
	if (vm->irqchip)
		return mvm_fail(&vm->reason, -EEXIST, "the VM has an in-kernel irqchip already");
	if (vm->nr_vcpus)
		return mvm_fail(&vm->reason, -EEXIST,
				"KVM_CAP_SPLIT_IRQCHIP comes too late: enable it before the first vCPU");
	return irqchip_create(vm, true, pins);
}

/**
 * mvm_irqchip_destroy() - free the chips and their routes, where there are any
 * @vm: the VM
 *
 * Context: the VM's end, after PIT and vCPUs.
 */
void mvm_irqchip_destroy(struct mvm_vm *vm)
{
	if (!vm->irqchip)
		return;
	mvm_routing_destroy(vm->irqchip);
	kfree(vm->irqchip);
	vm->irqchip = NULL;
}

/* ------------------------------------------------------------------- ports */

/* The masked inputs of the 8259 pair. */
static u32 pic_masked(const struct mvm_irqchip *chip)
{
	return chip->pic.chip[0].imr | chip->pic.chip[1].imr << 8;
}

/* One byte at one port. vm->irq_lock held. Return: false when it is nobody's here. */
static bool irqchip_pio_byte(struct mvm_vm *vm, u16 port, u8 *val, bool write)
{
	struct mvm_irqchip *chip = vm->irqchip;
	struct mvm_pit *pit = smp_load_acquire(&vm->pit); /* pairs with mvm_pit_create() */
	bool was_up = chip->pic.output;
	u32 masked;

	if (pit && __mvm_pit_pio(pit, port, val, write))
		return true;
	if (!mvm_i8259_owns(port))
		return false;
	masked = pic_masked(chip);
	if (write)
		mvm_i8259_write(&chip->pic, port, *val);
	else
		*val = mvm_i8259_read(&chip->pic, port);
	masked &= ~pic_masked(chip);
	if (masked)
		__mvm_pins_unmasked(chip, (u64)masked << MVM_PINS_PIC_SHIFT);
	__mvm_pic_changed(chip, was_up);
	return true;
}

/*
 * The inputs of the 8259 pair whose interrupts have ended: their lines fall now, the
 * irqfds behind hear of it when vm->irq_lock is dropped.
 */
static u64 pic_take_acked(struct mvm_irqchip *chip)
{
	u64 acked = (u64)chip->pic.acked << MVM_PINS_PIC_SHIFT;

	chip->pic.acked = 0;
	if (likely(!acked || !mvm_ends_matter(chip->vm)))
		return 0;
	__mvm_pins_acked(chip, acked);
	return acked;
}

/**
 * mvm_irqchip_owns_port() - would mvm_irqchip_pio() answer?
 * @vm: the VM
 * @port: I/O port
 *
 * Context: any; takes no lock.
 * Return: true where the 8259 pair or the PIT in the kernel has it.
 */
bool mvm_irqchip_owns_port(struct mvm_vm *vm, u16 port)
{
	const struct mvm_pit *pit;

	if (!mvm_pic_in_kernel(vm))
		return false;
	pit = smp_load_acquire(&vm->pit); /* pairs with mvm_pit_create() */
	return (pit && mvm_pit_owns(pit, port)) || mvm_i8259_owns(port);
}

/**
 * mvm_irqchip_pio() - offer a port access to the in-kernel devices
 * @vcpu: the vCPU
 * @port: I/O port
 * @size: bytes
 * @data: what is read or written
 * @write: a write rather than a read
 *
 * A wider access goes byte by byte to successive ports, as on the ISA bus; what
 * nobody here owns reads as ones then. Context: does not sleep. Return: false when
 * the first port is not ours.
 */
bool mvm_irqchip_pio(struct mvm_vcpu *vcpu, u16 port, int size, void *data, bool write)
{
	struct mvm_vm *vm = vcpu->vm;
	unsigned long flags;
	u8 *bytes = data;
	bool ours = false;
	u64 acked;
	int i;

	if (!mvm_pic_in_kernel(vm))
		return false;
	raw_spin_lock_irqsave(&vm->irq_lock, flags);
	for (i = 0; i < size; i++) {
		bool hit = irqchip_pio_byte(vm, port + i, &bytes[i], write);

		if (!i && !hit)
			break;
		ours = true;
		if (!hit && !write)
			bytes[i] = 0xff;
	}
	acked = pic_take_acked(vm->irqchip);
	raw_spin_unlock_irqrestore(&vm->irq_lock, flags);
	if (unlikely(acked))
		mvm_pins_resample(vm->irqchip, acked);
	return ours;
}

/**
 * mvm_pic_tell_acked() - the rest of what automatic EOI does, where there is no hurry
 * @vm: the VM
 */
void mvm_pic_tell_acked(struct mvm_vm *vm)
{
	unsigned long flags;
	u64 acked;

	raw_spin_lock_irqsave(&vm->irq_lock, flags);
	acked = pic_take_acked(vm->irqchip);
	raw_spin_unlock_irqrestore(&vm->irq_lock, flags);
	mvm_pins_resample(vm->irqchip, acked);
}

/* -------------------------------------------------------------------- MMIO */

static void ioapic_mmio(struct mvm_vm *vm, u32 offset, int len, void *data, bool write)
{
	struct mvm_ioapic *io = &vm->irqchip->ioapic;
	unsigned long flags;
	u32 val = 0, masked;

	raw_spin_lock_irqsave(&vm->irq_lock, flags);
	if (write) {
		memcpy(&val, data, min_t(int, len, sizeof(val)));
		masked = mvm_ioapic_masked(io);
		mvm_ioapic_write(io, offset, val);
		masked &= ~mvm_ioapic_masked(io);
		if (masked)
			__mvm_pins_unmasked(vm->irqchip, masked);
	} else {
		val = mvm_ioapic_read(io, offset);
		memset(data, 0, len);
		memcpy(data, &val, min_t(int, len, sizeof(val)));
	}
	raw_spin_unlock_irqrestore(&vm->irq_lock, flags);
}

/**
 * mvm_irqchip_mmio() - offer a memory access to the local APIC and the I/O APIC
 * @vcpu: the vCPU
 * @gpa: guest physical address
 * @len: bytes
 * @data: what is read or written
 * @write: a write rather than a read
 *
 * Context: the vCPU's thread; does not sleep. Return: false when it is not theirs.
 */
bool mvm_irqchip_mmio(struct mvm_vcpu *vcpu, gpa_t gpa, int len, void *data, bool write)
{
	struct mvm_vm *vm = vcpu->vm;

	if (!mvm_irqchip_in_kernel(vm))
		return false;
	if (mvm_lapic_mmio(vcpu, gpa, len, data, write))
		return true;
	if (vm->irqchip_split || gpa < MVM_IOAPIC_BASE || gpa - MVM_IOAPIC_BASE >= MVM_IOAPIC_SIZE)
		return false;
	if (gpa % IOAPIC_ROW == 0)
		ioapic_mmio(vm, gpa - MVM_IOAPIC_BASE, len, data, write);
	else if (!write)
		memset(data, 0, len);
	return true;
}

/* ------------------------------------------------------------------- state */

/**
 * mvm_irqchip_get_state() - KVM_GET_IRQCHIP, by chip->chip_id
 * @vm: the VM
 * @chip: chip_id in, state out
 */
int mvm_irqchip_get_state(struct mvm_vm *vm, struct kvm_irqchip *chip)
{
	struct mvm_irqchip *irqchip = vm->irqchip;
	unsigned long flags;
	int ret = 0;

	memset(&chip->chip, 0, sizeof(chip->chip));
	raw_spin_lock_irqsave(&vm->irq_lock, flags);
	switch (chip->chip_id) {
	case KVM_IRQCHIP_PIC_MASTER:
		chip->chip.pic = irqchip->pic.chip[0];
		break;
	case KVM_IRQCHIP_PIC_SLAVE:
		chip->chip.pic = irqchip->pic.chip[1];
		break;
	case KVM_IRQCHIP_IOAPIC:
		mvm_ioapic_get_state(&irqchip->ioapic, &chip->chip.ioapic);
		break;
	default:
		ret = -EINVAL;
	}
	raw_spin_unlock_irqrestore(&vm->irq_lock, flags);
	return ret;
}

/* The lines a restored chip sees are those userspace drives: its later changes start from them. */
static void sync_sources(u8 *sources, unsigned int n, u32 lines)
{
	unsigned int pin;

	for (pin = 0; pin < n; pin++)
		sources[pin] = lines & BIT(pin) ? MVM_SOURCE_USER : 0;
}

static void irqchip_set_pic(struct mvm_irqchip *chip, unsigned int nr,
			    const struct kvm_pic_state *state)
{
	mvm_i8259_set_state(&chip->pic, nr, state);
	sync_sources(chip->pic_sources + 8 * nr, 8, chip->pic.chip[nr].last_irr);
}

/**
 * mvm_irqchip_set_state() - KVM_SET_IRQCHIP, by chip->chip_id
 * @vm: the VM
 * @chip: chip_id and state
 */
int mvm_irqchip_set_state(struct mvm_vm *vm, const struct kvm_irqchip *chip)
{
	struct mvm_irqchip *irqchip = vm->irqchip;
	unsigned long flags;
	bool was_up;
	int ret = 0;

	raw_spin_lock_irqsave(&vm->irq_lock, flags);
	was_up = irqchip->pic.output;
	switch (chip->chip_id) {
	case KVM_IRQCHIP_PIC_MASTER:
		irqchip_set_pic(irqchip, 0, &chip->chip.pic);
		break;
	case KVM_IRQCHIP_PIC_SLAVE:
		irqchip_set_pic(irqchip, 1, &chip->chip.pic);
		break;
	case KVM_IRQCHIP_IOAPIC:
		ret = mvm_ioapic_set_state(&irqchip->ioapic, &chip->chip.ioapic);
		if (!ret)
			sync_sources(irqchip->ioapic_sources, MVM_IOAPIC_PINS,
				     irqchip->ioapic.line);
		break;
	default:
		ret = -EINVAL;
	}
	__mvm_pic_changed(irqchip, was_up);
	raw_spin_unlock_irqrestore(&vm->irq_lock, flags);
	return ret;
}
