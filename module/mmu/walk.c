// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's page-table walk, in software: for the emulator, for string I/O
 * and for reading instructions.
 *
 * One loop serves all paging modes; what differs between them is in struct
 * mode. A walk first finds the leaf, then judges the access, and only then sets
 * accessed and dirty bits, each by compare-and-exchange: where an entry changed
 * meanwhile the walk starts again.
 */
#include <asm/processor-flags.h>

#include "walk.h"

#define PTE_P	 BIT_ULL(0)
#define PTE_W	 BIT_ULL(1)
#define PTE_U	 BIT_ULL(2)
#define PTE_A	 BIT_ULL(5)
#define PTE_D	 BIT_ULL(6)
#define PTE_PS	 BIT_ULL(7)
#define PTE_NX	 BIT_ULL(63)
#define PTE_ADDR 0x000ffffffffff000ULL

#define PTE_PKEY_SHIFT 59
#define PTE_PKEY_MASK  0xf

/* The bits of a PAE directory pointer that must be zero, besides the address. */
#define PDPTE_RSVD (PTE_W | PTE_U | 0x1e0ULL | ~(PTE_ADDR | 0xfffULL))

/* Bits 62:52 must be zero in PAE paging and are free in long mode. */
#define PTE_PAE_RSVD 0x7ff0000000000000ULL

#define PKRU_AD 1
#define PKRU_WD 2

#define VECTOR_GP 13
#define VECTOR_PF 14

/* The #PF error code. */
#define PF_PRESENT BIT(0)
#define PF_WRITE   BIT(1)
#define PF_USER	   BIT(2)
#define PF_RSVD	   BIT(3)
#define PF_FETCH   BIT(4)
#define PF_PK	   BIT(5)

#define MAX_LEVELS 5

enum kind { KIND_32, KIND_PAE, KIND_LONG };

/* A paging mode as the loop needs it. */
struct mode {
	enum kind kind;
	int levels;
	int entry_size;
	int index_bits;
	u64 rsvd; /* bits no entry may have */
};

/* Where the walk has been. */
struct path {
	int top; /* level of the first entry read */
	int leaf; /* level of the last one */
	u64 all, any; /* bits that every entry, or one of them, has */
	u64 entry[MAX_LEVELS + 1]; /* by level, from 1 */
	gpa_t at[MAX_LEVELS + 1];
};

static void mode_init(const struct mvm_walk *walk, struct mode *mode)
{
	const u64 no_nx = walk->efer & MVM_WALK_EFER_NXE ? 0 : PTE_NX;

	*mode = (struct mode) { .entry_size = 8, .index_bits = 9 };
	if (walk->efer & MVM_WALK_EFER_LMA) {
		mode->kind = KIND_LONG;
		mode->levels = walk->cr4 & X86_CR4_LA57 ? 5 : 4;
		mode->rsvd = (walk->rsvd_phys & PTE_ADDR) | no_nx;
	} else if (walk->cr4 & X86_CR4_PAE) {
		mode->kind = KIND_PAE;
		mode->levels = 3;
		mode->rsvd = (walk->rsvd_phys & PTE_ADDR) | PTE_PAE_RSVD | no_nx;
	} else {
		mode->kind = KIND_32;
		mode->levels = 2;
		mode->entry_size = 4;
		mode->index_bits = 10;
	}
}

static int level_shift(const struct mode *mode, int level)
{
	return 12 + mode->index_bits * (level - 1);
}

static bool is_leaf(const struct mvm_walk *walk, const struct mode *mode, u64 entry, int level)
{
	if (level == 1)
		return true;
	if (!(entry & PTE_PS))
		return false;
	if (mode->kind == KIND_32)
		return walk->cr4 & X86_CR4_PSE;
	return level == 2 || (level == 3 && mode->kind == KIND_LONG);
}

/* The address in a leaf, without the offset into its page. */
static gpa_t leaf_address(const struct mode *mode, u64 entry, int level)
{
	const u64 page_mask = (1ULL << level_shift(mode, level)) - 1;

	if (mode->kind != KIND_32)
		return entry & PTE_ADDR & ~page_mask;
	if (level == 1)
		return entry & 0xfffff000;
	/* A 4 MiB page: bits 39:32 of the address are in bits 20:13. */
	return (entry & 0xffc00000) | ((entry >> 13 & 0xff) << 32);
}

