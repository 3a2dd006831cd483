// SPDX-License-Identifier: GPL-2.0-only
/*
 * Task switches that fault, by "Task Switching" in the manuals: the checks and their
 * exceptions; a fault before the commit point leaves nothing behind, one after it is the
 * new task's.
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

/* ----------------------------------------------- faults before the commit point */

TEST_F(task, absent_tss)
{
	describe(&self->w, NEW_SEL, NEW, 0x67, TSS32, 0);
	EXPECT_EQ(0, refused(&self->w, 11, NEW_SEL));
	/* An external event says so. */
	self->w.t.source = MVM_TASK_GATE;
	self->w.t.external = true;
	EXPECT_EQ(0, refused(&self->w, 11, NEW_SEL | 1));
}

TEST_F(task, busy_tss)
{
	describe(&self->w, NEW_SEL, NEW, 0x67, 0x80 | TSS32 | BUSY, 0);
	EXPECT_EQ(0, refused(&self->w, 13, NEW_SEL));
}

TEST_F(task, return_to_an_available_tss)
{
	self->w.t.source = MVM_TASK_IRET;
	EXPECT_EQ(0, refused(&self->w, 10, NEW_SEL));
}

TEST_F(task, no_tss_at_all)
{
	static const u16 selectors[] = { 0, 3, DATA, CODE, LDT_SEL, 0x0c, GDT_LIMIT + 1, 0xfff8 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(selectors); i++) {
		self->w.t.selector = selectors[i];
		self->w.t.source = MVM_TASK_JMP;
		EXPECT_EQ(0, refused(&self->w, 13, selectors[i] & ~3)) {
			TH_LOG("selector %x", selectors[i]);
		}
		self->w.t.source = MVM_TASK_IRET;
		EXPECT_EQ(0, refused(&self->w, 10, selectors[i] & ~3)) {
			TH_LOG("selector %x", selectors[i]);
		}
	}
}

TEST_F(task, limits)
{
	describe(&self->w, NEW_SEL, NEW, 0x66, 0x80 | TSS32, 0);
	EXPECT_EQ(0, refused(&self->w, 10, NEW_SEL));
	describe(&self->w, NEW_SEL, NEW, 0x2a, 0x80 | TSS16, 0);
	EXPECT_EQ(0, refused(&self->w, 10, NEW_SEL));
	describe(&self->w, NEW_SEL, NEW, 0, 0x80 | TSS32, 8);
	self->w.t.old_limit = 0x66;
	EXPECT_EQ(0, refused(&self->w, 10, OLD_SEL));
	self->w.t.old_limit = 0x67;
	EXPECT_EQ(MVM_TASK_DONE, run(&self->w));
}

TEST_F(task, old_descriptor_beyond_the_table)
{
	self->w.t.seg[MVM_SEG_TR].selector = 0x1000;
	self->w.t.source = MVM_TASK_JMP;
	EXPECT_EQ(0, refused(&self->w, 10, 0x1000));
	/* A nested switch does not need it. */
	self->w.t.source = MVM_TASK_CALL;
	EXPECT_EQ(MVM_TASK_DONE, run(&self->w));
}

TEST_F(task, pages_are_asked_for_first)
{
	static const struct {
		u32 page;
		u8 kind;
		enum mvm_task_source source;
		u32 error, cr2;
	} rows[] = {
		{ GDT, MISSING, MVM_TASK_JMP, 0, GDT + NEW_SEL },
		{ GDT, READ_ONLY, MVM_TASK_JMP, 2, GDT + OLD_SEL + 5 },
		{ GDT, READ_ONLY, MVM_TASK_CALL, 2, GDT + NEW_SEL + 5 },
		{ OLD, MISSING, MVM_TASK_CALL, 2, OLD + 0x20 },
		{ OLD, READ_ONLY, MVM_TASK_JMP, 2, OLD + 0x20 },
		{ NEW, MISSING, MVM_TASK_JMP, 0, NEW },
		{ NEW, READ_ONLY, MVM_TASK_CALL, 2, NEW },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		self->w.page[rows[i].page / PAGE] = rows[i].kind;
		self->w.t.source = rows[i].source;
		EXPECT_EQ(0, refused(&self->w, 14, rows[i].error)) {
			TH_LOG("row %u", i);
		}
		EXPECT_EQ(rows[i].cr2, self->w.t.fault.cr2) {
			TH_LOG("row %u", i);
		}
		self->w.page[rows[i].page / PAGE] = PRESENT;
	}
	/* A jump writes nothing to the new TSS. */
	self->w.page[NEW / PAGE] = READ_ONLY;
	self->w.t.source = MVM_TASK_JMP;
	EXPECT_EQ(MVM_TASK_DONE, run(&self->w));
}

TEST_F(task, tss_across_two_pages)
{
	memmove(self->w.mem + NEW - 0x40, self->w.mem + NEW, 0x68);
	describe(&self->w, NEW_SEL, NEW - 0x40, 0x67, 0x80 | TSS32, 0);
	self->w.page[NEW / PAGE] = MISSING;
	EXPECT_EQ(0, refused(&self->w, 14, 0));
	EXPECT_EQ(NEW, self->w.t.fault.cr2);
	self->w.page[NEW / PAGE] = PRESENT;
	EXPECT_EQ(MVM_TASK_DONE, run(&self->w));
	EXPECT_EQ(LDT_SEL, self->w.t.seg[MVM_SEG_LDTR].selector);
}

