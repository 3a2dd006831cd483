// SPDX-License-Identifier: GPL-2.0-only
/*
 * What travels with KVM_RUN besides its exits: registers in kvm_run (KVM_CAP_SYNC_REGS);
 * and the small state ioctls that a guest has to notice: machine checks and
 * KVM_KVMCLOCK_CTRL.
 */
#include "mvm_harness.h"
#include "mvm_util.h"

#define MCG_CAP		0x179
#define MCG_CTL_P	(1ull << 8)
#define MCG_SER_P	(1ull << 24)
#define STATUS_VAL	(1ull << 63)
#define STATUS_OVER	(1ull << 62)
#define STATUS_UC	(1ull << 61)
#define MC0_STATUS	0x401
#define CR4_MCE		0x40
#define MAX_BANKS	10

/* Reports RAX for ever, one more each time. */
GUEST_CODE(count, 64, "1: inc %rax; out %eax, $0xf1; jmp 1b");
GUEST_CODE(spin, 64, "1: jmp 1b");
GUEST_CODE(checked, 64,
	   "nop; mov $1, %eax; out %eax, $0xf1; hlt;"
	   ".org checked + 128; mov $0x401, %ecx; rdmsr; out %eax, $0xf1; hlt");

FIXTURE(run_page) {
	struct tvm vm;
	struct tvcpu vcpu;
	struct kvm_run *run;
	int fd;
};

FIXTURE_SETUP(run_page)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, count, count_end));
	self->fd = self->vcpu.fd;
	self->run = self->vcpu.run;
}

FIXTURE_TEARDOWN(run_page)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

TEST_F(run_page, capability_names_the_groups)
{
	EXPECT_EQ(KVM_SYNC_X86_VALID_FIELDS,
		  tvm_ioctl(self->vm.sys, KVM_CHECK_EXTENSION, (void *)KVM_CAP_SYNC_REGS));
}

TEST_F(run_page, unknown_groups_are_refused)
{
	self->run->kvm_valid_regs = 1 << 3;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_RUN, NULL));
	self->run->kvm_valid_regs = 0;
	self->run->kvm_dirty_regs = 1ull << 40;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_RUN, NULL));
	self->run->kvm_dirty_regs = 0;
	EXPECT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_IO));
}

TEST_F(run_page, valid_registers_come_out)
{
	struct kvm_vcpu_events events;
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	self->run->kvm_valid_regs = KVM_SYNC_X86_VALID_FIELDS;
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_IO));
	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_GET_REGS, &regs));
	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_GET_SREGS, &sregs));
	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_GET_VCPU_EVENTS, &events));
	EXPECT_EQ(0, memcmp(&regs, &self->run->s.regs.regs, sizeof(regs)));
	EXPECT_EQ(0, memcmp(&sregs, &self->run->s.regs.sregs, sizeof(sregs)));
	EXPECT_EQ(0, memcmp(&events, &self->run->s.regs.events, sizeof(events)));
	/* Nobody asked: what is there stays. */
	self->run->kvm_valid_regs = 0;
	self->run->s.regs.regs.rax = 0x1234;
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_IO));
	EXPECT_EQ(0x1234, self->run->s.regs.regs.rax);
}

TEST_F(run_page, dirty_registers_go_in_once)
{
	uint32_t value;

	self->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	self->run->s.regs.regs.rax = 100;
	self->run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(101, value);
	EXPECT_EQ(0, self->run->kvm_dirty_regs);
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(102, value);
}

TEST_F(run_page, impossible_dirty_sregs_are_refused)
{
	self->run->kvm_valid_regs = KVM_SYNC_X86_SREGS;
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_IO));
	self->run->s.regs.sregs.cr0 = 1ull << 31;
	self->run->kvm_dirty_regs = KVM_SYNC_X86_SREGS;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_RUN, NULL));
}

static int setup_mce(int fd, uint64_t cap)
{
	return tvm_ioctl(fd, KVM_X86_SETUP_MCE, &cap);
}

