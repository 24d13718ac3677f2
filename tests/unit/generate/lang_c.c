/*
 * The C printer: every program of programs.h is printed for every CPU target,
 * compiled, and, where this machine can, run and compared with its meaning.
 *   lang_c --bench [TARGET]   figures instead of tests
 *   LANG_C_FOLDER=DIR     keep sources and objects there, and use objects that
 *                         are there where there is no compiler
 */
#include "tests/tap.h"
#include "tests/unit/generate/harness.h"
#include "tests/unit/generate/programs.h"
#include "tests/unit/generate/bench.h"

#include <stdio.h>

static const char *const target_names[] = { "x86-avx2", "x86-avx512", "x86-avx512-amx" };
static const struct lang *lang;

/* A value of an input: small, exact in bf16; now and then special. */
static double input(const struct program *p, const struct tile_program *t, int b, int64_t i, const int64_t *dim, uint64_t seed)
{
	static const double special[] = { NAN, INFINITY, -INFINITY, -0.0 };
	uint64_t r = philox(seed, (uint64_t)i, b);

	if (t->buffer[b].dtype == DTYPE_i64)
		return b == 1 ? (double)(r % (uint64_t)dim[0]) : (double)(i * dim[3] / dim[2]);
	if (p->has_specials && r % 61 < 4)
		return special[r % 61];
	return dtype_round(DTYPE_bf16, (double)(r % 4001) / 1000 - 2);
}

static double magnitude(double x) { return isfinite(x) && fabs(x) > 1 ? fabs(x) : 1; }

static bool is_close(double got, double want, double bound)
{
	if (isnan(want) || isinf(want))
		return isnan(want) ? isnan(got) : got == want;
	return fabs(got - want) <= bound * magnitude(want);
}

/* One program at one set of dims; the first wrong element as a line in *why. */
static bool check(const struct program *p, const struct tile_program *t, const struct runnable *r, void *library, const int64_t *dim,
		  bool at_start, struct strbuf *why)
{
	double *value[MOST_BUFFERS] = { 0 };
	void *buf[MOST_BUFFERS] = { 0 }, *scratch = guarded((size_t)round_up(r->scratch_bytes, 64), false);
	size_t bytes[MOST_BUFFERS];
	bool good = true;

	for (size_t b = 0; b < t->buffer_count; b++) {
		enum dtype dtype = t->buffer[b].dtype;
		int64_t n = plan_buffer_elems(&r->plan, b, dim);
		bytes[b] = (size_t)n * dtype_bytes(dtype);
		if (t->buffer[b].role == PLAN_TMP)
			bytes[b] = (size_t)round_up((int64_t)bytes[b], 64);
		buf[b] = guarded(bytes[b], at_start);
		memset(buf[b], 0xff, bytes[b]); /* NaN where nothing is written */
		if (t->buffer[b].role == PLAN_TMP)
			continue;
		value[b] = calloc((size_t)n, sizeof(double));
		for (int64_t i = 0; t->buffer[b].role == PLAN_IN && i < n; i++) {
			value[b][i] = input(p, t, (int)b, i, dim, 7);
			dtype_store(dtype, buf[b], i, value[b][i]);
		}
	}
	memset(scratch, 0xff, (size_t)r->scratch_bytes);
	p->meaning(dim, value);
	if (run_steps(library, &r->plan, buf, dim, scratch)) {
		strbuf_addstr(why, "a step is missing");
		good = false;
	}
	for (size_t b = 0; b < t->buffer_count && good; b++) {
		int64_t n = plan_buffer_elems(&r->plan, b, dim);
		for (int64_t i = 0; t->buffer[b].role == PLAN_OUT && i < n && good; i++) {
			double got = dtype_load(t->buffer[b].dtype, buf[b], i);
			good = is_close(got, value[b][i], p->bound);
			if (!good)
				strbuf_addf(why, "%s[%lld] is %.9g, not %.9g", t->buffer[b].name, (long long)i, got, value[b][i]);
		}
	}
	for (size_t b = 0; b < t->buffer_count; b++) {
		guarded_free(buf[b], bytes[b], at_start);
		free(value[b]);
	}
	guarded_free(scratch, (size_t)round_up(r->scratch_bytes, 64), false);
	return good;
}

