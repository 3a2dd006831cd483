// SPDX-License-Identifier: GPL-2.0-only
/*
 * The walk of a guest's page tables, on tables built in a small array: each
 * paging mode, rights, reserved bits, error codes, accessed and dirty bits.
 *
 * Rights are compared exhaustively with permitted(), which states the rules a
 * second time, access by access, in the order of the SDM's "Determination of
 * Access Rights".
 */
#include <asm/processor-flags.h>

#include "mvm_harness.h"
#include "mmu/walk.h"

#define P   0x1ULL
#define W   0x2ULL
#define U   0x4ULL
#define A   0x20ULL
#define D   0x40ULL
#define PS  0x80ULL
#define NX  (1ULL << 63)
#define PWU (P | W | U)

#define READ   MVM_ACCESS_READ
#define WRITE  MVM_ACCESS_WRITE
#define EXEC   MVM_ACCESS_EXEC
#define USER   MVM_ACCESS_USER
#define IMPL   MVM_ACCESS_IMPLICIT

#define LMA MVM_WALK_EFER_LMA
#define NXE MVM_WALK_EFER_NXE

#define PF_P  0x1
#define PF_W  0x2
#define PF_U  0x4
#define PF_R  0x8
#define PF_I  0x10
#define PF_PK 0x20

#define MEM_SIZE 0x10000

/* Guest memory; tables of a test live at T(1), T(2), ... */
static u64 memory[MEM_SIZE / 8];
#define T(n) ((n) * 0x1000ULL)

static bool readonly;
/* Called before each exchange, for a concurrent change. */
static void (*meddle)(void);
static int exchanges;

static int mem_read(void *mem, gpa_t gpa, int size, u64 *entry)
{
	if (gpa % size || gpa + size > MEM_SIZE)
		return -EFAULT;
	*entry = 0;
	memcpy(entry, (char *)mem + gpa, size);
	return 0;
}

static int mem_replace(void *mem, gpa_t gpa, int size, u64 old, u64 new)
{
	if (meddle)
		meddle();
	if (readonly)
		return 0;
	exchanges++;
	if (memcmp((char *)mem + gpa, &old, size))
		return 1;
	memcpy((char *)mem + gpa, &new, size);
	return 0;
}

static const struct mvm_walk_ops ops = { .read = mem_read, .replace = mem_replace };

static struct mvm_fault fault;
static gpa_t result;

static int walk(const struct mvm_walk *w, gva_t gva, u32 access)
{
	memset(&fault, 0, sizeof(fault));
	result = ~0ULL;
	return mvm_walk(w, &ops, memory, gva, access, &result, &fault);
}

static void put(u64 table, unsigned int index, u64 entry)
{
	memory[table / 8 + index] = entry;
}

static u64 get(u64 table, unsigned int index)
{
	return memory[table / 8 + index];
}

static void put32(u64 table, unsigned int index, u32 entry)
{
	memcpy((char *)memory + table + index * 4, &entry, 4);
}

static u32 get32(u64 table, unsigned int index)
{
	u32 entry;

	memcpy(&entry, (char *)memory + table + index * 4, 4);
	return entry;
}

static const struct mvm_walk long_mode = {
	.cr0 = X86_CR0_PG | X86_CR0_PE | X86_CR0_WP, .cr3 = T(1), .cr4 = X86_CR4_PAE,
	.efer = LMA | NXE, .rsvd_phys = 0x000fff0000000000,
};

#define GVA 0x0000008040201abcULL /* index 1 at each of four levels */

static void reset(void)
{
	memset(memory, 0, sizeof(memory));
	readonly = false;
	meddle = NULL;
	exchanges = 0;
}

/* Four levels to a page at 0x123000, with these bits at the top and in the leaf. */
static void build_4k(u64 upper, u64 leaf)
{
	reset();
	put(T(1), 1, T(2) | upper);
	put(T(2), 1, T(3) | PWU);
	put(T(3), 1, T(4) | PWU);
	put(T(4), 1, 0x123000 | leaf);
}

#define EXPECT_GPA(want, w, gva, access) do {			\
	EXPECT_EQ(0, walk(w, gva, access));			\
	EXPECT_EQ((u64)(want), result);				\
} while (0)

