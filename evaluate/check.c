#include "evaluate/check.h"
#include "evaluate/compile.h"
#include "ops/core/diag.h"
#include "ops/core/loops.h"
#include "ops/core/rng.h"

#include <dlfcn.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Elements compared of one output: all, or a sample. */
struct expected_output {
	int tensor;
	int64_t *index;  /* NULL: 0..count-1 */
	int64_t count;
	double *want, *bound;
};
struct expected {
	struct problem problem;
	struct expected_output output[OP_MAX_TENSORS];
	int output_count;
};

struct reader {
	enum dtype dtype[OP_MAX_TENSORS];
	const void *array[OP_MAX_TENSORS];
};

static double read_input(const void *user, int tensor, int64_t index)
{
	const struct reader *r = user;

	return dtype_load(r->dtype[tensor], r->array[tensor], index);
}

static void *claim(size_t bytes)
{
	void *p = malloc(bytes);

	if (!p)
		die("out of memory");
	return p;
}

/* Corners, tails and random positions in clusters that share rows. */
static int64_t draw_sample(int64_t elems, int64_t row, int64_t want, uint64_t secret, int64_t *index)
{
	struct rng rng = { secret, 0 };
	int64_t n = 0, rows = row > 0 ? elems / row : 1;

	index[n++] = 0;
	index[n++] = elems - 1;
	index[n++] = row > 0 && row <= elems ? row - 1 : 0;
	index[n++] = elems - (row > 0 && row <= elems ? row : 1);
	/* 16 columns a row: a row's reductions are shared by all of them. */
	while (n + 16 <= want) {
		int64_t r = rng_below(&rng, rows > 0 ? rows : 1);
		for (int k = 0; k < 16; k++)
			index[n++] = r * row + rng_below(&rng, row > 0 ? row : 1);
	}
	return n;
}

