// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events at the hardware's edge: injection, the interrupt and NMI windows, and
 * the event whose delivery an exit broke off.
 *
 * AMD-V (without virtual NMIs) does not tell when the guest's NMI handler ends.
 * So while NMIs are masked IRET is intercepted; the intercept fires before the
 * IRET, and the mask ends when RIP has left it. Only if an NMI waits for that
 * moment is the IRET stepped over with RFLAGS.TF, its faults intercepted meanwhile
 * so that the guest never sees the flag. Waiting for an interrupt shadow to end is
 * done by the same step; there one corner stays: a PUSHF or INT n right in the
 * shadow, restarted after a nested page fault, stores the flag; so does a hardware task
 * switch that is stepped over, in the old task's TSS. While another
 * event goes in the flag would be pushed with it: then an interrupt sent to this
 * CPU beforehand ends the guest's run right behind the delivery.
 *
 * A debugger's step is the same, on and on (debug.c).
 */
#include <linux/smp.h>

#include <asm/debugreg.h>
#include <asm/processor-flags.h>
#include <asm/traps.h>

#include "svm.h"

static u32 svm_event_type(enum mvm_event_type type)
{
	switch (type) {
	case MVM_EVENT_INTERRUPT:
		return SVM_EVTINJ_TYPE_INTR;
	case MVM_EVENT_NMI:
		return SVM_EVTINJ_TYPE_NMI;
	case MVM_EVENT_SOFT_INT:
		return SVM_EVTINJ_TYPE_SOFT;
	default:
		return SVM_EVTINJ_TYPE_EXEPT;
	}
}

/*
 * INT n, INT3 and INTO push the address after the instruction: NRIP save takes it
 * from the VMCB, without it RIP itself moves on, and back if delivery breaks off.
 */
static void svm_inject_soft(struct svm_vcpu *svm, const struct mvm_event *ev)
{
	struct vmcb *vmcb = svm->vmcb;
	u64 next = svm->base.rip + ev->insn_len;

	if (mvm_svm_features.nrips) {
		vmcb->control.next_rip = next;
		return;
	}
	svm->soft_rip = svm->base.rip;
	svm->soft_rip_valid = true;
	svm->base.rip = next;
	svm->base.dirty |= MVM_STATE_RIP;
}

static void svm_inject(struct svm_vcpu *svm, const struct mvm_event *ev)
{
	struct vmcb_control_area *control = &svm->vmcb->control;

	svm->injected = *ev;
	svm->soft_rip_valid = false;
	control->event_inj = 0;
	if (ev->type == MVM_EVENT_NONE)
		return;
	if (ev->type == MVM_EVENT_SOFT_INT || ev->type == MVM_EVENT_SOFT_EXC)
		svm_inject_soft(svm, ev);
	control->event_inj = ev->vector | svm_event_type(ev->type) | SVM_EVTINJ_VALID;
	control->event_inj_err = 0;
	if (ev->has_error) {
		control->event_inj |= SVM_EVTINJ_VALID_ERR;
		control->event_inj_err = ev->error;
	}
}

/* A virtual interrupt above any TPR, intercepted: it exits as soon as IF and the shadow allow. */
static void svm_irq_window(struct svm_vcpu *svm, bool on)
{
	struct vmcb_control_area *control = &svm->vmcb->control;
	u32 want = V_INTR_MASKING_MASK;

	if (on)
		want |= V_IRQ_MASK | V_IGN_TPR_MASK | V_INTR_PRIO_MASK;
	svm_set_intercept(svm, INTERCEPT_VINTR, on);
	control->int_vector = 0;
	/* The processor changes int_ctl: the rest of it (V_TPR) is not the guest's. */
	if (control->int_ctl != want) {
		control->int_ctl = want;
		svm_vmcb_dirty(svm, SVM_CLEAN_INT_CTL);
	}
}

/*
 * QEMU's TCG (7.2) delivers an interrupt that VMRUN injects, and keeps its vector as that
 * of an exception to be raised until the next exit: if another of QEMU's threads wants this
 * one before, the guest gets the interrupt a second time. A virtual interrupt leaves nothing
 * behind. It goes in ahead of the first instruction, where the guest's flags allow, and
 * takes the place of the window's: false, where it is not to be had. There an exit right
 * behind the delivery is forced, as it is for NMIs.
 */
static bool svm_inject_virtual(struct svm_vcpu *svm, const struct mvm_inject *inject)
{
	struct vmcb_control_area *control = &svm->vmcb->control;
	const struct mvm_vcpu *vcpu = &svm->base;

	if (inject->irq_window || !(vcpu->rflags & X86_EFLAGS_IF) || vcpu->int_shadow)
		return false;
	control->event_inj = 0;
	control->int_vector = inject->event.vector;
	control->int_ctl |= V_IRQ_MASK | V_IGN_TPR_MASK | V_INTR_PRIO_MASK;
	svm_vmcb_dirty(svm, SVM_CLEAN_INT_CTL);
	svm->virtual_rip = vcpu->rip;
	return true;
}

