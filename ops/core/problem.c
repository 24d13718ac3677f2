#include "ops/core/normal.h"
#include "ops/core/problem.h"
#include "ops/core/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Value of "a.shape"-like integer text over the problem's dims and attributes. */
static int evaluate(const struct problem *p, const char *text, int64_t *value, struct strbuf *err)
{
	struct arena arena = ARENA_INIT;
	struct expr *e;
	int ret = -1;

	if (!expr_parse(&arena, text, p->op->name, EXPR_BODY, &e, err))
		ret = expr_int_value(e, p->binding, p->binding_count, value, err);
	arena_release(&arena);
	return ret;
}

static void bind(struct problem *p)
{
	const struct op *op = p->op;
	int dims = op_dim_count(op);

	p->binding_count = 0;
	for (int i = 0; i < dims; i++)
		p->binding[p->binding_count++] = (struct binding){ op_dim_name(op, i), p->dim[i] };
	for (int i = 0; i < OP_MAX_ATTRS && op->attr[i].name; i++)
		if (op->attr[i].is_int)
			p->binding[p->binding_count++] = (struct binding){ op->attr[i].name, (int64_t)p->attr[i] };
}

void problem_set_dim(struct problem *p, int d, int64_t value)
{
	p->dim[d] = value;
	bind(p);
}

static int known_names(const struct op *op, const char *what, const char *name, struct strbuf *err)
{
	strbuf_addf(err, "%s '%s' of '%s' is not a dimension or attribute: it has %s", what, name, op->name, op->dims);
	for (int i = 0; i < OP_MAX_ATTRS && op->attr[i].name; i++)
		strbuf_addf(err, " %s", op->attr[i].name);
	return -1;
}

static int set_one(struct problem *p, const char *word, size_t len, bool *given, struct strbuf *err)
{
	char text[128], *end;
	const struct op *op = p->op;

	if (len >= sizeof(text)) {
		strbuf_addf(err, "'%.*s...' is too long", 40, word);
		return -1;
	}
	memcpy(text, word, len);
	text[len] = 0;
	char *equals = strchr(text, '=');
	if (!equals) {
		strbuf_addf(err, "expected NAME=VALUE, not '%s'", text);
		return -1;
	}
	*equals = 0;
	int dim = op_dim_index(op, text), attr = op_attr_index(op, text);
	if (!strcmp(text, "threads")) {
		p->threads = (int)strtol(equals + 1, &end, 10);
	} else if (dim >= 0) {
		p->dim[dim] = strtoll(equals + 1, &end, 10);
		given[dim] = true;
		if (!*end && end > equals + 1 && (p->dim[dim] < 1 || p->dim[dim] > INT64_C(1) << 40)) {
			strbuf_addf(err, "'%s': dimension '%s' is %s, allowed are 1..2^40", op->name, text, equals + 1);
			return -1;
		}
	} else if (attr >= 0) {
		p->attr[attr] = strtod(equals + 1, &end);
		if (op->attr[attr].is_int && !(fabs(p->attr[attr]) < 0x1p31 && p->attr[attr] == floor(p->attr[attr]))) {
			strbuf_addf(err, "attribute '%s' is an integer, not '%s'", text, equals + 1);
			return -1;
		}
	} else {
		return known_names(op, "name", text, err);
	}
	if (*end || end == equals + 1) {
		strbuf_addf(err, "'%s' is not a number in '%s=%s'", equals + 1, text, equals + 1);
		return -1;
	}
	return 0;
}

/* Every extent of tensor t is at least 1, and all its elements can be counted. */
static int check_extents(const struct problem *p, int t, const char *binding, struct strbuf *err)
{
	const struct op_tensor *x = &p->op->tensor[t];
	int64_t extent[OP_MAX_RANK];
	int rank = problem_shape(p, t, extent);
	const char *word = x->shape;

	for (int i = 0; i < rank; i++, word += strcspn(word, " "), word += strspn(word, " "))
		if (extent[i] < 1) {
			strbuf_addf(err, "'%s': dimension %d of tensor '%s', %.*s, is %lld at %s, allowed are 1..2^40", p->op->name, i, x->name,
				    (int)strcspn(word, " "), word, (long long)extent[i], binding);
			return -1;
		}
	if (problem_elems(p, t) < 1) {
		strbuf_addf(err, "'%s': tensor '%s' has more elements than can be counted at %s", p->op->name, x->name, binding);
		return -1;
	}
	return 0;
}

