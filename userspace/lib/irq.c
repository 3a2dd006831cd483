// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Interrupts without the caller's thread between: routes of the interrupt lines,
 * messages, eventfds that raise lines, and guest writes that signal eventfds.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "internal.h"

MVM_API int minivmm_vm_create_split_irqchip(struct minivmm_vm *vm, uint32_t pins)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { pins } };

	if (ioctl(vm->fd, KVM_ENABLE_CAP, &cap) == 0)
		return 0;
	return mvm_error_ioctl(&vm->err, vm->fd, errno, "leave all but the local APICs out");
}

MVM_API int minivmm_vm_set_routes(struct minivmm_vm *vm,
				  const struct kvm_irq_routing_entry *routes, uint32_t n)
{
	struct kvm_irq_routing *table;
	int ret = 0;

	table = calloc(1, sizeof(*table) + (size_t)n * sizeof(*routes));
	if (!table)
		return mvm_error_set(&vm->err, -ENOMEM, "cannot set %u routes: out of memory", n);
	table->nr = n;
	if (n)
		memcpy(table->entries, routes, (size_t)n * sizeof(*routes));
	if (ioctl(vm->fd, KVM_SET_GSI_ROUTING, table) < 0)
		ret = mvm_error_ioctl(&vm->err, vm->fd, errno, "set the interrupt routes");
	free(table);
	return ret;
}

MVM_API int minivmm_vm_send_msi(struct minivmm_vm *vm, uint64_t address, uint32_t data)
{
	struct kvm_msi msi = {
		.address_lo = (uint32_t)address,
		.address_hi = (uint32_t)(address >> 32),
		.data = data,
	};
	int ret = ioctl(vm->fd, KVM_SIGNAL_MSI, &msi);

	if (ret >= 0)
		return ret;
	return mvm_error_ioctl(&vm->err, vm->fd, errno, "send a message-signalled interrupt");
}

static int set_irqfd(struct minivmm_vm *vm, const struct kvm_irqfd *irqfd, const char *verb)
{
	char what[80];

	if (ioctl(vm->fd, KVM_IRQFD, irqfd) == 0)
		return 0;
	snprintf(what, sizeof(what), "%s eventfd %d and interrupt line %u", verb, (int)irqfd->fd,
		 irqfd->gsi);
	return mvm_error_ioctl(&vm->err, vm->fd, errno, what);
}

MVM_API int minivmm_vm_add_irqfd(struct minivmm_vm *vm, int fd, uint32_t gsi, int resample_fd)
{
	struct kvm_irqfd irqfd = { .fd = (uint32_t)fd, .gsi = gsi };

	if (resample_fd >= 0) {
		irqfd.flags = KVM_IRQFD_FLAG_RESAMPLE;
		irqfd.resamplefd = (uint32_t)resample_fd;
	}
	return set_irqfd(vm, &irqfd, "connect");
}

MVM_API int minivmm_vm_remove_irqfd(struct minivmm_vm *vm, int fd, uint32_t gsi)
{
	struct kvm_irqfd irqfd = {
		.fd = (uint32_t)fd, .gsi = gsi, .flags = KVM_IRQFD_FLAG_DEASSIGN,
	};

	return set_irqfd(vm, &irqfd, "disconnect");
}

static int set_ioeventfd(struct minivmm_vm *vm, const struct kvm_ioeventfd *args, uint32_t flags,
			 const char *verb)
{
	struct kvm_ioeventfd copy = *args;
	char what[96];

	copy.flags |= flags;
	if (ioctl(vm->fd, KVM_IOEVENTFD, &copy) == 0)
		return 0;
	snprintf(what, sizeof(what), "%s eventfd %d and writes to %s %#llx", verb, args->fd,
		 args->flags & KVM_IOEVENTFD_FLAG_PIO ? "port" : "address",
		 (unsigned long long)args->addr);
	return mvm_error_ioctl(&vm->err, vm->fd, errno, what);
}

MVM_API int minivmm_vm_add_ioeventfd(struct minivmm_vm *vm, const struct kvm_ioeventfd *args)
{
	return set_ioeventfd(vm, args, 0, "connect");
}

MVM_API int minivmm_vm_remove_ioeventfd(struct minivmm_vm *vm, const struct kvm_ioeventfd *args)
{
	return set_ioeventfd(vm, args, KVM_IOEVENTFD_FLAG_DEASSIGN, "disconnect");
}
