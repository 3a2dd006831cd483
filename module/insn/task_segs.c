// SPDX-License-Identifier: GPL-2.0-only
/*
 * The segment registers of a task that is switched to: descriptors, their checks,
 * the faults in the new task's name, and the error code on its stack.
 *
 * Selectors come first, all of them; a register whose turn does not come, because
 * another one faults, has its selector and nothing behind it.
 */
#include "task.h"

#define TYPE_LDT	2

/* Bits of a code or data segment's type. */
#define TYPE_ACCESSED	BIT(0)
#define TYPE_WRITABLE	BIT(1) /* data; readable for code */
#define TYPE_CONFORMING	BIT(2) /* code; expand-down for data */
#define TYPE_CODE	BIT(3)
#define TYPE_BYTE	5

/* A descriptor of these parts, base 0 and byte granularity. */
#define DESC(type, dpl, limit) \
	((u64)(limit) | (u64)(0x90 | (dpl) << 5 | (type)) << (8 * TYPE_BYTE))

/**
 * mvm_task_descriptor() - read a descriptor from the GDT or the LDT
 * @t: the switch
 * @selector: which one
 * @vector: raised, with the selector, where there is none
 * @desc: gets it
 * @at: gets its linear address
 */
int mvm_task_descriptor(struct mvm_task *t, u16 selector, u8 vector, u64 *desc, gva_t *at)
{
	u64 ldt = t->seg[MVM_SEG_LDTR].desc;
	u32 limit = t->gdt_limit, offset = selector & ~7U;
	gva_t base = t->gdt_base;

	if (selector & 4) {
		base = mvm_desc_base(ldt);
		limit = mvm_desc_limit(ldt);
	}
	if (!(selector & ~3U) || ((selector & 4) && !ldt) || offset + 7 > limit)
		return mvm_task_raise(t, vector, selector);
	*at = (u32)(base + offset);
	return t->ops->read(t->priv, *at, desc, sizeof(*desc), MVM_ACCESS_IMPLICIT, &t->fault);
}

/* The register has passed: its descriptor is marked as used. */
static int accept(struct mvm_task *t, enum mvm_segreg seg, u64 desc, gva_t at)
{
	u8 type_byte = desc >> (8 * TYPE_BYTE);
	int ret = 0;

	if (MVM_DESC_S(desc) && !(type_byte & TYPE_ACCESSED)) {
		type_byte |= TYPE_ACCESSED;
		ret = t->ops->write(t->priv, at + TYPE_BYTE, &type_byte, 1,
				    MVM_ACCESS_IMPLICIT, &t->fault);
	}
	t->seg[seg].desc = desc | (u64)type_byte << (8 * TYPE_BYTE);
	return ret;
}

static int load_ldtr(struct mvm_task *t)
{
	u16 selector = t->seg[MVM_SEG_LDTR].selector;
	gva_t at;
	u64 desc;
	int ret;

	if (!(selector & ~3))
		return 0;
	if (selector & 4)
		return mvm_task_raise(t, TASK_VECTOR_TS, selector);
	ret = mvm_task_descriptor(t, selector, TASK_VECTOR_TS, &desc, &at);
	if (ret)
		return ret;
	if (MVM_DESC_S(desc) || MVM_DESC_TYPE(desc) != TYPE_LDT || !MVM_DESC_P(desc))
		return mvm_task_raise(t, TASK_VECTOR_TS, selector);
	return accept(t, MVM_SEG_LDTR, desc, at);
}

/* The vector of what is wrong with the descriptor, 0 for nothing. */
static u8 check_code(u64 desc, u8 rpl)
{
	u8 type = MVM_DESC_TYPE(desc), dpl = MVM_DESC_DPL(desc);

	if (!MVM_DESC_S(desc) || !(type & TYPE_CODE))
		return TASK_VECTOR_TS;
	if (type & TYPE_CONFORMING ? dpl > rpl : dpl != rpl)
		return TASK_VECTOR_TS;
	return MVM_DESC_P(desc) ? 0 : TASK_VECTOR_NP;
}

static u8 check_stack(u64 desc, u8 rpl, u8 cpl)
{
	u8 type = MVM_DESC_TYPE(desc);

	if (!MVM_DESC_S(desc) || (type & TYPE_CODE) || !(type & TYPE_WRITABLE))
		return TASK_VECTOR_TS;
	if (!MVM_DESC_P(desc))
		return TASK_VECTOR_SS;
	return rpl == cpl && MVM_DESC_DPL(desc) == cpl ? 0 : TASK_VECTOR_TS;
}

