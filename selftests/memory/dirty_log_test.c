// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log as a launcher sees it: whoever writes, the guest, the emulator, the
 * walker that sets accessed bits, the paravirtual clock, is reported, and only
 * that. A copy of a busy guest's memory by the log alone ends up equal.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sys/mman.h>
#include <time.h>

#include "mvm_harness.h"
#include "mvm_memory.h"

#define SIZE	  (4 * TMEM_LARGE)
#define PAGES	  (SIZE / TMEM_PAGE)
#define WORDS	  (PAGES / 64)
#define LOG	  KVM_MEM_LOG_DIRTY_PAGES
#define MANUAL	  KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE
#define LOW_PAGES (TVM_MEM_SIZE / TMEM_PAGE)

#define KVM_SYSTEM_TIME_MSR 0x4b564d01

/* REP INSB of one byte to RDI. */
GUEST_CODE(ins, 64, "mov $0x3f8, %edx; mov $1, %ecx; cld; rep insb; out %al, $0xf1; hlt");
/* MOVS from device memory at RSI to RDI: the emulator's write. */
GUEST_CODE(movs, 64, "cld; movsl; out %al, $0xf1; hlt");

FIXTURE(dirty_log)
{
	struct tmem t;
	uint8_t *mem;
	uint64_t log[WORDS];
};

FIXTURE_SETUP(dirty_log)
{
	self->mem = tmem_map(SIZE, TMEM_LARGE);
	ASSERT_NE(NULL, self->mem);
	TMEM_CREATE_OR_SKIP(&self->t, self->mem, SIZE, 0);
}

FIXTURE_TEARDOWN(dirty_log)
{
	tmem_destroy(&self->t);
	munmap(self->mem, SIZE);
}

static int set_log(struct tmem *t, uint32_t flags)
{
	return tvm_set_slot(&t->vm, TMEM_SLOT, flags, TMEM_GPA, SIZE, t->mem);
}

static int get_log_of(struct tmem *t, uint32_t slot, uint64_t *bits)
{
	struct kvm_dirty_log log = { .slot = slot, .dirty_bitmap = bits };

	memset(bits, 0x55, WORDS * 8);
	return tvm_ioctl(t->vm.fd, KVM_GET_DIRTY_LOG, &log);
}

static int get_log(struct tmem *t, uint64_t *bits)
{
	return get_log_of(t, TMEM_SLOT, bits);
}

static int clear_log(struct tmem *t, uint64_t first, uint32_t n, uint64_t *bits)
{
	struct kvm_clear_dirty_log log = {
		.slot = TMEM_SLOT, .first_page = first, .num_pages = n, .dirty_bitmap = bits,
	};

	return tvm_ioctl(t->vm.fd, KVM_CLEAR_DIRTY_LOG, &log);
}

static int set_manual(struct tmem *t, uint64_t flags)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, .args = { flags },
	};

	return tvm_ioctl(t->vm.fd, KVM_ENABLE_CAP, &cap);
}

static int count(const uint64_t *bits, int words)
{
	int i, n = 0;

	for (i = 0; i < words; i++)
		n += __builtin_popcountll(bits[i]);
	return n;
}

static bool has(const uint64_t *bits, unsigned int page)
{
	return bits[page / 64] >> page % 64 & 1;
}

/* The first slot, with code and tables, gets a log; what setting up wrote is dropped. */
static int log_low_memory(struct tmem *t, uint64_t *bits)
{
	int ret = tvm_set_slot(&t->vm, 0, LOG, 0, TVM_MEM_SIZE, t->vm.mem);

	return ret ? ret : get_log_of(t, 0, bits);
}

/* ---------------------------------------------------------------------- the ABI */

TEST_F(dirty_log, errors)
{
	uint64_t mask[WORDS] = { 0 };

	EXPECT_EQ(-ENOENT, get_log(&self->t, self->log));
	EXPECT_EQ(-ENOENT, clear_log(&self->t, 0, 64, mask));
	EXPECT_EQ(-ENOENT, get_log_of(&self->t, 7, self->log));
	EXPECT_EQ(-EINVAL, get_log_of(&self->t, 0x7fff, self->log));
	EXPECT_EQ(-EINVAL, get_log_of(&self->t, 5 << 16, self->log));
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->t.vm.fd, KVM_GET_DIRTY_LOG, NULL));
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->t.vm.fd, KVM_CLEAR_DIRTY_LOG, NULL));
	ASSERT_EQ(0, set_log(&self->t, LOG));
	EXPECT_EQ(-EINVAL, clear_log(&self->t, 32, 64, mask));
	EXPECT_EQ(-EINVAL, clear_log(&self->t, 0, 32, mask));
	EXPECT_EQ(-EINVAL, clear_log(&self->t, 0, PAGES + 64, mask));
	EXPECT_EQ(-EINVAL, clear_log(&self->t, PAGES + 64, 64, mask));
	EXPECT_EQ(-EINVAL, clear_log(&self->t, -64ULL, 128, mask));
	EXPECT_EQ(-EFAULT, clear_log(&self->t, 0, 64, (void *)8));
	EXPECT_EQ(0, clear_log(&self->t, 0, PAGES, mask));
	EXPECT_EQ(-EINVAL, set_manual(&self->t, KVM_DIRTY_LOG_INITIALLY_SET));
	EXPECT_EQ(-EINVAL, set_manual(&self->t, 0x10));
}

