/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MVM_HOST_WORK_H
#define MVM_HOST_WORK_H

/* host_work.c */
int mvm_host_work(void);

#endif
