// SPDX-License-Identifier: GPL-2.0-only
/*
 * What insn_native.c cannot execute: instructions that 64-bit mode does not have,
 * the stack of 16 and 32 bits, locked exchanges that are lost or impossible, the
 * conditions of vector instructions. The last test holds that every row of the
 * opcode tables that is for other modes has been executed here.
 */
#include "mvm_harness.h"
#include "insn/internal.h"
#include "insn_rows.h"
#include "insn_world.h"

#define DEV	0x80000		/* a page that is a device */
#define RAM	0x40000

FIXTURE(stack) {
	struct world *w;
};

FIXTURE_SETUP(stack)
{
	self->w = calloc(1, sizeof(*self->w));
	ASSERT_NE(NULL, self->w);
	world_init(self->w);
	self->w->kind[DEV >> 12] = PAGE_USER_MMIO;
	self->w->gpr[MVM_RSP] = DEV + 0x100;
}

FIXTURE_TEARDOWN(stack)
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

TEST_F(stack, sixteen_bit_stack_pointer_wraps_and_keeps_its_upper_half)
{
	self->w->seg[MVM_SEG_SS] = (struct mvm_emul_seg){
		.base = DEV, .limit = 0xffff, .type = 3, .usable = true,
	};
	GPR(RSP) = 0xabcd0002;
	GPR(RAX) = 0x1234;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_16, 0x50));		/* push ax */
	ASSERT_EQ(0xabcd0000, GPR(RSP));
	ASSERT_EQ(0x1234, get(self->w, DEV, 2));
	self->w->kind[(DEV + 0xf000) >> 12] = PAGE_USER_MMIO;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_16, 0x50));
	ASSERT_EQ(0xabcdfffe, GPR(RSP));
	ASSERT_EQ(0x1234, get(self->w, DEV + 0xfffe, 2));
}

TEST_F(stack, limit_of_the_stack_segment_is_ss)
{
	self->w->seg[MVM_SEG_SS].limit = DEV + 0x10;
	GPR(RBX) = DEV;
	ASSERT_EQ(MVM_EMUL_FAULT, RUN(MVM_INSN_32, 0xff, 0x33));	/* push [ebx] */
	ASSERT_EQ(12, self->w->e.fault.vector);
	ASSERT_TRUE(self->w->e.fault.has_error);
	ASSERT_EQ(0, self->w->nr_trace);
	ASSERT_EQ(DEV + 0x100, GPR(RSP));
}

TEST_F(stack, push_and_pop_by_operand_size)
{
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_32, 0x6a, 0xfe));		/* push -2 */
	ASSERT_EQ(DEV + 0xfc, GPR(RSP));
	ASSERT_EQ(0xfffffffe, get(self->w, DEV + 0xfc, 4));
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_32, 0x66, 0x68, 0x34, 0x12));
	ASSERT_EQ(DEV + 0xfa, GPR(RSP));
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0x66, 0x58));		/* pop ax */
	ASSERT_EQ(0x1234, GPR(RAX));
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_32, 0x5b));		/* pop ebx */
	ASSERT_EQ(0xfffffffe, GPR(RBX));
	ASSERT_EQ(DEV + 0x100, GPR(RSP));
}

TEST_F(stack, pusha_and_popa)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		if (i != MVM_RSP)
			self->w->gpr[i] = 0x11111111 * (i + 1);
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_32, 0x60));
	ASSERT_EQ(DEV + 0xe0, GPR(RSP));
	ASSERT_EQ(0x11111111, get(self->w, DEV + 0xfc, 4));
	ASSERT_EQ(DEV + 0x100, get(self->w, DEV + 0xec, 4));
	ASSERT_EQ(0x88888888, get(self->w, DEV + 0xe0, 4));
	for (i = 0; i < 8; i++)
		if (i != MVM_RSP)
			self->w->gpr[i] = 0;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_32, 0x61));
	for (i = 0; i < 8; i++)
		ASSERT_EQ(i == MVM_RSP ? DEV + 0x100 : 0x11111111 * (i + 1), self->w->gpr[i]);
}

