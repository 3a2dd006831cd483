// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine a case starts with: descriptor tables, TSSs, page tables, memory and
 * MSRs, the same before each case; and the registers that its mode asks for.
 */
#include "suite.h"

#define MSR_APIC_BASE	0x1b
#define MSR_SYSENTER_CS	0x174
#define MSR_STAR	0xc0000081
#define MSR_FS_BASE	0xc0000100
#define MSR_TSC_AUX	0xc0000103
#define APIC_ENABLED	0xfee00900

#define IDT_ENTRY(attr, dpl) ((attr) | (dpl) << 5)
#define INTERRUPT_GATE	0x8e
#define TRAP_GATE	0x8f
#define INTERRUPT_GATE16 0x86

extern const char stubs32[], stubs64[], stubs16[], low_code[], low_end[];

/* Type and S, DPL, P in one byte; the second is G, D/B, L and AVL. */
struct descriptor {
	uint16_t selector;
	uint32_t base, limit;
	uint8_t access, flags;
};

static const struct descriptor descriptors[] = {
	{ SEL_CODE32, 0, 0xfffff, 0x9b, 0xc },
	{ SEL_DATA, 0, 0xfffff, 0x93, 0xc },
	{ SEL_UCODE32, 0, 0xfffff, 0xfb, 0xc },
	{ SEL_UDATA, 0, 0xfffff, 0xf3, 0xc },
	{ SEL_UCODE64, 0, 0xfffff, 0xfb, 0xa },
	{ SEL_CODE64, 0, 0xfffff, 0x9b, 0xa },
	{ SEL_DATA64, 0, 0xfffff, 0x93, 0xc },
	{ SEL_CODE16, CODE, 0xffff, 0x9b, 0 },
	{ SEL_DATA16, DATA, 0xffff, 0x93, 0 },
	{ SEL_STACK16, STACKS, 0xffff, 0x93, 0 },
	{ SEL_TSS32, TSS32, TSS_BITMAP + TSS_PORTS, 0x89, 0 },
	{ SEL_TSS64, TSS64, TSS_BITMAP + TSS_PORTS, 0x89, 0 },
	{ SEL_LDT, LDT, 0x1f, 0x82, 0 },
	{ SEL_CONFORMING, 0, 0xfffff, 0x9f, 0xc },
	{ SEL_EXEC_ONLY, 0, 0xfffff, 0xf9, 0xc },
	{ SEL_READ_ONLY, 0, 0xfffff, 0xf1, 0xc },
	{ SEL_EXPAND_DOWN, 0, 0x20, 0xf7, 0xc },
	{ SEL_SMALL, DATA, 0xfff, 0xf3, 0x4 },
	{ SEL_ABSENT, 0, 0xfffff, 0x73, 0xc },
	{ SEL_UCODE_ABSENT, 0, 0xfffff, 0x7b, 0xc },
	{ SEL_CODE_R1, 0, 0xfffff, 0xbb, 0xc },
	{ SEL_DATA_R1, 0, 0xfffff, 0xb3, 0xc },
	{ SEL_CODE_R2, 0, 0xfffff, 0xdb, 0xc },
	{ SEL_DATA_R2, 0, 0xfffff, 0xd3, 0xc },
	{ SEL_TSS_OTHER, TSS_OTHER, TSS_BITMAP - 1, 0x89, 0 },
	{ SEL_TSS_16, TSS_16, 0x2b, 0x81, 0 },
	{ SEL_LIMIT0, 0, 0, 0x93, 0x4 },
	{ SEL_INVALID, 0, 0xfffff, 0x80, 0xc },
	{ SEL_LOW16, LOW, 0xffff, 0x9b, 0 },
	{ SEL_FRESH_DATA, 0, 0xfffff, 0x92, 0xc },
	{ SEL_FRESH_CODE, 0, 0xfffff, 0x9a, 0xc },
	{ SEL_CONFORMING3, 0, 0xfffff, 0xff, 0xc },
	{ SEL_L_AND_D, 0, 0xfffff, 0x9b, 0xe },
	{ SEL_DOWN16, DATA, 0xfff, 0xf7, 0 },
	{ SEL_UCODE16, CODE, 0xffff, 0xfb, 0 },
	{ SEL_UDATA16, DATA, 0xffff, 0xf3, 0 },
	{ SEL_USTACK16, STACKS, 0xffff, 0xf3, 0 },
	{ SEL_BASED, DATA, 0xfffff, 0xf3, 0xc },
};

