// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random vCPU states; see random_state.h. A state is one of nine valid ones and
 * up to eight bends, rows of a table. All of memory is HLT, or OUT where a HLT
 * would sleep, so that whatever is executed leaves soon.
 */
#include "random_state.h"

#define IDT32		0xc000
#define GDT64		0x1800
#define USER_CODE	0x20000
#define RAM		0x400000u

#define CR0_PE		0x1u
#define CR0_PG		0x80000000u
#define CR4_PAE		0x20u
#define EFER_LME	0x100u
#define EFER_MSR	0xc0000080u

/* ------------------------------------------------------------------- memory */

static void fill_code(struct state_world *world)
{
	static const uint8_t out[2] = { 0xe6, TVM_PORT };
	struct tvm *vm = world->vm;
	size_t i;

	for (i = TVM_CODE; i < vm->mem_size; i++)
		vm->mem[i] = world->irqchip ? out[i & 1] : 0xf4;
}

static void fill_tss(uint8_t *tss)
{
	int i;

	/* 32-bit: ESP0 and SS0; 64-bit: RSP0 to RSP2 and the interrupt stacks. */
	memset(tss, 0, 0x1000);
	for (i = 4; i < 0x60; i += 8)
		*(uint32_t *)(tss + i) = TVM_STACK - 0x100;
	*(uint32_t *)(tss + 8) = TVM_DS;
	*(uint16_t *)(tss + 0x66) = 0x68;
}

static void fill_tables(struct state_world *world)
{
	struct tvcpu *vcpu = world->vcpu;
	uint8_t *mem = world->vm->mem;
	int i;

	for (i = 0; i < 256; i++)
		tvcpu_set_gate(vcpu, TVM_PROTECTED, i, TVM_CODE + 16 * i);
	memcpy(mem + IDT32, mem + TVM_IDT, 256 * 8);
	for (i = 0; i < 256; i++) {
		tvcpu_set_gate(vcpu, TVM_LONG, i, TVM_CODE + 16 * i);
		tvcpu_set_gate(vcpu, TVM_REAL, i, TVM_CODE + 16 * i);
	}
	fill_tss(mem + TVM_TSS);
}

/* User pages everywhere: the tables' own entries are changed by the bends. */
static void open_pages(uint8_t *mem)
{
	uint64_t *entry;

	for (entry = (uint64_t *)(mem + TVM_PML4); entry < (uint64_t *)(mem + TVM_PD32); entry++)
		if (*entry & 1)
			*entry |= 4;
	for (entry = (uint64_t *)(mem + TVM_PD32); entry < (uint64_t *)(mem + TVM_PDPT_PAE);
	     entry++)
		*entry |= 4ull << 32 | 4;
}

/* -------------------------------------------------------------------- bases */

static void make_user(struct state_base *base)
{
	base->sregs.cs.selector = TVM_USER_CS;
	base->sregs.cs.dpl = 3;
	base->sregs.ss.selector = TVM_USER_DS;
	base->sregs.ss.dpl = 3;
	base->sregs.ds = base->sregs.ss;
	base->sregs.es = base->sregs.ss;
	base->regs.rip = USER_CODE;
}

/* 32-bit code under a 64-bit kernel. */
static void make_compat(struct state_base *base)
{
	make_user(base);
	base->sregs.cs.l = 0;
	base->sregs.cs.db = 1;
}

static void make_vm86(struct state_base *base)
{
	struct kvm_segment seg = { .base = USER_CODE, .selector = USER_CODE >> 4, .limit = 0xffff,
				   .type = 3, .s = 1, .dpl = 3, .present = 1 };

	base->sregs.cs = seg;
	base->sregs.ds = seg;
	base->sregs.es = seg;
	base->sregs.fs = seg;
	base->sregs.gs = seg;
	base->sregs.ss = seg;
	base->regs.rip = 0;
	base->regs.rsp = 0x800;
	base->regs.rflags |= 1 << 17;
}

static int learn(struct state_world *world, enum tvm_mode mode, struct state_base *base)
{
	int ret = tvcpu_set_mode(world->vcpu, mode);

	if (!ret)
		ret = tvm_ioctl(world->vcpu->fd, KVM_GET_SREGS, &base->sregs);
	if (!ret)
		ret = tvm_ioctl(world->vcpu->fd, KVM_GET_REGS, &base->regs);
	if (mode == TVM_LONG) {
		memcpy(world->vm->mem + GDT64, world->vm->mem + TVM_GDT, 0x100);
		base->sregs.gdt.base = GDT64;
	} else if (mode != TVM_REAL) {
		base->sregs.idt.base = IDT32;
	}
	return ret;
}

