// SPDX-License-Identifier: GPL-2.0-only
/*
 * What more of something costs: the same operation with 1 to many vCPUs, VMs, slots, ioeventfds,
 * GiB. .a is how many.
 */
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "bench.h"

#define ROUNDS	200
#define MAX_VCPUS 8
#define MAX_VMS	64
#define SLOT_SIZE 0x10000ul
#define SLOT_GAP 0x20000ul	/* from one to the next, so that they stay apart */
#define TOUCHES	512

static void exits_of(const struct bench_metric *metric, struct bench_machine *m,
		     const char *suffix, const uint8_t *stub, uint64_t operand)
{
	struct bench_args args = { .rounds = ROUNDS, .a = operand };
	int64_t empty = bench_empty(m);

	bench_stub(m, stub, &args);
	bench_report_samples(metric, suffix, m->samples, ROUNDS, empty);
}

/* All of a VM's vCPUs exit in turn: one thread runs one after the other. */
static void vcpus(const struct bench_metric *metric)
{
	static int64_t values[ROUNDS];
	struct tvcpu vcpu[MAX_VCPUS];
	struct bench_machine m;

	bench_machine_create_irqchip(&m, 1);
	vcpu[0] = m.vcpu;
	for (unsigned int i = 1; i < metric->a; i++) {
		struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };

		bench_vcpu_create(&m, &vcpu[i], i);
		CHECK(tvm_ioctl(vcpu[i].fd, KVM_SET_MP_STATE, &runnable));
	}
	for (unsigned int i = 0; i < metric->a; i++) {
		bench_start(&vcpu[i], guest_cpuid, &(struct bench_args){ .rounds = 1 });
		bench_run(&vcpu[i]);
	}
	exits_of(metric, &m, "_cpuid", guest_cpuid, 0);
	for (unsigned int i = 0; i < metric->a; i++) {
		bench_start(&vcpu[i], guest_report, &(struct bench_args){ 0 });
		bench_run(&vcpu[i]);
	}
	for (int i = 0; i < ROUNDS; i++) {
		struct tvcpu *next = &vcpu[i % metric->a];
		uint64_t begin = bench_begin();

		bench_run(next);
		values[i] = bench_end(begin);
	}
	bench_report_samples(metric, "_run_in_turn", values, ROUNDS, 0);
}

/* The same with a VM for each. */
static void vms(const struct bench_metric *metric)
{
	static struct bench_machine m[MAX_VMS];
	static int64_t values[ROUNDS];

	for (unsigned int i = 0; i < metric->a; i++) {
		bench_machine_create(&m[i]);
		bench_stub(&m[i], guest_cpuid, &(struct bench_args){ .rounds = 1 });
	}
	exits_of(metric, &m[0], "_cpuid", guest_cpuid, 0);
	for (unsigned int i = 0; i < metric->a; i++)
		bench_stub(&m[i], guest_report, &(struct bench_args){ 0 });
	for (int i = 0; i < ROUNDS; i++) {
		struct tvcpu *next = &m[i % metric->a].vcpu;
		uint64_t begin = bench_begin();

		bench_run(next);
		values[i] = bench_end(begin);
	}
	bench_report_samples(metric, "_run_in_turn", values, ROUNDS, 0);
}

/* Slots of 64 KiB: what one more costs, a device's write among them, a fault in the last. */
static void slots(const struct bench_metric *metric)
{
	struct bench_args args = { .rounds = SLOT_SIZE >> 12, .b = 4096 };
	uint8_t *mem = bench_mmap((metric->a + 1) * SLOT_SIZE, 0);
	uint64_t gpa = BENCH_TOUCH, begin = 0;
	struct bench_machine m;

	memset(mem, 0, (metric->a + 1) * SLOT_SIZE);
	bench_machine_create(&m);
	/* Slot 0 is the guest's RAM, and one of them. */
	for (unsigned int i = 1; i < metric->a; i++, gpa += SLOT_GAP) {
		begin = bench_begin();
		CHECK(tvm_set_slot(&m.vm, i, 0, gpa, SLOT_SIZE, mem + i * SLOT_SIZE));
	}
	if (begin)
		bench_report_one(metric, "_add_last", "ticks", bench_end(begin));
	exits_of(metric, &m, "_mmio_w_user", guest_store, BENCH_MMIO);
	if (metric->a == 1)
		return;
	args.a = gpa - SLOT_GAP;
	bench_stub(&m, guest_touch, &args);
	bench_report_one(metric, "_fault_last", "ticks", m.samples[0]);
}