static const struct gate {
	uint16_t selector, cs;
	uint32_t offset;
	uint8_t access, params;
} gates[] = {
	{ SEL_GATE32, SEL_CODE32, CODE + GATE_TARGET, 0xec, 0 },
	{ SEL_GATE32_2, SEL_CODE32, CODE + GATE_TARGET, 0xec, 2 },
	{ SEL_GATE16, SEL_CODE16, GATE_TARGET, 0xe4, 0 },
	{ SEL_GATE_DPL0, SEL_CODE32, CODE + GATE_TARGET, 0x8c, 0 },
	{ SEL_GATE_ABSENT, SEL_CODE32, CODE + GATE_TARGET, 0x6c, 0 },
	{ SEL_TASK_GATE, SEL_TSS_OTHER, 0, 0xe5, 0 },
	{ SEL_GATE64, SEL_CODE64, CODE + GATE_TARGET, 0xec, 0 },
};

static uint64_t make_descriptor(const struct descriptor *d)
{
	return (d->limit & 0xffff) | (uint64_t)(d->base & 0xffffff) << 16 |
	       (uint64_t)d->access << 40 | (uint64_t)(d->limit >> 16) << 48 |
	       (uint64_t)d->flags << 52 | (uint64_t)(d->base >> 24) << 56;
}

static uint64_t make_gate(uint32_t offset, uint16_t cs, uint8_t access, uint8_t params)
{
	return (offset & 0xffff) | (uint64_t)cs << 16 | (uint64_t)params << 32 |
	       (uint64_t)access << 40 | (uint64_t)(offset >> 16) << 48;
}

static void init_gdt(void)
{
	uint64_t *gdt = (uint64_t *)GDT, *ldt = (uint64_t *)LDT;
	unsigned int i;

	memset(gdt, 0, GDT_SIZE);
	for (i = 0; i < sizeof(descriptors) / sizeof(descriptors[0]); i++)
		gdt[descriptors[i].selector / 8] = make_descriptor(&descriptors[i]);
	for (i = 0; i < sizeof(gates) / sizeof(gates[0]); i++)
		gdt[gates[i].selector / 8] = make_gate(gates[i].offset, gates[i].cs,
						       gates[i].access, gates[i].params);
	ldt[0] = 0;
	ldt[1] = gdt[SEL_DATA / 8];
	ldt[2] = gdt[SEL_UDATA / 8];
	ldt[3] = gdt[SEL_ABSENT / 8];
}

static const struct idt_row {
	uint8_t vector, access;
	uint16_t cs; /* 0: the mode's own */
	bool null_cs, only32;
} idt_rows[] = {
	{ 3, IDT_ENTRY(INTERRUPT_GATE, 3), 0, false, false },
	{ 4, IDT_ENTRY(INTERRUPT_GATE, 3), 0, false, false },
	{ VEC_DONE, IDT_ENTRY(INTERRUPT_GATE, 3), 0, false, false },
	{ VEC_IST, IDT_ENTRY(INTERRUPT_GATE, 3), 0, false, false },
	{ VEC_TRAP_GATE, IDT_ENTRY(TRAP_GATE, 3), 0, false, false },
	{ VEC_ABSENT, IDT_ENTRY(INTERRUPT_GATE, 3) & 0x7f, 0, false, false },
	{ VEC_NULL_CS, IDT_ENTRY(INTERRUPT_GATE, 3), 0, true, false },
	{ VEC_CONFORMING, IDT_ENTRY(INTERRUPT_GATE, 3), SEL_CONFORMING, false, true },
	{ VEC_GATE16, IDT_ENTRY(INTERRUPT_GATE16, 3), SEL_CODE16, false, true },
};

