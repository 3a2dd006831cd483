// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's timer: one-shot, periodic and TSC-deadline.
 *
 * The bus clock is 1 GHz, as KVM's: a count of n at divide-by-d lasts n * d
 * nanoseconds, so nothing but the TSC deadline needs a conversion. Pure: the
 * caller asks mvm_apic_timer_next() for the moment to come back and then calls
 * mvm_apic_timer_fire().
 */
#include "model.h"

/*
 * A guest may ask for a period of one nanosecond; the host would spend all its
 * time in the timer interrupt. Shorter periods run at this one (KVM's default too).
 */
#define APIC_MIN_PERIOD_NS 200000

/* Longest wait handed out: a deadline beyond it is looked at again then. */
#define APIC_MAX_WAIT_MS (1000ULL * 3600 * 24 * 365)

/* Divide configuration: bits 0, 1 and 3; 7 is divide by one, else 2 << value. */
static u32 apic_divide(const struct mvm_apic *apic)
{
	u32 tdcr = mvm_apic_reg(apic, MVM_APIC_TDCR);
	u32 val = (tdcr & 3) | ((tdcr & 8) >> 1);

	return 1U << ((val + 1) & 7);
}

/**
 * mvm_apic_timer_stop() - disarm, whatever the mode
 * @apic: the local APIC
 */
void mvm_apic_timer_stop(struct mvm_apic *apic)
{
	apic->tsc_deadline = 0;
	apic->expiry = MVM_NEVER;
	apic->period = 0;
}

/**
 * mvm_apic_timer_start() - count down from @count, which is what TMICT was given
 * @apic: the local APIC
 * @count: initial count
 * @now: the time
 */
void mvm_apic_timer_start(struct mvm_apic *apic, u32 count, u64 now)
{
	if (mvm_apic_timer_mode(apic) == MVM_APIC_TSC_DEADLINE)
		return;
	mvm_apic_timer_stop(apic);
	mvm_apic_set_reg(apic, MVM_APIC_TMICT, count);
	if (!count)
		return;
	apic->period = (u64)count * apic_divide(apic);
	apic->expiry = now + apic->period;
}

/**
 * mvm_apic_timer_set_lvt() - write LVTT
 * @apic: the local APIC
 * @lvt: the new LVT entry
 *
 * Entering or leaving TSC-deadline mode disarms the timer; between one-shot and
 * periodic the count goes on.
 */
void mvm_apic_timer_set_lvt(struct mvm_apic *apic, u32 lvt)
{
	bool was_deadline = mvm_apic_timer_mode(apic) == MVM_APIC_TSC_DEADLINE;

	mvm_apic_set_reg(apic, MVM_APIC_LVTT, lvt);
	if (was_deadline != (mvm_apic_timer_mode(apic) == MVM_APIC_TSC_DEADLINE)) {
		mvm_apic_timer_stop(apic);
		mvm_apic_set_reg(apic, MVM_APIC_TMICT, 0);
	}
}

/**
 * mvm_apic_timer_set_divide() - write TDCR: what is left to count stays, its pace changes
 * @apic: the local APIC
 * @tdcr: the new divide configuration
 * @now: the time
 */
void mvm_apic_timer_set_divide(struct mvm_apic *apic, u32 tdcr, u64 now)
{
	u32 left = mvm_apic_timer_count(apic, now);

	mvm_apic_set_reg(apic, MVM_APIC_TDCR, tdcr);
	if (apic->expiry == MVM_NEVER)
		return;
	apic->expiry = now + (u64)left * apic_divide(apic);
	apic->period = (u64)mvm_apic_reg(apic, MVM_APIC_TMICT) * apic_divide(apic);
}

/**
 * mvm_apic_timer_count() - TMCCT: what is left to count
 * @apic: the local APIC
 * @now: the time
 */
u32 mvm_apic_timer_count(const struct mvm_apic *apic, u64 now)
{
	u64 left, initial = mvm_apic_reg(apic, MVM_APIC_TMICT);

	if (apic->expiry == MVM_NEVER)
		return 0;
	if (apic->expiry > now)
		left = apic->expiry - now;
	else if (mvm_apic_timer_mode(apic) == MVM_APIC_PERIODIC && apic->period)
		left = apic->period - (now - apic->expiry) % apic->period;
	else
		left = 0;
	left /= apic_divide(apic);
	return left < initial ? left : initial;
}

/* Guest TSC ticks to nanoseconds, rounded up so that a timer is never early. */
static u64 apic_tsc_to_ns(u64 ticks, u32 tsc_khz)
{
	u64 ms = ticks / tsc_khz;
	u64 rest = ticks % tsc_khz;

	if (ms > APIC_MAX_WAIT_MS)
		return APIC_MAX_WAIT_MS * 1000000;
	return ms * 1000000 + (rest * 1000000 + tsc_khz - 1) / tsc_khz;
}

/**
 * mvm_apic_timer_deadline() - the TSC deadline that is armed
 * @apic: the local APIC
 *
 * Return: MVM_NEVER where there is none, or the timer is in another mode.
 */
u64 mvm_apic_timer_deadline(const struct mvm_apic *apic)
{
	if (mvm_apic_timer_mode(apic) != MVM_APIC_TSC_DEADLINE || !apic->tsc_deadline)
		return MVM_NEVER;
	return apic->tsc_deadline;
}

/**
 * mvm_apic_timer_next() - when mvm_apic_timer_fire() has something to do
 * @apic: the local APIC
 * @now: the time
 * @tsc: the guest's TSC at @now
 * @tsc_khz: its frequency
 *
 * Return: a moment on @now's clock, perhaps past; MVM_NEVER when not armed.
 */
u64 mvm_apic_timer_next(const struct mvm_apic *apic, u64 now, u64 tsc, u32 tsc_khz)
{
	if (mvm_apic_timer_mode(apic) != MVM_APIC_TSC_DEADLINE)
		return apic->expiry;
	if (!apic->tsc_deadline)
		return MVM_NEVER;
	if (apic->tsc_deadline <= tsc)
		return now;
	return now + apic_tsc_to_ns(apic->tsc_deadline - tsc, tsc_khz);
}

/* The count reached zero: the next period, or none. Missed periods are not made up for. */
static void apic_timer_reload(struct mvm_apic *apic, u64 now)
{
	if (mvm_apic_timer_mode(apic) != MVM_APIC_PERIODIC || !apic->period) {
		apic->expiry = MVM_NEVER;
		return;
	}
	apic->expiry += ((now - apic->expiry) / apic->period + 1) * apic->period;
	if (apic->period < APIC_MIN_PERIOD_NS)
		apic->expiry = now + APIC_MIN_PERIOD_NS;
}

/**
 * mvm_apic_timer_fire() - request the timer's interrupt if its time has come
 * @apic: the local APIC
 * @now: the time
 * @tsc: the guest's TSC at @now
 *
 * Return: true when it had come (also when the LVT entry is masked).
 */
bool mvm_apic_timer_fire(struct mvm_apic *apic, u64 now, u64 tsc)
{
	u32 lvt = mvm_apic_reg(apic, MVM_APIC_LVTT);

	if (mvm_apic_timer_mode(apic) == MVM_APIC_TSC_DEADLINE) {
		if (!apic->tsc_deadline || tsc < apic->tsc_deadline)
			return false;
		apic->tsc_deadline = 0;
	} else {
		if (now < apic->expiry)
			return false;
		apic_timer_reload(apic, now);
	}
	if (!(lvt & MVM_APIC_LVT_MASKED))
		mvm_apic_post(apic, lvt & 0xff, false);
	return true;
}
