// SPDX-License-Identifier: GPL-2.0-only
/*
 * First states of the boot processor: real mode, flat protected mode, long
 * mode with the first 4 GiB identity-mapped. All registers are set; what is
 * not named here is zero. The GDT and the page tables live in the boot block,
 * which the caller has claimed.
 */
#include <errno.h>
#include <string.h>

#include "loader.h"

#define CR0_PE		(1u << 0)
#define CR0_ET		(1u << 4)
#define CR0_NE		(1u << 5)
#define CR0_PG		(1u << 31)
#define CR4_PAE		(1u << 5)
#define EFER_LME	(1u << 8)
#define EFER_LMA	(1u << 10)
#define RFLAGS_FIXED	(1u << 1)

#define APIC_BASE_BSP		(1u << 8)
#define APIC_BASE_ENABLE	(1u << 11)

#define SEG_CODE_RX_A	0xb	/* code, readable, accessed */
#define SEG_DATA_RW_A	0x3	/* data, writable, accessed */
#define SEG_TSS_BUSY	0xb	/* 32-bit and 64-bit alike */
#define SEG_LDT		0x2
#define TSS_LIMIT	0x67
#define TSS_ADDR	(BOOT_GDT_ADDR + 0x80)	/* zeroes behind the GDT */
#define GDT_ENTRIES	6	/* null, unused, code, data, TSS in two */

#define PTE_PRESENT	(1ull << 0)
#define PTE_WRITE	(1ull << 1)
#define PTE_HUGE	(1ull << 7)
#define ENTRIES		512
#define HUGE_PAGE	0x200000ull
#define MAPPED_GIB	4	/* one page directory each */

static struct kvm_segment segment(uint16_t selector, uint8_t type, bool code_or_data)
{
	return (struct kvm_segment){
		.selector = selector,
		.limit = 0xffffffff,
		.type = type,
		.present = 1,
		.s = code_or_data,
		.db = code_or_data,
		.g = code_or_data,
	};
}

static struct kvm_segment no_segment(uint8_t type)
{
	return (struct kvm_segment){ .type = type, .unusable = 1 };
}

static void set_data_segments(struct kvm_sregs *s, const struct kvm_segment *seg)
{
	s->ds = *seg;
	s->es = *seg;
	s->fs = *seg;
	s->gs = *seg;
	s->ss = *seg;
}

/* What all states have in common. */
static void common_state(struct boot_entry *out, uint64_t rip)
{
	enum boot_kind kind = out->kind;

	memset(out, 0, sizeof(*out));
	out->kind = kind;
	out->regs.rip = rip;
	out->regs.rflags = RFLAGS_FIXED;
	out->sregs.cr0 = CR0_ET;
	out->sregs.apic_base = PLATFORM_LAPIC_ADDR | APIC_BASE_BSP | APIC_BASE_ENABLE;
	out->sregs.ldt = no_segment(SEG_LDT);
}

/**
 * boot_state_real() - real mode at 0000:@ip, the stack growing down from there
 * @out: receives the state
 * @ip: where to start
 */
void boot_state_real(struct boot_entry *out, uint16_t ip)
{
	struct kvm_segment seg = {
		.limit = 0xffff,
		.type = SEG_DATA_RW_A,
		.present = 1,
		.s = 1,
	};

	common_state(out, ip);
	out->regs.rsp = ip;
	set_data_segments(&out->sregs, &seg);
	seg.type = SEG_CODE_RX_A;
	out->sregs.cs = seg;
	out->sregs.tr = segment(0, SEG_TSS_BUSY, false);
	out->sregs.tr.limit = 0xffff;
	out->sregs.ldt.limit = 0xffff;
	out->sregs.idt.limit = 0x3ff;	/* the interrupt vector table at 0 */
	out->sregs.gdt.limit = 0xffff;
}

