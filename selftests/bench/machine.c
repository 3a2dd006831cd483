// SPDX-License-Identifier: GPL-2.0-only
/*
 * The benchmark's guest: see bench.h. Memory and modes are those of selftests/lib.
 */
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "bench.h"
#include "irq_util.h"

#define PTE_P_W		3ull
#define PTE_PS		0x80ull
#define APIC_BASE_X2	0xc00ull
#define WARM_UP		10	/* samples at the start that are left out */
#define HUGE		(2ul << 20)

static void create_vm(struct bench_machine *m)
{
	int ret;

	memset(m, 0, sizeof(*m));
	ret = tvm_create(&m->vm, BENCH_RAM);
	if (ret)
		errx(1, "%s", m->vm.why[0] ? m->vm.why : strerror(-ret));
	/* Nothing of the guest's memory shall be new to the host, or come late. */
	memset(m->vm.mem, 0, BENCH_RAM);
	memcpy(m->vm.mem + TVM_CODE, bench_guest, bench_guest_end - bench_guest);
	m->shared = (struct bench_shared *)(m->vm.mem + BENCH_SHARED);
	m->samples = (int64_t *)(m->vm.mem + BENCH_SAMPLES);
	m->samples1 = (int64_t *)(m->vm.mem + BENCH_SAMPLES1);
}

void bench_vcpu_create(struct bench_machine *m, struct tvcpu *vcpu, unsigned int id)
{
	CHECK(tvcpu_create(&m->vm, vcpu, id));
	CHECK(tvcpu_set_mode(vcpu, TVM_LONG));
	CHECK(tvcpu_offer_deadline(vcpu));
}

void bench_machine_create(struct bench_machine *m)
{
	create_vm(m);
	bench_vcpu_create(m, &m->vcpu, 0);
}

static void x2apic_on(struct tvcpu *vcpu)
{
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_sregs s;

	CHECK(tvm_ioctl(vcpu->fd, KVM_GET_SREGS, &s));
	s.apic_base |= APIC_BASE_X2;
	CHECK(tvm_ioctl(vcpu->fd, KVM_SET_SREGS, &s));
	CHECK(tvm_ioctl(vcpu->fd, KVM_SET_MP_STATE, &runnable));
}

void bench_machine_create_irqchip(struct bench_machine *m, unsigned int vcpus)
{
	create_vm(m);
	CHECK(tvm_create_irqchip(&m->vm, false));
	bench_vcpu_create(m, &m->vcpu, 0);
	x2apic_on(&m->vcpu);
	if (vcpus > 1) {
		bench_vcpu_create(m, &m->other, 1);
		x2apic_on(&m->other);
	}
}

void bench_machine_destroy(struct bench_machine *m)
{
	if (m->other.vm)
		tvcpu_destroy(&m->other);
	tvcpu_destroy(&m->vcpu);
	tvm_destroy(&m->vm);
}

void bench_start(struct tvcpu *vcpu, const uint8_t *stub,
		 const struct bench_args *args)
{
	struct kvm_regs regs = {
		.rflags = 2,
		.rip = bench_gva(stub),
		.rsp = vcpu->id ? BENCH_STACK1 : TVM_STACK,
		.rdi = vcpu->id ? BENCH_SAMPLES1 : BENCH_SAMPLES,
		.r8 = args->rounds,
		.r9 = args->a,
		.r10 = args->b,
		.r11 = args->c,
	};

	CHECK(tvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs));
}

static bool done(const struct kvm_run *run)
{
	return run->exit_reason == KVM_EXIT_IO && run->io.port == BENCH_DONE;
}

void bench_run(struct tvcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	do {
		int ret = ioctl(vcpu->fd, KVM_RUN, 0);

		if (ret && errno != EINTR)
			err(1, "KVM_RUN");
		if (run->exit_reason != KVM_EXIT_IO && run->exit_reason != KVM_EXIT_MMIO) {
			tvcpu_show(vcpu);
			errx(1, "unexpected exit %u", run->exit_reason);
		}
	} while (!done(run));
}

void bench_stub(struct bench_machine *m, const uint8_t *stub, const struct bench_args *args)
{
	bench_start(&m->vcpu, stub, args);
	bench_run(&m->vcpu);
}

