/*
 * Every declared operator, at every check shape: the reference, the lazy
 * evaluator and the printed loops (double, magnitude, native, boxed) agree; and
 * op_check() finds nothing to say.  A new operator is tested as soon as its file exists.
 */
#include "ops/core/interp.h"
#include "ops/core/loops.h"
#include "ops/core/proc.h"
#include "ops/core/words.h"
#include "tests/tap.h"
#include "tests/unit/ops/cases.h"

#include <dlfcn.h>
#include <unistd.h>

typedef void loops_fn(void *const *buf, const int64_t *dim);

/* Printed loops share a few translation units: their head costs more to compile than they do. */
enum unit_kind { UNIT_DOUBLE, UNIT_MAGNITUDE, UNIT_BOXED, UNIT_NATIVE_FLOAT, UNIT_NATIVE_DOUBLE, UNIT_KINDS };
enum { MOST_FUNCTIONS = 4096, MOST_CASES = 16384, OPERATORS_A_UNIT = 24 };
struct unit {
	struct strbuf text;
	char *function[MOST_FUNCTIONS]; /* as printed: equal ones are compiled once */
	int count;
	void *library;
};
struct one_case {
	struct problem problem;
	int fn[UNIT_KINDS]; /* number in its unit, or -1 */
};
static struct unit unit[UNIT_KINDS];
static struct one_case *one_case;
static int case_count;
static char folder[64];
static int built_count;

/* The number of the problem's loops in unit k; -1: they could not be printed. */
static int add_function(enum unit_kind k, const struct problem *p)
{
	struct unit *u = &unit[k];
	struct strbuf text = STRBUF_INIT, err = STRBUF_INIT;
	char symbol[32];

	if (k == UNIT_BOXED ? loops_print_boxed(p, "loops", &text, &err) :
			      loops_print(p, k <= UNIT_MAGNITUDE ? LOOPS_DOUBLE : LOOPS_NATIVE, k == UNIT_MAGNITUDE, "loops", &text, &err)) {
		printf("# %s\n", err.buf);
		strbuf_release(&err);
		return -1;
	}
	char *function = strstr(text.buf, "void loops(");
	for (int i = 0; i < u->count; i++)
		if (!strcmp(u->function[i], function)) {
			strbuf_release(&text);
			return i;
		}
	if (!u->count)
		strbuf_add(&u->text, text.buf, (size_t)(function - text.buf));
	u->function[u->count] = strdup(function);
	snprintf(symbol, sizeof(symbol), "void loops%d(", u->count);
	strbuf_addstr(&u->text, symbol);
	strbuf_addstr(&u->text, function + strlen("void loops("));
	strbuf_release(&text);
	return u->count++;
}

/* Loops on a part read inputs as they are stored, fp8 excepted. */
static bool has_fp8(const struct problem *p)
{
	bool has = false;

	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		has |= dtype_is_real(problem_tensor_dtype(p, t)) && dtype_bytes(problem_tensor_dtype(p, t)) == 1;
	return has;
}

static int add_case(const struct problem *p, enum op_use use, void *user)
{
	struct one_case *c = &one_case[case_count];
	bool is_first = case_is_first_of_kind(p);

	(void)use, (void)user;
	if (case_count == MOST_CASES)
		return -1;
	c->problem = *p;
	c->fn[UNIT_DOUBLE] = is_first ? add_function(UNIT_DOUBLE, p) : -1;
	c->fn[UNIT_MAGNITUDE] = is_first ? add_function(UNIT_MAGNITUDE, p) : -1;
	bool has_box = is_first && !has_fp8(p);
	c->fn[UNIT_BOXED] = has_box ? add_function(UNIT_BOXED, p) : -1;
	enum unit_kind native = p->dtype == DTYPE_f64 ? UNIT_NATIVE_DOUBLE : UNIT_NATIVE_FLOAT;
	c->fn[UNIT_NATIVE_FLOAT] = c->fn[UNIT_NATIVE_DOUBLE] = -1;
	c->fn[native] = add_function(native, p);
	case_count++;
	return 0;
}

