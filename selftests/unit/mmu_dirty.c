// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log, in mmu_world.h's world: what is reported when, what becomes of
 * large leaves, and that a copy of the memory by the log alone ends up equal
 * while vCPUs write, the host takes pages and the log goes on and off.
 *
 * MVM_MMU_RACE_MS sets how long the race runs.
 */
#include <time.h>

#include "mvm_harness.h"
#include "mmu/entry.h"

#define READ  MVM_ACCESS_READ
#define WRITE MVM_ACCESS_WRITE
#define LOG   KVM_MEM_LOG_DIRTY_PAGES
#define WORDS (HOST_PAGES / 64)

static const struct mvm_npt_format npt = {
	.levels = 4, .table = 7, .leaf = 4, .read = 1, .write = 2, .noexec = 1ULL << 63,
	.large = 0x80, .accessed = 0x20, .dirty = 0x40, .has_1g = true,
};

FIXTURE(dirty)
{
	u64 log[WORDS];
};

FIXTURE_SETUP(dirty)
{
	(void)self;
	world_init(&npt);
}

FIXTURE_TEARDOWN(dirty)
{
	(void)self;
	mvm_mmu_vm_destroy(&the_vm);
	EXPECT_EQ(0, violations);
	EXPECT_EQ(0, atomic_long_read(&the_vm.nr_npt_pages));
}

/* All of the host's memory as slot 0. */
static int set_slot(u32 flags)
{
	struct kvm_userspace_memory_region region = {
		.flags = flags, .guest_phys_addr = FIRST_GFN << PAGE_SHIFT,
		.memory_size = HOST_PAGES << PAGE_SHIFT, .userspace_addr = HOST_BASE,
	};

	return mvm_memslot_set(&the_vm, &region);
}

static int get_log(u64 *bits)
{
	struct kvm_dirty_log log = { .dirty_bitmap = bits };

	memset(bits, 0xaa, WORDS * 8);
	return mvm_dirty_get(&the_vm, &log);
}

static int clear_log(u64 first, u32 n, u64 *bits)
{
	struct kvm_clear_dirty_log log = {
		.first_page = first, .num_pages = n, .dirty_bitmap = bits,
	};

	return mvm_dirty_clear(&the_vm, &log);
}

static int count(const u64 *bits)
{
	int i, n = 0;

	for (i = 0; i < WORDS; i++)
		n += __builtin_popcountll(bits[i]);
	return n;
}

static bool has(const u64 *bits, unsigned int page)
{
	return bits[page / 64] >> page % 64 & 1;
}

/* Access until it works. */
static int touch(unsigned int page, u32 access)
{
	int tries, ret = MVM_FAULT_FIXED;

	for (tries = 0; ret == MVM_FAULT_FIXED && tries < 10; tries++) {
		bool done;

		hw_enter(0);
		done = hw_access(0, FIRST_GFN + page, access);
		hw_leave(0);
		if (done)
			return 0;
		ret = mvm_mmu_fault(&cpus[0], (FIRST_GFN + page) << PAGE_SHIFT, access);
	}
	return -ELOOP;
}

/* The entry that maps a frame, and its level. */
static u64 leaf_of(gfn_t gfn, int *level)
{
	u64 *table = the_vm.npt_root_page;
	u64 entry;

	for (*level = the_vm.npt_levels;; --*level) {
		entry = table[npt_index(gfn, *level)];
		if (!npt_present(&npt, entry))
			return 0;
		if (npt_is_leaf(&npt, entry, *level))
			return entry;
		table = npt_child(&npt, entry);
	}
}

/* -------------------------------------------------------------------- claims */

TEST_F(dirty, a_slot_without_a_log_is_enoent)
{
	EXPECT_EQ(-ENOENT, get_log(self->log));
	ASSERT_EQ(0, set_slot(0));
	EXPECT_EQ(-ENOENT, get_log(self->log));
	EXPECT_EQ(-ENOENT, clear_log(0, HOST_PAGES, self->log));
	EXPECT_EQ(-EINVAL, mvm_dirty_get(&the_vm, &(struct kvm_dirty_log) { .slot = 509 }));
	EXPECT_EQ(-EINVAL, mvm_dirty_get(&the_vm, &(struct kvm_dirty_log) { .slot = 1 << 16 }));
	ASSERT_EQ(0, set_slot(LOG));
	EXPECT_EQ(0, get_log(self->log));
	EXPECT_EQ(0, count(self->log));
	ASSERT_EQ(0, set_slot(0));
	EXPECT_EQ(-ENOENT, get_log(self->log));
}

