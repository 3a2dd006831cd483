// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bends of random vCPU states: each changes one thing, in a state that is valid but
 * for the bends before. The table at the end has the weights.
 */
#include "random_bends.h"

static uint64_t edge(struct bend *b)
{
	return rng_edge(b->rng);
}

/* A bit more or less, or something else altogether. */
static void bend_word(struct bend *b, void *field, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, field, size);
	if (rng_below(b->rng, 3))
		value ^= 1ull << rng_below(b->rng, size * 8);
	else
		value = edge(b);
	memcpy(field, &value, size);
}

static void bend_segment(struct bend *b)
{
	struct kvm_sregs *s = &b->state->sregs;
	struct kvm_segment *const segs[] = { &s->cs, &s->ss, &s->ds, &s->es, &s->fs, &s->gs,
					     &s->tr, &s->ldt };
	struct kvm_segment *seg = segs[rng_below(b->rng, 8)];
	uint8_t *const bits[] = { &seg->present, &seg->db, &seg->s, &seg->l, &seg->g, &seg->avl,
				  &seg->unusable };

	switch (rng_below(b->rng, 8)) {
	case 0:
		bend_word(b, &seg->base, sizeof(seg->base));
		break;
	case 1:
		bend_word(b, &seg->limit, sizeof(seg->limit));
		break;
	case 2:
		bend_word(b, &seg->selector, sizeof(seg->selector));
		break;
	case 3:
		seg->type = rng_below(b->rng, 16);
		break;
	case 4:
		seg->dpl = rng_below(b->rng, 4);
		break;
	case 5:
		rng_fill(b->rng, seg, sizeof(*seg));
		break;
	default:
		*bits[rng_below(b->rng, 7)] ^= 1;
		break;
	}
	/* A loop of faults on the way to a handler has no end where nothing exits. */
	if (!b->world->spins && !(s->cr0 & CR0_PE) && s->cs.limit < 0xffff)
		s->cs.limit = 0xffff;
}

static void bend_cr0(struct bend *b)
{
	bend_word(b, &b->state->sregs.cr0, 8);
}

static void bend_cr3(struct bend *b)
{
	bend_word(b, &b->state->sregs.cr3, 8);
}

static void bend_cr4(struct bend *b)
{
	bend_word(b, &b->state->sregs.cr4, 8);
}

static void bend_efer(struct bend *b)
{
	bend_word(b, &b->state->sregs.efer, 8);
}

static void bend_table(struct bend *b)
{
	struct kvm_sregs *s = &b->state->sregs;
	struct kvm_dtable *table = rng_one_in(b->rng, 2) ? &s->gdt : &s->idt;

	if (rng_one_in(b->rng, 2))
		bend_word(b, &table->base, sizeof(table->base));
	else
		bend_word(b, &table->limit, sizeof(table->limit));
}

static void bend_sregs_rest(struct bend *b)
{
	struct kvm_sregs *s = &b->state->sregs;

	switch (rng_below(b->rng, 4)) {
	case 0:
		s->cr8 = rng_below(b->rng, 20);
		break;
	case 1:
		bend_word(b, &s->apic_base, 8);
		break;
	case 2:
		bend_word(b, &s->cr2, 8);
		break;
	default:
		bend_word(b, &s->interrupt_bitmap[rng_below(b->rng, 4)], 8);
		break;
	}
}

static void bend_rflags(struct bend *b)
{
	bend_word(b, &b->state->regs.rflags, 8);
}

static void bend_rip(struct bend *b)
{
	bend_word(b, &b->state->regs.rip, 8);
}

static void bend_gpr(struct bend *b)
{
	/* RAX to R15 stand first. */
	bend_word(b, (uint64_t *)&b->state->regs + rng_below(b->rng, 16), 8);
}

static void bend_events(struct bend *b)
{
	struct kvm_vcpu_events *e = &b->state->events;

	b->state->has_events = true;
	switch (rng_below(b->rng, 6)) {
	case 0:
		rng_mutate(b->rng, e, sizeof(*e));
		break;
	case 1:
		e->exception.injected = 1;
		e->exception.nr = rng_below(b->rng, 34);
		e->exception.has_error_code = rng_below(b->rng, 2);
		e->exception.error_code = edge(b);
		break;
	case 2:
		e->interrupt.injected = 1;
		e->interrupt.nr = edge(b);
		e->interrupt.soft = rng_below(b->rng, 2);
		break;
	case 3:
		e->nmi.injected = rng_below(b->rng, 2);
		e->nmi.pending = rng_below(b->rng, 2);
		e->nmi.masked = rng_below(b->rng, 2);
		e->flags = KVM_VCPUEVENT_VALID_NMI_PENDING;
		break;
	case 4:
		e->interrupt.shadow = rng_below(b->rng, 4);
		e->flags |= KVM_VCPUEVENT_VALID_SHADOW;
		break;
	default:
		e->exception.injected = 1;
		e->exception.nr = rng_below(b->rng, 20);
		e->nmi.injected = 1;
		e->interrupt.injected = 1;
		break;
	}
}