static bool machine_runs(const struct target *target)
{
	return (x86_isa() & target->isa) == target->isa;
}

static void keep(const char *key, double value, void *user)
{
	if (!strcmp(key, "code_bytes"))
		*(double *)user = value;
}

/* Facts of compiled code: there for a symbol, and not for one that is none. */
static void test_inspect(const char *path)
{
	struct strbuf err = STRBUF_INIT;
	double relu = 0, none = 0;

	ok(!lang->inspect(path, "km_relu", keep, &relu, &err) && relu > 100 && relu < 20000, "the code of 'km_relu' has %.0f bytes", relu);
	ok(!lang->inspect(path, "km_rel", keep, &none, &err) && !none, "that of no symbol has none");
	ok(lang->inspect("/dev/null", "km_relu", keep, &none, &err) < 0 && err.len, "a file that is no object is an error");
	strbuf_release(&err);
}

static void test_target(const struct target *target)
{
	struct arena arena = ARENA_INIT;
	struct strbuf source = STRBUF_INIT, err = STRBUF_INIT;
	struct tile_program *program = ARENA_ARRAY(&arena, struct tile_program, ARRAY_SIZE(programs));
	struct runnable *runnable = ARENA_ARRAY(&arena, struct runnable, ARRAY_SIZE(programs));
	const char *path = arena_printf(&arena, "%s/%s", folder, target->name);
	bool printed[ARRAY_SIZE(programs)] = { false };
	int count = 0;
	double cpu_s = 0;

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		const struct program *p = &programs[i];
		struct printed out = PRINTED_INIT;
		struct strbuf plan = STRBUF_INIT;
		char *symbol = arena_printf(&arena, "km_%s", p->name);
		if (p->wants_amx && !(target->isa & ISA_BIT(amx_bf16)))
			continue;
		printed[i] = !tile_parse(&arena, for_target(&arena, p->text, target), p->name, &program[i], &err) &&
			     lang->accepts(&program[i], target, &err) && !lang->print(&program[i], target, symbol, &out, &err);
		if (printed[i]) {
			runnable[i].scratch_bytes = out.scratch_bytes;
			if (!count++)
				strbuf_addstr(&source, out.prologue.buf);
			strbuf_addstr(&source, out.source.buf);
			tile_plan(&program[i], "so", symbol, out.scratch_bytes, NULL, &plan);
			printed[i] = !plan_parse(&arena, arena_strdup(&arena, plan.buf), p->name, &runnable[i].plan, &err);
		}
		ok(printed[i], "%s: '%s' prints", target->name, p->name);
		if (err.len)
			printf("# %s\n", err.buf);
		strbuf_reset(&err);
		strbuf_release(&plan);
		printed_release(&out);
	}
	const char *in = arena_printf(&arena, "%s.%s", path, lang->suffix);
	bool compiled = !file_publish(in, source.buf, source.len, &err) && !compile(lang, target, path, &cpu_s, &err);
	ok(compiled, "%s: %d programs compile", target->name, count);
	if (err.len)
		printf("# %s\n", err.buf);
	printf("# %.0f ms CPU, %.1f a program\n", cpu_s * 1e3, cpu_s * 1e3 / count);
	if (compiled)
		test_inspect(arena_printf(&arena, "%s.so", path));
	void *library = compiled && machine_runs(target) ? dlopen(arena_printf(&arena, "%s.so", path), RTLD_NOW) : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		if (!printed[i])
			continue;
		if (!library) {
			skip(1, machine_runs(target) ? "nothing to run" : "this machine cannot run it");
			continue;
		}
		struct strbuf why = STRBUF_INIT;
		for (int d = 0; d < 5 && programs[i].dim[d][0] && !why.len; d++)
			for (int at_start = 0; at_start < 2 && !why.len; at_start++)
				if (!check(&programs[i], &program[i], &runnable[i], library, programs[i].dim[d], at_start, &why))
					strbuf_addf(&why, " at dims %d", d);
		ok(!why.len, "%s: '%s' computes its meaning", target->name, programs[i].name);
		if (why.len)
			printf("# %s\n", why.buf);
		strbuf_release(&why);
	}
	if (library)
		dlclose(library);
	strbuf_release(&source);
	strbuf_release(&err);
	arena_release(&arena);
}

