// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses outside of memory, in each CPU mode: what userspace sees of them,
 * and what the guest sees of its answers.
 */
#include "mvm_harness.h"
#include "mvm_util.h"

#define MEM_SIZE	0x80000
#define DEV		0x90000		/* no memory there; real mode: segment 0x9000 */
#define BUF		0x20000		/* memory; real mode: segment 0x2000 */

/* Loads, stores and a read-modify-write of each width, then a report. */
#define ACCESSES(b)							\
	"movb 1(" b "), %al; movb %al, 2(" b ");"			\
	"movw 4(" b "), %ax; movw %ax, 6(" b ");"			\
	"movl 8(" b "), %eax; movl %eax, 12(" b ");"			\
	"addl $0x101, 16(" b "); movzbl 20(" b "), %eax;"		\
	"out %eax, $0xf1;"						\
	"lock orb $0x80, 24(" b "); xchg %ax, 28(" b "); out %ax, $0xf1; hlt"

GUEST_CODE(access16, 16, "mov $0x9000, %ax; mov %ax, %ds; xor %bx, %bx;" ACCESSES("%bx"));
GUEST_CODE(access32, 32, "mov $0x90000, %ebx;" ACCESSES("%ebx"));
GUEST_CODE(access64, 64, "mov $0x90000, %ebx;" ACCESSES("%rbx"));

/* Three words from memory to the device, and three from there to memory. */
GUEST_CODE(string16, 16,
	   "mov $0x2000, %ax; mov %ax, %ds; mov $0x9000, %ax; mov %ax, %es;"
	   "xor %si, %si; xor %di, %di; mov $3, %cx; cld; rep movsw;"
	   "mov $0x9000, %ax; mov %ax, %ds; mov $0x2000, %ax; mov %ax, %es;"
	   "mov $0x100, %si; mov $0x40, %di; mov $3, %cx; rep movsw; mov %cx, %ax;"
	   "out %ax, $0xf1; hlt");
#define STRING(b)							\
	"mov $0x20000, %esi; mov $0x90000, %edi; mov $3, %ecx; cld; rep movsw;" \
	"mov $0x90100, %esi; mov $0x20040, %edi; mov $3, %ecx; rep movsw;"	\
	"mov %cx, %ax; out %ax, $0xf1; hlt"
GUEST_CODE(string32, 32, STRING());
GUEST_CODE(string64, 64, STRING());

/* A load that userspace breaks off, and an x87 load, which nobody emulates. */
GUEST_CODE(load16, 16, "mov $0x9000, %ax; mov %ax, %ds; xor %bx, %bx;"
	   "movl (%bx), %eax; out %eax, $0xf1; fildl (%bx); hlt");
#define LOAD(b) "mov $0x90000, %ebx; movl (" b "), %eax; out %eax, $0xf1; fildl (" b "); hlt"
GUEST_CODE(load32, 32, LOAD("%ebx"));
GUEST_CODE(load64, 64, LOAD("%rbx"));

/* The same from a port. */
#define INPUT "mov $0x55, %eax; inl $0xf2, %eax; out %eax, $0xf1; hlt"
GUEST_CODE(input16, 16, INPUT);
GUEST_CODE(input32, 32, INPUT);
GUEST_CODE(input64, 64, INPUT);

GUEST_CODE(wide64, 64,
	   "mov $0x90ffd, %ebx; mov $0x0807060504030201, %rax;"
	   "mov %rax, (%rbx); mov 0x10(%rbx), %rax; mov %rax, 0x20300; hlt");

/* The second half of the store has no page; the handler reports error code and CR2. */
GUEST_CODE(fault64, 64,
	   "mov $0x1ffffe, %ebx; mov %eax, (%rbx); hlt;"
	   ".org fault64 + 64; pop %rax; out %eax, $0xf1; mov %cr2, %rax; out %eax, $0xf1; hlt");

/* A single step over a load from the device; the handler reports RIP and DR6. */
GUEST_CODE(step64, 64,
	   "mov $0x90000, %ebx; pushfq; orl $0x100, (%rsp); popfq;"
	   "mov (%rbx), %eax; .globl step64_next; step64_next: hlt;"
	   ".org step64 + 64; pop %rcx; mov %eax, %edx; mov %ecx, %eax; out %eax, $0xf1;"
	   "mov %dr6, %rax; out %eax, $0xf1; mov %edx, %eax; out %eax, $0xf1; hlt");
