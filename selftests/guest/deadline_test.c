// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's timer in TSC-deadline mode, where the deadline changes while it is
 * armed: it comes once, not before the last deadline, and not at all when disarmed.
 */
#include "mvm_harness.h"
#include "mvm_util.h"

#define VECTOR	  0x41
#define GATE	  0x400
#define SOON	  5000000 /* guest TSC */
#define LATER	  20000000
#define AFTERWARD 40000000
#define NEVER	  (1ULL << 50)
#define PATIENCE  (1ULL << 36)

#define STR_(x) #x
#define STR(x)	STR_(x)

/* x2APIC, its timer in TSC-deadline mode; R9: the time from which all is counted. */
#define START								\
	"mov $0x1b, %ecx; rdmsr; or $0xc00, %eax; wrmsr;"		\
	"mov $0x80f, %ecx; mov $0x1ff, %eax; xor %edx, %edx; wrmsr;"	\
	"mov $0x832, %ecx; mov $0x40041, %eax; wrmsr;"			\
	"xor %r8d, %r8d; mov $0x6e0, %ecx;"				\
	"rdtsc; shl $32, %rdx; or %rdx, %rax; mov %rax, %r9;"
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

FIXTURE(deadline) {
	struct tvm vm;
	struct tvcpu vcpu;
};

FIXTURE_VARIANT(deadline) {
	const uint8_t *code, *end;
	uint32_t interrupts;
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

TEST_F(deadline, comes_once_and_in_time)
{
	uint32_t count = ~0, msr = ~0;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, variant->code, variant->end));
	ASSERT_EQ(0, tvcpu_offer_deadline(&self->vcpu));
	tvcpu_set_gate(&self->vcpu, TVM_LONG, VECTOR, TVM_CODE + GATE);
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &count));
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &msr));
	EXPECT_EQ(variant->interrupts, count);
	EXPECT_EQ(0, msr);
}

MVM_HARNESS_MAIN
