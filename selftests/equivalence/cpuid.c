// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUID and the time stamp counter.
 *
 * A VM's CPUID differs from the machine's where the table of masks says so; each
 * row has its reason. All other bits are to be the same.
 */
#include "suite.h"

enum { EAX, EBX, ECX, EDX };

static const struct need {
	const char *name;
	uint32_t leaf;
	uint8_t reg, bit;
} needs[] = {
	[NEED_LA57] = { "no LA57", 7, ECX, 16 },
	[NEED_SMEP] = { "no SMEP", 7, EBX, 7 },
	[NEED_SMAP] = { "no SMAP", 7, EBX, 20 },
	[NEED_AVX] = { "no AVX", 1, ECX, 28 },
	[NEED_FSGSBASE] = { "no FSGSBASE", 7, EBX, 0 },
	[NEED_RDTSCP] = { "no RDTSCP", 0x80000001, EDX, 27 },
	[NEED_UMIP] = { "no UMIP", 7, ECX, 2 },
	[NEED_PKU] = { "no PKU", 7, ECX, 3 },
	[NEED_NX] = { "no NX", 0x80000001, EDX, 20 },
	[NEED_PCID] = { "no PCID", 1, ECX, 17 },
	[NEED_GBPAGES] = { "no 1 GiB pages", 0x80000001, EDX, 26 },
	[NEED_SSE4] = { "no SSE4.2", 1, ECX, 20 },
	[NEED_MOVBE] = { "no MOVBE", 1, ECX, 22 },
	[NEED_BMI] = { "no BMI2", 7, EBX, 8 },
	[NEED_INVPCID] = { "no INVPCID", 7, EBX, 10 },
};

static bool vendor_is(uint32_t ecx)
{
	uint32_t r[4];

	cpuid(0, 0, r);
	return r[ECX] == ecx;
}

bool cpu_has(unsigned int need, const char **name)
{
	const char *ignored;
	uint32_t r[4];

	if (!name)
		name = &ignored;
	*name = "the other vendor's processors only";
	if (need == NEED_NOTHING)
		return true;
	if (need == NEED_INTEL)
		return vendor_is(0x6c65746e); /* "ntel" */
	if (need == NEED_AMD)
		return vendor_is(0x444d4163); /* "cAMD" */
	*name = needs[need].name;
	cpuid(needs[need].leaf, 0, r);
	return r[needs[need].reg] >> needs[need].bit & 1;
}

/* -------------------------------------------------------------------- CPUID's leaves */

static const struct leaf {
	uint32_t leaf, sub;
} leaves[] = {
	{ 0x0, 0 }, { 0x1, 0 }, { 0x2, 0 }, { 0x4, 0 }, { 0x4, 1 }, { 0x4, 2 }, { 0x4, 3 },
	{ 0x5, 0 }, { 0x6, 0 }, { 0x7, 0 }, { 0x7, 1 }, { 0xa, 0 }, { 0xb, 0 }, { 0xb, 1 },
	{ 0xd, 0 }, { 0xd, 1 }, { 0xd, 2 }, { 0xd, 9 },
	{ 0x80000000, 0 }, { 0x80000001, 0 }, { 0x80000002, 0 }, { 0x80000003, 0 },
	{ 0x80000004, 0 }, { 0x80000005, 0 }, { 0x80000006, 0 }, { 0x80000007, 0 },
	{ 0x80000008, 0 },
};

/* The last argument is the reason, for the reader. */
#define DIFFERS(leaf, sub, reg, bits, reason) { leaf, sub, reg, bits }

