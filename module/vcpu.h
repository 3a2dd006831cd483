/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vCPU file's parts: run.c's loop, vcpu_state.c's ioctl bodies, regs.c's reset.
 */
#ifndef MVM_VCPU_H
#define MVM_VCPU_H

#include "ioctl.h"
#include "mvm.h"

/* Debug register bits that the kernel's headers have no name for ("Debug Registers"). */
#define MVM_DR6_BD	 BIT(13) /* debug register access detected */
#define MVM_DR6_WRITABLE (DR_TRAP_BITS | MVM_DR6_BD | DR_STEP | DR_SWITCH)
#define MVM_DR7_GD	 BIT(13) /* general detect enable */
#define MVM_DR7_FIXED	 BIT(10) /* always one */
#define MVM_DR7_RESERVED 0xd800 /* always zero */

/* run.c */
int mvm_vcpu_run(struct mvm_vcpu *vcpu);
void mvm_vcpu_accept_init(struct mvm_vcpu *vcpu);

/* kick.c */
int mvm_kick_module_init(void);
void mvm_kick_module_exit(void);
void mvm_vcpu_note_thread(struct mvm_vcpu *vcpu);
void mvm_vcpu_on_spin(struct mvm_vcpu *vcpu);

void mvm_vcpu_reset(struct mvm_vcpu *vcpu, bool init_event); /* regs.c */

/* The state ioctls' rows, for vcpu.c's dispatch. vcpu->lock held. */
extern const struct mvm_ioctl mvm_vcpu_state_ioctls[];
extern const size_t mvm_nr_vcpu_state_ioctls;

long mvm_sync_regs_in(struct mvm_vcpu *vcpu);
void mvm_sync_regs_out(struct mvm_vcpu *vcpu);

/* regs.c */
void mvm_get_sregs(struct mvm_vcpu *vcpu, struct kvm_sregs *sregs);
int mvm_set_sregs(struct mvm_vcpu *vcpu, const struct kvm_sregs *sregs);
u64 mvm_get_cr8(struct mvm_vcpu *vcpu);
int mvm_set_cr8(struct mvm_vcpu *vcpu, u64 val);

/* Exit handlers beside exit.c's own (exit_cr.c), and what they share with it. */
int mvm_exit_cr_access(struct mvm_vcpu *vcpu);
int mvm_exit_dr_access(struct mvm_vcpu *vcpu);
int mvm_exit_xsetbv(struct mvm_vcpu *vcpu);
int mvm_exit_task_switch(struct mvm_vcpu *vcpu); /* task_switch.c */
int mvm_skip_and_resume(struct mvm_vcpu *vcpu);
int mvm_inject_gp(struct mvm_vcpu *vcpu);
int mvm_inject_ud(struct mvm_vcpu *vcpu);
int mvm_set_dr(struct mvm_vcpu *vcpu, u8 nr, u64 val);

/* debug.c */
#define MVM_GUESTDBG_FLAGS                                                                   \
	(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_SW_BP |            \
	 KVM_GUESTDBG_USE_HW_BP | KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP |          \
	 KVM_GUESTDBG_BLOCKIRQ)
int mvm_set_guest_debug(struct mvm_vcpu *vcpu, const struct kvm_guest_debug *dbg);
int mvm_debug_exception(struct mvm_vcpu *vcpu, u8 vector, u64 dr6_bits);
void mvm_debug_prepare_step(struct mvm_vcpu *vcpu);
int mvm_debug_report_step(struct mvm_vcpu *vcpu);

/* event.c */
struct mvm_inject;
void mvm_events_prepare(struct mvm_vcpu *vcpu, struct mvm_inject *inject);
void mvm_events_take_irq(struct mvm_vcpu *vcpu, u8 vector, struct mvm_event *ev);
void mvm_events_delivered(struct mvm_vcpu *vcpu);
void mvm_events_exit(struct mvm_vcpu *vcpu);
bool mvm_events_wait(struct mvm_vcpu *vcpu);
bool mvm_has_wake_event(struct mvm_vcpu *vcpu);
bool mvm_nmi_allowed(struct mvm_vcpu *vcpu);
void mvm_get_vcpu_events(struct mvm_vcpu *vcpu, struct kvm_vcpu_events *events);
int mvm_set_vcpu_events(struct mvm_vcpu *vcpu, const struct kvm_vcpu_events *events);
int mvm_user_interrupt(struct mvm_vcpu *vcpu, u32 irq);
bool mvm_wants_irq_window(struct mvm_vcpu *vcpu);
bool mvm_irq_window_open(struct mvm_vcpu *vcpu);

#endif