TEST_F(task, tables_where_no_memory_is)
{
	self->w.t.gdt_base = MEM;
	EXPECT_EQ(MVM_TASK_FAIL, run(&self->w));
}

/* The address space is refused in between: the old task, but TR and both TSSs have changed. */
TEST_F(task, address_space_refused)
{
	self->w.bad_cr3 = true;
	ASSERT_EQ(MVM_TASK_FAULT, run(&self->w));
	EXPECT_EQ(13, self->w.t.fault.vector);
	EXPECT_EQ(0, self->w.t.fault.error);
	EXPECT_FALSE(self->w.t.committed);
	EXPECT_EQ(0x770, self->w.t.ip);
	EXPECT_EQ(NEW, mvm_desc_base(self->w.t.seg[MVM_SEG_TR].desc));
}

/* ------------------------------------------------- faults after the commit point */

static const struct spoilt_row {
	u32 field;
	u16 selector;
	u8 vector;
} spoilt_rows[] = {
	{ 0x60, DATA, 10 }, /* LDTR */
	{ 0x60, NEW_SEL, 10 },
	{ 0x60, 0x0c, 10 },
	{ 0x60, 0x1000, 10 },
	{ 0x4c, 0, 10 }, /* CS */
	{ 0x4c, DATA, 10 },
	{ 0x4c, UCODE & ~3, 10 },
	{ 0x4c, NEW_SEL, 10 },
	{ 0x4c, 0x1000, 10 },
	{ 0x50, 0, 10 }, /* SS */
	{ 0x50, CODE, 10 },
	{ 0x50, READONLY, 10 },
	{ 0x50, UDATA, 10 },
	{ 0x50, DATA | 3, 10 },
	{ 0x50, ABSENT, 12 },
	{ 0x54, DATA | 3, 10 }, /* DS */
	{ 0x54, EXEC, 10 },
	{ 0x54, OLD_SEL, 10 },
	{ 0x54, ABSENT, 11 },
	{ 0x48, 0x14, 10 }, /* ES, beyond the LDT */
	{ 0x58, ABSENT, 11 }, /* FS */
	{ 0x5c, 0x1000, 10 }, /* GS */
};

TEST_F(task, bad_segments_are_the_new_tasks)
{
	const struct spoilt_row *row;

	for (row = spoilt_rows; row < spoilt_rows + ARRAY_SIZE(spoilt_rows); row++) {
		new_tss32(&self->w);
		self->w.t.committed = false;
		put(&self->w, NEW + row->field, row->selector, 2);
		self->w.t.seg[MVM_SEG_TR].selector = OLD_SEL;
		EXPECT_EQ(0, spoilt(&self->w, row->vector, row->selector & ~3)) {
			TH_LOG("selector %x in field %x: vector %u", row->selector, row->field,
			       self->w.t.fault.vector);
		}
	}
}

TEST_F(task, absent_code)
{
	describe(&self->w, CODE, 0, 0xfffff, 0x1b, 0xc);
	EXPECT_EQ(0, spoilt(&self->w, 11, CODE));
	/* Its fault has a stack. */
	EXPECT_EQ(3, MVM_DESC_TYPE(self->w.t.seg[MVM_SEG_SS].desc));
}

TEST_F(task, absent_ldt)
{
	describe(&self->w, LDT_SEL, LDT, 0xf, 0x02, 0);
	EXPECT_EQ(0, spoilt(&self->w, 10, LDT_SEL));
}

TEST_F(task, no_ldt)
{
	put(&self->w, NEW + 0x60, 0, 2);
	put(&self->w, NEW + 0x54, 0x0c, 2);
	EXPECT_EQ(0, spoilt(&self->w, 10, 0x0c));
}

/* A processor can be entered with what is left: code of the right ring, the rest unusable. */
TEST_F(task, what_was_not_loaded_is_harmless)
{
	put(&self->w, NEW + 0x4c, UDATA, 2);
	put(&self->w, NEW + 0x50, UDATA, 2);
	EXPECT_EQ(0, spoilt(&self->w, 10, UDATA & ~3));
	EXPECT_EQ(3, self->w.t.cpl);
	EXPECT_EQ(UDATA, self->w.t.seg[MVM_SEG_CS].selector);
	EXPECT_EQ(0xfb, self->w.t.seg[MVM_SEG_CS].desc >> 40 & 0xff);
	EXPECT_EQ(UDATA, self->w.t.seg[MVM_SEG_SS].selector);
	EXPECT_EQ(3, MVM_DESC_DPL(self->w.t.seg[MVM_SEG_SS].desc));
	EXPECT_EQ(DATA, self->w.t.seg[MVM_SEG_DS].selector);
	EXPECT_EQ(0, self->w.t.seg[MVM_SEG_DS].desc);
}

MVM_HARNESS_MAIN
