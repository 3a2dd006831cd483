// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vCPU's state ioctls, and the same state in kvm_run. The rules behind them are
 * regs.c's, fpu.c's, event.c's and the policy tables'.
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

/* The general registers, RSP among them, in the order of struct kvm_regs, which they begin. */
static const u8 regs_order[MVM_NR_GPRS] = {
	MVM_RAX, MVM_RBX, MVM_RCX, MVM_RDX, MVM_RSI, MVM_RDI, MVM_RSP, MVM_RBP,
	MVM_R8,	 MVM_R9,  MVM_R10, MVM_R11, MVM_R12, MVM_R13, MVM_R14, MVM_R15,
};

static_assert(offsetof(struct kvm_regs, rip) == MVM_NR_GPRS * sizeof(u64));

static long get_regs(void *obj, void *data)
{
	struct mvm_vcpu *vcpu = obj;
	struct kvm_regs *regs = data;
	u64 *gpr = data;
	int i;

	mvm_state_get(vcpu, MVM_STATE_RIP);
	for (i = 0; i < MVM_NR_GPRS; i++)
		gpr[i] = vcpu->gpr[regs_order[i]];
	regs->rip = vcpu->rip;
	regs->rflags = vcpu->rflags;
	return 0;
}

static long set_regs(void *obj, void *data)
{
	struct mvm_vcpu *vcpu = obj;
	const struct kvm_regs *regs = data;
	const u64 *gpr = data;
	int i;

	mvm_state_modify(vcpu, MVM_STATE_RIP);
	for (i = 0; i < MVM_NR_GPRS; i++)
		vcpu->gpr[regs_order[i]] = gpr[i];
	vcpu->rip = regs->rip;
	vcpu->rflags = regs->rflags | X86_EFLAGS_FIXED;
	/* A new place to run from: what was raised at the old one is void. */
	vcpu->events.exception.pending = false;
	return 0;
}

static long get_sregs(void *obj, void *data)
{
	mvm_get_sregs(obj, data);
	return 0;
}

static long set_sregs(void *obj, void *data)
{
	return mvm_set_sregs(obj, data);
}

static long get_debugregs(void *obj, void *data)
{
	struct mvm_vcpu *vcpu = obj;
	struct kvm_debugregs *dbg = data;

	mvm_state_get(vcpu, MVM_STATE_DR);
	memcpy(dbg->db, vcpu->dr, sizeof(dbg->db));
	dbg->dr6 = vcpu->dr6;
	dbg->dr7 = vcpu->dr7;
	return 0;
}

static long set_debugregs(void *obj, void *data)
{
	struct mvm_vcpu *vcpu = obj;
	struct kvm_debugregs *dbg = data;

	if (dbg->flags || dbg->dr6 >> 32 || dbg->dr7 >> 32)
		return -EINVAL;
	mvm_state_modify(vcpu, MVM_STATE_DR);
	memcpy(vcpu->dr, dbg->db, sizeof(vcpu->dr));
	mvm_set_dr(vcpu, 6, dbg->dr6);
	mvm_set_dr(vcpu, 7, dbg->dr7);
	return 0;
}

static long set_guest_debug(void *obj, void *data)
{
	return mvm_set_guest_debug(obj, data);
}

/* -------------------------------------------------------------- FPU, XSAVE */

static long get_fpu(void *obj, void *data)
{
	mvm_fpu_get_fpu(obj, data);
	return 0;
}

static long set_fpu(void *obj, void *data)
{
	return mvm_fpu_set_fpu(obj, data);
}

static long get_xsave(void *obj, void *data)
{
	mvm_fpu_get_xsave(obj, data);
	return 0;
}

static long set_xsave(void *obj, void *data)
{
	return mvm_fpu_set_xsave(obj, data);
}

static long get_xcrs(void *obj, void *data)
{
	return mvm_fpu_get_xcrs(obj, data);
}

static long set_xcrs(void *obj, void *data)
{
	return mvm_fpu_set_xcrs(obj, data);
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
	struct mvm_vcpu *vcpu = obj;

	if (khz && khz != tsc_khz)
		return mvm_fail(&vcpu->reason, -EINVAL,
				"the guest's TSC runs at the host's %u kHz; %lu kHz is not possible",
				tsc_khz, khz);
	return 0;
}

/* --------------------------------------------------------------- interrupts */

static long get_lapic(void *obj, void *data)
{
	struct mvm_vcpu *vcpu = obj;

	return vcpu->lapic ? mvm_lapic_get_state(vcpu, data) : -EINVAL;
}

