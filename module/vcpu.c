// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vCPU: its file, the run page's mapping, creation and dispatch.
 *
 * The object lives as long as its VM; the file holds a reference to the VM.
 * vcpu->lock serialises the ioctls, KVM_RUN included.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "backend.h"
#include "exit.h"
#include "fpu.h"
#include "ioctl.h"
#include "irqchip/irqchip.h"
#include "minivmm.h"
#include "stats.h"
#include "vcpu.h"

/*
 * KVM_SET_SIGNAL_MASK: a signal that is blocked but in KVM_RUN ends the call, and is still
 * pending afterwards; one that is blocked only there waits for the end of the call. The
 * caller's own mask is kept in real_blocked meanwhile, where the kernel looks for it: a
 * signal that is ignored stays queued for who waits for it.
 */
static void sigmask_enter(struct mvm_vcpu *vcpu)
{
	sigset_t set = vcpu->sigmask;

	if (vcpu->has_sigmask)
		sigprocmask(SIG_SETMASK, &set, &current->real_blocked);
}

static void sigmask_leave(struct mvm_vcpu *vcpu)
{
	if (!vcpu->has_sigmask)
		return;
	sigprocmask(SIG_SETMASK, &current->real_blocked, NULL);
	sigemptyset(&current->real_blocked);
}

static long vcpu_set_sigmask(void *obj, unsigned long arg)
{
	struct kvm_signal_mask __user *user = (void __user *)arg;
	struct mvm_vcpu *vcpu = obj;
	sigset_t set;
	u32 len;

	if (!user) {
		vcpu->has_sigmask = false;
		return 0;
	}
	if (get_user(len, &user->len))
		return -EFAULT;
	if (len != sizeof(set))
		return -EINVAL;
	if (copy_from_user(&set, user->sigset, sizeof(set)))
		return -EFAULT;
	sigdelsetmask(&set, sigmask(SIGKILL) | sigmask(SIGSTOP));
	vcpu->sigmask = set;
	vcpu->has_sigmask = true;
	return 0;
}

static long vcpu_run(void *obj, unsigned long arg)
{
	long ret;

	if (arg)
		return -EINVAL;
	sigmask_enter(obj);
	ret = mvm_vcpu_run(obj);
	sigmask_leave(obj);
	return ret;
}

static const struct mvm_ioctl vcpu_ioctls[] = {
	MVM_IOCTL(KVM_RUN, vcpu_run),
	MVM_IOCTL(KVM_SET_SIGNAL_MASK, vcpu_set_sigmask),
};

/* These do not wait for a running vCPU: no lock. */
static long vcpu_get_reason(void *obj, unsigned long arg)
{
	struct mvm_vcpu *vcpu = obj;

	if (READ_ONCE(vcpu->vm->dead) || vcpu->vm->mm != current->mm)
		return mvm_vm_get_reason(vcpu->vm, arg);
	return mvm_ioctl_get_reason(&vcpu->reason, arg);
}

static long vcpu_get_stats(void *obj, unsigned long arg)
{
	return mvm_stats_get(obj, arg);
}

static const struct mvm_ioctl vcpu_async_ioctls[] = {
	MVM_IOCTL(MINIVMM_GET_REASON, vcpu_get_reason),
	MVM_IOCTL(MINIVMM_GET_STATS, vcpu_get_stats),
};

static long vcpu_ioctl_locked(struct mvm_vcpu *vcpu, unsigned int cmd, unsigned long arg)
{
	long ret;

	ret = mvm_ioctl_dispatch(vcpu_ioctls, ARRAY_SIZE(vcpu_ioctls), vcpu, cmd, arg);
	if (ret == -ENOTTY)
		ret = mvm_ioctl_dispatch(mvm_vcpu_state_ioctls, mvm_nr_vcpu_state_ioctls, vcpu, cmd,
					 arg);
	return ret;
}

static long vcpu_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct mvm_vcpu *vcpu = filp->private_data;
	struct mvm_vm *vm = vcpu->vm;
	long ret;

	ret = mvm_ioctl_dispatch(vcpu_async_ioctls, ARRAY_SIZE(vcpu_async_ioctls), vcpu, cmd, arg);
	if (ret != -ENOTTY)
		return ret;
	if (vm->mm != current->mm || READ_ONCE(vm->dead))
		return -EIO;
	if (mutex_lock_killable(&vcpu->lock))
		return -EINTR;
	mvm_reason_clear(&vcpu->reason);
	ret = vcpu_ioctl_locked(vcpu, cmd, arg);
	mutex_unlock(&vcpu->lock);
	return ret;
}

static vm_fault_t vcpu_mmap_fault(struct vm_fault *vmf)
{
	struct mvm_vcpu *vcpu = vmf->vma->vm_file->private_data;
	struct page *page;

	switch (vmf->pgoff) {
	case 0:
		page = virt_to_page(vcpu->run);
		break;
	case 1:
		page = virt_to_page(vcpu->pio_page);
		break;
	default:
		return VM_FAULT_SIGBUS;
	}
	get_page(page);
	vmf->page = page;
	return 0;
}

static const struct vm_operations_struct vcpu_vm_ops = {
	.fault = vcpu_mmap_fault,
};

static int vcpu_mmap(struct file *filp, struct vm_area_struct *vma)
{
	if (vma->vm_pgoff + vma_pages(vma) > MVM_VCPU_MMAP_SIZE >> PAGE_SHIFT)
		return -EINVAL;
	/* Nobody runs code from these pages. */
	if (vma->vm_flags & VM_EXEC)
		return -EINVAL;
	vma->vm_ops = &vcpu_vm_ops;
	return 0;
}

