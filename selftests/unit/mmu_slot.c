// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arithmetic of memory slots: what a request must keep to, what it means
 * against the slots there are, and that lookups agree with a plain model under
 * thousands of random changes.
 */
#include <stdlib.h>

#include "mvm_harness.h"
#include "mmu/slot.h"

#define MAX_SLOTS 16
#define PAGE	  4096ULL

static const struct mvm_slot_limits limits = {
	.max_slots = MAX_SLOTS,
	.max_gfn = 1ULL << 36,
	.max_hva = 0x7ffffffff000,
};

struct slots {
	struct mvm_memslots head;
	struct mvm_memslot room[MAX_SLOTS + 1];
	struct mvm_slot_by_hva by_hva[MAX_SLOTS + 1];
};

static int check(u32 id, u32 flags, u64 gpa, u64 size, u64 hva)
{
	struct kvm_userspace_memory_region region = {
		.slot = id, .flags = flags, .guest_phys_addr = gpa,
		.memory_size = size, .userspace_addr = hva,
	};
	struct mvm_memslot slot;
	const char *why;
	int ret = mvm_slot_check(&region, &limits, &slot, &why);

	/* A refusal comes with its sentence, and only a refusal. */
	if (!ret != !why)
		abort();
	if (!ret && (slot.base != gpa / PAGE || slot.npages != size / PAGE || slot.hva != hva ||
		     slot.flags != flags || slot.id != id))
		abort();
	return ret;
}

TEST(well_formed_requests_pass)
{
	EXPECT_EQ(0, check(0, 0, 0, PAGE, 0x10000));
	EXPECT_EQ(0, check(MAX_SLOTS - 1, KVM_MEM_READONLY, PAGE, 16 * PAGE, 0));
	EXPECT_EQ(0, check(1, 0, 0x100000000, 0x100000000, 0x7f0000000000));
	EXPECT_EQ(0, check(1, 0, 0, 0, 0));
}

TEST(slot_id_and_address_space)
{
	EXPECT_EQ(-EINVAL, check(MAX_SLOTS, 0, 0, PAGE, 0));
	EXPECT_EQ(-EINVAL, check(1 << 16, 0, 0, PAGE, 0));
	EXPECT_EQ(-EINVAL, check(~0U, 0, 0, PAGE, 0));
}

TEST(flags)
{
	int bit;

	EXPECT_EQ(0, check(0, KVM_MEM_LOG_DIRTY_PAGES, 0, PAGE, 0));
	EXPECT_EQ(0, check(0, KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY, 0, PAGE, 0));
	for (bit = 2; bit < 32; bit++)
		EXPECT_EQ(-EINVAL, check(0, 1U << bit, 0, PAGE, 0));
}

TEST(alignment)
{
	EXPECT_EQ(-EINVAL, check(0, 0, 1, PAGE, 0));
	EXPECT_EQ(-EINVAL, check(0, 0, 0x800, PAGE, 0));
	EXPECT_EQ(-EINVAL, check(0, 0, 0, PAGE + 1, 0));
	EXPECT_EQ(-EINVAL, check(0, 0, 0, PAGE - 1, 0));
	EXPECT_EQ(-EINVAL, check(0, 0, 0, PAGE, 0x10800));
}

TEST(ranges_and_overflow)
{
	const u64 top = limits.max_gfn * PAGE;

	EXPECT_EQ(0, check(0, 0, top - PAGE, PAGE, 0));
	EXPECT_EQ(-EINVAL, check(0, 0, top, PAGE, 0));
	EXPECT_EQ(-EINVAL, check(0, 0, top - PAGE, 2 * PAGE, 0));
	EXPECT_EQ(-EINVAL, check(0, 0, -PAGE, PAGE, 0));
	EXPECT_EQ(-EINVAL, check(0, 0, -PAGE, 2 * PAGE, 0));
	EXPECT_EQ(0, check(0, 0, 0, PAGE, limits.max_hva - PAGE));
	EXPECT_EQ(-EINVAL, check(0, 0, 0, 2 * PAGE, limits.max_hva - PAGE));
	EXPECT_EQ(-EINVAL, check(0, 0, 0, 2 * PAGE, -PAGE));
	EXPECT_EQ(-EINVAL, check(0, 0, 0, PAGE, 0xffff888000000000));
	EXPECT_EQ(0, check(0, 0, 0, MVM_SLOT_MAX_PAGES * PAGE, 0));
	EXPECT_EQ(-EINVAL, check(0, 0, 0, (MVM_SLOT_MAX_PAGES + 1) * PAGE, 0));
	EXPECT_EQ(-EINVAL, check(0, 0, 0, -PAGE, 0));
}

