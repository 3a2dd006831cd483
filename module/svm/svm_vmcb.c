// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMCB's fixed part: which events end the guest's run, and why; the I/O and
 * MSR permission maps that all VMs share.
 *
 * What changes from entry to entry is in svm_state.c and svm_event.c.
 */
#include <linux/io.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>

#include <asm/msr-index.h>
#include <asm/traps.h>

#include "svm.h"

/*
 * One row an intercept that is on for good; the reason is for the reader. Task switches are
 * not among them: the processor does what it would without us, with CR3, LDTR and RFLAGS
 * that are the guest's own anyway.
 */
#define ALWAYS(bit, reason) bit

static const u8 svm_intercepts[] = {
	ALWAYS(INTERCEPT_INTR, "the host's interrupts are the host's"),
	ALWAYS(INTERCEPT_NMI, "likewise"),
	ALWAYS(INTERCEPT_SMI, "taken by the firmware at STGI, with the host's state loaded"),
	ALWAYS(INTERCEPT_INIT, "likewise: must find the host, not the guest"),
	ALWAYS(INTERCEPT_SHUTDOWN, "a triple fault would reset the machine"),
	ALWAYS(INTERCEPT_FERR_FREEZE, "would assert FERR# to the host's interrupt controller"),

	ALWAYS(INTERCEPT_CPUID, "the vCPU has its own table"),
	ALWAYS(INTERCEPT_HLT, "the vCPU sleeps, not the CPU"),
	ALWAYS(INTERCEPT_INVD, "would drop the host's dirty cache lines"),
	ALWAYS(INTERCEPT_WBINVD, "stops the whole machine for milliseconds"),
	ALWAYS(INTERCEPT_RDPMC, "the counters are the host's"),
	ALWAYS(INTERCEPT_RDPRU, "reads host performance registers; not offered"),
	ALWAYS(INTERCEPT_MONITOR, "monitors host physical addresses"),
	ALWAYS(INTERCEPT_MWAIT, "would sleep in the guest with the host's interrupts late"),
	ALWAYS(INTERCEPT_MWAIT_COND, "likewise"),
	ALWAYS(INTERCEPT_XSETBV, "XCR0 is checked against the vCPU's CPUID"),
	ALWAYS(INTERCEPT_RSM, "no SMM: #UD"),

	ALWAYS(INTERCEPT_IOIO_PROT, "every port is emulated"),
	ALWAYS(INTERCEPT_MSR_PROT, "every MSR but those of svm_passed_msrs[]"),

	ALWAYS(INTERCEPT_VMRUN, "VMRUN must be intercepted; no nested guests: #UD"),
	ALWAYS(INTERCEPT_VMMCALL, "the hypercall"),
	ALWAYS(INTERCEPT_VMLOAD, "no nested guests: #UD"),
	ALWAYS(INTERCEPT_VMSAVE, "likewise"),
	ALWAYS(INTERCEPT_STGI, "likewise"),
	ALWAYS(INTERCEPT_CLGI, "likewise; would also hold off the host's NMIs"),
	ALWAYS(INTERCEPT_SKINIT, "resets the processor"),
	ALWAYS(INTERCEPT_INVLPGA, "names ASIDs, which are the host's"),

	ALWAYS(INTERCEPT_CR0_WRITE, "mode changes are checked and remembered"),
	ALWAYS(INTERCEPT_CR4_WRITE, "reserved bits depend on the vCPU's CPUID"),
	ALWAYS(INTERCEPT_CR8_READ, "the TPR is the local APIC's"),
	ALWAYS(INTERCEPT_CR8_WRITE, "likewise"),
};

/*
 * What a spin loop is: that many PAUSEs, no further apart in cycles than the threshold. A
 * lock whose holder runs is free again long before.
 */
#define SVM_PAUSE_COUNT	    3000
#define SVM_PAUSE_THRESHOLD 128

/* Debug registers: DR0-3 and DR6 are software's, DR7 is checked. All accesses exit. */
#define SVM_DR_INTERCEPTS (0xffU | 0xffU << 16)

/* #DB and #AC: their endless delivery would hang a core. #MC: the host's. */
#define SVM_FIXED_EXCEPTIONS (BIT(X86_TRAP_DB) | BIT(X86_TRAP_AC) | BIT(X86_TRAP_MC))

/*
 * Faults of the instruction that is stepped over while RFLAGS.TF is the backend's:
 * taken as exits, so that the frame the guest gets does not show that TF.
 */
#define SVM_STEP_EXCEPTIONS                                                          \
	(BIT(X86_TRAP_DE) | BIT(X86_TRAP_BR) | BIT(X86_TRAP_UD) | BIT(X86_TRAP_NM) | \
	 BIT(X86_TRAP_TS) | BIT(X86_TRAP_NP) | BIT(X86_TRAP_SS) | BIT(X86_TRAP_GP) | \
	 BIT(X86_TRAP_PF) | BIT(X86_TRAP_MF) | BIT(X86_TRAP_XF))

/* MSRs that VMLOAD and VMSAVE swap: the guest may use them directly. */
static const u32 svm_passed_msrs[] = {
	MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE,
	MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SYSCALL_MASK,
	MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
};

/* Sizes in the APM: 12 KiB of port bits, 8 KiB of MSR bits, both contiguous. */
#define SVM_IOPM_SIZE  (3 * PAGE_SIZE)
#define SVM_MSRPM_SIZE (2 * PAGE_SIZE)

