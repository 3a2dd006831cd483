/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VT-x backend's own objects: what the processor can do, the per-CPU state,
 * the vCPU with its VMCS, and the prototypes between the backend's files.
 *
 * Only module/vmx/ includes this. A VMCS is touched in one bracket alone, from
 * mvm_vmx_vmcs_enter() to mvm_vmx_vmcs_leave(), interrupts off: where another
 * owner's VMX operation is borrowed its VMCS pointer is put back in the end.
 */
#ifndef MVM_VMX_H
#define MVM_VMX_H

#include <linux/percpu.h>

#include <asm/desc.h>
#include <asm/vmx.h>

#include "../backend.h"

/* Not in every kernel's headers: under the manual's names. */
#define IA32_VMX_BASIC_MEM_TYPE_SHIFT	50
#define IA32_VMX_BASIC_MEM_TYPE_MASK	0xfULL
#define IA32_VMX_BASIC_MEM_TYPE_WB	6
#define IA32_VMX_BASIC_TRUE_CONTROLS	BIT_ULL(55)
#define IA32_VMX_BASIC_ANY_ERROR_CODE	BIT_ULL(56)
#define VMX_MISC_TIMER_RATE		GENMASK_ULL(4, 0)
#define CR4_FRED			BIT_ULL(32)
#define EXIT_QUAL_NMI_UNBLOCK_IRET	BIT_ULL(12)
#define VMX_EXIT_GETSEC			11 /* basic exit reason */
#define VMX_DR6_BD			BIT(13)
#define VMX_IO_IN			BIT(3) /* exit qualification */
#define VMX_IO_STRING			BIT(4)

/**
 * struct vmx_config - what this processor's VT-x offers and minivmm uses
 * @pin, @proc, @proc2, @exit, @entry: the controls' base values
 * @revision: VMCS revision identifier
 * @cr4_fixed1: CR4 bits that may be 1 in VMX operation
 * @vpid: guest translations are tagged
 * @ept_ad: EPT has accessed and dirty bits
 * @invept_context: INVEPT knows the single-context type (else all contexts)
 * @any_error_code: any hardware exception may deliver an error code
 * @perf_global_ctrl: the host has counters, off while the guest runs
 * @tsc_aux: the host has IA32_TSC_AUX
 * @timer_max: the longest stay, in the VMX-preemption timer's units; 0 = it is not used
 * @timer_rate: its unit, as a power of two of the TSC's
 * @flush_l1d: flush the L1 data cache at each entry (L1TF)
 */
struct vmx_config {
	u32 pin, proc, proc2, exit, entry;
	u32 revision;
	u64 cr4_fixed1;
	u32 timer_max;
	u8 timer_rate;
	bool vpid;
	bool ept_ad;
	bool invept_context;
	bool any_error_code;
	bool perf_global_ctrl;
	bool tsc_aux;
	bool flush_l1d;
};

extern struct vmx_config mvm_vmx_config; /* [I] after setup */

struct vmx_vcpu;

enum vmx_cpu_state { VMX_CPU_OFF, VMX_CPU_OWNER, VMX_CPU_BORROWER };

/**
 * struct vmx_cpu - one physical CPU; changed on that CPU with interrupts off
 * @state: whose VMX operation it is
 * @vmxon: the VMXON region [I]
 * @active: owner only: the vCPU whose VMCS is active and current here, at most one
 * @last_serial: vCPU that ran here last
 */
struct vmx_cpu {
	enum vmx_cpu_state state;
	void *vmxon;
	struct vmx_vcpu *active;
	u64 last_serial;
};

DECLARE_PER_CPU(struct vmx_cpu, mvm_vmx_cpu);

/*
 * Copies of VMCS fields, so that an entry writes only what changed. Valid while
 * the VMCS is initialised, also when it is active nowhere.
 */
struct vmx_shadow {
	u64 rip, rsp, rflags;
	u32 interruptibility;
	u32 proc, proc2, entry;
	u32 intr_info; /* VM-entry interruption information as the next entry will see it */
	u64 cr4_owned; /* CR4 bits the guest owns now */
	u64 eptp;
	unsigned long host_rsp; /* kept by vmx_entry.S */
	unsigned long host_cr3, host_cr4;
	unsigned long host_fs_base, host_gs_base;
	u64 host_perf_global;
};

/* What minivmm found at vcpu_load and puts back, exactly, at vcpu_put. */
struct vmx_found {
	u64 star, lstar, sfmask, tsc_aux, kernel_gs_base;
	unsigned long fs_base;
	u16 ds, es, fs, gs, ldt;
	struct desc_ptr gdt, idt;
};

