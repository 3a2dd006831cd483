// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host wants of a thread before it enters its guest: another task's turn, a
 * signal, task work, rseq.
 *
 * The kernel has one function for it, made for KVM, and exports nothing of what that
 * calls. It asks for a struct kvm_vcpu, and does no more with it than to note there that
 * a signal ends KVM_RUN: one that stands for nobody will do, and this file alone knows
 * that structure. Going out to user mode for the work and restarting the call would not
 * do: a signal's handler that runs on that way, before the call begins anew, ends nothing.
 */
#include <linux/entry-kvm.h>
#include <linux/kvm_host.h>

#include "host_work.h"

static struct kvm_run nobodys_run;
static struct kvm_vcpu nobody = { .run = &nobodys_run };

/**
 * mvm_host_work() - do what the host wants of this thread before it enters a guest
 *
 * Context: sleeps, and runs what others gave this thread to do: of the locks only the vCPU's
 * is held.
 * Return: 0 when all is done; -EINTR where a signal waits, which is delivered on
 * the way to user mode.
 */
int mvm_host_work(void)
{
	return xfer_to_guest_mode_handle_work(&nobody);
}
