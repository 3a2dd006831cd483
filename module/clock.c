// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest time: the TSC offset and KVM's paravirtual clock (kvmclock).
 *
 * Where the host's TSC is stable kvmclock is a function of it alone: the TSC since
 * the VM's creation, scaled by tsc_khz, plus an offset that KVM_SET_CLOCK moves. So
 * every vCPU's page says the same for ever and may carry the stable bit; nothing
 * is refreshed but for KVM_SET_CLOCK, a write to the guest's TSC, a new page, and after
 * the host slept. The host's TSC is mvm_host_tsc() throughout: sleep does not set it back.
 * Elsewhere each refresh takes a new pair of (TSC, boot time), without the stable
 * bit, and the guest itself keeps its clock from going back.
 *
 * vm->kvmclock_offset is written under vm->lock; pages are written by the vCPU's
 * own thread on MVM_REQ_CLOCK.
 */
#include <linux/ktime.h>
#include <linux/timekeeping.h>

#include <asm/kvm_para.h>
#include <asm/pvclock.h>
#include <asm/tsc.h>

#include "exit.h"
#include "hw.h"
#include "irqchip/irqchip.h"
#include "mmu/mmu.h"

/**
 * struct clock_scale - TSC ticks to nanoseconds as pvclock_scale_delta() takes it
 * @mul: 32-bit binary fraction, at least one half
 * @shift: left shift of the ticks first; negative = right
 */
struct clock_scale {
	u32 mul;
	s8 shift;
};

static struct clock_scale clock_scale(u32 khz)
{
	struct clock_scale scale = {};
	u64 ns = NSEC_PER_MSEC, ticks = khz; /* a tick lasts ns / ticks */

	while (ns >= ticks) {
		ticks <<= 1;
		scale.shift++;
	}
	while (2 * ns < ticks) {
		ns <<= 1;
		scale.shift--;
	}
	scale.mul = div64_u64(ns << 32, ticks);
	return scale;
}

/* kvmclock when the VM's TSC was 0, for a VM with clock_by_tsc: the host's sleep counts. */
static u64 clock_offset(struct mvm_vm *vm)
{
	return READ_ONCE(vm->kvmclock_offset) + mvm_hw_slept_ns;
}

/* kvmclock as the TSC gives it, for such a VM. */
static u64 clock_at_tsc(struct mvm_vm *vm, u64 tsc)
{
	struct clock_scale scale = clock_scale(tsc_khz ?: 1);
	u64 delta = tsc > vm->tsc_base ? tsc - vm->tsc_base : 0;

	return pvclock_scale_delta(delta, scale.mul, scale.shift) + clock_offset(vm);
}

/* kvmclock now, and the TSC it belongs to. */
static u64 clock_now(struct mvm_vm *vm, u64 *tsc)
{
	if (!vm->clock_by_tsc)
		return mvm_hw_clock_pair(ktime_get_boottime_ns, tsc) +
		       READ_ONCE(vm->kvmclock_offset);
	*tsc = mvm_host_tsc();
	return clock_at_tsc(vm, *tsc);
}

static bool clock_is_stable(struct mvm_vm *vm)
{
	return vm->clock_by_tsc && !check_tsc_unstable();
}

/**
 * mvm_clock_vm_init() - TSC and kvmclock of a new VM start at 0
 * @vm: the VM
 */
void mvm_clock_vm_init(struct mvm_vm *vm)
{
	vm->clock_by_tsc = !check_tsc_unstable();
	vm->kvmclock_offset = -(vm->clock_by_tsc ? mvm_hw_slept_ns : ktime_get_boottime_ns());
	vm->tsc_base = mvm_host_tsc();
	vm->tsc.offset = -vm->tsc_base;
}

/**
 * mvm_clock_vcpu_init() - a new vCPU's TSC is in step with those there are
 * @vcpu: the vCPU
 *
 * It takes vm->tsc.offset, whatever userspace set their TSC to.
 * Context: its creation, vm->lock held.
 */
void mvm_clock_vcpu_init(struct mvm_vcpu *vcpu)
{
	WRITE_ONCE(vcpu->tsc_offset, READ_ONCE(vcpu->vm->tsc.offset));
	vcpu->dirty |= MVM_STATE_TSC;
}

