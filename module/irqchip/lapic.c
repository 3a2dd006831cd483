// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's registers: reset, read, write, IA32_APIC_BASE, saved state.
 *
 * The registers live in one 4 KiB page laid out as the xAPIC's, which is also
 * KVM_GET_LAPIC's format. A table says what each register allows in either
 * mode; mvm_apic_write() does what stays inside this APIC and answers with the
 * effects (MVM_APIC_FX_*) that need others. Pure: see model.h. Priorities are in
 * lapic_irq.c, the timer in lapic_timer.c, locks and hrtimers in lapic_vcpu.c.
 */
#include "model.h"

#define APIC_VERSION 0x14 /* integrated APIC */
#define APIC_MAX_LVT 5 /* index of the last LVT entry: timer, thermal, PMC, LINT0, LINT1, error */

#define APIC_LVT_EXTINT (MVM_APIC_EXTINT << 8)

/* What may be done to a register. */
#define R  BIT(0) /* read */
#define W  BIT(1) /* write */
#define X1 BIT(2) /* there in xAPIC mode */
#define X2 BIT(3) /* there in x2APIC mode */
#define X2RO BIT(4) /* read-only in x2APIC mode */

#define X12 (X1 | X2)

static const struct apic_reg_rule {
	u8 flags;
	u32 writable; /* the other bits read as zero */
} apic_regs[MVM_APIC_NR_REGS] = {
	[MVM_APIC_ID] = { R | W | X12 | X2RO, 0xff000000 },
	[MVM_APIC_VERSION] = { R | X12, 0 },
	[MVM_APIC_TPR] = { R | W | X12, 0xff },
	[MVM_APIC_APR] = { R | X1, 0 },
	[MVM_APIC_PPR] = { R | X12, 0 },
	[MVM_APIC_EOI] = { W | X12, 0 },
	[MVM_APIC_RRD] = { R | X1, 0 },
	[MVM_APIC_LDR] = { R | W | X12 | X2RO, 0xff000000 },
	[MVM_APIC_DFR] = { R | W | X1, 0xf0000000 },
	[MVM_APIC_SVR] = { R | W | X12, 0x3ff },
	[MVM_APIC_ISR ... MVM_APIC_ISR + 7] = { R | X12, 0 },
	[MVM_APIC_TMR ... MVM_APIC_TMR + 7] = { R | X12, 0 },
	[MVM_APIC_IRR ... MVM_APIC_IRR + 7] = { R | X12, 0 },
	[MVM_APIC_ESR] = { R | W | X12, 0 },
	[MVM_APIC_ICR] = { R | W | X12, 0xffffefff },
	[MVM_APIC_ICR2] = { R | W | X1, 0xff000000 },
	[MVM_APIC_LVTT] = { R | W | X12, 0x700ff },
	[MVM_APIC_LVT_THERMAL] = { R | W | X12, 0x107ff },
	[MVM_APIC_LVT_PMC] = { R | W | X12, 0x107ff },
	[MVM_APIC_LVT_LINT0] = { R | W | X12, 0x1a7ff },
	[MVM_APIC_LVT_LINT1] = { R | W | X12, 0x1a7ff },
	[MVM_APIC_LVT_ERROR] = { R | W | X12, 0x100ff },
	[MVM_APIC_TMICT] = { R | W | X12, 0xffffffff },
	[MVM_APIC_TMCCT] = { R | X12, 0 },
	[MVM_APIC_TDCR] = { R | W | X12, 0xb },
	[MVM_APIC_SELF_IPI] = { W | X2, 0xff },
};

static bool apic_is_lvt(unsigned int nr)
{
	return nr >= MVM_APIC_LVTT && nr <= MVM_APIC_LVT_ERROR;
}

/* The logical id of an x2APIC follows from its id: cluster of 16, one bit in it. */
static u32 apic_x2apic_ldr(u32 id)
{
	return (id >> 4) << 16 | BIT(id & 0xf);
}

/* The identity registers, which depend on the mode. Needed after the mode changed. */
static void apic_load_identity(struct mvm_apic *apic)
{
	mvm_apic_set_reg(apic, MVM_APIC_ID, apic->id << 24);
	mvm_apic_set_reg(apic, MVM_APIC_LDR,
			 mvm_apic_is_x2apic(apic) ? apic_x2apic_ldr(apic->id) : 0);
}

