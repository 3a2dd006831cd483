/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The differences between the kernels this module builds for, and the only
 * place where a kernel version or a missing definition is tested for.
 */
#ifndef MVM_COMPAT_H
#define MVM_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 79)
#error "minivmm needs Linux 6.1.79 or later (cleanup.h's guards)"
#endif

/* register_syscore_ops() became register_syscore(), with a data argument for each callback. */
#include <linux/syscore_ops.h>
#ifdef MVM_HAVE_STRUCT_SYSCORE
#define MVM_SYSCORE_ARGS void *data
#define MVM_DEFINE_SYSCORE(name, its_ops) static struct syscore name = { .ops = &(its_ops) }
#define mvm_register_syscore(name)	  register_syscore(&(name))
#define mvm_unregister_syscore(name)	  unregister_syscore(&(name))
#else
#define MVM_SYSCORE_ARGS void
#define MVM_DEFINE_SYSCORE(name, its_ops) static struct syscore_ops *const name = &(its_ops)
#define mvm_register_syscore(name)	  register_syscore_ops(name)
#define mvm_unregister_syscore(name)	  unregister_syscore_ops(name)
#endif

/* The CPU number it takes in older kernels is not used there either. */
#ifdef MVM_HAVE_RCU_VIRT_CPU_ARG
#define mvm_rcu_virt_note_context_switch() rcu_virt_note_context_switch(0)
#else
#define mvm_rcu_virt_note_context_switch() rcu_virt_note_context_switch()
#endif

/* get_user_pages that ends on any signal: an enumerator of 6.3, which no preprocessor sees. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#define MVM_FOLL_INTERRUPTIBLE FOLL_INTERRUPTIBLE
#else
#define MVM_FOLL_INTERRUPTIBLE 0
#endif

/* hrtimer_setup() replaced hrtimer_init() and the open-coded callback in 6.13. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

/* How long a thread waited for a CPU: kept where the scheduler's statistics are built in. */
#ifdef CONFIG_SCHED_INFO
#define mvm_has_run_delay() true
#define mvm_run_delay()	    READ_ONCE(current->sched_info.run_delay)
#else
#define mvm_has_run_delay() false
#define mvm_run_delay()	    0ULL
#endif

/* An eventfd's count goes up by one at a time since 6.8. */
#ifdef MVM_HAVE_EVENTFD_SIGNAL_N
#define mvm_eventfd_signal(ctx) eventfd_signal(ctx, 1)
#else
#define mvm_eventfd_signal(ctx) eventfd_signal(ctx)
#endif

/* Newer headers rename the run page's shared bytes for kernel code: read them once. */
#ifdef MVM_HAVE_RUN_UNSAFE_HINT
#define mvm_immediate_exit immediate_exit__unsafe
#else
#define mvm_immediate_exit immediate_exit
#endif

#endif