static struct mvm_memslot slot(u16 id, gfn_t base, u64 npages, hva_t hva, u32 flags)
{
	return (struct mvm_memslot) {
		.id = id, .base = base, .npages = npages, .hva = hva, .flags = flags,
	};
}

/* Plan and, where it changes something, apply. -errno, or enum mvm_slot_change. */
static int change(struct slots *slots, struct mvm_memslot new)
{
	enum mvm_slot_change what;
	struct slots next;
	const char *why = NULL;
	int ret = mvm_slot_plan(&slots->head, &new, &what, &why);

	if (ret && !why)
		abort();
	if (ret)
		return ret;
	if (what != MVM_SLOT_SAME) {
		next.head.by_hva = next.by_hva;
		mvm_slot_apply(&slots->head, &next.head, &new);
		*slots = next;
		slots->head.by_hva = slots->by_hva;
	}
	return what;
}

FIXTURE(slots)
{
	struct slots s;
};

FIXTURE_SETUP(slots)
{
	memset(&self->s, 0, sizeof(self->s));
	ASSERT_EQ(MVM_SLOT_ADD, change(&self->s, slot(1, 0x100, 0x100, 0x10000000, 0)));
	ASSERT_EQ(MVM_SLOT_ADD, change(&self->s, slot(2, 0x300, 0x100, 0x20000000, 0)));
}

FIXTURE_TEARDOWN(slots)
{
}

TEST_F(slots, overlap_is_eexist)
{
	EXPECT_EQ(-EEXIST, change(&self->s, slot(3, 0x1ff, 1, 0, 0)));
	EXPECT_EQ(-EEXIST, change(&self->s, slot(3, 0xff, 2, 0, 0)));
	EXPECT_EQ(-EEXIST, change(&self->s, slot(3, 0, 0x1000, 0, 0)));
	EXPECT_EQ(-EEXIST, change(&self->s, slot(3, 0x180, 0x10, 0, 0)));
	EXPECT_EQ(-EEXIST, change(&self->s, slot(1, 0x280, 0x100, 0x10000000, 0)));
	EXPECT_EQ(2, self->s.head.nr);
}

TEST_F(slots, neighbours_do_not_overlap)
{
	EXPECT_EQ(MVM_SLOT_ADD, change(&self->s, slot(3, 0x200, 0x100, 0, 0)));
	EXPECT_EQ(MVM_SLOT_ADD, change(&self->s, slot(4, 0, 0x100, 0, 0)));
	EXPECT_EQ(MVM_SLOT_ADD, change(&self->s, slot(5, 0x400, 1, 0, 0)));
	EXPECT_EQ(5, self->s.head.nr);
}

TEST_F(slots, a_slot_moves_over_its_old_place)
{
	EXPECT_EQ(MVM_SLOT_MOVE, change(&self->s, slot(1, 0x180, 0x100, 0x10000000, 0)));
	EXPECT_EQ(NULL, mvm_slot_by_gfn(&self->s.head, 0x17f));
	ASSERT_NE(NULL, mvm_slot_by_gfn(&self->s.head, 0x180));
	EXPECT_EQ(0x10000000, mvm_slot_hva(mvm_slot_by_gfn(&self->s.head, 0x180), 0x180));
	/* Behind another slot: the order changes. */
	EXPECT_EQ(MVM_SLOT_MOVE, change(&self->s, slot(1, 0x400, 0x100, 0x10000000, 0)));
	EXPECT_EQ(1, mvm_slot_by_gfn(&self->s.head, 0x4ff)->id);
	EXPECT_EQ(2, mvm_slot_by_gfn(&self->s.head, 0x3ff)->id);
}

