// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8259 pair: two interrupt controllers, the slave on the master's input 2,
 * with the edge/level control registers of the PIIX at ports 4D0h and 4D1h.
 *
 * Where an input is edge-triggered its request is latched at the rise and stays
 * until it is acknowledged, so that a device model may pulse it; where it is
 * level-triggered the request follows the line. Priorities are numbered from the
 * input that is highest at present (priority_add). Pure: see model.h.
 */
#include "model.h"

#define MASTER 0
#define SLAVE  1
#define CASCADE 2
#define SPURIOUS 7

#define PORT_MASTER 0x20
#define PORT_SLAVE  0xa0
#define PORT_ELCR   0x4d0

#define ICW1 BIT(4)
#define ICW1_ICW4 BIT(0)
#define OCW3 BIT(3)
#define OCW3_POLL BIT(2)
#define OCW3_READ BIT(1)
#define OCW3_SET_SMM BIT(6)

/* Inputs whose trigger mode the ELCR controls: not the timer, keyboard, cascade, RTC, FPU. */
static const u8 elcr_masks[2] = { 0xf8, 0xde };

/* Commands in OCW2's upper three bits. */
enum ocw2_command {
	OCW2_CLEAR_AUTO_ROTATE = 0,
	OCW2_EOI = 1,
	OCW2_SPECIFIC_EOI = 3,
	OCW2_SET_AUTO_ROTATE = 4,
	OCW2_ROTATE_EOI = 5,
	OCW2_SET_PRIORITY = 6,
	OCW2_ROTATE_SPECIFIC_EOI = 7,
};

/* What the next write to the data port is. */
enum init_state { INIT_DONE, INIT_ICW2, INIT_ICW3, INIT_ICW4 };

/* Distance of the first set input from the one of highest priority; 8 when none is. */
static int pic_first(const struct kvm_pic_state *s, u8 inputs)
{
	int n;

	for (n = 0; n < 8; n++)
		if (inputs & BIT((s->priority_add + n) & 7))
			return n;
	return 8;
}

/* The input that wants service now, or -1. */
static int pic_request(const struct mvm_i8259 *pic, int nr)
{
	const struct kvm_pic_state *s = &pic->chip[nr];
	u8 blocking = s->isr;
	int n = pic_first(s, s->irr & ~s->imr);

	if (s->special_mask)
		blocking &= ~s->imr;
	/* Special fully nested mode: the slave's better request passes its worse one in service. */
	if (s->special_fully_nested_mode && nr == MASTER)
		blocking &= ~BIT(CASCADE);
	if (n >= pic_first(s, blocking))
		return -1;
	return (s->priority_add + n) & 7;
}

/* After any change: the slave's INT drives the master's cascade input, the master's the output. */
static void pic_update(struct mvm_i8259 *pic)
{
	struct kvm_pic_state *master = &pic->chip[MASTER];

	if (pic_request(pic, SLAVE) >= 0)
		master->irr |= BIT(CASCADE);
	else
		master->irr &= ~BIT(CASCADE);
	pic->output = pic_request(pic, MASTER) >= 0;
}

/**
 * mvm_i8259_reset() - power-up: nothing requested, in service or masked, all inputs edge-triggered
 * @pic: the 8259 pair
 */
void mvm_i8259_reset(struct mvm_i8259 *pic)
{
	int nr;

	memset(pic, 0, sizeof(*pic));
	for (nr = MASTER; nr <= SLAVE; nr++)
		pic->chip[nr].elcr_mask = elcr_masks[nr];
}

/**
 * mvm_i8259_set_line() - input @irq (0..15, not the cascade) changes to @level
 * @pic: the 8259 pair
 * @irq: input, 0 to 15
 * @level: line level
 *
 * Return: 1 a new request, or nothing that could be lost; 0 it was pending already;
 * -1 masked. This is what KVM tells of a line, so a rise of an edge-triggered line
 * that was up is no loss.
 */
int mvm_i8259_set_line(struct mvm_i8259 *pic, unsigned int irq, bool level)
{
	struct kvm_pic_state *s;
	u8 bit = BIT(irq & 7);
	int ret = 1;

	if (irq == CASCADE || irq > 15)
		return -1;
	s = &pic->chip[irq / 8];
	if (!level) {
		s->last_irr &= ~bit;
		s->irr &= ~(bit & s->elcr);
	} else {
		if ((s->elcr & bit) || !(s->last_irr & bit)) {
			ret = !(s->irr & bit);
			s->irr |= bit;
		}
		s->last_irr |= bit;
	}
	pic_update(pic);
	return s->imr & bit ? -1 : ret;
}

