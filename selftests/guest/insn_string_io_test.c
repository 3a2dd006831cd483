// SPDX-License-Identifier: GPL-2.0-only
/*
 * String input and output: blocks of elements at a port, in each CPU mode.
 */
#include "mvm_harness.h"
#include "mvm_util.h"

#define PORT		0x3f8
#define BUF		0x20000		/* real mode: segment 0x2000 */

#define OUTSB "rep outsb; out %al, $0xf1; hlt"
#define OUTSW "std; rep outsw; cld; out %al, $0xf1; hlt"
#define INSB  "rep insb; out %al, $0xf1; hlt"
#define START16 "mov $0x2000, %ax; mov %ax, %ds; mov %ax, %es; mov $0x3f8, %dx; cld;"
#define START32 "mov $0x3f8, %edx; cld;"

GUEST_CODE(outs16, 16, START16 "mov $0xff0, %si; mov $100, %cx;" OUTSB);
GUEST_CODE(outs32, 32, START32 "mov $0x20ff0, %esi; mov $100, %ecx;" OUTSB);
GUEST_CODE(outs64, 64, START32 "mov $0x20ff0, %esi; mov $100, %ecx;" OUTSB);
GUEST_CODE(back16, 16, START16 "mov $6, %si; mov $4, %cx;" OUTSW);
GUEST_CODE(back32, 32, START32 "mov $0x20006, %esi; mov $4, %ecx;" OUTSW);
GUEST_CODE(back64, 64, START32 "mov $0x20006, %esi; mov $4, %ecx;" OUTSW);
GUEST_CODE(ins16, 16, START16 "mov $0x800, %di; mov $8192, %cx;" INSB);
GUEST_CODE(ins32, 32, START32 "mov $0x20800, %edi; mov $8192, %ecx;" INSB);
GUEST_CODE(ins64, 64, START32 "mov $0x20800, %edi; mov $8192, %ecx;" INSB);

FIXTURE(string_io) {
	struct tvm vm;
	struct tvcpu vcpu;
};

FIXTURE_VARIANT(string_io) {
	enum tvm_mode mode;
	const uint8_t *outs, *outs_end, *back, *back_end, *ins, *ins_end;
};

#define CODE(bits)						\
	outs##bits, outs##bits##_end, back##bits, back##bits##_end, \
	ins##bits, ins##bits##_end

FIXTURE_VARIANT_ADD(string_io, real) { TVM_REAL, CODE(16) };
FIXTURE_VARIANT_ADD(string_io, protected) { TVM_PROTECTED, CODE(32) };
FIXTURE_VARIANT_ADD(string_io, paged32) { TVM_PAGED32, CODE(32) };
FIXTURE_VARIANT_ADD(string_io, pae) { TVM_PAE, CODE(32) };
FIXTURE_VARIANT_ADD(string_io, long) { TVM_LONG, CODE(64) };

FIXTURE_SETUP(string_io)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
}

FIXTURE_TEARDOWN(string_io)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

static uint8_t *io_data(struct kvm_run *run)
{
	return (uint8_t *)run + run->io.data_offset;
}

/* Collect what the guest writes to PORT, until its report; the number of bytes. */
static int collect(struct tvcpu *vcpu, uint8_t *out, size_t size)
{
	struct kvm_run *run = vcpu->run;
	size_t n = 0, part;

	for (;;) {
		if (tvcpu_run_to(vcpu, KVM_EXIT_IO) || run->io.direction != KVM_EXIT_IO_OUT)
			return -1;
		if (run->io.port == TVM_PORT)
			return n;
		part = (size_t)run->io.size * run->io.count;
		if (run->io.port != PORT || n + part > size)
			return -1;
		memcpy(out + n, io_data(run), part);
		n += part;
	}
}

TEST_F(string_io, output_arrives_in_order)
{
	uint8_t out[200];
	int i;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, variant->mode, variant->outs,
				 variant->outs_end));
	for (i = 0; i < 100; i++)
		self->vm.mem[BUF + 0xff0 + i] = 3 * i;
	ASSERT_EQ(100, collect(&self->vcpu, out, sizeof(out)));
	EXPECT_EQ(0, memcmp(out, self->vm.mem + BUF + 0xff0, 100));
}

TEST_F(string_io, output_goes_backwards_with_df)
{
	static const uint8_t expected[] = { 7, 8, 5, 6, 3, 4, 1, 2 };
	uint8_t out[16];
	int i;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, variant->mode, variant->back,
				 variant->back_end));
	for (i = 0; i < 8; i++)
		self->vm.mem[BUF + i] = i + 1;
	ASSERT_EQ(8, collect(&self->vcpu, out, sizeof(out)));
	EXPECT_EQ(0, memcmp(out, expected, 8));
}

TEST_F(string_io, input_fills_memory_and_nothing_beyond)
{
	struct kvm_run *run = self->vcpu.run;
	struct kvm_regs regs;
	uint8_t next = 0;
	unsigned int i;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, variant->mode, variant->ins,
				 variant->ins_end));
	memset(self->vm.mem + BUF, 0xee, 0x4000);
	for (;;) {
		ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_IO));
		if (run->io.port == TVM_PORT)
			break;
		ASSERT_EQ(PORT, run->io.port);
		ASSERT_EQ(KVM_EXIT_IO_IN, run->io.direction);
		ASSERT_GE(4096, run->io.count);
		for (i = 0; i < run->io.count; i++)
			io_data(run)[i] = next++ % 251;
	}
	for (i = 0; i < 8192; i++)
		ASSERT_EQ((uint8_t)i % 251, self->vm.mem[BUF + 0x800 + i]);
	EXPECT_EQ(0xee, self->vm.mem[BUF + 0x7ff]);
	EXPECT_EQ(0xee, self->vm.mem[BUF + 0x800 + 8192]);
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_REGS, &regs));
	EXPECT_EQ(0, regs.rcx);
	EXPECT_EQ((variant->mode == TVM_REAL ? 0 : BUF) + 0x800 + 8192, regs.rdi);
}

MVM_HARNESS_MAIN
