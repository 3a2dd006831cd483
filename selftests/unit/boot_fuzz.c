// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mutated images: whatever the bytes are, a load ends with success or with a
 * sentence, and touches nothing outside of guest memory (AddressSanitizer and
 * the guard around the mapping see to that).
 *
 * MVM_FUZZ_ROUNDS sets the number of mutants for each kind, MVM_FUZZ_SEED the
 * seed, which is printed.
 */
#include <errno.h>

#include "boot_util.h"

#define ROUNDS		20000
#define IMAGE_MAX	BZ_SIZE

_Static_assert(ELF_SIZE <= IMAGE_MAX, "every image fits");

static uint64_t rng_state;

static uint64_t rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state;
}

static uint64_t from_env(const char *name, uint64_t fallback)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : fallback;
}

FIXTURE(fuzz) {
	struct load l;
	uint8_t image[IMAGE_MAX];
	uint8_t mutant[IMAGE_MAX];
	size_t size;
	size_t hot;	/* where headers end, which most mutations hit */
};

FIXTURE_VARIANT(fuzz) {
	void (*make)(uint8_t *image);
	size_t size;
	size_t hot;
};

FIXTURE_VARIANT_ADD(fuzz, bzimage) { make_bzimage, BZ_SIZE, 0x270 };
FIXTURE_VARIANT_ADD(fuzz, elf64) { make_elf64, ELF_SIZE, 0x220 };
FIXTURE_VARIANT_ADD(fuzz, elf32) { make_elf32, ELF_SIZE, 0x60 };

FIXTURE_SETUP(fuzz)
{
	ASSERT_TRUE(load_init(&self->l, 32 * MIB));
	variant->make(self->image);
	self->size = variant->size;
	self->hot = variant->hot;
	rng_state = from_env("MVM_FUZZ_SEED", 0x6d696e69766d6d31);
	TH_LOG("MVM_FUZZ_SEED=0x%llx", (unsigned long long)rng_state);
}

FIXTURE_TEARDOWN(fuzz)
{
	load_fini(&self->l);
}

/* One field overwritten: random, all ones, a power of two, or a bit flipped. */
static void mutate(uint8_t *image, size_t size, size_t hot)
{
	size_t width = 1u << rng() % 4;
	size_t at = rng() % (rng() % 8 ? hot : size);
	uint64_t value = rng();

	if (at + width > size)
		at = size - width;
	switch (rng() % 4) {
	case 0:
		break;
	case 1:
		value = UINT64_MAX - value % 16;
		break;
	case 2:
		value = 1ull << value % 64;
		break;
	case 3:
		memcpy(&value, image + at, width);
		value ^= 1ull << rng() % (8 * width);
		break;
	}
	memcpy(image + at, &value, width);
}

TEST_F(fuzz, mutants_load_or_are_refused_in_words)
{
	uint64_t rounds = from_env("MVM_FUZZ_ROUNDS", ROUNDS);
	unsigned long loaded = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		size_t size = self->size;

		memcpy(self->mutant, self->image, size);
		for (unsigned int n = 1 + rng() % 6; n; n--)
			mutate(self->mutant, size, self->hot);
		if (!(rng() % 8))
			size = 1 + rng() % size;
		self->l.in.no_pvh = rng() & 1;
		if (!load_image(&self->l, self->mutant, size)) {
			ASSERT_NE(0, self->l.out.regs.rip | 1);
			loaded++;
		} else {
			ASSERT_GE(0, self->l.ret);
			ASSERT_NE(NULL, strstr(self->l.err, "IMAGE"));
		}
	}
	TH_LOG("%lu of %llu mutants loaded", loaded, (unsigned long long)rounds);
	EXPECT_GT(loaded, rounds / 100);
	EXPECT_LT(loaded, rounds);
}

MVM_HARNESS_MAIN
