// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_SET_GUEST_DEBUG: a debugger's steps and breakpoints, over every kind of exit, and
 * kept apart from the guest's own. guest/debug_test.c has those.
 */
#include <cpuid.h>

#include "mvm_harness.h"
#include "mvm_util.h"

#define MMIO	 "0x40000000"
#define STEP	 (KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP)
#define STEP_DR6 0xffff4ff0
#define MAX_STEPS 400

/* MARK notes where the next instruction is: the places a debugger has to stop at. */
extern const uint32_t marks[], marks_end[];
asm(".pushsection .rodata.marks,\"a\"; marks: .popsection");
#define MARK ".pushsection .rodata.marks,\"a\"; .long 1f - exits; .popsection; 1:"

GUEST_CODE(exits, 64,
	   "mov $1, %eax;"		MARK "cpuid;"
	   MARK "mov $5, %eax;"		MARK "out %eax, $0xf1;"
	   MARK "in $0x80, %al;"	MARK "mov %eax, " MMIO ";"
	   MARK "mov " MMIO ", %ebx;"	MARK "mov $0x277, %ecx;"
	   MARK "rdmsr;"		MARK "wrmsr;"
	   MARK "mov %cr0, %rax;"	MARK "mov %rax, %cr0;"
	   MARK "mov %dr6, %rax;"	MARK "lea 0x12000, %rdi;"
	   MARK "mov $3, %ecx;"		MARK "rep stosb;"
	   MARK "mov %ss, %eax;"	MARK "push %rax;"
	   MARK "lea 8(%rsp), %rcx;"	MARK "push %rcx;"
	   MARK "pushf;"		MARK "mov %cs, %eax;"
	   MARK "push %rax;"		MARK "lea 2f(%rip), %rax;"
	   MARK "push %rax;"		MARK "iretq;"
	   MARK "2: nop;"		MARK "hlt;");
asm(".pushsection .rodata.marks,\"a\"; marks_end: .popsection");

/* What PUSHF and POPF show of TF: reports RFLAGS three times, once as POPF left it. */
GUEST_CODE(flags, 64,
	   "pushf; pop %rax; out %eax, $0xf1;"
	   "pushf; popf; pushf; pop %rax; out %eax, $0xf1;"
	   "push $0x46; popf; pushf; pop %rax; out %eax, $0xf1; hlt");

/* As in debug_test.c: #DB reports DR6, ends the stepping and goes on. */
#define DB_HANDLER(name)                                                              \
	".org " #name " + 128; push %rax; mov %dr6, %rax; out %eax, $0xf1; xor %eax, %eax;" \
	"mov %rax, %dr6; andq $~0x100, 24(%rsp); pop %rax; iretq"

GUEST_CODE(own_step, 64,
	   "pushf; orq $0x100, (%rsp); popf; nop; mov $9, %eax; out %eax, $0xf1; hlt;"
	   DB_HANDLER(own_step));

GUEST_CODE(int3, 64,
	   "int3; mov $9, %eax; out %eax, $0xf1; hlt;"
	   ".org int3 + 128; push %rax; mov 8(%rsp), %eax; out %eax, $0xf1; pop %rax; iretq");

GUEST_CODE(own_db, 64, "nop; mov $9, %eax; out %eax, $0xf1; hlt;" DB_HANDLER(own_db));

/* A write to 0x12000 at + 16; the guest's own DR0 and DR7 are read behind it. */
GUEST_CODE(watched, 64,
	   "mov $7, %eax; mov %eax, 0x12000; mov %dr7, %rax; out %eax, $0xf1; hlt");

GUEST_CODE(interrupted, 64,
	   "nop; nop; nop; nop; nop; hlt;"
	   ".org interrupted + 128; mov $3, %eax; out %eax, $0xf1; iretq");

FIXTURE(debugger) {
	struct tvm vm;
	struct tvcpu vcpu;
};

FIXTURE_SETUP(debugger)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
}

FIXTURE_TEARDOWN(debugger)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

static int start(struct tvcpu *vcpu, const uint8_t *code, const uint8_t *end, uint8_t vector)
{
	int ret = tvcpu_start(vcpu, TVM_LONG, code, end);

	if (vector)
		tvcpu_set_gate(vcpu, TVM_LONG, vector, TVM_CODE + 128);
	return ret;
}

