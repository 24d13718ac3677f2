#include "ops/core/op_check.h"
#include "ops/core/words.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void op_fault(const struct op *op, const char *at, struct strbuf *err, const char *fmt, ...)
{
	va_list ap;

	if (err->len && err->buf[err->len - 1] != '\n')
		strbuf_addch(err, '\n');
	strbuf_addf(err, "%s:%s ", op->source_path ? op->source_path : op->name ? op->name : "operator", at);
	va_start(ap, fmt);
	strbuf_vaddf(err, fmt, ap);
	va_end(ap);
}

#define FAULT(...) op_fault(op, "", err, __VA_ARGS__)

/* The next space-separated word of *s, copied; false at the end. */
static bool next_word(const char **s, char word[128])
{
	*s += strspn(*s, " ");
	size_t n = strcspn(*s, " ");
	if (!n)
		return false;
	snprintf(word, 128, "%.*s", (int)n, *s);
	*s += n;
	return true;
}

bool op_is_name(const char *s)
{
	/* The notation's own words, and those of the C family: names are printed into sources. */
	static const char reserved[] =
		" inf if in else dim buf auto bool break case catch char class const continue default delete do double enum extern "
		"false float for goto inline int long namespace new operator private public register restrict return short signed "
		"sizeof static struct switch template this throw true try typedef typename union unsigned using virtual void volatile "
		"while ";
	char word[40];

	if (!isalpha((unsigned char)*s) || strlen(s) > 32)
		return false;
	for (const char *c = s; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '_')
			return false;
	snprintf(word, sizeof(word), " %s ", s);
	return !strstr(reserved, word);
}

static void check_aliases(const struct op *op, struct strbuf *err)
{
	char word[128];

	for (const char *s = op->aliases ? op->aliases : ""; next_word(&s, word);)
		if (!strcmp(word, op->name) || (op_find(word) && op_find(word) != op))
			FAULT("alias '%s' is the name or alias of an operator already: keep one", word);
}

static void check_name(const struct op *op, struct strbuf *err)
{
	const char *base = strrchr(op->source_path, '/');

	base = base ? base + 1 : op->source_path;
	size_t n = strcspn(base, ".");
	if (strlen(op->name) != n || memcmp(base, op->name, n))
		FAULT("operator '%s' is not named after its file: set .name to \"%.*s\"", op->name, (int)n, base);
}

static void check_dims(const struct op *op, struct strbuf *err)
{
	char word[128];
	int count = 0;

	for (const char *s = op->dims; next_word(&s, word); count++) {
		if (!op_is_name(word) || !isupper((unsigned char)*word))
			FAULT("dimension '%s' is not an upper-case name: write .dims like \"M N K\"", word);
		if (words_index(s, word) >= 0)
			FAULT("dimension '%s' is listed twice in .dims: keep one", word);
		if (op_attr_index(op, word) >= 0 || op_tensor_index(op, word) >= 0)
			FAULT("dimension '%s' is also the name of an attribute or tensor: rename one", word);
	}
	if (!count || count > OP_MAX_DIMS)
		FAULT("%d dimensions: .dims must name 1 to %d", count, OP_MAX_DIMS);
	for (const char *s = op->static_dims ? op->static_dims : ""; next_word(&s, word);)
		if (op_dim_index(op, word) < 0)
			FAULT("static dimension '%s' is not a dimension: .dims has %s", word, op->dims);
}

/* Does every name of an integer expression stand for a dimension or integer attribute? */
static bool check_extent(const struct op *op, const char *text, const char *what, struct strbuf *err)
{
	struct arena arena = ARENA_INIT;
	struct strbuf why = STRBUF_INIT;
	struct binding binding[OP_MAX_DIMS + OP_MAX_ATTRS];
	struct expr *e;
	size_t count = 0;
	int64_t value;

	for (int i = 0; i < op_dim_count(op) && i < OP_MAX_DIMS; i++)
		binding[count++] = (struct binding){ op_dim_name(op, i), 7 };
	for (int i = 0; i < OP_MAX_ATTRS && op->attr[i].name; i++)
		if (op->attr[i].is_int)
			binding[count++] = (struct binding){ op->attr[i].name, (int64_t)op->attr[i].value };
	bool good = !expr_parse(&arena, text, what, EXPR_BODY, &e, &why) && !expr_int_value(e, binding, count, &value, &why);
	if (!good)
		FAULT("%s '%s' is no integer over the dimensions: %s: use the names of .dims (%s) and integer attributes", what, text,
		      why.buf, op->dims);
	strbuf_release(&why);
	arena_release(&arena);
	return good;
}

