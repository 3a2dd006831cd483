// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator's own business, which insn_native.c cannot compare with a
 * processor: addresses and segment checks in each mode, faults, accesses that
 * are answered one at a time and happen once, string I/O in blocks.
 */
#include "mvm_harness.h"
#include "insn_world.h"

#define DEV	0x80000		/* a page that is a device */
#define RAM	0x40000

FIXTURE(emul) {
	struct world *w;
};

FIXTURE_SETUP(emul)
{
	self->w = calloc(1, sizeof(*self->w));
	ASSERT_NE(NULL, self->w);
	world_init(self->w);
	self->w->kind[DEV >> 12] = PAGE_USER_MMIO;
}

FIXTURE_TEARDOWN(emul)
{
	free(self->w);
}

#define RUN(mode, ...) ({ \
	static const u8 run_bytes[] = { __VA_ARGS__ }; \
	world_run(self->w, run_bytes, sizeof(run_bytes), mode); \
})

#define GPR(reg)	(self->w->gpr[MVM_##reg])

static u64 get(const struct world *w, gpa_t gpa, unsigned int len)
{
	u64 val = 0;

	memcpy(&val, w->mem + gpa, len);
	return val;
}

static void put(struct world *w, gpa_t gpa, u64 val, unsigned int len)
{
	memcpy(w->mem + gpa, &val, len);
}

/* ----------------------------------------------------------------- addresses */

TEST_F(emul, sib_address)
{
	GPR(RBX) = DEV;
	GPR(RCX) = 4;
	put(self->w, DEV + 4 * 8 - 16, 0x1122334455667788, 8);
	/* mov rax, [rbx + rcx * 8 - 16] */
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0x48, 0x8b, 0x44, 0xcb, 0xf0));
	ASSERT_EQ(0x1122334455667788, GPR(RAX));
	ASSERT_EQ(1, self->w->nr_trace);
	ASSERT_EQ(8, self->w->trace[0].len);
}

TEST_F(emul, rip_relative_counts_from_the_next_instruction)
{
	self->w->e.rip = DEV - 0x1000;
	put(self->w, DEV + 0x10, 0x99, 1);
	/* mov byte [rip + 0x1009], 0x55: 7 bytes, immediate included */
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0xc6, 0x05, 0x09, 0x10, 0, 0, 0x55));
	ASSERT_EQ(0x55, get(self->w, DEV + 0x10, 1));
}

TEST_F(emul, address_size_prefix_cuts_the_address)
{
	GPR(RBX) = 0xffffffff00000000 | DEV;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0x67, 0x88, 0x03));
	ASSERT_EQ(DEV, self->w->trace[0].gpa);
}

TEST_F(emul, sixteen_bit_address_wraps)
{
	self->w->e.protected = false;
	self->w->seg[MVM_SEG_DS] = (struct mvm_emul_seg){ .base = DEV, .limit = 0xffff };
	GPR(RBX) = 0xfff0;
	GPR(RSI) = 0x0030;
	/* mov [bx + si], al */
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_REAL, 0x88, 0x00));
	ASSERT_EQ(DEV + 0x20, self->w->trace[0].gpa);
}

TEST_F(emul, sixteen_bit_bp_uses_the_stack_segment)
{
	self->w->e.protected = false;
	self->w->seg[MVM_SEG_SS] = (struct mvm_emul_seg){ .base = DEV, .limit = 0xffff };
	GPR(RBP) = 8;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_REAL, 0x89, 0x46, 0x02));
	ASSERT_EQ(DEV + 10, self->w->trace[0].gpa);
	ASSERT_EQ(2, self->w->trace[0].len);
}

TEST_F(emul, moffs_has_the_address_size)
{
	put(self->w, DEV + 8, 0xabcd, 2);
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0xa0, 9, 0, 8, 0, 0, 0, 0, 0));
	ASSERT_EQ(0xab, GPR(RAX));
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_32, 0xa1, 8, 0, 8, 0));
	ASSERT_EQ(0xabcd, GPR(RAX));
	self->w->seg[MVM_SEG_ES].base = DEV;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_16, 0x26, 0xa2, 0x20, 0));
	ASSERT_EQ(0xcd, get(self->w, DEV + 0x20, 1));
}