/* "M=3 N=4" or "M=3,N=4". */
static int set_all(struct problem *p, const char *binding, struct strbuf *err)
{
	bool given[OP_MAX_DIMS] = { false };

	for (const char *s = binding + strspn(binding, " ,"); *s;) {
		size_t n = strcspn(s, " ,");
		if (set_one(p, s, n, given, err))
			return -1;
		s += n;
		s += strspn(s, " ,");
	}
	bind(p);
	for (int i = 0; i < op_dim_count(p->op); i++)
		if (!given[i]) {
			strbuf_addf(err, "'%s' wants a value for dimension '%s': dimensions are %s", p->op->name,
				    p->binding[i].name, p->op->dims);
			return -1;
		}
	if (problem_require(p, err))
		return -1;
	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		if (check_extents(p, t, binding, err))
			return -1;
	if (p->threads < 1 || p->threads > 1024) {
		strbuf_addf(err, "threads must be 1..1024, not %d", p->threads);
		return -1;
	}
	return 0;
}

int problem_from_shape(const struct op *op, enum dtype dtype, const char *binding, int threads,
		       struct problem *problem, struct strbuf *err)
{
	*problem = (struct problem){ .op = op, .dtype = dtype, .threads = threads };
	if (words_index(op->dtypes, dtype_name(dtype)) < 0) {
		strbuf_addf(err, "'%s' has no dtype '%s': it has %s", op->name, dtype_name(dtype), op->dtypes);
		return -1;
	}
	for (int i = 0; i < OP_MAX_ATTRS && op->attr[i].name; i++)
		problem->attr[i] = op->attr[i].value;
	return set_all(problem, binding, err);
}

int problem_parse(const char *text, struct problem *problem, struct strbuf *err)
{
	char part[4][512] = { "", "", "", "t1" };
	int parts = 0;

	for (const char *s = text; parts < 4; parts++) {
		size_t n = strcspn(s, "/");
		if (n >= sizeof(part[0]))
			break;
		memcpy(part[parts], s, n);
		part[parts][n] = 0;
		s += n;
		if (!*s++) {
			parts++;
			break;
		}
	}
	if (parts < 3 || part[3][0] != 't') {
		strbuf_addf(err, "problem '%s' is not of the form operator/dtype/M=1024,N=1024/t1", text);
		return -1;
	}
	const struct op *op = op_find(part[0]);
	if (!op) {
		size_t count = 0;
		while (op_at(count))
			count++;
		strbuf_addf(err, "unknown operator '%s': 'km-generate ops' lists the %zu there are", part[0], count);
		return -1;
	}
	enum dtype dtype;
	if (!dtype_find(part[1], &dtype)) {
		strbuf_addf(err, "unknown dtype '%s' in problem '%s'", part[1], text);
		return -1;
	}
	char *end;
	long threads = strtol(part[3] + 1, &end, 10);
	if (*end || end == part[3] + 1) {
		strbuf_addf(err, "problem '%s' does not end in a thread count such as t1", text);
		return -1;
	}
	return problem_from_shape(op, dtype, part[2], (int)threads, problem, err);
}

void problem_print(const struct problem *p, struct strbuf *out)
{
	int dims = op_dim_count(p->op);

	strbuf_addf(out, "%s/%s/", p->op->name, dtype_name(p->dtype));
	for (int i = 0; i < dims; i++)
		strbuf_addf(out, "%s%s=%lld", i ? "," : "", p->binding[i].name, (long long)p->dim[i]);
	for (int i = 0; i < OP_MAX_ATTRS && p->op->attr[i].name; i++)
		if (p->attr[i] != p->op->attr[i].value)
			strbuf_addf(out, ",%s=%.17g", p->op->attr[i].name, p->attr[i]);
	strbuf_addf(out, "/t%d", p->threads);
}

int problem_round_up(struct problem *p, int64_t n)
{
	struct strbuf text = STRBUF_INIT, err = STRBUF_INIT;
	struct problem rounded = *p;
	bool differs = false;

	for (int i = 0; i < op_dim_count(p->op); i++)
		if (!op_dim_is_static(p->op, op_dim_name(p->op, i))) {
			rounded.dim[i] = round_up(p->dim[i], n);
			differs |= rounded.dim[i] != p->dim[i];
		}
	/* Through its text: what follows from the dims follows again. */
	problem_print(&rounded, &text);
	int ret = differs ? problem_parse(text.buf, p, &err) : -1;
	strbuf_release(&text);
	strbuf_release(&err);
	return ret;
}

int problem_shape(const struct problem *p, int t, int64_t extent[8])
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct expr *e[OP_MAX_RANK];
	int rank = op_extents(&arena, p->op, p->attr, t, e, &err);

	for (int i = 0; i < rank; i++)
		if (expr_int_value(e[i], p->binding, p->binding_count, &extent[i], &err))
			extent[i] = -1;
	strbuf_release(&err);
	arena_release(&arena);
	return rank < 0 ? 0 : rank;
}

