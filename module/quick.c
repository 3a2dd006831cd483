// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quick exits: those that a backend has answered between two entries, in one call of
 * its vcpu_run(). Interrupts stay off, nothing is unloaded, and the run loop makes no
 * turn: what it would find is asked for here, in mvm_quick_may_go_on().
 *
 * The backend calls mvm_quick_exit() only where stepping over the instruction is one
 * addition to RIP: its length is known, no shadow and no trap flag is there. An answer
 * that is not at hand takes the ordinary way, and nothing has happened.
 */
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
	u64 data = (u32)vcpu->gpr[MVM_RAX] | (vcpu->gpr[MVM_RDX] << 32);

	return mvm_msr_write_quick(vcpu, vcpu->gpr[MVM_RCX], data);
}

/* OUT to an eventfd. What a device in the kernel owns is its own, and takes its time. */
static noinline bool quick_out(struct mvm_vcpu *vcpu)
{
	const u16 port = vcpu->exit.u.io.port;
	const u8 size = vcpu->exit.u.io.size;

	if (mvm_pic_in_kernel(vcpu->vm) && mvm_irqchip_owns_port(vcpu->vm, port))
		return false;
	return mvm_ioeventfd_signal(vcpu->vm, MVM_BUS_PORT, port, size,
				    vcpu->gpr[MVM_RAX] & GENMASK_ULL(8 * size - 1, 0));
}

bool mvm_quick_exit(struct mvm_vcpu *vcpu, enum mvm_exit_kind kind)
{
	switch (kind) {
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

bool __mvm_quick_may_go_on(struct mvm_vcpu *vcpu)
{
	if (vcpu->dirty || atomic_long_read(&vcpu->requests) != BIT(MVM_REQ_EVENT))
		return false;
	/* The answer came back to this vCPU as a kick, which sends no IPI to its own CPU. */
	if (READ_ONCE(vcpu->mode) != MVM_IN_GUEST)
		return false;
	/* The guest may have ended an interrupt that the local APIC still has in service. */
	if (vcpu->pv.eoi_offered)
		return false;
	mvm_vcpu_take_request(vcpu, MVM_REQ_EVENT);
	if (!mvm_events_wait(vcpu))
		return true;
	mvm_vcpu_set_request(vcpu, MVM_REQ_EVENT);
	return false;
}
