// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nested tables, faults, notifiers and slots together, in mmu_world.h's world.
 *
 * First what a single vCPU sees: sizes, rights, splits, ageing. Then the race:
 * vCPU threads translate as hardware does, with a TLB and a cache of tables,
 * while other threads take pages back, write-protect, collapse and split them
 * and delete slots. No vCPU may use a page, a right, a slot or a table page
 * (AddressSanitizer sees those) after its removal has returned.
 *
 * MVM_MMU_RACE_MS sets how long each variant of the race runs.
 */
#include <time.h>

#include "mvm_harness.h"
#include "mmu/npt.h"

/* Until it works, or what mvm_mmu_fault() says. */
static int touch(int cpu, gfn_t gfn, u32 access)
{
	int tries, ret = MVM_FAULT_FIXED;

	for (tries = 0; ret == MVM_FAULT_FIXED && tries < 10; tries++) {
		bool done;

		hw_enter(cpu);
		done = hw_access(cpu, gfn, access);
		hw_leave(cpu);
		if (done)
			return 0;
		ret = mvm_mmu_fault(&cpus[cpu], gfn << PAGE_SHIFT, access);
	}
	return ret == MVM_FAULT_FIXED ? -ELOOP : ret;
}

/* ----------------------------------------------------------------- fixtures */

#define READ  MVM_ACCESS_READ
#define WRITE MVM_ACCESS_WRITE
#define EXEC  MVM_ACCESS_EXEC

/* EPT's bits and NPT's, as far as these tests go. */
static const struct mvm_npt_format ept = {
	.levels = 4, .table = 7, .leaf = 0x30, .read = 1, .write = 2, .exec = 4, .large = 0x80,
	.accessed = 0x100, .dirty = 0x200,
};

static const struct mvm_npt_format npt = {
	.levels = 5, .table = 7, .leaf = 4, .read = 1, .write = 2, .noexec = 1ULL << 63,
	.large = 0x80, .accessed = 0x20, .dirty = 0x40, .enc_mask = 1ULL << 51,
};

static int set_slot(u32 id, u32 flags, gfn_t gfn, u64 npages, hva_t hva)
{
	struct kvm_userspace_memory_region region = {
		.slot = id, .flags = flags, .guest_phys_addr = gfn << PAGE_SHIFT,
		.memory_size = npages << PAGE_SHIFT, .userspace_addr = hva,
	};

	return mvm_memslot_set(&the_vm, &region);
}

static int set_region(unsigned int region, bool there)
{
	return set_slot(region, 0, FIRST_GFN + region * 512, there ? 512 : 0,
			HOST_BASE + region * 512 * PAGE_SIZE);
}

FIXTURE(npt)
{
	int unused;
};

FIXTURE_VARIANT(npt)
{
	const struct mvm_npt_format *format;
	bool multihit, no_accessed;
};

FIXTURE_VARIANT_ADD(npt, ept)
{
	.format = &ept,
};

FIXTURE_VARIANT_ADD(npt, npt_5level)
{
	.format = &npt,
};

FIXTURE_VARIANT_ADD(npt, ept_multihit)
{
	.format = &ept,
	.multihit = true,
};

FIXTURE_VARIANT_ADD(npt, ept_no_accessed)
{
	.format = &ept,
	.no_accessed = true,
};

FIXTURE_SETUP(npt)
{
	struct mvm_npt_format format = *variant->format;

	(void)self;
	if (variant->no_accessed) {
		format.accessed = 0;
		format.dirty = 0;
	}
	format.nonpresent = variant->multihit ? 0x7ff0000000000ULL & ~0xfffULL : 0;
	world_init(&format);
	world_multihit = variant->multihit;
}

FIXTURE_TEARDOWN(npt)
{
	(void)self;
	mvm_mmu_vm_destroy(&the_vm);
	EXPECT_EQ(0, violations);
	EXPECT_EQ(0, atomic_long_read(&the_vm.nr_npt_pages));
}

/* -------------------------------------------------------------------- claims */

