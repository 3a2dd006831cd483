// SPDX-License-Identifier: GPL-2.0-only
/*
 * One vCPU's CPUID: its table, what follows from it (CR4, XCR0 and physical
 * address limits), and the CPUID instruction.
 *
 * The table is userspace's; what it may contain at most is cpuid_policy.c's advice,
 * and the limits derived here never exceed what the hardware can do for a guest.
 */
#include <linux/mm.h>
#include <linux/sort.h>

#include <asm/cpufeature.h>
#include <asm/fpu/xcr.h>
#include <asm/processor-flags.h>
#include <asm/processor.h>

#include "cpuid.h"
#include "exit.h"
#include "fpu.h"
#include "irqchip/irqchip.h"

/* ----------------------------------------------------------------- the table */

static int cpuid_cmp(const void *a, const void *b)
{
	const struct kvm_cpuid_entry2 *x = a, *y = b;

	if (x->function != y->function)
		return x->function < y->function ? -1 : 1;
	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	return 0;
}

/* Position of the first entry of a leaf, or of what comes after it. */
static int cpuid_search(const struct mvm_vcpu *vcpu, u32 function)
{
	int low = 0, high = vcpu->nr_cpuid, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (vcpu->cpuid[mid].function < function)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* For a new table: the usual leaves are found without a search from now on. */
static void remember_places(struct mvm_vcpu *vcpu)
{
	u32 range, leaf;

	for (range = 0; range < MVM_CPUID_RANGES; range++)
		for (leaf = 0; leaf < MVM_CPUID_LEAVES; leaf++)
			vcpu->cpuid_place[range * MVM_CPUID_LEAVES + leaf] =
				cpuid_search(vcpu, range << 30 | leaf);
}

/* As cpuid_search(). */
static int cpuid_first(const struct mvm_vcpu *vcpu, u32 function)
{
	const u32 leaf = function & GENMASK(29, 0);
	const u32 place = (function >> 30) * MVM_CPUID_LEAVES + leaf;

	if (leaf >= MVM_CPUID_LEAVES || place >= ARRAY_SIZE(vcpu->cpuid_place))
		return cpuid_search(vcpu, function);
	return vcpu->cpuid_place[array_index_nospec(place, ARRAY_SIZE(vcpu->cpuid_place))];
}

/**
 * mvm_cpuid_find() - the entry that answers CPUID with these EAX and ECX
 * @vcpu: whose table
 * @function: EAX
 * @index: ECX; ignored by leaves without subleaves
 *
 * Context: the vCPU's thread, any. Return: the entry, or NULL.
 */
const struct kvm_cpuid_entry2 *mvm_cpuid_find(const struct mvm_vcpu *vcpu, u32 function, u32 index)
{
	const struct kvm_cpuid_entry2 *entry, *end = vcpu->cpuid + vcpu->nr_cpuid;

	for (entry = vcpu->cpuid + cpuid_first(vcpu, function);
	     entry < end && entry->function == function; entry++) {
		if (!(entry->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) || entry->index == index)
			return entry;
	}
	return NULL;
}

/**
 * mvm_guest_has() - does this vCPU's CPUID table have a feature?
 * @vcpu: whose table
 * @x86_feature: X86_FEATURE_*, in a word that mvm_cpuid_word() knows
 *
 * Context: the vCPU's thread, any.
 * Return: true: its bit is set; false also without a table.
 */
bool mvm_guest_has(const struct mvm_vcpu *vcpu, u32 x86_feature)
{
	const struct kvm_cpuid_entry2 *entry;
	u32 function, index;
	enum cpuid_regs_idx reg;

	if (WARN_ON_ONCE(!mvm_cpuid_word(x86_feature / 32, &function, &index, &reg)))
		return false;
	entry = mvm_cpuid_find(vcpu, function, index);
	if (!entry)
		return false;
	return *mvm_cpuid_reg((struct kvm_cpuid_entry2 *)entry, reg) & BIT(x86_feature & 31);
}

/* -------------------------------------------------------- limits that follow */

/* CR4 bits every guest may set. */
#define CR4_ALWAYS                                                                  \
	(X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_PSE |       \
	 X86_CR4_PAE | X86_CR4_MCE | X86_CR4_PGE | X86_CR4_PCE | X86_CR4_OSFXSR |   \
	 X86_CR4_OSXMMEXCPT)

/* CR4 bits that hang on a feature, of the guest's table and of the host both. */
static const struct {
	u32 feature;
	u64 bit;
} cr4_features[] = {
	{ X86_FEATURE_UMIP, X86_CR4_UMIP },
	{ X86_FEATURE_LA57, X86_CR4_LA57 },
	{ X86_FEATURE_FSGSBASE, X86_CR4_FSGSBASE },
	{ X86_FEATURE_PCID, X86_CR4_PCIDE },
	{ X86_FEATURE_XSAVE, X86_CR4_OSXSAVE },
	{ X86_FEATURE_SMEP, X86_CR4_SMEP },
	{ X86_FEATURE_SMAP, X86_CR4_SMAP },
	{ X86_FEATURE_PKU, X86_CR4_PKE },
};

static u64 cr4_reserved(const struct mvm_vcpu *vcpu)
{
	u64 allowed = CR4_ALWAYS;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cr4_features); i++) {
		if (!boot_cpu_has(cr4_features[i].feature))
			continue;
		if (vcpu->nr_cpuid && !mvm_guest_has(vcpu, cr4_features[i].feature))
			continue;
		allowed |= cr4_features[i].bit;
	}
	return ~allowed;
}

