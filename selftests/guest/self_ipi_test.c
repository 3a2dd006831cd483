// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts that a vCPU sends to itself by x2APIC's registers: where exactly each comes
 * in, and what holds it back. The write that raises or lets in an interrupt is an exit
 * that minivmm may answer without a turn of its run loop, so are HLT and CPUID here.
 */
#include "mvm_harness.h"
#include "mvm_util.h"

#define NMI_VECTOR 2
/* Each vector's handler, as an offset in the code. */
#define GATE_41	   0x400
#define GATE_51	   0x480
#define GATE_42	   0x500
#define GATE_52	   0x580
#define GATE_NMI   0x600

#define X2APIC_ON							\
	"mov $0x1b, %ecx; rdmsr; or $0xc00, %eax; wrmsr;"		\
	"mov $0x80f, %ecx; mov $0x1ff, %eax; xor %edx, %edx; wrmsr;"
/* What WRMSR takes, and WRMSR. */
#define APIC_MSR(msr, value) "mov $" #msr ", %ecx; mov $" #value ", %eax; xor %edx, %edx;"
#define SELF_IPI(vector)     APIC_MSR(0x83f, vector)
#define SELF_ICR(icr)	     APIC_MSR(0x830, icr)
#define SEND		     "wrmsr;"
#define WRITE_EOI	     APIC_MSR(0x80b, 0) "wrmsr;"

/* R15 collects what happens, four bits each. R14: where the handler is to come in, or 0. */
#define LOG(n)	       "shl $4, %r15; or $" #n ", %r15;"
#define EXPECT_AT_9    "lea 9f(%rip), %r14;"
#define EXPECT_NOWHERE "xor %r14d, %r14d;"
#define HANDLER(offset, n)						\
	".org 8882b + " #offset "; inc %r8;"				\
	"test %r14, %r14; jz 1f; cmp %r14, (%rsp); je 1f;" LOG(0xe)	\
	"1: push %rax; push %rcx; push %rdx;" LOG(n) WRITE_EOI		\
	"pop %rdx; pop %rcx; pop %rax; iretq;"

/* The body, its report of R15, and the handlers. */
#define PROGRAM(name, body)						\
	GUEST_CODE(name, 64,						\
		   "8882:" X2APIC_ON "xor %r8d, %r8d; xor %r14d, %r14d; xor %r15d, %r15d;" \
		   body "cli; mov %r15d, %eax; out %eax, $0xf1; hlt;"	\
		   HANDLER(0x400, 4) HANDLER(0x480, 5)			\
		   /* 42: lets others in, sends a higher one */		\
		   ".org 8882b + 0x500;" LOG(8) "sti; nop;" SELF_IPI(0x51) SEND LOG(9)	\
		   WRITE_EOI "iretq;"					\
		   /* 52: lets others in, sends a lower one, which waits for the EOI */	\
		   ".org 8882b + 0x580;" LOG(10) "sti; nop;" SELF_IPI(0x41) SEND LOG(11)	\
		   APIC_MSR(0x80b, 0) EXPECT_AT_9 "wrmsr; 9:" LOG(12) "iretq;"	\
		   /* NMI: sends one that waits for its IRET */		\
		   ".org 8882b + 0x600;" LOG(2) SELF_IPI(0x41) SEND LOG(3) "iretq")

PROGRAM(by_register, "sti; nop;" SELF_IPI(0x41) EXPECT_AT_9 SEND "9:" LOG(1));
PROGRAM(by_icr, "sti; nop;" SELF_ICR(0x40041) EXPECT_AT_9 SEND "9:" LOG(1));
PROGRAM(in_stis_shadow, SELF_IPI(0x41) EXPECT_AT_9 "sti;" SEND "9:" LOG(1));
PROGRAM(held_by_if, SELF_IPI(0x41) SEND SELF_ICR(0x40051) SEND LOG(1)
	EXPECT_AT_9 "sti; cpuid; 9:" LOG(2));
