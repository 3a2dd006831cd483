/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MVM_HOST_WORK_H
#define MVM_HOST_WORK_H

/**
 * mvm_host_work() - do what the host wants of this thread before it enters a guest
 *
 * Context: sleeps, and runs what others gave this thread to do: of the locks only the vCPU's
 * is held. Return: 0 when all is done; -EINTR where a signal waits, which is delivered on
 * the way to user mode.
 */
int mvm_host_work(void);

#endif
