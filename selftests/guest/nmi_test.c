// SPDX-License-Identifier: GPL-2.0-only
/*
 * NMIs: one reaches its handler, one more waits for the handler's IRET and comes
 * right after it, and what the host does to see that moment stays invisible.
 */
#include "mvm_harness.h"
#include "mvm_util.h"

#define NMI_VECTOR 2
#define GP_VECTOR  13
#define FLAGS_TF   0x100
#define GATE	   64 /* offset of the NMI's handler in the code */
#define GATE_GP	   192

/* Reports 1, 9 and its flags; the handler reports 2, the flags it found, and 3. */
GUEST_CODE(plain, 64,
	   "mov $1, %eax; out %eax, $0xf1; mov $9, %eax; out %eax, $0xf1;"
	   "pushf; pop %rax; out %eax, $0xf1; hlt;"
	   ".org plain + 64;"
	   "push %rax; mov $2, %eax; out %eax, $0xf1; mov 24(%rsp), %eax; out %eax, $0xf1;"
	   "mov $3, %eax; out %eax, $0xf1; pop %rax; iretq");

/* The first handler's IRET faults; #GP reports the flags it found and halts. */
GUEST_CODE(faulting, 64,
	   "mov $1, %eax; out %eax, $0xf1; hlt;"
	   ".org faulting + 64;"
	   "push %rax; mov $2, %eax; out %eax, $0xf1; mov 24(%rsp), %eax; out %eax, $0xf1;"
	   "pop %rax; lock incl 0x800; cmpl $1, 0x800; jne 1f; movq $0xfff8, 8(%rsp); 1: iretq;"
	   ".org faulting + 192;"
	   "mov 24(%rsp), %eax; out %eax, $0xf1; hlt");

FIXTURE(nmi) {
	struct tvm vm;
	struct tvcpu vcpu;
};

FIXTURE_SETUP(nmi)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
}

FIXTURE_TEARDOWN(nmi)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

static int start(struct tvcpu *vcpu, const uint8_t *code, const uint8_t *end)
{
	int ret = tvcpu_start(vcpu, TVM_LONG, code, end);

	tvcpu_set_gate(vcpu, TVM_LONG, NMI_VECTOR, TVM_CODE + GATE);
	tvcpu_set_gate(vcpu, TVM_LONG, GP_VECTOR, TVM_CODE + GATE_GP);
	return ret;
}

/* The next report, or the errno as a number that no guest here reports. */
static int64_t next(struct tvcpu *vcpu)
{
	uint32_t value;
	int ret = tvcpu_run_out(vcpu, &value);

	return ret ? ret : value;
}

TEST_F(nmi, is_taken_with_interrupts_off)
{
	ASSERT_EQ(0, start(&self->vcpu, plain, plain_end));
	ASSERT_EQ(1, next(&self->vcpu));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_NMI, NULL));
	EXPECT_EQ(2, next(&self->vcpu));
	EXPECT_EQ(0, next(&self->vcpu) & FLAGS_TF);
	EXPECT_EQ(3, next(&self->vcpu));
	EXPECT_EQ(9, next(&self->vcpu));
}

TEST_F(nmi, waits_for_the_handlers_iret)
{
	int i;

	ASSERT_EQ(0, start(&self->vcpu, plain, plain_end));
	ASSERT_EQ(1, next(&self->vcpu));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_NMI, NULL));
	ASSERT_EQ(2, next(&self->vcpu));
	/* In the handler: of these two one is latched. */
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_NMI, NULL));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_NMI, NULL));
	EXPECT_EQ(0, next(&self->vcpu) & FLAGS_TF);
	EXPECT_EQ(3, next(&self->vcpu));
	/* Before the interrupted code goes on. */
	EXPECT_EQ(2, next(&self->vcpu));
	EXPECT_EQ(0, next(&self->vcpu) & FLAGS_TF);
	EXPECT_EQ(3, next(&self->vcpu));
	EXPECT_EQ(9, next(&self->vcpu));
	EXPECT_EQ(0, next(&self->vcpu) & FLAGS_TF);
	EXPECT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_HLT));

	/* Unmasked again afterwards, many times over. */
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, start(&self->vcpu, plain, plain_end));
		ASSERT_EQ(1, next(&self->vcpu));
		ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_NMI, NULL));
		ASSERT_EQ(2, next(&self->vcpu));
		EXPECT_EQ(0, next(&self->vcpu) & FLAGS_TF);
		EXPECT_EQ(3, next(&self->vcpu));
		EXPECT_EQ(9, next(&self->vcpu));
	}
}

TEST_F(nmi, faulting_iret_shows_no_trap_flag)
{
	int64_t value;
	int reports = 0;

	if (tvm_is_kvm())
		SKIP(return, "KVM's own step over the IRET shows in the frame");
	ASSERT_EQ(0, start(&self->vcpu, faulting, faulting_end));
	ASSERT_EQ(1, next(&self->vcpu));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_NMI, NULL));
	ASSERT_EQ(2, next(&self->vcpu));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_NMI, NULL));
	while (!tvcpu_run(&self->vcpu) && self->vcpu.run->exit_reason == KVM_EXIT_IO) {
		value = *(uint32_t *)((uint8_t *)self->vcpu.run +
				      self->vcpu.run->io.data_offset);
		EXPECT_EQ(0, value & FLAGS_TF);
		ASSERT_LT(reports++, 10);
	}
	EXPECT_EQ(KVM_EXIT_HLT, self->vcpu.run->exit_reason);
	/* The first frame, #GP's, the second NMI's mark and frame. */
	EXPECT_EQ(4, reports);
}

MVM_HARNESS_MAIN
