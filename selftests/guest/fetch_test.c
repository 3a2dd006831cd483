// SPDX-License-Identifier: GPL-2.0-only
/*
 * Code that the processor has executed and that minivmm cannot fetch afterwards: the guest
 * moves the page under its feet, whose translation the processor still has, and the next
 * instruction exits without its bytes. What has no memory cannot be emulated; memory that
 * the launcher has taken away is EFAULT, and the instruction goes on when it is back.
 *
 * A processor that looks at the tables in between ends the same way, by a fault of the fetch.
 */
#include <sys/mman.h>

#include "mvm_harness.h"
#include "mvm_util.h"

#define PLACE	0x200000	/* the code's own large page */
#define ELSEWHERE 0x10000000	/* what the code finds there afterwards */
#define SIZE	0x200000
#define BUF	0x20000

/* An entry is replaced, and 16 bytes go to a port by one instruction. */
#define MOVES(entry, value)							\
	"mov $0x20000, %esi; mov $16, %ecx; mov $0xf1, %edx; cld;"		\
	"movl $" value ", " entry "; rep outsb; mov $7, %al; out %al, $0xf1; hlt"

/* The page directory's second entry, and the first one of the table above it. */
GUEST_CODE(moves_page, 64, MOVES("0x6008", "0x10000083"));
GUEST_CODE(moves_table, 64, MOVES("0x5000", "0x10000003"));

FIXTURE(fetch) {
	struct tvm vm;
	struct tvcpu vcpu;
	uint8_t *elsewhere;
};

FIXTURE_SETUP(fetch)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
	self->elsewhere = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);
	ASSERT_NE(MAP_FAILED, self->elsewhere);
}

FIXTURE_TEARDOWN(fetch)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
	munmap(self->elsewhere, SIZE);
}

static int prepare(struct tvcpu *vcpu, const uint8_t *code, const uint8_t *end)
{
	int ret = tvcpu_start(vcpu, TVM_LONG, code, end);
	struct kvm_regs regs;

	memset(vcpu->vm->mem + BUF, 0x5a, 16);
	memcpy(vcpu->vm->mem + PLACE, code, end - code);
	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	regs.rip = PLACE;
	return ret ? ret : tvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs);
}

static void expect_emulation_error(struct __test_metadata *_metadata, struct tvcpu *vcpu)
{
	struct kvm_regs regs;

	ASSERT_EQ(0, tvcpu_run_to(vcpu, KVM_EXIT_INTERNAL_ERROR));
	EXPECT_EQ(KVM_INTERNAL_ERROR_EMULATION, vcpu->run->internal.suberror);
	EXPECT_EQ(0, tvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs));
	EXPECT_EQ(16, regs.rcx);
}

TEST_F(fetch, from_where_no_memory_is)
{
	ASSERT_EQ(0, prepare(&self->vcpu, moves_page, moves_page_end));
	expect_emulation_error(_metadata, &self->vcpu);
}

TEST_F(fetch, through_tables_where_no_memory_is)
{
	if (tvm_is_kvm())
		SKIP(return, "KVM executes it again for ever, and a signal does not end that");
	ASSERT_EQ(0, prepare(&self->vcpu, moves_table, moves_table_end));
	expect_emulation_error(_metadata, &self->vcpu);
}

TEST_F(fetch, from_memory_that_was_taken_away_and_comes_back)
{
	struct kvm_run *run = self->vcpu.run;
	uint32_t value;
	char why[256];
	int i;

	if (tvm_is_kvm())
		SKIP(return, "KVM calls it an emulation error, too");
	memcpy(self->elsewhere, moves_page, moves_page_end - moves_page);
	ASSERT_EQ(0, tvm_set_slot(&self->vm, 1, 0, ELSEWHERE, SIZE, self->elsewhere));
	ASSERT_EQ(0, mprotect(self->elsewhere, SIZE, PROT_NONE));
	ASSERT_EQ(0, prepare(&self->vcpu, moves_page, moves_page_end));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(-EFAULT, tvcpu_run(&self->vcpu));
		tvm_reason(self->vcpu.fd, 0, why, sizeof(why));
		EXPECT_NE(NULL, strstr(why, "0x100000")) {
			TH_LOG("the reason: %s", why);
		}
	}
	ASSERT_EQ(0, mprotect(self->elsewhere, SIZE, PROT_READ | PROT_WRITE));
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_IO));
	EXPECT_EQ(16, run->io.count);
	EXPECT_EQ(0x5a, *((uint8_t *)run + run->io.data_offset + 15));
	EXPECT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(7, value & 0xff);
}

MVM_HARNESS_MAIN