/* Still there, and the guest where it was: neither it nor a fault in its stead was delivered. */
static bool svm_kept_virtual(const struct svm_vcpu *svm)
{
	return svm->virtual_irq && svm->vmcb->control.int_ctl & V_IRQ_MASK &&
	       svm->base.rip == svm->virtual_rip;
}

/*
 * NMIs are masked until the IRET (see the head of this file). Returns true when the
 * guest must stop as soon as the current instruction is done.
 */
static bool svm_nmi_window(struct svm_vcpu *svm, bool wanted)
{
	bool masked = svm->base.events.nmi.masked;

	if (!masked)
		svm->iret_seen = false;
	svm_set_intercept(svm, INTERCEPT_IRET, masked && !svm->iret_seen);
	return wanted && (!masked || svm->iret_seen);
}

/* The exit is the trap behind a single step, the guest's or ours. */
static bool svm_step_trapped(const struct svm_vcpu *svm)
{
	return svm->vmcb->control.exit_code == SVM_EXIT_EXCP_BASE + X86_TRAP_DB &&
	       svm->vmcb->save.dr6 & DR_STEP;
}

/*
 * QEMU's TCG (7.2) forgets the interrupt shadow at VMRUN: an interrupt would get
 * between STI and HLT, and the guest sleep for ever. There the shadow is put back at an
 * exit on whose way nothing was executed (a jump to itself was, where it is stepped); and
 * where an interrupt waits, the shadowed instruction is stepped over with nothing let in:
 * the answer.
 */
static bool svm_shadow_window(struct svm_vcpu *svm, bool wanted)
{
	svm->shadow = mvm_svm_features.loses_shadow ? svm->base.int_shadow : 0;
	svm->shadow_rip = svm->base.rip;
	return wanted && svm->shadow;
}

/**
 * mvm_svm_load_events() - struct mvm_backend's load_events
 * @vcpu: the vCPU
 * @inject: the event that goes in, and the windows that are wanted
 *
 * Fills the VMCB's EVENTINJ and virtual interrupt, and chooses the IRET intercept and the
 * single step ("Event Injection", "Injecting Virtual (INTR) Interrupts"). May move RIP or
 * set TF in the vCPU's own fields, which mvm_svm_events_exit() takes back; may send this CPU
 * an interrupt that ends the guest's stay. Context: between vcpu_load and vcpu_put,
 * interrupts off.
 */
void mvm_svm_load_events(struct mvm_vcpu *vcpu, const struct mvm_inject *inject)
{
	struct svm_vcpu *svm = svm_vcpu(vcpu);
	bool shadow = svm_shadow_window(svm, inject->irq_window);
	bool stop = svm_nmi_window(svm, inject->nmi_window) || mvm_is_stepped(vcpu);

	svm_inject(svm, &inject->event);
	svm_irq_window(svm, inject->irq_window && !shadow);
	svm->virtual_irq = false;
	if (mvm_svm_features.repeats_irq && inject->event.type == MVM_EVENT_INTERRUPT) {
		svm->virtual_irq = !stop && svm_inject_virtual(svm, inject);
		stop = !svm->virtual_irq;
	}

	svm->stepping = (stop || shadow) && inject->event.type == MVM_EVENT_NONE;
	if (svm->stepping) {
		svm->guest_tf = vcpu->rflags & X86_EFLAGS_TF;
		vcpu->rflags |= X86_EFLAGS_TF;
		vcpu->dirty |= MVM_STATE_RIP;
	} else if (stop) {
		(smp_ops.smp_send_reschedule)(smp_processor_id());
	}
	mvm_svm_update_exceptions(svm);
}

/* The stepped instruction ended, or an exit came before its end: take TF back. */
static void svm_step_exit(struct svm_vcpu *svm)
{
	struct mvm_vcpu *vcpu = &svm->base;
	bool trap = svm_step_trapped(svm);
	bool iret_done = svm->iret_seen && (trap || vcpu->rip != svm->iret_rip);
	bool loaded = iret_done || mvm_step_loaded_flags(vcpu, trap);

	svm->stepping = false;
	svm->step_trap = trap && !svm->guest_tf;
	/* A POPF or IRET that completed has loaded the guest's own TF. */
	if (!svm->guest_tf && !loaded) {
		vcpu->rflags &= ~X86_EFLAGS_TF;
		vcpu->dirty |= MVM_STATE_RIP;
	}
	if (iret_done) {
		svm->iret_seen = false;
		vcpu->events.nmi.masked = false;
	}
}

