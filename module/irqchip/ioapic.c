// SPDX-License-Identifier: GPL-2.0-only
/*
 * The I/O APIC: 24 pins, each with a 64-bit redirection entry.
 *
 * An edge-triggered pin sends one message on each rise; a rise while the entry is
 * masked is lost, as on the 82093AA. A level-triggered pin sends while its line
 * is up, and again after the processors' EOI (remote IRR) if it is still up.
 * Polarity is ignored: a line is active when it is set, as KVM's API has it.
 * Pure: see model.h; messages leave through io->send().
 */
#include "model.h"

#define IOAPIC_REGSEL 0x00
#define IOAPIC_WINDOW 0x10

#define IOAPIC_REG_ID	0
#define IOAPIC_REG_VERSION 1
#define IOAPIC_REG_ARB	2
#define IOAPIC_REG_RTE	0x10

#define IOAPIC_VERSION 0x11

#define RTE_REMOTE_IRR BIT_ULL(14)
#define RTE_LEVEL      BIT_ULL(15)
#define RTE_MASKED     BIT_ULL(16)
#define RTE_LOGICAL    BIT_ULL(11)
#define RTE_WRITABLE   0xff0000000001afffULL /* all but delivery status and remote IRR */

/**
 * mvm_ioapic_reset() - power-up: every pin masked, every line low; send and ctx stay
 * @io: the I/O APIC
 */
void mvm_ioapic_reset(struct mvm_ioapic *io)
{
	unsigned int pin;

	for (pin = 0; pin < MVM_IOAPIC_PINS; pin++)
		io->rte[pin] = RTE_MASKED;
	io->line = 0;
	io->sel = 0;
	io->id = 0;
}

static u8 rte_mode(u64 rte)
{
	return (rte >> 8) & 7;
}

/* Level triggering means something for Fixed and Lowest Priority alone. */
static bool rte_is_level(u64 rte)
{
	return (rte & RTE_LEVEL) && rte_mode(rte) <= MVM_APIC_LOWEST;
}

/* Send pin's message. Return: as io->send(). */
static int ioapic_send(struct mvm_ioapic *io, unsigned int pin)
{
	u64 rte = io->rte[pin];
	struct mvm_apic_msg msg = {
		.dest = rte >> 56,
		.vector = rte & 0xff,
		.mode = rte_mode(rte),
		.logical = rte & RTE_LOGICAL,
		.level = rte_is_level(rte),
		.assert = true,
	};
	int ret;

	ret = io->send(io->ctx, &msg);
	if (ret > 0 && msg.level)
		io->rte[pin] |= RTE_REMOTE_IRR;
	return ret;
}

/* Send for a level-triggered pin that wants it: line up, unmasked, not sent yet. */
static int ioapic_service_level(struct mvm_ioapic *io, unsigned int pin)
{
	u64 rte = io->rte[pin];

	if (!(io->line & BIT(pin)) || !rte_is_level(rte) ||
	    (rte & (RTE_MASKED | RTE_REMOTE_IRR)))
		return -1;
	return ioapic_send(io, pin);
}

/**
 * mvm_ioapic_set_line() - a pin's input changes to @level
 * @io: the I/O APIC
 * @pin: input pin
 * @level: line level
 *
 * Return: as KVM tells it: > 0 a target took an interrupt, or the line fell; 0 nobody
 * took it, or an edge on a line that was up; -1 masked, or a level-triggered pin that
 * waits for its EOI.
 */
int mvm_ioapic_set_line(struct mvm_ioapic *io, unsigned int pin, bool level)
{
	bool rise;
	u32 bit;

	if (pin >= MVM_IOAPIC_PINS)
		return -1;
	bit = BIT(pin);
	rise = !(io->line & bit);
	if (!level) {
		io->line &= ~bit;
		return 1;
	}
	io->line |= bit;
	if (rte_is_level(io->rte[pin]))
		return ioapic_service_level(io, pin);
	if (!rise)
		return 0;
	return io->rte[pin] & RTE_MASKED ? -1 : ioapic_send(io, pin);
}

/**
 * mvm_ioapic_pins() - the pins that send @vector, as a mask
 * @io: the I/O APIC
 * @vector: interrupt vector
 */
u32 mvm_ioapic_pins(const struct mvm_ioapic *io, u8 vector)
{
	unsigned int pin;
	u32 pins = 0;

	for (pin = 0; pin < MVM_IOAPIC_PINS; pin++)
		if ((io->rte[pin] & 0xff) == vector && rte_mode(io->rte[pin]) <= MVM_APIC_LOWEST)
			pins |= BIT(pin);
	return pins;
}

/**
 * mvm_ioapic_masked() - the pins that are masked
 * @io: the I/O APIC
 */
u32 mvm_ioapic_masked(const struct mvm_ioapic *io)
{
	unsigned int pin;
	u32 pins = 0;

	for (pin = 0; pin < MVM_IOAPIC_PINS; pin++)
		if (io->rte[pin] & RTE_MASKED)
			pins |= BIT(pin);
	return pins;
}

/**
 * mvm_ioapic_eoi() - a processor ended the level-triggered interrupt @vector
 * @io: the I/O APIC
 * @vector: interrupt vector
 */
