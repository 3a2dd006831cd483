// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests with several vCPUs: the host's half of mvm_smp.h. One lock and one
 * condition for all; a vCPU's thread holds neither while it runs the guest.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <signal.h>
#include <time.h>

#include "mvm_smp.h"
#include "smp_guest.h"

#define STOP_SIGNAL SIGUSR2

static void on_stop(int sig)
{
}

struct smp_area *smp_area(struct smp *smp, unsigned int cpu)
{
	return (struct smp_area *)(smp->vm.mem + SMP_AREAS + cpu * SMP_AREA_SIZE);
}

uint64_t smp_guest_address(const void *fn)
{
	return TVM_CODE + ((const uint8_t *)fn - __start_guest_text);
}

/* ------------------------------------------------------------- vCPU threads */

static void set_state(struct smp_cpu *cpu, enum smp_state state, int error)
{
	pthread_mutex_lock(&cpu->smp->lock);
	cpu->state = state;
	cpu->error = error;
	pthread_cond_broadcast(&cpu->smp->changed);
	pthread_mutex_unlock(&cpu->smp->lock);
}

/* Until the next call, or the end: then false. */
static bool park(struct smp_cpu *cpu)
{
	struct smp *smp = cpu->smp;
	bool stop;

	pthread_mutex_lock(&smp->lock);
	cpu->state = SMP_PARKED;
	pthread_cond_broadcast(&smp->changed);
	while (cpu->state == SMP_PARKED && !cpu->stop)
		pthread_cond_wait(&smp->changed, &smp->lock);
	stop = cpu->stop;
	pthread_mutex_unlock(&smp->lock);
	return !stop;
}

static void show_fault(struct smp_cpu *cpu)
{
	struct smp_area *area = smp_area(cpu->smp, cpu->id);

	printf("# vCPU %u: exception %llu at guest text + %#llx, error %#llx\n", cpu->id,
	       (unsigned long long)area->fault_vector,
	       (unsigned long long)area->fault_rip - TVM_CODE,
	       (unsigned long long)area->fault_error);
}

/* An exit to userspace; false when the vCPU shall run no more. */
static bool handle_exit(struct smp_cpu *cpu)
{
	struct kvm_run *run = cpu->vcpu.run;

	if (run->exit_reason == KVM_EXIT_IO && run->io.port == TVM_PORT)
		return park(cpu);
	if (run->exit_reason == KVM_EXIT_IO && run->io.port == SMP_FAULT_PORT) {
		show_fault(cpu);
	} else {
		printf("# vCPU %u:\n", cpu->id);
		tvcpu_show(&cpu->vcpu);
	}
	set_state(cpu, SMP_DEAD, -EPROTO);
	return false;
}

static void *cpu_thread(void *arg)
{
	struct smp_cpu *cpu = arg;
	int ret;

	do {
		ret = tvm_ioctl(cpu->vcpu.fd, KVM_RUN, NULL);
		if (__atomic_load_n(&cpu->stop, __ATOMIC_ACQUIRE))
			return NULL;
		if (ret == -EINTR)
			cpu->interrupted++;
		else if (ret == -EAGAIN)
			cpu->again++;
		else if (ret)
			break;
	} while (ret || handle_exit(cpu));
	if (ret) {
		printf("# vCPU %u: KVM_RUN: %s\n", cpu->id, strerror(-ret));
		set_state(cpu, SMP_DEAD, ret);
	}
	return NULL;
}

int smp_start(struct smp *smp, unsigned int cpu)
{
	int ret;

	smp->cpu[cpu].state = SMP_RUNNING;
	ret = pthread_create(&smp->cpu[cpu].thread, NULL, cpu_thread, &smp->cpu[cpu]);
	smp->cpu[cpu].started = !ret;
	return -ret;
}

/* The flag, then signals until the thread is gone: one may come before KVM_RUN does. */
static void stop(struct smp_cpu *cpu)
{
	struct timespec until;

	pthread_mutex_lock(&cpu->smp->lock);
	__atomic_store_n(&cpu->stop, true, __ATOMIC_RELEASE);
	cpu->vcpu.run->immediate_exit = 1;
	pthread_cond_broadcast(&cpu->smp->changed);
	pthread_mutex_unlock(&cpu->smp->lock);
	pthread_kill(cpu->thread, STOP_SIGNAL);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += SMP_TIMEOUT;
	if (pthread_timedjoin_np(cpu->thread, NULL, &until)) {
		printf("# vCPU %u does not come out of KVM_RUN\n", cpu->id);
		abort();
	}
	cpu->started = false;
}

/* -------------------------------------------------------------------- calls */

int smp_call(struct smp *smp, unsigned int cpu, guest_fn fn, uint64_t a, uint64_t b, uint64_t c)
{
	struct smp_area *area = smp_area(smp, cpu);
	int ret = -EBUSY;

	pthread_mutex_lock(&smp->lock);
	if (smp->cpu[cpu].state == SMP_PARKED) {
		area->fn = smp_guest_address(fn);
		area->arg[0] = a;
		area->arg[1] = b;
		area->arg[2] = c;
		smp->cpu[cpu].state = SMP_RUNNING;
		pthread_cond_broadcast(&smp->changed);
		ret = 0;
	}
	pthread_mutex_unlock(&smp->lock);
	return ret;
}

