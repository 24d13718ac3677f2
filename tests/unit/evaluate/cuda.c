/*
 * Printed CUDA on any machine: candidates of every operator, kernels of tiles and of points alike, are
 * compiled for the host with tests/unit/generate/simt_host.h, run there at check shapes, every buffer
 * ending at, or beginning behind, an unmapped page, and judged as candidates are.  Kernels with
 * instructions that only the device has (its copy engine, products of warp groups) are left out.
 *
 * In `make check` an operator has one problem of f32, some one of another type, and one candidate of each skeleton.
 *   CUDA_EACH=N        candidates of a skeleton, at every check problem
 *   CUDA_OPERATORS=".. .."  these alone
 *   CUDA_FOLDER=DIR    keeps the sources there
 */
#include "tests/tap.h"
#include "evaluate/check.h"
#include "generate/candidate.h"
#include "generate/simt_points.h"
#include "tests/unit/generate/harness.h"

#include <stdio.h>
#include <sys/wait.h>

enum { MOST_JOBS = 40000, JOBS_A_UNIT = 200, TRIES = 200, ARGUMENTS = 48, SECONDS = 60 };

struct job {
	const char *name, *symbol, *plan, *prologue, *source;
	struct problem problem;
	enum distribution distribution;
	bool has_patterns; /* every bit pattern is an input instead */
};

typedef const char *host_run(void *kernel, const long *argument, long blocks, int threads, int reversed, int cluster);

static struct arena arena;
static const struct target *target;
static struct job job[MOST_JOBS];
static int job_count, each, problems;
static bool has_patterns, is_clustered; /* is_clustered: rows shared by blocks alone */
static unsigned seen_types;

/* ---- candidates ------------------------------------------------------ */

static bool is_wanted(const char *op)
{
	const char *names = getenv("CUDA_OPERATORS");
	size_t n = strlen(op);

	for (const char *s = names; s && *s; s += strcspn(s, " "), s += strspn(s, " "))
		if (strcspn(s, " ") == n && !memcmp(s, op, n))
			return true;
	return !names;
}

/* Has it what only the device has? */
static bool is_for_device_alone(const struct candidate *c)
{
	return strstr(c->source, "asm") || strstr(c->plan, "tensor:");
}

static void add_candidates(const struct problem_space *ps, size_t sub, const char *name, int wanted)
{
	const struct space *space = &ps->sub[sub].space;
	struct rng rng = { 7, (uint64_t)job_count };
	enum distribution d[INPUTS_COUNT];
	size_t draws = check_distributions(&ps->problem, d);

	for (int tries = 0; tries < TRIES && wanted && job_count < MOST_JOBS; tries++) {
		struct strbuf why = STRBUF_INIT;
		struct point point = { { 0 } };
		struct candidate c;
		for (size_t k = 0; k < space->knob_count; k++)
			point.value[k] = (int16_t)rng_below(&rng, (int64_t)space->knob[k].value_count);
		int made = candidate_make(&arena, ps, sub, &point, &c, &why);
		if (made < 0)
			ok(false, "%s: %s", name, why.buf);
		strbuf_release(&why);
		if (made < 0)
			return;
		if (!made || is_for_device_alone(&c) || (is_clustered && !strstr(c.plan, "cluster=")))
			continue;
		job[job_count++] = (struct job){ .name = arena_printf(&arena, "%s %s, %s", name, c.knobs, distribution_name(d[(size_t)job_count % draws])), .symbol = arena_printf(&arena, "km_%s", c.id), .plan = c.plan,
						 .prologue = c.prologue, .source = c.source, .problem = ps->problem, .distribution = d[(size_t)job_count % draws], .has_patterns = has_patterns };
		wanted--;
	}
}