static uint64_t read_msr(struct tvcpu *vcpu, uint32_t index)
{
	uint64_t data;

	return tvcpu_get_msr(vcpu, index, &data) ? ~0ull : data;
}

TEST_F(run_page, machine_check_banks_are_set_up)
{
	uint64_t cap = 0;

	EXPECT_LE(MAX_BANKS, tvm_ioctl(self->vm.sys, KVM_CHECK_EXTENSION, (void *)KVM_CAP_MCE));
	ASSERT_EQ(0, tvm_ioctl(self->vm.sys, KVM_X86_GET_MCE_CAP_SUPPORTED, &cap));
	EXPECT_EQ(MCG_CTL_P | MCG_SER_P, cap & (MCG_CTL_P | MCG_SER_P));
	EXPECT_EQ(-EINVAL, setup_mce(self->fd, MCG_CTL_P));
	EXPECT_EQ(-EINVAL, setup_mce(self->fd, MCG_CTL_P | 33));
	EXPECT_EQ(-EINVAL, setup_mce(self->fd, 10 | 1ull << 40));
	EXPECT_EQ(0, setup_mce(self->fd, MCG_CTL_P | MCG_SER_P | MAX_BANKS));
	EXPECT_EQ(MCG_CTL_P | MCG_SER_P | MAX_BANKS, read_msr(&self->vcpu, MCG_CAP));
}

TEST_F(run_page, machine_check_reaches_the_guest)
{
	struct kvm_x86_mce mce = { .status = STATUS_VAL | STATUS_UC | 0x42, .mcg_status = 4 };
	struct kvm_sregs sregs;
	uint32_t value;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, checked, checked_end));
	tvcpu_set_gate(&self->vcpu, TVM_LONG, 18, TVM_CODE + 128);
	ASSERT_EQ(0, setup_mce(self->fd, MCG_CTL_P | MAX_BANKS));
	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_GET_SREGS, &sregs));
	sregs.cr4 |= CR4_MCE;
	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_SET_SREGS, &sregs));
	mce.bank = MAX_BANKS;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_X86_SET_MCE, &mce));
	mce.bank = 0;
	mce.status &= ~STATUS_VAL;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_X86_SET_MCE, &mce));
	mce.status |= STATUS_VAL;
	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_X86_SET_MCE, &mce));
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0x42, value);
	/* Another one while that is being handled is the end. */
	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_X86_SET_MCE, &mce));
	EXPECT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_SHUTDOWN));
}

TEST_F(run_page, corrected_error_is_only_noted)
{
	struct kvm_x86_mce mce = { .status = STATUS_VAL | 0x17, .addr = 0x1000 };
	uint32_t value;

	ASSERT_EQ(0, setup_mce(self->fd, MCG_CTL_P | MAX_BANKS));
	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_X86_SET_MCE, &mce));
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(STATUS_VAL | 0x17, read_msr(&self->vcpu, MC0_STATUS));
	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_X86_SET_MCE, &mce));
	EXPECT_EQ(STATUS_VAL | STATUS_OVER | 0x17, read_msr(&self->vcpu, MC0_STATUS));
}

TEST_F(run_page, inert_calls_check_their_state)
{
	struct kvm_vapic_addr vapic = { 0 };

	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_KVMCLOCK_CTRL, NULL));
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_SET_VAPIC_ADDR, &vapic));
}

/* QEMU says that its guest polls no TPR page, and ends where that is refused. */
TEST_F(run_page, no_page_for_the_tpr_can_be_asked_for)
{
	struct kvm_vapic_addr vapic = { 0 };
	struct tvcpu vcpu;
	struct tvm vm;

	TVM_CREATE_OR_SKIP(&vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvm_create_irqchip(&vm, false));
	ASSERT_EQ(0, tvcpu_create(&vm, &vcpu, 0));
	EXPECT_EQ(0, tvm_ioctl(vcpu.fd, KVM_SET_VAPIC_ADDR, &vapic));
	tvcpu_destroy(&vcpu);
	tvm_destroy(&vm);
}

MVM_HARNESS_MAIN
