// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vCPU thread's own vector registers and protection keys are in place after every
 * KVM_RUN, whatever the guest does with a smaller XCR0, while signals interrupt it, other
 * threads of the CPU use theirs, and it moves between CPUs.
 *
 * Users of the FPU in softirqs: softirq_test.c.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "mvm_harness.h"
#include "host_util.h"

#define CR4_OSFXSR  (1 << 9)
#define CR4_OSXSAVE (1 << 18)

/* XCR0 = x87 and SSE only; then every XMM register is changed between reports. */
GUEST_CODE(scribble, 64,
	   "mov $3, %eax; xor %edx, %edx; xor %ecx, %ecx; xsetbv;"
	   "1: mov $2000, %r8d;"
	   "2: movd %r8d, %xmm0; pshufd $0, %xmm0, %xmm0; movdqa %xmm0, %xmm1;"
	   "movdqa %xmm0, %xmm6; movdqa %xmm0, %xmm7; movdqa %xmm0, %xmm15; fldz; fstp %st(0);"
	   "dec %r8d; jnz 2b; xor %eax, %eax; out %eax, $0xf1; jmp 1b");

static bool has_pkru;

/* KVM_RUN between a load and a store of YMM6 and YMM15, with no code in between but it. */
static int run_with_ymm(struct runner *runner)
{
	uint64_t in[8] __attribute__((aligned(32))), out[8] __attribute__((aligned(32)));
	uint32_t pkru = 0x55555550, key, edx;
	long ret;
	int i;

	for (i = 0; i < 8; i++)
		in[i] = 0x0123456789abcdef * (i + 1) ^ (uintptr_t)runner;
	if (has_pkru)
		asm volatile("wrpkru" : : "a" (pkru), "c" (0), "d" (0));
	asm volatile("vmovdqa (%2), %%ymm6; vmovdqa 32(%2), %%ymm15; syscall;"
		     "vmovdqa %%ymm6, (%1); vmovdqa %%ymm15, 32(%1)"
		     : "=a" (ret)
		     : "r" (out), "r" (in), "a" ((long)SYS_ioctl), "D" ((long)runner->vcpu.fd),
		       "S" (KVM_RUN), "d" (0L)
		     : "rcx", "r11", "memory", "xmm6", "xmm15");
	if (memcmp(in, out, sizeof(in)))
		return 101;
	if (has_pkru) {
		asm volatile("rdpkru" : "=a" (key), "=d" (edx) : "c" (0));
		if (key != pkru)
			return 102;
	}
	return ret;
}

FIXTURE(fpu) {
	struct runner runner[2];
};

static int make_guest(struct runner *runner)
{
	struct kvm_sregs sregs;

	if (tvcpu_create(&runner->vm, &runner->vcpu, 0) ||
	    tvcpu_start(&runner->vcpu, TVM_LONG, scribble, scribble_end) ||
	    tvm_ioctl(runner->vcpu.fd, KVM_GET_SREGS, &sregs))
		return -1;
	sregs.cr4 |= CR4_OSFXSR | CR4_OSXSAVE;
	runner->run = run_with_ymm;
	return tvm_ioctl(runner->vcpu.fd, KVM_SET_SREGS, &sregs);
}

FIXTURE_SETUP(fpu)
{
	unsigned int a, b, c, d;
	int i;

	__cpuid(1, a, b, c, d);
	if (!(c & bit_AVX) || !(c & bit_OSXSAVE))
		MVM_SKIP("the host runs without AVX");
	__cpuid_count(7, 0, a, b, c, d);
	has_pkru = c & bit_OSPKE;
	for (i = 0; i < 2; i++) {
		TVM_CREATE_OR_SKIP(&self->runner[i].vm, TVM_MEM_SIZE);
		ASSERT_EQ(0, make_guest(&self->runner[i]));
	}
}

FIXTURE_TEARDOWN(fpu)
{
	runner_destroy(&self->runner[0]);
	runner_destroy(&self->runner[1]);
}

static void on_signal(int sig)
{
	/* The handler's own use of the registers must not show either. */
	asm volatile("vpcmpeqd %%ymm6, %%ymm6, %%ymm6; vpxor %%ymm15, %%ymm15, %%ymm15"
		     : : : "xmm6", "xmm15");
}

TEST_F_TIMEOUT(fpu, the_threads_registers_survive_the_guests, 120)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct itimerval timer = { { 0, 3000 }, { 0, 3000 } };
	int i, n = nr_cpus(), moves = getenv("MINIVMM_LONG") ? 2000 : 100;

	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &timer, NULL));
	ASSERT_EQ(0, runner_start(&self->runner[0], -1));
	ASSERT_EQ(0, runner_start(&self->runner[1], -1));
	/* From one CPU to the next, so that both threads meet and part again. */
	for (i = 0; i < moves; i++) {
		cpu_set_t cpus;

		CPU_ZERO(&cpus);
		CPU_SET(host_cpu(i % n), &cpus);
		EXPECT_EQ(0, pthread_setaffinity_np(self->runner[i & 1].thread, sizeof(cpus),
						    &cpus));
		usleep(5000);
	}
	EXPECT_TRUE(runner_wait(&self->runner[0], 2, 30));
	EXPECT_TRUE(runner_wait(&self->runner[1], 2, 30));
	memset(&timer, 0, sizeof(timer));
	setitimer(ITIMER_REAL, &timer, NULL);
	EXPECT_EQ(0, runner_stop(&self->runner[0]));
	EXPECT_EQ(0, runner_stop(&self->runner[1]));
}

MVM_HARNESS_MAIN