static u8 check_data(u64 desc, u8 rpl, u8 cpl)
{
	u8 type = MVM_DESC_TYPE(desc), dpl = MVM_DESC_DPL(desc);
	bool code = type & TYPE_CODE;

	if (!MVM_DESC_S(desc) || (code && !(type & TYPE_WRITABLE)))
		return TASK_VECTOR_TS;
	if (!(code && (type & TYPE_CONFORMING)) && (dpl < rpl || dpl < cpl))
		return TASK_VECTOR_TS;
	return MVM_DESC_P(desc) ? 0 : TASK_VECTOR_NP;
}

static int load_segment(struct mvm_task *t, enum mvm_segreg seg)
{
	u16 selector = t->seg[seg].selector;
	u8 vector, rpl = selector & 3;
	gva_t at;
	u64 desc;
	int ret;

	if (!(selector & ~3) && seg != MVM_SEG_CS && seg != MVM_SEG_SS)
		return 0;
	ret = mvm_task_descriptor(t, selector, TASK_VECTOR_TS, &desc, &at);
	if (ret)
		return ret;
	if (seg == MVM_SEG_CS)
		vector = check_code(desc, rpl);
	else if (seg == MVM_SEG_SS)
		vector = check_stack(desc, rpl, t->cpl);
	else
		vector = check_data(desc, rpl, t->cpl);
	return vector ? mvm_task_raise(t, vector, selector) : accept(t, seg, desc, at);
}

/* Virtual-8086 mode has no descriptors: base and limit follow from the selector. */
static void load_vm86(struct mvm_task *t)
{
	int i;

	t->cpl = 3;
	for (i = MVM_SEG_ES; i <= MVM_SEG_GS; i++)
		t->seg[i].desc = DESC(TYPE_WRITABLE | TYPE_ACCESSED, 3, 0xffff) |
				 (u64)t->seg[i].selector << (16 + 4);
}

/**
 * mvm_task_load_segments() - give the new task its segments
 * @t: the switch, with the new task's flags
 * @selector: by enum mvm_segreg, TR not among them
 */
int mvm_task_load_segments(struct mvm_task *t, const u16 selector[MVM_SEG_TR])
{
	/* The stack first: the others' faults are delivered on it. */
	static const u8 order[] = {
		MVM_SEG_SS, MVM_SEG_CS, MVM_SEG_ES, MVM_SEG_DS, MVM_SEG_FS, MVM_SEG_GS,
	};
	bool vm86 = *t->rflags & TASK_FLAG_VM;
	unsigned int i;
	int ret;

	for (i = 0; i < MVM_SEG_TR; i++)
		t->seg[i] = (struct mvm_task_seg){ .selector = selector[i] };
	t->cpl = selector[MVM_SEG_CS] & 3;
	/* Nothing can be executed there, but a fault's frame can hold it. */
	t->seg[MVM_SEG_CS].desc = DESC(TYPE_CODE | TYPE_WRITABLE | TYPE_ACCESSED, t->cpl, 0);
	if (vm86)
		load_vm86(t);
	ret = load_ldtr(t);
	for (i = 0; i < ARRAY_SIZE(order) && !ret && !vm86; i++)
		ret = load_segment(t, order[i]);
	return ret;
}

/**
 * mvm_task_push_error() - an exception's error code for its handler
 * @t: the switch, with all segments loaded
 * @size: 2 or 4, by the TSS
 */
int mvm_task_push_error(struct mvm_task *t, unsigned int size)
{
	u64 desc = t->seg[MVM_SEG_SS].desc;
	bool down = MVM_DESC_TYPE(desc) & TYPE_CONFORMING;
	u32 mask = MVM_DESC_DB(desc) ? 0xffffffff : 0xffff, limit = mvm_desc_limit(desc);
	u32 sp = (t->gpr[MVM_RSP] - size) & mask;
	u64 last = (u64)sp + size - 1;
	int ret;

	if (down ? sp <= limit || last > mask : last > limit)
		return mvm_task_raise(t, TASK_VECTOR_SS, 0);
	ret = t->ops->write(t->priv, (u32)(mvm_desc_base(desc) + sp), &t->error, size,
			    t->cpl == 3 ? MVM_ACCESS_USER : 0, &t->fault);
	if (!ret)
		t->gpr[MVM_RSP] = (t->gpr[MVM_RSP] & ~(u64)mask) | sp;
	return ret;
}
