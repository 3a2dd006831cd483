// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The vCPU handle: running it, stopping it, and its registers. What is built
 * from these (real mode, the LAPIC's lines) comes last.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

#define LAPIC_LVT_LINT0		0x350
#define LAPIC_LVT_LINT1		0x360
#define LAPIC_MODE_NMI		0x400u
#define LAPIC_MODE_EXTINT	0x700u
#define RFLAGS_FIXED		0x2u

MVM_API void minivmm_vcpu_free(struct minivmm_vcpu *vcpu)
{
	if (!vcpu)
		return;
	munmap(vcpu->run, vcpu->run_size);
	close(vcpu->fd);
	free(vcpu);
}

MVM_API const char *minivmm_vcpu_error(const struct minivmm_vcpu *vcpu)
{
	return vcpu->err.text;
}

MVM_API int minivmm_vcpu_fd(const struct minivmm_vcpu *vcpu)
{
	return vcpu->fd;
}

MVM_API struct kvm_run *minivmm_vcpu_run_page(const struct minivmm_vcpu *vcpu)
{
	return vcpu->run;
}

MVM_API void *minivmm_vcpu_io_data(const struct minivmm_vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	uint64_t len = (uint64_t)run->io.size * run->io.count;

	if (run->exit_reason != KVM_EXIT_IO || run->io.data_offset > vcpu->run_size ||
	    len > vcpu->run_size - run->io.data_offset)
		return NULL;
	return (uint8_t *)vcpu->run + run->io.data_offset;
}

MVM_API int minivmm_vcpu_run(struct minivmm_vcpu *vcpu)
{
	if (ioctl(vcpu->fd, KVM_RUN, 0) == 0)
		return 0;
	if (errno == EINTR || errno == EAGAIN)
		return -errno;
	return mvm_error_ioctl(&vcpu->err, vcpu->fd, errno, "run a vCPU");
}

MVM_API int minivmm_vcpu_reason(const struct minivmm_vcpu *vcpu, char *buf, size_t size)
{
	return mvm_device_reason(vcpu->fd, buf, size);
}

MVM_API void minivmm_vcpu_stop(struct minivmm_vcpu *vcpu)
{
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
}

MVM_API void minivmm_vcpu_resume(struct minivmm_vcpu *vcpu)
{
	__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
}

/* KVM_SET_ requests only read what they point at: dropping const is sound. */
static int vcpu_ioctl(struct minivmm_vcpu *vcpu, unsigned long request, const void *arg,
		      const char *what)
{
	if (ioctl(vcpu->fd, request, arg) < 0)
		return mvm_error_ioctl(&vcpu->err, vcpu->fd, errno, what);
	return 0;
}

MVM_API int minivmm_vcpu_get_regs(struct minivmm_vcpu *vcpu, struct kvm_regs *regs)
{
	return vcpu_ioctl(vcpu, KVM_GET_REGS, regs, "get a vCPU's registers");
}

MVM_API int minivmm_vcpu_set_regs(struct minivmm_vcpu *vcpu, const struct kvm_regs *regs)
{
	return vcpu_ioctl(vcpu, KVM_SET_REGS, regs, "set a vCPU's registers");
}

MVM_API int minivmm_vcpu_get_sregs(struct minivmm_vcpu *vcpu, struct kvm_sregs *sregs)
{
	return vcpu_ioctl(vcpu, KVM_GET_SREGS, sregs, "get a vCPU's system registers");
}

MVM_API int minivmm_vcpu_set_sregs(struct minivmm_vcpu *vcpu, const struct kvm_sregs *sregs)
{
	return vcpu_ioctl(vcpu, KVM_SET_SREGS, sregs, "set a vCPU's system registers");
}

MVM_API int minivmm_vcpu_get_fpu(struct minivmm_vcpu *vcpu, struct kvm_fpu *fpu)
{
	return vcpu_ioctl(vcpu, KVM_GET_FPU, fpu, "get a vCPU's FPU state");
}

MVM_API int minivmm_vcpu_set_fpu(struct minivmm_vcpu *vcpu, const struct kvm_fpu *fpu)
{
	return vcpu_ioctl(vcpu, KVM_SET_FPU, fpu, "set a vCPU's FPU state");
}

MVM_API int minivmm_vcpu_set_cpuid(struct minivmm_vcpu *vcpu, const struct kvm_cpuid2 *cpuid)
{
	return vcpu_ioctl(vcpu, KVM_SET_CPUID2, cpuid, "set a vCPU's CPUID table");
}

/* struct kvm_msrs ends in a flexible array: this is one with one entry. */
union one_msr {
	struct kvm_msrs msrs;
	uint8_t room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
};

static int msr_ioctl(struct minivmm_vcpu *vcpu, unsigned long request, const char *verb,
		     uint32_t index, uint64_t *value)
{
	union one_msr msr = { .room = { 0 } };
	char what[48];
	int done;

	msr.msrs.nmsrs = 1;
	msr.msrs.entries[0].index = index;
	msr.msrs.entries[0].data = *value;
	snprintf(what, sizeof(what), "%s MSR %#x", verb, index);
	done = ioctl(vcpu->fd, request, &msr);
	if (done < 0)
		return mvm_error_ioctl(&vcpu->err, vcpu->fd, errno, what);
	if (done != 1)
		return mvm_error_set(&vcpu->err, -EPERM,
				     "cannot %s: the device does not let a guest have it", what);
	*value = msr.msrs.entries[0].data;
	return 0;
}

MVM_API int minivmm_vcpu_get_msr(struct minivmm_vcpu *vcpu, uint32_t index, uint64_t *value)
{
	uint64_t got = 0;
	int ret = msr_ioctl(vcpu, KVM_GET_MSRS, "get", index, &got);

	if (!ret)
		*value = got;
	return ret;
}

MVM_API int minivmm_vcpu_set_msr(struct minivmm_vcpu *vcpu, uint32_t index, uint64_t value)
{
	return msr_ioctl(vcpu, KVM_SET_MSRS, "set", index, &value);
}

MVM_API int minivmm_vcpu_set_real_mode(struct minivmm_vcpu *vcpu, uint16_t segment, uint16_t ip)
{
	struct kvm_regs regs = { .rip = ip, .rflags = RFLAGS_FIXED };
	struct kvm_sregs sregs;
	int ret;

	/* A new vCPU is in real mode already; only CS starts elsewhere. */
	ret = minivmm_vcpu_get_sregs(vcpu, &sregs);
	if (ret)
		return ret;
	sregs.cs.selector = segment;
	sregs.cs.base = (uint64_t)segment << 4;
	ret = minivmm_vcpu_set_sregs(vcpu, &sregs);
	return ret ? ret : minivmm_vcpu_set_regs(vcpu, &regs);
}

static void lapic_write(struct kvm_lapic_state *lapic, unsigned int reg, uint32_t value)
{
	memcpy(&lapic->regs[reg], &value, sizeof(value));
}

MVM_API int minivmm_vcpu_setup_lapic(struct minivmm_vcpu *vcpu)
{
	struct kvm_lapic_state lapic = { .regs = { 0 } };
	int ret;

	ret = vcpu_ioctl(vcpu, KVM_GET_LAPIC, &lapic, "get a vCPU's local APIC");
	if (ret)
		return ret;
	lapic_write(&lapic, LAPIC_LVT_LINT0, LAPIC_MODE_EXTINT);
	lapic_write(&lapic, LAPIC_LVT_LINT1, LAPIC_MODE_NMI);
	return vcpu_ioctl(vcpu, KVM_SET_LAPIC, &lapic, "set a vCPU's local APIC");
}
