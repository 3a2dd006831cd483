// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load and unload, /dev/minivmm, the system file's ioctls.
 *
 * Loading is passive: it probes for a backend, says in one line what it found and
 * enables nothing. Virtualization is turned on with the first VM (hw.c). On a
 * machine that cannot run a VM the module loads all the same, and
 * KVM_CREATE_VM fails with the reason, which MINIVMM_GET_REASON returns.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "backend.h"
#include "exit.h"
#include "fpu.h"
#include "hw.h"
#include "irqchip/irqchip.h"
#include "ioctl.h"
#include "irqchip/gsi.h"
#include "minivmm.h"
#include "mmu/mmu.h"
#include "stats.h"
#include "vcpu.h"

#define MVM_VERSION "0.1.0"

static bool kvm_minor;
module_param(kvm_minor, bool, 0444);
MODULE_PARM_DESC(kvm_minor,
		 "Serve misc minor 232, the one of /dev/kvm, for clients that open only that (default: off)");

/* The backends, best first. */
static const struct mvm_backend *const mvm_backends[] = {
	&mvm_vmx_backend,
	&mvm_svm_backend,
};

/* The one this machine has, NULL where none: then mvm_no_backend says why. */
static const struct mvm_backend *mvm_backend __ro_after_init;
static struct mvm_reason mvm_no_backend;

/* An open file of the device. */
struct mvm_sysfile {
	struct mvm_reason reason;
};

/**
 * mvm_reason_init() - no sentence yet
 * @reason: nobody else has it yet
 */
void mvm_reason_init(struct mvm_reason *reason)
{
	spin_lock_init(&reason->lock);
	reason->text[0] = '\0';
}

/**
 * mvm_fail() - record the sentence behind a failure
 * @reason: where it goes; may be NULL
 * @err: negative errno
 * @fmt: one sentence: what failed, why, what to do
 * @...: what is in it
 *
 * Context: any but NMI.
 * Return: @err, so that a caller can return mvm_fail(...).
 */
int mvm_fail(struct mvm_reason *reason, int err, const char *fmt, ...)
{
	unsigned long flags;
	va_list args;

	if (!reason)
		return err;
	va_start(args, fmt);
	spin_lock_irqsave(&reason->lock, flags);
	vscnprintf(reason->text, sizeof(reason->text), fmt, args);
	spin_unlock_irqrestore(&reason->lock, flags);
	va_end(args);
	return err;
}

/**
 * mvm_ioctl_get_reason() - MINIVMM_GET_REASON for any file
 * @reason: the file's
 * @arg: userspace's struct minivmm_reason
 *
 * Context: may sleep; needs no other lock.
 * Return: 0; -EFAULT.
 */
long mvm_ioctl_get_reason(struct mvm_reason *reason, unsigned long arg)
{
	struct minivmm_reason out = {};
	unsigned long flags;

	spin_lock_irqsave(&reason->lock, flags);
	strscpy(out.text, reason->text, sizeof(out.text));
	spin_unlock_irqrestore(&reason->lock, flags);
	return copy_to_user((void __user *)arg, &out, sizeof(out)) ? -EFAULT : 0;
}

/* The one place where a handler's structure is copied in and out. */
static long ioctl_with_data(const struct mvm_ioctl *row, void *obj, void __user *user)
{
	u64 small[sizeof(struct kvm_sregs) / sizeof(u64)]; /* the biggest of the frequent ones */
	void *data = small, *big = NULL;
	long ret = -EFAULT;

	if (row->size > sizeof(small)) {
		big = kmalloc(row->size, GFP_KERNEL_ACCOUNT);
		if (!big)
			return -ENOMEM;
		data = big;
	}
	if (!row->in)
		memset(data, 0, row->size);
	else if (copy_from_user(data, user, row->size))
		goto out;
	ret = row->data_fn(obj, data);
	if (!ret && row->out && copy_to_user(user, data, row->size))
		ret = -EFAULT;
out:
	kfree(big);
	return ret;
}

/**
 * mvm_ioctl_dispatch() - call the row of a command
 * @table: the file's rows
 * @n: how many
 * @obj: the file's object, for the handler
 * @cmd: command
 * @arg: the third argument, as it came
 *
 * Context: may sleep; the locks are the caller's.
 * Return: the handler's answer; -ENOTTY where there is no such row; -EFAULT, -ENOMEM for
 * the structure's way in and out.
 */