TEST_F(emul, fs_and_gs_have_bases_in_64_bit_mode_and_ds_has_none)
{
	self->w->seg[MVM_SEG_FS].base = DEV;
	self->w->seg[MVM_SEG_DS].base = 0x123456;
	GPR(RBX) = 0x18;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0x64, 0x88, 0x03));
	ASSERT_EQ(DEV + 0x18, self->w->trace[0].gpa);
	GPR(RBX) = DEV;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0x3e, 0x88, 0x03));
	ASSERT_EQ(DEV, self->w->trace[1].gpa);
}

TEST_F(emul, high_byte_registers_without_rex_only)
{
	GPR(RBX) = DEV;
	GPR(RAX) = 0x1234;
	GPR(RSP) = 0x77;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0x88, 0x23));		/* mov [rbx], ah */
	ASSERT_EQ(0x12, get(self->w, DEV, 1));
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0x40, 0x88, 0x23));	/* mov [rbx], spl */
	ASSERT_EQ(0x77, get(self->w, DEV, 1));
	put(self->w, DEV, 0x99, 1);
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0x8a, 0x23));		/* mov ah, [rbx] */
	ASSERT_EQ(0x9934, GPR(RAX));
}

/* -------------------------------------------------------------------- faults */

#define ASSERT_FAULT(vec, err, res) do { \
	ASSERT_EQ(MVM_EMUL_FAULT, res); \
	ASSERT_EQ(vec, self->w->e.fault.vector); \
	ASSERT_EQ(err, self->w->e.fault.error); \
	ASSERT_EQ(0, self->w->nr_trace); \
} while (0)

TEST_F(emul, noncanonical_is_gp_or_ss)
{
	GPR(RBX) = 0x800000000000;
	GPR(RBP) = 0x800000000000;
	ASSERT_FAULT(13, 0, RUN(MVM_INSN_64, 0x88, 0x03));
	ASSERT_TRUE(self->w->e.fault.has_error);
	ASSERT_FAULT(12, 0, RUN(MVM_INSN_64, 0x88, 0x45, 0x00));
	/* The last byte counts too. */
	GPR(RBX) = 0x7ffffffffffd;
	ASSERT_FAULT(13, 0, RUN(MVM_INSN_64, 0x89, 0x03));
	self->w->e.la_bits = 57;
	GPR(RBX) = 0x800000000000 | DEV;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0x88, 0x03));
}

TEST_F(emul, segment_limit)
{
	self->w->seg[MVM_SEG_DS].base = DEV;
	self->w->seg[MVM_SEG_DS].limit = 0xff;
	GPR(RBX) = 0xfc;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_32, 0x89, 0x03));
	self->w->nr_trace = 0;
	GPR(RBX) = 0xfd;
	ASSERT_FAULT(13, 0, RUN(MVM_INSN_32, 0x89, 0x03));
}

TEST_F(emul, real_mode_has_limits_too)
{
	self->w->e.protected = false;
	self->w->seg[MVM_SEG_DS] = (struct mvm_emul_seg){ .base = DEV, .limit = 0xffff };
	GPR(RBX) = 0xffff;
	ASSERT_FAULT(13, 0, RUN(MVM_INSN_REAL, 0x89, 0x07));
}

TEST_F(emul, expand_down_segment)
{
	self->w->seg[MVM_SEG_DS] = (struct mvm_emul_seg){
		.limit = 0xfff, .type = 6, .usable = true, .db = false, .base = DEV - 0x1000,
	};
	GPR(RBX) = 0xfff;
	ASSERT_FAULT(13, 0, RUN(MVM_INSN_32, 0x88, 0x03));
	GPR(RBX) = 0xffff;
	ASSERT_FAULT(13, 0, RUN(MVM_INSN_32, 0x89, 0x03));
	GPR(RBX) = 0x1000;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_32, 0x88, 0x03));
}