TEST_F(npt, outside_of_slots_is_mmio)
{
	EXPECT_EQ(MVM_FAULT_MMIO, touch(0, FIRST_GFN, READ));
	ASSERT_EQ(0, set_region(1, true));
	EXPECT_EQ(MVM_FAULT_MMIO, touch(0, FIRST_GFN + 511, WRITE));
	EXPECT_EQ(0, touch(0, FIRST_GFN + 512, WRITE));
	EXPECT_EQ(MVM_FAULT_MMIO, touch(0, FIRST_GFN + 1024, EXEC));
}

TEST_F(npt, a_read_does_not_make_a_page_writable)
{
	ASSERT_EQ(0, set_region(0, true));
	EXPECT_EQ(0, touch(0, FIRST_GFN, READ));
	EXPECT_FALSE(host_mm.pte[0].writable);
	EXPECT_FALSE(hw_walk(0, FIRST_GFN, WRITE));
	EXPECT_EQ(0, touch(0, FIRST_GFN, WRITE));
	EXPECT_TRUE(host_mm.pte[0].writable);
	/* Where the host's entry is writable already, one fault is enough. */
	host_protect(0, 1);
	set_pte(1, new_frames(1), true);
	EXPECT_EQ(0, touch(0, FIRST_GFN + 1, READ));
	EXPECT_NE(0, hw_walk(0, FIRST_GFN + 1, WRITE));
}

TEST_F(npt, readonly_slots)
{
	ASSERT_EQ(0, set_slot(0, KVM_MEM_READONLY, FIRST_GFN, 512, HOST_BASE));
	host_collapse(0);
	EXPECT_EQ(0, touch(0, FIRST_GFN + 5, READ));
	EXPECT_EQ(MVM_FAULT_MMIO, touch(0, FIRST_GFN + 5, WRITE));
	EXPECT_EQ(0, hw_walk(1, FIRST_GFN + 5, WRITE));
}

TEST_F(npt, large_where_the_host_is)
{
	ASSERT_EQ(0, set_region(0, true));
	host_collapse(0);
	EXPECT_EQ(0, touch(0, FIRST_GFN + 5, WRITE));
	/* The neighbour needs no fault. */
	EXPECT_NE(0, hw_walk(1, FIRST_GFN + 400, WRITE));
	host_protect(7, 8);
	EXPECT_EQ(0, hw_walk(2, FIRST_GFN + 400, READ));
	EXPECT_EQ(0, touch(0, FIRST_GFN + 5, WRITE));
	EXPECT_EQ(0, hw_walk(2, FIRST_GFN + 400, READ));
}

TEST_F(npt, small_where_slot_or_alignment_forbid_large)
{
	host_collapse(0);
	host_collapse(1);
	ASSERT_EQ(0, set_slot(0, 0, FIRST_GFN, 511, HOST_BASE));
	EXPECT_EQ(0, touch(0, FIRST_GFN + 5, WRITE));
	EXPECT_EQ(0, hw_walk(1, FIRST_GFN + 400, READ));
	ASSERT_EQ(0, set_slot(0, 0, 0, 0, 0));
	ASSERT_EQ(0, set_slot(0, 0, FIRST_GFN, 512, HOST_BASE + PAGE_SIZE));
	EXPECT_EQ(0, touch(0, FIRST_GFN + 5, WRITE));
	EXPECT_EQ(0, hw_walk(1, FIRST_GFN + 400, READ));
}

/* What follows in the group of 16, as far as the host has it with the same right. */
TEST_F(npt, present_pages_come_in_groups)
{
	const bool accessed = !variant->no_accessed;
	unsigned int i;

	ASSERT_EQ(0, set_region(0, true));
	for (i = 16; i < 48; i++)
		set_pte(i, new_frames(1), i != 24);
	EXPECT_EQ(0, touch(0, FIRST_GFN + 20, WRITE));
	/* They are there, and not used. */
	EXPECT_FALSE(mvm_npt_age(&the_vm, FIRST_GFN + 21, FIRST_GFN + 48, NPT_AGE_TEST));
	for (i = 16; i < 48; i++)
		EXPECT_EQ(i == 20 || (accessed && i > 20 && i < 24),
			  !!hw_walk(1, FIRST_GFN + i, READ));
	/* Nothing that the host would have to find. */
	EXPECT_EQ(0, touch(0, FIRST_GFN + 496, WRITE));
	EXPECT_EQ(0, host_mm.pte[497].pfn);
	set_pte(511, new_frames(1), true);
	set_pte(512, new_frames(1), true);
	EXPECT_EQ(0, touch(0, FIRST_GFN + 511, WRITE));
	EXPECT_EQ(0, hw_walk(1, FIRST_GFN + 512, READ));
}

