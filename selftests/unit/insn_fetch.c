// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where an instruction's bytes come from: those that came with the exit, as far as they
 * make an instruction; else memory, a page at a time. The lab's processors hand none
 * over, so this is where that path runs.
 */
#include "mvm_harness.h"
#include "insn/fetch.h"

#define AT	0x1ffd		/* three bytes before the end of a page */
#define PAGE	0x1000
#define MIDDLE	0x1100		/* of a page */

struct world {
	struct mvm_insn_source src;
	struct mvm_insn_read in;
	u8 mem[3 * PAGE];
	unsigned int reads;
	gva_t missing;		/* page that faults; 0 = none */
	int error;		/* what every read says; 0 = nothing */
};

FIXTURE(fetch) {
	struct world w;
};

static int world_read(void *priv, gva_t la, void *buf, unsigned int len,
		      struct mvm_fault *fault)
{
	struct world *w = priv;

	w->reads++;
	if (w->error || la + len > sizeof(w->mem))
		return w->error ? w->error : -EFAULT;
	if (w->missing && la / PAGE == w->missing / PAGE) {
		*fault = (struct mvm_fault){ .vector = 14, .has_error = true, .cr2 = la };
		return 1;
	}
	memcpy(buf, w->mem + la, len);
	return 0;
}

FIXTURE_SETUP(fetch)
{
	memset(&self->w, 0, sizeof(self->w));
	self->w.src = (struct mvm_insn_source){
		.read = world_read, .priv = &self->w, .la = AT, .limit = MVM_INSN_MAX,
		.mode = MVM_INSN_64,
	};
}

FIXTURE_TEARDOWN(fetch)
{
}

static const u8 mov_store[] = { 0x89, 0x05, 0x10, 0x20, 0x30, 0x00 }; /* mov %eax, disp(%rip) */
static const u8 mov_load[] = { 0x8b, 0x00 }; /* mov (%rax), %eax */

static void in_memory(struct world *w, const u8 *bytes, unsigned int n)
{
	memcpy(w->mem + w->src.la, bytes, n);
}

static void with_the_exit(struct world *w, const u8 *bytes, unsigned int n)
{
	w->src.given = bytes;
	w->src.nr_given = n;
}

TEST_F(fetch, what_came_with_the_exit_is_taken)
{
	in_memory(&self->w, mov_load, sizeof(mov_load));
	with_the_exit(&self->w, mov_store, sizeof(mov_store));
	ASSERT_EQ(0, mvm_insn_read(&self->w.src, &self->w.in));
	EXPECT_EQ(MVM_INSN_OK, self->w.in.status);
	EXPECT_EQ(6, self->w.in.insn.len);
	EXPECT_EQ(0, self->w.reads);
	EXPECT_EQ(6, self->w.in.n);
	EXPECT_EQ(0, memcmp(self->w.in.bytes, mov_store, 6));
}

TEST_F(fetch, bytes_behind_the_instruction_do_not_matter)
{
	u8 bytes[MVM_INSN_MAX + 1];

	memset(bytes, 0xff, sizeof(bytes));
	memcpy(bytes, mov_load, sizeof(mov_load));
	with_the_exit(&self->w, bytes, sizeof(bytes)); /* more than there can be */
	ASSERT_EQ(0, mvm_insn_read(&self->w.src, &self->w.in));
	EXPECT_EQ(MVM_INSN_OK, self->w.in.status);
	EXPECT_EQ(2, self->w.in.insn.len);
	EXPECT_EQ(0, self->w.reads);
	EXPECT_EQ(MVM_INSN_MAX, self->w.in.n);
}

TEST_F(fetch, without_any_memory_is_read)
{
	in_memory(&self->w, mov_load, sizeof(mov_load));
	ASSERT_EQ(0, mvm_insn_read(&self->w.src, &self->w.in));
	EXPECT_EQ(MVM_INSN_OK, self->w.in.status);
	EXPECT_EQ(2, self->w.in.insn.len);
	EXPECT_EQ(1, self->w.reads);
}

