// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's instruction: from CS:RIP by way of the guest's page tables, or as the
 * processor has handed it over, to a decoded one; and what is told where that, or its
 * emulation, is not possible.
 */
#include <linux/hash.h>
#include <linux/uaccess.h>

#include <asm/traps.h>

#include "emul.h"
#include "exit.h"
#include "mmu/mmu.h"

static enum mvm_insn_mode insn_mode(struct mvm_vcpu *vcpu)
{
	switch (mvm_cpu_mode(vcpu)) {
	case MVM_MODE_LONG:
		return MVM_INSN_64;
	case MVM_MODE_PROT32:
		return MVM_INSN_32;
	case MVM_MODE_PROT16:
		return MVM_INSN_16;
	default:
		return MVM_INSN_REAL;
	}
}

/**
 * mvm_linear_rip() - RIP as a linear address
 * @vcpu: the vCPU
 *
 * Context: the vCPU's thread; does not sleep.
 * Return: RIP in 64-bit mode, else CS's base and RIP in 32 bits.
 */
gva_t mvm_linear_rip(struct mvm_vcpu *vcpu)
{
	if (mvm_cpu_mode(vcpu) == MVM_MODE_LONG)
		return vcpu->rip;
	return (u32)(vcpu->seg[MVM_SEG_CS].base + vcpu->rip);
}

/* How many bytes CS lets the instruction have. */
static unsigned int bytes_in_limit(struct mvm_vcpu *vcpu)
{
	enum mvm_cpu_mode mode = mvm_cpu_mode(vcpu); /* makes CS and RIP available */
	u32 ip = vcpu->rip, limit = vcpu->seg[MVM_SEG_CS].limit;

	if (mode == MVM_MODE_LONG)
		return MVM_INSN_MAX;
	return ip > limit ? 0 : min_t(u64, (u64)limit - ip + 1, MVM_INSN_MAX);
}

/**
 * mvm_emul_user_access() - the right that the guest's own accesses need
 * @vcpu: the vCPU
 *
 * Return: MVM_ACCESS_USER at CPL 3, else 0.
 */
u32 mvm_emul_user_access(struct mvm_vcpu *vcpu)
{
	return mvm_cpl(vcpu) == 3 ? MVM_ACCESS_USER : 0;
}

static u32 fetch_access(struct mvm_vcpu *vcpu)
{
	return MVM_ACCESS_EXEC | mvm_emul_user_access(vcpu);
}

/* Whose memory an instruction is fetched from, and with which rights. */
struct fetch {
	struct mvm_vcpu *vcpu;
	u32 access;
};

static int fetch_memory(void *priv, gva_t la, void *buf, unsigned int len,
			struct mvm_fault *fault)
{
	const struct fetch *fetch = priv;

	return mvm_gva_read(fetch->vcpu, la, buf, len, fetch->access, fault);
}

/* The instruction at RIP. @at_exit: nobody has changed anything since the exit. */
static void find_insn(struct mvm_vcpu *vcpu, bool at_exit, struct mvm_insn_source *src,
		      struct fetch *fetch)
{
	const struct mvm_exit *exit = &vcpu->exit;

	*src = (struct mvm_insn_source){
		.read = fetch_memory,
		.priv = fetch,
		.given = exit->insn_bytes,
		.nr_given = exit->nr_insn_bytes,
	};
	fetch->vcpu = vcpu;
	/* Where the exit tells, no segment need be looked at. */
	if (at_exit && exit->kind == MVM_EXIT_MEM_FAULT && exit->u.mem.in_64bit) {
		src->la = vcpu->rip;
		src->limit = MVM_INSN_MAX;
		src->mode = MVM_INSN_64;
		fetch->access = MVM_ACCESS_EXEC | (exit->u.mem.cpl == 3 ? MVM_ACCESS_USER : 0);
	} else {
		src->la = mvm_linear_rip(vcpu);
		src->limit = bytes_in_limit(vcpu);
		src->mode = insn_mode(vcpu);
		fetch->access = fetch_access(vcpu);
	}
}

/* As mvm_insn_read(). */
static int read_insn(struct mvm_vcpu *vcpu, struct mvm_insn_read *out)
{
	struct mvm_insn_source src;
	struct fetch fetch;

	find_insn(vcpu, false, &src, &fetch);
	return mvm_insn_read(&src, out);
}

/**
 * mvm_emul_peek_insn() - the instruction that has just exited, as far as it is present
 * @vcpu: the vCPU; nobody has changed its state since the exit
 *
 * Reads user memory with page faults disabled. Context: the inner loop; does not sleep.
 * Return: the instruction, good until the next call; NULL: its bytes or the tables on the way are
 * not present, or they are no instruction.
 */