static bool build(struct unit *u)
{
	struct strbuf path = STRBUF_INIT, errout = STRBUF_INIT, err = STRBUF_INIT;
	struct proc_result result = { 0 };
	struct proc_limits limits = { .wall_s = 300 };

	/* A name for each: the loader takes a file of a known inode for the one it has. */
	strbuf_addf(&path, "%s/%d.so", folder, built_count++);
	if (u->count && (proc_run(PROC_ARGV("gcc", "-std=gnu17", "-O0", "-Wall", "-Wno-unused", "-Wno-maybe-uninitialized", "-Wno-tautological-compare", "-Werror", "-shared", "-fPIC", "-x", "c", "-", "-o",
					    path.buf, "-lm"), u->text.buf, &limits, &result, NULL, &errout, &err) || result.exit_code))
		printf("# %s%.4000s\n", err.buf, errout.buf);
	else if (u->count)
		u->library = dlopen(path.buf, RTLD_NOW | RTLD_LOCAL);
	strbuf_release(&path);
	strbuf_release(&errout);
	strbuf_release(&err);
	return !u->count || u->library;
}

static void forget(struct unit *u, int number)
{
	struct strbuf path = STRBUF_INIT;

	if (u->library)
		dlclose(u->library);
	strbuf_addf(&path, "%s/%d.so", folder, number);
	unlink(path.buf);
	strbuf_release(&path);
	for (int i = 0; i < u->count; i++)
		free(u->function[i]);
	strbuf_release(&u->text);
	*u = (struct unit){ .text = STRBUF_INIT };
}

/* Runs loops number n of unit k over the case's inputs; outputs into out[t].  false: there are none. */
static bool run_loops(enum unit_kind k, int n, const struct case_data *c, double *const *out)
{
	bool native = k >= UNIT_NATIVE_FLOAT;
	void *buf[OP_MAX_TENSORS];
	char symbol[32];

	snprintf(symbol, sizeof(symbol), "loops%d", n);
	loops_fn *fn = n >= 0 && unit[k].library ? (loops_fn *)dlsym(unit[k].library, symbol) : NULL;
	if (!fn)
		return false;
	for (int t = 0; t < c->tensor_count; t++)
		buf[t] = native ? c->storage[t] : out[t] ? out[t] : c->value[t];
	fn(buf, c->problem->dim);
	for (int t = 0; t < c->tensor_count; t++)
		for (int64_t i = 0; native && out[t] && i < c->elems[t]; i++)
			out[t][i] = dtype_load(problem_tensor_dtype(c->problem, t), c->storage[t], i);
	return true;
}

/* New output arrays. */
static void make_outputs(struct case_data *c, double **out)
{
	for (int t = 0; t < OP_MAX_TENSORS; t++)
		out[t] = t < c->tensor_count && c->problem->op->tensor[t].role == OP_OUT ? ARENA_ARRAY(&c->arena, double, c->elems[t] + 1) : NULL;
}

/* Elements of `got` further from `want` than share * magnitude, or than the tolerance when share is 0. */
static int64_t differ(const struct case_data *c, double *const *got, double *const *want, double *const *magnitude, double share)
{
	int64_t bad = 0;

	for (int t = 0; t < c->tensor_count; t++) {
		const struct tolerance tolerance = problem_tolerance(c->problem, t);
		enum dtype d = problem_tensor_dtype(c->problem, t);
		for (int64_t i = 0; want[t] && i < c->elems[t]; i++) {
			/* Integers are wrapped when they are stored. */
			double w = share > 0 || dtype_is_real(d) ? want[t][i] : dtype_round(d, want[t][i]);
			double m = isfinite(magnitude[t][i]) ? magnitude[t][i] : fabs(want[t][i]);
			double bound = share > 0 ? share * m : tolerance_at(&tolerance, w, m);
			if (!case_close_to(got[t][i], w, bound) && !bad++)
				printf("# %s[%lld]: got %.17g, want %.17g, bound %g\n", c->problem->op->tensor[t].name, (long long)i,
				       got[t][i], w, bound);
		}
	}
	return bad;
}

static bool interpret(const struct case_data *c, double *const *value, double *const *magnitude)
{
	struct strbuf err = STRBUF_INIT;
	struct interp *in = interp_open(c->problem, case_read, c, &err);
	bool done = in != NULL;

	for (int t = 0; done && t < c->tensor_count; t++)
		for (int64_t i = 0; done && value[t] && i < c->elems[t]; i++)
			done = !interp_value_magnitude(in, t, i, &value[t][i], &magnitude[t][i], &err);
	if (!done)
		printf("# %s\n", err.buf);
	interp_close(in);
	strbuf_release(&err);
	return done;
}

/*
 * Elements first..last of output t by the boxed loops and so many threads: how many are not `want` and
 * `magnitude`.  Where a factor was taken out of a sum of sums, magnitudes are less, but not half of it.
 */
