// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random vCPU states; see random_state.h. A state is one of nine valid ones
 * (random_world.c) and up to eight bends (random_bends.c).
 */
#include "random_bends.h"

/*
 * QEMU 7.2 ends the whole emulated host ("invalid tss", "invalid tss type") when an event
 * changes the privilege level outside of 64-bit mode and the hidden type of TR is not that
 * of an idle TSS. A busy one is what processors have, what reset and KVM_GET_SREGS give.
 * And an exit from a guest with EFER.LME but neither CR0.PG nor CR4.PAE leaves the guest's
 * CR0 in the host; what is not paged could clear PAE, so it has no LME. All of it is the
 * emulator's doing; the Intel bed takes these states.
 */
static void spare_qemu(struct kvm_sregs *sregs)
{
	if ((sregs->efer & EFER_LME) && !(sregs->cr0 & CR0_PG))
		sregs->efer &= ~(uint64_t)EFER_LME;
	sregs->tr.type = sregs->tr.type & 8 ? 9 : 1;
	sregs->tr.present = 1;
	sregs->tr.unusable = 0;
	sregs->tr.s = 0;
}

/* Where this state's own were refused, those that the vCPU has left are mended. */
static int spare_qemu_the_old(struct state_world *world)
{
	struct kvm_sregs sregs;
	int ret = tvm_ioctl(world->vcpu->fd, KVM_GET_SREGS, &sregs);

	spare_qemu(&sregs);
	if (!ret)
		ret = tvm_ioctl(world->vcpu->fd, KVM_SET_SREGS, &sregs);
	if (ret != -EINVAL)
		return ret;
	sregs = world->bases[0].sregs;
	spare_qemu(&sregs);
	return tvm_ioctl(world->vcpu->fd, KVM_SET_SREGS, &sregs);
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
		spare_qemu(&state->sregs);
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
	*which = "TR's mending";
	ret = refused && on_bed("amd") ? spare_qemu_the_old(world) : 0;
	return ret ? ret : refused;
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
