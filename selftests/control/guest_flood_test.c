// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests that exit all the time, one kind of exit after the other, beside an ordinary
 * task of the host's on the same CPU. The task gets its half of the CPU, and waits no
 * longer for it than the scheduler's time slices.
 *
 * A machine that is busy below the emulated host takes time from whichever of the two
 * runs: who fares badly is measured again, and only a guest takes it every time.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>

#include "mvm_harness.h"
#include "mvm_host.h"
#include "mvm_random.h"
#include "mvm_util.h"
#include "mvm_watch.h"

#define KICK	SIGUSR1
#define RAM	(16u << 20)
#define LEAST	35		/* per cent of the CPU: half, and what the clock blurs */
#define LONGEST	0.1		/* seconds without it: some time slices */
#define TRIES	10
#define APIC	"0xfee00000"

GUEST_CODE(flood_cpuid, 64, "1: xor %eax, %eax; cpuid; jmp 1b");
GUEST_CODE(flood_hlt, 64, "1: hlt; jmp 1b");
GUEST_CODE(flood_port, 64, "1: in $0x21, %al; jmp 1b");
GUEST_CODE(flood_user_port, 64, "1: out %al, $0xf3; jmp 1b");
GUEST_CODE(flood_string_io, 64,
	   "1: mov $0x30000, %edi; mov $0xf3, %edx; mov $64, %ecx; rep insb; jmp 1b");
GUEST_CODE(flood_mmio, 64, "mov $" APIC ", %edi; 1: mov 0x80(%rdi), %eax; jmp 1b");
GUEST_CODE(flood_user_mmio, 64, "mov $0x10000000, %edi; 1: mov %eax, (%rdi); jmp 1b");
GUEST_CODE(flood_rdmsr, 64, "1: mov $0x1b, %ecx; rdmsr; jmp 1b");
GUEST_CODE(flood_wrmsr, 64, "1: mov $0x277, %ecx; rdmsr; wrmsr; jmp 1b");
GUEST_CODE(flood_cr0, 64, "1: mov %cr0, %rax; xor $8, %eax; mov %rax, %cr0; jmp 1b");
GUEST_CODE(flood_cr4, 64, "1: mov %cr4, %rax; xor $4, %eax; mov %rax, %cr4; jmp 1b");
GUEST_CODE(flood_dr, 64, "1: mov %rax, %dr3; mov %dr7, %rbx; jmp 1b");
GUEST_CODE(flood_self_ipi, 64,
	   "mov $" APIC ", %edi; sti; 1: movl $0x44080, 0x300(%rdi); jmp 1b;"
	   ".org flood_self_ipi + 64; movl $0, 0xb0(%rdi); iretq");
GUEST_CODE(flood_ipi, 64, "mov $" APIC ", %edi; 1: movl $0xc4080, 0x300(%rdi); jmp 1b");
GUEST_CODE(flood_pause, 64, "1: pause; jmp 1b");
GUEST_CODE(flood_spin, 64, "cli; 1: jmp 1b");
/* The other vendor's is #UD. */
GUEST_CODE(flood_vmcall, 64,
	   "1: mov $11, %eax; vmcall; jmp 1b; .org flood_vmcall + 64; iretq");
GUEST_CODE(flood_vmmcall, 64,
	   "1: mov $11, %eax; vmmcall; jmp 1b; .org flood_vmmcall + 64; iretq");
GUEST_CODE(flood_invd, 64, "1: wbinvd; jmp 1b");
GUEST_CODE(flood_exception, 64, "1: ud2; .org flood_exception + 64; iretq");
GUEST_CODE(flood_memory, 64,
	   "1: mov $0x400000, %edi; 2: movb $1, (%rdi); add $0x1000, %edi; cmp $0x1000000, %edi;"
	   "jb 2b; out %al, $0xf4; jmp 1b");

static const struct flood {
	const char *name;
	const uint8_t *start, *end;
	bool halts;	/* without an in-kernel chip, or it would sleep */
} floods[] = {
#define FLOOD(name) { #name, flood_##name, flood_##name##_end, false }
	FLOOD(cpuid), { "hlt", flood_hlt, flood_hlt_end, true }, FLOOD(port), FLOOD(user_port),
	FLOOD(string_io), FLOOD(mmio), FLOOD(user_mmio), FLOOD(rdmsr), FLOOD(wrmsr), FLOOD(cr0),
	FLOOD(cr4), FLOOD(dr), FLOOD(self_ipi), FLOOD(ipi), FLOOD(pause), FLOOD(spin),
	FLOOD(vmcall), FLOOD(vmmcall), FLOOD(invd), FLOOD(exception), FLOOD(memory),
};

#define NR_FLOODS (sizeof(floods) / sizeof(floods[0]))

FIXTURE(flood) {
	struct host_watch watch;
};

FIXTURE_SETUP(flood)
{
	struct tvm vm;

	watch_begin(&self->watch);
	TVM_CREATE_OR_SKIP(&vm, TVM_MEM_SIZE);
	tvm_destroy(&vm);
	/* All of it on one CPU: threads inherit that. */
	ASSERT_EQ(0, host_take_one_cpu());
}

FIXTURE_TEARDOWN(flood)
{
	EXPECT_TRUE(watch_end(&self->watch));
}

