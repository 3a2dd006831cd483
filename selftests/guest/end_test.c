// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ends of a run: triple fault, HLT, a refused entry, an instruction that cannot
 * be emulated, signals, immediate_exit, and every return's refreshed fields.
 */
#include <signal.h>
#include <sys/time.h>

#include "mvm_harness.h"
#include "mvm_util.h"

GUEST_CODE(halt, 32, "hlt");
GUEST_CODE(spin, 32, "1: jmp 1b");
GUEST_CODE(triple, 32, "lidt 1f; int3; 1: .word 0; .long 0");
GUEST_CODE(io, 32, "in $0x42, %al; mov %eax, %ebx; out %eax, $0xf1; hlt");
GUEST_CODE(mmio_fpu, 32, "fninit; fldl 0x40000000; hlt");
GUEST_CODE(jump_out, 32, "mov $0x40000000, %eax; jmp *%eax");
GUEST_CODE(sti_spin, 32, "sti; 1: jmp 1b");

FIXTURE(end) {
	struct tvm vm;
	struct tvcpu vcpu;
};

FIXTURE_SETUP(end)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
}

FIXTURE_TEARDOWN(end)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

TEST_F(end, hlt_without_irqchip_is_an_exit)
{
	struct kvm_regs regs;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_PROTECTED, halt, halt_end));
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_HLT));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_REGS, &regs));
	EXPECT_EQ(TVM_CODE + 1, regs.rip);
}

TEST_F(end, triple_fault_is_a_shutdown_exit)
{
	/* lidt 1f is position-dependent: the operand's address is patched below. */
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_PROTECTED, triple, triple_end));
	*(uint32_t *)(self->vm.mem + TVM_CODE + 3) = TVM_CODE + 8;
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_SHUTDOWN));
}

TEST_F(end, every_return_refreshes_the_run_page)
{
	struct kvm_run *run = self->vcpu.run;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_PROTECTED, halt, halt_end));
	run->if_flag = 1;
	run->apic_base = 0;
	run->flags = 0xffff;
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_HLT));
	EXPECT_EQ(0, run->if_flag);
	EXPECT_NE(0, run->apic_base);
	EXPECT_EQ(0, run->flags);
	EXPECT_EQ(0, run->ready_for_interrupt_injection);
}

TEST_F(end, an_exit_is_finished_by_the_next_run_even_with_immediate_exit)
{
	struct kvm_run *run = self->vcpu.run;
	struct kvm_regs regs;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_PROTECTED, io, io_end));
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_IO));
	EXPECT_EQ(0x42, run->io.port);
	EXPECT_EQ(KVM_EXIT_IO_IN, run->io.direction);
	*((uint8_t *)run + run->io.data_offset) = 0x77;
	run->immediate_exit = 1;
	EXPECT_EQ(-EINTR, tvm_ioctl(self->vcpu.fd, KVM_RUN, NULL));
	run->immediate_exit = 0;
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_REGS, &regs));
	EXPECT_EQ(0x77, regs.rax & 0xff);
	EXPECT_EQ(TVM_CODE + 2, regs.rip);
}

TEST_F(end, what_cannot_be_emulated_leaves_with_its_bytes)
{
	struct kvm_run *run = self->vcpu.run;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_PROTECTED, mmio_fpu, mmio_fpu_end));
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_INTERNAL_ERROR));
	EXPECT_EQ(KVM_INTERNAL_ERROR_EMULATION, run->internal.suberror);
	if (tvm_is_kvm())
		SKIP(return, "KVM gives the bytes only when asked to");
	ASSERT_EQ(KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES,
		  run->emulation_failure.flags);
	ASSERT_LE(6, run->emulation_failure.insn_size);
	EXPECT_EQ(0xdd, run->emulation_failure.insn_bytes[0]);
}

TEST_F(end, code_outside_memory_is_an_internal_error)
{
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_PROTECTED, jump_out, jump_out_end));
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_INTERNAL_ERROR));
}

TEST_F(end, impossible_state_fails_the_entry_or_the_set)
{
	struct kvm_sregs sregs;
	int ret;

	/* A code segment of a type no processor enters with. */
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_PROTECTED, halt, halt_end));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_SREGS, &sregs));
	sregs.cr3 = ~0ull;
	sregs.cr0 |= 1u << 31;
	sregs.cr4 |= 1 << 5;
	sregs.efer |= 1 << 8 | 1 << 10;
	ret = tvm_ioctl(self->vcpu.fd, KVM_SET_SREGS, &sregs);
	EXPECT_EQ(-EINVAL, ret);
	/* The guest is as it was. */
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_HLT));
}

static void on_alarm(int sig)
{
}

TEST_F(end, a_signal_ends_a_spinning_guest)
{
	struct itimerval timer = { .it_value = { .tv_usec = 50000 } };
	struct sigaction sa = { .sa_handler = on_alarm };

	if (getenv("LAB_BED") && !strcmp(getenv("LAB_BED"), "intel"))
		SKIP(return, "Bochs never interrupts a guest with IF=0; sti_spin covers it");
	sigaction(SIGALRM, &sa, NULL);
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_PROTECTED, spin, spin_end));
	setitimer(ITIMER_REAL, &timer, NULL);
	EXPECT_EQ(-EINTR, tvm_ioctl(self->vcpu.fd, KVM_RUN, NULL));
	EXPECT_EQ(KVM_EXIT_INTR, self->vcpu.run->exit_reason);
}

TEST_F(end, a_signal_ends_a_spinning_guest_with_interrupts_on)
{
	struct itimerval timer = { .it_value = { .tv_usec = 50000 } };
	struct sigaction sa = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &sa, NULL);
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_PROTECTED, sti_spin, sti_spin_end));
	setitimer(ITIMER_REAL, &timer, NULL);
	EXPECT_EQ(-EINTR, tvm_ioctl(self->vcpu.fd, KVM_RUN, NULL));
	EXPECT_EQ(KVM_EXIT_INTR, self->vcpu.run->exit_reason);
}

TEST_F(end, a_halted_guest_is_woken_by_a_signal)
{
	struct itimerval timer = { .it_value = { .tv_usec = 50000 } };
	struct sigaction sa = { .sa_handler = on_alarm };
	struct tvcpu vcpu;
	struct tvm vm;

	sigaction(SIGALRM, &sa, NULL);
	ASSERT_EQ(0, tvm_create(&vm, TVM_MEM_SIZE));
	ASSERT_EQ(0, tvm_create_irqchip(&vm, false));
	ASSERT_EQ(0, tvcpu_create(&vm, &vcpu, 0));
	ASSERT_EQ(0, tvcpu_start(&vcpu, TVM_PROTECTED, halt, halt_end));
	setitimer(ITIMER_REAL, &timer, NULL);
	EXPECT_EQ(-EINTR, tvm_ioctl(vcpu.fd, KVM_RUN, NULL));
	EXPECT_EQ(KVM_EXIT_INTR, vcpu.run->exit_reason);
	tvcpu_destroy(&vcpu);
	tvm_destroy(&vm);
}

MVM_HARNESS_MAIN
