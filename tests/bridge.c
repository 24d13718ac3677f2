/*
 * The operators and the checker, for tests/opinfo.py (ctypes): PyTorch's outputs are
 * judged like a candidate kernel's, and the reference by the body.  Texts that are
 * returned are the caller's: bridge_free().
 */
#include "evaluate/check.h"
#include "ops/core/interp.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *bridge_operators(void);
char *bridge_problem(const char *text);
int bridge_judge(const char *text, const char *dtypes, void *const *buf, char *why, int64_t size);
void bridge_free(char *text);

enum bridge_verdict { AGREES, DIFFERS, OUTSIDE /* the operator's domain */, BROKEN };

void bridge_free(char *text)
{
	free(text);
}

static char *finish(cJSON *json)
{
	char *text = cJSON_PrintUnformatted(json);

	cJSON_Delete(json);
	return text;
}

static void add_text(cJSON *to, const char *name, const char *text)
{
	cJSON_AddItemToObject(to, name, text ? cJSON_CreateString(text) : cJSON_CreateNull());
}

static cJSON *tensors(const struct op *op, const struct problem *p)
{
	cJSON *all = cJSON_CreateArray();

	for (int t = 0; t < OP_MAX_TENSORS && op->tensor[t].name; t++) {
		const struct op_tensor *x = &op->tensor[t];
		cJSON *one = cJSON_CreateObject();
		int64_t extent[OP_MAX_RANK];
		add_text(one, "name", x->name);
		add_text(one, "role", x->role == OP_OUT ? "out" : "in");
		add_text(one, "dtype", p ? dtype_name(problem_tensor_dtype(p, t)) : x->dtype);
		add_text(one, "ones", x->ones);
		cJSON_AddItemToArray(all, one);
		if (!p) {
			add_text(one, "shape", x->shape);
			continue;
		}
		cJSON *shape = cJSON_AddArrayToObject(one, "shape");
		int rank = problem_shape(p, t, extent);
		for (int k = 0; k < rank; k++)
			cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)extent[k]));
	}
	return all;
}

/* Every operator, as JSON. */
char *bridge_operators(void)
{
	cJSON *all = cJSON_CreateArray();
	const struct op *op;

	for (size_t i = 0; (op = op_at(i)); i++) {
		cJSON *one = cJSON_CreateObject();
		add_text(one, "name", op->name);
		add_text(one, "aliases", op->aliases);
		add_text(one, "dims", op->dims);
		add_text(one, "dtypes", op->dtypes);
		add_text(one, "torch", op->torch);
		add_text(one, "opinfo", op->opinfo);
		add_text(one, "sample", op->sample);
		cJSON_AddItemToObject(one, "tensors", tensors(op, NULL));
		cJSON *attributes = cJSON_AddObjectToObject(one, "attributes"), *integers = cJSON_AddArrayToObject(one, "integers");
		for (int a = 0; a < OP_MAX_ATTRS && op->attr[a].name; a++) {
			cJSON_AddNumberToObject(attributes, op->attr[a].name, op->attr[a].value);
			if (op->attr[a].is_int)
				cJSON_AddItemToArray(integers, cJSON_CreateString(op->attr[a].name));
		}
		cJSON *sources = cJSON_AddArrayToObject(one, "sources");
		for (int s = 0; s < OP_MAX_SHAPES && op->shape[s].binding; s++)
			if (op->shape[s].source)
				cJSON_AddItemToArray(sources, cJSON_CreateString(op->shape[s].source));
		cJSON_AddItemToArray(all, one);
	}
	return finish(all);
}

/* {"tensors": [...]} with extents and dtypes, or {"error": "..."}. */
char *bridge_problem(const char *text)
{
	struct strbuf err = STRBUF_INIT;
	struct problem p;
	cJSON *answer = cJSON_CreateObject();

	if (problem_parse(text, &p, &err))
		add_text(answer, "error", err.buf);
	else
		cJSON_AddItemToObject(answer, "tensors", tensors(p.op, &p));
	strbuf_release(&err);
	return finish(answer);
}

struct judged {
	struct op op; /* with the dtypes of the arrays at hand */
	struct problem problem;
	struct arena arena;
	int count;
	double *value[OP_MAX_TENSORS];
	int64_t elems[OP_MAX_TENSORS];
};

static double read_value(const void *user, int tensor, int64_t index)
{
	return ((const struct judged *)user)->value[tensor][index];
}

