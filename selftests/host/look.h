/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest that looks at its own MSRs, debug and vector registers, memory and time stamp
 * counter again and again: each must be what it was. The thread around it does the same with
 * the host's vector register and TSC_AUX. For host_util.h's runner_start().
 */
#ifndef LOOK_H
#define LOOK_H

#include "host_util.h"

#define MSR_STAR    0xc0000081
#define MSR_LSTAR   0xc0000082
#define MSR_SFMASK  0xc0000084
#define MSR_TSC_AUX 0xc0000103

/*
 * Make it, on @device or, with NULL, on the device under test; its last hexadecimal digits
 * are zero. 0, -errno or -1. What is wrong later is the runner's result: 1 to 4 an MSR, 5 a
 * vector register, 6 and 7 a debug register, 8 memory, 9 a TSC that went back; 101 and 102
 * the host's.
 */
int look_create(struct runner *runner, const char *device, uint32_t pattern);

/* What the guest wrote beside its pattern is its own in the host's view, too. */
bool look_memory_is(struct runner *runner, uint32_t pattern);

#endif /* LOOK_H */