long mvm_ioctl_dispatch(const struct mvm_ioctl *table, size_t n, void *obj, unsigned int cmd,
			unsigned long arg)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (table[i].cmd == cmd)
			return table[i].fn ? table[i].fn(obj, arg) :
					     ioctl_with_data(&table[i], obj, (void __user *)arg);
	return -ENOTTY;
}

static long sys_get_api_version(void *obj, unsigned long arg)
{
	return arg ? -EINVAL : KVM_API_VERSION;
}

static long sys_create_vm(void *obj, unsigned long type)
{
	struct mvm_sysfile *file = obj;

	if (type)
		return mvm_fail(&file->reason, -EINVAL,
				"VM type %#lx is not known here; 0 is the only type", type);
	if (!mvm_backend)
		return mvm_fail(&file->reason, -ENODEV, "%s", mvm_no_backend.text);
	return mvm_vm_create(mvm_backend, &file->reason);
}

/* What KVM_CHECK_EXTENSION answers besides 0: only what is finished is listed. */
static const struct {
	u32 cap;
	u32 value;
} mvm_caps[] = {
	{ KVM_CAP_IRQCHIP, 1 },
	{ KVM_CAP_HLT, 1 },
	{ KVM_CAP_USER_MEMORY, 1 },
	{ KVM_CAP_SET_TSS_ADDR, 1 },
	{ KVM_CAP_EXT_CPUID, 1 },
	{ KVM_CAP_MMU_SHADOW_CACHE_CONTROL, 1 },
	{ KVM_CAP_NR_MEMSLOTS, MVM_MAX_MEMSLOTS },
	{ KVM_CAP_MP_STATE, 1 },
	{ KVM_CAP_SYNC_MMU, 1 },
	{ KVM_CAP_DESTROY_MEMORY_REGION_WORKS, 1 },
	{ KVM_CAP_JOIN_MEMORY_REGIONS_WORKS, 1 },
	{ KVM_CAP_USER_NMI, 1 },
	{ KVM_CAP_SET_GUEST_DEBUG, 1 },
	{ KVM_CAP_MCE, MVM_MCE_BANKS },
	{ KVM_CAP_PIT, 1 },
	{ KVM_CAP_REINJECT_CONTROL, 1 },
	{ KVM_CAP_IRQ_ROUTING, MVM_MAX_GSIS },
	{ KVM_CAP_IRQFD, 1 },
	{ KVM_CAP_IRQFD_RESAMPLE, 1 },
	{ KVM_CAP_IRQ_INJECT_STATUS, 1 },
	{ KVM_CAP_PIT2, 1 },
	{ KVM_CAP_SET_BOOT_CPU_ID, 1 },
	{ KVM_CAP_PIT_STATE2, 1 },
	{ KVM_CAP_IOEVENTFD, 1 },
	{ KVM_CAP_SET_IDENTITY_MAP_ADDR, 1 },
	{ KVM_CAP_ADJUST_CLOCK, MVM_CLOCK_FLAGS },
	{ KVM_CAP_INTERNAL_ERROR_DATA, 1 },
	{ KVM_CAP_VCPU_EVENTS, 1 },
	{ KVM_CAP_DEBUGREGS, 1 },
	{ KVM_CAP_X86_ROBUST_SINGLESTEP, 1 },
	{ KVM_CAP_XSAVE, 1 },
	{ KVM_CAP_XCRS, 1 },
	{ KVM_CAP_GET_TSC_KHZ, 1 },
	{ KVM_CAP_KVMCLOCK_CTRL, 1 },
	{ KVM_CAP_MAX_VCPUS, MVM_MAX_VCPUS },
	{ KVM_CAP_TSC_DEADLINE_TIMER, 1 },
	{ KVM_CAP_SIGNAL_MSI, 1 },
	{ KVM_CAP_READONLY_MEM, 1 },
	{ KVM_CAP_ENABLE_CAP_VM, 1 },
	{ KVM_CAP_IOEVENTFD_NO_LENGTH, 1 },
	{ KVM_CAP_CHECK_EXTENSION_VM, 1 },
	{ KVM_CAP_SPLIT_IRQCHIP, 1 },
	{ KVM_CAP_IOEVENTFD_ANY_LENGTH, 1 },
	{ KVM_CAP_IMMEDIATE_EXIT, 1 },
	{ KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, MVM_DIRTY_MANUAL_FLAGS },
	{ KVM_CAP_SYNC_REGS, KVM_SYNC_X86_VALID_FIELDS },
	{ KVM_CAP_SET_GUEST_DEBUG2, MVM_GUESTDBG_FLAGS },
	{ KVM_CAP_MAX_VCPU_ID, MVM_MAX_VCPU_ID },
	{ MINIVMM_CAP_GET_REASON, 1 },
	{ MINIVMM_CAP_STATS, 1 },
};

