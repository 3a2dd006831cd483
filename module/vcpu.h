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

/* KVM_RUN. vcpu->lock held; may sleep. */
int mvm_vcpu_run(struct mvm_vcpu *vcpu);

/* Take a pending INIT and start-up IPI. vcpu->lock held. */
void mvm_vcpu_accept_init(struct mvm_vcpu *vcpu);

/* kick.c */
int mvm_kick_module_init(void);
void mvm_kick_module_exit(void);
/* Let others find the thread that runs the vCPU. In it. */
void mvm_vcpu_note_thread(struct mvm_vcpu *vcpu);
/* The guest spins: let another vCPU run. The vCPU's thread; may sleep. */
void mvm_vcpu_on_spin(struct mvm_vcpu *vcpu);

/* The power-up state of the architecture (regs.c); @init_event: by INIT, which keeps some. */
void mvm_vcpu_reset(struct mvm_vcpu *vcpu, bool init_event);

/* The state ioctls' rows, for vcpu.c's dispatch. vcpu->lock held. */
extern const struct mvm_ioctl mvm_vcpu_state_ioctls[];
extern const size_t mvm_nr_vcpu_state_ioctls;

/* KVM_CAP_SYNC_REGS: what userspace changed in kvm_run.s; -errno, none of it or some done. */
long mvm_sync_regs_in(struct mvm_vcpu *vcpu);
/* What it wants to find there, at the end of KVM_RUN. */
void mvm_sync_regs_out(struct mvm_vcpu *vcpu);

/* regs.c: sregs, as one checked whole. 0 or -EINVAL. */
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
/* KVM_SET_GUEST_DEBUG: 0, -EINVAL, or -EBUSY: an exception to inject, and one pending. */
int mvm_set_guest_debug(struct mvm_vcpu *vcpu, const struct kvm_guest_debug *dbg);
/*
 * Is this exception a breakpoint of the debugger's? MVM_TO_USER with KVM_EXIT_DEBUG, or
 * 0: it is the guest's. @dr6_bits: of a #DB.
 */
int mvm_debug_exception(struct mvm_vcpu *vcpu, u8 vector, u64 dr6_bits);
/* Before each entry of a stepped vCPU: what the next instruction does to RFLAGS. May sleep. */
void mvm_debug_prepare_step(struct mvm_vcpu *vcpu);
/* MVM_REQ_STEPPED: KVM_EXIT_DEBUG, MVM_TO_USER. May sleep. */
int mvm_debug_report_step(struct mvm_vcpu *vcpu);

/* event.c */
struct mvm_inject;
/* Before an entry: what to inject and which windows to ask for. Interrupts off. */
void mvm_events_prepare(struct mvm_vcpu *vcpu, struct mvm_inject *inject);
/* Take this interrupt, which may go in at once: the processor will deliver it. */
void mvm_events_take_irq(struct mvm_vcpu *vcpu, u8 vector, struct mvm_event *ev);
/* After an exit: what went in is delivered; what the exit interrupted is taken back. */
void mvm_events_delivered(struct mvm_vcpu *vcpu);
void mvm_events_exit(struct mvm_vcpu *vcpu);
/* Is there an NMI or an interrupt for the guest, whether or not it may go in now? */
bool mvm_events_wait(struct mvm_vcpu *vcpu);
/* Is there a reason for a halted vCPU to run? */
bool mvm_has_wake_event(struct mvm_vcpu *vcpu);
bool mvm_nmi_allowed(struct mvm_vcpu *vcpu);
void mvm_get_vcpu_events(struct mvm_vcpu *vcpu, struct kvm_vcpu_events *events);
int mvm_set_vcpu_events(struct mvm_vcpu *vcpu, const struct kvm_vcpu_events *events);
int mvm_user_interrupt(struct mvm_vcpu *vcpu, u32 irq);
/* Userspace's 8259 waits for the moment it can inject; that moment is now. */
bool mvm_wants_irq_window(struct mvm_vcpu *vcpu);
bool mvm_irq_window_open(struct mvm_vcpu *vcpu);

#endif