/* Physical address bits: the table's, and the architecture's 36 where the leaf is missing. */
static u32 phys_bits(const struct mvm_vcpu *vcpu)
{
	const struct kvm_cpuid_entry2 *entry = mvm_cpuid_find(vcpu, 0x80000008, 0);
	u32 bits;

	if (!vcpu->nr_cpuid)
		return mvm_cpuid_host_phys_bits();
	bits = entry ? entry->eax & 0xff : 36;
	return clamp_t(u32, bits, 32, 52);
}

static void update_limits(struct mvm_vcpu *vcpu)
{
	const struct kvm_cpuid_entry2 *xsave = mvm_cpuid_find(vcpu, 0xd, 0);
	u64 supported = boot_cpu_has(X86_FEATURE_XSAVE) ? mvm_fpu_supported_xcr0() : 0;
	u32 bits = phys_bits(vcpu);

	vcpu->cr4_guest_rsvd = cr4_reserved(vcpu);
	vcpu->maxphyaddr_rsvd = GENMASK_ULL(63, bits);
	if (!vcpu->nr_cpuid)
		vcpu->guest_xcr0_allowed = supported;
	else if (xsave && mvm_guest_has(vcpu, X86_FEATURE_XSAVE))
		vcpu->guest_xcr0_allowed = supported & (xsave->eax | (u64)xsave->edx << 32);
	else
		vcpu->guest_xcr0_allowed = 0;
	vcpu->guest_xcr0_allowed |= XFEATURE_MASK_FP;
	vcpu->dirty |= MVM_STATE_INTERCEPTS;
}

static bool table_valid(const struct kvm_cpuid_entry2 *entries, int n)
{
	u32 virt;
	int i;

	for (i = 0; i < n; i++) {
		if (entries[i].function != 0x80000008)
			continue;
		virt = entries[i].eax >> 8 & 0xff;
		if (virt && virt != 48 && virt != 57)
			return false;
	}
	return true;
}

static bool table_same(const struct mvm_vcpu *vcpu, const struct kvm_cpuid_entry2 *entries, int n)
{
	const struct kvm_cpuid_entry2 *x, *y;
	int i;

	if (n != vcpu->nr_cpuid)
		return false;
	for (i = 0; i < n; i++) {
		x = &vcpu->cpuid[i];
		y = &entries[i];
		if (cpuid_cmp(x, y) || x->flags != y->flags || x->eax != y->eax ||
		    x->ebx != y->ebx || x->ecx != y->ecx || x->edx != y->edx)
			return false;
	}
	return true;
}

/**
 * mvm_cpuid_set() - give a vCPU its CPUID table
 * @vcpu: the vCPU, its lock held
 * @entries: the table, kvmalloc'ed; the vCPU's or freed from here on. May be NULL.
 * @n: how many
 *
 * No table at all (at creation) means the host's limits. A vCPU that has run
 * keeps its table, because the guest may have read it: only the same again is let in.
 *
 * Return: 0, or -EINVAL.
 */
int mvm_cpuid_set(struct mvm_vcpu *vcpu, struct kvm_cpuid_entry2 *entries, int n)
{
	int err = 0;

	if (n)
		sort(entries, n, sizeof(*entries), cpuid_cmp, NULL);
	if (vcpu->launched) {
		if (!table_same(vcpu, entries, n))
			err = -EINVAL;
		kvfree(entries);
		return err;
	}
	if (!table_valid(entries, n)) {
		kvfree(entries);
		return -EINVAL;
	}
	kvfree(vcpu->cpuid);
	vcpu->cpuid = entries;
	vcpu->nr_cpuid = n;
	remember_places(vcpu);
	update_limits(vcpu);
	return 0;
}

/* ------------------------------------------------------------ the instruction */

/* "EBX, EDX, ECX" of leaf 0 spell the vendor. */
static bool amd_table(const struct mvm_vcpu *vcpu)
{
	const struct kvm_cpuid_entry2 *entry = mvm_cpuid_find(vcpu, 0, 0);

	return entry && (!memcmp(&entry->ebx, "Auth", 4) || !memcmp(&entry->ebx, "Hygo", 4));
}

