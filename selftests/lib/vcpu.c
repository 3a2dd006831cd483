// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test vCPUs: create, run to an exit, say what happened; see mvm_util.h.
 * What puts one into a mode is in mode.c.
 */
#include <inttypes.h>
#include <sys/mman.h>

#include "mvm_util.h"

#define CPUID_1_ECX_DEADLINE (1u << 24)
#define MAX_CPUID	256

int tvcpu_create(struct tvm *vm, struct tvcpu *vcpu, unsigned int id)
{
	int size = tvm_ioctl(vm->sys, KVM_GET_VCPU_MMAP_SIZE, NULL);
	void *run;

	*vcpu = (struct tvcpu){ .vm = vm, .fd = -1, .id = id };
	if (size < 0)
		return size;
	vcpu->fd = tvm_ioctl(vm->fd, KVM_CREATE_VCPU, (void *)(uintptr_t)id);
	if (vcpu->fd < 0)
		return vcpu->fd;
	run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (run == MAP_FAILED) {
		int ret = -errno;

		tvcpu_destroy(vcpu);
		return ret;
	}
	vcpu->run = run;
	vcpu->run_size = size;
	return 0;
}

void tvcpu_destroy(struct tvcpu *vcpu)
{
	if (vcpu->run)
		munmap(vcpu->run, vcpu->run_size);
	if (vcpu->fd >= 0)
		close(vcpu->fd);
	vcpu->run = NULL;
	vcpu->fd = -1;
}

static void set_apic_id(struct kvm_cpuid_entry2 *e, uint32_t id)
{
	if (e->function == 1)
		e->ebx = (e->ebx & 0xffffff) | id << 24;
	else if (e->function == 0xb || e->function == 0x1f)
		e->edx = id;
	else if (e->function == 0x8000001e)
		e->eax = id;
}

int tvcpu_set_cpuid(struct tvcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid;
	unsigned int i;
	int ret;

	cpuid = calloc(1, sizeof(*cpuid) + MAX_CPUID * sizeof(cpuid->entries[0]));
	if (!cpuid)
		return -ENOMEM;
	cpuid->nent = MAX_CPUID;
	ret = tvm_ioctl(vcpu->vm->sys, KVM_GET_SUPPORTED_CPUID, cpuid);
	for (i = 0; !ret && i < cpuid->nent; i++)
		set_apic_id(&cpuid->entries[i], vcpu->id);
	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid);
	free(cpuid);
	return ret;
}

int tvcpu_offer_deadline(struct tvcpu *vcpu)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[MAX_CPUID];
	} cpuid = { .head.nent = MAX_CPUID };
	uint32_t i;
	int ret = tvm_ioctl(vcpu->fd, KVM_GET_CPUID2, &cpuid);

	for (i = 0; !ret && i < cpuid.head.nent; i++)
		if (cpuid.entries[i].function == 1)
			cpuid.entries[i].ecx |= CPUID_1_ECX_DEADLINE;
	return ret ? ret : tvm_ioctl(vcpu->fd, KVM_SET_CPUID2, &cpuid);
}

struct one_msr {
	struct kvm_msrs head;
	struct kvm_msr_entry entry;
};

static int msr_ioctl(struct tvcpu *vcpu, unsigned long request, struct one_msr *msr)
{
	int ret = tvm_ioctl(vcpu->fd, request, msr);

	return ret == 1 ? 0 : ret ? ret : -EPERM;
}

int tvcpu_get_msr(struct tvcpu *vcpu, uint32_t index, uint64_t *data)
{
	struct one_msr msr = { .head.nmsrs = 1, .entry.index = index };
	int ret = msr_ioctl(vcpu, KVM_GET_MSRS, &msr);

	*data = msr.entry.data;
	return ret;
}

int tvcpu_set_msr(struct tvcpu *vcpu, uint32_t index, uint64_t data)
{
	struct one_msr msr = { .head.nmsrs = 1, .entry.index = index, .entry.data = data };

	return msr_ioctl(vcpu, KVM_SET_MSRS, &msr);
}

int tvcpu_start(struct tvcpu *vcpu, enum tvm_mode mode, const uint8_t *start,
		const uint8_t *end)
{
	if (end < start || (size_t)(end - start) > vcpu->vm->mem_size - TVM_CODE)
		return -EFBIG;
	memcpy(vcpu->vm->mem + TVM_CODE, start, end - start);
	return tvcpu_set_mode(vcpu, mode);
}

int tvcpu_run(struct tvcpu *vcpu)
{
	int ret;

	do {
		ret = tvm_ioctl(vcpu->fd, KVM_RUN, NULL);
	} while (ret == -EINTR);
	return ret;
}

int tvcpu_run_to(struct tvcpu *vcpu, uint32_t exit_reason)
{
	int ret = tvcpu_run(vcpu);

	if (ret) {
		char why[256];

		tvm_reason(vcpu->fd, -ret, why, sizeof(why));
		printf("# KVM_RUN: %s\n", why);
		return ret;
	}
	if (vcpu->run->exit_reason == exit_reason)
		return 0;
	printf("# expected exit %u\n", exit_reason);
	tvcpu_show(vcpu);
	return -EPROTO;
}

int tvcpu_run_out(struct tvcpu *vcpu, uint32_t *value)
{
	struct kvm_run *run = vcpu->run;
	int ret = tvcpu_run_to(vcpu, KVM_EXIT_IO);

	if (ret)
		return ret;
	if (run->io.direction != KVM_EXIT_IO_OUT || run->io.port != TVM_PORT ||
	    run->io.count != 1) {
		tvcpu_show(vcpu);
		return -EPROTO;
	}
	*value = 0;
	memcpy(value, (uint8_t *)run + run->io.data_offset, run->io.size);
	return 0;
}

static void show_registers(struct tvcpu *vcpu)
{
	struct kvm_regs r;
	struct kvm_sregs s;

	if (tvm_ioctl(vcpu->fd, KVM_GET_REGS, &r) ||
	    tvm_ioctl(vcpu->fd, KVM_GET_SREGS, &s))
		return;
	printf("# rip %llx rsp %llx rflags %llx rax %llx rbx %llx rcx %llx rdx %llx\n",
	       r.rip, r.rsp, r.rflags, r.rax, r.rbx, r.rcx, r.rdx);
	printf("# cr0 %llx cr2 %llx cr3 %llx cr4 %llx efer %llx cs %x:%llx\n",
	       s.cr0, s.cr2, s.cr3, s.cr4, s.efer, s.cs.selector, s.cs.base);
}

void tvcpu_show(struct tvcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;

	printf("# exit %u", run->exit_reason);
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		printf(": %s port 0x%x, %u bytes, %u times",
		       run->io.direction ? "OUT to" : "IN from", run->io.port,
		       run->io.size, run->io.count);
		break;
	case KVM_EXIT_MMIO:
		printf(": MMIO %s 0x%llx, %u bytes",
		       run->mmio.is_write ? "write to" : "read from",
		       run->mmio.phys_addr, run->mmio.len);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		printf(": entry failed, hardware reason 0x%llx",
		       run->fail_entry.hardware_entry_failure_reason);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		printf(": internal error %u", run->internal.suberror);
		for (uint32_t i = 0; i < run->internal.ndata && i < 16; i++)
			printf(" 0x%llx", run->internal.data[i]);
		break;
	}
	printf("\n");
	show_registers(vcpu);
}
