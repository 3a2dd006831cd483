// SPDX-License-Identifier: GPL-2.0-only
/*
 * Collecting and printing counters. The threads that count have ended when a
 * machine is added, so nothing here needs a lock.
 */
#include "machine.h"
#include "stats.h"

static void add_bus(struct bus *sum, const struct bus *bus)
{
	unsigned int i;

	/* Every machine adds the same devices in the same order. */
	for (i = 0; i < bus->nr_ranges; i++) {
		uint64_t reads = sum->range[i].reads, writes = sum->range[i].writes;

		sum->range[i] = bus->range[i];
		sum->range[i].reads += reads;
		sum->range[i].writes += writes;
	}
	sum->nr_ranges = bus->nr_ranges;
	sum->unclaimed += bus->unclaimed;
}

static void add_kernel_counters(struct stats *st, struct cpu *cpu)
{
	struct minivmm_stats ks;
	unsigned int i;

	if (minivmm_vcpu_get_stats(cpu->vcpu, &ks))
		return;
	st->entries += ks.entries;
	st->nr_kernel = ks.nr;
	for (i = 0; i < ks.nr; i++)
		st->kernel_exits[i] += ks.exits[i];
}

void stats_add_machine(struct stats *st, struct machine *m)
{
	unsigned int i, reason;

	st->machines++;
	for (i = 0; i < m->nr_cpus; i++) {
		for (reason = 0; reason < STATS_NR_REASONS; reason++)
			st->exits[reason] += m->cpus[i].exits[reason];
		add_kernel_counters(st, &m->cpus[i]);
	}
	add_bus(&st->pio, &m->pio);
	add_bus(&st->mmio, &m->mmio);
}

static void print_bus(const struct bus *bus, const char *name, FILE *to)
{
	unsigned int i;

	for (i = 0; i < bus->nr_ranges; i++)
		if (bus->range[i].reads || bus->range[i].writes)
			fprintf(to, "minivmm:   %-18s %10llu reads %10llu writes\n",
				bus->range[i].ops->name,
				(unsigned long long)bus->range[i].reads,
				(unsigned long long)bus->range[i].writes);
	if (bus->unclaimed)
		fprintf(to, "minivmm:   %s without device %6llu accesses\n", name,
			(unsigned long long)bus->unclaimed);
}

static void print_kernel(const struct stats *st, struct minivmm *sys, FILE *to)
{
	char name[32];
	unsigned int i;

	if (!st->nr_kernel)
		return;
	fprintf(to, "minivmm: guest entries: %llu; exits, in the kernel's own count:\n",
		(unsigned long long)st->entries);
	for (i = 0; i < st->nr_kernel; i++) {
		if (!st->kernel_exits[i])
			continue;
		if (minivmm_stat_name(sys, i, name, sizeof(name)))
			snprintf(name, sizeof(name), "kind %u", i);
		fprintf(to, "minivmm:   %-18s %10llu\n", name,
			(unsigned long long)st->kernel_exits[i]);
	}
}

void stats_print(const struct stats *st, const struct run_options *opt, struct minivmm *sys,
		 FILE *to)
{
	uint64_t total = 0;
	unsigned int i;

	for (i = 0; i < STATS_NR_REASONS; i++)
		total += st->exits[i];
	fprintf(to, "minivmm: ran %.3f s on %s with %u CPU%s and %llu MiB, %u reset%s\n",
		st->seconds, opt->device, opt->cpus, opt->cpus == 1 ? "" : "s",
		(unsigned long long)(opt->mem_size >> 20), st->machines - 1,
		st->machines == 2 ? "" : "s");
	fprintf(to, "minivmm: exits to userspace: %llu\n", (unsigned long long)total);
	for (i = 0; i < STATS_NR_REASONS; i++)
		if (st->exits[i])
			fprintf(to, "minivmm:   %-18s %10llu\n", minivmm_exit_name(i),
				(unsigned long long)st->exits[i]);
	fprintf(to, "minivmm: accesses to devices:\n");
	print_bus(&st->pio, "ports", to);
	print_bus(&st->mmio, "memory", to);
	print_kernel(st, sys, to);
}