/* Doorbells on ports and in memory, all of the same VM; the last is rung. */
static void ioeventfds(const struct bench_metric *metric)
{
	struct rlimit files = { 4096, 4096 };
	struct bench_machine m;

	setrlimit(RLIMIT_NOFILE, &files);
	bench_machine_create(&m);
	for (unsigned int i = 0; i < metric->a; i++) {
		struct kvm_ioeventfd io = {
			.fd = CHECK(eventfd(0, EFD_NONBLOCK)), .addr = BENCH_MMIO + i * 4, .len = 4,
		};

		CHECK(tvm_ioctl(m.vm.fd, KVM_IOEVENTFD, &io));
		io.addr = BENCH_DOORBELL + i;
		io.len = 1;
		io.flags = KVM_IOEVENTFD_FLAG_PIO;
		/* KVM has room for 1,000 devices on each bus. */
		CHECK(tvm_ioctl(m.vm.fd, KVM_IOEVENTFD, &io));
	}
	exits_of(metric, &m, "_pio", guest_out, BENCH_DOORBELL + metric->a - 1);
	exits_of(metric, &m, "_mmio", guest_store, BENCH_MMIO + (metric->a - 1) * 4);
	exits_of(metric, &m, "_pio_user", guest_out, BENCH_PORT);
}

/* One slot of .a GiB with nothing in it, touched here and there: a page table each. */
static void sparse(const struct bench_metric *metric)
{
	size_t size = metric->a << 30;
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct bench_args args = { .rounds = TOUCHES, .a = BENCH_HIGH, .b = size / TOUCHES };
	struct bench_machine m;
	uint64_t begin;

	if (mem == MAP_FAILED)
		err(1, "%zu bytes", size);
	CHECK(madvise(mem, size, MADV_NOHUGEPAGE));
	bench_machine_create(&m);
	bench_map_high(&m, BENCH_HIGH + size);
	begin = bench_begin();
	CHECK(tvm_set_slot(&m.vm, 1, 0, BENCH_HIGH, size, mem));
	bench_report_one(metric, "_add", "ticks", bench_end(begin));
	bench_stub(&m, guest_touch, &args);
	bench_report_samples(metric, "_touch", m.samples, TOUCHES, 0);
	exits_of(metric, &m, "_cpuid", guest_cpuid, 0);
	begin = bench_begin();
	CHECK(tvm_set_slot(&m.vm, 1, 0, BENCH_HIGH, 0, mem));
	bench_report_one(metric, "_del", "ticks", bench_end(begin));
}

#define ROW(kind, n) { "scale_" #kind "_" #n, kind, NULL, n }

const struct bench_metric bench_scale[] = {
	ROW(vcpus, 1), ROW(vcpus, 2), ROW(vcpus, 4), ROW(vcpus, 8),
	ROW(vms, 1), ROW(vms, 4), ROW(vms, 16), ROW(vms, 64),
	ROW(slots, 1), ROW(slots, 8), ROW(slots, 64), ROW(slots, 509),
	/* KVM's bus has room for 1,000 of either kind, which takes a port and a place here. */
	ROW(ioeventfds, 1), ROW(ioeventfds, 10), ROW(ioeventfds, 100), ROW(ioeventfds, 1000),
	ROW(sparse, 1), ROW(sparse, 4), ROW(sparse, 16), ROW(sparse, 64),
	{ NULL },
};
