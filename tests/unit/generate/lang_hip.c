/*
 * The SIMT printer and HIP: programs of simt_programs.h, and candidates drawn from
 * the space of every operator, are
 *   printed; compiled for the host with simt_host.h and run there, against their
 *   meaning, on odd shapes, with every input and output ending at an unmapped page;
 *   compiled for the device, and inspected.
 * LANG_HIP_FOLDER=DIR keeps the sources there.
 */
#include "tests/tap.h"
#include "generate/candidate.h"
#include "generate/simt_points.h"
#include "tests/unit/generate/harness.h"
#include "tests/unit/generate/simt_programs.h"

#include <math.h>
#include <stdio.h>

#define MOST_JOBS 400
#define DRAWS 2 /* candidates per subspace of a problem */

struct job {
	const char *name, *symbol;
	struct plan plan;
	bool is_mutant, wants_matrix;
	const struct simt_program *program; /* or */
	struct problem problem;
	double bound;
};

static struct arena arena;
static const struct lang *lang;
static const struct target *target;
static struct job job[MOST_JOBS];
static int job_count;
static struct strbuf host_source = STRBUF_INIT, device_source = STRBUF_INIT;

typedef const char *host_run(void *kernel, const long *argument, long blocks, int threads, int reversed, int cluster);

static void say(struct strbuf *text)
{
	for (char *line = text->buf, *save; (line = strtok_r(line, "\n", &save)); line = NULL)
		printf("# %s\n", line);
	strbuf_reset(text);
}

/* ---- what is printed ------------------------------------------------- */

static void add_program(const struct simt_program *p, const struct target *t, const char *name, bool is_mutant)
{
	struct strbuf err = STRBUF_INIT, plan = STRBUF_INIT;
	struct printed out = PRINTED_INIT;
	struct job *j = &job[job_count];
	struct tile_program program;
	const char *symbol = arena_printf(&arena, "km_%s", name);

	bool printed = !tile_parse(&arena, p->text, name, &program, &err) && lang->accepts(&program, t, &err) && !lang->print(&program, t, symbol, &out, &err);
	if (printed) {
		*j = (struct job){ .name = name, .symbol = symbol, .program = p, .is_mutant = is_mutant, .bound = p->bound };
		j->wants_matrix = strstr(p->text, "INSTR=mfma") != NULL;
		tile_plan(&program, lang->artifact, symbol, 0, NULL, &plan);
		printed = !plan_parse(&arena, arena_strdup(&arena, plan.buf), name, &j->plan, &err);
		strbuf_addstr(&host_source, out.source.buf);
		if (!is_mutant)
			strbuf_addstr(&device_source, out.source.buf);
		job_count += printed;
	}
	ok(printed, "'%s' prints", name);
	say(&err);
	strbuf_release(&err);
	strbuf_release(&plan);
	printed_release(&out);
}

struct drawn {
	int count;
	unsigned seen; /* dtypes that have had a problem */
};

/* Some points of a problem's subspaces; of dtypes beside f32 and bf16 the first problem tells. */
static int add_problem(const struct problem *problem, enum op_use use, void *user)
{
	struct strbuf why = STRBUF_INIT, name = STRBUF_INIT;
	struct problem_space ps;
	struct rng rng = { 11, (uint64_t)job_count * 1000 };
	struct drawn *drawn = user;
	bool is_first = !(drawn->seen & 1u << problem->dtype);

	(void)use;
	drawn->seen |= 1u << problem->dtype;
	if (!is_first && problem->dtype != DTYPE_f32 && problem->dtype != DTYPE_bf16)
		return 0;
	problem_print(problem, &name);
	if (space_open(&ps, problem, target, &why))
		goto out;
	for (size_t sub = 0; sub < ps.sub_count; sub++) {
		const struct space *space = &ps.sub[sub].space;
		int legal = 0, tries = 0;
		/* The same text for all devices, which evaluate/cuda.c runs, with inputs of the operators' domains. */
		if (!strcmp(ps.sub[sub].skeleton->name, "stages"))
			continue;
		for (; legal < DRAWS && tries < 300 && job_count < MOST_JOBS; tries++) {
			struct point point = { { 0 } };
			struct candidate c;
			for (size_t k = 0; k < space->knob_count; k++)
				point.value[k] = (int16_t)rng_below(&rng, (int64_t)space->knob[k].value_count);
			strbuf_reset(&why);
			int made = candidate_make(&arena, &ps, sub, &point, &c, &why);
			if (made < 0) {
				ok(false, "%s: %s", name.buf, why.buf);
				break;
			}
			if (!made)
				continue;
			struct job *j = &job[job_count++];
			*j = (struct job){ .problem = *problem, .symbol = arena_printf(&arena, "km_%s", c.id) };
			j->name = arena_printf(&arena, "%s %s", name.buf, c.knobs);
			j->wants_matrix = strstr(c.knobs, "INSTR=mfma") != NULL;
			j->bound = 1e-6 * (2 + (double)problem_terms(problem));
			if (plan_parse(&arena, arena_strdup(&arena, c.plan), j->name, &j->plan, &why))
				ok(false, "%s: %s", j->name, why.buf);
			if (!strstr(host_source.buf, j->symbol)) {
				strbuf_addstr(&host_source, c.source);
				strbuf_addstr(&device_source, c.source);
			}
			legal++;
		}
		drawn->count += legal;
	}
out:
	space_close(&ps);
	strbuf_release(&why);
	strbuf_release(&name);
	return 0;
}

