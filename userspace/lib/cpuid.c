// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A vCPU's CPUID table from the one the device supports: APIC ids, topology
 * (one package, one thread per core) and the hypervisor bit. Pure: tables in,
 * a table out. Field positions are those of the CPUID chapters of the Intel
 * SDM and the AMD APM.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define LEAF1_ECX_TSC_DEADLINE	(1u << 24)
#define LEAF1_ECX_HYPERVISOR	(1u << 31)
#define LEAF1_EDX_HTT		(1u << 28)
#define EXT1_ECX_CMP_LEGACY	(1u << 1)

#define TOPO_TYPE_SMT		1u
#define TOPO_TYPE_CORE		2u

/* Leaves 0Bh and 1Fh are made here, whatever the device listed for them. */
#define LEAF_TOPO		0x0bu
#define LEAF_TOPO_V2		0x1fu
#define NR_TOPO_SUBLEAVES	3

struct topology {
	uint32_t id;
	uint32_t count;
	uint32_t shift;		/* bits of the APIC id that number the cores */
	int tsc_deadline;
};

static uint32_t bits_for(uint32_t count)
{
	uint32_t bits = 0;

	while (bits < 31 && (1u << bits) < count)
		bits++;
	return bits;
}

/* How many APIC ids share a cache, minus one: the last level has all. */
static uint32_t cache_sharing(const struct kvm_cpuid_entry2 *e, const struct topology *t)
{
	uint32_t level = e->eax >> 5 & 7;

	return level >= 3 ? (1u << t->shift) - 1 : 0;
}

static void patch_leaf_1(struct kvm_cpuid_entry2 *e, const struct topology *t)
{
	e->ebx = (e->ebx & 0xffff) | (1u << t->shift & 0xff) << 16 | t->id << 24;
	e->ecx |= LEAF1_ECX_HYPERVISOR;
	if (t->tsc_deadline)
		e->ecx |= LEAF1_ECX_TSC_DEADLINE;
	else
		e->ecx &= ~LEAF1_ECX_TSC_DEADLINE;
	if (t->count > 1)
		e->edx |= LEAF1_EDX_HTT;
	else
		e->edx &= ~LEAF1_EDX_HTT;
}

static void patch_entry(struct kvm_cpuid_entry2 *e, const struct topology *t)
{
	switch (e->function) {
	case 0x1:
		patch_leaf_1(e, t);
		break;
	case 0x4:
		if (!(e->eax & 0x1f))
			break;
		e->eax = (e->eax & 0x3fff) | cache_sharing(e, t) << 14 |
			 (((1u << t->shift) - 1) & 0x3f) << 26;
		break;
	case 0x80000001:
		if (t->count > 1)
			e->ecx |= EXT1_ECX_CMP_LEGACY;
		else
			e->ecx &= ~EXT1_ECX_CMP_LEGACY;
		break;
	case 0x80000008:
		e->ecx = (e->ecx & ~0xf0ffu) | (t->shift & 0xf) << 12 | ((t->count - 1) & 0xff);
		break;
	case 0x8000001d:
		if (e->eax & 0x1f)
			e->eax = (e->eax & ~0x3ffc000u) | (cache_sharing(e, t) & 0xfff) << 14;
		break;
	case 0x8000001e:
		e->eax = t->id;
		e->ebx = t->id & 0xff;
		e->ecx = 0;
		break;
	}
}

static struct kvm_cpuid_entry2 topology_subleaf(uint32_t index, const struct topology *t)
{
	struct kvm_cpuid_entry2 e = {
		.function = LEAF_TOPO,
		.index = index,
		.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
		.ecx = index,
		.edx = t->id,
	};

	if (index == 0) {
		e.ebx = 1;
		e.ecx |= TOPO_TYPE_SMT << 8;
	} else if (index == 1) {
		e.eax = t->shift;
		e.ebx = t->count;
		e.ecx |= TOPO_TYPE_CORE << 8;
	}
	return e;
}

MVM_API struct kvm_cpuid2 *minivmm_cpuid_for_vcpu(const struct kvm_cpuid2 *from, uint32_t id,
						  uint32_t count, int tsc_deadline)
{
	struct topology t = {
		.id = id,
		.count = count,
		.shift = bits_for(count),
		.tsc_deadline = tsc_deadline,
	};
	struct kvm_cpuid2 *c;
	uint32_t i, max_leaf = 0;

	c = calloc(1, sizeof(*c) + (from->nent + NR_TOPO_SUBLEAVES) * sizeof(c->entries[0]));
	if (!c)
		return NULL;

	for (i = 0; i < from->nent; i++) {
		const struct kvm_cpuid_entry2 *e = &from->entries[i];

		if (e->function == 0)
			max_leaf = e->eax;
		if (e->function == LEAF_TOPO || e->function == LEAF_TOPO_V2)
			continue;
		c->entries[c->nent] = *e;
		patch_entry(&c->entries[c->nent++], &t);
	}
	if (max_leaf >= LEAF_TOPO)
		for (i = 0; i < NR_TOPO_SUBLEAVES; i++)
			c->entries[c->nent++] = topology_subleaf(i, &t);
	return c;
}
