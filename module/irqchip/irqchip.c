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

	return mvm_apic_send(chip->vm, NULL, msg);
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
	struct mvm_irqchip *chip;

	if (vm->irqchip)
		return mvm_fail(&vm->reason, -EEXIST, "the VM has an in-kernel irqchip already");
	if (vm->nr_vcpus)
		return mvm_fail(&vm->reason, -EINVAL,
				"KVM_CREATE_IRQCHIP comes too late: create it before the first vCPU");
	chip = kzalloc(sizeof(*chip), GFP_KERNEL_ACCOUNT);
	if (!chip)
		return -ENOMEM;
	chip->vm = vm;
	mvm_i8259_reset(&chip->pic);
	mvm_ioapic_reset(&chip->ioapic);
	chip->ioapic.send = ioapic_send;
	chip->ioapic.ctx = chip;
	smp_store_release(&vm->irqchip, chip); /* pairs with mvm_irqchip_in_kernel() */
	return 0;
}

/* At the VM's end, after PIT and vCPUs. */
void mvm_irqchip_destroy(struct mvm_vm *vm)
{
	kfree(vm->irqchip);
	vm->irqchip = NULL;
}

/* ------------------------------------------------------------------- ports */

/* One byte at one port. vm->irq_lock held. Return: false when it is nobody's here. */
static bool irqchip_pio_byte(struct mvm_vm *vm, u16 port, u8 *val, bool write)
{
	struct mvm_irqchip *chip = vm->irqchip;
	struct mvm_pit *pit = smp_load_acquire(&vm->pit); /* pairs with mvm_pit_create() */
	bool was_up = chip->pic.output;

	if (pit && __mvm_pit_pio(pit, port, val, write))
		return true;
	if (!mvm_i8259_owns(port))
		return false;
	if (write)
		mvm_i8259_write(&chip->pic, port, *val);
	else
		*val = mvm_i8259_read(&chip->pic, port);
	__mvm_pic_changed(chip, was_up);
	return true;
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
	int i;

	if (!mvm_irqchip_in_kernel(vm))
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
	raw_spin_unlock_irqrestore(&vm->irq_lock, flags);
	return ours;
}

/* -------------------------------------------------------------------- MMIO */

static void ioapic_mmio(struct mvm_vm *vm, u32 offset, int len, void *data, bool write)
{
	struct mvm_ioapic *io = &vm->irqchip->ioapic;
	unsigned long flags;
	u32 val = 0;

	raw_spin_lock_irqsave(&vm->irq_lock, flags);
	if (write) {
		memcpy(&val, data, min_t(int, len, sizeof(val)));
		mvm_ioapic_write(io, offset, val);
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
	if (gpa < MVM_IOAPIC_BASE || gpa - MVM_IOAPIC_BASE >= MVM_IOAPIC_SIZE)
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
static void irqchip_sync_sources(struct mvm_irqchip *chip)
{
	unsigned int gsi;

	for (gsi = 0; gsi < MVM_NR_GSIS; gsi++)
		chip->sources[gsi] = chip->ioapic.line & BIT(gsi) ? MVM_GSI_USER : 0;
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
		mvm_i8259_set_state(&irqchip->pic, 0, &chip->chip.pic);
		break;
	case KVM_IRQCHIP_PIC_SLAVE:
		mvm_i8259_set_state(&irqchip->pic, 1, &chip->chip.pic);
		break;
	case KVM_IRQCHIP_IOAPIC:
		ret = mvm_ioapic_set_state(&irqchip->ioapic, &chip->chip.ioapic);
		if (!ret)
			irqchip_sync_sources(irqchip);
		break;
	default:
		ret = -EINVAL;
	}
	__mvm_pic_changed(irqchip, was_up);
	raw_spin_unlock_irqrestore(&vm->irq_lock, flags);
	return ret;
}