static void init_idt(void)
{
	uint64_t *idt32 = (uint64_t *)IDT32, *idt64 = (uint64_t *)IDT64;
	const struct idt_row *row;
	uint16_t *ivt = (uint16_t *)0;
	unsigned int i;

	for (i = 0; i < NR_VECTORS; i++) {
		idt32[i] = make_gate((uint32_t)stubs32 + 16 * i, SEL_CODE32, INTERRUPT_GATE, 0);
		idt64[2 * i] = make_gate((uint32_t)stubs64 + 16 * i, SEL_CODE64, INTERRUPT_GATE, 0);
		idt64[2 * i + 1] = 0;
		/* The null pointer is the real mode's vector table. */
		asm("" : "+r"(ivt));
		ivt[2 * i] = stubs16 - low_code + 16 * i;
		ivt[2 * i + 1] = LOW_SEG;
	}
	for (row = idt_rows; row < idt_rows + sizeof(idt_rows) / sizeof(idt_rows[0]); row++) {
		i = row->vector;
		idt32[i] = make_gate(row->vector == VEC_GATE16 ? GATE_TARGET :
							       (uint32_t)stubs32 + 16 * i,
				     row->null_cs ? 0 : row->cs ? row->cs : SEL_CODE32,
				     row->access, 0);
		if (!row->only32)
			idt64[2 * i] = make_gate((uint32_t)stubs64 + 16 * i,
						 row->null_cs ? 0 : SEL_CODE64, row->access,
						 row->vector == VEC_IST);
	}
}

static void init_tss(void)
{
	uint32_t *tss = (uint32_t *)TSS32;

	memset(tss, 0, 0x1000);
	tss[1] = STACK0;
	tss[2] = SEL_DATA;
	tss[3] = STACK1;
	tss[4] = SEL_DATA_R1;
	tss[25] = TSS_BITMAP << 16;
	/* With CR4.VME: the end of a case is not for virtual-8086 mode's own table. */
	((uint8_t *)tss)[TSS_BITMAP - 32 + VEC_DONE / 8] = 0xff;
	memset((void *)(TSS32 + TSS_BITMAP), 0xff, TSS_PORTS + 1);

	tss = (uint32_t *)TSS64;
	tss[1] = STACK0;
	tss[9] = STACK_IST;
	tss[25] = TSS_BITMAP << 16;
	memset((void *)(TSS64 + TSS_BITMAP), 0xff, TSS_PORTS + 1);
}

/* The page's bits: what is a case's is the user's, too. */
static uint32_t page_bits(uint32_t addr)
{
	uint32_t bits = PTE_P | PTE_W | PTE_A | PTE_D;

	if (addr >= CODE && addr < STACKS)
		return bits | PTE_U;
	if (addr >= STACK3 - 0x2000 && addr < PD32)
		return bits | PTE_U;
	if (addr >= TEST_PAGES && addr < TEST_PAGES + NR_TEST_PAGES * 0x1000)
		return PTE_P | PTE_W | PTE_U;
	if (addr >= ALIAS && addr < ALIAS + 0x10000)
		return bits | PTE_U;
	return bits;
}

static uint32_t page_frame(uint32_t addr)
{
	return addr >= ALIAS && addr < ALIAS + 0x10000 ? addr - ALIAS + CODE : addr;
}

static void init_paging(void)
{
	const uint32_t table = PTE_P | PTE_W | PTE_U | PTE_A | PTE_D;
	const uint32_t large = PTE_P | PTE_W | PTE_U | PTE_PS;
	uint32_t *pd32 = (uint32_t *)PD32, *pt32 = (uint32_t *)PT32, i;
	uint64_t *pd0 = (uint64_t *)PD0, *pd3 = (uint64_t *)PD3, *pt0 = (uint64_t *)PT0;

	memset(pd32, 0, PT0 + 0x1000 - PD32);
	for (i = 0; i < 1024; i++)
		pt32[i] = page_frame(i << 12) | page_bits(i << 12);
	pd32[0] = PT32 | table;
	pd32[LARGE >> 22] = LARGE | large;
	pd32[LAPIC >> 22] = (LAPIC & 0xffc00000) | large | PTE_A | PTE_D;
	for (i = 0; i < 512; i++)
		pt0[i] = page_frame(i << 12) | page_bits(i << 12);
	pd0[0] = PT0 | table;
	pd0[LARGE >> 21] = LARGE | large;
	pd3[(LAPIC >> 21) & 511] = (LAPIC & 0xffe00000) | large | PTE_A | PTE_D;
	pd3[(IOAPIC >> 21) & 511] = (IOAPIC & 0xffe00000) | large | PTE_A | PTE_D;
	((uint64_t *)PDPT)[0] = PD0 | table;
	((uint64_t *)PDPT)[3] = PD3 | table;
	((uint64_t *)PDPT_PAE)[0] = PD0 | PTE_P;
	((uint64_t *)PDPT_PAE)[3] = PD3 | PTE_P;
	((uint64_t *)PML4)[0] = PDPT | table;
	((uint64_t *)PML5)[0] = PML4 | table;
}

