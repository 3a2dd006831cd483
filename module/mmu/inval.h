/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Invalidations as a VM keeps them: around what the ones under way are, and which
 * the last ones to end were. So a fault starts again only for those of its own page,
 * however busy the launcher is elsewhere. The protocol is npt.h's.
 */
#ifndef MVM_MMU_INVAL_H
#define MVM_MMU_INVAL_H

#include "../types.h"

/* A fault that more of them overtake starts again without knowing why. */
#define MVM_INVAL_LAST 16

/* Addresses of the launcher. */
struct mvm_inval_range {
	hva_t start, end;
};

/* Changed under vm->mmu_lock, read without. */
struct mvm_inval {
	unsigned long in_progress, ended; /* how many */
	hva_t start, end; /* around all that are in progress */
	struct mvm_inval_range last[MVM_INVAL_LAST]; /* number n at n % MVM_INVAL_LAST */
};

#endif
