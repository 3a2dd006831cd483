// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's interrupt half: which vector may be delivered now, how one is
 * requested, accepted and ended, and whether a message is meant for this APIC.
 *
 * IRR, ISR and TMR are 256 bits each, in eight 32-bit registers; which of the first two
 * are not zero is kept beside them, because every entry asks for the highest bit.
 * Pure: see model.h. Registers are in lapic.c.
 */
#include "model.h"

#define APIC_WORDS 8

/* The highest vector in the array that starts at register @nr and has @words, or -1. */
static int apic_highest(const struct mvm_apic *apic, unsigned int nr, u8 words)
{
	int word;

	if (!words)
		return -1;
	word = 31 - __builtin_clz(words);
	return word * 32 + 31 - __builtin_clz(mvm_apic_reg(apic, nr + word));
}

static int apic_highest_irr(const struct mvm_apic *apic)
{
	return apic_highest(apic, MVM_APIC_IRR, apic->irr_words);
}

static int apic_highest_isr(const struct mvm_apic *apic)
{
	return apic_highest(apic, MVM_APIC_ISR, apic->isr_words);
}

static bool apic_test(const struct mvm_apic *apic, unsigned int nr, u8 vector)
{
	return mvm_apic_reg(apic, nr + vector / 32) & BIT(vector % 32);
}

static void apic_assign(struct mvm_apic *apic, unsigned int nr, u8 vector, bool set)
{
	u32 bits = mvm_apic_reg(apic, nr + vector / 32);
	u32 bit = BIT(vector % 32);

	mvm_apic_set_reg(apic, nr + vector / 32, set ? bits | bit : bits & ~bit);
}

/* Set or clear a bit in an array of which @words tells what is not zero. */
static __always_inline void apic_mark(struct mvm_apic *apic, unsigned int nr, u8 vector, u8 *words)
{
	apic_assign(apic, nr, vector, true);
	*words |= BIT(vector / 32);
}

static __always_inline void apic_unmark(struct mvm_apic *apic, unsigned int nr, u8 vector,
					u8 *words)
{
	apic_assign(apic, nr, vector, false);
	if (!mvm_apic_reg(apic, nr + vector / 32))
		*words &= ~BIT(vector / 32);
}

static u8 apic_words(const struct mvm_apic *apic, unsigned int nr)
{
	unsigned int word;
	u8 words = 0;

	for (word = 0; word < APIC_WORDS; word++)
		if (mvm_apic_reg(apic, nr + word))
			words |= BIT(word);
	return words;
}

/**
 * mvm_apic_regs_replaced() - the register page was written as a whole
 * @apic: the local APIC
 */
void mvm_apic_regs_replaced(struct mvm_apic *apic)
{
	apic->irr_words = apic_words(apic, MVM_APIC_IRR);
	apic->isr_words = apic_words(apic, MVM_APIC_ISR);
}

/**
 * mvm_apic_ppr() - the processor priority: the higher of TPR and what is in service
 * @apic: the local APIC
 */
u8 mvm_apic_ppr(const struct mvm_apic *apic)
{
	u8 tpr = mvm_apic_reg(apic, MVM_APIC_TPR);
	int isr = apic_highest_isr(apic);
	u8 isr_class = isr < 0 ? 0 : isr & 0xf0;

	return (tpr & 0xf0) >= isr_class ? tpr : isr_class;
}

/**
 * mvm_apic_pending() - the vector to deliver now, or -1
 * @apic: the local APIC
 *
 * A software-disabled APIC takes no new interrupt but still delivers what it had
 * accepted.
 */
int mvm_apic_pending(const struct mvm_apic *apic)
{
	int irr;

	if (!mvm_apic_enabled(apic))
		return -1;
	irr = apic_highest_irr(apic);
	return irr >= 0 && (irr & 0xf0) > (mvm_apic_ppr(apic) & 0xf0) ? irr : -1;
}

/**
 * mvm_apic_accept() - the processor takes @vector, which mvm_apic_pending() named
 * @apic: the local APIC
 * @vector: interrupt vector
 */
void mvm_apic_accept(struct mvm_apic *apic, u8 vector)
{
	apic_unmark(apic, MVM_APIC_IRR, vector, &apic->irr_words);
	apic_mark(apic, MVM_APIC_ISR, vector, &apic->isr_words);
}

/**
 * mvm_apic_post() - request @vector
 * @apic: the local APIC
 * @vector: interrupt vector
 * @level: level-triggered
 *
 * Return: 1 requested; 0 it was already; -1 refused (software-disabled, or a
 * vector below 16, which is recorded as an error).
 */
int mvm_apic_post(struct mvm_apic *apic, u8 vector, bool level)
{
	if (!mvm_apic_enabled(apic) || !mvm_apic_sw_enabled(apic))
		return -1;
	if (vector < 16) {
		mvm_apic_error(apic, MVM_APIC_ESR_RECV_VECTOR);
		return -1;
	}
	if (apic_test(apic, MVM_APIC_IRR, vector))
		return 0;
	apic_assign(apic, MVM_APIC_TMR, vector, level);
	apic_mark(apic, MVM_APIC_IRR, vector, &apic->irr_words);
	return 1;
}

