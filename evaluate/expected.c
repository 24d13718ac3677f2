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

/* Sums of a part in any order, so that they vectorise: it moves them by roundings of double alone. */
static const char *boxed_flags(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return "clang-22 -O3 -march=x86-64-v3 -fassociative-math -fno-signed-zeros -fno-trapping-math -w";
#endif
	return "clang-22 -O3 -fassociative-math -fno-signed-zeros -fno-trapping-math -w";
}

/* Compiles printed loops; the function `km_expected`, NULL with *err.  *library is the caller's to close. */
static void *load_loops(const struct strbuf *source, const char *flags, void **library, struct strbuf *err)
{
	struct arena arena = ARENA_INIT;
	const char *artifact;
	void *function = NULL;

	*library = NULL;
	if (!compile_trusted(&arena, source->buf, flags, &artifact, err)) {
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
		*(void **)&run = load_loops(&source, evaluator_flags(), library, err);
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

void expected_prepare(struct arena *arena, const struct problem *p, void (*each)(const char *artifact, void *user), void *user)
{
	/* Values, magnitudes, and both on a part: what cannot be said in loops is interpreted everywhere. */
	for (int form = 0; form < 3; form++) {
		struct strbuf source = STRBUF_INIT, ignored = STRBUF_INIT;
		const char *artifact;
		int bad = form < 2 ? loops_print(p, LOOPS_DOUBLE, form, "km_expected", &source, &ignored) : loops_print_boxed(p, "km_expected", &source, &ignored);
		if (!bad && !compile_trusted(arena, source.buf, form < 2 ? evaluator_flags() : boxed_flags(), &artifact, &ignored))
			each(artifact, user);
		strbuf_release(&source);
		strbuf_release(&ignored);
	}
}

void expected_loops_close(struct expected_loops *l)
{
	if (!l)
		return;
	unload(l->library[0]);
	unload(l->library[1]);
	free(l);
}

/*
 * One output's elements.  Interpreted, threads take them row by row: a row's elements share its
 * reductions.  By compiled loops, they take them group by group, see choose_groups().
 */
struct group {
	int64_t *element; /* positions in the output */
	int *at;          /* where they are in its list */
	int count;
	double work;      /* terms that the group takes */
};
struct job {
	const struct expected *expected;
	struct expected_output *out;
	const struct reader *reader;
	int64_t row;
	loops_boxed *loops; /* NULL: interpreted */
	struct group *group;
	int group_count;
	pthread_mutex_t lock;
	int64_t next;
	struct strbuf *err;
	int ret;
};

/* The next row's elements, first..last-1, or the next group, first; false: none are left, or one failed. */
static bool take_row(struct job *j, int64_t *first, int64_t *last)
{
	const int64_t *index = j->out->index;
	int64_t count = j->loops ? j->group_count : j->out->count;

	pthread_mutex_lock(&j->lock);
	*first = *last = j->next;
	if (!j->ret && *first < count)
		++*last;
	while (*last > *first && !j->loops && *last < count && (!index || index[*last] / j->row == index[*first] / j->row))
		++*last;
	j->next = *last;
	pthread_mutex_unlock(&j->lock);
	return *first < *last;
}

/* Room for pairs of a whole tensor, of which few pages will ever be touched. */
static double *reserve(int64_t elems, size_t *bytes)
{
	*bytes = ((size_t)elems + 64) * 2 * sizeof(double);
	double *p = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		die("out of memory");
	return p;
}

/* The elements of a group by the printed loops, on the part of the iteration space that they need. */
static int evaluate_group(const struct job *j, const struct group *g, int threads, struct strbuf *err)
{
	const struct expected_output *out = j->out;
	const struct problem *p = &j->expected->problem;
	const struct tolerance tolerance = problem_tolerance(p, out->tensor);
	void *buf[OP_MAX_TENSORS] = { NULL };
	size_t bytes[OP_MAX_TENSORS] = { 0 };
	int64_t *box;
	double work;

	if (loops_box(p, out->tensor, g->element, (size_t)g->count, &box, &work, err))
		return -1;
	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		buf[t] = p->op->tensor[t].role == OP_IN ? (void *)j->reader->array[t] : reserve(problem_elems(p, t), &bytes[t]);
	loops_run(j->loops, buf, p->dim, box, threads);
	const double *pair = buf[out->tensor];
	for (int i = 0; i < g->count; i++) {
		out->want[g->at[i]] = pair[2 * g->element[i]];
		out->bound[g->at[i]] = tolerance_at(&tolerance, pair[2 * g->element[i]], pair[2 * g->element[i] + 1]);
	}
	for (int t = 0; t < OP_MAX_TENSORS; t++)
		if (bytes[t])
			munmap(buf[t], bytes[t]);
	free(box);
	return 0;
}

static void *evaluate_rows(void *user)
{
	struct job *j = user;
	struct expected_output *out = j->out;
	const struct problem *p = &j->expected->problem;
	const struct tolerance tolerance = problem_tolerance(p, out->tensor);
	struct strbuf err = STRBUF_INIT;
	struct interp *in = j->loops ? NULL : interp_open(p, read_input, j->reader, &err);
	int ret = in || j->loops ? 0 : -1;
	int64_t first, last;

	while (!ret && take_row(j, &first, &last))
		if (j->loops)
			ret = evaluate_group(j, &j->group[first], 1, &err);
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

/* Whole small shapes are evaluated at once; a sample of a large one by all processors: a group each, or few groups one after another by all of them. */
static int evaluate_output(struct job *job)
{
	enum { MOST_THREADS = 16 };
	pthread_t thread[MOST_THREADS];
	long processors = job->out->index ? sysconf(_SC_NPROCESSORS_ONLN) : 1;
	int started = 0;

	if (job->loops && job->group_count < 2 * processors) {
		for (int i = 0; i < job->group_count && !job->ret; i++)
			job->ret = evaluate_group(job, &job->group[i], (int)processors, job->err);
		return job->ret;
	}
	pthread_mutex_init(&job->lock, NULL);
	while (started + 1 < processors && started < MOST_THREADS && !pthread_create(&thread[started], NULL, evaluate_rows, job))
		started++;
	evaluate_rows(job);
	for (int i = 0; i < started; i++)
		pthread_join(thread[i], NULL);
	pthread_mutex_destroy(&job->lock);
	return job->ret;
}

/* Terms that the elements take together. */
static int work_of(const struct problem *p, int tensor, const int64_t *element, int count, double *work)
{
	struct strbuf ignored = STRBUF_INIT;
	int64_t *box = NULL;
	int ret = loops_box(p, tensor, element, (size_t)count, &box, work, &ignored);

	free(box);
	strbuf_release(&ignored);
	return ret;
}

/* Can compiled loops say it (not some recurrences) and load it (not fp8)?  Then they are loaded. */
static bool load_boxed(struct job *j, void **library)
{
	const struct problem *p = &j->expected->problem;
	struct strbuf source = STRBUF_INIT, ignored = STRBUF_INIT;
	bool can = true;

	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		can &= p->op->tensor[t].role == OP_OUT || !dtype_is_real(problem_tensor_dtype(p, t)) || dtype_bytes(problem_tensor_dtype(p, t)) > 1;
	if (can && !loops_print_boxed(p, "km_expected", &source, &ignored))
		*(void **)&j->loops = load_loops(&source, boxed_flags(), library, &ignored);
	strbuf_release(&source);
	strbuf_release(&ignored);
	return j->loops != NULL;
}

/* Joins element i of the list to the group. */
static void join(struct group *g, int i, int64_t element, double work)
{
	g->element[g->count] = element;
	g->at[g->count++] = i;
	g->work = work;
}

/*
 * Elements that share what they need are evaluated together: each joins the group in which it
 * costs least, or opens one.  Those that would cost more than MOST_WORK terms in all are left
 * out, corners last to be thought of: a candidate must not know which are compared.
 */
static void choose_groups(struct job *j)
{
	const double MOST_WORK = 3e10;
	const struct problem *p = &j->expected->problem;
	struct expected_output *out = j->out;
	int64_t *element = claim((size_t)(out->count + 1) * sizeof(*element)), kept = 0;
	double total = 0;

	j->group = claim((size_t)out->count * sizeof(*j->group));
	for (int64_t k = 0; k < out->count; k++) {
		int64_t e = out->index[(k + 4) % out->count];
		double least, work;
		int best = -1;
		if (work_of(p, out->tensor, &e, 1, &least))
			die("the part that an element needs is unknown");
		double alone = least, best_work = least;
		for (int g = j->group_count; g-- > 0 && j->group_count - g <= 8 && least > 0.01 * alone;) {
			memcpy(element, j->group[g].element, (size_t)j->group[g].count * sizeof(*element));
			element[j->group[g].count] = e;
			if (!work_of(p, out->tensor, element, j->group[g].count + 1, &work) && work - j->group[g].work <= least) {
				least = work - j->group[g].work;
				best_work = work;
				best = g;
			}
		}
		if (kept && total + least > MOST_WORK && least > 0.01 * alone)
			continue;
		if (best < 0) {
			best = j->group_count++;
			j->group[best] = (struct group){ .element = claim((size_t)out->count * sizeof(*element)), .at = claim((size_t)out->count * sizeof(int)) };
		}
		total += least;
		join(&j->group[best], (int)kept++, e, best_work);
	}
	free(element);
	for (int g = 0; g < j->group_count; g++)
		for (int i = 0; i < j->group[g].count; i++)
			out->index[j->group[g].at[i]] = j->group[g].element[i];
	out->count = kept;
}

/* Where an element of the sample takes many terms: compiled loops over the part that it and its like need. */
static bool choose_loops(struct job *j, void **library)
{
	enum { INTERPRETED_UP_TO = 1000000 };
	const struct expected_output *out = j->out;
	double work = 0;

	if (work_of(&j->expected->problem, out->tensor, &out->index[out->count / 2], 1, &work) || work <= INTERPRETED_UP_TO || !load_boxed(j, library))
		return false;
	choose_groups(j);
	return true;
}

static void forget_groups(struct job *j)
{
	for (int g = 0; g < j->group_count; g++) {
		free(j->group[g].element);
		free(j->group[g].at);
	}
	free(j->group);
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
		if (sample) {
			out->index = claim((size_t)(sample + 32) * sizeof(*out->index));
			for (int64_t i = 0; all && i < elems; i++)
				out->index[i] = i;
			if (!all)
				out->count = draw_sample(elems, rank ? extent[rank - 1] : 1, sample, secret, out->index);
		}
		out->want = claim((size_t)(out->count + 1) * sizeof(double));
		out->bound = claim((size_t)(out->count + 1) * sizeof(double));
		struct job job = { .expected = e, .out = out, .reader = reader, .row = rank ? extent[rank - 1] : 1, .err = err };
		void *library = NULL;
		if (out->index && !choose_loops(&job, &library))
			qsort(out->index, (size_t)out->count, sizeof(*out->index), by_index);
		ret = evaluate_output(&job);
		forget_groups(&job);
		unload(library);
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