/* What a VM may have otherwise than its machine. */
static const struct difference {
	uint32_t leaf, sub;
	uint8_t reg;
	uint32_t bits;
} differences[] = {
	DIFFERS(0x1, 0, EBX, 0xffff0000, "APIC id and number of processors are the VM's"),
	DIFFERS(0x1, 0, ECX, 0x80000000, "there is a hypervisor; QEMU says so of itself, too"),
	DIFFERS(0x1, 0, ECX, 0x01200000, "x2APIC and TSC deadline: the local APIC is a model"),
	DIFFERS(0x1, 0, ECX, 0x0000000c, "no MONITOR and no debug store in a VM"),
	DIFFERS(0x1, 0, ECX, 0x0000c1f0, "VMX, SMX, thermal and performance monitors: not offered"),
	DIFFERS(0x1, 0, EDX, 0xf0600000, "ACPI clock control, debug store, thermal, topology, PBE"),
	DIFFERS(0x4, 0, EAX, 0xffffc000, "who shares a cache follows from the VM's topology"),
	DIFFERS(0x4, 1, EAX, 0xffffc000, "likewise"),
	DIFFERS(0x4, 2, EAX, 0xffffc000, "likewise"),
	DIFFERS(0x4, 3, EAX, 0xffffc000, "likewise"),
	DIFFERS(0x5, 0, EAX, 0xffffffff, "no MONITOR in a VM"),
	DIFFERS(0x5, 0, EBX, 0xffffffff, "likewise"),
	DIFFERS(0x5, 0, ECX, 0xffffffff, "likewise"),
	DIFFERS(0x5, 0, EDX, 0xffffffff, "likewise"),
	DIFFERS(0x6, 0, EAX, 0xfffffffb, "heat and power are the host's; ARAT is a model's"),
	DIFFERS(0x6, 0, EBX, 0xffffffff, "likewise"),
	DIFFERS(0x6, 0, ECX, 0xffffffff, "likewise"),
	DIFFERS(0x7, 0, EAX, 0xffffffff, "how many subleaves: minivmm tells one more than KVM"),
	DIFFERS(0x7, 0, EBX, 0x00404002, "TSC_ADJUST is a model; no MPX and no PCOMMIT"),
	DIFFERS(0x7, 0, EBX, 0x00000200, "Linux drops ERMS where fast strings are off"),
	DIFFERS(0x7, 0, ECX, 0x80000004,
		"no protection keys of supervisor pages; KVM emulates UMIP"),
	DIFFERS(0x7, 0, EDX, 0xac000000, "KVM's own models of the speculation controls"),
	DIFFERS(0xa, 0, EAX, 0xffffffff, "no performance monitors in a VM"),
	DIFFERS(0xa, 0, EDX, 0xffffffff, "likewise"),
	DIFFERS(0xb, 0, EAX, 0xffffffff, "the topology is the VM's"),
	DIFFERS(0xb, 0, EBX, 0xffffffff, "likewise"),
	DIFFERS(0xb, 0, ECX, 0xffffffff, "likewise"),
	DIFFERS(0xb, 1, EAX, 0xffffffff, "likewise"),
	DIFFERS(0xb, 1, EBX, 0xffffffff, "likewise"),
	DIFFERS(0xb, 1, ECX, 0xffffffff, "likewise"),
	DIFFERS(0xd, 0, EAX, 0x00000018, "no MPX state"),
	DIFFERS(0xd, 1, EBX, 0xffffffff, "QEMU gives a size while CR4.OSXSAVE is clear, a VM 0"),
	DIFFERS(0x80000001, 0, ECX, 0x00000014, "KVM nests SVM, and offers CR8 by LOCK MOV"),
	DIFFERS(0x80000001, 0, EDX, 0x00000800, "Intel's own shows SYSCALL to 64-bit code alone"),
	DIFFERS(0x80000008, 0, EBX, 0xffffffff, "KVM's own models of the speculation controls"),
};

static uint32_t differing(const struct leaf *l, unsigned int reg)
{
	const struct difference *d;
	uint32_t bits = 0;

	for (d = differences; d < differences + sizeof(differences) / sizeof(differences[0]); d++)
		if (d->leaf == l->leaf && d->sub == l->sub && d->reg == reg)
			bits |= d->bits;
	return bits;
}

unsigned int cpuid_cases(void)
{
	static const char *const names[] = { "eax", "ebx", "ecx", "edx" };
	const struct leaf *l;
	uint32_t r[4];
	unsigned int i;

	for (l = leaves; l < leaves + sizeof(leaves) / sizeof(leaves[0]); l++) {
		cpuid(l->leaf, l->sub, r);
		put("cpuid-");
		put_hex(l->leaf, 0);
		put("-");
		put_hex(l->sub, 0);
		put(":");
		for (i = EAX; i <= EDX; i++)
			put_name(names[i], r[i] & ~differing(l, i));
		end_line();
	}
	return sizeof(leaves) / sizeof(leaves[0]);
}

/* ------------------------------------------------------------------- the time stamp */

#define MSR_TSC	0x10
#define ROUNDS	500

enum tsc_way { BY_RDTSC, ACROSS_EXITS, BY_MSR, BY_RDTSCP };

static uint64_t read_tsc(enum tsc_way way)
{
	uint32_t low, high, aux, r[4];

	switch (way) {
	case BY_MSR:
		asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_TSC));
		break;
	case BY_RDTSCP:
		asm volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(aux));
		break;
	case ACROSS_EXITS:
		cpuid(0, 0, r);
		return rdtsc();
	default:
		return rdtsc();
	}
	return (uint64_t)high << 32 | low;
}

/* Never back, whoever is asked in between; and it does move. */
unsigned int tsc_cases(void)
{
	static const char *const names[] = { "tsc-never-goes-back", "tsc-across-exits",
					     "tsc-by-its-msr", "tsc-by-rdtscp" };
	const char *lacks;
	uint64_t first, last, now;
	unsigned int i, way, back;

	for (way = BY_RDTSC; way <= BY_RDTSCP; way++) {
		put(names[way]);
		put(":");
		/* QEMU has no such MSR. */
		if (way == BY_MSR && !cpu_has(NEED_INTEL, &lacks)) {
			put(" not here: ");
			put(lacks);
			end_line();
			continue;
		}
		back = 0;
		first = rdtsc();
		last = first;
		for (i = 0; i < ROUNDS; i++) {
			now = read_tsc(i % 2 ? BY_RDTSC : way);
			back += now < last;
			last = now;
		}
		put_name("back", back);
		put(last > first ? " moves" : " stands");
		end_line();
	}
	return sizeof(names) / sizeof(names[0]);
}