TEST_F(dirty, a_write_is_reported_once)
{
	ASSERT_EQ(0, set_slot(LOG));
	EXPECT_EQ(0, touch(3, READ));
	EXPECT_EQ(0, touch(100, WRITE));
	EXPECT_EQ(0, touch(101, READ));
	EXPECT_EQ(0, touch(101, WRITE));
	ASSERT_EQ(0, get_log(self->log));
	EXPECT_EQ(2, count(self->log));
	EXPECT_TRUE(has(self->log, 100));
	EXPECT_TRUE(has(self->log, 101));
	ASSERT_EQ(0, get_log(self->log));
	EXPECT_EQ(0, count(self->log));
	EXPECT_EQ(0, touch(100, WRITE));
	ASSERT_EQ(0, get_log(self->log));
	EXPECT_EQ(1, count(self->log));
	EXPECT_TRUE(has(self->log, 100));
}

/* Only the log took the right away, and only it is asked, until the host takes it, too. */
TEST_F(dirty, a_frame_is_written_again_without_the_host)
{
	unsigned int before;
	int level;

	ASSERT_EQ(0, set_slot(LOG));
	EXPECT_EQ(0, touch(100, WRITE));
	EXPECT_EQ(0, touch(200, READ));
	ASSERT_EQ(0, get_log(self->log));
	EXPECT_EQ(0, leaf_of(FIRST_GFN + 100, &level) & npt.write);
	before = host_lookups;
	EXPECT_EQ(0, touch(100, WRITE));
	EXPECT_EQ(before, host_lookups);
	EXPECT_EQ(0, touch(200, WRITE));
	EXPECT_LT(before, host_lookups);
	ASSERT_EQ(0, get_log(self->log));
	EXPECT_EQ(2, count(self->log));

	host_protect(100, 101);
	before = host_lookups;
	EXPECT_EQ(0, touch(100, READ));
	EXPECT_EQ(0, leaf_of(FIRST_GFN + 100, &level) & NPT_HOST_WRITABLE);
	EXPECT_EQ(0, touch(100, WRITE));
	EXPECT_LT(before, host_lookups);
	EXPECT_EQ(host_mm.pte[100].pfn << PAGE_SHIFT,
		  npt_address(&npt, leaf_of(FIRST_GFN + 100, &level)));
}

TEST_F(dirty, what_was_writable_before_the_log_is_reported)
{
	ASSERT_EQ(0, set_slot(0));
	host_collapse(1);
	EXPECT_EQ(0, touch(7, WRITE));
	EXPECT_EQ(0, touch(512, WRITE));
	ASSERT_EQ(0, set_slot(LOG));
	EXPECT_EQ(0, touch(7, WRITE));
	EXPECT_EQ(0, touch(515, WRITE));
	ASSERT_EQ(0, get_log(self->log));
	EXPECT_EQ(2, count(self->log));
	EXPECT_TRUE(has(self->log, 7));
	EXPECT_TRUE(has(self->log, 515));
}

