/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The benchmark's frame: a metric is a row of a table with a function. Each row runs in a
 * process of its own, pinned to CPU 0, so that none leaves anything to the next. What cannot
 * be done ends the row by err() or bench_skip().
 *
 * bench_machine makes the usual guest: RAM, one vCPU in 64-bit mode, guest.S in memory.
 */
#ifndef BENCH_H
#define BENCH_H

#include <err.h>

#include "layout.h"
#include "mvm_util.h"

struct bench_metric {
	const char *name;
	void (*run)(const struct bench_metric *metric);
	const uint8_t *stub;	/* operands of run() */
	uint64_t a, b, c;
};

/* The row of a halted vCPU woken from CPU .a: on one CPU and on two. */
void bench_irqfd_wake(const struct bench_metric *metric);

/* A subject's rows; the last has no name. */
struct bench_group {
	const char *name;
	const struct bench_metric *metrics;
};

extern const struct bench_metric bench_exits[], bench_calls[], bench_interrupts[],
	bench_timers[], bench_memory[], bench_dirty[], bench_life[], bench_kmem[],
	bench_scale[], bench_pairs[], bench_boot[];

/* Prints "NAME MEDIAN UNIT MIN COUNT", NAME being the row's and @suffix. Sorts @values. */
void bench_report(const struct bench_metric *metric, const char *suffix, const char *unit,
		  int64_t *values, size_t n);
void bench_report_one(const struct bench_metric *metric, const char *suffix,
		      const char *unit, double value);

/* Ends the row: this machine or device cannot show it. */
void bench_skip(const char *why, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* -1 ends the row. */
#define CHECK(expr) ({							\
	int check_ = (expr);						\
									\
	if (check_ < 0) {						\
		errno = check_ == -1 ? errno : -check_;			\
		err(1, "%s", #expr);					\
	}								\
	check_;								\
})

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
}

#define BENCH_STR_(...) #__VA_ARGS__
#define BENCH_STR(...) BENCH_STR_(__VA_ARGS__)

/* The stretch begins: the clock, after the marker. */
static inline uint64_t bench_begin(void)
{
	asm volatile(BENCH_STR(MARK_BEGIN) : : : "memory");
	return rdtsc();
}

/* It ends: the ticks since, without what the two calls cost. */
extern int64_t bench_pair_cost;
static inline int64_t bench_end(uint64_t begin)
{
	int64_t ticks = rdtsc() - begin - bench_pair_cost;

	asm volatile(BENCH_STR(MARK_END) : : : "memory");
	return ticks;
}

struct bench_shared {
	volatile uint32_t go;
	uint8_t pad0[60];
	volatile uint32_t ack;
	uint8_t pad1[60];
	volatile uint64_t total;
};

struct bench_machine {
	struct tvm vm;
	struct tvcpu vcpu, other;	/* the second where two are asked for */
	struct bench_shared *shared;
	int64_t *samples, *samples1;
	int64_t tsc_offset;		/* guest's TSC minus the host's */
};

/* guest.S, and where it is in the guest. */
extern const uint8_t bench_guest[], bench_guest_end[];
#define BENCH_STUB(name) extern const uint8_t guest_##name[]
static inline uint64_t bench_gva(const uint8_t *stub)
{
	return TVM_CODE + (stub - bench_guest);
}

BENCH_STUB(empty);
BENCH_STUB(cpuid);
BENCH_STUB(vmcall);
BENCH_STUB(vmmcall);
BENCH_STUB(rdmsr);
BENCH_STUB(wrmsr);
BENCH_STUB(out);
BENCH_STUB(in);
BENCH_STUB(store);
BENCH_STUB(load);
BENCH_STUB(cr0);
BENCH_STUB(cr4);
BENCH_STUB(touch);
BENCH_STUB(fill);
BENCH_STUB(apic_on);
BENCH_STUB(clock_on);
BENCH_STUB(since_begin);
BENCH_STUB(whole_tsc);
BENCH_STUB(since_deadline);
BENCH_STUB(self_ipi);
BENCH_STUB(hlt_pending);
BENCH_STUB(report);
BENCH_STUB(halt);
BENCH_STUB(spin);
BENCH_STUB(sleep);
BENCH_STUB(deadline_running);
BENCH_STUB(deadline_halted);
BENCH_STUB(oneshot_running);
BENCH_STUB(oneshot_halted);
BENCH_STUB(send);

/* A stub's arguments. */
struct bench_args {
	uint32_t rounds;
	uint64_t a, b, c;		/* r9, r10, r11 */
};

/* Without an interrupt controller, or with one and @vcpus vCPUs whose x2APIC is on. */
void bench_machine_create(struct bench_machine *m);
void bench_machine_create_irqchip(struct bench_machine *m, unsigned int vcpus);
void bench_machine_destroy(struct bench_machine *m);

/* A vCPU more, in 64-bit mode. */
void bench_vcpu_create(struct bench_machine *m, struct tvcpu *vcpu, unsigned int id);

/* BENCH_VECTOR goes to this handler; @lvtt is the APIC timer's. */
void bench_take_interrupts(struct tvcpu *vcpu, const uint8_t *handler, uint32_t lvtt);

/* An eventfd whose writes become BENCH_VECTOR on the vCPU with APIC id @id. */
int bench_irqfd(struct bench_machine *m, unsigned int id);

/* Fills tsc_offset, or ends the row where the device does not tell. */
void bench_find_tsc_offset(struct bench_machine *m);

/* Sets the vCPU to a stub; runs it to BENCH_DONE, all other exits being completed. */
void bench_start(struct tvcpu *vcpu, const uint8_t *stub,
		 const struct bench_args *args);
void bench_run(struct tvcpu *vcpu);
void bench_stub(struct bench_machine *m, const uint8_t *stub, const struct bench_args *args);

/* One sample of an empty stub. */
int64_t bench_empty(struct bench_machine *m);

/* Takes @off from the samples and reports them, the first few being left out. */
void bench_report_samples(const struct bench_metric *metric, const char *suffix,
			  int64_t *samples, size_t n, int64_t off);

/* Memory for a slot, 2 MiB-aligned, by mmap() with these flags more. */
void *bench_mmap(size_t size, int flags);

/* Identity-maps the guest's addresses up to @end, too, by pages of 1 GiB. */
void bench_map_high(struct bench_machine *m, uint64_t end);

void bench_pin(int cpu);
unsigned int bench_cpus(void);

/* Does the device stand on VT-x? */
bool bench_is_intel(void);

#endif /* BENCH_H */