static void *svm_iopm, *svm_msrpm; /* [I] after setup; read by the processor alone */

/* The two permission bits (read, write) of an MSR: byte and shift in the map. */
static bool svm_msrpm_pos(u32 msr, u32 *byte, u32 *shift)
{
	static const u32 base[] = { 0, 0xc0000000, 0xc0010000 };
	u32 i, nr;

	for (i = 0; i < ARRAY_SIZE(base); i++) {
		nr = msr - base[i];
		if (nr >= 0x2000)
			continue;
		*byte = i * 0x800 + nr / 4;
		*shift = nr % 4 * 2;
		return true;
	}
	return false;
}

/**
 * mvm_svm_maps_create() - allocate and fill the I/O and MSR permission maps that all VMs share
 *
 * Every port exits, and every MSR but those of svm_passed_msrs[]. Context: module load; may
 * sleep.
 * Return: 0 or -ENOMEM.
 */
int mvm_svm_maps_create(void)
{
	u32 i, byte, shift;

	svm_iopm = alloc_pages_exact(SVM_IOPM_SIZE, GFP_KERNEL);
	svm_msrpm = alloc_pages_exact(SVM_MSRPM_SIZE, GFP_KERNEL);
	if (!svm_iopm || !svm_msrpm) {
		mvm_svm_maps_destroy();
		return -ENOMEM;
	}
	memset(svm_iopm, 0xff, SVM_IOPM_SIZE);
	memset(svm_msrpm, 0xff, SVM_MSRPM_SIZE);
	for (i = 0; i < ARRAY_SIZE(svm_passed_msrs); i++) {
		if (svm_msrpm_pos(svm_passed_msrs[i], &byte, &shift))
			((u8 *)svm_msrpm)[byte] &= ~(3 << shift);
	}
	return 0;
}

/**
 * mvm_svm_maps_destroy() - reverse of mvm_svm_maps_create(), also of a half-done one
 */
void mvm_svm_maps_destroy(void)
{
	if (svm_msrpm)
		free_pages_exact(svm_msrpm, SVM_MSRPM_SIZE);
	if (svm_iopm)
		free_pages_exact(svm_iopm, SVM_IOPM_SIZE);
	svm_msrpm = NULL;
	svm_iopm = NULL;
}

/**
 * mvm_svm_update_exceptions() - set the exception intercepts
 * @svm: the vCPU: the fixed ones, its exception_intercepts, and the faults of a step while stepping
 *
 * Context: creation, or between vcpu_load and vcpu_put before an entry.
 */
void mvm_svm_update_exceptions(struct svm_vcpu *svm)
{
	u32 *word = &svm->vmcb->control.intercepts[INTERCEPT_EXCEPTION];
	u32 want = SVM_FIXED_EXCEPTIONS | svm->base.exception_intercepts;

	if (svm->stepping)
		want |= SVM_STEP_EXCEPTIONS;
	/* The VMCB has no intercept for vector 2: NMIs have their own. */
	want &= ~BIT(X86_TRAP_NMI);
	if (*word != want) {
		*word = want;
		svm_vmcb_dirty(svm, SVM_CLEAN_INTERCEPTS);
	}
}

/**
 * mvm_svm_vmcb_create() - allocate the VMCB and write its fixed part
 * @svm: the vCPU; its VM has the nested root; vmcb and vmcb_pa are set
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int mvm_svm_vmcb_create(struct svm_vcpu *svm)
{
	struct vmcb_control_area *control;
	struct page *page;
	size_t i;

	BUILD_BUG_ON(sizeof(struct vmcb_control_area) != 0x400);
	BUILD_BUG_ON(offsetof(struct vmcb_save_area, cr2) != 0x240);

	page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!page)
		return -ENOMEM;
	svm->vmcb = page_address(page);
	svm->vmcb_pa = __sme_set(page_to_phys(page));

	control = &svm->vmcb->control;
	for (i = 0; i < ARRAY_SIZE(svm_intercepts); i++)
		svm_set_intercept(svm, svm_intercepts[i], true);
	control->intercepts[INTERCEPT_DR] = SVM_DR_INTERCEPTS;
	mvm_svm_update_exceptions(svm);
	/* Without a filter every PAUSE would exit: no intercept then. */
	if (mvm_svm_features.pause_filter) {
		svm_set_intercept(svm, INTERCEPT_PAUSE, true);
		control->pause_filter_count = SVM_PAUSE_COUNT;
		if (mvm_svm_features.pause_threshold)
			control->pause_filter_thresh = SVM_PAUSE_THRESHOLD;
	}

	control->iopm_base_pa = __sme_set(__pa(svm_iopm));
	control->msrpm_base_pa = __sme_set(__pa(svm_msrpm));
	control->int_ctl = V_INTR_MASKING_MASK;
	control->nested_ctl = SVM_NESTED_CTL_NP_ENABLE;
	control->nested_cr3 = __sme_set(svm->base.vm->npt_root);
	return 0;
}

/**
 * mvm_svm_vmcb_destroy() - reverse of mvm_svm_vmcb_create()
 * @svm: the vCPU; it runs nowhere
 */
void mvm_svm_vmcb_destroy(struct svm_vcpu *svm)
{
	free_page((unsigned long)svm->vmcb);
}
