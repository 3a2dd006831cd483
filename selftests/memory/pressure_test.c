// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory under the host's reclaim: pages go to swap and come back with every
 * byte, and the host learns from the accessed bits which of them the guest uses.
 *
 * Swap is a RAM disk that the test makes. MADV_PAGEOUT throws out what it is told to,
 * on 6.1 only what was not used since the last time; a memory cgroup's memory.reclaim
 * takes what the host itself thinks is used least.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>

#include "mvm_harness.h"
#include "mvm_memory.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

#define SWAP_DISK  "/dev/ram0"
#define SWAP_PAGES (96UL << 8) /* 96 MiB */
#define CGROUP	   "/tmp/minivmm-cgroup"

/* What mkswap writes: version, last page, and the signature at the first page's end. */
static bool make_swap(void)
{
	static uint32_t page[TMEM_PAGE / 4];
	int fd;
	bool done;

	if (access(SWAP_DISK, F_OK) && system("modprobe brd rd_nr=1 rd_size=98304"))
		return false;
	page[1024 / 4] = 1;
	page[1024 / 4 + 1] = SWAP_PAGES - 1;
	memcpy((char *)page + TMEM_PAGE - 10, "SWAPSPACE2", 10);
	fd = open(SWAP_DISK, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	done = write(fd, page, TMEM_PAGE) == TMEM_PAGE && !fsync(fd);
	close(fd);
	return done && !swapon(SWAP_DISK, 0);
}

static void drop_swap(void)
{
	swapoff(SWAP_DISK);
	if (system("rmmod brd"))
		printf("# the RAM disk stays\n");
}

/* VmSwap: what this process has in swap, in pages. */
static long vm_swap(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[128];
	long kib = -1;

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "VmSwap: %ld", &kib);
	if (file)
		fclose(file);
	return kib / 4;
}

/* How many pages of a range the launcher has in swap, or has mapped. */
enum { IN_SWAP = 62, PRESENT = 63 };

static size_t count(const uint8_t *mem, size_t size, int bit)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry[512];
	size_t at = 0, n = 0, i;

	while (fd >= 0 && at < size) {
		off_t where = ((uintptr_t)mem + at) / TMEM_PAGE * 8;
		size_t want = (size - at) / TMEM_PAGE;

		if (want > 512)
			want = 512;
		if (pread(fd, entry, want * 8, where) != (ssize_t)want * 8)
			break;
		for (i = 0; i < want; i++)
			n += entry[i] >> bit & 1;
		at += want * TMEM_PAGE;
	}
	if (fd >= 0)
		close(fd);
	return n;
}

/* The guest uses each page's first word; this is in the rest of it. */
static uint32_t byte_of(size_t offset)
{
	return offset * 2654435761U ^ offset >> 12;
}

static void fill(uint8_t *mem, size_t size)
{
	size_t at;

	for (at = 0; at < size; at += 4) {
		if (at % TMEM_PAGE)
			*(uint32_t *)(mem + at) = byte_of(at);
	}
}

static size_t count_wrong(const uint8_t *mem, size_t size)
{
	size_t at, wrong = 0;

	for (at = 0; at < size; at += 4)
		wrong += at % TMEM_PAGE && *(const uint32_t *)(mem + at) != byte_of(at);
	return wrong;
}

/* Out with a range: the first time clears the accessed bits, on kernels that look at them. */
static int page_out(uint8_t *mem, size_t size)
{
	int ret = madvise(mem, size, MADV_PAGEOUT);

	return ret ? ret : madvise(mem, size, MADV_PAGEOUT);
}

FIXTURE(pressure)
{
	struct tmem t;
	uint8_t *mem;
	size_t size;
};

FIXTURE_SETUP(pressure)
{
	self->size = 4 * TMEM_LARGE;
	self->mem = tmem_map(self->size, TMEM_LARGE);
	ASSERT_NE(NULL, self->mem);
	TMEM_CREATE_OR_SKIP(&self->t, self->mem, self->size, 0);
	madvise(self->mem, self->size, MADV_NOHUGEPAGE);
	if (!make_swap())
		MVM_SKIP("nothing to swap to: the host needs brd.ko, and root");
}

FIXTURE_TEARDOWN(pressure)
{
	tmem_destroy(&self->t);
	munmap(self->mem, self->size);
	drop_swap();
}

/* What the guest wrote, thrown out while it is away. */
TEST_F_TIMEOUT(pressure, swapped_pages_come_back_whole, 200)
{
	const size_t pages = TMEM_LARGE / TMEM_PAGE;
	long before = vm_swap();

	self->t.size = TMEM_LARGE;
	fill(self->mem, self->t.size);
	ASSERT_EQ(0, tmem_start(&self->t));
	EXPECT_TRUE(tmem_rounds(&self->t, 1));
	EXPECT_EQ(0, tmem_stop(&self->t));

	ASSERT_EQ(0, page_out(self->mem, self->t.size));
	EXPECT_LT(pages * 9 / 10, count(self->mem, self->t.size, IN_SWAP));
	EXPECT_LT(before + (long)pages * 9 / 10, vm_swap());
	TH_LOG("of %zu pages %zu are in swap", pages, count(self->mem, self->t.size, IN_SWAP));

	ASSERT_EQ(0, tmem_start(&self->t));
	EXPECT_TRUE(tmem_rounds(&self->t, 1));
	EXPECT_EQ(0, tmem_stop(&self->t));
	EXPECT_EQ(pages, count(self->mem, self->t.size, PRESENT));
	EXPECT_EQ(0, tmem_wrong(&self->t));
	EXPECT_EQ(0, count_wrong(self->mem, self->t.size));
}