/* Of an operator f32, of every fourth one more type, another each time; with CUDA_EACH all. */
static int add_problem(const struct problem *p, enum op_use use, void *user)
{
	struct strbuf why = STRBUF_INIT, name = STRBUF_INIT;
	struct problem_space ps;
	unsigned bit = 1u << p->dtype;
	size_t number = *(size_t *)user;

	(void)use;
	if (!each && (seen_types & bit || (p->dtype != DTYPE_f32 && (number % 4 || number / 4 % DTYPE_COUNT != p->dtype))))
		return 0;
	seen_types |= bit;
	problem_print(p, &name);
	if (!space_open(&ps, p, target, &why)) {
		for (size_t i = 0; i < ps.sub_count; i++)
			if (!strcmp(ps.sub[i].lang->name, "cuda"))
				add_candidates(&ps, i, name.buf, each ? each : 1);
		space_close(&ps);
	}
	problems++;
	strbuf_release(&why);
	strbuf_release(&name);
	return 0;
}

/* A problem by its text, with so many candidates. */
static void add_drawn(const char *text, int count)
{
	struct strbuf err = STRBUF_INIT;
	struct problem p;
	int draws = each;
	size_t unused = 0;

	if (problem_parse(text, &p, &err))
		ok(false, "%s", err.buf);
	each = count;
	if (!err.len && is_wanted(p.op->name))
		add_problem(&p, OP_CHECK, &unused);
	each = draws;
	strbuf_release(&err);
}

/* Check shapes are small: of what goes on along a row, in parts or by several threads, longer rows too. */
static void add_longer(void)
{
	static const char *const text[] = { "cumsum/f32/R=3,C=700/t1",	       "sort/f32/R=5,C=700/t1",	 "topk/bf16/R=4,C=100,K=7/t1",	"nonzero/bool/N=1000/t1",
					    "unique_consecutive/f32/N=700/t1", "multinomial/f32/N=50,K=40/t1", "argmax/f32/O=2,R=900,I=3/t1", "sum/f32/M=3,K=2000/t1",
					    "searchsorted/f32/N=300,K=77/t1",
					    /* Rows in parts, and what is centred in them; running sums over several blocks; windows, several points a thread. */
					    "softmax/f32/R=3,C=700/t1", "layer_norm/f32/R=2,C=900/t1", "batch_norm/f32/N=2,C=3,S=300/t1", "cross_entropy/f32/R=70,C=300/t1",
					    "cumprod/f32/O=2,R=700,I=1/t1", "cumsum_reverse/f32/O=2,R=700,I=1/t1", "cumsum_exclusive/f32/O=2,R=300,I=3/t1",
					    "avg_pool1d/f32/N=2,L=700,K=8,S=1,P=4/t1", "max_pool2d/f32/N=1,H=40,W=70,KH=4,SH=1,PH=1,KW=4,SW=1,PW=1/t1",
					    "conv2d_grouped/f32/NB=1,C=1,O=4,H=20,W=40,KH=3,KW=3,G=4/t1",
					    /* Output channels that go through their terms together. */
					    "conv2d_grouped/f32/NB=1,C=2,O=16,H=9,W=40,KH=3,KW=3,G=2/t1", "conv_transpose2d/f32/NB=1,CI=4,OG=8,H=6,W=20,KH=3,KW=3,SH=5,PH=1,DH=2,SW=5,PW=1,DW=2,G=2/t1",
					    "conv_transpose2d/f32/NB=1,CI=4,OG=3,H=6,W=50,KH=3,KW=5,SH=2,PH=1,DH=2,SW=3,PW=2,G=2/t1" };
	static const char *const clustered[] = { "softmax/f32/R=2,C=8190/t1", "l2_norm/f64/R=2,C=4096/t1", "layer_norm/bf16/R=3,C=4099/t1" };

	for (size_t i = 0; i < ARRAY_SIZE(text); i++)
		add_drawn(text[i], 4);
	is_clustered = true;
	for (size_t i = 0; i < ARRAY_SIZE(clustered); i++)
		add_drawn(clustered[i], 4);
	is_clustered = false;
}

/* Conversions of all numbers of 8 and of 16 bits. */
static void add_patterns(void)
{
	static const char *const text[] = { "to_f8e4m3/f16/N=65536/t1", "to_f8e4m3/bf16/N=65536/t1", "to_f8e5m2/f16/N=65536/t1", "to_f8e5m2/bf16/N=65536/t1",
					    "to_bf16/f16/N=65536/t1",	"to_f16/bf16/N=65536/t1",    "to_f16/i16/N=65536/t1",	  "to_f32/f8e4m3/N=256/t1",
					    "to_f32/f8e5m2/N=256/t1",	"to_i8/bf16/N=65536/t1",     "to_i64/bf16/N=65536/t1",	  "to_f8e5m2/f8e4m3/N=256/t1" };

	has_patterns = true;
	for (size_t i = 0; i < ARRAY_SIZE(text); i++)
		add_drawn(text[i], 1);
	has_patterns = false;
}

