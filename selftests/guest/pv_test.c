// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's paravirtual services: steal time and the preemption hint, EOI in memory,
 * hypercalls, the switch for host-side polling.
 */
#define _GNU_SOURCE /* memmem() */
#include <pthread.h>
#include <signal.h>

#include "mvm_harness.h"
#include "mvm_host.h"
#include "mvm_util.h"

#define GP_VECTOR    13
#define GATE_GP	     0x700 /* offsets of handlers in the code */
#define GATE_A	     0x800
#define GATE_B	     0x900
#define VECTOR_A     0x60
#define VECTOR_B     0x50
#define STEAL_GPA    0x20000
#define STEAL_TICKS  STEAL_GPA /* struct kvm_steal_time */
#define STEAL_VER    (STEAL_GPA + 8)
#define STEAL_HINT   (STEAL_GPA + 16)
#define FEATURES     0x40000001
#define EPERM_GUEST  0xffffffff /* -KVM_EPERM, -KVM_ENOSYS, -KVM_EINVAL in EAX */
#define ENOSYS_GUEST 0xfffffc18
#define EINVAL_GUEST 0xffffffea

/* The local APIC in x2APIC mode, enabled. */
#define X2APIC_ON							\
	"mov $0x1b, %ecx; rdmsr; or $0xc00, %eax; wrmsr;"		\
	"mov $0x80f, %ecx; mov $0x1ff, %eax; xor %edx, %edx; wrmsr;"
#define SELF_IPI(vector) \
	"mov $0x83f, %ecx; mov $" #vector ", %eax; xor %edx, %edx; wrmsr;"
#define WRITE_EOI "mov $0x80b, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr;"
/* The page is there before the first offer: one that is not gets none. */
#define EOI_ON								\
	"movb $0, 0x20100;"						\
	"mov $0x4b564d04, %ecx; mov $0x20101, %eax; xor %edx, %edx; wrmsr;"
#define REPORT	  "out %eax, $0xf1;"

/* 1000 interrupts to itself, ended in memory where offered: reports how many were. */
GUEST_CODE(pv_eoi, 64,
	   X2APIC_ON EOI_ON "xor %r8d, %r8d; xor %r9d, %r9d; sti;"
	   "1:" SELF_IPI(0x60) "nop; inc %r9d; cmp $1000, %r9d; jne 1b;"
	   "mov %r8d, %eax;" REPORT "mov %r10d, %eax;" REPORT "hlt;"
	   ".org pv_eoi + 0x800;"
	   "inc %r10d; btr $0, 0x20100; jc 2f;" WRITE_EOI "iretq; 2: inc %r8d; iretq");

/* Two interrupts at once: while the lower one waits, the higher one's EOI must exit. */
GUEST_CODE(pv_eoi_two, 64,
	   X2APIC_ON EOI_ON "cli;" SELF_IPI(0x60) SELF_IPI(0x50) "sti; nop; nop;"
	   "mov $9, %eax;" REPORT "hlt;"
	   ".org pv_eoi_two + 0x800;"
	   "movzbl 0x20100, %eax;" REPORT WRITE_EOI "iretq;"
	   ".org pv_eoi_two + 0x900;"
	   "mov $5, %eax;" REPORT WRITE_EOI "iretq");

/* The waiting interrupt arrives while an EOI is on offer: the offer is withdrawn. */
GUEST_CODE(pv_eoi_late, 64,
	   X2APIC_ON EOI_ON "sti;" SELF_IPI(0x60) "nop;"
	   "mov $9, %eax;" REPORT "hlt;"
	   ".org pv_eoi_late + 0x800;"
	   "movzbl 0x20100, %eax;" REPORT /* on offer */
	   SELF_IPI(0x50)
	   "movzbl 0x20100, %eax;" REPORT /* no longer */
	   WRITE_EOI "iretq;"
	   ".org pv_eoi_late + 0x900;"
	   "mov $5, %eax;" REPORT WRITE_EOI "iretq");

