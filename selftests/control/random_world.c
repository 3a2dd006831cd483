// SPDX-License-Identifier: GPL-2.0-only
/*
 * The world of random vCPU states: nine valid ones to start from, and the memory that
 * they need. All of memory is HLT, or OUT where a HLT would sleep, so that whatever is
 * executed leaves soon.
 */
#include "random_bends.h"

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
