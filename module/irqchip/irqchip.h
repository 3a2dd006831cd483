/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The in-kernel interrupt controllers: LAPIC, IOAPIC, 8259 pair, 8254.
 *
 * Device state is under vm->irq_lock (raw, interrupts off); timers' callbacks and
 * set_line may come from any context. What a vCPU must notice is a request bit
 * (MVM_REQ_EVENT, _INIT, _SIPI) plus a kick. The models hold no locks and read no
 * clock themselves where that is possible, so that they build in userspace for tests.
 */
#ifndef MVM_IRQCHIP_H
#define MVM_IRQCHIP_H

#include "../mvm.h"

/* line.c */
int mvm_irqchip_module_init(void);
void mvm_irqchip_module_exit(void);
/* KVM_CREATE_IRQCHIP: -EEXIST when there, -EINVAL once a vCPU exists. Publishes last. */
int mvm_irqchip_create(struct mvm_vm *vm);
/* KVM_CAP_SPLIT_IRQCHIP: local APICs alone; @pins GSIs stand for userspace's I/O APIC. */
int mvm_irqchip_create_split(struct mvm_vm *vm, u64 pins);
void mvm_irqchip_destroy(struct mvm_vm *vm);
/* KVM_CREATE_PIT2: -ENOENT without irqchip, -EEXIST. */
int mvm_pit_create(struct mvm_vm *vm, const struct kvm_pit_config *config);
void mvm_pit_destroy(struct mvm_vm *vm);

/* Local APICs, routing and messages are in the kernel, perhaps nothing else. */
static inline bool mvm_irqchip_in_kernel(struct mvm_vm *vm)
{
	return smp_load_acquire(&vm->irqchip); /* pairs with mvm_irqchip_create() */
}

/* The 8259 pair and the I/O APIC, too. */
static inline bool mvm_pic_in_kernel(struct mvm_vm *vm)
{
	return mvm_irqchip_in_kernel(vm) && !vm->irqchip_split;
}

/* lapic_vcpu.c */
int mvm_lapic_create(struct mvm_vcpu *vcpu);
void mvm_lapic_destroy(struct mvm_vcpu *vcpu);
void mvm_lapic_reset(struct mvm_vcpu *vcpu, bool init_event);

/* Who drives an input of the chips; its line is the OR of them. */
#define MVM_SOURCE_USER BIT(0)
#define MVM_SOURCE_PIT	BIT(1)
#define MVM_SOURCE_RESAMPLE BIT(2) /* an irqfd, until the guest's end of interrupt */

/*
 * Drive a GSI to where the routing table leads. Any context. > 0: how many took an
 * interrupt; 0: lost, as one was waiting already or nobody is there; -1: masked, no route.
 */
int mvm_irq_set_gsi(struct mvm_vm *vm, u32 gsi, u8 source, bool level);
/* KVM_SET_GSI_ROUTING's table, whole. May sleep. 0, -EINVAL, -ENOMEM. */
int mvm_routing_set(struct mvm_vm *vm, const struct kvm_irq_routing_entry *entries, u32 n);
/* KVM_SIGNAL_MSI: how many took it, or -EINVAL. */
int mvm_irq_send_msi(struct mvm_vm *vm, const struct kvm_msi *msi);

/* irqfd.c */
void mvm_irqfd_vm_init(struct mvm_vm *vm);
void mvm_irqfd_release(struct mvm_vm *vm);
int mvm_irqfd_set(struct mvm_vm *vm, const struct kvm_irqfd *args);

/*
 * What the vCPU could take now, by TPR and PPR, LVT0 and the 8259: -1 or a vector. Does not
 * look at RFLAGS.IF. Context: the vCPU's thread, interrupts on or off.
 */
int mvm_irq_pending(struct mvm_vcpu *vcpu);
bool mvm_irq_requested(struct mvm_vcpu *vcpu);
/* Accept it: IRR to ISR, or the 8259's acknowledge cycle. -1 when it went away. */
int mvm_irq_ack(struct mvm_vcpu *vcpu);
int mvm_lapic_ack(struct mvm_vcpu *vcpu);
bool mvm_lapic_takes_extint(struct mvm_vcpu *vcpu);
/* MVM_REQ_IRQ_ACKED: what the 8259 ended by itself, told to the irqfds. */
void mvm_pic_tell_acked(struct mvm_vm *vm);

/*
 * Offer an access to the in-kernel devices. True: done (reads filled @data).
 * Context: the vCPU's thread; PIO also from the inner loop (does not sleep).
 */
bool mvm_irqchip_mmio(struct mvm_vcpu *vcpu, gpa_t gpa, int len, void *data, bool write);
bool mvm_irqchip_owns_port(struct mvm_vm *vm, u16 port);
bool mvm_irqchip_pio(struct mvm_vcpu *vcpu, u16 port, int size, void *data, bool write);

/* x2APIC registers (0, or 1 = #GP), TSC_DEADLINE, APIC_BASE (0, or 1 = #GP). */
int mvm_lapic_msr_read(struct mvm_vcpu *vcpu, u32 index, u64 *data);
int mvm_lapic_msr_write(struct mvm_vcpu *vcpu, u32 index, u64 data);
u64 mvm_lapic_get_deadline(struct mvm_vcpu *vcpu);
void mvm_lapic_set_deadline(struct mvm_vcpu *vcpu, u64 deadline);
void mvm_lapic_deadline_passed(struct mvm_vcpu *vcpu);
void mvm_lapic_wait_begin(struct mvm_vcpu *vcpu);
void mvm_lapic_wait_end(struct mvm_vcpu *vcpu);
u64 mvm_lapic_base(struct mvm_vcpu *vcpu);
int mvm_lapic_set_base(struct mvm_vcpu *vcpu, u64 base, bool host);

u64 mvm_lapic_get_cr8(struct mvm_vcpu *vcpu);
void mvm_lapic_set_cr8(struct mvm_vcpu *vcpu, u64 cr8);

/* For the paravirtual services (pv.c). Context: the vCPU's thread, also with interrupts off. */
/* Is something in service whose EOI concerns nobody else, and nothing waits for it? */
bool mvm_lapic_eoi_is_silent(struct mvm_vcpu *vcpu);
void mvm_lapic_eoi(struct mvm_vcpu *vcpu);
/* Send what @icr says to the APIC with id @dest. How many took it. */
int mvm_lapic_send_to(struct mvm_vcpu *vcpu, u32 dest, u32 icr);

/* State ioctls */
int mvm_lapic_get_state(struct mvm_vcpu *vcpu, struct kvm_lapic_state *s);
int mvm_lapic_set_state(struct mvm_vcpu *vcpu, const struct kvm_lapic_state *s);
int mvm_irqchip_get_state(struct mvm_vm *vm, struct kvm_irqchip *chip);
int mvm_irqchip_set_state(struct mvm_vm *vm, const struct kvm_irqchip *chip);
int mvm_pit_get_state(struct mvm_vm *vm, struct kvm_pit_state2 *ps);
int mvm_pit_set_state(struct mvm_vm *vm, const struct kvm_pit_state2 *ps);
void mvm_pit_set_reinject(struct mvm_vm *vm, bool reinject);

/* The guest TSC moved (write to the TSC MSR): re-arm a deadline timer. */
void mvm_lapic_rearm(struct mvm_vcpu *vcpu);

#endif