static void init_registers(void)
{
	volatile uint32_t *apic = (uint32_t *)LAPIC;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		wrmsr(MSR_SYSENTER_CS + i, 0);
		wrmsr(MSR_STAR + i, 0);
		wrmsr(MSR_FS_BASE + i, 0);
	}
	wrmsr(MSR_STAR + 3, 0);
	if (cpu_has(NEED_RDTSCP, NULL))
		wrmsr(MSR_TSC_AUX, 0);
	asm volatile("mov %0, %%dr7\n\tmov %1, %%dr6" : : "r"(0x400), "r"(0xffff0ff0));
	asm volatile("mov %0, %%cr2\n\tfninit" : : "r"(0));
	apic[0x320 / 4] = 0x10000; /* timer: masked, stopped */
	apic[0x380 / 4] = 0;
	apic[0x310 / 4] = 0;
	apic[0x80 / 4] = 0;
}

/* Everything that a case may have changed. */
void machine_reset(void)
{
	uint8_t *data = (uint8_t *)DATA;
	unsigned int i;

	init_gdt();
	init_idt();
	init_tss();
	init_paging();
	init_registers();
	for (i = 0; i < DATA_SIZE; i++)
		data[i] = i * 7 + (i >> 8) * 13;
	memset(data + 0xfff0, 0, 0x20); /* both sides of a 16-bit segment's end */
	outb(SCRATCH, 0);
	memset((void *)TEST_PAGES, 0x55, NR_TEST_PAGES * 0x1000);
	memset((void *)LARGE, 0x66, LARGE_SHOWN);
	memset((void *)STACK0 - 0x400, 0, 0x400);
	memset((void *)STACK3 - 0x400, 0, 0x400);
}

void machine_init(void)
{
	volatile uint32_t *apic = (uint32_t *)LAPIC;

	asm volatile("mov %0, %%cr0" : : "r"(CR0_PE));
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	memcpy((void *)LOW, low_code, low_end - low_code);
	wrmsr(MSR_APIC_BASE, APIC_ENABLED);
	apic[0xf0 / 4] = 0x13f;
	apic[0x350 / 4] = 0x10000; /* the BIOS leaves the 8259's line open */
	apic[0x80 / 4] = 0;
}

/* ------------------------------------------------------------- what modes ask for */

static const struct mode {
	uint32_t how, cs, ucs, ss, uss, cr0, cr3, cr4, efer;
	bool flat;
} modes[] = {
	[REAL] = { HOW_REAL, CODE >> 4, 0, STACKS >> 4, 0, CR0_PE, 0, 0, 0, false },
	[VM86] = { HOW_VM86, CODE >> 4, CODE >> 4, STACKS >> 4, STACKS >> 4, CR0_PE, 0, 0, 0,
		   false },
	[PM16] = { HOW_PROTECTED, SEL_CODE16, SEL_UCODE16, SEL_STACK16, SEL_USTACK16, CR0_PE, 0,
		   0, 0, false },
	[PM32] = { HOW_PROTECTED, SEL_CODE32, SEL_UCODE32, SEL_DATA, SEL_UDATA, CR0_PE, 0, 0, 0,
		   true },
	[P32] = { HOW_PROTECTED, SEL_CODE32, SEL_UCODE32, SEL_DATA, SEL_UDATA, CR0_PE | CR0_PG,
		  PD32, CR4_PSE, 0, true },
	[PAE] = { HOW_PROTECTED, SEL_CODE32, SEL_UCODE32, SEL_DATA, SEL_UDATA, CR0_PE | CR0_PG,
		  PDPT_PAE, CR4_PAE, 0, true },
	[LONG] = { HOW_LONG, SEL_CODE64, SEL_UCODE64, SEL_DATA, SEL_UDATA, CR0_PE | CR0_PG, PML4,
		   CR4_PAE, EFER_LME, true },
	[LA57] = { HOW_LONG, SEL_CODE64, SEL_UCODE64, SEL_DATA, SEL_UDATA, CR0_PE | CR0_PG, PML5,
		   CR4_PAE | CR4_LA57, EFER_LME, true },
	[COMPAT] = { HOW_LONG, SEL_CODE32, SEL_UCODE32, SEL_DATA, SEL_UDATA, CR0_PE | CR0_PG,
		     PML4, CR4_PAE, EFER_LME, true },
};