/**
 * mvm_svm_events_exit() - what the exit means for injection, NMI masking and stepping
 * @svm: a vCPU right after mvm_svm_after_exit()
 *
 * Takes back TF and RIP where they were ours, puts a lost interrupt shadow back and finds
 * the end of an NMI's handler: vcpu->events.nmi.masked. Context: before the exit is decoded,
 * interrupts off.
 */
void mvm_svm_events_exit(struct svm_vcpu *svm)
{
	struct mvm_vcpu *vcpu = &svm->base;

	svm->vmcb->control.event_inj = 0;
	svm->step_trap = false;
	if (svm->shadow && vcpu->rip == svm->shadow_rip && !svm_step_trapped(svm)) {
		vcpu->int_shadow = svm->shadow;
		vcpu->dirty |= MVM_STATE_RIP;
	}
	if (svm->stepping) {
		svm_step_exit(svm);
	} else if (svm->iret_seen && vcpu->rip != svm->iret_rip) {
		svm->iret_seen = false;
		vcpu->events.nmi.masked = false;
	}
	if (svm->vmcb->control.exit_code == SVM_EXIT_IRET) {
		svm->iret_seen = true;
		svm->iret_rip = vcpu->rip;
	}
	if (svm->soft_rip_valid && svm->vmcb->control.exit_int_info & SVM_EXITINTINFO_VALID) {
		vcpu->rip = svm->soft_rip;
		vcpu->dirty |= MVM_STATE_RIP;
	}
	svm->soft_rip_valid = false;
}

/**
 * mvm_svm_step_done() - the debugger's side of an exit
 * @svm: a vCPU after mvm_svm_events_exit()
 * @exit: stepped and pushed_flags are set where a debugger steps the vCPU
 *
 * Context: interrupts off.
 */
void mvm_svm_step_done(struct svm_vcpu *svm, struct mvm_exit *exit)
{
	const struct vmcb_control_area *control = &svm->vmcb->control;

	if (likely(!mvm_is_stepped(&svm->base)))
		return;
	if (svm->injected.type != MVM_EVENT_NONE)
		exit->stepped = !(control->exit_int_info & SVM_EXITINTINFO_VALID);
	else
		exit->stepped = svm_step_trapped(svm);
	exit->pushed_flags = exit->stepped && !svm->guest_tf;
}

/*
 * Software events are not given again: RIP still is at their instruction, which
 * simply runs once more. That needs no instruction length. ICEBP comes as a #DB
 * that no intercept saw.
 */
static bool svm_reexecutes(const struct svm_vcpu *svm, u32 type, u8 vector)
{
	if (type == SVM_EXITINTINFO_TYPE_SOFT)
		return true;
	if (type != SVM_EXITINTINFO_TYPE_EXEPT)
		return false;
	if (vector == X86_TRAP_BP || vector == X86_TRAP_OF)
		return true;
	return vector == X86_TRAP_DB && !(svm->injected.type == MVM_EVENT_EXCEPTION &&
					  svm->injected.vector == X86_TRAP_DB);
}

/**
 * mvm_svm_vectoring() - the event whose delivery the exit broke off
 * @svm: a vCPU after mvm_svm_events_exit()
 * @ev: from EXITINTINFO, or a virtual interrupt that was not taken; type NONE where there is none,
 *	or its instruction simply runs once more
 *
 * Context: interrupts off.
 */
void mvm_svm_vectoring(struct svm_vcpu *svm, struct mvm_event *ev)
{
	const struct vmcb_control_area *control = &svm->vmcb->control;
	u32 info = control->exit_int_info;
	u32 type = info & SVM_EXITINTINFO_TYPE_MASK;
	u8 vector = info & SVM_EXITINTINFO_VEC_MASK;

	memset(ev, 0, sizeof(*ev));
	if (svm_kept_virtual(svm)) {
		*ev = svm->injected;
		return;
	}
	if (!(info & SVM_EXITINTINFO_VALID) || svm_reexecutes(svm, type, vector))
		return;
	ev->vector = vector;
	switch (type) {
	case SVM_EXITINTINFO_TYPE_INTR:
		ev->type = MVM_EVENT_INTERRUPT;
		break;
	case SVM_EXITINTINFO_TYPE_NMI:
		ev->type = MVM_EVENT_NMI;
		break;
	case SVM_EXITINTINFO_TYPE_EXEPT:
		ev->type = MVM_EVENT_EXCEPTION;
		ev->has_error = info & SVM_EXITINTINFO_VALID_ERR;
		ev->error = ev->has_error ? control->exit_int_info_err : 0;
		break;
	default:
		break;
	}
}
