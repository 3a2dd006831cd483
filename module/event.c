// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exceptions, NMIs and interrupts on their way into the guest: what is pending, in
 * what order it goes in, and what an exit during delivery sends round again.
 *
 * Two stages: pending (raised, decided here) and injected (handed to the
 * hardware; after the exit it is delivered unless the exit says otherwise). The
 * backend only delivers. The order is that of the manuals' "Priority Among
 * Concurrent Events": what was broken off first, then exceptions, NMI, interrupts.
 */
#include <asm/processor-flags.h>
#include <uapi/asm/debugreg.h>
#include <asm/traps.h>

#include "backend.h"
#include "exit.h"
#include "irqchip/irqchip.h"
#include "vcpu.h"

/* ----------------------------------------------------------- raising events */

/* Benign, contributory, page fault: the classes behind double faults. */
enum fault_class { CLASS_BENIGN, CLASS_CONTRIBUTORY, CLASS_PAGE_FAULT };

static enum fault_class fault_class(u8 vector)
{
	switch (vector) {
	case X86_TRAP_PF:
		return CLASS_PAGE_FAULT;
	case X86_TRAP_DE:
	case X86_TRAP_TS:
	case X86_TRAP_NP:
	case X86_TRAP_SS:
	case X86_TRAP_GP:
		return CLASS_CONTRIBUTORY;
	default:
		return CLASS_BENIGN;
	}
}

/* Faults resume at the instruction and push RF; traps and aborts do not. */
static bool is_fault_class(u8 vector)
{
	return vector != X86_TRAP_DB && vector != X86_TRAP_BP && vector != X86_TRAP_OF &&
	       vector != X86_TRAP_DF && vector != X86_TRAP_MC;
}

static void set_exception(struct mvm_vcpu *vcpu, u8 vector, bool has_error, u32 error)
{
	vcpu->events.exception.pending = true;
	vcpu->events.exception.injected = false;
	vcpu->events.exception.ev = (struct mvm_event){
		.type = MVM_EVENT_EXCEPTION,
		.vector = vector,
		.has_error = has_error,
		.error = error,
	};
	vcpu->events.exception.has_payload = false;
}

/* One more exception, perhaps while another is on its way: double and triple faults. */
static void raise(struct mvm_vcpu *vcpu, u8 vector, bool has_error, u32 error)
{
	enum fault_class first, second = fault_class(vector);
	u8 old;

	/* Real mode pushes no error codes. */
	mvm_state_get(vcpu, MVM_STATE_CR);
	if (!(vcpu->cr0 & X86_CR0_PE))
		has_error = false;
	if (!vcpu->events.exception.pending && !vcpu->events.exception.injected) {
		set_exception(vcpu, vector, has_error, error);
		return;
	}
	old = vcpu->events.exception.ev.vector;
	if (old == X86_TRAP_DF) {
		vcpu->events.exception.pending = false;
		vcpu->events.exception.injected = false;
		mvm_vcpu_set_request(vcpu, MVM_REQ_TRIPLE_FAULT);
		return;
	}
	first = fault_class(old);
	if ((first == CLASS_CONTRIBUTORY && second == CLASS_CONTRIBUTORY) ||
	    (first == CLASS_PAGE_FAULT && second != CLASS_BENIGN))
		set_exception(vcpu, X86_TRAP_DF, vcpu->cr0 & X86_CR0_PE, 0);
	else
		set_exception(vcpu, vector, has_error, error);
}

/**
 * mvm_queue_exception() - raise an exception that has no error code
 * @vcpu: whose guest
 * @vector: exception vector
 *
 * It goes in at the next entry. Where one is on its way already the two become a #DF, or the new
 * one takes its place ("Conditions for Generating a Double Fault"); behind a #DF it is a triple
 * fault: MVM_REQ_TRIPLE_FAULT. Context: the vCPU's thread; does not sleep.
 */
void mvm_queue_exception(struct mvm_vcpu *vcpu, u8 vector)
{
	raise(vcpu, vector, false, 0);
}

/**
 * mvm_queue_exception_err() - the same for an exception with an error code
 * @vcpu: whose guest
 * @vector: exception vector
 * @error: what it pushes; left out in real mode, which pushes none
 *
 * Context: the vCPU's thread; does not sleep.
 */
void mvm_queue_exception_err(struct mvm_vcpu *vcpu, u8 vector, u32 error)
{
	raise(vcpu, vector, true, error);
}

