// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's timer: how late its interrupt is in the guest's handler. KVM can fire it
 * early and spin (lapic_timer_advance_ns): compare with 0.
 */
#include "bench.h"

#define ROUNDS	100
#define AHEAD_NS 200000

#define LVT_ONESHOT	0
#define LVT_DEADLINE	0x40000

/* .a is the LVT's mode. */
static void timer(const struct bench_metric *metric)
{
	struct bench_args args = { .rounds = ROUNDS, .c = AHEAD_NS };
	struct bench_machine m;
	uint64_t khz;

	bench_machine_create_irqchip(&m, 1);
	khz = CHECK(tvm_ioctl(m.vcpu.fd, KVM_GET_TSC_KHZ, NULL));
	/* The APIC's bus counts nanoseconds. */
	args.b = AHEAD_NS * khz / 1000000;
	bench_take_interrupts(&m.vcpu, guest_since_deadline, metric->a | BENCH_VECTOR);
	bench_stub(&m, metric->stub, &args);
	bench_report_samples(metric, "", m.samples, ROUNDS, 0);
	bench_machine_destroy(&m);
}

const struct bench_metric bench_timers[] = {
	{ "timer_deadline_running_late", timer, guest_deadline_running, LVT_DEADLINE },
	{ "timer_deadline_hlt_late", timer, guest_deadline_halted, LVT_DEADLINE },
	{ "timer_oneshot_running_late", timer, guest_oneshot_running, LVT_ONESHOT },
	{ "timer_oneshot_hlt_late", timer, guest_oneshot_halted, LVT_ONESHOT },
	{ NULL },
};