TEST_F(dirty, large_leaves_are_split_and_come_back)
{
	int level;

	ASSERT_EQ(0, set_slot(0));
	host_collapse(0);
	EXPECT_EQ(0, touch(5, WRITE));
	EXPECT_NE(0, leaf_of(FIRST_GFN + 5, &level));
	EXPECT_EQ(NPT_LEVEL_2M, level);
	ASSERT_EQ(0, set_slot(LOG));
	/* Still large until it is written, then only that page is writable. */
	EXPECT_EQ(0, leaf_of(FIRST_GFN + 5, &level) & npt.write);
	EXPECT_EQ(NPT_LEVEL_2M, level);
	EXPECT_EQ(0, touch(5, WRITE));
	EXPECT_NE(0, leaf_of(FIRST_GFN + 5, &level) & npt.write);
	EXPECT_EQ(NPT_LEVEL_4K, level);
	/* The neighbours are there, from the split. */
	EXPECT_EQ(leaf_of(FIRST_GFN, &level) >> PAGE_SHIFT, host_mm.pte[0].pfn);
	EXPECT_EQ(leaf_of(FIRST_GFN + 511, &level) >> PAGE_SHIFT, host_mm.pte[511].pfn);
	EXPECT_EQ(0, leaf_of(FIRST_GFN + 511, &level) & (npt.write | npt.large));
	ASSERT_EQ(0, set_slot(0));
	EXPECT_EQ(0, touch(5, WRITE));
	EXPECT_NE(0, leaf_of(FIRST_GFN + 5, &level));
	EXPECT_EQ(NPT_LEVEL_2M, level);
}

TEST_F(dirty, initially_set)
{
	u64 one = 1ULL << 5, mask[WORDS] = { [0] = one };
	int level;

	ASSERT_EQ(0, mvm_dirty_set_manual(&the_vm, MVM_DIRTY_MANUAL_FLAGS));
	ASSERT_EQ(0, set_slot(0));
	host_collapse(0);
	EXPECT_EQ(0, touch(5, WRITE));
	ASSERT_EQ(0, set_slot(LOG));
	ASSERT_EQ(0, get_log(self->log));
	EXPECT_EQ(HOST_PAGES, count(self->log));
	/* Nothing was protected: it is marked already. */
	EXPECT_NE(0, leaf_of(FIRST_GFN + 5, &level) & npt.write);
	ASSERT_EQ(0, clear_log(0, 64, mask));
	EXPECT_EQ(0, leaf_of(FIRST_GFN + 5, &level) & npt.write);
	ASSERT_EQ(0, get_log(self->log));
	EXPECT_EQ(HOST_PAGES - 1, count(self->log));
	EXPECT_EQ(0, touch(5, WRITE));
	ASSERT_EQ(0, get_log(self->log));
	EXPECT_EQ(HOST_PAGES, count(self->log));
}

TEST_F(dirty, manual_protection)
{
	u64 mask[WORDS];

	EXPECT_EQ(-EINVAL, mvm_dirty_set_manual(&the_vm, KVM_DIRTY_LOG_INITIALLY_SET));
	EXPECT_EQ(-EINVAL, mvm_dirty_set_manual(&the_vm, 4));
	ASSERT_EQ(0, mvm_dirty_set_manual(&the_vm, KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE));
	ASSERT_EQ(0, set_slot(LOG));
	EXPECT_EQ(0, touch(64, WRITE));
	EXPECT_EQ(0, touch(65, WRITE));
	EXPECT_EQ(0, touch(HOST_PAGES - 1, WRITE));
	ASSERT_EQ(0, get_log(self->log));
	ASSERT_EQ(0, get_log(self->log));
	EXPECT_EQ(3, count(self->log));

	memset(mask, 0xff, sizeof(mask));
	EXPECT_EQ(-EINVAL, clear_log(1, 64, mask));
	EXPECT_EQ(-EINVAL, clear_log(0, 63, mask));
	EXPECT_EQ(-EINVAL, clear_log(0, HOST_PAGES + 1, mask));
	EXPECT_EQ(-EINVAL, clear_log(HOST_PAGES + 64, 0, mask));
	EXPECT_EQ(-EINVAL, clear_log(~63ULL, 128, mask));
	ASSERT_EQ(0, clear_log(HOST_PAGES - 64, 64, mask));
	ASSERT_EQ(0, get_log(self->log));
	EXPECT_EQ(2, count(self->log));
	mask[0] = 1;
	ASSERT_EQ(0, clear_log(64, 64, mask));
	ASSERT_EQ(0, get_log(self->log));
	EXPECT_EQ(1, count(self->log));
	EXPECT_TRUE(has(self->log, 65));
	EXPECT_EQ(0, touch(64, WRITE));
	ASSERT_EQ(0, get_log(self->log));
	EXPECT_EQ(2, count(self->log));
}

