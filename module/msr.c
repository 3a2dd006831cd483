// SPDX-License-Identifier: GPL-2.0-only
/*
 * Model-specific registers: one table for the guest's RDMSR and WRMSR, for
 * KVM_GET_MSRS and KVM_SET_MSRS, and for the list of what to save.
 *
 * An MSR that no row names does not exist: the guest gets #GP. A row's functions
 * answer 0, or 1 for #GP. With @host the access is userspace's, which may set what
 * the guest can only read; it never may set what the hardware would refuse.
 * Context: the vCPU's thread; the functions of other files say whether they sleep.
 */
#include <linux/slab.h>

#include <asm/cpufeature.h>
#include <asm/kvm_para.h>
#include <asm/msr-index.h>
#include <asm/mtrr.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>

#include "exit.h"
#include "irqchip/irqchip.h"
#include "pv.h"

#define NR_VAR_MTRRS  8
#define NR_FIX_MTRRS  11

/* Bits of MSRs that msr-index.h has no names for. */
#define MTRRCAP_FIX	     BIT(8)
#define MTRRCAP_WC	     BIT(10)
#define MTRR_DEF_FIX_ENABLE  BIT(10)
#define MTRR_DEF_ENABLE	     BIT(11)
#define MTRR_MASK_VALID	     BIT(11)
#define HWCR_MC_STATUS_WR_EN BIT_ULL(18)
#define HWCR_TSC_FREQ_SEL    BIT_ULL(24) /* the TSC counts at the P0 frequency */

/**
 * struct mvm_msr_store - MSRs that do nothing but remember
 * @mtrr_def: MTRRdefType
 * @mtrr_fix: the fixed-range MTRRs, in the order of their numbers
 * @mtrr_var: base and mask pairs
 * @hwcr: AMD's HWCR, the bits a guest may keep
 */
struct mvm_msr_store {
	u64 mtrr_def;
	u64 mtrr_fix[NR_FIX_MTRRS];
	u64 mtrr_var[2 * NR_VAR_MTRRS];
	u64 hwcr;
};

/* ------------------------------------------------------------------ addresses */

/* A linear address as this guest's paging mode may have it. */
static bool is_canonical(struct mvm_vcpu *vcpu, gva_t va)
{
	u32 shift;

	mvm_state_get(vcpu, MVM_STATE_CR);
	shift = vcpu->cr4 & X86_CR4_LA57 ? 64 - 57 : 64 - 48;
	return (u64)((s64)(va << shift) >> shift) == va;
}

/* -------------------------------------------- MSRs that the hardware swaps */

/* Where in struct mvm_hw_msrs, what may be written. */
static const struct hw_msr {
	u32 index;
	u16 offset;
	bool address; /* must be canonical */
	u64 mask; /* bits that exist: others are dropped */
} hw_msrs[] = {
	{ MSR_IA32_SYSENTER_CS, offsetof(struct mvm_hw_msrs, sysenter_cs), false, ~0U },
	{ MSR_IA32_SYSENTER_ESP, offsetof(struct mvm_hw_msrs, sysenter_esp), true, ~0ULL },
	{ MSR_IA32_SYSENTER_EIP, offsetof(struct mvm_hw_msrs, sysenter_eip), true, ~0ULL },
	{ MSR_STAR, offsetof(struct mvm_hw_msrs, star), false, ~0ULL },
	{ MSR_LSTAR, offsetof(struct mvm_hw_msrs, lstar), true, ~0ULL },
	{ MSR_CSTAR, offsetof(struct mvm_hw_msrs, cstar), true, ~0ULL },
	{ MSR_SYSCALL_MASK, offsetof(struct mvm_hw_msrs, sfmask), false, ~0U },
	{ MSR_KERNEL_GS_BASE, offsetof(struct mvm_hw_msrs, kernel_gs_base), true, ~0ULL },
	{ MSR_TSC_AUX, offsetof(struct mvm_hw_msrs, tsc_aux), false, ~0U },
};

static const struct hw_msr *hw_msr_find(u32 index)
{
	const struct hw_msr *row;

	for (row = hw_msrs; row < hw_msrs + ARRAY_SIZE(hw_msrs); row++) {
		if (row->index == index)
			return row;
	}
	return NULL;
}

