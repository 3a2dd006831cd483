// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM file's ioctls: what succeeds, each errno of uapi/API.md, wrong order.
 */
#include <fcntl.h>
#include <sys/mman.h>

#include "mvm_harness.h"
#include "mvm_util.h"

#define BAD_PTR ((void *)0x8)

FIXTURE(vm) {
	struct tvm vm;
	int fd;
};

FIXTURE_SETUP(vm)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	self->fd = self->vm.fd;
}

FIXTURE_TEARDOWN(vm)
{
	tvm_destroy(&self->vm);
}

TEST_F(vm, unknown_ioctl_is_enotty)
{
	EXPECT_EQ(-ENOTTY, tvm_ioctl(self->fd, _IO(0xAE, 0xfe), NULL));
	EXPECT_EQ(-ENOTTY, tvm_ioctl(self->fd, _IO(0x42, 0x41), NULL));
	/* Right number, wrong size: not the same ioctl. */
	EXPECT_EQ(-ENOTTY, tvm_ioctl(self->fd, _IOW(0xAE, 0x46, char), NULL));
}

TEST_F(vm, system_and_vcpu_ioctls_are_refused)
{
	EXPECT_EQ(-ENOTTY, tvm_ioctl(self->fd, KVM_CREATE_VM, NULL));
	EXPECT_EQ(-ENOTTY, tvm_ioctl(self->fd, KVM_GET_API_VERSION, NULL));
	EXPECT_EQ(-ENOTTY, tvm_ioctl(self->fd, KVM_RUN, NULL));
	EXPECT_EQ(-ENOTTY, tvm_ioctl(self->fd, KVM_GET_REGS, NULL));
}

TEST_F(vm, capabilities_are_those_of_the_system_file)
{
	int cap;

	for (cap = 0; cap < 256; cap++)
		EXPECT_EQ(tvm_ioctl(self->vm.sys, KVM_CHECK_EXTENSION, (void *)(long)cap),
			  tvm_ioctl(self->fd, KVM_CHECK_EXTENSION, (void *)(long)cap)) {
			TH_LOG("capability %d", cap);
		}
}

static const struct {
	const char *name;
	int cap, least, most;
} promised[] = {
#define CAP(name, ...) { #name, KVM_CAP_##name, __VA_ARGS__ }
	CAP(IRQCHIP, 1, 1),
	CAP(HLT, 1, 1),
	CAP(USER_MEMORY, 1, 1),
	CAP(SET_TSS_ADDR, 1, 1),
	CAP(EXT_CPUID, 1, 1),
	CAP(NR_VCPUS, 1, 4096),
	CAP(NR_MEMSLOTS, 509, 32767),
	CAP(MP_STATE, 1, 1),
	CAP(SYNC_MMU, 1, 1),
	CAP(DESTROY_MEMORY_REGION_WORKS, 1, 1),
	CAP(JOIN_MEMORY_REGIONS_WORKS, 1, 1),
	CAP(USER_NMI, 1, 1),
	CAP(SET_GUEST_DEBUG, 1, 1),
	CAP(MCE, 10, 32),
	CAP(IRQ_ROUTING, 1024, 4096),
	CAP(IRQFD, 1, 1),
	CAP(IRQFD_RESAMPLE, 1, 1),
	CAP(IRQ_INJECT_STATUS, 1, 1),
	CAP(PIT2, 1, 1),
	CAP(PIT_STATE2, 1, 1),
	CAP(IOEVENTFD, 1, 1),
	CAP(IOEVENTFD_ANY_LENGTH, 1, 1),
	CAP(SET_IDENTITY_MAP_ADDR, 1, 1),
	/* Flags, and each of them is served. */
	CAP(ADJUST_CLOCK, KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC,
	    KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC),
	CAP(INTERNAL_ERROR_DATA, 1, 1),
	CAP(VCPU_EVENTS, 1, 1),
	CAP(DEBUGREGS, 1, 1),
	CAP(X86_ROBUST_SINGLESTEP, 1, 1),
	CAP(XSAVE, 1, 1),
	CAP(GET_TSC_KHZ, 1, 1),
	CAP(KVMCLOCK_CTRL, 1, 1),
	CAP(MAX_VCPUS, 64, 4096),
	CAP(SIGNAL_MSI, 1, 1),
	CAP(READONLY_MEM, 1, 1),
	CAP(CHECK_EXTENSION_VM, 1, 1),
	CAP(SPLIT_IRQCHIP, 1, 1),
	CAP(IMMEDIATE_EXIT, 1, 1),
#undef CAP
};

