/*
 * cases.h: a problem with its data, for tests of operators: inputs drawn from
 * a seed, outputs of the reference, arrays of double and of storage dtypes.
 */
#ifndef TESTS_UNIT_OPS_CASES_H
#define TESTS_UNIT_OPS_CASES_H

#include "ops/core/problem.h"
#include "ops/core/rng.h"

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
	struct op_case reference;
	const double *in[OP_MAX_TENSORS];
	double *out[OP_MAX_TENSORS];
};

/* What reals are drawn: standard normal, or with NaN, infinities and zeros of both signs among them. */
enum case_reals { CASE_NORMAL, CASE_SPECIAL };

static double case_real(uint64_t stream, int64_t i, enum case_reals reals)
{
	static const double special[] = { NAN, INFINITY, -INFINITY, 0.0, -0.0, 1e30, -1e-30 };

	if (reals == CASE_SPECIAL && i % 3 == 1)
		return special[(size_t)(i / 3) % ARRAY_SIZE(special)];
	return rng_normal_at(7, stream, (uint64_t)i);
}

static int64_t case_bound(const struct problem *p, const char *text)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct expr *e;
	int64_t value = 1;

	if (expr_parse(&arena, text, "bound", EXPR_BODY, &e, &err) ||
	    expr_int_value(e, p->binding, p->binding_count, &value, &err))
		abort();
	arena_release(&arena);
	return value;
}

static void case_draw(const struct problem *p, int t, int64_t n, enum case_reals reals, double *value)
{
	const struct op_tensor *tensor = &p->op->tensor[t];
	int64_t bound = tensor->bound ? case_bound(p, tensor->bound) : 100;
	uint64_t stream = (uint64_t)t + 1;

	for (int64_t i = 0; i < n; i++)
		if (tensor->domain == OP_INDEX)
			value[i] = floor(rng_uniform_at(7, stream, (uint64_t)i) * (double)bound);
		else if (tensor->domain == OP_OFFSETS)
			/* Cubed, so that some segments are empty and some long. */
			value[i] = i == n - 1 ? (double)bound
					      : floor(pow((double)i / (double)(n > 1 ? n - 1 : 1), 3) * (double)bound);
		else
			value[i] = dtype_round(problem_tensor_dtype(p, t), case_real(stream, i, reals));
}

static __attribute__((unused)) void case_open(struct case_data *c, const struct problem *p, enum case_reals reals)
{
	size_t ins = 0, outs = 0;

	*c = (struct case_data){ .problem = p };
	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++) {
		enum dtype d = problem_tensor_dtype(p, t);
		int64_t n = c->elems[t] = problem_elems(p, t);
		c->tensor_count = t + 1;
		c->value[t] = ARENA_ARRAY(&c->arena, double, n + 1);
		c->storage[t] = arena_alloc(&c->arena, (size_t)(n + 1) * dtype_bytes(d));
		if (p->op->tensor[t].role == OP_OUT) {
			c->out[outs++] = c->value[t];
			continue;
		}
		case_draw(p, t, n, reals, c->value[t]);
		for (int64_t i = 0; i < n; i++)
			dtype_store(d, c->storage[t], i, c->value[t][i]);
		c->in[ins++] = c->value[t];
	}
	c->reference = (struct op_case){ p->dim, p->attr, c->in, c->out };
	p->op->reference(&c->reference);
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

/* The declared tolerance of one element (ops/core/op.h). */
static __attribute__((unused)) double case_tolerance(const struct problem *p, int t, double want, double magnitude)
{
	double n = (double)problem_terms(p), c = p->op->tolerance > 0 ? p->op->tolerance : 1;
	double g = 8 + 2 * sqrt(n) + log2(n > 1 ? n : 1);

	return c * (dtype_roundoff(problem_tensor_dtype(p, t)) * fabs(want) + dtype_roundoff(DTYPE_f32) * g * magnitude);
}

#endif