TEST_F(emul, segment_types)
{
	GPR(RBX) = DEV;
	self->w->seg[MVM_SEG_DS].type = 1;	/* read-only data */
	ASSERT_FAULT(13, 0, RUN(MVM_INSN_32, 0x88, 0x03));
	/* A read that will be written back is refused as a write. */
	ASSERT_FAULT(13, 0, RUN(MVM_INSN_32, 0x00, 0x03));
	ASSERT_FAULT(13, 0, RUN(MVM_INSN_32, 0x2e, 0x88, 0x03));	/* writing code */
	self->w->seg[MVM_SEG_CS].type = 9;	/* execute-only code */
	ASSERT_FAULT(13, 0, RUN(MVM_INSN_32, 0x2e, 0x8a, 0x03));
	self->w->seg[MVM_SEG_DS].usable = false;
	ASSERT_FAULT(13, 0, RUN(MVM_INSN_32, 0x8a, 0x03));
	self->w->seg[MVM_SEG_SS].usable = false;
	ASSERT_FAULT(12, 0, RUN(MVM_INSN_32, 0x36, 0x8a, 0x03));
	/* The same in 64-bit mode means nothing. */
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0x88, 0x03));
}

TEST_F(emul, page_fault_says_write_for_read_modify_write)
{
	GPR(RBX) = RAM + 0x123;
	self->w->kind[RAM >> 12] = PAGE_ABSENT;
	ASSERT_FAULT(14, 2, RUN(MVM_INSN_64, 0xff, 0x03));
	ASSERT_EQ(RAM + 0x123, self->w->e.fault.cr2);
	ASSERT_FAULT(14, 0, RUN(MVM_INSN_64, 0x38, 0x03));
}

TEST_F(emul, fault_on_the_second_page_leaves_the_first_alone)
{
	GPR(RBX) = DEV + 0xffe;
	self->w->kind[(DEV >> 12) + 1] = PAGE_ABSENT;
	ASSERT_FAULT(14, 2, RUN(MVM_INSN_64, 0x89, 0x03));
	ASSERT_EQ(DEV + 0x1000, self->w->e.fault.cr2);
}

TEST_F(emul, alignment_check)
{
	self->w->e.align_check = true;
	GPR(RBX) = DEV + 2;
	ASSERT_FAULT(17, 0, RUN(MVM_INSN_64, 0x89, 0x03));
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0x66, 0x89, 0x03));
}

TEST_F(emul, lock_only_where_it_is_allowed)
{
	GPR(RBX) = DEV;
	ASSERT_FAULT(6, 0, RUN(MVM_INSN_64, 0xf0, 0x89, 0x03));
	ASSERT_FALSE(self->w->e.fault.has_error);
	ASSERT_FAULT(6, 0, RUN(MVM_INSN_64, 0xf0, 0x03, 0x03));
	ASSERT_FAULT(6, 0, RUN(MVM_INSN_64, 0xf0, 0x01, 0xc0));
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0xf0, 0x01, 0x03));
}

TEST_F(emul, what_it_does_not_know_fails)
{
	GPR(RBX) = DEV;
	ASSERT_EQ(MVM_EMUL_FAIL, RUN(MVM_INSN_64, 0xdb, 0x03));		/* fild [rbx] */
	ASSERT_EQ(MVM_EMUL_FAIL, RUN(MVM_INSN_64, 0x0f, 0x58, 0x03));	/* addps */
	ASSERT_EQ(MVM_EMUL_FAIL, RUN(MVM_INSN_64, 0x62, 0xf1, 0x7c, 0x48, 0x10, 0x03));
	ASSERT_EQ(MVM_EMUL_FAIL, RUN(MVM_INSN_64, 0x8e, 0x03));		/* mov es, [rbx] */
	ASSERT_EQ(MVM_EMUL_RETRY, RUN(MVM_INSN_64, 0x01, 0xc0));
	ASSERT_EQ(MVM_EMUL_RETRY, RUN(MVM_INSN_64, 0x90));
	ASSERT_EQ(0, self->w->nr_trace);
}