/* ---- functions against libm in double --------------------------------- */

static double sigmoid_of(double x) { return 1 / (1 + exp(-x)); }
static double silu_of(double x) { return x * sigmoid_of(x); }
static double gelu_of(double x) { return 0.5 * x * erfc(-x * M_SQRT1_2); }
static double rsqrt_of(double x) { return 1 / sqrt(x); }
static double relu_of(double x) { return x > 0 || isnan(x) ? x : 0; }
static double softplus_of(double x) { return fmax(x, 0) + log1p(exp(-fabs(x))); }

static const struct function_case {
	const char *name;
	double (*of)(double x);
	float from, to;
	double ulp;      /* bound; results below `least` count as that large */
	double least;
} function_cases[] = {
	{ "exp", exp, -87.3f, 88.7f, 1.5, 0 },
	{ "exp2", exp2, -125.9f, 127.9f, 6, 0 },
	{ "log", log, 1e-37f, 3e38f, 1.5, 0 },
	{ "log1p", log1p, -1, 1e30f, 3, 1e-30 },
	{ "tanh", tanh, -20, 20, 2.5, 1e-30 },
	{ "erf", erf, -6, 6, 7, 1e-30 },
	{ "sqrt", sqrt, 1e-37f, 3e38f, 0.51, 0 },
	{ "rsqrt", rsqrt_of, 1e-37f, 3e38f, 1.5, 0 },
	{ "sigmoid", sigmoid_of, -80, 80, 3, 0 },
	{ "silu", silu_of, -110, 80, 4, 0x1p-120 },
	{ "gelu", gelu_of, -10, 10, 16, 0.5 },
	{ "relu", relu_of, -1e30f, 1e30f, 0, 0 },
	{ "softplus", softplus_of, -80, 80, 3, 0.5 },
	{ "floor", floor, -1e6f, 1e6f, 0, 0 },
	{ "ceil", ceil, -1e6f, 1e6f, 0, 0 },
	{ "abs", fabs, -1e30f, 1e30f, 0, 0 },
};

/* |got - want| in units of want's last place. */
static double ulps(float got, double want, double least)
{
	if (isnan(want) || isinf((float)want))
		return (isnan(want) ? isnan(got) : got == (float)want) ? 0 : INFINITY;
	double size = fmax(fabs(want), least);
	return fabs(got - want) / (nextafterf((float)size, INFINITY) - (float)size);
}

static float from_ordered(int32_t i)
{
	uint32_t u = i < 0 ? 0x80000000u + (uint32_t)-i : (uint32_t)i;
	float f;

	memcpy(&f, &u, sizeof(f));
	return f;
}

static int32_t ordered(float f)
{
	int32_t i;

	memcpy(&i, &f, sizeof(i));
	return i < 0 ? -(i & 0x7fffffff) : i;
}

