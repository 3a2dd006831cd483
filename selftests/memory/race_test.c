// SPDX-License-Identifier: GPL-2.0-only
/*
 * The race between a nested fault and a host that takes the page back, in a live
 * guest: once the host's call has returned, no access may reach the old page.
 *
 * Several vCPUs read and write one page, again and again, while the host puts
 * another page in its place in one of many ways. Each page has a number, and a
 * board that the guest reads has the one in force: a page with a lower number is
 * an old one. The old page itself is watched from elsewhere for writes. The module's
 * parameter debug_install_delay_us holds the two windows of a fault open.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "mvm_harness.h"
#include "mvm_memory.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

#define DELAY_PARAM "/sys/module/minivmm/parameters/debug_install_delay_us"
#define BOARD_GPA   0x80000000UL
#define STALE_PORT  0xf2
#define VCPUS	    3
#define FILE_PAGES  64 /* so long until a page of the file comes again */
#define SPARE_PAGES 8

/*
 * RSI: the page, RDI: the board, RDX: this vCPU's word in the page, RBX: what it wrote
 * there last. A number of 0 on the board, or one that changed meanwhile, says nothing.
 */
GUEST_CODE(roam, 64,
	   "0: mov $200, %ecx;"
	   "1: mov (%rdi), %rax; mov (%rsi), %r8; mov (%rdi), %r9;"
	   "cmp %rax, %r9; jne 2f; cmp %rax, %r8; jb 3f;"
	   "2: inc %rbx; mov %rbx, (%rdx); dec %ecx; jnz 1b;"
	   "out %eax, $0xf1; jmp 0b;"
	   "3: out %eax, $0xf2; hlt");

struct race {
	struct tmem t;
	struct tvcpu vcpu[VCPUS];
	int vcpus;
	uint8_t *mem, *page; /* the slot's memory, and the page of it that is used */
	volatile uint64_t *board;
	uint64_t number; /* in force */
	int file;
	uint8_t *file_map; /* all of the file */
	uint8_t *spare; /* other memory of the launcher's */
	int uffd;
	/* The old page as the host sees it from elsewhere, and what it had. */
	const uint8_t *old;
	size_t old_size;
	uint8_t seen[SPARE_PAGES * TMEM_PAGE];
	pid_t child;
	int to_child;
	const char *cannot; /* why this host cannot do it */
};

static volatile bool stop, stale;

static void *run_vcpu(void *arg)
{
	struct tvcpu *vcpu = arg;
	long runs = 0;

	while (!stop && !stale) {
		int ret = tvcpu_run(vcpu);

		/* Nothing is there at this moment, or not for writing: it is repeated. */
		if (ret == -EFAULT) {
			usleep(100);
			continue;
		}
		if (ret || vcpu->run->exit_reason != KVM_EXIT_IO ||
		    vcpu->run->io.port != TVM_PORT) {
			tvcpu_show(vcpu);
			stale = true;
			return (void *)-1L;
		}
		runs++;
	}
	return (void *)runs;
}

static void set_number(void *page, uint64_t number)
{
	*(volatile uint64_t *)page = number;
}

static void publish(struct race *r, uint64_t number)
{
	__atomic_store_n(r->board, number, __ATOMIC_SEQ_CST);
}

/* From now on nobody may write there. */
static void watch(struct race *r, const uint8_t *old, size_t size)
{
	r->old = old;
	r->old_size = size;
	memcpy(r->seen, old, size);
}

static bool watched_is_same(struct race *r)
{
	return !r->old || !memcmp(r->seen, r->old, r->old_size);
}

/* What the host has got back is likely to be among the next pages that it gives out. */
static void watch_reused(struct race *r)
{
	memset(r->spare, 0x5a, SPARE_PAGES * TMEM_PAGE);
	watch(r, r->spare, SPARE_PAGES * TMEM_PAGE);
}

static uint8_t *file_page(struct race *r, uint64_t number)
{
	return r->file_map + number % FILE_PAGES * TMEM_PAGE;
}

/* -------------------------------------------- ways to put a new page there */

