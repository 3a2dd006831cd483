// SPDX-License-Identifier: GPL-2.0-only
/*
 * Level-triggered interrupts by irqfd: the line is up from the signal to the guest's
 * end of interrupt, at the I/O APIC and at the 8259, which then signals the second
 * eventfd.
 */
#include <sys/eventfd.h>

#include "irq_util.h"
#include "mvm_harness.h"

#define IOAPIC_VECTOR 0x50
#define PIC_BASE 0x20
#define RTE_LEVEL 0x8000
#define RTE_REMOTE 0x4000
#define HANDLER (TVM_CODE + 128)
#define PIC_HANDLER (TVM_CODE + 192)
#define RESAMPLE KVM_IRQFD_FLAG_RESAMPLE
#define DEASSIGN KVM_IRQFD_FLAG_DEASSIGN

/* Handlers report 1, end the interrupt, report 2. Otherwise the guest reports 3 for ever. */
GUEST_CODE(code, 64,
	   "mov $0xfee00000, %ebx; movl $0x1ff, 0xf0(%rbx); mov $9, %eax; out %eax, $0xf1; sti;"
	   "1: mov $3, %eax; out %eax, $0xf1; jmp 1b;"
	   ".org code + 128; push %rax;"
	   "mov $1, %eax; out %eax, $0xf1; movl $0, 0xb0(%rbx); mov $2, %eax; out %eax, $0xf1;"
	   "pop %rax; iretq;"
	   ".org code + 192; push %rax;"
	   "mov $1, %eax; out %eax, $0xf1; mov $0x20, %al; out %al, $0x20;"
	   "mov $2, %eax; out %eax, $0xf1; pop %rax; iretq");

FIXTURE(resample) {
	struct tvm vm;
	struct tvcpu vcpu;
	int efd;
	int resample;
};

FIXTURE_SETUP(resample)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvm_create_irqchip(&self->vm, false));
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, code, code_end));
	tvcpu_set_gate(&self->vcpu, TVM_LONG, IOAPIC_VECTOR, HANDLER);
	tvcpu_set_gate(&self->vcpu, TVM_LONG, PIC_BASE + 5, PIC_HANDLER);
	self->efd = eventfd(0, EFD_NONBLOCK);
	self->resample = eventfd(0, EFD_NONBLOCK);
	ASSERT_LE(0, self->resample);
}

FIXTURE_TEARDOWN(resample)
{
	close(self->efd);
	close(self->resample);
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

static int64_t next(struct tvcpu *vcpu)
{
	uint32_t value;
	int ret = tvcpu_run_out(vcpu, &value);

	return ret ? ret : value;
}

/* The next report that is not 3. KVM raises lines from a worker: give it time. */
static int64_t interrupted(struct tvcpu *vcpu)
{
	int64_t value;
	int i;

	for (i = 0; i < 2000; i++) {
		value = next(vcpu);
		if (value != 3)
			return value;
		usleep(500);
	}
	return 3;
}

/* How often the device was told since the last time. */
static int told(int fd)
{
	eventfd_t count;

	return eventfd_read(fd, &count) ? 0 : count;
}

static int set_pin(struct tvm *vm, unsigned int pin, uint64_t entry)
{
	return tioapic_set(vm, pin, entry);
}

TEST_F(resample, the_ioapics_line_is_up_until_the_eoi)
{
	uint64_t entry;
	int i;

	ASSERT_EQ(0, set_pin(&self->vm, 20, IOAPIC_VECTOR | RTE_LEVEL));
	ASSERT_EQ(0, tirq_irqfd(&self->vm, self->efd, 20, RESAMPLE, self->resample));
	ASSERT_EQ(9, next(&self->vcpu));
	for (i = 0; i < 3; i++) {
		eventfd_write(self->efd, 1);
		ASSERT_EQ(1, interrupted(&self->vcpu));
		EXPECT_EQ(0, told(self->resample));
		ASSERT_EQ(0, tioapic_get(&self->vm, 20, &entry));
		EXPECT_EQ(IOAPIC_VECTOR | RTE_LEVEL | RTE_REMOTE, entry);
		ASSERT_EQ(2, next(&self->vcpu));
		EXPECT_EQ(1, told(self->resample));
		ASSERT_EQ(0, tioapic_get(&self->vm, 20, &entry));
		EXPECT_EQ(IOAPIC_VECTOR | RTE_LEVEL, entry);
		/* The line is down: nothing comes by itself. */
		ASSERT_EQ(3, next(&self->vcpu));
	}
}

TEST_F(resample, a_device_that_is_not_done_interrupts_again)
{
	ASSERT_EQ(0, set_pin(&self->vm, 20, IOAPIC_VECTOR | RTE_LEVEL));
	ASSERT_EQ(0, tirq_irqfd(&self->vm, self->efd, 20, RESAMPLE, self->resample));
	ASSERT_EQ(9, next(&self->vcpu));
	eventfd_write(self->efd, 1);
	ASSERT_EQ(1, interrupted(&self->vcpu));
	ASSERT_EQ(2, next(&self->vcpu));
	ASSERT_EQ(1, told(self->resample));
	eventfd_write(self->efd, 1);
	ASSERT_EQ(1, interrupted(&self->vcpu));
	ASSERT_EQ(2, next(&self->vcpu));
	ASSERT_EQ(3, next(&self->vcpu));
}

/* The resample eventfd raises the line itself: the guest is never without. */
TEST_F(resample, an_eventfd_may_be_its_own_resample_eventfd)
{
	int i;

	ASSERT_EQ(0, set_pin(&self->vm, 20, IOAPIC_VECTOR | RTE_LEVEL));
	ASSERT_EQ(0, tirq_irqfd(&self->vm, self->efd, 20, RESAMPLE, self->efd));
	ASSERT_EQ(9, next(&self->vcpu));
	eventfd_write(self->efd, 1);
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(1, interrupted(&self->vcpu));
		ASSERT_EQ(2, next(&self->vcpu));
	}
}

