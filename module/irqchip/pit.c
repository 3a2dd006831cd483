// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8254 in the kernel: its timer, ports and state. The chip is the model in
 * i8254.c.
 *
 * The hrtimer stands at the next rise of channel 0's output and pulses GSI 0.
 * Ticks that could not be raised in time, or that find the last one still
 * unhandled, are coalesced into it rather than replayed: a stock Linux keeps time by
 * the TSC or kvmclock, not by counting ticks.
 */
#include <linux/slab.h>

#include "chips.h"

/* IRQ 0 comes no faster than this, whatever count the guest loads (KVM's limit too). */
#define PIT_MIN_INTERVAL_NS 200000

/* Set the timer for the next rise of channel 0's output. vm->irq_lock held. */
static void pit_arm(struct mvm_pit *pit, u64 now)
{
	lockdep_assert_held(&pit->vm->irq_lock);
	pit->due = mvm_i8254_next_irq(&pit->model, now);
	if (pit->due >= KTIME_MAX) {
		pit->due = MVM_NEVER;
		hrtimer_try_to_cancel(&pit->timer); /* a running callback looks at due */
		return;
	}
	pit->due = max(pit->due, pit->last_irq + PIT_MIN_INTERVAL_NS);
	hrtimer_start(&pit->timer, ns_to_ktime(pit->due), HRTIMER_MODE_ABS_HARD);
}

static enum hrtimer_restart pit_timer_expired(struct hrtimer *timer)
{
	struct mvm_pit *pit = container_of(timer, struct mvm_pit, timer);
	struct mvm_vm *vm = pit->vm;
	unsigned long flags;
	u64 now;

	raw_spin_lock_irqsave(&vm->irq_lock, flags);
	now = ktime_get_ns();
	if (now >= pit->due) { /* else the guest reloaded the counter meanwhile */
		pit->last_irq = now;
		__mvm_gsi_set(vm->irqchip, 0, MVM_GSI_PIT, true);
		__mvm_gsi_set(vm->irqchip, 0, MVM_GSI_PIT, false);
		pit_arm(pit, now);
	}
	raw_spin_unlock_irqrestore(&vm->irq_lock, flags);
	return HRTIMER_NORESTART; /* pit_arm() has started it again where it must */
}

/**
 * mvm_pit_create() - KVM_CREATE_PIT2
 * @vm: the VM
 * @config: flags
 *
 * vm->lock held. Return: 0, -ENOENT without irqchip, -EEXIST, -EINVAL for unknown
 * flags, -ENOMEM.
 */
int mvm_pit_create(struct mvm_vm *vm, const struct kvm_pit_config *config)
{
	struct mvm_pit *pit;

	if (config->flags & ~KVM_PIT_SPEAKER_DUMMY)
		return mvm_fail(&vm->reason, -EINVAL, "KVM_CREATE_PIT2: unknown flags %#x",
				config->flags);
	if (!vm->irqchip)
		return mvm_fail(&vm->reason, -ENOENT,
				"KVM_CREATE_PIT2 needs the in-kernel irqchip: call KVM_CREATE_IRQCHIP first");
	if (vm->pit)
		return mvm_fail(&vm->reason, -EEXIST, "the VM has a PIT already");
	pit = kzalloc(sizeof(*pit), GFP_KERNEL_ACCOUNT);
	if (!pit)
		return -ENOMEM;
	pit->vm = vm;
	pit->speaker = config->flags & KVM_PIT_SPEAKER_DUMMY;
	pit->due = MVM_NEVER;
	mvm_i8254_reset(&pit->model);
	hrtimer_setup(&pit->timer, pit_timer_expired, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
	smp_store_release(&vm->pit, pit); /* pairs with irqchip_pio_byte() */
	return 0;
}

/* At the VM's end, before its vCPUs go: the timer kicks them. */
void mvm_pit_destroy(struct mvm_vm *vm)
{
	struct mvm_pit *pit = vm->pit;

	if (!pit)
		return;
	hrtimer_cancel(&pit->timer);
	vm->pit = NULL;
	kfree(pit);
}

/**
 * __mvm_pit_pio() - one byte at one of the PIT's ports
 * @pit: the 8254
 * @port: I/O port
 * @val: what is read or written
 * @write: a write rather than a read
 *
 * vm->irq_lock held. Return: false when @port is not the PIT's.
 */
bool __mvm_pit_pio(struct mvm_pit *pit, u16 port, u8 *val, bool write)
{
	u64 now = ktime_get_ns();

	lockdep_assert_held(&pit->vm->irq_lock);
	if (pit->speaker && port == MVM_SPEAKER_PORT) {
		if (write)
			mvm_i8254_speaker_write(&pit->model, *val, now);
		else
			*val = mvm_i8254_speaker_read(&pit->model, now);
		return true;
	}
	if ((port & ~3) != MVM_PIT_PORT)
		return false;
	if (!write) {
		*val = mvm_i8254_read(&pit->model, port, now);
		return true;
	}
	mvm_i8254_write(&pit->model, port, *val, now);
	pit_arm(pit, now);
	return true;
}

/* KVM_GET_PIT2 and KVM_SET_PIT2: the caller has checked that there is a PIT. */
int mvm_pit_get_state(struct mvm_vm *vm, struct kvm_pit_state2 *ps)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&vm->irq_lock, flags);
	*ps = vm->pit->model.s;
	raw_spin_unlock_irqrestore(&vm->irq_lock, flags);
	return 0;
}

int mvm_pit_set_state(struct mvm_vm *vm, const struct kvm_pit_state2 *ps)
{
	u64 now = ktime_get_ns();
	unsigned long flags;
	int ret;

	raw_spin_lock_irqsave(&vm->irq_lock, flags);
	ret = mvm_i8254_set_state(&vm->pit->model, ps, now);
	if (!ret)
		pit_arm(vm->pit, now);
	raw_spin_unlock_irqrestore(&vm->irq_lock, flags);
	return ret;
}