static int read_hw(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	const struct hw_msr *row = hw_msr_find(index);

	if (!row)
		return 1;
	mvm_state_get(vcpu, MVM_STATE_MSR);
	*data = *(u64 *)((void *)&vcpu->msr + row->offset);
	return 0;
}

static int write_hw(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host)
{
	const struct hw_msr *row = hw_msr_find(index);

	if (!row || (row->address && !is_canonical(vcpu, data)))
		return 1;
	mvm_state_modify(vcpu, MVM_STATE_MSR);
	*(u64 *)((void *)&vcpu->msr + row->offset) = data & row->mask;
	return 0;
}

static int read_pat(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	*data = vcpu->pat;
	return 0;
}

/* Each byte: UC, WC, WT, WP, WB or UC-. 2 and 3 do not exist: bit 1 comes with bit 2. */
static int write_pat(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host)
{
	if ((data & ~0x0707070707070707ULL) || (data & 0x0202020202020202ULL & ~(data >> 1)))
		return 1;
	mvm_state_modify(vcpu, MVM_STATE_PAT);
	vcpu->pat = data;
	return 0;
}

/* TSC_AUX comes with the instructions that read it. */
static bool has_tsc_aux(struct mvm_vcpu *vcpu, bool host)
{
	if (!boot_cpu_has(X86_FEATURE_RDTSCP) && !boot_cpu_has(X86_FEATURE_RDPID))
		return false;
	return host || mvm_guest_has(vcpu, X86_FEATURE_RDTSCP) ||
	       mvm_guest_has(vcpu, X86_FEATURE_RDPID);
}

static int read_tsc_aux(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	return has_tsc_aux(vcpu, host) ? read_hw(vcpu, index, data, host) : 1;
}

static int write_tsc_aux(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host)
{
	return has_tsc_aux(vcpu, host) ? write_hw(vcpu, index, data, host) : 1;
}

static struct kvm_segment *base_seg(struct mvm_vcpu *vcpu, u32 index)
{
	return &vcpu->seg[index == MSR_FS_BASE ? MVM_SEG_FS : MVM_SEG_GS];
}

static int read_base(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	mvm_state_get(vcpu, MVM_STATE_SEG);
	*data = base_seg(vcpu, index)->base;
	return 0;
}

static int write_base(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host)
{
	if (!is_canonical(vcpu, data))
		return 1;
	mvm_state_modify(vcpu, MVM_STATE_SEG);
	base_seg(vcpu, index)->base = data;
	return 0;
}

static int read_efer(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	mvm_state_get(vcpu, MVM_STATE_CR);
	*data = vcpu->efer;
	return 0;
}

static int write_efer(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host)
{
	return mvm_set_efer(vcpu, data) ? 1 : 0;
}

/* ------------------------------------------------------------------------ time */

static int read_tsc(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	*data = mvm_clock_read_tsc(vcpu);
	return 0;
}

/* The guest's own writes move the TSC and IA32_TSC_ADJUST by the same; userspace's are not its. */
static int write_tsc(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host)
{
	u64 delta;

	if (host) {
		mvm_clock_sync_tsc(vcpu, data);
		return 0;
	}
	delta = data - mvm_clock_read_tsc(vcpu);
	mvm_clock_move_tsc(vcpu, delta);
	vcpu->tsc_adjust += delta;
	return 0;
}

static int read_tsc_adjust(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	*data = vcpu->tsc_adjust;
	return 0;
}

static int write_tsc_adjust(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host)
{
	if (!host)
		mvm_clock_move_tsc(vcpu, data - vcpu->tsc_adjust);
	vcpu->tsc_adjust = data;
	return 0;
}

static int read_clock(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	return mvm_clock_msr_read(vcpu, index, data);
}

static int write_clock(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host)
{
	return mvm_clock_msr_write(vcpu, index, data);
}

static int read_pv(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	return mvm_pv_msr_read(vcpu, index, data);
}

static int write_pv(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host)
{
	return mvm_pv_msr_write(vcpu, index, data);
}

/* ------------------------------------------------------------------------ APIC */

static int read_apic(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	return mvm_lapic_msr_read(vcpu, index, data);
}

static int read_apic_base(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	*data = mvm_lapic_base(vcpu);
	return 0;
}

static int write_apic_base(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host)
{
	return mvm_lapic_set_base(vcpu, data, host);
}

static int write_apic(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host)
{
	return mvm_lapic_msr_write(vcpu, index, data);
}