#define EXPECT_PF(want, w, gva, access) do {			\
	EXPECT_EQ(1, walk(w, gva, access));			\
	EXPECT_EQ(14, fault.vector);				\
	EXPECT_TRUE(fault.has_error);				\
	EXPECT_EQ((u32)(want), fault.error);			\
} while (0)

TEST(without_paging_the_address_is_the_address)
{
	struct mvm_walk w = { .cr0 = X86_CR0_PE };

	EXPECT_GPA(0x12345678, &w, 0x12345678, WRITE | USER);
	EXPECT_GPA(0x12345678, &w, 0xffffffff12345678, READ);
}

TEST(paging_32bit)
{
	struct mvm_walk w = { .cr0 = X86_CR0_PG | X86_CR0_PE, .cr3 = T(1) | 0xfff };

	reset();
	put32(T(1), 3, T(2) | PWU);
	put32(T(2), 5, 0xfedcb000 | PWU);
	EXPECT_GPA(0xfedcbabc, &w, 0xffffffff00c05abc, READ);
	EXPECT_EQ((u32)(T(2) | PWU | A), get32(T(1), 3));
	EXPECT_EQ(0xfedcb000U | PWU | A, get32(T(2), 5));
	EXPECT_PF(0, &w, 0x00c06000, READ);
	EXPECT_EQ(0x00c06000, fault.cr2);
	/* No NX there: a fetch is told only with SMEP. */
	w.efer = NXE;
	EXPECT_PF(0, &w, 0x00c06000, EXEC);
	w.cr4 = X86_CR4_SMEP;
	EXPECT_PF(PF_I, &w, 0x00c06000, EXEC);
}

TEST(pages_of_4m)
{
	struct mvm_walk w = {
		.cr0 = X86_CR0_PG | X86_CR0_PE, .cr3 = T(1), .cr4 = X86_CR4_PSE,
		.rsvd_phys = 0x000ffff000000000,
	};

	reset();
	put32(T(1), 3, 0x40000000 | PS | PWU);
	EXPECT_GPA(0x40012345, &w, 0x00c12345, WRITE);
	EXPECT_EQ(0x40000000U | PS | PWU | A | D, get32(T(1), 3));
	/* Bits 20:13 are bits 39:32 of the address: 35:32 exist, 36 does not. */
	put32(T(1), 3, 0x40000000 | 0xf << 13 | PS | PWU);
	EXPECT_GPA(0xf40012345, &w, 0x00c12345, READ);
	put32(T(1), 3, 0x40000000 | 0x10 << 13 | PS | PWU);
	EXPECT_PF(PF_P | PF_R, &w, 0x00c12345, READ);
	put32(T(1), 3, 0x40000000 | 1 << 21 | PS | PWU);
	EXPECT_PF(PF_P | PF_R, &w, 0x00c12345, READ);
	/* Bit 12 is PAT. */
	put32(T(1), 3, 0x40000000 | 1 << 12 | PS | PWU);
	EXPECT_GPA(0x40012345, &w, 0x00c12345, READ);
	/* Without PSE the bit is ignored. */
	w.cr4 = 0;
	put32(T(1), 3, T(2) | PS | PWU);
	put32(T(2), 0x12, 0x7000 | PWU);
	EXPECT_GPA(0x7345, &w, 0x00c12345, READ);
}

TEST(paging_pae)
{
	u64 pdptr[4] = { 0, T(2) | P, 0, 0 };
	struct mvm_walk w = {
		.cr0 = X86_CR0_PG | X86_CR0_PE, .cr3 = T(1) | 0x20, .cr4 = X86_CR4_PAE,
		.pdptr = pdptr, .rsvd_phys = 0x000fff0000000000, .efer = NXE,
	};

	reset();
	put(T(2), 2, T(3) | PWU);
	put(T(3), 3, 0x9876543000 | PWU);
	put(T(2), 3, 0x8800200000 | PS | PWU);
	EXPECT_GPA(0x9876543abc, &w, 0x40403abc, WRITE | USER);
	EXPECT_EQ(0x9876543000 | PWU | A | D, get(T(3), 3));
	EXPECT_GPA(0x8800212345, &w, 0x40612345, READ);
	/* The pointers are the loaded ones, whatever memory says. */
	EXPECT_PF(PF_W, &w, 0x80403abc, WRITE);
	/* Where none are loaded they are read at CR3, 32-byte aligned. */
	w.pdptr = NULL;
	EXPECT_PF(0, &w, 0x40403abc, READ);
	put(T(1), 5, T(2) | P);
	EXPECT_GPA(0x9876543abc, &w, 0x40403abc, READ);
	/* Bits 62:52 are reserved here. */
	put(T(3), 3, 0x9876543000 | PWU | 1ULL << 55);
	EXPECT_PF(PF_P | PF_R, &w, 0x40403abc, READ);
	put(T(3), 3, 0x9876543000 | PWU | NX);
	EXPECT_PF(PF_P | PF_I, &w, 0x40403abc, EXEC);
	w.efer = 0;
	EXPECT_PF(PF_P | PF_R, &w, 0x40403abc, READ);
}

