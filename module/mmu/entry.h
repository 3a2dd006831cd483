/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading an entry of the nested tables: what npt.c and range.c share. The bits
 * come from the backend's struct mvm_npt_format.
 */
#ifndef MVM_MMU_ENTRY_H
#define MVM_MMU_ENTRY_H

#include <linux/io.h>

#include "../backend.h"
#include "npt.h"

#define NPT_ENTRIES   (PAGE_SIZE / sizeof(u64))
#define NPT_ADDR_MASK GENMASK_ULL(51, PAGE_SHIFT)

/*
 * In a leaf, and for software in either format: the host's own mapping lets the frame be
 * written, so that a leaf without the right lacks it by the dirty log alone. A mapping that
 * loses the right loses the leaf.
 */
#define NPT_HOST_WRITABLE BIT_ULL(11)

static inline const struct mvm_npt_format *npt_format(const struct mvm_vm *vm)
{
	return &vm->backend->caps->npt;
}

/* Frames that an entry of a table at @level maps. */
static inline u64 npt_entry_frames(int level)
{
	return 1ULL << (9 * (level - 1));
}

static inline unsigned int npt_index(gfn_t gfn, int level)
{
	return (gfn >> (9 * (level - 1))) & (NPT_ENTRIES - 1);
}

static inline bool npt_present(const struct mvm_npt_format *fmt, u64 entry)
{
	return entry & fmt->read;
}

static inline bool npt_is_leaf(const struct mvm_npt_format *fmt, u64 entry, int level)
{
	return level == NPT_LEVEL_4K || (entry & fmt->large);
}

static inline hpa_t npt_address(const struct mvm_npt_format *fmt, u64 entry)
{
	return entry & NPT_ADDR_MASK & ~fmt->enc_mask;
}

static inline u64 *npt_child(const struct mvm_npt_format *fmt, u64 entry)
{
	return phys_to_virt(npt_address(fmt, entry));
}

#endif