static void set_segments(const struct test_case *t, const struct mode *m)
{
	shared->cs = t->ring ? m->ucs : m->cs;
	shared->ss = t->ring ? m->uss : m->ss;
	shared->ds = t->ring ? SEL_UDATA : SEL_DATA;
	shared->fs = 0;
	if (t->ring == 1) {
		shared->cs = SEL_CODE_R1;
		shared->ss = SEL_DATA_R1;
	} else if (t->ring == 2) {
		shared->cs = SEL_CODE_R2;
		shared->ss = SEL_DATA_R2;
	}
	if (t->mode == PM16)
		shared->ds = t->ring ? SEL_UDATA16 : SEL_DATA16;
	else if (t->mode <= VM86)
		shared->ds = DATA >> 4;
}

/* x87, SSE and AVX state as after a reset, but for MXCSR's and FCW's usual values. */
static void reset_fpu(void)
{
	static uint8_t image[512] __attribute__((aligned(16)));
	uint32_t cr4 = CR4_SSE;

	image[0] = 0x7f;
	image[1] = 0x03;
	image[24] = 0x80;
	image[25] = 0x1f;
	if (cpu_has(NEED_AVX, NULL))
		cr4 |= CR4_OSXSAVE;
	asm volatile("mov %0, %%cr4" : : "r"(cr4));
	asm volatile("fxrstor %0" : : "m"(image));
	if (cr4 & CR4_OSXSAVE) {
		asm volatile("xsetbv\n\tvzeroall" : : "a"(7), "d"(0), "c"(0));
		asm volatile("xsetbv" : : "a"(1), "d"(0), "c"(0));
	}
	asm volatile("mov %0, %%cr4" : : "r"(0));
}

/* QEMU sets their accessed bits, which are reserved when it comes to loading them. */
static void clear_accessed_pdptes(void)
{
	uint64_t *pdpt = (uint64_t *)PDPT_PAE;
	unsigned int i;

	for (i = 0; i < 4; i++)
		pdpt[i] &= ~(uint64_t)PTE_A;
}

void machine_start(const struct test_case *t)
{
	const struct mode *m = &modes[t->mode];
	unsigned int i;

	memset(shared, 0, sizeof(*shared));
	memset(events, 0, LOG_EVENTS * EVENT_SIZE);
	memset((void *)CODE, 0xcc, 0x2000);
	memcpy((void *)CODE, t->start, t->end - t->start);
	for (i = 0; i < 16; i++)
		shared->regs[i] = 0x0101010101010101ull * (0x10 + i);
	shared->regs[4] = (t->ring ? STACK3 : STACK0) - 0x100 - (m->flat ? 0 : STACKS);
	shared->rip = m->flat ? CODE : 0;
	shared->flags = t->flags | 2 | (t->mode == VM86 ? FL_VM : 0);
	set_segments(t, m);
	shared->how = m->how;
	shared->cr0 = m->cr0 ^ t->cr0;
	shared->cr3 = m->cr3;
	shared->cr4 = m->cr4 ^ t->cr4;
	shared->efer = m->efer ^ t->efer;
	clear_accessed_pdptes();
	if (t->cr4 & CR4_OSFXSR)
		reset_fpu();
	shared->on = t->on[0] | (uint64_t)t->on[1] << 32;
}
