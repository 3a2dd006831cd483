// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vCPU's state ioctls: copying in and out, and the table. The rules behind
 * them are regs.c's, fpu.c's, event.c's and the policy tables'.
 *
 * All run with vcpu->lock held, in the address space of the VM.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/debugreg.h>
#include <asm/processor-flags.h>
#include <asm/tsc.h>

#include "exit.h"
#include "fpu.h"
#include "irqchip/irqchip.h"
#include "vcpu.h"

static void __user *uptr(unsigned long arg)
{
	return (void __user *)arg;
}

/* ----------------------------------------------------------------- registers */

/* KVM's field for each general register, RSP among them. */
static u64 *regs_gpr(struct kvm_regs *regs, int gpr)
{
	u64 *const fields[MVM_NR_GPRS] = {
		[MVM_RAX] = &regs->rax, [MVM_RCX] = &regs->rcx, [MVM_RDX] = &regs->rdx,
		[MVM_RBX] = &regs->rbx, [MVM_RSP] = &regs->rsp, [MVM_RBP] = &regs->rbp,
		[MVM_RSI] = &regs->rsi, [MVM_RDI] = &regs->rdi, [MVM_R8] = &regs->r8,
		[MVM_R9] = &regs->r9,	[MVM_R10] = &regs->r10, [MVM_R11] = &regs->r11,
		[MVM_R12] = &regs->r12, [MVM_R13] = &regs->r13, [MVM_R14] = &regs->r14,
		[MVM_R15] = &regs->r15,
	};

	return fields[gpr];
}

static long get_regs(void *obj, unsigned long arg)
{
	struct mvm_vcpu *vcpu = obj;
	struct kvm_regs regs;
	int i;

	mvm_state_get(vcpu, MVM_STATE_RIP);
	for (i = 0; i < MVM_NR_GPRS; i++)
		*regs_gpr(&regs, i) = vcpu->gpr[i];
	regs.rip = vcpu->rip;
	regs.rflags = vcpu->rflags;
	return copy_to_user(uptr(arg), &regs, sizeof(regs)) ? -EFAULT : 0;
}

static long set_regs(void *obj, unsigned long arg)
{
	struct mvm_vcpu *vcpu = obj;
	struct kvm_regs regs;
	int i;

	if (copy_from_user(&regs, uptr(arg), sizeof(regs)))
		return -EFAULT;
	mvm_state_modify(vcpu, MVM_STATE_RIP);
	for (i = 0; i < MVM_NR_GPRS; i++)
		vcpu->gpr[i] = *regs_gpr(&regs, i);
	vcpu->rip = regs.rip;
	vcpu->rflags = regs.rflags | X86_EFLAGS_FIXED;
	/* A new place to run from: what was raised at the old one is void. */
	vcpu->events.exception.pending = false;
	return 0;
}

static long get_sregs(void *obj, unsigned long arg)
{
	struct kvm_sregs sregs;

	mvm_get_sregs(obj, &sregs);
	return copy_to_user(uptr(arg), &sregs, sizeof(sregs)) ? -EFAULT : 0;
}

static long set_sregs(void *obj, unsigned long arg)
{
	struct kvm_sregs sregs;

	if (copy_from_user(&sregs, uptr(arg), sizeof(sregs)))
		return -EFAULT;
	return mvm_set_sregs(obj, &sregs);
}

static long get_debugregs(void *obj, unsigned long arg)
{
	struct mvm_vcpu *vcpu = obj;
	struct kvm_debugregs dbg = {};

	mvm_state_get(vcpu, MVM_STATE_DR);
	memcpy(dbg.db, vcpu->dr, sizeof(dbg.db));
	dbg.dr6 = vcpu->dr6;
	dbg.dr7 = vcpu->dr7;
	return copy_to_user(uptr(arg), &dbg, sizeof(dbg)) ? -EFAULT : 0;
}