/* What the operator may rely on (op.h, enum op_domain). */
static bool is_inside(const struct judged *j, int t, struct strbuf *why)
{
	const struct op_tensor *x = &j->op.tensor[t];
	const double *v = j->value[t];
	int64_t extent[OP_MAX_RANK], bound = 0, n = j->elems[t];
	int rank = problem_shape(&j->problem, t, extent);
	int64_t last = rank ? extent[rank - 1] : 1;
	struct arena arena = ARENA_INIT;
	struct expr *e;
	bool good = true;

	if (x->bound && (expr_parse(&arena, x->bound, x->name, EXPR_BODY, &e, why) ||
			 expr_int_value(e, j->problem.binding, j->problem.binding_count, &bound, why)))
		good = false;
	for (int64_t row = 0; row < n && good; row += last) {
		double sum = 0;
		for (int64_t i = row; i < row + last; i++) {
			bool is_first = i == row;
			sum += v[i];
			if (x->domain == OP_INDEX || x->domain == OP_UNIQUE)
				good &= v[i] >= 0 && v[i] < (double)bound;
			if (x->domain == OP_SORTED || x->domain == OP_OFFSETS)
				good &= is_first || v[i] >= v[i - 1];
			if (x->domain == OP_LENGTHS)
				good &= v[i] >= 0;
			for (int64_t k = row; k < i && x->domain == OP_UNIQUE; k++)
				good &= v[k] != v[i];
		}
		if (x->domain == OP_OFFSETS)
			good &= v[row] == 0 && v[row + last - 1] == (double)bound;
		if (x->domain == OP_LENGTHS)
			good &= sum == (double)bound;
	}
	if (!good && !why->len)
		strbuf_addf(why, "'%s' outside its domain", x->name);
	arena_release(&arena);
	return good;
}

/* Does the reference give what the body says?  Both in double: what differs is rounding. */
static enum bridge_verdict compare_reference(struct judged *j, struct strbuf *why)
{
	struct interp *in = interp_open(&j->problem, read_value, j, why);
	enum bridge_verdict verdict = in ? AGREES : BROKEN;

	problem_reference(&j->problem, j->value);
	for (int t = 0; t < j->count && verdict == AGREES; t++)
		for (int64_t i = 0; j->op.tensor[t].role == OP_OUT && i < j->elems[t] && verdict == AGREES; i++) {
			enum dtype d = problem_tensor_dtype(&j->problem, t);
			double got = j->value[t][i], want, magnitude;
			if (interp_value_magnitude(in, t, i, &want, &magnitude, why)) {
				verdict = BROKEN;
				break;
			}
			if (!dtype_is_real(d))
				got = dtype_round(d, got), want = dtype_round(d, want);
			double bound = 1e-9 * (isfinite(magnitude) ? magnitude : fabs(want));
			if (got == want || (isnan(got) && isnan(want)) || fabs(got - want) <= bound)
				continue;
			strbuf_addf(why, "reference and body: %s[%lld]: %.12g and %.12g", j->op.tensor[t].name, (long long)i, got, want);
			verdict = DIFFERS;
		}
	interp_close(in);
	return verdict;
}

static enum bridge_verdict compare_outputs(struct judged *j, void *const *buf, struct strbuf *why)
{
	const void *in[OP_MAX_TENSORS] = { NULL }, *out[OP_MAX_TENSORS] = { NULL };
	enum bridge_verdict verdict = BROKEN;
	int outs = 0;

	for (int t = 0; t < j->count; t++)
		if (j->op.tensor[t].role == OP_OUT)
			out[outs++] = buf[t];
		else
			in[t] = buf[t];
	struct expected *e = expected_open(&j->problem, in, 0, 1, why);
	if (e) {
		struct check_result r;
		expected_compare(e, out, &r);
		verdict = r.verdict == VERDICT_PASSED ? AGREES : DIFFERS;
		if (verdict == DIFFERS)
			strbuf_addf(why, "PyTorch and body: %lld of %lld, %s", (long long)r.wrong_count, (long long)r.compared_count, r.first_wrong);
	}
	expected_close(e);
	return verdict;
}

/*
 * buf[]: an array per tensor, dense, of the dtypes listed in `dtypes` (by tensor; PyTorch
 * may round an output to another dtype than ours).  The answer; what is wrong, in `why`.
 */
int bridge_judge(const char *text, const char *dtypes, void *const *buf, char *why, int64_t size)
{
	struct strbuf err = STRBUF_INIT;
	struct judged j = { 0 };
	enum bridge_verdict verdict = BROKEN;
	char name[OP_MAX_TENSORS][16];

	if (problem_parse(text, &j.problem, &err))
		goto out;
	j.op = *j.problem.op;
	j.problem.op = &j.op;
	verdict = AGREES;
	for (int t = 0; t < OP_MAX_TENSORS && j.op.tensor[t].name && verdict == AGREES; t++) {
		int used = 0;
		if (sscanf(dtypes, " %15s%n", name[t], &used) == 1)
			j.op.tensor[t].dtype = name[t];
		dtypes += used;
		enum dtype d = problem_tensor_dtype(&j.problem, t);
		j.count = t + 1;
		j.elems[t] = problem_elems(&j.problem, t);
		j.value[t] = ARENA_ARRAY(&j.arena, double, j.elems[t] + 1);
		if (j.op.tensor[t].role == OP_OUT)
			continue;
		for (int64_t i = 0; i < j.elems[t]; i++)
			j.value[t][i] = dtype_load(d, buf[t], i);
		if (!is_inside(&j, t, &err))
			verdict = OUTSIDE;
	}
	if (verdict == AGREES)
		verdict = compare_reference(&j, &err);
	if (verdict == AGREES)
		verdict = compare_outputs(&j, buf, &err);
out:
	snprintf(why, (size_t)size, "%s", err.buf);
	strbuf_release(&err);
	arena_release(&j.arena);
	return verdict;
}