/* A descriptor as the GDT holds it, from the segment KVM is given. */
static uint64_t descriptor(const struct kvm_segment *s)
{
	uint64_t limit = s->g ? s->limit >> 12 : s->limit;
	uint64_t access = s->type | s->s << 4 | s->dpl << 5 | s->present << 7;
	uint64_t flags = s->avl | s->l << 1 | s->db << 2 | s->g << 3;

	return (limit & 0xffff) | (s->base & 0xffffff) << 16 | access << 40 |
	       (limit >> 16 & 0xf) << 48 | flags << 52 |
	       (s->base >> 24 & 0xff) << 56;
}

/* Flat segments, the GDT that says the same, a stack: both non-real modes. */
static int flat_state(struct boot_ctx *ctx, uint64_t rip, bool long_mode)
{
	struct kvm_sregs *s = &ctx->out->sregs;
	struct kvm_segment data = segment(BOOT_SEL_DATA, SEG_DATA_RW_A, true);
	uint64_t *gdt = boot_claimed_ptr(ctx, BOOT_GDT_ADDR, BOOT_PAGE);

	if (!gdt)
		return -EFAULT;
	common_state(ctx->out, rip);
	ctx->out->regs.rsp = BOOT_STACK_TOP;
	s->cr0 |= CR0_PE | CR0_NE;
	s->cs = segment(BOOT_SEL_CODE, SEG_CODE_RX_A, true);
	s->cs.l = long_mode;
	s->cs.db = !long_mode;
	set_data_segments(s, &data);
	s->tr = segment(BOOT_SEL_TSS, SEG_TSS_BUSY, false);
	s->tr.base = TSS_ADDR;
	s->tr.limit = TSS_LIMIT;

	memset(gdt, 0, BOOT_PAGE);
	gdt[BOOT_SEL_CODE / 8] = descriptor(&s->cs);
	gdt[BOOT_SEL_DATA / 8] = descriptor(&s->ds);
	gdt[BOOT_SEL_TSS / 8] = descriptor(&s->tr);
	s->gdt.base = BOOT_GDT_ADDR;
	s->gdt.limit = GDT_ENTRIES * 8 - 1;
	return 0;
}

/**
 * boot_state_protected() - flat protected mode, no paging
 * @ctx: the load in progress
 * @eip: where to start
 */
int boot_state_protected(struct boot_ctx *ctx, uint32_t eip)
{
	return flat_state(ctx, eip, false);
}

/**
 * boot_state_long() - 64-bit mode, the first 4 GiB identity-mapped
 * @ctx: the load in progress
 * @rip: where to start
 */
int boot_state_long(struct boot_ctx *ctx, uint64_t rip)
{
	uint64_t *pml4 = boot_claimed_ptr(ctx, BOOT_PAGE_TABLES_ADDR,
					  (2 + MAPPED_GIB) * BOOT_PAGE);
	uint64_t *pdpt, *pd;
	int ret;

	if (!pml4)
		return -EFAULT;
	ret = flat_state(ctx, rip, true);
	if (ret)
		return ret;
	pdpt = pml4 + ENTRIES;
	pd = pdpt + ENTRIES;
	memset(pml4, 0, 2 * BOOT_PAGE);
	pml4[0] = (BOOT_PAGE_TABLES_ADDR + BOOT_PAGE) | PTE_PRESENT | PTE_WRITE;
	for (unsigned int i = 0; i < MAPPED_GIB; i++)
		pdpt[i] = (BOOT_PAGE_TABLES_ADDR + (2 + i) * BOOT_PAGE) |
			  PTE_PRESENT | PTE_WRITE;
	for (unsigned int i = 0; i < MAPPED_GIB * ENTRIES; i++)
		pd[i] = i * HUGE_PAGE | PTE_PRESENT | PTE_WRITE | PTE_HUGE;

	ctx->out->sregs.cr0 |= CR0_PG;
	ctx->out->sregs.cr3 = BOOT_PAGE_TABLES_ADDR;
	ctx->out->sregs.cr4 = CR4_PAE;
	ctx->out->sregs.efer = EFER_LME | EFER_LMA;
	return 0;
}
