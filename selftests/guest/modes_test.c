// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest runs in each CPU mode: it reports through a port, adds, uses its
 * stack and memory, and takes a software interrupt.
 */
#include "mvm_harness.h"
#include "mvm_util.h"

#define INT_VECTOR	0x40

GUEST_CODE(code16, 16,
	   "push %ax; mov $7, %bx; pop %ax; add %bx, %ax; mov %ax, 0x800;"
	   "mov 0x800, %eax; out %eax, $0xf1;"
	   "int $0x40; out %eax, $0xf1; hlt;"
	   ".org code16 + 64; mov $0x1234, %eax; iret");

GUEST_CODE(code32, 32,
	   "push %eax; mov $7, %ebx; pop %eax; add %ebx, %eax; mov %eax, 0x800;"
	   "mov 0x800, %eax; out %eax, $0xf1;"
	   "int $0x40; out %eax, $0xf1; hlt;"
	   ".org code32 + 64; mov $0x1234, %eax; iret");

GUEST_CODE(code64, 64,
	   "push %rax; mov $7, %r15; pop %rax; add %r15, %rax; mov %rax, 0x800;"
	   "mov 0x800, %eax; out %eax, $0xf1;"
	   "int $0x40; out %eax, $0xf1; hlt;"
	   ".org code64 + 64; mov $0x1234, %eax; iretq");

FIXTURE(modes) {
	struct tvm vm;
	struct tvcpu vcpu;
};

FIXTURE_VARIANT(modes) {
	enum tvm_mode mode;
	const uint8_t *start, *end;
};

FIXTURE_VARIANT_ADD(modes, real) { TVM_REAL, code16, code16_end };
FIXTURE_VARIANT_ADD(modes, protected) { TVM_PROTECTED, code32, code32_end };
FIXTURE_VARIANT_ADD(modes, paged32) { TVM_PAGED32, code32, code32_end };
FIXTURE_VARIANT_ADD(modes, pae) { TVM_PAE, code32, code32_end };
FIXTURE_VARIANT_ADD(modes, long) { TVM_LONG, code64, code64_end };

FIXTURE_SETUP(modes)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, variant->mode, variant->start,
				 variant->end));
	tvcpu_set_gate(&self->vcpu, variant->mode, INT_VECTOR, TVM_CODE + 64);
}

FIXTURE_TEARDOWN(modes)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

TEST_F(modes, guest_computes_and_takes_interrupts)
{
	struct kvm_regs regs;
	uint32_t value;

	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_REGS, &regs));
	regs.rax = 35;
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_SET_REGS, &regs));
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(42, value);
	EXPECT_EQ(42, *(uint32_t *)(self->vm.mem + 0x800));
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0x1234, value);
	EXPECT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_HLT));
}

MVM_HARNESS_MAIN
