// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8254: three 16-bit counters at 1.193182 MHz, with port 61h, which gates
 * counter 2 and shows its output.
 *
 * Nothing ticks: a channel remembers when its count was loaded, and its value
 * and output follow from the time that is asked about. A gate that goes low stops
 * the count where it is (held). Gates 0 and 1 are tied high. Pure: see model.h;
 * pit.c has the timer that raises IRQ 0.
 */
#include "model.h"

/* How a counter's bytes go: the control word's two bits, and KVM's state values. */
enum pit_access { PIT_LATCH_CMD = 0, PIT_LSB = 1, PIT_MSB = 2, PIT_WORD = 3, PIT_WORD_MSB = 4 };

#define PIT_READBACK 3 /* channel number that makes a control word a read-back command */
#define PIT_UNPROGRAMMED 0xff

#define PORT61_GATE2   BIT(0)
#define PORT61_SPEAKER BIT(1)
#define PORT61_REFRESH BIT(4)
#define PORT61_OUT2    BIT(5)
#define REFRESH_NS     15085 /* DRAM refresh: the bit toggles at this pace */

/**
 * mvm_i8254_reset() - power-up: no channel is programmed, gates 0 and 1 are high, gate 2 is low
 * @pit: the 8254
 */
void mvm_i8254_reset(struct mvm_i8254 *pit)
{
	int nr;

	memset(pit, 0, sizeof(*pit));
	for (nr = 0; nr < 3; nr++) {
		pit->s.channels[nr].mode = PIT_UNPROGRAMMED;
		pit->s.channels[nr].gate = nr != 2;
	}
}

static u64 ns_to_ticks(u64 ns)
{
	return ns / MVM_NSEC_PER_SEC * MVM_PIT_HZ +
	       ns % MVM_NSEC_PER_SEC * MVM_PIT_HZ / MVM_NSEC_PER_SEC;
}

/* Rounded up: at that moment ns_to_ticks() says at least as many. */
static u64 ticks_to_ns(u64 ticks)
{
	return ticks / MVM_PIT_HZ * MVM_NSEC_PER_SEC +
	       (ticks % MVM_PIT_HZ * MVM_NSEC_PER_SEC + MVM_PIT_HZ - 1) / MVM_PIT_HZ;
}

/* Ticks since the count was loaded, those while the gate was low left out. */
static u64 pit_elapsed(const struct mvm_i8254 *pit, unsigned int nr, u64 now)
{
	const struct kvm_pit_channel_state *c = &pit->s.channels[nr];
	u64 start = c->count_load_time;

	if (!c->gate && c->mode != 1 && c->mode != 5)
		return ns_to_ticks(pit->held[nr]);
	return ns_to_ticks(now > start ? now - start : 0);
}

static u32 to_bcd(u32 val)
{
	return val % 10 | val / 10 % 10 << 4 | val / 100 % 10 << 8 | val / 1000 % 10 << 12;
}

static u32 from_bcd(u32 val)
{
	return (val & 0xf) + (val >> 4 & 0xf) * 10 + (val >> 8 & 0xf) * 100 +
	       (val >> 12 & 0xf) * 1000;
}

/* The counting element's value as the guest reads it. */
static u16 pit_count(const struct mvm_i8254 *pit, unsigned int nr, u64 now)
{
	const struct kvm_pit_channel_state *c = &pit->s.channels[nr];
	u32 wrap = c->bcd ? 10000 : 65536, val;
	u64 ticks = pit_elapsed(pit, nr, now);

	if (!c->count)
		return 0;
	switch (c->mode) {
	case 2:
		val = c->count - ticks % c->count;
		break;
	case 3: /* counts by two, twice a period */
		val = c->count - 2 * ticks % c->count;
		break;
	default: /* goes on below zero */
		val = (c->count % wrap + wrap - ticks % wrap) % wrap;
		break;
	}
	return c->bcd ? to_bcd(val) : val;
}

/**
 * mvm_i8254_out() - a channel's output pin
 * @pit: the 8254
 * @nr: channel
 * @now: the time
 */
bool mvm_i8254_out(const struct mvm_i8254 *pit, unsigned int nr, u64 now)
{
	const struct kvm_pit_channel_state *c = &pit->s.channels[nr];
	u64 ticks = pit_elapsed(pit, nr, now);

	if (!c->count) /* a control word sets the output: low in mode 0, else high */
		return c->mode != 0;
	switch (c->mode) {
	case 0:
	case 1:
		return ticks >= c->count;
	case 2: /* low for the last clock of the period */
		return !c->gate || ticks % c->count != c->count - 1;
	case 3: /* high for the first half */
		return !c->gate || ticks % c->count < (c->count + 1) / 2;
	default: /* a strobe: low for one clock */
		return ticks != c->count;
	}
}