/**
 * mvm_check_extension() - KVM_CHECK_EXTENSION, the same on the system and the VM file
 * @cap: KVM_CAP_* or MINIVMM_CAP_*
 *
 * Context: any.
 * Return: the capability's value; 0 for the unknown.
 */
long mvm_check_extension(unsigned long cap)
{
	size_t i;

	/* The recommended number, which is the host's own. */
	if (cap == KVM_CAP_NR_VCPUS)
		return min_t(long, num_online_cpus(), MVM_MAX_VCPUS);
	/* Without XSAVE in the host there is no XCR0 to set. */
	if (cap == KVM_CAP_XCRS && !boot_cpu_has(X86_FEATURE_XSAVE))
		return 0;
	for (i = 0; i < ARRAY_SIZE(mvm_caps); i++)
		if (mvm_caps[i].cap == cap)
			return mvm_caps[i].value;
	return 0;
}

static long sys_check_extension(void *obj, unsigned long cap)
{
	return mvm_check_extension(cap);
}

static long sys_get_vcpu_mmap_size(void *obj, unsigned long arg)
{
	return arg ? -EINVAL : MVM_VCPU_MMAP_SIZE;
}

static long sys_get_supported_cpuid(void *obj, unsigned long arg)
{
	struct kvm_cpuid2 __user *user = (void __user *)arg;
	struct kvm_cpuid_entry2 *entries;
	struct kvm_cpuid2 head;
	long ret = 0;
	int n;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	n = mvm_cpuid_supported(&entries);
	if (n < 0)
		return n;
	if (head.nent < n)
		ret = -E2BIG;
	else if (copy_to_user(user->entries, entries, n * sizeof(*entries)) ||
		 put_user(n, &user->nent))
		ret = -EFAULT;
	kvfree(entries);
	return ret;
}

static long sys_get_msr_index_list(void *obj, unsigned long arg)
{
	struct kvm_msr_list __user *user = (void __user *)arg;
	u32 room, n = mvm_msr_index_list(NULL, 0);
	u32 *indices;
	long ret = 0;

	if (get_user(room, &user->nmsrs) || put_user(n, &user->nmsrs))
		return -EFAULT;
	if (room < n)
		return -E2BIG;
	indices = kcalloc(n, sizeof(*indices), GFP_KERNEL_ACCOUNT);
	if (!indices)
		return -ENOMEM;
	mvm_msr_index_list(indices, n);
	if (copy_to_user(user->indices, indices, n * sizeof(*indices)))
		ret = -EFAULT;
	kfree(indices);
	return ret;
}

static long sys_get_mce_cap(void *obj, void *data)
{
	*(u64 *)data = mvm_mce_supported();
	return 0;
}

static long sys_get_reason(void *obj, unsigned long arg)
{
	struct mvm_sysfile *file = obj;

	return mvm_ioctl_get_reason(&file->reason, arg);
}

static long sys_get_stat_name(void *obj, unsigned long arg)
{
	return mvm_stats_get_name(arg);
}

static const struct mvm_ioctl sys_ioctls[] = {
	MVM_IOCTL(KVM_GET_API_VERSION, sys_get_api_version),
	MVM_IOCTL(KVM_CREATE_VM, sys_create_vm),
	MVM_IOCTL(KVM_CHECK_EXTENSION, sys_check_extension),
	MVM_IOCTL(KVM_GET_VCPU_MMAP_SIZE, sys_get_vcpu_mmap_size),
	MVM_IOCTL(KVM_GET_SUPPORTED_CPUID, sys_get_supported_cpuid),
	MVM_IOCTL(KVM_GET_MSR_INDEX_LIST, sys_get_msr_index_list),
	MVM_IOCTL_OUT(KVM_X86_GET_MCE_CAP_SUPPORTED, u64, sys_get_mce_cap),
	MVM_IOCTL(MINIVMM_GET_REASON, sys_get_reason),
	MVM_IOCTL(MINIVMM_GET_STAT_NAME, sys_get_stat_name),
};

static long sys_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct mvm_sysfile *file = filp->private_data;

	if (cmd != MINIVMM_GET_REASON)
		mvm_reason_clear(&file->reason);
	return mvm_ioctl_dispatch(sys_ioctls, ARRAY_SIZE(sys_ioctls), file, cmd, arg);
}