TEST(pae_pointers)
{
	const u64 rsvd = 0x000fff0000000000;
	const u64 good[4] = { T(1) | P, 0, ~P, 0xffffff000 | P | 0xe18 };
	int bit;

	EXPECT_TRUE(mvm_walk_pdptrs_valid(good, rsvd));
	for (bit = 0; bit < 64; bit++) {
		const u64 one[4] = { 0, 0, 0, P | 1ULL << bit };
		bool reserved = bit == 1 || bit == 2 || (bit >= 5 && bit <= 8) || bit >= 40;

		EXPECT_EQ(!reserved, mvm_walk_pdptrs_valid(one, rsvd));
	}
}

TEST(paging_4level)
{
	build_4k(PWU, PWU);
	EXPECT_GPA(0x123abc, &long_mode, GVA, READ);
	/* 2 MiB and 1 GiB. */
	put(T(3), 1, 0x40200000 | PS | PWU);
	EXPECT_GPA(0x40201abc, &long_mode, GVA, READ);
	put(T(2), 1, 0x80000000 | PS | PWU);
	EXPECT_GPA(0x80201abc, &long_mode, GVA, READ);
	/* The upper half. */
	put(T(1), 511, T(2) | PWU);
	EXPECT_GPA(0x80201abc, &long_mode, 0xffffff8040201abc, READ);
}

TEST(paging_5level)
{
	struct mvm_walk w = long_mode;

	w.cr4 |= X86_CR4_LA57;
	w.cr3 = T(5) | 0xfff;
	build_4k(PWU, PWU);
	put(T(5), 2, T(1) | PWU);
	EXPECT_GPA(0x123abc, &w, 0x0002008040201abc, READ);
	EXPECT_EQ(T(1) | PWU | A, get(T(5), 2));
	put(T(5), 2, T(1) | PWU | PS);
	EXPECT_PF(PF_P | PF_R, &w, 0x0002008040201abc, READ);
}

TEST(non_canonical_is_gp)
{
	static const gva_t bad[] = { 0x0000800000000000, 0xffff7fffffffffff, 1ULL << 63 };
	struct mvm_walk w = long_mode;
	size_t i;

	build_4k(PWU, PWU);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(1, walk(&w, bad[i], READ));
		EXPECT_EQ(13, fault.vector);
		EXPECT_TRUE(fault.has_error);
		EXPECT_EQ(0, fault.error);
	}
	w.cr4 |= X86_CR4_LA57;
	EXPECT_PF(0, &w, 0x0000800000000000, READ);
	EXPECT_EQ(1, walk(&w, 0x0100000000000000, READ));
	EXPECT_EQ(13, fault.vector);
}

TEST(not_present_at_each_level)
{
	int level;

	for (level = 1; level <= 4; level++) {
		build_4k(PWU, PWU);
		/* All other bits set: they mean nothing. */
		put(T(level), 1, ~P);
		EXPECT_PF(0, &long_mode, GVA, READ);
		EXPECT_EQ(GVA, fault.cr2);
		EXPECT_PF(PF_W | PF_U, &long_mode, GVA, WRITE | USER);
		EXPECT_PF(PF_I, &long_mode, GVA, EXEC);
		EXPECT_EQ(0, exchanges);
	}
}

