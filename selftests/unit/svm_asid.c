// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ASID policy against a model of every CPU's TLB: no entry may find, under its
 * number, a translation of another vCPU or one of its own from before a flush.
 *
 * The model caches the worst: every entry leaves a translation under its number, and
 * nothing ever falls out by itself. A CPU that was off comes back with another owner's
 * translations under every number.
 */
#include "mvm_harness.h"
#include "svm/asid.h"

#define CPUS	 3
#define VCPUS	 7
#define MAX_ASID 9
#define FOREIGN	 (~0ULL)

/* A vCPU as the hypervisor has it, and what its translations must be newer than. */
struct vcpu {
	struct mvm_asid asid;
	u64 serial; /* never reused; with epoch it names what an entry may use */
	u64 epoch;
};

/* What one number has cached on one CPU: at most one writer, or the model has failed. */
struct tag {
	u64 serial; /* 0 = nothing */
	u64 epoch;
};

struct world {
	struct mvm_asid_pool pool[CPUS];
	struct tag tlb[CPUS][MAX_ASID + 1];
	struct vcpu vcpu[VCPUS];
	u64 serial;
	u32 min;
	bool by_asid;
	u64 full, single;
};

FIXTURE(asid) {
	struct world world;
};

/* Any start will do; a failure shows it. */
static u64 seed = 20260101, state;

static u32 pick(u32 n)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (state >> 33) % n;
}

static void create(struct world *self, struct vcpu *vcpu)
{
	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->asid.cpu = -1;
	vcpu->serial = ++self->serial;
}

/* The CPU was another hypervisor's, or off, and is turned on. */
static void turn_on(struct world *self, int cpu)
{
	u32 nr;

	for (nr = 0; nr <= MAX_ASID; nr++)
		self->tlb[cpu][nr] = (struct tag){ FOREIGN, 0 };
	mvm_asid_pool_reset(&self->pool[cpu], self->min, MAX_ASID);
}

FIXTURE_SETUP(asid)
{
	int i;

	state = seed;
	self->world.min = 1;
	for (i = 0; i < CPUS; i++)
		turn_on(&self->world, i);
	for (i = 0; i < VCPUS; i++)
		create(&self->world, &self->world.vcpu[i]);
}

FIXTURE_TEARDOWN(asid)
{
}

/* What an entry that takes place does to the TLB. The number of wrong translations found. */
static int enter(struct world *self, struct vcpu *vcpu, int cpu, enum mvm_asid_flush flush)
{
	struct tag *tags = self->tlb[cpu], *own = &tags[vcpu->asid.nr];

	self->full += flush == MVM_ASID_FLUSH_ALL;
	self->single += flush == MVM_ASID_FLUSH_ONE;
	if (flush == MVM_ASID_FLUSH_ALL)
		memset(tags, 0, sizeof(self->tlb[cpu]));
	else if (flush == MVM_ASID_FLUSH_ONE)
		own->serial = 0;
	if (own->serial && (own->serial != vcpu->serial || own->epoch != vcpu->epoch))
		return 1;
	*own = (struct tag){ vcpu->serial, vcpu->epoch };
	return 0;
}

/* One run as svm_vcpu_run() does it; @refused: VMRUN faults or finds the state illegal. */
static int run(struct world *self, struct vcpu *vcpu, int cpu, bool refused)
{
	enum mvm_asid_flush flush;

	mvm_asid_assign(&vcpu->asid, &self->pool[cpu], cpu, self->by_asid, &flush);
	if (vcpu->asid.nr < self->min || vcpu->asid.nr > MAX_ASID)
		return 1;
	if (flush == MVM_ASID_FLUSH_ONE && !self->by_asid)
		return 1;
	if (refused)
		return 0;
	mvm_asid_entered(&vcpu->asid, &self->pool[cpu]);
	return enter(self, vcpu, cpu, flush);
}

/* A long life of several vCPUs. The step that went wrong, or -1. */
static long live(struct world *self, long steps)
{
	struct vcpu *vcpu;
	long i;

	for (i = 0; i < steps; i++) {
		vcpu = &self->vcpu[pick(VCPUS)];
		switch (pick(20)) {
		case 0:
			create(self, vcpu); /* its memory may be what the old one's was */
			break;
		case 1:
			turn_on(self, pick(CPUS));
			break;
		case 2 ... 5:
			vcpu->epoch++;
			mvm_asid_flush(&vcpu->asid);
			break;
		default:
			if (run(self, vcpu, pick(CPUS), !pick(8)))
				return i;
		}
	}
	return -1;
}

TEST_F(asid, no_entry_sees_what_is_not_its_own)
{
	EXPECT_EQ(-1, live(&self->world, 1000000)) {
		TH_LOG("seed %llu", (unsigned long long)seed);
	}
	EXPECT_EQ(0, self->world.single);
	EXPECT_LT(0, self->world.full);
}

TEST_F(asid, nor_where_one_number_can_be_flushed)
{
	self->world.by_asid = true;
	EXPECT_EQ(-1, live(&self->world, 1000000)) {
		TH_LOG("seed %llu", (unsigned long long)seed);
	}
	EXPECT_LT(0, self->world.single);
	EXPECT_LT(0, self->world.full);
}

TEST_F(asid, nor_with_a_single_number)
{
	int i;

	self->world.min = MAX_ASID;
	for (i = 0; i < CPUS; i++)
		turn_on(&self->world, i);
	EXPECT_EQ(-1, live(&self->world, 1000000)) {
		TH_LOG("seed %llu", (unsigned long long)seed);
	}
}

TEST_F(asid, a_vcpu_that_stays_flushes_nothing)
{
	int i;

	for (i = 0; i < 1000; i++)
		ASSERT_EQ(0, run(&self->world, &self->world.vcpu[i & 1], 0, false));
	EXPECT_EQ(1, self->world.full);
	EXPECT_EQ(0, self->world.single);
}

TEST_F(asid, a_refused_entry_leaves_the_flush_to_the_next_vcpu)
{
	ASSERT_EQ(0, run(&self->world, &self->world.vcpu[0], 0, true));
	/* It goes elsewhere, where it carries out a flush that is not the one due here. */
	ASSERT_EQ(0, run(&self->world, &self->world.vcpu[0], 1, false));
	EXPECT_EQ(0, run(&self->world, &self->world.vcpu[1], 0, false));
}

MVM_HARNESS_MAIN