static int64_t one_box(loops_boxed *fn, bool is_factored, struct case_data *c, double *const *pair, int t, int64_t first, int64_t last,
		       const double *want, const double *magnitude, int threads)
{
	struct strbuf err = STRBUF_INIT;
	void *buf[OP_MAX_TENSORS];
	int64_t *box, bad = 0, *element = ARENA_ARRAY(&c->arena, int64_t, last - first + 1);
	double work;

	for (int64_t i = first; i <= last; i++)
		element[i - first] = i;
	if (loops_box(c->problem, t, element, (size_t)(last - first + 1), &box, &work, &err)) {
		printf("# %s\n", err.buf);
		return 1;
	}
	for (int i = 0; i < c->tensor_count; i++) {
		buf[i] = pair[i] ? (void *)pair[i] : c->storage[i];
		for (int64_t e = 0; pair[i] && e < 2 * c->elems[i]; e++)
			pair[i][e] = -12345.25; /* what the part does not hold is not written */
	}
	loops_run(fn, buf, c->problem->dim, box, threads);
	for (int64_t i = first; i <= last; i++) {
		double m = isfinite(magnitude[i]) ? magnitude[i] : fabs(want[i]), *got = &pair[t][2 * i];
		bool good = case_close_to(got[0], want[i], 1e-13 * m) &&
			    (case_close_to(got[1], magnitude[i], 1e-6 * m) || (is_factored && got[1] <= magnitude[i] && got[1] >= 0.5 * magnitude[i]));
		if (!good && !bad++)
			printf("# part %lld..%lld by %d threads, %s[%lld]: got %.17g of magnitude %g, want %.17g of %g\n", (long long)first, (long long)last,
			       threads, c->problem->op->tensor[t].name, (long long)i, got[0], got[1], want[i], magnitude[i]);
	}
	free(box);
	return bad;
}

/* The first row, the last, one element between, and everything, of every output. */
static bool boxes_agree(int n, struct case_data *c, double *const *want, double *const *magnitude)
{
	char symbol[32];
	int64_t bad = 0, extent[OP_MAX_RANK];
	double *pair[OP_MAX_TENSORS];

	snprintf(symbol, sizeof(symbol), "loops%d", n);
	loops_boxed *fn = n >= 0 && unit[UNIT_BOXED].library ? (loops_boxed *)dlsym(unit[UNIT_BOXED].library, symbol) : NULL;
	bool is_factored = fn && strstr(unit[UNIT_BOXED].function[n], " v_part");
	for (int t = 0; t < OP_MAX_TENSORS; t++)
		pair[t] = t < c->tensor_count && c->problem->op->tensor[t].role == OP_OUT ? ARENA_ARRAY(&c->arena, double, 2 * c->elems[t] + 2) : NULL;
	for (int t = 0; fn && t < c->tensor_count; t++) {
		int rank = problem_shape(c->problem, t, extent);
		int64_t row = rank ? extent[rank - 1] : 1, elems = c->elems[t];
		if (!pair[t] || !elems)
			continue;
		bad += one_box(fn, is_factored, c, pair, t, 0, row - 1, want[t], magnitude[t], 1);
		bad += one_box(fn, is_factored, c, pair, t, elems - row, elems - 1, want[t], magnitude[t], 1);
		bad += one_box(fn, is_factored, c, pair, t, elems / 2, elems / 2, want[t], magnitude[t], 3);
		bad += one_box(fn, is_factored, c, pair, t, 0, elems - 1, want[t], magnitude[t], 3);
	}
	return fn && !bad;
}

/* What was compared of one operator, and what was not as it should be. */
struct tally {
	int cases, evaluated, agree, loops, magnitudes, native, boxed, wanted_loops, wanted_native, wanted_boxed;
};

