// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two host CPUs: interrupts from one to a vCPU that runs or halts on the other. Both
 * vCPUs' TSCs and the host's are one. What the ticks mean depends on the bed: one CPU after
 * the other under QEMU's icount, side by side in Bochs.
 */
#include <pthread.h>

#include "bench.h"

#define ROUNDS	300
#define PAUSE	20000	/* ticks between two rounds: the receiver has come to rest */
#define PER_ROUND 3	/* guest_send's samples */

static void *run_for_ever(void *arg)
{
	struct tvcpu *vcpu = arg;

	bench_pin(vcpu->id ? 1 : 0);
	ioctl(vcpu->fd, KVM_RUN, 0);
	return NULL;
}

static void need_two(void)
{
	if (bench_cpus() < 2)
		bench_skip("2 CPUs are needed");
}

/* From vCPU 0, here, to vCPU 1 on CPU 1, which runs .stub. */
static void ipi(const struct bench_metric *metric)
{
	static int64_t send[ROUNDS], oneway[ROUNDS], acked[ROUNDS];
	struct bench_args args = {
		.rounds = ROUNDS, .a = BENCH_VECTOR, .b = 1, .c = metric->a,
	};
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct bench_machine m;
	pthread_t thread;

	need_two();
	bench_machine_create_irqchip(&m, 2);
	bench_find_tsc_offset(&m);
	bench_take_interrupts(&m.vcpu, guest_whole_tsc, 0);
	CHECK(tvm_ioctl(m.other.fd, KVM_SET_MP_STATE, &runnable));
	bench_take_interrupts(&m.other, guest_whole_tsc, 0);
	bench_start(&m.other, metric->stub, &(struct bench_args){ 0 });
	CHECK(-pthread_create(&thread, NULL, run_for_ever, &m.other));
	usleep(5000);
	bench_stub(&m, guest_send, &args);
	for (int i = 0; i < ROUNDS; i++) {
		oneway[i] = m.samples1[i] - m.samples[PER_ROUND * i];
		send[i] = m.samples[PER_ROUND * i + 1];
		acked[i] = m.samples[PER_ROUND * i + 2];
	}
	bench_report_samples(metric, "_send_exit", send, ROUNDS, 0);
	bench_report_samples(metric, "_oneway", oneway, ROUNDS, 0);
	bench_report_samples(metric, "_acked_rt", acked, ROUNDS, 0);
	/* The other thread is in the guest, and ends with this process. */
}

/* From this thread on CPU 1 to the vCPU that spins on CPU 0. */
static void irqfd_running(const struct bench_metric *metric)
{
	static int64_t begin[ROUNDS];
	const uint64_t one = 1;
	struct bench_machine m;
	pthread_t thread;
	int fd;

	need_two();
	bench_machine_create_irqchip(&m, 1);
	bench_take_interrupts(&m.vcpu, guest_whole_tsc, 0);
	bench_find_tsc_offset(&m);
	fd = bench_irqfd(&m, 0);
	bench_pin(1);
	bench_start(&m.vcpu, guest_spin, &(struct bench_args){ 0 });
	CHECK(-pthread_create(&thread, NULL, run_for_ever, &m.vcpu));
	usleep(5000);
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t until = rdtsc() + PAUSE;
		uint32_t ack = m.shared->ack;

		while (rdtsc() < until)
			asm volatile("pause");
		begin[i] = bench_begin();
		CHECK(write(fd, &one, sizeof(one)));
		while (m.shared->ack == ack)
			asm volatile("pause");
	}
	for (int i = 0; i < ROUNDS; i++)
		m.samples[i] -= begin[i] + m.tsc_offset;
	bench_report_samples(metric, "", m.samples, ROUNDS, bench_pair_cost);
}

const struct bench_metric bench_pairs[] = {
	{ "irqfd_running_othercpu", irqfd_running },
	{ "irqfd_hlt_wake_othercpu", bench_irqfd_wake, NULL, 1 },
	{ "ipi_to_running", ipi, guest_spin, PAUSE },
	{ "ipi_to_halted", ipi, guest_sleep, 2 * PAUSE },
	{ NULL },
};
