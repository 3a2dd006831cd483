// SPDX-License-Identifier: GPL-2.0-only
/*
 * A nested page fault: from a guest physical address to an installed leaf.
 *
 * The host's page is found by get_user_pages and held only until the leaf is
 * in place; from then on the MMU notifiers keep the leaf true. The order
 * (sample the sequence, look up the slot, get the page, lock, check the
 * sequence, install) is what npt.h asks of an installer.
 */
#include <linux/mm.h>
#include <linux/sched.h>

#include "../backend.h"
#include "npt.h"

#define PAGES_PER_2M BIT_ULL(9)

/*
 * Does the host map @hva by an entry of 2 MiB or more, and @pfn there? The
 * page alone cannot tell: parts of a huge page may be mapped by small entries
 * of other rights. Interrupts off keeps the tables from being freed; that the
 * answer stays true is the business of the caller's fault_lock.
 */
static bool host_maps_large(struct mm_struct *mm, hva_t hva, u64 pfn)
{
	pgd_t pgd = READ_ONCE(*pgd_offset(mm, hva));
	p4d_t p4d;
	pud_t pud;
	pmd_t pmd;

	lockdep_assert_irqs_disabled();
	if (pgd_none(pgd))
		return false;
	p4d = READ_ONCE(*p4d_offset(&pgd, hva));
	if (p4d_none(p4d) || !p4d_present(p4d))
		return false;
	pud = READ_ONCE(*pud_offset(&p4d, hva));
	if (!(pud_val(pud) & _PAGE_PRESENT))
		return false;
	if (pud_leaf(pud))
		return pud_pfn(pud) + ((hva & ~PUD_MASK) >> PAGE_SHIFT) == pfn;
	pmd = READ_ONCE(*pmd_offset(&pud, hva));
	if (!(pmd_val(pmd) & _PAGE_PRESENT) || !pmd_leaf(pmd))
		return false;
	return pmd_pfn(pmd) + ((hva & ~PMD_MASK) >> PAGE_SHIFT) == pfn;
}

/* How large a leaf may be. Called with fault_lock held, the sequence checked. */
static int leaf_level(struct mvm_vm *vm, const struct mvm_memslot *slot,
		      const struct npt_leaf *leaf)
{
	const gfn_t first = round_down(leaf->gfn, PAGES_PER_2M);
	const hva_t hva = mvm_slot_hva(slot, leaf->gfn), start = round_down(hva, PMD_SIZE);
	unsigned long flags;
	bool large;

	if (first < slot->base || first + PAGES_PER_2M > slot->base + slot->npages)
		return NPT_LEVEL_4K;
	if ((leaf->gfn ^ (hva >> PAGE_SHIFT)) & (PAGES_PER_2M - 1))
		return NPT_LEVEL_4K;
	/* The host may be about to split it, for a page other than this one. */
	if (mvm_inval_pending(vm, start, start + PMD_SIZE))
		return NPT_LEVEL_4K;
	/* Large leaves are not executable there: npt_make_leaf(). */
	if ((leaf->access & MVM_ACCESS_EXEC) && boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT))
		return NPT_LEVEL_4K;

	local_irq_save(flags);
	large = host_maps_large(vm->mm, hva, leaf->pfn);
	local_irq_restore(flags);
	return large ? NPT_LEVEL_2M : NPT_LEVEL_4K;
}

/*
 * The page behind @hva, with a reference. A read fault gets a writable entry
 * only where the host's own entry is writable already: asking for more would
 * break sharing (zero page, KSM, private file pages) for a read.
 */
static struct page *get_host_page(hva_t hva, u32 access, bool may_write, bool *writable)
{
	unsigned int flags = FOLL_HWPOISON | MVM_FOLL_INTERRUPTIBLE;
	struct page *page;
	long ret;

	*writable = may_write;
	if (may_write && get_user_pages_fast_only(hva, 1, FOLL_WRITE, &page) == 1)
		return page;

	*writable = access & MVM_ACCESS_WRITE;
	if (*writable)
		flags |= FOLL_WRITE;
	ret = get_user_pages_unlocked(hva, 1, &page, flags);
	if (ret == 1)
		return page;
	return ERR_PTR(ret < 0 ? ret : -EFAULT);
}

/* Install, or find that it has to be done again: both are MVM_FAULT_FIXED. */
static int map_page(struct mvm_vcpu *vcpu, const struct mvm_memslot *slot,
		    struct npt_leaf *leaf, struct page *page, unsigned long seq)
{
	struct mvm_vm *vm = vcpu->vm;
	enum npt_install_result result = NPT_INSTALLED;
	struct npt_tables tables = { };
	int ret = MVM_FAULT_FIXED;

	do {
		if (result == NPT_NEED_TABLES) {
			ret = mvm_npt_fill_tables(vm, &tables);
			if (ret)
				break;
			ret = MVM_FAULT_FIXED;
		} else if (result == NPT_IN_WAY) {
			mvm_npt_zap(vm, leaf->gfn, leaf->gfn + 1, true);
		}

		spin_lock(&vcpu->fault_lock);
		if (mvm_inval_retry(vm, mvm_slot_hva(slot, leaf->gfn), seq)) {
			spin_unlock(&vcpu->fault_lock);
			break;
		}
		leaf->level = leaf_level(vm, slot, leaf);
		/* Now, while the host's entry is known to be writable: cleaning it invalidates. */
		if (leaf->writable)
			set_page_dirty(page);
		result = mvm_npt_install(vm, leaf, &tables);
		spin_unlock(&vcpu->fault_lock);
	} while (result != NPT_INSTALLED);

	mvm_npt_free_tables(&tables);
	return ret;
}

int mvm_mmu_fault(struct mvm_vcpu *vcpu, gpa_t gpa, u32 access)
{
	struct npt_leaf leaf = { .gfn = gpa >> PAGE_SHIFT, .access = access };
	struct mvm_vm *vm = vcpu->vm;
	struct mvm_memslot slot;
	unsigned long seq;
	struct page *page;
	bool readonly;
	int ret;

	if (READ_ONCE(vm->dead) || current->mm != vm->mm)
		return -EIO;

	seq = mvm_inval_sample(vm);
	if (!mvm_memslot_get(vm, leaf.gfn, &slot))
		return MVM_FAULT_MMIO;
	readonly = slot.flags & KVM_MEM_READONLY;
	if (readonly && (access & MVM_ACCESS_WRITE))
		return MVM_FAULT_MMIO;

	page = get_host_page(mvm_slot_hva(&slot, leaf.gfn), access, !readonly, &leaf.writable);
	if (IS_ERR(page))
		return PTR_ERR(page);
	leaf.pfn = page_to_pfn(page);
	ret = map_page(vcpu, &slot, &leaf, page, seq);
	put_page(page);
	return ret;
}