int64_t problem_elems(const struct problem *p, int t)
{
	int64_t extent[8], elems = 1;
	int rank = problem_shape(p, t, extent);

	for (int i = 0; i < rank; i++)
		if (extent[i] < 0 || __builtin_mul_overflow(elems, extent[i], &elems))
			return -1;
	return elems;
}

enum dtype problem_tensor_dtype(const struct problem *p, int t)
{
	enum dtype dtype = p->dtype;

	op_dtype_rule(p->op->tensor[t].dtype, p->dtype, &dtype);
	return dtype;
}

int64_t problem_bytes(const struct problem *p, int t)
{
	return problem_elems(p, t) * (int64_t)dtype_bytes(problem_tensor_dtype(p, t));
}

static int64_t evaluate_or(const struct problem *p, const char *text, int64_t otherwise)
{
	struct strbuf err = STRBUF_INIT;
	int64_t value = otherwise;

	if (text && evaluate(p, text, &value, &err))
		value = otherwise;
	strbuf_release(&err);
	return value;
}

double problem_flop(const struct problem *p) { return (double)evaluate_or(p, p->op->flop, 0); }
int64_t problem_terms(const struct problem *p) { return evaluate_or(p, p->op->terms, 1); }

bool problem_only_compares(const struct problem *p)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct normal form = { 0 };
	bool only = !normal_form(&arena, p->op, p->dtype, p->attr, &form, &err);

	for (size_t i = 0; i < form.stmt_count && only; i++) {
		const struct normal_stmt *s = &form.stmt[i];
		bool adds = s->value->kind == EXPR_REDUCE && s->value->op != OP_MAX && s->value->op != OP_MIN && s->value->op != OP_ARGMAX && s->value->op != OP_ARGMIN;
		only = (!adds || s->kind != KIND_REAL) && !expr_uses(s->value, s->name);
	}
	strbuf_release(&err);
	arena_release(&arena);
	return only;
}

double problem_work(const struct problem *p)
{
	double elems = 0;

	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		elems += p->op->tensor[t].role == OP_OUT ? (double)problem_elems(p, t) : 0;
	/* Where a fused reduction is short and what feeds it is long, the latter's arithmetic. */
	return fmax(elems * (double)problem_terms(p), problem_flop(p) / 2);
}

struct tolerance problem_tolerance(const struct problem *p, int t)
{
	enum dtype out = problem_tensor_dtype(p, t);
	double n = (double)problem_terms(p), c = p->op->tolerance > 0 ? p->op->tolerance : 1;
	double g = 8 + 2 * sqrt(n) + log2(n < 1 ? 1 : n), u_acc = dtype_roundoff(out == DTYPE_f64 ? DTYPE_f64 : DTYPE_f32);

	return (struct tolerance){ !dtype_is_real(out), c * dtype_roundoff(out), c * u_acc * g, dtype_tiny(out) };
}

double tolerance_at(const struct tolerance *tolerance, double want, double magnitude)
{
	if (tolerance->is_exact)
		return 0;
	/* Infinite terms that do not show in the value must not excuse any value. */
	if (!isfinite(magnitude))
		magnitude = fabs(want);
	return tolerance->of_value * fabs(want) + tolerance->of_magnitude * magnitude + tolerance->least;
}

static bool has_access(const struct expr *e)
{
	if (e->kind == EXPR_ACCESS)
		return true;
	for (size_t i = 0; i < e->arg_count; i++)
		if (has_access(e->arg[i]))
			return true;
	return false;
}

/* Indices, those of reductions around an expression first. */
struct scope {
	const struct expr_range *range;
	size_t count;
	const struct scope *outer;
};

/* Points of a range; infinity: its ends are not known here. */
static double extent_of(const struct problem *p, const struct expr_range *r)
{
	struct strbuf ignored = STRBUF_INIT;
	int64_t lo, hi;
	bool known = !expr_int_value(r->lo, p->binding, p->binding_count, &lo, &ignored) && !expr_int_value(r->hi, p->binding, p->binding_count, &hi, &ignored);

	strbuf_release(&ignored);
	return known ? fmax((double)(hi - lo), 0) : INFINITY;
}

/* No more elements does an access reach than its indices have points together. */
static double reach(const struct problem *p, const struct expr *access, const struct scope *scope)
{
	double points = 1;

	for (; scope; scope = scope->outer)
		for (size_t i = 0; i < scope->count; i++)
			for (size_t a = 0; a < access->arg_count; a++)
				if (expr_uses(access->arg[a], scope->range[i].name)) {
					points *= extent_of(p, &scope->range[i]);
					break;
				}
	return points;
}

