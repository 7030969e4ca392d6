/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers that a seed decides: the same run again. */
#ifndef VNDEV_RNG_H
#define VNDEV_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline void rng_seed(struct rng *rng, uint64_t seed)
{
	rng->state = seed * 0x9e3779b97f4a7c15ull | 1;
}

/* xorshift64* */
static inline uint32_t rng_next(struct rng *rng)
{
	rng->state ^= rng->state >> 12;
	rng->state ^= rng->state << 25;
	rng->state ^= rng->state >> 27;
	return rng->state * 0x2545f4914f6cdd1dull >> 32;
}

/* 0 to N - 1 */
static inline uint32_t rng_below(struct rng *rng, uint32_t n)
{
	return (uint64_t)rng_next(rng) * n >> 32;
}

static inline bool rng_one_in(struct rng *rng, uint32_t n)
{
	return !rng_below(rng, n);
}

#endif /* VNDEV_RNG_H */
