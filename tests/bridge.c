/*
 * The operators and the checker, for tests/opinfo.py (ctypes): PyTorch's outputs are
 * judged like a candidate kernel's, and the reference by the body.  For
 * tests/triton_interpreter.py candidates too, with what their plans say at a problem's
 * dims.  For tests/gpu/f32.py kernels of a device, run on the caller's memory there.  Texts
 * that are returned are the caller's: bridge_free().
 */
#include "evaluate/check.h"
#include "generate/candidate.h"
#include "generate/policy.h"
#include "ops/core/inputs.h"
#include "ops/core/interp.h"
#include "ops/core/launch.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *bridge_operators(void);
char *bridge_problem(const char *text);
int bridge_judge(const char *text, const char *dtypes, void *const *buf, char *why, int64_t size);
void bridge_free(char *text);
char *bridge_checks(const char *name);
char *bridge_candidates(const char *text, const char *target, const char *lang, int64_t seed, int64_t count);
void bridge_fill(const char *text, int t, const char *distribution, int64_t seed, void *base);
int bridge_check(const char *text, void *const *buf, char *why, int64_t size);
void *bridge_open(const char *plan, const char *artifact, char *why, int64_t size);
int bridge_run(void *kernel, void *const *buf, const int64_t *dim, char *why, int64_t size);

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
			strbuf_addf(why, "%lld of %lld, %s", (long long)r.wrong_count, (long long)r.compared_count, r.first_wrong);
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
	if (verdict == AGREES && (verdict = compare_outputs(&j, buf, &err)) == DIFFERS) {
		struct strbuf what = STRBUF_INIT;
		strbuf_addf(&what, "PyTorch and body: %s", err.buf);
		strbuf_reset(&err);
		strbuf_addstr(&err, what.buf);
		strbuf_release(&what);
	}
out:
	snprintf(why, (size_t)size, "%s", err.buf);
	strbuf_release(&err);
	arena_release(&j.arena);
	return verdict;
}

/* ---- candidates ------------------------------------------------------ */

static int add_check(const struct problem *p, enum op_use use, void *user)
{
	struct strbuf text = STRBUF_INIT;

	(void)use;
	problem_print(p, &text);
	cJSON_AddItemToArray(user, cJSON_CreateString(text.buf));
	strbuf_release(&text);
	return 0;
}

/* The check problems of an operator: a list of texts. */
char *bridge_checks(const char *name)
{
	cJSON *all = cJSON_CreateArray();
	struct strbuf err = STRBUF_INIT;
	const struct op *op = op_find(name);

	if (op)
		problem_each(op, OP_CHECK, 1, add_check, all, &err);
	strbuf_release(&err);
	return finish(all);
}

/* Buffers with their elements, dims and steps of a plan at the problem's dims; NULL where its preconditions do not hold. */
static cJSON *plan_at(const struct candidate *c, const struct problem *p)
{
	static const char *const role[] = { "in", "out", "tmp" };
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct plan plan;
	int64_t dim[OP_MAX_DIMS];
	cJSON *all = NULL;

	if (plan_parse(&arena, c->plan, "plan", &plan, &err))
		goto out;
	for (size_t d = 0; d < plan.dim_count; d++)
		dim[d] = p->dim[op_dim_index(p->op, plan.dim[d])];
	if (!plan_accepts(&plan, dim, NULL))
		goto out;
	all = cJSON_CreateObject();
	cJSON *buffers = cJSON_AddArrayToObject(all, "buffers"), *dims = cJSON_AddArrayToObject(all, "dims"), *steps = cJSON_AddArrayToObject(all, "steps");
	for (size_t b = 0; b < plan.buffer_count; b++) {
		cJSON *one = cJSON_CreateObject();
		add_text(one, "name", plan.buffer[b].name);
		add_text(one, "role", role[plan.buffer[b].role]);
		add_text(one, "dtype", dtype_name(plan.buffer[b].dtype));
		cJSON_AddNumberToObject(one, "elems", (double)plan_buffer_elems(&plan, b, dim));
		cJSON_AddItemToArray(buffers, one);
	}
	for (size_t d = 0; d < plan.dim_count; d++)
		cJSON_AddItemToArray(dims, cJSON_CreateNumber((double)dim[d]));
	for (size_t i = 0; i < plan.step_count; i++) {
		cJSON *one = cJSON_CreateObject();
		add_text(one, "symbol", plan.step[i].symbol);
		cJSON_AddNumberToObject(one, "instances", (double)plan_step_instances(&plan, i, dim));
		cJSON_AddItemToArray(steps, one);
	}
out:
	arena_release(&arena);
	strbuf_release(&err);
	return all;
}