TEST(reserved_bits)
{
	struct mvm_walk w = long_mode;
	int level, bit;

	for (level = 1; level <= 4; level++) {
		for (bit = 40; bit < 52; bit++) {
			build_4k(PWU, PWU);
			put(T(level), 1, get(T(level), 1) | 1ULL << bit);
			EXPECT_PF(PF_P | PF_R | PF_W, &w, GVA, WRITE);
		}
		/* Free for software, the protection key among them. */
		build_4k(PWU, PWU);
		put(T(level), 1, get(T(level), 1) | 0x7ff0000000000e00);
		EXPECT_GPA(0x123abc, &w, GVA, READ);
	}
	/* Large pages: everything below the address but PAT. */
	build_4k(PWU, PWU);
	for (bit = 13; bit < 21; bit++) {
		put(T(3), 1, 0x40200000 | PS | PWU | 1ULL << bit);
		EXPECT_PF(PF_P | PF_R, &w, GVA, READ);
	}
	for (bit = 13; bit < 30; bit++) {
		put(T(2), 1, 0x40000000 | PS | PWU | 1ULL << bit);
		EXPECT_PF(PF_P | PF_R, &w, GVA, READ);
	}
	put(T(2), 1, 0x40000000 | PS | PWU | 1ULL << 12);
	EXPECT_GPA(0x40201abc, &w, GVA, READ);
	/* A page-map entry has no large page; NX needs NXE. */
	build_4k(PWU | PS, PWU);
	EXPECT_PF(PF_P | PF_R, &w, GVA, READ);
	w.efer = LMA;
	build_4k(PWU | NX, PWU);
	EXPECT_PF(PF_P | PF_R, &w, GVA, READ);
	/* Without NXE and SMEP a fetch is not told from a read. */
	EXPECT_PF(PF_P | PF_R, &w, GVA, EXEC);
}

/* The rules once more, one kind of access at a time. */
static bool permitted(const struct mvm_walk *w, u64 upper, u64 leaf, u32 access)
{
	bool user_page = upper & leaf & U, writable = upper & leaf & W;
	bool no_exec = (upper | leaf) & NX;
	bool explicit_ac = w->ac && !(access & IMPL);

	if (access & USER) {
		if (!user_page)
			return false;
		if (access & EXEC)
			return !no_exec;
		return !(access & WRITE) || writable;
	}
	if (access & EXEC)
		return !no_exec && !(user_page && (w->cr4 & X86_CR4_SMEP));
	if (user_page && (w->cr4 & X86_CR4_SMAP) && !explicit_ac)
		return false;
	return !(access & WRITE) || writable || !(w->cr0 & X86_CR0_WP);
}

TEST(rights_exhaustively)
{
	static const u32 accesses[] = {
		READ, WRITE, EXEC, READ | USER, WRITE | USER, EXEC | USER, READ | IMPL,
		WRITE | IMPL,
	};
	unsigned int bits, flags, i, n = 0;

	for (bits = 0; bits < 64; bits++) {
		u64 upper = P | (bits & 1 ? W : 0) | (bits & 2 ? U : 0) | (bits & 4 ? NX : 0);
		u64 leaf = P | (bits & 8 ? W : 0) | (bits & 16 ? U : 0) | (bits & 32 ? NX : 0);

		for (flags = 0; flags < 16; flags++) {
			struct mvm_walk w = long_mode;

			w.cr0 &= ~(flags & 1 ? X86_CR0_WP : 0);
			w.cr4 |= flags & 2 ? X86_CR4_SMEP : 0;
			w.cr4 |= flags & 4 ? X86_CR4_SMAP : 0;
			w.ac = flags & 8;
			for (i = 0; i < ARRAY_SIZE(accesses); i++, n++) {
				u32 access = accesses[i];
				u32 error = PF_P | (access & WRITE ? PF_W : 0) |
					    (access & USER ? PF_U : 0) | (access & EXEC ? PF_I : 0);

				build_4k(upper, leaf);
				if (permitted(&w, upper, leaf, access))
					EXPECT_GPA(0x123abc, &w, GVA, access);
				else
					EXPECT_PF(error, &w, GVA, access);
			}
		}
	}
	EXPECT_EQ(64 * 16 * 8, n);
}

