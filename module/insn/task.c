// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware task switches: the steps of "Task Switching" in their order.
 *
 * Everything that memory could object to is asked of it first: descriptors, both
 * TSSs, all pages that will be written. Then the old task is stored, the busy bits
 * and the back link follow, TR changes and the new task's registers are loaded: the
 * commit point. Segment registers are task_segs.c's.
 */
#include "task.h"

/* System descriptor types; a busy TSS has bit 1 set as well. */
#define TYPE_TSS	1
#define TYPE_BUSY	BIT(1)
#define TYPE_32BIT	BIT(3)
#define TYPE_BYTE	5 /* of a descriptor */

/* RFLAGS bits that a TSS can set; bit 1 is always one. */
#define FLAGS_KNOWN	0x3f7fd5U
#define FLAGS_FIXED	BIT(1)

/**
 * struct tss_layout - where a TSS has what
 * @width: of a field, in bytes
 * @ip: then flags, the eight registers, segment selectors, LDT selector
 * @nr_segs: how many of those
 * @last: the last byte, which the limit has to reach
 */
struct tss_layout {
	u8 width, ip, nr_segs, last;
};

#define TSS32_CR3	0x1c
#define TSS32_TRAP	0x64

static const struct tss_layout layout16 = { 2, 0x0e, 4, 0x2b };
static const struct tss_layout layout32 = { 4, 0x20, 6, 0x67 };

/* The eight general registers. */
#define NR_REGS		8

static unsigned int regs_at(const struct tss_layout *l)
{
	return l->ip + 2 * l->width;
}

static unsigned int segs_at(const struct tss_layout *l)
{
	return regs_at(l) + NR_REGS * l->width;
}

static unsigned int ldt_at(const struct tss_layout *l)
{
	return segs_at(l) + l->nr_segs * l->width;
}

static const struct tss_layout *layout_of(u8 type)
{
	return type & TYPE_32BIT ? &layout32 : &layout16;
}

/* One switch under way: the two descriptors in the GDT. */
struct tss {
	u64 desc;
	gva_t at; /* of the descriptor */
	const struct tss_layout *layout;
	u32 base;
};

/**
 * mvm_task_raise() - a fault with a selector
 * @t: the switch
 * @vector: exception
 * @selector: what is wrong
 */
int mvm_task_raise(struct mvm_task *t, u8 vector, u16 selector)
{
	t->fault = (struct mvm_fault){
		.vector = vector,
		.has_error = true,
		.error = (selector & ~3U) | t->external,
	};
	return 1;
}

static bool nests(const struct mvm_task *t)
{
	return t->source == MVM_TASK_CALL || t->source == MVM_TASK_GATE;
}

/* The new task's TSS: there, available (busy for a return), large enough. */
static int find_new(struct mvm_task *t, struct tss *new)
{
	bool back = t->source == MVM_TASK_IRET;
	u8 vector = back ? TASK_VECTOR_TS : TASK_VECTOR_GP;
	u8 type, wanted = back ? TYPE_TSS | TYPE_BUSY : TYPE_TSS;
	int ret;

	if (t->selector & 4)
		return mvm_task_raise(t, vector, t->selector);
	ret = mvm_task_descriptor(t, t->selector, vector, &new->desc, &new->at);
	if (ret)
		return ret;
	type = MVM_DESC_TYPE(new->desc);
	if (MVM_DESC_S(new->desc) || (type & ~TYPE_32BIT) != wanted)
		return mvm_task_raise(t, vector, t->selector);
	if (!MVM_DESC_P(new->desc))
		return mvm_task_raise(t, TASK_VECTOR_NP, t->selector);
	new->layout = layout_of(type);
	new->base = mvm_desc_base(new->desc);
	if (mvm_desc_limit(new->desc) < new->layout->last)
		return mvm_task_raise(t, TASK_VECTOR_TS, t->selector);
	return 0;
}

static int find_old(struct mvm_task *t, struct tss *old)
{
	u16 selector = t->seg[MVM_SEG_TR].selector;

	old->layout = layout_of(t->old_type);
	old->base = t->old_base;
	if (t->old_limit < old->layout->last)
		return mvm_task_raise(t, TASK_VECTOR_TS, selector);
	/* A task that stays busy keeps its descriptor, and may have lost it. */
	if (nests(t))
		return 0;
	return mvm_task_descriptor(t, selector, TASK_VECTOR_TS, &old->desc, &old->at);
}

static int probe(struct mvm_task *t, gva_t la, unsigned int len, u32 access)
{
	return t->ops->probe(t->priv, la, len, access | MVM_ACCESS_IMPLICIT, &t->fault);
}

/* All pages of the switch: from here on nothing is missing. */
static int probe_all(struct mvm_task *t, const struct tss *old, const struct tss *new)
{
	const struct tss_layout *l = old->layout;
	int ret = probe(t, old->base + l->ip, ldt_at(l) - l->ip, MVM_ACCESS_WRITE);

	if (!ret && !nests(t))
		ret = probe(t, old->at + TYPE_BYTE, 1, MVM_ACCESS_WRITE);
	l = new->layout;
	if (!ret)
		ret = probe(t, new->base, l->last + 1, MVM_ACCESS_READ);
	if (!ret && nests(t))
		ret = probe(t, new->base, 2, MVM_ACCESS_WRITE);
	if (!ret && t->source != MVM_TASK_IRET)
		ret = probe(t, new->at + TYPE_BYTE, 1, MVM_ACCESS_WRITE);
	return ret;
}

