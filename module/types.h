/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The address and frame types, for kernel and userspace builds alike.
 *
 * The pure parts of the module (instruction decoder and emulator, interrupt
 * controller models, slot arithmetic) include nothing but this header, so that
 * the same files build in userspace for unit tests and fuzzing.
 */
#ifndef MVM_TYPES_H
#define MVM_TYPES_H

#ifdef __KERNEL__
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kvm_types.h> /* gpa_t and its kin: <linux/kvm.h> brings them along from 6.12 on */
#include <linux/string.h>
#include <linux/types.h>
#else
#include "shim.h" /* selftests/include: u8..u64, BIT(), ARRAY_SIZE(), ... */

typedef u64 gpa_t; /* guest physical address */
typedef u64 gva_t; /* guest virtual (linear) address */
typedef u64 hva_t; /* address in the launcher's address space */
typedef u64 hpa_t; /* host physical address */
typedef u64 gfn_t; /* guest frame number: gpa >> 12 */
#endif

#define MVM_NEVER (~(u64)0) /* a moment that does not come */

/* What a memory access wants, or what caused a fault. */
#define MVM_ACCESS_READ	 BIT(0)
#define MVM_ACCESS_WRITE BIT(1)
#define MVM_ACCESS_EXEC	 BIT(2)
#define MVM_ACCESS_USER	 BIT(3) /* by user-mode rights: CPL 3, not an implicit access */
#define MVM_ACCESS_IMPLICIT BIT(4) /* descriptor tables: supervisor rights, SMAP ignores AC */

/* General-purpose registers in the encoding order of the manuals. */
enum mvm_gpr {
	MVM_RAX, MVM_RCX, MVM_RDX, MVM_RBX, MVM_RSP, MVM_RBP, MVM_RSI, MVM_RDI,
	MVM_R8, MVM_R9, MVM_R10, MVM_R11, MVM_R12, MVM_R13, MVM_R14, MVM_R15,
	MVM_NR_GPRS
};

/* Segment registers in the encoding order of the manuals, then the system two. */
enum mvm_segreg {
	MVM_SEG_ES, MVM_SEG_CS, MVM_SEG_SS, MVM_SEG_DS, MVM_SEG_FS, MVM_SEG_GS,
	MVM_SEG_LDTR, MVM_SEG_TR,
	MVM_NR_SEGS
};

/**
 * struct mvm_fault - an exception to be raised in the guest
 * @vector: exception vector
 * @has_error: @error is pushed
 * @error: error code
 * @cr2: faulting linear address, for #PF
 */
struct mvm_fault {
	u8 vector;
	bool has_error;
	u32 error;
	gva_t cr2;
};

#endif
