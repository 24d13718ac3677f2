/*
 * inputs.h: reproducible operand data: element = f(seed, distribution, tensor, index).
 */
#ifndef OPS_CORE_INPUTS_H
#define OPS_CORE_INPUTS_H

#include "ops/core/problem.h"

/* X(name, sentence) */
#define INPUT_DISTRIBUTIONS(X) \
	X(normal, "standard normal") \
	X(uniform, "uniform in [-1,1]: timing") \
	X(wide, "sign * 2^uniform(-20,20), of f16 and fp8 half their range: scales that swamp each other") \
	X(positive, "uniform in (0,1]: no cancellation") \
	X(tiny, "near the smallest normal numbers") \
	X(grid, "multiples of 1/2 in -4..4: ties, and values on thresholds") \
	X(fine, "positive, with bits that every narrower dtype rounds down: a lower precision shows, however many terms average it") \
	X(faint, "as fine, sixteen times smaller: sigmoid, tanh and softmax of what is added up do not saturate") \
	X(special, "normal with a few NaN, infinities and signed zeros: maps only") \
	X(rare, "normal with one NaN or infinity in all: the seed chooses the tensor and which") \
	X(sparse, "as grid, but all are zero (odd seeds: not zero) save for less than one in what is reduced together: counts and truths vary")
enum distribution {
#define X(name, sentence) INPUTS_##name,
	INPUT_DISTRIBUTIONS(X)
#undef X
	INPUTS_COUNT
};
const char *distribution_name(enum distribution d);

/*
 * Element i of input tensor t, already rounded to the tensor's dtype and within its
 * domain, bound and range (ops/core/op.h).  Integers without a range of their own lie
 * in -8..8 (u8: 0..16), small enough for every sum and product to be exact in double.
 */
double inputs_value(const struct problem *p, int t, enum distribution d, uint64_t seed, int64_t i);
/* What the integers of a bounded input tensor lie below, at this problem; 1: it has no bound. */
int64_t inputs_bound(const struct problem *p, int t);
/* Fills `base` (storage dtype) with tensor t. */
void inputs_fill(const struct problem *p, int t, enum distribution d, uint64_t seed, void *base);
/* All inputs of one draw, read element by element without being held: an interp_read over `struct inputs`. */
struct inputs;
struct inputs *inputs_open(const struct problem *p, enum distribution d, uint64_t seed);
double inputs_read(const void *inputs, int tensor, int64_t i);
void inputs_close(struct inputs *inputs);
/* Fills as inputs_fill() does, as doubles. */
void inputs_values(const struct problem *p, int t, enum distribution d, uint64_t seed, double *value);

#endif
