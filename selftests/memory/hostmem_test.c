// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every kind of memory that a launcher may give to a guest, and what the host
 * does to such memory while the guest uses it: the right bytes every time.
 *
 * selftests/guest/memory_test.c has the basics (discard, protection, fork,
 * private and shared files); here are the rest and the running guest.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "mvm_harness.h"
#include "mvm_host.h"
#include "mvm_memory.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_HWPOISON
#define MADV_HWPOISON 100
#endif

/* SDM, VMX capability reporting facility */
#define IA32_VMX_EPT_VPID_CAP 0x48c
#define EPT_ACCESSED_DIRTY    (1 << 21)

#define HUGE_2M "/sys/kernel/mm/hugepages/hugepages-2048kB/"
#define HUGE_1G "/sys/kernel/mm/hugepages/hugepages-1048576kB/"

FIXTURE(hostmem)
{
	struct tmem t;
	uint8_t *mem;
	size_t size;
};

FIXTURE_SETUP(hostmem)
{
	self->size = 2 * TMEM_LARGE;
	self->mem = tmem_map(self->size, TMEM_LARGE);
	ASSERT_NE(NULL, self->mem);
	TMEM_CREATE_OR_SKIP(&self->t, self->mem, self->size, 0);
}

FIXTURE_TEARDOWN(hostmem)
{
	tmem_destroy(&self->t);
	munmap(self->mem, self->size);
}

static uint32_t *word(uint8_t *mem, uint64_t offset)
{
	return (uint32_t *)(mem + offset);
}

/* In place of the slot's memory: the slot and its address stay. */
static bool replace(uint8_t *at, size_t size, int flags, int fd)
{
	return mmap(at, size, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0) == at;
}

/* ------------------------------------------------------ kinds of memory */

TEST_F(hostmem, a_memfd_in_two_slots_is_one_memory)
{
	const uint64_t second = TMEM_GPA + 8 * TMEM_LARGE;
	int fd = memfd_create("guest", MFD_CLOEXEC);
	void *other;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, self->size));
	ASSERT_TRUE(replace(self->mem, self->size, MAP_SHARED, fd));
	other = mmap(NULL, self->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, other);
	ASSERT_EQ(0, tvm_set_slot(&self->t.vm, 2, 0, second, self->size, other));

	EXPECT_EQ(0x11, tmem_write(&self->t, 0x3000, 0x11));
	EXPECT_EQ(0x11, tmem_read(&self->t, second - TMEM_GPA + 0x3000));
	EXPECT_EQ(0x22, tmem_write(&self->t, second - TMEM_GPA + 0x3000, 0x22));
	EXPECT_EQ(0x22, tmem_read(&self->t, 0x3000));

	/* A hole reads as zero through both, and can be written again. */
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, self->size));
	EXPECT_EQ(0, tmem_read(&self->t, 0x3000));
	EXPECT_EQ(0x33, tmem_write(&self->t, 0x3000, 0x33));
	EXPECT_EQ(0x33, tmem_read(&self->t, second - TMEM_GPA + 0x3000));

	/* Beyond a shorter file's end there is nothing, until it grows again. */
	ASSERT_EQ(0, ftruncate(fd, TMEM_PAGE));
	EXPECT_EQ(-EFAULT, tmem_read(&self->t, 0x3000));
	EXPECT_EQ(-EFAULT, tmem_write(&self->t, second - TMEM_GPA + 0x3000, 1));
	ASSERT_EQ(0, ftruncate(fd, self->size));
	EXPECT_EQ(0, tmem_read(&self->t, 0x3000));
	EXPECT_EQ(0x44, tmem_write(&self->t, second - TMEM_GPA + 0x3000, 0x44));
	EXPECT_EQ(0x44, tmem_read(&self->t, 0x3000));
	munmap(other, self->size);
	close(fd);
}

