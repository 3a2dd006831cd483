// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory is the process's memory: what madvise(), mprotect(), fork() and
 * munmap() do to it the guest sees at once, and what KVM_SET_USER_MEMORY_REGION
 * adds, moves and deletes, too. Last a race, with a canary for pages that a
 * guest could still write after the host has given them to somebody else.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "mvm_harness.h"
#include "mvm_util.h"

#define PAGE	  4096UL
#define LARGE	  (2UL << 20)
#define SLOT_GPA  0x10000000UL
#define SLOT_SIZE (2 * LARGE)
#define HIGH_GPA  0x100000000UL

/* RCX: 0 reads, 1 writes RBX. Answers what is there then. */
GUEST_CODE(poke, 64,
	   "test %ecx, %ecx; jz 1f; mov %ebx, (%rax);"
	   "1: mov (%rax), %eax; out %eax, $0xf1; hlt");

/* Write RBX, counting, into one word of each of RCX pages from RAX on, until told to stop. */
GUEST_CODE(hammer, 64,
	   "0: mov %rax, %rdi; mov %ecx, %edx;"
	   "1: mov %ebx, (%rdi); mov (%rdi), %esi; add $4096, %rdi; dec %edx; jnz 1b;"
	   "inc %ebx; out %eax, $0xf1; jmp 0b");

FIXTURE(memory)
{
	struct tvm vm;
	struct tvcpu vcpu;
	uint8_t *mem; /* slot 1, at SLOT_GPA */
};

/* Aligned as the guest address is, so that large entries are possible. */
static uint8_t *map_memory(void)
{
	uint8_t *p = mmap(NULL, SLOT_SIZE + LARGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	return (uint8_t *)(((uintptr_t)p + LARGE - 1) & ~(LARGE - 1));
}

FIXTURE_SETUP(memory)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, poke, poke_end));
	self->mem = map_memory();
	ASSERT_NE(NULL, self->mem);
	ASSERT_EQ(0, tvm_set_slot(&self->vm, 1, 0, SLOT_GPA, SLOT_SIZE, self->mem));
}

FIXTURE_TEARDOWN(memory)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
	munmap(self->mem, SLOT_SIZE);
}

static int start_access(struct tvcpu *vcpu, uint64_t gpa, bool write, uint32_t value)
{
	struct kvm_regs regs;
	int ret = tvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs);

	if (ret)
		return ret;
	regs.rip = TVM_CODE;
	regs.rax = gpa;
	regs.rbx = value;
	regs.rcx = write;
	return tvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs);
}

/* What the guest reads there, or -errno. */
static int64_t guest_read(struct tvcpu *vcpu, uint64_t gpa)
{
	uint32_t value = 0;
	int ret = start_access(vcpu, gpa, false, 0);

	if (!ret)
		ret = tvcpu_run_out(vcpu, &value);
	return ret ? ret : (int64_t)value;
}

static int64_t guest_write(struct tvcpu *vcpu, uint64_t gpa, uint32_t data)
{
	uint32_t value = 0;
	int ret = start_access(vcpu, gpa, true, data);

	if (!ret)
		ret = tvcpu_run_out(vcpu, &value);
	return ret ? ret : (int64_t)value;
}

/* Is an access there device memory? Leaves the exit to be completed. */
static bool is_mmio(struct tvcpu *vcpu, uint64_t gpa, bool write)
{
	return !start_access(vcpu, gpa, write, 0x77) && !tvcpu_run_to(vcpu, KVM_EXIT_MMIO) &&
	       vcpu->run->mmio.phys_addr == gpa && vcpu->run->mmio.is_write == write;
}

static uint32_t *word(uint8_t *mem, uint64_t offset)
{
	return (uint32_t *)(mem + offset);
}

TEST_F(memory, both_sides_see_the_same)
{
	*word(self->mem, 0x1000) = 0x1111;
	EXPECT_EQ(0x1111, guest_read(&self->vcpu, SLOT_GPA + 0x1000));
	EXPECT_EQ(0x2222, guest_write(&self->vcpu, SLOT_GPA + 0x1000, 0x2222));
	EXPECT_EQ(0x2222, *word(self->mem, 0x1000));
	/* Never touched: zero, and then writable. */
	EXPECT_EQ(0, guest_read(&self->vcpu, SLOT_GPA + 0x5000));
	EXPECT_EQ(0x33, guest_write(&self->vcpu, SLOT_GPA + 0x5000, 0x33));
	EXPECT_EQ(0x33, *word(self->mem, 0x5000));
}

