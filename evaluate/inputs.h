/*
 * inputs.h: reproducible operand data: element = f(seed, distribution, tensor, index).
 */
#ifndef EVALUATE_INPUTS_H
#define EVALUATE_INPUTS_H

#include "ops/core/problem.h"

/* X(name, sentence) */
#define INPUT_DISTRIBUTIONS(X) \
	X(normal, "standard normal") \
	X(uniform, "uniform in [-1,1]: timing") \
	X(wide, "sign * 2^uniform(-20,20): scales that swamp each other") \
	X(positive, "uniform in (0,1]: no cancellation") \
	X(tiny, "near the smallest normal numbers") \
	X(special, "normal with a few NaN, infinities and signed zeros: maps only")
enum distribution {
#define X(name, sentence) INPUTS_##name,
	INPUT_DISTRIBUTIONS(X)
#undef X
	INPUTS_COUNT
};
const char *distribution_name(enum distribution d);

/* Element i of input tensor t, already rounded to the tensor's dtype. */
double inputs_value(const struct problem *p, int t, enum distribution d, uint64_t seed, int64_t i);
/* Fills `base` (storage dtype) with tensor t. */
void inputs_fill(const struct problem *p, int t, enum distribution d, uint64_t seed, void *base);

#endif