struct flooder {
	struct tvm vm;
	struct tvcpu vcpu[2];
	pthread_t thread;
	volatile bool stop;
	volatile unsigned long exits;
	int error;
};

static void on_kick(int sig)
{
}

/* The guest has touched all of its memory: take it away, so that it faults again. */
static void take_memory(struct flooder *f)
{
	madvise(f->vm.mem + 0x400000, RAM - 0x400000, MADV_DONTNEED);
}

static void *run_flood(void *arg)
{
	struct flooder *f = arg;
	struct kvm_run *run = f->vcpu[0].run;
	int ret;

	while (!f->stop) {
		ret = tvm_ioctl(f->vcpu[0].fd, KVM_RUN, NULL);
		f->exits++;
		if (ret == -EINTR)
			continue;
		if (!ret && run->exit_reason == KVM_EXIT_IO && run->io.port == 0xf4)
			take_memory(f);
		if (!ret && (run->exit_reason == KVM_EXIT_IO || run->exit_reason == KVM_EXIT_MMIO ||
			     run->exit_reason == KVM_EXIT_HLT))
			continue;
		f->error = ret ? ret : -EPROTO;
		tvcpu_show(&f->vcpu[0]);
		break;
	}
	return NULL;
}

static int start_flood(struct flooder *f, const struct flood *flood)
{
	struct kvm_lapic_state lapic;
	int ret;

	memset(f, 0, sizeof(*f));
	f->vcpu[1].fd = -1;
	ret = tvm_create(&f->vm, RAM);
	if (!ret && !flood->halts)
		ret = tvm_create_irqchip(&f->vm, false);
	if (!ret)
		ret = tvcpu_create(&f->vm, &f->vcpu[0], 0);
	/* One that never runs: what it is sent stays with it. */
	if (!ret && !flood->halts)
		ret = tvcpu_create(&f->vm, &f->vcpu[1], 1);
	if (!ret)
		ret = tvcpu_start(&f->vcpu[0], TVM_LONG, flood->start, flood->end);
	if (ret)
		return ret;
	/* #UD, and the vector of the IPIs. */
	tvcpu_set_gate(&f->vcpu[0], TVM_LONG, 6, TVM_CODE + 64);
	tvcpu_set_gate(&f->vcpu[0], TVM_LONG, 0x80, TVM_CODE + 64);
	if (!flood->halts) {
		ret = tvm_ioctl(f->vcpu[0].fd, KVM_GET_LAPIC, &lapic);
		*(uint32_t *)(lapic.regs + 0xf0) = 0x1ff;
		if (!ret)
			ret = tvm_ioctl(f->vcpu[0].fd, KVM_SET_LAPIC, &lapic);
	}
	return ret ? ret : -pthread_create(&f->thread, NULL, run_flood, f);
}

static void stop_flood(struct flooder *f)
{
	f->stop = true;
	f->vcpu[0].run->immediate_exit = 1;
	pthread_kill(f->thread, KICK);
	pthread_join(f->thread, NULL);
	tvcpu_destroy(&f->vcpu[0]);
	if (f->vcpu[1].fd >= 0)
		tvcpu_destroy(&f->vcpu[1]);
	tvm_destroy(&f->vm);
}

static double clock_s(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* How an ordinary task fares: its share, and its longest wait for the CPU. */
struct fare {
	double share, longest;
};

static struct fare work(double seconds)
{
	const double own = clock_s(CLOCK_THREAD_CPUTIME_ID), start = clock_s(CLOCK_MONOTONIC);
	double now, last = start;
	struct fare fare = { 0, 0 };

	do {
		now = clock_s(CLOCK_MONOTONIC);
		if (now - last > fare.longest)
			fare.longest = now - last;
		last = now;
	} while (now - start < seconds);
	fare.share = 100 * (clock_s(CLOCK_THREAD_CPUTIME_ID) - own) / (now - start);
	return fare;
}

static bool is_fair(const struct fare *fare)
{
	return fare->share >= LEAST && fare->longest <= LONGEST;
}

TEST_F_TIMEOUT(flood, leaves_the_host_its_share, 600)
{
	const double seconds = long_run() ? 2 : on_bed("intel") ? 0.1 : 0.3;
	struct sigaction action = { .sa_handler = on_kick };
	struct flooder flooder;
	struct fare fare;
	unsigned int i, try;

	sigaction(KICK, &action, NULL);
	for (i = 0; i < NR_FLOODS; i++) {
		ASSERT_EQ(0, start_flood(&flooder, &floods[i])) {
			TH_LOG("%s: %s", floods[i].name, flooder.vm.why);
		}
		for (try = 0; try < TRIES; try++) {
			fare = work(seconds);
			if (is_fair(&fare))
				break;
		}
		stop_flood(&flooder);
		printf("# %s: %.0f %%, longest wait %.0f ms, %lu exits to userspace, try %u\n",
		       floods[i].name, fare.share, fare.longest * 1e3, flooder.exits, try);
		EXPECT_EQ(0, flooder.error) {
			TH_LOG("%s ended", floods[i].name);
		}
		EXPECT_TRUE(is_fair(&fare)) {
			TH_LOG("%s", floods[i].name);
		}
	}
}

MVM_HARNESS_MAIN