int smp_wait(struct smp *smp, unsigned int cpu, uint64_t *ret)
{
	struct smp_cpu *c = &smp->cpu[cpu];
	struct timespec until;
	int err = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += SMP_TIMEOUT;
	pthread_mutex_lock(&smp->lock);
	while (c->state == SMP_RUNNING && !err)
		err = pthread_cond_timedwait(&smp->changed, &smp->lock, &until);
	err = c->state == SMP_RUNNING ? -ETIMEDOUT : c->state == SMP_DEAD ? -EPROTO : 0;
	pthread_mutex_unlock(&smp->lock);
	if (err)
		printf("# vCPU %u: %s\n", cpu, err == -EPROTO ? "ended" : "no answer");
	else if (ret)
		*ret = smp_area(smp, cpu)->ret;
	return err;
}

uint64_t smp_do(struct smp *smp, unsigned int cpu, guest_fn fn, uint64_t a, uint64_t b,
		uint64_t c)
{
	uint64_t ret;

	if (smp_call(smp, cpu, fn, a, b, c)) {
		printf("# vCPU %u is not parked\n", cpu);
		return ~0ull;
	}
	return smp_wait(smp, cpu, &ret) ? ~0ull : ret;
}

/* ----------------------------------------------------------- birth and death */

static int load(struct smp *smp)
{
	size_t size = __stop_guest_text - __start_guest_text;
	uint32_t main = smp_guest_address(smp_entry);
	unsigned int i;

	if (size > SMP_AREAS - TVM_CODE)
		return -EFBIG;
	memcpy(smp->vm.mem + TVM_CODE, __start_guest_text, size);
	memcpy(smp->vm.mem + SMP_TRAMPOLINE, smp_trampoline, smp_trampoline_end - smp_trampoline);
	memcpy(smp->vm.mem + SMP_MAIN, &main, sizeof(main));
	for (i = 0; i < smp->n; i++)
		smp_area(smp, i)->id = i;
	return 0;
}

int smp_create(struct smp *smp, unsigned int n)
{
	struct sigaction sa = { .sa_handler = on_stop };
	unsigned int i;
	int ret;

	memset(smp, 0, sizeof(*smp));
	pthread_mutex_init(&smp->lock, NULL);
	pthread_cond_init(&smp->changed, NULL);
	sigaction(STOP_SIGNAL, &sa, NULL);
	ret = tvm_create(&smp->vm, SMP_MEM_SIZE);
	if (ret)
		return ret;
	ret = tvm_create_irqchip(&smp->vm, false);
	for (i = 0; !ret && i < n; i++) {
		smp->cpu[i].smp = smp;
		smp->cpu[i].id = i;
		ret = tvcpu_create(&smp->vm, &smp->cpu[i].vcpu, i);
		if (ret)
			break;
		smp->n++;
		ret = tvcpu_set_cpuid(&smp->cpu[i].vcpu);
	}
	if (!ret)
		ret = load(smp);
	if (ret) {
		snprintf(smp->vm.why, sizeof(smp->vm.why), "no vCPU %u: %s", i, strerror(-ret));
		smp_destroy(smp);
	}
	return ret;
}

void smp_destroy(struct smp *smp)
{
	unsigned int i;

	for (i = 0; i < smp->n; i++)
		if (smp->cpu[i].started)
			stop(&smp->cpu[i]);
	for (i = 0; i < smp->n; i++)
		tvcpu_destroy(&smp->cpu[i].vcpu);
	smp->n = 0;
	tvm_destroy(&smp->vm);
}

int smp_prepare_first(struct smp *smp)
{
	struct tvcpu *first = &smp->cpu[0].vcpu;
	struct kvm_regs regs = {
		.rip = smp_guest_address(smp_entry), .rsp = SMP_AREAS + SMP_AREA_SIZE, .rflags = 2,
	};
	unsigned int vector;
	int ret;

	ret = tvcpu_set_mode(first, TVM_LONG);
	if (ret)
		return ret;
	for (vector = 0; vector < 256; vector++)
		tvcpu_set_gate(first, TVM_LONG, vector,
			       smp_guest_address(smp_stubs) + vector * 16);
	return tvm_ioctl(first->fd, KVM_SET_REGS, &regs);
}

int smp_boot(struct smp *smp)
{
	unsigned int i;
	int ret;

	ret = smp_prepare_first(smp);
	for (i = 0; !ret && i < smp->n; i++)
		ret = smp_start(smp, i);
	if (!ret)
		ret = smp_wait(smp, 0, NULL);
	if (ret)
		return ret;
	smp_do(smp, 0, g_apic_on, 0, 0, 0);
	if (smp->n == 1)
		return 0;
	smp_do(smp, 0, g_ipi, ICR_INIT | ICR_ASSERT | ICR_OTHERS, 0, 0);
	smp_do(smp, 0, g_ipi, ICR_SIPI | ICR_ASSERT | ICR_OTHERS | SMP_SIPI, 0, 0);
	for (i = 1; !ret && i < smp->n; i++)
		ret = smp_wait(smp, i, NULL);
	return ret;
}
