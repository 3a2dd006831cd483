// SPDX-License-Identifier: GPL-2.0-only
/*
 * irqfd: an eventfd that raises a GSI, with no thread of the launcher between.
 *
 * The eventfd calls from its own wait queue, in any context, with that queue's lock
 * held and interrupts off; an injection takes raw locks alone, so that it happens there.
 * A resampling irqfd holds its line up until the guest's end of interrupt, and then
 * signals a second eventfd: the device behind it raises the line again if it must.
 *
 * An irqfd ends by KVM_IRQFD_FLAG_DEASSIGN, with the VM's file, or when its eventfd
 * is closed. The last of these comes with the eventfd's lock held: then a work of the
 * VM removes it. Leaving the wait queue waits for a call that is under way, so that
 * afterwards nothing reaches the irqfd any more.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "chips.h"

/**
 * struct mvm_irqfd - one eventfd and the GSI it raises
 * @vm: the VM
 * @gsi: which GSI
 * @link: in vm->irqfds, under vm->irq_setup_lock
 * @eventfd: signalled by the device
 * @wait: in the eventfd's wait queue
 * @poll: how it gets there
 * @hung_up: the eventfd was closed: to be removed
 * @resampler: what this GSI's resampling irqfds share; NULL for an edge
 * @resamplefd: signalled at the guest's end of interrupt
 * @resample_link: in @resampler, changed under vm->irq_setup_lock, read under vm->irq_srcu
 */
struct mvm_irqfd {
	struct mvm_vm *vm;
	u32 gsi;
	struct list_head link;
	struct eventfd_ctx *eventfd;
	wait_queue_entry_t wait;
	poll_table poll;
	bool hung_up;
	struct mvm_resampler *resampler;
	struct eventfd_ctx *resamplefd;
	struct list_head resample_link;
};

/* The resampling irqfds of one GSI; in vm->resamplers by it. */
struct mvm_resampler {
	struct list_head irqfds;
};

static void irqfd_inject(struct mvm_irqfd *irqfd)
{
	if (irqfd->resampler) {
		mvm_irq_set_gsi(irqfd->vm, irqfd->gsi, MVM_SOURCE_RESAMPLE, true);
		return;
	}
	mvm_irq_set_gsi(irqfd->vm, irqfd->gsi, MVM_SOURCE_USER, true);
	mvm_irq_set_gsi(irqfd->vm, irqfd->gsi, MVM_SOURCE_USER, false);
}

/* The eventfd was signalled or closed. Its wait queue's lock is held, interrupts off. */
static int irqfd_wakeup(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct mvm_irqfd *irqfd = container_of(wait, struct mvm_irqfd, wait);
	__poll_t events = key_to_poll(key);
	u64 count;

	if (events & EPOLLHUP) {
		WRITE_ONCE(irqfd->hung_up, true);
		schedule_work(&irqfd->vm->irqfd_reaper);
	}
	if (!(events & EPOLLIN))
		return 0;
	eventfd_ctx_do_read(irqfd->eventfd, &count);
	irqfd_inject(irqfd);
	return 1; /* consumed: nobody else needs to wake up for it */
}

static void irqfd_queue(struct file *file, wait_queue_head_t *wqh, poll_table *poll)
{
	struct mvm_irqfd *irqfd = container_of(poll, struct mvm_irqfd, poll);

	add_wait_queue_priority(wqh, &irqfd->wait);
}

/* ---------------------------------------------------------------- resampling */

/**
 * mvm_irqfd_resample() - the guest ended an interrupt on a GSI
 * @vm: the VM
 * @gsi: which
 *
 * vm->irq_srcu held, vm->irq_lock not: a resample eventfd may itself be an irqfd's.
 */
void mvm_irqfd_resample(struct mvm_vm *vm, u32 gsi)
{
	struct mvm_resampler *resampler = xa_load(&vm->resamplers, gsi);
	struct mvm_irqfd *irqfd;

	if (!resampler)
		return;
	list_for_each_entry_srcu(irqfd, &resampler->irqfds, resample_link,
				 srcu_read_lock_held(&vm->irq_srcu))
		mvm_eventfd_signal(irqfd->resamplefd);
}