static void apic_mask_lvts(struct mvm_apic *apic)
{
	unsigned int nr;

	for (nr = MVM_APIC_LVTT; nr <= MVM_APIC_LVT_ERROR; nr++)
		mvm_apic_set_reg(apic, nr, mvm_apic_reg(apic, nr) | MVM_APIC_LVT_MASKED);
}

/**
 * mvm_apic_reset() - power-up, or INIT with @init_event
 * @apic: the local APIC
 * @init_event: INIT rather than power-up
 * @bsp: the boot processor
 *
 * INIT leaves IA32_APIC_BASE, and with it the mode, alone. LINT0 of the boot
 * processor comes up as a virtual wire for the 8259, as KVM's does: loaders that
 * start an operating system without firmware count on it.
 */
void mvm_apic_reset(struct mvm_apic *apic, bool init_event, bool bsp)
{
	memset(apic->regs, 0, MVM_APIC_PAGE_SIZE);
	mvm_apic_regs_replaced(apic);
	apic->esr_pending = 0;
	if (!init_event)
		apic->base = MVM_APIC_DEFAULT_PHYS | MVM_APIC_BASE_ENABLE |
			     (bsp ? MVM_APIC_BASE_BSP : 0);
	apic_load_identity(apic);
	mvm_apic_set_reg(apic, MVM_APIC_VERSION, APIC_VERSION | APIC_MAX_LVT << 16);
	mvm_apic_set_reg(apic, MVM_APIC_DFR, 0xffffffff);
	mvm_apic_set_reg(apic, MVM_APIC_SVR, 0xff);
	apic_mask_lvts(apic);
	if (bsp)
		mvm_apic_set_reg(apic, MVM_APIC_LVT_LINT0, APIC_LVT_EXTINT);
	mvm_apic_timer_stop(apic);
}

/**
 * mvm_apic_set_base() - write IA32_APIC_BASE
 * @apic: the local APIC
 * @base: the new value
 * @host: from an ioctl, which may go from any mode to any other
 *
 * The caller has checked the address and whether the guest has an x2APIC.
 * Return: 0, or 1 = #GP.
 */
int mvm_apic_set_base(struct mvm_apic *apic, u64 base, bool host)
{
	u64 known = MVM_APIC_BASE_BSP | MVM_APIC_BASE_X2APIC | MVM_APIC_BASE_ENABLE |
		    MVM_APIC_BASE_ADDR;
	bool enable = base & MVM_APIC_BASE_ENABLE, x2apic = base & MVM_APIC_BASE_X2APIC;
	bool was_enabled = mvm_apic_enabled(apic), was_x2apic = mvm_apic_is_x2apic(apic);

	if ((base & ~known) || (x2apic && !enable))
		return 1;
	/* x2APIC is entered from xAPIC mode and left by disabling the APIC. */
	if (!host && ((x2apic && !was_enabled) || (was_x2apic && enable && !x2apic)))
		return 1;
	apic->base = base;
	if (!host && was_enabled && !enable)
		mvm_apic_reset(apic, true, base & MVM_APIC_BASE_BSP);
	else if (x2apic != was_x2apic)
		apic_load_identity(apic);
	return 0;
}

/* The register's rule in the present mode, or NULL when it does not have @flag there. */
static const struct apic_reg_rule *apic_rule(const struct mvm_apic *apic, unsigned int nr, u8 flag)
{
	bool x2apic = mvm_apic_is_x2apic(apic);
	const struct apic_reg_rule *rule;

	if (nr >= MVM_APIC_NR_REGS)
		return NULL;
	rule = &apic_regs[nr];
	if (!(rule->flags & flag) || !(rule->flags & (x2apic ? X2 : X1)))
		return NULL;
	if (flag == W && x2apic && (rule->flags & X2RO))
		return NULL;
	return rule;
}