TEST_F(hostmem, a_private_file_page_is_read_then_written)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	uint32_t value = 0x5555;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, self->size));
	ASSERT_EQ(4, pwrite(fd, &value, 4, 0x2000));
	ASSERT_TRUE(replace(self->mem, self->size, MAP_PRIVATE, fd));
	EXPECT_EQ(0x5555, tmem_read(&self->t, 0x2000));
	/* The file changes under a page that was only read. */
	value = 0x6666;
	ASSERT_EQ(4, pwrite(fd, &value, 4, 0x2000));
	EXPECT_EQ(0x6666, tmem_read(&self->t, 0x2000));
	EXPECT_EQ(0x7777, tmem_write(&self->t, 0x2000, 0x7777));
	value = 0x8888;
	ASSERT_EQ(4, pwrite(fd, &value, 4, 0x2000));
	EXPECT_EQ(0x7777, tmem_read(&self->t, 0x2000));
	EXPECT_EQ(0x7777, *word(self->mem, 0x2000));
	/* Dropped: the file's again. */
	ASSERT_EQ(0, madvise(self->mem, self->size, MADV_DONTNEED));
	EXPECT_EQ(0x8888, tmem_read(&self->t, 0x2000));
	close(fd);
}

/* An EPT without accessed bits could not tell the host which of a group were used. */
static bool faults_bring_groups(void)
{
	uint64_t cap;

	if (!host_is_intel() || system("modprobe -q msr") ||
	    host_msr(0, IA32_VMX_EPT_VPID_CAP, &cap))
		return true;
	return cap & EPT_ACCESSED_DIRTY;
}

/* One fault brings 16 pages, but never one that the host would have to find first. */
TEST_F(hostmem, what_is_present_comes_in_groups)
{
	const unsigned int n = 64, group = faults_bring_groups() ? 16 : 1;
	const unsigned int absent = TMEM_LARGE + 1024 * 1024;
	unsigned char present[16];
	uint64_t faults;
	unsigned int i;

	ASSERT_EQ(0, madvise(self->mem, self->size, MADV_NOHUGEPAGE));
	ASSERT_EQ(1, tmem_write(&self->t, absent, 1));
	ASSERT_EQ(0, mincore(self->mem + absent, sizeof(present) * TMEM_PAGE, present));
	for (i = 1; i < sizeof(present); i++)
		EXPECT_EQ(0, present[i] & 1);

	for (i = 0; i < n; i++)
		*word(self->mem, i * TMEM_PAGE) = i + 1;
	faults = tmem_exits(&self->t, "mem-fault");
	for (i = 0; i < n; i++)
		ASSERT_EQ(i + 1, tmem_read(&self->t, i * TMEM_PAGE));
	for (i = 0; i < n; i++)
		ASSERT_EQ(2 * i, tmem_write(&self->t, i * TMEM_PAGE, 2 * i));
	EXPECT_LE(tmem_exits(&self->t, "mem-fault") - faults, n / group);
	for (i = 0; i < n; i++)
		EXPECT_EQ(2 * i, *word(self->mem, i * TMEM_PAGE));
}

TEST_F(hostmem, the_zero_page_stays_zero)
{
	volatile uint32_t *mine = mmap(NULL, TMEM_PAGE, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t at;

	ASSERT_NE(MAP_FAILED, (void *)mine);
	for (at = 0; at < 64 * TMEM_PAGE; at += TMEM_PAGE)
		EXPECT_EQ(0, tmem_read(&self->t, at));
	for (at = 0; at < 64 * TMEM_PAGE; at += TMEM_PAGE)
		EXPECT_EQ(0x99, tmem_write(&self->t, at, 0x99));
	EXPECT_EQ(0, *mine);
	for (at = 64 * TMEM_PAGE; at < 80 * TMEM_PAGE; at += TMEM_PAGE)
		EXPECT_EQ(0, tmem_read(&self->t, at));
	munmap((void *)mine, TMEM_PAGE);
}

/* Huge pages of hugetlbfs: one entry, so one fault. */
static void test_hugetlb(struct __test_metadata *_metadata, size_t size, int shift,
			 const char *count)
{
	long before = tmem_number(count);
	uint64_t faults;
	struct tmem t;
	char text[24];
	void *mem;

	if (before < 0)
		SKIP(return, "the host has no hugetlbfs of this size");
	snprintf(text, sizeof(text), "%ld", before + 1);
	tmem_echo(count, text);
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | shift << MAP_HUGE_SHIFT, -1, 0);
	if (mem == MAP_FAILED)
		SKIP(return, "no free memory in one piece: boot the host with hugepages=");
	TMEM_CREATE_OR_SKIP(&t, mem, size, 0);
	EXPECT_EQ(1, tmem_write(&t, 0, 1));
	faults = tmem_exits(&t, "mem-fault");
	EXPECT_EQ(2, tmem_write(&t, size - TMEM_PAGE, 2));
	EXPECT_EQ(0, tmem_read(&t, size / 2));
	EXPECT_EQ(faults, tmem_exits(&t, "mem-fault"));
	EXPECT_EQ(1, *word(mem, 0));
	EXPECT_EQ(2, *word(mem, size - TMEM_PAGE));
	/* With the log it is split, without it whole again. */
	ASSERT_EQ(0, tvm_set_slot(&t.vm, TMEM_SLOT, KVM_MEM_LOG_DIRTY_PAGES, TMEM_GPA, size, mem));
	EXPECT_EQ(3, tmem_write(&t, 0, 3));
	EXPECT_EQ(4, tmem_write(&t, size - TMEM_PAGE, 4));
	ASSERT_EQ(0, tvm_set_slot(&t.vm, TMEM_SLOT, 0, TMEM_GPA, size, mem));
	EXPECT_EQ(3, tmem_read(&t, 0));
	faults = tmem_exits(&t, "mem-fault");
	EXPECT_EQ(4, tmem_read(&t, size - TMEM_PAGE));
	EXPECT_EQ(faults, tmem_exits(&t, "mem-fault"));
	tmem_destroy(&t);
	munmap(mem, size);
	snprintf(text, sizeof(text), "%ld", before);
	tmem_echo(count, text);
}

