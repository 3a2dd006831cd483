/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The AMD-V backend's own objects: the vCPU with its VMCB, the per-CPU areas,
 * and what the processor has.
 *
 * Only module/svm/ includes this. Field tags as in mvm.h; everything of a
 * struct svm_vcpu without a tag belongs to the vCPU's thread.
 */
#ifndef MVM_SVM_H
#define MVM_SVM_H

#include <asm/svm.h>

#include "../backend.h"
#include "asid.h"

/* APM names that asm/svm.h lacks. */
#define SVM_EXITINFO1_DR_GPR	  0xfULL /* MOV DR, decode assists: the register */
#define SVM_EXITINFO1_CR_GPR	  0xfULL /* MOV CR, decode assists: the register */
#define SVM_EXITINFO1_CR_MOV	  BIT_ULL(63) /* it was MOV CR, not LMSW, CLTS or SMSW */
#define SVM_EXITINFO1_MSR_WRITE	  BIT_ULL(0)
#define SVM_EXITINFO1_NPF_WRITE	  BIT_ULL(1)
#define SVM_EXITINFO1_NPF_RSVD	  BIT_ULL(3)
#define SVM_EXITINFO1_NPF_FETCH	  BIT_ULL(4)
#define SVM_EXITINFO1_NPF_WALK	  BIT_ULL(33) /* while walking the guest's page tables */
#define SVM_VM_CR_SVMDIS	  BIT_ULL(4)
#define SVM_EXITCODE_INVALID	  0xffffffffU /* low half of VMEXIT_INVALID (-1) */

/* VMCB clean field: a set bit promises that the group is as the processor left it. */
enum {
	SVM_CLEAN_INTERCEPTS = BIT(0), /* intercepts, TSC offset */
	SVM_CLEAN_PERMISSION_MAPS = BIT(1),
	SVM_CLEAN_ASID = BIT(2),
	SVM_CLEAN_INT_CTL = BIT(3),
	SVM_CLEAN_NPT = BIT(4), /* nCR3, guest PAT */
	SVM_CLEAN_CR = BIT(5), /* CR0, CR3, CR4, EFER */
	SVM_CLEAN_DR = BIT(6),
	SVM_CLEAN_DT = BIT(7),
	SVM_CLEAN_SEG = BIT(8), /* CS, DS, SS, ES, CPL */
	SVM_CLEAN_CR2 = BIT(9),
	/* LBR and AVIC state is never used: clean for good. */
	SVM_CLEAN_ALL = BIT(12) - 1,
};

/* What this processor has beyond the necessary; written once by setup. */
struct svm_features {
	bool nrips; /* the VMCB has the next RIP */
	bool flush_by_asid;
	bool decode_assists;
	bool pause_filter; /* PAUSE exits only after many of them */
	bool pause_threshold; /* in a row, that is */
	bool tsc_ratio; /* the TSC ratio MSR exists (set to 1:1, not offered) */
	bool tsc_aux; /* RDTSCP or RDPID: TSC_AUX is the guest's while it runs */
	bool loses_shadow; /* QEMU's TCG: VMRUN ignores the interrupt shadow */
	bool repeats_irq; /* QEMU's TCG: an interrupt that VMRUN injects may come twice */
	u32 min_asid, max_asid;
};

extern struct svm_features mvm_svm_features;

/* One physical CPU. Touched on that CPU only, preemption off. */
struct svm_cpu {
	struct page *hsave; /* [I] the processor's host save area */
	struct page *host_vmcb; /* [I] host FS, GS, TR, ... across an entry (VMSAVE) */
	struct mvm_asid_pool asids;
	u64 last_vcpu; /* serial of the vCPU that was loaded last: IBPB when it changes */
	bool enabled; /* EFER.SVME is on, and minivmm set it */
};

