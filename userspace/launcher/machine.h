/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One virtual machine from its first instruction to its end. A guest reset
 * ends it too: the session then makes a new one, so that nothing of the old
 * machine's state can be left over.
 *
 * Locks: @lock covers the buses, the devices and the VM handle; the console
 * has its own, taken inside it. @end_lock covers how the machine ended and is
 * taken last.
 */
#ifndef LAUNCHER_MACHINE_H
#define LAUNCHER_MACHINE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../boot/boot.h"
#include "../devices/acpi_pm.h"
#include "../devices/bus.h"
#include "../devices/cf9.h"
#include "../devices/debug_ports.h"
#include "../devices/i8042.h"
#include "../devices/rtc.h"
#include "../devices/uart.h"
#include "console.h"
#include "guest_mem.h"
#include "libminivmm.h"
#include "options.h"
#include "stats.h"

#define MACHINE_TEXT_SIZE 4096

enum machine_end {
	END_NOT_YET,
	END_POWER_OFF,
	END_RESET,
	END_EXIT,		/* debug-exit port; status is the guest's byte */
	END_CRASH,		/* triple fault, entry failure: text has the dump */
	END_FAILED,		/* minivmm's own failure: text says why */
	END_TIMEOUT,
	END_QUIT,		/* Ctrl-a x */
	END_SIGNAL,		/* status is the signal's number */
};

struct machine;

/* One vCPU and its thread. Its own thread alone touches it while it runs. */
struct cpu {
	struct machine *machine;
	struct minivmm_vcpu *vcpu;
	pthread_t thread;
	unsigned int id;
	uint64_t exits[STATS_NR_REASONS];
};

struct machine {
	const struct run_options *opt;
	struct minivmm *sys;
	struct minivmm_vm *vm;
	struct guest_mem mem;
	struct console console;

	pthread_mutex_t lock;
	struct bus pio;
	struct bus mmio;
	struct uart uart;
	struct rtc rtc;
	struct i8042 i8042;
	struct acpi_pm pm;
	struct cf9 cf9;
	struct debugcon debugcon;
	struct power_line power;

	struct cpu *cpus;
	unsigned int nr_cpus;		/* created */
	unsigned int nr_running;	/* threads started */

	int wake_fd;			/* eventfd: the end, or room for input */
	bool stop;			/* atomic: vCPU threads leave */
	pthread_mutex_t end_lock;
	enum machine_end end;
	unsigned int status;
	char text[MACHINE_TEXT_SIZE];	/* for END_CRASH and END_FAILED */
};

/* Once in the process's life, before the first machine runs. */
void machine_install_kick(void);

/*
 * Build a machine and load the image. 0 or -errno with a sentence in @err, and
 * then there is nothing to destroy.
 */
int machine_create(struct machine *m, struct minivmm *sys, const struct run_options *opt,
		   const struct boot_image *image, char *err, size_t errlen);

/* Start the vCPU threads; a failure is an end of the machine like any other. */
void machine_start(struct machine *m);

/* Stop and join the threads and write out what the guest still printed. */
void machine_stop(struct machine *m);

void machine_destroy(struct machine *m);

/* The first caller decides how the machine ends. Wakes the session. */
void machine_finish(struct machine *m, enum machine_end end, unsigned int status);
void machine_fail(struct machine *m, enum machine_end end, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
enum machine_end machine_ended(struct machine *m);

/* Devices of the platform on the machine's buses (machine_devices.c). */
int machine_add_devices(struct machine *m);

/* Registers of a fresh vCPU (cpu_state.c). @entry: NULL but for the first. */
int cpu_setup(struct machine *m, struct cpu *cpu, const struct kvm_cpuid2 *supported,
	      const struct boot_entry *entry, char *err, size_t errlen);

/* A vCPU thread's life (cpu_thread.c). @arg is its struct cpu. */
void *cpu_thread(void *arg);

#endif