static void one_draw(const struct one_case *k, enum distribution reals, struct tally *n)
{
	const struct problem *p = &k->problem;
	struct strbuf name = STRBUF_INIT;
	struct case_data c;
	double *value[OP_MAX_TENSORS], *magnitude[OP_MAX_TENSORS], *got[OP_MAX_TENSORS], *want[OP_MAX_TENSORS];
	enum unit_kind native = p->dtype == DTYPE_f64 ? UNIT_NATIVE_DOUBLE : UNIT_NATIVE_FLOAT;
	int before;

	problem_print(p, &name);
	case_open(&c, p, reals);
	make_outputs(&c, value);
	make_outputs(&c, magnitude);
	make_outputs(&c, got);
	for (int t = 0; t < OP_MAX_TENSORS; t++)
		want[t] = value[t] ? c.value[t] : NULL;
	n->cases++;
	before = n->evaluated + n->agree + n->loops + n->magnitudes + n->native + n->boxed - n->wanted_loops * 2 - n->wanted_native - n->wanted_boxed;
	if (interpret(&c, value, magnitude)) {
		n->evaluated++;
		n->agree += !differ(&c, value, want, magnitude, 1e-13);
		if (case_is_first_of_kind(p)) {
			n->wanted_loops++;
			n->loops += run_loops(UNIT_DOUBLE, k->fn[UNIT_DOUBLE], &c, got) && !differ(&c, got, want, magnitude, 1e-13);
			n->magnitudes += run_loops(UNIT_MAGNITUDE, k->fn[UNIT_MAGNITUDE], &c, got) && !differ(&c, got, magnitude, magnitude, 1e-6);
		}
		if (k->fn[UNIT_BOXED] >= 0 && reals == INPUTS_normal) {
			n->wanted_boxed++;
			n->boxed += boxes_agree(k->fn[UNIT_BOXED], &c, value, magnitude);
		}
		if (reals == INPUTS_normal) {
			n->wanted_native++;
			n->native += run_loops(native, k->fn[native], &c, got) && !differ(&c, got, want, magnitude, 0);
		}
	}
	if (n->evaluated + n->agree + n->loops + n->magnitudes + n->native + n->boxed - n->wanted_loops * 2 - n->wanted_native - n->wanted_boxed != before + 2)
		printf("# the above: %s, %s inputs\n", name.buf, distribution_name(reals));
	case_close(&c);
	strbuf_release(&name);
}

static void one_operator(const struct op *op)
{
	struct strbuf err = STRBUF_INIT;
	struct tally n = { 0 };

	if (!ok(!op_check(op, &err), "%s: the declaration is sound", op->name))
		printf("# %s\n", err.buf);
	for (int i = 0; i < case_count; i++)
		if (one_case[i].problem.op == op) {
			one_draw(&one_case[i], INPUTS_normal, &n);
			one_draw(&one_case[i], INPUTS_special, &n);
		}
	ok(n.cases && n.evaluated == n.cases, "%s: the body evaluates in %d of %d cases", op->name, n.evaluated, n.cases);
	ok(n.agree == n.cases, "%s: body and reference agree in %d of %d", op->name, n.agree, n.cases);
	ok(n.loops == n.wanted_loops, "%s: loops in double and reference agree in %d of %d", op->name, n.loops, n.wanted_loops);
	ok(n.magnitudes == n.wanted_loops, "%s: loops and body have the same magnitude in %d of %d", op->name, n.magnitudes, n.wanted_loops);
	ok(n.boxed == n.wanted_boxed, "%s: loops on a part give what they give on the whole in %d of %d", op->name, n.boxed, n.wanted_boxed);
	ok(n.native == n.wanted_native, "%s: native loops are within the tolerance in %d of %d", op->name, n.native, n.wanted_native);
	strbuf_release(&err);
}

/* Operators named as arguments; none: all. */
static bool is_wanted(const struct op *op, int argc, char **argv)
{
	bool found = argc < 2;

	for (int i = 1; i < argc; i++)
		found |= op_find(argv[i]) == op;
	return found;
}

/* Prints, compiles and judges a group of operators. */
static void one_group(const struct op *const *op, int count)
{
	struct strbuf err = STRBUF_INIT;

	case_count = 0;
	for (int i = 0; i < count; i++)
		if (problem_each(op[i], OP_CHECK, 1, add_case, NULL, &err))
			ok(false, "%s: %s", op[i]->name, err.buf);
	for (int k = 0; k < UNIT_KINDS; k++)
		ok(build(&unit[k]), "%s and after: unit %d of %d functions is built", op[0]->name, k, unit[k].count);
	for (int i = 0; i < count; i++)
		one_operator(op[i]);
	for (int k = 0; k < UNIT_KINDS; k++)
		forget(&unit[k], built_count - UNIT_KINDS + k);
	strbuf_release(&err);
}

int main(int argc, char **argv)
{
	const struct op *op, *group[OPERATORS_A_UNIT];
	int count = 0;

	strcpy(folder, "/tmp/km-operators-XXXXXX");
	one_case = calloc(MOST_CASES, sizeof(*one_case));
	if (!mkdtemp(folder) || !one_case)
		return 3;
	for (size_t i = 0; (op = op_at(i)); i++) {
		if (is_wanted(op, argc, argv))
			group[count++] = op;
		if (count == OPERATORS_A_UNIT || (!op_at(i + 1) && count)) {
			one_group(group, count);
			count = 0;
		}
	}
	rmdir(folder);
	free(one_case);
	return done_testing();
}