static void bend_debugregs(struct bend *b)
{
	struct kvm_debugregs *d = &b->state->debugregs;

	b->state->has_debugregs = true;
	d->db[rng_below(b->rng, 4)] = rng_one_in(b->rng, 2) ? b->state->regs.rip : edge(b);
	if (rng_one_in(b->rng, 4))
		bend_word(b, &d->dr6, 8);
	d->dr7 = rng_one_in(b->rng, 4) ? edge(b) : (uint32_t)rng_next(b->rng) | 0x400;
}

static void bend_msr(struct bend *b)
{
	static const uint32_t indices[] = {
		0x10, 0x1b, 0x3a, 0x3b, 0x48, 0x49, 0x79, 0x8b, 0xfe, 0x174, 0x175, 0x176, 0x179,
		0x17a, 0x17b, 0x1a0, 0x1d9, 0x200, 0x201, 0x250, 0x26f, 0x277, 0x2ff, 0x38f,
		0x400, 0x401, 0x480, 0x6e0, 0x800, 0x802, 0x80b, 0x830, 0x832, 0x83f, 0xda0,
		0x4b564d00, 0x4b564d01, 0x4b564d02, 0x4b564d03, 0x4b564d04, 0x4b564d05,
		EFER_MSR, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000100, 0xc0000101,
		0xc0000102, 0xc0000103, 0xc0000104, 0xc0010015, 0xc0010114, 0xc0010117,
	};
	struct kvm_msr_entry *e;

	if (b->state->msrs.head.nmsrs == STATE_MSRS)
		return;
	e = &b->state->msrs.entries[b->state->msrs.head.nmsrs++];
	e->index = rng_one_in(b->rng, 8) ? edge(b) :
		   indices[rng_below(b->rng, sizeof(indices) / sizeof(indices[0]))];
	e->data = edge(b);
}

static void bend_fpu(struct bend *b)
{
	static const size_t interesting[] = { 0, 24, 28, 512, 520, 528, 576 };

	b->state->has_xsave = true;
	if (rng_one_in(b->rng, 2)) {
		b->state->has_xcrs = true;
		b->state->xcrs.nr_xcrs = !rng_one_in(b->rng, 8);
		b->state->xcrs.xcrs[0].value = rng_one_in(b->rng, 2) ? edge(b) :
					       rng_below(b->rng, 1024);
	}
	bend_word(b, (uint8_t *)&b->state->xsave +
		  (rng_one_in(b->rng, 2) ? interesting[rng_below(b->rng, 7)] :
					   rng_below(b->rng, 511) * 8), 8);
}

/* Entries of page tables and descriptor tables, the TSS. */
static void bend_table_memory(struct bend *b)
{
	static const uint32_t places[] = { TVM_GDT, GDT64, TVM_IDT, TVM_TSS, TVM_PML4, TVM_PDPT,
					   TVM_PD, TVM_PD32, TVM_PDPT_PAE, IDT32, 0 };
	uint8_t *mem = b->world->vm->mem + places[rng_below(b->rng, 11)];

	/* The first entries are those in use. */
	bend_word(b, mem + 8 * rng_below(b->rng, rng_one_in(b->rng, 2) ? 8 : 256), 8);
}