/* The interrupt acknowledge cycle for one input: in service, and what automatic EOI does. */
static void pic_intack(struct mvm_i8259 *pic, int nr, int input)
{
	struct kvm_pic_state *s = &pic->chip[nr];
	u8 bit = BIT(input);

	if (!(s->elcr & bit))
		s->irr &= ~bit;
	if (!s->auto_eoi) {
		s->isr |= bit;
		return;
	}
	pic->acked |= bit << 8 * nr;
	if (s->rotate_on_auto_eoi)
		s->priority_add = (input + 1) & 7;
}

/**
 * mvm_i8259_peek() - the vector an acknowledge cycle would give now, or -1
 * @pic: the 8259 pair
 */
int mvm_i8259_peek(const struct mvm_i8259 *pic)
{
	int input = pic_request(pic, MASTER);

	if (input < 0)
		return -1;
	if (input != CASCADE)
		return pic->chip[MASTER].irq_base + input;
	input = pic_request(pic, SLAVE);
	return pic->chip[SLAVE].irq_base + (input < 0 ? SPURIOUS : input);
}

/**
 * mvm_i8259_ack() - the processor's acknowledge cycle
 * @pic: the 8259 pair
 *
 * Return: the vector; with no request the spurious one (input 7), which sets no
 * in-service bit.
 */
u8 mvm_i8259_ack(struct mvm_i8259 *pic)
{
	const struct kvm_pic_state *master = &pic->chip[MASTER], *slave = &pic->chip[SLAVE];
	int input = pic_request(pic, MASTER);
	u8 vector;

	if (input < 0)
		return master->irq_base + SPURIOUS;
	pic_intack(pic, MASTER, input);
	vector = master->irq_base + input;
	if (input == CASCADE) {
		input = pic_request(pic, SLAVE);
		if (input >= 0)
			pic_intack(pic, SLAVE, input);
		vector = slave->irq_base + (input < 0 ? SPURIOUS : input);
	}
	pic_update(pic);
	return vector;
}

/* ICW1: begin initialisation. Requests latched so far are forgotten, lines that are level stay. */
static void pic_write_icw1(struct kvm_pic_state *s, u8 val)
{
	s->irr = s->last_irr & s->elcr;
	s->imr = 0;
	s->isr = 0;
	s->priority_add = 0;
	s->read_reg_select = 0;
	s->poll = 0;
	s->special_mask = 0;
	s->auto_eoi = 0;
	s->rotate_on_auto_eoi = 0;
	s->special_fully_nested_mode = 0;
	s->init4 = val & ICW1_ICW4;
	s->init_state = INIT_ICW2;
}

static void pic_write_ocw3(struct kvm_pic_state *s, u8 val)
{
	if (val & OCW3_POLL)
		s->poll = 1;
	if (val & OCW3_READ)
		s->read_reg_select = val & 1;
	if (val & OCW3_SET_SMM)
		s->special_mask = (val >> 5) & 1;
}

/* End the interrupt in service on @input; with @rotate that input becomes the lowest. */
static void pic_eoi(struct kvm_pic_state *s, int input, bool rotate)
{
	s->isr &= ~BIT(input);
	if (rotate)
		s->priority_add = (input + 1) & 7;
}

static void pic_write_ocw2(struct kvm_pic_state *s, u8 val)
{
	u8 inputs = s->special_mask ? s->isr & ~s->imr : s->isr;
	int n = pic_first(s, inputs);

	switch ((enum ocw2_command)(val >> 5)) {
	case OCW2_CLEAR_AUTO_ROTATE:
	case OCW2_SET_AUTO_ROTATE:
		s->rotate_on_auto_eoi = val >> 7;
		break;
	case OCW2_EOI:
	case OCW2_ROTATE_EOI:
		if (n < 8)
			pic_eoi(s, (s->priority_add + n) & 7, val & BIT(7));
		break;
	case OCW2_SPECIFIC_EOI:
	case OCW2_ROTATE_SPECIFIC_EOI:
		pic_eoi(s, val & 7, val & BIT(7));
		break;
	case OCW2_SET_PRIORITY:
		s->priority_add = (val + 1) & 7;
		break;
	}
}

