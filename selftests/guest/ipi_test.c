// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each kind of IPI, in xAPIC and in x2APIC mode: who gets it, and who does not.
 *
 * Vector and delivery mode go out from vCPU 0 while the others halt with interrupts
 * on. A second vector, sent to all others after it, ends the round: what the first
 * should have done is done by then.
 */
#include "mvm_harness.h"
#include "mvm_smp.h"

#define VCPUS	4
#define VECTOR	0x61
#define LAST	0x41	/* of a lower priority: handled after VECTOR */
#define NMI	2

FIXTURE(ipi) {
	struct smp smp;
};

FIXTURE_VARIANT(ipi) {
	bool x2apic;
};

FIXTURE_VARIANT_ADD(ipi, xapic) {
	.x2apic = false,
};

FIXTURE_VARIANT_ADD(ipi, x2apic) {
	.x2apic = true,
};

FIXTURE_SETUP(ipi)
{
	unsigned int i;

	SMP_CREATE_OR_SKIP(&self->smp, VCPUS);
	ASSERT_EQ(0, smp_boot(&self->smp));
	for (i = 0; i < VCPUS; i++)
		smp_do(&self->smp, i, g_apic_on, variant->x2apic, 0, 0);
}

FIXTURE_TEARDOWN(ipi)
{
	smp_destroy(&self->smp);
}

/* The rounds' sender. Interrupts on for a moment: it may be a target itself. */
GUEST uint64_t g_round(uint64_t icr, uint64_t dest, uint64_t c)
{
	asm volatile("sti");
	g_send(icr, dest);
	asm volatile("nop; cli");
	g_send(ICR_ASSERT | ICR_OTHERS | LAST, 0);
	return 0;
}

/*
 * Send it and see who counts one more of @vector: bit n for vCPU n. -1 when
 * somebody counts more than one, or does not come back.
 */
static int round_of(struct smp *smp, uint32_t icr, uint32_t dest, uint8_t vector)
{
	uint32_t before[VCPUS], more;
	unsigned int i;
	int got = 0;

	for (i = 0; i < VCPUS; i++)
		before[i] = smp_area(smp, i)->count[vector];
	for (i = 1; i < VCPUS; i++)
		if (smp_call(smp, i, g_halt_for, LAST, 1, 0))
			return -1;
	smp_do(smp, 0, g_round, icr, dest, 0);
	for (i = 1; i < VCPUS; i++)
		if (smp_wait(smp, i, NULL))
			return -1;
	for (i = 0; i < VCPUS; i++) {
		more = smp_area(smp, i)->count[vector] - before[i];
		if (more > 1)
			return -1;
		got |= more << i;
	}
	return got;
}

static int fixed(struct smp *smp, uint32_t icr, uint32_t dest)
{
	return round_of(smp, icr | ICR_ASSERT | VECTOR, dest, VECTOR);
}

TEST_F(ipi, physical)
{
	struct smp *smp = &self->smp;

	EXPECT_EQ(1 << 0, fixed(smp, 0, 0));
	EXPECT_EQ(1 << 1, fixed(smp, 0, 1));
	EXPECT_EQ(1 << 3, fixed(smp, 0, 3));
	EXPECT_EQ(0, fixed(smp, 0, 77));
	EXPECT_EQ(0xf, fixed(smp, 0, variant->x2apic ? 0xffffffff : 0xff));
}

TEST_F(ipi, shorthands)
{
	struct smp *smp = &self->smp;

	/* The destination field is not looked at. */
	EXPECT_EQ(1 << 0, fixed(smp, ICR_SELF, 2));
	EXPECT_EQ(0xf, fixed(smp, ICR_ALL, 2));
	EXPECT_EQ(0xe, fixed(smp, ICR_OTHERS, 2));
}

TEST_F(ipi, logical)
{
	struct smp *smp = &self->smp;
	unsigned int i;

	if (variant->x2apic) {
		/* The id's low four bits in the mask, the rest the cluster. */
		EXPECT_EQ(0x6, fixed(smp, ICR_LOGICAL, 0x6));
		EXPECT_EQ(0xf, fixed(smp, ICR_LOGICAL, 0xffff));
		EXPECT_EQ(0, fixed(smp, ICR_LOGICAL, 0x1ffff));
		EXPECT_EQ(0, fixed(smp, ICR_LOGICAL, 0));
		return;
	}
	for (i = 0; i < VCPUS; i++) {
		smp_do(smp, i, g_apic_put, APIC_DFR, 0xffffffff, 0);
		smp_do(smp, i, g_apic_put, APIC_LDR, 1u << (31 - i), 0);
	}
	EXPECT_EQ(0x6, fixed(smp, ICR_LOGICAL, 0x60));
	EXPECT_EQ(0xf, fixed(smp, ICR_LOGICAL, 0xff));
	EXPECT_EQ(0, fixed(smp, ICR_LOGICAL, 0x01));
	/* Two clusters of two. */
	for (i = 0; i < VCPUS; i++) {
		smp_do(smp, i, g_apic_put, APIC_DFR, 0x0fffffff, 0);
		smp_do(smp, i, g_apic_put, APIC_LDR, (i / 2 << 4 | 1u << i % 2) << 24, 0);
	}
	EXPECT_EQ(0x3, fixed(smp, ICR_LOGICAL, 0x03));
	EXPECT_EQ(0x8, fixed(smp, ICR_LOGICAL, 0x12));
	EXPECT_EQ(0, fixed(smp, ICR_LOGICAL, 0x23));
}