/* Hypercalls, each answer reported. VMCALL becomes VMMCALL on AMD: start(). */
GUEST_CODE(hypercalls, 64,
	   X2APIC_ON "sti;"
	   "mov $0x1234, %eax; vmcall;" REPORT /* none */
	   "mov $1, %eax; vmcall;" REPORT /* VAPIC_POLL_IRQ */
	   "mov $10, %eax; mov $1, %ebx; xor %ecx, %ecx; xor %edx, %edx; mov $0x60, %esi;"
	   "vmcall;" REPORT /* SEND_IPI to itself: the handler reports, then one */
	   "mov $10, %eax; mov $3, %ebx; mov $200, %edx; vmcall;" REPORT /* nobody has it */
	   "mov $10, %eax; xor %edx, %edx; mov $0x860, %esi; vmcall;" REPORT /* logical */
	   "mov $10, %eax; mov $0x40060, %esi; vmcall;" REPORT /* a shorthand */
	   "mov $10, %eax; mov $-1, %edx; mov $0x60, %esi; vmcall;" REPORT /* not everybody */
	   "mov $11, %eax; xor %ebx, %ebx; vmcall;" REPORT /* SCHED_YIELD to itself */
	   "mov $5, %eax; xor %ebx, %ebx; xor %ecx, %ecx; vmcall;" REPORT /* KICK_CPU */
	   "cli; hlt; mov $77, %eax;" REPORT /* the kick ended this HLT */
	   "pushq $0x3b; pushq $0x10000; pushf; pushq $0x33; pushq $0x10a00; iretq;"
	   ".org hypercalls + 0x700; mov $13, %eax;" REPORT "hlt;"
	   ".org hypercalls + 0x800; push %rax; push %rcx; push %rdx;"
	   "mov $60, %eax;" REPORT WRITE_EOI "pop %rdx; pop %rcx; pop %rax; iretq;"
	   ".org hypercalls + 0xa00; mov $1, %eax; vmcall; mov %eax, %r8d;"
	   "cli; hlt");

/* Writes EDX:EAX to the MSR in ECX: 13 after #GP, else 1. Then reads it back. */
GUEST_CODE(write_msr, 64,
	   "wrmsr; mov $1, %eax;" REPORT "rdmsr;" REPORT "hlt;"
	   ".org write_msr + 0x700; mov $13, %eax;" REPORT "hlt");

/* Steal time on, then sleeps for 300 ms at a time and reports the hint after each. */
GUEST_CODE(steal_halt, 64,
	   X2APIC_ON "mov $0x4b564d03, %ecx; mov $0x20001, %eax; xor %edx, %edx; wrmsr;"
	   "mov $0x832, %ecx; mov $0x60, %eax; wrmsr; mov $0x83e, %ecx; mov $0xb, %eax; wrmsr;"
	   "1: mov $0x838, %ecx; mov $300000000, %eax; wrmsr;"
	   "sti; hlt; cli; movzbl 0x20010, %eax;" REPORT "xor %edx, %edx; jmp 1b;"
	   ".org steal_halt + 0x800;" WRITE_EOI "iretq");

/* Steal time on, then spins for ever. */
GUEST_CODE(steal_spin, 64,
	   "mov $0x4b564d03, %ecx; mov $0x20001, %eax; xor %edx, %edx; wrmsr;"
	   "1: incq 0x20100; jmp 1b");

FIXTURE(pv) {
	struct tvm vm;
	struct tvcpu vcpu;
	pthread_t thread;
	int stop;
};

FIXTURE_SETUP(pv)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvm_create_irqchip(&self->vm, false));
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
}

FIXTURE_TEARDOWN(pv)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

static bool is_amd(void)
{
	unsigned int eax = 0, ebx, ecx, edx;

	asm("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
	return ecx == 0x444d4163; /* "cAMD" */
}

static int start(struct tvcpu *vcpu, const uint8_t *code, const uint8_t *end)
{
	static const uint8_t vmcall[] = { 0x0f, 0x01, 0xc1 };
	uint8_t *at = vcpu->vm->mem + TVM_CODE;
	int ret = tvcpu_start(vcpu, TVM_LONG, code, end);

	tvcpu_set_gate(vcpu, TVM_LONG, GP_VECTOR, TVM_CODE + GATE_GP);
	tvcpu_set_gate(vcpu, TVM_LONG, VECTOR_A, TVM_CODE + GATE_A);
	tvcpu_set_gate(vcpu, TVM_LONG, VECTOR_B, TVM_CODE + GATE_B);
	if (!is_amd())
		return ret;
	while ((at = memmem(at, vcpu->vm->mem + TVM_CODE + (end - code) - at, vmcall,
			    sizeof(vmcall))))
		at[2] = 0xd9;
	return ret;
}

/* The next report, or the errno. */
static int64_t next(struct tvcpu *vcpu)
{
	uint32_t value;
	int ret = tvcpu_run_out(vcpu, &value);

	return ret ? ret : value;
}

TEST_F(pv, features_are_offered)
{
	const uint32_t want = 1u << 0 | 1u << 1 | 1u << 3 | 1u << 5 | 1u << 6 | 1u << 7 |
			      1u << 9 | 1u << 11 | 1u << 12 | 1u << 13 | 1u << 24;
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[256];
	} table = { .head.nent = 256 };
	uint32_t i;

	ASSERT_EQ(0, tvm_ioctl(self->vm.sys, KVM_GET_SUPPORTED_CPUID, &table));
	for (i = 0; i < table.head.nent; i++) {
		if (table.entries[i].function == FEATURES)
			break;
	}
	ASSERT_LT(i, table.head.nent);
	EXPECT_EQ(want, table.entries[i].eax & want);
}