static void map_over(struct race *r)
{
	const uint64_t number = ++r->number;

	set_number(file_page(r, number), number);
	mmap(r->page, TMEM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, r->file,
	     number % FILE_PAGES * TMEM_PAGE);
	watch(r, file_page(r, number - 1), TMEM_PAGE);
	publish(r, number);
}

/* The vCPUs are about to get the right to write back, which only the log has taken. */
static void log_and_map_over(struct race *r)
{
	static uint64_t bits[TMEM_LARGE / TMEM_PAGE / 64];
	struct kvm_dirty_log log = { .slot = TMEM_SLOT, .dirty_bitmap = bits };

	if (tvm_ioctl(r->t.vm.fd, KVM_GET_DIRTY_LOG, &log))
		r->cannot = "no dirty log here";
	usleep(r->number % 8 * 100);
	map_over(r);
}

static void move_onto(struct race *r)
{
	const uint64_t number = ++r->number;
	void *from = mmap(NULL, TMEM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, r->file,
			  number % FILE_PAGES * TMEM_PAGE);

	set_number(from, number);
	mremap(from, TMEM_PAGE, TMEM_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, r->page);
	watch(r, file_page(r, number - 1), TMEM_PAGE);
	publish(r, number);
}

static void move_away(struct race *r)
{
	publish(r, 0);
	if (mremap(r->page, TMEM_PAGE, TMEM_PAGE,
		   MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, r->spare) == MAP_FAILED)
		r->cannot = "the host's kernel does not move pages out of a mapping";
	watch(r, r->spare, TMEM_PAGE);
	set_number(r->page, ++r->number);
	publish(r, r->number);
}

static void drop(struct race *r)
{
	madvise(r->spare, SPARE_PAGES * TMEM_PAGE, MADV_DONTNEED);
	publish(r, 0);
	madvise(r->page, TMEM_PAGE, MADV_DONTNEED);
	watch_reused(r);
	set_number(r->page, ++r->number);
	publish(r, r->number);
}

static void watch_faults(struct race *r)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)r->page, .len = TMEM_PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	r->uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (r->uffd < 0 || ioctl(r->uffd, UFFDIO_API, &api) ||
	    ioctl(r->uffd, UFFDIO_REGISTER, &reg))
		r->cannot = "no userfaultfd here";
}

/* The guest waits from the old page's end until the new one is there. */
static void drop_and_serve(struct race *r)
{
	static uint64_t page[TMEM_PAGE / 8] __attribute__((aligned(TMEM_PAGE)));
	struct uffdio_copy copy = {
		.dst = (uintptr_t)r->page, .src = (uintptr_t)page, .len = TMEM_PAGE,
	};

	if (r->uffd < 0)
		watch_faults(r);
	if (r->cannot)
		return;
	madvise(r->spare, SPARE_PAGES * TMEM_PAGE, MADV_DONTNEED);
	madvise(r->page, TMEM_PAGE, MADV_DONTNEED);
	watch_reused(r);
	page[0] = ++r->number;
	while (ioctl(r->uffd, UFFDIO_COPY, &copy) && errno == EAGAIN)
		copy.copy = 0;
	publish(r, r->number);
}

/* The child keeps the old page, which stands still from its birth on. */
static void be_child(struct race *r, int from_parent)
{
	char byte;

	watch(r, r->page, TMEM_PAGE);
	r->board[1] = 1;
	_exit(read(from_parent, &byte, 1) != 1 || !watched_is_same(r));
}

/* Some of the vCPUs are about to make the page writable again when it is forked. */
static void fork_and_write(struct race *r)
{
	int fd[2];

	if (pipe(fd))
		return;
	publish(r, 0);
	r->board[1] = 0;
	mprotect(r->page, TMEM_PAGE, PROT_READ);
	mprotect(r->page, TMEM_PAGE, PROT_READ | PROT_WRITE);
	usleep(r->number % 8 * 100);
	r->child = fork();
	if (!r->child)
		be_child(r, fd[0]);
	close(fd[0]);
	r->to_child = fd[1];
	while (r->child > 0 && !r->board[1])
		usleep(200);
	usleep(200);
	set_number(r->page, ++r->number);
	publish(r, r->number);
}