const struct mvm_insn *mvm_emul_peek_insn(struct mvm_vcpu *vcpu)
{
	struct mvm_insn_source src;
	struct mvm_insn_read *in;
	struct fetch fetch;
	int ret;

	find_insn(vcpu, true, &src, &fetch);
	in = &vcpu->emul->known[hash_64(src.la, ilog2(MVM_EMUL_KNOWN))];
	pagefault_disable();
	ret = mvm_insn_reread(&src, in);
	pagefault_enable();
	return !ret && in->status == MVM_INSN_OK ? &in->insn : NULL;
}

/*
 * The byte at @la cannot be read. Memory that the launcher has taken away may come back,
 * and then the instruction is executed again; code, or the tables that lead to it, where no
 * memory is cannot be emulated.
 */
static int fetch_failed(struct mvm_vcpu *vcpu, gva_t la)
{
	struct mvm_fault fault;
	struct mvm_walk walk;
	gpa_t gpa;
	int ret;

	mvm_walk_init(vcpu, &walk);
	if (mvm_walk_gva(vcpu->vm, &walk, la, fetch_access(vcpu), &gpa, &fault))
		return mvm_emulation_error(vcpu);
	ret = mvm_mmu_fault(vcpu, gpa, MVM_ACCESS_EXEC);
	if (ret == MVM_FAULT_MMIO)
		return mvm_emulation_error(vcpu);
	return ret < 0 ? ret : MVM_RESUME;
}

/**
 * mvm_insn_fetch() - fetch and decode the instruction at CS:RIP
 * @vcpu: the vCPU
 * @insn: the instruction
 *
 * From exit.insn_bytes when there. Context: the outer loop; may sleep.
 * Return: 0; MVM_RESUME: a fault was queued for the guest, or its code was brought in and is to be
 * executed again; MVM_TO_USER with an emulation error; -errno as mvm_mmu_fault().
 */
int mvm_insn_fetch(struct mvm_vcpu *vcpu, struct mvm_insn *insn)
{
	struct mvm_insn_read in;
	int ret = read_insn(vcpu, &in);

	if (ret < 0)
		return fetch_failed(vcpu, mvm_linear_rip(vcpu) + in.n);
	if (ret) {
		mvm_queue_fault(vcpu, &in.fault);
	} else if (in.status == MVM_INSN_OK) {
		*insn = in.insn;
		return 0;
	} else if (in.status == MVM_INSN_UD) {
		mvm_queue_exception(vcpu, X86_TRAP_UD);
	} else {
		mvm_queue_exception_err(vcpu, X86_TRAP_GP, 0);
	}
	return MVM_RESUME;
}

/**
 * mvm_emulation_error() - emulation failed: KVM_EXIT_INTERNAL_ERROR with the instruction's bytes
 * @vcpu: the vCPU
 *
 * The sentence goes to MINIVMM_GET_REASON. Context: the outer loop; may sleep.
 * Return: MVM_TO_USER.
 */
int mvm_emulation_error(struct mvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct mvm_insn_read in = { 0 };
	char access[48] = "";

	mvm_emul_log_reset(&vcpu->emul->log);
	vcpu->emul->posted.len = 0;
	/* As many bytes as can be had; a failure here changes nothing. */
	if (read_insn(vcpu, &in) && !in.n && vcpu->exit.nr_insn_bytes) {
		in.n = min_t(u8, vcpu->exit.nr_insn_bytes, MVM_INSN_MAX);
		memcpy(in.bytes, vcpu->exit.insn_bytes, in.n);
	}

	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
	run->emulation_failure.ndata = 1; /* in units of 8 bytes: the flags */
	run->emulation_failure.flags = 0;
	if (in.n) {
		run->emulation_failure.ndata = 3;
		run->emulation_failure.flags = KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
		run->emulation_failure.insn_size = in.n;
		memcpy(run->emulation_failure.insn_bytes, in.bytes, MVM_INSN_MAX);
	}
	if (vcpu->exit.kind == MVM_EXIT_MEM_FAULT)
		snprintf(access, sizeof(access), ", which accesses %#llx", vcpu->exit.u.mem.gpa);
	mvm_fail(&vcpu->reason, -EIO, "cannot emulate the instruction at %#llx (bytes: %*ph)%s",
		 vcpu->rip, (int)in.n, in.bytes, access);
	return MVM_TO_USER;
}
