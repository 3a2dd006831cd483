// SPDX-License-Identifier: GPL-2.0-only
/*
 * Seeded random numbers; see mvm_random.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "mvm_random.h"

static bool from_environment(const char *name, uint64_t *value)
{
	const char *text = getenv(name);

	if (!text || !*text)
		return false;
	*value = strtoull(text, NULL, 0);
	return true;
}

uint64_t rng_seed(const char *what)
{
	uint64_t seed = 0;

	if (!from_environment("MVM_FUZZ_SEED", &seed) &&
	    getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = 1;
	printf("# %s: MVM_FUZZ_SEED=0x%llx repeats it\n", what, (unsigned long long)seed);
	return seed;
}

bool long_run(void)
{
	uint64_t value = 0;

	return from_environment("MINIVMM_LONG", &value) && value;
}

unsigned long rng_rounds(unsigned long brief, unsigned long full)
{
	uint64_t rounds;

	if (from_environment("MVM_FUZZ_ROUNDS", &rounds))
		return rounds;
	return long_run() ? full : brief;
}

bool on_bed(const char *bed)
{
	const char *here = getenv("LAB_BED");

	return here && !strcmp(here, bed);
}

bool guest_time_is_bounded(void)
{
	FILE *f = fopen("/sys/module/minivmm/parameters/max_guest_us", "r");
	long us = 0;

	if (!f)
		return false;
	if (fscanf(f, "%ld", &us) != 1)
		us = 0;
	fclose(f);
	return us > 0;
}

/* splitmix64: every state is a good one, also 0. */
uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

struct rng rng_start(uint64_t seed, uint64_t round)
{
	struct rng rng = { .state = seed };

	rng.state = rng_next(&rng) ^ round;
	rng.state = rng_next(&rng);
	return rng;
}

uint32_t rng_below(struct rng *rng, uint32_t n)
{
	return (rng_next(rng) >> 32) * n >> 32;
}

bool rng_one_in(struct rng *rng, uint32_t n)
{
	return !rng_below(rng, n);
}

uint64_t rng_edge(struct rng *rng)
{
	static const uint64_t edges[] = {
		0, 1, 2, 3, 0x7f, 0x80, 0xff, 0xfff, 0x1000, 0x7fff, 0x8000, 0xffff, 0x10000,
		0x7fffffff, 0x80000000, 0xfee00000, 0xfec00000, 0xfffff000, 0xffffffff,
		0x100000000, 0x7fffffffffff, 0x800000000000, 0xffff7fffffffffff,
		0xffff800000000000, 0x00ffffffffffffff, 0x0100000000000000, 0xfeffffffffffffff,
		0x7fffffffffffffff, 0x8000000000000000, 0xfffffffffffff000, 0xffffffffffffffff,
	};

	switch (rng_below(rng, 6)) {
	case 0:
		return 1ull << rng_below(rng, 64);
	case 1:
		return (1ull << rng_below(rng, 64)) - 1;
	case 2:
		return rng_below(rng, 512);
	case 3:
		return rng_next(rng);
	default:
		return edges[rng_below(rng, sizeof(edges) / sizeof(edges[0]))];
	}
}

void rng_fill(struct rng *rng, void *buf, size_t size)
{
	uint8_t *at = buf;
	uint64_t value;
	size_t n;

	while (size) {
		value = rng_next(rng);
		n = size < sizeof(value) ? size : sizeof(value);
		memcpy(at, &value, n);
		at += n;
		size -= n;
	}
}

void rng_mutate(struct rng *rng, void *buf, size_t size)
{
	unsigned int times = 1 + rng_below(rng, 4), width;
	uint8_t *bytes = buf;
	uint64_t value;
	size_t at;

	while (size && times--) {
		at = rng_below(rng, size);
		width = 1u << rng_below(rng, 4);
		at -= at % width;
		if (rng_one_in(rng, 3) || at + width > size) {
			bytes[at] ^= 1u << rng_below(rng, 8);
			continue;
		}
		value = rng_edge(rng);
		memcpy(bytes + at, &value, width);
	}
}