/* Programs compare some of these with 1, and end where another is too small. */
TEST_F(vm, capabilities_are_what_programs_count_on)
{
	size_t i;

	for (i = 0; i < sizeof(promised) / sizeof(promised[0]); i++) {
		int n = tvm_ioctl(self->fd, KVM_CHECK_EXTENSION, (void *)(long)promised[i].cap);

		EXPECT_TRUE(n >= promised[i].least && n <= promised[i].most) {
			TH_LOG("KVM_CAP_%s is %d", promised[i].name, n);
		}
	}
}

/* ------------------------------------------------------------------ memory */

struct slot_case {
	const char *what;
	struct kvm_userspace_memory_region region;
	int want;
};

TEST_F(vm, memory_regions_are_checked)
{
	uint64_t hva = (uintptr_t)mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const uint64_t at = 1ULL << 30;
	const struct slot_case cases[] = {
		{ "a good one", { 1, 0, at, 0x10000, hva }, 0 },
		{ "the same again", { 1, 0, at, 0x10000, hva }, 0 },
		{ "readonly", { 2, KVM_MEM_READONLY, at + 0x10000, 0x10000, hva }, 0 },
		{ "unknown flag", { 3, 1 << 30, at + 0x20000, 0x1000, hva }, -EINVAL },
		{ "odd address", { 3, 0, at + 0x20001, 0x1000, hva }, -EINVAL },
		{ "odd size", { 3, 0, at + 0x20000, 0x1001, hva }, -EINVAL },
		{ "odd host address", { 3, 0, at + 0x20000, 0x1000, hva + 1 }, -EINVAL },
		{ "wraps", { 3, 0, ~0ULL << 12, 0x2000, hva }, -EINVAL },
		{ "size wraps", { 3, 0, at, ~0ULL << 12, hva }, -EINVAL },
		{ "kernel's addresses", { 3, 0, at + 0x20000, 0x1000, ~0ULL << 32 }, -EINVAL },
		{ "slot number", { 40000, 0, at + 0x20000, 0x1000, hva }, -EINVAL },
		{ "address space 1", { 3 | 1 << 16, 0, at + 0x20000, 0x1000, hva }, -EINVAL },
		{ "overlap at the end", { 3, 0, at - 0x1000, 0x2000, hva }, -EEXIST },
		{ "overlap inside", { 3, 0, at + 0x1000, 0x1000, hva }, -EEXIST },
		{ "overlap around", { 3, 0, at - 0x1000, 0x40000, hva }, -EEXIST },
		{ "other size", { 1, 0, at, 0x8000, hva }, -EINVAL },
		{ "move", { 1, 0, at + 0x40000, 0x10000, hva }, 0 },
		{ "where it was", { 3, 0, at, 0x10000, hva }, 0 },
		{ "delete", { 1, 0, 0, 0, 0 }, 0 },
		{ "delete what is not there", { 9, 0, 0, 0, 0 }, -EINVAL },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kvm_userspace_memory_region region = cases[i].region;

		EXPECT_EQ(cases[i].want,
			  tvm_ioctl(self->fd, KVM_SET_USER_MEMORY_REGION, &region)) {
			TH_LOG("%s", cases[i].what);
		}
	}
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->fd, KVM_SET_USER_MEMORY_REGION, BAD_PTR));
	munmap((void *)hva, 4 << 20);
}

TEST_F(vm, as_many_slots_as_promised_and_no_more)
{
	int i, n = tvm_ioctl(self->fd, KVM_CHECK_EXTENSION, (void *)KVM_CAP_NR_MEMSLOTS);
	void *hva = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_LT(64, n);
	for (i = 1; i < n; i++)
		ASSERT_EQ(0, tvm_set_slot(&self->vm, i, 0, (1ULL << 30) + i * 0x1000, 0x1000, hva));
	EXPECT_EQ(-EINVAL, tvm_set_slot(&self->vm, n, 0, 2ULL << 30, 0x1000, hva));
	munmap(hva, 0x1000);
}

/* ---------------------------------------------------------- irqchip and PIT */

TEST_F(vm, irqchip_comes_once_and_before_the_vcpus)
{
	struct tvcpu vcpu;

	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_CREATE_IRQCHIP, NULL));
	EXPECT_EQ(-EEXIST, tvm_ioctl(self->fd, KVM_CREATE_IRQCHIP, NULL));
	ASSERT_EQ(0, tvcpu_create(&self->vm, &vcpu, 0));
	tvcpu_destroy(&vcpu);
}