static void test_function(const struct target *target, void *library, size_t number)
{
	const struct function_case *f = &function_cases[number];
	void (*step)(void *const *, const int64_t *, int64_t, int64_t, void *);
	static const float special[] = { NAN, INFINITY, -INFINITY, 0, -0.0f, 1e-40f, -1e-40f, 200, -200, -88, 89, -1 };
	char symbol[40];
	int64_t n = 1 << 20, first = ordered(f->from), last = ordered(f->to);
	float *x = guarded((size_t)n * 4, true), *y = guarded((size_t)n * 4, true);
	double worst = 0, worst_special = 0;
	int64_t at = 0, turned = 0;

	for (int64_t i = 0; i < n; i++)
		x[i] = from_ordered((int32_t)(first + (last - first) * i / (n - 1)));
	memcpy(x, special, sizeof(special));
	snprintf(symbol, sizeof(symbol), "km_f%zu_map", number);
	*(void **)&step = dlsym(library, symbol);
	step((void *[]){ x, y }, &n, 0, (n + 127) / 128, NULL);
	for (int64_t i = ARRAY_SIZE(special); i < n; i++) {
		double want = f->of(x[i]), e = ulps(y[i], want, f->least);
		/* relu(gelu(x)) of a negative x is 0. */
		turned += y[i] * want < 0;
		if (e > worst) {
			worst = e;
			at = i;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
		/* Denormals of either side count as zeros. */
		double want = f->of(x[i]);
		double e = fabs(x[i]) > 0 && fabs(x[i]) < 1e-38 ? 0 : fabs(want) < 1.2e-38 ? (fabs(y[i]) < 1.2e-38 ? 0 : INFINITY) : ulps(y[i], want, f->least);
		if (e > worst_special)
			worst_special = e;
	}
	ok(worst <= f->ulp, "%s: %s is within %g ULP: %.2f at %.9g", target->name, f->name, f->ulp, worst, x[at]);
	ok(!turned, "%s: %s is never of the other sign", target->name, f->name);
	if (!ok(worst_special <= f->ulp, "%s: %s of NaN, infinities, zeros, large values", target->name, f->name))
		for (size_t i = 0; i < ARRAY_SIZE(special); i++)
			printf("# %g: %.9g, not %.9g\n", x[i], y[i], f->of(x[i]));
	guarded_free(x, (size_t)n * 4, true);
	guarded_free(y, (size_t)n * 4, true);
}

static void test_functions(const struct target *target)
{
	struct arena arena = ARENA_INIT;
	struct strbuf source = STRBUF_INIT, err = STRBUF_INIT;
	const char *path = arena_printf(&arena, "%s/functions-%s", folder, target->name);
	double cpu_s = 0;

	for (size_t i = 0; i < ARRAY_SIZE(function_cases); i++) {
		struct printed out = PRINTED_INIT;
		struct tile_program program = { 0 };
		char *text = arena_printf(&arena, "plan f\ndim N\nbuffer X f32 [N] in\nbuffer Y f32 [N] out\nkernel map grid [cdiv(N,128)] threads 1\n"
					  "  index j<128 of N-p0*128\n  Y[p0*128+j] = %s(X[p0*128+j])\n", function_cases[i].name);
		if (!ok(!tile_parse(&arena, text, "f", &program, &err) && !lang->print(&program, target, arena_printf(&arena, "km_f%zu", i), &out, &err),
			"%s: %s prints", target->name, function_cases[i].name))
			printf("# %s\n", err.buf);
		strbuf_addstr(&source, i ? "" : out.prologue.buf);
		strbuf_addstr(&source, out.source.buf);
		printed_release(&out);
	}
	bool compiled = !file_publish(arena_printf(&arena, "%s.%s", path, lang->suffix), source.buf, source.len, &err) &&
			!compile(lang, target, path, &cpu_s, &err);
	if (!ok(compiled, "%s: functions compile", target->name))
		printf("# %s\n", err.buf);
	void *library = compiled && machine_runs(target) ? dlopen(arena_printf(&arena, "%s.so", path), RTLD_NOW) : NULL;
	if (!library)
		skip(2 * ARRAY_SIZE(function_cases), "this machine cannot run it");
	for (size_t i = 0; i < ARRAY_SIZE(function_cases) && library; i++)
		test_function(target, library, i);
	if (library)
		dlclose(library);
	strbuf_release(&source);
	strbuf_release(&err);
	arena_release(&arena);
}

int main(int argc, char **argv)
{
	char made[] = "/tmp/lang_c.XXXXXX";
	struct strbuf err = STRBUF_INIT;

	folder = getenv("LANG_C_FOLDER");
	if (!folder)
		folder = mkdtemp(made);
	lang = lang_find("c");
	if (argc > 1 && !strcmp(argv[1], "--bench")) {
		const struct target *target = argc > 2 ? target_find(argv[2], &err) : target_of_this_machine();
		if (target)
			bench_all(lang, target);
		return !target;
	}
	for (size_t i = 0; i < ARRAY_SIZE(target_names); i++) {
		const struct target *target = target_find(target_names[i], &err);
		ok(target != NULL, "target '%s'", target_names[i]);
		if (!target)
			continue;
		test_target(target);
		test_functions(target);
	}
	strbuf_release(&err);
	return done_testing();
}
