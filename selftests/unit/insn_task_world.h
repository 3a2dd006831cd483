/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A world for task switches: 64 KiB of memory at address 0 with pages that may be
 * missing or readonly, tables, and two tasks of ring 0 in it, built by hand.
 */
#ifndef INSN_TASK_WORLD_H
#define INSN_TASK_WORLD_H

#include "insn/task.h"

#define MEM	0x10000
#define PAGE	0x1000

#define GDT	0x1000
#define LDT	0x2000
#define OLD	0x3000
#define NEW	0x5000
#define STACK	0x8000

#define OLD_SEL	0x18
#define NEW_SEL	0x20
#define LDT_SEL	0x28
#define CODE	0x08
#define DATA	0x10
#define UCODE	0x33
#define UDATA	0x3b
#define CONF	0x40
#define ABSENT	0x48
#define READONLY 0x50
#define EXEC	0x58
#define DATA16	0x60
#define GDT_LIMIT 0x6f

#define TSS32	9
#define TSS16	1
#define BUSY	2
#define NT	0x4000
#define VM	0x20000

enum { PRESENT, MISSING, READ_ONLY };

struct world {
	struct mvm_task t;
	u64 gpr[MVM_NR_GPRS];
	u64 rflags;
	u32 cr3;
	bool bad_cr3;
	u8 page[MEM / PAGE];
	u8 mem[MEM], was[MEM];
};

#define W(priv) ((struct world *)(priv))

static inline int world_probe(void *priv, gva_t la, unsigned int len, u32 access,
			      struct mvm_fault *fault)
{
	gva_t at;

	for (at = la; at < la + len; at = (at | (PAGE - 1)) + 1) {
		u8 kind = W(priv)->page[at / PAGE % (MEM / PAGE)];

		if (at >= MEM)
			return -EFAULT;
		if (kind == MISSING || (kind == READ_ONLY && (access & MVM_ACCESS_WRITE))) {
			*fault = (struct mvm_fault){
				.vector = 14, .has_error = true, .cr2 = at,
				.error = access & MVM_ACCESS_WRITE ? 2 : 0,
			};
			return 1;
		}
	}
	return 0;
}

static inline int world_read(void *priv, gva_t la, void *buf, unsigned int len, u32 access,
			     struct mvm_fault *fault)
{
	int ret = world_probe(priv, la, len, access | MVM_ACCESS_READ, fault);

	if (!ret)
		memcpy(buf, W(priv)->mem + la, len);
	return ret;
}

static inline int world_write(void *priv, gva_t la, const void *buf, unsigned int len, u32 access,
			      struct mvm_fault *fault)
{
	int ret = world_probe(priv, la, len, access | MVM_ACCESS_WRITE, fault);

	if (!ret)
		memcpy(W(priv)->mem + la, buf, len);
	return ret;
}

static inline int world_set_cr3(void *priv, u32 cr3)
{
	if (W(priv)->bad_cr3)
		return -EINVAL;
	W(priv)->cr3 = cr3;
	return 0;
}

static const struct mvm_task_ops world_ops = {
	.probe = world_probe,
	.read = world_read,
	.write = world_write,
	.set_cr3 = world_set_cr3,
};

static inline u32 get(struct world *w, u32 at, unsigned int len)
{
	u32 val = 0;

	memcpy(&val, w->mem + at, len);
	return val;
}

static inline void put(struct world *w, u32 at, u32 val, unsigned int len)
{
	memcpy(w->mem + at, &val, len);
}

/* @flags: G, D/B, L, AVL. */
static inline void describe(struct world *w, u16 selector, u32 base, u32 limit, u8 access,
			    u8 flags)
{
	u64 desc = (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)access << 40 |
		   (u64)(limit >> 16) << 48 | (u64)flags << 52 | (u64)(base >> 24) << 56;

	memcpy(w->mem + (selector & 4 ? LDT : GDT) + (selector & ~7), &desc, 8);
}

static inline u8 type_of(struct world *w, u16 selector)
{
	return w->mem[GDT + (selector & ~7) + 5] & 15;
}

static inline void new_tss32(struct world *w)
{
	static const u16 seg[] = { DATA, CODE, DATA, DATA, 0, UDATA };
	unsigned int i;

	describe(w, NEW_SEL, NEW, 0x67, 0x80 | TSS32, 0);
	put(w, NEW + 0x1c, 0x12345000, 4);
	put(w, NEW + 0x20, 0x1000, 4);
	put(w, NEW + 0x24, 0x202, 4);
	for (i = 0; i < 8; i++)
		put(w, NEW + 0x28 + 4 * i, 0xa0b0c0d0 + i, 4);
	put(w, NEW + 0x38, STACK, 4);
	for (i = 0; i < 6; i++)
		put(w, NEW + 0x48 + 4 * i, seg[i], 4);
	put(w, NEW + 0x60, LDT_SEL, 4);
}

