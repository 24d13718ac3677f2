#include "evaluate/inputs.h"
#include "ops/core/rng.h"

#include <math.h>

const char *distribution_name(enum distribution d)
{
	static const char *const name[] = {
#define X(n, sentence) #n,
		INPUT_DISTRIBUTIONS(X)
#undef X
	};
	return name[d];
}

static double draw(enum distribution d, uint64_t seed, uint64_t stream, uint64_t i)
{
	double u = rng_uniform_at(seed, stream, i);

	switch (d) {
	case INPUTS_normal: return rng_normal_at(seed, stream, i);
	case INPUTS_uniform: return 2 * u - 1;
	case INPUTS_wide: return (u < 0.5 ? -1 : 1) * exp2(40 * rng_uniform_at(seed, stream + 64, i) - 20);
	case INPUTS_positive: return 1 - u;
	case INPUTS_tiny: return (2 * u - 1) * 0x1p-124;
	case INPUTS_special:
		if (u < 0.05)
			return NAN;
		if (u < 0.1)
			return u < 0.075 ? INFINITY : -INFINITY;
		return u < 0.15 ? (u < 0.125 ? 0.0 : -0.0) : rng_normal_at(seed, stream, i);
	case INPUTS_COUNT: break;
	}
	return 0;
}

static int64_t bound_of(const struct problem *p, int t)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct expr *e;
	int64_t value = 1;

	if (expr_parse(&arena, p->op->tensor[t].bound, p->op->name, EXPR_BODY, &e, &err) ||
	    expr_int_value(e, p->binding, p->binding_count, &value, &err))
		value = 1;
	strbuf_release(&err);
	arena_release(&arena);
	return value;
}

/* Non-decreasing, first 0, last the bound; neighbours are often equal: empty segments. */
static double offset_at(int64_t bound, int64_t elems, uint64_t seed, int t, int64_t i)
{
	if (i == 0)
		return 0;
	if (i == elems - 1)
		return (double)bound;
	/* A jitter below one step keeps the order; rounding down to even positions makes ties. */
	double step = (double)bound / (double)(elems - 1), at = step * ((double)(i & ~INT64_C(1)) + rng_uniform_at(seed, (uint64_t)t, (uint64_t)(i / 2)));
	return floor(at < (double)bound ? at : (double)bound);
}

double inputs_value(const struct problem *p, int t, enum distribution d, uint64_t seed, int64_t i)
{
	enum dtype dtype = problem_tensor_dtype(p, t);

	switch (p->op->tensor[t].domain) {
	case OP_INDEX:
		return floor(rng_uniform_at(seed, (uint64_t)t, (uint64_t)i) * (double)bound_of(p, t));
	case OP_OFFSETS:
		return offset_at(bound_of(p, t), problem_elems(p, t), seed, t, i);
	default:
		return dtype_round(dtype, draw(d, seed, (uint64_t)t, (uint64_t)i));
	}
}

void inputs_fill(const struct problem *p, int t, enum distribution d, uint64_t seed, void *base)
{
	int64_t elems = problem_elems(p, t), bound = p->op->tensor[t].bound ? bound_of(p, t) : 0;
	enum dtype dtype = problem_tensor_dtype(p, t);

	for (int64_t i = 0; i < elems; i++) {
		double v;
		if (p->op->tensor[t].domain == OP_INDEX)
			v = floor(rng_uniform_at(seed, (uint64_t)t, (uint64_t)i) * (double)bound);
		else if (p->op->tensor[t].domain == OP_OFFSETS)
			v = offset_at(bound, elems, seed, t, i);
		else
			v = draw(d, seed, (uint64_t)t, (uint64_t)i);
		dtype_store(dtype, base, i, v);
	}
}