/* Elements of `tensor` read at positions that indices tell (elems[0]) and that data chooses (elems[1]), at most. */
static void count_reads(const struct problem *p, const struct expr *e, const char *tensor, const struct scope *scope, double elems[2])
{
	struct scope inner = { NULL, 0, scope };
	bool chosen = false;

	if (!e)
		return;
	if (e->kind == EXPR_REDUCE)
		inner = (struct scope){ e->range, e->range_count, scope };
	for (size_t i = 0; i < e->arg_count; i++) {
		chosen |= has_access(e->arg[i]);
		count_reads(p, e->arg[i], tensor, &inner, elems);
	}
	if (e->kind == EXPR_ACCESS && !strcmp(e->name, tensor))
		elems[chosen] += reach(p, e, scope);
	count_reads(p, e->otherwise, tensor, &inner, elems);
	count_reads(p, e->filter, tensor, &inner, elems);
}

/* Bytes of input t that must be read; none where data alone chooses what is. */
static int64_t least_read(const struct problem *p, const struct normal *form, int t)
{
	double elems[2] = { 0, 0 };

	for (size_t i = 0; i < form->stmt_count; i++) {
		const struct normal_stmt *s = &form->stmt[i];
		count_reads(p, s->value, p->op->tensor[t].name, &(struct scope){ s->index, s->index_count, NULL }, elems);
	}
	if (!elems[0] && elems[1])
		return 0;
	bool is_part = elems[0] && elems[0] < (double)problem_elems(p, t);
	return is_part ? (int64_t)elems[0] * (int64_t)dtype_bytes(problem_tensor_dtype(p, t)) : problem_bytes(p, t);
}

int64_t problem_least_bytes(const struct problem *p)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct normal form = { 0 };
	int64_t bytes = 0;

	if (normal_form(&arena, p->op, p->dtype, p->attr, &form, &err))
		form.stmt_count = 0;
	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++) {
		int64_t extent[OP_MAX_RANK];
		bool is_in = p->op->tensor[t].role == OP_IN, is_scalar = is_in && !problem_shape(p, t, extent);
		bytes += is_scalar ? 0 : is_in ? least_read(p, &form, t) : problem_bytes(p, t);
	}
	strbuf_release(&err);
	arena_release(&arena);
	return bytes;
}

/* Input t as the reference sees it: its broadcast dimensions written out. */
static double *expanded(struct arena *arena, const struct problem *p, int t, double *value)
{
	struct problem whole = *p;
	int64_t extent[OP_MAX_RANK], full[OP_MAX_RANK];
	int ones = op_attr_index(p->op, p->op->tensor[t].ones);

	whole.attr[ones] = 0;
	int rank = problem_shape(p, t, extent);
	problem_shape(&whole, t, full);
	int64_t elems = problem_elems(&whole, t);
	double *out = ARENA_ARRAY(arena, double, elems + 1);
	for (int64_t i = 0; i < elems; i++) {
		int64_t rest = i, at = 0, stride = 1;
		for (int k = rank; k-- > 0; rest /= full[k]) {
			at += extent[k] == 1 ? 0 : rest % full[k] * stride;
			stride *= extent[k];
		}
		out[i] = value[at];
	}
	return out;
}

void problem_reference(const struct problem *p, double *const value[OP_MAX_TENSORS])
{
	struct arena arena = ARENA_INIT;
	const double *in[OP_MAX_TENSORS];
	double *out[OP_MAX_TENSORS];
	size_t ins = 0, outs = 0;

	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		if (p->op->tensor[t].role == OP_OUT)
			out[outs++] = value[t];
		else
			in[ins++] = p->op->tensor[t].ones ? expanded(&arena, p, t, value[t]) : value[t];
	p->op->reference(&(struct op_case){ p->dim, p->attr, in, out });
	arena_release(&arena);
}

int problem_each(const struct op *op, unsigned uses, int threads,
		 int (*fn)(const struct problem *p, enum op_use use, void *user), void *user,
		 struct strbuf *err)
{
	for (int i = 0; i < OP_MAX_SHAPES && op->shape[i].binding; i++) {
		const struct op_shape *shape = &op->shape[i];
		if (!(shape->use & uses))
			continue;
		for (int d = 0; d < DTYPE_COUNT; d++) {
			struct problem p;
			const char *name = dtype_name((enum dtype)d);
			if (words_index(op->dtypes, name) < 0 || (shape->dtypes && words_index(shape->dtypes, name) < 0))
				continue;
			if (problem_from_shape(op, (enum dtype)d, shape->binding, threads, &p, err))
				return -1;
			int ret = fn(&p, shape->use, user);
			if (ret)
				return ret;
		}
	}
	return 0;
}
