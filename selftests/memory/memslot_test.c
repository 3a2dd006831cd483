// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory slots: as many as are promised, each found; added, deleted, moved and
 * re-flagged while vCPUs use them and others. What the ioctl refuses is in
 * selftests/api/vm_test.c.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sys/mman.h>

#include "mvm_harness.h"
#include "mvm_memory.h"

#define SIZE	   (16 * TMEM_PAGE)
#define MAX_VCPUS  4
#define OTHER_GPA  0x80000000UL
#define OTHER_SLOT 2

FIXTURE(memslot)
{
	struct tmem t;
	uint8_t *mem, *other;
};

FIXTURE_SETUP(memslot)
{
	self->mem = tmem_map(SIZE, TMEM_PAGE);
	self->other = tmem_map(SIZE, TMEM_PAGE);
	ASSERT_NE(NULL, self->mem);
	ASSERT_NE(NULL, self->other);
	TMEM_CREATE_OR_SKIP(&self->t, self->mem, SIZE, 0);
}

FIXTURE_TEARDOWN(memslot)
{
	tmem_destroy(&self->t);
	munmap(self->mem, SIZE);
	munmap(self->other, SIZE);
}

static long check_extension(struct tmem *t, long cap)
{
	return tvm_ioctl(t->vm.fd, KVM_CHECK_EXTENSION, (void *)cap);
}

TEST_F(memslot, all_slots_are_found)
{
	int i, n = check_extension(&self->t, KVM_CAP_NR_MEMSLOTS);
	uint8_t *pages;

	ASSERT_LE(509, n);
	n = n > 509 ? 509 : n;
	pages = tmem_map(n * TMEM_PAGE, TMEM_PAGE);
	ASSERT_NE(NULL, pages);
	/* Each second page of the guest's, in no order; slots 0 and 1 are there. */
	for (i = 2; i < n; i++) {
		int place = i * 211 % n;

		*(uint32_t *)(pages + place * TMEM_PAGE) = 0x1000 + place;
		ASSERT_EQ(0, tvm_set_slot(&self->t.vm, i, 0, OTHER_GPA + 2 * place * TMEM_PAGE,
					  TMEM_PAGE, pages + place * TMEM_PAGE));
	}
	for (i = 2; i < n; i++) {
		int place = i * 211 % n;

		EXPECT_EQ(0x1000 + place,
			  tmem_read(&self->t, OTHER_GPA - TMEM_GPA + 2 * place * TMEM_PAGE));
	}
	/* Between two of them there is nothing. */
	ASSERT_EQ(0, tmem_prepare(&self->t, OTHER_GPA + TMEM_PAGE, false, 0));
	EXPECT_EQ(0, tvcpu_run_to(&self->t.vcpu, KVM_EXIT_MMIO));
	munmap(pages, n * TMEM_PAGE);
}

TEST_F(memslot, one_more_than_all_is_einval)
{
	EXPECT_EQ(-EINVAL, tvm_set_slot(&self->t.vm, check_extension(&self->t, KVM_CAP_NR_MEMSLOTS),
					0, OTHER_GPA, SIZE, self->other));
}

TEST_F(memslot, mmu_pages_are_a_number_to_keep)
{
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->t.vm.fd, KVM_SET_NR_MMU_PAGES, (void *)63));
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->t.vm.fd, KVM_SET_NR_MMU_PAGES, NULL));
	EXPECT_EQ(0, tvm_ioctl(self->t.vm.fd, KVM_SET_NR_MMU_PAGES, (void *)64));
	EXPECT_EQ(64, tvm_ioctl(self->t.vm.fd, KVM_GET_NR_MMU_PAGES, NULL));
	EXPECT_EQ(0, tvm_ioctl(self->t.vm.fd, KVM_SET_NR_MMU_PAGES, (void *)1000));
	EXPECT_EQ(1000, tvm_ioctl(self->t.vm.fd, KVM_GET_NR_MMU_PAGES, NULL));
}

TEST_F(memslot, readonly_comes_and_goes_with_the_slot)
{
	EXPECT_EQ(1, tmem_write(&self->t, 0, 1));
	ASSERT_EQ(0, tvm_set_slot(&self->t.vm, TMEM_SLOT, 0, 0, 0, NULL));
	ASSERT_EQ(0, tvm_set_slot(&self->t.vm, TMEM_SLOT, KVM_MEM_READONLY, TMEM_GPA, SIZE,
				  self->mem));
	EXPECT_EQ(1, tmem_read(&self->t, 0));
	ASSERT_EQ(0, tmem_prepare(&self->t, TMEM_GPA, true, 2));
	EXPECT_EQ(0, tvcpu_run_to(&self->t.vcpu, KVM_EXIT_MMIO));
	EXPECT_EQ(1, *(uint32_t *)self->mem);
	ASSERT_EQ(0, tvm_set_slot(&self->t.vm, TMEM_SLOT, 0, 0, 0, NULL));
	ASSERT_EQ(0, tvm_set_slot(&self->t.vm, TMEM_SLOT, 0, TMEM_GPA, SIZE, self->mem));
	EXPECT_EQ(3, tmem_write(&self->t, 0, 3));
	EXPECT_EQ(3, *(uint32_t *)self->mem);
}