/* Listed, so userspace may save and restore it also where it has the local APIC itself. */
static int read_deadline(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	if (!vcpu->lapic && !host)
		return 1;
	*data = mvm_lapic_get_deadline(vcpu);
	return 0;
}

static int write_deadline(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host)
{
	if (!vcpu->lapic && !host)
		return 1;
	mvm_lapic_set_deadline(vcpu, data);
	return 0;
}

/* ------------------------------------------------------------------------ MTRR */

static bool memory_type_valid(u8 type)
{
	return type < 8 && BIT(type) & (BIT(MTRR_TYPE_UNCACHABLE) | BIT(MTRR_TYPE_WRCOMB) |
					BIT(MTRR_TYPE_WRTHROUGH) | BIT(MTRR_TYPE_WRPROT) |
					BIT(MTRR_TYPE_WRBACK));
}

static u64 *mtrr_fix_slot(struct mvm_vcpu *vcpu, u32 index)
{
	struct mvm_msr_store *store = vcpu->msr_store;

	switch (index) {
	case MSR_MTRRfix64K_00000:
		return &store->mtrr_fix[0];
	case MSR_MTRRfix16K_80000:
	case MSR_MTRRfix16K_A0000:
		return &store->mtrr_fix[1 + index - MSR_MTRRfix16K_80000];
	default:
		return &store->mtrr_fix[3 + ((index - MSR_MTRRfix4K_C0000) & 7)];
	}
}

static int read_mtrr_fix(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	*data = *mtrr_fix_slot(vcpu, index);
	return 0;
}

static int write_mtrr_fix(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host)
{
	int i;

	for (i = 0; i < 8; i++) {
		if (!memory_type_valid(data >> (8 * i)))
			return 1;
	}
	*mtrr_fix_slot(vcpu, index) = data;
	return 0;
}

static int read_mtrr_var(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	*data = vcpu->msr_store->mtrr_var[(index - MTRRphysBase_MSR(0)) % (2 * NR_VAR_MTRRS)];
	return 0;
}

static int write_mtrr_var(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host)
{
	u32 nr = (index - MTRRphysBase_MSR(0)) % (2 * NR_VAR_MTRRS);
	u64 flags = nr & 1 ? MTRR_MASK_VALID : 0xff;
	u64 reserved = vcpu->maxphyaddr_rsvd | (GENMASK_ULL(11, 0) & ~flags);

	if ((data & reserved) || (!(nr & 1) && !memory_type_valid(data)))
		return 1;
	vcpu->msr_store->mtrr_var[nr] = data;
	return 0;
}

static int read_mtrr_def(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	*data = vcpu->msr_store->mtrr_def;
	return 0;
}

static int write_mtrr_def(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host)
{
	if ((data & ~(u64)(0xff | MTRR_DEF_FIX_ENABLE | MTRR_DEF_ENABLE)) ||
	    !memory_type_valid(data))
		return 1;
	vcpu->msr_store->mtrr_def = data;
	return 0;
}

static int read_mtrr_cap(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	*data = NR_VAR_MTRRS | MTRRCAP_FIX | MTRRCAP_WC;
	return 0;
}

/* ---------------------------------------------------------------- machine check */

static int read_mce(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	return mvm_mce_msr_read(vcpu, index, data, host);
}

static int write_mce(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host)
{
	return mvm_mce_msr_write(vcpu, index, data, host,
				 vcpu->msr_store->hwcr & HWCR_MC_STATUS_WR_EN);
}

/* --------------------------------------------------------------- one of a kind */

#define MISC_ENABLE_READ_ONLY \
	(MSR_IA32_MISC_ENABLE_EMON | MSR_IA32_MISC_ENABLE_BTS_UNAVAIL | \
	 MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL)

static int read_misc_enable(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	*data = vcpu->misc_enable;
	return 0;
}

static int write_misc_enable(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host)
{
	u64 keep = host ? 0 : MISC_ENABLE_READ_ONLY;

	vcpu->misc_enable = (data & ~keep) | (vcpu->misc_enable & keep);
	return 0;
}

/* The guest's kernel compares it with its blacklists: it is the real one. */
static int read_microcode(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	*data = boot_cpu_data.microcode;
	if (boot_cpu_data.x86_vendor == X86_VENDOR_INTEL)
		*data <<= 32;
	return 0;
}