TEST_F(vm, irqchip_after_a_vcpu_is_refused)
{
	struct tvcpu vcpu;

	ASSERT_EQ(0, tvcpu_create(&self->vm, &vcpu, 0));
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_CREATE_IRQCHIP, NULL));
	tvcpu_destroy(&vcpu);
}

TEST_F(vm, pit_needs_the_irqchip)
{
	struct kvm_pit_config config = {};
	struct kvm_pit_state2 state;

	EXPECT_EQ(-ENOENT, tvm_ioctl(self->fd, KVM_CREATE_PIT2, &config));
	EXPECT_EQ(-ENXIO, tvm_ioctl(self->fd, KVM_GET_PIT2, &state));
	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_CREATE_IRQCHIP, NULL));
	EXPECT_EQ(-ENXIO, tvm_ioctl(self->fd, KVM_GET_PIT2, &state));
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->fd, KVM_CREATE_PIT2, BAD_PTR));
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_CREATE_PIT2, &config));
	EXPECT_EQ(-EEXIST, tvm_ioctl(self->fd, KVM_CREATE_PIT2, &config));
}

TEST_F(vm, pit_state_goes_out_and_in)
{
	struct kvm_pit_config config = {};
	struct kvm_pit_state2 state, again;

	ASSERT_EQ(0, tvm_create_irqchip(&self->vm, false));
	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_CREATE_PIT2, &config));
	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_GET_PIT2, &state));
	state.channels[2].count = 0x1234;
	state.channels[2].mode = 3;
	state.channels[2].bcd = 0;
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_SET_PIT2, &state));
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_GET_PIT2, &again));
	EXPECT_EQ(0x1234, again.channels[2].count);
	EXPECT_EQ(3, again.channels[2].mode);
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->fd, KVM_GET_PIT2, BAD_PTR));
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->fd, KVM_SET_PIT2, BAD_PTR));
}

TEST_F(vm, chips_state_goes_out_and_in)
{
	struct kvm_irqchip chip = {}, again = {};

	EXPECT_EQ(-ENXIO, tvm_ioctl(self->fd, KVM_GET_IRQCHIP, &chip));
	EXPECT_EQ(-ENXIO, tvm_ioctl(self->fd, KVM_SET_IRQCHIP, &chip));
	ASSERT_EQ(0, tvm_create_irqchip(&self->vm, false));
	for (chip.chip_id = 0; chip.chip_id < 3; chip.chip_id++) {
		ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_GET_IRQCHIP, &chip));
		EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_SET_IRQCHIP, &chip));
	}
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_GET_IRQCHIP, &chip));
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_SET_IRQCHIP, &chip));
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->fd, KVM_GET_IRQCHIP, BAD_PTR));

	chip.chip_id = KVM_IRQCHIP_PIC_MASTER;
	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_GET_IRQCHIP, &chip));
	chip.chip.pic.imr = 0xa5;
	chip.chip.pic.irq_base = 0x20;
	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_SET_IRQCHIP, &chip));
	again.chip_id = KVM_IRQCHIP_PIC_MASTER;
	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_GET_IRQCHIP, &again));
	EXPECT_EQ(0xa5, again.chip.pic.imr);
	EXPECT_EQ(0x20, again.chip.pic.irq_base);
}

TEST_F(vm, irq_line_needs_the_irqchip)
{
	struct kvm_irq_level line = { .irq = 4, .level = 1 };

	EXPECT_EQ(-ENXIO, tvm_ioctl(self->fd, KVM_IRQ_LINE, &line));
	ASSERT_EQ(0, tvm_create_irqchip(&self->vm, false));
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_IRQ_LINE, &line));
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->fd, KVM_IRQ_LINE, BAD_PTR));
}

/* -------------------------------------------------------------- inert, clock */

TEST_F(vm, tss_and_identity_map_addresses_are_kept)
{
	uint64_t addr = 0xfeffc000;
	struct tvcpu vcpu;

	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_SET_TSS_ADDR, (void *)0xfffbd000ul));
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_SET_IDENTITY_MAP_ADDR, &addr));
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->fd, KVM_SET_IDENTITY_MAP_ADDR, BAD_PTR));
	ASSERT_EQ(0, tvcpu_create(&self->vm, &vcpu, 0));
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_SET_IDENTITY_MAP_ADDR, &addr));
	tvcpu_destroy(&vcpu);
	if (tvm_is_kvm())
		SKIP(return, "KVM on AMD-V does not look at the address");
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_SET_TSS_ADDR, (void *)0xffffffffful));
}