TEST(hugetlbfs_of_2_mib)
{
	test_hugetlb(_metadata, TMEM_LARGE, 21, HUGE_2M "nr_hugepages");
}

TEST(hugetlbfs_of_1_gib)
{
	test_hugetlb(_metadata, 1UL << 30, 30, HUGE_1G "nr_hugepages");
}

/* A device's memory has no pages to hold on to. */
TEST_F(hostmem, device_memory_is_efault_and_can_be_repeated)
{
	int fd = open("/dev/mem", O_RDONLY | O_CLOEXEC);
	uint32_t value;
	void *map;

	if (fd < 0)
		SKIP(return, "no /dev/mem here");
	map = mmap(self->mem, TMEM_PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0xf0000);
	if (map == MAP_FAILED)
		SKIP(return, "/dev/mem does not map the firmware's memory");
	EXPECT_EQ(-EFAULT, tmem_read(&self->t, 0));
	ASSERT_TRUE(replace(self->mem, TMEM_PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1));
	*word(self->mem, 0) = 0x1234;
	ASSERT_EQ(0, tvcpu_run_out(&self->t.vcpu, &value));
	EXPECT_EQ(0x1234, value);
	close(fd);
}

static void nothing(int sig)
{
}

TEST_F(hostmem, broken_memory_is_ehwpoison)
{
	struct sigaction action = { .sa_handler = nothing };
	uint32_t value;

	/* The host tells the process as soon as it knows. */
	sigaction(SIGBUS, &action, NULL);

	EXPECT_EQ(5, tmem_write(&self->t, 0, 5));
	EXPECT_EQ(6, tmem_write(&self->t, TMEM_PAGE, 6));
	if (madvise(self->mem, TMEM_PAGE, MADV_HWPOISON))
		SKIP(return, "the host's kernel has no memory failure handling");
	EXPECT_EQ(-EHWPOISON, tmem_read(&self->t, 0));
	EXPECT_EQ(6, tmem_read(&self->t, TMEM_PAGE));
	EXPECT_EQ(-EHWPOISON, tmem_read(&self->t, 0));
	ASSERT_TRUE(replace(self->mem, TMEM_PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1));
	ASSERT_EQ(0, tvcpu_run_out(&self->t.vcpu, &value));
	EXPECT_EQ(0, value);
}

/* --------------------------------------------------------- userfaultfd */

struct pager {
	int fd;
	uint8_t *mem;
	size_t size;
	pthread_t thread;
	unsigned int served;
	bool failed;
};

/* Gives each missing page its own number, until its descriptor's other end goes. */
static void *serve_pages(void *arg)
{
	static uint32_t page[TMEM_PAGE / 4];
	struct pager *p = arg;
	struct uffd_msg msg;

	while (read(p->fd, &msg, sizeof(msg)) == sizeof(msg)) {
		uint64_t at = (msg.arg.pagefault.address & ~(TMEM_PAGE - 1)) - (uintptr_t)p->mem;
		struct uffdio_copy copy = {
			.dst = (uintptr_t)p->mem + at, .src = (uintptr_t)page, .len = TMEM_PAGE,
		};

		if (msg.event != UFFD_EVENT_PAGEFAULT || at >= p->size)
			break;
		page[0] = 0x1000 + at / TMEM_PAGE;
		/* Before the copy, which lets the guest go on. */
		__atomic_fetch_add(&p->served, 1, __ATOMIC_SEQ_CST);
		if (ioctl(p->fd, UFFDIO_COPY, &copy) && errno != EEXIST)
			p->failed = true;
	}
	return NULL;
}