/* --------------------------------------------------------------- guest TSC */

/**
 * mvm_clock_read_tsc() - the guest's TSC now. Context: any
 * @vcpu: the vCPU
 */
u64 mvm_clock_read_tsc(struct mvm_vcpu *vcpu)
{
	return mvm_host_tsc() + READ_ONCE(vcpu->tsc_offset);
}

/* What hangs on the TSC follows: the clock page and a TSC-deadline timer. */
static void clock_set_offset(struct mvm_vcpu *vcpu, u64 offset)
{
	WRITE_ONCE(vcpu->tsc_offset, offset);
	vcpu->dirty |= MVM_STATE_TSC;
	mvm_vcpu_set_request(vcpu, MVM_REQ_CLOCK);
	mvm_lapic_rearm(vcpu);
}

/**
 * mvm_clock_move_tsc() - add to the guest's TSC, to the cycle
 * @vcpu: the vCPU
 * @delta: how much
 *
 * IA32_TSC_ADJUST is the caller's. Context: the vCPU's thread.
 */
void mvm_clock_move_tsc(struct mvm_vcpu *vcpu, u64 delta)
{
	clock_set_offset(vcpu, vcpu->tsc_offset + delta);
}

/*
 * Does a write of @tsc mean "be in step with the others"? Userspace sets the vCPUs'
 * TSCs one after the other, and each value is a little late. So, as with KVM: zero
 * does, and so does a value within a second of what the last one written has become.
 */
static bool clock_wants_step(struct mvm_vm *vm, u64 tsc, u64 host)
{
	u64 second = (u64)tsc_khz * MSEC_PER_SEC, now = host + vm->tsc.offset;

	if (!tsc)
		return true;
	return vm->tsc.set && tsc + second > now && tsc < now + second;
}

/**
 * mvm_clock_sync_tsc() - userspace sets the guest's TSC
 * @vcpu: the vCPU
 * @tsc: what it shall read, or what stands for being in step with the other vCPUs
 *
 * Context: the vCPU's thread.
 */
void mvm_clock_sync_tsc(struct mvm_vcpu *vcpu, u64 tsc)
{
	struct mvm_vm *vm = vcpu->vm;
	u64 host, offset;

	mutex_lock(&vm->lock);
	host = mvm_host_tsc();
	if (!clock_wants_step(vm, tsc, host))
		WRITE_ONCE(vm->tsc.offset, tsc - host);
	offset = vm->tsc.offset;
	vm->tsc.set = true;
	mutex_unlock(&vm->lock);
	clock_set_offset(vcpu, offset);
}

/**
 * mvm_clock_put() - the vCPU leaves its CPU, perhaps for another
 * @vcpu: the vCPU
 *
 * Where the host's TSCs may differ, mvm_clock_load() goes on from here.
 * Context: the vCPU's thread, preemption off.
 */
void mvm_clock_put(struct mvm_vcpu *vcpu)
{
	u64 tsc;

	if (likely(!check_tsc_unstable()))
		return;
	vcpu->put.ns = mvm_hw_clock_pair(ktime_get_boottime_ns, &tsc);
	vcpu->put.tsc = tsc + vcpu->tsc_offset;
}

/**
 * mvm_clock_load() - the vCPU comes to this CPU from another
 * @vcpu: the vCPU
 *
 * Nothing to do where the host's TSCs are one. Elsewhere the clock page is made anew.
 * The TSC stays as this CPU gives it where that fits the time that passed, to the
 * millisecond, and is not behind what the guest may have read; many TSCs that the
 * kernel distrusts are good still, and no clock is as fine. Else it goes on by that time.
 * Context: the vCPU's thread, preemption off.
 */
void mvm_clock_load(struct mvm_vcpu *vcpu)
{
	u64 now, tsc, passed;
	s64 off;

	if (likely(!check_tsc_unstable()))
		return;
	mvm_vcpu_set_request(vcpu, MVM_REQ_CLOCK);
	if (!vcpu->put.ns)
		return;
	now = mvm_hw_clock_pair(ktime_get_boottime_ns, &tsc);
	passed = mul_u64_u32_div(now - vcpu->put.ns, tsc_khz, NSEC_PER_MSEC);
	off = tsc + vcpu->tsc_offset - (vcpu->put.tsc + passed);
	if ((s64)(off + passed) < 0 || abs(off) > tsc_khz)
		clock_set_offset(vcpu, vcpu->tsc_offset - off);
}

