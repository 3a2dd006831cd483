// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator's place in the hypervisor: its callbacks, and the exits to userspace
 * that an instruction's accesses cause. emul_fetch.c reads the instruction;
 * plain_io.c has what needs no emulator.
 *
 * Exit handlers call this, from the outer loop, where sleeping is allowed. An
 * access goes to the in-kernel devices first. What they do not know leaves to
 * userspace; vcpu->complete finishes the instruction in the next KVM_RUN, before
 * anything else happens there. The accesses already made are in the emulator's
 * log (insn/emulate.h), which is why an instruction may leave several times.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <asm/cpufeature.h>
#include <asm/fpu/types.h>
#include <asm/processor-flags.h>
#include <asm/traps.h>
#include <uapi/asm/debugreg.h>

#include "emul.h"
#include "exit.h"
#include "fpu.h"
#include "insn/internal.h"
#include "mmu/mmu.h"
#include "vcpu.h"

/*
 * How often in a row the guest may come back with an instruction that it was
 * told to execute itself.
 */
#define MAX_RETRIES 64
/* After this many the emulator makes do without atomicity. */
#define ATOMIC_RETRIES 8

/**
 * mvm_emul_create() - allocate a new vCPU's emulator state
 * @vcpu: the vCPU
 *
 * Context: its creation; may sleep.
 * Return: 0; -ENOMEM.
 */
int mvm_emul_create(struct mvm_vcpu *vcpu)
{
	vcpu->emul = kzalloc(sizeof(*vcpu->emul), GFP_KERNEL_ACCOUNT);
	return vcpu->emul ? 0 : -ENOMEM;
}

/**
 * mvm_emul_destroy() - reverse of mvm_emul_create()
 * @vcpu: the vCPU, which runs nowhere
 */
void mvm_emul_destroy(struct mvm_vcpu *vcpu)
{
	kfree(vcpu->emul);
	vcpu->emul = NULL;
}

/* ------------------------------------------------- the emulator's callbacks */

/* One call of the emulator; @walk is the guest's paging while it lasts. */
struct emul_call {
	struct mvm_vcpu *vcpu;
	struct mvm_walk walk;
	u32 user;
	bool may_post;
};

static int emul_translate(void *priv, gva_t la, u32 access, gpa_t *gpa, struct mvm_fault *fault)
{
	struct emul_call *call = priv;

	return mvm_walk_gva(call->vcpu->vm, &call->walk, la, access | call->user, gpa, fault);
}

static bool emul_ram(void *priv, gpa_t gpa, void *buf, unsigned int len, bool write)
{
	struct emul_call *call = priv;
	struct mvm_vm *vm = call->vcpu->vm;

	return !(write ? mvm_gpa_write(vm, gpa, buf, len) : mvm_gpa_read(vm, gpa, buf, len));
}

static enum mvm_emul_atomic emul_cmpxchg(void *priv, gpa_t gpa, u64 old, u64 new,
					 unsigned int len)
{
	struct emul_call *call = priv;

	switch (mvm_gpa_cmpxchg(call->vcpu->vm, gpa, old, new, len)) {
	case 0:
		return MVM_ATOMIC_DONE;
	case 1:
		return MVM_ATOMIC_LOST;
	case -EINVAL:
		return MVM_ATOMIC_CANNOT;
	default:
		return MVM_ATOMIC_NONE;
	}
}

static bool emul_mmio(void *priv, gpa_t gpa, void *buf, unsigned int len, bool write)
{
	struct emul_call *call = priv;

	return mvm_kernel_mmio(call->vcpu, gpa, buf, len, write);
}

/*
 * One a call: most instructions write last, and then userspace's part needs no second
 * execution. Pieces of one operand have no order; the next iteration waits.
 */
static bool emul_post(void *priv, gpa_t gpa, const void *buf, unsigned int len)
{
	struct emul_call *call = priv;
	struct mvm_emul_access *posted = &call->vcpu->emul->posted;

	if (!call->may_post || posted->len)
		return false;
	*posted = (struct mvm_emul_access){ .gpa = gpa, .len = len, .write = true };
	memcpy(posted->data, buf, len);
	return true;
}

static bool emul_pio(void *priv, u16 port, void *buf, unsigned int size, bool write)
{
	struct emul_call *call = priv;

	return mvm_kernel_pio(call->vcpu, port, buf, size, write);
}

