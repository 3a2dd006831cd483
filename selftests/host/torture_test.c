// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two guests on one CPU, at the same addresses with different patterns, each looking
 * at its own registers and memory again and again; the host's threads look at theirs;
 * meanwhile VMs come and go, KVM's module is tried, and CPUs are taken off and on.
 *
 * On VT-x the other guest is KVM's and minivmm borrows; on AMD-V, which is not lent, both
 * are minivmm's. Emulated beds show no stale translation on AMD-V (unit/svm_asid does) and
 * no speculation.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "mvm_harness.h"
#include "host_util.h"

#define MSR_STAR    0xc0000081
#define MSR_LSTAR   0xc0000082
#define MSR_SFMASK  0xc0000084
#define MSR_TSC_AUX 0xc0000103
#define CR4_OSFXSR  (1 << 9)
#define DATA	    0x200000
#define PAGES	    8

/*
 * EBX is the guest's pattern, everywhere. What differs is reported by its number. The
 * memory is on several pages, so that wrong translations of other pages show as well.
 */
GUEST_CODE(look, 64,
	   "1: mov $64, %r8d;"
	   "2: mov $1, %esi; mov $0xc0000082, %ecx; rdmsr; cmp %ebx, %eax; jne 9f;"
	   "mov $2, %esi; mov $0xc0000081, %ecx; rdmsr; cmp %ebx, %edx; jne 9f;"
	   "mov $3, %esi; mov $0xc0000084, %ecx; rdmsr; mov %ebx, %edx; and $0xff00, %edx;"
	   "cmp %edx, %eax; jne 9f;"
	   "mov $4, %esi; rdtscp; cmp %ebx, %ecx; jne 9f;"
	   "mov $5, %esi; movd %xmm3, %eax; cmp %ebx, %eax; jne 9f;"
	   "mov $6, %esi; mov %dr0, %rax; cmp %rbx, %rax; jne 9f;"
	   "mov $7, %esi; mov %dr3, %rax; cmp %rbx, %rax; jne 9f;"
	   "mov $8, %esi; xor %edi, %edi;"
	   "3: cmp %ebx, 0x200000(%rdi); jne 9f; mov %ebx, 0x200800(%rdi);"
	   "add $0x1000, %edi; cmp $0x8000, %edi; jne 3b;"
	   "dec %r8d; jnz 2b; xor %eax, %eax; out %eax, $0xf1; jmp 1b;"
	   "9: mov %esi, %eax; out %eax, $0xf1; jmp 1b");

static int set_msrs(struct tvcpu *vcpu, uint32_t pattern)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry rows[4];
	} msrs = {
		.head.nmsrs = 4,
		.rows = {
			{ .index = MSR_LSTAR, .data = pattern },
			{ .index = MSR_STAR, .data = (uint64_t)pattern << 32 },
			{ .index = MSR_SFMASK, .data = pattern & 0xff00 },
			{ .index = MSR_TSC_AUX, .data = pattern },
		},
	};

	return tvm_ioctl(vcpu->fd, KVM_SET_MSRS, &msrs) == 4 ? 0 : -1;
}

static int set_registers(struct tvcpu *vcpu, uint32_t pattern)
{
	/* Enabled, where nothing is ever executed: the registers must then be the guest's. */
	struct kvm_debugregs debug = { .db = { pattern, pattern, pattern, pattern },
				       .dr6 = 0xffff0ff0, .dr7 = 0x401 };
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	struct kvm_fpu fpu;

	if (tvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs) ||
	    tvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) || tvm_ioctl(vcpu->fd, KVM_GET_FPU, &fpu))
		return -1;
	regs.rbx = pattern;
	sregs.cr4 |= CR4_OSFXSR;
	memcpy(fpu.xmm[3], &pattern, sizeof(pattern));
	return tvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs) ||
	       tvm_ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) ||
	       tvm_ioctl(vcpu->fd, KVM_SET_FPU, &fpu) ||
	       tvm_ioctl(vcpu->fd, KVM_SET_DEBUGREGS, &debug);
}

/* KVM_RUN with a pattern in XMM7 that must be there afterwards, and this CPU's TSC_AUX. */
static int run_and_look(struct runner *runner)
{
	uint64_t pattern = 0x1122334455667788 ^ (uintptr_t)runner, after;
	unsigned int cpu, aux, low, high;
	long ret;

	asm volatile("movq %2, %%xmm7; syscall; movq %%xmm7, %1"
		     : "=a" (ret), "=r" (after)
		     : "r" (pattern), "a" ((long)SYS_ioctl), "D" ((long)runner->vcpu.fd),
		       "S" (KVM_RUN), "d" (0L)
		     : "rcx", "r11", "memory", "xmm7");
	if (after != pattern)
		return 101;
	if (getcpu(&cpu, NULL) == 0) {
		asm volatile("rdtscp" : "=a" (low), "=d" (high), "=c" (aux));
		/* The low bits are the CPU; the thread is bound to it. */
		if ((aux & 0xfff) != cpu)
			return 102;
	}
	return ret;
}

static int make_guest(struct runner *runner, const char *device, uint32_t pattern)
{
	int i, ret;

	if (device)
		setenv("MINIVMM_DEV", device, 1);
	ret = tvm_create(&runner->vm, TVM_MEM_SIZE);
	unsetenv("MINIVMM_DEV");
	if (ret)
		return ret;
	for (i = 0; i < PAGES; i++)
		memcpy(runner->vm.mem + DATA + i * 0x1000, &pattern, sizeof(pattern));
	runner->run = run_and_look;
	return tvcpu_create(&runner->vm, &runner->vcpu, 0) ||
	       tvcpu_start(&runner->vcpu, TVM_LONG, look, look_end) ||
	       set_msrs(&runner->vcpu, pattern) || set_registers(&runner->vcpu, pattern);
}

