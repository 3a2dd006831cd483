// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits: what one instruction costs that the device, or userspace behind it, must answer.
 */
#include <sys/eventfd.h>

#include "bench.h"

#define ROUNDS 1000

#define LVT_DEADLINE	0x40000

#define MSR_APIC_BASE	0x1b
#define MSR_PAT		0x277
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC_TPR	0x808
#define MSR_X2APIC_EOI	0x80b
#define PAT_AT_RESET	0x0007040600070406ull

static void measure(const struct bench_metric *metric, struct bench_machine *m)
{
	struct bench_args args = { ROUNDS, metric->a, metric->b, metric->c };
	int64_t empty = bench_empty(m);

	bench_stub(m, metric->stub, &args);
	bench_report_samples(metric, "", m->samples, ROUNDS, empty);
	bench_machine_destroy(m);
}

static void exit_plain(const struct bench_metric *metric)
{
	struct bench_machine m;

	bench_machine_create(&m);
	measure(metric, &m);
}

static void with_timer(const struct bench_metric *metric, uint32_t lvtt)
{
	struct bench_machine m;

	bench_machine_create_irqchip(&m, 1);
	bench_take_interrupts(&m.vcpu, guest_since_begin, lvtt);
	measure(metric, &m);
}

static void exit_irqchip(const struct bench_metric *metric)
{
	with_timer(metric, LVT_DEADLINE | BENCH_VECTOR);
}

static void exit_oneshot(const struct bench_metric *metric)
{
	with_timer(metric, BENCH_VECTOR);
}

static void exit_hypercall(const struct bench_metric *metric)
{
	struct bench_metric mine = *metric;

	mine.stub = bench_is_intel() ? guest_vmcall : guest_vmmcall;
	exit_plain(&mine);
}

/* .b is the ioeventfd's length, .c its flags, .a the address. */
static void exit_ioeventfd(const struct bench_metric *metric)
{
	struct bench_machine m;
	struct kvm_ioeventfd io = {
		.addr = metric->a, .len = metric->b, .flags = metric->c,
	};

	bench_machine_create(&m);
	io.fd = CHECK(eventfd(0, EFD_NONBLOCK));
	if (!io.len && tvm_ioctl(m.vm.fd, KVM_CHECK_EXTENSION,
				 (void *)KVM_CAP_IOEVENTFD_ANY_LENGTH) <= 0)
		bench_skip("no ioeventfd of any length");
	CHECK(tvm_ioctl(m.vm.fd, KVM_IOEVENTFD, &io));
	measure(metric, &m);
}

const struct bench_metric bench_exits[] = {
	{ "cpuid_exit", exit_plain, guest_cpuid },
	{ "hypercall_exit", exit_hypercall, NULL, 1 },
	{ "rdmsr_apicbase_exit", exit_plain, guest_rdmsr, MSR_APIC_BASE },
	{ "rdmsr_pat_exit", exit_plain, guest_rdmsr, MSR_PAT },
	{ "wrmsr_pat_exit", exit_plain, guest_wrmsr, MSR_PAT, PAT_AT_RESET & 0xffffffff,
	  PAT_AT_RESET >> 32 },
	/* The timer off, one-shot: the value is ignored. Then in the mode that kernels use. */
	{ "wrmsr_tscdeadline_exit", exit_oneshot, guest_wrmsr, MSR_TSC_DEADLINE },
	{ "wrmsr_tscdeadline_armed_exit", exit_irqchip, guest_wrmsr, MSR_TSC_DEADLINE, ~0u,
	  0xffff },
	{ "wrmsr_x2apic_eoi_exit", exit_irqchip, guest_wrmsr, MSR_X2APIC_EOI },
	{ "wrmsr_x2apic_tpr_exit", exit_irqchip, guest_wrmsr, MSR_X2APIC_TPR },
	{ "mov_cr0_exit", exit_plain, guest_cr0 },
	{ "mov_cr4_exit", exit_plain, guest_cr4 },
	{ "pio_user_exit", exit_plain, guest_out, BENCH_PORT },
	{ "pio_in_user_exit", exit_plain, guest_in, BENCH_PORT },
	{ "mmio_w_user_exit", exit_plain, guest_store, BENCH_MMIO },
	{ "mmio_r_user_exit", exit_plain, guest_load, BENCH_MMIO },
	{ "ioeventfd_pio_exit", exit_ioeventfd, guest_out, BENCH_DOORBELL, 1,
	  KVM_IOEVENTFD_FLAG_PIO },
	{ "ioeventfd_mmio_exit", exit_ioeventfd, guest_store, BENCH_MMIO, 4 },
	{ "ioeventfd_mmio_len0_exit", exit_ioeventfd, guest_store, BENCH_MMIO, 0 },
	{ "cpuid_exit_irqchip", exit_irqchip, guest_cpuid },
	{ "pio_user_exit_irqchip", exit_irqchip, guest_out, BENCH_PORT },
	{ NULL },
};

/* One of userspace's calls that enter no guest. */
static void time_ioctl(const struct bench_metric *metric, int fd, unsigned long request, void *arg)
{
	static int64_t values[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t begin = bench_begin();

		ioctl(fd, request, arg);
		values[i] = bench_end(begin);
	}
	bench_report(metric, "", "ticks", values, ROUNDS);
}

/* A vCPU's: .a is the ioctl. */
static void call(const struct bench_metric *metric)
{
	static uint8_t buffer[4096];
	struct bench_machine m;

	bench_machine_create(&m);
	time_ioctl(metric, m.vcpu.fd, metric->a, buffer);
	bench_machine_destroy(&m);
}

static void check_extension(const struct bench_metric *metric)
{
	struct bench_machine m;

	bench_machine_create(&m);
	time_ioctl(metric, m.vm.sys, KVM_CHECK_EXTENSION, (void *)KVM_CAP_USER_MEMORY);
	bench_machine_destroy(&m);
}

static void immediate_exit(const struct bench_metric *metric)
{
	static int64_t values[ROUNDS];
	struct bench_machine m;

	bench_machine_create(&m);
	bench_empty(&m);
	m.vcpu.run->immediate_exit = 1;
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t begin = bench_begin();

		ioctl(m.vcpu.fd, KVM_RUN, 0);
		values[i] = bench_end(begin);
	}
	bench_report(metric, "", "ticks", values, ROUNDS);
	bench_machine_destroy(&m);
}

const struct bench_metric bench_calls[] = {
	{ "kvm_check_extension", check_extension },
	{ "kvm_get_regs", call, NULL, KVM_GET_REGS },
	{ "kvm_get_sregs", call, NULL, KVM_GET_SREGS },
	{ "kvm_run_immediate_exit", immediate_exit },
	{ NULL },
};
