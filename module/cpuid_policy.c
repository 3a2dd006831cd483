// SPDX-License-Identifier: GPL-2.0-only
/*
 * What KVM_GET_SUPPORTED_CPUID says: which leaves a guest may see, and which
 * feature bits in them, each with its reason.
 *
 * A bit is offered only if a row of cpuid_bits[] names it. Bits the processor
 * provides are those it and the host kernel agree on; bits the module provides
 * by emulation are there always. What a vCPU then has is cpuid.c's.
 */
#include <linux/kernel.h>
#include <linux/mm.h>

#include <asm/cpufeature.h>
#include <asm/fpu/xcr.h>
#include <asm/kvm_para.h>
#include <asm/processor.h>
#include <uapi/asm/kvm_para.h>

#include "cpuid.h"
#include "exit.h"
#include "fpu.h"
#include "pv.h"

/* Who provides a bit. */
enum cpuid_kind {
	CPUID_HOST, /* the processor, and the host kernel has not disabled it */
	CPUID_RAW, /* the processor; the kernel keeps no such word */
	CPUID_AVX, /* as HOST, and needs the guest's YMM state */
	CPUID_AVX512, /* as HOST, and needs the guest's AVX-512 state */
	CPUID_PKU, /* as HOST, and needs the guest's PKRU state */
	CPUID_XSAVE, /* as HOST, and needs XSAVE to be in use on the host */
	CPUID_EMULATED, /* the module, whatever the processor has */
};

struct cpuid_bits {
	u32 function, index;
	enum cpuid_regs_idx reg;
	enum cpuid_kind kind;
	u32 mask;
};

