// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that spins with interrupts on and never leaves by itself, for tests that do
 * something to the host meanwhile. With an argument the vCPU's thread is bound to that
 * CPU. Prints a line when it is about to enter. Ends by a signal, or 1 when no VM could be
 * made.
 */
#define _GNU_SOURCE
#include <sched.h>

#include "mvm_util.h"

GUEST_CODE(busy, 16, "sti; 1: jmp 1b");

int main(int argc, char **argv)
{
	cpu_set_t cpus;
	struct tvcpu vcpu;
	struct tvm vm;

	if (tvm_create(&vm, TVM_MEM_SIZE) || tvcpu_create(&vm, &vcpu, 0) ||
	    tvcpu_start(&vcpu, TVM_REAL, busy, busy_end)) {
		fprintf(stderr, "busy: %s\n", vm.why);
		return 1;
	}
	if (argc > 1) {
		CPU_ZERO(&cpus);
		CPU_SET(atoi(argv[1]), &cpus);
		if (sched_setaffinity(0, sizeof(cpus), &cpus))
			return 1;
	}
	puts("runs");
	fflush(stdout);
	tvcpu_run(&vcpu);
	tvcpu_show(&vcpu);
	return 1;
}
