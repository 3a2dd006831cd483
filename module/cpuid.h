/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between cpuid_policy.c (what any guest may see) and cpuid.c (what one vCPU sees).
 */
#ifndef MVM_CPUID_H
#define MVM_CPUID_H

#include <asm/processor.h> /* enum cpuid_regs_idx */

#include "mvm.h"

/* cpuid_policy.c */
u32 *mvm_cpuid_reg(struct kvm_cpuid_entry2 *entry, enum cpuid_regs_idx reg);
bool mvm_cpuid_word(u32 word, u32 *function, u32 *index, enum cpuid_regs_idx *reg);
u32 mvm_cpuid_host_phys_bits(void);

#endif
