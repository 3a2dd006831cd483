// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events whose delivery an exit breaks off: the stack's page is gone when the
 * processor pushes the frame, so that a nested page fault comes in between. Each event
 * has to arrive once, with the right return address and error code, in every mode.
 * And page faults of the guest's own, with CR2 and their error code.
 */
#include <sys/mman.h>

#include "mvm_harness.h"
#include "mvm_util.h"

#define STACK_PAGE 0x8000
#define COUNTER	   0x900
#define EVENT_ROOM 8

/* Report; an event in the room behind; and at 64 the handler: count, show the top of the stack. */
GUEST_CODE(code16, 16,
	   "out %eax, $0xf1; nop; nop; nop; nop; nop; nop; nop; nop; hlt;"
	   ".org code16 + 64; incw 0x900; mov %sp, %bp; xor %eax, %eax; mov (%bp), %ax;"
	   "out %eax, $0xf1; iret");
GUEST_CODE(code32, 32,
	   "out %eax, $0xf1; nop; nop; nop; nop; nop; nop; nop; nop; hlt;"
	   ".org code32 + 64; incl 0x900; mov (%esp), %eax; out %eax, $0xf1; iret");
GUEST_CODE(code64, 64,
	   "out %eax, $0xf1; nop; nop; nop; nop; nop; nop; nop; nop; hlt;"
	   ".org code64 + 64; incl 0x900; mov (%rsp), %eax; out %eax, $0xf1; iretq");

FIXTURE(delivery) {
	struct tvm vm;
	struct tvcpu vcpu;
};

FIXTURE_VARIANT(delivery) {
	enum tvm_mode mode;
	const uint8_t *start, *end;
	uint32_t room; /* where the event's bytes go */
};

FIXTURE_VARIANT_ADD(delivery, real) { TVM_REAL, code16, code16_end, 3 };
FIXTURE_VARIANT_ADD(delivery, protected) { TVM_PROTECTED, code32, code32_end, 2 };
FIXTURE_VARIANT_ADD(delivery, pae) { TVM_PAE, code32, code32_end, 2 };
FIXTURE_VARIANT_ADD(delivery, long) { TVM_LONG, code64, code64_end, 2 };

FIXTURE_SETUP(delivery)
{
	struct kvm_regs regs;
	uint32_t value;

	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, variant->mode, variant->start, variant->end));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_REGS, &regs));
	regs.rsp = STACK_PAGE + 0x800;
	regs.rflags = 0x202;
	regs.rcx = 0;
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_SET_REGS, &regs));
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	ASSERT_EQ(0, madvise(self->vm.mem + STACK_PAGE, 0x1000, MADV_DONTNEED));
}

FIXTURE_TEARDOWN(delivery)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

#define PUT_EVENT(bytes)							\
	memcpy(self->vm.mem + TVM_CODE + variant->room, bytes, sizeof(bytes) - 1)

/* Where the room is, as the guest's instruction pointer has it. */
#define ROOM_IP (variant->room + (variant->mode == TVM_REAL ? 0 : TVM_CODE))

/* The event arrives once, and the handler finds this on top of its stack. */
#define EXPECT_DELIVERED(top) do {						\
	uint32_t value_;							\
										\
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value_));			\
	EXPECT_EQ((uint32_t)(top), value_);					\
	EXPECT_EQ(1, *(uint16_t *)(self->vm.mem + COUNTER));			\
} while (0)

static void gate(struct tvcpu *vcpu, enum tvm_mode mode, uint8_t vector)
{
	tvcpu_set_gate(vcpu, mode, vector, TVM_CODE + 64);
}

TEST_F(delivery, interrupt)
{
	struct kvm_interrupt irq = { .irq = 0x41 };

	gate(&self->vcpu, variant->mode, 0x41);
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_INTERRUPT, &irq));
	EXPECT_DELIVERED(ROOM_IP);
	/* It is over: the guest goes on to HLT, with the counter at one. */
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_HLT));
	EXPECT_EQ(1, *(uint16_t *)(self->vm.mem + COUNTER));
}