/* ---- running --------------------------------------------------------- */

struct memory {
	struct plan plan;
	int64_t dim[OP_MAX_DIMS];
	void *buf[ARGUMENTS];
	size_t bytes[ARGUMENTS];
};

/* Buffers of the plan, poisoned; inputs filled. */
static bool open_memory(const struct job *j, bool at_start, struct memory *m, struct strbuf *why)
{
	if (plan_parse(&arena, arena_strdup(&arena, j->plan), "plan", &m->plan, why))
		return false;
	for (size_t d = 0; d < m->plan.dim_count; d++)
		m->dim[d] = j->problem.dim[op_dim_index(j->problem.op, m->plan.dim[d])];
	if (m->plan.buffer_count + m->plan.dim_count > ARGUMENTS) {
		strbuf_addf(why, "more than %d arguments", ARGUMENTS);
		return false;
	}
	for (size_t b = 0; b < m->plan.buffer_count; b++) {
		const struct plan_buffer *p = &m->plan.buffer[b];
		int t = op_tensor_index(j->problem.op, p->name);
		m->bytes[b] = (size_t)plan_buffer_elems(&m->plan, b, m->dim) * dtype_bytes(p->dtype);
		m->buf[b] = guarded(m->bytes[b], at_start);
		memset(m->buf[b], 0xff, m->bytes[b]);
		if (p->role == PLAN_IN && j->has_patterns)
			for (size_t i = 0; i < m->bytes[b] / dtype_bytes(p->dtype); i++)
				memcpy((char *)m->buf[b] + i * dtype_bytes(p->dtype), &i, dtype_bytes(p->dtype));
		else if (p->role == PLAN_IN)
			inputs_fill(&j->problem, t, j->distribution, 1, m->buf[b]);
	}
	return true;
}

static bool run_steps_of(const struct job *j, void *library, const struct memory *m, bool reversed, struct strbuf *why)
{
	host_run *run = NULL;

	*(void **)&run = dlsym(library, "km_host_run");
	for (size_t s = 0; s < m->plan.step_count; s++) {
		void *kernel = dlsym(library, m->plan.step[s].symbol);
		long argument[ARGUMENTS] = { 0 };
		size_t n = 0;
		for (size_t b = 0; b < m->plan.buffer_count; b++)
			argument[n++] = (long)m->buf[b];
		for (size_t d = 0; d < m->plan.dim_count; d++)
			argument[n++] = m->dim[d];
		const char *fault = kernel ? run(kernel, argument, plan_step_instances(&m->plan, s, m->dim), m->plan.step[s].threads, reversed, m->plan.step[s].cluster ? m->plan.step[s].cluster : 1) : "a step is missing";
		if (fault) {
			strbuf_addf(why, "%s: %s", j->symbol, fault);
			return false;
		}
	}
	return true;
}

static void judge(const struct job *j, void *library, bool reversed, struct strbuf *why)
{
	const void *in[OP_MAX_TENSORS] = { NULL }, *out[OP_MAX_TENSORS] = { NULL };
	struct memory m = { .bytes = { 0 } };
	struct check_result r;
	int outs = 0;

	if (!open_memory(j, reversed, &m, why))
		return;
	for (int t = 0; t < OP_MAX_TENSORS && j->problem.op->tensor[t].name; t++)
		if (j->problem.op->tensor[t].role == OP_OUT)
			out[outs++] = m.buf[t];
		else
			in[t] = m.buf[t];
	struct expected *e = expected_open(&j->problem, in, 0, 1, why);
	if (e && run_steps_of(j, library, &m, reversed, why)) {
		expected_compare(e, out, &r);
		if (r.verdict != VERDICT_PASSED)
			strbuf_addf(why, "%lld of %lld, %s", (long long)r.wrong_count, (long long)r.compared_count, r.first_wrong);
	}
	expected_close(e);
}

