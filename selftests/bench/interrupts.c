// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts on one host CPU: from the cause to the first RDTSC in the guest's handler.
 */
#include <pthread.h>
#include <sys/eventfd.h>

#include "bench.h"

#define ROUNDS 500

#define ICR_SELF 0x40000

/* The guest sends to itself; .stub says in which state. */
static void self_ipi(const struct bench_metric *metric)
{
	struct bench_args args = { .rounds = ROUNDS, .a = ICR_SELF | BENCH_VECTOR };
	struct bench_machine m;
	int64_t empty;

	bench_machine_create_irqchip(&m, 1);
	bench_take_interrupts(&m.vcpu, guest_since_begin, 0);
	empty = bench_empty(&m);
	bench_stub(&m, metric->stub, &args);
	bench_report_samples(metric, "", m.samples, ROUNDS, empty);
	bench_machine_destroy(&m);
}

/* One thread writes to the eventfd, then runs the vCPU. */
static void irqfd_samethread(const struct bench_metric *metric)
{
	static int64_t write_cost[ROUNDS], begin[ROUNDS];
	const uint64_t one = 1;
	struct bench_machine m;
	int fd;

	bench_machine_create_irqchip(&m, 1);
	bench_take_interrupts(&m.vcpu, guest_whole_tsc, 0);
	bench_find_tsc_offset(&m);
	fd = bench_irqfd(&m, 0);
	bench_start(&m.vcpu, guest_report, &(struct bench_args){ 0 });
	bench_run(&m.vcpu);
	for (int i = 0; i < ROUNDS; i++) {
		begin[i] = bench_begin();
		CHECK(write(fd, &one, sizeof(one)));
		write_cost[i] = rdtsc() - begin[i] - bench_pair_cost;
		bench_run(&m.vcpu);
	}
	for (int i = 0; i < ROUNDS; i++)
		m.samples[i] -= begin[i] + m.tsc_offset;
	bench_report_samples(metric, "_to_handler", m.samples, ROUNDS, bench_pair_cost);
	bench_report_samples(metric, "_write", write_cost, ROUNDS, 0);
	bench_machine_destroy(&m);
}

/* The vCPU's own thread: tells after each round. */
struct runner {
	struct bench_machine *m;
	int cpu, told;
};

static void *run_rounds(void *arg)
{
	const struct runner *r = arg;
	const uint64_t one = 1;

	bench_pin(r->cpu);
	for (int i = 0; i < ROUNDS; i++) {
		bench_run(&r->m->vcpu);
		CHECK(write(r->told, &one, sizeof(one)));
	}
	return NULL;
}

/*
 * The vCPU halts in its own thread on CPU 0; this one, on CPU .a, wakes it by an irqfd and waits
 * to hear of it, asleep.
 */
void bench_irqfd_wake(const struct bench_metric *metric)
{
	static int64_t begin[ROUNDS];
	struct bench_machine m;
	struct runner r = { .m = &m };
	uint64_t one = 1, count;
	pthread_t thread;
	int fd;

	if (metric->a >= bench_cpus())
		bench_skip("%llu CPUs are needed", metric->a + 1ull);
	bench_machine_create_irqchip(&m, 1);
	bench_take_interrupts(&m.vcpu, guest_whole_tsc, 0);
	bench_find_tsc_offset(&m);
	fd = bench_irqfd(&m, 0);
	r.told = CHECK(eventfd(0, EFD_CLOEXEC));
	bench_start(&m.vcpu, guest_halt, &(struct bench_args){ 0 });
	bench_pin(metric->a);
	CHECK(-pthread_create(&thread, NULL, run_rounds, &r));
	for (int i = 0; i < ROUNDS; i++) {
		/* Until it has halted, and halt polling would be over. */
		usleep(2000);
		begin[i] = bench_begin();
		CHECK(write(fd, &one, sizeof(one)));
		CHECK(read(r.told, &count, sizeof(count)));
	}
	pthread_join(thread, NULL);
	for (int i = 0; i < ROUNDS; i++)
		m.samples[i] -= begin[i] + m.tsc_offset;
	bench_report_samples(metric, "", m.samples, ROUNDS, bench_pair_cost);
	bench_machine_destroy(&m);
}

const struct bench_metric bench_interrupts[] = {
	{ "selfipi_to_handler", self_ipi, guest_self_ipi },
	{ "hlt_pending_to_handler", self_ipi, guest_hlt_pending },
	{ "irqfd_samethread", irqfd_samethread },
	{ "irqfd_hlt_wake_samecpu", bench_irqfd_wake, NULL, 0 },
	{ NULL },
};
