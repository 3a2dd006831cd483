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

static long vm_irqfd(void *obj, void *args)
{
	return mvm_irqfd_set(obj, args);
}

static long vm_ioeventfd(void *obj, void *args)
{
	return mvm_ioeventfd_set(obj, args);
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

static long vm_create_pit2(void *obj, void *config)
{
	return create_pit(obj, config);
}

/* The older three: without flags. */
static long vm_create_pit(void *obj, unsigned long arg)
{
	const struct kvm_pit_config config = { .flags = KVM_PIT_SPEAKER_DUMMY };

	return create_pit(obj, &config);
}

/* KVM_IRQ_LINE says nothing of what became of it; KVM_IRQ_LINE_STATUS does. */
static long vm_irq_line(void *obj, void *data)
{
	struct kvm_irq_level *line = data;
	struct mvm_vm *vm = obj;

	if (!mvm_irqchip_in_kernel(vm))
		return mvm_fail(&vm->reason, -ENXIO,
				"KVM_IRQ_LINE needs the in-kernel irqchip: call KVM_CREATE_IRQCHIP first");
	line->status = mvm_irq_set_gsi(vm, line->irq, MVM_SOURCE_USER, line->level);
	return 0;
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

static long vm_signal_msi(void *obj, void *msi)
{
	struct mvm_vm *vm = obj;

	if (!mvm_irqchip_in_kernel(vm))
		return mvm_fail(&vm->reason, -EINVAL, "KVM_SIGNAL_MSI needs an in-kernel irqchip");
	return mvm_irq_send_msi(vm, msi);
}

static long vm_get_irqchip(void *obj, void *chip)
{
	return mvm_pic_in_kernel(obj) ? mvm_irqchip_get_state(obj, chip) : -ENXIO;
}

static long vm_set_irqchip(void *obj, void *chip)
{
	return mvm_pic_in_kernel(obj) ? mvm_irqchip_set_state(obj, chip) : -ENXIO;
}

static bool has_pit(struct mvm_vm *vm)
{
	return smp_load_acquire(&vm->pit); /* pairs with mvm_pit_create() */
}

static long vm_get_pit2(void *obj, void *ps)
{
	return has_pit(obj) ? mvm_pit_get_state(obj, ps) : -ENXIO;
}

static long vm_set_pit2(void *obj, void *ps)
{
	return has_pit(obj) ? mvm_pit_set_state(obj, ps) : -ENXIO;
}

static long vm_get_pit(void *obj, void *data)
{
	struct kvm_pit_state2 ps;
	long ret = vm_get_pit2(obj, &ps);

	if (!ret)
		memcpy(data, ps.channels, sizeof(struct kvm_pit_state));
	return ret;
}

static long vm_set_pit(void *obj, void *data)
{
	struct kvm_pit_state2 ps;
	long ret = vm_get_pit2(obj, &ps);

	if (ret)
		return ret;
	memcpy(ps.channels, data, sizeof(struct kvm_pit_state));
	return mvm_pit_set_state(obj, &ps);
}

static long vm_reinject_control(void *obj, void *data)
{
	const struct kvm_reinject_control *control = data;

	if (!has_pit(obj))
		return -ENXIO;
	mvm_pit_set_reinject(obj, control->pit_reinject);
	return 0;
}

const struct mvm_ioctl mvm_vm_irq_ioctls[] = {
	MVM_IOCTL_IN(KVM_IRQ_LINE, struct kvm_irq_level, vm_irq_line),
	MVM_IOCTL_INOUT(KVM_IRQ_LINE_STATUS, struct kvm_irq_level, vm_irq_line),
	MVM_IOCTL(KVM_SET_GSI_ROUTING, vm_set_gsi_routing),
	MVM_IOCTL_IN(KVM_SIGNAL_MSI, struct kvm_msi, vm_signal_msi),
	MVM_IOCTL_IN(KVM_IRQFD, struct kvm_irqfd, vm_irqfd),
	MVM_IOCTL_IN(KVM_IOEVENTFD, struct kvm_ioeventfd, vm_ioeventfd),
	MVM_IOCTL(KVM_CREATE_IRQCHIP, vm_create_irqchip),
	MVM_IOCTL_INOUT(KVM_GET_IRQCHIP, struct kvm_irqchip, vm_get_irqchip),
	MVM_IOCTL_IN(KVM_SET_IRQCHIP, struct kvm_irqchip, vm_set_irqchip),
	MVM_IOCTL_IN(KVM_CREATE_PIT2, struct kvm_pit_config, vm_create_pit2),
	MVM_IOCTL_OUT(KVM_GET_PIT2, struct kvm_pit_state2, vm_get_pit2),
	MVM_IOCTL_IN(KVM_SET_PIT2, struct kvm_pit_state2, vm_set_pit2),
	MVM_IOCTL(KVM_CREATE_PIT, vm_create_pit),
	MVM_IOCTL_OUT(KVM_GET_PIT, struct kvm_pit_state, vm_get_pit),
	MVM_IOCTL_IN(KVM_SET_PIT, struct kvm_pit_state, vm_set_pit),
	MVM_IOCTL_IN(KVM_REINJECT_CONTROL, struct kvm_reinject_control, vm_reinject_control),
};

const size_t mvm_nr_vm_irq_ioctls = ARRAY_SIZE(mvm_vm_irq_ioctls);
