// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM file's ioctls for interrupts: the controllers, their lines and routing,
 * saved state. vm.c dispatches to the table at the end.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ioctl.h"
#include "irqchip/gsi.h"
#include "irqchip/irqchip.h"

static long vm_irqfd(void *obj, unsigned long arg)
{
	struct kvm_irqfd args;

	if (copy_from_user(&args, (void __user *)arg, sizeof(args)))
		return -EFAULT;
	return mvm_irqfd_set(obj, &args);
}

static long vm_ioeventfd(void *obj, unsigned long arg)
{
	struct kvm_ioeventfd args;

	if (copy_from_user(&args, (void __user *)arg, sizeof(args)))
		return -EFAULT;
	return mvm_ioeventfd_set(obj, &args);
}

static long vm_create_irqchip(void *obj, unsigned long arg)
{
	struct mvm_vm *vm = obj;
	long ret;

	mutex_lock(&vm->lock);
	ret = mvm_irqchip_create(vm);
	mutex_unlock(&vm->lock);
	return ret;
}

static long create_pit(struct mvm_vm *vm, const struct kvm_pit_config *config)
{
	long ret;

	mutex_lock(&vm->lock);
	ret = mvm_pit_create(vm, config);
	mutex_unlock(&vm->lock);
	return ret;
}

static long vm_create_pit2(void *obj, unsigned long arg)
{
	struct kvm_pit_config config;

	if (copy_from_user(&config, (void __user *)arg, sizeof(config)))
		return -EFAULT;
	return create_pit(obj, &config);
}

/* The older three: without flags. */
static long vm_create_pit(void *obj, unsigned long arg)
{
	const struct kvm_pit_config config = { .flags = KVM_PIT_SPEAKER_DUMMY };

	return create_pit(obj, &config);
}

/* KVM_IRQ_LINE says nothing of what became of it; KVM_IRQ_LINE_STATUS does. */
static long irq_line(struct mvm_vm *vm, struct kvm_irq_level *line)
{
	if (!mvm_irqchip_in_kernel(vm))
		return mvm_fail(&vm->reason, -ENXIO,
				"KVM_IRQ_LINE needs the in-kernel irqchip: call KVM_CREATE_IRQCHIP first");
	line->status = mvm_irq_set_gsi(vm, line->irq, MVM_SOURCE_USER, line->level);
	return 0;
}

static long vm_irq_line(void *obj, unsigned long arg)
{
	struct kvm_irq_level line;

	if (copy_from_user(&line, (void __user *)arg, sizeof(line)))
		return -EFAULT;
	return irq_line(obj, &line);
}

static long vm_irq_line_status(void *obj, unsigned long arg)
{
	struct kvm_irq_level line;
	long ret;

	if (copy_from_user(&line, (void __user *)arg, sizeof(line)))
		return -EFAULT;
	ret = irq_line(obj, &line);
	if (!ret && copy_to_user((void __user *)arg, &line, sizeof(line)))
		ret = -EFAULT;
	return ret;
}

static long vm_set_gsi_routing(void *obj, unsigned long arg)
{
	struct kvm_irq_routing __user *user = (void __user *)arg;
	struct kvm_irq_routing_entry *entries;
	struct kvm_irq_routing head;
	struct mvm_vm *vm = obj;
	long ret;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (!mvm_irqchip_in_kernel(vm))
		return mvm_fail(&vm->reason, -EINVAL,
				"KVM_SET_GSI_ROUTING needs an in-kernel irqchip");
	if (head.nr > MVM_MAX_GSIS || head.flags)
		return mvm_fail(&vm->reason, -EINVAL,
				"KVM_SET_GSI_ROUTING: %u entries (at most %u), flags %#x (none is known)",
				head.nr, MVM_MAX_GSIS, head.flags);
	entries = vmemdup_user(user->entries, array_size(head.nr, sizeof(*entries)));
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	ret = mvm_routing_set(vm, entries, head.nr);
	kvfree(entries);
	return ret;
}

static long vm_signal_msi(void *obj, unsigned long arg)
{
	struct mvm_vm *vm = obj;
	struct kvm_msi msi;

	if (copy_from_user(&msi, (void __user *)arg, sizeof(msi)))
		return -EFAULT;
	if (!mvm_irqchip_in_kernel(vm))
		return mvm_fail(&vm->reason, -EINVAL, "KVM_SIGNAL_MSI needs an in-kernel irqchip");
	return mvm_irq_send_msi(vm, &msi);
}

