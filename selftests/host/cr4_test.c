// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's CR4 on a CPU that runs guests stays what the kernel believes it to be: another
 * thread of the same CPU has CR4.TSD switched with every change of context, and KVM is
 * asked for VMs, which looks at CR4.VMXE. A stale copy anywhere (the VMCS has one) shows as
 * an RDTSC that faults where it may not, or does not where it must, or a dead host.
 *
 * CR4.PCE, which a mapped hardware counter would switch, is not here: no bed has a PMU.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/utsname.h>

#include "mvm_harness.h"
#include "host_util.h"

GUEST_CODE(spin, 16,
	   "sti; 1: mov $20000, %ecx; 2: rdtsc; dec %ecx; jnz 2b; xor %eax, %eax; out %eax, $0xf1; jmp 1b");

static sigjmp_buf faulted;

static void on_fault(int sig)
{
	siglongjmp(faulted, 1);
}

static bool rdtsc_faults(void)
{
	if (sigsetjmp(faulted, 1))
		return true;
	asm volatile("rdtsc" : : : "eax", "edx");
	return false;
}

/* KVM_CREATE_VM on KVM's own device, whatever it answers, and away. */
static void ask_kvm(void)
{
	int sys = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm = sys < 0 ? -1 : ioctl(sys, KVM_CREATE_VM, 0);

	if (vm >= 0)
		close(vm);
	if (sys >= 0)
		close(sys);
}

static bool kernel_is_before(unsigned int major, unsigned int minor)
{
	unsigned int is[2] = {};
	struct utsname name;

	return !uname(&name) && sscanf(name.release, "%u.%u", &is[0], &is[1]) == 2 &&
	       (is[0] < major || (is[0] == major && is[1] < minor));
}

FIXTURE(cr4) {
	struct runner runner;
};

FIXTURE_SETUP(cr4)
{
	struct sigaction action = { .sa_handler = on_fault };

	TVM_CREATE_OR_SKIP(&self->runner.vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->runner.vm, &self->runner.vcpu, 0));
	ASSERT_EQ(0, tvcpu_start(&self->runner.vcpu, TVM_REAL, spin, spin_end));
	ASSERT_EQ(0, sigaction(SIGSEGV, &action, NULL));
	ASSERT_EQ(0, bind_cpu(0));
	ASSERT_EQ(0, runner_start(&self->runner, 0));
	ASSERT_TRUE(runner_wait(&self->runner, 1, 30));
}

FIXTURE_TEARDOWN(cr4)
{
	runner_destroy(&self->runner);
}

static void toggle(struct __test_metadata *_metadata, struct runner *runner,
		   int rounds)
{
	int i;

	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, prctl(PR_SET_TSC, PR_TSC_SIGSEGV));
		EXPECT_TRUE(rdtsc_faults());
		usleep(300); /* the vCPU's thread runs, with TSD clear */
		EXPECT_TRUE(rdtsc_faults());
		ASSERT_EQ(0, prctl(PR_SET_TSC, PR_TSC_ENABLE));
		EXPECT_FALSE(rdtsc_faults());
		usleep(300);
		EXPECT_FALSE(rdtsc_faults());
		if (i % 16 == 0)
			ask_kvm();
	}
	ASSERT_TRUE(runner_wait(runner, 1, 30));
	EXPECT_EQ(0, runner_stop(runner));
}

TEST_F_TIMEOUT(cr4, time_stamp_disable_follows_the_thread_as_owner, 120)
{
	toggle(_metadata, &self->runner, host_is_intel() ? 150 : 500);
}

TEST_F_TIMEOUT(cr4, and_with_kvm_loaded, 120)
{
	if (!host_has_kvm())
		SKIP(return, "KVM's module is not in this host");
	/* KVM of 6.12 owns from its load on, which then fails: that does no harm either. */
	EXPECT_EQ(kernel_is_before(6, 12),
		  !shell("modprobe kvm_%s", host_is_intel() ? "intel" : "amd"));
	toggle(_metadata, &self->runner, host_is_intel() ? 150 : 500);
	shell("modprobe -r kvm_%s", host_is_intel() ? "intel" : "amd");
}

MVM_HARNESS_MAIN