TEST(protection_keys)
{
	const u64 key5 = 5ULL << 59;
	struct mvm_walk w = long_mode;
	u32 user;

	w.cr4 |= X86_CR4_PKE;
	for (user = 0; user <= USER; user += USER) {
		u32 pf = PF_P | PF_PK | (user ? PF_U : 0);

		build_4k(PWU, PWU | key5);
		w.pkru = ~(3U << 10); /* every other key */
		EXPECT_GPA(0x123abc, &w, GVA, WRITE | user);
		w.pkru = 1U << 10;
		EXPECT_PF(pf, &w, GVA, READ | user);
		EXPECT_PF(pf | PF_W, &w, GVA, WRITE | user);
		EXPECT_GPA(0x123abc, &w, GVA, EXEC | user);
		w.pkru = 2U << 10;
		EXPECT_GPA(0x123abc, &w, GVA, READ | user);
		EXPECT_PF(pf | PF_W, &w, GVA, WRITE | user);
	}
	/* Write-disable binds the kernel only under WP. */
	w.cr0 &= ~X86_CR0_WP;
	EXPECT_GPA(0x123abc, &w, GVA, WRITE);
	EXPECT_PF(PF_P | PF_PK | PF_W | PF_U, &w, GVA, WRITE | USER);
	/* Supervisor pages have no key; without PKE nothing has. */
	w.pkru = ~0U;
	build_4k(P | W, PWU | key5);
	EXPECT_GPA(0x123abc, &w, GVA, WRITE);
	w.cr4 &= ~X86_CR4_PKE;
	build_4k(PWU, PWU | key5);
	EXPECT_GPA(0x123abc, &w, GVA, WRITE | USER);
}

TEST(accessed_and_dirty_bits)
{
	build_4k(PWU, PWU);
	EXPECT_GPA(0x123abc, &long_mode, GVA, READ);
	EXPECT_EQ(T(2) | PWU | A, get(T(1), 1));
	EXPECT_EQ(T(3) | PWU | A, get(T(2), 1));
	EXPECT_EQ(T(4) | PWU | A, get(T(3), 1));
	EXPECT_EQ(0x123000 | PWU | A, get(T(4), 1));
	EXPECT_EQ(4, exchanges);
	/* What is set is left alone; only the leaf gets dirty. */
	EXPECT_GPA(0x123abc, &long_mode, GVA, READ);
	EXPECT_EQ(4, exchanges);
	EXPECT_GPA(0x123abc, &long_mode, GVA, WRITE);
	EXPECT_EQ(5, exchanges);
	EXPECT_EQ(T(4) | PWU | A, get(T(3), 1));
	EXPECT_EQ(0x123000 | PWU | A | D, get(T(4), 1));
	/* A fault sets nothing. */
	build_4k(PWU, P);
	EXPECT_PF(PF_P | PF_W | PF_U, &long_mode, GVA, WRITE | USER);
	EXPECT_EQ(0, exchanges);
	/* A large page is dirty where it is mapped. */
	build_4k(PWU, 0);
	put(T(3), 1, 0x40200000 | PS | PWU);
	EXPECT_GPA(0x40201abc, &long_mode, GVA, WRITE);
	EXPECT_EQ(0x40200000 | PS | PWU | A | D, get(T(3), 1));
}

TEST(tables_that_cannot_be_written_keep_their_bits)
{
	build_4k(PWU, PWU);
	readonly = true;
	EXPECT_GPA(0x123abc, &long_mode, GVA, WRITE);
	EXPECT_EQ(0x123000 | PWU, get(T(4), 1));
}

static void move_the_page(void)
{
	put(T(4), 1, 0x456000 | PWU);
	meddle = NULL;
}

static void take_the_page_away(void)
{
	if (get(T(4), 1) & P)
		put(T(4), 1, 0);
}

TEST(a_change_during_the_walk_starts_it_again)
{
	build_4k(PWU, PWU);
	meddle = move_the_page;
	EXPECT_GPA(0x456abc, &long_mode, GVA, WRITE);
	EXPECT_EQ(0x456000 | PWU | A | D, get(T(4), 1));

	build_4k(PWU, PWU);
	meddle = take_the_page_away;
	EXPECT_PF(PF_W, &long_mode, GVA, WRITE);
	EXPECT_EQ(0, get(T(4), 1));
}

TEST(a_table_outside_memory_is_efault)
{
	struct mvm_walk w = long_mode;
	int level;

	for (level = 1; level <= 3; level++) {
		build_4k(PWU, PWU);
		put(T(level), 1, 0x12345000 | PWU);
		EXPECT_EQ(-EFAULT, walk(&w, GVA, READ));
		EXPECT_EQ(0, exchanges);
	}
	w.cr3 = 0x12345000;
	EXPECT_EQ(-EFAULT, walk(&w, GVA, READ));
}

MVM_HARNESS_MAIN