/* 1 GiB of guest memory whose first pages the world has, as one entry of the host's. */
TEST_F(dirty, a_leaf_of_1_gib)
{
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = 1 << 30, .memory_size = 1 << 30, .userspace_addr = HOST_BASE,
	};
	const gfn_t first = 1 << 18;
	int level;

	world_pud = new_frames(1 << 18);
	host_mm.pmd[0].v = _PAGE_PRESENT;
	set_pte(5, world_pud + 5, true);
	ASSERT_EQ(0, mvm_memslot_set(&the_vm, &region));
	ASSERT_EQ(MVM_FAULT_FIXED, mvm_mmu_fault(&cpus[0], (first + 5) << PAGE_SHIFT, WRITE));
	EXPECT_EQ(world_pud, leaf_of(first + 5, &level) >> PAGE_SHIFT);
	EXPECT_EQ(NPT_LEVEL_1G, level);
	EXPECT_NE(0, leaf_of(first + 0x3ffff, &level) & npt.write);

	region.flags = LOG;
	ASSERT_EQ(0, mvm_memslot_set(&the_vm, &region));
	EXPECT_EQ(0, leaf_of(first + 5, &level) & npt.write);
	EXPECT_EQ(NPT_LEVEL_1G, level);
	ASSERT_EQ(MVM_FAULT_FIXED, mvm_mmu_fault(&cpus[0], (first + 5) << PAGE_SHIFT, WRITE));
	EXPECT_EQ(world_pud + 5, (leaf_of(first + 5, &level) & NPT_ADDR_MASK) >> PAGE_SHIFT);
	EXPECT_EQ(NPT_LEVEL_4K, level);
	EXPECT_EQ(world_pud + 511, (leaf_of(first + 511, &level) & NPT_ADDR_MASK) >> PAGE_SHIFT);
	EXPECT_EQ(NPT_LEVEL_4K, level);
	EXPECT_EQ(world_pud + 512, (leaf_of(first + 512, &level) & NPT_ADDR_MASK) >> PAGE_SHIFT);
	EXPECT_EQ(NPT_LEVEL_2M, level);
	EXPECT_EQ(0, leaf_of(first + 0x3ffff, &level) & npt.write);
	EXPECT_EQ(NPT_LEVEL_2M, level);

	/* Not where the processor has none, or the slot does not cover it. */
	region.flags = 0;
	ASSERT_EQ(0, mvm_memslot_set(&the_vm, &region));
	the_caps.npt.has_1g = false;
	ASSERT_EQ(MVM_FAULT_FIXED, mvm_mmu_fault(&cpus[0], (first + 5) << PAGE_SHIFT, WRITE));
	EXPECT_NE(0, leaf_of(first + 5, &level));
	EXPECT_EQ(NPT_LEVEL_2M, level);
}

/* ------------------------------------------------------------------ the race */

static bool stop, park;
static int parked;
/* The memory, a number a page, and the copy that follows the log alone. */
static u64 value[HOST_PAGES], copy[HOST_PAGES];
static unsigned long writes;

static void *run_vcpu(void *arg)
{
	const int cpu = (struct mvm_vcpu *)arg - cpus;
	unsigned int seed = cpu;

	while (!smp_load_acquire(&stop)) {
		unsigned int page = 0;
		bool fault = false;
		u32 access = READ;
		int n;

		if (smp_load_acquire(&park)) {
			__atomic_fetch_add(&parked, 1, __ATOMIC_SEQ_CST);
			while (smp_load_acquire(&park))
				sched_yield();
			__atomic_fetch_sub(&parked, 1, __ATOMIC_SEQ_CST);
		}
		hw_enter(cpu);
		for (n = 0; n < 100 && !fault && !READ_ONCE(cpus[cpu].requests); n++) {
			page = rand_r(&seed) % HOST_REGIONS * 512 + rand_r(&seed) % 32;
			access = rand_r(&seed) % 3 ? WRITE : READ;
			fault = !hw_access(cpu, FIRST_GFN + page, access);
			if (fault || access == READ)
				continue;
			__atomic_fetch_add(&value[page], 1, __ATOMIC_SEQ_CST);
			__atomic_fetch_add(&writes, 1, __ATOMIC_RELAXED);
			if (n % 16 == 0)
				world_jitter();
		}
		hw_leave(cpu);
		if (!fault)
			continue;
		if (mvm_mmu_fault(&cpus[cpu], (FIRST_GFN + page) << PAGE_SHIFT, access) < 0)
			violation("mvm_mmu_fault() failed", page);
	}
	return NULL;
}

