/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM's paravirtual services beside the clock: steal time with preemption hints,
 * EOI without an exit, hypercalls, host-side polling at HLT.
 *
 * The ABI is the kernel's Documentation/virt/kvm/x86 (msr.rst, hypercalls.rst,
 * cpuid.rst). Context: the vCPU's thread everywhere.
 */
#ifndef MVM_PV_H
#define MVM_PV_H

#include "mvm.h"

/* pv.c */
int mvm_pv_msr_read(struct mvm_vcpu *vcpu, u32 index, u64 *data);
int mvm_pv_msr_write(struct mvm_vcpu *vcpu, u32 index, u64 data);
u32 mvm_pv_features(void);
void mvm_pv_hypercall(struct mvm_vcpu *vcpu);
void mvm_pv_hypercall_quick(struct mvm_vcpu *vcpu);
void mvm_pv_yield(struct mvm_vcpu *vcpu);

void __mvm_pv_before_run(struct mvm_vcpu *vcpu);
/**
 * mvm_pv_before_run() - bring the steal time page up to date before the guest runs again
 * @vcpu: the vCPU
 *
 * Takes back the preemption hint; does what another vCPU asked for meanwhile. May sleep.
 */
static inline void mvm_pv_before_run(struct mvm_vcpu *vcpu)
{
	if (unlikely(vcpu->pv.steal_msr))
		__mvm_pv_before_run(vcpu);
}

void mvm_pv_sched_out(struct mvm_vcpu *vcpu);

void __mvm_pv_eoi_offer(struct mvm_vcpu *vcpu);
/**
 * mvm_pv_eoi_offer() - tell the guest that its next EOI needs no exit, where that is so
 * @vcpu: the vCPU
 *
 * Last thing before an entry that looks at the local APIC. Interrupts off.
 */
static inline void mvm_pv_eoi_offer(struct mvm_vcpu *vcpu)
{
	if (unlikely(vcpu->pv.eoi_msr))
		__mvm_pv_eoi_offer(vcpu);
}

bool __mvm_pv_eoi_collect(struct mvm_vcpu *vcpu, bool may_sleep);
/**
 * mvm_pv_eoi_collect() - end the offer: has the guest ended its interrupt in memory?
 * @vcpu: the vCPU
 * @may_sleep: the page may be brought in
 *
 * After each exit, before anything looks at the local APIC. Return: false where
 * the answer needs sleep, and @may_sleep is not set.
 */
static inline bool mvm_pv_eoi_collect(struct mvm_vcpu *vcpu, bool may_sleep)
{
	return likely(!vcpu->pv.eoi_offered) || __mvm_pv_eoi_collect(vcpu, may_sleep);
}

void mvm_pv_vcpu_reset(struct mvm_vcpu *vcpu);

#endif
