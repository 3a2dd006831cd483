// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_CAP_SPLIT_IRQCHIP: local APICs in the kernel, the other chips in userspace. Their
 * routes are messages; the end of a level-triggered one leaves to userspace, and an
 * 8259 there interrupts by KVM_INTERRUPT.
 */
#include "irq_util.h"
#include "mvm_harness.h"

#define PINS 24
#define VECTOR 0x50
#define EXTINT 0x61
#define HANDLER (TVM_CODE + 128)
#define EXT_HANDLER (TVM_CODE + 192)
#define LINT0 0x350
#define LINT0_EXTINT 0x700
#define LINT0_MASKED 0x10000

/* As resample_test.c's guest: 9 at the start; 1, EOI, 2 in the handler; 3 for ever. */
GUEST_CODE(code, 64,
	   "mov $0xfee00000, %ebx; movl $0x1ff, 0xf0(%rbx); mov $9, %eax; out %eax, $0xf1; sti;"
	   "1: mov $3, %eax; out %eax, $0xf1; jmp 1b;"
	   ".org code + 128; push %rax;"
	   "mov $1, %eax; out %eax, $0xf1; movl $0, 0xb0(%rbx); mov $2, %eax; out %eax, $0xf1;"
	   "pop %rax; iretq;"
	   ".org code + 192; push %rax;"
	   "mov $4, %eax; out %eax, $0xf1; pop %rax; iretq");

/* Reports 5 with interrupts off, then spins with them on. */
GUEST_CODE(spin, 64,
	   "mov $0xfee00000, %ebx; movl $0x1ff, 0xf0(%rbx); cli; mov $5, %eax; out %eax, $0xf1;"
	   "sti; 1: pause; jmp 1b;"
	   ".org spin + 192;"
	   "mov $4, %eax; out %eax, $0xf1; iretq");

static int enable_split(struct tvm *vm, uint64_t pins, uint32_t flags)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_SPLIT_IRQCHIP, .flags = flags, .args = { pins },
	};

	return tvm_ioctl(vm->fd, KVM_ENABLE_CAP, &cap);
}

FIXTURE(split) {
	struct tvm vm;
	struct tvcpu vcpu;
};

FIXTURE_SETUP(split)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, enable_split(&self->vm, PINS, 0));
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, code, code_end));
	tvcpu_set_gate(&self->vcpu, TVM_LONG, VECTOR, HANDLER);
	tvcpu_set_gate(&self->vcpu, TVM_LONG, EXTINT, EXT_HANDLER);
}

FIXTURE_TEARDOWN(split)
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

static int interrupt(struct tvcpu *vcpu, uint32_t vector)
{
	struct kvm_interrupt irq = { .irq = vector };

	return tvm_ioctl(vcpu->fd, KVM_INTERRUPT, &irq);
}

/* ------------------------------------------------------------------ set-up */

TEST(it_is_enabled_once_and_early)
{
	struct kvm_enable_cap unknown = { .cap = 0x7fffffff };
	struct tvcpu vcpu;
	struct tvm vm;

	TVM_CREATE_OR_SKIP(&vm, TVM_MEM_SIZE);
	EXPECT_EQ(1, tvm_ioctl(vm.fd, KVM_CHECK_EXTENSION, (void *)KVM_CAP_SPLIT_IRQCHIP));
	EXPECT_EQ(1, tvm_ioctl(vm.fd, KVM_CHECK_EXTENSION, (void *)KVM_CAP_ENABLE_CAP_VM));
	EXPECT_EQ(-EINVAL, enable_split(&vm, PINS, 1));
	EXPECT_EQ(-EINVAL, enable_split(&vm, 4097, 0));
	EXPECT_EQ(-EINVAL, enable_split(&vm, ~0ull, 0));
	EXPECT_EQ(-EINVAL, tvm_ioctl(vm.fd, KVM_ENABLE_CAP, &unknown));
	EXPECT_EQ(-EFAULT, tvm_ioctl(vm.fd, KVM_ENABLE_CAP, (void *)8));
	EXPECT_EQ(0, enable_split(&vm, PINS, 0));
	EXPECT_EQ(-EEXIST, enable_split(&vm, PINS, 0));
	EXPECT_EQ(-EEXIST, tvm_ioctl(vm.fd, KVM_CREATE_IRQCHIP, NULL));
	tvm_destroy(&vm);

	ASSERT_EQ(0, tvm_create(&vm, TVM_MEM_SIZE));
	EXPECT_EQ(0, tvm_ioctl(vm.fd, KVM_CREATE_IRQCHIP, NULL));
	EXPECT_EQ(-EEXIST, enable_split(&vm, PINS, 0));
	tvm_destroy(&vm);

	ASSERT_EQ(0, tvm_create(&vm, TVM_MEM_SIZE));
	ASSERT_EQ(0, tvcpu_create(&vm, &vcpu, 0));
	EXPECT_EQ(-EEXIST, enable_split(&vm, PINS, 0));
	tvcpu_destroy(&vcpu);
	tvm_destroy(&vm);
}

