// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control registers, EFER and XCR0: what a guest writes it reads back, by every
 * instruction that can, and what it must not write is #GP.
 */
#include "mvm_harness.h"
#include "mvm_util.h"

#define GP_REPORT 0xbad

/* #GP reports and halts. */
#define GP_HANDLER(name) ".org " #name " + 256; mov $0xbad, %eax; out %eax, $0xf1; hlt"

/* CR0.TS by LMSW, CLTS, MOV; reports CR0's low word each time, by SMSW and MOV. */
GUEST_CODE(task_switched, 64,
	   "smsw %ax; or $8, %eax; lmsw %ax; mov %cr0, %rax; out %eax, $0xf1;"
	   "clts; smsw %eax; out %eax, $0xf1;"
	   "mov %cr0, %rbx; or $8, %rbx; mov %rbx, %cr0; smsw %rcx; mov %ecx, %eax;"
	   "out %eax, $0xf1; clts; mov %cr0, %r9; mov %r9d, %eax; out %eax, $0xf1; hlt;"
	   GP_HANDLER(task_switched));

/* The cache bits are remembered: sets CD, reports, clears it, reports. */
GUEST_CODE(caches, 64,
	   "mov %cr0, %rax; bts $30, %rax; mov %rax, %cr0; mov %cr0, %rax; shr $29, %rax;"
	   "out %eax, $0xf1; mov %cr0, %rax; btr $30, %rax; mov %rax, %cr0; mov %cr0, %rax;"
	   "shr $29, %rax; out %eax, $0xf1; hlt;"
	   GP_HANDLER(caches));

/* CR8, CR2 and CR4.PGE. */
GUEST_CODE(others, 64,
	   "mov $9, %eax; mov %rax, %cr8; xor %eax, %eax; mov %cr8, %rax; out %eax, $0xf1;"
	   "mov $0x12345, %eax; mov %rax, %cr2; out %eax, $0xf1; xor %eax, %eax;"
	   "mov %cr2, %rax; out %eax, $0xf1;"
	   "mov %cr4, %rax; bts $7, %rax; mov %rax, %cr4; mov %cr4, %rax; shr $7, %eax;"
	   "and $1, %eax; out %eax, $0xf1; hlt;"
	   GP_HANDLER(others));

GUEST_CODE(bad_cr0, 64,
	   "mov %cr0, %rax; btr $0, %rax; mov %rax, %cr0; hlt;" GP_HANDLER(bad_cr0));
GUEST_CODE(bad_cr4, 64,
	   "mov %cr4, %rax; bts $13, %rax; mov %rax, %cr4; hlt;" GP_HANDLER(bad_cr4));
GUEST_CODE(bad_cr8, 64, "mov $16, %eax; mov %rax, %cr8; hlt;" GP_HANDLER(bad_cr8));
GUEST_CODE(bad_efer, 64,
	   "mov $0xc0000080, %ecx; rdmsr; bts $12, %eax; wrmsr; hlt;" GP_HANDLER(bad_efer));
GUEST_CODE(bad_msr, 64, "mov $0x12345678, %ecx; rdmsr; hlt;" GP_HANDLER(bad_msr));
GUEST_CODE(bad_pat, 64,
	   "mov $0x277, %ecx; rdmsr; mov $2, %al; wrmsr; hlt;" GP_HANDLER(bad_pat));
GUEST_CODE(bad_xcr0, 64,
	   "mov %cr4, %rax; bts $18, %rax; mov %rax, %cr4; xor %ecx, %ecx; xor %edx, %edx;"
	   "mov $4, %eax; xsetbv; hlt;" GP_HANDLER(bad_xcr0));

/* XCR0 = x87 and SSE: reported before and after an exit. */
GUEST_CODE(xcr0, 64,
	   "mov %cr4, %rax; bts $18, %rax; mov %rax, %cr4; xor %ecx, %ecx; xor %edx, %edx;"
	   "mov $3, %eax; xsetbv; xgetbv; out %eax, $0xf1; xgetbv; out %eax, $0xf1; hlt;"
	   GP_HANDLER(xcr0));