TEST_F(memory, above_4_gib)
{
	uint64_t *pdpt = (uint64_t *)(self->vm.mem + TVM_PDPT);
	uint64_t *pd = (uint64_t *)(self->vm.mem + 0x20000);

	pdpt[HIGH_GPA >> 30] = 0x20000 | 3;
	pd[0] = HIGH_GPA | 0x83;
	ASSERT_EQ(0, tvm_set_slot(&self->vm, 1, 0, 0, 0, NULL));
	ASSERT_EQ(0, tvm_set_slot(&self->vm, 1, 0, HIGH_GPA, SLOT_SIZE, self->mem));
	*word(self->mem, 0x3000) = 0x4444;
	EXPECT_EQ(0x4444, guest_read(&self->vcpu, HIGH_GPA + 0x3000));
	EXPECT_EQ(0x5555, guest_write(&self->vcpu, HIGH_GPA + 0x3000, 0x5555));
	EXPECT_EQ(0x5555, *word(self->mem, 0x3000));
}

TEST_F(memory, a_deleted_slot_is_gone_at_once)
{
	uint32_t value;

	EXPECT_EQ(1, guest_write(&self->vcpu, SLOT_GPA, 1));
	ASSERT_EQ(0, tvm_set_slot(&self->vm, 1, 0, 0, 0, NULL));
	EXPECT_TRUE(is_mmio(&self->vcpu, SLOT_GPA, false));
	memcpy(self->vcpu.run->mmio.data, "\x78\x56\x34\x12", 4);
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0x12345678, value);
	ASSERT_EQ(0, tvm_set_slot(&self->vm, 1, 0, SLOT_GPA, SLOT_SIZE, self->mem));
	EXPECT_EQ(1, guest_read(&self->vcpu, SLOT_GPA));
}

TEST_F(memory, a_slot_moves_with_its_contents)
{
	const uint64_t to = SLOT_GPA + SLOT_SIZE / 2;

	EXPECT_EQ(9, guest_write(&self->vcpu, SLOT_GPA + 0x800, 9));
	ASSERT_EQ(0, tvm_set_slot(&self->vm, 1, 0, to, SLOT_SIZE, self->mem));
	EXPECT_EQ(9, guest_read(&self->vcpu, to + 0x800));
	EXPECT_TRUE(is_mmio(&self->vcpu, SLOT_GPA + 0x800, false));
}

TEST_F(memory, a_readonly_slot_takes_no_write)
{
	ASSERT_EQ(0, tvm_set_slot(&self->vm, 1, 0, 0, 0, NULL));
	ASSERT_EQ(0, tvm_set_slot(&self->vm, 1, KVM_MEM_READONLY, SLOT_GPA, SLOT_SIZE, self->mem));
	*word(self->mem, 0) = 0x99;
	EXPECT_EQ(0x99, guest_read(&self->vcpu, SLOT_GPA));
	EXPECT_TRUE(is_mmio(&self->vcpu, SLOT_GPA, true));
	EXPECT_EQ(4, self->vcpu.run->mmio.len);
	EXPECT_EQ(0x77, self->vcpu.run->mmio.data[0]);
	EXPECT_EQ(0x99, *word(self->mem, 0));
	EXPECT_EQ(0x99, guest_read(&self->vcpu, SLOT_GPA));
}

TEST_F(memory, dropped_pages_are_zero)
{
	EXPECT_EQ(5, guest_write(&self->vcpu, SLOT_GPA, 5));
	ASSERT_EQ(0, madvise(self->mem, PAGE, MADV_DONTNEED));
	EXPECT_EQ(0, guest_read(&self->vcpu, SLOT_GPA));
	EXPECT_EQ(6, guest_write(&self->vcpu, SLOT_GPA, 6));
	EXPECT_EQ(6, *word(self->mem, 0));
}