TEST_F(split, the_other_chips_are_not_there)
{
	struct kvm_irq_routing_entry pin = tirq_pin(4, KVM_IRQCHIP_IOAPIC, 4);
	struct kvm_pit_config config = {};
	struct kvm_irqchip chip = {};

	EXPECT_EQ(-ENXIO, tvm_ioctl(self->vm.fd, KVM_GET_IRQCHIP, &chip));
	EXPECT_EQ(-ENXIO, tvm_ioctl(self->vm.fd, KVM_SET_IRQCHIP, &chip));
	EXPECT_EQ(-EINVAL, tirq_route(&self->vm, &pin, 1));
	EXPECT_EQ(-1, tirq_status(&self->vm, 4, 1)); /* no defaults either */
	EXPECT_EQ(-EINVAL, tirq_irqfd(&self->vm, 0, 4, KVM_IRQFD_FLAG_RESAMPLE, 0));
	if (tvm_is_kvm())
		SKIP(return, "KVM of 6.1 creates an 8254 that reaches nobody");
	EXPECT_EQ(-ENOENT, tvm_ioctl(self->vm.fd, KVM_CREATE_PIT2, &config));
}

/* ------------------------------------------------------ userspace's I/O APIC */

TEST_F(split, the_end_of_a_level_interrupt_leaves)
{
	struct kvm_irq_routing_entry e = tirq_msi(5, VECTOR | TIRQ_LEVEL);
	int i;

	ASSERT_EQ(0, tirq_route(&self->vm, &e, 1));
	ASSERT_EQ(9, next(&self->vcpu));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(1, tirq_status(&self->vm, 5, 1));
		ASSERT_EQ(1, next(&self->vcpu));
		ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_IOAPIC_EOI));
		EXPECT_EQ(VECTOR, self->vcpu.run->eoi.vector);
		ASSERT_EQ(2, next(&self->vcpu));
		ASSERT_EQ(3, next(&self->vcpu));
	}
}

TEST_F(split, an_edge_ends_in_silence)
{
	struct kvm_irq_routing_entry e = tirq_msi(5, VECTOR);

	ASSERT_EQ(0, tirq_route(&self->vm, &e, 1));
	ASSERT_EQ(9, next(&self->vcpu));
	ASSERT_EQ(1, tirq_status(&self->vm, 5, 1));
	ASSERT_EQ(1, next(&self->vcpu));
	ASSERT_EQ(2, next(&self->vcpu));
	ASSERT_EQ(3, next(&self->vcpu));
}

TEST_F(split, so_does_a_message_that_is_no_pins)
{
	struct kvm_irq_routing_entry e = tirq_msi(PINS, VECTOR | TIRQ_LEVEL);

	ASSERT_EQ(0, tirq_route(&self->vm, &e, 1));
	ASSERT_EQ(9, next(&self->vcpu));
	ASSERT_EQ(1, tirq_status(&self->vm, PINS, 1));
	ASSERT_EQ(1, next(&self->vcpu));
	ASSERT_EQ(2, next(&self->vcpu));
	ASSERT_EQ(3, next(&self->vcpu));
}

/* -------------------------------------------------------- userspace's 8259 */

TEST_F(split, an_8259_outside_interrupts)
{
	int i;

	ASSERT_EQ(9, next(&self->vcpu));
	EXPECT_EQ(-EINVAL, interrupt(&self->vcpu, 256));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, interrupt(&self->vcpu, EXTINT));
		EXPECT_EQ(-EEXIST, interrupt(&self->vcpu, EXTINT));
		ASSERT_EQ(4, next(&self->vcpu));
		ASSERT_EQ(3, next(&self->vcpu));
	}
}

TEST_F(split, it_comes_before_a_message)
{
	struct kvm_msi msi = { .address_lo = TIRQ_MSI_ADDR, .data = VECTOR };

	ASSERT_EQ(9, next(&self->vcpu));
	ASSERT_EQ(1, tvm_ioctl(self->vm.fd, KVM_SIGNAL_MSI, &msi));
	ASSERT_EQ(0, interrupt(&self->vcpu, EXTINT));
	ASSERT_EQ(4, next(&self->vcpu));
	ASSERT_EQ(1, next(&self->vcpu));
	ASSERT_EQ(2, next(&self->vcpu));
	ASSERT_EQ(3, next(&self->vcpu));
}

TEST_F(split, lint0_decides)
{
	ASSERT_EQ(9, next(&self->vcpu));
	ASSERT_EQ(0, tlapic_set(&self->vcpu, LINT0, LINT0_EXTINT | LINT0_MASKED));
	ASSERT_EQ(0, interrupt(&self->vcpu, EXTINT));
	self->vcpu.run->immediate_exit = 1;
	EXPECT_EQ(-EINTR, tvm_ioctl(self->vcpu.fd, KVM_RUN, NULL));
	self->vcpu.run->immediate_exit = 0;
	EXPECT_EQ(0, self->vcpu.run->ready_for_interrupt_injection);
	ASSERT_EQ(0, tlapic_set(&self->vcpu, LINT0, LINT0_EXTINT));
	ASSERT_EQ(4, next(&self->vcpu));
	ASSERT_EQ(3, next(&self->vcpu));
}

TEST_F(split, the_window_is_told)
{
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, spin, spin_end));
	ASSERT_EQ(5, next(&self->vcpu));
	EXPECT_EQ(0, self->vcpu.run->ready_for_interrupt_injection);
	self->vcpu.run->request_interrupt_window = 1;
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_IRQ_WINDOW_OPEN));
	EXPECT_EQ(1, self->vcpu.run->ready_for_interrupt_injection);
	EXPECT_EQ(1, self->vcpu.run->if_flag);
	self->vcpu.run->request_interrupt_window = 0;
	ASSERT_EQ(0, interrupt(&self->vcpu, EXTINT));
	ASSERT_EQ(4, next(&self->vcpu));
	EXPECT_EQ(0, self->vcpu.run->if_flag);
}

MVM_HARNESS_MAIN