int64_t bench_empty(struct bench_machine *m)
{
	bench_stub(m, guest_empty, &(struct bench_args){ .rounds = 2 * WARM_UP });
	return m->samples[WARM_UP];
}

void bench_report_samples(const struct bench_metric *metric, const char *suffix,
			  int64_t *samples, size_t n, int64_t off)
{
	for (size_t i = 0; i < n; i++)
		samples[i] -= off;
	bench_report(metric, suffix, "ticks", samples + WARM_UP, n - WARM_UP);
}

void bench_take_interrupts(struct tvcpu *vcpu, const uint8_t *handler, uint32_t lvtt)
{
	tvcpu_set_gate(vcpu, TVM_LONG, BENCH_VECTOR, bench_gva(handler));
	bench_start(vcpu, guest_apic_on, &(struct bench_args){ .a = lvtt });
	bench_run(vcpu);
}

int bench_irqfd(struct bench_machine *m, unsigned int id)
{
	struct kvm_irq_routing_entry route = tirq_msi(24, BENCH_VECTOR);
	int fd = CHECK(eventfd(0, EFD_CLOEXEC));

	route.u.msi.address_lo |= id << 12;
	CHECK(tirq_route(&m->vm, &route, 1));
	CHECK(tirq_irqfd(&m->vm, fd, 24, 0, -1));
	return fd;
}

typedef unsigned __int128 u128;

/* As the ABI has it: no padding is needed. */
struct clock_page {
	uint32_t version, pad;
	uint64_t tsc, ns;
	uint32_t mul;
	int8_t shift;
	uint8_t flags, pad1[2];
};

/* The ABI tells a time of kvmclock both in the guest's TSC (its page) and in the host's. */
static void tsc_offset_by_clock(struct bench_machine *m)
{
	const struct clock_page *page = (void *)(m->vm.mem + BENCH_CLOCK);
	struct kvm_clock_data clock = { 0 };
	u128 ticks;

	bench_stub(m, guest_clock_on, &(struct bench_args){ 0 });
	CHECK(tvm_ioctl(m->vm.fd, KVM_GET_CLOCK, &clock));
	if (!(clock.flags & KVM_CLOCK_HOST_TSC))
		bench_skip("KVM_GET_CLOCK does not give the host's TSC");
	ticks = (u128)(clock.clock - page->ns) << 32;
	ticks = (ticks + page->mul / 2) / page->mul;
	ticks = page->shift < 0 ? ticks << -page->shift : ticks >> page->shift;
	m->tsc_offset = page->tsc + (uint64_t)ticks - clock.host_tsc;
}

void bench_find_tsc_offset(struct bench_machine *m)
{
	uint64_t zero = 0;
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&zero,
	};

	if (tvm_ioctl(m->vcpu.fd, KVM_SET_DEVICE_ATTR, &attr) == 0) {
		if (m->other.vm)
			CHECK(tvm_ioctl(m->other.fd, KVM_SET_DEVICE_ATTR, &attr));
		m->tsc_offset = 0;
		return;
	}
	tsc_offset_by_clock(m);
}

void *bench_mmap(size_t size, int flags)
{
	uint8_t *mem = mmap(NULL, size + HUGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *aligned;

	if (mem == MAP_FAILED)
		err(1, "%zu bytes", size);
	aligned = (uint8_t *)(((uintptr_t)mem + HUGE - 1) & -HUGE);
	mem = mmap(aligned, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED | flags, -1, 0);
	if (mem == MAP_FAILED)
		err(1, "%zu bytes", size);
	return mem;
}

void bench_map_high(struct bench_machine *m, uint64_t end)
{
	uint64_t *pdpt = (uint64_t *)(m->vm.mem + TVM_PDPT);

	for (uint64_t gib = 4; gib << 30 < end; gib++)
		pdpt[gib] = gib << 30 | PTE_P_W | PTE_PS;
}

void bench_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	CHECK(sched_setaffinity(0, sizeof(set), &set));
}

unsigned int bench_cpus(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}

bool bench_is_intel(void)
{
	uint32_t a = 0, b, c, d;

	asm volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	return b == 0x756e6547;
}