static void check_tensor(const struct op *op, int t, struct strbuf *err)
{
	const struct op_tensor *x = &op->tensor[t];
	char word[128];
	enum dtype d = DTYPE_COUNT;

	if (!op_is_name(x->name))
		FAULT("'%s' cannot name a tensor: use a letter, then letters, digits and _", x->name);
	if (op_tensor_index(op, x->name) != t || op_attr_index(op, x->name) >= 0)
		FAULT("tensor '%s' is declared twice, or is an attribute too: rename one", x->name);
	if (!x->shape)
		FAULT("tensor '%s' has no shape: write its extents, \"\" for a scalar", x->name);
	else
		for (const char *s = x->shape; next_word(&s, word);)
			check_extent(op, word, "extent", err);
	bool holds_indices = x->domain != OP_REAL && x->domain != OP_SORTED && x->domain != OP_FACTORS;
	if (!x->dtype || !op_dtype_rule(x->dtype, DTYPE_f32, &d))
		FAULT("tensor '%s' has unknown dtype '%s': use \"T\", \"acc\", \"sum\", \"real\" or a name such as f32, i64", x->name,
		      x->dtype ? x->dtype : "");
	else if (holds_indices && dtype_is_real(d))
		FAULT("tensor '%s' holds indices but its dtype '%s' is real: make it \"i64\" or \"i32\"", x->name, x->dtype);
	if (x->lo > x->hi || (x->role == OP_OUT && (x->lo != x->hi || x->domain != OP_REAL)))
		FAULT("tensor '%s' has a range or domain that makes no sense: only inputs have one, .lo below .hi", x->name);
	int ones = x->ones ? op_attr_index(op, x->ones) : -1;
	if (x->ones && (x->role == OP_OUT || ones < 0 || !op->attr[ones].is_int))
		FAULT("tensor '%s' is broadcast by '%s', which is no integer attribute of an input: declare it in .attr", x->name, x->ones);
	if (holds_indices && !x->bound)
		FAULT("tensor '%s' holds indices without a bound: set .bound to the extent that they index", x->name);
	else if (x->bound)
		check_extent(op, x->bound, "bound", err);
}

static void check_tensors(const struct op *op, struct strbuf *err)
{
	bool has[2] = { false };

	for (int t = 0; t < OP_MAX_TENSORS && op->tensor[t].name; t++) {
		check_tensor(op, t, err);
		has[op->tensor[t].role == OP_OUT] = true;
	}
	if (!has[1])
		FAULT("no output: declare one tensor of .tensor with OP_OUT");
	for (int i = 0; i < OP_MAX_ATTRS && op->attr[i].name; i++) {
		const struct op_attr *a = &op->attr[i];
		if (!op_is_name(a->name) || op_attr_index(op, a->name) != i)
			FAULT("attribute '%s' is listed twice or is no name: rename it", a->name);
		if (a->is_int && a->value != floor(a->value))
			FAULT("attribute '%s' is declared an integer but defaults to %g: change one", a->name, a->value);
	}
}

static void check_dtypes(const struct op *op, struct strbuf *err)
{
	char word[128];
	enum dtype d;
	int count = 0;

	for (const char *s = op->dtypes; next_word(&s, word); count++)
		if (!dtype_find(word, &d))
			FAULT("unknown dtype '%s' in .dtypes: use names such as f32 bf16", word);
	if (!count)
		FAULT("no dtype: set .dtypes to \"f32\" or more");
	if (!(op->tolerance >= 0 && op->tolerance < 1e6))
		FAULT("tolerance %g is no factor: leave .tolerance out for 1", op->tolerance);
}

/* The largest check shape a whole comparison can afford [flop, elements]. */
static const double most_check_work = 5e7;

static void check_shape(const struct op *op, const struct op_shape *shape, double most_attr[OP_MAX_ATTRS], struct strbuf *err)
{
	struct strbuf why = STRBUF_INIT;
	struct problem p;
	char word[128];
	enum dtype d;

	for (const char *s = shape->dtypes ? shape->dtypes : ""; next_word(&s, word);)
		if (words_index(op->dtypes, word) < 0)
			FAULT("shape '%s' wants dtype '%s': .dtypes has %s", shape->binding, word, op->dtypes);
	const char *first = shape->dtypes ? shape->dtypes : op->dtypes;
	if (!next_word(&first, word) || !dtype_find(word, &d))
		return;
	if (problem_from_shape(op, d, shape->binding, 1, &p, &why))
		FAULT("shape '%s': %s", shape->binding, why.buf);
	else if (shape->use & OP_CHECK) {
		double work = problem_flop(&p);
		for (int t = 0; t < OP_MAX_TENSORS && op->tensor[t].name; t++)
			work += (double)problem_elems(&p, t);
		if (work > most_check_work)
			FAULT("check shape '%s' is too large to compare whole: keep it below %g elements and flop", shape->binding,
			      most_check_work);
		for (int i = 0; i < OP_MAX_ATTRS && op->attr[i].name; i++)
			most_attr[i] = p.attr[i] > most_attr[i] ? p.attr[i] : most_attr[i];
	}
	strbuf_release(&why);
}

