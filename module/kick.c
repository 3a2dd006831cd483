// SPDX-License-Identifier: GPL-2.0-only
/*
 * How others reach a vCPU: requests, kicks and waiting for their effect, INIT and
 * start-up signals, and giving it the CPU.
 *
 * The other side of the protocol is run_once() in run.c: the requester sets a bit, then
 * reads the mode; the vCPU sets its mode, then reads the bits.
 */
#include <linux/percpu.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/smp.h>

#include "backend.h"
#include "vcpu.h"

/**
 * mvm_vcpu_kick() - wake a halted vCPU, force a running one out of the guest; does not wait
 * @vcpu: the vCPU; what it shall find has been written before
 *
 * Context: any, also interrupts and with raw spinlocks held.
 */
void mvm_vcpu_kick(struct mvm_vcpu *vcpu)
{
	int cpu;

	if (swq_has_sleeper(&vcpu->wq))
		swake_up_one(&vcpu->wq);

	preempt_disable();
	smp_mb__before_atomic(); /* the request before the mode; pairs with run_once() */
	/* Who moves the mode on sends the IPI: one is enough for many kicks. */
	if (cmpxchg(&vcpu->mode, MVM_IN_GUEST, MVM_KICKED) == MVM_IN_GUEST) {
		/* Another number than the mode's was read: then the vCPU saw the request. */
		cpu = READ_ONCE(vcpu->cpu);
		if (cpu != smp_processor_id() && (unsigned int)cpu < nr_cpu_ids && cpu_online(cpu))
			(smp_ops.smp_send_reschedule)(cpu);
	}
	preempt_enable();
}

/**
 * mvm_vcpu_request() - ask something of a vCPU and make it look
 * @vcpu: the vCPU
 * @req: what
 *
 * Wakes a halted vCPU and forces a running one out of the guest; does not wait.
 * Context: any, also interrupts and with raw spinlocks held.
 */
void mvm_vcpu_request(struct mvm_vcpu *vcpu, enum mvm_request req)
{
	mvm_vcpu_set_request(vcpu, req);
	mvm_vcpu_kick(vcpu);
}

/**
 * mvm_vcpu_note_thread() - let others find the thread that runs the vCPU: this one
 * @vcpu: the vCPU; vcpu->lock held
 *
 * Keeps a reference to its pid until another thread's takes its place, or the vCPU's end.
 */
void mvm_vcpu_note_thread(struct mvm_vcpu *vcpu)
{
	struct pid *old = vcpu->pid;

	if (likely(old == task_pid(current)))
		return;
	spin_lock(&vcpu->pid_lock);
	vcpu->pid = get_pid(task_pid(current));
	spin_unlock(&vcpu->pid_lock);
	put_pid(old);
}

/* Give the CPU to the target's thread: > 0 it got it, -ESRCH there is nobody to give way to. */
static int yield_to_vcpu(struct mvm_vcpu *target)
{
	struct task_struct *task;
	int ret;

	spin_lock(&target->pid_lock);
	task = get_pid_task(target->pid, PIDTYPE_PID);
	spin_unlock(&target->pid_lock);
	if (!task)
		return 0;
	ret = yield_to(task, true);
	put_task_struct(task);
	return ret;
}

/**
 * mvm_vcpu_yield_to() - give this thread's CPU to the thread that runs another vCPU
 * @target: that vCPU
 *
 * Context: may sleep.
 * Return: true: it may have got it; false: nobody runs it, it does not wait for a CPU, or the
 * scheduler declined.
 */
bool mvm_vcpu_yield_to(struct mvm_vcpu *target)
{
	return yield_to_vcpu(target) > 0;
}

/* Could it use a CPU? A halted one sleeps; one in the guest has a CPU. */
static bool is_waiting_for_cpu(struct mvm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->mode) == MVM_OUTSIDE_GUEST && !swait_active(&vcpu->wq);
}