/* One of them, and each in its turn. */
TEST_F(ipi, lowest_priority)
{
	struct smp *smp = &self->smp;
	int got, all = 0;
	unsigned int i;

	if (!variant->x2apic)
		for (i = 0; i < VCPUS; i++)
			smp_do(smp, i, g_apic_put, APIC_LDR, 1u << (24 + i), 0);
	for (i = 0; i < 12; i++) {
		got = fixed(smp, ICR_LOGICAL | ICR_LOWEST, 0xe);
		EXPECT_EQ(1, __builtin_popcount(got)) {
			TH_LOG("taken by %#x", got);
		}
		all |= got;
	}
	EXPECT_EQ(0, all & 1);
	if (!tvm_is_kvm()) {
		EXPECT_EQ(0xe, all);
		/* Who has a higher priority is left in peace. */
		smp_do(smp, 2, g_apic_put, APIC_TPR, 0x30, 0);
		for (i = 0; i < 4; i++)
			EXPECT_EQ(0, fixed(smp, ICR_LOGICAL | ICR_LOWEST, 0xe) & 1 << 2);
	}
}

TEST_F(ipi, nmi)
{
	struct smp *smp = &self->smp;

	EXPECT_EQ(1 << 2, round_of(smp, ICR_NMI | ICR_ASSERT, 2, NMI));
	EXPECT_EQ(0xe, round_of(smp, ICR_NMI | ICR_ASSERT | ICR_OTHERS, 0, NMI));
	/* The vector does not count, and nobody sees one. */
	EXPECT_EQ(0, round_of(smp, ICR_NMI | ICR_ASSERT | VECTOR, 1, VECTOR));
}

TEST_F(ipi, self_register)
{
	struct smp *smp = &self->smp;
	uint32_t before = smp_area(smp, 0)->count[VECTOR];

	if (!variant->x2apic)
		SKIP(return, "only x2APICs have it");
	smp_do(smp, 0, g_apic_put, APIC_SELF_IPI, VECTOR, 0);
	EXPECT_EQ(before, smp_area(smp, 0)->count[VECTOR]);
	smp_do(smp, 0, g_open, 0, 0, 0);
	EXPECT_EQ(before + 1, smp_area(smp, 0)->count[VECTOR]);
}

/* Bit 14 counts for INIT's de-assertion alone, and vectors below 16 do not exist. */
TEST_F(ipi, odd_words)
{
	struct smp *smp = &self->smp;

	EXPECT_EQ(1 << 1, round_of(smp, VECTOR, 1, VECTOR));
	EXPECT_EQ(0, round_of(smp, ICR_ASSERT | 5, 1, 5));
	EXPECT_EQ(0, round_of(smp, ICR_INIT | ICR_LEVEL, 1, VECTOR));
	EXPECT_EQ(0, round_of(smp, ICR_SIPI | ICR_ASSERT | SMP_SIPI, 1, VECTOR));
}

/* An xAPIC under a new id answers to that and not to the old one. */
TEST_F(ipi, a_changed_id)
{
	struct smp *smp = &self->smp;

	if (variant->x2apic)
		SKIP(return, "an x2APIC's id cannot be written");
	smp_do(smp, 2, g_apic_put, APIC_ID, 9u << 24, 0);
	if (smp_do(smp, 2, g_apic_get, APIC_ID, 0, 0) >> 24 != 9)
		SKIP(return, "nor this xAPIC's");
	EXPECT_EQ(1 << 2, fixed(smp, 0, 9));
	EXPECT_EQ(0, fixed(smp, 0, 2));
	smp_do(smp, 2, g_apic_put, APIC_ID, 2u << 24, 0);
	EXPECT_EQ(1 << 2, fixed(smp, 0, 2));
}

/* A disabled one is not there. */
TEST_F(ipi, a_software_disabled_apic)
{
	struct smp *smp = &self->smp;

	EXPECT_EQ(0xe, fixed(smp, ICR_OTHERS, 0));
	smp_do(smp, 3, g_apic_put, APIC_SVR, 0xff, 0);
	ASSERT_EQ(0, smp_call(smp, 1, g_halt_for, LAST, 1, 0));
	smp_do(smp, 0, g_ipi, ICR_ASSERT | ICR_OTHERS | VECTOR, 0, 0);
	smp_do(smp, 0, g_ipi, ICR_ASSERT | ICR_OTHERS | LAST, 0, 0);
	EXPECT_EQ(0, smp_wait(smp, 1, NULL));
	smp_do(smp, 3, g_apic_put, APIC_SVR, 0x1ff, 0);
	EXPECT_EQ(0, smp_do(smp, 3, g_apic_get, APIC_IRR + VECTOR / 32, 0, 0));
}

MVM_HARNESS_MAIN