static int by_index(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* One output's elements, which threads take row by row: a row's elements share its reductions. */
struct job {
	const struct expected *expected;
	const struct expected_output *out;
	interp_read *read;
	const void *user;
	int64_t row; /* elements */
	pthread_mutex_t lock;
	int64_t next, reads;
	struct strbuf *err;
	int ret;
};

/* The next row's elements, first..last-1; false: none are left, or one failed. */
static bool take_row(struct job *j, int64_t *first, int64_t *last)
{
	const int64_t *index = j->out->index;

	pthread_mutex_lock(&j->lock);
	*first = *last = j->next;
	while (!j->ret && *last < j->out->count && (!index || index[*last] / j->row == index[*first] / j->row))
		++*last;
	j->next = *last;
	pthread_mutex_unlock(&j->lock);
	return *first < *last;
}

static void *evaluate_rows(void *user)
{
	struct job *j = user;
	const struct expected_output *out = j->out;
	const struct problem *p = &j->expected->problem;
	struct strbuf err = STRBUF_INIT;
	struct interp *in = interp_open(p, j->read, j->user, &err);
	int ret = in ? 0 : -1;
	int64_t first, last;

	while (!ret && take_row(j, &first, &last))
		for (int64_t i = first; i < last && !ret; i++) {
			double magnitude;
			ret = interp_value_magnitude(in, out->tensor, out->index ? out->index[i] : i, &out->want[i], &magnitude, &err);
			if (!ret)
				out->bound[i] = problem_tolerance(p, out->tensor, out->want[i], magnitude);
		}
	pthread_mutex_lock(&j->lock);
	j->reads += in ? interp_reads(in) : 0;
	if (ret && !j->ret)
		strbuf_addstr(j->err, err.buf);
	j->ret |= ret;
	pthread_mutex_unlock(&j->lock);
	interp_close(in);
	strbuf_release(&err);
	return NULL;
}

/* Whole small shapes are evaluated at once; a sample of a large one by all processors. */
static int evaluate_output(struct job *job)
{
	enum { MOST_THREADS = 16 };
	pthread_t thread[MOST_THREADS];
	long processors = job->out->index ? sysconf(_SC_NPROCESSORS_ONLN) : 1;
	int started = 0;

	pthread_mutex_init(&job->lock, NULL);
	while (started + 1 < processors && started < MOST_THREADS && !pthread_create(&thread[started], NULL, evaluate_rows, job))
		started++;
	evaluate_rows(job);
	for (int i = 0; i < started; i++)
		pthread_join(thread[i], NULL);
	pthread_mutex_destroy(&job->lock);
	return job->ret;
}

static int evaluate_lazily(struct expected *e, interp_read *read, const void *user, int64_t sample, uint64_t secret, int64_t *reads, struct strbuf *err)
{
	int ret = 0;

	for (int o = 0; o < e->output_count && !ret; o++) {
		struct expected_output *out = &e->output[o];
		int64_t elems = problem_elems(&e->problem, out->tensor), extent[8];
		int rank = problem_shape(&e->problem, out->tensor, extent);
		bool all = !sample || elems <= sample;
		out->count = all ? elems : sample;
		if (!all) {
			out->index = claim((size_t)(sample + 32) * sizeof(*out->index));
			out->count = draw_sample(elems, rank ? extent[rank - 1] : 1, sample, secret, out->index);
			qsort(out->index, (size_t)out->count, sizeof(*out->index), by_index);
		}
		out->want = claim((size_t)(out->count + 1) * sizeof(double));
		out->bound = claim((size_t)(out->count + 1) * sizeof(double));
		struct job job = { .expected = e, .out = out, .read = read, .user = user, .row = rank ? extent[rank - 1] : 1, .err = err };
		ret = evaluate_output(&job);
		if (reads)
			*reads += job.reads;
	}
	return ret;
}

/* Ours, for this machine: the checker needs no particular target. */
static const char *evaluator_flags(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return "clang-22 -O3 -march=x86-64-v3 -w";
#endif
	return "clang-22 -O3 -w";
}

/* Runs the loops of one pass; out[] by tensor. */
static int run_loops(const struct problem *p, bool magnitude, double *const *in, double *const *out, struct strbuf *err)
{
	struct arena arena = ARENA_INIT;
	struct strbuf source = STRBUF_INIT;
	void *buf[OP_MAX_TENSORS] = { NULL }, *library = NULL;
	const char *artifact;
	int ret = -1;

	if (loops_print(p, LOOPS_DOUBLE, magnitude, "km_expected", &source, err) ||
	    compile_trusted(&arena, source.buf, evaluator_flags(), &artifact, err))
		goto out;
	library = dlopen(artifact, RTLD_NOW | RTLD_LOCAL);
	void (*run)(void *const *, const int64_t *);
	*(void **)&run = library ? dlsym(library, "km_expected") : NULL;
	if (!run) {
		strbuf_addf(err, "cannot load '%s': %s", artifact, dlerror());
		goto out;
	}
	for (int t = 0; t < OP_MAX_TENSORS; t++)
		buf[t] = in[t] ? in[t] : out[t];
	run(buf, p->dim);
	ret = 0;
out:
	if (library)
		dlclose(library);
	strbuf_release(&source);
	arena_release(&arena);
	return ret;
}

/* The body as C loops in double, value and magnitude; for whole comparisons of large shapes. */
static int evaluate_compiled(struct expected *e, const struct reader *reader, struct strbuf *err)
{
	const struct problem *p = &e->problem;
	double *in[OP_MAX_TENSORS] = { NULL }, *want[OP_MAX_TENSORS] = { NULL }, *bound[OP_MAX_TENSORS] = { NULL };

	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++) {
		if (p->op->tensor[t].role != OP_IN)
			continue;
		int64_t elems = problem_elems(p, t);
		in[t] = claim((size_t)(elems + 1) * sizeof(double));
		for (int64_t i = 0; i < elems; i++)
			in[t][i] = read_input(reader, t, i);
	}
	for (int o = 0; o < e->output_count; o++) {
		struct expected_output *out = &e->output[o];
		out->count = problem_elems(p, out->tensor);
		out->want = want[out->tensor] = claim((size_t)(out->count + 1) * sizeof(double));
		out->bound = bound[out->tensor] = claim((size_t)(out->count + 1) * sizeof(double));
	}
	int ret = run_loops(p, false, in, want, err) || run_loops(p, true, in, bound, err) ? -1 : 0;
	for (int t = 0; t < OP_MAX_TENSORS; t++)
		free(in[t]);
	for (int o = 0; o < e->output_count && !ret; o++)
		for (int64_t i = 0; i < e->output[o].count; i++)
			e->output[o].bound[i] = problem_tolerance(p, e->output[o].tensor, e->output[o].want[i], e->output[o].bound[i]);
	return ret;
}