/* vm->irq_setup_lock held, as in all that follows. */
static int resampler_join(struct mvm_irqfd *irqfd)
{
	struct mvm_vm *vm = irqfd->vm;
	struct mvm_resampler *resampler = xa_load(&vm->resamplers, irqfd->gsi);
	int err;

	if (!resampler) {
		resampler = kzalloc(sizeof(*resampler), GFP_KERNEL_ACCOUNT);
		if (!resampler)
			return -ENOMEM;
		INIT_LIST_HEAD(&resampler->irqfds);
		err = xa_err(xa_store(&vm->resamplers, irqfd->gsi, resampler, GFP_KERNEL_ACCOUNT));
		if (err) {
			kfree(resampler);
			return err;
		}
	}
	list_add_rcu(&irqfd->resample_link, &resampler->irqfds);
	irqfd->resampler = resampler;
	return 0;
}

static void resampler_leave(struct mvm_irqfd *irqfd)
{
	struct mvm_resampler *resampler = irqfd->resampler;
	struct mvm_vm *vm = irqfd->vm;
	bool last;

	list_del_rcu(&irqfd->resample_link);
	last = list_empty(&resampler->irqfds);
	if (last)
		xa_erase(&vm->resamplers, irqfd->gsi);
	synchronize_srcu_expedited(&vm->irq_srcu);
	if (!last)
		return;
	mvm_irq_set_gsi(vm, irqfd->gsi, MVM_SOURCE_RESAMPLE, false);
	kfree(resampler);
}

/* ------------------------------------------------------------------ lifetime */

static void irqfd_free(struct mvm_irqfd *irqfd)
{
	if (irqfd->resamplefd)
		eventfd_ctx_put(irqfd->resamplefd);
	eventfd_ctx_put(irqfd->eventfd);
	kfree(irqfd);
}

static void irqfd_remove(struct mvm_irqfd *irqfd)
{
	u64 count;

	list_del(&irqfd->link);
	eventfd_ctx_remove_wait_queue(irqfd->eventfd, &irqfd->wait, &count);
	if (irqfd->resampler)
		resampler_leave(irqfd);
	irqfd_free(irqfd);
}

static void irqfd_reap(struct work_struct *work)
{
	struct mvm_vm *vm = container_of(work, struct mvm_vm, irqfd_reaper);
	struct mvm_irqfd *irqfd, *next;

	mutex_lock(&vm->irq_setup_lock);
	list_for_each_entry_safe(irqfd, next, &vm->irqfds, link)
		if (READ_ONCE(irqfd->hung_up))
			irqfd_remove(irqfd);
	mutex_unlock(&vm->irq_setup_lock);
}

/**
 * mvm_irqfd_vm_init() - a new VM has no irqfds
 * @vm: the VM
 */
void mvm_irqfd_vm_init(struct mvm_vm *vm)
{
	INIT_LIST_HEAD(&vm->irqfds);
	xa_init(&vm->resamplers);
	INIT_WORK(&vm->irqfd_reaper, irqfd_reap);
}

/**
 * mvm_irqfd_release() - the VM's file is closed: nobody could deassign them any more
 * @vm: the VM
 */
void mvm_irqfd_release(struct mvm_vm *vm)
{
	struct mvm_irqfd *irqfd, *next;

	mutex_lock(&vm->irq_setup_lock);
	list_for_each_entry_safe(irqfd, next, &vm->irqfds, link)
		irqfd_remove(irqfd);
	mutex_unlock(&vm->irq_setup_lock);
	/* With the wait queues left behind none can be scheduled again. */
	cancel_work_sync(&vm->irqfd_reaper);
	xa_destroy(&vm->resamplers);
}

/* -------------------------------------------------------------------- ioctl */

static struct mvm_irqfd *irqfd_alloc(struct mvm_vm *vm, const struct kvm_irqfd *args,
				     struct file *file)
{
	struct mvm_irqfd *irqfd = kzalloc(sizeof(*irqfd), GFP_KERNEL_ACCOUNT);
	struct eventfd_ctx *ctx;