/* Does an entry have bits set that must be zero? */
static bool has_reserved(const struct mvm_walk *walk, const struct mode *mode, u64 entry, int level)
{
	if (entry & mode->rsvd)
		return true;
	if (!is_leaf(walk, mode, entry, level))
		return mode->kind == KIND_LONG && level > 3 && (entry & PTE_PS);
	if (level == 1)
		return false;
	if (mode->kind == KIND_32)
		return (entry & BIT_ULL(21)) || (leaf_address(mode, entry, 2) & walk->rsvd_phys);
	/* Bit 12 of a large leaf is PAT; from there to the address nothing may be set. */
	return entry & (((1ULL << level_shift(mode, level)) - 1) & ~0x1fffULL);
}

/* The first table's address and its entries' level. 1: a PAE pointer is absent. */
static int walk_root(const struct mvm_walk *walk, const struct mode *mode,
		     const struct mvm_walk_ops *ops, void *mem, gva_t gva, gpa_t *table, int *level)
{
	u64 entry;
	int ret;

	*level = mode->levels;
	if (mode->kind != KIND_PAE) {
		*table = walk->cr3 & (mode->kind == KIND_LONG ? PTE_ADDR : 0xfffff000ULL);
		return 0;
	}

	*level = 2;
	if (walk->pdptr) {
		entry = walk->pdptr[gva >> 30];
	} else {
		ret = ops->read(mem, (walk->cr3 & 0xffffffe0) + (gva >> 30) * 8, 8, &entry);
		if (ret)
			return ret;
	}
	*table = entry & PTE_ADDR;
	return entry & PTE_P ? 0 : 1;
}

/* Follow the tables to the leaf. 0; 1 with the error code's bits; -EFAULT. */
static int walk_tables(const struct mvm_walk *walk, const struct mode *mode,
		       const struct mvm_walk_ops *ops, void *mem, gva_t gva,
		       struct path *path, u32 *error)
{
	gpa_t table;
	int level, ret;

	*error = 0;
	ret = walk_root(walk, mode, ops, mem, gva, &table, &level);
	if (ret)
		return ret;

	path->all = ~0ULL;
	path->any = 0;
	for (path->top = level;; level--) {
		u64 index = gva >> level_shift(mode, level) & (BIT(mode->index_bits) - 1);
		u64 entry;

		path->at[level] = table + index * mode->entry_size;
		ret = ops->read(mem, path->at[level], mode->entry_size, &entry);
		if (ret)
			return ret;
		path->entry[level] = entry;
		path->all &= entry;
		path->any |= entry;

		if (!(entry & PTE_P))
			return 1;
		if (has_reserved(walk, mode, entry, level)) {
			*error = PF_PRESENT | PF_RSVD;
			return 1;
		}
		if (is_leaf(walk, mode, entry, level)) {
			path->leaf = level;
			return 0;
		}
		table = entry & (mode->kind == KIND_32 ? 0xfffff000ULL : PTE_ADDR);
	}
}

/* Does the page's protection key forbid this access to a user page? */
static bool key_forbids(const struct mvm_walk *walk, const struct mode *mode, u64 leaf, u32 access)
{
	u32 rights;

	if (mode->kind != KIND_LONG || !(walk->cr4 & X86_CR4_PKE) || (access & MVM_ACCESS_EXEC))
		return false;
	rights = walk->pkru >> 2 * (leaf >> PTE_PKEY_SHIFT & PTE_PKEY_MASK);
	if (rights & PKRU_AD)
		return true;
	if (!(rights & PKRU_WD) || !(access & MVM_ACCESS_WRITE))
		return false;
	return (access & MVM_ACCESS_USER) || (walk->cr0 & X86_CR0_WP);
}

/* The error code's bits of a page that is there but may not be used so; 0 = it may. */
static u32 judge(const struct mvm_walk *walk, const struct mode *mode, const struct path *path,
		 u32 access)
{
	const bool exec = access & MVM_ACCESS_EXEC, write = access & MVM_ACCESS_WRITE;
	const bool user = access & MVM_ACCESS_USER;
	const u64 all = path->all, any = path->any;
	bool denied = false;
	u32 error = 0;

	if (user)
		denied = !(all & PTE_U) || (write && !(all & PTE_W));
	else if (write)
		denied = !(all & PTE_W) && (walk->cr0 & X86_CR0_WP);
	if (exec && (any & PTE_NX) && mode->kind != KIND_32)
		denied = true;

	if (all & PTE_U) {
		if (!user && exec && (walk->cr4 & X86_CR4_SMEP))
			denied = true;
		if (!user && !exec && (walk->cr4 & X86_CR4_SMAP) &&
		    (!walk->ac || (access & MVM_ACCESS_IMPLICIT)))
			denied = true;
		if (key_forbids(walk, mode, path->entry[path->leaf], access))
			error |= PF_PK;
	}
	if (denied || error)
		error |= PF_PRESENT;
	return error;
}

