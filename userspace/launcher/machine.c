// SPDX-License-Identifier: GPL-2.0-only
/*
 * Building a machine, running its threads, and how it ends. Devices are in
 * machine_devices.c, registers in cpu_state.c, the threads' work in
 * cpu_thread.c.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "cpu_thread.h"
#include "machine.h"

#define NSEC_PER_SEC 1000000000l
#define KICK_INTERVAL_NS 20000000l
/* Devices need little, and one of the default 8 MiB may get a huge page. */
#define CPU_STACK_SIZE (256 * 1024)

static void on_kick(int sig)
{
	(void)sig;
}

void machine_install_kick(void)
{
	/* No SA_RESTART: a blocked write() shall return as well. */
	struct sigaction sa = { .sa_handler = on_kick };

	sigaction(CPU_KICK_SIGNAL, &sa, NULL);
}

static int add_memory(struct machine *m, char *err, size_t errlen)
{
	unsigned int i;
	int ret;

	for (i = 0; i < m->mem.nr_regions; i++) {
		const struct guest_mem_region *r = &m->mem.region[i];

		ret = minivmm_vm_set_memory(m->vm, i, 0, r->gpa, r->size, r->host);
		if (ret) {
			snprintf(err, errlen, "%s", minivmm_vm_error(m->vm));
			return ret;
		}
	}
	return 0;
}

static int create_vm(struct machine *m, char *err, size_t errlen)
{
	int ret;

	ret = minivmm_vm_create(m->sys, 0, &m->vm);
	if (ret) {
		snprintf(err, errlen, "%s", minivmm_error(m->sys));
		return ret;
	}
	ret = minivmm_vm_create_irqchip(m->vm);
	if (ret) {
		snprintf(err, errlen, "%s", minivmm_vm_error(m->vm));
		return ret;
	}
	return add_memory(m, err, errlen);
}

static int create_cpus(struct machine *m, const struct boot_entry *entry, char *err,
		       size_t errlen)
{
	struct kvm_cpuid2 *supported;
	int ret;

	ret = minivmm_supported_cpuid(m->sys, &supported);
	if (ret) {
		snprintf(err, errlen, "%s", minivmm_error(m->sys));
		return ret;
	}
	while (!ret && m->nr_cpus < m->opt->cpus) {
		struct cpu *cpu = &m->cpus[m->nr_cpus];

		cpu->machine = m;
		cpu->id = m->nr_cpus;
		ret = minivmm_vcpu_create(m->vm, cpu->id, &cpu->vcpu);
		if (ret) {
			snprintf(err, errlen, "%s", minivmm_vm_error(m->vm));
			break;
		}
		m->nr_cpus++;
		ret = cpu_setup(m, cpu, supported, cpu->id ? NULL : entry, err, errlen);
	}
	free(supported);
	return ret;
}

static int load_image(struct machine *m, const struct boot_image *image,
		      struct boot_entry *entry, char *err, size_t errlen)
{
	struct boot_params_in in = {
		.cmdline = m->opt->cmdline,
		.nr_cpus = m->opt->cpus,
		.no_pvh = m->opt->no_pvh,
	};

	return boot_load(image, &in, &m->mem, entry, err, errlen);
}

static int init_machine(struct machine *m, char *err, size_t errlen)
{
	int ret;

	pthread_mutex_init(&m->lock, NULL);
	pthread_mutex_init(&m->end_lock, NULL);
	m->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->wake_fd < 0) {
		ret = -errno;
		snprintf(err, errlen, "cannot create an eventfd: %s", strerror(-ret));
		return ret;
	}
	m->cpus = calloc(m->opt->cpus, sizeof(*m->cpus));
	ret = m->cpus ? console_init(&m->console, STDOUT_FILENO, m->opt->cpus) : -ENOMEM;
	if (ret)
		snprintf(err, errlen, "cannot hold the state of %u CPUs: out of memory",
			 m->opt->cpus);
	return ret;
}

int machine_create(struct machine *m, struct minivmm *sys, const struct run_options *opt,
		   const struct boot_image *image, char *err, size_t errlen)
{
	struct boot_entry entry;
	int ret;

	memset(m, 0, sizeof(*m));
	m->sys = sys;
	m->opt = opt;
	ret = init_machine(m, err, errlen);
	if (!ret)
		ret = guest_mem_create(&m->mem, opt->mem_size, err, errlen);
	if (!ret)
		ret = load_image(m, image, &entry, err, errlen);
	if (!ret)
		ret = create_vm(m, err, errlen);
	if (!ret) {
		ret = machine_add_devices(m);
		if (ret)
			snprintf(err, errlen, "cannot place the devices: %s", strerror(-ret));
	}
	if (!ret)
		ret = create_cpus(m, &entry, err, errlen);
	if (ret)
		machine_destroy(m);
	return ret;
}

