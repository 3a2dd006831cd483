/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guests with several vCPUs that do what the test asks: each vCPU has a thread,
 * and parks in it between two calls. A guest function is C marked GUEST; it may
 * use other GUEST functions, its arguments and guest memory, nothing else (no
 * globals, no strings, no libc).
 *
 *	GUEST uint64_t add(uint64_t a, uint64_t b, uint64_t c) { return a + b + c; }
 *
 *	SMP_CREATE_OR_SKIP(&smp, 4);
 *	ASSERT_EQ(0, smp_boot(&smp));		-- INIT, SIPI, all parked
 *	ASSERT_EQ(0, smp_call(&smp, 3, add, 1, 2, 3));
 *	ASSERT_EQ(0, smp_wait(&smp, 3, &sum));
 *
 * Guests run in 64-bit mode, memory below 4 GiB identity-mapped. Interrupts are
 * counted by vector in the vCPU's area, and ended there. An exception ends the
 * vCPU, and whoever waits for it is told.
 */
#ifndef MVM_SMP_H
#define MVM_SMP_H

#include <pthread.h>

#include "mvm_util.h"

#define SMP_MAX		64
#define SMP_MEM_SIZE	TVM_MEM_SIZE
#define SMP_TRAMPOLINE	0xc000		/* where application processors start */
#define SMP_SIPI	(SMP_TRAMPOLINE >> 12)
#define SMP_AREAS	0x100000	/* one struct smp_area, and the stack, a vCPU */
#define SMP_AREA_SIZE	0x4000
#define SMP_DATA	0x300000	/* 1 MiB that is the test's */
#define SMP_FAULT_PORT	(TVM_PORT + 1)
#define SMP_TIMEOUT	60		/* seconds; emulated hosts are slow */

/* The local APIC's registers by number: offset / 16, MSR - 0x800. */
#define APIC_ID		0x02
#define APIC_TPR	0x08
#define APIC_EOI	0x0b
#define APIC_LDR	0x0d
#define APIC_DFR	0x0e
#define APIC_SVR	0x0f
#define APIC_IRR	0x20
#define APIC_ESR	0x28
#define APIC_ICR	0x30
#define APIC_ICR2	0x31
#define APIC_SELF_IPI	0x3f

#define APIC_MSRS	0x800
#define APIC_PAGE	0xfee00000ul
#define MSR_APIC_BASE	0x1b

/* The ICR's fields. */
#define ICR_FIXED	0x000
#define ICR_LOWEST	0x100
#define ICR_NMI		0x400
#define ICR_INIT	0x500
#define ICR_SIPI	0x600
#define ICR_LOGICAL	0x800
#define ICR_ASSERT	0x4000
#define ICR_LEVEL	0x8000
#define ICR_SELF	0x40000
#define ICR_ALL		0x80000
#define ICR_OTHERS	0xc0000

/* Code of the guest: in a section of its own, copied as a whole. */
#define GUEST __attribute__((section("guest_text"), noinline, used, target("general-regs-only")))
#define GUEST_INLINE static inline __attribute__((always_inline, target("general-regs-only")))

typedef uint64_t (*guest_fn)(uint64_t a, uint64_t b, uint64_t c);

/* Shared by the guest and the test, at the start of a vCPU's 16 KiB. */
struct smp_area {
	uint64_t fn, arg[3], ret;
	uint64_t id;
	uint64_t x2apic;
	uint64_t fault_vector, fault_rip, fault_error;
	volatile uint32_t count[256];	/* interrupts, by vector */
};

enum smp_state { SMP_PARKED, SMP_RUNNING, SMP_DEAD };

struct smp_cpu {
	struct smp *smp;
	struct tvcpu vcpu;
	pthread_t thread;
	unsigned int id;
	enum smp_state state;
	bool started, stop;
	int error;		/* why it is dead */
	volatile unsigned int interrupted, again;	/* EINTR, EAGAIN of KVM_RUN */
};

struct smp {
	struct tvm vm;
	unsigned int n;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct smp_cpu cpu[SMP_MAX];
};

/* A VM with an in-kernel irqchip and @n vCPUs whose threads have not started. */
int smp_create(struct smp *smp, unsigned int n);
void smp_destroy(struct smp *smp);

/* vCPU 0 starts the others by INIT and SIPI; on return all are parked. */
int smp_boot(struct smp *smp);