TEST_F(memslot, the_same_memory_at_two_addresses)
{
	ASSERT_EQ(0, tvm_set_slot(&self->t.vm, OTHER_SLOT, 0, OTHER_GPA, SIZE, self->mem));
	EXPECT_EQ(5, tmem_write(&self->t, 0x1000, 5));
	EXPECT_EQ(5, tmem_read(&self->t, OTHER_GPA - TMEM_GPA + 0x1000));
	/* Dropped behind both. */
	ASSERT_EQ(0, madvise(self->mem, SIZE, MADV_DONTNEED));
	EXPECT_EQ(0, tmem_read(&self->t, 0x1000));
	EXPECT_EQ(0, tmem_read(&self->t, OTHER_GPA - TMEM_GPA + 0x1000));
	/* The slot goes, the other stays. */
	EXPECT_EQ(6, tmem_write(&self->t, 0x1000, 6));
	ASSERT_EQ(0, tvm_set_slot(&self->t.vm, OTHER_SLOT, 0, 0, 0, NULL));
	EXPECT_EQ(6, tmem_read(&self->t, 0x1000));
}

/* ----------------------------------------------------------- while vCPUs run */

/* Adds, moves, logs and deletes a slot that nobody uses; the guest's stays. */
TEST_F_TIMEOUT(memslot, other_slots_change_under_a_running_guest, 600)
{
	const int rounds = tmem_long() ? 5000 : 200;
	int i;

	ASSERT_EQ(0, tmem_start(&self->t));
	for (i = 0; i < rounds && !self->t.error; i++) {
		uint64_t at = OTHER_GPA + i % 7 * TMEM_PAGE;

		ASSERT_EQ(0, tvm_set_slot(&self->t.vm, OTHER_SLOT, 0, at, SIZE, self->other));
		ASSERT_EQ(0, tvm_set_slot(&self->t.vm, OTHER_SLOT, 0, at + SIZE, SIZE,
					  self->other));
		ASSERT_EQ(0, tvm_set_slot(&self->t.vm, OTHER_SLOT, KVM_MEM_LOG_DIRTY_PAGES,
					  at + SIZE, SIZE, self->other));
		ASSERT_EQ(0, tvm_set_slot(&self->t.vm, OTHER_SLOT, 0, 0, 0, NULL));
	}
	EXPECT_TRUE(tmem_rounds(&self->t, 2));
	EXPECT_EQ(0, tmem_stop(&self->t));
	EXPECT_EQ(0, tmem_wrong(&self->t));
}

struct runner {
	struct tvcpu vcpu;
	pthread_t thread;
	unsigned long ram, mmio;
	int error;
};

static volatile bool stop;

/* Reads one word again and again: it is there, or it is device memory. */
GUEST_CODE(look, 64,
	   "0: mov (%rax), %ecx; mov %ecx, %eax; out %eax, $0xf1; mov %rbx, %rax; jmp 0b");

#define THERE	0x600d600d
#define NOWHERE 0x0badbad0

static void *run_look(void *arg)
{
	struct runner *r = arg;
	struct kvm_run *run = r->vcpu.run;

	while (!stop && !r->error) {
		uint32_t value = NOWHERE;

		r->error = tvcpu_run(&r->vcpu);
		if (r->error)
			break;
		if (run->exit_reason == KVM_EXIT_MMIO) {
			memcpy(run->mmio.data, &value, 4);
			r->mmio++;
			continue;
		}
		if (run->exit_reason != KVM_EXIT_IO) {
			r->error = run->exit_reason;
			break;
		}
		memcpy(&value, (uint8_t *)run + run->io.data_offset, 4);
		if (value != THERE && value != NOWHERE)
			r->error = -1;
		r->ram += value == THERE;
	}
	return NULL;
}

static int start_look(struct tmem *t, struct runner *r, int id)
{
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_regs regs;
	int ret = id ? tvcpu_create(&t->vm, &r->vcpu, id) : 0;

	if (!id)
		r->vcpu = t->vcpu;
	if (!ret)
		ret = tvcpu_start(&r->vcpu, TVM_LONG, look, look_end);
	if (!ret)
		ret = tvm_ioctl(r->vcpu.fd, KVM_GET_REGS, &regs);
	regs.rax = OTHER_GPA;
	regs.rbx = OTHER_GPA;
	if (!ret)
		ret = tvm_ioctl(r->vcpu.fd, KVM_SET_REGS, &regs);
	if (!ret)
		tvm_ioctl(r->vcpu.fd, KVM_SET_MP_STATE, &runnable);
	return ret;
}

/* The slot they all read comes and goes: never anything but its bytes or an exit. */
TEST_F_TIMEOUT(memslot, a_slot_in_use_comes_and_goes, 600)
{
	struct runner runner[MAX_VCPUS] = { 0 };
	int i, n = check_extension(&self->t, KVM_CAP_MAX_VCPUS);
	const int rounds = tmem_long() ? 5000 : 200;

	/* Guests that spin for a while starve the Intel bed's single processor. */
	n = n > MAX_VCPUS ? MAX_VCPUS : n;
	*(uint32_t *)self->other = THERE;
	for (i = 0; i < n; i++)
		ASSERT_EQ(0, start_look(&self->t, &runner[i], i));
	stop = false;
	for (i = 0; i < n; i++)
		ASSERT_EQ(0, pthread_create(&runner[i].thread, NULL, run_look, &runner[i]));
	for (i = 0; i < rounds; i++) {
		EXPECT_EQ(0, tvm_set_slot(&self->t.vm, OTHER_SLOT, 0, OTHER_GPA, SIZE,
					  self->other));
		usleep(i % 8 * 100);
		EXPECT_EQ(0, tvm_set_slot(&self->t.vm, OTHER_SLOT, 0, 0, 0, NULL));
		usleep(i % 4 * 100);
	}
	stop = true;
	for (i = 0; i < n; i++) {
		pthread_join(runner[i].thread, NULL);
		EXPECT_EQ(0, runner[i].error);
		EXPECT_LT(0, runner[i].ram);
		TH_LOG("vCPU %d: %lu times memory, %lu times none", i, runner[i].ram,
		       runner[i].mmio);
		if (i)
			tvcpu_destroy(&runner[i].vcpu);
	}
}

MVM_HARNESS_MAIN