static long set_lapic(void *obj, void *data)
{
	struct mvm_vcpu *vcpu = obj;

	return vcpu->lapic ? mvm_lapic_set_state(vcpu, data) : -EINVAL;
}

static long interrupt(void *obj, void *data)
{
	const struct kvm_interrupt *irq = data;

	return mvm_user_interrupt(obj, irq->irq);
}

static long nmi(void *obj, unsigned long arg)
{
	mvm_queue_nmi(obj);
	return 0;
}

static long kvmclock_ctrl(void *obj, unsigned long arg)
{
	return mvm_clock_stopped(obj);
}

static long setup_mce(void *obj, void *data)
{
	return mvm_mce_setup(obj, *(u64 *)data);
}

static long set_mce(void *obj, void *data)
{
	return mvm_mce_inject(obj, data);
}

/* A page for the TPR of guests that were patched for it: not offered, and 0 turns it off. */
static long set_vapic_addr(void *obj, void *data)
{
	const struct kvm_vapic_addr *vapic = data;
	struct mvm_vcpu *vcpu = obj;

	return !vcpu->lapic || vapic->vapic_addr ? -EINVAL : 0;
}

static long get_mp_state(void *obj, void *data)
{
	struct mvm_vcpu *vcpu = obj;
	struct kvm_mp_state *state = data;

	mvm_vcpu_accept_init(vcpu);
	state->mp_state = vcpu->mp_state;
	return 0;
}

static long set_mp_state(void *obj, void *data)
{
	struct mvm_vcpu *vcpu = obj;
	const struct kvm_mp_state *state = data;

	switch (state->mp_state) {
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
	vcpu->mp_state = state->mp_state;
	/* Its vector comes with KVM_SET_VCPU_EVENTS. */
	if (state->mp_state == KVM_MP_STATE_SIPI_RECEIVED) {
		vcpu->mp_state = KVM_MP_STATE_INIT_RECEIVED;
		mvm_vcpu_set_request(vcpu, MVM_REQ_SIPI);
	}
	return 0;
}

static long get_vcpu_events(void *obj, void *data)
{
	mvm_get_vcpu_events(obj, data);
	return 0;
}

static long set_vcpu_events(void *obj, void *data)
{
	return mvm_set_vcpu_events(obj, data);
}

/* ------------------------------------------------------ registers in kvm_run */

/* KVM_CAP_SYNC_REGS: the groups that may travel in kvm_run.s, and their handlers. */
static const struct {
	u64 group;
	size_t offset, size;
	long (*get)(void *obj, void *data);
	long (*set)(void *obj, void *data);
} sync_rows[] = {
	{ KVM_SYNC_X86_REGS, offsetof(struct kvm_sync_regs, regs), sizeof(struct kvm_regs),
	  get_regs, set_regs },
	{ KVM_SYNC_X86_SREGS, offsetof(struct kvm_sync_regs, sregs), sizeof(struct kvm_sregs),
	  get_sregs, set_sregs },
	{ KVM_SYNC_X86_EVENTS, offsetof(struct kvm_sync_regs, events),
	  sizeof(struct kvm_vcpu_events), get_vcpu_events, set_vcpu_events },
};

static noinline long take_regs(struct mvm_vcpu *vcpu, u64 dirty)
{
	struct kvm_run *run = vcpu->run;
	struct kvm_sync_regs copy;
	long ret = 0;
	size_t i;

	/* Another thread may write to the page meanwhile: one reading of it is checked and used. */
	for (i = 0; i < ARRAY_SIZE(sync_rows) && !ret; i++) {
		if (!(dirty & sync_rows[i].group))
			continue;
		memcpy((void *)&copy + sync_rows[i].offset,
		       (void *)&run->s.regs + sync_rows[i].offset, sync_rows[i].size);
		ret = sync_rows[i].set(vcpu, (void *)&copy + sync_rows[i].offset);
		dirty &= ~sync_rows[i].group;
		WRITE_ONCE(run->kvm_dirty_regs, dirty);
	}
	return ret;
}

/**
 * mvm_sync_regs_in() - KVM_CAP_SYNC_REGS: take over what userspace changed in kvm_run.s
 * @vcpu: the vCPU; vcpu->lock held
 *
 * The groups of kvm_dirty_regs, whose bits are cleared one by one. May sleep.
 * Return: 0; -EINVAL for an unknown group, nothing has changed then; else the errno of a group's
 * ioctl, and the groups before it are done.
 */
long mvm_sync_regs_in(struct mvm_vcpu *vcpu)
{
	u64 dirty = READ_ONCE(vcpu->run->kvm_dirty_regs);

	if ((dirty | READ_ONCE(vcpu->run->kvm_valid_regs)) & ~(u64)KVM_SYNC_X86_VALID_FIELDS)
		return -EINVAL;
	return likely(!dirty) ? 0 : take_regs(vcpu, dirty);
}

/**
 * mvm_sync_regs_out() - at the end of KVM_RUN: the groups of kvm_valid_regs into kvm_run.s
 * @vcpu: the vCPU; vcpu->lock held
 */
void mvm_sync_regs_out(struct mvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	u64 valid = READ_ONCE(run->kvm_valid_regs);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sync_rows); i++)
		if (valid & sync_rows[i].group)
			sync_rows[i].get(vcpu, (void *)&run->s.regs + sync_rows[i].offset);
}