TEST_F(pv, eoi_in_memory_ends_interrupts)
{
	ASSERT_EQ(0, start(&self->vcpu, pv_eoi, pv_eoi_end));
	EXPECT_LT(900, next(&self->vcpu)); /* not where the host interrupts the handler */
	EXPECT_EQ(1000, next(&self->vcpu));
	EXPECT_EQ(0, self->vm.mem[0x20100]);
}

TEST_F(pv, eoi_is_not_offered_over_a_waiting_interrupt)
{
	ASSERT_EQ(0, start(&self->vcpu, pv_eoi_two, pv_eoi_two_end));
	EXPECT_EQ(0, next(&self->vcpu));
	EXPECT_EQ(5, next(&self->vcpu));
	EXPECT_EQ(9, next(&self->vcpu));
}

TEST_F(pv, eoi_offer_is_withdrawn_for_a_late_interrupt)
{
	ASSERT_EQ(0, start(&self->vcpu, pv_eoi_late, pv_eoi_late_end));
	EXPECT_EQ(1, next(&self->vcpu));
	EXPECT_EQ(0, next(&self->vcpu));
	EXPECT_EQ(5, next(&self->vcpu));
	EXPECT_EQ(9, next(&self->vcpu));
}

TEST_F(pv, eoi_page_may_be_taken_away)
{
	int i;

	/* Offers fail while the page is gone, and come back with it. */
	ASSERT_EQ(0, tvm_set_slot(&self->vm, 0, 0, 0, 0, NULL));
	ASSERT_EQ(0, tvm_set_slot(&self->vm, 0, 0, 0, 0x20000, self->vm.mem));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, start(&self->vcpu, pv_eoi_two, pv_eoi_two_end));
		/* MMIO where the page was: the guest's own read of it leaves. */
		ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_MMIO));
		EXPECT_EQ(1, self->vcpu.run->mmio.is_write);
		ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_MMIO));
		EXPECT_EQ(0x20100, self->vcpu.run->mmio.phys_addr);
		memset(self->vcpu.run->mmio.data, 0, 8);
		EXPECT_EQ(0, next(&self->vcpu));
		EXPECT_EQ(5, next(&self->vcpu));
		EXPECT_EQ(9, next(&self->vcpu));
	}
}

/* Let ring 3 at everything: the user bit in each entry of the tables. */
static void open_to_users(struct tvm *vm)
{
	uint64_t *entry = (void *)(vm->mem + TVM_PML4), *end = (void *)(vm->mem + TVM_PD32);

	for (; entry < end; entry++)
		*entry |= *entry & 1 ? 4 : 0;
}

TEST_F(pv, hypercalls_answer)
{
	struct kvm_regs regs;

	ASSERT_EQ(0, start(&self->vcpu, hypercalls, hypercalls_end));
	open_to_users(&self->vm);
	*(uint64_t *)(self->vm.mem + TVM_TSS + 4) = TVM_STACK - 0x100; /* RSP0 */
	EXPECT_EQ(ENOSYS_GUEST, next(&self->vcpu));
	EXPECT_EQ(0, next(&self->vcpu));
	EXPECT_EQ(60, next(&self->vcpu));
	EXPECT_EQ(1, next(&self->vcpu));
	EXPECT_EQ(0, next(&self->vcpu));
	EXPECT_EQ(EINVAL_GUEST, next(&self->vcpu));
	EXPECT_EQ(EINVAL_GUEST, next(&self->vcpu));
	EXPECT_EQ(0, next(&self->vcpu));
	EXPECT_EQ(0, next(&self->vcpu));
	EXPECT_EQ(0, next(&self->vcpu));
	EXPECT_EQ(77, next(&self->vcpu));
	/* Ring 3 gets an answer, too: that it may not. CLI there then faults. */
	EXPECT_EQ(13, next(&self->vcpu));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_REGS, &regs));
	EXPECT_EQ(EPERM_GUEST, regs.r8);
}