static int debug(struct tvcpu *vcpu, uint32_t control)
{
	struct kvm_guest_debug dbg = { .control = control };

	return tvm_ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &dbg);
}

static int watch(struct tvcpu *vcpu, uint64_t addr, uint64_t dr7)
{
	struct kvm_guest_debug dbg = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP,
		.arch.debugreg = { [0] = addr, [7] = dr7 },
	};

	return tvm_ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &dbg);
}

/* STI would do, but TCG gets its shadow and a step wrong. */
static int let_interrupts_in(struct tvcpu *vcpu)
{
	struct kvm_regs regs;
	int ret = tvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs);

	regs.rflags |= 0x200;
	return ret ? ret : tvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs);
}

static int64_t next(struct tvcpu *vcpu)
{
	uint32_t value;
	int ret = tvcpu_run_out(vcpu, &value);

	return ret ? ret : value;
}

/* Step on to the guest's next report, a report being 32 bits to TVM_PORT; -EPROTO at HLT. */
static int64_t step_to_report(struct tvcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	int i;

	for (i = 0; i < MAX_STEPS; i++) {
		if (tvcpu_run(vcpu))
			return -EIO;
		if (run->exit_reason == KVM_EXIT_IO && run->io.port == TVM_PORT)
			return *(uint32_t *)((uint8_t *)run + run->io.data_offset);
		if (run->exit_reason != KVM_EXIT_DEBUG)
			return -EPROTO;
	}
	return -ELOOP;
}

static bool on_tcg(void)
{
	unsigned int eax, sig[4] = {};

	__cpuid(0x40000000, eax, sig[0], sig[1], sig[2]);
	return !strcmp((char *)sig, "TCGTCGTCGTCG");
}

TEST_F(debugger, steps_over_every_kind_of_exit)
{
	struct kvm_run *run = self->vcpu.run;
	uint64_t last = TVM_CODE;
	size_t n = 0;
	int i;

	ASSERT_EQ(0, start(&self->vcpu, exits, exits_end, 0));
	ASSERT_EQ(0, debug(&self->vcpu, STEP));
	for (i = 0; i < MAX_STEPS; i++) {
		ASSERT_EQ(0, tvcpu_run(&self->vcpu));
		if (run->exit_reason == KVM_EXIT_HLT)
			break;
		if (run->exit_reason == KVM_EXIT_IO || run->exit_reason == KVM_EXIT_MMIO)
			continue;
		ASSERT_EQ(KVM_EXIT_DEBUG, run->exit_reason) tvcpu_show(&self->vcpu);
		EXPECT_EQ(1, run->debug.arch.exception);
		EXPECT_EQ(STEP_DR6, run->debug.arch.dr6);
		/* Each iteration of REP is a step of its own. */
		if (run->debug.arch.pc == last)
			continue;
		last = run->debug.arch.pc;
		ASSERT_GT(marks_end - marks, n);
		ASSERT_EQ(TVM_CODE + marks[n], last) TH_LOG("step %zu", n);
		n++;
	}
	EXPECT_EQ(marks_end - marks, n);
}

TEST_F(debugger, step_flag_stays_hidden_from_the_guest)
{
	if (tvm_is_kvm())
		SKIP(return, "KVM's guest sees the flag that steps it");
	ASSERT_EQ(0, start(&self->vcpu, flags, flags_end, 0));
	ASSERT_EQ(0, debug(&self->vcpu, STEP));
	EXPECT_EQ(0, step_to_report(&self->vcpu) & 0x100);
	EXPECT_EQ(0, step_to_report(&self->vcpu) & 0x100);
	EXPECT_EQ(0x46, step_to_report(&self->vcpu));
}

TEST_F(debugger, guests_own_step_is_still_its_own)
{
	if (tvm_is_kvm())
		SKIP(return, "KVM reports the guest's own traps to the debugger");
	ASSERT_EQ(0, start(&self->vcpu, own_step, own_step_end, 1));
	ASSERT_EQ(0, debug(&self->vcpu, STEP));
	EXPECT_EQ(0x4000, step_to_report(&self->vcpu) & 0xe00f);
	EXPECT_EQ(9, step_to_report(&self->vcpu));
}