/* The payload goes into CR2 or DR6 when the exception goes in, not before. */
static void set_payload(struct mvm_vcpu *vcpu, u8 vector, u64 payload)
{
	if (!vcpu->events.exception.pending || vcpu->events.exception.ev.vector != vector)
		return;
	vcpu->events.exception.payload = payload;
	vcpu->events.exception.has_payload = true;
}

/**
 * mvm_queue_page_fault() - raise #PF
 * @vcpu: whose guest
 * @cr2: the faulting linear address; in CR2 from when the exception goes in
 * @error: error code
 *
 * CR2 stays as it is where this makes a double fault. Context: the vCPU's thread; does not sleep.
 */
void mvm_queue_page_fault(struct mvm_vcpu *vcpu, gva_t cr2, u32 error)
{
	raise(vcpu, X86_TRAP_PF, true, error);
	set_payload(vcpu, X86_TRAP_PF, cr2);
}

/**
 * mvm_queue_debug() - raise #DB
 * @vcpu: whose guest
 * @dr6_bits: its causes, as in exit.u.exc.payload
 *
 * When it goes in they are set in DR6, whose B0 to B3 are cleared before, and DR7.GD is cleared.
 * Context: the vCPU's thread; does not sleep.
 */
void mvm_queue_debug(struct mvm_vcpu *vcpu, u64 dr6_bits)
{
	raise(vcpu, X86_TRAP_DB, false, 0);
	set_payload(vcpu, X86_TRAP_DB, dr6_bits);
}

/**
 * mvm_queue_breakpoint() - raise the #BP of the INT3 at RIP
 * @vcpu: whose guest
 *
 * INT3 pushes the address behind it: a software exception, with its length of one byte.
 * Context: the vCPU's thread; does not sleep.
 */
void mvm_queue_breakpoint(struct mvm_vcpu *vcpu)
{
	raise(vcpu, X86_TRAP_BP, false, 0);
	if (vcpu->events.exception.ev.vector != X86_TRAP_BP)
		return;
	vcpu->events.exception.ev.type = MVM_EVENT_SOFT_EXC;
	vcpu->events.exception.ev.insn_len = 1;
}

/**
 * mvm_queue_fault() - raise what an emulated instruction, or its fetch, has met
 * @vcpu: whose guest
 * @fault: vector, error code, and CR2 for #PF
 *
 * Context: the vCPU's thread; does not sleep.
 */
void mvm_queue_fault(struct mvm_vcpu *vcpu, const struct mvm_fault *fault)
{
	raise(vcpu, fault->vector, fault->has_error, fault->error);
	if (fault->vector == X86_TRAP_PF)
		set_payload(vcpu, X86_TRAP_PF, fault->cr2);
}

/**
 * mvm_queue_nmi() - an NMI for the guest
 * @vcpu: whose guest
 *
 * The processor latches one while one is in service: more are lost when the vCPU's thread collects
 * them. Wakes the vCPU, or forces it out of the guest. Context: any.
 */
void mvm_queue_nmi(struct mvm_vcpu *vcpu)
{
	atomic_inc(&vcpu->nmi_queued);
	mvm_vcpu_request(vcpu, MVM_REQ_EVENT);
}

/**
 * mvm_user_interrupt() - KVM_INTERRUPT: an external interrupt from a userspace controller
 * @vcpu: the vCPU
 * @irq: its vector
 *
 * Context: vcpu->lock held.
 * Return: 0; -EINVAL: no vector, beyond 255; -ENXIO: the 8259 is in the kernel; -EEXIST: one is
 * queued and has not gone in yet.
 */
int mvm_user_interrupt(struct mvm_vcpu *vcpu, u32 irq)
{
	if (irq > 255)
		return -EINVAL;
	if (mvm_pic_in_kernel(vcpu->vm))
		return -ENXIO;
	if (vcpu->events.user_irq >= 0)
		return -EEXIST;
	vcpu->events.user_irq = irq;
	return 0;
}

/* ------------------------------------------------------------ may it go in? */

static bool is_delivering(const struct mvm_vcpu *vcpu)
{
	return vcpu->events.exception.injected || vcpu->events.interrupt.injected ||
	       vcpu->events.nmi.injected;
}

/**
 * mvm_interrupt_allowed() - may an external interrupt go in now?
 * @vcpu: the vCPU
 *
 * Context: the vCPU's thread; does not sleep, interrupts on or off.
 * Return: true: RFLAGS.IF is set, no shadow holds it back and nothing else is being delivered.
 */