TEST_F(stack, pusha_that_faults_writes_nothing)
{
	self->w->kind[(DEV >> 12) - 1] = PAGE_ABSENT;
	GPR(RSP) = DEV + 8;
	ASSERT_EQ(MVM_EMUL_FAULT, RUN(MVM_INSN_32, 0x60));
	ASSERT_EQ(14, self->w->e.fault.vector);
	ASSERT_EQ(DEV - 4, self->w->e.fault.cr2);
	ASSERT_EQ(0, self->w->nr_trace);
	ASSERT_EQ(DEV + 8, GPR(RSP));
}

TEST_F(stack, segment_registers_are_pushed_and_not_popped)
{
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_32, 0x06));
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_32, 0x0e));
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_32, 0x16));
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_32, 0x1e));
	ASSERT_EQ(8, get(self->w, DEV + 0xfc, 4));
	ASSERT_EQ(16, get(self->w, DEV + 0xf8, 4));
	ASSERT_EQ(24, get(self->w, DEV + 0xf4, 4));
	ASSERT_EQ(32, get(self->w, DEV + 0xf0, 4));
	ASSERT_EQ(MVM_EMUL_FAIL, RUN(MVM_INSN_32, 0x07));
	ASSERT_EQ(MVM_EMUL_FAIL, RUN(MVM_INSN_32, 0x17));
	ASSERT_EQ(MVM_EMUL_FAIL, RUN(MVM_INSN_32, 0x1f));
	ASSERT_EQ(DEV + 0xf0, GPR(RSP));
}

TEST_F(stack, opcode_82_is_80)
{
	static const u8 results[8] = { 0x16, 0x35 | 0xe1, 0, 0, 0, 0, 0, 0 };
	u8 bytes[3] = { 0x82, 0x03, 0xe1 };
	unsigned int i;

	GPR(RBX) = DEV;
	for (i = 0; i < 8; i++) {
		u64 flags = 2;
		u64 want = mvm_alu(MVM_OP_ADD + i, 0x35, 0xe1, 1, &flags);

		put(self->w, DEV, 0x35, 1);
		self->w->rflags = 2;
		bytes[1] = i << 3 | 3;
		ASSERT_EQ(MVM_EMUL_DONE, world_run(self->w, bytes, 3, MVM_INSN_32));
		ASSERT_EQ(i == 7 ? 0x35 : want, get(self->w, DEV, 1));
		ASSERT_EQ(flags, self->w->rflags);
		if (i < 2)
			ASSERT_EQ(results[i], get(self->w, DEV, 1));
	}
}

TEST_F(stack, near_branches_obey_the_limit_of_cs)
{
	self->w->seg[MVM_SEG_CS].limit = 0x2000;
	GPR(RBX) = DEV;
	put(self->w, DEV, 0x2000, 4);
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_32, 0xff, 0x13));		/* call [ebx] */
	ASSERT_TRUE(self->w->e.jumped);
	ASSERT_EQ(0x2000, self->w->e.target);
	ASSERT_EQ(0x1002, get(self->w, DEV + 0xfc, 4));
	put(self->w, DEV, 0x2001, 4);
	ASSERT_EQ(MVM_EMUL_FAULT, RUN(MVM_INSN_32, 0xff, 0x13));
	ASSERT_EQ(13, self->w->e.fault.vector);
	ASSERT_EQ(DEV + 0xfc, GPR(RSP));
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_32, 0xc2, 0x10, 0));	/* ret 16 */
	ASSERT_EQ(0x1002, self->w->e.target);
	ASSERT_EQ(DEV + 0x110, GPR(RSP));
	GPR(RBX) = DEV + 0x10;
	put(self->w, DEV + 0x10, 1ull << 47, 8);
	ASSERT_EQ(MVM_EMUL_FAULT, RUN(MVM_INSN_64, 0xff, 0x23));	/* jmp [rbx] */
	ASSERT_EQ(13, self->w->e.fault.vector);
	ASSERT_EQ(MVM_EMUL_FAIL, RUN(MVM_INSN_64, 0x66, 0xff, 0x23));
}