static bool watch(struct pager *p, uint8_t *mem, size_t size)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)mem, .len = size },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	*p = (struct pager) { .mem = mem, .size = size };
	p->fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	return p->fd >= 0 && !ioctl(p->fd, UFFDIO_API, &api) &&
	       !ioctl(p->fd, UFFDIO_REGISTER, &reg);
}

TEST_F(hostmem, userfaultfd_serves_the_guest)
{
	struct pager p;
	uint64_t at;

	if (!watch(&p, self->mem, self->size))
		SKIP(return, "no userfaultfd here");
	ASSERT_EQ(0, pthread_create(&p.thread, NULL, serve_pages, &p));
	for (at = 0; at < 32 * TMEM_PAGE; at += TMEM_PAGE)
		EXPECT_EQ(0x1000 + at / TMEM_PAGE, tmem_read(&self->t, at));
	EXPECT_EQ(0x77, tmem_write(&self->t, at, 0x77));
	/* Dropped pages are asked for again. */
	ASSERT_EQ(0, madvise(self->mem, TMEM_PAGE, MADV_DONTNEED));
	EXPECT_EQ(0x1000, tmem_read(&self->t, 0));
	EXPECT_EQ(34, p.served);
	EXPECT_FALSE(p.failed);
	pthread_cancel(p.thread);
	pthread_join(p.thread, NULL);
	close(p.fd);
}

static void *run_read(void *arg)
{
	return (void *)(intptr_t)tmem_read(arg, 0);
}

/* Nobody serves the page: a fatal signal has to end the wait, and what serves it later does. */
TEST_F(hostmem, a_vcpu_that_waits_for_its_page_can_be_served_late)
{
	static uint32_t page[TMEM_PAGE / 4] = { 0x4711 };
	struct uffdio_copy copy = {
		.dst = (uintptr_t)self->mem, .src = (uintptr_t)page, .len = TMEM_PAGE,
	};
	struct sigaction action = { .sa_handler = nothing };
	pthread_t thread;
	struct pager p;
	void *result;

	if (!watch(&p, self->mem, self->size))
		SKIP(return, "no userfaultfd here");
	sigaction(SIGUSR1, &action, NULL);
	ASSERT_EQ(0, pthread_create(&thread, NULL, run_read, &self->t));
	usleep(200000);
	/* Where the kernel lets it, this ends KVM_RUN; tvcpu_run() calls it again. */
	pthread_kill(thread, SIGUSR1);
	usleep(50000);
	ASSERT_EQ(0, ioctl(p.fd, UFFDIO_COPY, &copy));
	pthread_join(thread, &result);
	EXPECT_EQ(0x4711, (intptr_t)result);
	close(p.fd);
}

TEST_F(hostmem, a_vcpu_that_waits_for_its_page_can_be_killed)
{
	struct pager p;
	int status;
	pid_t child = fork();

	ASSERT_LE(0, child);
	if (!child) {
		struct tmem t;
		uint8_t *mem = tmem_map(TMEM_LARGE, TMEM_LARGE);

		if (!mem || tmem_create(&t, mem, TMEM_LARGE, 0) || !watch(&p, mem, TMEM_LARGE))
			_exit(KSFT_SKIP);
		tmem_read(&t, 0);
		_exit(KSFT_FAIL);
	}
	sleep(1);
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	if (WIFEXITED(status) && WEXITSTATUS(status) == KSFT_SKIP)
		SKIP(return, "no userfaultfd here");
	EXPECT_TRUE(WIFSIGNALED(status));
}

/* ------------------------------------------------------ under a running guest */

/* The guest went round and found what it had written; so does the host. */
#define STOP_AND_CHECK() do {						\
	EXPECT_TRUE(tmem_rounds(&self->t, 2));				\
	EXPECT_EQ(0, tmem_stop(&self->t));				\
	EXPECT_EQ(0, tmem_wrong(&self->t));				\
	TH_LOG("%lu rounds, %lu refused runs, %llu faults",		\
	       self->t.passes, self->t.refused,				\
	       (unsigned long long)tmem_exits(&self->t, "mem-fault"));	\
} while (0)