bool mvm_interrupt_allowed(struct mvm_vcpu *vcpu)
{
	mvm_state_get(vcpu, MVM_STATE_RIP);
	return (vcpu->rflags & X86_EFLAGS_IF) && !vcpu->int_shadow && !is_delivering(vcpu);
}

/**
 * mvm_nmi_allowed() - may an NMI go in now?
 * @vcpu: the vCPU
 *
 * Context: the vCPU's thread; does not sleep, interrupts on or off.
 * Return: true: none is in service, there is no shadow and nothing else is being delivered.
 */
bool mvm_nmi_allowed(struct mvm_vcpu *vcpu)
{
	mvm_state_get(vcpu, MVM_STATE_RIP);
	return !vcpu->events.nmi.masked && !vcpu->int_shadow && !is_delivering(vcpu);
}

/* NMIs from other contexts; the processor latches one while one is in service. */
static void collect_nmis(struct mvm_vcpu *vcpu)
{
	u32 n, limit = vcpu->events.nmi.masked || vcpu->events.nmi.injected ? 1 : 2;

	if (likely(!atomic_read(&vcpu->nmi_queued)))
		return;
	n = vcpu->events.nmi.pending + atomic_xchg(&vcpu->nmi_queued, 0);
	vcpu->events.nmi.pending = min(n, limit);
}

/* Would the vCPU's interrupt input listen to an 8259 outside the kernel? */
static bool takes_user_irq(struct mvm_vcpu *vcpu)
{
	return !vcpu->lapic || mvm_lapic_takes_extint(vcpu);
}

/* The vector that userspace's controller offers and the vCPU listens to, or -1. */
static int offered_irq(struct mvm_vcpu *vcpu)
{
	return vcpu->events.user_irq >= 0 && takes_user_irq(vcpu) ? vcpu->events.user_irq : -1;
}

/* A quick look, for each entry: false is sure, as what comes now ends in a request. */
static bool irq_may_wait(struct mvm_vcpu *vcpu)
{
	return vcpu->events.user_irq >= 0 || mvm_irq_requested(vcpu);
}

static bool irq_waits(struct mvm_vcpu *vcpu)
{
	return irq_may_wait(vcpu) && (offered_irq(vcpu) >= 0 || mvm_irq_pending(vcpu) >= 0);
}

/**
 * mvm_events_wait() - is there an NMI or an interrupt for the guest?
 * @vcpu: the vCPU
 *
 * Context: the vCPU's thread; does not sleep, interrupts on or off.
 * Return: true: there is, whether or not it may go in now.
 */
bool mvm_events_wait(struct mvm_vcpu *vcpu)
{
	return atomic_read(&vcpu->nmi_queued) || vcpu->events.nmi.pending || irq_waits(vcpu);
}

/**
 * mvm_wants_irq_window() - does userspace wait for the moment when it can inject?
 * @vcpu: the vCPU
 *
 * Context: the vCPU's thread, any.
 * Return: true: kvm_run asks for the interrupt window, and the 8259 is userspace's.
 */
bool mvm_wants_irq_window(struct mvm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->run->request_interrupt_window) && !mvm_pic_in_kernel(vcpu->vm);
}

/**
 * mvm_irq_window_open() - is that moment now?
 * @vcpu: the vCPU
 *
 * Context: the vCPU's thread; does not sleep.
 * Return: true: a vector that KVM_INTERRUPT brought would go in with the next entry.
 */
bool mvm_irq_window_open(struct mvm_vcpu *vcpu)
{
	return vcpu->events.user_irq < 0 && !vcpu->events.exception.pending &&
	       takes_user_irq(vcpu) && mvm_interrupt_allowed(vcpu);
}

/**
 * mvm_has_wake_event() - is there a reason for a halted vCPU to run?
 * @vcpu: the vCPU
 *
 * Takes over what mvm_queue_nmi() has left. Context: the vCPU's thread; does not sleep.
 * Return: true: an exception, or an NMI or interrupt that may go in now.
 */
bool mvm_has_wake_event(struct mvm_vcpu *vcpu)
{
	collect_nmis(vcpu);
	if (vcpu->events.exception.pending || is_delivering(vcpu))
		return true;
	if (vcpu->events.nmi.pending && mvm_nmi_allowed(vcpu))
		return true;
	return irq_waits(vcpu) && mvm_interrupt_allowed(vcpu);
}

/* ------------------------------------------------------------- into the guest */