/* What is executed first: one instruction that reaches for something, then the filling. */
static void bend_code(struct bend *b)
{
	static const struct {
		uint8_t len, bytes[7];
	} insns[] = {
		{ 2, { 0x0f, 0xa2 } }, { 2, { 0x0f, 0x30 } }, { 2, { 0x0f, 0x32 } },
		{ 3, { 0x0f, 0x22, 0xc0 } }, { 3, { 0x0f, 0x22, 0xd8 } },
		{ 3, { 0x0f, 0x22, 0xe0 } }, { 3, { 0x0f, 0x20, 0xc0 } },
		{ 3, { 0x0f, 0x23, 0xf8 } }, { 3, { 0x0f, 0x21, 0xf0 } },
		{ 3, { 0x0f, 0x01, 0x10 } }, { 3, { 0x0f, 0x01, 0x18 } },
		{ 3, { 0x0f, 0x00, 0xd8 } }, { 3, { 0x0f, 0x01, 0xd1 } },
		{ 3, { 0x0f, 0x01, 0xc1 } }, { 3, { 0x0f, 0x01, 0xd9 } }, { 2, { 0x0f, 0x05 } },
		{ 2, { 0x0f, 0x07 } }, { 2, { 0x0f, 0x34 } }, { 2, { 0x0f, 0x35 } },
		{ 1, { 0xcf } }, { 2, { 0x48, 0xcf } }, { 2, { 0xcd, 0x40 } }, { 1, { 0xf1 } },
		{ 1, { 0xcc } }, { 1, { 0xf4 } }, { 1, { 0xec } }, { 1, { 0x6e } },
		{ 1, { 0x6c } }, { 2, { 0xff, 0x28 } }, { 2, { 0xff, 0x18 } }, { 1, { 0xcb } },
		{ 2, { 0x8e, 0xd0 } }, { 2, { 0x8e, 0xd8 } }, { 2, { 0x89, 0x03 } },
		{ 2, { 0x8b, 0x03 } }, { 3, { 0x0f, 0x01, 0xf8 } }, { 2, { 0x0f, 0x09 } },
		{ 3, { 0x0f, 0x01, 0x38 } }, { 3, { 0x0f, 0xae, 0x00 } },
		{ 3, { 0x0f, 0xae, 0x28 } }, { 2, { 0x0f, 0x0b } }, { 1, { 0xfb } },
		{ 2, { 0x17, 0xf4 } }, { 1, { 0x9d } }, { 3, { 0x0f, 0xc7, 0x30 } },
		{ 3, { 0x0f, 0x01, 0xc8 } }, { 3, { 0x0f, 0x01, 0xdd } },
		{ 3, { 0x0f, 0x01, 0xda } }, { 2, { 0x0f, 0x78 } }, { 2, { 0x0f, 0xaa } },
		{ 5, { 0x66, 0x0f, 0x38, 0x80, 0x00 } }, { 3, { 0x0f, 0x00, 0xd0 } },
		{ 3, { 0x0f, 0xc7, 0xf8 } }, { 2, { 0xf3, 0x90 } }, { 2, { 0xf3, 0x6e } },
	};
	uint8_t *code = b->world->vm->mem + TVM_CODE;
	uint8_t *user = b->world->vm->mem + USER_CODE;
	unsigned int i = rng_below(b->rng, sizeof(insns) / sizeof(insns[0]));

	if (b->world->spins && rng_one_in(b->rng, 3)) {
		rng_fill(b->rng, code, 16);
		rng_fill(b->rng, user, 16);
		return;
	}
	memcpy(code, insns[i].bytes, insns[i].len);
	memcpy(user, insns[i].bytes, insns[i].len);
}

static void bend_lapic(struct bend *b)
{
	if (!b->world->irqchip)
		return;
	b->state->has_lapic = true;
	bend_word(b, b->state->lapic.regs + 16 * rng_below(b->rng, 64), 4);
}

static void bend_mp_state(struct bend *b)
{
	b->state->has_mp_state = true;
	b->state->mp_state.mp_state = rng_below(b->rng, 12);
}

static const struct {
	void (*bend)(struct bend *b);
	uint32_t weight;
} bends[] = {
	{ bend_segment, 24 },	{ bend_cr0, 5 },       { bend_cr3, 3 },	   { bend_cr4, 5 },
	{ bend_efer, 3 },	{ bend_table, 4 },     { bend_sregs_rest, 4 }, { bend_rflags, 8 },
	{ bend_rip, 6 },	{ bend_gpr, 12 },      { bend_events, 12 }, { bend_debugregs, 5 },
	{ bend_msr, 8 },	{ bend_fpu, 4 },       { bend_table_memory, 10 }, { bend_code, 24 },
	{ bend_lapic, 4 },	{ bend_mp_state, 1 },
};

void bend_one(struct bend *b)
{
	uint32_t total = 0, at;
	size_t i;

	for (i = 0; i < sizeof(bends) / sizeof(bends[0]); i++)
		total += bends[i].weight;
	at = rng_below(b->rng, total);
	for (i = 0; at >= bends[i].weight; i++)
		at -= bends[i].weight;
	bends[i].bend(b);
}