static struct expected *open_outputs(const struct problem *p)
{
	struct expected *e = claim(sizeof(*e));

	*e = (struct expected){ .problem = *p };
	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		if (p->op->tensor[t].role == OP_OUT)
			e->output[e->output_count++].tensor = t;
	return e;
}

struct expected *expected_open(const struct problem *p, const void *const *in, int64_t sample, uint64_t secret,
			       struct strbuf *err)
{
	enum { LAZILY_UP_TO = 1000000 /* terms; above, compiling the loops costs less */ };
	struct expected *e = open_outputs(p);
	struct reader reader = { 0 };
	double work = 0;

	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++) {
		reader.dtype[t] = problem_tensor_dtype(p, t);
		reader.array[t] = in[t];
	}
	for (int o = 0; o < e->output_count; o++)
		work += (double)problem_elems(p, e->output[o].tensor) * (double)problem_terms(p);
	int bad = !sample && work > LAZILY_UP_TO ? evaluate_compiled(e, &reader, err) :
						   evaluate_lazily(e, read_input, &reader, sample, secret, NULL, err);
	if (bad) {
		expected_close(e);
		return NULL;
	}
	return e;
}

struct expected *expected_sample(const struct problem *p, interp_read *read, const void *user, int64_t sample, uint64_t secret,
				 int64_t *reads, struct strbuf *err)
{
	struct expected *e = open_outputs(p);

	if (evaluate_lazily(e, read, user, sample, secret, reads, err)) {
		expected_close(e);
		return NULL;
	}
	return e;
}

const double *expected_values(const struct expected *e, int output, int64_t *count)
{
	*count = e->output[output].count;
	return e->output[output].want;
}

size_t check_distributions(const struct problem *p, enum distribution d[INPUTS_COUNT])
{
	static const enum distribution always[] = { INPUTS_normal, INPUTS_wide, INPUTS_positive, INPUTS_grid, INPUTS_fine };
	size_t n = ARRAY_SIZE(always);

	memcpy(d, always, sizeof(always));
	/* What only moves or maps element by element must keep what is special, too. */
	if (problem_terms(p) == 1)
		d[n++] = INPUTS_special;
	return n;
}

void expected_close(struct expected *e)
{
	if (!e)
		return;
	for (int o = 0; o < e->output_count; o++) {
		free(e->output[o].index);
		free(e->output[o].want);
		free(e->output[o].bound);
	}
	free(e);
}

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
		return isnan(want) && isnan(got);
	if (isinf(want))
		return got == want;
	return fabs(got - want) <= bound;
}

void expected_compare(const struct expected *e, const void *const *out, struct check_result *r)
{
	*r = (struct check_result){ .verdict = VERDICT_PASSED };
	for (int o = 0; o < e->output_count; o++) {
		const struct expected_output *x = &e->output[o];
		enum dtype dtype = problem_tensor_dtype(&e->problem, x->tensor);
		for (int64_t i = 0; i < x->count; i++) {
			int64_t at = x->index ? x->index[i] : i;
			double got = dtype_load(dtype, out[o], at), want = x->want[i], error = fabs(got - want);
			r->compared_count++;
			/* Integers wrap as their dtype does; a finite value beyond a real dtype's range rounds to infinity or NaN. */
			if (!dtype_is_real(dtype))
				want = dtype_round(dtype, want), error = fabs(got - want);
			else if (!isfinite(dtype_round(dtype, want)))
				want = dtype_round(dtype, want);
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
