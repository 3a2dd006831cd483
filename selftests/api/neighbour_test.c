// SPDX-License-Identifier: GPL-2.0-only
/*
 * minivmm beside KVM on the same host: who comes first owns the processor's
 * extension. On VT-x a running KVM lends it; on AMD-V minivmm refuses with the reason.
 * While minivmm owns it KVM refuses, and gets it some seconds after minivmm's last VM.
 *
 * Needs KVM's modules in the host; each test loads and unloads them.
 */
#include <fcntl.h>

#include "mvm_harness.h"
#include "mvm_host.h"
#include "mvm_util.h"

#define MSR_LSTAR  0xc0000082
#define CR4_OSFXSR (1 << 9)

/* LSTAR and XMM5 again and again: each guest must only ever see its own. */
GUEST_CODE(sentinels, 64,
	   "mov $0xc0000082, %ecx; movd %ebx, %xmm5;"
	   "1: rdmsr; out %eax, $0xf1; movd %xmm5, %eax; out %eax, $0xf1; cpuid;"
	   "mov $0xc0000082, %ecx; jmp 1b");

static int kvm_modprobe(bool load)
{
	char command[64];

	snprintf(command, sizeof(command), "modprobe %s %s 2>/dev/null", load ? "" : "-r",
		 host_is_intel() ? "kvm_intel" : "kvm_amd");
	return system(command);
}

static int open_kvm(void)
{
	return open("/dev/kvm", O_RDWR | O_CLOEXEC);
}

/* How KVM_CREATE_VM on real KVM ends: a file or -errno; -ENODEV when KVM does not load. */
static int kvm_create(int *sys)
{
	*sys = open_kvm();
	return *sys < 0 ? -ENODEV : tvm_ioctl(*sys, KVM_CREATE_VM, NULL);
}

static void close_both(int sys, int vm)
{
	if (vm >= 0)
		close(vm);
	if (sys >= 0)
		close(sys);
}

/* minivmm gives up the processor some seconds after its last VM. */
static void wait_for_release(void)
{
	sleep(5);
}

static void read_line(const char *path, char *line, int size)
{
	FILE *f = fopen(path, "r");

	line[0] = '\0';
	if (f && fgets(line, size, f))
		line[strcspn(line, "\n")] = '\0';
	if (f)
		fclose(f);
}

/* Does the device's line in sysfs say "off", or this word and every online CPU? */
static bool standing_is(const char *word)
{
	char line[128], online[64], want[128];

	read_line("/sys/devices/virtual/misc/minivmm/standing", line, sizeof(line));
	read_line("/sys/devices/system/cpu/online", online, sizeof(online));
	snprintf(want, sizeof(want), strcmp(word, "off") ? "%s %s" : "%s", word, online);
	if (!strcmp(line, want))
		return true;
	printf("# standing: '%s', should be '%s'\n", line, want);
	return false;
}

FIXTURE(neighbour) {
	bool ready;
};

FIXTURE_SETUP(neighbour)
{
	struct tvm vm;

	if (tvm_is_kvm())
		MVM_SKIP("the device under test is KVM itself");
	if (tvm_create(&vm, TVM_MEM_SIZE))
		MVM_SKIP("%s", vm.why);
	tvm_destroy(&vm);
	wait_for_release();
	if (!host_has_kvm())
		MVM_SKIP("KVM's module is not in this host");
	ASSERT_EQ(0, kvm_modprobe(true));
	self->ready = true;
}

FIXTURE_TEARDOWN(neighbour)
{
	if (self->ready)
		kvm_modprobe(false);
}

static int start_sentinels(struct tvm *vm, struct tvcpu *vcpu, uint32_t value)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (tvm_create(vm, TVM_MEM_SIZE) || tvcpu_create(vm, vcpu, 0) ||
	    tvcpu_start(vcpu, TVM_LONG, sentinels, sentinels_end))
		return -1;
	if (tvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs))
		return -1;
	regs.rbx = ~value;
	if (tvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs))
		return -1;
	if (tvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs))
		return -1;
	sregs.cr4 |= CR4_OSFXSR;
	if (tvm_ioctl(vcpu->fd, KVM_SET_SREGS, &sregs))
		return -1;
	return tvcpu_set_msr(vcpu, MSR_LSTAR, value);
}

static int check_sentinels(struct tvcpu *vcpu, uint32_t value)
{
	uint32_t lstar, xmm;

	if (tvcpu_run_out(vcpu, &lstar) || tvcpu_run_out(vcpu, &xmm))
		return -1;
	return lstar == value && xmm == ~value ? 0 : -1;
}