const struct mvm_ioctl mvm_vcpu_state_ioctls[] = {
	MVM_IOCTL_OUT(KVM_GET_REGS, struct kvm_regs, get_regs),
	MVM_IOCTL_IN(KVM_SET_REGS, struct kvm_regs, set_regs),
	MVM_IOCTL_OUT(KVM_GET_SREGS, struct kvm_sregs, get_sregs),
	MVM_IOCTL_IN(KVM_SET_SREGS, struct kvm_sregs, set_sregs),
	MVM_IOCTL(KVM_GET_MSRS, get_msrs),
	MVM_IOCTL(KVM_SET_MSRS, set_msrs),
	MVM_IOCTL_IN(KVM_INTERRUPT, struct kvm_interrupt, interrupt),
	MVM_IOCTL(KVM_NMI, nmi),
	MVM_IOCTL(KVM_KVMCLOCK_CTRL, kvmclock_ctrl),
	MVM_IOCTL_IN(KVM_X86_SETUP_MCE, u64, setup_mce),
	MVM_IOCTL_IN(KVM_X86_SET_MCE, struct kvm_x86_mce, set_mce),
	MVM_IOCTL_IN(KVM_SET_VAPIC_ADDR, struct kvm_vapic_addr, set_vapic_addr),
	MVM_IOCTL_OUT(KVM_GET_FPU, struct kvm_fpu, get_fpu),
	MVM_IOCTL_IN(KVM_SET_FPU, struct kvm_fpu, set_fpu),
	MVM_IOCTL_OUT(KVM_GET_XSAVE, struct kvm_xsave, get_xsave),
	MVM_IOCTL_IN(KVM_SET_XSAVE, struct kvm_xsave, set_xsave),
	MVM_IOCTL_OUT(KVM_GET_XCRS, struct kvm_xcrs, get_xcrs),
	MVM_IOCTL_IN(KVM_SET_XCRS, struct kvm_xcrs, set_xcrs),
	MVM_IOCTL(KVM_SET_CPUID2, set_cpuid2),
	MVM_IOCTL(KVM_GET_CPUID2, get_cpuid2),
	MVM_IOCTL_OUT(KVM_GET_LAPIC, struct kvm_lapic_state, get_lapic),
	MVM_IOCTL_IN(KVM_SET_LAPIC, struct kvm_lapic_state, set_lapic),
	MVM_IOCTL_OUT(KVM_GET_MP_STATE, struct kvm_mp_state, get_mp_state),
	MVM_IOCTL_IN(KVM_SET_MP_STATE, struct kvm_mp_state, set_mp_state),
	MVM_IOCTL_OUT(KVM_GET_VCPU_EVENTS, struct kvm_vcpu_events, get_vcpu_events),
	MVM_IOCTL_IN(KVM_SET_VCPU_EVENTS, struct kvm_vcpu_events, set_vcpu_events),
	MVM_IOCTL_OUT(KVM_GET_DEBUGREGS, struct kvm_debugregs, get_debugregs),
	MVM_IOCTL_IN(KVM_SET_DEBUGREGS, struct kvm_debugregs, set_debugregs),
	MVM_IOCTL_IN(KVM_SET_GUEST_DEBUG, struct kvm_guest_debug, set_guest_debug),
	MVM_IOCTL(KVM_GET_TSC_KHZ, get_tsc_khz),
	MVM_IOCTL(KVM_SET_TSC_KHZ, set_tsc_khz),
};

const size_t mvm_nr_vcpu_state_ioctls = ARRAY_SIZE(mvm_vcpu_state_ioctls);