/* What each guest wrote beside its pattern is its own in the host's view too. */
static bool memory_is(struct runner *runner, uint32_t pattern)
{
	uint32_t value;
	int i;

	for (i = 0; i < PAGES; i++) {
		memcpy(&value, runner->vm.mem + DATA + i * 0x1000 + 0x800, sizeof(value));
		if (value != pattern)
			return false;
	}
	return true;
}

/* A hardware breakpoint of the host, on the CPU of the guests: every hit is counted. */
struct watch {
	volatile long target;
	volatile bool stop;
	long writes;
	long long hits;
	int error;
};

static void *watch_thread(void *arg)
{
	struct watch *watch = arg;
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT, .size = sizeof(attr), .bp_type = HW_BREAKPOINT_W,
		.bp_addr = (uintptr_t)&watch->target, .bp_len = HW_BREAKPOINT_LEN_8,
		.exclude_kernel = 1, .exclude_hv = 1,
	};
	int fd;

	watch->error = bind_cpu(0);
	fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	if (fd < 0) {
		watch->error = -errno;
		return NULL;
	}
	while (!watch->stop) {
		watch->target++;
		watch->writes++;
		usleep(500);
	}
	if (read(fd, &watch->hits, sizeof(watch->hits)) != sizeof(watch->hits))
		watch->error = -EIO;
	close(fd);
	return NULL;
}

/* An MSR of CPU 0; 0 where there is no such device. */
static uint64_t host_msr(uint32_t msr)
{
	int fd = open("/dev/cpu/0/msr", O_RDONLY);
	uint64_t value = 0;

	if (fd < 0 || pread(fd, &value, sizeof(value), msr) != sizeof(value))
		value = 0;
	if (fd >= 0)
		close(fd);
	return value;
}

static const uint32_t host_msrs[] = { MSR_STAR, MSR_LSTAR, MSR_SFMASK, MSR_TSC_AUX };

FIXTURE(torture) {
	struct runner a, b;
	const char *other;
	uint64_t before[4];
};

FIXTURE_SETUP(torture)
{
	int i;

	if (tvm_is_kvm())
		MVM_SKIP("the device under test is KVM itself");
	shell("modprobe msr");
	for (i = 0; i < 4; i++)
		self->before[i] = host_msr(host_msrs[i]);
	if (!self->before[1])
		TH_LOG("no /dev/cpu/0/msr: the host's MSRs are not compared at the end");
	self->other = NULL;
	if (host_is_intel()) {
		sleep(4); /* minivmm lets go three seconds after its last VM */
		if (shell("modprobe kvm_intel"))
			MVM_SKIP("KVM's module is not in this host");
		self->other = "/dev/kvm";
	}
	ASSERT_EQ(0, make_guest(&self->b, self->other, 0x22221200));
	i = make_guest(&self->a, NULL, 0x11112100);
	if (i == -ENODEV)
		MVM_SKIP("%s", self->a.vm.why);
	ASSERT_EQ(0, i);
	ASSERT_EQ(0, runner_start(&self->a, 0));
	ASSERT_EQ(0, runner_start(&self->b, 0));
}

FIXTURE_TEARDOWN(torture)
{
	runner_destroy(&self->b);
	runner_destroy(&self->a);
	shell("modprobe -r kvm_intel");
}

/* One more VM, its first report, and away with it. */
static int come_and_go(const char *device, uint32_t pattern)
{
	struct runner runner = {};
	int ret = make_guest(&runner, device, pattern);

	if (!ret && !runner_start(&runner, 0)) {
		if (!runner_wait(&runner, 1, 60))
			ret = -1;
		ret = runner_stop(&runner) ?: ret;
	}
	runner_destroy(&runner);
	return ret;
}

/* The other CPUs off and on, and what holds the modules tried. */
static int disturb(const char *other)
{
	if (shell("rmmod minivmm") == 0)
		return -1;
	if (other && shell("rmmod kvm_intel") == 0)
		return -2;
	if (!access("/sys/devices/system/cpu/cpu1/online", W_OK) &&
	    (write_file("/sys/devices/system/cpu/cpu1/online", "0") ||
	     write_file("/sys/devices/system/cpu/cpu1/online", "1")))
		return -3;
	return 0;
}

TEST_F_TIMEOUT(torture, each_sees_only_its_own, 280)
{
	int i, rounds = host_is_intel() ? 2 : 6;
	struct watch watch = {};
	pthread_t watcher;

	if (getenv("MINIVMM_LONG"))
		rounds *= 20;
	ASSERT_EQ(0, pthread_create(&watcher, NULL, watch_thread, &watch));
	for (i = 0; i < rounds; i++) {
		ASSERT_TRUE(runner_wait(&self->a, 2, 60));
		ASSERT_TRUE(runner_wait(&self->b, 2, 60));
		EXPECT_EQ(0, come_and_go(NULL, 0x33333300));
		EXPECT_EQ(0, come_and_go(self->other, 0x44444400));
		EXPECT_EQ(0, disturb(self->other));
	}
	watch.stop = true;
	pthread_join(watcher, NULL);
	EXPECT_EQ(0, runner_stop(&self->a));
	EXPECT_EQ(0, runner_stop(&self->b));
	EXPECT_TRUE(memory_is(&self->a, 0x11112100));
	EXPECT_TRUE(memory_is(&self->b, 0x22221200));
	EXPECT_EQ(0, watch.error);
	EXPECT_EQ(watch.writes, watch.hits);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(self->before[i], host_msr(host_msrs[i]));
}

MVM_HARNESS_MAIN