TEST_F(stack, sixteen_bit_targets_are_cut)
{
	GPR(RBX) = DEV;
	put(self->w, DEV, 0x12345678, 4);
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_32, 0x66, 0xff, 0x23));
	ASSERT_EQ(0x5678, self->w->e.target);
}

TEST_F(stack, flags_are_pushed_without_rf_and_never_from_vm86)
{
	self->w->rflags = 0x10ad7;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_32, 0x9c));
	ASSERT_EQ(0xad7, get(self->w, DEV + 0xfc, 4));
	self->w->rflags |= 1 << 17;
	ASSERT_EQ(MVM_EMUL_FAIL, RUN(MVM_INSN_REAL, 0x9c));
	ASSERT_EQ(MVM_EMUL_FAIL, RUN(MVM_INSN_32, 0x9d));
}

TEST_F(stack, frames)
{
	GPR(RBP) = 0x77;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_32, 0xc8, 0x10, 0, 1));
	ASSERT_EQ(DEV + 0xfc, GPR(RBP));
	ASSERT_EQ(DEV + 0xe8, GPR(RSP));
	ASSERT_EQ(DEV + 0xfc, get(self->w, DEV + 0xf8, 4));
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_32, 0xc9));
	ASSERT_EQ(0x77, GPR(RBP));
	ASSERT_EQ(DEV + 0x100, GPR(RSP));
	ASSERT_EQ(MVM_EMUL_FAIL, RUN(MVM_INSN_32, 0xc8, 0x10, 0, 2));
	ASSERT_EQ(MVM_EMUL_FAIL, RUN(MVM_INSN_32, 0x66, 0xc8, 0x10, 0, 0));
}

/* ------------------------------------------------------------------- atomicity */

TEST_F(stack, locked_writes_of_memory_are_one_exchange)
{
	GPR(RBX) = RAM;
	put(self->w, RAM, 41, 4);
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0xf0, 0xff, 0x03));	/* lock inc [rbx] */
	ASSERT_EQ(42, get(self->w, RAM, 4));
	ASSERT_EQ(1, self->w->nr_atomic);
	GPR(RCX) = 7;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0x87, 0x0b));		/* xchg [rbx], ecx */
	ASSERT_EQ(7, get(self->w, RAM, 4));
	ASSERT_EQ(42, GPR(RCX));
	ASSERT_EQ(2, self->w->nr_atomic);
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0xff, 0x03));
	ASSERT_EQ(2, self->w->nr_atomic);
}

TEST_F(stack, a_lost_race_changes_nothing)
{
	GPR(RBX) = RAM;
	GPR(RCX) = 7;
	put(self->w, RAM, 41, 4);
	self->w->race = true;
	ASSERT_EQ(MVM_EMUL_RETRY, RUN(MVM_INSN_64, 0xf0, 0x0f, 0xc1, 0x0b));	/* lock xadd */
	ASSERT_EQ(42, get(self->w, RAM, 4));
	ASSERT_EQ(7, GPR(RCX));
	ASSERT_EQ(2, self->w->rflags);
}

TEST_F(stack, what_no_exchange_can_do_is_left_to_the_cpu_at_first)
{
	GPR(RBX) = RAM + 62;		/* across a cache line */
	ASSERT_EQ(MVM_EMUL_RETRY, RUN(MVM_INSN_64, 0xf0, 0xff, 0x03));
	self->w->e.last_try = true;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0xf0, 0xff, 0x03));
	ASSERT_EQ(1, get(self->w, RAM + 62, 4));
	self->w->e.last_try = false;
	GPR(RBX) = RAM;
	ASSERT_EQ(MVM_EMUL_RETRY, RUN(MVM_INSN_64, 0xf0, 0x48, 0x0f, 0xc7, 0x0b));
}

TEST_F(stack, locked_writes_of_readonly_memory_go_to_userspace)
{
	self->w->kind[RAM >> 12] = PAGE_ROM;
	GPR(RBX) = RAM + 8;
	put(self->w, RAM + 8, 5, 4);
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0xf0, 0xff, 0x03));
	ASSERT_EQ(1, self->w->nr_trace);
	ASSERT_TRUE(self->w->trace[0].write);
	ASSERT_EQ(6, self->w->trace[0].data);
	ASSERT_EQ(5, get(self->w, RAM + 8, 4));
}

