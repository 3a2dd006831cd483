// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM: its file, its life, its ioctls.
 *
 * The VM lives as long as its file or one of its vCPUs' files; vCPUs are
 * destroyed with it. It belongs to the address space that created it: every
 * ioctl from another one answers -EIO.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "backend.h"
#include "exit.h"
#include "hw.h"
#include "ioctl.h"
#include "irqchip/irqchip.h"
#include "minivmm.h"
#include "mmu/mmu.h"

static unsigned int max_vms = 1024;
module_param(max_vms, uint, 0644);
MODULE_PARM_DESC(max_vms, "How many VMs may exist at once (default: 1024)");

static atomic_t nr_vms = ATOMIC_INIT(0);

/**
 * mvm_vm_get() - one more file keeps the VM
 * @vm: the VM; the caller has a reference
 */
void mvm_vm_get(struct mvm_vm *vm)
{
	refcount_inc(&vm->users);
}

static void vm_destroy(struct mvm_vm *vm)
{
	int i;

	/* The PIT's and the IOAPIC's timers first: they kick vCPUs. */
	mvm_pit_destroy(vm);
	/* Then the notifiers: they take vCPUs' fault locks. */
	mvm_mmu_vm_destroy(vm);
	for (i = vm->nr_vcpus - 1; i >= 0; i--)
		mvm_vcpu_destroy(vm->vcpus[i]);
	mvm_irqchip_destroy(vm);
	mvm_ioeventfd_destroy(vm);
	cleanup_srcu_struct(&vm->irq_srcu);
	mvm_hw_put();
	mmdrop(vm->mm);
	kfree(vm);
	atomic_dec(&nr_vms);
}

/**
 * mvm_vm_put() - one file less; the last one destroys the VM, its vCPUs with it
 * @vm: the VM
 *
 * Context: may sleep.
 */
void mvm_vm_put(struct mvm_vm *vm)
{
	if (refcount_dec_and_test(&vm->users))
		vm_destroy(vm);
}

/**
 * mvm_vm_kill() - a broken invariant: WARN once, mark the VM dead
 * @vm: the VM
 * @why: the rest of MINIVMM_GET_REASON's sentence
 *
 * Every ioctl but MINIVMM_GET_REASON and _GET_STATS answers -EIO from now on, and a KVM_RUN that
 * is under way ends so.
 * Context: any but NMI, also interrupts off; does not wait.
 */
void mvm_vm_kill(struct mvm_vm *vm, const char *why)
{
	struct mvm_vcpu *vcpu;
	int i;

	WARN_ONCE(1, "minivmm: %s\n", why);
	WRITE_ONCE(vm->dead, true);
	mvm_fail(&vm->reason, -EIO, "the VM is dead: %s", why);
	mvm_for_each_vcpu(i, vcpu, vm)
		mvm_vcpu_request(vcpu, MVM_REQ_DEAD);
}

static long vm_check_extension(void *obj, unsigned long cap)
{
	return mvm_check_extension(cap);
}

static long vm_create_vcpu(void *obj, unsigned long id)
{
	struct mvm_vm *vm = obj;

	if (id >= MVM_MAX_VCPU_ID)
		return mvm_fail(&vm->reason, -EINVAL, "vCPU id %lu is beyond the last one, %d", id,
				MVM_MAX_VCPU_ID - 1);
	return mvm_vcpu_create(vm, id);
}

static long vm_set_user_memory_region(void *obj, void *region)
{
	return mvm_memslot_set(obj, region);
}

static long vm_get_dirty_log(void *obj, void *log)
{
	return mvm_dirty_get(obj, log);
}

static long vm_clear_dirty_log(void *obj, void *log)
{
	return mvm_dirty_clear(obj, log);
}

/* A limit on shadow pages: there are none. The number is kept within what KVM takes. */
static long vm_set_nr_mmu_pages(void *obj, unsigned long nr)
{
	struct mvm_vm *vm = obj;

	if (nr < MVM_MIN_MMU_PAGES)
		return mvm_fail(&vm->reason, -EINVAL, "at least %d MMU pages must be allowed",
				MVM_MIN_MMU_PAGES);
	WRITE_ONCE(vm->nr_mmu_pages, nr);
	return 0;
}

static long vm_get_nr_mmu_pages(void *obj, unsigned long arg)
{
	struct mvm_vm *vm = obj;

	return READ_ONCE(vm->nr_mmu_pages);
}

static int enable_manual_dirty_log(struct mvm_vm *vm, const struct kvm_enable_cap *cap)
{
	return mvm_dirty_set_manual(vm, cap->args[0]);
}

