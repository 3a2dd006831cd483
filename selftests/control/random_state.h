/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random vCPU states: valid ones of every CPU mode, bent at a few places.
 */
#ifndef RANDOM_STATE_H
#define RANDOM_STATE_H

#include "mvm_random.h"
#include "mvm_util.h"

#define STATE_MSRS 4

/* What a state consists of; has_* say which parts are set at all. */
struct vcpu_state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_vcpu_events events;
	struct kvm_debugregs debugregs;
	struct kvm_xcrs xcrs;
	struct kvm_xsave xsave;
	struct kvm_mp_state mp_state;
	struct kvm_lapic_state lapic;
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entries[STATE_MSRS];
	} msrs;
	bool has_events, has_debugregs, has_xcrs, has_xsave, has_mp_state, has_lapic;
};

/* The modes that states start from, and the images of memory that go with them. */
struct state_base {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
};

#define STATE_BASES	9
#define STATE_LOW_SIZE	0x10000	/* tables and stack: put back before each state */

struct state_world {
	struct tvm *vm;
	struct tvcpu *vcpu;
	struct state_base bases[STATE_BASES];
	struct vcpu_state reset;	/* what the parts are when nobody changed them */
	uint64_t low[STATE_LOW_SIZE / sizeof(uint64_t)];
	bool irqchip;
	bool spins;	/* code that may never exit is welcome: the host can take it */
};

/* Fill the VM's memory and learn the bases, on a vCPU that has not run yet. */
int state_world_init(struct state_world *world, struct tvm *vm, struct tvcpu *vcpu, bool irqchip);

/* Make state @rng's: in @state what goes in by ioctl, in the VM's memory the rest. */
void state_make(struct state_world *world, struct rng *rng, struct vcpu_state *state);

/* A valid one, for which the guest leaves by OUT to TVM_PORT. */
void state_make_valid(struct state_world *world, struct vcpu_state *state);

/*
 * Load it. How many parts were refused with -EINVAL, or another error as it is.
 * With @which not NULL it names the call of such an error.
 */
int state_load(struct state_world *world, const struct vcpu_state *state, const char **which);

/* As comments on stdout. */
void state_show(const struct vcpu_state *state);

#endif /* RANDOM_STATE_H */
