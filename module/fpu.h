/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest FPU and extended state: x87, SSE, AVX, AVX-512, XCR0 and PKRU.
 *
 * The vCPU's state lives in an own buffer in XSAVE's standard format (or
 * FXSAVE's where the host runs without XSAVE), and in the registers only
 * between mvm_fpu_enter() and mvm_fpu_leave(). XCR0 and PKRU are the guest's
 * only between mvm_fpu_swap_in() and mvm_fpu_swap_out().
 */
#ifndef MVM_FPU_H
#define MVM_FPU_H

#include "mvm.h"

/* fpu.c, all of it. */
int mvm_fpu_module_init(void);
void mvm_fpu_module_exit(void);

int mvm_fpu_create(struct mvm_vcpu *vcpu);
void mvm_fpu_destroy(struct mvm_vcpu *vcpu);

/*
 * Between the two: no sleep, and no page fault. User memory is read and written with page faults
 * disabled alone (an instruction's bytes, the paravirtual EOI's byte); its pages are looked up
 * by get_user_pages_fast_only(), which takes none either.
 */
void mvm_fpu_enter(struct mvm_vcpu *vcpu);
void mvm_fpu_leave(struct mvm_vcpu *vcpu);

/* Around each entry, interrupts off from before swap_in to after swap_out. */
void mvm_fpu_swap_in(struct mvm_vcpu *vcpu);
void mvm_fpu_swap_out(struct mvm_vcpu *vcpu);

u64 mvm_fpu_supported_xcr0(void);
u32 mvm_fpu_xsave_size(u64 xcr0);

/* Single registers, for the emulator; the state is not loaded. */
void mvm_fpu_read_vec(struct mvm_vcpu *vcpu, u8 reg, u8 *buf);
void mvm_fpu_write_vec(struct mvm_vcpu *vcpu, u8 reg, const u8 *buf, bool vex);
void mvm_fpu_read_mmx(struct mvm_vcpu *vcpu, u8 reg, u8 *buf);
void mvm_fpu_write_mmx(struct mvm_vcpu *vcpu, u8 reg, const u8 *buf);
bool mvm_fpu_exception_waits(struct mvm_vcpu *vcpu);

/* The ioctls' bodies. vcpu->lock held, the state is not loaded. */
void mvm_fpu_get_fpu(struct mvm_vcpu *vcpu, struct kvm_fpu *fpu);
int mvm_fpu_set_fpu(struct mvm_vcpu *vcpu, const struct kvm_fpu *fpu);
void mvm_fpu_get_xsave(struct mvm_vcpu *vcpu, struct kvm_xsave *xsave);
int mvm_fpu_set_xsave(struct mvm_vcpu *vcpu, const struct kvm_xsave *xsave);
int mvm_fpu_get_xcrs(struct mvm_vcpu *vcpu, struct kvm_xcrs *xcrs);
int mvm_fpu_set_xcrs(struct mvm_vcpu *vcpu, const struct kvm_xcrs *xcrs);

#endif
