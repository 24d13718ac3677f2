/*
 * rng.h: counter-based random numbers, value = f(seed, stream, index): the same
 * everywhere, in any order.  Philox4x32-10 (Salmon et al., SC'11).
 */
#ifndef OPS_CORE_RNG_H
#define OPS_CORE_RNG_H

#include "ops/core/base.h"

/* Word `lane` (0..3) of Philox4x32-10 with counter `counter` and key `seed`. */
uint32_t philox(uint64_t seed, uint64_t counter, int lane);

/* A sequence: state is just the position, so it can be stored and resumed. */
struct rng {
	uint64_t seed, position;
};
uint64_t rng_next(struct rng *rng);
int64_t rng_below(struct rng *rng, int64_t n); /* 0..n-1, n > 0 */
double rng_unit(struct rng *rng);              /* [0,1) */

/* Stateless: uniform in [0,1) and standard normal (Box-Muller) for element `index`. */
double rng_uniform_at(uint64_t seed, uint64_t stream, uint64_t index);
double rng_normal_at(uint64_t seed, uint64_t stream, uint64_t index);

#endif