/**
 * mvm_clock_host_slept() - the host slept to memory since the vCPU ran last
 * @vcpu: the vCPU
 *
 * Its TSC stood still where the host's was lost, and its paravirtual clock went on: the
 * hardware's offset, the clock page and a TSC-deadline timer are made anew.
 * Context: the vCPU's thread, preemption off.
 */
void mvm_clock_host_slept(struct mvm_vcpu *vcpu)
{
	vcpu->nr_sleeps = mvm_hw_nr_sleeps;
	vcpu->put.ns = 0; /* no measure of how long it was away from its CPU */
	clock_set_offset(vcpu, vcpu->tsc_offset);
}

/* ------------------------------------------------------------- guest pages */

/*
 * Both kinds of page start with a version: odd while the rest changes, so that a
 * reader in the guest tries again. It goes on from the one in the guest's memory: a reader
 * may have begun in another VM, that this one's state was saved from. A page outside
 * memory is the guest's own loss.
 */
static void clock_publish(struct mvm_vm *vm, gpa_t gpa, const void *page, size_t size)
{
	u32 version;

	if (mvm_gpa_read(vm, gpa, &version, sizeof(version)))
		return;
	version = (version + 1) | 1;
	if (mvm_gpa_write(vm, gpa, &version, sizeof(version)))
		return;
	smp_wmb(); /* pairs with the guest's read barrier: version, then contents */
	if (mvm_gpa_write(vm, gpa + sizeof(version), page + sizeof(version),
			  size - sizeof(version)))
		return;
	smp_wmb(); /* contents, then version */
	version++;
	mvm_gpa_write(vm, gpa, &version, sizeof(version));
}

/**
 * mvm_clock_update() - MVM_REQ_CLOCK: write the vCPU's clock page
 * @vcpu: the vCPU
 *
 * Context: the vCPU's thread, may sleep.
 */
void mvm_clock_update(struct mvm_vcpu *vcpu)
{
	struct clock_scale scale = clock_scale(tsc_khz ?: 1);
	struct pvclock_vcpu_time_info page = {};
	struct mvm_vm *vm = vcpu->vm;
	gpa_t gpa = vcpu->pvclock_msr & ~(u64)KVM_MSR_ENABLED;
	u8 flags = 0;
	u64 tsc;

	if (!(vcpu->pvclock_msr & KVM_MSR_ENABLED))
		return;
	/* What the guest has not acknowledged yet stays. */
	mvm_gpa_read(vm, gpa + offsetof(struct pvclock_vcpu_time_info, flags), &flags, 1);
	page.flags = flags & PVCLOCK_GUEST_STOPPED;
	if (vcpu->pvclock_stopped)
		page.flags |= PVCLOCK_GUEST_STOPPED;
	vcpu->pvclock_stopped = false;
	if (vm->clock_by_tsc) {
		tsc = vm->tsc_base;
		page.system_time = clock_offset(vm);
	} else {
		page.system_time = clock_now(vm, &tsc);
	}
	page.tsc_timestamp = tsc + vcpu->tsc_offset;
	page.tsc_to_system_mul = scale.mul;
	page.tsc_shift = scale.shift;
	if (clock_is_stable(vm))
		page.flags |= PVCLOCK_TSC_STABLE_BIT;
	clock_publish(vm, gpa, &page, sizeof(page));
}

/**
 * mvm_clock_stopped() - KVM_KVMCLOCK_CTRL: userspace had stopped the guest
 * @vcpu: the vCPU
 *
 * The guest's watchdogs look at the flag. Context: the vCPU's thread.
 * Return: 0, or -EINVAL: the guest has no paravirtual clock.
 */
int mvm_clock_stopped(struct mvm_vcpu *vcpu)
{
	if (!(vcpu->pvclock_msr & KVM_MSR_ENABLED))
		return -EINVAL;
	vcpu->pvclock_stopped = true;
	mvm_vcpu_set_request(vcpu, MVM_REQ_CLOCK);
	return 0;
}

