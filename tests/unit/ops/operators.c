/*
 * Every declared operator, at every check shape: the reference, the lazy
 * evaluator and the printed loops (double, magnitude, native) agree; and
 * op_check() finds nothing to say.  A new operator is tested as soon as its file exists.
 */
#include "ops/core/interp.h"
#include "ops/core/loops.h"
#include "ops/core/proc.h"
#include "tests/tap.h"
#include "tests/unit/ops/cases.h"

#include <dlfcn.h>
#include <unistd.h>

typedef void loops_fn(void *const *buf, const int64_t *dim);

/* The function of the last text compiled for each kind of loops: most shapes share one. */
struct built {
	struct strbuf text;
	loops_fn *fn;
};
static char folder[64];
static int built_count;

static loops_fn *build(struct built *b, const char *text)
{
	struct strbuf path = STRBUF_INIT, errout = STRBUF_INIT, err = STRBUF_INIT;
	struct proc_result result;
	struct proc_limits limits = { .wall_s = 60 };
	void *library = NULL;

	if (b->fn && !strcmp(b->text.buf, text))
		return b->fn;
	strbuf_reset(&b->text);
	strbuf_addstr(&b->text, text);
	strbuf_addf(&path, "%s/%d.so", folder, built_count++);
	if (proc_run(PROC_ARGV("gcc", "-std=gnu17", "-O1", "-Wall", "-Wno-unused", "-Werror", "-shared", "-fPIC", "-x", "c", "-", "-o",
			       path.buf, "-lm"), text, &limits, &result, NULL, &errout, &err) || result.exit_code)
		printf("# %s%s\n# %s\n", err.buf, errout.buf, text);
	else
		library = dlopen(path.buf, RTLD_NOW | RTLD_LOCAL);
	b->fn = library ? (loops_fn *)dlsym(library, "loops") : NULL;
	unlink(path.buf);
	strbuf_release(&path);
	strbuf_release(&errout);
	strbuf_release(&err);
	return b->fn;
}

/* Prints, builds and runs the loops over the case's inputs; outputs into out[t].  false: it could not be done. */
static bool run_loops(struct built *b, const struct case_data *c, enum loops_arithmetic arithmetic, bool magnitude, double *const *out)
{
	struct strbuf text = STRBUF_INIT, err = STRBUF_INIT;
	void *buf[OP_MAX_TENSORS];
	loops_fn *fn = NULL;

	if (loops_print(c->problem, arithmetic, magnitude, "loops", &text, &err))
		printf("# %s\n", err.buf);
	else
		fn = build(b, text.buf);
	strbuf_release(&text);
	strbuf_release(&err);
	if (!fn)
		return false;
	for (int t = 0; t < c->tensor_count; t++)
		buf[t] = arithmetic == LOOPS_NATIVE ? c->storage[t] : out[t] ? out[t] : c->value[t];
	fn(buf, c->problem->dim);
	for (int t = 0; t < c->tensor_count; t++)
		for (int64_t i = 0; arithmetic == LOOPS_NATIVE && out[t] && i < c->elems[t]; i++)
			out[t][i] = dtype_load(problem_tensor_dtype(c->problem, t), c->storage[t], i);
	return true;
}

struct run {
	struct built built[3];
	enum distribution reals;
};

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

	for (int t = 0; t < c->tensor_count; t++)
		for (int64_t i = 0; want[t] && i < c->elems[t]; i++) {
			enum dtype d = problem_tensor_dtype(c->problem, t);
			/* Integers are wrapped when they are stored. */
			double w = share > 0 || dtype_is_real(d) ? want[t][i] : dtype_round(d, want[t][i]);
			double m = isfinite(magnitude[t][i]) ? magnitude[t][i] : fabs(want[t][i]);
			double bound = share > 0 ? share * m : case_tolerance(c->problem, t, w, m);
			if (!case_close_to(got[t][i], w, bound) && !bad++)
				printf("# %s[%lld]: got %.17g, want %.17g, bound %g\n", c->problem->op->tensor[t].name, (long long)i,
				       got[t][i], w, bound);
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

static int one_problem(const struct problem *p, enum op_use use, void *user)
{
	struct run *run = user;
	struct strbuf name = STRBUF_INIT;
	struct case_data c;
	double *value[OP_MAX_TENSORS], *magnitude[OP_MAX_TENSORS], *got[OP_MAX_TENSORS], *want[OP_MAX_TENSORS];
	bool is_native_exact = run->reals == INPUTS_normal;

	(void)use;
	problem_print(p, &name);
	case_open(&c, p, run->reals);
	make_outputs(&c, value);
	make_outputs(&c, magnitude);
	make_outputs(&c, got);
	for (int t = 0; t < OP_MAX_TENSORS; t++)
		want[t] = value[t] ? c.value[t] : NULL;
	if (ok(interpret(&c, value, magnitude), "%s: the body evaluates", name.buf)) {
		ok(!differ(&c, value, want, magnitude, 1e-13), "%s: body and reference agree", name.buf);
		ok(run_loops(&run->built[0], &c, LOOPS_DOUBLE, false, got) && !differ(&c, got, want, magnitude, 1e-13),
		   "%s: loops in double and reference agree", name.buf);
		ok(run_loops(&run->built[1], &c, LOOPS_DOUBLE, true, got) && !differ(&c, got, magnitude, magnitude, 1e-6),
		   "%s: loops and body have the same magnitude", name.buf);
		if (is_native_exact)
			ok(run_loops(&run->built[2], &c, LOOPS_NATIVE, false, got) && !differ(&c, got, want, magnitude, 0),
			   "%s: native loops are within the tolerance", name.buf);
	}
	case_close(&c);
	strbuf_release(&name);
	return 0;
}

static void one_operator(const struct op *op)
{
	struct run run = { .built = { { .text = STRBUF_INIT }, { .text = STRBUF_INIT }, { .text = STRBUF_INIT } } };
	struct strbuf err = STRBUF_INIT;

	ok(!op_check(op, &err), "%s: the declaration is sound", op->name);
	if (err.len)
		printf("# %s\n", err.buf);
	strbuf_reset(&err);
	if (problem_each(op, OP_CHECK, 1, one_problem, &run, &err))
		ok(false, "%s: %s", op->name, err.buf);
	run.reals = INPUTS_special;
	if (problem_each(op, OP_CHECK, 1, one_problem, &run, &err))
		ok(false, "%s: %s", op->name, err.buf);
	for (size_t i = 0; i < ARRAY_SIZE(run.built); i++)
		strbuf_release(&run.built[i].text);
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

int main(int argc, char **argv)
{
	const struct op *op;

	strcpy(folder, "/tmp/km-operators-XXXXXX");
	if (!mkdtemp(folder))
		return 3;
	for (size_t i = 0; (op = op_at(i)); i++)
		if (is_wanted(op, argc, argv))
			one_operator(op);
	rmdir(folder);
	return done_testing();
}