static int write(struct mvm_task *t, gva_t la, const void *buf, unsigned int len)
{
	return t->ops->write(t->priv, la, buf, len, MVM_ACCESS_IMPLICIT, &t->fault);
}

static int write_type(struct mvm_task *t, struct tss *tss, bool busy)
{
	const u64 bit = (u64)TYPE_BUSY << (8 * TYPE_BYTE);
	u8 byte;

	tss->desc = busy ? tss->desc | bit : tss->desc & ~bit;
	byte = tss->desc >> (8 * TYPE_BYTE);
	return write(t, tss->at + TYPE_BYTE, &byte, 1);
}

/* The old task as it will go on: registers, then selectors, whose upper halves stay. */
static int store_old(struct mvm_task *t, const struct tss *old)
{
	const struct tss_layout *l = old->layout;
	u32 flags = *t->rflags, val;
	unsigned int i;
	int ret;

	if (t->source == MVM_TASK_IRET)
		flags &= ~TASK_FLAG_NT;
	ret = write(t, old->base + l->ip, &t->next_ip, l->width);
	if (!ret)
		ret = write(t, old->base + l->ip + l->width, &flags, l->width);
	for (i = 0; i < NR_REGS && !ret; i++) {
		val = t->gpr[i];
		ret = write(t, old->base + regs_at(l) + i * l->width, &val, l->width);
	}
	for (i = 0; i < l->nr_segs && !ret; i++)
		ret = write(t, old->base + segs_at(l) + i * l->width, &t->seg[i].selector, 2);
	return ret;
}

/* Both tasks' marks: who is busy, and who goes on when the new one returns. */
static int link_tasks(struct mvm_task *t, struct tss *old, struct tss *new)
{
	int ret = 0;

	if (!nests(t))
		ret = write_type(t, old, false);
	else
		ret = write(t, new->base, &t->seg[MVM_SEG_TR].selector, 2);
	if (!ret && t->source != MVM_TASK_IRET)
		ret = write_type(t, new, true);
	return ret;
}

static u32 field(const u8 *image, const struct tss_layout *l, unsigned int at)
{
	u32 val = 0;

	memcpy(&val, image + at, l->width);
	return val;
}

static void load_registers(struct mvm_task *t, const u8 *image, const struct tss_layout *l)
{
	u32 flags = (field(image, l, l->ip + l->width) & FLAGS_KNOWN) | FLAGS_FIXED;
	unsigned int i;

	*t->rflags = nests(t) ? flags | TASK_FLAG_NT : flags;
	t->ip = field(image, l, l->ip);
	for (i = 0; i < NR_REGS; i++)
		t->gpr[i] = field(image, l, regs_at(l) + i * l->width);
}

/* From the new task's TSS: its address space, registers and segments, in that order. */
static int load_new(struct mvm_task *t, const struct tss *new)
{
	const struct tss_layout *l = new->layout;
	u16 selector[MVM_SEG_TR] = { 0 };
	u8 image[0x68];
	unsigned int i;
	int ret = t->ops->read(t->priv, new->base, image, l->last + 1, MVM_ACCESS_IMPLICIT,
			       &t->fault);

	if (ret)
		return ret;
	t->seg[MVM_SEG_TR] = (struct mvm_task_seg){
		.selector = t->selector,
		.desc = new->desc | (u64)TYPE_BUSY << (8 * TYPE_BYTE),
	};
	if (l == &layout32 && t->paging &&
	    t->ops->set_cr3(t->priv, field(image, l, TSS32_CR3)))
		return mvm_task_raise(t, TASK_VECTOR_GP, 0);

	load_registers(t, image, l);
	t->committed = true;
	t->trap = l == &layout32 && (image[TSS32_TRAP] & 1);
	for (i = 0; i < l->nr_segs; i++)
		memcpy(&selector[i], image + segs_at(l) + i * l->width, 2);
	memcpy(&selector[MVM_SEG_LDTR], image + ldt_at(l), 2);
	return mvm_task_load_segments(t, selector);
}

static int do_switch(struct mvm_task *t)
{
	struct tss old = { 0 }, new = { 0 };
	int ret = find_new(t, &new);

	if (!ret)
		ret = find_old(t, &old);
	if (!ret)
		ret = probe_all(t, &old, &new);
	if (!ret)
		ret = store_old(t, &old);
	if (!ret)
		ret = link_tasks(t, &old, &new);
	if (!ret)
		ret = load_new(t, &new);
	if (!ret && t->has_error)
		ret = mvm_task_push_error(t, new.layout->width);
	return ret;
}

/**
 * mvm_task_switch() - go from the current task to another
 * @t: the switch
 *
 * Return: enum mvm_task_result. Registers are the old task's until t->committed.
 */
enum mvm_task_result mvm_task_switch(struct mvm_task *t)
{
	int ret = do_switch(t);

	return ret < 0 ? MVM_TASK_FAIL : ret ? MVM_TASK_FAULT : MVM_TASK_DONE;
}