/* Give a vCPU its thread, which calls KVM_RUN at once. */
int smp_start(struct smp *smp, unsigned int cpu);
/* Registers of vCPU 0, so that it parks when it runs. */
int smp_prepare_first(struct smp *smp);

/* Let a parked vCPU run @fn. 0 or -errno. */
int smp_call(struct smp *smp, unsigned int cpu, guest_fn fn, uint64_t a, uint64_t b, uint64_t c);
/* Wait until it is parked again; 0, -ETIMEDOUT, or -EPROTO when it died. @ret may be NULL. */
int smp_wait(struct smp *smp, unsigned int cpu, uint64_t *ret);
/* Both; ~0 after a failure, which is shown. */
uint64_t smp_do(struct smp *smp, unsigned int cpu, guest_fn fn, uint64_t a, uint64_t b,
		uint64_t c);

struct smp_area *smp_area(struct smp *smp, unsigned int cpu);
uint64_t smp_guest_address(const void *fn);

#define SMP_CREATE_OR_SKIP(smp, n) do {					\
	int smp_ret_ = smp_create((smp), (n));				\
									\
	if (smp_ret_ == -ENODEV)					\
		MVM_SKIP("%s", (smp)->vm.why);				\
	ASSERT_EQ(0, smp_ret_) {					\
		TH_LOG("%s", (smp)->vm.why);				\
	}								\
} while (0)

/* ------------------------------------------------------- for the guest's side */

GUEST_INLINE struct smp_area *g_area(void)
{
	uintptr_t rsp;

	asm volatile("mov %%rsp, %0" : "=r"(rsp));
	return (struct smp_area *)(rsp & ~(uintptr_t)(SMP_AREA_SIZE - 1));
}

GUEST_INLINE struct smp_area *g_area_of(uint64_t cpu)
{
	return (struct smp_area *)(SMP_AREAS + cpu * SMP_AREA_SIZE);
}

GUEST_INLINE void g_wrmsr(uint32_t msr, uint64_t val)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((uint32_t)val), "d"((uint32_t)(val >> 32)) : "memory");
}

GUEST_INLINE uint64_t g_rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr) : "memory");
	return (uint64_t)hi << 32 | lo;
}

GUEST_INLINE void g_apic_write(unsigned int reg, uint32_t val)
{
	if (g_area()->x2apic)
		g_wrmsr(APIC_MSRS + reg, val);
	else
		*(volatile uint32_t *)(APIC_PAGE + reg * 16) = val;
}

GUEST_INLINE uint32_t g_apic_read(unsigned int reg)
{
	if (g_area()->x2apic)
		return g_rdmsr(APIC_MSRS + reg);
	return *(volatile uint32_t *)(APIC_PAGE + reg * 16);
}

/* Send an IPI; @dest is an id or a logical destination as the APIC's mode has it. */
GUEST_INLINE void g_send(uint32_t icr, uint32_t dest)
{
	if (g_area()->x2apic) {
		g_wrmsr(APIC_MSRS + APIC_ICR, (uint64_t)dest << 32 | icr);
	} else {
		g_apic_write(APIC_ICR2, dest << 24);
		g_apic_write(APIC_ICR, icr);
	}
}

GUEST_INLINE void g_pause(void)
{
	asm volatile("pause" : : : "memory");
}

/* Guest functions of the library, for smp_call(). */
GUEST uint64_t g_apic_on(uint64_t x2apic, uint64_t b, uint64_t c);
GUEST uint64_t g_ipi(uint64_t icr, uint64_t dest, uint64_t c);
GUEST uint64_t g_apic_put(uint64_t reg, uint64_t val, uint64_t c);
GUEST uint64_t g_apic_get(uint64_t reg, uint64_t b, uint64_t c);
GUEST uint64_t g_msr_put(uint64_t msr, uint64_t val, uint64_t c);
GUEST uint64_t g_msr_get(uint64_t msr, uint64_t b, uint64_t c);
/* Let in what waits, a moment long. */
GUEST uint64_t g_open(uint64_t a, uint64_t b, uint64_t c);
/* Halt with interrupts on until vector @a has been counted @b times more than now. */
GUEST uint64_t g_halt_for(uint64_t vector, uint64_t times, uint64_t c);
/* The same, without halting. */
GUEST uint64_t g_spin_for(uint64_t vector, uint64_t times, uint64_t c);

#endif /* MVM_SMP_H */
