/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The signal that takes a vCPU thread out of its guest. Its handler does
 * nothing: arriving is enough.
 */
#ifndef LAUNCHER_CPU_THREAD_H
#define LAUNCHER_CPU_THREAD_H

#include <signal.h>

#define CPU_KICK_SIGNAL SIGUSR1

#endif