/**
 * mvm_apic_eoi() - end the interrupt of highest priority in service
 * @apic: the local APIC
 *
 * Return: its vector, or -1 where none is in service. apic->eoi_level tells whether it was
 * level-triggered.
 */
int mvm_apic_eoi(struct mvm_apic *apic)
{
	int vector = apic_highest_isr(apic);

	if (vector < 0)
		return -1;
	apic_unmark(apic, MVM_APIC_ISR, vector, &apic->isr_words);
	apic->eoi_level = apic_test(apic, MVM_APIC_TMR, vector);
	return vector;
}

/**
 * mvm_apic_eoi_is_silent() - would an EOI now do no more than clear a bit?
 * @apic: the local APIC
 *
 * So it is where an edge-triggered interrupt is in service and none is requested.
 */
bool mvm_apic_eoi_is_silent(const struct mvm_apic *apic)
{
	int vector = apic_highest_isr(apic);

	return vector >= 0 && !apic_test(apic, MVM_APIC_TMR, vector) &&
	       apic_highest_irr(apic) < 0;
}

/**
 * mvm_apic_takes_extint() - does LINT0 pass the 8259's interrupts to the processor?
 * @apic: the local APIC
 *
 * So it does as a virtual wire, and on the boot processor when the APIC is
 * globally disabled and its LINT0 pin is the processor's INTR.
 */
bool mvm_apic_takes_extint(const struct mvm_apic *apic)
{
	u32 lvt = mvm_apic_reg(apic, MVM_APIC_LVT_LINT0);

	if (!mvm_apic_enabled(apic))
		return apic->base & MVM_APIC_BASE_BSP;
	return !(lvt & MVM_APIC_LVT_MASKED) && ((lvt >> 8) & 7) == MVM_APIC_EXTINT;
}

/* Logical destination in xAPIC mode, by the model that the DFR selects. */
static bool apic_match_logical(const struct mvm_apic *apic, u8 dest)
{
	u8 ldr = mvm_apic_reg(apic, MVM_APIC_LDR) >> 24;

	switch (mvm_apic_reg(apic, MVM_APIC_DFR) >> 28) {
	case 0xf: /* flat */
		return ldr & dest;
	case 0x0: /* cluster */
		return (ldr >> 4) == (dest >> 4) && (ldr & dest & 0xf);
	default:
		return false;
	}
}

/**
 * mvm_apic_match() - is this APIC among @msg's destinations?
 * @apic: the local APIC
 * @msg: the message
 *
 * Of a shorthand only what needs no sender is answered here (DEST, ALL). An 8-bit
 * destination of all ones is a broadcast in either mode, as it is for KVM: an
 * I/O APIC without interrupt remapping could not reach every x2APIC otherwise.
 */
bool mvm_apic_match(const struct mvm_apic *apic, const struct mvm_apic_msg *msg)
{
	u32 broadcast = msg->wide ? 0xffffffff : 0xff;
	u32 ldr = mvm_apic_reg(apic, MVM_APIC_LDR);

	if (!mvm_apic_enabled(apic))
		return false;
	if (msg->shorthand == MVM_APIC_ALL || msg->dest == broadcast)
		return true;
	if (mvm_apic_is_x2apic(apic)) {
		if (!msg->logical)
			return msg->dest == apic->id;
		return (msg->dest >> 16) == (ldr >> 16) && (msg->dest & ldr & 0xffff);
	}
	if (msg->dest > 0xff)
		return false;
	if (!msg->logical)
		return msg->dest == mvm_apic_reg(apic, MVM_APIC_ID) >> 24;
	return apic_match_logical(apic, msg->dest);
}

/**
 * mvm_apic_icr_msg() - the message that the ICR's present contents send
 * @apic: the local APIC
 * @msg: the message
 *
 * The trigger mode counts for INIT alone; everything else goes out as an edge.
 */
void mvm_apic_icr_msg(const struct mvm_apic *apic, struct mvm_apic_msg *msg)
{
	u32 icr = mvm_apic_reg(apic, MVM_APIC_ICR);
	u32 high = mvm_apic_reg(apic, MVM_APIC_ICR2);
	bool x2apic = mvm_apic_is_x2apic(apic);

	*msg = (struct mvm_apic_msg) {
		.dest = x2apic ? high : high >> 24,
		.vector = icr & 0xff,
		.mode = (icr >> 8) & 7,
		.shorthand = (icr >> 18) & 3,
		.logical = icr & BIT(11),
		.wide = x2apic,
	};
	msg->level = msg->mode == MVM_APIC_INIT && (icr & BIT(15));
	msg->assert = !msg->level || (icr & BIT(14));
}