/**
 * struct vmx_vcpu - a vCPU on VT-x
 * @base: the neutral part, first
 * @vmcs, @vmcs_pa: the VMCS region [I]
 * @msr_bitmap: which MSRs the guest reaches without an exit [I]
 * @vpid: its tag, 0 without VPID [I]
 * @serial: never used again by another vCPU [I]
 * @initialised: the VMCS has its constant fields
 * @launched: launch state of the VMCS
 * @active_cpu: CPU on which the VMCS is active, -1 = none
 * @host_cpu: CPU whose host state the VMCS has, -1 = none
 * @flush_cpu: CPU on which no stale translation of ours is left, -1 = none
 * @flush_nested, @flush_guest: forget translations before the next entry
 * @loaded: between vcpu_load and vcpu_put
 * @inside: in vcpu_run()'s bracket
 * @entered: the guest ran since vcpu_load
 * @lender_vmcs: borrower: the owner's current VMCS, ~0 = none
 * @inject: what the next entry delivers
 * @exit_reason, @intr_info: captured right after the exit
 * @hw: what the VMCS holds
 * @found: the host's registers
 */
struct vmx_vcpu {
	struct mvm_vcpu base;
	void *vmcs;
	hpa_t vmcs_pa;
	unsigned long *msr_bitmap;
	u16 vpid;
	u64 serial;
	bool initialised;
	bool launched;
	int active_cpu;
	int host_cpu;
	int flush_cpu;
	bool flush_nested, flush_guest;
	bool loaded;
	bool inside;
	bool entered;
	hpa_t lender_vmcs;
	struct mvm_inject inject;
	bool stepping, guest_tf; /* RFLAGS.TF is a debugger's; the guest's own */
	u32 exit_reason, intr_info;
	struct vmx_shadow hw;
	struct vmx_found found;
};

static __always_inline struct vmx_vcpu *vmx_vcpu(struct mvm_vcpu *vcpu)
{
	return container_of(vcpu, struct vmx_vcpu, base);
}

/* Groups that change behind vcpu's back while the guest runs. */
#define VMX_LAZY_STATE                                                             \
	(MVM_STATE_CS | MVM_STATE_SEG | MVM_STATE_DT | MVM_STATE_CR |              \
	 MVM_STATE_PDPTR | MVM_STATE_MSR)

/* CR0 and CR4 bits the guest changes without an exit. */
#define VMX_CR0_GUEST_OWNED \
	(X86_CR0_TS | X86_CR0_MP | X86_CR0_EM | X86_CR0_AM | X86_CR0_WP)
#define VMX_CR4_GUEST_OWNED                                                        \
	(X86_CR4_VME | X86_CR4_PVI | X86_CR4_DE | X86_CR4_TSD | X86_CR4_PGE |      \
	 X86_CR4_PCE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT | X86_CR4_FSGSBASE)

/* vmx_caps.c */
int mvm_vmx_probe(struct mvm_reason *reason, struct mvm_backend_caps *caps);
int mvm_vmx_cpu_check(struct mvm_reason *reason);

/* vmx_cpu.c */
int mvm_vmx_cpu_alloc(void);
void mvm_vmx_cpu_free(void);
int mvm_vmx_cpu_enable(struct mvm_reason *reason);
void mvm_vmx_cpu_disable(void);
void mvm_vmx_emergency_disable(void);
void mvm_vmx_activate(struct vmx_vcpu *vmx);
void mvm_vmx_deactivate(struct vmx_vcpu *vmx);
bool mvm_vmx_vmcs_enter(struct vmx_vcpu *vmx);
void mvm_vmx_vmcs_leave(struct vmx_vcpu *vmx);

/* vmx_vmcs.c */
int mvm_vmx_vmcs_create(struct vmx_vcpu *vmx);
void mvm_vmx_vmcs_destroy(struct vmx_vcpu *vmx);
void mvm_vmx_vmcs_prepare(struct vmx_vcpu *vmx);

/* vmx_state.c; all but get_state inside the bracket */
void mvm_vmx_get_state(struct mvm_vcpu *vcpu, u32 mask);
void mvm_vmx_fetch(struct vmx_vcpu *vmx, u32 mask);
void mvm_vmx_flush(struct vmx_vcpu *vmx);
void mvm_vmx_inject(struct vmx_vcpu *vmx);

/* vmx_host.c: the host's registers that no VMCS field restores. Preemption off. */
void mvm_vmx_host_save(struct vmx_vcpu *vmx);
void mvm_vmx_host_restore(struct vmx_vcpu *vmx);
void mvm_vmx_load_msrs(struct vmx_vcpu *vmx);

/* vmx_exit.c: inside the bracket, after an entry */
void mvm_vmx_capture(struct vmx_vcpu *vmx, int failed, struct mvm_exit *exit);

/* mvm_vmx_enter()'s answers. */
#define VMX_ENTERED	 0
#define VMX_ENTER_FAILED 1 /* VMfail: the VM-instruction error tells */
#define VMX_ENTER_FAULT	 2 /* #UD: VMX operation is off */

/* vmx_entry.S */
asmlinkage int mvm_vmx_enter(u64 *gprs, unsigned long *host_rsp, bool resume,
			     u64 host_spec_ctrl);
/* The port and the size of an I/O instruction, from its exit qualification. */
static inline void mvm_vmx_decode_port(struct mvm_exit *exit, unsigned long qual)
{
	exit->u.io.port = qual >> 16;
	exit->u.io.size = (qual & 7) + 1;
}

void mvm_vmx_exit_point(void); /* HOST_RIP, not callable */

#endif
