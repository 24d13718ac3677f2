/* What outputs should hold: the body's values and the bounds of their error, whole or sampled. */
#include "evaluate/expected.h"
#include "evaluate/compile.h"
#include "ops/core/diag.h"
#include "ops/core/interp.h"
#include "ops/core/loops.h"
#include "ops/core/rng.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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
	/* Too few for that: one by one. */
	while (want < 20 && n < want)
		index[n++] = rng_below(&rng, elems);
	return n;
}

static int by_index(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
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

typedef void whole_loops(void *const *buf, const int64_t *dim);
/* The body as C loops in double: of values and of magnitudes. */
struct expected_loops {
	struct problem problem;
	whole_loops *run[2];
	void *library[2];
};

/* Compiles printed loops; the function `km_expected`, NULL with *err.  *library is the caller's to close. */
static void *load_loops(const struct strbuf *source, void **library, struct strbuf *err)
{
	struct arena arena = ARENA_INIT;
	const char *artifact;
	void *function = NULL;

	*library = NULL;
	if (!compile_trusted(&arena, source->buf, evaluator_flags(), &artifact, err)) {
		*library = dlopen(artifact, RTLD_NOW | RTLD_LOCAL);
		function = *library ? dlsym(*library, "km_expected") : NULL;
		if (!function)
			strbuf_addf(err, "cannot load '%s': %s", artifact, dlerror());
	}
	arena_release(&arena);
	return function;
}

static void unload(void *library)
{
	if (library)
		dlclose(library);
}

/* Prints and loads the loops of one pass; NULL with *err. */
static whole_loops *load_whole(const struct problem *p, bool magnitude, void **library, struct strbuf *err)
{
	struct strbuf source = STRBUF_INIT;
	whole_loops *run = NULL;

	*library = NULL;
	if (!loops_print(p, LOOPS_DOUBLE, magnitude, "km_expected", &source, err))
		*(void **)&run = load_loops(&source, library, err);
	strbuf_release(&source);
	return run;
}

struct expected_loops *expected_loops_open(const struct problem *p, struct strbuf *err)
{
	struct expected_loops *l = claim(sizeof(*l));

	*l = (struct expected_loops){ .problem = *p };
	for (int pass = 0; pass < 2; pass++)
		if (!(l->run[pass] = load_whole(p, pass, &l->library[pass], err))) {
			expected_loops_close(l);
			return NULL;
		}
	return l;
}

void expected_loops_close(struct expected_loops *l)
{
	if (!l)
		return;
	unload(l->library[0]);
	unload(l->library[1]);
	free(l);
}

/* One output's elements, which threads take row by row: a row's elements share its reductions. */
typedef void boxed_loops(void *const *buf, const int64_t *dim, const int64_t *box);

struct job {
	const struct expected *expected;
	const struct expected_output *out;
	const struct reader *reader;
	int64_t row; /* elements that are evaluated together: a row's share its reductions */
	boxed_loops *loops[2]; /* of values and of magnitudes; NULL: interpreted */
	pthread_mutex_t lock;
	int64_t next;
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

/* Room for a whole tensor in double, of which few pages will ever be touched. */
static double *reserve(int64_t elems, size_t *bytes)
{
	*bytes = ((size_t)elems + 64) * sizeof(double);
	double *p = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		die("out of memory");
	return p;
}

/* Elements first..last-1 of the list by the printed loops, on the part of the iteration space that they need. */
static int evaluate_boxed(const struct job *j, int64_t first, int64_t last, struct strbuf *err)
{
	const struct expected_output *out = j->out;
	const struct problem *p = &j->expected->problem;
	const struct tolerance tolerance = problem_tolerance(p, out->tensor);
	int ret = 0;

	for (int pass = 0; pass < 2 && !ret; pass++) {
		void *buf[OP_MAX_TENSORS] = { NULL };
		size_t bytes[OP_MAX_TENSORS] = { 0 };
		int64_t *box;
		double work;
		ret = loops_box(p, pass, out->tensor, out->index[first], out->index[last - 1], &box, &work, err);
		if (ret)
			break;
		for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
			buf[t] = p->op->tensor[t].role == OP_IN ? (void *)j->reader->array[t] : reserve(problem_elems(p, t), &bytes[t]);
		j->loops[pass](buf, p->dim, box);
		const double *value = buf[out->tensor];
		for (int64_t i = first; i < last; i++) {
			if (pass)
				out->bound[i] = tolerance_at(&tolerance, out->want[i], value[out->index[i]]);
			else
				out->want[i] = value[out->index[i]];
		}
		for (int t = 0; t < OP_MAX_TENSORS; t++)
			if (bytes[t])
				munmap(buf[t], bytes[t]);
		free(box);
	}
	return ret;
}

static void *evaluate_rows(void *user)
{
	struct job *j = user;
	const struct expected_output *out = j->out;
	const struct problem *p = &j->expected->problem;
	const struct tolerance tolerance = problem_tolerance(p, out->tensor);
	struct strbuf err = STRBUF_INIT;
	struct interp *in = j->loops[0] ? NULL : interp_open(p, read_input, j->reader, &err);
	int ret = in || j->loops[0] ? 0 : -1;
	int64_t first, last;

	while (!ret && take_row(j, &first, &last))
		if (j->loops[0])
			ret = evaluate_boxed(j, first, last, &err);
		else for (int64_t i = first; i < last && !ret; i++) {
			double magnitude;
			ret = interp_value_magnitude(in, out->tensor, out->index ? out->index[i] : i, &out->want[i], &magnitude, &err);
			if (!ret)
				out->bound[i] = tolerance_at(&tolerance, out->want[i], magnitude);
		}
	pthread_mutex_lock(&j->lock);
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

/* Terms that elements first..last of the list take. */
static int work_of(const struct problem *p, const struct expected_output *out, int64_t first, int64_t last, double *work)
{
	struct strbuf ignored = STRBUF_INIT;
	int64_t *box = NULL;
	int ret = loops_box(p, false, out->tensor, out->index[first], out->index[last], &box, work, &ignored);

	free(box);
	strbuf_release(&ignored);
	return ret;
}

/*
 * Where a row of the sample takes many terms, compiled loops over the part it needs.  Not for
 * what loops cannot say (some recurrences) or load (fp8): that is interpreted.
 */
static void choose_loops(struct job *j, void *library[2])
{
	enum { INTERPRETED_UP_TO = 1000000 };
	const struct problem *p = &j->expected->problem;
	const struct expected_output *out = j->out;
	struct strbuf source = STRBUF_INIT, ignored = STRBUF_INIT;
	int64_t first = out->count / 2, last = first;
	double work = 0, row_work = 0;
	bool can = !work_of(p, out, first, last, &work) && work > INTERPRETED_UP_TO;

	while (last + 1 < out->count && out->index[last + 1] / j->row == out->index[first] / j->row)
		last++;
	/* Where a row shares little (its index is the batch), its elements cost less one by one. */
	if (can && !work_of(p, out, first, last, &row_work) && row_work > work * (double)(last - first + 1))
		j->row = 1;
	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		can &= p->op->tensor[t].role == OP_OUT || !dtype_is_real(problem_tensor_dtype(p, t)) || dtype_bytes(problem_tensor_dtype(p, t)) > 1;
	boxed_loops *loops[2] = { NULL, NULL };
	for (int pass = 0; can && pass < 2; pass++) {
		strbuf_reset(&source);
		can = !loops_print_boxed(p, pass, "km_expected", &source, &ignored);
		if (can)
			*(void **)&loops[pass] = load_loops(&source, &library[pass], &ignored);
		can &= loops[pass] != NULL;
	}
	if (can)
		memcpy(j->loops, loops, sizeof(loops));
	strbuf_release(&source);
	strbuf_release(&ignored);
}

/* As many of the sample as stay below MOST_WORK terms, at least 8: an element may be the sum of a whole volume. */
static int64_t affordable(const struct problem *p, struct expected_output *out)
{
	const double MOST_WORK = 8e9;
	int64_t first = out->count / 2;
	double work = 0;

	if (work_of(p, out, first, first, &work) || work * (double)out->count <= MOST_WORK)
		return out->count;
	return work * 8 > MOST_WORK ? 8 : (int64_t)(MOST_WORK / work);
}

static int evaluate_lazily(struct expected *e, const struct reader *reader, int64_t sample, uint64_t secret, struct strbuf *err)
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
			int64_t fewer = affordable(&e->problem, out);
			if (fewer < out->count)
				out->count = draw_sample(elems, rank ? extent[rank - 1] : 1, fewer, secret, out->index);
			qsort(out->index, (size_t)out->count, sizeof(*out->index), by_index);
		}
		out->want = claim((size_t)(out->count + 1) * sizeof(double));
		out->bound = claim((size_t)(out->count + 1) * sizeof(double));
		struct job job = { .expected = e, .out = out, .reader = reader, .row = rank ? extent[rank - 1] : 1, .err = err };
		void *library[2] = { NULL, NULL };
		if (out->index)
			choose_loops(&job, library);
		ret = evaluate_output(&job);
		unload(library[0]);
		unload(library[1]);
	}
	return ret;
}