	if (!irqfd)
		return ERR_PTR(-ENOMEM);
	irqfd->vm = vm;
	irqfd->gsi = args->gsi;
	ctx = eventfd_ctx_fileget(file);
	if (IS_ERR(ctx))
		goto err_free;
	irqfd->eventfd = ctx;
	if (!(args->flags & KVM_IRQFD_FLAG_RESAMPLE))
		return irqfd;
	ctx = eventfd_ctx_fdget(args->resamplefd);
	if (IS_ERR(ctx))
		goto err_put;
	irqfd->resamplefd = ctx;
	return irqfd;

err_put:
	eventfd_ctx_put(irqfd->eventfd);
err_free:
	kfree(irqfd);
	return ERR_CAST(ctx);
}

/* One eventfd raises one GSI of a VM. */
static bool irqfd_is_taken(const struct mvm_irqfd *irqfd)
{
	const struct mvm_irqfd *other;

	list_for_each_entry(other, &irqfd->vm->irqfds, link)
		if (other->eventfd == irqfd->eventfd)
			return true;
	return false;
}

/* @file is held: the eventfd cannot be closed meanwhile. */
static int irqfd_add(struct mvm_irqfd *irqfd, struct file *file)
{
	int err = 0;

	if (irqfd_is_taken(irqfd))
		return -EBUSY;
	if (irqfd->resamplefd)
		err = resampler_join(irqfd);
	if (err)
		return err;
	list_add_tail(&irqfd->link, &irqfd->vm->irqfds);
	init_waitqueue_func_entry(&irqfd->wait, irqfd_wakeup);
	init_poll_funcptr(&irqfd->poll, irqfd_queue);
	/* Signalled before it was ours: that counts, too. */
	if (vfs_poll(file, &irqfd->poll) & EPOLLIN)
		irqfd_inject(irqfd);
	return 0;
}

static int irqfd_assign(struct mvm_vm *vm, const struct kvm_irqfd *args)
{
	struct mvm_irqfd *irqfd;
	struct file *file;
	int err;

	file = fget(args->fd);
	if (!file)
		return -EBADF;
	irqfd = irqfd_alloc(vm, args, file);
	if (IS_ERR(irqfd)) {
		err = PTR_ERR(irqfd);
		goto out_put;
	}
	mutex_lock(&vm->irq_setup_lock);
	err = irqfd_add(irqfd, file);
	mutex_unlock(&vm->irq_setup_lock);
	if (err)
		irqfd_free(irqfd);
out_put:
	fput(file);
	return err;
}

static int irqfd_deassign(struct mvm_vm *vm, const struct kvm_irqfd *args)
{
	struct eventfd_ctx *eventfd = eventfd_ctx_fdget(args->fd);
	struct mvm_irqfd *irqfd, *next;

	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	mutex_lock(&vm->irq_setup_lock);
	list_for_each_entry_safe(irqfd, next, &vm->irqfds, link)
		if (irqfd->eventfd == eventfd && irqfd->gsi == args->gsi)
			irqfd_remove(irqfd);
	mutex_unlock(&vm->irq_setup_lock);
	eventfd_ctx_put(eventfd);
	return 0;
}

/**
 * mvm_irqfd_set() - KVM_IRQFD
 * @vm: the VM
 * @args: which eventfd, which GSI, flags
 *
 * Removing what is not there is no error. Return: 0; -EINVAL: no irqchip (for a
 * resampling one: no I/O APIC in the kernel), flags, not an eventfd; -EBADF; -EBUSY: the
 * eventfd raises a GSI already; -ENOMEM.
 */
int mvm_irqfd_set(struct mvm_vm *vm, const struct kvm_irqfd *args)
{
	if (args->flags & ~(KVM_IRQFD_FLAG_DEASSIGN | KVM_IRQFD_FLAG_RESAMPLE))
		return mvm_fail(&vm->reason, -EINVAL, "KVM_IRQFD: unknown flags %#x", args->flags);
	if (args->flags & KVM_IRQFD_FLAG_DEASSIGN)
		return irqfd_deassign(vm, args);
	if (!mvm_irqchip_in_kernel(vm))
		return mvm_fail(&vm->reason, -EINVAL, "KVM_IRQFD needs an in-kernel irqchip");
	if ((args->flags & KVM_IRQFD_FLAG_RESAMPLE) && !mvm_pic_in_kernel(vm))
		return mvm_fail(&vm->reason, -EINVAL,
				"a resampling irqfd needs the I/O APIC in the kernel: the irqchip is split");
	return irqfd_assign(vm, args);
}