/* In a process of its own, which an access outside ends: the fault, or "". */
static void judge_apart(const struct job *j, void *library, struct strbuf *why)
{
	int ends[2], status = 0;
	struct strbuf said = STRBUF_INIT;

	fflush(stdout);
	if (pipe(ends))
		return;
	pid_t child = fork();
	if (!child) {
		alarm(SECONDS);
		for (int reversed = 0; reversed < 2 && !said.len; reversed++)
			judge(j, library, reversed, &said);
		ssize_t written = write(ends[1], said.buf, said.len);
		_exit(written < 0);
	}
	close(ends[1]);
	strbuf_read_fd(why, ends[0]);
	close(ends[0]);
	waitpid(child, &status, 0);
	if (WIFSIGNALED(status))
		strbuf_addf(why, "ended by signal %d", WTERMSIG(status));
}

static void *build(int unit, int first, int end)
{
	struct strbuf source = STRBUF_INIT, why = STRBUF_INIT;
	const char *in = arena_printf(&arena, "%s/unit%d.cc", folder, unit), *object = arena_printf(&arena, "%s/unit%d.so", folder, unit);
	struct proc_result result = { 0 };
	void *library = NULL;

	strbuf_addf(&source, "#define KM_WARP 32\n#include \"%s/../../../../tests/unit/generate/simt_host.h\"\n", proc_self_folder());
	simt_vocabulary(&source);
	simt_points_vocabulary(&source);
	/* One candidate may serve several problems. */
	for (int i = first; i < end; i++)
		if (!strstr(source.buf, job[i].symbol))
			strbuf_addstr(&source, job[i].source);
	if (!file_publish(in, source.buf, source.len, &why) &&
	    !proc_run(PROC_ARGV("clang-22", "-x", "c++", "-std=gnu++17", "-O0", "-w", "-march=native", "-fPIC", "-shared", "-o", (char *)object, (char *)in, "-lm"), NULL, NULL,
		      &result, NULL, &why, &why) && !result.exit_code)
		library = dlopen(object, RTLD_NOW);
	ok(library != NULL, "unit %d, %d candidates, compiles for the host, %.1f s CPU: %.*s", unit, end - first, result.cpu_s, library ? 0 : 2000, why.buf);
	strbuf_release(&source);
	strbuf_release(&why);
	return library;
}

static void run_unit(int unit, int first, int end)
{
	void *library = build(unit, first, end);

	for (int i = first; library && i < end; i++) {
		struct strbuf why = STRBUF_INIT;
		judge_apart(&job[i], library, &why);
		ok(!why.len, "%s%s%s", job[i].name, why.len ? ": " : "", why.buf);
		strbuf_release(&why);
	}
	if (library)
		dlclose(library);
}

int main(void)
{
	char made[] = "/tmp/unit_cuda.XXXXXX";
	struct strbuf err = STRBUF_INIT;

	folder = getenv("CUDA_FOLDER");
	folder = folder ? folder : mkdtemp(made);
	each = getenv("CUDA_EACH") ? atoi(getenv("CUDA_EACH")) : 0;
	target = target_find("nvidia-h200", &err);
	ok(target != NULL, "the target is there");
	for (size_t i = 0; op_table[i]; i++) {
		seen_types = 0;
		if (is_wanted(op_table[i]->name))
			problem_each(op_table[i], OP_CHECK, 1, add_problem, &i, &err);
	}
	add_longer();
	add_patterns();
	printf("# %d candidates of %d problems\n", job_count, problems);
	for (int i = 0; i < job_count; i += JOBS_A_UNIT)
		run_unit(i / JOBS_A_UNIT, i, i + JOBS_A_UNIT < job_count ? i + JOBS_A_UNIT : job_count);
	if (folder == made)
		proc_run(PROC_ARGV("rm", "-rf", made), NULL, NULL, &(struct proc_result){ 0 }, NULL, NULL, &err);
	strbuf_release(&err);
	arena_release(&arena);
	return done_testing();
}