/* One row: leaf, register, kind, bits; the last argument is the reason, for the reader. */
#define ROW(function, index, reg, kind, mask, reason) \
	{ function, index, CPUID_##reg, CPUID_##kind, mask }
#define F(name) BIT(X86_FEATURE_##name & 31)

/* Leaf 80000001h repeats these bits of leaf 1's EDX on AMD, at the same places. */
#define CPUID_AMD_ALIASES 0x0183f3ffU

static const struct cpuid_bits cpuid_bits[] = {
	ROW(1, 0, EDX, HOST, F(FPU) | F(CX8) | F(CMOV) | F(CLFLUSH) | F(MMX) | F(XMM) | F(XMM2),
	    "plain instructions"),
	ROW(1, 0, EDX, HOST, F(VME) | F(DE) | F(PSE) | F(PAE) | F(PGE) | F(PSE36) | F(FXSR),
	    "CR4 bits and paging that the hardware runs for the guest"),
	ROW(1, 0, EDX, HOST, F(TSC) | F(MSR) | F(SEP), "offset, permission map, swapped MSRs"),
	ROW(1, 0, EDX, HOST, F(SELFSNOOP), "a property of the caches"),
	ROW(1, 0, EDX, EMULATED, F(APIC), "the local APIC is a model"),
	ROW(1, 0, EDX, EMULATED, F(MTRR) | F(PAT), "inert MTRRs, the guest's own PAT"),
	ROW(1, 0, EDX, EMULATED, F(MCE) | F(MCA), "inert banks; the host keeps real errors"),

	ROW(1, 0, ECX, HOST, F(XMM3) | F(PCLMULQDQ) | F(SSSE3) | F(CX16) | F(XMM4_1) | F(XMM4_2) |
	    F(MOVBE) | F(POPCNT) | F(AES) | F(RDRAND), "plain instructions"),
	ROW(1, 0, ECX, AVX, F(FMA) | F(AVX) | F(F16C), "plain instructions on YMM state"),
	ROW(1, 0, ECX, XSAVE, F(XSAVE), "XCR0 is swapped per entry"),
	ROW(1, 0, ECX, HOST, F(PCID), "tags of the guest's own translations"),
	ROW(1, 0, ECX, EMULATED, F(X2APIC) | F(TSC_DEADLINE_TIMER), "the local APIC is a model"),
	ROW(1, 0, ECX, EMULATED, F(HYPERVISOR), "there is one"),

	ROW(6, 0, EAX, EMULATED, F(ARAT), "the modelled timer never stops"),

	ROW(7, 0, EBX, HOST, F(BMI1) | F(BMI2) | F(ERMS) | F(RDSEED) | F(ADX) | F(CLFLUSHOPT) |
	    F(CLWB) | F(SHA_NI), "plain instructions"),
	ROW(7, 0, EBX, HOST, F(FSGSBASE) | F(SMEP) | F(SMAP) | F(INVPCID),
	    "CR4 bits and paging that the hardware runs for the guest"),
	ROW(7, 0, EBX, RAW, F(FDP_EXCPTN_ONLY) | F(ZERO_FCS_FDS),
	    "how the FPU saves; not ours to change"),
	ROW(7, 0, EBX, AVX, F(AVX2), "plain instructions on YMM state"),
	ROW(7, 0, EBX, AVX512, F(AVX512F) | F(AVX512DQ) | F(AVX512IFMA) | F(AVX512PF) |
	    F(AVX512ER) | F(AVX512CD) | F(AVX512BW) | F(AVX512VL),
	    "plain instructions on AVX-512 state"),
	ROW(7, 0, EBX, EMULATED, F(TSC_ADJUST), "the offset does it"),

	ROW(7, 0, ECX, HOST, F(UMIP) | F(LA57), "CR4 bits that the hardware runs for the guest"),
	ROW(7, 0, ECX, HOST, F(GFNI) | F(RDPID) | F(CLDEMOTE) | F(MOVDIRI) | F(MOVDIR64B),
	    "plain instructions; TSC_AUX is swapped"),
	ROW(7, 0, ECX, PKU, F(PKU), "PKRU is swapped per entry"),
	ROW(7, 0, ECX, AVX, F(VAES) | F(VPCLMULQDQ), "plain instructions on YMM state"),
	ROW(7, 0, ECX, AVX512, F(AVX512VBMI) | F(AVX512_VBMI2) | F(AVX512_VNNI) |
	    F(AVX512_BITALG) | F(AVX512_VPOPCNTDQ), "plain instructions on AVX-512 state"),

	ROW(7, 0, EDX, HOST, F(FSRM) | F(SERIALIZE), "plain instructions"),
	ROW(7, 0, EDX, HOST, F(MD_CLEAR), "VERW does its work in the guest too"),
	ROW(7, 0, EDX, AVX512, F(AVX512_4VNNIW) | F(AVX512_4FMAPS) | F(AVX512_VP2INTERSECT) |
	    F(AVX512_FP16), "plain instructions on AVX-512 state"),

	ROW(7, 1, EAX, AVX, F(AVX_VNNI), "plain instructions on YMM state"),
	ROW(7, 1, EAX, AVX512, F(AVX512_BF16), "plain instructions on AVX-512 state"),

	ROW(0xd, 1, EAX, XSAVE, F(XSAVEOPT) | F(XSAVEC) | F(XGETBV1),
	    "user state alone; XSAVES would need XSS swapped"),

	ROW(0x80000001, 0, EDX, RAW, CPUID_AMD_ALIASES, "leaf 1 again, on AMD"),
	ROW(0x80000001, 0, EDX, HOST, F(SYSCALL) | F(NX) | F(GBPAGES) | F(LM),
	    "swapped MSRs, EFER, paging that the hardware runs for the guest"),
	ROW(0x80000001, 0, EDX, HOST, F(RDTSCP), "offset; TSC_AUX is swapped"),
	ROW(0x80000001, 0, EDX, HOST, F(MMXEXT) | F(FXSR_OPT) | F(3DNOWEXT) | F(3DNOW),
	    "plain instructions"),
	ROW(0x80000001, 0, ECX, HOST, F(LAHF_LM) | F(ABM) | F(SSE4A) | F(MISALIGNSSE) |
	    F(3DNOWPREFETCH) | F(TBM), "plain instructions"),
	ROW(0x80000001, 0, ECX, AVX, F(XOP) | F(FMA4), "plain instructions on YMM state"),
	ROW(0x80000001, 0, ECX, HOST, F(TOPOEXT), "leaves 8000001Dh and 8000001Eh are there"),

	ROW(0x80000008, 0, EBX, HOST, F(CLZERO) | F(XSAVEERPTR), "plain instructions"),
	ROW(0x80000008, 0, EBX, HOST, F(AMD_IBPB), "the barrier is done for the guest"),
	ROW(0x80000008, 0, EBX, HOST, F(AMD_SSB_NO) | F(BTC_NO), "what the processor is immune to"),

	/* No nested data breakpoints, LFENCE serializes, null selectors clear bases; SRSO_NO. */
	ROW(0x80000021, 0, EAX, RAW, BIT(0) | BIT(2) | BIT(6) | BIT(29),
	    "how the processor behaves"),
};

/* The words of the host kernel's own view, for CPUID_HOST. */
static const struct cpuid_word {
	u32 function, index;
	enum cpuid_regs_idx reg;
	u8 word;
} cpuid_words[] = {
	{ 1, 0, CPUID_EDX, CPUID_1_EDX },
	{ 1, 0, CPUID_ECX, CPUID_1_ECX },
	{ 6, 0, CPUID_EAX, CPUID_6_EAX },
	{ 7, 0, CPUID_EBX, CPUID_7_0_EBX },
	{ 7, 0, CPUID_ECX, CPUID_7_ECX },
	{ 7, 0, CPUID_EDX, CPUID_7_EDX },
	{ 7, 1, CPUID_EAX, CPUID_7_1_EAX },
	{ 0xd, 1, CPUID_EAX, CPUID_D_1_EAX },
	{ 0x80000001, 0, CPUID_EDX, CPUID_8000_0001_EDX },
	{ 0x80000001, 0, CPUID_ECX, CPUID_8000_0001_ECX },
	{ 0x80000008, 0, CPUID_EBX, CPUID_8000_0008_EBX },
};

/**
 * mvm_cpuid_word() - where does CPUID have the X86_FEATURE_* bits of a word?
 * @word: number of the word: X86_FEATURE_* / 32
 * @function: leaf
 * @index: subleaf
 * @reg: register
 *
 * Context: any.
 * Return: true: there; false: nowhere that this module knows of, nothing is written.
 */
bool mvm_cpuid_word(u32 word, u32 *function, u32 *index, enum cpuid_regs_idx *reg)
{
	const struct cpuid_word *row;

	for (row = cpuid_words; row < cpuid_words + ARRAY_SIZE(cpuid_words); row++) {
		if (row->word == word) {
			*function = row->function;
			*index = row->index;
			*reg = row->reg;
			return true;
		}
	}
	return false;
}

static u32 kernel_word(const struct cpuid_bits *bits)
{
	const struct cpuid_word *row;

	for (row = cpuid_words; row < cpuid_words + ARRAY_SIZE(cpuid_words); row++) {
		if (row->function == bits->function && row->index == bits->index &&
		    row->reg == bits->reg)
			return boot_cpu_data.x86_capability[row->word];
	}
	return 0;
}

static bool kind_allowed(enum cpuid_kind kind)
{
	u64 xcr0 = mvm_fpu_supported_xcr0();

	switch (kind) {
	case CPUID_AVX:
		return xcr0 & XFEATURE_MASK_YMM;
	case CPUID_AVX512:
		return (xcr0 & XFEATURE_MASK_AVX512) == XFEATURE_MASK_AVX512;
	case CPUID_PKU:
		return xcr0 & XFEATURE_MASK_PKRU;
	case CPUID_XSAVE:
		return boot_cpu_has(X86_FEATURE_XSAVE);
	default:
		return true;
	}
}

/**
 * mvm_cpuid_reg() - a register of an entry, to read or write
 * @entry: the entry
 * @reg: which register
 *
 * Return: where it is in @entry.
 */
u32 *mvm_cpuid_reg(struct kvm_cpuid_entry2 *entry, enum cpuid_regs_idx reg)
{
	switch (reg) {
	case CPUID_EAX:
		return &entry->eax;
	case CPUID_EBX:
		return &entry->ebx;
	case CPUID_ECX:
		return &entry->ecx;
	default:
		return &entry->edx;
	}
}

/* Replace a register of @entry (the processor's answer) by what its rows allow; none: 0. */
static void filter_reg(struct kvm_cpuid_entry2 *entry, enum cpuid_regs_idx reg)
{
	u32 *value = mvm_cpuid_reg(entry, reg), raw = *value;
	const struct cpuid_bits *row;

	*value = 0;
	for (row = cpuid_bits; row < cpuid_bits + ARRAY_SIZE(cpuid_bits); row++) {
		if (row->function != entry->function || row->index != entry->index ||
		    row->reg != reg || !kind_allowed(row->kind))
			continue;
		if (row->kind == CPUID_EMULATED)
			*value |= row->mask;
		else if (row->kind == CPUID_RAW)
			*value |= row->mask & raw;
		else
			*value |= row->mask & raw & kernel_word(row);
	}
}

static void filter_all(struct kvm_cpuid_entry2 *entry)
{
	filter_reg(entry, CPUID_EAX);
	filter_reg(entry, CPUID_EBX);
	filter_reg(entry, CPUID_ECX);
	filter_reg(entry, CPUID_EDX);
}

/* ----------------------------------------------------------------- the leaves */

#define MAX_BASIC_LEAF 0xd /* above: Intel PT, SGX, TSC ratio (kvm-clock tells it), AMX, ... */
#define MAX_AMD_LEAF   0x80000021 /* above: PMU, MCA and topology extensions */
#define MAX_INTEL_LEAF 0x80000008
#define MAX_ENTRIES    96
/* Four-level nested tables reach so far; no guest needs more. */
#define MAX_PHYS_BITS 48

static bool is_amd(void)
{
	return boot_cpu_data.x86_vendor == X86_VENDOR_AMD ||
	       boot_cpu_data.x86_vendor == X86_VENDOR_HYGON;
}

/* The list under construction; room is checked against MAX_ENTRIES by cpuid_add(). */
struct cpuid_list {
	struct kvm_cpuid_entry2 *entries;
	int n;
};

/* One more entry, with the processor's own answer. */
static struct kvm_cpuid_entry2 *cpuid_add(struct cpuid_list *list, u32 function, u32 index,
					  bool indexed)
{
	struct kvm_cpuid_entry2 *entry;

	/* The last one is overwritten rather than the end: the callers' loops are bounded. */
	entry = &list->entries[min(list->n, MAX_ENTRIES - 1)];
	list->n = min(list->n + 1, MAX_ENTRIES);
	*entry = (struct kvm_cpuid_entry2){
		.function = function,
		.index = index,
		.flags = indexed ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
	};
	cpuid_count(function, index, &entry->eax, &entry->ebx, &entry->ecx, &entry->edx);
	return entry;
}

static struct kvm_cpuid_entry2 *cpuid_add_zero(struct cpuid_list *list, u32 function, bool indexed)
{
	struct kvm_cpuid_entry2 *entry = cpuid_add(list, function, 0, indexed);

	entry->eax = 0;
	entry->ebx = 0;
	entry->ecx = 0;
	entry->edx = 0;
	return entry;
}

/* Cache parameters: who shares a cache is up to the VM's topology: nobody, until told. */
static void add_caches(struct cpuid_list *list, u32 function)
{
	struct kvm_cpuid_entry2 *entry;
	u32 i;

	for (i = 0; i < 8; i++) {
		entry = cpuid_add(list, function, i, true);
		entry->eax &= GENMASK(13, 0);
		if (!(entry->eax & GENMASK(4, 0)))
			break;
	}
}

/* XSAVE: the components a guest may have. The current sizes are filled in by mvm_cpuid_exec(). */
static void add_xsave(struct cpuid_list *list)
{
	u64 xcr0 = boot_cpu_has(X86_FEATURE_XSAVE) ? mvm_fpu_supported_xcr0() : 0;
	struct kvm_cpuid_entry2 *entry;
	u32 i;

	if (!xcr0) {
		cpuid_add_zero(list, 0xd, true);
		return;
	}
	entry = cpuid_add(list, 0xd, 0, true);
	entry->eax = xcr0;
	entry->edx = xcr0 >> 32;
	entry->ebx = mvm_fpu_xsave_size(XFEATURE_MASK_FP);
	entry->ecx = mvm_fpu_xsave_size(xcr0);
	filter_all(cpuid_add(list, 0xd, 1, true));
	for (i = 2; i < 63; i++) {
		if (!(xcr0 & BIT_ULL(i)))
			continue;
		entry = cpuid_add(list, 0xd, i, true);
		entry->ecx &= BIT(1); /* alignment in the compacted format */
		entry->edx = 0;
	}
}

static void add_basic(struct cpuid_list *list, u32 max)
{
	struct kvm_cpuid_entry2 *entry;

	cpuid_add(list, 0, 0, false)->eax = max;
	entry = cpuid_add(list, 1, 0, false);
	entry->ebx &= GENMASK(15, 8); /* CLFLUSH size; APIC id and topology are the VM's */
	filter_reg(entry, CPUID_ECX);
	filter_reg(entry, CPUID_EDX);
	if (max >= 2 && is_amd())
		cpuid_add_zero(list, 2, false);
	else if (max >= 2)
		cpuid_add(list, 2, 0, false);
	if (max >= 4 && is_amd())
		cpuid_add_zero(list, 4, true);
	else if (max >= 4)
		add_caches(list, 4);
	if (max >= 5)
		cpuid_add_zero(list, 5, false); /* no MONITOR */
	if (max >= 6)
		filter_all(cpuid_add(list, 6, 0, false));
	if (max >= 7) {
		entry = cpuid_add(list, 7, 0, true);
		filter_all(entry);
		entry->eax = 1; /* the last index */
		filter_all(cpuid_add(list, 7, 1, true));
	}
	if (max >= 0xa)
		cpuid_add_zero(list, 0xa, false); /* no PMU: version 0 */
	if (max >= 0xb)
		cpuid_add_zero(list, 0xb, true); /* topology: the launcher's to fill */
	if (max >= 0xd)
		add_xsave(list);
}

static void add_hypervisor(struct cpuid_list *list)
{
	struct kvm_cpuid_entry2 *entry = cpuid_add_zero(list, KVM_CPUID_SIGNATURE, false);

	entry->eax = KVM_CPUID_FEATURES;
	memcpy(&entry->ebx, "KVMK", 4);
	memcpy(&entry->ecx, "VMKV", 4);
	memcpy(&entry->edx, "M\0\0\0", 4);
	entry = cpuid_add_zero(list, KVM_CPUID_FEATURES, false);
	entry->eax = mvm_pv_features();
}

static void add_amd(struct cpuid_list *list, u32 max)
{
	struct kvm_cpuid_entry2 *entry;

	if (max >= 0x8000001a) {
		entry = cpuid_add(list, 0x8000001a, 0, false); /* how wide the FPU is */
		entry->eax &= GENMASK(2, 0);
		entry->ebx = 0;
		entry->ecx = 0;
		entry->edx = 0;
	}
	if (max >= 0x8000001d)
		add_caches(list, 0x8000001d);
	if (max >= 0x8000001e)
		cpuid_add_zero(list, 0x8000001e, false); /* topology: the launcher's to fill */
	if (max >= 0x80000021)
		filter_all(cpuid_add(list, 0x80000021, 0, false));
}

static void add_extended(struct cpuid_list *list, u32 max)
{
	struct kvm_cpuid_entry2 *entry;
	u32 i;

	cpuid_add(list, 0x80000000, 0, false)->eax = max;
	entry = cpuid_add(list, 0x80000001, 0, false);
	entry->ebx = 0;
	filter_reg(entry, CPUID_ECX);
	filter_reg(entry, CPUID_EDX);
	for (i = 0x80000002; i <= 0x80000006 && i <= max; i++)
		cpuid_add(list, i, 0, false); /* brand string and caches, as they are */
	if (max >= 0x80000007) {
		entry = cpuid_add_zero(list, 0x80000007, false);
		/* Invariant TSC: the guest's is the host's plus an offset. */
		entry->edx = boot_cpu_data.x86_power & BIT(8);
	}
	if (max >= 0x80000008) {
		entry = cpuid_add(list, 0x80000008, 0, false);
		entry->eax &= GENMASK(15, 8);
		entry->eax |= min_t(u32, boot_cpu_data.x86_phys_bits, MAX_PHYS_BITS);
		filter_reg(entry, CPUID_EBX);
		entry->ecx = 0;
		entry->edx = 0;
	}
	if (is_amd())
		add_amd(list, max);
}

/**
 * mvm_cpuid_supported() - the CPUID table a guest may have at most
 * @entries: set to a list for the caller to kvfree(), sorted by function and index
 *
 * Context: may sleep. Return: number of entries, or -ENOMEM.
 */
int mvm_cpuid_supported(struct kvm_cpuid_entry2 **entries)
{
	struct cpuid_list list = {};
	u32 max;

	list.entries = kvcalloc(MAX_ENTRIES, sizeof(*list.entries), GFP_KERNEL_ACCOUNT);
	if (!list.entries)
		return -ENOMEM;
	add_basic(&list, min_t(u32, cpuid_eax(0), MAX_BASIC_LEAF));
	add_hypervisor(&list);
	max = cpuid_eax(0x80000000);
	add_extended(&list, min_t(u32, max, is_amd() ? MAX_AMD_LEAF : MAX_INTEL_LEAF));
	*entries = list.entries;
	return list.n;
}

/**
 * mvm_cpuid_host_phys_bits() - physical address bits of a guest that was not told otherwise
 *
 * Return: the host's, as far as a guest may have them.
 */
u32 mvm_cpuid_host_phys_bits(void)
{
	return min_t(u32, boot_cpu_data.x86_phys_bits, MAX_PHYS_BITS);
}
