// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random accesses and saved states against all models, under the sanitizers,
 * with the invariants that hold whatever a guest or a launcher does.
 * MVM_FUZZ_ROUNDS and MVM_FUZZ_SEED set length and seed.
 */
#include "mvm_harness.h"

#include "irq_lapic.h"

#define ROUNDS 200000

static u64 rng_state;

/* xorshift64 */
static u64 rnd(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state;
}

static unsigned long rounds(void)
{
	const char *n = getenv("MVM_FUZZ_ROUNDS"), *seed = getenv("MVM_FUZZ_SEED");

	rng_state = seed ? strtoull(seed, NULL, 0) : 0x6d696e69766d6d31;
	if (!rng_state)
		rng_state = 1;
	printf("# seed %#llx\n", (unsigned long long)rng_state);
	return n ? strtoul(n, NULL, 0) : ROUNDS;
}

static void fill(void *buf, size_t len)
{
	u8 *p = buf;

	while (len--)
		*p++ = rnd();
}

/* Values that matter more often than chance has them. */
static u32 value(void)
{
	switch (rnd() % 4) {
	case 0:
		return 0;
	case 1:
		return rnd() & 0xff;
	case 2:
		return BIT(rnd() % 32);
	default:
		return rnd();
	}
}

TEST(local_apic)
{
	unsigned long n = rounds();
	struct mvm_apic apic, twin;
	struct kvm_lapic_state s, again;
	u64 now = 1, tsc = 0;
	u32 val;

	lapic_new_enabled(&apic, 7, true);
	lapic_new(&twin, 7, true);
	while (n--) {
		int vector;

		now += rnd() % 1000000;
		tsc += rnd() % 1000000;
		switch (rnd() % 8) {
		case 0:
			mvm_apic_set_base(&apic, MVM_APIC_DEFAULT_PHYS | (rnd() & 0xd00),
					  rnd() & 1);
			break;
		case 1:
			fill(&s, sizeof(s));
			mvm_apic_set_state(&apic, &s, now);
			break;
		case 2:
			mvm_apic_post(&apic, rnd(), rnd() & 1);
			break;
		case 3:
			mvm_apic_read(&apic, rnd() % 80, now, &val);
			break;
		case 4:
			apic.tsc_deadline = rnd();
			break;
		default:
			mvm_apic_write(&apic, rnd() % 80, value(), now);
		}
		mvm_apic_timer_fire(&apic, now, tsc);
		ASSERT_GE(mvm_apic_timer_next(&apic, now, tsc, 1 + rnd() % 5000000), now);
		ASSERT_LE(mvm_apic_timer_count(&apic, now), mvm_apic_reg(&apic, MVM_APIC_TMICT));
		vector = mvm_apic_pending(&apic);
		ASSERT_TRUE(vector == -1 || vector >= 16);
		if (vector >= 0) {
			mvm_apic_accept(&apic, vector);
			ASSERT_LT(mvm_apic_pending(&apic), vector);
		}
		if (n % 64)
			continue;
		/* What was saved restores to the same. */
		twin.base = apic.base;
		mvm_apic_get_state(&apic, &s, now);
		ASSERT_EQ(0, mvm_apic_set_state(&twin, &s, now));
		mvm_apic_get_state(&twin, &again, now);
		ASSERT_EQ(mvm_apic_pending(&apic), mvm_apic_pending(&twin));
		ASSERT_EQ(0, memcmp(s.regs, again.regs, MVM_APIC_TMCCT * 16));
	}
	lapic_free(&apic);
	lapic_free(&twin);
}

static int send_some(void *ctx, const struct mvm_apic_msg *msg)
{
	return (int)(rnd() % 3) - 1;
}

TEST(io_apic)
{
	struct mvm_ioapic io = { .send = send_some };
	unsigned long n = rounds();
	struct kvm_ioapic_state s;
	int pin;

	mvm_ioapic_reset(&io);
	while (n--) {
		switch (rnd() % 6) {
		case 0:
			fill(&s, sizeof(s));
			s.base_address = rnd() & 1 ? MVM_IOAPIC_BASE : s.base_address;
			mvm_ioapic_set_state(&io, &s);
			break;
		case 1:
			mvm_ioapic_eoi(&io, rnd());
			break;
		case 2:
			mvm_ioapic_set_line(&io, rnd() % 32, rnd() & 1);
			break;
		case 3:
			mvm_ioapic_read(&io, value());
			break;
		default:
			mvm_ioapic_write(&io, rnd() & 1 ? 0x10 : 0, value());
		}
		for (pin = 0; pin < MVM_IOAPIC_PINS; pin++)
			ASSERT_FALSE((io.rte[pin] & BIT(14)) && !(io.rte[pin] & BIT(15)));
		ASSERT_EQ(0, io.line >> MVM_IOAPIC_PINS);
	}
}

TEST(pic_pair)
{
	static const u16 ports[] = { 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1 };
	unsigned long n = rounds();
	struct kvm_pic_state s;
	struct mvm_i8259 pic;

	mvm_i8259_reset(&pic);
	while (n--) {
		u16 port = ports[rnd() % ARRAY_SIZE(ports)];
		int vector;

		switch (rnd() % 8) {
		case 0:
			fill(&s, sizeof(s));
			mvm_i8259_set_state(&pic, rnd() & 1, &s);
			break;
		case 1:
			mvm_i8259_read(&pic, port);
			break;
		case 2:
		case 3:
			mvm_i8259_set_line(&pic, rnd() % 20, rnd() & 1);
			break;
		default:
			mvm_i8259_write(&pic, port, value());
		}
		vector = mvm_i8259_peek(&pic);
		ASSERT_EQ(pic.output, vector >= 0);
		ASSERT_LT(vector, 256);
		if (vector >= 0 && (rnd() & 1))
			ASSERT_EQ(vector, mvm_i8259_ack(&pic));
	}
}

TEST(interval_timer)
{
	unsigned long n = rounds();
	struct kvm_pit_state2 s;
	struct mvm_i8254 pit;
	u64 now = 1, next;

	mvm_i8254_reset(&pit);
	while (n--) {
		now += rnd() % 100000000;
		switch (rnd() % 6) {
		case 0:
			fill(&s, sizeof(s));
			s.flags &= 3;
			mvm_i8254_set_state(&pit, &s, now);
			break;
		case 1:
			mvm_i8254_speaker_write(&pit, rnd(), now);
			mvm_i8254_speaker_read(&pit, now);
			break;
		case 2:
			mvm_i8254_read(&pit, 0x40 + rnd() % 4, now);
			break;
		default:
			mvm_i8254_write(&pit, 0x40 + rnd() % 4, rnd(), now);
		}
		next = mvm_i8254_next_irq(&pit, now);
		ASSERT_GT(next, now);
		if (next == MVM_NEVER)
			continue;
		/* At that moment the output is up, and a tick earlier it was not. */
		ASSERT_TRUE(mvm_i8254_out(&pit, 0, next) || pit.s.channels[0].count == 1);
		if (pit.s.channels[0].count > 2)
			ASSERT_FALSE(mvm_i8254_out(&pit, 0, next - 800));
	}
}

MVM_HARNESS_MAIN
