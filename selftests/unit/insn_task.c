// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware task switches that succeed, against the manuals' "Task Management": the
 * steps, and what each source of a switch does to busy bits, NT and the back link.
 */
#include "mvm_harness.h"
#include "insn_task_world.h"

FIXTURE(task) {
	struct world w;
};

FIXTURE_SETUP(task)
{
	world_start(&self->w);
}

FIXTURE_TEARDOWN(task)
{
}

/* ----------------------------------------------------------- what each source does */

TEST_F(task, call_links_the_tasks)
{
	ASSERT_EQ(MVM_TASK_DONE, run(&self->w));
	EXPECT_EQ(OLD_SEL, get(&self->w, NEW, 2));
	EXPECT_EQ(TSS32 | BUSY, type_of(&self->w, OLD_SEL));
	EXPECT_EQ(TSS32 | BUSY, type_of(&self->w, NEW_SEL));
	EXPECT_EQ(NT | 0x46, get(&self->w, OLD + 0x24, 4));
	EXPECT_EQ(NT | 0x202, self->w.rflags);
	EXPECT_TRUE(self->w.t.committed);
	EXPECT_FALSE(self->w.t.trap);
}

TEST_F(task, jmp_leaves_no_link)
{
	self->w.t.source = MVM_TASK_JMP;
	put(&self->w, NEW, 0xbeef, 2);
	ASSERT_EQ(MVM_TASK_DONE, run(&self->w));
	EXPECT_EQ(0xbeef, get(&self->w, NEW, 2));
	EXPECT_EQ(TSS32, type_of(&self->w, OLD_SEL));
	EXPECT_EQ(TSS32 | BUSY, type_of(&self->w, NEW_SEL));
	EXPECT_EQ(NT | 0x46, get(&self->w, OLD + 0x24, 4));
	EXPECT_EQ(0x202, self->w.rflags);
}

TEST_F(task, iret_goes_back)
{
	self->w.t.source = MVM_TASK_IRET;
	describe(&self->w, NEW_SEL, NEW, 0x67, 0x80 | TSS32 | BUSY, 0);
	put(&self->w, NEW, 0xbeef, 2);
	ASSERT_EQ(MVM_TASK_DONE, run(&self->w));
	EXPECT_EQ(0xbeef, get(&self->w, NEW, 2));
	EXPECT_EQ(TSS32, type_of(&self->w, OLD_SEL));
	EXPECT_EQ(TSS32 | BUSY, type_of(&self->w, NEW_SEL));
	EXPECT_EQ(0x46, get(&self->w, OLD + 0x24, 4));
	EXPECT_EQ(0x202, self->w.rflags);
}

TEST_F(task, gate_is_a_call)
{
	self->w.t.source = MVM_TASK_GATE;
	ASSERT_EQ(MVM_TASK_DONE, run(&self->w));
	EXPECT_EQ(OLD_SEL, get(&self->w, NEW, 2));
	EXPECT_EQ(TSS32 | BUSY, type_of(&self->w, OLD_SEL));
	EXPECT_EQ(NT | 0x202, self->w.rflags);
	EXPECT_EQ(STACK, self->w.gpr[MVM_RSP]);
}

TEST_F(task, old_task_is_stored)
{
	unsigned int i;

	memset(self->w.mem + OLD, 0xee, 0x68);
	ASSERT_EQ(MVM_TASK_DONE, run(&self->w));
	EXPECT_EQ(0x777, get(&self->w, OLD + 0x20, 4));
	for (i = 0; i < 8; i++)
		EXPECT_EQ(0x11111111U * (i + 1), get(&self->w, OLD + 0x28 + 4 * i, 4));
	for (i = 0; i < 6; i++)
		EXPECT_EQ(0xeeee0000 | (0x100 + 8 * i), get(&self->w, OLD + 0x48 + 4 * i, 4));
	/* Static fields: the processor reads them only. */
	EXPECT_EQ(0xeeeeeeee, get(&self->w, OLD + 0x1c, 4));
	EXPECT_EQ(0xeeeeeeee, get(&self->w, OLD + 0x60, 4));
	EXPECT_EQ(0xeeeeeeee, get(&self->w, OLD, 4));
}