PROGRAM(held_by_tpr, APIC_MSR(0x808, 0x50) "wrmsr; sti; nop;" SELF_IPI(0x41) SEND LOG(1)
	APIC_MSR(0x808, 0) EXPECT_AT_9 "wrmsr; 9:" LOG(2));
PROGRAM(ends_hlt, SELF_IPI(0x41) SEND LOG(1) EXPECT_AT_9 "sti; hlt; 9:" LOG(2));
/* With nothing there yet: the timer ends it, in one-shot mode. */
PROGRAM(hlt_waits, APIC_MSR(0x832, 0x41) "wrmsr;" APIC_MSR(0x83e, 0xb) "wrmsr;"
	APIC_MSR(0x838, 1000000) "wrmsr;" EXPECT_AT_9 "sti; hlt; 9:" LOG(1));
PROGRAM(higher_comes_first, "sti; nop;" SELF_IPI(0x42) SEND LOG(1));
PROGRAM(lower_waits_for_eoi, "sti; nop;" SELF_IPI(0x52) SEND EXPECT_NOWHERE LOG(1));
PROGRAM(waits_for_nmis_iret, "sti; nop;" APIC_MSR(0x830, 0x400) "wrmsr; jmp 1f; 1:" LOG(1));
PROGRAM(twice_is_once, SELF_IPI(0x41) SEND SELF_IPI(0x41) SEND "sti; nop; nop; cli;" LOG(1));
/* More than minivmm answers in a row. */
PROGRAM(a_thousand, "sti; mov $1000, %r9d; 1:" SELF_IPI(0x41) SEND "dec %r9d; jnz 1b;"
	"mov %r8, %r15;");
PROGRAM(a_thousand_halts, "mov $1000, %r9d; 1: cli;" SELF_ICR(0x40051) SEND
	"sti; hlt; dec %r9d; jnz 1b; mov %r8, %r15;");

FIXTURE(self_ipi) {
	struct tvm vm;
	struct tvcpu vcpu;
};

FIXTURE_VARIANT(self_ipi) {
	const uint8_t *code, *end;
	uint32_t report;
};

#define PROGRAM_REPORTS(name, what) \
	FIXTURE_VARIANT_ADD(self_ipi, name) { .code = name, .end = name##_end, .report = what }

PROGRAM_REPORTS(by_register, 0x41);
PROGRAM_REPORTS(by_icr, 0x41);
PROGRAM_REPORTS(in_stis_shadow, 0x41);
PROGRAM_REPORTS(held_by_if, 0x1542);
PROGRAM_REPORTS(held_by_tpr, 0x142);
PROGRAM_REPORTS(ends_hlt, 0x142);
PROGRAM_REPORTS(hlt_waits, 0x41);
PROGRAM_REPORTS(higher_comes_first, 0x8591);
PROGRAM_REPORTS(lower_waits_for_eoi, 0xab4c1);
PROGRAM_REPORTS(waits_for_nmis_iret, 0x2341);
PROGRAM_REPORTS(twice_is_once, 0x41);
PROGRAM_REPORTS(a_thousand, 1000);
PROGRAM_REPORTS(a_thousand_halts, 1000);

FIXTURE_SETUP(self_ipi)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvm_create_irqchip(&self->vm, false));
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
}

FIXTURE_TEARDOWN(self_ipi)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

TEST_F(self_ipi, comes_in_at_its_place)
{
	uint32_t report = 0;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, variant->code, variant->end));
	tvcpu_set_gate(&self->vcpu, TVM_LONG, 0x41, TVM_CODE + GATE_41);
	tvcpu_set_gate(&self->vcpu, TVM_LONG, 0x51, TVM_CODE + GATE_51);
	tvcpu_set_gate(&self->vcpu, TVM_LONG, 0x42, TVM_CODE + GATE_42);
	tvcpu_set_gate(&self->vcpu, TVM_LONG, 0x52, TVM_CODE + GATE_52);
	tvcpu_set_gate(&self->vcpu, TVM_LONG, NMI_VECTOR, TVM_CODE + GATE_NMI);
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &report));
	EXPECT_EQ(variant->report, report);
}

MVM_HARNESS_MAIN
