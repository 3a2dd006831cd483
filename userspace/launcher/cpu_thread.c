// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU's thread: run the guest, do what each exit asks for, until the
 * machine ends. The kick signal and the library's stop flag end a run early.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "cpu_thread.h"
#include "machine.h"

#define DUMP_SIZE 3072

static bool stopping(const struct machine *m)
{
	return __atomic_load_n(&m->stop, __ATOMIC_ACQUIRE);
}

static void flush_console(struct machine *m)
{
	int ret = console_flush(&m->console, &m->stop);

	if (ret)
		machine_fail(m, END_FAILED,
			     "cannot write the guest's console to stdout: %s; keep its reader open",
			     strerror(-ret));
}

static void handle_io(struct cpu *cpu, const struct kvm_run *run)
{
	struct machine *m = cpu->machine;
	uint8_t *data = minivmm_vcpu_io_data(cpu->vcpu);
	uint32_t i;

	if (!data || run->io.size > 4) {
		machine_fail(m, END_FAILED,
			     "the device reported a port access beyond its own page; use a matching module");
		return;
	}
	pthread_mutex_lock(&m->lock);
	for (i = 0; i < run->io.count; i++, data += run->io.size) {
		if (run->io.direction == KVM_EXIT_IO_OUT)
			bus_write(&m->pio, run->io.port, data, run->io.size);
		else
			bus_read(&m->pio, run->io.port, data, run->io.size);
	}
	pthread_mutex_unlock(&m->lock);
	/* Reading prints nothing. */
	if (run->io.direction == KVM_EXIT_IO_OUT)
		flush_console(m);
}

static void handle_mmio(struct cpu *cpu, struct kvm_run *run)
{
	struct machine *m = cpu->machine;

	if (run->mmio.len > sizeof(run->mmio.data)) {
		machine_fail(m, END_FAILED,
			     "the device reported a memory access of %u bytes; use a matching module",
			     run->mmio.len);
		return;
	}
	pthread_mutex_lock(&m->lock);
	if (run->mmio.is_write)
		bus_write(&m->mmio, run->mmio.phys_addr, run->mmio.data, run->mmio.len);
	else
		bus_read(&m->mmio, run->mmio.phys_addr, run->mmio.data, run->mmio.len);
	pthread_mutex_unlock(&m->lock);
	if (run->mmio.is_write)
		flush_console(m);
}

/* An end with the registers as they are now. */
static void crash(struct cpu *cpu, const struct kvm_run *run)
{
	char exit[256], why[256], dump[DUMP_SIZE];
	struct kvm_regs regs;
	struct kvm_sregs sregs;

	minivmm_describe_exit(run, exit, sizeof(exit));
	/* The next call begins without one. */
	minivmm_vcpu_reason(cpu->vcpu, why, sizeof(why));
	if (minivmm_vcpu_get_regs(cpu->vcpu, &regs) || minivmm_vcpu_get_sregs(cpu->vcpu, &sregs))
		snprintf(dump, sizeof(dump), "(%s)", minivmm_vcpu_error(cpu->vcpu));
	else
		minivmm_describe_regs(&regs, &sregs, dump, sizeof(dump));
	machine_fail(cpu->machine, END_CRASH,
		     "the guest crashed on CPU %u: %s%s%s; its registers follow\n%s", cpu->id, exit,
		     why[0] ? "; " : "", why, dump);
}

static void system_event(struct machine *m, const struct kvm_run *run)
{
	switch (run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		machine_finish(m, END_POWER_OFF, 0);
		break;
	case KVM_SYSTEM_EVENT_RESET:
		machine_finish(m, END_RESET, 0);
		break;
	default:
		machine_fail(m, END_CRASH, "the guest reported system event %u; it cannot go on",
			     run->system_event.type);
	}
}

static void handle_exit(struct cpu *cpu)
{
	struct kvm_run *run = minivmm_vcpu_run_page(cpu->vcpu);

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		handle_io(cpu, run);
		break;
	case KVM_EXIT_MMIO:
		handle_mmio(cpu, run);
		break;
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		system_event(cpu->machine, run);
		break;
	default:
		crash(cpu, run);
	}
}

static void count_exit(struct cpu *cpu, uint32_t reason)
{
	if (reason >= STATS_NR_REASONS)
		reason = STATS_NR_REASONS - 1;
	cpu->exits[reason]++;
}

static void unblock_kick(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, CPU_KICK_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void *cpu_thread(void *arg)
{
	struct cpu *cpu = arg;
	char name[16];
	int ret;

	snprintf(name, sizeof(name), "cpu%u/%.9s", cpu->id, cpu->machine->opt->name);
	prctl(PR_SET_NAME, name);
	unblock_kick();

	while (!stopping(cpu->machine)) {
		ret = minivmm_vcpu_run(cpu->vcpu);
		if (ret == -EINTR || ret == -EAGAIN)
			continue;
		if (ret) {
			machine_fail(cpu->machine, END_FAILED, "%s", minivmm_vcpu_error(cpu->vcpu));
			break;
		}
		count_exit(cpu, minivmm_vcpu_run_page(cpu->vcpu)->exit_reason);
		handle_exit(cpu);
	}
	return NULL;
}
