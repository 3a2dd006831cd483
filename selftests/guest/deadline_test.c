// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's timer in TSC-deadline mode, where the deadline changes while it is
 * armed: it comes once, not before the last deadline, and not at all when disarmed. Also while
 * the vCPU is halted, and where the time comes while it is in userspace.
 */
#include <pthread.h>

#include "irq_util.h"
#include "mvm_harness.h"

#define VECTOR	  0x41
#define GATE	  0x400
#define OTHER	  0x42 /* an interrupt that counts for nothing */
#define OTHER_GATE 0x480
#define SOON	  5000000 /* guest TSC */
#define LATER	  20000000
#define AFTERWARD 40000000
#define NEVER	  (1ULL << 50)
#define ASKED	  0xa5ced
#define PAUSE_US  100000
#define MSR_TSC_DEADLINE 0x6e0
#define PATIENCE  (1ULL << 36)

#define STR_(x) #x
#define STR(x)	STR_(x)

/* x2APIC, its timer in TSC-deadline mode; R9: the time from which all is counted. */
#define START								\
	"mov $0x1b, %ecx; rdmsr; or $0xc00, %eax; wrmsr;"		\
	"mov $0x80f, %ecx; mov $0x1ff, %eax; xor %edx, %edx; wrmsr;"	\
	"mov $0x832, %ecx; mov $0x40041, %eax; wrmsr;"			\
	"xor %r8d, %r8d; mov $0x6e0, %ecx;" COUNT_ANEW
#define COUNT_ANEW "rdtsc; shl $32, %rdx; or %rdx, %rax; mov %rax, %r9;"
/* RSI: the deadline as it was written last. */
#define WRITE_RSI    "mov %rsi, %rax; mov %rsi, %rdx; shr $32, %rdx; wrmsr;"
#define DEADLINE(in) "mov $" STR(in) ", %rsi; add %r9, %rsi;" WRITE_RSI
#define DISARM	     "xor %esi, %esi;" WRITE_RSI
#define NOW	     "rdtsc; shl $32, %rdx; or %rdx, %rax;"
/* On a slow host the first deadline may pass before it is changed: all over again then. */
#define BEFORE(time)							\
	"mov $" STR(time) ", %rdi; add %r9, %rdi;" NOW "cmp %rdi, %rax; jb 4f;"	\
	DISARM "sti; nop; cli; jmp 8882b; 4:"
/* Interrupts open until so long after R9. */
#define OPEN_FOR(time)							\
	"mov $" STR(time) ", %rdi; add %r9, %rdi; sti;"			\
	"1:" NOW "cmp %rdi, %rax; jb 1b; cli;"
/* Or until one has come. */
#define OPEN_FOR_ONE(time)						\
	"mov $" STR(time) ", %rdi; add %r9, %rdi; sti;"			\
	"1: test %r8, %r8; jnz 2f;" NOW "cmp %rdi, %rax; jb 1b; 2: cli;"

#define HALT "sti; hlt; cli;"
/* Let userspace do what the test says. */
#define ASK  "mov $" STR(ASKED) ", %eax; out %eax, $0xf1; mov $0x6e0, %ecx;"

/*
 * Reports how many came, each 100 more if it came early, and what the MSR holds. The
 * handler has registers of its own: the interrupt may come between any two instructions.
 */
#define PROGRAM(name, body)						\
	GUEST_CODE(name, 64,						\
		   "8882:" START body					\
		   "mov %r8d, %eax; out %eax, $0xf1;"			\
		   "rdmsr; or %edx, %eax; out %eax, $0xf1; hlt;"	\
		   ".org 8882b + 0x400;"				\
		   "push %rax; push %rcx; push %rdx; inc %r8;" NOW	\
		   "cmp %rsi, %rax; jae 3f; add $100, %r8;"		\
		   "3: mov $0x80b, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr;"	\
		   "pop %rdx; pop %rcx; pop %rax; iretq;"		\
		   ".org 8882b + 0x480;"				\
		   "push %rax; push %rcx; push %rdx;"			\
		   "mov $0x80b, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr;"	\
		   "pop %rdx; pop %rcx; pop %rax; iretq")

PROGRAM(plain, DEADLINE(SOON) OPEN_FOR(AFTERWARD));
PROGRAM(later, DEADLINE(SOON) DEADLINE(LATER) BEFORE(SOON) OPEN_FOR(AFTERWARD));
PROGRAM(earlier, DEADLINE(NEVER) DEADLINE(SOON) OPEN_FOR_ONE(PATIENCE));
PROGRAM(disarmed, DEADLINE(SOON) DISARM BEFORE(SOON) OPEN_FOR(AFTERWARD));
PROGRAM(put_off, DEADLINE(SOON) DEADLINE(NEVER) BEFORE(SOON) OPEN_FOR(AFTERWARD) DISARM);
PROGRAM(put_off_and_back, DEADLINE(SOON) DEADLINE(NEVER) BEFORE(SOON) OPEN_FOR(LATER)
	DEADLINE(AFTERWARD) OPEN_FOR_ONE(PATIENCE));
PROGRAM(later_twice_then_past, DEADLINE(SOON) DEADLINE(LATER) DEADLINE(NEVER) BEFORE(SOON)
	"mov %r9, %rsi;" WRITE_RSI OPEN_FOR_ONE(PATIENCE));
