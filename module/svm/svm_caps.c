// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this processor's AMD-V has: the necessary, each refusal with its sentence,
 * the optional, and the nested tables' format. Module load and unload; nothing is
 * turned on here.
 */
#include <linux/mem_encrypt.h>
#include <linux/mm.h>

#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/pgtable_types.h>
#include <asm/processor.h>
#include <asm/tlbflush.h>

#include "svm.h"

struct svm_features mvm_svm_features __ro_after_init;
struct mvm_backend_caps mvm_svm_caps;

static void svm_free_cpus(void)
{
	struct svm_cpu *cpu;
	int i;

	for_each_possible_cpu(i) {
		cpu = per_cpu_ptr(&mvm_svm_cpus, i);
		if (cpu->hsave)
			__free_page(cpu->hsave);
		if (cpu->host_vmcb)
			__free_page(cpu->host_vmcb);
		cpu->hsave = NULL;
		cpu->host_vmcb = NULL;
	}
}

static int svm_alloc_cpus(void)
{
	struct svm_cpu *cpu;
	int i;

	for_each_possible_cpu(i) {
		cpu = per_cpu_ptr(&mvm_svm_cpus, i);
		cpu->hsave = alloc_pages_node(cpu_to_node(i), GFP_KERNEL | __GFP_ZERO, 0);
		cpu->host_vmcb = alloc_pages_node(cpu_to_node(i), GFP_KERNEL | __GFP_ZERO, 0);
		if (!cpu->hsave || !cpu->host_vmcb) {
			svm_free_cpus();
			return -ENOMEM;
		}
	}
	return 0;
}

/* The necessary, each with its sentence. */
static int svm_check(struct mvm_reason *reason)
{
	u64 efer, vm_cr;

	if (boot_cpu_data.x86_vendor != X86_VENDOR_AMD &&
	    boot_cpu_data.x86_vendor != X86_VENDOR_HYGON)
		return mvm_fail(reason, -ENODEV, "no AMD-V: not an AMD processor");
	if (cpuid_eax(0x80000000) < SVM_CPUID_FUNC ||
	    !(cpuid_ecx(0x80000001) & BIT(X86_FEATURE_SVM & 31)))
		return mvm_fail(reason, -EOPNOTSUPP,
				"no AMD-V: the processor, or a hypervisor below, offers no SVM");
	if (!rdmsrl_safe(MSR_VM_CR, &vm_cr) && vm_cr & SVM_VM_CR_SVMDIS)
		return mvm_fail(reason, -EIO,
				"AMD-V is disabled by the firmware: enable SVM in its setup");
	if (!(cpuid_edx(SVM_CPUID_FUNC) & BIT(X86_FEATURE_NPT & 31)))
		return mvm_fail(reason, -EOPNOTSUPP, "AMD-V without nested paging, which is required");
	rdmsrl(MSR_EFER, efer);
	if (!(efer & EFER_NX))
		return mvm_fail(reason, -EOPNOTSUPP,
				"the host runs without NX (noexec=off), which nested paging needs");
	return 0;
}

/* The emulator names itself in the hypervisor's leaf. */
static bool svm_on_tcg(void)
{
	u32 eax, sig[3];

	if (!boot_cpu_has(X86_FEATURE_HYPERVISOR))
		return false;
	cpuid(0x40000000, &eax, &sig[0], &sig[1], &sig[2]);
	return !memcmp(sig, "TCGTCGTCGTCG", sizeof(sig));
}

