/* Inputs for tests below the layer `evaluate`: indices in range, offsets rising, reals normal. */
#ifndef TESTS_UNIT_GENERATE_TEST_INPUT_H
#define TESTS_UNIT_GENERATE_TEST_INPUT_H

#include "ops/core/problem.h"
#include "ops/core/rng.h"

#include <math.h>

static inline double test_input(const struct problem *p, int t, int64_t i)
{
	const struct op_tensor *x = &p->op->tensor[t];
	int dim = x->bound ? op_dim_index(p->op, x->bound) : -1;
	int64_t bound = dim >= 0 ? p->dim[dim] : 1, n = problem_elems(p, t);

	if (x->domain == OP_INDEX)
		return floor(rng_uniform_at(5, (uint64_t)t, (uint64_t)i) * (double)bound);
	if (x->domain == OP_OFFSETS)
		return i + 1 == n ? (double)bound : floor((double)bound * (double)(i / 2 * 2) / (double)n);
	return rng_normal_at(5, (uint64_t)t, (uint64_t)i);
}

#endif