TEST_F(slots, resizing_and_exchanging_memory_is_einval)
{
	EXPECT_EQ(-EINVAL, change(&self->s, slot(1, 0x100, 0x80, 0x10000000, 0)));
	EXPECT_EQ(-EINVAL, change(&self->s, slot(1, 0x100, 0x101, 0x10000000, 0)));
	EXPECT_EQ(-EINVAL, change(&self->s, slot(1, 0x100, 0x100, 0x30000000, 0)));
	EXPECT_EQ(-EINVAL, change(&self->s, slot(1, 0x100, 0x100, 0x10000000,
						 KVM_MEM_READONLY)));
}

TEST_F(slots, the_log_goes_on_and_off)
{
	EXPECT_EQ(MVM_SLOT_LOG, change(&self->s, slot(1, 0x100, 0x100, 0x10000000,
						      KVM_MEM_LOG_DIRTY_PAGES)));
	EXPECT_EQ(MVM_SLOT_SAME, change(&self->s, slot(1, 0x100, 0x100, 0x10000000,
						       KVM_MEM_LOG_DIRTY_PAGES)));
	EXPECT_EQ(MVM_SLOT_MOVE, change(&self->s, slot(1, 0x180, 0x100, 0x10000000, 0)));
	EXPECT_EQ(MVM_SLOT_LOG, change(&self->s, slot(1, 0x180, 0x100, 0x10000000,
						      KVM_MEM_LOG_DIRTY_PAGES)));
	EXPECT_EQ(MVM_SLOT_LOG, change(&self->s, slot(1, 0x180, 0x100, 0x10000000, 0)));
}

TEST_F(slots, the_same_again_changes_nothing)
{
	EXPECT_EQ(MVM_SLOT_SAME, change(&self->s, slot(1, 0x100, 0x100, 0x10000000, 0)));
}

TEST_F(slots, deleting)
{
	EXPECT_EQ(-EINVAL, change(&self->s, slot(3, 0, 0, 0, 0)));
	EXPECT_EQ(MVM_SLOT_DELETE, change(&self->s, slot(1, 0x7777, 0, 0, 0)));
	EXPECT_EQ(-EINVAL, change(&self->s, slot(1, 0, 0, 0, 0)));
	EXPECT_EQ(NULL, mvm_slot_by_gfn(&self->s.head, 0x100));
	EXPECT_EQ(MVM_SLOT_DELETE, change(&self->s, slot(2, 0, 0, 0, 0)));
	EXPECT_EQ(0, self->s.head.nr);
}

TEST_F(slots, addresses_to_frames)
{
	const struct mvm_memslot *s = mvm_slot_by_id(&self->s.head, 1);
	gfn_t first, last;

	ASSERT_NE(NULL, s);
	EXPECT_FALSE(mvm_slot_hva_range(s, 0, 0x10000000, &first, &last));
	EXPECT_FALSE(mvm_slot_hva_range(s, 0x10100000, ~0ULL, &first, &last));
	EXPECT_FALSE(mvm_slot_hva_range(s, 0x10001000, 0x10001000, &first, &last));
	/* One byte is one frame; bytes in two pages are two. */
	ASSERT_TRUE(mvm_slot_hva_range(s, 0x10001800, 0x10001801, &first, &last));
	EXPECT_EQ(0x101, first);
	EXPECT_EQ(0x102, last);
	ASSERT_TRUE(mvm_slot_hva_range(s, 0x10001fff, 0x10002001, &first, &last));
	EXPECT_EQ(0x101, first);
	EXPECT_EQ(0x103, last);
	/* Clipped at both ends. */
	ASSERT_TRUE(mvm_slot_hva_range(s, 0, ~0ULL, &first, &last));
	EXPECT_EQ(0x100, first);
	EXPECT_EQ(0x200, last);
	ASSERT_TRUE(mvm_slot_hva_range(s, 0x100ff000, 0x10101000, &first, &last));
	EXPECT_EQ(0x1ff, first);
	EXPECT_EQ(0x200, last);
}

#define SPACE 64