TEST_F(task, new_task_is_loaded)
{
	unsigned int i;

	ASSERT_EQ(MVM_TASK_DONE, run(&self->w));
	EXPECT_EQ(0x12345000, self->w.cr3);
	EXPECT_EQ(0x1000, self->w.t.ip);
	for (i = 0; i < 8; i++)
		EXPECT_EQ(i == MVM_RSP ? STACK : 0xa0b0c0d0 + i, self->w.gpr[i]);
	EXPECT_EQ(0x9999999999999999ULL, self->w.gpr[MVM_R8]);
	EXPECT_EQ(CODE, self->w.t.seg[MVM_SEG_CS].selector);
	EXPECT_EQ(0xffffffff, mvm_desc_limit(self->w.t.seg[MVM_SEG_CS].desc));
	EXPECT_EQ(0, self->w.t.seg[MVM_SEG_FS].desc);
	EXPECT_EQ(UDATA, self->w.t.seg[MVM_SEG_GS].selector);
	EXPECT_EQ(3, MVM_DESC_DPL(self->w.t.seg[MVM_SEG_GS].desc));
	EXPECT_EQ(LDT, mvm_desc_base(self->w.t.seg[MVM_SEG_LDTR].desc));
	EXPECT_EQ(NEW, mvm_desc_base(self->w.t.seg[MVM_SEG_TR].desc));
	EXPECT_EQ(TSS32 | BUSY, MVM_DESC_TYPE(self->w.t.seg[MVM_SEG_TR].desc));
	EXPECT_EQ(0, self->w.t.cpl);
}

TEST_F(task, without_paging_cr3_stays)
{
	self->w.t.paging = false;
	self->w.bad_cr3 = true;
	ASSERT_EQ(MVM_TASK_DONE, run(&self->w));
	EXPECT_EQ(0, self->w.cr3);
}

TEST_F(task, only_flags_that_exist)
{
	self->w.t.source = MVM_TASK_JMP;
	put(&self->w, NEW + 0x24, ~VM, 4);
	ASSERT_EQ(MVM_TASK_DONE, run(&self->w));
	EXPECT_EQ(0x3d7fd7, self->w.rflags);
}

TEST_F(task, trap_bit)
{
	put(&self->w, NEW + 0x64, 1, 2);
	ASSERT_EQ(MVM_TASK_DONE, run(&self->w));
	EXPECT_TRUE(self->w.t.trap);
}

TEST_F(task, task_of_sixteen_bits)
{
	new_tss16(&self->w);
	ASSERT_EQ(MVM_TASK_DONE, run(&self->w));
	EXPECT_EQ(0, self->w.cr3);
	EXPECT_EQ(0x1234, self->w.t.ip);
	EXPECT_EQ(NT | 0x202, self->w.rflags);
	EXPECT_EQ(0xc0d1, self->w.gpr[MVM_RCX] & 0xffff);
	EXPECT_EQ(DATA, self->w.t.seg[MVM_SEG_DS].selector);
	EXPECT_EQ(0, self->w.t.seg[MVM_SEG_GS].selector);
	EXPECT_EQ(TSS16 | BUSY, type_of(&self->w, NEW_SEL));
	EXPECT_FALSE(self->w.t.trap);
}

TEST_F(task, from_a_task_of_sixteen_bits)
{
	unsigned int i;

	self->w.t.old_type = TSS16 | BUSY;
	self->w.t.old_limit = 0x2b;
	memset(self->w.mem + OLD, 0xee, 0x68);
	ASSERT_EQ(MVM_TASK_DONE, run(&self->w));
	EXPECT_EQ(0x777, get(&self->w, OLD + 0x0e, 2));
	EXPECT_EQ(NT | 0x46, get(&self->w, OLD + 0x10, 2));
	for (i = 0; i < 8; i++)
		EXPECT_EQ(0x1111 * (i + 1), get(&self->w, OLD + 0x12 + 2 * i, 2));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0x100 + 8 * i, get(&self->w, OLD + 0x22 + 2 * i, 2));
	EXPECT_EQ(0xeeeeeeee, get(&self->w, OLD + 0x2a, 4));
}

TEST_F(task, vm86_has_no_descriptors)
{
	int i;

	put(&self->w, NEW + 0x24, VM | 0x3002, 4);
	for (i = 0; i < 6; i++)
		put(&self->w, NEW + 0x48 + 4 * i, 0xf000 + i, 2);
	ASSERT_EQ(MVM_TASK_DONE, run(&self->w));
	EXPECT_EQ(3, self->w.t.cpl);
	for (i = MVM_SEG_ES; i <= MVM_SEG_GS; i++) {
		EXPECT_EQ(0xf0000 + 16 * i, mvm_desc_base(self->w.t.seg[i].desc));
		EXPECT_EQ(0xffff, mvm_desc_limit(self->w.t.seg[i].desc));
		EXPECT_EQ(0xf3, self->w.t.seg[i].desc >> 40 & 0xff);
	}
}

