// SPDX-License-Identifier: GPL-2.0-only
/*
 * External interrupts from userspace (KVM_INTERRUPT, no in-kernel irqchip): held
 * while IF is clear and through STI's shadow, then delivered; the window for the
 * next one is told.
 */
#include "mvm_harness.h"
#include "mvm_util.h"

#define VECTOR	   0x41
#define SHADOW_STI 2
#define FLAG_IF	   0x200

/* Reports 1; then 5 in STI's shadow, 6 from the handler, 7. */
GUEST_CODE(code, 64,
	   "cli; mov $1, %eax; out %eax, $0xf1; mov $2, %eax; out %eax, $0xf1;"
	   "mov $5, %eax; mov $7, %ebx; sti; out %eax, $0xf1; mov %ebx, %eax; out %eax, $0xf1; hlt;"
	   ".org code + 64;"
	   "push %rax; mov $6, %eax; out %eax, $0xf1; pop %rax; iretq");
GUEST_CODE(jump_to_itself, 64, "9: jmp 9b; .org jump_to_itself + 64; mov $6, %eax; out %eax, $0xf1");

FIXTURE(interrupt) {
	struct tvm vm;
	struct tvcpu vcpu;
};

FIXTURE_SETUP(interrupt)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, code, code_end));
	tvcpu_set_gate(&self->vcpu, TVM_LONG, VECTOR, TVM_CODE + 64);
}

FIXTURE_TEARDOWN(interrupt)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

static int64_t next(struct tvcpu *vcpu)
{
	uint32_t value;
	int ret = tvcpu_run_out(vcpu, &value);

	return ret ? ret : value;
}

TEST_F(interrupt, waits_for_if_and_the_shadow)
{
	struct kvm_interrupt irq = { .irq = VECTOR };

	if (tvm_is_kvm())
		SKIP(return, "KVM leaves the waiting to userspace");
	ASSERT_EQ(1, next(&self->vcpu));
	EXPECT_EQ(0, self->vcpu.run->if_flag);
	EXPECT_EQ(0, self->vcpu.run->ready_for_interrupt_injection);
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_INTERRUPT, &irq));
	EXPECT_EQ(2, next(&self->vcpu));
	EXPECT_EQ(5, next(&self->vcpu));
	EXPECT_EQ(6, next(&self->vcpu));
	EXPECT_EQ(7, next(&self->vcpu));
	EXPECT_EQ(1, self->vcpu.run->if_flag);
	EXPECT_EQ(1, self->vcpu.run->ready_for_interrupt_injection);
}

TEST_F(interrupt, window_exit_when_asked_for)
{
	struct kvm_interrupt irq = { .irq = VECTOR };

	ASSERT_EQ(1, next(&self->vcpu));
	self->vcpu.run->request_interrupt_window = 1;
	EXPECT_EQ(2, next(&self->vcpu));
	EXPECT_EQ(5, next(&self->vcpu));
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_IRQ_WINDOW_OPEN));
	EXPECT_EQ(1, self->vcpu.run->ready_for_interrupt_injection);
	self->vcpu.run->request_interrupt_window = 0;
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_INTERRUPT, &irq));
	EXPECT_EQ(6, next(&self->vcpu));
	EXPECT_EQ(7, next(&self->vcpu));
}

/* The shadow ends with one instruction also where that leads to where it was. */
TEST_F(interrupt, shadow_of_a_jump_to_itself_ends)
{
	struct kvm_vcpu_events events = {
		.flags = KVM_VCPUEVENT_VALID_SHADOW,
		.interrupt.shadow = SHADOW_STI,
	};
	struct kvm_interrupt irq = { .irq = VECTOR };
	struct kvm_regs regs;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, jump_to_itself, jump_to_itself_end));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_REGS, &regs));
	regs.rflags |= FLAG_IF;
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_SET_REGS, &regs));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_SET_VCPU_EVENTS, &events));
	self->vcpu.run->request_interrupt_window = 1;
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_IRQ_WINDOW_OPEN));
	self->vcpu.run->request_interrupt_window = 0;
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_INTERRUPT, &irq));
	EXPECT_EQ(6, next(&self->vcpu));
}

MVM_HARNESS_MAIN