TEST_F(memory, half_a_huge_page_is_dropped)
{
	if (madvise(self->mem, SLOT_SIZE, MADV_HUGEPAGE))
		MVM_SKIP("the host has no transparent huge pages");
	memset(self->mem, 0xee, LARGE);
	EXPECT_EQ(0xeeeeeeee, guest_read(&self->vcpu, SLOT_GPA + LARGE / 2));
	EXPECT_EQ(0x11, guest_write(&self->vcpu, SLOT_GPA, 0x11));
	ASSERT_EQ(0, madvise(self->mem, LARGE / 2, MADV_DONTNEED));
	EXPECT_EQ(0, guest_read(&self->vcpu, SLOT_GPA));
	EXPECT_EQ(0, guest_read(&self->vcpu, SLOT_GPA + LARGE / 2 - PAGE));
	EXPECT_EQ(0xeeeeeeee, guest_read(&self->vcpu, SLOT_GPA + LARGE / 2));
	EXPECT_EQ(0x22, guest_write(&self->vcpu, SLOT_GPA + LARGE - PAGE, 0x22));
	EXPECT_EQ(0x22, *word(self->mem, LARGE - PAGE));
}

TEST_F(memory, inaccessible_memory_is_efault_and_can_be_repeated)
{
	uint32_t value;

	EXPECT_EQ(7, guest_write(&self->vcpu, SLOT_GPA, 7));
	ASSERT_EQ(0, mprotect(self->mem, PAGE, PROT_NONE));
	ASSERT_EQ(0, start_access(&self->vcpu, SLOT_GPA, true, 8));
	EXPECT_EQ(-EFAULT, tvcpu_run(&self->vcpu));
	ASSERT_EQ(0, mprotect(self->mem, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, tvcpu_run(&self->vcpu));
	ASSERT_EQ(0, mprotect(self->mem, PAGE, PROT_READ | PROT_WRITE));
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(8, value);
	/* A page that is writable for the neighbour only. */
	ASSERT_EQ(0, mprotect(self->mem, PAGE, PROT_READ));
	EXPECT_EQ(8, guest_read(&self->vcpu, SLOT_GPA));
	EXPECT_EQ(3, guest_write(&self->vcpu, SLOT_GPA + PAGE, 3));
}

TEST_F(memory, unmapped_memory_is_efault)
{
	EXPECT_EQ(7, guest_write(&self->vcpu, SLOT_GPA + PAGE, 7));
	ASSERT_EQ(0, munmap(self->mem + PAGE, PAGE));
	ASSERT_EQ(0, start_access(&self->vcpu, SLOT_GPA + PAGE, false, 0));
	EXPECT_EQ(-EFAULT, tvcpu_run(&self->vcpu));
	ASSERT_NE(MAP_FAILED, mmap(self->mem + PAGE, PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_EQ(0, guest_read(&self->vcpu, SLOT_GPA + PAGE));
}

TEST_F(memory, a_fork_keeps_its_own_copy)
{
	int go[2], status;
	pid_t child;
	char c;

	EXPECT_EQ(1, guest_write(&self->vcpu, SLOT_GPA, 1));
	ASSERT_EQ(0, pipe(go));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		if (read(go[0], &c, 1) != 1)
			_exit(2);
		_exit(*word(self->mem, 0) != 1);
	}
	EXPECT_EQ(2, guest_write(&self->vcpu, SLOT_GPA, 2));
	EXPECT_EQ(2, *word(self->mem, 0));
	ASSERT_EQ(1, write(go[1], "", 1));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	close(go[0]);
	close(go[1]);
}

TEST_F(memory, a_private_mapping_does_not_write_its_file)
{
	int fd = memfd_create("slot", 0);
	uint32_t value = 0xabcd;
	void *map;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, PAGE));
	ASSERT_EQ(4, pwrite(fd, &value, 4, 0));
	map = mmap(self->mem, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0);
	ASSERT_EQ(self->mem, map);
	EXPECT_EQ(0xabcd, guest_read(&self->vcpu, SLOT_GPA));
	EXPECT_EQ(0x1234, guest_write(&self->vcpu, SLOT_GPA, 0x1234));
	ASSERT_EQ(4, pread(fd, &value, 4, 0));
	EXPECT_EQ(0xabcd, value);
	/* A shared one does. */
	map = mmap(self->mem, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
	ASSERT_EQ(self->mem, map);
	EXPECT_EQ(0xabcd, guest_read(&self->vcpu, SLOT_GPA));
	EXPECT_EQ(0x1234, guest_write(&self->vcpu, SLOT_GPA, 0x1234));
	ASSERT_EQ(4, pread(fd, &value, 4, 0));
	EXPECT_EQ(0x1234, value);
	/* Punched away under the mapping: the notifier of the file's other users. */
	ASSERT_EQ(0, ftruncate(fd, 0));
	ASSERT_EQ(0, start_access(&self->vcpu, SLOT_GPA, false, 0));
	EXPECT_EQ(-EFAULT, tvcpu_run(&self->vcpu));
	close(fd);
}

/* ----------------------------------------------------------------- the race */

#define RACE_PAGES 64
#define RACE_RUNS  3000
#define RACE_TIME  5 /* seconds, on a slow host */

static volatile bool stop;

/* Take pages away in every way that leaves the mapping in place. */
static void *take_away(void *arg)
{
	uint8_t *mem = arg;
	unsigned int seed = 1;

	while (!stop) {
		uint8_t *page = mem + rand_r(&seed) % RACE_PAGES * PAGE;
		pid_t child;

		switch (rand_r(&seed) % 16) {
		case 0:
			child = fork();
			if (!child)
				_exit(0);
			waitpid(child, NULL, 0);
			break;
		case 1:
			madvise(mem, RACE_PAGES * PAGE, MADV_DONTNEED);
			break;
		case 2:
			mprotect(page, PAGE, PROT_READ);
			mprotect(page, PAGE, PROT_READ | PROT_WRITE);
			break;
		default:
			madvise(page, PAGE, MADV_DONTNEED);
		}
	}
	return NULL;
}

/* Fill pages, many of them just given back by the other process, and look again. */
static int canary(void)
{
	const size_t size = 2 * RACE_PAGES * PAGE;
	uint64_t round, i;

	for (round = 0x5a5a000000000000;; round++) {
		volatile uint64_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
					    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		for (i = 0; i < size / 8; i++)
			p[i] = round;
		for (i = 0; i < size / 8; i++) {
			if (p[i] != round)
				return 1;
		}
		munmap((void *)p, size);
	}
}

TEST_F_TIMEOUT(memory, pages_taken_back_are_never_written, 120)
{
	struct kvm_regs regs;
	pthread_t thread;
	int i, status, bad = 0;
	time_t end;
	uint32_t value;
	pid_t child = fork();

	ASSERT_LE(0, child);
	if (!child)
		_exit(canary());
	memcpy(self->vm.mem + TVM_CODE, hammer, hammer_end - hammer);
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_REGS, &regs));
	regs.rip = TVM_CODE;
	regs.rax = SLOT_GPA;
	regs.rbx = 1;
	regs.rcx = RACE_PAGES;
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_SET_REGS, &regs));

	end = time(NULL) + RACE_TIME;
	stop = false;
	ASSERT_EQ(0, pthread_create(&thread, NULL, take_away, self->mem));
	for (i = 0; i < RACE_RUNS && time(NULL) < end && !bad; i++) {
		int ret = tvcpu_run(&self->vcpu);

		/* A page that is readonly at this moment: the instruction is repeated. */
		if (ret == -EFAULT)
			continue;
		bad = ret || self->vcpu.run->exit_reason != KVM_EXIT_IO;
	}
	stop = true;
	pthread_join(thread, NULL);
	TH_LOG("%d runs", i);
	EXPECT_LT(10, i);
	EXPECT_EQ(0, bad) {
		tvcpu_show(&self->vcpu);
	}
	EXPECT_EQ(0, waitpid(child, &status, WNOHANG));
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	/* And the guest goes on. */
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, poke, poke_end));
	value = guest_write(&self->vcpu, SLOT_GPA, 0x4321);
	EXPECT_EQ(0x4321, value);
	EXPECT_EQ(0x4321, *word(self->mem, 0));
}

MVM_HARNESS_MAIN