extern const uint8_t step64_next[];

/* Three bytes from a port to the device. */
GUEST_CODE(ins64, 64,
	   "mov $0x90000, %edi; mov $3, %ecx; mov $0xf2, %edx; cld; rep insb;"
	   "mov %ecx, %eax; out %eax, $0xf1; hlt");

/* A single step over a store to the device; the handler reports RIP. */
GUEST_CODE(step_store64, 64,
	   "mov $0x90000, %ebx; pushfq; orl $0x100, (%rsp); popfq;"
	   "mov %ebx, (%rbx); .globl step_store64_next; step_store64_next: hlt;"
	   ".org step_store64 + 64; pop %rax; out %eax, $0xf1; hlt");
extern const uint8_t step_store64_next[];

FIXTURE(mmio) {
	struct tvm vm;
	struct tvcpu vcpu;
};

FIXTURE_VARIANT(mmio) {
	enum tvm_mode mode;
	const uint8_t *access, *access_end, *string, *string_end, *load, *load_end;
	const uint8_t *input, *input_end;
};

#define CODE(bits)							\
	access##bits, access##bits##_end, string##bits, string##bits##_end, \
	load##bits, load##bits##_end, input##bits, input##bits##_end

FIXTURE_VARIANT_ADD(mmio, real) { TVM_REAL, CODE(16) };
FIXTURE_VARIANT_ADD(mmio, protected) { TVM_PROTECTED, CODE(32) };
FIXTURE_VARIANT_ADD(mmio, paged32) { TVM_PAGED32, CODE(32) };
FIXTURE_VARIANT_ADD(mmio, pae) { TVM_PAE, CODE(32) };
FIXTURE_VARIANT_ADD(mmio, long) { TVM_LONG, CODE(64) };

FIXTURE_SETUP(mmio)
{
	TVM_CREATE_OR_SKIP(&self->vm, MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
}

FIXTURE_TEARDOWN(mmio)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

/* The next exit is this access. @what is what was written, or what is answered. */
#define EXPECT_MMIO(at, bytes, writes, what) do {			\
	struct kvm_run *run_ = self->vcpu.run;				\
	uint64_t what_ = (what), seen_ = 0;				\
									\
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_MMIO));		\
	EXPECT_EQ(at, run_->mmio.phys_addr);				\
	ASSERT_EQ(bytes, run_->mmio.len);				\
	ASSERT_EQ(writes, run_->mmio.is_write);				\
	if (writes) {							\
		memcpy(&seen_, run_->mmio.data, run_->mmio.len);	\
		EXPECT_EQ(what_, seen_);				\
	} else {							\
		memcpy(run_->mmio.data, &what_, run_->mmio.len);	\
	}								\
} while (0)
#define EXPECT_READ(at, bytes, what)	EXPECT_MMIO(at, bytes, 0, what)
#define EXPECT_WRITE(at, bytes, what)	EXPECT_MMIO(at, bytes, 1, what)

TEST_F(mmio, each_access_is_one_exit)
{
	uint32_t value;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, variant->mode, variant->access,
				 variant->access_end));
	EXPECT_READ(DEV + 1, 1, 0xa5);
	EXPECT_WRITE(DEV + 2, 1, 0xa5);
	EXPECT_READ(DEV + 4, 2, 0xbeef);
	EXPECT_WRITE(DEV + 6, 2, 0xbeef);
	EXPECT_READ(DEV + 8, 4, 0x12345678);
	EXPECT_WRITE(DEV + 12, 4, 0x12345678);
	EXPECT_READ(DEV + 16, 4, 0x000000ff);
	EXPECT_WRITE(DEV + 16, 4, 0x00000200);
	EXPECT_READ(DEV + 20, 1, 0xee);
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0xee, value);
	EXPECT_READ(DEV + 24, 1, 0x01);
	EXPECT_WRITE(DEV + 24, 1, 0x81);
	EXPECT_READ(DEV + 28, 2, 0x7777);
	EXPECT_WRITE(DEV + 28, 2, 0x00ee);
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0x7777, value);
	EXPECT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_HLT));
}

