// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtualization on and off: the count of users, each CPU's standing, CPU hotplug,
 * suspend, reboot and the crash path.
 *
 * Turned on with the first VM. Turned off some seconds after the last, so that
 * create-destroy loops and the crash callback's removal (which waits for RCU) cost
 * nobody anything. Where another owner has VT-x on, a CPU is lent (backend.h:
 * MVM_HW_BORROWED) and nothing of the owner's is ever turned off.
 *
 * hw_lock covers users, hw_on and every change of standing except those of the
 * hotplug callbacks, which the CPU hotplug lock serialises against it.
 */
#include <linux/cpu.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/reboot.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>
#include <asm/tsc.h>

#include "hw.h"

DEFINE_PER_CPU(enum mvm_hw_state, mvm_hw_state);
u64 mvm_hw_tsc_lost, mvm_hw_slept_ns;
unsigned int mvm_hw_nr_sleeps;

static const struct mvm_backend *hw_backend;
static DEFINE_MUTEX(hw_lock);
static unsigned int hw_users; /* VMs */
static bool hw_on; /* every online CPU has been enabled */
static bool hw_rebooting; /* never again: the next kernel must find it off */
static enum cpuhp_state hw_cpuhp;
static struct {
	bool lent; /* the last CPU's standing */
	u64 tsc, ns; /* its TSC and boot time */
} hw_before; /* at suspend */
static struct cpumask hw_shown; /* scratch of mvm_hw_show(), hw_lock */

/* How long virtualization stays on after the last VM. */
#define MVM_HW_LINGER (3 * HZ)

static void hw_linger_fn(struct work_struct *work);
static DECLARE_DELAYED_WORK(hw_linger, hw_linger_fn);

/* ----------------------------------------------------------------- one CPU */

static int cpu_enable(struct mvm_reason *reason)
{
	int ret;

	lockdep_assert_irqs_disabled();
	if (this_cpu_read(mvm_hw_state) != MVM_HW_OFF)
		return 0;
	ret = hw_backend->cpu_enable(reason);
	if (ret < 0)
		return ret;
	this_cpu_write(mvm_hw_state, ret == MVM_HW_BORROWED ? MVM_HW_LENT : MVM_HW_OWNED);
	return 0;
}

static void cpu_disable(void)
{
	enum mvm_hw_state old = this_cpu_read(mvm_hw_state);

	lockdep_assert_irqs_disabled();
	/* First the flag: no vCPU thread on this CPU enters from here on. */
	this_cpu_write(mvm_hw_state, MVM_HW_OFF);
	if (old == MVM_HW_OWNED)
		hw_backend->cpu_disable();
}

/* ------------------------------------------------------------ all the CPUs */

struct enable_call {
	struct mvm_reason *reason;
	atomic_t err;
};

static void enable_ipi(void *info)
{
	struct enable_call *call = info;
	int err = cpu_enable(call->reason);

	if (err)
		atomic_cmpxchg(&call->err, 0, err);
}

static void disable_ipi(void *unused)
{
	cpu_disable();
}

/* cpus_read_lock and hw_lock held. */
static int enable_all(struct mvm_reason *reason)
{
	struct enable_call call = { .reason = reason, .err = ATOMIC_INIT(0) };
	int err;

	if (hw_rebooting)
		return mvm_fail(reason, -EBUSY, "the host is shutting down");
	on_each_cpu(enable_ipi, &call, 1);
	err = atomic_read(&call.err);
	if (err) {
		on_each_cpu(disable_ipi, NULL, 1);
		return err;
	}
	hw_on = true;
	mvm_crash_arm();
	return 0;
}

static void disable_all(void)
{
	on_each_cpu(disable_ipi, NULL, 1);
	hw_on = false;
	mvm_crash_disarm();
}

/**
 * mvm_hw_get() - one more VM: turn virtualization on with the first
 * @reason: gets the sentence behind a failure
 *
 * Context: may sleep; takes the CPU hotplug lock.
 * Return: 0; -EBUSY: another owner has it and cannot share, or the host is shutting down; -EIO: the
 * hardware refused.
 */
int mvm_hw_get(struct mvm_reason *reason)
{
	int err = 0;

	cpus_read_lock();
	mutex_lock(&hw_lock);
	if (!hw_on)
		err = enable_all(reason);
	if (!err)
		hw_users++;
	mutex_unlock(&hw_lock);
	cpus_read_unlock();
	return err;
}

/**
 * mvm_hw_put() - one VM less: some seconds after the last, virtualization is turned off
 *
 * Context: may sleep.
 */
void mvm_hw_put(void)
{
	mutex_lock(&hw_lock);
	if (!--hw_users)
		mod_delayed_work(system_wq, &hw_linger, MVM_HW_LINGER);
	mutex_unlock(&hw_lock);
}

