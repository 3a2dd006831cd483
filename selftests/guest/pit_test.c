// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8254's ticks when the guest is late: made up for, or lost, as
 * KVM_REINJECT_CONTROL says; and the older forms of its ioctls.
 */
#include <time.h>

#include "irq_util.h"
#include "mvm_harness.h"

#define PIC_BASE 0x20
#define HANDLER (TVM_CODE + 128)

/* 100 ticks a second; each is reported before it is ended. */
GUEST_CODE(code, 64,
	   "mov $0x34, %al; out %al, $0x43; mov $0x9c, %al; out %al, $0x40;"
	   "mov $0x2e, %al; out %al, $0x40; sti; 1: pause; jmp 1b;"
	   ".org code + 128; push %rax;"
	   "mov $1, %eax; out %eax, $0xf1; mov $0x20, %al; out %al, $0x20; pop %rax; iretq");

FIXTURE(pit) {
	struct tvm vm;
	struct tvcpu vcpu;
};

FIXTURE_SETUP(pit)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_PIC_MASTER };

	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvm_create_irqchip(&self->vm, true));
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, code, code_end));
	tvcpu_set_gate(&self->vcpu, TVM_LONG, PIC_BASE, HANDLER);
	ASSERT_EQ(0, tvm_ioctl(self->vm.fd, KVM_GET_IRQCHIP, &chip));
	chip.chip.pic.irq_base = PIC_BASE;
	chip.chip.pic.imr = 0xfe;
	ASSERT_EQ(0, tvm_ioctl(self->vm.fd, KVM_SET_IRQCHIP, &chip));
}

FIXTURE_TEARDOWN(pit)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

static int64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * Ticks short of the time that passed, in a guest that is held up for half a second at its
 * first tick and watched for @more milliseconds then. Negative: an error.
 */
static int64_t ticks_lost(struct tvcpu *vcpu, int more)
{
	int64_t start, due, ticks = 1;
	uint32_t value;
	int ret = tvcpu_run_out(vcpu, &value);

	if (ret)
		return ret;
	start = milliseconds();
	usleep(500000);
	do {
		ret = tvcpu_run_out(vcpu, &value);
		if (ret)
			return ret;
		ticks++;
		due = (milliseconds() - start) / 10;
	} while (due < 50 + more / 10 && ticks < due);
	return due > ticks ? due - ticks : 0;
}

static int set_reinject(struct tvm *vm, int on)
{
	struct kvm_reinject_control control = { .pit_reinject = on };

	return tvm_ioctl(vm->fd, KVM_REINJECT_CONTROL, &control);
}

TEST_F(pit, late_ticks_are_made_up_for)
{
	int64_t lost = ticks_lost(&self->vcpu, 3000);

	EXPECT_LE(0, lost);
	EXPECT_GT(5, lost);
}

TEST_F(pit, late_ticks_are_lost_when_asked_for)
{
	int64_t lost;

	ASSERT_EQ(1, tvm_ioctl(self->vm.fd, KVM_CHECK_EXTENSION,
			       (void *)KVM_CAP_REINJECT_CONTROL));
	ASSERT_EQ(0, set_reinject(&self->vm, 0));
	lost = ticks_lost(&self->vcpu, 100);
	EXPECT_LE(35, lost);
}

TEST_F(pit, arguments_are_checked)
{
	struct kvm_pit_state state;
	struct tvm vm;

	EXPECT_EQ(-EFAULT, tvm_ioctl(self->vm.fd, KVM_REINJECT_CONTROL, (void *)8));
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->vm.fd, KVM_GET_PIT, (void *)8));
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->vm.fd, KVM_SET_PIT, (void *)8));
	ASSERT_EQ(0, tvm_create(&vm, TVM_MEM_SIZE));
	EXPECT_EQ(-ENXIO, set_reinject(&vm, 0));
	EXPECT_EQ(-ENXIO, tvm_ioctl(vm.fd, KVM_GET_PIT, &state));
	memset(&state, 0, sizeof(state));
	EXPECT_EQ(-ENXIO, tvm_ioctl(vm.fd, KVM_SET_PIT, &state));
	tvm_destroy(&vm);
}

TEST_F(pit, the_older_forms_are_the_same_chip)
{
	struct kvm_pit_state state;
	struct kvm_pit_state2 again;

	EXPECT_EQ(-EEXIST, tvm_ioctl(self->vm.fd, KVM_CREATE_PIT, NULL));
	ASSERT_EQ(0, tvm_ioctl(self->vm.fd, KVM_GET_PIT, &state));
	state.channels[2].count = 0x4321;
	state.channels[2].mode = 3;
	ASSERT_EQ(0, tvm_ioctl(self->vm.fd, KVM_SET_PIT, &state));
	ASSERT_EQ(0, tvm_ioctl(self->vm.fd, KVM_GET_PIT2, &again));
	EXPECT_EQ(0x4321, again.channels[2].count);
	EXPECT_EQ(3, again.channels[2].mode);
}

MVM_HARNESS_MAIN