static int enable_split_irqchip(struct mvm_vm *vm, const struct kvm_enable_cap *cap)
{
	int ret;

	mutex_lock(&vm->lock);
	ret = mvm_irqchip_create_split(vm, cap->args[0]);
	mutex_unlock(&vm->lock);
	return ret;
}

/* What KVM_ENABLE_CAP can enable on a VM. */
static const struct {
	u32 cap;
	int (*enable)(struct mvm_vm *vm, const struct kvm_enable_cap *cap);
} vm_enable_caps[] = {
	{ KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, enable_manual_dirty_log },
	{ KVM_CAP_SPLIT_IRQCHIP, enable_split_irqchip },
};

static long vm_enable_cap(void *obj, void *data)
{
	const struct kvm_enable_cap *cap = data;
	struct mvm_vm *vm = obj;
	size_t i;

	if (cap->flags)
		return mvm_fail(&vm->reason, -EINVAL, "KVM_ENABLE_CAP has no flags");
	for (i = 0; i < ARRAY_SIZE(vm_enable_caps); i++)
		if (vm_enable_caps[i].cap == cap->cap)
			return vm_enable_caps[i].enable(vm, cap);
	return mvm_fail(&vm->reason, -EINVAL, "capability %u cannot be enabled on a VM", cap->cap);
}

/* Real mode needs no TSS pages of the launcher's here: the address is only kept. */
static long vm_set_tss_addr(void *obj, unsigned long addr)
{
	struct mvm_vm *vm = obj;

	if (addr > U32_MAX + 1ULL - 3 * PAGE_SIZE)
		return -EINVAL;
	WRITE_ONCE(vm->tss_addr, addr);
	return 0;
}

static long vm_set_identity_map_addr(void *obj, void *data)
{
	const u64 *addr = data;
	struct mvm_vm *vm = obj;
	long ret = 0;

	mutex_lock(&vm->lock);
	if (vm->nr_vcpus)
		ret = mvm_fail(&vm->reason, -EINVAL,
			       "the identity map's address must be set before the first vCPU");
	else
		vm->identity_map_addr = *addr;
	mutex_unlock(&vm->lock);
	return ret;
}

static long vm_set_boot_cpu_id(void *obj, unsigned long id)
{
	struct mvm_vm *vm = obj;
	long ret = 0;

	mutex_lock(&vm->lock);
	if (vm->nr_vcpus)
		ret = -EBUSY;
	else
		vm->bsp_id = id;
	mutex_unlock(&vm->lock);
	return ret;
}

static long vm_get_clock(void *obj, void *data)
{
	return mvm_clock_get(obj, data);
}

static long vm_set_clock(void *obj, void *data)
{
	return mvm_clock_set(obj, data);
}

/**
 * mvm_vm_get_reason() - MINIVMM_GET_REASON of a VM's file
 * @vm: the VM
 * @arg: user address of a struct minivmm_reason
 *
 * Also for who may do nothing else with it: another process, or anybody once it is dead.
 *
 * Return: 0 or -EFAULT.
 */
long mvm_vm_get_reason(struct mvm_vm *vm, unsigned long arg)
{
	struct mvm_reason strange;

	if (vm->mm == current->mm)
		return mvm_ioctl_get_reason(&vm->reason, arg);
	mvm_reason_init(&strange);
	mvm_fail(&strange, -EIO, "the VM belongs to the process that created it");
	return mvm_ioctl_get_reason(&strange, arg);
}

static long vm_get_reason(void *obj, unsigned long arg)
{
	return mvm_vm_get_reason(obj, arg);
}

