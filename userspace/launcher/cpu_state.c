// SPDX-License-Identifier: GPL-2.0-only
/*
 * What firmware would have left in a processor: CPUID, a few MSRs, the FPU,
 * the local APIC's pins, and for the boot processor the registers that the
 * image's way of starting asks for.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "machine.h"

/* Numbers and bits as the Intel SDM's list of MSRs has them. */
#define MSR_MISC_ENABLE			0x1a0
#define MISC_ENABLE_FAST_STRING		0x1
#define MSR_MTRR_DEF_TYPE		0x2ff
#define MTRR_ENABLE			0x800
#define MTRR_TYPE_WRITE_BACK		0x6

#define FPU_CONTROL_DEFAULT	0x37f
#define MXCSR_DEFAULT		0x1f80

/*
 * A device without MTRRs refuses that MSR, and its guest sees no MTRR bit in
 * CPUID either: that row is a wish.
 */
static const struct {
	uint32_t index;
	uint64_t value;
	bool required;
} msrs[] = {
	{ MSR_MISC_ENABLE, MISC_ENABLE_FAST_STRING, true },
	{ MSR_MTRR_DEF_TYPE, MTRR_ENABLE | MTRR_TYPE_WRITE_BACK, false },
};

static int set_cpuid(struct machine *m, struct cpu *cpu, const struct kvm_cpuid2 *supported)
{
	bool deadline = minivmm_check(m->sys, KVM_CAP_TSC_DEADLINE_TIMER) > 0;
	struct kvm_cpuid2 *cpuid;
	int ret;

	cpuid = minivmm_cpuid_for_vcpu(supported, cpu->id, m->opt->cpus, deadline);
	if (!cpuid)
		return -ENOMEM;
	ret = minivmm_vcpu_set_cpuid(cpu->vcpu, cpuid);
	free(cpuid);
	return ret;
}

static int set_msrs(struct cpu *cpu)
{
	size_t i;
	int ret;

	for (i = 0; i < sizeof(msrs) / sizeof(msrs[0]); i++) {
		ret = minivmm_vcpu_set_msr(cpu->vcpu, msrs[i].index, msrs[i].value);
		if (ret && msrs[i].required)
			return ret;
	}
	return 0;
}

static int set_registers(struct cpu *cpu, const struct boot_entry *entry)
{
	struct kvm_fpu fpu = { .fcw = FPU_CONTROL_DEFAULT, .mxcsr = MXCSR_DEFAULT };
	int ret;

	ret = minivmm_vcpu_set_fpu(cpu->vcpu, &fpu);
	/* The other processors wait for the first to start them. */
	if (ret || !entry)
		return ret;
	ret = minivmm_vcpu_set_sregs(cpu->vcpu, &entry->sregs);
	return ret ? ret : minivmm_vcpu_set_regs(cpu->vcpu, &entry->regs);
}

int cpu_setup(struct machine *m, struct cpu *cpu, const struct kvm_cpuid2 *supported,
	      const struct boot_entry *entry, char *err, size_t errlen)
{
	int ret;

	ret = set_cpuid(m, cpu, supported);
	if (!ret)
		ret = set_msrs(cpu);
	if (!ret)
		ret = set_registers(cpu, entry);
	if (!ret)
		ret = minivmm_vcpu_setup_lapic(cpu->vcpu);
	if (ret)
		snprintf(err, errlen, "cannot prepare CPU %u: %s", cpu->id,
			 ret == -ENOMEM ? "out of memory" : minivmm_vcpu_error(cpu->vcpu));
	return ret;
}
