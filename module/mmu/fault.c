// SPDX-License-Identifier: GPL-2.0-only
/*
 * A nested page fault: from a guest physical address to an installed leaf.
 *
 * The host's page is found by get_user_pages and held only until the leaf is
 * in place; from then on the MMU notifiers keep the leaf true. The order
 * (sample the sequence, look up the slot, get the page, lock, check the
 * sequence, install) is what npt.h asks of an installer.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>

#include "entry.h"

/* Holds the windows open that rule-breakers fall into: selftests/memory/race_test. */
static unsigned int debug_install_delay_us;
module_param(debug_install_delay_us, uint, 0644);
MODULE_PARM_DESC(debug_install_delay_us,
		 "For tests: wait so long, at most 1000 us, before a nested fault's last check and between that and its installation (default: 0)");

static void debug_delay(void)
{
	const unsigned int us = READ_ONCE(debug_install_delay_us);

	if (unlikely(us))
		udelay(min(us, 1000U));
}

/*
 * By entries of which level does the host map @hva, and @pfn there? The page
 * alone cannot tell: parts of a huge page may be mapped by small entries of other
 * rights. Interrupts off keeps the tables from being freed; that the answer
 * stays true is the business of the caller's fault_lock.
 */
static int host_level(struct mm_struct *mm, hva_t hva, u64 pfn)
{
	pgd_t pgd = READ_ONCE(*pgd_offset(mm, hva));
	p4d_t p4d;
	pud_t pud;
	pmd_t pmd;

	lockdep_assert_irqs_disabled();
	if (pgd_none(pgd))
		return NPT_LEVEL_4K;
	p4d = READ_ONCE(*p4d_offset(&pgd, hva));
	if (p4d_none(p4d) || !p4d_present(p4d))
		return NPT_LEVEL_4K;
	pud = READ_ONCE(*pud_offset(&p4d, hva));
	if (!(pud_val(pud) & _PAGE_PRESENT))
		return NPT_LEVEL_4K;
	if (pud_leaf(pud))
		return pud_pfn(pud) + ((hva & ~PUD_MASK) >> PAGE_SHIFT) == pfn ? NPT_LEVEL_1G :
										 NPT_LEVEL_4K;
	pmd = READ_ONCE(*pmd_offset(&pud, hva));
	if (!(pmd_val(pmd) & _PAGE_PRESENT) || !pmd_leaf(pmd))
		return NPT_LEVEL_4K;
	return pmd_pfn(pmd) + ((hva & ~PMD_MASK) >> PAGE_SHIFT) == pfn ? NPT_LEVEL_2M :
									 NPT_LEVEL_4K;
}

/* May a leaf of @level be there, as far as the slot and the host's plans go? */
static bool level_fits(struct mvm_vm *vm, const struct mvm_memslot *slot, gfn_t gfn, int level)
{
	const u64 frames = npt_entry_frames(level);
	const gfn_t first = round_down(gfn, frames);
	const hva_t hva = mvm_slot_hva(slot, gfn);
	const hva_t start = round_down(hva, (hva_t)frames << PAGE_SHIFT);

	if (first < slot->base || first + frames > slot->base + slot->npages)
		return false;
	if ((gfn ^ (hva >> PAGE_SHIFT)) & (frames - 1))
		return false;
	/* The host may be about to split it, for a page other than this one. */
	return !mvm_inval_pending(vm, start, start + (frames << PAGE_SHIFT));
}

/* How large a leaf may be. Called with fault_lock held, the sequence checked. */
static int leaf_level(struct mvm_vm *vm, const struct mvm_memslot *slot,
		      const struct npt_leaf *leaf)
{
	unsigned long flags;
	int level;

	/* The log is by small pages. */
	if (slot->dirty)
		return NPT_LEVEL_4K;
	/* Large leaves are not executable there: npt_make_leaf(). */
	if ((leaf->access & MVM_ACCESS_EXEC) && boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT))
		return NPT_LEVEL_4K;
	if (!level_fits(vm, slot, leaf->gfn, NPT_LEVEL_2M))
		return NPT_LEVEL_4K;

	local_irq_save(flags);
	level = host_level(vm->mm, mvm_slot_hva(slot, leaf->gfn), leaf->pfn);
	local_irq_restore(flags);

	if (level == NPT_LEVEL_1G && (!vm->backend->caps->npt.has_1g ||
				      !level_fits(vm, slot, leaf->gfn, NPT_LEVEL_1G)))
		return NPT_LEVEL_2M;
	return level;
}

/*
 * The page behind @hva as far as it is present, with a reference, or NULL. Does not sleep.
 * A read fault gets a writable entry only where the host's own entry is writable already:
 * asking for more would break sharing (zero page, KSM, private file pages) for a read.
 */