/* Up to `count` random candidates of every subspace of the language: {"candidates": [...], "why": reasons of those there are none}. */
char *bridge_candidates(const char *text, const char *target, const char *lang, int64_t seed, int64_t count)
{
	enum { TRIES = 60 };
	cJSON *answer = cJSON_CreateObject(), *all = cJSON_AddArrayToObject(answer, "candidates");
	struct strbuf why = STRBUF_INIT;
	struct problem problem;
	struct problem_space ps;
	struct rng rng = { (uint64_t)seed, 0 };

	if (problem_parse(text, &problem, &why) || space_open(&ps, &problem, target_find(target, &why), &why))
		goto out;
	for (size_t i = 0; i < ps.sub_count; i++) {
		const struct space *space = &ps.sub[i].space;
		struct strbuf reason = STRBUF_INIT, ignored = STRBUF_INIT;
		int64_t made = 0;
		for (int k = 0; k < TRIES && made < count && !strcmp(ps.sub[i].lang->name, lang); k++) {
			struct arena arena = ARENA_INIT;
			struct candidate c;
			struct point point = { { 0 } };
			for (size_t n = 0; n < space->knob_count; n++)
				point.value[n] = (int16_t)rng_below(&rng, (int64_t)space->knob[n].value_count);
			struct strbuf *words = reason.len ? &ignored : &reason;
			int ret = candidate_make(&arena, &ps, i, &point, &c, words);
			cJSON *plan = ret == 1 ? plan_at(&c, &problem) : NULL;
			if (ret < 0)
				add_text(answer, "bug", words->buf);
			if (plan) {
				cJSON *one = cJSON_CreateObject();
				add_text(one, "id", c.id);
				add_text(one, "knobs", c.knobs);
				struct strbuf source = STRBUF_INIT;
				strbuf_addf(&source, "%s%s", c.prologue, c.source);
				add_text(one, "source", source.buf);
				strbuf_release(&source);
				cJSON_AddItemToObject(one, "plan", plan);
				cJSON_AddItemToArray(all, one);
				made++;
			}
			arena_release(&arena);
		}
		if (!made && reason.len)
			strbuf_addf(&why, "%s%s: %.*s", why.len ? "; " : "", ps.sub[i].skeleton->name, (int)strcspn(reason.buf, "\n"), reason.buf);
		strbuf_release(&reason);
		strbuf_release(&ignored);
	}
	space_close(&ps);
out:
	add_text(answer, "why", why.buf);
	strbuf_release(&why);
	return finish(answer);
}

void bridge_fill(const char *text, int t, const char *distribution, int64_t seed, void *base)
{
	struct strbuf err = STRBUF_INIT;
	struct problem problem;
	int d = 0;

	while (d + 1 < INPUTS_COUNT && strcmp(distribution_name((enum distribution)d), distribution))
		d++;
	if (!problem_parse(text, &problem, &err))
		inputs_fill(&problem, t, (enum distribution)d, (uint64_t)seed, base);
	strbuf_release(&err);
}

/* Judges a candidate's outputs; buf[] as bridge_judge()'s, of the problem's dtypes. */
int bridge_check(const char *text, void *const *buf, char *why, int64_t size)
{
	struct strbuf err = STRBUF_INIT;
	struct judged j = { 0 };
	enum bridge_verdict verdict = BROKEN;

	if (!problem_parse(text, &j.problem, &err)) {
		j.op = *j.problem.op;
		while (j.count < OP_MAX_TENSORS && j.op.tensor[j.count].name)
			j.count++;
		verdict = compare_outputs(&j, buf, &err);
	}
	snprintf(why, (size_t)size, "%s", err.buf);
	strbuf_release(&err);
	return verdict;
}

/* ---- kernels ---------------------------------------------------------- */

struct bridge_kernel {
	struct arena arena;
	struct plan plan;
	const struct launcher *launcher;
	struct kernel *kernel;
};

/* The artifact, loaded, to be run as its plan (a text) says; it stays as long as the process.  NULL: why. */
void *bridge_open(const char *plan, const char *artifact, char *why, int64_t size)
{
	struct bridge_kernel *k = calloc(1, sizeof(*k));
	struct strbuf err = STRBUF_INIT;

	if (!k)
		abort();
	if (!plan_parse(&k->arena, plan, "plan", &k->plan, &err)) {
		k->launcher = launcher_find(k->plan.artifact);
		k->kernel = k->launcher ? k->launcher->open(&k->plan, artifact, 1, &err) : NULL;
	}
	snprintf(why, (size_t)size, "%s", err.buf);
	strbuf_release(&err);
	if (k->kernel)
		return k;
	arena_release(&k->arena);
	free(k);
	return NULL;
}

/* buf[] as launcher's run(): device memory where the artifact is a device's.  0, or -1: why. */
int bridge_run(void *kernel, void *const *buf, const int64_t *dim, char *why, int64_t size)
{
	struct bridge_kernel *k = kernel;
	struct strbuf err = STRBUF_INIT;
	int ret = k->launcher->run(k->kernel, buf, dim, &err);

	snprintf(why, (size_t)size, "%s", err.buf);
	strbuf_release(&err);
	return ret;
}