static bool child_is_same(struct race *r)
{
	int status = -1;

	if (write(r->to_child, "", 1) == 1)
		waitpid(r->child, &status, 0);
	close(r->to_child);
	return status == 0;
}

static void protect(struct race *r)
{
	mprotect(r->page, TMEM_PAGE, PROT_READ);
	watch(r, r->page, TMEM_PAGE);
}

static bool unprotect(struct race *r)
{
	const bool same = watched_is_same(r);

	mprotect(r->page, TMEM_PAGE, PROT_READ | PROT_WRITE);
	set_number(r->page, ++r->number);
	publish(r, r->number);
	return same;
}

/* One small page in use becomes part of a huge one, which is another. */
static void collapse(struct race *r)
{
	publish(r, 0);
	madvise(r->mem, TMEM_LARGE, MADV_NOHUGEPAGE);
	madvise(r->mem, TMEM_LARGE, MADV_DONTNEED);
	set_number(r->page, ++r->number);
	publish(r, r->number);
	usleep(500);
	/* A fault that holds the page at this moment keeps it small. */
	if (madvise(r->mem, TMEM_LARGE, MADV_HUGEPAGE) ||
	    (madvise(r->mem, TMEM_LARGE, MADV_COLLAPSE) && errno == EINVAL))
		r->cannot = "the host cannot collapse pages at once";
	set_number(r->page, ++r->number);
	publish(r, r->number);
}

/* ------------------------------------------------------------------ the race */

FIXTURE(race)
{
	struct race r;
};

FIXTURE_VARIANT(race)
{
	void (*replace)(struct race *r);
	bool (*settle)(struct race *r); /* some time later: is the old page as it was? */
	uint32_t flags; /* of the slot */
};

#define WAY(name, replace_, settle_, ...)				\
	FIXTURE_VARIANT_ADD(race, name) {				\
		.replace = (replace_), .settle = (settle_), __VA_ARGS__	\
	}

WAY(another_page_of_a_file, map_over, watched_is_same);
WAY(another_page_under_a_log, log_and_map_over, watched_is_same, .flags = KVM_MEM_LOG_DIRTY_PAGES);
WAY(mremap_onto_it, move_onto, watched_is_same);
WAY(mremap_away, move_away, watched_is_same);
WAY(dontneed, drop, watched_is_same);
WAY(userfaultfd, drop_and_serve, watched_is_same);
WAY(fork, fork_and_write, child_is_same);
WAY(mprotect, protect, unprotect);
WAY(collapse, collapse, watched_is_same);

static int start_guest(struct race *r, int id)
{
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct tvcpu *vcpu = &r->vcpu[id];
	struct kvm_regs regs;
	int ret = 0;

	if (id)
		ret = tvcpu_create(&r->t.vm, vcpu, id);
	else
		*vcpu = r->t.vcpu;
	if (!ret)
		ret = tvcpu_start(vcpu, TVM_LONG, roam, roam_end);
	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	if (ret)
		return ret;
	regs.rsi = TMEM_GPA + (r->page - r->mem);
	regs.rdi = BOARD_GPA;
	regs.rdx = regs.rsi + 64 * (1 + id);
	regs.rbx = 0;
	tvm_ioctl(vcpu->fd, KVM_SET_MP_STATE, &runnable);
	return tvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs);
}