/*
 * Beyond the highest leaf of its range AMD answers zeroes, Intel with the highest
 * basic leaf. A leaf that is within the range but not in the table is zeroes.
 */
static const struct kvm_cpuid_entry2 *out_of_range(const struct mvm_vcpu *vcpu, u32 function,
						   u32 index)
{
	const struct kvm_cpuid_entry2 *basic = mvm_cpuid_find(vcpu, 0, 0), *head;
	u32 base = function & 0x80000000;

	if (!basic || amd_table(vcpu))
		return NULL;
	if (function >> 28 == 4)
		base = function & 0xffffff00;
	head = mvm_cpuid_find(vcpu, base, 0);
	if (head && function <= head->eax)
		return NULL;
	return mvm_cpuid_find(vcpu, basic->eax, index);
}

/* Size of the compacted format for the current XCR0: leaf 0Dh.1's EBX. */
static u32 compacted_size(struct mvm_vcpu *vcpu)
{
	const struct kvm_cpuid_entry2 *entry;
	u32 i, size = mvm_fpu_xsave_size(XFEATURE_MASK_FP);

	for (i = 2; i < 63; i++) {
		if (!(vcpu->xcr0 & BIT_ULL(i)))
			continue;
		entry = mvm_cpuid_find(vcpu, 0xd, i);
		if (!entry)
			continue;
		if (entry->ecx & BIT(1))
			size = ALIGN(size, 64);
		size += entry->eax;
	}
	return size;
}

static u64 with_feature(u64 bits, u32 feature, bool on)
{
	return on ? bits | BIT(feature & 31) : bits & ~BIT(feature & 31);
}

/* Bits of the answer that follow the vCPU's state and not its table. */
static void apply_dynamic(struct mvm_vcpu *vcpu, u32 function, u32 index)
{
	u64 *gpr = vcpu->gpr;

	if (function == 1) {
		mvm_state_get(vcpu, MVM_STATE_CR);
		gpr[MVM_RCX] = with_feature(gpr[MVM_RCX], X86_FEATURE_OSXSAVE,
					    vcpu->cr4 & X86_CR4_OSXSAVE);
		if (vcpu->lapic && !(mvm_lapic_base(vcpu) & MSR_IA32_APICBASE_ENABLE))
			gpr[MVM_RDX] = with_feature(gpr[MVM_RDX], X86_FEATURE_APIC, false);
	} else if (function == 7 && index == 0) {
		mvm_state_get(vcpu, MVM_STATE_CR);
		gpr[MVM_RCX] = with_feature(gpr[MVM_RCX], X86_FEATURE_OSPKE,
					    vcpu->cr4 & X86_CR4_PKE);
	} else if (function == 0xd && index == 0 && (gpr[MVM_RAX] | gpr[MVM_RDX])) {
		gpr[MVM_RBX] = mvm_fpu_xsave_size(vcpu->xcr0);
	} else if (function == 0xd && index == 1 &&
		   (gpr[MVM_RAX] & BIT(X86_FEATURE_XSAVEC & 31))) {
		gpr[MVM_RBX] = compacted_size(vcpu);
	}
}

static void answer(struct mvm_vcpu *vcpu, u32 eax, u32 ebx, u32 ecx, u32 edx)
{
	vcpu->gpr[MVM_RAX] = eax;
	vcpu->gpr[MVM_RBX] = ebx;
	vcpu->gpr[MVM_RCX] = ecx;
	vcpu->gpr[MVM_RDX] = edx;
}

/* Nothing; past the last level of the topology the level asked for and the x2APIC id. */
static void answer_absent(struct mvm_vcpu *vcpu, u32 function, u32 index)
{
	const struct kvm_cpuid_entry2 *entry = NULL;

	if (function == 0xb || function == 0x1f)
		entry = mvm_cpuid_find(vcpu, function, 0);
	if (entry)
		answer(vcpu, 0, 0, index & 0xff, entry->edx);
	else
		answer(vcpu, 0, 0, 0, 0);
}

/**
 * mvm_cpuid_exec() - the CPUID instruction
 * @vcpu: who executes it
 *
 * Context: the vCPU's thread, preemptible or not.
 */
void mvm_cpuid_exec(struct mvm_vcpu *vcpu)
{
	u32 function = vcpu->gpr[MVM_RAX], index = vcpu->gpr[MVM_RCX];
	const struct kvm_cpuid_entry2 *entry = mvm_cpuid_find(vcpu, function, index);

	if (unlikely(!entry)) {
		entry = out_of_range(vcpu, function, index);
		if (!entry) {
			answer_absent(vcpu, function, index);
			return;
		}
		function = entry->function;
	}
	answer(vcpu, entry->eax, entry->ebx, entry->ecx, entry->edx);
	apply_dynamic(vcpu, function, index);
}
