// SPDX-License-Identifier: GPL-2.0-only
/*
 * A launcher for module_test.sh: a guest that exits to userspace now and then, for
 * ever or for the given number of exits. 0, or 1 when no VM could be made.
 */
#include "mvm_util.h"

GUEST_CODE(spin, 16, "1: mov $2000, %cx; 2: loop 2b; out %eax, $0xf1; jmp 1b");

int main(int argc, char **argv)
{
	long i, n = argc > 1 ? atol(argv[1]) : -1;
	struct tvcpu vcpu;
	uint32_t value;
	struct tvm vm;

	if (tvm_create(&vm, TVM_MEM_SIZE) || tvcpu_create(&vm, &vcpu, 0) ||
	    tvcpu_start(&vcpu, TVM_REAL, spin, spin_end))
		return 1;
	for (i = 0; i != n; i++)
		if (tvcpu_run_out(&vcpu, &value))
			return 1;
	tvcpu_destroy(&vcpu);
	tvm_destroy(&vm);
	return 0;
}