/* Attributes are compiled in: what is searched is checked at its own. */
static void check_attributes(const struct op *op, const struct op_shape *shape, struct strbuf *err)
{
	struct strbuf why = STRBUF_INIT;
	struct problem p, q;
	bool found = false;
	enum dtype d;
	char word[128];
	const char *dtypes = shape->dtypes ? shape->dtypes : op->dtypes;

	if (!next_word(&dtypes, word) || !dtype_find(word, &d) || problem_from_shape(op, d, shape->binding, 1, &p, &why))
		found = true; /* told by check_shape() */
	for (int i = 0; !found && i < OP_MAX_SHAPES && op->shape[i].binding; i++)
		found = (op->shape[i].use & OP_CHECK) && (!op->shape[i].dtypes || words_index(op->shape[i].dtypes, dtype_name(d)) >= 0) &&
			!problem_from_shape(op, d, op->shape[i].binding, 1, &q, &why) && !memcmp(p.attr, q.attr, sizeof(p.attr));
	if (!found)
		FAULT("shape '%s' has attributes that no check shape has: add a small one with OP_CHECK and the same attributes", shape->binding);
	strbuf_release(&why);
}

static void check_shapes(const struct op *op, struct strbuf *err)
{
	double most_attr[OP_MAX_ATTRS] = { 0 };
	int search = 0, check = 0, held_out = 0;

	for (int i = 0; i < OP_MAX_SHAPES && op->shape[i].binding; i++) {
		check_shape(op, &op->shape[i], most_attr, err);
		if (!(op->shape[i].use & OP_CHECK))
			check_attributes(op, &op->shape[i], err);
		search += (op->shape[i].use & (OP_SEARCH | OP_FULL)) != 0;
		held_out += (op->shape[i].use & OP_HELDOUT) != 0;
		check += (op->shape[i].use & OP_CHECK) != 0;
	}
	if (!search)
		FAULT("no shape to search: give one of .shape the use OP_SEARCH or OP_FULL");
	if (!held_out)
		FAULT("no held-out shape: give one of .shape, never searched, the use OP_HELDOUT");
	if (check < 2)
		FAULT("%d check shapes: add at least two tiny ones of unequal odd extents with use OP_CHECK", check);
	/* A stride of 1 or a padding of 0 leaves half of the index arithmetic untested. */
	for (int i = 0; check >= 2 && i < OP_MAX_ATTRS && op->attr[i].name; i++)
		if (op->attr[i].is_int && most_attr[i] < 2)
			FAULT("no check shape has '%s' above 1: add one, such as \"... %s=2\"", op->attr[i].name, op->attr[i].name);
}

int op_check(const struct op *op, struct strbuf *err)
{
	size_t before = err->len;
	struct { const char *value, *field; } wanted[] = {
		{ op->name, ".name" }, { op->summary, ".summary" }, { op->dims, ".dims" }, { op->body, ".body" },
		{ op->flop, ".flop" }, { op->terms, ".terms" }, { op->dtypes, ".dtypes" },
	};

	if (!op->source_path)
		FAULT("no source path: set .source_path to __FILE__");
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (!wanted[i].value || !*wanted[i].value)
			FAULT("missing %s: every operator sets it (see ops/core/op.h)", wanted[i].field);
	if (!op->reference)
		FAULT("missing reference: set .reference to a function that computes the outputs in double, independently of the body");
	if (err->len != before)
		return -1;
	check_name(op, err);
	check_aliases(op, err);
	check_dims(op, err);
	check_tensors(op, err);
	check_dtypes(op, err);
	check_extent(op, op->flop, ".flop", err);
	check_extent(op, op->terms, ".terms", err);
	if (err->len == before)
		check_shapes(op, err);
	if (err->len == before)
		op_check_body(op, err);
	if (err->len == before)
		op_check_bounds(op, err);
	if (err->len == before)
		op_check_run(op, err);
	return err->len == before ? 0 : -1;
}