static int learn_bases(struct state_world *world)
{
	static const enum tvm_mode modes[] = { TVM_LONG, TVM_REAL, TVM_PROTECTED, TVM_PAGED32,
					       TVM_PAE };
	struct state_base *bases = world->bases;
	int i, ret;

	for (i = 0; i < 5; i++) {
		ret = learn(world, modes[i], &bases[i]);
		if (ret)
			return ret;
	}
	/* The privileged modes' relatives: 64-bit, 32-bit and PAE user code, 8086 tasks. */
	bases[5] = bases[0];
	make_user(&bases[5]);
	bases[6] = bases[0];
	make_compat(&bases[6]);
	bases[7] = bases[4];
	make_user(&bases[7]);
	bases[8] = bases[3];
	make_vm86(&bases[8]);
	return 0;
}

int state_world_init(struct state_world *world, struct tvm *vm, struct tvcpu *vcpu, bool irqchip)
{
	struct vcpu_state *reset = &world->reset;
	int ret;

	world->vm = vm;
	world->vcpu = vcpu;
	world->irqchip = irqchip;
	memset(reset, 0, sizeof(*reset));
	fill_code(world);
	ret = learn_bases(world);
	if (ret)
		return ret;
	fill_tables(world);
	open_pages(vm->mem);
	memcpy(world->low, vm->mem, sizeof(world->low));

	if (irqchip)
		ret = tvm_ioctl(vcpu->fd, KVM_GET_LAPIC, &reset->lapic);
	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &reset->events);
	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_GET_DEBUGREGS, &reset->debugregs);
	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_GET_XCRS, &reset->xcrs);
	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_GET_XSAVE, &reset->xsave);
	return ret;
}

/* -------------------------------------------------------------------- bends */

struct bend {
	struct state_world *world;
	struct rng *rng;
	struct vcpu_state *state;
};

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

static void bend_one(struct bend *b)
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

/*
 * QEMU ends the whole emulated host ("invalid tss type") when an event changes the
 * privilege level and the hidden type of TR is not that of an idle TSS, or is not
 * there. And an exit from a guest with EFER.LME but neither CR0.PG nor CR4.PAE leaves
 * the guest's CR0 in the host.
 */
static void spare_qemu(struct vcpu_state *state)
{
	if ((state->sregs.efer & EFER_LME) && !(state->sregs.cr0 & CR0_PG))
		state->sregs.cr4 |= CR4_PAE;
	state->sregs.tr.type = state->sregs.tr.type & 8 ? 9 : 1;
	state->sregs.tr.present = 1;
	state->sregs.tr.unusable = 0;
	state->sregs.tr.s = 0;
}

/* Most of it is as it was; and in an emulated host a string instruction is slow. */
static void restore_low(struct state_world *world)
{
	const uint64_t *from = world->low;
	uint64_t *to = (uint64_t *)world->vm->mem;
	size_t i;

	for (i = 0; i < STATE_LOW_SIZE / sizeof(*to); i++)
		if (to[i] != from[i])
			to[i] = from[i];
}

void state_make_valid(struct state_world *world, struct vcpu_state *state)
{
	static const uint8_t out[] = { 0xe6, TVM_PORT };
	uint8_t *mem = world->vm->mem;

	*state = world->reset;
	state->regs = world->bases[0].regs;
	state->sregs = world->bases[0].sregs;
	state->mp_state.mp_state = KVM_MP_STATE_RUNNABLE;
	state->has_events = true;
	state->has_debugregs = true;
	state->has_mp_state = true;
	state->has_lapic = world->irqchip;
	restore_low(world);
	memcpy(mem + TVM_CODE, out, sizeof(out));
}

void state_make(struct state_world *world, struct rng *rng, struct vcpu_state *state)
{
	struct bend bend = { .world = world, .rng = rng, .state = state };
	struct state_base *base = &world->bases[rng_below(rng, STATE_BASES)];
	unsigned int n = rng_below(rng, 9);

	state_make_valid(world, state);
	/* Both lines of code back to the filling: handlers stand at a distance. */
	memcpy(world->vm->mem + TVM_CODE, world->vm->mem + TVM_CODE + 32, 16);
	memcpy(world->vm->mem + USER_CODE, world->vm->mem + TVM_CODE + 32, 16);
	state->regs = base->regs;
	state->sregs = base->sregs;
	while (n--)
		bend_one(&bend);
	if (on_bed("amd"))
		spare_qemu(state);
}

