// SPDX-License-Identifier: GPL-2.0-only
/*
 * Debug exceptions are the guest's: single step, an instruction breakpoint and INT3;
 * the debug registers read back as they were written.
 */
#include <cpuid.h>

#include "mvm_harness.h"
#include "mvm_host.h"
#include "mvm_util.h"

#define DR6_BITS 0xe00f /* BT, BS, BD, B0-B3 */

/* #DB reports DR6 and clears it, clears TF in the frame, and sets RF there. */
#define DB_HANDLER(name)                                                              \
	".org " #name " + 128; push %rax; mov %dr6, %rax; out %eax, $0xf1; xor %eax, %eax;" \
	"mov %rax, %dr6; andq $~0x100, 24(%rsp); orq $0x10000, 24(%rsp); pop %rax; iretq"

GUEST_CODE(step, 64,
	   "pushf; orq $0x100, (%rsp); popf; nop; mov $9, %eax; out %eax, $0xf1; hlt;"
	   DB_HANDLER(step));

/* One instruction with TF set; 9 follows it. */
#define STEP_OVER(name, instruction)                                                   \
	GUEST_CODE(step_##name, 64,                                                    \
		   "xor %eax, %eax; pushf; orq $0x100, (%rsp); popf; " instruction ";" \
		   "mov $9, %eax; out %eax, $0xf1; hlt;" DB_HANDLER(step_##name))

STEP_OVER(hlt, "hlt");
STEP_OVER(vmcall, "vmcall");
STEP_OVER(vmmcall, "vmmcall");

/* DR0 on the NOP at + 64. */
GUEST_CODE(breakpoint, 64,
	   "lea 64 + breakpoint(%rip), %rax; lea breakpoint(%rip), %rbx; mov %rax, %dr0;"
	   "mov $0x402, %eax; mov %rax, %dr7; jmp 1f;"
	   ".org breakpoint + 64; 1: nop; mov %dr0, %rax; sub %rbx, %rax; out %eax, $0xf1;"
	   "mov %dr7, %rax; out %eax, $0xf1; hlt;"
	   DB_HANDLER(breakpoint));

GUEST_CODE(int3, 64,
	   "int3; mov $9, %eax; out %eax, $0xf1; hlt;"
	   ".org int3 + 128; push %rax; mov 8(%rsp), %eax; out %eax, $0xf1; pop %rax; iretq");

FIXTURE(debug) {
	struct tvm vm;
	struct tvcpu vcpu;
};

FIXTURE_SETUP(debug)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
}

FIXTURE_TEARDOWN(debug)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

static int start(struct tvcpu *vcpu, const uint8_t *code, const uint8_t *end, uint8_t vector)
{
	int ret = tvcpu_start(vcpu, TVM_LONG, code, end);

	tvcpu_set_gate(vcpu, TVM_LONG, vector, TVM_CODE + 128);
	return ret;
}

static int64_t next(struct tvcpu *vcpu)
{
	uint32_t value;
	int ret = tvcpu_run_out(vcpu, &value);

	return ret ? ret : value;
}

/* The first byte of the instruction that the handler would go on with. */
static int trapped_at(struct tvcpu *vcpu)
{
	const uint8_t *mem = vcpu->vm->mem;
	struct kvm_regs regs;
	uint64_t rip;

	if (tvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs))
		return -1;
	memcpy(&rip, mem + regs.rsp + 8, sizeof(rip));
	return mem[rip];
}

/* QEMU's emulator loads DR7 at VMRUN and arms nothing by it; MOV to DR7 would. */
static bool on_tcg(void)
{
	unsigned int eax, sig[4] = {};

	__cpuid(0x40000000, eax, sig[0], sig[1], sig[2]);
	return !strcmp((char *)sig, "TCGTCGTCGTCG");
}

TEST_F(debug, single_step_traps_once)
{
	ASSERT_EQ(0, start(&self->vcpu, step, step_end, 1));
	EXPECT_EQ(0x4000, next(&self->vcpu) & DR6_BITS);
	EXPECT_EQ(9, next(&self->vcpu));
	EXPECT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_HLT));
}

/* The trap ends the HLT, which with the irqchip in the kernel nothing else would. */
TEST_F(debug, single_step_goes_over_hlt)
{
	struct tvcpu vcpu;
	struct tvm vm;

	ASSERT_EQ(0, tvm_create(&vm, TVM_MEM_SIZE));
	ASSERT_EQ(0, tvm_create_irqchip(&vm, false));
	ASSERT_EQ(0, tvcpu_create(&vm, &vcpu, 0));
	ASSERT_EQ(0, start(&vcpu, step_hlt, step_hlt_end, 1));
	EXPECT_EQ(0x4000, next(&vcpu) & DR6_BITS);
	EXPECT_EQ(0xb8, trapped_at(&vcpu));
	EXPECT_EQ(9, next(&vcpu));
	tvcpu_destroy(&vcpu);
	tvm_destroy(&vm);
}

TEST_F(debug, single_step_goes_over_a_hypercall)
{
	ASSERT_EQ(0, host_is_intel() ? start(&self->vcpu, step_vmcall, step_vmcall_end, 1) :
				       start(&self->vcpu, step_vmmcall, step_vmmcall_end, 1));
	EXPECT_EQ(0x4000, next(&self->vcpu) & DR6_BITS);
	EXPECT_EQ(0xb8, trapped_at(&self->vcpu)); /* MOV to EAX */
	EXPECT_EQ(9, next(&self->vcpu));
}

TEST_F(debug, instruction_breakpoint_hits)
{
	if (on_tcg() && !tvm_is_kvm())
		SKIP(return, "QEMU's TCG arms no breakpoints at VMRUN");
	ASSERT_EQ(0, start(&self->vcpu, breakpoint, breakpoint_end, 1));
	EXPECT_EQ(1, next(&self->vcpu) & DR6_BITS);
	EXPECT_EQ(64, next(&self->vcpu));
	EXPECT_EQ(0x402, next(&self->vcpu));
	EXPECT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_HLT));
}

TEST_F(debug, int3_pushes_the_address_after_it)
{
	ASSERT_EQ(0, start(&self->vcpu, int3, int3_end, 3));
	EXPECT_EQ(TVM_CODE + 1, next(&self->vcpu));
	EXPECT_EQ(9, next(&self->vcpu));
}

MVM_HARNESS_MAIN