static inline void new_tss16(struct world *w)
{
	static const u16 seg[] = { DATA, CODE, DATA, DATA };
	unsigned int i;

	describe(w, NEW_SEL, NEW, 0x2b, 0x80 | TSS16, 0);
	put(w, NEW + 0x0e, 0x1234, 2);
	put(w, NEW + 0x10, 0x202, 2);
	for (i = 0; i < 8; i++)
		put(w, NEW + 0x12 + 2 * i, 0xc0d0 + i, 2);
	put(w, NEW + 0x1a, STACK, 2);
	for (i = 0; i < 4; i++)
		put(w, NEW + 0x22 + 2 * i, seg[i], 2);
	put(w, NEW + 0x2a, LDT_SEL, 2);
}

static inline void world_start(struct world *w)
{
	unsigned int i;

	memset(w, 0, sizeof(*w));
	describe(w, CODE, 0, 0xfffff, 0x9b, 0xc);
	describe(w, DATA, 0, 0xfffff, 0x93, 0xc);
	describe(w, OLD_SEL, OLD, 0x67, 0x80 | TSS32 | BUSY, 0);
	describe(w, LDT_SEL, LDT, 0xf, 0x82, 0);
	describe(w, UCODE, 0, 0xfffff, 0xfb, 0xc);
	describe(w, UDATA, 0, 0xfffff, 0xf3, 0xc);
	describe(w, CONF, 0, 0xfffff, 0x9f, 0xc);
	describe(w, ABSENT, 0, 0xfffff, 0x13, 0xc);
	describe(w, READONLY, 0, 0xfffff, 0x91, 0xc);
	describe(w, EXEC, 0, 0xfffff, 0x99, 0xc);
	describe(w, DATA16, 0, 0xffff, 0x92, 0);
	describe(w, 0x0c, 0, 0xfffff, 0x93, 0xc); /* LDT, entry 1 */
	new_tss32(w);
	w->rflags = NT | 0x46;
	for (i = 0; i < MVM_NR_GPRS; i++)
		w->gpr[i] = 0x1111111111111111ULL * (i + 1);
	w->t = (struct mvm_task){
		.ops = &world_ops, .priv = w, .source = MVM_TASK_CALL, .selector = NEW_SEL,
		.gdt_base = GDT, .gdt_limit = GDT_LIMIT, .paging = true, .next_ip = 0x777,
		.gpr = w->gpr, .rflags = &w->rflags, .ip = 0x770,
		.old_base = OLD, .old_limit = 0x67, .old_type = TSS32 | BUSY,
	};
	for (i = 0; i < MVM_NR_SEGS; i++)
		w->t.seg[i].selector = 0x100 + 8 * i;
	w->t.seg[MVM_SEG_TR].selector = OLD_SEL;
}

static inline enum mvm_task_result run(struct world *w)
{
	memcpy(w->was, w->mem, MEM);
	return mvm_task_switch(&w->t);
}

/* A fault of the old task: nothing has changed. 0, or what is wrong. */
static inline int refused(struct world *w, u8 vector, u32 error)
{
	u64 flags = w->rflags;

	if (run(w) != MVM_TASK_FAULT)
		return 1;
	if (w->t.fault.vector != vector || w->t.fault.error != error)
		return 2;
	if (w->t.committed || w->t.ip != 0x770 || w->rflags != flags ||
	    w->gpr[0] != 0x1111111111111111ULL || w->t.seg[MVM_SEG_TR].desc)
		return 3;
	return memcmp(w->mem, w->was, MEM) ? 4 : 0;
}

/* A fault of the new task: everything has changed. */
static inline int spoilt(struct world *w, u8 vector, u32 error)
{
	if (run(w) != MVM_TASK_FAULT)
		return 1;
	if (w->t.fault.vector != vector || w->t.fault.error != error)
		return 2;
	if (!w->t.committed || w->t.ip != 0x1000 || w->gpr[0] != 0xa0b0c0d0 ||
	    w->t.seg[MVM_SEG_TR].selector != NEW_SEL)
		return 3;
	return !(type_of(w, NEW_SEL) & BUSY);
}

#endif