TEST_F(stack, cmpxchg16b_wants_16_bytes_aligned)
{
	GPR(RBX) = DEV + 8;
	ASSERT_EQ(MVM_EMUL_FAULT, RUN(MVM_INSN_64, 0x48, 0x0f, 0xc7, 0x0b));
	ASSERT_EQ(13, self->w->e.fault.vector);
	ASSERT_EQ(0, self->w->nr_trace);
}

/* --------------------------------------------------------------------- vectors */

TEST_F(stack, vector_instructions_ask_first)
{
	GPR(RBX) = DEV;
	self->w->vec_fault = 7;
	ASSERT_EQ(MVM_EMUL_FAULT, RUN(MVM_INSN_64, 0x0f, 0x10, 0x03));
	ASSERT_EQ(MVM_FILE_SSE, self->w->asked_file);
	ASSERT_EQ(7, self->w->e.fault.vector);
	ASSERT_FALSE(self->w->e.fault.has_error);
	ASSERT_EQ(MVM_EMUL_FAULT, RUN(MVM_INSN_32, 0xc5, 0xfc, 0x10, 0x03));
	ASSERT_EQ(MVM_FILE_AVX, self->w->asked_file);
	ASSERT_EQ(MVM_EMUL_FAULT, RUN(MVM_INSN_32, 0x0f, 0x6f, 0x03));
	ASSERT_EQ(MVM_FILE_MMX, self->w->asked_file);
	ASSERT_EQ(0, self->w->nr_trace);
}

TEST_F(stack, vectors_are_cut_into_eights_and_at_pages)
{
	static const u8 lens[] = { 3, 8, 8, 8, 5 };
	unsigned int i;

	self->w->kind[(DEV >> 12) + 1] = PAGE_USER_MMIO;
	GPR(RBX) = DEV + 0xffd;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0xc5, 0xfc, 0x11, 0x03));
	ASSERT_EQ(5, self->w->nr_trace);
	for (i = 0; i < 5; i++)
		ASSERT_EQ(lens[i], self->w->trace[i].len);
}

TEST_F(stack, tzcnt_and_lzcnt_of_an_old_processor)
{
	GPR(RBX) = DEV;
	put(self->w, DEV, 0x100, 4);
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0xf3, 0x0f, 0xbd, 0x03));
	ASSERT_EQ(23, GPR(RAX));
	self->w->e.has_lzcnt = false;
	self->w->e.has_tzcnt = false;
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0xf3, 0x0f, 0xbd, 0x03));
	ASSERT_EQ(8, GPR(RAX));
	GPR(RAX) = 99;
	put(self->w, DEV, 0, 4);
	ASSERT_EQ(MVM_EMUL_DONE, RUN(MVM_INSN_64, 0xf3, 0x0f, 0xbc, 0x03));
	ASSERT_EQ(99, GPR(RAX));
}

/* Every row that 64-bit mode does not have, and that can use memory, is above. */
TEST_F(stack, no_row_is_forgotten)
{
	static const u8 covered[] = {
		0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x60, 0x61, 0x82,
	};
	struct insn_forms *forms = calloc(1, sizeof(*forms));
	unsigned int i, n = 0;

	ASSERT_NE(NULL, forms);
	insn_all_forms(forms);
	for (i = 0; i < forms->nr; i++) {
		const struct insn_form *f = &forms->form[i];

		if (!(f->flags & F_I64) || f->row->op == MVM_OP_OTHER ||
		    f->row->op == MVM_OP_ARPL ||
		    !(insn_form_has_memory(f) || insn_form_has_stack(f)))
			continue;
		EXPECT_NE(NULL, memchr(covered, f->opcode, sizeof(covered))) {
			TH_LOG("%s", insn_form_name(f));
		}
		n++;
	}
	EXPECT_LE(sizeof(covered), n);
	free(forms);
}

MVM_HARNESS_MAIN