TEST_F(mmio, strings_go_element_by_element)
{
	uint16_t *buf = (uint16_t *)(self->vm.mem + BUF);
	uint32_t value;
	int i;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, variant->mode, variant->string,
				 variant->string_end));
	for (i = 0; i < 3; i++)
		buf[i] = 0x1111 * (i + 1);
	for (i = 0; i < 3; i++)
		EXPECT_WRITE(DEV + 2 * i, 2, 0x1111 * (i + 1));
	for (i = 0; i < 3; i++)
		EXPECT_READ(DEV + 0x100 + 2 * i, 2, 0x2222 * (i + 1));
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0, value);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0x2222 * (i + 1), buf[0x20 + i]);
}

TEST_F(mmio, immediate_exit_finishes_the_instruction)
{
	struct kvm_regs before, after;
	struct kvm_run *run = self->vcpu.run;
	uint32_t value;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, variant->mode, variant->load,
				 variant->load_end));
	EXPECT_READ(DEV, 4, 0xcafe);
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_REGS, &before));
	run->immediate_exit = 1;
	EXPECT_EQ(-EINTR, tvm_ioctl(self->vcpu.fd, KVM_RUN, NULL));
	run->immediate_exit = 0;
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_REGS, &after));
	EXPECT_EQ(0xcafe, after.rax);
	EXPECT_GT(after.rip, before.rip);
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0xcafe, value);
}

TEST_F(mmio, what_cannot_be_emulated_is_an_internal_error_with_the_bytes)
{
	struct kvm_run *run = self->vcpu.run;
	uint32_t value;
	int op;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, variant->mode, variant->load,
				 variant->load_end));
	EXPECT_READ(DEV, 4, 1);
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_INTERNAL_ERROR));
	EXPECT_EQ(KVM_INTERNAL_ERROR_EMULATION, run->emulation_failure.suberror);
	ASSERT_LE(3, run->emulation_failure.ndata);
	ASSERT_TRUE(run->emulation_failure.flags &
		    KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES);
	ASSERT_LE(2, run->emulation_failure.insn_size);
	op = variant->mode == TVM_REAL ? run->emulation_failure.insn_bytes[0] == 0x66 : 0;
	EXPECT_EQ(0xdb, run->emulation_failure.insn_bytes[op]);
}

/* KVM finishes an instruction wherever the guest is by then. */
TEST_F(mmio, a_guest_put_elsewhere_has_nothing_to_finish)
{
	struct kvm_regs regs;

	if (tvm_is_kvm())
		MVM_SKIP("KVM does it otherwise");
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, variant->mode, variant->load,
				 variant->load_end));
	EXPECT_READ(DEV, 4, 0xcafe);
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_REGS, &regs));
	regs.rax = 0x55;
	self->vm.mem[TVM_CODE + 0x100] = 0xf4;
	regs.rip = variant->mode == TVM_REAL ? 0x100 : TVM_CODE + 0x100;
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_SET_REGS, &regs));
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_HLT));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_REGS, &regs));
	EXPECT_EQ(0x55, regs.rax);
}

/* Put where it is, or to the same offset in a segment @moved bytes further on. */
static int move_segment(struct tvm *vm, struct tvcpu *vcpu, uint64_t moved)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	int ret = tvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);

	ret = ret ?: tvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	if (moved)
		vm->mem[sregs.cs.base + regs.rip + moved] = 0xf4; /* HLT */
	sregs.cs.base += moved;
	sregs.cs.selector += moved / 16;
	return ret ?: tvm_ioctl(vcpu->fd, KVM_SET_SREGS, &sregs);
}

/* With the same RIP the segment tells; where its base does not count, nothing does. */
TEST_F(mmio, segments_written_back_abandon_nothing_but_another_base_does)
{
	const bool port[] = { false, true };
	const uint64_t moved[] = { 0, 0x1000 };
	struct kvm_regs regs;
	unsigned int i;

	if (tvm_is_kvm())
		MVM_SKIP("KVM does it otherwise");
	for (i = 0; i < 4; i++) {
		const bool in = port[i / 2], finishes = !moved[i % 2] || variant->mode == TVM_LONG;

		ASSERT_EQ(0, tvcpu_start(&self->vcpu, variant->mode,
					 in ? variant->input : variant->load,
					 in ? variant->input_end : variant->load_end));
		if (in) {
			ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_IO));
			memcpy((uint8_t *)self->vcpu.run + self->vcpu.run->io.data_offset,
			       "\xfe\xca\0", 4);
		} else {
			EXPECT_READ(DEV, 4, 0xcafe);
		}
		ASSERT_EQ(0, move_segment(&self->vm, &self->vcpu, moved[i % 2]));
		ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, finishes ? KVM_EXIT_IO : KVM_EXIT_HLT));
		ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_REGS, &regs));
		EXPECT_EQ(finishes, regs.rax == 0xcafe) {
			TH_LOG("%s, CS moved by %#lx: RAX %#llx", in ? "IN" : "load", moved[i % 2],
			       (long long)regs.rax);
		}
	}
}

