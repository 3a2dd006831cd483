/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an exit's handler answers, and the parts of exit handling that emul.c,
 * msr.c and the loops share.
 */
#ifndef MVM_EXIT_H
#define MVM_EXIT_H

#include "mvm.h"

/*
 * A handler's answer: enter again, leave to userspace (kvm_run is filled), do
 * this once more from the outer loop where sleeping is allowed; or -errno. None is
 * zero: helpers answer 0 for "go on", else what their caller is to answer.
 */
enum mvm_exit_answer { MVM_RESUME = 1, MVM_TO_USER = 2, MVM_SLEEP = 3 };

/* What WRMSR writes: EDX:EAX. */
static inline u64 mvm_wrmsr_value(const struct mvm_vcpu *vcpu)
{
	return (u32)vcpu->gpr[MVM_RAX] | (vcpu->gpr[MVM_RDX] << 32);
}

int __mvm_exit_fast(struct mvm_vcpu *vcpu);
/* The exit's handler that must not sleep (inner loop), then the one that may (outer loop). */
static inline int mvm_exit_fast(struct mvm_vcpu *vcpu)
{
	/* The host's interrupt has been taken: there is no more to most exits. */
	if (vcpu->exit.done || vcpu->exit.kind == MVM_EXIT_INTERRUPT)
		return MVM_RESUME;
	return __mvm_exit_fast(vcpu);
}

int mvm_exit_slow(struct mvm_vcpu *vcpu);
const char *mvm_exit_name(enum mvm_exit_kind kind);

/* emul*.c, plain_io.c: what a handler answers, where not void. */
int mvm_emulate_mmio(struct mvm_vcpu *vcpu);
int mvm_plain_move(struct mvm_vcpu *vcpu);
int mvm_emulate_string_io(struct mvm_vcpu *vcpu);
int mvm_emulate_io(struct mvm_vcpu *vcpu);
int mvm_insn_fetch(struct mvm_vcpu *vcpu, struct mvm_insn *insn);
int mvm_emulate_word(struct mvm_vcpu *vcpu, const struct mvm_insn *insn, u16 *val, bool write);
int mvm_emulation_error(struct mvm_vcpu *vcpu);
gva_t mvm_linear_rip(struct mvm_vcpu *vcpu);
int mvm_emul_create(struct mvm_vcpu *vcpu);
void mvm_emul_destroy(struct mvm_vcpu *vcpu);

/* msr.c: the guest's RDMSR and WRMSR (0, or 1 = #GP) and the ioctls' (host = true). */
int mvm_msr_read(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host);
int mvm_msr_write(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host);
bool mvm_msr_read_quick(struct mvm_vcpu *vcpu, u32 index, u64 *data);
bool mvm_msr_write_quick(struct mvm_vcpu *vcpu, u32 index, u64 data);
u32 mvm_msr_index_list(u32 *indices, u32 max);
int mvm_msr_vcpu_create(struct mvm_vcpu *vcpu);
void mvm_msr_vcpu_destroy(struct mvm_vcpu *vcpu);
void mvm_msr_vcpu_reset(struct mvm_vcpu *vcpu);

/* mce.c: the machine-check banks. The MSRs: 0, or 1 = #GP. */
u64 mvm_mce_supported(void);
int mvm_mce_create(struct mvm_vcpu *vcpu);
void mvm_mce_destroy(struct mvm_vcpu *vcpu);
void mvm_mce_reset(struct mvm_vcpu *vcpu);
int mvm_mce_setup(struct mvm_vcpu *vcpu, u64 cap);
int mvm_mce_inject(struct mvm_vcpu *vcpu, const struct kvm_x86_mce *mce);
int mvm_mce_msr_read(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host);
int mvm_mce_msr_write(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host, bool any_status);

/* cpuid.c */
/* KVM_GET_SUPPORTED_CPUID: the whole list, to be freed by kvfree(); the count or -errno. */
int mvm_cpuid_supported(struct kvm_cpuid_entry2 **entries);
/* KVM_SET_CPUID2: takes over @entries (kvmalloc); -EINVAL: another table after a run. */
int mvm_cpuid_set(struct mvm_vcpu *vcpu, struct kvm_cpuid_entry2 *entries, int n);
/* The guest's CPUID: the table, the rules for leaves beyond it, and the dynamic bits. */
void mvm_cpuid_exec(struct mvm_vcpu *vcpu);

/* clock.c: guest TSC and the paravirtual clock. */
void mvm_clock_vm_init(struct mvm_vm *vm);
void mvm_clock_vcpu_init(struct mvm_vcpu *vcpu);
void mvm_clock_load(struct mvm_vcpu *vcpu); /* on another CPU than before */
void mvm_clock_put(struct mvm_vcpu *vcpu);
void mvm_clock_host_slept(struct mvm_vcpu *vcpu); /* before mvm_clock_load() */
u64 mvm_clock_read_tsc(struct mvm_vcpu *vcpu);
void mvm_clock_move_tsc(struct mvm_vcpu *vcpu, u64 delta);
void mvm_clock_sync_tsc(struct mvm_vcpu *vcpu, u64 tsc);
/* System time and wall clock MSRs: 0, or 1 = #GP. May sleep. */
int mvm_clock_msr_write(struct mvm_vcpu *vcpu, u32 index, u64 data);
int mvm_clock_msr_read(struct mvm_vcpu *vcpu, u32 index, u64 *data);
/* MVM_REQ_CLOCK, before entry. May sleep. */
void mvm_clock_update(struct mvm_vcpu *vcpu);
int mvm_clock_stopped(struct mvm_vcpu *vcpu);
#define MVM_CLOCK_FLAGS (KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC)
int mvm_clock_get(struct mvm_vm *vm, struct kvm_clock_data *data);
int mvm_clock_set(struct mvm_vm *vm, const struct kvm_clock_data *data);

#endif