static const struct mvm_ioctl vm_ioctls[] = {
	MVM_IOCTL(KVM_CHECK_EXTENSION, vm_check_extension),
	MVM_IOCTL_IN(KVM_ENABLE_CAP, struct kvm_enable_cap, vm_enable_cap),
	MVM_IOCTL(KVM_CREATE_VCPU, vm_create_vcpu),
	MVM_IOCTL_IN(KVM_SET_USER_MEMORY_REGION, struct kvm_userspace_memory_region,
		     vm_set_user_memory_region),
	MVM_IOCTL_IN(KVM_GET_DIRTY_LOG, struct kvm_dirty_log, vm_get_dirty_log),
	MVM_IOCTL_IN(KVM_CLEAR_DIRTY_LOG, struct kvm_clear_dirty_log, vm_clear_dirty_log),
	MVM_IOCTL(KVM_SET_NR_MMU_PAGES, vm_set_nr_mmu_pages),
	MVM_IOCTL(KVM_GET_NR_MMU_PAGES, vm_get_nr_mmu_pages),
	MVM_IOCTL(KVM_SET_TSS_ADDR, vm_set_tss_addr),
	MVM_IOCTL_IN(KVM_SET_IDENTITY_MAP_ADDR, u64, vm_set_identity_map_addr),
	MVM_IOCTL(KVM_SET_BOOT_CPU_ID, vm_set_boot_cpu_id),
	MVM_IOCTL_OUT(KVM_GET_CLOCK, struct kvm_clock_data, vm_get_clock),
	MVM_IOCTL_IN(KVM_SET_CLOCK, struct kvm_clock_data, vm_set_clock),
	MVM_IOCTL(MINIVMM_GET_REASON, vm_get_reason),
};

static long vm_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct mvm_vm *vm = filp->private_data;
	long ret;

	/* The reason is for whoever holds the file, also after the mm is gone. */
	if (cmd != MINIVMM_GET_REASON) {
		if (vm->mm != current->mm || READ_ONCE(vm->dead))
			return -EIO;
		mvm_reason_clear(&vm->reason);
	}
	ret = mvm_ioctl_dispatch(vm_ioctls, ARRAY_SIZE(vm_ioctls), vm, cmd, arg);
	if (ret == -ENOTTY)
		ret = mvm_ioctl_dispatch(mvm_vm_irq_ioctls, mvm_nr_vm_irq_ioctls, vm, cmd, arg);
	return ret;
}

static int vm_release(struct inode *inode, struct file *filp)
{
	struct mvm_vm *vm = filp->private_data;

	mvm_irqfd_release(vm);
	mvm_vm_put(vm);
	return 0;
}

static const struct file_operations vm_fops = {
	.owner = THIS_MODULE,
	.release = vm_release,
	.unlocked_ioctl = vm_ioctl,
	.compat_ioctl = vm_ioctl,
	.llseek = noop_llseek,
};

/* Everything but the file. */
static struct mvm_vm *vm_alloc(const struct mvm_backend *backend, struct mvm_reason *reason)
{
	struct mvm_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	int err;

	if (!vm)
		return ERR_PTR(-ENOMEM);
	vm->backend = backend;
	vm->mm = current->mm;
	refcount_set(&vm->users, 1);
	mutex_init(&vm->lock);
	raw_spin_lock_init(&vm->irq_lock);
	mutex_init(&vm->irq_setup_lock);
	mvm_irqfd_vm_init(vm);
	mvm_reason_init(&vm->reason);
	mmgrab(vm->mm);

	err = mvm_hw_get(reason);
	if (err)
		goto err_free;
	err = mvm_mmu_vm_init(vm);
	if (err)
		goto err_hw_put;
	vm->nr_mmu_pages = MVM_MIN_MMU_PAGES;
	err = init_srcu_struct(&vm->irq_srcu);
	if (err)
		goto err_mmu_destroy;
	mvm_clock_vm_init(vm);
	return vm;

err_mmu_destroy:
	mvm_mmu_vm_destroy(vm);
err_hw_put:
	mvm_hw_put();
err_free:
	mmdrop(vm->mm);
	kfree(vm);
	return ERR_PTR(err);
}

/**
 * mvm_vm_create() - KVM_CREATE_VM
 * @backend: how its vCPUs run
 * @reason: gets the sentence behind a failure
 *
 * The VM belongs to this thread's address space. Context: may sleep.
 * Return: a new VM file descriptor; -EMFILE: max_vms is reached, or the process has no descriptor
 * left; -ENOMEM; what mvm_hw_get() or the backend refused.
 */
long mvm_vm_create(const struct mvm_backend *backend, struct mvm_reason *reason)
{
	struct mvm_vm *vm;
	int fd;

	if (atomic_inc_return(&nr_vms) > READ_ONCE(max_vms)) {
		atomic_dec(&nr_vms);
		return mvm_fail(reason, -EMFILE,
				"the limit of %u VMs is reached: end one, or raise the module's max_vms",
				READ_ONCE(max_vms));
	}
	vm = vm_alloc(backend, reason);
	if (IS_ERR(vm)) {
		atomic_dec(&nr_vms);
		return PTR_ERR(vm);
	}
	/* The last step: from here on userspace can reach it. */
	fd = anon_inode_getfd("minivmm-vm", &vm_fops, vm, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		mvm_vm_put(vm);
	return fd;
}