/**
 * struct svm_vcpu - a vCPU on AMD-V
 * @base: the neutral part
 * @vmcb: its control block
 * @vmcb_pa: the physical address of @vmcb, encryption mask included
 * @serial: never reused name for struct svm_cpu::last_vcpu
 * @asid: the address space number it enters with
 * @injected: event given to the last entry
 * @virtual_irq: @injected went in as a virtual interrupt; @virtual_rip: where the guest was
 * @soft_rip: RIP of the software event in @injected whose RIP was moved over
 *	the instruction because the processor lacks NRIP save
 * @soft_rip_valid: @soft_rip is meant
 * @iret_rip: where the IRET is that ends the NMI
 * @iret_seen: the IRET intercept fired: the NMI ends when @iret_rip is left
 * @stepping: RFLAGS.TF is the backend's, for the NMI window; @guest_tf: the guest's
 * @shadow: the interrupt shadow at entry, where the processor loses it; @shadow_rip:
 *	where it was
 * @step_trap: the last exit's #DB has DR6.BS because of @stepping
 * @host_tsc_aux: found at load
 * @guest_tsc_aux: what the MSR holds while loaded
 */
struct svm_vcpu {
	struct mvm_vcpu base;
	struct vmcb *vmcb; /* [I] */
	hpa_t vmcb_pa; /* [I] */
	u64 serial; /* [I] */
	struct mvm_asid asid;
	struct mvm_event injected;
	bool virtual_irq;
	u64 virtual_rip;
	u64 soft_rip;
	bool soft_rip_valid;
	u64 iret_rip;
	bool iret_seen;
	bool stepping, guest_tf, step_trap;
	u32 shadow;
	u64 shadow_rip;
	u64 host_tsc_aux, guest_tsc_aux;
};

DECLARE_PER_CPU(struct svm_cpu, mvm_svm_cpus);

static inline struct svm_vcpu *svm_vcpu(struct mvm_vcpu *vcpu)
{
	return container_of(vcpu, struct svm_vcpu, base);
}

/* The processor may no longer use its cached copy of these groups. */
static inline void svm_vmcb_dirty(struct svm_vcpu *svm, u32 groups)
{
	svm->vmcb->control.clean &= ~groups;
}

static inline void svm_set_intercept(struct svm_vcpu *svm, u32 bit, bool on)
{
	u32 *word = &svm->vmcb->control.intercepts[bit / 32];
	u32 mask = BIT(bit % 32);

	if (!(*word & mask) == on) {
		*word ^= mask;
		svm_vmcb_dirty(svm, SVM_CLEAN_INTERCEPTS);
	}
}

/* svm_caps.c: struct mvm_backend's caps, setup and teardown. */
extern struct mvm_backend_caps mvm_svm_caps;
int mvm_svm_setup(struct mvm_reason *reason);
void mvm_svm_teardown(void);

/* svm_vmcb.c */
int mvm_svm_maps_create(void);
void mvm_svm_maps_destroy(void);
int mvm_svm_vmcb_create(struct svm_vcpu *svm);
void mvm_svm_vmcb_destroy(struct svm_vcpu *svm);
void mvm_svm_update_exceptions(struct svm_vcpu *svm);

/* svm_state.c */
void mvm_svm_get_state(struct mvm_vcpu *vcpu, u32 mask);
void mvm_svm_flush_state(struct svm_vcpu *svm);
void mvm_svm_after_exit(struct svm_vcpu *svm);

/* svm_event.c */
void mvm_svm_load_events(struct mvm_vcpu *vcpu, const struct mvm_inject *inject);
void mvm_svm_events_exit(struct svm_vcpu *svm);
void mvm_svm_step_done(struct svm_vcpu *svm, struct mvm_exit *exit);
void mvm_svm_vectoring(struct svm_vcpu *svm, struct mvm_event *ev);

/* svm_exit.c */
void mvm_svm_decode_exit(struct svm_vcpu *svm, struct mvm_exit *exit);

/*
 * svm_entry.S: VMRUN once. @gprs: vcpu->gpr; @vmcb_pa, @host_pa: the guest's VMCB
 * and the page for the host's VMSAVE state. Interrupts off in and out.
 */
asmlinkage void mvm_svm_enter(u64 *gprs, hpa_t vmcb_pa, hpa_t host_pa);

#endif
