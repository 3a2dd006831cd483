// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quick exits: those that a backend has answered between two entries, in one call of
 * its vcpu_run(). Interrupts stay off, nothing is unloaded, and the run loop makes no
 * turn: what it would find is asked for here, in mvm_quick_may_go_on().
 *
 * The backend calls mvm_quick_exit() only where stepping over the instruction is one
 * addition to RIP: its length is known, no shadow outlives it and no trap flag is there.
 * An answer that is not at hand takes the ordinary way, and nothing has happened. An
 * interrupt that an answer raised goes in with the next entry.
 */
#include <asm/processor-flags.h>

#include "exit.h"
#include "irqchip/irqchip.h"
#include "pv.h"
#include "quick.h"
#include "vcpu.h"

/* Not inline, as quick_out(): what they save and guard is not for the others to pay. */
static noinline bool quick_rdmsr(struct mvm_vcpu *vcpu)
{
	u32 index = vcpu->gpr[MVM_RCX];
	u64 data;

	if (!mvm_msr_read_quick(vcpu, index, &data))
		return false;
	vcpu->gpr[MVM_RAX] = (u32)data;
	vcpu->gpr[MVM_RDX] = data >> 32;
	return true;
}

static bool quick_wrmsr(struct mvm_vcpu *vcpu)
{
	return mvm_msr_write_quick(vcpu, vcpu->gpr[MVM_RCX], mvm_wrmsr_value(vcpu));
}

/* OUT to an eventfd. What a device in the kernel owns is its own, and takes its time. */
static noinline bool quick_out(struct mvm_vcpu *vcpu)
{
	static const u32 masks[] = { [1] = U8_MAX, [2] = U16_MAX, [4] = U32_MAX };
	const u16 port = vcpu->exit.u.io.port;
	const u8 size = vcpu->exit.u.io.size;

	if (mvm_pic_in_kernel(vcpu->vm) && mvm_irqchip_owns_port(vcpu->vm, port))
		return false;
	return mvm_ioeventfd_signal(vcpu->vm, MVM_BUS_PORT, port, size,
				    vcpu->gpr[MVM_RAX] & masks[size]);
}

/* HLT that an interrupt ends at once. */
static noinline bool quick_hlt(struct mvm_vcpu *vcpu)
{
	if (!(vcpu->rflags & X86_EFLAGS_IF) || vcpu->debug.control || mvm_irq_pending(vcpu) < 0)
		return false;
	mvm_vcpu_set_request(vcpu, MVM_REQ_EVENT);
	return true;
}

/**
 * mvm_quick_exit() - answer an exit between two entries
 * @vcpu: whose
 * @kind: CPUID, RDMSR, WRMSR, HLT; HYPERCALL from 64-bit code at CPL 0; IO for OUT, with
 *	exit.u.io.port and .size filled
 *
 * Context: inside vcpu_run(), interrupts off; RFLAGS is current, RIP and RSP are not, other
 * groups as vcpu->avail says.
 * Return: true: done, the instruction is to be stepped over. False: nothing has happened, the exit
 * takes the ordinary way.
 */
bool mvm_quick_exit(struct mvm_vcpu *vcpu, enum mvm_exit_kind kind)
{
	switch (kind) {
	case MVM_EXIT_HLT:
		return quick_hlt(vcpu);
	case MVM_EXIT_IO:
		return quick_out(vcpu);
	case MVM_EXIT_CPUID:
		mvm_cpuid_exec(vcpu);
		return true;
	case MVM_EXIT_RDMSR:
		return quick_rdmsr(vcpu);
	case MVM_EXIT_WRMSR:
		return quick_wrmsr(vcpu);
	case MVM_EXIT_HYPERCALL:
		mvm_pv_hypercall_quick(vcpu);
		return true;
	default:
		return false;
	}
}

/* The interrupt that may go in with the next entry. False: there is none. */
static bool quick_interrupt(struct mvm_vcpu *vcpu, struct mvm_event *ev)
{
	int vector;

	if (!vcpu->lapic || !(vcpu->rflags & X86_EFLAGS_IF) || vcpu->debug.control ||
	    atomic_read(&vcpu->nmi_queued) || vcpu->events.nmi.pending ||
	    vcpu->events.user_irq >= 0)
		return false;
	vector = mvm_lapic_ack(vcpu);
	if (vector < 0)
		return false;
	mvm_events_delivered(vcpu);
	mvm_events_take_irq(vcpu, vector, ev);
	mvm_pv_eoi_offer(vcpu);
	return true;
}

/**
 * __mvm_quick_may_go_on() - mvm_quick_may_go_on() where there is a request
 * @vcpu: whose exit mvm_quick_exit() has answered
 * @ev: an interrupt that goes in with the entry; untouched where there is none
 *
 * Goes on where the sole request, but for MVM_REQ_UNHALT, is MVM_REQ_EVENT, and its interrupt may
 * go in now or is none.
 * Context: inside vcpu_run(), interrupts off.
 * Return: true: enter again. False: the run loop has its turn, the requests are as they were.
 */
bool __mvm_quick_may_go_on(struct mvm_vcpu *vcpu, struct mvm_event *ev)
{
	/* A kick of itself, by an IPI say, sends none to its own CPU: as in run_once(). */
	if (READ_ONCE(vcpu->mode) != MVM_IN_GUEST)
		smp_store_mb(vcpu->mode, MVM_IN_GUEST); /* the mode before the requests */
	if ((atomic_long_read(&vcpu->requests) & ~BIT(MVM_REQ_UNHALT)) != BIT(MVM_REQ_EVENT))
		return false;
	/* The guest may have ended an interrupt that the local APIC still has in service. */
	if (vcpu->pv.eoi_offered)
		return false;
	atomic_long_andnot(BIT(MVM_REQ_EVENT), &vcpu->requests);
	smp_mb__after_atomic(); /* the request before what it is about */
	if (quick_interrupt(vcpu, ev) || !mvm_events_wait(vcpu))
		return true;
	mvm_vcpu_set_request(vcpu, MVM_REQ_EVENT);
	return false;
}