static void pic_write_data(struct kvm_pic_state *s, u8 val)
{
	switch ((enum init_state)s->init_state) {
	case INIT_DONE:
		s->imr = val;
		break;
	case INIT_ICW2:
		s->irq_base = val & 0xf8;
		s->init_state = INIT_ICW3;
		break;
	case INIT_ICW3: /* the wiring of the cascade is fixed */
		s->init_state = s->init4 ? INIT_ICW4 : INIT_DONE;
		break;
	case INIT_ICW4:
		s->special_fully_nested_mode = (val >> 4) & 1;
		s->auto_eoi = (val >> 1) & 1;
		s->init_state = INIT_DONE;
		break;
	}
}

/* Poll: the next read is an acknowledge cycle for this chip alone. */
static u8 pic_poll(struct mvm_i8259 *pic, int nr)
{
	struct kvm_pic_state *s = &pic->chip[nr];
	int input = pic_request(pic, nr);

	s->poll = 0;
	if (input < 0)
		return 0;
	pic_intack(pic, nr, input);
	pic_update(pic);
	return BIT(7) | input;
}

/* Which chip a port belongs to; -1 = neither. */
static int pic_port_chip(u16 port)
{
	switch (port & ~1) {
	case PORT_MASTER:
		return MASTER;
	case PORT_SLAVE:
		return SLAVE;
	case PORT_ELCR:
		return port & 1;
	default:
		return -1;
	}
}

/**
 * mvm_i8259_owns() - is @port one of the pair's six?
 * @port: I/O port
 */
bool mvm_i8259_owns(u16 port)
{
	return pic_port_chip(port) >= 0;
}

/**
 * mvm_i8259_read() - read one of the pair's ports
 * @pic: the 8259 pair; after a poll command the read is an acknowledge cycle and changes it
 * @port: I/O port
 *
 * Return: the byte; ones at a port that is not theirs.
 */
u8 mvm_i8259_read(struct mvm_i8259 *pic, u16 port)
{
	int nr = pic_port_chip(port);
	struct kvm_pic_state *s;

	if (nr < 0)
		return 0xff;
	s = &pic->chip[nr];
	if ((port & ~1) == PORT_ELCR)
		return s->elcr;
	if (s->poll)
		return pic_poll(pic, nr);
	if (port & 1)
		return s->imr;
	return s->read_reg_select ? s->isr : s->irr;
}

/* A new trigger mode: a level input's request is its line. */
static void pic_write_elcr(struct kvm_pic_state *s, u8 val)
{
	s->elcr = val & s->elcr_mask;
	s->irr = (s->irr & ~s->elcr) | (s->last_irr & s->elcr);
}

/**
 * mvm_i8259_write() - write to one of the pair's ports: ICW, OCW, mask or ELCR
 * @pic: the 8259 pair; its output follows, and what ended is added to acked
 * @port: I/O port; nothing happens at one that is not theirs
 * @val: the byte
 */
void mvm_i8259_write(struct mvm_i8259 *pic, u16 port, u8 val)
{
	int nr = pic_port_chip(port);
	struct kvm_pic_state *s;
	u8 isr, edges;

	if (nr < 0)
		return;
	s = &pic->chip[nr];
	/* What is in service ends by a command, an edge that waits by initialisation. */
	isr = s->isr;
	edges = s->irr & ~s->elcr;
	if ((port & ~1) == PORT_ELCR)
		pic_write_elcr(s, val);
	else if (port & 1)
		pic_write_data(s, val);
	else if (val & ICW1)
		pic_write_icw1(s, val);
	else if (val & OCW3)
		pic_write_ocw3(s, val);
	else
		pic_write_ocw2(s, val);
	pic->acked |= ((isr & ~s->isr) | (edges & ~s->irr)) << 8 * nr;
	pic_update(pic);
}

/**
 * mvm_i8259_set_state() - KVM_SET_IRQCHIP for one chip, cleaned of what no chip can hold
 * @pic: the 8259 pair
 * @nr: 0 master, 1 slave
 * @state: the saved registers
 */
void mvm_i8259_set_state(struct mvm_i8259 *pic, unsigned int nr, const struct kvm_pic_state *state)
{
	struct kvm_pic_state *s = &pic->chip[nr];

	*s = *state;
	s->priority_add &= 7;
	s->irq_base &= 0xf8;
	s->read_reg_select = !!s->read_reg_select;
	s->poll = !!s->poll;
	s->special_mask = !!s->special_mask;
	s->init_state &= 3;
	s->auto_eoi = !!s->auto_eoi;
	s->rotate_on_auto_eoi = !!s->rotate_on_auto_eoi;
	s->special_fully_nested_mode = !!s->special_fully_nested_mode;
	s->init4 = !!s->init4;
	s->elcr_mask = elcr_masks[nr];
	s->elcr &= s->elcr_mask;
	pic_update(pic);
}