TEST_F_TIMEOUT(hostmem, forks_under_a_running_guest, 600)
{
	int i, status;

	ASSERT_EQ(0, tmem_start(&self->t));
	for (i = 0; i < (tmem_long() ? 200 : 20); i++) {
		pid_t child = fork();

		if (!child) {
			uint32_t seen[2] = { *word(self->mem, 0), *word(self->mem, TMEM_LARGE) };

			/* Its own copy stands still, and what it writes is its own. */
			usleep(10000);
			memset(self->mem + 8, 0xff, 64);
			*word(self->mem, 3 * TMEM_PAGE) = 0xdead;
			_exit(*word(self->mem, 0) != seen[0] ||
			      *word(self->mem, TMEM_LARGE) != seen[1]);
		}
		ASSERT_LE(0, child);
		EXPECT_TRUE(tmem_rounds(&self->t, 1));
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_EQ(0, status);
	}
	STOP_AND_CHECK();
	EXPECT_EQ(0, *word(self->mem, 8));
}

TEST_F_TIMEOUT(hostmem, half_a_huge_page_changes_its_protection, 600)
{
	int i;

	if (madvise(self->mem, self->size, MADV_HUGEPAGE))
		SKIP(return, "the host has no transparent huge pages");
	ASSERT_EQ(0, tmem_start(&self->t));
	for (i = 0; i < (tmem_long() ? 2000 : 100); i++) {
		int prot = i % 2 ? PROT_READ : PROT_NONE;

		ASSERT_EQ(0, mprotect(self->mem, TMEM_LARGE / 2, prot));
		usleep(500);
		ASSERT_EQ(0, mprotect(self->mem, TMEM_LARGE / 2, PROT_READ | PROT_WRITE));
		EXPECT_TRUE(tmem_rounds(&self->t, 1));
		if (i % 16 == 0)
			madvise(self->mem, self->size, MADV_COLLAPSE);
	}
	EXPECT_LT(0, self->t.refused);
	STOP_AND_CHECK();
}

TEST_F_TIMEOUT(hostmem, collapsed_pages_make_large_entries_again, 600)
{
	uint64_t before;

	if (madvise(self->mem, self->size, MADV_NOHUGEPAGE))
		SKIP(return, "the host has no transparent huge pages");
	ASSERT_EQ(0, tmem_start(&self->t));
	EXPECT_TRUE(tmem_rounds(&self->t, 2));
	ASSERT_EQ(0, madvise(self->mem, self->size, MADV_HUGEPAGE));
	if (madvise(self->mem, self->size, MADV_COLLAPSE)) {
		tmem_stop(&self->t);
		SKIP(return, "the host cannot collapse pages at once: %s", strerror(errno));
	}
	EXPECT_TRUE(tmem_rounds(&self->t, 2));
	EXPECT_EQ(0, tmem_stop(&self->t));
	/* All of it thrown out: one fault brings a large entry back, whole. */
	before = tmem_exits(&self->t, "mem-fault");
	ASSERT_EQ(0, tvm_set_slot(&self->t.vm, TMEM_SLOT, 0, 0, 0, NULL));
	ASSERT_EQ(0, tvm_set_slot(&self->t.vm, TMEM_SLOT, 0, TMEM_GPA, self->size, self->mem));
	ASSERT_EQ(0, tmem_start(&self->t));
	EXPECT_TRUE(tmem_rounds(&self->t, 2));
	EXPECT_EQ(0, tmem_stop(&self->t));
	EXPECT_EQ(0, tmem_wrong(&self->t));
	EXPECT_GT(before + 64, tmem_exits(&self->t, "mem-fault"));
}

#define KHUGEPAGED "/sys/kernel/mm/transparent_hugepage/khugepaged/"