FIXTURE(control) {
	struct tvm vm;
	struct tvcpu vcpu;
};

FIXTURE_SETUP(control)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
}

FIXTURE_TEARDOWN(control)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

static int start(struct tvcpu *vcpu, const uint8_t *code, const uint8_t *end)
{
	int ret = tvcpu_start(vcpu, TVM_LONG, code, end);

	tvcpu_set_gate(vcpu, TVM_LONG, 13, TVM_CODE + 256);
	return ret;
}

static int64_t next(struct tvcpu *vcpu)
{
	uint32_t value;
	int ret = tvcpu_run_out(vcpu, &value);

	return ret ? ret : value;
}

TEST_F(control, cr0_by_every_instruction)
{
	ASSERT_EQ(0, start(&self->vcpu, task_switched, task_switched_end));
	EXPECT_EQ(8, next(&self->vcpu) & 8);
	EXPECT_EQ(0, next(&self->vcpu) & 8);
	EXPECT_EQ(8, next(&self->vcpu) & 8);
	EXPECT_EQ(0, next(&self->vcpu) & 8);
	EXPECT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_HLT));
}

TEST_F(control, cache_bits_are_remembered)
{
	ASSERT_EQ(0, start(&self->vcpu, caches, caches_end));
	EXPECT_EQ(4 | 2, next(&self->vcpu));
	EXPECT_EQ(4, next(&self->vcpu));
}

TEST_F(control, cr8_cr2_cr4)
{
	struct kvm_sregs sregs;

	ASSERT_EQ(0, start(&self->vcpu, others, others_end));
	EXPECT_EQ(9, next(&self->vcpu));
	EXPECT_EQ(9, self->vcpu.run->cr8);
	EXPECT_EQ(0x12345, next(&self->vcpu));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_SREGS, &sregs));
	EXPECT_EQ(0x12345, sregs.cr2);
	EXPECT_EQ(0x12345, next(&self->vcpu));
	EXPECT_EQ(1, next(&self->vcpu));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_SREGS, &sregs));
	EXPECT_EQ(0x80, sregs.cr4 & 0x80);
}

TEST_F(control, refusals_are_gp)
{
	static const struct {
		const char *name;
		const uint8_t *start, *end;
	} cases[] = {
		{ "CR0: paging without protection", bad_cr0, bad_cr0_end },
		{ "CR4.VMXE", bad_cr4, bad_cr4_end },
		{ "CR8 above 15", bad_cr8, bad_cr8_end },
		{ "EFER.SVME", bad_efer, bad_efer_end },
		{ "unknown MSR", bad_msr, bad_msr_end },
		{ "PAT type 2", bad_pat, bad_pat_end },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* Stock KVM offers SVM to its guests. */
		if (tvm_is_kvm() && cases[i].start == bad_efer)
			continue;
		ASSERT_EQ(0, start(&self->vcpu, cases[i].start, cases[i].end));
		EXPECT_EQ(GP_REPORT, next(&self->vcpu)) {
			TH_LOG("%s", cases[i].name);
		}
	}
}

/* A host that runs without XSAVE cannot give it to guests. */
static bool guests_have_xsave(struct tvm *vm)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[256];
	} table = { .head.nent = 256 };
	uint32_t i;

	if (tvm_ioctl(vm->sys, KVM_GET_SUPPORTED_CPUID, &table))
		return false;
	for (i = 0; i < table.head.nent; i++) {
		if (table.entries[i].function == 1)
			return table.entries[i].ecx & 1u << 26;
	}
	return false;
}

TEST_F(control, xcr0_is_kept)
{
	if (!guests_have_xsave(&self->vm))
		SKIP(return, "the host runs without XSAVE");
	ASSERT_EQ(0, start(&self->vcpu, xcr0, xcr0_end));
	EXPECT_EQ(3, next(&self->vcpu));
	EXPECT_EQ(3, next(&self->vcpu));
	ASSERT_EQ(0, start(&self->vcpu, bad_xcr0, bad_xcr0_end));
	EXPECT_EQ(GP_REPORT, next(&self->vcpu));
}

MVM_HARNESS_MAIN