/**
 * mvm_vcpu_on_spin() - the guest spins: let another vCPU run
 * @vcpu: which one spins
 *
 * Whoever holds what the guest spins for may be a vCPU that lost its CPU. Which one is
 * unknown: each in turn, so that every vCPU comes to run however long this one spins.
 * Context: the vCPU's thread; may sleep.
 */
void mvm_vcpu_on_spin(struct mvm_vcpu *vcpu)
{
	struct mvm_vm *vm = vcpu->vm;
	int n = mvm_nr_vcpus(vm), i, ret, next;

	for (i = 0; i < n; i++) {
		next = (READ_ONCE(vm->last_boosted) + 1) % n;
		WRITE_ONCE(vm->last_boosted, next);
		if (vm->vcpus[next] == vcpu || !is_waiting_for_cpu(vm->vcpus[next]))
			continue;
		ret = yield_to_vcpu(vm->vcpus[next]);
		if (ret > 0 || ret == -ESRCH)
			return;
	}
}

/**
 * mvm_vcpu_init_signal() - INIT for a vCPU: a start-up IPI from before it is void
 * @vcpu: the vCPU
 *
 * Context: any.
 */
void mvm_vcpu_init_signal(struct mvm_vcpu *vcpu)
{
	atomic_long_andnot(BIT(MVM_REQ_SIPI), &vcpu->requests);
	mvm_vcpu_request(vcpu, MVM_REQ_INIT);
}

/**
 * mvm_vcpu_startup_signal() - a start-up IPI, which counts on a vCPU that waits for one
 * @vcpu: the vCPU
 * @vector: number of the page where it is to start
 *
 * Context: any.
 */
void mvm_vcpu_startup_signal(struct mvm_vcpu *vcpu, u8 vector)
{
	WRITE_ONCE(vcpu->sipi_vector, vector);
	smp_wmb(); /* the vector before the request; pairs with mvm_vcpu_accept_init() */
	mvm_vcpu_request(vcpu, MVM_REQ_SIPI);
}

/* By calling CPU: those it has to wait for. Only with preemption off, not from interrupts. */
static cpumask_t __percpu *kick_masks;

/**
 * mvm_kick_module_init() - allocate what mvm_vm_request_sync() needs on each CPU
 *
 * Context: module load; may sleep.
 * Return: 0; -ENOMEM.
 */
int mvm_kick_module_init(void)
{
	kick_masks = alloc_percpu(cpumask_t);
	return kick_masks ? 0 : -ENOMEM;
}

/**
 * mvm_kick_module_exit() - reverse of mvm_kick_module_init()
 *
 * Context: module unload, no VM is left.
 */
void mvm_kick_module_exit(void)
{
	free_percpu(kick_masks);
}

/* The IPI itself took the CPU out of the guest: nothing is left to do. */
static void acknowledge(void *unused)
{
}

/**
 * mvm_vm_request_sync() - request on every vCPU, and wait until none is in the guest
 * @vm: the VM
 * @req: what
 *
 * On return each vCPU either has not entered since the call began or will see
 * the request before it enters again. Context: interrupts on; may be called where
 * sleeping is forbidden (MMU notifiers), not from interrupts.
 */
void mvm_vm_request_sync(struct mvm_vm *vm, enum mvm_request req)
{
	struct mvm_vcpu *vcpu;
	cpumask_t *mask;
	int i, cpu;

	mvm_for_each_vcpu(i, vcpu, vm)
		mvm_vcpu_set_request(vcpu, req);

	smp_mb(); /* the requests before the modes; pairs with smp_store_mb() in run_once() */
	preempt_disable();
	mask = this_cpu_ptr(kick_masks);
	cpumask_clear(mask);
	mvm_for_each_vcpu(i, vcpu, vm) {
		cpu = READ_ONCE(vcpu->cpu);
		if (READ_ONCE(vcpu->mode) != MVM_OUTSIDE_GUEST && (unsigned int)cpu < nr_cpu_ids)
			cpumask_set_cpu(cpu, mask);
	}
	smp_call_function_many(mask, acknowledge, NULL, true); /* not on this CPU */
	preempt_enable();
}