/* ---------------------------------------------------- each access happens once */

TEST_F(emul, read_modify_write_of_a_device_is_one_read_and_one_write)
{
	GPR(RBX) = DEV + 8;
	put(self->w, DEV + 8, 41, 4);
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0xff, 0x03));
	ASSERT_EQ(42, get(self->w, DEV + 8, 4));
	ASSERT_EQ(2, self->w->nr_trace);
	ASSERT_FALSE(self->w->trace[0].write);
	ASSERT_TRUE(self->w->trace[1].write);
	ASSERT_EQ(0, self->w->log.nr);
}

TEST_F(emul, memory_beside_a_device_is_modified_once)
{
	/* add dword across the border, two bytes in memory, two in the device */
	GPR(RBX) = DEV - 2;
	GPR(RAX) = 0x00010001;
	put(self->w, DEV - 2, 0x00050005, 4);
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0x01, 0x03));
	ASSERT_EQ(0x00060006, get(self->w, DEV - 2, 4));
	ASSERT_EQ(2, self->w->nr_trace);
	ASSERT_EQ(DEV, self->w->trace[0].gpa);
	ASSERT_EQ(2, self->w->trace[0].len);
}

TEST_F(emul, kernel_device_is_not_asked_again_after_userspace)
{
	self->w->kind[(DEV >> 12) + 1] = PAGE_KERNEL_MMIO;
	GPR(RSI) = DEV + 0x1000;
	GPR(RDI) = DEV;
	put(self->w, DEV + 0x1000, 0xfeed, 2);
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0x66, 0xa5));
	ASSERT_EQ(2, self->w->nr_trace);
	ASSERT_FALSE(self->w->trace[0].user);
	ASSERT_TRUE(self->w->trace[1].user);
	ASSERT_EQ(0xfeed, get(self->w, DEV, 2));
}

TEST_F(emul, readonly_memory_reads_as_memory_and_writes_as_device)
{
	self->w->kind[RAM >> 12] = PAGE_ROM;
	GPR(RBX) = RAM;
	put(self->w, RAM, 0x10, 1);
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0x80, 0x03, 0x01));
	ASSERT_EQ(1, self->w->nr_trace);
	ASSERT_TRUE(self->w->trace[0].write);
	ASSERT_EQ(0x11, self->w->trace[0].data);
	ASSERT_EQ(0x10, get(self->w, RAM, 1));
}

/* XADD of EAX, 5, and a device's register, 7: one read, one write, then the registers. */
static void xadd_to_device(struct world *w)
{
	static const u8 xadd[] = { 0x0f, 0xc1, 0x03 };

	w->gpr[MVM_RBX] = DEV;
	w->gpr[MVM_RAX] = 5;
	put(w, DEV, 7, 4);
	mvm_insn_decode(&w->insn, xadd, sizeof(xadd), MVM_INSN_64);
}

TEST_F(emul, registers_change_only_when_it_retires)
{
	xadd_to_device(self->w);
	ASSERT_EQ(MVM_EMUL_USER, mvm_emul_run(&self->w->e));
	world_answer(self->w);
	ASSERT_EQ(MVM_EMUL_USER, mvm_emul_run(&self->w->e));
	ASSERT_EQ(5, GPR(RAX));
	ASSERT_EQ(2, self->w->rflags);
	world_answer(self->w);
	ASSERT_EQ(MVM_EMUL_DONE, mvm_emul_run(&self->w->e));
	ASSERT_EQ(7, GPR(RAX));
	ASSERT_EQ(12, get(self->w, DEV, 4));
}

/* Takes one write at a time, for later. */
static struct mvm_emul_access posted;

static bool post(void *priv, gpa_t gpa, const void *buf, unsigned int len)
{
	if (posted.len)
		return false;
	posted = (struct mvm_emul_access){ .gpa = gpa, .len = len };
	memcpy(posted.data, buf, len);
	return true;
}