static void emul_segment(void *priv, unsigned int seg, struct mvm_emul_seg *out)
{
	struct emul_call *call = priv;
	const struct kvm_segment *s = &call->vcpu->seg[seg];

	mvm_state_get(call->vcpu, MVM_STATE_CS | MVM_STATE_SEG);
	*out = (struct mvm_emul_seg){
		.base = s->base,
		.limit = s->limit,
		.selector = s->selector,
		.type = s->type,
		.usable = s->present && !s->unusable,
		.db = s->db,
	};
}

/* What #UD, #NM and #MF depend on, in the order in which they are looked at. */
static u8 emul_vec_check(void *priv, enum mvm_emul_file file)
{
	const u64 avx = XFEATURE_MASK_SSE | XFEATURE_MASK_YMM;
	struct mvm_vcpu *vcpu = ((struct emul_call *)priv)->vcpu;

	if (file == MVM_FILE_AVX) {
		if (!(vcpu->cr4 & X86_CR4_OSXSAVE) || (vcpu->xcr0 & avx) != avx)
			return X86_TRAP_UD;
	} else if ((vcpu->cr0 & X86_CR0_EM) ||
		   (file == MVM_FILE_SSE && !(vcpu->cr4 & X86_CR4_OSFXSR))) {
		return X86_TRAP_UD;
	}
	if (vcpu->cr0 & X86_CR0_TS)
		return X86_TRAP_NM;
	if (file == MVM_FILE_MMX && mvm_fpu_exception_waits(vcpu))
		return X86_TRAP_MF;
	return MVM_EMUL_NO_VECTOR;
}

static void emul_vec_read(void *priv, enum mvm_emul_file file, u8 reg, u8 *buf)
{
	struct emul_call *call = priv;

	if (file == MVM_FILE_MMX)
		mvm_fpu_read_mmx(call->vcpu, reg, buf);
	else
		mvm_fpu_read_vec(call->vcpu, reg, buf);
}

static void emul_vec_write(void *priv, enum mvm_emul_file file, u8 reg, const u8 *buf)
{
	struct emul_call *call = priv;

	if (file == MVM_FILE_MMX)
		mvm_fpu_write_mmx(call->vcpu, reg, buf);
	else
		mvm_fpu_write_vec(call->vcpu, reg, buf, file == MVM_FILE_AVX);
}

/* The boundary between two iterations is one for interrupts, too. */
static bool emul_should_stop(void *priv)
{
	struct mvm_vcpu *vcpu = ((struct emul_call *)priv)->vcpu;

	return vcpu->emul->posted.len || signal_pending(current) || need_resched() ||
	       atomic_long_read(&vcpu->requests) & ~BIT(MVM_REQ_UNHALT) || vcpu->int_shadow ||
	       READ_ONCE(vcpu->run->mvm_immediate_exit) ||
	       (vcpu->events.user_irq >= 0 && mvm_interrupt_allowed(vcpu));
}

static const struct mvm_emul_ops emul_ops = {
	.translate = emul_translate,
	.ram = emul_ram,
	.exchange = emul_cmpxchg,
	.mmio = emul_mmio,
	.post = emul_post,
	.pio = emul_pio,
	.segment = emul_segment,
	.vec_check = emul_vec_check,
	.vec_read = emul_vec_read,
	.vec_write = emul_vec_write,
	.should_stop = emul_should_stop,
};

/* ---------------------------------------------------------------- executing */

static int emul_complete(struct mvm_vcpu *vcpu);

/* Tell userspace which access to make. */
static int emul_to_user(struct mvm_vcpu *vcpu)
{
	const struct mvm_emul_log *log = &vcpu->emul->log;
	struct kvm_run *run = vcpu->run;

	if (log->pending == MVM_PENDING_PIO) {
		run->exit_reason = KVM_EXIT_IO;
		run->io.direction = log->pio.in ? KVM_EXIT_IO_IN : KVM_EXIT_IO_OUT;
		run->io.size = log->pio.size;
		run->io.port = log->pio.port;
		run->io.count = log->pio.count;
		run->io.data_offset = KVM_PIO_PAGE_OFFSET * PAGE_SIZE;
	} else {
		mvm_mmio_to_user(run, &log->access[log->nr]);
	}
	vcpu->complete = emul_complete;
	return MVM_TO_USER;
}

/**
 * mvm_emul_abandoned() - has a reset, or a debugger, taken the vCPU elsewhere meanwhile?
 * @vcpu: the vCPU, back from userspace; mvm_emul_note_rip() tells where it was
 *
 * Context: the vCPU's thread, from vcpu->complete.
 * Return: true: there is nothing to finish, the accesses' log is empty.
 */
