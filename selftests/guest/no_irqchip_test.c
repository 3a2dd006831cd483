// SPDX-License-Identifier: GPL-2.0-only
/*
 * Without any in-kernel interrupt controller: the local APIC's page and TPR are
 * userspace's, HLT leaves, and what KVM_INTERRUPT queues is delivered when the guest
 * lets it in. interrupt_test.c has the injection's finer points.
 */
#include "mvm_harness.h"
#include "mvm_util.h"

#define VECTOR 0x41
#define HANDLER (TVM_CODE + 128)

GUEST_CODE(tpr, 64,
	   "mov $5, %eax; mov %rax, %cr8; mov $1, %eax; out %eax, $0xf1;"
	   "mov $3, %eax; mov %rax, %cr8; mov %cr8, %rax; out %eax, $0xf1;"
	   "mov %cr8, %rax; mov %rax, %cr8; out %eax, $0xf1; hlt");

GUEST_CODE(apic_page, 64,
	   "mov $0xfee00000, %ebx; mov 0x20(%rbx), %eax; movl $0x1ff, 0xf0(%rbx);"
	   "mov $0xfec00000, %ebx; movl $1, (%rbx); mov $0x20, %edx; out %al, %dx;"
	   "out %al, $0x40; hlt");

GUEST_CODE(halting, 64,
	   "sti; hlt; mov $3, %eax; out %eax, $0xf1; cli; hlt;"
	   ".org halting + 128;"
	   "mov $1, %eax; out %eax, $0xf1; iretq");

FIXTURE(no_irqchip) {
	struct tvm vm;
	struct tvcpu vcpu;
};

FIXTURE_SETUP(no_irqchip)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
}

FIXTURE_TEARDOWN(no_irqchip)
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

TEST_F(no_irqchip, a_lower_tpr_leaves)
{
	struct kvm_run *run = self->vcpu.run;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, tpr, tpr_end));
	ASSERT_EQ(1, next(&self->vcpu));
	EXPECT_EQ(5, run->cr8);
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_SET_TPR));
	EXPECT_EQ(3, run->cr8);
	ASSERT_EQ(3, next(&self->vcpu));
	run->cr8 = 7; /* userspace's local APIC has another opinion */
	ASSERT_EQ(7, next(&self->vcpu));
}

TEST_F(no_irqchip, an_impossible_cr8_is_refused)
{
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, tpr, tpr_end));
	self->vcpu.run->cr8 = 16;
	EXPECT_EQ(-EINVAL, tvcpu_run(&self->vcpu));
	self->vcpu.run->cr8 = 0;
	EXPECT_EQ(1, next(&self->vcpu));
}

TEST_F(no_irqchip, every_chip_is_userspaces)
{
	struct kvm_run *run = self->vcpu.run;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, apic_page, apic_page_end));
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_MMIO));
	EXPECT_EQ(0xfee00020, run->mmio.phys_addr);
	EXPECT_EQ(0, run->mmio.is_write);
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_MMIO));
	EXPECT_EQ(0xfee000f0, run->mmio.phys_addr);
	EXPECT_EQ(1, run->mmio.is_write);
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_MMIO));
	EXPECT_EQ(0xfec00000, run->mmio.phys_addr);
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_IO));
	EXPECT_EQ(0x20, run->io.port);
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_IO));
	EXPECT_EQ(0x40, run->io.port);
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_HLT));
}

TEST_F(no_irqchip, hlt_leaves_and_an_interrupt_goes_on_behind_it)
{
	struct kvm_interrupt irq = { .irq = VECTOR };

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, halting, halting_end));
	tvcpu_set_gate(&self->vcpu, TVM_LONG, VECTOR, HANDLER);
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_HLT));
	EXPECT_EQ(1, self->vcpu.run->ready_for_interrupt_injection);
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_INTERRUPT, &irq));
	ASSERT_EQ(1, next(&self->vcpu));
	EXPECT_EQ(0, self->vcpu.run->ready_for_interrupt_injection);
	ASSERT_EQ(3, next(&self->vcpu));
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_HLT));
	EXPECT_EQ(0, self->vcpu.run->if_flag);
}

TEST_F(no_irqchip, what_is_queued_is_saved_and_restored)
{
	struct kvm_interrupt irq = { .irq = VECTOR };
	struct kvm_sregs sregs;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, halting, halting_end));
	tvcpu_set_gate(&self->vcpu, TVM_LONG, VECTOR, HANDLER);
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_HLT));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_INTERRUPT, &irq));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_SREGS, &sregs));
	EXPECT_EQ(1ull << VECTOR % 64, sregs.interrupt_bitmap[VECTOR / 64]);
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_SET_SREGS, &sregs));
	ASSERT_EQ(1, next(&self->vcpu));
	ASSERT_EQ(3, next(&self->vcpu));
}

TEST_F(no_irqchip, vectors_are_checked)
{
	struct kvm_interrupt irq = { .irq = 256 };

	EXPECT_EQ(-EINVAL, tvm_ioctl(self->vcpu.fd, KVM_INTERRUPT, &irq));
	irq.irq = ~0u;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->vcpu.fd, KVM_INTERRUPT, &irq));
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->vcpu.fd, KVM_INTERRUPT, (void *)8));
}

MVM_HARNESS_MAIN
