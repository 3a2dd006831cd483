// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUID tables for each vCPU of several: APIC ids that differ, a topology
 * that agrees with itself in all the leaves that tell it.
 */
#include "libminivmm.h"
#include "mvm_harness.h"

#define ENTRY(f, i, a, b, c, d) \
	{ .function = f, .index = i, .eax = a, .ebx = b, .ecx = c, .edx = d }

static const struct kvm_cpuid_entry2 input[] = {
	ENTRY(0x0, 0, 0x1f, 0, 0, 0),
	ENTRY(0x1, 0, 0x800f12, 0xff7f0812, 1u << 24 | 1, 1u << 28 | 1),
	ENTRY(0x4, 0, 0xfc01c121, 1, 2, 3),
	ENTRY(0x4, 3, 0xfc01c163, 1, 2, 3),
	ENTRY(0x4, 4, 0, 0, 0, 0),
	ENTRY(0x7, 0, 0, 0x1234, 0, 0),
	ENTRY(0xb, 0, 9, 9, 9, 9),
	ENTRY(0x1f, 0, 9, 9, 9, 9),
	ENTRY(0x80000001, 0, 0, 0, 3, 0),
	ENTRY(0x80000008, 0, 0x3030, 0, 0x5fff, 0),
	ENTRY(0x8000001d, 3, 0x3ffc163, 0, 0, 0),
	ENTRY(0x8000001e, 0, 77, 77, 77, 0),
};

FIXTURE(cpuid) {
	struct kvm_cpuid2 *from;
	struct kvm_cpuid2 *to;
};

FIXTURE_SETUP(cpuid)
{
	self->from = calloc(1, sizeof(*self->from) + sizeof(input));
	ASSERT_NE(NULL, self->from);
	self->from->nent = sizeof(input) / sizeof(input[0]);
	memcpy(self->from->entries, input, sizeof(input));
}

FIXTURE_TEARDOWN(cpuid)
{
	free(self->from);
	free(self->to);
}

static const struct kvm_cpuid_entry2 *find(const struct kvm_cpuid2 *c, uint32_t function,
					   uint32_t index)
{
	uint32_t i;

	for (i = 0; i < c->nent; i++)
		if (c->entries[i].function == function && c->entries[i].index == index)
			return &c->entries[i];
	return NULL;
}

TEST_F(cpuid, one_cpu_is_one_core)
{
	const struct kvm_cpuid_entry2 *e;

	self->to = minivmm_cpuid_for_vcpu(self->from, 0, 1, 0);
	e = find(self->to, 1, 0);
	EXPECT_EQ(0x00010812, e->ebx);
	EXPECT_EQ(1u << 31 | 1, e->ecx);
	EXPECT_EQ(1, e->edx);
	e = find(self->to, 0xb, 1);
	ASSERT_NE(NULL, e);
	EXPECT_EQ(0, e->eax);
	EXPECT_EQ(1, e->ebx);
	EXPECT_EQ(0, find(self->to, 0x80000001, 0)->ecx & 2);
	EXPECT_EQ(0, find(self->to, 4, 3)->eax >> 14);
}

TEST_F(cpuid, the_third_of_six_has_its_own_ids)
{
	const struct kvm_cpuid_entry2 *e;
	uint32_t i;

	self->to = minivmm_cpuid_for_vcpu(self->from, 2, 6, 1);
	e = find(self->to, 1, 0);
	EXPECT_EQ(2u << 24 | 8 << 16 | 0x0812, e->ebx);
	EXPECT_TRUE(e->ecx & 1u << 24);
	EXPECT_TRUE(e->edx & 1u << 28);
	for (i = 0; i < 3; i++) {
		e = find(self->to, 0xb, i);
		ASSERT_NE(NULL, e);
		EXPECT_EQ(2, e->edx);
		EXPECT_EQ(i, e->ecx & 0xff);
		EXPECT_EQ(KVM_CPUID_FLAG_SIGNIFCANT_INDEX, e->flags);
	}
	e = find(self->to, 0xb, 1);
	EXPECT_EQ(3, e->eax);
	EXPECT_EQ(6, e->ebx);
	EXPECT_EQ(2, e->ecx >> 8);
	EXPECT_EQ(2, find(self->to, 0x8000001e, 0)->eax);
	EXPECT_EQ(3u << 12 | 5, find(self->to, 0x80000008, 0)->ecx & 0xf0ff);
	EXPECT_TRUE(find(self->to, 0x80000001, 0)->ecx & 2);
}

TEST_F(cpuid, only_the_last_cache_is_shared)
{
	self->to = minivmm_cpuid_for_vcpu(self->from, 1, 4, 0);
	EXPECT_EQ(0, find(self->to, 4, 0)->eax >> 14 & 0xfff);
	EXPECT_EQ(3, find(self->to, 4, 3)->eax >> 14 & 0xfff);
	EXPECT_EQ(3, find(self->to, 4, 3)->eax >> 26);
	EXPECT_EQ(0x163, find(self->to, 4, 3)->eax & 0x3fff & 0x163);
	EXPECT_EQ(0, find(self->to, 4, 4)->eax);
	EXPECT_EQ(3, find(self->to, 0x8000001d, 3)->eax >> 14 & 0xfff);
}

TEST_F(cpuid, everything_else_is_left_alone)
{
	self->to = minivmm_cpuid_for_vcpu(self->from, 1, 4, 0);
	EXPECT_EQ(0x1234, find(self->to, 7, 0)->ebx);
	EXPECT_EQ(NULL, find(self->to, 0x1f, 0));
	EXPECT_EQ(self->from->nent - 2 + 3, self->to->nent);
	EXPECT_EQ(0, memcmp(self->from->entries, input, sizeof(input)));
}

TEST_F(cpuid, no_topology_leaf_for_a_processor_that_ends_before_it)
{
	self->from->entries[0].eax = 7;
	self->to = minivmm_cpuid_for_vcpu(self->from, 0, 2, 0);
	EXPECT_EQ(NULL, find(self->to, 0xb, 0));
}

MVM_HARNESS_MAIN