/* A new count starts counting now. */
static void pit_load(struct mvm_i8254 *pit, unsigned int nr, u32 val, u64 now)
{
	struct kvm_pit_channel_state *c = &pit->s.channels[nr];

	if (c->bcd)
		val = from_bcd(val);
	c->count = val ? val : c->bcd ? 10000 : 65536;
	c->count_load_time = now;
	pit->held[nr] = 0;
}

static void pit_latch_count(struct mvm_i8254 *pit, unsigned int nr, u64 now)
{
	struct kvm_pit_channel_state *c = &pit->s.channels[nr];

	if (c->count_latched)
		return;
	c->latched_count = pit_count(pit, nr, now);
	c->count_latched = c->rw_mode;
}

static void pit_latch_status(struct mvm_i8254 *pit, unsigned int nr, u64 now)
{
	struct kvm_pit_channel_state *c = &pit->s.channels[nr];

	if (c->status_latched)
		return;
	c->status = mvm_i8254_out(pit, nr, now) << 7 | !c->count << 6 | c->rw_mode << 4 |
		    (c->mode & 7) << 1 | c->bcd;
	c->status_latched = 1;
}

static void pit_write_control(struct mvm_i8254 *pit, u8 val, u64 now)
{
	unsigned int nr = val >> 6, access = (val >> 4) & 3, mode = (val >> 1) & 7;
	struct kvm_pit_channel_state *c;

	if (nr == PIT_READBACK) {
		for (nr = 0; nr < 3; nr++) {
			if (!(val & BIT(nr + 1)))
				continue;
			if (!(val & BIT(5)))
				pit_latch_count(pit, nr, now);
			if (!(val & BIT(4)))
				pit_latch_status(pit, nr, now);
		}
		return;
	}
	if (access == PIT_LATCH_CMD) {
		pit_latch_count(pit, nr, now);
		return;
	}
	c = &pit->s.channels[nr];
	c->rw_mode = access;
	c->read_state = access;
	c->write_state = access;
	c->count_latched = 0;
	c->status_latched = 0;
	c->mode = mode > 5 ? mode & 3 : mode;
	c->bcd = val & 1;
	c->count = 0;
}

/* One byte of a new count. */
static void pit_write_count(struct mvm_i8254 *pit, unsigned int nr, u8 val, u64 now)
{
	struct kvm_pit_channel_state *c = &pit->s.channels[nr];

	switch ((enum pit_access)c->write_state) {
	case PIT_LSB:
		pit_load(pit, nr, val, now);
		break;
	case PIT_MSB:
		pit_load(pit, nr, val << 8, now);
		break;
	case PIT_WORD: /* in mode 0 the first byte stops the count */
		c->write_latch = val;
		c->write_state = PIT_WORD_MSB;
		if (c->mode == 0)
			c->count = 0;
		break;
	case PIT_WORD_MSB:
		c->write_state = PIT_WORD;
		pit_load(pit, nr, val << 8 | c->write_latch, now);
		break;
	case PIT_LATCH_CMD: /* never programmed */
		break;
	}
}

/**
 * mvm_i8254_write() - write @port, 40h to 43h
 * @pit: the 8254
 * @port: I/O port
 * @val: the value
 * @now: the time
 */
void mvm_i8254_write(struct mvm_i8254 *pit, u16 port, u8 val, u64 now)
{
	if ((port & 3) == 3)
		pit_write_control(pit, val, now);
	else
		pit_write_count(pit, port & 3, val, now);
}

static u8 pit_read_latched(struct kvm_pit_channel_state *c)
{
	switch ((enum pit_access)c->count_latched) {
	case PIT_MSB:
		c->count_latched = 0;
		return c->latched_count >> 8;
	case PIT_WORD:
		c->count_latched = PIT_MSB;
		return c->latched_count & 0xff;
	default:
		c->count_latched = 0;
		return c->latched_count & 0xff;
	}
}

/**
 * mvm_i8254_read() - read @port, 40h to 43h: latched status, latched count, else the count
 * @pit: the 8254
 * @port: I/O port
 * @now: the time
 */
u8 mvm_i8254_read(struct mvm_i8254 *pit, u16 port, u64 now)
{
	struct kvm_pit_channel_state *c;
	u16 count;

	if ((port & 3) == 3) /* the control word cannot be read */
		return 0xff;
	c = &pit->s.channels[port & 3];
	if (c->status_latched) {
		c->status_latched = 0;
		return c->status;
	}
	if (c->count_latched)
		return pit_read_latched(c);
	count = pit_count(pit, port & 3, now);
	switch ((enum pit_access)c->read_state) {
	case PIT_MSB:
		return count >> 8;
	case PIT_WORD:
		c->read_state = PIT_WORD_MSB;
		return count & 0xff;
	case PIT_WORD_MSB:
		c->read_state = PIT_WORD;
		return count >> 8;
	default:
		return count & 0xff;
	}
}