static int read_hwcr(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	*data = vcpu->msr_store->hwcr | HWCR_TSC_FREQ_SEL;
	return 0;
}

static int write_hwcr(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host)
{
	if (data & ~(HWCR_MC_STATUS_WR_EN | HWCR_TSC_FREQ_SEL))
		return 1;
	vcpu->msr_store->hwcr = data & HWCR_MC_STATUS_WR_EN;
	return 0;
}

/* LFENCE serializes because the host made it so; the guest cannot change that. */
static u64 de_cfg(void)
{
	return boot_cpu_has(X86_FEATURE_LFENCE_RDTSC) ? MSR_AMD64_DE_CFG_LFENCE_SERIALIZE : 0;
}

static int read_de_cfg(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	*data = de_cfg();
	return 0;
}

static int write_de_cfg(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host)
{
	return data & ~de_cfg() ? 1 : 0;
}

/* A command, not a register: it cannot be read. */
static int write_pred_cmd(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host)
{
	if ((!host && !mvm_guest_has(vcpu, X86_FEATURE_AMD_IBPB)) ||
	    !boot_cpu_has(X86_FEATURE_AMD_IBPB) || (data & ~(u64)PRED_CMD_IBPB))
		return 1;
	if (data && !host)
		wrmsrl(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
	return 0;
}

static int read_zero(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	*data = 0;
	return 0;
}

static int write_zero(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host)
{
	return data ? 1 : 0;
}

static int write_ignored(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host)
{
	return 0;
}

/* ------------------------------------------------------------------- the table */

/**
 * struct msr_row - one MSR or a range of them
 * @first: number
 * @last: number of the last one
 * @flags: LISTED: part of KVM_GET_MSR_INDEX_LIST, state that has to be saved;
 *	QUICK: neither function sleeps, or looks at RIP, RSP or RFLAGS
 * @read: NULL = #GP
 * @write: NULL = #GP; userspace may still write back what it read
 */
struct msr_row {
	u32 first, last;
	u32 flags;
	int (*read)(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host);
	int (*write)(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host);
};

#define HIDDEN 0
#define LISTED BIT(0)
#define QUICK  BIT(1)
/* The last argument is the reason, for the reader. */
#define MSRS(first, last, flags, read, write, reason) { first, last, flags, read, write }
#define MSR(index, flags, read, write, reason) MSRS(index, index, flags, read, write, reason)

/* Often used ones first: the search is linear. */
static const struct msr_row msr_rows[] = {
	MSRS(0x800, 0x8ff, HIDDEN | QUICK, read_apic, write_apic, "x2APIC; saved by KVM_GET_LAPIC"),
	MSR(MSR_IA32_TSC_DEADLINE, LISTED | QUICK, read_deadline, write_deadline,
	    "the modelled timer"),
	MSR(MSR_IA32_CR_PAT, LISTED | QUICK, read_pat, write_pat, "the guest's own memory types"),
	MSR(MSR_IA32_APICBASE, LISTED | QUICK, read_apic_base, write_apic_base,
	    "mode of the modelled APIC"),
	MSR(MSR_IA32_PRED_CMD, HIDDEN | QUICK, NULL, write_pred_cmd,
	    "barrier between guest processes"),

	MSR(MSR_IA32_TSC, LISTED, read_tsc, write_tsc, "moves the offset"),
	MSR(MSR_IA32_TSC_ADJUST, LISTED, read_tsc_adjust, write_tsc_adjust, "moves the offset"),
	MSR(MSR_TSC_AUX, LISTED, read_tsc_aux, write_tsc_aux, "swapped at load and put"),
	MSR(MSR_KVM_SYSTEM_TIME_NEW, LISTED, read_clock, write_clock, "paravirtual clock"),
	MSR(MSR_KVM_WALL_CLOCK_NEW, LISTED, read_clock, write_clock, "paravirtual clock"),
	MSRS(MSR_KVM_STEAL_TIME, MSR_KVM_POLL_CONTROL, LISTED, read_pv, write_pv,
	     "steal time, EOI in memory, polling at HLT"),
	MSRS(MSR_KVM_WALL_CLOCK, MSR_KVM_SYSTEM_TIME, HIDDEN, read_clock, write_clock,
	     "the same two by their old numbers"),

	MSR(MSR_EFER, LISTED, read_efer, write_efer, "modes are checked and remembered"),
	MSRS(MSR_STAR, MSR_SYSCALL_MASK, LISTED, read_hw, write_hw, "SYSCALL"),
	MSRS(MSR_FS_BASE, MSR_GS_BASE, HIDDEN, read_base, write_base, "part of the segments"),
	MSR(MSR_KERNEL_GS_BASE, LISTED, read_hw, write_hw, "SWAPGS"),
	MSRS(MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_EIP, LISTED, read_hw, write_hw, "SYSENTER"),
	MSR(MSR_IA32_MISC_ENABLE, LISTED, read_misc_enable, write_misc_enable, "inert"),

	MSR(MSR_MTRRcap, HIDDEN, read_mtrr_cap, NULL, "8 variable ranges, fixed ones, WC"),
	MSRS(MTRRphysBase_MSR(0), MTRRphysMask_MSR(NR_VAR_MTRRS - 1), LISTED, read_mtrr_var,
	     write_mtrr_var, "inert: nested paging decides the memory type"),
	MSR(MSR_MTRRfix64K_00000, LISTED, read_mtrr_fix, write_mtrr_fix, "likewise"),
	MSRS(MSR_MTRRfix16K_80000, MSR_MTRRfix16K_A0000, LISTED, read_mtrr_fix, write_mtrr_fix,
	     "likewise"),
	MSRS(MSR_MTRRfix4K_C0000, MSR_MTRRfix4K_F8000, LISTED, read_mtrr_fix, write_mtrr_fix,
	     "likewise"),
	MSR(MSR_MTRRdefType, LISTED, read_mtrr_def, write_mtrr_def, "likewise"),

	MSR(MSR_IA32_MCG_CAP, HIDDEN, read_mce, NULL, "ten banks, or what was set up"),
	MSRS(MSR_IA32_MCG_STATUS, MSR_IA32_MCG_CTL, LISTED, read_mce, write_mce,
	     "userspace reports errors"),
	MSRS(MSR_IA32_MC0_CTL, MSR_IA32_MCx_MISC(MVM_MCE_BANKS - 1), LISTED, read_mce, write_mce,
	     "inert: real errors are the host's"),

	MSR(MSR_IA32_UCODE_REV, HIDDEN, read_microcode, write_ignored,
	    "Linux writes 0 before it reads the revision"),
	MSR(MSR_IA32_PLATFORM_ID, HIDDEN, read_zero, NULL, "Linux reads it with the revision"),
	MSR(MSR_IA32_DEBUGCTLMSR, HIDDEN, read_zero, write_zero, "no branch records"),
	MSR(MSR_AMD64_SYSCFG, HIDDEN, read_zero, write_ignored, "read with the MTRRs on AMD"),
	MSR(MSR_K7_HWCR, LISTED, read_hwcr, write_hwcr, "read without a fixup on AMD"),
	MSR(MSR_AMD64_NB_CFG, HIDDEN, read_zero, write_ignored, "PCI set-up on AMD tries a bit"),
	MSR(MSR_K8_INT_PENDING_MSG, HIDDEN, read_zero, write_ignored, "read on old AMD families"),
	MSR(MSR_AMD64_DE_CFG, HIDDEN, read_de_cfg, write_de_cfg, "whether LFENCE serializes"),
};

static const struct msr_row *msr_find(u32 index)
{
	const struct msr_row *row;

	for (row = msr_rows; row < msr_rows + ARRAY_SIZE(msr_rows); row++) {
		if (index >= row->first && index <= row->last)
			return row;
	}
	return NULL;
}

/**
 * mvm_msr_read() - RDMSR, and one row of KVM_GET_MSRS
 * @vcpu: whose
 * @index: number
 * @data: its value
 * @host: userspace reads, not the guest
 *
 * Context: the vCPU's thread. Return: 0, or 1: no such MSR (the guest takes #GP).
 */
int mvm_msr_read(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	const struct msr_row *row = msr_find(index);

	return row && row->read ? row->read(vcpu, index, data, host) : 1;
}

/**
 * mvm_msr_write() - WRMSR, and one row of KVM_SET_MSRS
 * @vcpu: whose
 * @index: number
 * @data: the new value
 * @host: userspace writes, not the guest
 *
 * Context: the vCPU's thread. Return: 0, or 1: no such MSR or value (#GP).
 */
int mvm_msr_write(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host)
{
	const struct msr_row *row = msr_find(index);
	u64 old;

	if (!row)
		return 1;
	if (row->write)
		return row->write(vcpu, index, data, host);
	return !host || mvm_msr_read(vcpu, index, &old, true) || old != data;
}

/* The local APIC's MSRs are not current while the guest may end an interrupt in memory. */
static const struct msr_row *msr_find_quick(struct mvm_vcpu *vcpu, u32 index)
{
	const struct msr_row *row = msr_find(index);

	return row && (row->flags & QUICK) && !vcpu->pv.eoi_offered ? row : NULL;
}

/**
 * mvm_msr_read_quick() - RDMSR between two entries (quick.h)
 * @vcpu: whose
 * @index: number
 * @data: its value
 *
 * Context: the vCPU's thread; does not sleep. Return: false: not one for that, or #GP; nothing
 * has happened.
 */
bool mvm_msr_read_quick(struct mvm_vcpu *vcpu, u32 index, u64 *data)
{
	const struct msr_row *row = msr_find_quick(vcpu, index);

	return row && row->read && !row->read(vcpu, index, data, false);
}

/**
 * mvm_msr_write_quick() - WRMSR between two entries, or in the inner loop
 * @vcpu: whose
 * @index: number
 * @data: the new value
 *
 * Context: the vCPU's thread; does not sleep. Return: as mvm_msr_read_quick().
 */
bool mvm_msr_write_quick(struct mvm_vcpu *vcpu, u32 index, u64 data)
{
	const struct msr_row *row = msr_find_quick(vcpu, index);

	return row && row->write && !row->write(vcpu, index, data, false);
}

/* Is the MSR there on this host? */
static bool msr_is_listed(const struct msr_row *row)
{
	if (row->first == MSR_TSC_AUX)
		return boot_cpu_has(X86_FEATURE_RDTSCP) || boot_cpu_has(X86_FEATURE_RDPID);
	return row->flags & LISTED;
}

/**
 * mvm_msr_index_list() - KVM_GET_MSR_INDEX_LIST: the MSRs that userspace saves
 * @indices: as many of them as fit
 * @max: how many fit
 *
 * Return: how many there are on this host, also where that is more than @max.
 */
u32 mvm_msr_index_list(u32 *indices, u32 max)
{
	const struct msr_row *row;
	u32 index, n = 0;

	for (row = msr_rows; row < msr_rows + ARRAY_SIZE(msr_rows); row++) {
		if (!msr_is_listed(row))
			continue;
		for (index = row->first; index <= row->last; index++, n++) {
			if (n < max)
				indices[n] = index;
		}
	}
	return n;
}

/**
 * mvm_msr_vcpu_create() - allocate a new vCPU's MSR store and machine-check banks. May sleep
 * @vcpu: the vCPU
 * Return: 0; -ENOMEM.
 */
int mvm_msr_vcpu_create(struct mvm_vcpu *vcpu)
{
	int err;

	vcpu->msr_store = kzalloc(sizeof(*vcpu->msr_store), GFP_KERNEL_ACCOUNT);
	if (!vcpu->msr_store)
		return -ENOMEM;
	err = mvm_mce_create(vcpu);
	if (err)
		kfree(vcpu->msr_store);
	return err;
}

/**
 * mvm_msr_vcpu_destroy() - reverse of mvm_msr_vcpu_create()
 * @vcpu: the vCPU, which runs nowhere
 */
void mvm_msr_vcpu_destroy(struct mvm_vcpu *vcpu)
{
	mvm_mce_destroy(vcpu);
	kfree(vcpu->msr_store);
	vcpu->msr_store = NULL;
}

/**
 * mvm_msr_vcpu_reset() - power-up values; struct mvm_hw_msrs and PAT are regs.c's
 * @vcpu: the vCPU
 */
void mvm_msr_vcpu_reset(struct mvm_vcpu *vcpu)
{
	memset(vcpu->msr_store, 0, sizeof(*vcpu->msr_store));
	mvm_mce_reset(vcpu);
	vcpu->misc_enable = MSR_IA32_MISC_ENABLE_FAST_STRING | MSR_IA32_MISC_ENABLE_BTS_UNAVAIL |
			    MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL;
	vcpu->tsc_adjust = 0;
}