TEST_F(pv, msrs_check_their_values)
{
	static const struct {
		uint32_t index;
		uint64_t value;
		bool valid;
	} rows[] = {
		{ 0x4b564d03, STEAL_GPA | 1, true },  { 0x4b564d03, STEAL_GPA | 3, false },
		{ 0x4b564d03, STEAL_GPA | 33, false }, { 0x4b564d04, STEAL_GPA | 1, true },
		{ 0x4b564d04, STEAL_GPA | 3, false },  { 0x4b564d04, STEAL_GPA | 5, true },
		{ 0x4b564d05, 1, true },	       { 0x4b564d05, 0, true },
		{ 0x4b564d05, 2, false },	       { 0x4b564d06, 0, false },
		{ 0x1b, 0xfee00900, true },	       { 0x1b, 1ull << 60 | 0xfee00900, false },
	};
	struct kvm_regs regs;
	unsigned int i;

	if (tvm_is_kvm())
		SKIP(return, "KVM has more of them");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ASSERT_EQ(0, start(&self->vcpu, write_msr, write_msr_end));
		ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_REGS, &regs));
		regs.rcx = rows[i].index;
		regs.rax = (uint32_t)rows[i].value;
		regs.rdx = rows[i].value >> 32;
		ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_SET_REGS, &regs));
		EXPECT_EQ(rows[i].valid ? 1 : 13, next(&self->vcpu)) {
			TH_LOG("MSR %x, value %llx", rows[i].index,
			       (unsigned long long)rows[i].value);
		}
		if (rows[i].valid)
			EXPECT_EQ((uint32_t)rows[i].value, next(&self->vcpu));
	}
}

static void *report_thrice(void *arg)
{
	int64_t sum = 0;
	int i;

	for (i = 0; i < 3; i++)
		sum |= next(arg);
	return (void *)sum;
}

TEST_F(pv, hint_tells_that_a_vcpu_sleeps)
{
	uint8_t *hint = self->vm.mem + STEAL_HINT, asleep;
	void *result;
	int i;

	ASSERT_EQ(0, start(&self->vcpu, steal_halt, steal_halt_end));
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, report_thrice, &self->vcpu));
	/* As another vCPU would ask one that sleeps to flush when it wakes. */
	for (i = 0; i < 10000; i++) {
		asleep = 1;
		if (__atomic_compare_exchange_n(hint, &asleep, 3, false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			break;
		usleep(100);
	}
	EXPECT_LT(i, 10000);
	ASSERT_EQ(0, pthread_join(self->thread, &result));
	EXPECT_EQ(0, (uintptr_t)result);
}

static void *spin(void *arg)
{
	sigset_t alarm;

	/* It is for the thread that runs the guest. */
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarm, NULL);
	while (!__atomic_load_n((int *)arg, __ATOMIC_RELAXED))
		;
	return NULL;
}

static void ignore(int sig)
{
}

TEST_F(pv, steal_time_counts_waiting)
{
	volatile uint64_t *steal = (void *)(self->vm.mem + STEAL_TICKS);
	volatile uint32_t *version = (void *)(self->vm.mem + STEAL_VER);
	struct sigaction action = { .sa_handler = ignore };
	uint64_t before;
	int i;

	/* Spinner and vCPU on one CPU, each gets about a half. */
	ASSERT_EQ(0, host_take_one_cpu());
	sigaction(SIGALRM, &action, NULL);
	ASSERT_EQ(0, start(&self->vcpu, steal_spin, steal_spin_end));
	*version = 7; /* junk of the guest's must not confuse */
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, spin, &self->stop));
	for (i = 0; i < 3; i++) {
		before = *steal;
		ualarm(300000, 0);
		EXPECT_EQ(-1, ioctl(self->vcpu.fd, KVM_RUN, NULL));
		EXPECT_EQ(EINTR, errno);
		EXPECT_LT(before, *steal);
		EXPECT_GT(before + 2000000000ull, *steal);
		EXPECT_EQ(0, *version & 1);
	}
	__atomic_store_n(&self->stop, 1, __ATOMIC_RELAXED);
	pthread_join(self->thread, NULL);
	EXPECT_LT(7, *version);
}

MVM_HARNESS_MAIN
