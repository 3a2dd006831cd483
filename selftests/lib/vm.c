// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test VMs: the device, memory, interrupt controllers; see mvm_util.h.
 */
#include <fcntl.h>
#include <sys/mman.h>

#include "mvm_util.h"

/* Where KVM on VT-x keeps its TSS; nothing of a test VM is there. */
#define TSS_ADDR	0xfffbd000ul

int tvm_ioctl(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

const char *tvm_device(void)
{
	const char *dev = getenv("MINIVMM_DEV");

	return dev && *dev ? dev : "/dev/minivmm";
}

bool tvm_is_kvm(void)
{
	return strstr(tvm_device(), "kvm");
}

int tvm_open(void)
{
	int fd = open(tvm_device(), O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

void tvm_reason(int fd, int error, char *buf, size_t size)
{
	struct minivmm_reason reason = { { 0 } };

	if (ioctl(fd, MINIVMM_GET_REASON, &reason) == 0 && reason.text[0])
		snprintf(buf, size, "%.255s", reason.text);
	else
		snprintf(buf, size, "%s", strerror(error));
}

static bool nothing_to_test(int error)
{
	return error == ENOENT || error == ENXIO || error == ENODEV ||
	       error == EACCES || error == EPERM || error == EOPNOTSUPP;
}

int tvm_set_slot(struct tvm *vm, uint32_t slot, uint32_t flags, uint64_t gpa,
		 uint64_t size, void *hva)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)hva,
	};

	return tvm_ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
}

int tvm_create(struct tvm *vm, size_t mem_size)
{
	char text[256];
	int ret;

	memset(vm, 0, sizeof(*vm));
	vm->fd = -1;
	vm->sys = tvm_open();
	if (vm->sys < 0) {
		snprintf(vm->why, sizeof(vm->why), "cannot open %s: %s",
			 tvm_device(), strerror(-vm->sys));
		return nothing_to_test(-vm->sys) ? -ENODEV : vm->sys;
	}
	vm->fd = tvm_ioctl(vm->sys, KVM_CREATE_VM, NULL);
	if (vm->fd < 0) {
		ret = vm->fd;
		tvm_reason(vm->sys, -ret, text, sizeof(text));
		snprintf(vm->why, sizeof(vm->why), "no VM: %s", text);
		tvm_destroy(vm);
		return nothing_to_test(-ret) ? -ENODEV : ret;
	}
	vm->mem = mmap(NULL, mem_size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (vm->mem == MAP_FAILED) {
		vm->mem = NULL;
		tvm_destroy(vm);
		return -ENOMEM;
	}
	vm->mem_size = mem_size;
	/* Needed by KVM on VT-x before a vCPU runs; others may not know it. */
	ioctl(vm->fd, KVM_SET_TSS_ADDR, TSS_ADDR);
	ret = tvm_set_slot(vm, 0, 0, 0, mem_size, vm->mem);
	if (ret) {
		snprintf(vm->why, sizeof(vm->why), "no memory slot: %s",
			 strerror(-ret));
		tvm_destroy(vm);
	}
	return ret;
}

void tvm_destroy(struct tvm *vm)
{
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->sys >= 0)
		close(vm->sys);
	if (vm->mem)
		munmap(vm->mem, vm->mem_size);
	vm->fd = -1;
	vm->sys = -1;
	vm->mem = NULL;
}

int tvm_create_irqchip(struct tvm *vm, bool pit)
{
	struct kvm_pit_config config = { 0 };
	int ret = tvm_ioctl(vm->fd, KVM_CREATE_IRQCHIP, NULL);

	if (!ret && pit)
		ret = tvm_ioctl(vm->fd, KVM_CREATE_PIT2, &config);
	return ret;
}
