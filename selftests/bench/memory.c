// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory virtualization: a guest touches a byte of each 4 KiB of a fresh slot of 64 MiB. Three
 * figures: a first touch of a page (of the size that the host has), all touches together, and the
 * slot's deletion after it.
 */
#include <sys/mman.h>

#include "bench.h"

#define SIZE	(64ul << 20)
#define PAGES	(SIZE >> 12)
#define SLOT	1

/* .a: flags of mmap(); .b: for madvise(); .c: touches between first touches. */
static void first_touch(const struct bench_metric *metric)
{
	struct bench_args args = { .rounds = PAGES, .a = BENCH_TOUCH, .b = 4096 };
	struct bench_machine m;
	size_t first = 0;
	int64_t empty;
	uint64_t begin;
	void *mem;

	bench_machine_create(&m);
	empty = bench_empty(&m);
	mem = bench_mmap(SIZE, 0);
	CHECK(madvise(mem, SIZE, metric->b));
	if (metric->a)
		memset(mem, 1, SIZE);
	CHECK(tvm_set_slot(&m.vm, SLOT, 0, BENCH_TOUCH, SIZE, mem));
	bench_stub(&m, guest_touch, &args);
	for (size_t i = 0; i < PAGES; i += metric->c)
		m.samples[first++] = m.samples[i] - empty;
	bench_report(metric, "", "ticks", m.samples, first);
	bench_report_one(metric, "_total", "ticks", m.shared->total);
	begin = bench_begin();
	CHECK(tvm_set_slot(&m.vm, SLOT, 0, BENCH_TOUCH, 0, mem));
	bench_report_one(metric, "_slot_del", "ticks", bench_end(begin));
	bench_machine_destroy(&m);
}

const struct bench_metric bench_memory[] = {
	{ "ept_anon4k", first_touch, NULL, false, MADV_NOHUGEPAGE, 1 },
	{ "ept_populated4k", first_touch, NULL, true, MADV_NOHUGEPAGE, 1 },
	{ "ept_thp", first_touch, NULL, false, MADV_HUGEPAGE, 512 },
	{ "ept_thp_populated", first_touch, NULL, true, MADV_HUGEPAGE, 512 },
	{ NULL },
};

static void fill(struct bench_machine *m)
{
	struct bench_args args = { .rounds = PAGES, .a = BENCH_TOUCH, .b = 4096 };

	bench_stub(m, guest_fill, &args);
}

static int64_t set_flags(struct bench_machine *m, uint32_t flags, void *mem)
{
	uint64_t begin = bench_begin();

	CHECK(tvm_set_slot(&m->vm, SLOT, flags, BENCH_TOUCH, SIZE, mem));
	return bench_end(begin);
}

static int64_t get_log(struct bench_machine *m)
{
	static uint8_t bits[PAGES / 8];
	struct kvm_dirty_log log = { .slot = SLOT, .dirty_bitmap = bits };
	uint64_t begin = bench_begin();

	CHECK(tvm_ioctl(m->vm.fd, KVM_GET_DIRTY_LOG, &log));
	return bench_end(begin);
}

/* One life of a log: on, all pages written, read, again, read clean, off. */
static void dirty_log(const struct bench_metric *metric)
{
	struct bench_args args = { .rounds = PAGES, .a = BENCH_TOUCH, .b = 4096 };
	struct bench_machine m;
	int64_t empty;
	void *mem;

	bench_machine_create(&m);
	empty = bench_empty(&m);
	mem = bench_mmap(SIZE, 0);
	CHECK(madvise(mem, SIZE, MADV_NOHUGEPAGE));
	memset(mem, 1, SIZE);
	CHECK(tvm_set_slot(&m.vm, SLOT, 0, BENCH_TOUCH, SIZE, mem));
	fill(&m);
	bench_report_one(metric, "_enable_64M", "ticks",
			 set_flags(&m, KVM_MEM_LOG_DIRTY_PAGES, mem));
	fill(&m);
	bench_report_one(metric, "_get_first_16384pages", "ticks", get_log(&m));
	bench_stub(&m, guest_touch, &args);
	bench_report_one(metric, "_get_second_16384pages", "ticks", get_log(&m));
	bench_report_one(metric, "_get_clean_0pages", "ticks", get_log(&m));
	bench_report_one(metric, "_disable_64M", "ticks", set_flags(&m, 0, mem));
	bench_report_samples(metric, "_first_write_4k", m.samples, PAGES, empty);
	bench_machine_destroy(&m);
}

const struct bench_metric bench_dirty[] = {
	{ "dirty", dirty_log },
	{ NULL },
};