TEST_F(npt, a_group_ends_with_its_slot)
{
	unsigned int i;

	ASSERT_EQ(0, set_slot(0, 0, FIRST_GFN, 500, HOST_BASE));
	for (i = 496; i < 504; i++)
		set_pte(i, new_frames(1), true);
	EXPECT_EQ(0, touch(0, FIRST_GFN + 496, WRITE));
	EXPECT_EQ(!variant->no_accessed, !!hw_walk(1, FIRST_GFN + 499, READ));
	EXPECT_EQ(0, hw_walk(1, FIRST_GFN + 500, READ));
}

/* With a log each frame is marked by a write of its own. */
TEST_F(npt, a_logged_page_comes_alone)
{
	ASSERT_EQ(0, set_slot(0, KVM_MEM_LOG_DIRTY_PAGES, FIRST_GFN, 512, HOST_BASE));
	set_pte(0, new_frames(1), true);
	set_pte(1, new_frames(1), true);
	EXPECT_EQ(0, touch(0, FIRST_GFN, WRITE));
	EXPECT_EQ(0, hw_walk(1, FIRST_GFN + 1, READ));
}

TEST_F(npt, code_in_large_pages)
{
	ASSERT_EQ(0, set_region(0, true));
	host_collapse(0);
	EXPECT_EQ(0, touch(0, FIRST_GFN + 5, READ));
	EXPECT_EQ(variant->multihit, !hw_walk(1, FIRST_GFN + 6, EXEC));
	EXPECT_EQ(0, touch(0, FIRST_GFN + 5, EXEC));
	/* On affected processors the fetch has split it, for this page alone. */
	EXPECT_EQ(variant->multihit, !hw_walk(2, FIRST_GFN + 6, EXEC));
	EXPECT_NE(0, hw_walk(2, FIRST_GFN + 6, WRITE));
	EXPECT_EQ(0, touch(0, FIRST_GFN + 5, WRITE));
	EXPECT_EQ(0, touch(0, FIRST_GFN + 5, EXEC));
}

TEST_F(npt, non_present_entries_point_nowhere)
{
	u64 *root = the_vm.npt_root_page;
	int i;

	for (i = 0; i < 512; i++)
		ASSERT_EQ(the_caps.npt.nonpresent, root[i]);
	ASSERT_EQ(0, set_region(0, true));
	ASSERT_EQ(0, touch(0, FIRST_GFN, WRITE));
	host_unmap(0, 1);
	EXPECT_EQ(the_caps.npt.nonpresent, tlb[0].table[0][0]);
	EXPECT_EQ(the_caps.npt.nonpresent, tlb[0].table[0][1]);
}

TEST_F(npt, table_pages_go_with_what_they_map)
{
	long before;

	ASSERT_EQ(0, set_region(0, true));
	ASSERT_EQ(0, set_region(1, true));
	ASSERT_EQ(0, touch(0, FIRST_GFN, WRITE));
	before = atomic_long_read(&the_vm.nr_npt_pages);
	ASSERT_EQ(0, touch(0, FIRST_GFN + 512, WRITE));
	EXPECT_EQ(before + 1, atomic_long_read(&the_vm.nr_npt_pages));
	host_unmap(512, 1024);
	EXPECT_EQ(before, atomic_long_read(&the_vm.nr_npt_pages));
	ASSERT_EQ(0, set_region(0, false));
	EXPECT_EQ(before - 1, atomic_long_read(&the_vm.nr_npt_pages));
	EXPECT_EQ(MVM_FAULT_MMIO, touch(0, FIRST_GFN, WRITE));
}