TEST_F(dirty_log, what_cannot_be_stored_stays_dirty)
{
	struct kvm_dirty_log nowhere = { .slot = TMEM_SLOT, .dirty_bitmap = (void *)8 };

	if (tvm_is_kvm())
		SKIP(return, "KVM forgets it");
	ASSERT_EQ(0, set_log(&self->t, LOG));
	EXPECT_EQ(1, tmem_write(&self->t, 3 * TMEM_PAGE, 1));
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->t.vm.fd, KVM_GET_DIRTY_LOG, &nowhere));
	ASSERT_EQ(0, get_log(&self->t, self->log));
	EXPECT_EQ(1, count(self->log, WORDS));
	EXPECT_TRUE(has(self->log, 3));
}

/* -------------------------------------------------------------------- who writes */

TEST_F(dirty_log, the_guest_writes)
{
	EXPECT_EQ(1, tmem_write(&self->t, 0, 1));
	ASSERT_EQ(0, set_log(&self->t, LOG));
	EXPECT_EQ(1, tmem_read(&self->t, 0));
	EXPECT_EQ(2, tmem_write(&self->t, 9 * TMEM_PAGE, 2));
	ASSERT_EQ(0, get_log(&self->t, self->log));
	EXPECT_EQ(1, count(self->log, WORDS));
	EXPECT_TRUE(has(self->log, 9));
	EXPECT_EQ(3, tmem_write(&self->t, 0, 3));
	EXPECT_EQ(3, tmem_write(&self->t, SIZE - TMEM_PAGE, 3));
	ASSERT_EQ(0, get_log(&self->t, self->log));
	EXPECT_EQ(2, count(self->log, WORDS));
	EXPECT_TRUE(has(self->log, 0) && has(self->log, PAGES - 1));
	ASSERT_EQ(0, get_log(&self->t, self->log));
	EXPECT_EQ(0, count(self->log, WORDS));
}

/* Points RDI, RSI at guest addresses and runs. */
static int run_code(struct tmem *t, const uint8_t *code, const uint8_t *end, uint64_t rdi,
		    uint64_t rsi)
{
	struct kvm_regs regs;

	memcpy(t->vm.mem + TVM_CODE, code, end - code);
	if (tvm_ioctl(t->vcpu.fd, KVM_GET_REGS, &regs))
		return -EIO;
	regs.rip = TVM_CODE;
	regs.rdi = rdi;
	regs.rsi = rsi;
	if (tvm_ioctl(t->vcpu.fd, KVM_SET_REGS, &regs))
		return -EIO;
	return tvcpu_run(&t->vcpu);
}

TEST_F(dirty_log, the_emulator_writes)
{
	uint32_t value;

	ASSERT_EQ(0, set_log(&self->t, LOG));
	ASSERT_EQ(0, run_code(&self->t, ins, ins_end, TMEM_GPA + 5 * TMEM_PAGE, 0));
	ASSERT_EQ(KVM_EXIT_IO, self->t.vcpu.run->exit_reason);
	ASSERT_EQ(0, tvcpu_run_out(&self->t.vcpu, &value));
	ASSERT_EQ(0, run_code(&self->t, movs, movs_end, TMEM_GPA + 7 * TMEM_PAGE - 2, 0xd0000000));
	ASSERT_EQ(KVM_EXIT_MMIO, self->t.vcpu.run->exit_reason);
	memcpy(self->t.vcpu.run->mmio.data, "\1\2\3\4", 4);
	ASSERT_EQ(0, tvcpu_run_out(&self->t.vcpu, &value));
	EXPECT_EQ(4, self->mem[7 * TMEM_PAGE + 1]);
	ASSERT_EQ(0, get_log(&self->t, self->log));
	EXPECT_EQ(3, count(self->log, WORDS));
	EXPECT_TRUE(has(self->log, 5) && has(self->log, 6) && has(self->log, 7));
}

