// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The VM handle: memory slots, the in-kernel irqchip and its lines, and
 * making vCPUs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

/* Three pages that VT-x without unrestricted guest would need, below 4 GiB. */
#define TSS_ADDR 0xfffbd000ul

MVM_API void minivmm_vm_free(struct minivmm_vm *vm)
{
	if (!vm)
		return;
	close(vm->fd);
	free(vm);
}

MVM_API const char *minivmm_vm_error(const struct minivmm_vm *vm)
{
	return vm->err.text;
}

MVM_API int minivmm_vm_fd(const struct minivmm_vm *vm)
{
	return vm->fd;
}

MVM_API int minivmm_vm_set_memory(struct minivmm_vm *vm, uint32_t slot, uint32_t flags,
				  uint64_t gpa, uint64_t size, void *host)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)host,
	};
	char what[96];

	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) == 0)
		return 0;
	snprintf(what, sizeof(what), "set memory slot %u (%llu bytes at guest address %#llx)",
		 slot, (unsigned long long)size, (unsigned long long)gpa);
	return mvm_error_ioctl(&vm->err, vm->fd, errno, what);
}

MVM_API int minivmm_vm_create_irqchip(struct minivmm_vm *vm)
{
	/* The speaker bit of port 61h is the kernel's too. */
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };

	if (ioctl(vm->fd, KVM_SET_TSS_ADDR, TSS_ADDR) < 0)
		return mvm_error_ioctl(&vm->err, vm->fd, errno, "set the TSS address");
	if (ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0) < 0)
		return mvm_error_ioctl(&vm->err, vm->fd, errno, "create the interrupt controllers");
	if (ioctl(vm->fd, KVM_CREATE_PIT2, &pit) < 0)
		return mvm_error_ioctl(&vm->err, vm->fd, errno, "create the interval timer");
	return 0;
}

MVM_API int minivmm_vm_irq_line(struct minivmm_vm *vm, uint32_t gsi, int level)
{
	struct kvm_irq_level line = { .irq = gsi, .level = !!level };
	char what[48];

	if (ioctl(vm->fd, KVM_IRQ_LINE, &line) == 0)
		return 0;
	snprintf(what, sizeof(what), "set interrupt line %u", gsi);
	return mvm_error_ioctl(&vm->err, vm->fd, errno, what);
}

MVM_API int minivmm_vcpu_create(struct minivmm_vm *vm, uint32_t id, struct minivmm_vcpu **out)
{
	struct minivmm_vcpu *vcpu;
	char what[48];
	int ret;

	snprintf(what, sizeof(what), "create vCPU %u", id);
	vcpu = calloc(1, sizeof(*vcpu));
	if (!vcpu)
		return mvm_error_set(&vm->err, -ENOMEM, "cannot %s: out of memory", what);

	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)id);
	if (vcpu->fd < 0) {
		ret = mvm_error_ioctl(&vm->err, vm->fd, errno, what);
		goto err_free;
	}
	vcpu->run_size = vm->run_size;
	vcpu->run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		ret = mvm_error_ioctl(&vm->err, vcpu->fd, errno, "map a vCPU's shared page");
		goto err_close;
	}
	*out = vcpu;
	return 0;

err_close:
	close(vcpu->fd);
err_free:
	free(vcpu);
	return ret;
}