static void hw_linger_fn(struct work_struct *work)
{
	cpus_read_lock();
	mutex_lock(&hw_lock);
	if (!hw_users && hw_on)
		disable_all();
	mutex_unlock(&hw_lock);
	cpus_read_unlock();
}

/* A lender left: whatever stood on "lent" is void, look at every CPU anew. */
static void drop_lent_ipi(void *nr_open)
{
	if (this_cpu_read(mvm_hw_state) == MVM_HW_LENT)
		this_cpu_write(mvm_hw_state, MVM_HW_OFF);
	if (this_cpu_read(mvm_hw_state) == MVM_HW_OFF)
		atomic_inc(nr_open);
}

/**
 * mvm_hw_reclaim() - the owner turned virtualization off under a borrower
 * @reason: gets the sentence behind a failure
 * @lost: an entry failed for it; else this CPU stood on "off", perhaps only because
 *	it was going offline
 *
 * Decides anew who owns each CPU. Context: may sleep; takes the CPU hotplug lock.
 * Return: 0 when vCPUs can enter again; else as mvm_hw_get(), and -EIO where all CPUs are
 * minivmm's and it was off all the same.
 */
int mvm_hw_reclaim(struct mvm_reason *reason, bool lost)
{
	atomic_t nr_open = ATOMIC_INIT(0);
	int err = 0;

	cpus_read_lock();
	mutex_lock(&hw_lock);
	on_each_cpu(drop_lent_ipi, &nr_open, 1);
	if (atomic_read(&nr_open))
		err = enable_all(reason);
	else if (lost) /* all ours, and yet it was off: who turned it off does not own it */
		err = mvm_fail(reason, -EIO,
			       "virtualization was turned off under minivmm: unload the other hypervisor");
	mutex_unlock(&hw_lock);
	cpus_read_unlock();
	return err;
}

/* One word of mvm_hw_show() and the CPUs it is true for, where there are any. hw_lock held. */
static int show_standing(char *buf, int at, const char *word, enum mvm_hw_state state)
{
	unsigned int cpu;

	cpumask_clear(&hw_shown);
	for_each_possible_cpu(cpu)
		if (READ_ONCE(per_cpu(mvm_hw_state, cpu)) == state)
			cpumask_set_cpu(cpu, &hw_shown);
	if (cpumask_empty(&hw_shown))
		return 0;
	return sysfs_emit_at(buf, at, "%s%s %*pbl", at ? " " : "", word,
			     cpumask_pr_args(&hw_shown));
}

/**
 * mvm_hw_show() - in one line for sysfs: which CPUs minivmm owns, which it borrows
 * @buf: a page
 *
 * "off", "owner 0-3", "borrower 0-3", or both with a space between. Context: may sleep.
 * Return: how many bytes.
 */
int mvm_hw_show(char *buf)
{
	int n;

	mutex_lock(&hw_lock);
	n = show_standing(buf, 0, "owner", MVM_HW_OWNED);
	n += show_standing(buf, n, "borrower", MVM_HW_LENT);
	mutex_unlock(&hw_lock);
	return n + sysfs_emit_at(buf, n, n ? "\n" : "off\n");
}

/* ------------------------------------------------- hotplug, suspend, reboot */

/* A CPU comes up, before vCPU threads can run on it. A refusal keeps it offline. */
static int hw_cpu_online(unsigned int cpu)
{
	struct mvm_reason why;
	unsigned long flags;
	int err = 0;

	mvm_reason_init(&why);
	mutex_lock(&hw_lock);
	if (hw_on) {
		local_irq_save(flags);
		err = cpu_enable(&why);
		local_irq_restore(flags);
	}
	mutex_unlock(&hw_lock);
	if (err)
		pr_warn("minivmm: CPU %u stays offline: %s\n", cpu, why.text);
	return err;
}

/* A CPU goes down: vCPU threads may still be on it, the flag keeps them out of the guest. */
static int hw_cpu_offline(unsigned int cpu)
{
	unsigned long flags;

	local_irq_save(flags);
	cpu_disable();
	local_irq_restore(flags);
	return 0;
}

#define PAIR_TRIES 4

/**
 * mvm_hw_clock_pair() - read a clock of the kernel's and the TSC as close together as may be
 * @read: the clock, in nanoseconds; called with interrupts off
 * @tsc: mvm_host_tsc() then
 *
 * The narrowest of a few tries, its middle. Context: any but NMI.
 * Return: the clock, in nanoseconds.
 */