/* The chip state is big: on the heap, and the same path both ways. */
static long vm_irqchip_state(struct mvm_vm *vm, unsigned long arg, bool set)
{
	struct kvm_irqchip *chip;
	long ret;

	if (!mvm_pic_in_kernel(vm))
		return -ENXIO;
	chip = memdup_user((void __user *)arg, sizeof(*chip));
	if (IS_ERR(chip))
		return PTR_ERR(chip);
	ret = set ? mvm_irqchip_set_state(vm, chip) : mvm_irqchip_get_state(vm, chip);
	if (!ret && !set && copy_to_user((void __user *)arg, chip, sizeof(*chip)))
		ret = -EFAULT;
	kfree(chip);
	return ret;
}

static long vm_get_irqchip(void *obj, unsigned long arg)
{
	return vm_irqchip_state(obj, arg, false);
}

static long vm_set_irqchip(void *obj, unsigned long arg)
{
	return vm_irqchip_state(obj, arg, true);
}

static long vm_get_pit2(void *obj, unsigned long arg)
{
	struct mvm_vm *vm = obj;
	struct kvm_pit_state2 ps = {};
	long ret;

	if (!smp_load_acquire(&vm->pit)) /* pairs with mvm_pit_create() */
		return -ENXIO;
	ret = mvm_pit_get_state(vm, &ps);
	if (!ret && copy_to_user((void __user *)arg, &ps, sizeof(ps)))
		ret = -EFAULT;
	return ret;
}

static long vm_set_pit2(void *obj, unsigned long arg)
{
	struct mvm_vm *vm = obj;
	struct kvm_pit_state2 ps;

	if (!smp_load_acquire(&vm->pit)) /* pairs with mvm_pit_create() */
		return -ENXIO;
	if (copy_from_user(&ps, (void __user *)arg, sizeof(ps)))
		return -EFAULT;
	return mvm_pit_set_state(vm, &ps);
}

static long vm_get_pit(void *obj, unsigned long arg)
{
	struct mvm_vm *vm = obj;
	struct kvm_pit_state2 ps;
	long ret;

	if (!smp_load_acquire(&vm->pit)) /* pairs with mvm_pit_create() */
		return -ENXIO;
	ret = mvm_pit_get_state(vm, &ps);
	if (!ret && copy_to_user((void __user *)arg, ps.channels, sizeof(struct kvm_pit_state)))
		ret = -EFAULT;
	return ret;
}

static long vm_set_pit(void *obj, unsigned long arg)
{
	struct mvm_vm *vm = obj;
	struct kvm_pit_state2 ps;

	if (!smp_load_acquire(&vm->pit)) /* pairs with mvm_pit_create() */
		return -ENXIO;
	mvm_pit_get_state(vm, &ps);
	if (copy_from_user(ps.channels, (void __user *)arg, sizeof(struct kvm_pit_state)))
		return -EFAULT;
	return mvm_pit_set_state(vm, &ps);
}

static long vm_reinject_control(void *obj, unsigned long arg)
{
	struct kvm_reinject_control control;
	struct mvm_vm *vm = obj;

	if (copy_from_user(&control, (void __user *)arg, sizeof(control)))
		return -EFAULT;
	if (!smp_load_acquire(&vm->pit)) /* pairs with mvm_pit_create() */
		return -ENXIO;
	mvm_pit_set_reinject(vm, control.pit_reinject);
	return 0;
}

const struct mvm_ioctl mvm_vm_irq_ioctls[] = {
	MVM_IOCTL(KVM_IRQ_LINE, vm_irq_line),
	MVM_IOCTL(KVM_IRQ_LINE_STATUS, vm_irq_line_status),
	MVM_IOCTL(KVM_SET_GSI_ROUTING, vm_set_gsi_routing),
	MVM_IOCTL(KVM_SIGNAL_MSI, vm_signal_msi),
	MVM_IOCTL(KVM_IRQFD, vm_irqfd),
	MVM_IOCTL(KVM_IOEVENTFD, vm_ioeventfd),
	MVM_IOCTL(KVM_CREATE_IRQCHIP, vm_create_irqchip),
	MVM_IOCTL(KVM_GET_IRQCHIP, vm_get_irqchip),
	MVM_IOCTL(KVM_SET_IRQCHIP, vm_set_irqchip),
	MVM_IOCTL(KVM_CREATE_PIT2, vm_create_pit2),
	MVM_IOCTL(KVM_GET_PIT2, vm_get_pit2),
	MVM_IOCTL(KVM_SET_PIT2, vm_set_pit2),
	MVM_IOCTL(KVM_CREATE_PIT, vm_create_pit),
	MVM_IOCTL(KVM_GET_PIT, vm_get_pit),
	MVM_IOCTL(KVM_SET_PIT, vm_set_pit),
	MVM_IOCTL(KVM_REINJECT_CONTROL, vm_reinject_control),
};

const size_t mvm_nr_vm_irq_ioctls = ARRAY_SIZE(mvm_vm_irq_ioctls);