static long set_debugregs(void *obj, unsigned long arg)
{
	struct mvm_vcpu *vcpu = obj;
	struct kvm_debugregs dbg;

	if (copy_from_user(&dbg, uptr(arg), sizeof(dbg)))
		return -EFAULT;
	if (dbg.flags || dbg.dr6 >> 32 || dbg.dr7 >> 32)
		return -EINVAL;
	mvm_state_modify(vcpu, MVM_STATE_DR);
	memcpy(vcpu->dr, dbg.db, sizeof(vcpu->dr));
	mvm_set_dr(vcpu, 6, dbg.dr6);
	mvm_set_dr(vcpu, 7, dbg.dr7);
	return 0;
}

static long set_guest_debug(void *obj, unsigned long arg)
{
	struct kvm_guest_debug dbg;

	if (copy_from_user(&dbg, uptr(arg), sizeof(dbg)))
		return -EFAULT;
	return mvm_set_guest_debug(obj, &dbg);
}

/* -------------------------------------------------------------- FPU, XSAVE */

static long get_fpu(void *obj, unsigned long arg)
{
	struct kvm_fpu fpu = {};

	mvm_fpu_get_fpu(obj, &fpu);
	return copy_to_user(uptr(arg), &fpu, sizeof(fpu)) ? -EFAULT : 0;
}

static long set_fpu(void *obj, unsigned long arg)
{
	struct kvm_fpu fpu;

	if (copy_from_user(&fpu, uptr(arg), sizeof(fpu)))
		return -EFAULT;
	return mvm_fpu_set_fpu(obj, &fpu);
}

/* 4096 bytes: on the heap. */
static long get_xsave(void *obj, unsigned long arg)
{
	struct kvm_xsave *xsave = kzalloc(sizeof(*xsave), GFP_KERNEL_ACCOUNT);
	long ret = 0;

	if (!xsave)
		return -ENOMEM;
	mvm_fpu_get_xsave(obj, xsave);
	if (copy_to_user(uptr(arg), xsave, sizeof(*xsave)))
		ret = -EFAULT;
	kfree(xsave);
	return ret;
}

static long set_xsave(void *obj, unsigned long arg)
{
	struct kvm_xsave *xsave = memdup_user(uptr(arg), sizeof(*xsave));
	long ret;

	if (IS_ERR(xsave))
		return PTR_ERR(xsave);
	ret = mvm_fpu_set_xsave(obj, xsave);
	kfree(xsave);
	return ret;
}

static long get_xcrs(void *obj, unsigned long arg)
{
	struct kvm_xcrs xcrs = {};
	int err = mvm_fpu_get_xcrs(obj, &xcrs);

	if (err)
		return err;
	return copy_to_user(uptr(arg), &xcrs, sizeof(xcrs)) ? -EFAULT : 0;
}

static long set_xcrs(void *obj, unsigned long arg)
{
	struct kvm_xcrs xcrs;

	if (copy_from_user(&xcrs, uptr(arg), sizeof(xcrs)))
		return -EFAULT;
	return mvm_fpu_set_xcrs(obj, &xcrs);
}

/* --------------------------------------------------------------- CPUID, MSRs */

#define MVM_MAX_CPUID_ENTRIES 256
#define MVM_MAX_MSRS_PER_CALL 1024

static long set_cpuid2(void *obj, unsigned long arg)
{
	struct kvm_cpuid2 __user *user = uptr(arg);
	struct kvm_cpuid_entry2 *entries = NULL;
	struct kvm_cpuid2 head;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nent > MVM_MAX_CPUID_ENTRIES)
		return -E2BIG;
	if (head.nent) {
		entries = vmemdup_user(user->entries, array_size(head.nent, sizeof(*entries)));
		if (IS_ERR(entries))
			return PTR_ERR(entries);
	}
	return mvm_cpuid_set(obj, entries, head.nent);
}

static long get_cpuid2(void *obj, unsigned long arg)
{
	struct kvm_cpuid2 __user *user = uptr(arg);
	struct mvm_vcpu *vcpu = obj;
	struct kvm_cpuid2 head;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (put_user(vcpu->nr_cpuid, &user->nent))
		return -EFAULT;
	if (head.nent < vcpu->nr_cpuid)
		return -E2BIG;
	if (copy_to_user(user->entries, vcpu->cpuid, vcpu->nr_cpuid * sizeof(*vcpu->cpuid)))
		return -EFAULT;
	return 0;
}