static struct page *get_present_page(hva_t hva, u32 access, bool may_write, bool *writable)
{
	struct page *page;

	*writable = may_write;
	if (may_write && get_user_pages_fast_only(hva, 1, FOLL_WRITE, &page) == 1)
		return page;
	*writable = false;
	if (!(access & MVM_ACCESS_WRITE) && get_user_pages_fast_only(hva, 1, 0, &page) == 1)
		return page;
	return NULL;
}

/* The same where it has to be made present. Sleeps. */
static struct page *get_absent_page(hva_t hva, u32 access, bool *writable)
{
	unsigned int flags = FOLL_HWPOISON | MVM_FOLL_INTERRUPTIBLE;
	struct page *page;
	long ret;

	*writable = access & MVM_ACCESS_WRITE;
	if (*writable)
		flags |= FOLL_WRITE;
	ret = get_user_pages_unlocked(hva, 1, &page, flags);
	if (ret == 1)
		return page;
	return ERR_PTR(ret < 0 ? ret : -EFAULT);
}

/*
 * Install, or find that it has to be done again: both are MVM_FAULT_FIXED. With
 * @may_sleep false it may also be MVM_FAULT_SLEEPS.
 */
static int map_page(struct mvm_vcpu *vcpu, const struct mvm_memslot *slot, struct npt_leaf *leaf,
		    struct page *page, unsigned long seq, bool may_sleep)
{
	struct mvm_vm *vm = vcpu->vm;
	const gfp_t gfp = may_sleep ? GFP_KERNEL : GFP_NOWAIT | __GFP_NOWARN;
	enum npt_install_result result = NPT_INSTALLED;
	struct npt_tables tables = { };
	int ret = MVM_FAULT_FIXED;

	do {
		if (result == NPT_NEED_TABLES) {
			ret = mvm_npt_fill_tables(vm, &tables, gfp);
			if (ret) {
				ret = may_sleep ? ret : MVM_FAULT_SLEEPS;
				break;
			}
			ret = MVM_FAULT_FIXED;
		} else if (result == NPT_IN_WAY) {
			mvm_npt_zap(vm, leaf->gfn, leaf->gfn + 1, may_sleep);
		}

		debug_delay();
		spin_lock(&vcpu->fault_lock);
		if (mvm_inval_retry(vm, mvm_slot_hva(slot, leaf->gfn), seq)) {
			spin_unlock(&vcpu->fault_lock);
			break;
		}
		debug_delay();
		leaf->level = leaf_level(vm, slot, leaf);
		/* Now, while the host's entry is known to be writable: cleaning it invalidates. */
		if (leaf->writable)
			set_page_dirty(page);
		result = mvm_npt_install(vm, leaf, &tables);
		if (result == NPT_INSTALLED && leaf->writable)
			mvm_dirty_mark(slot, leaf->gfn, leaf->gfn);
		spin_unlock(&vcpu->fault_lock);
	} while (result != NPT_INSTALLED);

	mvm_npt_free_tables(&tables);
	return ret;
}

/* Frames of a small page's surroundings, aligned, that are mapped with it. */
#define AROUND 16

/*
 * Map what follows @first in its surroundings, too, as far as the host has it mapped with
 * the same right: it will be used soon, and costs a tenth of a fault of its own. Processors
 * that do not say what was used would take it for used.
 */
static void map_around(struct mvm_vcpu *vcpu, const struct mvm_memslot *slot,
		       const struct npt_leaf *first, unsigned long seq)
{
	struct npt_leaf leaf = { .gfn = first->gfn + 1, .level = NPT_LEVEL_4K,
				 .access = MVM_ACCESS_READ, .writable = first->writable,
				 .ahead = true };
	const gfn_t end = min(round_up(leaf.gfn, AROUND), slot->base + slot->npages);
	const hva_t hva = mvm_slot_hva(slot, leaf.gfn);
	struct npt_tables none = { };
	struct page *page[AROUND];
	int i, n = end - leaf.gfn;

	if (n <= 0 || slot->dirty || !vcpu->vm->backend->caps->npt.accessed)
		return;
	n = get_user_pages_fast_only(hva, n, leaf.writable ? FOLL_WRITE : 0, page);
	if (n <= 0)
		return;
	spin_lock(&vcpu->fault_lock);
	for (i = 0; i < n; i++, leaf.gfn++) {
		if (mvm_inval_retry(vcpu->vm, mvm_slot_hva(slot, leaf.gfn), seq))
			break;
		leaf.pfn = page_to_pfn(page[i]);
		if (leaf.writable)
			set_page_dirty(page[i]);
		/* Where something is in the way, or a table is missing, there is no hurry. */
		if (mvm_npt_install(vcpu->vm, &leaf, &none) != NPT_INSTALLED)
			break;
	}
	spin_unlock(&vcpu->fault_lock);
	for (i = 0; i < n; i++)
		put_page(page[i]);
}