/* The optional. Returns false where there are no ASIDs to give. */
static bool svm_detect(void)
{
	struct svm_features *f = &mvm_svm_features;
	u32 edx = cpuid_edx(SVM_CPUID_FUNC);

	f->nrips = edx & BIT(X86_FEATURE_NRIPS & 31);
	f->flush_by_asid = edx & BIT(X86_FEATURE_FLUSHBYASID & 31);
	f->decode_assists = edx & BIT(X86_FEATURE_DECODEASSISTS & 31);
	f->pause_filter = edx & BIT(X86_FEATURE_PAUSEFILTER & 31);
	f->pause_threshold = edx & BIT(X86_FEATURE_PFTHRESHOLD & 31);
	f->tsc_ratio = edx & BIT(X86_FEATURE_TSCRATEMSR & 31);
	f->tsc_aux = boot_cpu_has(X86_FEATURE_RDTSCP) || boot_cpu_has(X86_FEATURE_RDPID);
	f->loses_shadow = svm_on_tcg();
	f->repeats_irq = f->loses_shadow;
	f->max_asid = cpuid_ebx(SVM_CPUID_FUNC) - 1;
	f->min_asid = 1;
	/* The lowest ASIDs belong to encrypted guests: their keys hang on the number. */
	if (boot_cpu_has(X86_FEATURE_SEV) && cpuid_eax(0x80000000) >= 0x8000001f)
		f->min_asid = cpuid_ecx(0x8000001f) + 1;

	snprintf(mvm_svm_caps.features, sizeof(mvm_svm_caps.features), "npt%s%s%s%s%s",
		 cr4_read_shadow() & X86_CR4_LA57 ? " 5-level" : "",
		 f->nrips ? " nrips" : "", f->flush_by_asid ? " flushbyasid" : "",
		 f->decode_assists ? " decodeassists" : "",
		 edx & BIT(X86_FEATURE_VMCBCLEAN & 31) ? " vmcbclean" : "");
	return f->min_asid <= f->max_asid && f->max_asid != ~0U;
}

/* Nested tables are host-format tables walked as user accesses, under the host's CR4 and EFER. */
static void svm_fill_npt_format(struct mvm_npt_format *npt)
{
	npt->levels = cr4_read_shadow() & X86_CR4_LA57 ? 5 : 4;
	npt->table = _PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED;
	npt->leaf = _PAGE_USER;
	npt->read = _PAGE_PRESENT;
	npt->write = _PAGE_RW;
	npt->exec = 0;
	npt->noexec = _PAGE_NX;
	npt->large = _PAGE_PSE;
	npt->accessed = _PAGE_ACCESSED;
	npt->dirty = _PAGE_DIRTY;
	npt->nonpresent = 0; /* not prone to L1TF */
	npt->enc_mask = sme_me_mask;
	npt->has_1g = boot_cpu_has(X86_FEATURE_GBPAGES);
}

/**
 * mvm_svm_setup() - struct mvm_backend's setup
 * @reason: on failure, the sentence
 *
 * Fills mvm_svm_features and mvm_svm_caps; allocates the permission maps and the per-CPU
 * areas. Turns nothing on. Context: module load; may sleep.
 * Return: 0; -ENODEV: not AMD's; -EOPNOTSUPP: something necessary is missing; -EIO: the
 * firmware has it disabled; -ENOMEM.
 */
int mvm_svm_setup(struct mvm_reason *reason)
{
	int err;

	/* svm_entry.S counts on the manual's order. */
	BUILD_BUG_ON(MVM_RCX != 1 || MVM_RDX != 2 || MVM_RBX != 3 || MVM_RBP != 5);
	BUILD_BUG_ON(MVM_RSI != 6 || MVM_RDI != 7 || MVM_R8 != 8 || MVM_R15 != 15);

	err = svm_check(reason);
	if (err)
		return err;
	if (!svm_detect())
		return mvm_fail(reason, -EOPNOTSUPP, "AMD-V has no ASID left for ordinary guests");
	svm_fill_npt_format(&mvm_svm_caps.npt);
	err = mvm_svm_maps_create();
	if (err)
		return mvm_fail(reason, err, "no memory for AMD-V's permission maps");
	err = svm_alloc_cpus();
	if (err) {
		mvm_svm_maps_destroy();
		return mvm_fail(reason, err, "no memory for AMD-V's per-CPU areas");
	}
	return 0;
}

/**
 * mvm_svm_teardown() - reverse of mvm_svm_setup(); AMD-V is off on every CPU
 */
void mvm_svm_teardown(void)
{
	svm_free_cpus();
	mvm_svm_maps_destroy();
}