static int vcpu_release(struct inode *inode, struct file *filp)
{
	struct mvm_vcpu *vcpu = filp->private_data;

	mvm_vm_put(vcpu->vm);
	return 0;
}

static const struct file_operations vcpu_fops = {
	.owner = THIS_MODULE,
	.release = vcpu_release,
	.unlocked_ioctl = vcpu_ioctl,
	.compat_ioctl = vcpu_ioctl,
	.mmap = vcpu_mmap,
	.llseek = noop_llseek,
};

static int vcpu_alloc_pages(struct mvm_vcpu *vcpu)
{
	vcpu->run = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vcpu->run)
		return -ENOMEM;
	vcpu->pio_page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vcpu->pio_page) {
		free_page((unsigned long)vcpu->run);
		return -ENOMEM;
	}
	return 0;
}

static void vcpu_free_pages(struct mvm_vcpu *vcpu)
{
	free_page((unsigned long)vcpu->pio_page);
	free_page((unsigned long)vcpu->run);
}

/* Everything but the publication. vm->lock held. */
static struct mvm_vcpu *vcpu_build(struct mvm_vm *vm, u32 id)
{
	struct mvm_vcpu *vcpu = vm->backend->vcpu_create(vm, id, vm->nr_vcpus);
	int err;

	if (IS_ERR(vcpu))
		return vcpu;
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->index = vm->nr_vcpus;
	vcpu->cpu = -1;
	vcpu->deadline = MVM_NEVER;
	mutex_init(&vcpu->lock);
	mvm_reason_init(&vcpu->reason);
	spin_lock_init(&vcpu->fault_lock);
	spin_lock_init(&vcpu->pid_lock);
	init_swait_queue_head(&vcpu->wq);

	err = vcpu_alloc_pages(vcpu);
	if (err)
		goto err_destroy;
	err = mvm_fpu_create(vcpu);
	if (err)
		goto err_free_pages;
	err = mvm_msr_vcpu_create(vcpu);
	if (err)
		goto err_fpu;
	err = mvm_emul_create(vcpu);
	if (err)
		goto err_msr;
	if (mvm_irqchip_in_kernel(vm)) {
		err = mvm_lapic_create(vcpu);
		if (err)
			goto err_emul;
	}
	mvm_cpuid_set(vcpu, NULL, 0);
	mvm_clock_vcpu_init(vcpu);
	mvm_vcpu_reset(vcpu, false);
	return vcpu;

err_emul:
	mvm_emul_destroy(vcpu);
err_msr:
	mvm_msr_vcpu_destroy(vcpu);
err_fpu:
	mvm_fpu_destroy(vcpu);
err_free_pages:
	vcpu_free_pages(vcpu);
err_destroy:
	vm->backend->vcpu_destroy(vcpu);
	return ERR_PTR(err);
}

/**
 * mvm_vcpu_destroy() - free a vCPU
 * @vcpu: complete, running nowhere, and reached by nobody any more
 *
 * Context: may sleep.
 */
void mvm_vcpu_destroy(struct mvm_vcpu *vcpu)
{
	if (vcpu->lapic)
		mvm_lapic_destroy(vcpu);
	mvm_emul_destroy(vcpu);
	mvm_msr_vcpu_destroy(vcpu);
	mvm_fpu_destroy(vcpu);
	vcpu_free_pages(vcpu);
	kvfree(vcpu->cpuid);
	put_pid(vcpu->pid);
	vcpu->vm->backend->vcpu_destroy(vcpu);
}

/* May this VM have one more vCPU with that id? vm->lock held. */
static int vcpu_check_new(struct mvm_vm *vm, u32 id)
{
	if (vm->nr_vcpus >= MVM_MAX_VCPUS)
		return mvm_fail(&vm->reason, -EINVAL, "the limit of %d vCPU a VM is reached",
				MVM_MAX_VCPUS);
	if (mvm_vcpu_by_id(vm, id))
		return mvm_fail(&vm->reason, -EEXIST, "the VM has a vCPU with id %u already", id);
	return 0;
}

/**
 * mvm_vcpu_create() - KVM_CREATE_VCPU
 * @vm: the VM
 * @id: its APIC id
 *
 * Nobody finds it before it is complete. Context: may sleep; takes vm->lock.
 * Return: a new vCPU file descriptor, which keeps the VM; -EINVAL, -EEXIST: too many, or the id is
 * taken; -EMFILE; -ENOMEM.
 */
long mvm_vcpu_create(struct mvm_vm *vm, u32 id)
{
	struct mvm_vcpu *vcpu;
	struct file *file;
	int fd, err;

	fd = get_unused_fd_flags(O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return fd;
	mutex_lock(&vm->lock);
	err = vcpu_check_new(vm, id);
	if (err)
		goto err_unlock;
	vcpu = vcpu_build(vm, id);
	if (IS_ERR(vcpu)) {
		err = PTR_ERR(vcpu);
		goto err_unlock;
	}
	file = anon_inode_getfile("minivmm-vcpu", &vcpu_fops, vcpu, O_RDWR);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		goto err_vcpu;
	}
	mvm_vm_get(vm);

	/* Complete: let the VM's other parts, then userspace, reach it. */
	vm->vcpus[vm->nr_vcpus] = vcpu;
	smp_store_release(&vm->index_by_id[id], vm->nr_vcpus + 1); /* pairs with mvm_vcpu_by_id() */
	smp_store_release(&vm->nr_vcpus, vm->nr_vcpus + 1); /* pairs with mvm_for_each_vcpu() */
	mutex_unlock(&vm->lock);
	fd_install(fd, file);
	return fd;

err_vcpu:
	mvm_vcpu_destroy(vcpu);
err_unlock:
	mutex_unlock(&vm->lock);
	put_unused_fd(fd);
	return err;
}