/* Values and bounds of every element by the loops; want[] and bound[] are the outputs' own. */
static void evaluate_compiled(struct expected *e, const struct expected_loops *loops, const struct reader *reader)
{
	const struct problem *p = &e->problem;
	double *in[OP_MAX_TENSORS] = { NULL };
	void *buf[2][OP_MAX_TENSORS] = { { NULL } };

	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++) {
		if (p->op->tensor[t].role != OP_IN)
			continue;
		int64_t elems = problem_elems(p, t);
		buf[0][t] = buf[1][t] = in[t] = claim((size_t)(elems + 1) * sizeof(double));
		for (int64_t i = 0; i < elems; i++)
			in[t][i] = read_input(reader, t, i);
	}
	for (int o = 0; o < e->output_count; o++) {
		struct expected_output *out = &e->output[o];
		out->count = problem_elems(p, out->tensor);
		buf[0][out->tensor] = out->want = claim((size_t)(out->count + 1) * sizeof(double));
		buf[1][out->tensor] = out->bound = claim((size_t)(out->count + 1) * sizeof(double));
	}
	for (int pass = 0; pass < 2; pass++)
		loops->run[pass](buf[pass], p->dim);
	for (int t = 0; t < OP_MAX_TENSORS; t++)
		free(in[t]);
	for (int o = 0; o < e->output_count; o++) {
		const struct expected_output *out = &e->output[o];
		const struct tolerance tolerance = problem_tolerance(p, out->tensor);
		for (int64_t i = 0; i < out->count; i++)
			out->bound[i] = tolerance_at(&tolerance, out->want[i], out->bound[i]);
	}
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

static struct reader reader_of(const struct problem *p, const void *const *in)
{
	struct reader reader = { 0 };

	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++) {
		reader.dtype[t] = problem_tensor_dtype(p, t);
		reader.array[t] = in[t];
	}
	return reader;
}

struct expected *expected_of_loops(const struct expected_loops *loops, const void *const *in)
{
	struct expected *e = open_outputs(&loops->problem);
	struct reader reader = reader_of(&loops->problem, in);

	evaluate_compiled(e, loops, &reader);
	return e;
}

struct expected *expected_open(const struct problem *p, const void *const *in, int64_t sample, uint64_t secret,
			       struct strbuf *err)
{
	enum { LAZILY_UP_TO = 1000000 /* terms; above, compiling the loops costs less */ };

	if (!sample && problem_work(p) > LAZILY_UP_TO) {
		struct expected_loops *loops = expected_loops_open(p, err);
		struct expected *whole = loops ? expected_of_loops(loops, in) : NULL;
		expected_loops_close(loops);
		return whole;
	}
	struct expected *e = open_outputs(p);
	struct reader reader = reader_of(p, in);
	if (evaluate_lazily(e, &reader, sample, secret, err)) {
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

