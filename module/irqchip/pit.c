// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8254 in the kernel: its timer, ports and state. The chip is the model in
 * i8254.c.
 *
 * The hrtimer stands at the next rise of channel 0's output and pulses GSI 0. A
 * tick that finds the last one not ended yet is owed, and comes at the end of that
 * one: old systems count ticks. KVM_REINJECT_CONTROL turns that off. Nothing is owed
 * where nobody listens, and what is owed is forgotten when the guest unmasks the
 * interrupt.
 */
#include <linux/slab.h>

#include "chips.h"

/* Who counts ticks wants to be right about an interval like this one; no more is owed. */
#define PIT_MAX_OWED 10000

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

/* One edge on IRQ 0. Return: somebody took it. vm->irq_lock held, as by all that follows. */
static bool pit_pulse(struct mvm_pit *pit)
{
	int ret = __mvm_gsi_set(pit->vm->irqchip, 0, MVM_SOURCE_PIT, true);

	__mvm_gsi_set(pit->vm->irqchip, 0, MVM_SOURCE_PIT, false);
	return ret > 0;
}

/* Give a tick that is owed, if the last one has ended. */
static void pit_give(struct mvm_pit *pit)
{
	if (pit->unended || !pit->owed)
		return;
	pit->owed--;
	WRITE_ONCE(pit->unended, pit_pulse(pit));
	if (!pit->unended)
		pit->owed = 0;
}

/* How many rises of a periodic channel 0 there were, when the timer is @late for the first. */
static u64 pit_rises(const struct mvm_pit *pit, u64 late)
{
	const struct kvm_pit_channel_state *ch = &pit->model.s.channels[0];
	u64 period;

	if (ch->mode != 2 && ch->mode != 3)
		return 1;
	period = div_u64((u64)ch->count * MVM_NSEC_PER_SEC, MVM_PIT_HZ);
	return 1 + div64_u64(late, max_t(u64, period, PIT_MIN_INTERVAL_NS));
}

static void pit_tick(struct mvm_pit *pit, u64 late)
{
	if (!pit->reinject) {
		pit_pulse(pit);
		return;
	}
	pit->owed = min_t(u64, pit->owed + pit_rises(pit, late), PIT_MAX_OWED);
	pit_give(pit);
}

/**
 * __mvm_pit_ended() - the guest ended an interrupt on GSI 0
 * @pit: the 8254
 */
void __mvm_pit_ended(struct mvm_pit *pit)
{
	WRITE_ONCE(pit->unended, false);
	pit_give(pit);
}

/**
 * __mvm_pit_forget() - the guest starts anew: nothing is owed
 * @pit: the 8254
 */
void __mvm_pit_forget(struct mvm_pit *pit)
{
	WRITE_ONCE(pit->unended, false);
	pit->owed = 0;
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
		pit_tick(pit, now - pit->due);
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
	if (!mvm_pic_in_kernel(vm))
		return mvm_fail(&vm->reason, -ENOENT,
				"KVM_CREATE_PIT2 needs the in-kernel 8259: call KVM_CREATE_IRQCHIP first");
	if (vm->pit)
		return mvm_fail(&vm->reason, -EEXIST, "the VM has a PIT already");
	pit = kzalloc(sizeof(*pit), GFP_KERNEL_ACCOUNT);
	if (!pit)
		return -ENOMEM;
	pit->vm = vm;
	pit->speaker = config->flags & KVM_PIT_SPEAKER_DUMMY;
	pit->due = MVM_NEVER;
	pit->reinject = true;
	mvm_i8254_reset(&pit->model);
	hrtimer_setup(&pit->timer, pit_timer_expired, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
	smp_store_release(&vm->pit, pit); /* pairs with irqchip_pio_byte() */
	return 0;
}

/**
 * mvm_pit_destroy() - stop the timer and free the PIT, where there is one
 * @vm: the VM
 *
 * Context: the VM's end, before its vCPUs go: the timer kicks them.
 */
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
 * mvm_pit_owns() - is @port one of the PIT's?
 * @pit: the 8254
 * @port: I/O port
 */
bool mvm_pit_owns(const struct mvm_pit *pit, u16 port)
{
	return (port & ~3) == MVM_PIT_PORT || (pit->speaker && port == MVM_SPEAKER_PORT);
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
	if (!mvm_pit_owns(pit, port))
		return false;
	if (port == MVM_SPEAKER_PORT) {
		if (write)
			mvm_i8254_speaker_write(&pit->model, *val, now);
		else
			*val = mvm_i8254_speaker_read(&pit->model, now);
		return true;
	}
	if (!write) {
		*val = mvm_i8254_read(&pit->model, port, now);
		return true;
	}
	mvm_i8254_write(&pit->model, port, *val, now);
	pit_arm(pit, now);
	return true;
}

/**
 * mvm_pit_get_state() - KVM_GET_PIT and KVM_GET_PIT2
 * @vm: the VM; it has a PIT
 * @ps: the saved registers
 *
 * Context: any; takes vm->irq_lock.
 * Return: 0.
 */
int mvm_pit_get_state(struct mvm_vm *vm, struct kvm_pit_state2 *ps)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&vm->irq_lock, flags);
	*ps = vm->pit->model.s;
	raw_spin_unlock_irqrestore(&vm->irq_lock, flags);
	return 0;
}

/**
 * mvm_pit_set_state() - KVM_SET_PIT and KVM_SET_PIT2
 * @vm: the VM; it has a PIT
 * @ps: the saved registers
 *
 * Ticks that are owed are forgotten, the timer is armed anew. Context: any; takes
 * vm->irq_lock.
 * Return: 0; -EINVAL for unknown flags.
 */
int mvm_pit_set_state(struct mvm_vm *vm, const struct kvm_pit_state2 *ps)
{
	u64 now = ktime_get_ns();
	unsigned long flags;
	int ret;

	raw_spin_lock_irqsave(&vm->irq_lock, flags);
	ret = mvm_i8254_set_state(&vm->pit->model, ps, now);
	if (!ret) {
		__mvm_pit_forget(vm->pit);
		pit_arm(vm->pit, now);
	}
	raw_spin_unlock_irqrestore(&vm->irq_lock, flags);
	return ret;
}

/**
 * mvm_pit_set_reinject() - KVM_REINJECT_CONTROL
 * @vm: the VM; it has a PIT
 * @reinject: ticks that could not be given are owed; those so far are forgotten
 *
 * Context: any; takes vm->irq_lock.
 */
void mvm_pit_set_reinject(struct mvm_vm *vm, bool reinject)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&vm->irq_lock, flags);
	vm->pit->reinject = reinject;
	__mvm_pit_forget(vm->pit);
	raw_spin_unlock_irqrestore(&vm->irq_lock, flags);
}
