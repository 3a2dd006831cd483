/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random calls of every ioctl that uapi/API.md lists.
 */
#ifndef IOCTL_FUZZ_H
#define IOCTL_FUZZ_H

#include "mvm_random.h"
#include "mvm_util.h"

enum fuzz_file { FILE_SYSTEM, FILE_VM, FILE_VCPU, NR_FILES };

#define FUZZ_VCPUS 2

/* What the calls are made on. */
struct fuzz_target {
	struct tvm vm;
	struct tvcpu vcpu[FUZZ_VCPUS];	/* fd -1: the VM has one only */
	int event;	/* an eventfd, for calls that take one */
	bool stranger;	/* from another address space: -EIO is the answer */
};

/* One caller: a thread of its own has one of its own. */
struct fuzz_caller {
	struct fuzz_target *target;
	struct rng rng;
	uint8_t *arena;		/* arguments; ends at a page that is not there */
	bool shared;		/* other callers use the same files */
	unsigned long calls, succeeded;
	char wrong[160];	/* what should not have been, empty = nothing */
};

#define FUZZ_ARENA_SIZE 0x20000

/* A VM of a random make: with or without memory, irqchip, PIT, one vCPU or more. */
int fuzz_target_create(struct fuzz_target *target, struct rng *rng);
void fuzz_target_destroy(struct fuzz_target *target);

int fuzz_caller_init(struct fuzz_caller *caller, struct fuzz_target *target, struct rng rng);
void fuzz_caller_free(struct fuzz_caller *caller);

/* One call. False, and caller->wrong says why, if it answered what it must not. */
bool fuzz_call(struct fuzz_caller *caller);

/* How many ioctls there are, and how often each succeeded so far. */
size_t fuzz_nr_calls(void);
const char *fuzz_name(size_t i);
unsigned long fuzz_successes(size_t i);

#endif /* IOCTL_FUZZ_H */
