/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random numbers for tests that throw them at the device: seeded, printed and
 * repeatable, with a taste for the edges of things.
 */
#ifndef MVM_RANDOM_H
#define MVM_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

/*
 * The seed of this run: MVM_FUZZ_SEED from the environment, else a new one.
 * It is printed, with @what, as a comment.
 */
uint64_t rng_seed(const char *what);

/*
 * How many rounds: MVM_FUZZ_ROUNDS from the environment, else @full with
 * MINIVMM_LONG=1, else @brief.
 */
unsigned long rng_rounds(unsigned long brief, unsigned long full);

/* MINIVMM_LONG=1: the long form is wanted. */
bool long_run(void);

/* Is this the emulated host of that name? */
bool on_bed(const char *bed);

/* Does the module bound how long a guest runs at a time (its parameter max_guest_us)? */
bool guest_time_is_bounded(void);

/* A generator of its own for each round, so that rounds do not depend on each other. */
struct rng rng_start(uint64_t seed, uint64_t round);
uint64_t rng_next(struct rng *rng);
/* 0 to @n - 1. */
uint32_t rng_below(struct rng *rng, uint32_t n);
/* True once in @n. */
bool rng_one_in(struct rng *rng, uint32_t n);
/* Zero, ones, single bits, limits of what is canonical, small, or any number. */
uint64_t rng_edge(struct rng *rng);
void rng_fill(struct rng *rng, void *buf, size_t size);
/* Change some bytes, words or bits of @buf to others, mostly edges. */
void rng_mutate(struct rng *rng, void *buf, size_t size);

#endif /* MVM_RANDOM_H */