TEST_F(task, segments_are_marked_accessed)
{
	put(&self->w, NEW + 0x54, DATA16, 2);
	ASSERT_EQ(MVM_TASK_DONE, run(&self->w));
	EXPECT_EQ(3, type_of(&self->w, DATA16));
	EXPECT_EQ(3, MVM_DESC_TYPE(self->w.t.seg[MVM_SEG_DS].desc));
}

TEST_F(task, segments_of_the_new_ldt)
{
	put(&self->w, NEW + 0x54, 0x0c, 2);
	ASSERT_EQ(MVM_TASK_DONE, run(&self->w));
	EXPECT_EQ(3, MVM_DESC_TYPE(self->w.t.seg[MVM_SEG_DS].desc));
}

TEST_F(task, conforming_code_in_an_outer_ring)
{
	put(&self->w, NEW + 0x4c, CONF | 3, 2);
	put(&self->w, NEW + 0x50, UDATA, 2);
	put(&self->w, NEW + 0x48, 0, 2);
	put(&self->w, NEW + 0x54, CONF, 2);
	ASSERT_EQ(MVM_TASK_DONE, run(&self->w));
	EXPECT_EQ(3, self->w.t.cpl);
}

/* ------------------------------------------------------------------ error codes */

TEST_F(task, error_code_on_the_new_stack)
{
	self->w.t.source = MVM_TASK_GATE;
	self->w.t.has_error = true;
	self->w.t.error = 0xabcd1234;
	ASSERT_EQ(MVM_TASK_DONE, run(&self->w));
	EXPECT_EQ(STACK - 4, self->w.gpr[MVM_RSP]);
	EXPECT_EQ(0xabcd1234, get(&self->w, STACK - 4, 4));
}

TEST_F(task, error_code_of_sixteen_bits)
{
	new_tss16(&self->w);
	put(&self->w, STACK - 4, 0, 4);
	self->w.t.has_error = true;
	self->w.t.error = 0xabcd1234;
	ASSERT_EQ(MVM_TASK_DONE, run(&self->w));
	EXPECT_EQ(STACK - 2, self->w.gpr[MVM_RSP] & 0xffff);
	EXPECT_EQ(0x12340000, get(&self->w, STACK - 4, 4));
}

TEST_F(task, small_stacks_wrap_and_keep_the_upper_half)
{
	put(&self->w, NEW + 0x50, DATA16, 2);
	put(&self->w, NEW + 0x38, 0xabcd8002, 4);
	self->w.t.has_error = true;
	ASSERT_EQ(MVM_TASK_DONE, run(&self->w));
	EXPECT_EQ(0xabcd7ffe, self->w.gpr[MVM_RSP]);
}

TEST_F(task, no_room_for_the_error_code)
{
	self->w.t.has_error = true;
	self->w.t.external = true;
	describe(&self->w, DATA16, 0, 0x0fff, 0x93, 4);
	put(&self->w, NEW + 0x50, DATA16, 2);
	EXPECT_EQ(0, spoilt(&self->w, 12, 1));
	EXPECT_EQ(STACK, self->w.gpr[MVM_RSP]);
}

TEST_F(task, expand_down_stack)
{
	self->w.t.has_error = true;
	describe(&self->w, DATA16, 0, STACK - 5, 0x97, 4);
	put(&self->w, NEW + 0x50, DATA16, 2);
	ASSERT_EQ(MVM_TASK_DONE, run(&self->w));
	describe(&self->w, NEW_SEL, NEW, 0x67, 0x80 | TSS32, 0);
	describe(&self->w, DATA16, 0, STACK - 4, 0x97, 4);
	self->w.t.committed = false;
	self->w.t.seg[MVM_SEG_TR].selector = OLD_SEL;
	EXPECT_EQ(0, spoilt(&self->w, 12, 0));
}

TEST_F(task, page_fault_of_the_error_code_is_the_new_tasks)
{
	self->w.t.has_error = true;
	self->w.page[STACK / PAGE - 1] = MISSING;
	EXPECT_EQ(0, spoilt(&self->w, 14, 2));
	EXPECT_EQ(STACK - 4, self->w.t.fault.cr2);
}

MVM_HARNESS_MAIN