void mvm_ioapic_eoi(struct mvm_ioapic *io, u8 vector)
{
	unsigned int pin;

	for (pin = 0; pin < MVM_IOAPIC_PINS; pin++) {
		if ((io->rte[pin] & 0xff) != vector || !rte_is_level(io->rte[pin]))
			continue;
		io->rte[pin] &= ~RTE_REMOTE_IRR;
		ioapic_service_level(io, pin);
	}
}

static u32 ioapic_read_reg(const struct mvm_ioapic *io)
{
	unsigned int half = io->sel - IOAPIC_REG_RTE;

	switch (io->sel) {
	case IOAPIC_REG_ID:
	case IOAPIC_REG_ARB:
		return (u32)io->id << 24;
	case IOAPIC_REG_VERSION:
		return (MVM_IOAPIC_PINS - 1) << 16 | IOAPIC_VERSION;
	default:
		if (io->sel < IOAPIC_REG_RTE || half / 2 >= MVM_IOAPIC_PINS)
			return 0;
		return half & 1 ? io->rte[half / 2] >> 32 : io->rte[half / 2];
	}
}

/*
 * One half of a redirection entry. Making it edge-triggered clears remote IRR:
 * operating systems use that to end an interrupt on an I/O APIC of this version,
 * which has no EOI register.
 */
static void ioapic_write_rte(struct mvm_ioapic *io, unsigned int pin, bool high, u32 val)
{
	u64 rte = io->rte[pin], written;

	if (high)
		written = (rte & 0xffffffff) | (u64)val << 32;
	else
		written = (rte & ~0xffffffffULL) | val;
	rte = (rte & ~RTE_WRITABLE) | (written & RTE_WRITABLE);
	if (!rte_is_level(rte))
		rte &= ~RTE_REMOTE_IRR;
	io->rte[pin] = rte;
	ioapic_service_level(io, pin);
}

static void ioapic_write_reg(struct mvm_ioapic *io, u32 val)
{
	unsigned int half = io->sel - IOAPIC_REG_RTE;

	if (io->sel == IOAPIC_REG_ID)
		io->id = (val >> 24) & 0xf;
	else if (io->sel >= IOAPIC_REG_RTE && half / 2 < MVM_IOAPIC_PINS)
		ioapic_write_rte(io, half / 2, half & 1, val);
}

/**
 * mvm_ioapic_read() - read at @offset of the register window; 0 where there is nothing
 * @io: the I/O APIC
 * @offset: offset in the register window
 */
u32 mvm_ioapic_read(const struct mvm_ioapic *io, u32 offset)
{
	if (offset == IOAPIC_REGSEL)
		return io->sel;
	return offset == IOAPIC_WINDOW ? ioapic_read_reg(io) : 0;
}

/**
 * mvm_ioapic_write() - write at @offset of the register window
 * @io: the I/O APIC
 * @offset: IOREGSEL's or IOWIN's; nothing happens elsewhere
 * @val: the value
 *
 * A level-triggered pin that is unmasked while its line is up sends at once.
 */
void mvm_ioapic_write(struct mvm_ioapic *io, u32 offset, u32 val)
{
	if (offset == IOAPIC_REGSEL)
		io->sel = val;
	else if (offset == IOAPIC_WINDOW)
		ioapic_write_reg(io, val);
}

/**
 * mvm_ioapic_get_state() - KVM_GET_IRQCHIP
 * @io: the I/O APIC
 * @state: the saved registers; irr has the lines' levels
 */
void mvm_ioapic_get_state(const struct mvm_ioapic *io, struct kvm_ioapic_state *state)
{
	unsigned int pin;

	state->base_address = MVM_IOAPIC_BASE;
	state->ioregsel = io->sel;
	state->id = io->id;
	state->irr = io->line;
	state->pad = 0;
	for (pin = 0; pin < MVM_IOAPIC_PINS; pin++)
		state->redirtbl[pin].bits = io->rte[pin];
}

/**
 * mvm_ioapic_set_state() - KVM_SET_IRQCHIP
 * @io: the I/O APIC
 * @state: the saved registers
 *
 * Level-triggered pins whose line is up and not yet sent are sent now. Return: 0;
 * -EINVAL for another base address than the fixed one (0 stands for it).
 */
int mvm_ioapic_set_state(struct mvm_ioapic *io, const struct kvm_ioapic_state *state)
{
	unsigned int pin;

	if (state->base_address && state->base_address != MVM_IOAPIC_BASE)
		return -EINVAL;
	io->sel = state->ioregsel;
	io->id = state->id & 0xf;
	io->line = state->irr & (BIT(MVM_IOAPIC_PINS) - 1);
	for (pin = 0; pin < MVM_IOAPIC_PINS; pin++) {
		io->rte[pin] = state->redirtbl[pin].bits & (RTE_WRITABLE | RTE_REMOTE_IRR);
		if (!rte_is_level(io->rte[pin]))
			io->rte[pin] &= ~RTE_REMOTE_IRR;
	}
	for (pin = 0; pin < MVM_IOAPIC_PINS; pin++)
		ioapic_service_level(io, pin);
	return 0;
}
