/*
 * cases.h: a problem with its data, for tests of operators: inputs drawn from
 * a seed, outputs of the reference, arrays of double and of storage dtypes.
 */
#ifndef TESTS_UNIT_OPS_CASES_H
#define TESTS_UNIT_OPS_CASES_H

#include "ops/core/inputs.h"
#include "ops/core/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct case_data {
	const struct problem *problem;
	struct arena arena;
	int tensor_count;
	double *value[OP_MAX_TENSORS];  /* by tensor; outputs: of the reference */
	void *storage[OP_MAX_TENSORS];  /* the same in storage dtypes; outputs: zero */
	int64_t elems[OP_MAX_TENSORS];
};

static __attribute__((unused)) void case_open(struct case_data *c, const struct problem *p, enum distribution reals)
{
	*c = (struct case_data){ .problem = p };
	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++) {
		enum dtype d = problem_tensor_dtype(p, t);
		int64_t n = c->elems[t] = problem_elems(p, t);
		c->tensor_count = t + 1;
		c->value[t] = ARENA_ARRAY(&c->arena, double, n + 1);
		c->storage[t] = arena_alloc(&c->arena, (size_t)(n + 1) * dtype_bytes(d));
		if (p->op->tensor[t].role == OP_OUT)
			continue;
		inputs_values(p, t, reals, 7, c->value[t]);
		for (int64_t i = 0; i < n; i++)
			dtype_store(d, c->storage[t], i, c->value[t][i]);
	}
	problem_reference(p, c->value);
}

static __attribute__((unused)) void case_close(struct case_data *c)
{
	arena_release(&c->arena);
}

/* interp_read over a case's inputs. */
static __attribute__((unused)) double case_read(const void *user, int tensor, int64_t index)
{
	return ((const struct case_data *)user)->value[tensor][index];
}

/* Equal, both NaN, or within `bound` of each other. */
static __attribute__((unused)) bool case_close_to(double got, double want, double bound)
{
	if (isnan(got) || isnan(want) || isinf(got) || isinf(want))
		return (isnan(got) && isnan(want)) || got == want;
	return fabs(got - want) <= bound;
}

/* In double nothing depends on the dtype beyond its kind: is p's the first of its kind that the operator has? */
static __attribute__((unused)) bool case_is_first_of_kind(const struct problem *p)
{
	for (int d = 0; d < (int)p->dtype; d++)
		if (words_index(p->op->dtypes, dtype_name((enum dtype)d)) >= 0 && dtype_is_real((enum dtype)d) == dtype_is_real(p->dtype) &&
		    (d == DTYPE_bool) == (p->dtype == DTYPE_bool))
			return false;
	return true;
}

#endif
