// SPDX-License-Identifier: GPL-2.0-only
/*
 * One line a case: the events in their order, then what the case changed of
 * registers, flags, segments, memory, page table entries and descriptors.
 */
#include "suite.h"

static const char *const exceptions[32] = {
	"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "?9", "#TS",
	"#NP", "#SS", "#GP", "#PF", "?15", "#MF", "#AC", "#MC", "#XM",
};

static const char *const reg_names[16] = {
	"ax", "cx", "dx", "bx", "sp", "bp", "si", "di",
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
};

#define HAS_ERROR ((1 << 8) | (0x1f << 10) | (1 << 17) | (1 << 21))

#define MAX_SHOWN 8 /* changed words or runs of bytes */

/* What is compared with its state before the case, in words. */
static const struct region {
	const char *name;
	uint32_t addr, size, width;
	unsigned int most; /* words shown; a sum stands for the rest */
} regions[] = {
	{ "gdt", GDT, GDT_SIZE, 8, MAX_SHOWN },
	{ "tss", TSS32, TSS_BITMAP, 4, 2 },
	{ "tss64", TSS64, TSS_BITMAP, 4, MAX_SHOWN },
	{ "other", TSS_OTHER, TSS_BITMAP, 4, 4 },
	{ "tss16", TSS_16, TSS_16_SIZE, 4, 4 },
	{ "pt32", PT32 + (TEST_PAGES >> 12) * 4, NR_TEST_PAGES * 4, 4, MAX_SHOWN },
	{ "pd32", PD32, 0x1000, 4, MAX_SHOWN },
	{ "pt", PT0 + (TEST_PAGES >> 12) * 8, NR_TEST_PAGES * 8, 8, MAX_SHOWN },
	{ "pd", PD0, 16 * 8, 8, MAX_SHOWN },
	{ "pdpt", PDPT, 4 * 8, 8, MAX_SHOWN },
	{ "pml4", PML4, 4 * 8, 8, MAX_SHOWN },
	{ "pml5", PML5, 4 * 8, 8, MAX_SHOWN },
	{ "page", TEST_PAGES, NR_TEST_PAGES * 0x1000, 8, MAX_SHOWN },
	{ "large", LARGE, LARGE_SHOWN, 8, MAX_SHOWN },
};

#define NR_REGIONS (sizeof(regions) / sizeof(regions[0]))

static uint8_t before[0x8000], data_before[DATA_SIZE];

void report_baseline(void)
{
	uint8_t *to = before;
	unsigned int i;

	for (i = 0; i < NR_REGIONS; to += regions[i++].size)
		memcpy(to, (void *)regions[i].addr, regions[i].size);
	memcpy(data_before, (void *)DATA, DATA_SIZE);
}

static uint64_t word(const uint8_t *p, unsigned int width)
{
	return width == 8 ? *(uint64_t *)p : *(uint32_t *)p;
}

static void report_region(const struct region *r, const uint8_t *old)
{
	const uint8_t *now = (uint8_t *)r->addr;
	unsigned int shown = 0;
	uint32_t sum = 0, i;

	for (i = 0; i < r->size; i += r->width) {
		if (word(now + i, r->width) == word(old + i, r->width))
			continue;
		if (shown++ >= r->most) {
			sum = sum * 31 + i + (uint32_t)word(now + i, r->width);
			continue;
		}
		put(" ");
		put(r->name);
		put("+");
		put_hex(i, 0);
		put("=");
		put_hex(word(now + i, r->width), 0);
	}
	if (sum)
		put_name("rest", sum);
}

/* Changed bytes of the data pages, as runs. */
static void report_data(void)
{
	const uint8_t *now = (uint8_t *)DATA;
	unsigned int shown = 0, in_run = 0;
	uint32_t sum = 0, i;

	for (i = 0; i < DATA_SIZE; i++) {
		if (!in_run && !(i % 4) &&
		    *(uint32_t *)(now + i) == *(uint32_t *)(data_before + i)) {
			i += 3;
			continue;
		}
		if (now[i] == data_before[i]) {
			in_run = 0;
			continue;
		}
		if (!in_run++ && shown++ < MAX_SHOWN) {
			put(" m");
			put_hex(i, 0);
			put("=");
		}
		if (shown <= MAX_SHOWN && in_run <= 32)
			put_hex(now[i], 2);
		else
			sum = sum * 31 + now[i] + i;
	}
	if (sum)
		put_name("rest", sum);
}