TEST_F(delivery, nmi)
{
	gate(&self->vcpu, variant->mode, 2);
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_NMI, NULL));
	EXPECT_DELIVERED(ROOM_IP);
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_HLT));
	EXPECT_EQ(1, *(uint16_t *)(self->vm.mem + COUNTER));
}

TEST_F(delivery, software_interrupt)
{
	gate(&self->vcpu, variant->mode, 0x42);
	PUT_EVENT("\xcd\x42");
	EXPECT_DELIVERED(ROOM_IP + 2);
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_HLT));
	EXPECT_EQ(1, *(uint16_t *)(self->vm.mem + COUNTER));
}

TEST_F(delivery, breakpoint)
{
	gate(&self->vcpu, variant->mode, 3);
	PUT_EVENT("\xcc");
	EXPECT_DELIVERED(ROOM_IP + 1);
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_HLT));
}

TEST_F(delivery, invalid_opcode)
{
	gate(&self->vcpu, variant->mode, 6);
	PUT_EVENT("\x0f\x0b");
	EXPECT_DELIVERED(ROOM_IP);
}

TEST_F(delivery, divide_error)
{
	gate(&self->vcpu, variant->mode, 0);
	PUT_EVENT("\xf7\xf1"); /* div %ecx */
	EXPECT_DELIVERED(ROOM_IP);
}

/* QEMU 7.2 takes the vector times 16 in long mode, where the manuals say 8. */
static uint32_t idt_error_code(enum tvm_mode mode, uint8_t vector)
{
	const char *bed = getenv("LAB_BED");
	bool qemu = bed && !strcmp(bed, "amd") && mode == TVM_LONG;

	return vector << (qemu ? 4 : 3) | 2;
}

TEST_F(delivery, general_protection_with_its_error_code)
{
	if (variant->mode == TVM_REAL)
		SKIP(return, "real mode pushes no error codes");
	gate(&self->vcpu, variant->mode, 13);
	PUT_EVENT("\xcd\x60"); /* int $0x60, whose gate is empty */
	EXPECT_DELIVERED(idt_error_code(variant->mode, 0x60));
}

/* ------------------------------------------------------- the guest's own #PF */

/* Reads or writes 512 GiB up, where its tables end; the handler shows error and CR2. */
GUEST_CODE(fault64, 64,
	   "movabs 0x8000000000, %al; hlt; .org fault64 + 32; movabs %al, 0x8000000000; hlt;"
	   ".org fault64 + 64; mov (%rsp), %eax; out %eax, $0xf1;"
	   "mov %cr2, %rax; shr $32, %rax; out %eax, $0xf1; hlt");

static const struct {
	const char *what;
	uint64_t at;
	uint32_t error;
} faults[] = {
	{ "read", 0, 0 },
	{ "write", 32, 2 },
};

TEST(the_guests_page_faults_have_cr2_and_error_code)
{
	struct tvcpu vcpu;
	struct tvm vm;
	size_t i;

	TVM_CREATE_OR_SKIP(&vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&vm, &vcpu, 0));
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct kvm_regs regs;
		uint32_t value;

		ASSERT_EQ(0, tvcpu_start(&vcpu, TVM_LONG, fault64, fault64_end));
		tvcpu_set_gate(&vcpu, TVM_LONG, 14, TVM_CODE + 64);
		ASSERT_EQ(0, tvm_ioctl(vcpu.fd, KVM_GET_REGS, &regs));
		regs.rip = TVM_CODE + faults[i].at;
		ASSERT_EQ(0, tvm_ioctl(vcpu.fd, KVM_SET_REGS, &regs));
		ASSERT_EQ(0, tvcpu_run_out(&vcpu, &value));
		EXPECT_EQ(faults[i].error, value) {
			TH_LOG("%s", faults[i].what);
		}
		ASSERT_EQ(0, tvcpu_run_out(&vcpu, &value));
		EXPECT_EQ(0x80, value);
		ASSERT_EQ(0, tvcpu_run_to(&vcpu, KVM_EXIT_HLT));
	}
	tvcpu_destroy(&vcpu);
	tvm_destroy(&vm);
}

MVM_HARNESS_MAIN