TEST_F(emul, a_posted_write_breaks_nothing_off)
{
	static const u8 movups[] = { 0x0f, 0x11, 0x03 };
	struct mvm_emul_ops ops = world_ops;
	unsigned int i;

	ops.post = post;
	posted.len = 0;
	self->w->e.ops = &ops;
	xadd_to_device(self->w);
	ASSERT_EQ(MVM_EMUL_USER, mvm_emul_run(&self->w->e));
	world_answer(self->w);
	ASSERT_EQ(MVM_EMUL_DONE, mvm_emul_run(&self->w->e));
	ASSERT_EQ(7, GPR(RAX));
	ASSERT_EQ(DEV, posted.gpa);
	ASSERT_EQ(4, posted.len);
	ASSERT_EQ(12, posted.data[0]);

	/* The second half finds the first one waiting, and comes after it. */
	posted.len = 0;
	for (i = 0; i < 16; i++)
		self->w->ymm[0][i] = 0x40 + i;
	mvm_insn_decode(&self->w->insn, movups, sizeof(movups), MVM_INSN_64);
	ASSERT_EQ(MVM_EMUL_USER, mvm_emul_run(&self->w->e));
	ASSERT_EQ(DEV, posted.gpa);
	ASSERT_EQ(8, posted.len);
	ASSERT_EQ(0x40, posted.data[0]);
	ASSERT_EQ(DEV + 8, self->w->log.access[1].gpa);
	posted.len = 0;
	world_answer(self->w);
	ASSERT_EQ(MVM_EMUL_DONE, mvm_emul_run(&self->w->e));
	ASSERT_EQ(0, posted.len);
	ASSERT_EQ(0x48, get(self->w, DEV + 8, 1));
}

TEST_F(emul, an_answer_to_another_question_is_not_taken)
{
	static const u8 load[] = { 0x8b, 0x03 };

	GPR(RBX) = DEV;
	put(self->w, DEV, 1, 4);
	put(self->w, DEV + 4, 2, 4);
	mvm_insn_decode(&self->w->insn, load, sizeof(load), MVM_INSN_64);
	ASSERT_EQ(MVM_EMUL_USER, mvm_emul_run(&self->w->e));
	world_answer(self->w);
	GPR(RBX) = DEV + 4;
	ASSERT_EQ(MVM_EMUL_USER, mvm_emul_run(&self->w->e));
	world_answer(self->w);
	ASSERT_EQ(MVM_EMUL_DONE, mvm_emul_run(&self->w->e));
	ASSERT_EQ(2, GPR(RAX));
}

/* ------------------------------------------------------------------- strings */

TEST_F(emul, rep_with_count_zero_does_nothing)
{
	GPR(RCX) = 0xffffffff00000000;
	GPR(RDI) = DEV;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0x67, 0xf3, 0xaa));
	ASSERT_EQ(0, self->w->nr_trace);
	ASSERT_EQ(DEV, GPR(RDI));
}

TEST_F(emul, rep_stops_between_iterations)
{
	GPR(RCX) = 10;
	GPR(RDI) = DEV;
	self->w->stop_after = 3;
	ASSERT_EQ(MVM_EMUL_AGAIN, RUN(MVM_INSN_64, 0xf3, 0xaa));
	ASSERT_EQ(7, GPR(RCX));
	ASSERT_EQ(DEV + 3, GPR(RDI));
	self->w->stop_after = 0;
	self->w->e.single_step = true;
	ASSERT_EQ(MVM_EMUL_AGAIN, RUN(MVM_INSN_64, 0xf3, 0xaa));
	ASSERT_EQ(6, GPR(RCX));
}

TEST_F(emul, rep_work_is_bounded)
{
	GPR(RCX) = 1000000;
	GPR(RDI) = RAM;
	self->w->kind[DEV >> 12] = PAGE_RAM;
	ASSERT_EQ(MVM_EMUL_AGAIN, RUN(MVM_INSN_64, 0xf3, 0xab));
	ASSERT_LT(GPR(RCX), 1000000);
	ASSERT_GE(GPR(RCX), 1000000 - 5000);
}