/*
 * The gate of counter 2. Low holds the count (modes 0, 2, 3, 4); a rise lets modes
 * 0 and 4 go on and starts the others over.
 */
static void pit_set_gate2(struct mvm_i8254 *pit, bool gate, u64 now)
{
	struct kvm_pit_channel_state *c = &pit->s.channels[2];
	u64 start = c->count_load_time;

	if (gate == !!c->gate)
		return;
	if (!gate)
		pit->held[2] = now > start ? now - start : 0;
	else if (c->mode == 0 || c->mode == 4)
		c->count_load_time = now - pit->held[2];
	else
		c->count_load_time = now;
	c->gate = gate;
}

/**
 * mvm_i8254_speaker_read() - read port 61h
 * @pit: the 8254
 * @now: the time
 */
u8 mvm_i8254_speaker_read(const struct mvm_i8254 *pit, u64 now)
{
	u8 val = 0;

	if (pit->s.channels[2].gate)
		val |= PORT61_GATE2;
	if (pit->s.flags & KVM_PIT_FLAGS_SPEAKER_DATA_ON)
		val |= PORT61_SPEAKER;
	if (now / REFRESH_NS & 1)
		val |= PORT61_REFRESH;
	if (mvm_i8254_out(pit, 2, now))
		val |= PORT61_OUT2;
	return val;
}

/**
 * mvm_i8254_speaker_write() - write port 61h: the speaker's bit and counter 2's gate
 * @pit: the 8254
 * @val: the byte
 * @now: the time
 */
void mvm_i8254_speaker_write(struct mvm_i8254 *pit, u8 val, u64 now)
{
	pit->s.flags &= ~KVM_PIT_FLAGS_SPEAKER_DATA_ON;
	if (val & PORT61_SPEAKER)
		pit->s.flags |= KVM_PIT_FLAGS_SPEAKER_DATA_ON;
	pit_set_gate2(pit, val & PORT61_GATE2, now);
}

/**
 * mvm_i8254_next_irq() - when channel 0's output next rises after @after
 * @pit: the 8254
 * @after: a moment
 *
 * MVM_NEVER when it does not: no count, a mode that waits for a gate that never
 * rises, a one-shot that has been, or HPET legacy mode, which takes IRQ 0 away.
 */
u64 mvm_i8254_next_irq(const struct mvm_i8254 *pit, u64 after)
{
	const struct kvm_pit_channel_state *c = &pit->s.channels[0];
	u64 start = c->count_load_time, ticks, when;

	if (!c->count || (pit->s.flags & KVM_PIT_FLAGS_HPET_LEGACY))
		return MVM_NEVER;
	switch (c->mode) {
	case 0:
		ticks = c->count;
		break;
	case 2:
	case 3: /* the first whole period that ends after @after */
		ticks = after > start ? ns_to_ticks(after - start) : 0;
		ticks += c->count - ticks % c->count;
		break;
	case 4: /* the strobe ends a clock after the count */
		ticks = c->count + 1;
		break;
	default:
		return MVM_NEVER;
	}
	when = start + ticks_to_ns(ticks);
	return when > after ? when : MVM_NEVER;
}

/* One channel of a saved state, cleaned of what no channel can hold. */
static void pit_clean_channel(struct kvm_pit_channel_state *c)
{
	c->bcd = !!c->bcd;
	if (c->count > (c->bcd ? 10000 : 65536))
		c->count = 0;
	if (c->mode > 5)
		c->mode = PIT_UNPROGRAMMED;
	c->gate = !!c->gate;
	c->rw_mode &= 3;
	c->count_latched &= 3;
	c->status_latched = !!c->status_latched;
	if (c->read_state > PIT_WORD_MSB)
		c->read_state = c->rw_mode;
	if (c->write_state > PIT_WORD_MSB)
		c->write_state = c->rw_mode;
}

/**
 * mvm_i8254_set_state() - KVM_SET_PIT2
 * @pit: the 8254
 * @s: the saved registers
 * @now: the time
 *
 * Counts start over at @now: the saved load times are another machine's clock.
 * Return: 0; -EINVAL for unknown flags.
 */
int mvm_i8254_set_state(struct mvm_i8254 *pit, const struct kvm_pit_state2 *s, u64 now)
{
	int nr;

	if (s->flags & ~(KVM_PIT_FLAGS_HPET_LEGACY | KVM_PIT_FLAGS_SPEAKER_DATA_ON))
		return -EINVAL;
	pit->s = *s;
	memset(pit->s.reserved, 0, sizeof(pit->s.reserved));
	for (nr = 0; nr < 3; nr++) {
		pit_clean_channel(&pit->s.channels[nr]);
		pit->s.channels[nr].count_load_time = now;
		pit->s.channels[nr].gate |= nr != 2;
		pit->held[nr] = 0;
	}
	return 0;
}