/* ------------------------------------------------------------------ loading */

int state_load(struct state_world *world, const struct vcpu_state *state, const char **which)
{
	const struct {
		const char *name;
		unsigned long request;
		const void *arg;
		bool wanted;
	} calls[] = {
		{ "KVM_SET_MP_STATE", KVM_SET_MP_STATE, &state->mp_state, state->has_mp_state },
		{ "KVM_SET_XCRS", KVM_SET_XCRS, &state->xcrs, state->has_xcrs },
		{ "KVM_SET_XSAVE", KVM_SET_XSAVE, &state->xsave, state->has_xsave },
		{ "KVM_SET_LAPIC", KVM_SET_LAPIC, &state->lapic, state->has_lapic },
		{ "KVM_SET_MSRS", KVM_SET_MSRS, &state->msrs, state->msrs.head.nmsrs },
		{ "KVM_SET_SREGS", KVM_SET_SREGS, &state->sregs, true },
		{ "KVM_SET_REGS", KVM_SET_REGS, &state->regs, true },
		{ "KVM_SET_VCPU_EVENTS", KVM_SET_VCPU_EVENTS, &state->events, state->has_events },
		{ "KVM_SET_DEBUGREGS", KVM_SET_DEBUGREGS, &state->debugregs,
		  state->has_debugregs },
	};
	int refused = 0, ret;
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (!calls[i].wanted)
			continue;
		ret = tvm_ioctl(world->vcpu->fd, calls[i].request, (void *)calls[i].arg);
		if (ret >= 0)
			continue;
		if (ret != -EINVAL) {
			*which = calls[i].name;
			return ret;
		}
		refused++;
	}
	return refused;
}

static void show_segment(const char *name, const struct kvm_segment *s)
{
	printf("# %s %04x base %llx limit %x type %x s %x dpl %x p %x db %x l %x g %x unusable %x\n",
	       name, s->selector, s->base, s->limit, s->type, s->s, s->dpl, s->present, s->db,
	       s->l, s->g, s->unusable);
}

void state_show(const struct vcpu_state *state)
{
	const struct kvm_vcpu_events *e = &state->events;
	const struct kvm_sregs *s = &state->sregs;
	const struct kvm_regs *r = &state->regs;
	uint32_t i;

	printf("# rip %llx rsp %llx rflags %llx cr0 %llx cr3 %llx cr4 %llx efer %llx cr8 %llx apic_base %llx\n",
	       r->rip, r->rsp, r->rflags, s->cr0, s->cr3, s->cr4, s->efer, s->cr8, s->apic_base);
	show_segment("cs", &s->cs);
	show_segment("ss", &s->ss);
	show_segment("ds", &s->ds);
	show_segment("es", &s->es);
	show_segment("fs", &s->fs);
	show_segment("gs", &s->gs);
	show_segment("tr", &s->tr);
	show_segment("ldt", &s->ldt);
	printf("# gdt %llx+%x idt %llx+%x interrupts %llx %llx %llx %llx\n", s->gdt.base,
	       s->gdt.limit, s->idt.base, s->idt.limit, s->interrupt_bitmap[0],
	       s->interrupt_bitmap[1], s->interrupt_bitmap[2], s->interrupt_bitmap[3]);
	printf("# exception %u: %u/%u %x; interrupt %u: %u soft %u shadow %x; nmi %u %u %u; flags %x\n",
	       e->exception.injected, e->exception.nr, e->exception.has_error_code,
	       e->exception.error_code, e->interrupt.injected, e->interrupt.nr, e->interrupt.soft,
	       e->interrupt.shadow, e->nmi.injected, e->nmi.pending, e->nmi.masked, e->flags);
	printf("# dr %llx %llx %llx %llx dr6 %llx dr7 %llx\n", state->debugregs.db[0],
	       state->debugregs.db[1], state->debugregs.db[2], state->debugregs.db[3],
	       state->debugregs.dr6, state->debugregs.dr7);
	for (i = 0; i < state->msrs.head.nmsrs; i++)
		printf("# msr %x = %llx\n", state->msrs.entries[i].index,
		       state->msrs.entries[i].data);
}