/* The launcher's memory failed it. @err comes from get_user_pages. */
static int page_failed(struct mvm_vcpu *vcpu, gpa_t gpa, hva_t hva, u32 access, int err)
{
	if (err != -EFAULT && err != -EHWPOISON)
		return err;
	return mvm_fail(&vcpu->reason, err,
			"guest address %#llx needs the launcher's memory at %#lx, which %s",
			gpa, hva,
			err == -EHWPOISON ? "the host has marked as broken" :
			access & MVM_ACCESS_WRITE ? "is not there for writing" : "is not there");
}

/*
 * A write to a frame that the log alone keeps from being written: the host is not asked
 * again. The page was made dirty when its leaf came, and cleaning it takes the leaf away.
 */
static bool write_again(struct mvm_vcpu *vcpu, const struct mvm_memslot *slot, gfn_t gfn,
			unsigned long seq)
{
	bool done = false;

	spin_lock(&vcpu->fault_lock);
	if (!mvm_inval_retry(vcpu->vm, mvm_slot_hva(slot, gfn), seq)) {
		debug_delay();
		done = mvm_npt_allow_write(vcpu->vm, gfn);
	}
	if (done)
		mvm_dirty_mark(slot, gfn, gfn);
	spin_unlock(&vcpu->fault_lock);
	return done;
}

static int fault(struct mvm_vcpu *vcpu, gpa_t gpa, u32 access, bool may_sleep)
{
	struct npt_leaf leaf = { .gfn = gpa >> PAGE_SHIFT, .access = access };
	struct mvm_vm *vm = vcpu->vm;
	struct mvm_memslot slot;
	unsigned long seq;
	struct page *page;
	bool may_write, present;
	hva_t hva;
	int ret;

	if (READ_ONCE(vm->dead) || current->mm != vm->mm)
		return -EIO;

	seq = mvm_inval_sample(vm);
	if (!mvm_memslot_get(vm, leaf.gfn, &slot))
		return MVM_FAULT_MMIO;
	may_write = !(slot.flags & KVM_MEM_READONLY);
	if (!may_write && (access & MVM_ACCESS_WRITE))
		return MVM_FAULT_MMIO;
	/* With a log a frame is writable only once it was written. */
	if (slot.dirty && !(access & MVM_ACCESS_WRITE))
		may_write = false;
	else if (slot.dirty && write_again(vcpu, &slot, leaf.gfn, seq))
		return MVM_FAULT_FIXED;

	hva = mvm_slot_hva(&slot, leaf.gfn);
	page = get_present_page(hva, access, may_write, &leaf.writable);
	present = page;
	if (!page && !may_sleep)
		return MVM_FAULT_SLEEPS;
	if (!page)
		page = get_absent_page(hva, access, &leaf.writable);
	if (IS_ERR(page))
		return page_failed(vcpu, gpa, hva, access, PTR_ERR(page));
	leaf.pfn = page_to_pfn(page);
	ret = map_page(vcpu, &slot, &leaf, page, seq, may_sleep);
	put_page(page);
	if (present && ret == MVM_FAULT_FIXED && leaf.level == NPT_LEVEL_4K)
		map_around(vcpu, &slot, &leaf, seq);
	return ret;
}

/**
 * mvm_mmu_fault() - make a guest physical address present
 * @vcpu: the vCPU that needs it
 * @gpa: guest physical address
 * @access: MVM_ACCESS_READ, _WRITE or _EXEC
 *
 * Context: the vCPU's thread, interrupts on; may sleep; takes vcpu->fault_lock and
 * vm->mmu_lock.
 * Return: MVM_FAULT_FIXED or _MMIO; -EFAULT: bad host mapping, the instruction can be
 * restarted; -EHWPOISON; -EINTR: a signal wants attention; -ENOMEM; -EIO: the VM is dead, or
 * the thread is not one of vm->mm.
 */
int mvm_mmu_fault(struct mvm_vcpu *vcpu, gpa_t gpa, u32 access)
{
	return fault(vcpu, gpa, access, true);
}

/**
 * mvm_mmu_fault_fast() - mvm_mmu_fault() for a page that the launcher has mapped just now
 * @vcpu: the vCPU that needs it
 * @gpa: guest physical address
 * @access: MVM_ACCESS_READ, _WRITE or _EXEC
 *
 * Context: the vCPU's thread, interrupts on; does not sleep.
 * Return: MVM_FAULT_FIXED or _MMIO; MVM_FAULT_SLEEPS: call mvm_mmu_fault(); -EIO likewise.
 */
int mvm_mmu_fault_fast(struct mvm_vcpu *vcpu, gpa_t gpa, u32 access)
{
	return fault(vcpu, gpa, access, false);
}