FIXTURE_SETUP(race)
{
	struct race *r = &self->r;
	int i;

	r->uffd = -1;
	r->mem = tmem_map(TMEM_LARGE, TMEM_LARGE);
	r->page = r->mem + 8 * TMEM_PAGE;
	r->spare = tmem_map(SPARE_PAGES * TMEM_PAGE, TMEM_PAGE);
	r->board = mmap(NULL, TMEM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	r->file = memfd_create("race", MFD_CLOEXEC);
	ASSERT_EQ(0, ftruncate(r->file, FILE_PAGES * TMEM_PAGE));
	r->file_map = mmap(NULL, FILE_PAGES * TMEM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			   r->file, 0);
	ASSERT_NE(MAP_FAILED, r->file_map);
	TMEM_CREATE_OR_SKIP(&r->t, r->mem, TMEM_LARGE, variant->flags);
	madvise(r->mem, TMEM_LARGE, MADV_NOHUGEPAGE);
	/* A fork is to take the page away, not the guest's code and tables. */
	madvise(r->t.vm.mem, r->t.vm.mem_size, MADV_DONTFORK);
	ASSERT_EQ(0, tvm_set_slot(&r->t.vm, 2, 0, BOARD_GPA, TMEM_PAGE, (void *)r->board));
	r->vcpus = tvm_ioctl(r->t.vm.fd, KVM_CHECK_EXTENSION, (void *)KVM_CAP_MAX_VCPUS);
	if (r->vcpus > VCPUS)
		r->vcpus = VCPUS;
	for (i = 0; i < r->vcpus; i++)
		ASSERT_EQ(0, start_guest(r, i));
}

FIXTURE_TEARDOWN(race)
{
	struct race *r = &self->r;
	int i;

	for (i = 1; i < r->vcpus; i++)
		tvcpu_destroy(&r->vcpu[i]);
	tmem_destroy(&r->t);
	if (r->uffd >= 0)
		close(r->uffd);
	close(r->file);
	munmap(r->file_map, FILE_PAGES * TMEM_PAGE);
	munmap((void *)r->board, TMEM_PAGE);
	munmap(r->spare, SPARE_PAGES * TMEM_PAGE);
	munmap(r->mem, TMEM_LARGE);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Its last write is in the page that is there now. */
static bool write_is_there(struct race *r, int id)
{
	struct kvm_regs regs;
	uint32_t value;

	if (tvcpu_run_out(&r->vcpu[id], &value) ||
	    tvm_ioctl(r->vcpu[id].fd, KVM_GET_REGS, &regs))
		return false;
	return *(volatile uint64_t *)(r->page + 64 * (1 + id)) == regs.rbx;
}

/* With one processor there are few races, and this only shows that all goes on. */
static double seconds(void)
{
	if (tmem_long())
		return 60;
	return sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 1.5 : 0.5;
}

TEST_F_TIMEOUT(race, the_old_page_is_out_of_reach, 300)
{
	struct race *r = &self->r;
	const double end = now() + seconds();
	const struct sched_param first = { .sched_priority = 1 };
	pthread_t thread[VCPUS];
	unsigned int seed = 1, rounds = 0;
	bool same = true;
	void *runs;
	int i;

	EXPECT_TRUE(tvm_is_kvm() || tmem_echo(DELAY_PARAM, "300")) {
		TH_LOG("no delay between check and install: this takes root");
	}
	stop = false;
	stale = false;
	for (i = 0; i < r->vcpus; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, run_vcpu, &r->vcpu[i]));
	/* There are more vCPUs than processors, and they never sleep. */
	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first);
	while ((now() < end || rounds < 4) && same && !stale && !r->cannot) {
		variant->replace(r);
		/* The vCPUs fault meanwhile, and some of their faults last into the next call. */
		usleep(rand_r(&seed) % 1500);
		same = variant->settle(r);
		rounds++;
	}
	stop = true;
	for (i = 0; i < r->vcpus; i++) {
		pthread_join(thread[i], &runs);
		EXPECT_LE(0, (long)runs);
	}
	tmem_echo(DELAY_PARAM, "0");
	if (r->cannot)
		SKIP(return, "%s", r->cannot);
	TH_LOG("%u times, %llu faults", rounds, (unsigned long long)tmem_exits(&r->t, "mem-fault"));
	EXPECT_FALSE(stale) {
		TH_LOG("a vCPU read the old page after the host's call, in round %u", rounds);
	}
	EXPECT_TRUE(same) {
		TH_LOG("a vCPU wrote to the old page after the host's call, in round %u", rounds);
	}
	for (i = 0; i < r->vcpus && !stale; i++)
		EXPECT_TRUE(write_is_there(r, i));
}

MVM_HARNESS_MAIN