static int sys_open(struct inode *inode, struct file *filp)
{
	struct mvm_sysfile *file = kzalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);

	if (!file)
		return -ENOMEM;
	mvm_reason_init(&file->reason);
	filp->private_data = file;
	return 0;
}

static int sys_release(struct inode *inode, struct file *filp)
{
	kfree(filp->private_data);
	return 0;
}

static const struct file_operations sys_fops = {
	.owner = THIS_MODULE,
	.open = sys_open,
	.release = sys_release,
	.unlocked_ioctl = sys_ioctl,
	.compat_ioctl = sys_ioctl,
	.llseek = noop_llseek,
};

static ssize_t standing_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return mvm_hw_show(buf);
}
static DEVICE_ATTR_RO(standing);

static struct attribute *mvm_attrs[] = {
	&dev_attr_standing.attr,
	NULL,
};
ATTRIBUTE_GROUPS(mvm);

static struct miscdevice mvm_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "minivmm",
	.fops = &sys_fops,
	.groups = mvm_groups,
	.mode = 0660,
};

/* The second device, for clients that know only KVM's minor number. */
static struct miscdevice mvm_misc_kvm = {
	.minor = KVM_MINOR,
	.name = "minivmm-kvm",
	.fops = &sys_fops,
	.mode = 0660,
};

/* Take the first backend that this machine has; else keep the sentence of the likeliest. */
static void __init mvm_choose_backend(void)
{
	struct mvm_reason why;
	size_t i;

	mvm_reason_init(&why);
	mvm_reason_init(&mvm_no_backend);
	for (i = 0; i < ARRAY_SIZE(mvm_backends); i++) {
		int err = mvm_backends[i]->setup(&why);

		if (!err) {
			mvm_backend = mvm_backends[i];
			return;
		}
		/* -ENODEV: another vendor's processor. Anything else is the reason to show. */
		if (err != -ENODEV || !mvm_no_backend.text[0])
			strscpy(mvm_no_backend.text, why.text, sizeof(mvm_no_backend.text));
	}
}

static int __init mvm_register_devices(void)
{
	int err = kvm_minor ? misc_register(&mvm_misc_kvm) : 0;

	/* The likely failure first: whoever opened a device keeps the module's code in use. */
	if (err) {
		pr_err("minor %d is taken (kvm.ko is loaded): unload it or load without kvm_minor=1\n",
		       KVM_MINOR);
		return err;
	}
	err = misc_register(&mvm_misc);
	if (err && kvm_minor)
		misc_deregister(&mvm_misc_kvm);
	return err;
}

static int __init mvm_init(void)
{
	int err;

	err = mvm_fpu_module_init();
	if (err)
		return err;
	err = mvm_kick_module_init();
	if (err)
		goto err_fpu_exit;
	err = mvm_irqchip_module_init();
	if (err)
		goto err_kick_exit;
	mvm_choose_backend();
	if (mvm_backend) {
		err = mvm_hw_init(mvm_backend);
		if (err)
			goto err_teardown;
	}
	err = mvm_register_devices();
	if (err)
		goto err_hw_exit;

	if (mvm_backend)
		pr_info("version " MVM_VERSION ", backend %s (%s)\n", mvm_backend->name,
			mvm_backend->caps->features);
	else
		pr_info("version " MVM_VERSION ", no VM can be made: %s\n", mvm_no_backend.text);
	return 0;

err_hw_exit:
	if (mvm_backend)
		mvm_hw_exit();
err_teardown:
	if (mvm_backend)
		mvm_backend->teardown();
	mvm_irqchip_module_exit();
err_kick_exit:
	mvm_kick_module_exit();
err_fpu_exit:
	mvm_fpu_module_exit();
	return err;
}

static void __exit mvm_exit(void)
{
	if (kvm_minor)
		misc_deregister(&mvm_misc_kvm);
	misc_deregister(&mvm_misc);
	if (mvm_backend)
		mvm_hw_exit();
	mvm_mmu_module_exit();
	if (mvm_backend)
		mvm_backend->teardown();
	mvm_irqchip_module_exit();
	mvm_kick_module_exit();
	mvm_fpu_module_exit();
}

module_init(mvm_init);
module_exit(mvm_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The minivmm authors");
MODULE_DESCRIPTION("A small hypervisor that serves a subset of the KVM userspace API");
MODULE_VERSION(MVM_VERSION);
