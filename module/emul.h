/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of instruction emulation share: emul.c, emul_fetch.c, plain_io.c.
 */
#ifndef MVM_EMUL_H
#define MVM_EMUL_H

#include "insn/emulate.h"
#include "insn/fetch.h"
#include "mvm.h"

/* How many instructions are remembered as decoded, a power of two. */
#define MVM_EMUL_KNOWN 8

/**
 * struct mvm_emul_state - what survives an exit to userspace
 * @log: accesses of the instruction under way
 * @insn: the instruction
 * @rip: where it is; userspace may have put the guest elsewhere meanwhile
 * @linear_rip: the same as a linear address
 * @posted: a write that userspace is told of when the execution is over; .len 0: none
 * @string_io: a string I/O exit: the CPU has checked the port
 * @retry_rip: the last instruction that was left to the CPU, as a linear address
 * @retries: how often in a row
 * @known: decoded before, by a hash of the address; mvm_insn_reread() says whether it still counts
 */
struct mvm_emul_state {
	struct mvm_emul_log log;
	struct mvm_insn insn;
	u64 rip;
	gva_t linear_rip;
	struct mvm_emul_access posted;
	bool string_io;
	gva_t retry_rip;
	unsigned int retries;
	struct mvm_insn_read known[MVM_EMUL_KNOWN];
};

/* An instruction that may leave to userspace begins. */
static inline void mvm_emul_note_rip(struct mvm_emul_state *state, u64 rip, gva_t linear_rip)
{
	state->rip = rip;
	state->linear_rip = linear_rip;
}

/* emul.c */
bool mvm_emul_abandoned(struct mvm_vcpu *vcpu);
/* emul_fetch.c */
u32 mvm_emul_user_access(struct mvm_vcpu *vcpu);
const struct mvm_insn *mvm_emul_peek_insn(struct mvm_vcpu *vcpu);

/* plain_io.c */
bool mvm_kernel_pio(struct mvm_vcpu *vcpu, u16 port, void *buf, unsigned int size, bool write);
bool mvm_kernel_mmio(struct mvm_vcpu *vcpu, gpa_t gpa, void *buf, unsigned int len, bool write);
void mvm_mmio_to_user(struct kvm_run *run, const struct mvm_emul_access *a);

#endif