/* Page tables of the guest in logged memory: the walk in software sets their bits. */
TEST_F(dirty_log, the_walk_sets_accessed_bits)
{
	uint64_t *pd = (uint64_t *)(self->t.vm.mem + TVM_PD);
	uint64_t *own = (uint64_t *)self->mem;
	uint32_t value;

	/* 0xc0000000 by a table in the slot's first page. */
	own[0] = (TMEM_GPA + TMEM_PAGE) | 3;
	pd[0xc0000000 >> 21] = TMEM_GPA | 3;
	ASSERT_EQ(0, set_log(&self->t, LOG));
	ASSERT_EQ(0, run_code(&self->t, movs, movs_end, 0xc0000000, 0xd0000000));
	ASSERT_EQ(KVM_EXIT_MMIO, self->t.vcpu.run->exit_reason);
	ASSERT_EQ(0, tvcpu_run_out(&self->t.vcpu, &value));
	EXPECT_EQ(0x60, own[0] & 0x60);
	ASSERT_EQ(0, get_log(&self->t, self->log));
	EXPECT_TRUE(has(self->log, 0) && has(self->log, 1));
	EXPECT_EQ(2, count(self->log, WORDS));
}

TEST_F(dirty_log, the_clock_writes)
{
	ASSERT_EQ(0, set_log(&self->t, LOG));
	ASSERT_EQ(0, tvcpu_set_msr(&self->t.vcpu, KVM_SYSTEM_TIME_MSR,
				   (TMEM_GPA + 11 * TMEM_PAGE) | 1));
	EXPECT_EQ(0, tmem_read(&self->t, 0));
	ASSERT_EQ(0, get_log(&self->t, self->log));
	EXPECT_EQ(1, count(self->log, WORDS));
	EXPECT_TRUE(has(self->log, 11));
}

TEST_F(dirty_log, every_slot_has_its_own)
{
	uint64_t low[LOW_PAGES / 64 + WORDS];

	ASSERT_EQ(0, log_low_memory(&self->t, low));
	ASSERT_EQ(0, set_log(&self->t, LOG));
	EXPECT_EQ(1, tmem_write(&self->t, 0, 1));
	ASSERT_EQ(0, get_log_of(&self->t, 0, low));
	ASSERT_EQ(0, get_log(&self->t, self->log));
	EXPECT_EQ(1, count(self->log, WORDS));
	EXPECT_FALSE(has(low, TVM_CODE / TMEM_PAGE));
}

/* ------------------------------------------------------- large pages, flags, moves */

TEST_F(dirty_log, huge_pages_are_logged_by_small_ones)
{
	uint64_t faults;
	int i;

	if (madvise(self->mem, SIZE, MADV_HUGEPAGE))
		SKIP(return, "the host has no transparent huge pages");
	memset(self->mem, 0, SIZE);
	EXPECT_EQ(1, tmem_write(&self->t, 0, 1));
	faults = tmem_exits(&self->t, "mem-fault");
	EXPECT_EQ(1, tmem_write(&self->t, TMEM_LARGE - TMEM_PAGE, 1));
	if (tmem_exits(&self->t, "mem-fault") != faults)
		SKIP(return, "the host gave no huge page");
	ASSERT_EQ(0, set_log(&self->t, LOG));
	for (i = 0; i < 10; i++)
		EXPECT_EQ(i, tmem_write(&self->t, i * 3 * TMEM_PAGE, i));
	ASSERT_EQ(0, get_log(&self->t, self->log));
	EXPECT_EQ(10, count(self->log, WORDS));
	for (i = 0; i < 10; i++)
		EXPECT_TRUE(has(self->log, 3 * i));
	/* Without the log one fault maps it whole again. */
	ASSERT_EQ(0, set_log(&self->t, 0));
	EXPECT_EQ(7, tmem_write(&self->t, 0, 7));
	faults = tmem_exits(&self->t, "mem-fault");
	EXPECT_EQ(8, tmem_write(&self->t, TMEM_LARGE - TMEM_PAGE, 8));
	EXPECT_EQ(faults, tmem_exits(&self->t, "mem-fault"));
}

TEST_F(dirty_log, a_log_moves_with_its_slot)
{
	ASSERT_EQ(0, set_log(&self->t, LOG));
	EXPECT_EQ(1, tmem_write(&self->t, 2 * TMEM_PAGE, 1));
	ASSERT_EQ(0, tvm_set_slot(&self->t.vm, TMEM_SLOT, LOG, TMEM_GPA + SIZE, SIZE, self->mem));
	EXPECT_EQ(2, tmem_write(&self->t, SIZE + 4 * TMEM_PAGE, 2));
	ASSERT_EQ(0, get_log(&self->t, self->log));
	EXPECT_EQ(2, count(self->log, WORDS));
	EXPECT_TRUE(has(self->log, 2) && has(self->log, 4));
	/* A log that was off has forgotten. */
	EXPECT_EQ(2, tmem_write(&self->t, SIZE + 4 * TMEM_PAGE, 2));
	ASSERT_EQ(0, tvm_set_slot(&self->t.vm, TMEM_SLOT, 0, TMEM_GPA + SIZE, SIZE, self->mem));
	ASSERT_EQ(0, tvm_set_slot(&self->t.vm, TMEM_SLOT, LOG, TMEM_GPA + SIZE, SIZE, self->mem));
	ASSERT_EQ(0, get_log(&self->t, self->log));
	EXPECT_EQ(0, count(self->log, WORDS));
}