TEST_F(npt, ageing)
{
	const struct mmu_notifier_ops *ops;

	ASSERT_EQ(0, set_region(0, true));
	ASSERT_EQ(0, touch(0, FIRST_GFN + 3, WRITE));
	ops = host_mm.notifier->ops;
	EXPECT_EQ(0, ops->test_young(host_mm.notifier, &host_mm, HOST_BASE + 2 * PAGE_SIZE));
	EXPECT_EQ(1, ops->test_young(host_mm.notifier, &host_mm, HOST_BASE + 3 * PAGE_SIZE));
	EXPECT_EQ(1, ops->test_young(host_mm.notifier, &host_mm, HOST_BASE + 3 * PAGE_SIZE));
	EXPECT_EQ(1, ops->clear_flush_young(host_mm.notifier, &host_mm, HOST_BASE,
					    HOST_BASE + 0x10000));
	EXPECT_EQ(0, ops->clear_young(host_mm.notifier, &host_mm, HOST_BASE, HOST_BASE + 0x10000));
	/* Still mapped, unless there is no bit to clear. */
	hw_enter(0);
	EXPECT_EQ(!variant->no_accessed, !!hw_walk(0, FIRST_GFN + 3, WRITE));
	hw_leave(0);
	EXPECT_EQ(0, touch(0, FIRST_GFN + 3, WRITE));
	EXPECT_EQ(1, ops->clear_young(host_mm.notifier, &host_mm, HOST_BASE, HOST_BASE + 0x10000));
}

TEST_F(npt, release_leaves_nothing)
{
	ASSERT_EQ(0, set_region(0, true));
	ASSERT_EQ(0, touch(0, FIRST_GFN, WRITE));
	host_mm.notifier->ops->release(host_mm.notifier, &host_mm);
	EXPECT_EQ(-EIO, mvm_mmu_fault(&cpus[0], FIRST_GFN << PAGE_SHIFT, READ));
	EXPECT_EQ(0, atomic_long_read(&the_vm.nr_npt_pages));
	EXPECT_EQ(0, hw_walk(1, FIRST_GFN, READ));
}

/* One that comes and goes between a fault's look at @hva's page and its installation. */
static bool retries(hva_t hva, hva_t start, hva_t end, int others)
{
	unsigned long sample = mvm_inval_sample(&the_vm);

	mvm_inval_begin(&the_vm, start, end);
	mvm_inval_end(&the_vm, start, end);
	while (others--) {
		mvm_inval_begin(&the_vm, 0, PAGE_SIZE);
		mvm_inval_end(&the_vm, 0, PAGE_SIZE);
	}
	return mvm_inval_retry(&the_vm, hva, sample);
}

TEST_F(npt, a_fault_starts_again_for_its_own_page_only)
{
	const hva_t hva = HOST_BASE + 8 * PAGE_SIZE, next = hva + PAGE_SIZE;
	unsigned long sample;
	int i;

	EXPECT_FALSE(retries(hva, next, next + PAGE_SIZE, 0));
	EXPECT_FALSE(retries(hva, hva - PAGE_SIZE, hva, 0));
	EXPECT_TRUE(retries(hva, hva, next, 0));
	EXPECT_TRUE(retries(hva, hva + 8, hva + 9, 0));
	EXPECT_TRUE(retries(hva, 0, ~0ULL, 0));
	/* It is not forgotten behind others, and where it might be, nothing is assumed. */
	for (i = 1; i < 3 * MVM_INVAL_LAST; i++) {
		EXPECT_TRUE(retries(hva, hva, next, i));
		EXPECT_EQ(i + 1 >= MVM_INVAL_LAST, retries(hva, 0, PAGE_SIZE, i));
	}
	/* Under way: both count, wherever they overlap. */
	sample = mvm_inval_sample(&the_vm);
	mvm_inval_begin(&the_vm, 0, PAGE_SIZE);
	EXPECT_FALSE(mvm_inval_retry(&the_vm, hva, sample));
	mvm_inval_begin(&the_vm, hva, next);
	EXPECT_TRUE(mvm_inval_retry(&the_vm, hva, sample));
	mvm_inval_end(&the_vm, hva, next);
	EXPECT_TRUE(mvm_inval_retry(&the_vm, hva, sample));
	mvm_inval_end(&the_vm, 0, PAGE_SIZE);
	EXPECT_FALSE(mvm_inval_retry(&the_vm, hva, mvm_inval_sample(&the_vm)));
}