/*
 * The processor may note in DR6 that it came by a breakpoint which DR7 does not enable, and
 * QEMU does. DR1 is enabled, so that all four are loaded.
 */
TEST_F(debugger, disabled_breakpoint_does_not_hit_behind_a_step)
{
	struct kvm_debugregs regs = {
		.db = { TVM_CODE + 1, 0x13000 }, .dr6 = 0xffff0ff0, .dr7 = 0x408
	};

	ASSERT_EQ(0, start(&self->vcpu, own_db, own_db_end, 1));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_SET_DEBUGREGS, &regs));
	ASSERT_EQ(0, debug(&self->vcpu, STEP));
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_DEBUG));
	EXPECT_EQ(TVM_CODE + 1, self->vcpu.run->debug.arch.pc);
	ASSERT_EQ(0, debug(&self->vcpu, 0));
	EXPECT_EQ(9, next(&self->vcpu));
}

TEST_F(debugger, regs_do_not_show_the_step_flag)
{
	struct kvm_regs regs;

	ASSERT_EQ(0, start(&self->vcpu, int3, int3_end, 3));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_REGS, &regs));
	regs.rip = TVM_CODE + 1;
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_SET_REGS, &regs));
	ASSERT_EQ(0, debug(&self->vcpu, STEP));
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_DEBUG));
	EXPECT_EQ(TVM_CODE + 6, self->vcpu.run->debug.arch.pc);
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_REGS, &regs));
	EXPECT_EQ(0, regs.rflags & 0x100);
	ASSERT_EQ(0, debug(&self->vcpu, 0));
	EXPECT_EQ(9, next(&self->vcpu));
}

TEST_F(debugger, software_breakpoint_reports_and_injects)
{
	if (on_tcg())
		SKIP(return, "QEMU's TCG does not intercept INT3");
	ASSERT_EQ(0, start(&self->vcpu, int3, int3_end, 3));
	ASSERT_EQ(0, debug(&self->vcpu, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP));
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_DEBUG));
	EXPECT_EQ(3, self->vcpu.run->debug.arch.exception);
	EXPECT_EQ(TVM_CODE, self->vcpu.run->debug.arch.pc);
	/* Not the debugger's: the guest gets it. */
	ASSERT_EQ(0, debug(&self->vcpu, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP |
					KVM_GUESTDBG_INJECT_BP));
	EXPECT_EQ(TVM_CODE + 1, next(&self->vcpu));
	EXPECT_EQ(9, next(&self->vcpu));
}

TEST_F(debugger, injected_breakpoint_pushes_the_address_after_it)
{
	ASSERT_EQ(0, start(&self->vcpu, int3, int3_end, 3));
	ASSERT_EQ(0, debug(&self->vcpu, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_INJECT_BP));
	if (tvm_is_kvm())
		SKIP(return, "KVM takes the length from the exit before");
	EXPECT_EQ(TVM_CODE + 1, next(&self->vcpu));
	EXPECT_EQ(9, next(&self->vcpu));
}

TEST_F(debugger, hardware_breakpoints_stop_the_guest_and_stay_hidden)
{
	if (on_tcg())
		SKIP(return, "QEMU's TCG arms no breakpoints at VMRUN");
	ASSERT_EQ(0, start(&self->vcpu, watched, watched_end, 0));
	ASSERT_EQ(0, watch(&self->vcpu, TVM_CODE + 5, 0x402));
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_DEBUG));
	EXPECT_EQ(1, self->vcpu.run->debug.arch.exception);
	EXPECT_EQ(TVM_CODE + 5, self->vcpu.run->debug.arch.pc);
	EXPECT_EQ(0xffff0ff1, self->vcpu.run->debug.arch.dr6);
	EXPECT_EQ(0x402, self->vcpu.run->debug.arch.dr7);
	/* A write of four bytes. */
	ASSERT_EQ(0, watch(&self->vcpu, 0x12000, 0xd0402));
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_DEBUG));
	EXPECT_EQ(TVM_CODE + 12, self->vcpu.run->debug.arch.pc);
	EXPECT_EQ(0xffff0ff1, self->vcpu.run->debug.arch.dr6);
	EXPECT_EQ(0x400, next(&self->vcpu));
}