TEST_F(resample, devices_that_share_a_gsi_are_all_told)
{
	int efd = eventfd(0, EFD_NONBLOCK), resample = eventfd(0, EFD_NONBLOCK);

	ASSERT_EQ(0, set_pin(&self->vm, 20, IOAPIC_VECTOR | RTE_LEVEL));
	ASSERT_EQ(0, tirq_irqfd(&self->vm, self->efd, 20, RESAMPLE, self->resample));
	ASSERT_EQ(0, tirq_irqfd(&self->vm, efd, 20, RESAMPLE, resample));
	ASSERT_EQ(9, next(&self->vcpu));
	eventfd_write(efd, 1);
	ASSERT_EQ(1, interrupted(&self->vcpu));
	ASSERT_EQ(2, next(&self->vcpu));
	EXPECT_EQ(1, told(self->resample));
	EXPECT_EQ(1, told(resample));
	ASSERT_EQ(3, next(&self->vcpu));

	/* One goes; the other is still told. */
	ASSERT_EQ(0, tirq_irqfd(&self->vm, efd, 20, DEASSIGN | RESAMPLE, resample));
	eventfd_write(self->efd, 1);
	ASSERT_EQ(1, interrupted(&self->vcpu));
	ASSERT_EQ(2, next(&self->vcpu));
	EXPECT_EQ(1, told(self->resample));
	EXPECT_EQ(0, told(resample));
	close(efd);
	close(resample);
}

TEST_F(resample, a_line_that_userspace_holds_stays_up)
{
	uint64_t entry;

	ASSERT_EQ(0, set_pin(&self->vm, 20, IOAPIC_VECTOR | RTE_LEVEL));
	ASSERT_EQ(0, tirq_irqfd(&self->vm, self->efd, 20, RESAMPLE, self->resample));
	ASSERT_EQ(9, next(&self->vcpu));
	EXPECT_EQ(1, tirq_status(&self->vm, 20, 1));
	eventfd_write(self->efd, 1);
	ASSERT_EQ(1, interrupted(&self->vcpu));
	ASSERT_EQ(2, next(&self->vcpu));
	EXPECT_EQ(1, told(self->resample));
	ASSERT_EQ(0, tioapic_get(&self->vm, 20, &entry));
	EXPECT_EQ(RTE_REMOTE, entry & RTE_REMOTE);
	tirq_status(&self->vm, 20, 0);
	ASSERT_EQ(1, interrupted(&self->vcpu));
	ASSERT_EQ(2, next(&self->vcpu));
	ASSERT_EQ(3, next(&self->vcpu));
}

TEST_F(resample, deassigning_lets_go_of_the_line)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };

	ASSERT_EQ(0, tirq_irqfd(&self->vm, self->efd, 20, RESAMPLE, self->resample));
	eventfd_write(self->efd, 1);
	usleep(20000);
	ASSERT_EQ(0, tvm_ioctl(self->vm.fd, KVM_GET_IRQCHIP, &chip));
	EXPECT_EQ(1 << 20, chip.chip.ioapic.irr);
	ASSERT_EQ(0, tirq_irqfd(&self->vm, self->efd, 20, DEASSIGN, -1));
	ASSERT_EQ(0, tvm_ioctl(self->vm.fd, KVM_GET_IRQCHIP, &chip));
	EXPECT_EQ(0, chip.chip.ioapic.irr);
}

static int set_pic(struct tvm *vm, bool auto_eoi)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_PIC_MASTER };
	int ret = tvm_ioctl(vm->fd, KVM_GET_IRQCHIP, &chip);

	if (ret)
		return ret;
	chip.chip.pic.irq_base = PIC_BASE;
	chip.chip.pic.elcr = 1 << 5;
	chip.chip.pic.auto_eoi = auto_eoi;
	return tvm_ioctl(vm->fd, KVM_SET_IRQCHIP, &chip);
}

TEST_F(resample, the_8259s_line_is_up_until_the_eoi)
{
	ASSERT_EQ(0, set_pic(&self->vm, false));
	ASSERT_EQ(0, tirq_irqfd(&self->vm, self->efd, 5, RESAMPLE, self->resample));
	ASSERT_EQ(9, next(&self->vcpu));
	eventfd_write(self->efd, 1);
	ASSERT_EQ(1, interrupted(&self->vcpu));
	EXPECT_EQ(0, told(self->resample));
	ASSERT_EQ(2, next(&self->vcpu));
	EXPECT_EQ(1, told(self->resample));
	ASSERT_EQ(3, next(&self->vcpu));
	eventfd_write(self->efd, 1);
	ASSERT_EQ(1, interrupted(&self->vcpu));
}

TEST_F(resample, automatic_eoi_is_one_too)
{
	ASSERT_EQ(0, set_pic(&self->vm, true));
	ASSERT_EQ(0, tirq_irqfd(&self->vm, self->efd, 5, RESAMPLE, self->resample));
	ASSERT_EQ(9, next(&self->vcpu));
	eventfd_write(self->efd, 1);
	ASSERT_EQ(1, interrupted(&self->vcpu));
	ASSERT_EQ(2, next(&self->vcpu));
	EXPECT_EQ(1, told(self->resample));
}

MVM_HARNESS_MAIN