/* The moment an exception becomes visible: CR2, DR6 and RF. */
static void deliver_payload(struct mvm_vcpu *vcpu)
{
	u8 vector = vcpu->events.exception.ev.vector;
	u64 payload = vcpu->events.exception.payload;

	if (is_fault_class(vector)) {
		mvm_state_modify(vcpu, MVM_STATE_RIP);
		vcpu->rflags |= X86_EFLAGS_RF;
	}
	if (!vcpu->events.exception.has_payload)
		return;
	vcpu->events.exception.has_payload = false;
	if (vector == X86_TRAP_PF) {
		mvm_state_modify(vcpu, MVM_STATE_CR2);
		vcpu->cr2 = payload;
	} else if (vector == X86_TRAP_DB) {
		mvm_state_modify(vcpu, MVM_STATE_DR);
		vcpu->dr6 = (vcpu->dr6 & ~(u64)(DR_TRAP_BITS)) | payload;
		vcpu->dr7 &= ~(u64)MVM_DR7_GD;
	}
}

static void inject_exception(struct mvm_vcpu *vcpu, struct mvm_inject *inject)
{
	deliver_payload(vcpu);
	vcpu->events.exception.pending = false;
	vcpu->events.exception.injected = true;
	inject->event = vcpu->events.exception.ev;
}

static void inject_nmi(struct mvm_vcpu *vcpu, struct mvm_inject *inject)
{
	vcpu->events.nmi.pending--;
	vcpu->events.nmi.injected = true;
	vcpu->events.nmi.masked = true;
	inject->event = (struct mvm_event){ .type = MVM_EVENT_NMI, .vector = X86_TRAP_NMI };
}

/**
 * mvm_events_take_irq() - an interrupt goes in with the entry that follows
 * @vcpu: the vCPU
 * @vector: its vector, accepted by its controller; mvm_interrupt_allowed() holds
 * @ev: filled, for the backend to deliver
 *
 * Noted as injected: after the exit it is delivered, unless the exit broke that off.
 * Context: the vCPU's thread, interrupts off.
 */
void mvm_events_take_irq(struct mvm_vcpu *vcpu, u8 vector, struct mvm_event *ev)
{
	*ev = (struct mvm_event){ .type = MVM_EVENT_INTERRUPT, .vector = vector };
	vcpu->events.interrupt.ev = *ev;
	vcpu->events.interrupt.injected = true;
}

static void inject_irq(struct mvm_vcpu *vcpu, struct mvm_inject *inject)
{
	int vector = offered_irq(vcpu);

	if (vector >= 0)
		vcpu->events.user_irq = -1;
	else
		vector = mvm_irq_ack(vcpu);
	if (vector >= 0)
		mvm_events_take_irq(vcpu, vector, &inject->event);
}

/* What was given before, or arose in the guest itself. False: nothing of that kind. */
static bool prepare_own(struct mvm_vcpu *vcpu, struct mvm_inject *inject)
{
	struct mvm_events *events = &vcpu->events;

	if (events->exception.injected)
		inject->event = events->exception.ev;
	else if (events->nmi.injected)
		inject->event = (struct mvm_event){ .type = MVM_EVENT_NMI,
						    .vector = X86_TRAP_NMI };
	else if (events->interrupt.injected)
		inject->event = events->interrupt.ev;
	else if (events->exception.pending)
		inject_exception(vcpu, inject);
	else
		return false;
	return true;
}

/**
 * mvm_events_prepare() - before an entry: what goes in, and which windows to ask for
 * @vcpu: the vCPU
 * @inject: filled
 *
 * One event an entry: what was broken off, an exception, an NMI, an interrupt, the last of which is
 * accepted from its controller here. A debugger's KVM_GUESTDBG_BLOCKIRQ keeps the latter two out.
 * Context: the inner loop, interrupts off.
 */
void mvm_events_prepare(struct mvm_vcpu *vcpu, struct mvm_inject *inject)
{
	struct mvm_events *events = &vcpu->events;
	const bool irq = irq_may_wait(vcpu);
	bool own;

	memset(inject, 0, sizeof(*inject));
	collect_nmis(vcpu);
	own = prepare_own(vcpu, inject);
	/* A debugger may keep out what comes from outside; then nobody waits for a window. */
	if (unlikely(vcpu->debug.control & KVM_GUESTDBG_BLOCKIRQ))
		return;
	if (!own && events->nmi.pending && mvm_nmi_allowed(vcpu))
		inject_nmi(vcpu, inject);
	else if (!own && irq && mvm_interrupt_allowed(vcpu))
		inject_irq(vcpu, inject);

	inject->nmi_window = events->nmi.pending;
	inject->irq_window = (irq && irq_waits(vcpu)) ||
			     (mvm_wants_irq_window(vcpu) && vcpu->events.user_irq < 0 &&
			      takes_user_irq(vcpu));
}