/* Every length that is too short: all of the instruction comes from memory then. */
TEST_F(fetch, a_beginning_is_not_enough)
{
	unsigned int n;

	in_memory(&self->w, mov_store, sizeof(mov_store));
	for (n = 1; n < sizeof(mov_store); n++) {
		self->w.reads = 0;
		with_the_exit(&self->w, mov_store, n);
		ASSERT_EQ(0, mvm_insn_read(&self->w.src, &self->w.in));
		EXPECT_EQ(MVM_INSN_OK, self->w.in.status);
		EXPECT_EQ(6, self->w.in.insn.len);
		EXPECT_EQ(2, self->w.reads);
	}
}

TEST_F(fetch, nonsense_with_the_exit_is_no_verdict)
{
	static const u8 undefined[] = { 0x06 }; /* PUSH ES */

	in_memory(&self->w, mov_load, sizeof(mov_load));
	with_the_exit(&self->w, undefined, sizeof(undefined));
	ASSERT_EQ(0, mvm_insn_read(&self->w.src, &self->w.in));
	EXPECT_EQ(MVM_INSN_OK, self->w.in.status);
	EXPECT_EQ(1, self->w.reads);
}

TEST_F(fetch, the_second_page_is_read_when_it_is_needed)
{
	self->w.missing = AT + 3;
	in_memory(&self->w, mov_load, sizeof(mov_load));
	ASSERT_EQ(0, mvm_insn_read(&self->w.src, &self->w.in));
	EXPECT_EQ(MVM_INSN_OK, self->w.in.status);

	in_memory(&self->w, mov_store, sizeof(mov_store));
	ASSERT_EQ(1, mvm_insn_read(&self->w.src, &self->w.in));
	EXPECT_EQ(14, self->w.in.fault.vector);
	EXPECT_EQ(AT + 3, self->w.in.fault.cr2);
	EXPECT_EQ(3, self->w.in.n);

	/* The processor got it all before the page went: no fault then. */
	with_the_exit(&self->w, mov_store, sizeof(mov_store));
	ASSERT_EQ(0, mvm_insn_read(&self->w.src, &self->w.in));
	EXPECT_EQ(MVM_INSN_OK, self->w.in.status);
}

TEST_F(fetch, the_code_segment_ends_it)
{
	in_memory(&self->w, mov_store, sizeof(mov_store));
	self->w.src.limit = 5;
	ASSERT_EQ(0, mvm_insn_read(&self->w.src, &self->w.in));
	EXPECT_EQ(MVM_INSN_MORE, self->w.in.status);
	EXPECT_EQ(5, self->w.in.n);
	self->w.src.limit = 0;
	self->w.reads = 0;
	ASSERT_EQ(0, mvm_insn_read(&self->w.src, &self->w.in));
	EXPECT_EQ(MVM_INSN_MORE, self->w.in.status);
	EXPECT_EQ(0, self->w.reads);
}

TEST_F(fetch, a_failure_says_how_far_it_came)
{
	in_memory(&self->w, mov_store, sizeof(mov_store));
	with_the_exit(&self->w, mov_store, 5);
	self->w.src.la = sizeof(self->w.mem) - 4;
	in_memory(&self->w, mov_store, 4);
	ASSERT_EQ(-EFAULT, mvm_insn_read(&self->w.src, &self->w.in));
	EXPECT_EQ(4, self->w.in.n);
	self->w.error = -EFAULT;
	ASSERT_EQ(-EFAULT, mvm_insn_read(&self->w.src, &self->w.in));
	EXPECT_EQ(0, self->w.in.n);
}

/* What was decoded once is marked, to tell whether it was decoded again. */
static bool is_decoded_again(struct world *w)
{
	w->in.insn.cc = 0x5a;
	if (mvm_insn_reread(&w->src, &w->in) || w->in.status != MVM_INSN_OK)
		return true;
	return w->in.insn.cc != 0x5a;
}

