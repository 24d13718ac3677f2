#include "ops/core/inputs.h"
#include "ops/core/interp.h"
#include "ops/core/normal.h"
#include "ops/core/op_check.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- body against reference ------------------------------------------- */

struct trial {
	const struct problem *problem;
	enum distribution distribution;
	struct arena arena;
	double *value[OP_MAX_TENSORS];
	int64_t elems[OP_MAX_TENSORS];
};

static double read_value(const void *user, int tensor, int64_t index)
{
	return ((const struct trial *)user)->value[tensor][index];
}

static int compare(struct trial *x, struct interp *in, int t, struct strbuf *err)
{
	const struct op *op = x->problem->op;
	double got, magnitude;

	for (int64_t i = 0; i < x->elems[t]; i++) {
		if (interp_value_magnitude(in, t, i, &got, &magnitude, err)) {
			strbuf_addstr(err, ": change the position, or guard it with 'else' or '?:'");
			return -1;
		}
		double want = x->value[t][i];
		if (!isfinite(magnitude))
			magnitude = fabs(want);
		bool same = got == want || (isnan(got) && isnan(want)) || (isfinite(want) && fabs(got - want) <= 1e-9 * magnitude + DBL_MIN);
		if (!same) {
			struct strbuf where = STRBUF_INIT;
			problem_print(x->problem, &where);
			op_fault(op, "", err, "body and reference disagree: %s[%" PRId64 "] is %.9g by the body, %.9g by the reference at %s, %s inputs: correct one",
				 op->tensor[t].name, i, got, want, where.buf, distribution_name(x->distribution));
			strbuf_release(&where);
			return -1;
		}
	}
	return 0;
}

static int run_with(const struct problem *p, enum distribution d, uint64_t seed, struct strbuf *err)
{
	struct trial x = { .problem = p, .distribution = d };
	struct interp *interp = NULL;
	int ret = -1;

	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++) {
		x.elems[t] = problem_elems(p, t);
		x.value[t] = ARENA_ARRAY(&x.arena, double, x.elems[t] + 1);
		if (p->op->tensor[t].role == OP_IN)
			inputs_values(p, t, d, seed, x.value[t]);
	}
	problem_reference(p, x.value);
	interp = interp_open(p, read_value, &x, err);
	if (!interp)
		goto out;
	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		if (p->op->tensor[t].role == OP_OUT && compare(&x, interp, t, err))
			goto out;
	ret = 0;
out:
	interp_close(interp);
	arena_release(&x.arena);
	return ret;
}

/*
 * Usual values, those on which ties and thresholds fall, scales at which an unstable form overflows, those at which nothing
 * saturates, and what is no number: often, and once in all.
 */
static int run_at(const struct problem *p, enum op_use use, void *user)
{
	static const enum distribution once[] = { INPUTS_normal, INPUTS_grid, INPUTS_wide, INPUTS_faint, INPUTS_special };
	uint64_t kinds = 0;

	(void)use;
	for (size_t i = 0; i < ARRAY_SIZE(once); i++)
		if (run_with(p, once[i], 1, user))
			return -1;
	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		kinds += 3 * (p->op->tensor[t].role == OP_IN && dtype_is_real(problem_tensor_dtype(p, t)));
	for (uint64_t seed = 0; seed < kinds; seed++)
		if (run_with(p, INPUTS_rare, seed, user))
			return -1;
	return 0;
}

bool op_check_run(const struct op *op, struct strbuf *err)
{
	return !problem_each(op, OP_CHECK, 1, run_at, err, err);
}