/* The exit broke off the delivery of an event: it goes in again at the next entry. */
static void requeue(struct mvm_vcpu *vcpu, const struct mvm_event *ev)
{
	switch (ev->type) {
	case MVM_EVENT_NONE:
		break;
	case MVM_EVENT_NMI:
		vcpu->events.nmi.injected = true;
		break;
	case MVM_EVENT_INTERRUPT:
	case MVM_EVENT_SOFT_INT:
		vcpu->events.interrupt.injected = true;
		vcpu->events.interrupt.ev = *ev;
		break;
	case MVM_EVENT_EXCEPTION:
	case MVM_EVENT_PRIV_SOFT_EXC:
	case MVM_EVENT_SOFT_EXC:
		vcpu->events.exception.injected = true;
		vcpu->events.exception.ev = *ev;
		break;
	}
}

/**
 * mvm_events_delivered() - what went in with the last entry is delivered: forget it
 * @vcpu: the vCPU
 *
 * Context: the vCPU's thread, after an exit that broke off no delivery.
 */
void mvm_events_delivered(struct mvm_vcpu *vcpu)
{
	vcpu->events.exception.injected = false;
	vcpu->events.nmi.injected = false;
	vcpu->events.interrupt.injected = false;
}

/**
 * mvm_events_exit() - after an exit: what of the events was delivered, and what goes in again
 * @vcpu: the vCPU, with its exit filled
 *
 * What exit.vectoring names is sent round; after an exit without an entry (MVM_EXIT_LOST,
 * MVM_EXIT_ENTRY_FAILED) all stays as it was. Context: the inner loop, interrupts on.
 */
void mvm_events_exit(struct mvm_vcpu *vcpu)
{
	/* No entry took place: what was to go in still is. */
	if (vcpu->exit.kind == MVM_EXIT_LOST || vcpu->exit.kind == MVM_EXIT_ENTRY_FAILED)
		return;
	mvm_events_delivered(vcpu);
	requeue(vcpu, &vcpu->exit.vectoring);
}

/* --------------------------------------------------------------- skip, state */

/**
 * mvm_insn_ended() - an instruction, or an iteration of one, is done: single-stepping
 * @vcpu: the vCPU; MVM_STATE_RIP is available
 *
 * Raises the guest's own #DB where RFLAGS.TF is set, and asks for the debugger's report
 * (MVM_REQ_STEPPED) where one is stepping. Context: the vCPU's thread; does not sleep.
 */
void mvm_insn_ended(struct mvm_vcpu *vcpu)
{
	/* The guest's own trap waits until the debugger has seen its step. */
	if (vcpu->rflags & X86_EFLAGS_TF)
		mvm_queue_debug(vcpu, DR_STEP);
	if (mvm_is_stepped(vcpu))
		mvm_vcpu_set_request(vcpu, MVM_REQ_STEPPED);
}

/**
 * mvm_skip_insn_len() - step over an instruction whose length is known
 * @vcpu: the vCPU
 * @len: its length in bytes
 *
 * Moves RIP, which wraps at 4 GiB outside 64-bit mode, ends the interrupt shadow, clears RFLAGS.RF,
 * and then mvm_insn_ended(). Context: the vCPU's thread; does not sleep.
 */
void mvm_skip_insn_len(struct mvm_vcpu *vcpu, u8 len)
{
	u64 next;

	mvm_state_modify(vcpu, MVM_STATE_RIP);
	next = vcpu->rip + len;
	/* The mode matters at the end of 4 GiB alone. */
	if (unlikely((next ^ vcpu->rip) >> 32) && mvm_cpu_mode(vcpu) != MVM_MODE_LONG)
		next = (u32)next;
	vcpu->rip = next;
	vcpu->int_shadow = 0;
	vcpu->rflags &= ~(u64)X86_EFLAGS_RF;
	mvm_insn_ended(vcpu);
}

/**
 * mvm_get_vcpu_events() - KVM_GET_VCPU_EVENTS
 * @vcpu: the vCPU
 * @out: filled
 *
 * A pending exception is shown as injected: its CR2 or DR6 is written with that. Software events
 * are left out: their instruction raises them again.
 * Context: vcpu->lock held; does not sleep.
 */