bool mvm_emul_abandoned(struct mvm_vcpu *vcpu)
{
	struct mvm_emul_state *state = vcpu->emul;

	if (likely(vcpu->rip == state->rip && !(vcpu->dirty & (MVM_STATE_CS | MVM_STATE_CR))))
		return false;
	if (mvm_linear_rip(vcpu) == state->linear_rip)
		return false;
	mvm_emul_log_reset(&state->log);
	return true;
}

/* Userspace has made the posted write; now what the instruction broke off at, if it did. */
static int emul_posted(struct mvm_vcpu *vcpu)
{
	if (likely(!vcpu->emul->log.pending) || mvm_emul_abandoned(vcpu))
		return MVM_RESUME;
	return emul_to_user(vcpu);
}

/* The emulator declined: the CPU will do it, unless it keeps coming back. */
static int emul_retry(struct mvm_vcpu *vcpu)
{
	struct mvm_emul_state *state = vcpu->emul;

	if (state->retry_rip != state->linear_rip)
		state->retries = 0;
	state->retry_rip = state->linear_rip;
	if (++state->retries > MAX_RETRIES) {
		state->retries = 0;
		return mvm_emulation_error(vcpu);
	}
	return MVM_RESUME;
}

static int emul_result(struct mvm_vcpu *vcpu, enum mvm_emul_result result,
		       const struct mvm_emul *e)
{
	if (result != MVM_EMUL_RETRY)
		vcpu->emul->retries = 0;
	switch (result) {
	case MVM_EMUL_DONE:
		mvm_skip_insn_len(vcpu, vcpu->emul->insn.len);
		if (e->jumped)
			vcpu->rip = e->target;
		return MVM_RESUME;
	case MVM_EMUL_AGAIN:
		/* Each iteration is a boundary for interrupts and single steps. */
		vcpu->int_shadow = 0;
		mvm_insn_ended(vcpu);
		return MVM_RESUME;
	case MVM_EMUL_USER:
		return emul_to_user(vcpu);
	case MVM_EMUL_FAULT:
		mvm_queue_fault(vcpu, &e->fault);
		return MVM_RESUME;
	case MVM_EMUL_RETRY:
		return emul_retry(vcpu);
	default:
		return mvm_emulation_error(vcpu);
	}
}

/* One execution of vcpu->emul->insn: its registers, its paging. */
static void emul_setup(struct mvm_vcpu *vcpu, struct emul_call *call, struct mvm_emul *e)
{
	struct mvm_emul_state *state = vcpu->emul;
	enum mvm_cpu_mode mode = mvm_cpu_mode(vcpu);

	mvm_state_modify(vcpu, MVM_STATE_RIP);
	mvm_state_get(vcpu, MVM_STATE_CS | MVM_STATE_CR);
	*call = (struct emul_call){ .vcpu = vcpu, .user = mvm_emul_user_access(vcpu) };
	mvm_walk_init(vcpu, &call->walk);
	*e = (struct mvm_emul){
		.ops = &emul_ops,
		.priv = call,
		.insn = &state->insn,
		.log = &state->log,
		.io_buf = vcpu->pio_page,
		.io_buf_size = PAGE_SIZE,
		.gpr = vcpu->gpr,
		.rflags = &vcpu->rflags,
		.io_checked = state->string_io,
		.has_tzcnt = boot_cpu_has(X86_FEATURE_BMI1),
		.has_lzcnt = boot_cpu_has(X86_FEATURE_ABM),
		.protected = mode != MVM_MODE_REAL && mode != MVM_MODE_VM86,
		.rip = vcpu->rip,
		.la_bits = vcpu->cr4 & X86_CR4_LA57 ? 57 : 48,
		.single_step = (vcpu->rflags & X86_EFLAGS_TF) || mvm_is_stepped(vcpu),
		.align_check = call->user && (vcpu->cr0 & X86_CR0_AM) &&
			       (vcpu->rflags & X86_EFLAGS_AC),
		.last_try = state->retry_rip == state->linear_rip &&
			    state->retries >= ATOMIC_RETRIES,
	};
}