/* The wall clock at kvmclock zero: the guest adds kvmclock to it. */
static void clock_write_wall(struct mvm_vm *vm, gpa_t gpa)
{
	struct pvclock_wall_clock page = {};
	u64 tsc, real, boot;

	real = mvm_hw_clock_pair(ktime_get_real_ns, &tsc);
	boot = real - (vm->clock_by_tsc ? clock_at_tsc(vm, tsc) : clock_now(vm, &tsc));
	page.sec = div_u64(boot, NSEC_PER_SEC);
	page.nsec = boot - (u64)page.sec * NSEC_PER_SEC;
	clock_publish(vm, gpa, &page, sizeof(page));
}

/**
 * mvm_clock_msr_write() - the paravirtual clock's MSRs, by their old and new numbers
 * @vcpu: the vCPU
 * @index: MSR number
 * @data: its value
 *
 * Context: the vCPU's thread; may sleep (the wall clock is written at once).
 * Return: 0; 1 where the MSR is not one of them.
 */
int mvm_clock_msr_write(struct mvm_vcpu *vcpu, u32 index, u64 data)
{
	switch (index) {
	case MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_SYSTEM_TIME_NEW:
		vcpu->pvclock_msr = data;
		mvm_vcpu_set_request(vcpu, MVM_REQ_CLOCK);
		return 0;
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_WALL_CLOCK_NEW:
		WRITE_ONCE(vcpu->vm->pv.wall_clock_msr, data);
		if (data)
			clock_write_wall(vcpu->vm, data);
		return 0;
	default:
		return 1;
	}
}

/**
 * mvm_clock_msr_read() - the paravirtual clock's MSRs, by their old and new numbers
 * @vcpu: the vCPU
 * @index: MSR number
 * @data: its value
 *
 * Context: the vCPU's thread; does not sleep.
 * Return: 0; 1 where the MSR is not one of them.
 */
int mvm_clock_msr_read(struct mvm_vcpu *vcpu, u32 index, u64 *data)
{
	switch (index) {
	case MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_SYSTEM_TIME_NEW:
		*data = vcpu->pvclock_msr;
		return 0;
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_WALL_CLOCK_NEW:
		*data = READ_ONCE(vcpu->vm->pv.wall_clock_msr);
		return 0;
	default:
		return 1;
	}
}

/* ------------------------------------------------------------------ ioctls */

/**
 * mvm_clock_get() - KVM_GET_CLOCK
 * @vm: the VM
 * @data: the result
 *
 * With a stable TSC clock, host TSC and real time belong to one moment.
 */
int mvm_clock_get(struct mvm_vm *vm, struct kvm_clock_data *data)
{
	u64 tsc;

	memset(data, 0, sizeof(*data));
	if (!clock_is_stable(vm)) {
		data->clock = clock_now(vm, &tsc);
		return 0;
	}
	data->realtime = mvm_hw_clock_pair(ktime_get_real_ns, &tsc);
	data->host_tsc = tsc - mvm_hw_tsc_lost; /* as RDTSC reads it */
	data->clock = clock_at_tsc(vm, tsc);
	data->flags = MVM_CLOCK_FLAGS;
	return 0;
}

/**
 * mvm_clock_set() - KVM_SET_CLOCK
 * @vm: the VM
 * @data: clock and flags
 *
 * With KVM_CLOCK_REALTIME the real time that passed since data->realtime is
 * added. Return: 0; -EINVAL for unknown flags.
 */
int mvm_clock_set(struct mvm_vm *vm, const struct kvm_clock_data *data)
{
	u64 want = data->clock, tsc, real;
	struct mvm_vcpu *vcpu;
	int i;

	if (data->flags & ~MVM_CLOCK_FLAGS)
		return -EINVAL;
	if (data->flags & KVM_CLOCK_REALTIME) {
		real = ktime_get_real_ns();
		if (real > data->realtime)
			want += real - data->realtime;
	}
	mutex_lock(&vm->lock);
	WRITE_ONCE(vm->kvmclock_offset, vm->kvmclock_offset + want - clock_now(vm, &tsc));
	mvm_for_each_vcpu(i, vcpu, vm)
		mvm_vcpu_request(vcpu, MVM_REQ_CLOCK);
	mutex_unlock(&vm->lock);
	return 0;
}
