// SPDX-License-Identifier: GPL-2.0-only
/*
 * A host NMI that arrives while a guest runs reaches the host, once, and not the guest;
 * and the next one does too. They are sent from another CPU through its local APIC: by
 * one store, as "all but self", so that the kernel's own use of the APIC is not disturbed.
 *
 * Needs two CPUs and the kernel argument iomem=relaxed. Machine checks are not tested here:
 * the beds' kernel 6.1 is built without them.
 */
#include <fcntl.h>
#include <sys/mman.h>

#include "mvm_harness.h"
#include "host_util.h"

#define APIC_BASE 0xfee00000
#define APIC_ICR  0x300
#define ICR_NMI_ALL_BUT_SELF 0xc4400

/* Spins with interrupts on and reports now and then; an NMI of its own is the wrong report. */
GUEST_CODE(spin, 16,
	   "movw $(9f - spin), 8; movw $0x1000, 10; sti;"
	   "1: mov $100000, %ecx; 2: dec %ecx; jnz 2b; xor %eax, %eax; out %eax, $0xf1; jmp 1b;"
	   "9: mov $0x2222, %eax; out %eax, $0xf1; iret");

FIXTURE(nmi) {
	volatile uint32_t *apic;
	struct runner runner;
};

FIXTURE_SETUP(nmi)
{
	int fd = open("/dev/mem", O_RDWR | O_SYNC);
	void *apic = MAP_FAILED;

	if (nr_cpus() < 2)
		MVM_SKIP("one CPU: nobody can send an NMI while the guest runs");
	if (shell("grep -q x2apic /proc/cpuinfo && dmesg | grep -q 'x2apic enabled'") == 0)
		MVM_SKIP("the host's APIC is in x2APIC mode: it has no memory");
	if (fd >= 0)
		apic = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, APIC_BASE);
	if (apic == MAP_FAILED)
		MVM_SKIP("the local APIC cannot be mapped: boot with iomem=relaxed");
	close(fd);
	self->apic = apic;
	TVM_CREATE_OR_SKIP(&self->runner.vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->runner.vm, &self->runner.vcpu, 0));
	ASSERT_EQ(0, tvcpu_start(&self->runner.vcpu, TVM_REAL, spin, spin_end));
	ASSERT_EQ(0, bind_cpu(1));
	ASSERT_EQ(0, runner_start(&self->runner, 0));
	ASSERT_TRUE(runner_wait(&self->runner, 3, 20));
}

FIXTURE_TEARDOWN(nmi)
{
	runner_destroy(&self->runner);
}

/* NMIs that the guest's CPU has taken so far. */
static long count_nmis(void)
{
	return cpu_count("/proc/interrupts", "NMI", 0);
}

static bool counted(long until)
{
	int i;

	for (i = 0; i < 5000 && count_nmis() < until; i++)
		usleep(1000);
	return count_nmis() == until;
}

/* Exits of the vCPU that were NMIs; its thread has ended. */
static long nmi_exits(struct tvcpu *vcpu)
{
	struct minivmm_stat_name name = {};
	struct minivmm_stats stats;

	if (tvm_ioctl(vcpu->fd, MINIVMM_GET_STATS, &stats))
		return -1;
	for (name.index = 0; name.index < stats.nr; name.index++)
		if (!tvm_ioctl(vcpu->vm->sys, MINIVMM_GET_STAT_NAME, &name) &&
		    !strcmp(name.name, "nmi"))
			return stats.exits[name.index];
	return -1;
}

TEST_F_TIMEOUT(nmi, each_reaches_the_host_once, 120)
{
	int i, n = host_is_intel() ? 20 : 100;
	long before = count_nmis();

	ASSERT_LE(0, before);
	for (i = 1; i <= n; i++) {
		*(volatile uint32_t *)((char *)self->apic + APIC_ICR) = ICR_NMI_ALL_BUT_SELF;
		ASSERT_TRUE(counted(before + i)) {
			TH_LOG("%ld counted of %d sent", count_nmis() - before, i);
		}
		/* The kernel writes about each on the console; then the guest runs again. */
		ASSERT_TRUE(runner_wait(&self->runner, 2, 20));
	}
	EXPECT_TRUE(runner_wait(&self->runner, 3, 20));
	EXPECT_EQ(0, runner_stop(&self->runner));
	EXPECT_EQ(before + n, count_nmis());
	if (!tvm_is_kvm()) {
		/* Some of them while the guest ran, else nothing was tested. */
		EXPECT_LT(n / 10, nmi_exits(&self->runner.vcpu));
		EXPECT_GE(n, nmi_exits(&self->runner.vcpu));
	}
}

TEST_F_TIMEOUT(nmi, a_storm_ends_and_the_guest_goes_on, 120)
{
	int i, n = host_is_intel() ? 100 : 2000;
	long before = count_nmis(), after;

	/* Faster than they can be taken: some melt into one, by the architecture. */
	for (i = 0; i < n; i++) {
		*(volatile uint32_t *)((char *)self->apic + APIC_ICR) = ICR_NMI_ALL_BUT_SELF;
		usleep(i % 8 ? 0 : 200);
	}
	usleep(100000);
	after = count_nmis();
	EXPECT_LT(before, after);
	EXPECT_GE(before + n, after);
	*(volatile uint32_t *)((char *)self->apic + APIC_ICR) = ICR_NMI_ALL_BUT_SELF;
	EXPECT_TRUE(counted(after + 1));
	EXPECT_TRUE(runner_wait(&self->runner, 3, 20));
	EXPECT_EQ(0, runner_stop(&self->runner));
}

MVM_HARNESS_MAIN