/* Execute vcpu->emul->insn, or go on with it. */
static int emul_execute(struct mvm_vcpu *vcpu)
{
	struct mvm_emul_access *posted = &vcpu->emul->posted;
	enum mvm_emul_result result;
	struct emul_call call;
	struct mvm_emul e;
	int ret;

	emul_setup(vcpu, &call, &e);
	call.may_post = true;
	result = mvm_emul_run(&e);
	ret = emul_result(vcpu, result, &e);
	if (!posted->len)
		return ret;
	mvm_mmio_to_user(vcpu->run, posted);
	posted->len = 0;
	vcpu->complete = emul_posted;
	return MVM_TO_USER;
}

/* The next KVM_RUN: userspace has made the access. */
static int emul_complete(struct mvm_vcpu *vcpu)
{
	struct mvm_emul_state *state = vcpu->emul;
	u8 data[sizeof(vcpu->run->mmio.data)];

	if (mvm_emul_abandoned(vcpu))
		return MVM_RESUME;
	memcpy(data, vcpu->run->mmio.data, sizeof(data));
	mvm_emul_log_answer(&state->log, data);
	return emul_execute(vcpu);
}

/* Start with an empty log. */
static void emul_begin(struct mvm_vcpu *vcpu, bool string_io)
{
	struct mvm_emul_state *state = vcpu->emul;

	mvm_emul_log_reset(&state->log);
	mvm_emul_note_rip(state, vcpu->rip, mvm_linear_rip(vcpu));
	state->string_io = string_io;
}

/**
 * mvm_emulate_mmio() - emulate the instruction at RIP, which touched exit.u.mem.gpa outside memory
 * @vcpu: whose exit
 *
 * Routes each access to the in-kernel devices, else to userspace (KVM_EXIT_MMIO).
 * Context: the outer loop; may sleep.
 * Return: MVM_RESUME: done, or a fault was queued; MVM_TO_USER: an access to make, or an emulation
 * error; -errno as mvm_insn_fetch().
 */
int mvm_emulate_mmio(struct mvm_vcpu *vcpu)
{
	int ret;

	emul_begin(vcpu, false);
	ret = mvm_insn_fetch(vcpu, &vcpu->emul->insn);
	return ret ? ret : emul_execute(vcpu);
}

/**
 * mvm_emulate_string_io() - a string I/O exit: vcpu->exit.u.io, string
 * @vcpu: whose exit
 *
 * To userspace as KVM_EXIT_IO with a count. Context: the outer loop; may sleep.
 * Return: as mvm_emulate_mmio(); MVM_RESUME also where another instruction is there by now.
 */
int mvm_emulate_string_io(struct mvm_vcpu *vcpu)
{
	const struct mvm_exit *exit = &vcpu->exit;
	const struct mvm_insn *insn = &vcpu->emul->insn;
	int ret;

	emul_begin(vcpu, true);
	ret = mvm_insn_fetch(vcpu, &vcpu->emul->insn);
	if (ret)
		return ret;
	/* Another vCPU wrote over the instruction: execute what is there now. */
	if (insn->op != (exit->u.io.in ? MVM_OP_INS : MVM_OP_OUTS) ||
	    insn->opnd[insn->op == MVM_OP_OUTS].size != exit->u.io.size)
		return emul_retry(vcpu);
	return emul_execute(vcpu);
}

/**
 * mvm_emulate_word() - read or write the 16-bit memory operand of an instruction that
 * its exit's handler executes itself
 * @vcpu: whose exit
 * @insn: the instruction, with a memory operand
 * @val: the operand
 * @write: which of the two
 *
 * Return: 0, or what the handler is to answer: a fault was queued, or the operand is
 * where only userspace could reach it.
 */
int mvm_emulate_word(struct mvm_vcpu *vcpu, const struct mvm_insn *insn, u16 *val, bool write)
{
	struct mvm_emul_state *state = vcpu->emul;
	u64 data = write ? *val : 0;
	struct emul_call call;
	struct mvm_emul e;
	int ret;

	emul_begin(vcpu, false);
	state->insn = *insn;
	emul_setup(vcpu, &call, &e);
	ret = mvm_emul_mem(&e, insn->mem.seg, mvm_emul_ea(&e), &data, sizeof(*val),
			   write ? MVM_ACCESS_WRITE : MVM_ACCESS_READ, write);
	mvm_emul_log_reset(&state->log);
	if (ret == MVM_EMUL_FAULT) {
		mvm_queue_fault(vcpu, &e.fault);
		return MVM_RESUME;
	}
	if (ret)
		return mvm_emulation_error(vcpu);
	*val = data;
	return 0;
}
