/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between cpuid_policy.c (what any guest may see) and cpuid.c (what one vCPU sees).
 */
#ifndef MVM_CPUID_H
#define MVM_CPUID_H

#include <asm/processor.h> /* enum cpuid_regs_idx */

#include "mvm.h"

/* A register of an entry, to read or write. */
u32 *mvm_cpuid_reg(struct kvm_cpuid_entry2 *entry, enum cpuid_regs_idx reg);
/* Where CPUID has the X86_FEATURE_* bits of @word; false: nowhere. */
bool mvm_cpuid_word(u32 word, u32 *function, u32 *index, enum cpuid_regs_idx *reg);
/* Physical address bits of a guest that was not told otherwise. */
u32 mvm_cpuid_host_phys_bits(void);

#endif
