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

/* At module load, before everything else here. 0 or -errno. */
int mvm_fpu_module_init(void);
void mvm_fpu_module_exit(void);

/* Allocates the state of a reset processor, and resets guest_pkru. May sleep. */
int mvm_fpu_create(struct mvm_vcpu *vcpu);
void mvm_fpu_destroy(struct mvm_vcpu *vcpu);

/*
 * Load the guest's state; preemption is off until mvm_fpu_leave() has saved it.
 * Between the two: no sleep, no access to user memory, no page fault.
 */
void mvm_fpu_enter(struct mvm_vcpu *vcpu);
void mvm_fpu_leave(struct mvm_vcpu *vcpu);

/* Around each entry, interrupts off from before swap_in to after swap_out. */
void mvm_fpu_swap_in(struct mvm_vcpu *vcpu);
void mvm_fpu_swap_out(struct mvm_vcpu *vcpu);

/* XCR0 bits that a guest may have on this host; 0 = the host runs without XSAVE. */
u64 mvm_fpu_supported_xcr0(void);
/* Size of a standard-format image with these components. */
u32 mvm_fpu_xsave_size(u64 xcr0);

/*
 * Single registers, for the emulator; the state is not loaded. A vector register
 * is 32 bytes: XMM and, above it, what AVX adds. Writing one by a VEX-encoded
 * instruction (@vex) clears whatever is above that; SSE writes 16 bytes. Using an
 * MMX register turns the x87 stack into MMX registers; @buf may be NULL for that alone.
 */
void mvm_fpu_read_vec(struct mvm_vcpu *vcpu, u8 reg, u8 *buf);
void mvm_fpu_write_vec(struct mvm_vcpu *vcpu, u8 reg, const u8 *buf, bool vex);
void mvm_fpu_read_mmx(struct mvm_vcpu *vcpu, u8 reg, u8 *buf);
void mvm_fpu_write_mmx(struct mvm_vcpu *vcpu, u8 reg, const u8 *buf);
/* An unmasked x87 exception waits: what x87 and MMX instructions raise first. */
bool mvm_fpu_exception_waits(struct mvm_vcpu *vcpu);

/* The ioctls' bodies. vcpu->lock held, the state is not loaded. */
void mvm_fpu_get_fpu(struct mvm_vcpu *vcpu, struct kvm_fpu *fpu);
int mvm_fpu_set_fpu(struct mvm_vcpu *vcpu, const struct kvm_fpu *fpu);
void mvm_fpu_get_xsave(struct mvm_vcpu *vcpu, struct kvm_xsave *xsave);
int mvm_fpu_set_xsave(struct mvm_vcpu *vcpu, const struct kvm_xsave *xsave);
int mvm_fpu_get_xcrs(struct mvm_vcpu *vcpu, struct kvm_xcrs *xcrs);
int mvm_fpu_set_xcrs(struct mvm_vcpu *vcpu, const struct kvm_xcrs *xcrs);

#endif
