/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Walking a guest's own page tables. Pure: knows no vCPU and no hardware, so
 * that any root can be walked, and builds in userspace for its unit test.
 */
#ifndef MVM_MMU_WALK_H
#define MVM_MMU_WALK_H

#include "../types.h"

/* EFER's bits: asm/msr-index.h is not there in userspace builds. */
#define MVM_WALK_EFER_LMA BIT_ULL(10)
#define MVM_WALK_EFER_NXE BIT_ULL(11)

/**
 * struct mvm_walk - what a translation depends on, besides memory
 * @cr0: as the guest sees it; likewise the next three
 * @cr3: root
 * @cr4: paging features
 * @efer: LMA and NXE
 * @pdptr: PAE paging: the four directory pointers as last loaded; NULL where the
 *	processor keeps none and reads them in memory at each walk
 * @ac: RFLAGS.AC, for SMAP
 * @pkru: protection key rights
 * @rsvd_phys: physical address bits that the guest's processor does not have
 */
struct mvm_walk {
	u64 cr0, cr3, cr4, efer;
	const u64 *pdptr;
	bool ac;
	u32 pkru;
	u64 rsvd_phys;
};

/**
 * struct mvm_walk_ops - guest physical memory, for the walk
 * @read: one naturally aligned entry of 4 or 8 bytes in one access; 0 or -EFAULT
 * @replace: exchange an entry if it is still @old: 0 done (or not writable, which
 *	leaves accessed and dirty bits alone), 1 it was not @old, or -EFAULT
 */
struct mvm_walk_ops {
	int (*read)(void *mem, gpa_t gpa, int size, u64 *entry);
	int (*replace)(void *mem, gpa_t gpa, int size, u64 old, u64 new);
};

/* walk.c */
int mvm_walk(const struct mvm_walk *walk, const struct mvm_walk_ops *ops, void *mem, gva_t gva,
	     u32 access, gpa_t *gpa, struct mvm_fault *fault);
bool mvm_walk_pdptrs_valid(const u64 pdptr[4], u64 rsvd_phys);

#endif