static void use_device(const char *device)
{
	if (device)
		setenv("MINIVMM_DEV", device, 1);
	else
		unsetenv("MINIVMM_DEV");
}

TEST_F_TIMEOUT(neighbour, both_guests_run_on_a_lent_processor, 240)
{
	struct tvm kvm, vm;
	struct tvcpu kvm_cpu, cpu;
	int i;

	if (!host_is_intel())
		SKIP(return, "AMD-V is not lent: its address space numbers are KVM's to give");
	use_device("/dev/kvm");
	ASSERT_EQ(0, start_sentinels(&kvm, &kvm_cpu, 0x11111111));
	use_device(NULL);
	EXPECT_TRUE(standing_is("off"));
	ASSERT_EQ(0, start_sentinels(&vm, &cpu, 0x22222222));
	EXPECT_TRUE(standing_is("borrower"));
	for (i = 0; i < 300; i++) {
		ASSERT_EQ(0, check_sentinels(&kvm_cpu, 0x11111111));
		ASSERT_EQ(0, check_sentinels(&cpu, 0x22222222));
	}
	/* The lender goes first (6.12: with its module): ours takes over and runs on. */
	tvcpu_destroy(&kvm_cpu);
	tvm_destroy(&kvm);
	ASSERT_EQ(0, kvm_modprobe(false));
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, check_sentinels(&cpu, 0x22222222));
	EXPECT_TRUE(standing_is("owner"));
	tvcpu_destroy(&cpu);
	tvm_destroy(&vm);
	wait_for_release();
}

TEST_F_TIMEOUT(neighbour, beside_an_owner_of_amd_v_the_refusal_is_in_words, 240)
{
	struct minivmm_reason reason = {};
	int sys, vm, ours;

	if (host_is_intel())
		SKIP(return, "VT-x is lent");
	ours = open("/dev/minivmm", O_RDWR);
	ASSERT_LE(0, ours);
	vm = kvm_create(&sys);
	ASSERT_LE(0, vm);
	EXPECT_EQ(-EBUSY, tvm_ioctl(ours, KVM_CREATE_VM, NULL));
	ASSERT_EQ(0, tvm_ioctl(ours, MINIVMM_GET_REASON, &reason));
	EXPECT_NE(NULL, strstr(reason.text, "AMD-V"));
	EXPECT_TRUE(standing_is("off"));
	close_both(sys, vm);
	close(ours);
}

TEST_F_TIMEOUT(neighbour, kvm_is_refused_until_our_last_vm_is_gone, 240)
{
	struct tvm vm;
	struct tvcpu cpu;
	int sys, fd, i;
	bool loaded;

	/* KVM of 6.12 owns from its load: then it has to come second here. */
	ASSERT_EQ(0, kvm_modprobe(false));
	ASSERT_EQ(0, start_sentinels(&vm, &cpu, 0x33333333));
	EXPECT_TRUE(standing_is("owner"));
	loaded = !kvm_modprobe(true);
	fd = kvm_create(&sys);
	EXPECT_EQ(loaded ? -EBUSY : -ENODEV, fd);
	close_both(sys, fd);
	for (i = 0; i < 20; i++)
		ASSERT_EQ(0, check_sentinels(&cpu, 0x33333333));
	tvcpu_destroy(&cpu);
	tvm_destroy(&vm);
	EXPECT_TRUE(standing_is("owner"));
	wait_for_release();
	EXPECT_TRUE(standing_is("off"));
	ASSERT_EQ(0, kvm_modprobe(true));
	fd = kvm_create(&sys);
	EXPECT_LE(0, fd);
	close_both(sys, fd);
}

TEST_F_TIMEOUT(neighbour, a_kvm_that_comes_and_goes_leaves_our_guest_alone, 240)
{
	struct tvm vm;
	struct tvcpu cpu;
	int i, j;

	ASSERT_EQ(0, kvm_modprobe(false));
	ASSERT_EQ(0, start_sentinels(&vm, &cpu, 0x44444444));
	for (j = 0; j < 3; j++) {
		kvm_modprobe(true);
		for (i = 0; i < 20; i++)
			ASSERT_EQ(0, check_sentinels(&cpu, 0x44444444));
		kvm_modprobe(false);
	}
	tvcpu_destroy(&cpu);
	tvm_destroy(&vm);
	wait_for_release();
}

MVM_HARNESS_MAIN