/* The rows of one GET or SET call; the answer is how many were done before one was refused. */
static long msr_rows(struct mvm_vcpu *vcpu, struct kvm_msr_entry *rows, u32 n, bool set)
{
	u32 i;

	for (i = 0; i < n; i++) {
		int err = set ? mvm_msr_write(vcpu, rows[i].index, rows[i].data, true) :
				mvm_msr_read(vcpu, rows[i].index, &rows[i].data, true);

		if (err)
			break;
	}
	return i;
}

static long msr_io(struct mvm_vcpu *vcpu, unsigned long arg, bool set)
{
	struct kvm_msrs __user *user = uptr(arg);
	struct kvm_msr_entry *rows;
	struct kvm_msrs head;
	long ret;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nmsrs > MVM_MAX_MSRS_PER_CALL)
		return -E2BIG;
	if (!head.nmsrs)
		return 0;
	rows = vmemdup_user(user->entries, array_size(head.nmsrs, sizeof(*rows)));
	if (IS_ERR(rows))
		return PTR_ERR(rows);
	ret = msr_rows(vcpu, rows, head.nmsrs, set);
	if (!set && copy_to_user(user->entries, rows, head.nmsrs * sizeof(*rows)))
		ret = -EFAULT;
	kvfree(rows);
	return ret;
}

static long get_msrs(void *obj, unsigned long arg)
{
	return msr_io(obj, arg, false);
}

static long set_msrs(void *obj, unsigned long arg)
{
	return msr_io(obj, arg, true);
}

static long get_tsc_khz(void *obj, unsigned long arg)
{
	return tsc_khz;
}

/* Without TSC scaling the guest's TSC runs at the host's rate and no other. */
static long set_tsc_khz(void *obj, unsigned long khz)
{
	if (khz && khz != tsc_khz)
		return mvm_fail(mvm_vcpu_reason(obj), -EINVAL,
				"the guest's TSC runs at the host's %u kHz; %lu kHz is not possible",
				tsc_khz, khz);
	return 0;
}

/* --------------------------------------------------------------- interrupts */

static long get_lapic(void *obj, unsigned long arg)
{
	struct mvm_vcpu *vcpu = obj;
	struct kvm_lapic_state *state;
	long ret;

	if (!vcpu->lapic)
		return -EINVAL;
	state = kzalloc(sizeof(*state), GFP_KERNEL_ACCOUNT);
	if (!state)
		return -ENOMEM;
	ret = mvm_lapic_get_state(vcpu, state);
	if (!ret && copy_to_user(uptr(arg), state, sizeof(*state)))
		ret = -EFAULT;
	kfree(state);
	return ret;
}

static long set_lapic(void *obj, unsigned long arg)
{
	struct mvm_vcpu *vcpu = obj;
	struct kvm_lapic_state *state;
	long ret;

	if (!vcpu->lapic)
		return -EINVAL;
	state = memdup_user(uptr(arg), sizeof(*state));
	if (IS_ERR(state))
		return PTR_ERR(state);
	ret = mvm_lapic_set_state(vcpu, state);
	kfree(state);
	return ret;
}

static long interrupt(void *obj, unsigned long arg)
{
	struct kvm_interrupt irq;

	if (copy_from_user(&irq, uptr(arg), sizeof(irq)))
		return -EFAULT;
	return mvm_user_interrupt(obj, irq.irq);
}

static long nmi(void *obj, unsigned long arg)
{
	mvm_queue_nmi(obj);
	return 0;
}

static long get_mp_state(void *obj, unsigned long arg)
{
	struct mvm_vcpu *vcpu = obj;
	struct kvm_mp_state state = {};

	mvm_vcpu_accept_init(vcpu);
	state.mp_state = vcpu->mp_state;
	return copy_to_user(uptr(arg), &state, sizeof(state)) ? -EFAULT : 0;
}