static int build(const char *command, const char *in, const char *out, double *cpu_s)
{
	struct strbuf words = STRBUF_INIT, err = STRBUF_INIT;
	struct proc_result result = { 0 };
	char *argv[64], *save;
	int n = 0;

	strbuf_addstr(&words, command);
	strbuf_replace(&words, "%in", in);
	strbuf_replace(&words, "%out", out);
	strbuf_replace(&words, "%march", target->march);
	strbuf_replace(&words, "%flags", "");
	for (char *w = strtok_r(words.buf, " ", &save); w && n < 63; w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	argv[n] = NULL;
	int ret = proc_run(argv, NULL, NULL, &result, NULL, &err, &err) || result.exit_code ? -1 : 0;
	*cpu_s = result.cpu_s;
	if (ret)
		say(&err);
	strbuf_release(&words);
	strbuf_release(&err);
	return ret;
}

/* ---- running --------------------------------------------------------- */

static double input(enum dtype dtype, int b, int64_t i, int64_t most)
{
	uint64_t r = philox(5, (uint64_t)i, b);

	return dtype_is_real(dtype) ? dtype_round(DTYPE_bf16, (double)(r % 4001) / 1000 - 2) : (double)(r % (uint64_t)most);
}

static void meaning(const struct job *j, const int64_t *dim, double *const *value)
{
	if (j->program)
		j->program->meaning(dim, value);
	else
		problem_reference(&j->problem, value);
}

static bool run_plan(const struct job *j, void *library, host_run *run, void *const *buf, const int64_t *dim, bool reversed, struct strbuf *why)
{
	for (size_t s = 0; s < j->plan.step_count; s++) {
		void *kernel = dlsym(library, j->plan.step[s].symbol);
		long argument[48] = { 0 };
		size_t n = 0;
		for (size_t b = 0; b < j->plan.buffer_count; b++)
			argument[n++] = (long)buf[b];
		for (size_t d = 0; d < j->plan.dim_count; d++)
			argument[n++] = dim[d];
		const char *fault = kernel ? run(kernel, argument, plan_step_instances(&j->plan, s, dim), j->plan.step[s].threads, reversed, 1)
					   : "a step is missing";
		if (fault) {
			strbuf_addstr(why, fault);
			return false;
		}
	}
	return true;
}

/* The first wrong element as a line in *why. */
static bool check(const struct job *j, void *library, host_run *run, const int64_t *dim, bool reversed, struct strbuf *why)
{
	double *value[OP_MAX_TENSORS] = { 0 };
	void *buf[OP_MAX_TENSORS] = { 0 };
	size_t bytes[OP_MAX_TENSORS];

	for (size_t b = 0; b < j->plan.buffer_count; b++) {
		const struct plan_buffer *p = &j->plan.buffer[b];
		int64_t n = plan_buffer_elems(&j->plan, b, dim);
		bytes[b] = (size_t)n * dtype_bytes(p->dtype);
		buf[b] = guarded(bytes[b], reversed);
		memset(buf[b], 0xff, bytes[b]);
		value[b] = calloc((size_t)n, sizeof(double));
		for (int64_t i = 0; p->role == PLAN_IN && i < n; i++) {
			value[b][i] = input(p->dtype, (int)b, i, dim[0]);
			dtype_store(p->dtype, buf[b], i, value[b][i]);
		}
	}
	meaning(j, dim, value);
	bool good = run_plan(j, library, run, buf, dim, reversed, why);
	for (size_t b = 0; b < j->plan.buffer_count; b++) {
		const struct plan_buffer *p = &j->plan.buffer[b];
		int64_t n = plan_buffer_elems(&j->plan, b, dim);
		for (int64_t i = 0; p->role == PLAN_OUT && i < n && good; i++) {
			double got = dtype_load(p->dtype, buf[b], i), want = dtype_is_real(p->dtype) ? value[b][i] : dtype_round(p->dtype, value[b][i]);
			double bound = j->bound * fmax(1, fabs(want)) + dtype_roundoff(p->dtype) * fabs(want);
			good = fabs(got - want) <= bound;
			if (!good)
				strbuf_addf(why, "%s[%lld] is %.9g, not %.9g", p->name, (long long)i, got, want);
		}
		guarded_free(buf[b], bytes[b], reversed);
		free(value[b]);
	}
	return good;
}

static void test_host(void)
{
	struct strbuf source = STRBUF_INIT, why = STRBUF_INIT;
	const char *in = arena_printf(&arena, "%s/host.cc", folder), *object = arena_printf(&arena, "%s/host.so", folder);
	double cpu_s = 0;
	void *library = NULL;

	strbuf_addf(&source, "#include \"%s/../../../../tests/unit/generate/simt_host.h\"\n", proc_self_folder());
	simt_vocabulary(&source);
	simt_points_vocabulary(&source);
	strbuf_addstr(&source, host_source.buf);
	if (!file_publish(in, source.buf, source.len, &why) &&
	    !build("clang-22 -x c++ -std=gnu++17 -O1 -w -march=native -fPIC -shared -o %out %in -lm", in, object, &cpu_s))
		library = dlopen(object, RTLD_NOW);
	ok(library != NULL, "%d programs compile for the host", job_count);
	printf("# %.1f s CPU\n", cpu_s);
	say(&why);
	host_run *run = NULL;
	if (library)
		*(void **)&run = dlsym(library, "km_host_run");
	for (int i = 0; run && i < job_count; i++) {
		const struct job *j = &job[i];
		for (int d = 0; d < (j->program ? 3 : 1) && !why.len; d++) {
			const int64_t *dim = j->program ? j->program->dim[d] : j->problem.dim;
			for (int reversed = 0; dim[0] && reversed < 2 && !why.len; reversed++)
				check(j, library, run, dim, reversed, &why);
		}
		ok(!why.len == !j->is_mutant, "'%s' %s", j->name, j->is_mutant ? "is seen to be wrong" : "computes its meaning");
		say(&why);
	}
	if (library)
		dlclose(library);
	strbuf_release(&source);
	strbuf_release(&why);
}

/* ---- the device ------------------------------------------------------ */

struct facts_seen {
	double registers, spills, code, matrix;
};

static void add_fact(const char *key, double value, void *user)
{
	struct facts_seen *seen = user;

	if (!strcmp(key, "registers"))
		seen->registers = value;
	else if (!strcmp(key, "spills"))
		seen->spills = value;
	else if (!strcmp(key, "code_bytes"))
		seen->code = value;
	else if (!strcmp(key, "matrix_instructions"))
		seen->matrix = value;
}

static void test_device(void)
{
	struct strbuf source = STRBUF_INIT, err = STRBUF_INIT;
	struct printed out = PRINTED_INIT;
	const char *in = arena_printf(&arena, "%s/device.hip", folder), *object = arena_printf(&arena, "%s/device.hsaco", folder);
	double cpu_s = 0, inspected_ns = 0;
	int kernels = 0, spilling = 0;

	lang->print(&(struct tile_program){ .name = "" }, target, "none", &out, &err);
	strbuf_addstr(&source, out.prologue.buf);
	simt_points_vocabulary(&source);
	strbuf_addstr(&source, device_source.buf);
	for (const char *s = device_source.buf; (s = strstr(s, "KM_KERNEL(")); s++)
		kernels++;
	bool compiled = !file_publish(in, source.buf, source.len, &err) && !build(lang->compile, in, object, &cpu_s);
	ok(compiled, "%d kernels compile for %s", kernels, target->march);
	printf("# %.1f s CPU, %.0f ms a kernel\n", cpu_s, cpu_s * 1e3 / kernels);
	for (int i = 0; compiled && i < job_count; i++) {
		struct facts_seen seen = { 0 };
		int64_t begin = clock_ns();
		if (job[i].is_mutant)
			continue;
		int ret = lang->inspect(object, job[i].symbol, add_fact, &seen, &err);
		inspected_ns += (double)(clock_ns() - begin);
		spilling += seen.spills > 0;
		ok(!ret && seen.registers > 0 && seen.registers <= 512 && seen.code > 0 && (seen.matrix > 0) == job[i].wants_matrix, "'%s': %g registers, %g bytes",
		   job[i].name, seen.registers, seen.code);
		say(&err);
	}
	printf("# %d spill; inspecting takes %.0f ms each\n", spilling, inspected_ns * 1e-6 / (job_count ? job_count : 1));
	ok(lang->inspect(object, "km_none", add_fact, &(struct facts_seen){ 0 }, &err) == -1, "a symbol that is not there is an error");
	strbuf_release(&source);
	strbuf_release(&err);
	printed_release(&out);
}

static void test_refusals(void)
{
	static const struct {
		const char *why, *text;
	} refused[] = {
		{ "scan", "kernel k grid [1] threads 64\n  index j<64\n  Y[j] = scan(j) X[j]\n" },
		{ "threads", "kernel k grid [1] threads 1\n  index j<64\n  Y[j] = X[j]\n" },
		{ "atomic", "kernel k grid [1] threads 64\n  index j<64\n  Y[j] += X[j]\n" },
		{ "registers hold no bf16", "kernel k grid [1] threads 64\n  index j<64\n  tile t bf16 [j] @reg\n  t[j] = X[j]\n  Y[j] = t[j]\n" },
		{ "two tile indices", "kernel k grid [1] threads 64\n  index h<4 i<4 j<64\n  Y[h*256+i*64+j] = X[j]\n" },
		{ "exceed", "kernel k grid [1] threads 64\n  index i<512 j<64\n  tile t f32 [i, j] @shared\n  t[i, j] <- X[i*64+j]\n  Y[i*64+j] = t[i, j]\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct strbuf why = STRBUF_INIT;
		struct tile_program program;
		const char *text = arena_printf(&arena, "plan t\ndim N\nbuffer X f32 [N] in\nbuffer Y f32 [N] out\n%s", refused[i].text);
		bool parsed = !tile_parse(&arena, text, "refused", &program, &why);
		ok(parsed && !lang->accepts(&program, target, &why) && strstr(why.buf, refused[i].why), "refused for '%s'", refused[i].why);
		say(&why);
		strbuf_release(&why);
	}
}

/* The target with lanes of an instruction's operand laid out wrongly: the emulation must tell. */
static const struct target *mutant(const char *instruction)
{
	struct target *t = ARENA_ARRAY(&arena, struct target, 1);
	struct mma_instr *q = ARENA_ARRAY(&arena, struct mma_instr, 8);
	int n = 0;

	for (*t = *target; target->mma[n].name; n++) {
		q[n] = target->mma[n];
		if (!strcmp(q[n].name, instruction))
			q[n].c_lane = "j i/4";
	}
	t->mma = q;
	return t;
}

int main(void)
{
	char made[] = "/tmp/lang_hip.XXXXXX";
	struct strbuf err = STRBUF_INIT;

	folder = getenv("LANG_HIP_FOLDER");
	if (!folder)
		folder = mkdtemp(made);
	lang = lang_find("hip");
	target = target_find("amd-mi300x", &err);
	ok(lang && target, "the language and its target are there");
	test_refusals();
	for (size_t i = 0; i < ARRAY_SIZE(simt_programs); i++)
		add_program(&simt_programs[i], target, simt_programs[i].name, false);
	add_program(&simt_programs[0], mutant("mfma_f32_16x16x16_bf16"), "wrong_lanes", true);
	for (size_t i = 0; op_table[i]; i++) {
		struct drawn drawn = { 0, 0 };
		/* Those searched in every budget: each distinct structure is among them. */
		if (op_table[i]->shape[0].use & OP_SEARCH)
			problem_each(op_table[i], OP_CHECK, 1, add_problem, &drawn, &err);
		printf("# %s: %d candidates\n", op_table[i]->name, drawn.count);
		say(&err);
	}
	test_host();
	test_device();
	if (folder == made)
		proc_run(PROC_ARGV("rm", "-rf", made), NULL, NULL, &(struct proc_result){ 0 }, NULL, NULL, &err);
	strbuf_release(&err);
	strbuf_release(&host_source);
	strbuf_release(&device_source);
	arena_release(&arena);
	return done_testing();
}