/* Set accessed bits on the way and dirty on a written leaf. 0; 1: start again; -EFAULT. */
static int set_accessed(const struct mode *mode, const struct mvm_walk_ops *ops, void *mem,
			const struct path *path, u32 access)
{
	int level, ret;

	if ((path->all & PTE_A) &&
	    (!(access & MVM_ACCESS_WRITE) || (path->entry[path->leaf] & PTE_D)))
		return 0;
	for (level = path->top; level >= path->leaf; level--) {
		const u64 old = path->entry[level];
		u64 new = old | PTE_A;

		if (level == path->leaf && (access & MVM_ACCESS_WRITE))
			new |= PTE_D;
		if (new == old)
			continue;
		ret = ops->replace(mem, path->at[level], mode->entry_size, old, new);
		if (ret)
			return ret;
	}
	return 0;
}

static int page_fault(const struct mvm_walk *walk, const struct mode *mode, gva_t gva, u32 access,
		      u32 error, struct mvm_fault *fault)
{
	const bool nx = (walk->efer & MVM_WALK_EFER_NXE) && mode->kind != KIND_32;

	if (access & MVM_ACCESS_WRITE)
		error |= PF_WRITE;
	if (access & MVM_ACCESS_USER)
		error |= PF_USER;
	if ((access & MVM_ACCESS_EXEC) && (nx || (walk->cr4 & X86_CR4_SMEP)))
		error |= PF_FETCH;
	*fault = (struct mvm_fault) {
		.vector = VECTOR_PF, .has_error = true, .error = error, .cr2 = gva,
	};
	return 1;
}

static bool is_canonical(const struct mode *mode, gva_t gva)
{
	const int unused = 64 - level_shift(mode, mode->levels + 1);

	return (gva_t)((s64)(gva << unused) >> unused) == gva;
}

/* So often an entry may change between its being read and its accessed bit's being set. */
#define MAX_ROUNDS 64

/**
 * mvm_walk() - translate a linear address as the processor would
 * @walk: the paging mode
 * @ops: how to reach memory
 * @mem: passed to @ops
 * @gva: linear address
 * @access: MVM_ACCESS_*
 * @gpa: the physical address
 * @fault: on 1, the fault to raise
 *
 * Honours the paging mode (none, 32-bit, PAE, 4- and 5-level), rights, NX, WP, SMEP, SMAP,
 * protection keys and reserved bits; sets accessed and dirty bits. Starts again where an
 * entry changes meanwhile, and goes without them after MAX_ROUNDS.
 *
 * Return: 0; 1 with @fault filled (#PF, or #GP for a non-canonical address); -EFAULT when a
 * table lies outside memory.
 */
int mvm_walk(const struct mvm_walk *walk, const struct mvm_walk_ops *ops, void *mem, gva_t gva,
	     u32 access, gpa_t *gpa, struct mvm_fault *fault)
{
	struct mode mode;
	struct path path;
	int ret, rounds = 0;
	u64 page_mask;
	u32 error;

	mode_init(walk, &mode);
	if (mode.kind != KIND_LONG)
		gva &= 0xffffffff;
	if (!(walk->cr0 & X86_CR0_PG)) {
		*gpa = gva;
		return 0;
	}
	if (mode.kind == KIND_LONG && !is_canonical(&mode, gva)) {
		*fault = (struct mvm_fault) { .vector = VECTOR_GP, .has_error = true };
		return 1;
	}

	do {
		ret = walk_tables(walk, &mode, ops, mem, gva, &path, &error);
		if (ret < 0)
			return ret;
		if (!ret)
			error = judge(walk, &mode, &path, access);
		if (ret || error)
			return page_fault(walk, &mode, gva, access, error, fault);
		ret = set_accessed(&mode, ops, mem, &path, access);
		/* The guest's other vCPUs may change the entry each time: it then goes without. */
	} while (ret > 0 && ++rounds < MAX_ROUNDS);
	if (ret < 0)
		return ret;

	page_mask = (1ULL << level_shift(&mode, path.leaf)) - 1;
	*gpa = leaf_address(&mode, path.entry[path.leaf], path.leaf) | (gva & page_mask);
	return 0;
}

/**
 * mvm_walk_pdptrs_valid() - would the processor load these PAE directory pointers?
 * @pdptr: the four pointers
 * @rsvd_phys: physical address bits that the guest's processor does not have
 *
 * Return: false: one that is present has a reserved bit set (#GP).
 */
bool mvm_walk_pdptrs_valid(const u64 pdptr[4], u64 rsvd_phys)
{
	int i;

	for (i = 0; i < 4; i++) {
		if ((pdptr[i] & PTE_P) && (pdptr[i] & (PDPTE_RSVD | (rsvd_phys & PTE_ADDR))))
			return false;
	}
	return true;
}