/* The host's own thread comes in its own time: while the guest writes, and nobody waits for it. */
TEST_F_TIMEOUT(hostmem, khugepaged_collapses_under_a_running_guest, 600)
{
	const long pause = tmem_number(KHUGEPAGED "scan_sleep_millisecs");
	long collapsed = tmem_number(KHUGEPAGED "pages_collapsed");
	char text[24];
	int i;

	if (collapsed < 0 || madvise(self->mem, self->size, MADV_NOHUGEPAGE) ||
	    !tmem_echo(KHUGEPAGED "scan_sleep_millisecs", "10"))
		SKIP(return, "the host has no khugepaged to tell");
	ASSERT_EQ(0, tmem_start(&self->t));
	EXPECT_TRUE(tmem_rounds(&self->t, 2));
	ASSERT_EQ(0, madvise(self->mem, self->size, MADV_HUGEPAGE));
	for (i = 0; i < 600 && tmem_number(KHUGEPAGED "pages_collapsed") == collapsed; i++)
		usleep(100000);
	collapsed = tmem_number(KHUGEPAGED "pages_collapsed") - collapsed;
	snprintf(text, sizeof(text), "%ld", pause);
	tmem_echo(KHUGEPAGED "scan_sleep_millisecs", text);
	EXPECT_LT(0, collapsed);
	EXPECT_TRUE(tmem_rounds(&self->t, 2));
	STOP_AND_CHECK();
}

TEST_F_TIMEOUT(hostmem, merged_pages_are_parted_by_a_write, 600)
{
	const size_t pages = self->size / TMEM_PAGE;
	size_t at;
	int i;

	if (madvise(self->mem, self->size, MADV_NOHUGEPAGE) ||
	    madvise(self->mem, self->size, MADV_MERGEABLE) ||
	    !tmem_echo("/sys/kernel/mm/ksm/run", "1"))
		SKIP(return, "the host does not merge pages");
	tmem_echo("/sys/kernel/mm/ksm/pages_to_scan", "2000");
	tmem_echo("/sys/kernel/mm/ksm/sleep_millisecs", "10");
	/* All pages alike. First the guest is away, then it reads and writes meanwhile. */
	memset(self->mem, 0x5a, self->size);
	self->t.value = 0x5a5a5a5a;
	for (i = 0; i < 300; i++) {
		if (tmem_number("/sys/kernel/mm/ksm/pages_sharing") > (long)pages / 2)
			break;
		usleep(100000);
	}
	EXPECT_LT(pages / 2, tmem_number("/sys/kernel/mm/ksm/pages_sharing"));
	EXPECT_EQ(0x5a5a5a5a, tmem_read(&self->t, 0));
	EXPECT_EQ(0x11, tmem_write(&self->t, TMEM_PAGE, 0x11));
	EXPECT_EQ(0x5a5a5a5a, tmem_read(&self->t, 0));
	EXPECT_EQ(0x5a5a5a5a, *word(self->mem, 2 * TMEM_PAGE));
	EXPECT_EQ(0x5a5a5a5a, tmem_write(&self->t, TMEM_PAGE, 0x5a5a5a5a));
	/* At an ordinary pace: what merges takes the processor from the guest. */
	tmem_echo("/sys/kernel/mm/ksm/pages_to_scan", "200");
	tmem_echo("/sys/kernel/mm/ksm/sleep_millisecs", "50");
	ASSERT_EQ(0, tmem_start(&self->t));
	STOP_AND_CHECK();
	for (at = 0; at < self->size; at += TMEM_PAGE)
		EXPECT_EQ(0x5a5a5a5a, *word(self->mem, at + 4));
	tmem_echo("/sys/kernel/mm/ksm/run", "2");
	tmem_echo("/sys/kernel/mm/ksm/run", "0");
}

TEST_F_TIMEOUT(hostmem, slots_move_and_log_under_a_running_guest, 600)
{
	const uint64_t elsewhere = TMEM_GPA + 64 * TMEM_LARGE;
	int i;

	/* The guest keeps to what is always there; a second slot comes and goes beside it. */
	ASSERT_EQ(0, tmem_start(&self->t));
	for (i = 0; i < (tmem_long() ? 2000 : 100); i++) {
		uint32_t log = i % 2 ? KVM_MEM_LOG_DIRTY_PAGES : 0;

		ASSERT_EQ(0, tvm_set_slot(&self->t.vm, TMEM_SLOT, log, TMEM_GPA, self->size,
					  self->mem));
		ASSERT_EQ(0, tvm_set_slot(&self->t.vm, 2, 0, elsewhere + i * TMEM_PAGE, TMEM_LARGE,
					  self->mem));
		EXPECT_TRUE(tmem_rounds(&self->t, 1));
		if (i % 8 == 7)
			ASSERT_EQ(0, tvm_set_slot(&self->t.vm, 2, 0, 0, 0, NULL));
	}
	STOP_AND_CHECK();
}

MVM_HARNESS_MAIN