/**
 * mvm_apic_read() - read a register
 * @apic: the local APIC
 * @nr: register number, enum mvm_apic_reg
 * @now: the time
 * @val: the value
 *
 * Return: 0; or 1 where there is none to read in this mode (#GP in x2APIC mode;
 * in xAPIC mode the error is recorded and @val is 0).
 */
int mvm_apic_read(struct mvm_apic *apic, unsigned int nr, u64 now, u32 *val)
{
	*val = 0;
	if (!apic_rule(apic, nr, R)) {
		if (!mvm_apic_is_x2apic(apic))
			mvm_apic_error(apic, MVM_APIC_ESR_REGISTER);
		return 1;
	}
	if (nr == MVM_APIC_PPR)
		*val = mvm_apic_ppr(apic);
	else if (nr == MVM_APIC_TMCCT)
		*val = mvm_apic_timer_count(apic, now);
	else if (nr == MVM_APIC_ID && mvm_apic_is_x2apic(apic))
		*val = apic->id;
	else
		*val = mvm_apic_reg(apic, nr);
	return 0;
}

/* Writes with an effect of their own beyond the stored value. */
static u32 apic_write_special(struct mvm_apic *apic, unsigned int nr, u32 val, u64 now)
{
	int vector;

	switch (nr) {
	case MVM_APIC_EOI:
		vector = mvm_apic_eoi(apic);
		apic->eoi_vector = vector;
		return MVM_APIC_FX_EVENT | (vector >= 0 ? MVM_APIC_FX_EOI : 0);
	case MVM_APIC_ESR: /* the write shows what was collected since the last one */
		mvm_apic_set_reg(apic, nr, apic->esr_pending);
		apic->esr_pending = 0;
		return 0;
	case MVM_APIC_SVR:
		mvm_apic_set_reg(apic, nr, val);
		if (!(val & MVM_APIC_SVR_ENABLE))
			apic_mask_lvts(apic);
		return MVM_APIC_FX_EVENT;
	case MVM_APIC_LVTT:
		mvm_apic_timer_set_lvt(apic, val);
		return MVM_APIC_FX_TIMER;
	case MVM_APIC_TMICT:
		mvm_apic_timer_start(apic, val, now);
		return MVM_APIC_FX_TIMER;
	case MVM_APIC_TDCR:
		mvm_apic_timer_set_divide(apic, val, now);
		return MVM_APIC_FX_TIMER;
	case MVM_APIC_ICR:
		mvm_apic_set_reg(apic, nr, val & ~MVM_APIC_ICR_BUSY);
		return MVM_APIC_FX_IPI;
	case MVM_APIC_SELF_IPI:
		return MVM_APIC_FX_SELF;
	default:
		mvm_apic_set_reg(apic, nr, val);
		return MVM_APIC_FX_EVENT;
	}
}

/**
 * mvm_apic_write() - write a register
 * @apic: the local APIC
 * @nr: register number, enum mvm_apic_reg
 * @val: the value
 * @now: the time
 *
 * An x2APIC's ICR is mvm_apic_write_icr()'s. Return: MVM_APIC_FX_*.
 */
u32 mvm_apic_write(struct mvm_apic *apic, unsigned int nr, u32 val, u64 now)
{
	const struct apic_reg_rule *rule = apic_rule(apic, nr, W);

	if (!rule) {
		if (!mvm_apic_is_x2apic(apic))
			mvm_apic_error(apic, MVM_APIC_ESR_REGISTER);
		return MVM_APIC_FX_BAD;
	}
	if (mvm_apic_is_x2apic(apic) && val && (nr == MVM_APIC_EOI || nr == MVM_APIC_ESR))
		return MVM_APIC_FX_BAD;
	val &= rule->writable;
	if (nr == MVM_APIC_DFR)
		val |= ~rule->writable;
	if (apic_is_lvt(nr) && !mvm_apic_sw_enabled(apic))
		val |= MVM_APIC_LVT_MASKED;
	return apic_write_special(apic, nr, val, now);
}

/**
 * mvm_apic_error() - record an error and raise the error interrupt where it is unmasked
 * @apic: the local APIC
 * @esr_bit: MVM_APIC_ESR_*
 */