static void *run_host(void *arg)
{
	unsigned int seed = 100;

	(void)arg;
	while (!smp_load_acquire(&stop)) {
		unsigned int region = rand_r(&seed) % HOST_REGIONS;
		unsigned int first = region * 512 + rand_r(&seed) % 32;

		if (rand_r(&seed) % 4 == 0)
			host_collapse(region);
		else if (rand_r(&seed) % 2)
			host_protect(first, first + 1);
		else
			host_unmap(first, first + 1);
		sched_yield();
	}
	return NULL;
}

/* Copy what the log says. */
static int follow(bool manual)
{
	static u64 bits[WORDS];
	unsigned int i;
	int ret = get_log(bits);

	if (!ret && manual)
		ret = clear_log(0, HOST_PAGES, bits);
	for (i = 0; i < HOST_PAGES && !ret; i++) {
		if (has(bits, i))
			copy[i] = __atomic_load_n(&value[i], __ATOMIC_SEQ_CST);
	}
	return ret;
}

static void copy_all(void)
{
	unsigned int i;

	for (i = 0; i < HOST_PAGES; i++)
		copy[i] = __atomic_load_n(&value[i], __ATOMIC_SEQ_CST);
}

static void set_park(bool on)
{
	__atomic_store_n(&park, on, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&parked, __ATOMIC_SEQ_CST) != (on ? VCPUS : 0))
		sched_yield();
}

/* With the vCPUs stopped: after the last look at the log nothing may differ. */
static int compare(bool manual)
{
	int i, differ = 0;

	set_park(true);
	if (follow(manual))
		differ = -1;
	for (i = 0; i < HOST_PAGES && differ >= 0; i++)
		differ += copy[i] != value[i];
	set_park(false);
	return differ;
}

static bool reached(const struct timespec *end)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > end->tv_sec ||
	       (now.tv_sec == end->tv_sec && now.tv_nsec >= end->tv_nsec);
}

static void race(struct __test_metadata *_metadata, u64 manual, long ms)
{
	pthread_t thread[VCPUS + 1];
	struct timespec end;
	int i, rounds;

	ASSERT_EQ(0, mvm_dirty_set_manual(&the_vm, manual));
	ASSERT_EQ(0, set_slot(LOG));
	stop = false;
	writes = 0;
	copy_all();
	for (i = 0; i < VCPUS; i++)
		pthread_create(&thread[i], NULL, run_vcpu, &cpus[i]);
	pthread_create(&thread[i++], NULL, run_host, NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ms / 1000;
	end.tv_nsec += ms % 1000 * 1000000;
	for (rounds = 1; !reached(&end); rounds++) {
		EXPECT_EQ(0, follow(manual));
		if (rounds % 4 == 0)
			EXPECT_EQ(0, compare(manual));
		if (rounds % 64 == 0) {
			/* What is copied after the log is on needs no mark from before. */
			EXPECT_EQ(0, set_slot(0));
			EXPECT_EQ(0, set_slot(LOG));
			copy_all();
		}
		if (!_metadata->passed)
			break;
	}
	smp_store_release(&stop, true);
	while (i)
		pthread_join(thread[--i], NULL);
	TH_LOG("%lu writes, %d rounds of the log", writes, rounds);
	EXPECT_LT(1000, writes);
}

TEST_F(dirty, a_copy_by_the_log_is_equal)
{
	const char *env = getenv("MVM_MMU_RACE_MS");
	const long ms = env ? atol(env) : 1000;

	race(_metadata, 0, ms);
	ASSERT_EQ(0, set_slot(0));
	race(_metadata, KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE, ms);
	ASSERT_EQ(0, set_slot(0));
	race(_metadata, MVM_DIRTY_MANUAL_FLAGS, ms);
}

MVM_HARNESS_MAIN