TEST_F(emul, fault_in_the_middle_keeps_what_is_done)
{
	GPR(RCX) = 8;
	GPR(RDI) = DEV + 0xffc;
	self->w->kind[(DEV >> 12) + 1] = PAGE_ABSENT;
	ASSERT_EQ(MVM_EMUL_FAULT, RUN(MVM_INSN_64, 0xf3, 0xaa));
	ASSERT_EQ(4, self->w->nr_trace);
	ASSERT_EQ(4, GPR(RCX));
	ASSERT_EQ(DEV + 0x1000, GPR(RDI));
	ASSERT_EQ(DEV + 0x1000, self->w->e.fault.cr2);
}

TEST_F(emul, sixteen_bit_string_registers_wrap_and_keep_their_upper_half)
{
	self->w->e.protected = false;
	self->w->seg[MVM_SEG_ES] = (struct mvm_emul_seg){ .base = DEV - 0xf000, .limit = 0xffff };
	self->w->kind[(DEV - 0xf000) >> 12] = PAGE_USER_MMIO;
	GPR(RCX) = 0xaaaa0002;
	GPR(RDI) = 0xbbbbffff;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_REAL, 0xf3, 0xaa));
	ASSERT_EQ(0xaaaa0000, GPR(RCX));
	ASSERT_EQ(0xbbbb0001, GPR(RDI));
	ASSERT_EQ(DEV + 0xfff, self->w->trace[0].gpa);
	ASSERT_EQ(DEV - 0xf000, self->w->trace[1].gpa);
}

TEST_F(emul, string_source_takes_the_override_and_the_destination_does_not)
{
	self->w->seg[MVM_SEG_FS].base = RAM;
	self->w->seg[MVM_SEG_ES].base = DEV;
	put(self->w, RAM + 0x10, 0x42, 1);
	GPR(RSI) = 0x10;
	GPR(RDI) = 0x20;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_32, 0x64, 0xa4));
	ASSERT_EQ(DEV + 0x20, self->w->trace[0].gpa);
	ASSERT_EQ(0x42, self->w->trace[0].data);
}

/* ---------------------------------------------------------------- string I/O */

TEST_F(emul, outs_gives_a_block_to_userspace)
{
	unsigned int i;

	for (i = 0; i < 100; i++)
		self->w->mem[RAM + i] = i;
	GPR(RCX) = 100;
	GPR(RSI) = RAM;
	GPR(RDX) = 0x3f8;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0xf3, 0x6e));
	ASSERT_EQ(1, self->w->nr_trace);
	ASSERT_EQ(100, self->w->trace[0].count);
	ASSERT_EQ(0x3f8, self->w->trace[0].gpa);
	ASSERT_EQ(100, self->w->nr_out);
	ASSERT_EQ(0, memcmp(self->w->out, self->w->mem + RAM, 100));
	ASSERT_EQ(0, GPR(RCX));
	ASSERT_EQ(RAM + 100, GPR(RSI));
}

TEST_F(emul, outs_backwards_keeps_the_order)
{
	self->w->rflags |= 0x400;
	put(self->w, RAM, 0x0004000300020001, 8);
	GPR(RCX) = 4;
	GPR(RSI) = RAM + 6;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0x66, 0xf3, 0x6f));
	ASSERT_EQ(8, self->w->nr_out);
	ASSERT_EQ(4, self->w->out[0]);
	ASSERT_EQ(1, self->w->out[6]);
	ASSERT_EQ(RAM - 2, GPR(RSI));
}

TEST_F(emul, outs_goes_page_by_page)
{
	GPR(RCX) = 3;
	GPR(RSI) = RAM + 0xff6;
	put(self->w, RAM + 0xff6, 0x1111111122222222, 8);
	put(self->w, RAM + 0xffe, 0x33333333, 4);
	/* outsd: two on the first page, the third across the border */
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0xf3, 0x6f));
	ASSERT_EQ(2, self->w->nr_trace);
	ASSERT_EQ(2, self->w->trace[0].count);
	ASSERT_EQ(1, self->w->trace[1].count);
	ASSERT_EQ(12, self->w->nr_out);
	ASSERT_EQ(0x33, self->w->out[11]);
}