TEST_F(vm, clock_can_be_set)
{
	struct kvm_clock_data set = { .clock = 1ull << 40 }, got = {};

	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_SET_CLOCK, &set));
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_GET_CLOCK, &got));
	EXPECT_LE(set.clock, got.clock);
	EXPECT_GT(set.clock + 60ull * 1000000000, got.clock);
	set.flags = 1 << 30;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_SET_CLOCK, &set));
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->fd, KVM_SET_CLOCK, BAD_PTR));
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->fd, KVM_GET_CLOCK, BAD_PTR));
}

TEST_F(vm, clock_goes_forward)
{
	struct kvm_clock_data a = {}, b = {};

	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_GET_CLOCK, &a));
	usleep(20000);
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_GET_CLOCK, &b));
	EXPECT_LE(a.clock + 10000000, b.clock);
}

/* ------------------------------------------------------------------- vCPUs */

TEST_F(vm, vcpu_ids_are_checked)
{
	struct tvcpu vcpu;

	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_CREATE_VCPU, (void *)0x7ffffffful));
	ASSERT_EQ(0, tvcpu_create(&self->vm, &vcpu, 0));
	EXPECT_GT(0, tvm_ioctl(self->fd, KVM_CREATE_VCPU, (void *)0));
	tvcpu_destroy(&vcpu);
}

TEST_F(vm, as_many_vcpus_as_promised_and_no_more)
{
	long i, n = tvm_ioctl(self->fd, KVM_CHECK_EXTENSION, (void *)KVM_CAP_MAX_VCPUS);

	if (tvm_is_kvm())
		SKIP(return, "KVM's limit is more files than the host gives");
	ASSERT_LE(64, n);
	for (i = 0; i < n; i++)
		EXPECT_LE(0, tvm_ioctl(self->fd, KVM_CREATE_VCPU, (void *)i));
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_CREATE_VCPU, (void *)n));
}

TEST_F(vm, files_are_closed_on_exec)
{
	int fd = tvm_ioctl(self->fd, KVM_CREATE_VCPU, NULL);

	ASSERT_LE(0, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->fd, F_GETFD));
	close(fd);
}

TEST_F(vm, a_refusal_has_a_reason)
{
	struct minivmm_reason reason = {};

	if (tvm_is_kvm())
		SKIP(return, "KVM gives no reasons");
	EXPECT_EQ(-EINVAL, tvm_set_slot(&self->vm, 40000, 0, 1 << 30, 0x1000, self->vm.mem));
	EXPECT_EQ(0, tvm_ioctl(self->fd, MINIVMM_GET_REASON, &reason));
	EXPECT_NE(NULL, strstr(reason.text, "40000"));
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->fd, MINIVMM_GET_REASON, BAD_PTR));
	/* The next failure has none of its own: the one before is not told again. */
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->fd, KVM_GET_CLOCK, BAD_PTR));
	EXPECT_EQ(0, tvm_ioctl(self->fd, MINIVMM_GET_REASON, &reason));
	EXPECT_STREQ("", reason.text);
}

/* Nor is what was wrong with the VM, or with another vCPU, told of a vCPU. */
TEST_F(vm, each_file_has_its_own_reason)
{
	struct minivmm_reason reason = {};
	struct tvcpu vcpu;

	if (tvm_is_kvm())
		SKIP(return, "KVM gives no reasons");
	ASSERT_EQ(0, tvcpu_create(&self->vm, &vcpu, 0));
	EXPECT_EQ(-EINVAL, tvm_set_slot(&self->vm, 40000, 0, 1 << 30, 0x1000, self->vm.mem));
	EXPECT_EQ(0, tvm_ioctl(vcpu.fd, MINIVMM_GET_REASON, &reason));
	EXPECT_STREQ("", reason.text);
	EXPECT_EQ(-EINVAL, tvm_ioctl(vcpu.fd, KVM_SET_TSC_KHZ, (void *)1));
	EXPECT_EQ(0, tvm_ioctl(vcpu.fd, MINIVMM_GET_REASON, &reason));
	EXPECT_NE(NULL, strstr(reason.text, "kHz"));
	EXPECT_EQ(0, tvm_ioctl(self->fd, MINIVMM_GET_REASON, &reason));
	EXPECT_NE(NULL, strstr(reason.text, "40000"));
	tvcpu_destroy(&vcpu);
}

MVM_HARNESS_MAIN