PROGRAM(halted, DEADLINE(SOON) HALT);
PROGRAM(halted_over_a_past_one, "mov %r9, %rsi;" WRITE_RSI HALT);
PROGRAM(put_off_and_halted, DEADLINE(SOON) DEADLINE(LATER) BEFORE(SOON) HALT);
PROGRAM(brought_forward_and_halted, DEADLINE(NEVER) DEADLINE(SOON) HALT);
PROGRAM(halted_twice, DEADLINE(SOON) HALT COUNT_ANEW DEADLINE(SOON) HALT);
/* Woken by another interrupt, while the host's timer waits for a later deadline. */
PROGRAM(woken_before, DEADLINE(PATIENCE) ASK HALT COUNT_ANEW DEADLINE(SOON) HALT);
PROGRAM(out_of_the_guest, DEADLINE(LATER) ASK OPEN_FOR_ONE(PATIENCE));
PROGRAM(halted_out_of_the_guest, DEADLINE(LATER) ASK HALT);

FIXTURE(deadline) {
	struct tvm vm;
	struct tvcpu vcpu;
};

FIXTURE_VARIANT(deadline) {
	const uint8_t *code, *end;
	uint32_t interrupts;
	/* Where it asks, with a while between: */
	bool wake; /* the other interrupt */
	bool read; /* KVM_GET_LAPIC, KVM_GET_MSRS */
};

#define PROGRAM_COUNTS(name, n) \
	FIXTURE_VARIANT_ADD(deadline, name) { .code = name, .end = name##_end, .interrupts = n }

PROGRAM_COUNTS(plain, 1);
PROGRAM_COUNTS(later, 1);
PROGRAM_COUNTS(earlier, 1);
PROGRAM_COUNTS(disarmed, 0);
PROGRAM_COUNTS(put_off, 0);
PROGRAM_COUNTS(put_off_and_back, 1);
PROGRAM_COUNTS(later_twice_then_past, 1);
PROGRAM_COUNTS(halted, 1);
PROGRAM_COUNTS(halted_over_a_past_one, 1);
PROGRAM_COUNTS(put_off_and_halted, 1);
PROGRAM_COUNTS(brought_forward_and_halted, 1);
PROGRAM_COUNTS(halted_twice, 2);
PROGRAM_COUNTS(out_of_the_guest, 1);
PROGRAM_COUNTS(halted_out_of_the_guest, 1);

FIXTURE_VARIANT_ADD(deadline, read_out_of_the_guest) {
	.code = out_of_the_guest, .end = out_of_the_guest_end, .interrupts = 1, .read = true
};

FIXTURE_VARIANT_ADD(deadline, read_and_halted_out_of_the_guest) {
	.code = halted_out_of_the_guest, .end = halted_out_of_the_guest_end, .interrupts = 1,
	.read = true
};

FIXTURE_VARIANT_ADD(deadline, woken_before) {
	.code = woken_before, .end = woken_before_end, .interrupts = 1, .wake = true
};

FIXTURE_SETUP(deadline)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvm_create_irqchip(&self->vm, false));
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
}

FIXTURE_TEARDOWN(deadline)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

static void *wake(void *vm)
{
	struct kvm_msi msi = { .address_lo = TIRQ_MSI_ADDR, .data = OTHER };

	usleep(PAUSE_US);
	return (void *)(intptr_t)tvm_ioctl(((struct tvm *)vm)->fd, KVM_SIGNAL_MSI, &msi);
}

/* The state that is read in two steps has the deadline or its interrupt, whenever it comes. */
static bool is_in_what_is_read(struct tvcpu *vcpu)
{
	uint64_t deadline;
	uint32_t irr;

	if (tlapic_get(vcpu, 0x200 + VECTOR / 32 * 16, &irr))
		return false;
	usleep(PAUSE_US);
	if (tvcpu_get_msr(vcpu, MSR_TSC_DEADLINE, &deadline))
		return false;
	return deadline || irr & 1U << VECTOR % 32;
}

TEST_F(deadline, comes_once_and_in_time)
{
	uint32_t count = ~0, msr = ~0;
	pthread_t thread;
	bool kept = true;
	void *sent;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, variant->code, variant->end));
	ASSERT_EQ(0, tvcpu_offer_deadline(&self->vcpu));
	tvcpu_set_gate(&self->vcpu, TVM_LONG, VECTOR, TVM_CODE + GATE);
	tvcpu_set_gate(&self->vcpu, TVM_LONG, OTHER, TVM_CODE + OTHER_GATE);
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &count));
	if (variant->wake)
		ASSERT_EQ(0, pthread_create(&thread, NULL, wake, &self->vm));
	if (count == ASKED) {
		if (variant->read)
			kept = is_in_what_is_read(&self->vcpu);
		else
			usleep(variant->wake ? 0 : PAUSE_US);
		ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &count));
	}
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &msr));
	if (variant->wake) {
		ASSERT_EQ(0, pthread_join(thread, &sent));
		EXPECT_EQ((void *)1, sent);
	}
	EXPECT_TRUE(kept);
	EXPECT_EQ(variant->interrupts, count);
	EXPECT_EQ(0, msr);
}

MVM_HARNESS_MAIN