TEST_F(dirty_log, manual_protection)
{
	uint64_t mask[WORDS] = { [0] = 1 << 3 };

	if (tvm_ioctl(self->t.vm.fd, KVM_CHECK_EXTENSION,
		      (void *)KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2) != 3)
		SKIP(return, "not offered");
	ASSERT_EQ(0, set_manual(&self->t, MANUAL));
	ASSERT_EQ(0, set_log(&self->t, LOG));
	EXPECT_EQ(1, tmem_write(&self->t, 3 * TMEM_PAGE, 1));
	EXPECT_EQ(1, tmem_write(&self->t, 4 * TMEM_PAGE, 1));
	ASSERT_EQ(0, get_log(&self->t, self->log));
	ASSERT_EQ(0, get_log(&self->t, self->log));
	EXPECT_EQ(2, count(self->log, WORDS));
	ASSERT_EQ(0, clear_log(&self->t, 0, 64, mask));
	ASSERT_EQ(0, get_log(&self->t, self->log));
	EXPECT_EQ(1, count(self->log, WORDS));
	EXPECT_EQ(1, tmem_write(&self->t, 3 * TMEM_PAGE, 1));
	ASSERT_EQ(0, get_log(&self->t, self->log));
	EXPECT_EQ(2, count(self->log, WORDS));

	ASSERT_EQ(0, set_log(&self->t, 0));
	ASSERT_EQ(0, set_manual(&self->t, MANUAL | KVM_DIRTY_LOG_INITIALLY_SET));
	ASSERT_EQ(0, set_log(&self->t, LOG));
	ASSERT_EQ(0, get_log(&self->t, self->log));
	EXPECT_EQ(PAGES, count(self->log, WORDS));
	memset(mask, 0xff, sizeof(mask));
	ASSERT_EQ(0, clear_log(&self->t, 0, PAGES, mask));
	EXPECT_EQ(1, tmem_write(&self->t, 4 * TMEM_PAGE, 1));
	ASSERT_EQ(0, get_log(&self->t, self->log));
	EXPECT_EQ(1, count(self->log, WORDS));
}

/* -------------------------------------------------------------------- a copy */

static void copy_dirty(struct tmem *t, uint8_t *copy, const uint64_t *bits)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		if (has(bits, i))
			memcpy(copy + i * TMEM_PAGE, t->mem + i * TMEM_PAGE, TMEM_PAGE);
	}
}

/* Follow a running guest for @rounds looks at the log; how many pages differ in the end? */
static int follow(struct __test_metadata *_metadata, struct tmem *t, uint8_t *copy, bool manual,
		  int rounds)
{
	static uint64_t bits[WORDS];
	int i, differ = 0;

	memcpy(copy, t->mem, SIZE);
	ASSERT_EQ(0, tmem_start(t));
	for (i = 0; i < rounds; i++) {
		usleep(5000);
		ASSERT_EQ(0, get_log(t, bits));
		if (manual)
			ASSERT_EQ(0, clear_log(t, 0, PAGES, bits));
		copy_dirty(t, copy, bits);
	}
	EXPECT_TRUE(tmem_rounds(t, 1));
	EXPECT_EQ(0, tmem_stop(t));
	EXPECT_EQ(0, tmem_wrong(t));
	ASSERT_EQ(0, get_log(t, bits));
	copy_dirty(t, copy, bits);
	for (i = 0; i < PAGES; i++)
		differ += memcmp(copy + i * TMEM_PAGE, t->mem + i * TMEM_PAGE, TMEM_PAGE) != 0;
	return differ;
}

TEST_F_TIMEOUT(dirty_log, a_copy_by_the_log_is_equal, 200)
{
	const int rounds = tmem_long() ? 2000 : 60;
	uint8_t *copy = tmem_map(SIZE, TMEM_PAGE);

	ASSERT_NE(NULL, copy);
	ASSERT_EQ(0, set_log(&self->t, LOG));
	EXPECT_EQ(0, follow(_metadata, &self->t, copy, false, rounds));
	ASSERT_EQ(0, set_log(&self->t, 0));
	ASSERT_EQ(0, set_manual(&self->t, MANUAL | KVM_DIRTY_LOG_INITIALLY_SET));
	ASSERT_EQ(0, set_log(&self->t, LOG));
	EXPECT_EQ(0, follow(_metadata, &self->t, copy, true, rounds));
	TH_LOG("%lu rounds of the guest", self->t.passes);
	munmap(copy, SIZE);
}

MVM_HARNESS_MAIN