static int start_cpu(struct cpu *cpu)
{
	pthread_attr_t attr;
	int ret;

	ret = pthread_attr_init(&attr);
	if (ret)
		return ret;
	ret = pthread_attr_setstacksize(&attr, CPU_STACK_SIZE);
	if (!ret)
		ret = pthread_create(&cpu->thread, &attr, cpu_thread, cpu);
	pthread_attr_destroy(&attr);
	return ret;
}

void machine_start(struct machine *m)
{
	int ret;

	while (m->nr_running < m->nr_cpus) {
		struct cpu *cpu = &m->cpus[m->nr_running];

		ret = start_cpu(cpu);
		if (ret) {
			machine_fail(m, END_FAILED, "cannot start the thread of CPU %u: %s",
				     cpu->id, strerror(ret));
			return;
		}
		m->nr_running++;
	}
}

static bool guest_ended(const struct machine *m)
{
	return m->end == END_POWER_OFF || m->end == END_RESET || m->end == END_EXIT ||
	       m->end == END_CRASH;
}

static void join_cpu(struct cpu *cpu)
{
	struct timespec until;

	/* A signal just before a write() that blocks is lost on it: send more. */
	do {
		pthread_kill(cpu->thread, CPU_KICK_SIGNAL);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += KICK_INTERVAL_NS;
		if (until.tv_nsec >= NSEC_PER_SEC) {
			until.tv_nsec -= NSEC_PER_SEC;
			until.tv_sec++;
		}
	} while (pthread_timedjoin_np(cpu->thread, NULL, &until) == ETIMEDOUT);
}

void machine_stop(struct machine *m)
{
	bool no = false;
	unsigned int i;

	__atomic_store_n(&m->stop, true, __ATOMIC_RELEASE);
	/* First the flags, then the signals: a run that starts in between sees its flag. */
	for (i = 0; i < m->nr_running; i++)
		minivmm_vcpu_stop(m->cpus[i].vcpu);
	for (i = 0; i < m->nr_running; i++)
		join_cpu(&m->cpus[i]);
	m->nr_running = 0;

	/* Who ended the guest from outside does not wait for a slow reader. */
	if (guest_ended(m))
		console_flush(&m->console, &no);
}

void machine_destroy(struct machine *m)
{
	unsigned int i;

	for (i = 0; i < m->nr_cpus; i++)
		minivmm_vcpu_free(m->cpus[i].vcpu);
	minivmm_vm_free(m->vm);
	guest_mem_destroy(&m->mem);
	console_destroy(&m->console);
	free(m->cpus);
	if (m->wake_fd >= 0)
		close(m->wake_fd);
	pthread_mutex_destroy(&m->end_lock);
	pthread_mutex_destroy(&m->lock);
}

/* True for the first caller, which then fills in the rest. */
static bool claim_end(struct machine *m, enum machine_end end)
{
	if (m->end != END_NOT_YET)
		return false;
	m->end = end;
	return true;
}

void machine_finish(struct machine *m, enum machine_end end, unsigned int status)
{
	pthread_mutex_lock(&m->end_lock);
	if (claim_end(m, end))
		m->status = status;
	__atomic_store_n(&m->stop, true, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&m->end_lock);
	eventfd_write(m->wake_fd, 1);
}

void machine_fail(struct machine *m, enum machine_end end, const char *fmt, ...)
{
	va_list ap;

	pthread_mutex_lock(&m->end_lock);
	if (claim_end(m, end)) {
		va_start(ap, fmt);
		vsnprintf(m->text, sizeof(m->text), fmt, ap);
		va_end(ap);
	}
	__atomic_store_n(&m->stop, true, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&m->end_lock);
	eventfd_write(m->wake_fd, 1);
}

enum machine_end machine_ended(struct machine *m)
{
	enum machine_end end;

	pthread_mutex_lock(&m->end_lock);
	end = m->end;
	pthread_mutex_unlock(&m->end_lock);
	return end;
}