void mvm_apic_error(struct mvm_apic *apic, u32 esr_bit)
{
	u32 lvt = mvm_apic_reg(apic, MVM_APIC_LVT_ERROR);

	if (apic->esr_pending & esr_bit)
		return;
	apic->esr_pending |= esr_bit;
	if (!(lvt & MVM_APIC_LVT_MASKED) && (lvt & 0xff) >= 16)
		mvm_apic_post(apic, lvt & 0xff, false);
}

/**
 * mvm_apic_get_state() - the registers in KVM_GET_LAPIC's format
 * @apic: the local APIC
 * @state: the saved registers
 * @now: the time
 *
 * The id is in the xAPIC's place in either mode, as KVM gives it without
 * KVM_CAP_X2APIC_API.
 */
void mvm_apic_get_state(struct mvm_apic *apic, struct kvm_lapic_state *state, u64 now)
{
	mvm_apic_set_reg(apic, MVM_APIC_PPR, mvm_apic_ppr(apic));
	mvm_apic_set_reg(apic, MVM_APIC_TMCCT, mvm_apic_timer_count(apic, now));
	memcpy(state->regs, apic->regs, sizeof(state->regs));
}

/*
 * Reserved bits of a saved page away: nothing in it may be what no write could have
 * stored. Vectors below 16 stay where they are: they have no priority, so that they are
 * never delivered.
 */
static void apic_clean_state(struct mvm_apic *apic)
{
	unsigned int nr;

	for (nr = 0; nr < MVM_APIC_NR_REGS; nr++) {
		u32 val = mvm_apic_reg(apic, nr);

		if (apic_regs[nr].writable)
			val &= apic_regs[nr].writable;
		else if (nr == MVM_APIC_ESR)
			val &= 0xff;
		else if (nr < MVM_APIC_ISR || nr >= MVM_APIC_ESR)
			val = 0;
		mvm_apic_set_reg(apic, nr, val);
	}
	mvm_apic_set_reg(apic, MVM_APIC_SELF_IPI, 0);
	mvm_apic_set_reg(apic, MVM_APIC_VERSION, APIC_VERSION | APIC_MAX_LVT << 16);
	mvm_apic_set_reg(apic, MVM_APIC_DFR, mvm_apic_reg(apic, MVM_APIC_DFR) | 0x0fffffff);
}

/**
 * mvm_apic_set_state() - KVM_SET_LAPIC
 * @apic: the local APIC
 * @state: the saved registers
 * @now: the time
 *
 * A running count continues from TMCCT; where that is 0 a one-shot has expired and
 * a periodic timer starts a whole period. The TSC deadline is an MSR and comes by
 * itself. Return: 0; -EINVAL for an x2APIC
 * with another id than its own.
 */
int mvm_apic_set_state(struct mvm_apic *apic, const struct kvm_lapic_state *state, u64 now)
{
	u32 id, high, count, initial;

	memcpy(&id, state->regs + MVM_APIC_ID * 16, sizeof(id));
	memcpy(&high, state->regs + MVM_APIC_ICR2 * 16, sizeof(high));
	memcpy(&count, state->regs + MVM_APIC_TMCCT * 16, sizeof(count));
	if (mvm_apic_is_x2apic(apic) && id != apic->id << 24)
		return -EINVAL;

	memset(apic->regs, 0, MVM_APIC_PAGE_SIZE);
	memcpy(apic->regs, state->regs, sizeof(state->regs));
	apic_clean_state(apic);
	mvm_apic_regs_replaced(apic);
	apic->esr_pending = 0;
	if (mvm_apic_is_x2apic(apic)) {
		apic_load_identity(apic);
		mvm_apic_set_reg(apic, MVM_APIC_ICR2, high);
	}

	initial = mvm_apic_reg(apic, MVM_APIC_TMICT);
	apic->expiry = MVM_NEVER;
	apic->period = 0;
	mvm_apic_timer_start(apic, initial, now);
	if (!count && mvm_apic_timer_mode(apic) == MVM_APIC_ONESHOT)
		apic->expiry = MVM_NEVER;
	else if (count && count < initial && apic->expiry != MVM_NEVER)
		apic->expiry -= apic->period / initial * (initial - count);
	return 0;
}