TEST_F(debugger, general_detect_is_the_debuggers)
{
	ASSERT_EQ(0, start(&self->vcpu, watched, watched_end, 0));
	ASSERT_EQ(0, watch(&self->vcpu, 0, 0x2400));
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_DEBUG));
	EXPECT_EQ(TVM_CODE + 12, self->vcpu.run->debug.arch.pc);
	EXPECT_EQ(0xffff2ff0, self->vcpu.run->debug.arch.dr6);
	ASSERT_EQ(0, debug(&self->vcpu, 0));
	EXPECT_EQ(0x400, next(&self->vcpu));
}

TEST_F(debugger, inject_db_reaches_the_guest)
{
	ASSERT_EQ(0, start(&self->vcpu, own_db, own_db_end, 1));
	ASSERT_EQ(0, debug(&self->vcpu, KVM_GUESTDBG_INJECT_DB));
	EXPECT_EQ(-EBUSY, debug(&self->vcpu, KVM_GUESTDBG_INJECT_DB));
	EXPECT_EQ(-EBUSY, debug(&self->vcpu, KVM_GUESTDBG_INJECT_BP));
	EXPECT_EQ(0xffff0ff0, next(&self->vcpu) & 0xffff0ff0);
	EXPECT_EQ(9, next(&self->vcpu));
}

TEST_F(debugger, blocked_interrupts_wait)
{
	struct kvm_interrupt irq = { .irq = 0x40 };
	uint64_t pc;
	int i;

	ASSERT_EQ(0, start(&self->vcpu, interrupted, interrupted_end, 0x40));
	ASSERT_EQ(0, let_interrupts_in(&self->vcpu));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_INTERRUPT, &irq));
	ASSERT_EQ(0, debug(&self->vcpu, STEP | KVM_GUESTDBG_BLOCKIRQ));
	for (i = 1; i < 4; i++) {
		ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_DEBUG));
		pc = self->vcpu.run->debug.arch.pc;
		EXPECT_EQ(TVM_CODE + i, pc);
	}
	ASSERT_EQ(0, debug(&self->vcpu, 0));
	EXPECT_EQ(3, next(&self->vcpu));
	EXPECT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_HLT));
}

TEST_F(debugger, step_stops_at_the_handler_of_an_interrupt)
{
	struct kvm_interrupt irq = { .irq = 0x40 };
	int i;

	if (tvm_is_kvm())
		SKIP(return, "KVM's steps go over the handler");
	ASSERT_EQ(0, start(&self->vcpu, interrupted, interrupted_end, 0x40));
	ASSERT_EQ(0, let_interrupts_in(&self->vcpu));
	ASSERT_EQ(0, debug(&self->vcpu, STEP));
	for (i = 1; i < 4; i++)
		ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_DEBUG));
	EXPECT_EQ(TVM_CODE + 3, self->vcpu.run->debug.arch.pc);
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_INTERRUPT, &irq));
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_DEBUG));
	EXPECT_EQ(TVM_CODE + 128, self->vcpu.run->debug.arch.pc);
	/* Its frame has the guest's flags, not the debugger's. */
	EXPECT_EQ(0, self->vm.mem[TVM_STACK - 24 + 1] & 1);
	EXPECT_EQ(3, step_to_report(&self->vcpu));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_DEBUG));
	EXPECT_EQ(TVM_CODE + 4, self->vcpu.run->debug.arch.pc);
}

TEST_F(debugger, refuses_what_it_does_not_know)
{
	struct kvm_guest_debug wide = { .control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP };

	EXPECT_EQ(-EFAULT, tvm_ioctl(self->vcpu.fd, KVM_SET_GUEST_DEBUG, (void *)8));
	if (tvm_is_kvm())
		SKIP(return, "KVM takes any bits");
	EXPECT_EQ(-EINVAL, debug(&self->vcpu, STEP | 1 << 21));
	EXPECT_EQ(-EINVAL, debug(&self->vcpu, 1u << 31));
	wide.arch.debugreg[7] = 1ull << 32;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->vcpu.fd, KVM_SET_GUEST_DEBUG, &wide));
}

MVM_HARNESS_MAIN