static long set_mp_state(void *obj, unsigned long arg)
{
	struct mvm_vcpu *vcpu = obj;
	struct kvm_mp_state state;

	if (copy_from_user(&state, uptr(arg), sizeof(state)))
		return -EFAULT;
	switch (state.mp_state) {
	case KVM_MP_STATE_RUNNABLE:
		break;
	case KVM_MP_STATE_UNINITIALIZED:
	case KVM_MP_STATE_HALTED:
	case KVM_MP_STATE_INIT_RECEIVED:
	case KVM_MP_STATE_SIPI_RECEIVED:
		/* Only an in-kernel LAPIC can end these. */
		if (!vcpu->lapic)
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	vcpu->mp_state = state.mp_state;
	/* Its vector comes with KVM_SET_VCPU_EVENTS. */
	if (state.mp_state == KVM_MP_STATE_SIPI_RECEIVED) {
		vcpu->mp_state = KVM_MP_STATE_INIT_RECEIVED;
		mvm_vcpu_set_request(vcpu, MVM_REQ_SIPI);
	}
	return 0;
}

static long get_vcpu_events(void *obj, unsigned long arg)
{
	struct kvm_vcpu_events events;

	mvm_get_vcpu_events(obj, &events);
	return copy_to_user(uptr(arg), &events, sizeof(events)) ? -EFAULT : 0;
}

static long set_vcpu_events(void *obj, unsigned long arg)
{
	struct kvm_vcpu_events events;

	if (copy_from_user(&events, uptr(arg), sizeof(events)))
		return -EFAULT;
	return mvm_set_vcpu_events(obj, &events);
}

const struct mvm_ioctl mvm_vcpu_state_ioctls[] = {
	MVM_IOCTL(KVM_GET_REGS, get_regs),
	MVM_IOCTL(KVM_SET_REGS, set_regs),
	MVM_IOCTL(KVM_GET_SREGS, get_sregs),
	MVM_IOCTL(KVM_SET_SREGS, set_sregs),
	MVM_IOCTL(KVM_GET_MSRS, get_msrs),
	MVM_IOCTL(KVM_SET_MSRS, set_msrs),
	MVM_IOCTL(KVM_INTERRUPT, interrupt),
	MVM_IOCTL(KVM_NMI, nmi),
	MVM_IOCTL(KVM_GET_FPU, get_fpu),
	MVM_IOCTL(KVM_SET_FPU, set_fpu),
	MVM_IOCTL(KVM_GET_XSAVE, get_xsave),
	MVM_IOCTL(KVM_SET_XSAVE, set_xsave),
	MVM_IOCTL(KVM_GET_XCRS, get_xcrs),
	MVM_IOCTL(KVM_SET_XCRS, set_xcrs),
	MVM_IOCTL(KVM_SET_CPUID2, set_cpuid2),
	MVM_IOCTL(KVM_GET_CPUID2, get_cpuid2),
	MVM_IOCTL(KVM_GET_LAPIC, get_lapic),
	MVM_IOCTL(KVM_SET_LAPIC, set_lapic),
	MVM_IOCTL(KVM_GET_MP_STATE, get_mp_state),
	MVM_IOCTL(KVM_SET_MP_STATE, set_mp_state),
	MVM_IOCTL(KVM_GET_VCPU_EVENTS, get_vcpu_events),
	MVM_IOCTL(KVM_SET_VCPU_EVENTS, set_vcpu_events),
	MVM_IOCTL(KVM_GET_DEBUGREGS, get_debugregs),
	MVM_IOCTL(KVM_SET_DEBUGREGS, set_debugregs),
	MVM_IOCTL(KVM_SET_GUEST_DEBUG, set_guest_debug),
	MVM_IOCTL(KVM_GET_TSC_KHZ, get_tsc_khz),
	MVM_IOCTL(KVM_SET_TSC_KHZ, set_tsc_khz),
};

const size_t mvm_nr_vcpu_state_ioctls = ARRAY_SIZE(mvm_vcpu_state_ioctls);
