/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Polling at HLT (halt.c), for the outer loop.
 */
#ifndef MVM_HALT_H
#define MVM_HALT_H

#include "mvm.h"

void mvm_halt_poll(struct mvm_vcpu *vcpu, bool (*woken)(struct mvm_vcpu *vcpu));
void mvm_halt_adapt(struct mvm_vcpu *vcpu, u64 waited);

#endif
