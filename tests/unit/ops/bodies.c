/*
 * The bodies of tests/golden/bodies.tsv: each parses, prints and parses to
 * an equal tree; its normal form holds one reduction a statement; the lazy
 * evaluator gives the golden values, and the printed loops what the evaluator gives.
 */
#include "ops/core/interp.h"
#include "ops/core/loops.h"
#include "ops/core/normal.h"
#include "ops/core/proc.h"
#include "tests/tap.h"

#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SET, NAME, TENSORS, OUTPUTS, ATTRIBUTES, BODY, DIMS, CLASSES, VALUES, COLUMNS };

struct row {
	struct arena arena;
	char *column[COLUMNS];
	struct op op;
	struct problem problem;
	char class[OP_MAX_TENSORS][16];
	double *value[OP_MAX_TENSORS];
	int64_t elems[OP_MAX_TENSORS];
};

/* ---- data: the same in the program that wrote the golden values -------- */

static uint32_t hash_at(int t, int64_t i)
{
	uint32_t x = (uint32_t)(t * 7919 + i * 104729 + 12345) * UINT32_C(2654435761);

	x = (x ^ x >> 15) * UINT32_C(2246822519);
	return x ^ x >> 13;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void draw(struct row *r, int t)
{
	int64_t n = r->elems[t], bound = atoll(r->class[t] + 1);
	double *v = r->value[t];

	for (int64_t i = 0; i < n; i++)
		switch (r->class[t][0]) {
		case 'r': case 's': v[i] = hash_at(t, i) / 0x1p32 * 4 - 2; break;
		case 'p': v[i] = hash_at(t, i) / 0x1p32 + 0.25; break;
		case 'i': case 'b': v[i] = (double)(hash_at(t, i) % bound); break;
		case 'u': v[i] = (double)((i * bound + 1) % n); break;
		case 'o': v[i] = (double)(n > 1 ? bound * i * i / ((n - 1) * (n - 1)) : bound); break;
		}
	if (r->class[t][0] == 's')
		qsort(v, (size_t)n, sizeof(*v), by_value);
}

/* ---- a row as an operator ---------------------------------------------- */

static void words(struct row *r, const char *text, const char *separators, void (*each)(struct row *, char *, int))
{
	char *copy = arena_strdup(&r->arena, text), *save = NULL;
	int i = 0;

	for (char *w = strtok_r(copy, separators, &save); w; w = strtok_r(NULL, separators, &save))
		each(r, w, i++);
}

static void add_class(struct row *r, char *word, int i)
{
	snprintf(r->class[i], sizeof(r->class[i]), "%s", word);
}

static void add_tensor(struct row *r, char *word, int i)
{
	char *shape = strchr(word, '[');

	if (shape)
		*shape++ = 0, shape[strcspn(shape, "]")] = 0;
	for (char *c = shape; c && *c; c++)
		*c = *c == ',' ? ' ' : *c;
	const char *dtype = strchr("rps", r->class[i][0]) ? "f64" : r->class[i][0] == 'b' ? "bool" : "i64";
	r->op.tensor[i] = (struct op_tensor){ .name = word, .shape = shape ? shape : "", .role = OP_IN, .dtype = dtype };
}

static void add_attribute(struct row *r, char *word, int i)
{
	char *equals = strchr(word, '=');

	*equals = 0;
	r->op.attr[i] = (struct op_attr){ word, strtod(equals + 1, NULL), !strpbrk(equals + 1, ".einf") };
}

static void add_dim(struct row *r, char *word, int i)
{
	(void)i;
	r->op.dims = arena_printf(&r->arena, "%s%s%.*s", r->op.dims, *r->op.dims ? " " : "", (int)strcspn(word, "="), word);
}

static void add_output(struct row *r, char *word, int i)
{
	int t = 0;

	(void)i;
	while (r->op.tensor[t].name)
		t++;
	r->op.tensor[t] = (struct op_tensor){ .name = word, .shape = "", .role = OP_OUT, .dtype = "f64" };
}

/* Outputs' shapes are the extents of their statements. */
static bool shape_outputs(struct row *r, const struct normal *form)
{
	for (int t = 0; r->op.tensor[t].name; t++) {
		struct strbuf shape = STRBUF_INIT;
		const struct normal_stmt *s = normal_find(form, r->op.tensor[t].name);
		if (r->op.tensor[t].role == OP_IN)
			continue;
		for (size_t i = 0; s && i < s->index_count; i++) {
			struct strbuf one = STRBUF_INIT;
			expr_print(s->index[i].hi, &one);
			strbuf_replace(&one, " ", "");
			strbuf_addf(&shape, "%s%s", i ? " " : "", one.buf);
			strbuf_release(&one);
		}
		r->op.tensor[t].shape = arena_strdup(&r->arena, shape.buf);
		if (s && s->kind != KIND_REAL)
			r->op.tensor[t].dtype = "i64";
		strbuf_release(&shape);
		if (!s)
			return false;
	}
	return true;
}

static void make_operator(struct row *r)
{
	char *last;

	r->op = (struct op){ .name = "row", .dims = "", .body = r->column[BODY], .flop = "1", .terms = "1", .dtypes = "f64", .source_path = "row" };
	words(r, r->column[CLASSES], " ", add_class);
	words(r, r->column[TENSORS], " ", add_tensor);
	words(r, r->column[ATTRIBUTES], ", ", add_attribute);
	words(r, r->column[DIMS], " ", add_dim);
	last = strrchr(r->column[BODY], ';');
	last = last ? last + 1 : r->column[BODY];
	last += strspn(last, " ");
	words(r, *r->column[OUTPUTS] ? r->column[OUTPUTS] : arena_strndup(&r->arena, last, strcspn(last, "[ =")), ",", add_output);
}

/* ---- properties -------------------------------------------------------- */

static bool round_trips(struct row *r)
{
	struct body one, two;
	struct strbuf first = STRBUF_INIT, second = STRBUF_INIT, err = STRBUF_INIT;
	bool same = false;

	if (body_parse(&r->arena, r->column[BODY], "row", &one, &err))
		goto out;
	body_print(&one, &first);
	if (body_parse(&r->arena, first.buf, "printed", &two, &err))
		goto out;
	body_print(&two, &second);
	same = one.stmt_count == two.stmt_count && !strcmp(first.buf, second.buf);
	for (size_t i = 0; same && i < one.stmt_count; i++) {
		const struct body_stmt *a = &one.stmt[i], *b = &two.stmt[i];
		same = !strcmp(a->name, b->name) && a->index_count == b->index_count && expr_equal(a->value, b->value);
		for (size_t k = 0; same && k < a->index_count; k++)
			same = !strcmp(a->index[k].name, b->index[k].name) && expr_equal(a->index[k].hi, b->index[k].hi);
	}
out:
	if (!same)
		printf("# %s\n# printed: %s\n# %s\n", r->column[BODY], first.buf, err.buf);
	strbuf_release(&first);
	strbuf_release(&second);
	strbuf_release(&err);
	return same;
}

static bool has_reduction(const struct expr *e)
{
	bool found = e && e->kind == EXPR_REDUCE;

	for (size_t i = 0; e && !found && i < e->arg_count; i++)
		found = has_reduction(e->arg[i]);
	for (size_t i = 0; e && !found && i < e->range_count; i++)
		found = has_reduction(e->range[i].lo) || has_reduction(e->range[i].hi);
	return found || (e && (has_reduction(e->otherwise) || has_reduction(e->filter)));
}

static bool is_normal(const struct normal *form)
{
	for (size_t i = 0; i < form->stmt_count; i++) {
		const struct expr *e = form->stmt[i].value;
		if (e->kind != EXPR_REDUCE ? has_reduction(e) : has_reduction(e->arg[0]) || has_reduction(e->filter))
			return false;
		for (size_t k = 0; e->kind == EXPR_REDUCE && k < e->range_count; k++)
			if (has_reduction(e->range[k].lo) || has_reduction(e->range[k].hi))
				return false;
	}
	return true;
}

static double read_value(const void *user, int tensor, int64_t index)
{
	return ((const struct row *)user)->value[tensor][index];
}

/* The golden "name:elements:not finite:sum:absolute" of an output. */
static bool golden_fits(const struct row *r, int t)
{
	const char *name = r->op.tensor[t].name, *g = r->column[VALUES];
	long long elems, odd;
	double sum, absolute, got = 0;
	int64_t not_finite = 0;

	while (g && !(!strncmp(g, name, strlen(name)) && g[strlen(name)] == ':'))
		g = strchr(g, ' ') ? strchr(g, ' ') + 1 : NULL;
	if (!g || sscanf(g + strlen(name), ":%lld:%lld:%lf:%lf", &elems, &odd, &sum, &absolute) != 4)
		return false;
	for (int64_t i = 0; i < r->elems[t]; i++)
		if (isfinite(r->value[t][i]))
			got += r->value[t][i] * (double)(37 * i % 11 - 5);
		else
			not_finite++;
	if (elems == r->elems[t] && odd == not_finite && fabs(got - sum) <= 1e-9 * (absolute + 1e-3))
		return true;
	printf("# %s: got %lld elements, %lld not finite, sum %.15g; want %lld, %lld, %.15g\n", name, (long long)r->elems[t],
	       (long long)not_finite, got, elems, odd, sum);
	return false;
}

static bool evaluates(struct row *r)
{
	struct strbuf err = STRBUF_INIT;
	struct interp *in = NULL;
	bool good = false;

	if (problem_from_shape(&r->op, DTYPE_f64, r->column[DIMS], 1, &r->problem, &err))
		goto out;
	for (int t = 0; r->op.tensor[t].name; t++) {
		r->elems[t] = problem_elems(&r->problem, t);
		r->value[t] = ARENA_ARRAY(&r->arena, double, r->elems[t] + 1);
		if (r->op.tensor[t].role == OP_IN)
			draw(r, t);
	}
	in = interp_open(&r->problem, read_value, r, &err);
	good = in != NULL;
	for (int t = 0; good && r->op.tensor[t].name; t++)
		for (int64_t i = 0; good && r->op.tensor[t].role == OP_OUT && i < r->elems[t]; i++)
			good = !interp_value(in, t, i, &r->value[t][i], &err);
	for (int t = 0; good && r->op.tensor[t].name; t++)
		good = r->op.tensor[t].role == OP_IN || golden_fits(r, t);
out:
	if (err.len)
		printf("# %s\n", err.buf);
	if (!good)
		printf("# %s | %s | %s\n", r->column[BODY], r->column[DIMS], r->column[CLASSES]);
	interp_close(in);
	strbuf_release(&err);
	return good;
}

/* ---- loops -------------------------------------------------------------- */

/* All rows' functions of one arithmetic, compiled as one unit: they share its head. */
struct unit {
	struct strbuf text;
	void *library;
	int count;
};

/* Appends the row's function SYMBOL, behind the head that the first one brings. */
static bool add_function(struct unit *u, const struct strbuf *text)
{
	const char *function = strstr(text->buf, "void loops");
	size_t head = (size_t)(function - text->buf);

	if (u->count++)
		strbuf_addstr(&u->text, function);
	else
		strbuf_add(&u->text, text->buf, text->len);
	return !strncmp(u->text.buf, text->buf, head);
}

static void compile(struct unit *u)
{
	struct strbuf errout = STRBUF_INIT, err = STRBUF_INIT;
	char folder[] = "/tmp/km-bodies-XXXXXX", path[64];
	struct proc_result result = { .exit_code = 1 };
	struct proc_limits limits = { .wall_s = 200 };

	if (!mkdtemp(folder))
		return;
	snprintf(path, sizeof(path), "%s/rows.so", folder);
	if (!proc_run(PROC_ARGV("gcc", "-std=gnu17", "-O0", "-w", "-shared", "-fPIC", "-x", "c", "-", "-o", path, "-lm"), u->text.buf, &limits,
		      &result, NULL, &errout, &err) && !result.exit_code)
		u->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	else
		printf("# %s%s\n", err.buf, errout.buf);
	unlink(path);
	rmdir(folder);
	strbuf_release(&errout);
	strbuf_release(&err);
}

/* The row's function over its inputs gives what the evaluator gave. */
static bool loops_agree(struct row *r, const struct unit *u, int number, bool native)
{
	char symbol[32];
	void *buf[OP_MAX_TENSORS];
	void (*fn)(void *const *, const int64_t *) = NULL;

	snprintf(symbol, sizeof(symbol), "loops_%d", number);
	if (u->library)
		*(void **)&fn = dlsym(u->library, symbol);
	if (!fn)
		return false;
	for (int t = 0; r->op.tensor[t].name; t++) {
		buf[t] = ARENA_ARRAY(&r->arena, double, r->elems[t] + 1);
		for (int64_t i = 0; r->op.tensor[t].role == OP_IN && i < r->elems[t]; i++)
			dtype_store(native ? problem_tensor_dtype(&r->problem, t) : DTYPE_f64, buf[t], i, r->value[t][i]);
	}
	fn(buf, r->problem.dim);
	for (int t = 0; r->op.tensor[t].name; t++)
		for (int64_t i = 0; i < r->elems[t]; i++) {
			double got = dtype_load(native ? problem_tensor_dtype(&r->problem, t) : DTYPE_f64, buf[t], i), want = r->value[t][i];
			if (got == want || (isnan(got) && isnan(want)) || fabs(got - want) <= 1e-9 * (1 + fabs(want)))
				continue;
			printf("# %s\n# %s[%lld] is %.15g, not %.15g\n", r->column[BODY], r->op.tensor[t].name, (long long)i, got, want);
			return false;
		}
	return true;
}

enum { MAX_ROWS = 500 };

static struct {
	struct row row[MAX_ROWS];
	bool has_value[MAX_ROWS], has_native[MAX_ROWS];
	int count, valued, native;
	struct unit unit[2]; /* in double, native */
} all;

/* Prints the row's loops; the native ones only where they are other loops. */
static void print_loops(int number)
{
	struct row *r = &all.row[number];
	struct strbuf text[2] = { STRBUF_INIT, STRBUF_INIT }, err = STRBUF_INIT;
	char symbol[32];

	snprintf(symbol, sizeof(symbol), "loops_%d", number);
	if (!ok(!loops_print(&r->problem, LOOPS_DOUBLE, false, symbol, &text[0], &err) &&
		!loops_print(&r->problem, LOOPS_NATIVE, false, symbol, &text[1], &err), "%s: loops are printed %s", r->column[NAME], err.buf))
		return;
	all.has_native[number] = strcmp(strstr(text[0].buf, "void loops"), strstr(text[1].buf, "void loops")) != 0;
	if (!add_function(&all.unit[0], &text[0]) || (all.has_native[number] && !add_function(&all.unit[1], &text[1])))
		ok(false, "%s: the head is the same for all", r->column[NAME]);
	for (int i = 0; i < 2; i++)
		strbuf_release(&text[i]);
	strbuf_release(&err);
}

static void one_row(int number)
{
	struct row *r = &all.row[number];
	const char *name = r->column[NAME];
	struct normal form;
	struct strbuf err = STRBUF_INIT;

	make_operator(r);
	ok(round_trips(r), "%s: prints and parses to an equal tree", name);
	bool good = ok(!normal_form(&r->arena, &r->op, DTYPE_f64, NULL, &form, &err) && is_normal(&form), "%s: one reduction a statement %s", name, err.buf);
	strbuf_release(&err);
	if (!good || !*r->column[VALUES] || !shape_outputs(r, &form))
		return;
	for (size_t i = 0; i < form.stmt_count; i++)
		for (size_t k = 0; k < form.stmt[i].index_count; k++)
			for (size_t j = 0; j < form.stmt_count; j++)
				if (expr_uses(form.stmt[i].index[k].hi, form.stmt[j].name))
					return; /* a dynamic extent */
	all.has_value[number] = ok(evaluates(r), "%s: golden values", name);
	if (all.has_value[number])
		print_loops(number);
}

static void read_rows(const char *wanted)
{
	struct strbuf file = STRBUF_INIT, err = STRBUF_INIT;
	char *save = NULL;

	if (strbuf_read_file(&file, "tests/golden/bodies.tsv", &err))
		printf("Bail out! %s\n", err.buf);
	for (char *line = strtok_r(file.buf, "\n", &save); line && all.count < MAX_ROWS; line = strtok_r(NULL, "\n", &save)) {
		struct row *r = &all.row[all.count];
		if (*line == '#' || (wanted && !strstr(line, wanted)))
			continue;
		for (int i = 0; i < COLUMNS; i++) {
			char *column = strsep(&line, "\t");
			r->column[i] = column ? arena_strdup(&r->arena, column) : NULL;
		}
		all.count += r->column[COLUMNS - 1] != NULL;
	}
	strbuf_release(&file);
	strbuf_release(&err);
}

int main(int argc, char **argv)
{
	for (int i = 0; i < 2; i++)
		strbuf_init(&all.unit[i].text);
	read_rows(argc > 1 ? argv[1] : NULL);
	for (int i = 0; i < all.count; i++)
		one_row(i);
	for (int i = 0; i < 2; i++)
		if (all.unit[i].count)
			compile(&all.unit[i]);
	for (int i = 0; i < all.count; i++) {
		if (all.has_value[i])
			ok(loops_agree(&all.row[i], &all.unit[0], i, false), "%s: loops and evaluator agree", all.row[i].column[NAME]);
		if (all.has_native[i])
			ok(loops_agree(&all.row[i], &all.unit[1], i, true), "%s: native loops and evaluator agree", all.row[i].column[NAME]);
		all.valued += all.has_value[i];
		all.native += all.has_native[i];
	}
	if (argc == 1) {
		ok(all.count == 382, "%d bodies were read", all.count);
		ok(all.valued >= 373, "%d have golden values and loops", all.valued);
		ok(all.native >= 150, "%d have native loops of their own", all.native);
	}
	for (int i = 0; i < all.count; i++)
		arena_release(&all.row[i].arena);
	for (int i = 0; i < 2; i++)
		strbuf_release(&all.unit[i].text);
	return done_testing();
}