/* Piece by piece, small pages, then huge ones, and the guest's own tables. */
TEST_F_TIMEOUT(pressure, pages_are_swapped_under_a_running_guest, 200)
{
	const size_t piece = 64 * TMEM_PAGE;
	const size_t enough = 2 * TMEM_LARGE / TMEM_PAGE / 4;
	const int turns = tmem_long() ? 60 : 2;
	size_t at, out = 0;
	int i;

	self->t.size = 2 * TMEM_LARGE;
	fill(self->mem, self->t.size);
	ASSERT_EQ(0, tmem_start(&self->t));
	/* A quick guest has its pages back before they are counted: some turns more, then. */
	for (i = 0; i < turns || (out <= enough && i < 10 * turns); i++) {
		if (i == turns / 2)
			madvise(self->mem, self->size, MADV_HUGEPAGE);
		for (at = 0; at < self->t.size; at += piece) {
			EXPECT_EQ(0, page_out(self->mem + at, piece));
			out += count(self->mem + at, piece, IN_SWAP);
		}
		EXPECT_EQ(0, page_out(self->t.vm.mem, self->t.vm.mem_size));
		EXPECT_TRUE(tmem_rounds(&self->t, 1));
	}
	EXPECT_EQ(0, tmem_stop(&self->t));
	TH_LOG("%zu times a page was seen in swap, %lu rounds, %llu faults", out, self->t.passes,
	       (unsigned long long)tmem_exits(&self->t, "mem-fault"));
	EXPECT_LT(enough, out);
	EXPECT_EQ(0, tmem_wrong(&self->t));
	EXPECT_EQ(0, count_wrong(self->mem, self->t.size));
}

/* A cgroup for this process, to reclaim from. */
static bool enter_cgroup(void)
{
	char pid[16];

	mkdir(CGROUP, 0755);
	if (mount("none", CGROUP, "cgroup2", 0, NULL))
		return false;
	snprintf(pid, sizeof(pid), "%d", getpid());
	tmem_echo(CGROUP "/cgroup.subtree_control", "+memory");
	mkdir(CGROUP "/test", 0755);
	return tmem_echo(CGROUP "/test/cgroup.procs", pid) &&
	       !access(CGROUP "/test/memory.reclaim", W_OK);
}

static void leave_cgroup(void)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	tmem_echo(CGROUP "/cgroup.procs", pid);
	rmdir(CGROUP "/test");
	umount(CGROUP);
	rmdir(CGROUP);
}

/*
 * The guest uses all of its memory once, and goes on with its first @hot pages: the host
 * would take those before all others, but for the accessed bits. It is made to take most of
 * the others. Return: how many of the used ones had to come back.
 */
static long used_that_came_back(struct __test_metadata *_metadata, struct tmem *t, size_t size,
				size_t hot)
{
	const size_t cold = size / TMEM_PAGE - hot;
	uint8_t *rest = t->mem + hot * TMEM_PAGE;
	size_t at, out = 0;
	long faults;
	int steps;

	/* What the guest expects to find, also after an earlier try. */
	for (at = 0; at < size; at += TMEM_PAGE)
		*(uint32_t *)(t->mem + at) = t->value;
	t->size = size;
	ASSERT_EQ(0, tmem_start(t));
	EXPECT_TRUE(tmem_rounds(t, 1));
	EXPECT_EQ(0, tmem_stop(t));
	EXPECT_EQ(0, tmem_wrong(t));

	t->size = hot * TMEM_PAGE;
	ASSERT_EQ(0, tmem_start(t));
	EXPECT_TRUE(tmem_rounds(t, 2));
	faults = tmem_major_faults(t);
	for (steps = 0; steps < 100 && out < cold * 9 / 10; steps++) {
		/* It fails where it reclaimed less than that. */
		tmem_echo(CGROUP "/test/memory.reclaim", "256K");
		EXPECT_TRUE(tmem_rounds(t, 1));
		out = count(rest, cold * TMEM_PAGE, IN_SWAP);
	}
	faults = tmem_major_faults(t) - faults;
	EXPECT_EQ(0, tmem_stop(t));
	TH_LOG("%d steps: %zu of %zu unused pages went to swap, %ld of %zu used ones came back",
	       steps, out, cold, faults, hot);
	EXPECT_EQ(0, tmem_wrong(t));
	EXPECT_LE(cold * 9 / 10, out);
	return faults;
}

/*
 * Without accessed bits a used page goes as any other. With them some go where the emulated
 * CPU that runs the guest stands still while the other one reclaims: that takes another try.
 */
TEST_F_TIMEOUT(pressure, what_the_guest_uses_stays, 200)
{
	const size_t hot = 256;
	long faults = LONG_MAX;
	size_t at;
	int i;

	if (!enter_cgroup()) {
		leave_cgroup();
		SKIP(return, "the host has no memory cgroups to reclaim from");
	}
	for (i = 0; i < 5 && faults >= (long)hot / 4; i++)
		faults = used_that_came_back(_metadata, &self->t, self->size, hot);
	EXPECT_GT(hot / 4, faults);
	/* The others come back with what the guest wrote. */
	for (at = hot * TMEM_PAGE; at < self->size; at += TMEM_PAGE)
		EXPECT_NE(0, *(uint32_t *)(self->mem + at));
	leave_cgroup();
}

MVM_HARNESS_MAIN