static void put_ip(uint64_t ip)
{
	uint32_t base = shared->rip ? CODE : 0;

	put("@");
	if (ip >= base && ip - base < 0x10000)
		put_hex(ip - base, 0);
	else if (ip >= ALIAS && ip < ALIAS + 0x10000)
		put("alias+"), put_hex(ip - ALIAS, 0);
	else
		put("="), put_hex(ip, 0);
}

static void report_event(const struct event *e)
{
	uint32_t v = e->vector;

	if (v == VEC_DONE) {
		put(" done");
	} else if (v < 32 && exceptions[v]) {
		put(" ");
		put(exceptions[v]);
	} else {
		put_name("int", v);
	}
	if (v < 32 && (HAS_ERROR >> v & 1) && e->bits != 16) {
		put("(");
		put_hex(e->error, 4);
		put(")");
	}
	/* QEMU takes an NMI at the end of a block of its own. */
	if (v != 2 || cpu_has(NEED_INTEL, NULL))
		put_ip(e->rip);
	if (e->cs != shared->cs)
		put_name("cs", e->cs);
	if (v == 14)
		put_name("cr2", e->cr2);
	if (v == 1)
		put_name("dr6", e->dr6 & 0xffffffff);
	/* What the gates' kinds differ in, and the saved RF of faults. */
	if (v > VEC_DONE && v < VEC_IRQ)
		put_name("hf", e->hflags & (FL_TF | FL_IF | FL_NT | FL_VM | FL_AC));
	/* QEMU's TCG pushes no RF with a fault; minivmm and KVM do with those they inject. */
	if (v < 32 && v != 1 && cpu_has(NEED_INTEL, NULL))
		put_name("rf", !!(e->flags & FL_RF));
}

static void report_registers(const struct test_case *t, const struct event *e)
{
	unsigned int i, n = e->bits == 64 ? 16 : 8;
	uint64_t mask = e->bits == 64 ? ~0ull : 0xffffffff, sp_mask = mask;

	/* IRET to a 16-bit stack leaves whatever was in the upper half. */
	if (t->mode <= PM16)
		sp_mask = 0xffff;
	for (i = 0; i < n; i++) {
		if (!((e->regs[i] ^ shared->regs[i]) & (i == 4 ? sp_mask : mask)))
			continue;
		if (i != 4) {
			put_name(reg_names[i], e->regs[i] & mask);
			continue;
		}
		put(" sp");
		put_signed((int64_t)((e->regs[4] & sp_mask) - shared->regs[4]));
	}
	put_name("fl", e->flags & t->flags_mask & ~(uint64_t)FL_RF);
	if (e->ss != shared->ss)
		put_name("ss", e->ss & 0xffff);
	if ((e->ds ^ shared->ds) & 0xffff)
		put_name("ds", e->ds & 0xffff);
	if ((e->es ^ shared->ds) & 0xffff)
		put_name("es", e->es & 0xffff);
	if ((e->fs ^ shared->fs) & 0xffff)
		put_name("fs", e->fs & 0xffff);
	if ((e->gs ^ shared->fs) & 0xffff)
		put_name("gs", e->gs & 0xffff);
}

void report(const struct test_case *t)
{
	const uint8_t *old = before;
	unsigned int i;

	put(t->name);
	put(":");
	for (i = 0; i < shared->nr; i++)
		report_event(&events[i]);
	report_registers(t, &events[shared->nr - 1]);
	report_data();
	for (i = 0; i < NR_REGIONS; old += regions[i++].size)
		report_region(&regions[i], old);
	end_line();
}