TEST_F(fetch, the_same_bytes_are_not_decoded_again)
{
	self->w.src.la = MIDDLE;
	in_memory(&self->w, mov_store, sizeof(mov_store));
	ASSERT_EQ(0, mvm_insn_reread(&self->w.src, &self->w.in));
	ASSERT_EQ(MVM_INSN_OK, self->w.in.status);
	EXPECT_EQ(6, self->w.in.insn.len);
	EXPECT_FALSE(is_decoded_again(&self->w));
	EXPECT_EQ(2, self->w.reads); /* but read */
	EXPECT_EQ(6, self->w.in.insn.len);
}

TEST_F(fetch, each_byte_and_the_mode_count)
{
	unsigned int i;

	self->w.src.la = MIDDLE;
	in_memory(&self->w, mov_store, sizeof(mov_store));
	ASSERT_EQ(0, mvm_insn_reread(&self->w.src, &self->w.in));
	for (i = 0; i < MVM_INSN_MAX; i++) {
		self->w.mem[MIDDLE + i] ^= 0x40;
		EXPECT_TRUE(is_decoded_again(&self->w));
		self->w.mem[MIDDLE + i] ^= 0x40;
		EXPECT_TRUE(is_decoded_again(&self->w));
		EXPECT_FALSE(is_decoded_again(&self->w));
	}
	self->w.src.mode = MVM_INSN_32;
	EXPECT_TRUE(is_decoded_again(&self->w));
	EXPECT_EQ(MVM_REG_NONE, self->w.in.insn.mem.base); /* no RIP-relative address there */
}

TEST_F(fetch, a_failure_is_no_knowledge)
{
	self->w.src.la = MIDDLE;
	in_memory(&self->w, mov_store, sizeof(mov_store));
	ASSERT_EQ(0, mvm_insn_reread(&self->w.src, &self->w.in));
	self->w.error = -EFAULT;
	ASSERT_EQ(-EFAULT, mvm_insn_reread(&self->w.src, &self->w.in));
	EXPECT_EQ(0, self->w.in.n);
	self->w.error = 0;
	EXPECT_TRUE(is_decoded_again(&self->w));
	EXPECT_FALSE(is_decoded_again(&self->w));
}

TEST_F(fetch, where_a_page_or_the_segment_ends_it_is_read_as_ever)
{
	self->w.src.la = MIDDLE;
	in_memory(&self->w, mov_store, sizeof(mov_store));
	ASSERT_EQ(0, mvm_insn_reread(&self->w.src, &self->w.in));
	self->w.src.limit = 5;
	ASSERT_EQ(0, mvm_insn_reread(&self->w.src, &self->w.in));
	EXPECT_EQ(MVM_INSN_MORE, self->w.in.status);
	self->w.src.limit = MVM_INSN_MAX;
	self->w.src.la = AT;
	in_memory(&self->w, mov_store, sizeof(mov_store));
	self->w.missing = AT + 3;
	ASSERT_EQ(1, mvm_insn_reread(&self->w.src, &self->w.in));
	EXPECT_EQ(AT + 3, self->w.in.fault.cr2);
}

TEST_F(fetch, bytes_of_the_exit_are_known_again_too)
{
	u8 bytes[MVM_INSN_MAX] = { 0 };

	memcpy(bytes, mov_store, sizeof(mov_store));
	with_the_exit(&self->w, bytes, sizeof(bytes));
	ASSERT_EQ(0, mvm_insn_reread(&self->w.src, &self->w.in));
	EXPECT_FALSE(is_decoded_again(&self->w));
	bytes[2] ^= 1;
	EXPECT_TRUE(is_decoded_again(&self->w));
	EXPECT_EQ(0, self->w.reads);
}

MVM_HARNESS_MAIN