void mvm_get_vcpu_events(struct mvm_vcpu *vcpu, struct kvm_vcpu_events *out)
{
	const struct mvm_events *events = &vcpu->events;
	bool hard;

	collect_nmis(vcpu);
	memset(out, 0, sizeof(*out));
	mvm_state_get(vcpu, MVM_STATE_RIP);
	/* Without exception payloads in the ABI a pending exception looks injected. */
	if (events->exception.pending)
		deliver_payload(vcpu);
	/* A software event has no length in this structure; its instruction raises it again. */
	out->exception.injected = (events->exception.injected || events->exception.pending) &&
				  events->exception.ev.type == MVM_EVENT_EXCEPTION;
	out->exception.nr = events->exception.ev.vector;
	out->exception.has_error_code = events->exception.ev.has_error;
	out->exception.error_code = events->exception.ev.error;

	hard = events->interrupt.injected && events->interrupt.ev.type == MVM_EVENT_INTERRUPT;
	out->interrupt.injected = hard || events->user_irq >= 0;
	out->interrupt.nr = hard		  ? events->interrupt.ev.vector :
			    events->user_irq >= 0 ? events->user_irq :
						    0;
	out->interrupt.shadow = vcpu->int_shadow;

	out->nmi.injected = events->nmi.injected;
	out->nmi.pending = events->nmi.pending;
	out->nmi.masked = events->nmi.masked;
	out->sipi_vector = vcpu->sipi_vector;
	out->flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;
}

#define MVM_VCPU_EVENTS_FLAGS                                                        \
	(KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SIPI_VECTOR |         \
	 KVM_VCPUEVENT_VALID_SHADOW)

/**
 * mvm_set_vcpu_events() - KVM_SET_VCPU_EVENTS: replace what is on its way
 * @vcpu: the vCPU
 * @in: the events, all of them; NMI count, SIPI vector and shadow only with their flags
 *
 * What KVM_INTERRUPT has queued is dropped, too. Context: vcpu->lock held; does not sleep.
 * Return: 0; -EINVAL: an unknown flag, or no exception's vector; nothing has changed then.
 */
int mvm_set_vcpu_events(struct mvm_vcpu *vcpu, const struct kvm_vcpu_events *in)
{
	struct mvm_events *events = &vcpu->events;
	bool soft;

	if (in->flags & ~MVM_VCPU_EVENTS_FLAGS)
		return -EINVAL;
	if (in->exception.injected && (in->exception.nr > 31 || in->exception.nr == X86_TRAP_NMI))
		return -EINVAL;

	mvm_state_modify(vcpu, MVM_STATE_RIP);
	/* What this structure does not name is not there: nor is a trap of what came before. */
	vcpu->dirty |= MVM_STATE_TRAPS;
	events->exception.pending = false;
	events->exception.has_payload = false;
	events->exception.injected = in->exception.injected;
	/* Debuggers hand a #BP back this way: RIP is at the INT3, or INTO, of one byte. */
	soft = in->exception.nr == X86_TRAP_BP || in->exception.nr == X86_TRAP_OF;
	events->exception.ev = (struct mvm_event){
		.type = soft ? MVM_EVENT_SOFT_EXC : MVM_EVENT_EXCEPTION,
		.insn_len = soft,
		.vector = in->exception.nr,
		.has_error = in->exception.has_error_code,
		.error = in->exception.error_code,
	};
	/* A software interrupt comes without its length: its instruction raises it again. */
	events->interrupt.injected = in->interrupt.injected && !in->interrupt.soft;
	events->interrupt.ev = (struct mvm_event){
		.type = MVM_EVENT_INTERRUPT,
		.vector = in->interrupt.nr,
	};
	events->user_irq = -1;
	if (in->flags & KVM_VCPUEVENT_VALID_SHADOW)
		vcpu->int_shadow = in->interrupt.shadow &
				   (MVM_INT_SHADOW_STI | MVM_INT_SHADOW_MOVSS);

	events->nmi.injected = in->nmi.injected;
	events->nmi.masked = in->nmi.masked;
	if (in->flags & KVM_VCPUEVENT_VALID_NMI_PENDING) {
		events->nmi.pending = !!in->nmi.pending;
		atomic_set(&vcpu->nmi_queued, 0);
	}
	if (in->flags & KVM_VCPUEVENT_VALID_SIPI_VECTOR)
		vcpu->sipi_vector = in->sipi_vector;
	return 0;
}