/* Who holds each frame of a small space: 0 = nobody, else id + 1. */
static void paint(const struct mvm_memslot *by_id, u8 *space)
{
	int id;
	u64 i;

	memset(space, 0, SPACE);
	for (id = 0; id < MAX_SLOTS; id++) {
		for (i = 0; i < by_id[id].npages; i++)
			space[by_id[id].base + i] = id + 1;
	}
}

static bool model_free(const struct mvm_memslot *by_id, const struct mvm_memslot *new)
{
	u8 space[SPACE];
	u64 i;

	paint(by_id, space);
	for (i = 0; i < new->npages; i++) {
		if (space[new->base + i] && space[new->base + i] != new->id + 1)
			return false;
	}
	return true;
}

/* Which slots a range of addresses backs, a bit for each id; -1: one came twice. */
static int backed(const struct mvm_memslots *slots, hva_t start, hva_t end)
{
	const struct mvm_memslot *slot;
	int i, ids = 0;

	mvm_for_each_slot_by_hva(i, slot, slots, start, end) {
		if (ids & 1 << slot->id)
			return -1;
		ids |= 1 << slot->id;
	}
	return ids;
}

static int model_backed(const struct mvm_memslot *by_id, hva_t start, hva_t end)
{
	gfn_t first, last;
	int id, ids = 0;

	for (id = 0; id < MAX_SLOTS; id++)
		ids |= mvm_slot_hva_range(&by_id[id], start, end, &first, &last) << id;
	return ids;
}

/* The same memory may be in several slots, and a small one within a large one's. */
TEST(addresses_find_their_slots_among_random_changes)
{
	struct mvm_memslot by_id[MAX_SLOTS] = { };
	struct slots s = { };
	int round, i;

	srandom(2);
	for (round = 0; round < 20000; round++) {
		int id = random() % MAX_SLOTS;
		bool there = by_id[id].npages;
		struct mvm_memslot new = slot(id, id * SPACE, there ? 0 : 1 + random() % 16,
					      (u64)(random() % SPACE) * PAGE, 0);

		/* Now and then it moves over, or behind, all the others. */
		if (there && random() % 4 == 0) {
			new = by_id[id];
			new.base = (random() % 4 * MAX_SLOTS + id) * SPACE;
		}
		ASSERT_LE(0, change(&s, new));
		by_id[id] = new;
		for (i = 0; i < 8; i++) {
			hva_t start = random() % (SPACE * PAGE);
			hva_t end = start + 1 + random() % (8 * PAGE);

			ASSERT_EQ(model_backed(by_id, start, end), backed(&s.head, start, end));
		}
		ASSERT_EQ(model_backed(by_id, 0, ~0ULL), backed(&s.head, 0, ~0ULL));
	}
}

TEST(random_changes_agree_with_a_plain_model)
{
	struct mvm_memslot by_id[MAX_SLOTS] = { };
	struct slots s = { };
	u8 space[SPACE];
	int round, i;

	srandom(1);
	for (round = 0; round < 20000; round++) {
		struct mvm_memslot new = slot(random() % MAX_SLOTS, random() % (SPACE - 8),
					      random() % 4 ? random() % 8 : 0, 0, 0);
		struct mvm_memslot *old = &by_id[new.id];
		int want;

		if (old->npages && random() % 2)
			new.npages = old->npages;
		new.hva = old->npages ? old->hva : (u64)random() << 12;
		if (!new.npages)
			want = old->npages ? MVM_SLOT_DELETE : -EINVAL;
		else if (old->npages && new.npages != old->npages)
			want = -EINVAL;
		else if (old->npages && new.base == old->base)
			want = MVM_SLOT_SAME;
		else if (!model_free(by_id, &new))
			want = -EEXIST;
		else
			want = old->npages ? MVM_SLOT_MOVE : MVM_SLOT_ADD;

		ASSERT_EQ(want, change(&s, new));
		if (want >= 0)
			*old = new;
		paint(by_id, space);
		for (i = 0; i < SPACE; i++) {
			const struct mvm_memslot *found = mvm_slot_by_gfn(&s.head, i);

			ASSERT_EQ(space[i], found ? found->id + 1 : 0);
		}
		for (i = 1; i < s.head.nr; i++)
			ASSERT_LT(s.head.slot[i - 1].base, s.head.slot[i].base);
	}
}

MVM_HARNESS_MAIN