u64 mvm_hw_clock_pair(u64 (*read)(void), u64 *tsc)
{
	u64 best = U64_MAX, best_ns = 0, before, after, ns;
	unsigned long flags;
	int i;

	for (i = 0; i < PAIR_TRIES; i++) {
		local_irq_save(flags);
		before = mvm_host_tsc();
		ns = read();
		after = mvm_host_tsc();
		local_irq_restore(flags);
		if (after - before < best) {
			best = after - before;
			best_ns = ns;
			*tsc = before + best / 2;
		}
	}
	return best_ns;
}

/*
 * Suspend: the other CPUs went through hotplug; the last one is handled here, with
 * every task frozen. On the way back it is enabled anew.
 */
static int hw_suspend(MVM_SYSCORE_ARGS)
{
	hw_before.lent = this_cpu_read(mvm_hw_state) == MVM_HW_LENT;
	cpu_disable();
	hw_before.ns = mvm_hw_clock_pair(ktime_get_boottime_ns, &hw_before.tsc);
	return 0;
}

/*
 * What the guests' clocks have to make up for. The host may know the length of its sleep in whole
 * seconds alone, by its RTC. What the TSC counted over that is not taken back, as no clock of a
 * guest's goes back, but set off against later sleeps.
 */
static void hw_count_sleep(void)
{
	static s64 balance; /* boot time less TSC, summed up over all sleeps */
	u64 tsc, slept = mvm_hw_clock_pair(ktime_get_boottime_ns, &tsc) - hw_before.ns, ticked;

	if (tsc < hw_before.tsc) {
		mvm_hw_tsc_lost += hw_before.tsc - tsc;
		tsc = hw_before.tsc;
	}
	ticked = mul_u64_u32_div(tsc - hw_before.tsc, USEC_PER_SEC, tsc_khz ?: 1);
	balance += slept - ticked;
	if (balance > (s64)mvm_hw_slept_ns)
		mvm_hw_slept_ns = balance;
	mvm_hw_nr_sleeps++;
}

static void hw_resume(MVM_SYSCORE_ARGS)
{
	struct mvm_reason why;

	hw_count_sleep();
	/* A lender may resume after us and must find it off: mvm_hw_reclaim() asks later. */
	if (hw_before.lent)
		return;
	mvm_reason_init(&why);
	if (hw_on && cpu_enable(&why))
		pr_warn("minivmm: no virtualization after suspend: %s\n", why.text);
}

static struct syscore_ops hw_syscore_ops = {
	.suspend = hw_suspend,
	.resume = hw_resume,
};

MVM_DEFINE_SYSCORE(hw_syscore, hw_syscore_ops);

/*
 * Reboot and kexec: off everywhere, and nothing turns it on again. Not a syscore
 * shutdown: kexec in Linux 6.1 calls none, and the write to CR4 on its way to the next
 * kernel would fault in VMX operation.
 */
static int hw_reboot(struct notifier_block *nb, unsigned long event, void *data)
{
	cpus_read_lock();
	mutex_lock(&hw_lock);
	hw_rebooting = true;
	if (hw_on)
		disable_all();
	mutex_unlock(&hw_lock);
	cpus_read_unlock();
	return NOTIFY_OK;
}

static struct notifier_block hw_reboot_nb = {
	.notifier_call = hw_reboot,
};

/**
 * mvm_hw_init() - hooks for CPU hotplug, suspend, reboot and the crash path
 * @backend: whose virtualization it is; enables nothing
 *
 * Context: module load; may sleep.
 * Return: 0 or -errno.
 */
int mvm_hw_init(const struct mvm_backend *backend)
{
	int ret;

	hw_backend = backend;
	ret = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "virt/minivmm:online", hw_cpu_online,
					hw_cpu_offline);
	if (ret < 0)
		return ret;
	hw_cpuhp = ret;
	ret = mvm_crash_init(backend);
	if (ret)
		goto err_cpuhp;
	ret = register_reboot_notifier(&hw_reboot_nb);
	if (ret)
		goto err_crash;
	mvm_register_syscore(hw_syscore);
	return 0;

err_crash:
	mvm_crash_exit();
err_cpuhp:
	cpuhp_remove_state_nocalls(hw_cpuhp);
	return ret;
}

/**
 * mvm_hw_exit() - reverse of mvm_hw_init(), virtualization off without the wait
 *
 * Context: module unload, no VM is left; may sleep.
 */
void mvm_hw_exit(void)
{
	cancel_delayed_work_sync(&hw_linger);
	cpus_read_lock();
	mutex_lock(&hw_lock);
	if (hw_on)
		disable_all();
	mutex_unlock(&hw_lock);
	cpus_read_unlock();
	mvm_unregister_syscore(hw_syscore);
	unregister_reboot_notifier(&hw_reboot_nb);
	mvm_crash_exit();
	cpuhp_remove_state_nocalls(hw_cpuhp);
}