FIXTURE(mmio_long) {
	struct tvm vm;
	struct tvcpu vcpu;
};

FIXTURE_SETUP(mmio_long)
{
	TVM_CREATE_OR_SKIP(&self->vm, MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
}

FIXTURE_TEARDOWN(mmio_long)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

TEST_F(mmio_long, eight_bytes_are_cut_at_a_page)
{
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, wide64, wide64_end));
	EXPECT_WRITE(DEV + 0xffd, 3, 0x030201);
	EXPECT_WRITE(DEV + 0x1000, 5, 0x0807060504);
	EXPECT_READ(DEV + 0x100d, 8, 0x1122334455667788);
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_HLT));
	EXPECT_EQ(0x1122334455667788, *(uint64_t *)(self->vm.mem + 0x20300));
}

TEST_F(mmio_long, page_fault_of_the_second_page_comes_before_the_access)
{
	uint32_t value;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, fault64, fault64_end));
	tvcpu_set_gate(&self->vcpu, TVM_LONG, 14, TVM_CODE + 64);
	((uint64_t *)(self->vm.mem + TVM_PD))[1] = 0;
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(2, value);
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0x200000, value);
}

TEST_F(mmio_long, single_step_traps_after_the_access)
{
	uint32_t value;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, step64, step64_end));
	tvcpu_set_gate(&self->vcpu, TVM_LONG, 1, TVM_CODE + 64);
	EXPECT_READ(DEV, 4, 0x1234);
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(TVM_CODE + (step64_next - step64), value);
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0x4000, value & 0x4000);
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0x1234, value);
}

TEST_F(mmio_long, single_step_traps_after_a_store)
{
	uint32_t value;

	if (tvm_is_kvm())
		MVM_SKIP("KVM forgets the trap over a store that leaves to userspace");
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, step_store64, step_store64_end));
	tvcpu_set_gate(&self->vcpu, TVM_LONG, 1, TVM_CODE + 64);
	EXPECT_WRITE(DEV, 4, DEV);
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(TVM_CODE + (step_store64_next - step_store64), value);
}

TEST_F(mmio_long, port_input_goes_to_the_device_in_order)
{
	struct kvm_run *run = self->vcpu.run;
	uint32_t value, i = 0, n;

	if (tvm_is_kvm())
		MVM_SKIP("KVM makes one access of the block");
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, ins64, ins64_end));
	/* As many elements at a time as the hypervisor likes. */
	while (i < 3) {
		ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_IO));
		ASSERT_EQ(0xf2, run->io.port);
		n = run->io.count;
		ASSERT_LE(i + n, 3);
		for (value = 0; value < n; value++)
			*((uint8_t *)run + run->io.data_offset + value) = 0x30 + i + value;
		for (; n; n--, i++)
			EXPECT_WRITE(DEV + i, 1, 0x30 + i);
	}
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0, value);
}

TEST_F(mmio_long, readonly_memory_is_read_as_memory_and_written_as_device)
{
	static uint8_t rom[0x10000] __attribute__((aligned(4096)));
	uint32_t value;

	memset(rom, 0x33, sizeof(rom));
	ASSERT_EQ(0, tvm_set_slot(&self->vm, 1, KVM_MEM_READONLY, DEV, sizeof(rom), rom));
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, access64, access64_end));
	EXPECT_WRITE(DEV + 2, 1, 0x33);
	EXPECT_WRITE(DEV + 6, 2, 0x3333);
	EXPECT_WRITE(DEV + 12, 4, 0x33333333);
	EXPECT_WRITE(DEV + 16, 4, 0x33333434);
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	/* Locked: nobody else writes there, either. */
	EXPECT_WRITE(DEV + 24, 1, 0xb3);
	EXPECT_WRITE(DEV + 28, 2, 0x0033);
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0x3333, value);
	EXPECT_EQ(0x33, rom[2]);
}

MVM_HARNESS_MAIN