/* ------------------------------------------------------------------ the race */

static bool stop;
static unsigned long accesses, faults;

static void *run_vcpu(void *arg)
{
	static const u32 kinds[] = { READ, WRITE, EXEC };
	const int cpu = (struct mvm_vcpu *)arg - cpus;
	unsigned int seed = cpu;

	while (!smp_load_acquire(&stop)) {
		gfn_t gfn = 0;
		u32 access = 0;
		bool fault = false;
		int n;

		hw_enter(cpu);
		for (n = 0; n < 200 && !fault && !READ_ONCE(cpus[cpu].requests); n++) {
			/* A few frames of each region, so that they are warm. */
			gfn = FIRST_GFN + rand_r(&seed) % HOST_REGIONS * 512 + rand_r(&seed) % 16;
			access = kinds[rand_r(&seed) % ARRAY_SIZE(kinds)];
			fault = !hw_access(cpu, gfn, access);
			if (n % 16 == 0)
				world_jitter();
		}
		hw_leave(cpu);
		__atomic_fetch_add(&accesses, n, __ATOMIC_RELAXED);
		if (!fault)
			continue;
		__atomic_fetch_add(&faults, 1, __ATOMIC_RELAXED);
		if (mvm_mmu_fault(&cpus[cpu], gfn << PAGE_SHIFT, access) < 0)
			violation("mvm_mmu_fault() failed", gfn);
	}
	return NULL;
}

static void *run_host(void *arg)
{
	unsigned int seed = 100 + (long)arg;

	while (!smp_load_acquire(&stop)) {
		unsigned int region = rand_r(&seed) % HOST_REGIONS;
		unsigned int first = region * 512 + rand_r(&seed) % 16;
		unsigned int n = 1 + rand_r(&seed) % 4;
		hva_t hva = HOST_BASE + first * PAGE_SIZE;

		switch (rand_r(&seed) % 8) {
		case 0:
			if (rand_r(&seed) % 8 == 0)
				host_collapse(region);
			break;
		case 1:
			host_unmap(region * 512, region * 512 + 512);
			break;
		case 2:
		case 3:
			host_protect(first, first + n);
			break;
		case 4:
			host_mm.notifier->ops->clear_young(host_mm.notifier, &host_mm, hva,
							   hva + n * PAGE_SIZE);
			break;
		default:
			host_unmap(first, first + n);
		}
		sched_yield();
	}
	return NULL;
}

static void *run_slots(void *arg)
{
	unsigned int seed = 7;

	(void)arg;
	while (!smp_load_acquire(&stop)) {
		unsigned int region = rand_r(&seed) % HOST_REGIONS;

		if (set_region(region, false))
			violation("a slot cannot be deleted", region);
		__atomic_store_n(&slot_gone[region], true, __ATOMIC_SEQ_CST);
		sched_yield();
		__atomic_store_n(&slot_gone[region], false, __ATOMIC_SEQ_CST);
		if (set_region(region, true))
			violation("a slot cannot be added", region);
		sched_yield();
	}
	return NULL;
}

TEST_F(npt, nothing_outlives_its_removal)
{
	const char *env = getenv("MVM_MMU_RACE_MS");
	const long ms = env ? atol(env) : 1500;
	const struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
	pthread_t thread[VCPUS + 3];
	int i;

	for (i = 0; i < HOST_REGIONS; i++)
		ASSERT_EQ(0, set_region(i, true));
	stop = false;
	accesses = 0;
	faults = 0;
	for (i = 0; i < VCPUS; i++)
		pthread_create(&thread[i], NULL, run_vcpu, &cpus[i]);
	pthread_create(&thread[i++], NULL, run_host, (void *)1L);
	pthread_create(&thread[i++], NULL, run_host, (void *)2L);
	pthread_create(&thread[i++], NULL, run_slots, NULL);
	nanosleep(&time, NULL);
	smp_store_release(&stop, true);
	while (i)
		pthread_join(thread[--i], NULL);
	TH_LOG("%lu accesses, %lu faults", accesses, faults);
	EXPECT_LT(1000, accesses);
	EXPECT_LT(100, faults);
}

MVM_HARNESS_MAIN