TEST_F(emul, ins_takes_a_block_from_userspace)
{
	unsigned int i;

	GPR(RCX) = 300;
	GPR(RDI) = RAM + 0xf00;
	self->w->in = 1;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0xf3, 0x6c));
	ASSERT_EQ(2, self->w->nr_trace);
	ASSERT_EQ(256, self->w->trace[0].count);
	ASSERT_EQ(44, self->w->trace[1].count);
	for (i = 0; i < 300; i++)
		ASSERT_EQ((u8)(i + 1), self->w->mem[RAM + 0xf00 + i]);
	ASSERT_EQ(RAM + 0xf00 + 300, GPR(RDI));
	ASSERT_FALSE(self->w->log.pio.answered);
}

TEST_F(emul, ins_into_a_device)
{
	GPR(RCX) = 3;
	GPR(RDI) = DEV;
	self->w->in = 7;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0xf3, 0x6c));
	ASSERT_EQ(4, self->w->nr_trace);
	ASSERT_TRUE(self->w->trace[0].pio);
	ASSERT_EQ(3, self->w->trace[0].count);
	ASSERT_EQ(0x090807, get(self->w, DEV, 3));
}

TEST_F(emul, outs_from_a_device_reads_nothing_ahead)
{
	GPR(RCX) = 2;
	GPR(RSI) = DEV;
	put(self->w, DEV, 0xbbaa, 2);
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0xf3, 0x6e));
	ASSERT_EQ(4, self->w->nr_trace);
	ASSERT_FALSE(self->w->trace[0].pio);
	ASSERT_EQ(1, self->w->trace[1].count);
	ASSERT_EQ(0xaa, self->w->out[0]);
	ASSERT_EQ(0xbb, self->w->out[1]);
}

TEST_F(emul, port_of_a_kernel_device)
{
	self->w->kernel_port = true;
	GPR(RCX) = 3;
	GPR(RDI) = RAM;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0xf3, 0x6c));
	ASSERT_EQ(3, self->w->nr_trace);
	ASSERT_FALSE(self->w->trace[2].user);
	ASSERT_EQ(0x020100, get(self->w, RAM, 3));
	GPR(RSI) = RAM;
	GPR(RCX) = 3;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0xf3, 0x6e));
	ASSERT_EQ(3, self->w->nr_out);
}

TEST_F(emul, ins_faults_before_the_port_is_read)
{
	GPR(RCX) = 1;
	GPR(RDI) = RAM;
	self->w->kind[RAM >> 12] = PAGE_ABSENT;
	ASSERT_FAULT(14, 2, RUN(MVM_INSN_64, 0x6c));
}

TEST_F(emul, ins_needs_the_port_checked_by_the_cpu)
{
	self->w->e.io_checked = false;
	GPR(RDI) = RAM;
	ASSERT_EQ(MVM_EMUL_RETRY, RUN(MVM_INSN_64, 0x6c));
}

/* What KVM's userspace_io_test does: 2 becomes 1, 3 becomes 8192. */
static void change_count(struct world *w)
{
	if (w->gpr[MVM_RCX] == 2)
		w->gpr[MVM_RCX] = 1;
	else if (w->gpr[MVM_RCX] == 3)
		w->gpr[MVM_RCX] = 8192;
}

TEST_F(emul, userspace_changes_the_count_in_the_middle)
{
	self->w->on_pio = change_count;
	GPR(RCX) = 2;
	GPR(RDI) = RAM;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0xf3, 0x6c));
	ASSERT_EQ(0, GPR(RCX));
	ASSERT_EQ(RAM + 1, GPR(RDI));

	GPR(RCX) = 3;
	GPR(RDI) = RAM;
	while (RUN(MVM_INSN_64, 0xf3, 0x6c) == MVM_EMUL_AGAIN)
		;
	ASSERT_EQ(0, GPR(RCX));
	ASSERT_EQ(RAM + 8192, GPR(RDI));
}

MVM_HARNESS_MAIN
