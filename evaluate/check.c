#include "evaluate/expected.h"
#include "ops/core/defence.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool gives_reals(const struct problem *p)
{
	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		if (p->op->tensor[t].role == OP_OUT && !dtype_is_real(problem_tensor_dtype(p, t)))
			return false;
	return true;
}

/* Does it give truths or numbers of elements, and no places? */
static bool counts(const struct problem *p)
{
	bool gives_truths = false;

	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		gives_truths |= p->op->tensor[t].role == OP_OUT && problem_tensor_dtype(p, t) == DTYPE_bool;
	return gives_truths || (!gives_reals(p) && !problem_only_compares(p));
}

size_t check_distributions(const struct problem *p, enum distribution d[INPUTS_COUNT])
{
	static const enum distribution always[] = { INPUTS_normal, INPUTS_wide, INPUTS_positive, INPUTS_grid, INPUTS_fine, INPUTS_faint };
	size_t n = ARRAY_SIZE(always);

	memcpy(d, always, sizeof(always));
	if (!defence_stands(DEFENCE_DISTRIBUTIONS))
		return 1;
	/* What only moves, compares or maps element by element must keep what is special, too. */
	if (problem_terms(p) == 1 || problem_only_compares(p))
		d[n++] = INPUTS_special;
	if (counts(p))
		d[n++] = INPUTS_sparse;
	return n;
}

enum distribution check_distribution(const struct problem *p) { return counts(p) ? INPUTS_sparse : gives_reals(p) ? INPUTS_normal : INPUTS_grid; }

/* "y[3,17]" */
static void print_position(const struct problem *p, int t, int64_t flat, char *text, size_t size)
{
	int64_t extent[8], at[8];
	int rank = problem_shape(p, t, extent), n = snprintf(text, size, "%s[", p->op->tensor[t].name);

	for (int i = rank; i-- > 0;) {
		at[i] = flat % extent[i];
		flat /= extent[i];
	}
	for (int i = 0; i < rank && (size_t)n < size; i++)
		n += snprintf(text + n, size - (size_t)n, "%s%" PRId64, i ? "," : "", at[i]);
	if ((size_t)n < size)
		snprintf(text + n, size - (size_t)n, "]");
}

/* Same kind of special value, or within the bound. */
static bool agrees(double got, double want, double bound)
{
	if (isnan(want) || isnan(got))
		return (isnan(want) && isnan(got)) || !defence_stands(DEFENCE_NAN_CLASS);
	if (isinf(want))
		return got == want;
	if (!defence_stands(DEFENCE_TOLERANCE))
		return fabs(got - want) <= 5e-2 + 5e-2 * fabs(want);
	return fabs(got - want) <= bound;
}

/* Integers wrap as their dtype does; a finite value beyond a real dtype's range rounds to infinity or NaN. */
static double as_stored(enum dtype dtype, double want)
{
	double rounded = dtype_round(dtype, want);

	return !dtype_is_real(dtype) || !isfinite(rounded) ? rounded : want;
}

bool expected_accepts(const struct expected *e, int output, int64_t i, double got)
{
	const struct expected_output *x = &e->output[output];

	return agrees(got, as_stored(problem_tensor_dtype(&e->problem, x->tensor), x->want[i]), x->bound[i]);
}

void expected_compare(const struct expected *e, const void *const *out, struct check_result *r)
{
	*r = (struct check_result){ .verdict = VERDICT_PASSED };
	if (!defence_stands(DEFENCE_VALUES))
		return;
	for (int o = 0; o < e->output_count; o++) {
		const struct expected_output *x = &e->output[o];
		enum dtype dtype = problem_tensor_dtype(&e->problem, x->tensor);
		for (int64_t i = 0; i < x->count && (i < 16 || defence_stands(DEFENCE_EVERY_ELEMENT)); i++) {
			int64_t at = x->index ? x->index[i] : i;
			double got = dtype_load(dtype, out[o], at), error = fabs(got - x->want[i]), want = as_stored(dtype, x->want[i]);
			r->compared_count++;
			if (!dtype_is_real(dtype))
				error = fabs(got - want);
			if (!agrees(got, want, x->bound[i])) {
				if (!r->wrong_count++) {
					char position[80];
					print_position(&e->problem, x->tensor, at, position, sizeof(position));
					snprintf(r->first_wrong, sizeof(r->first_wrong), "%s: got %.9g, want %.9g (bound %.3g)", position, got, want,
						 x->bound[i]);
				}
				r->verdict = VERDICT_INCORRECT_NUMERICAL;
			}
			if (!isfinite(error))
				continue;
			r->max_abs_error = fmax(r->max_abs_error, error);
			if (want != 0)
				r->max_rel_error = fmax(r->max_rel_error, error / fabs(want));
			double ulp = 2 * dtype_roundoff(dtype) * fmax(fabs(want), FLT_MIN);
			if (ulp > 0)
				r->max_ulp_error = fmax(r->max_ulp_error, error / ulp);
			if (x->bound[i] > 0)
				r->tolerance_ratio = fmax(r->tolerance_ratio, error / x->bound[i]);
		}
	}
}
