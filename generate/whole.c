#include "generate/whole.h"
#include "ops/core/plan.h"
#include "ops/core/rng.h"

#include <stdlib.h>
#include <string.h>

static bool is_host(const struct lang *lang) { return !strcmp(lang->name, "c"); }

bool whole_serves(const struct lang *lang) { return is_host(lang) || !strcmp(lang->name, "cuda") || !strcmp(lang->name, "hip"); }

/* A candidate that Kernelmill prints in the language, for its vocabulary, buffers and dims. */
static bool make_sample(struct arena *arena, const struct problem_space *ps, const struct lang *lang, struct candidate *c)
{
	struct rng rng = { 1, 0 };

	for (int tries = 0; tries < 64; tries++)
		for (size_t i = 0; i < ps->sub_count; i++) {
			const struct space *space = &ps->sub[i].space;
			struct strbuf why = STRBUF_INIT;
			struct point point;
			if (ps->sub[i].lang != lang)
				continue;
			for (size_t k = 0; k < space->knob_count; k++)
				point.value[k] = tries ? (int16_t)rng_below(&rng, (int64_t)space->knob[k].value_count) : space->knob[k].start;
			int made = candidate_make(arena, ps, i, &point, c, &why);
			strbuf_release(&why);
			if (made == 1 && !strcmp(c->precision, CANDIDATE_STRICT))
				return true;
		}
	return false;
}

/* Floats of halves are their bits where C has no such type. */
static const char *c_type(enum dtype dtype)
{
	switch (dtype) {
	case DTYPE_f32:
		return "float";
	case DTYPE_f64:
		return "double";
	default:
		return NULL;
	}
}

static void add_parameters(const struct plan *plan, struct strbuf *out)
{
	const char *comma = "";

	for (size_t i = 0; i < plan->buffer_count; i++) {
		const struct plan_buffer *b = &plan->buffer[i];
		const char *type = c_type(b->dtype);
		if (b->role == PLAN_TMP)
			continue;
		strbuf_addf(out, "%s%s%s%s *%s", comma, b->role == PLAN_IN ? "const " : "", type ? "" : "km_", type ? type : dtype_name(b->dtype), b->name);
		comma = ", ";
	}
	for (size_t i = 0; i < plan->dim_count; i++)
		strbuf_addf(out, ", long %s", plan->dim[i]);
}

/* The first extent of the first output, or 1: rows are what instances share out. */
static const char *first_extent(struct arena *arena, const struct problem *p)
{
	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++) {
		const char *shape = p->op->tensor[t].shape;
		if (p->op->tensor[t].role == OP_OUT)
			return *shape ? arena_strndup(arena, shape, strcspn(shape, " ")) : "1";
	}
	return "1";
}

int whole_contract(const struct problem_space *ps, const struct lang *lang, struct strbuf *declaration, struct strbuf *rules)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct candidate sample;
	struct plan plan;
	int ret = -1;

	if (!whole_serves(lang) || !make_sample(&arena, ps, lang, &sample) || plan_parse(&arena, sample.plan, "plan", &plan, &err))
		goto out;
	const char *extent = first_extent(&arena, &ps->problem);
	if (is_host(lang)) {
		strbuf_addstr(declaration, "void kernel(");
		add_parameters(&plan, declaration);
		strbuf_addstr(declaration, ", long first, long last)");
		strbuf_addf(rules, "Tensors are dense and row-major. A call computes instances first..last-1 of a grid of %s instances; calls of different\n"
			    "instances run in any order, in several threads. A line '// grid: EXPRESSION' over the dims sets another grid.\n"
			    "Freestanding C17 for clang: no #include, no library, no static or global variables. expf, sqrtf, fabsf, fmaxf and fminf are there.\n",
			    extent);
	} else {
		strbuf_addstr(declaration, "extern \"C\" __global__ void kernel(");
		add_parameters(&plan, declaration);
		strbuf_addch(declaration, ')');
		strbuf_addf(rules, "Tensors are dense and row-major. The grid is one-dimensional, of %s blocks of 256 threads; lines '// grid: EXPRESSION' over\n"
			    "the dims, '// threads: N' and '// shared: BYTES' set others. KM_BID and KM_TID are the block's number and the thread's.\n"
			    "No #include, no host code.\n",
			    extent);
	}
	ret = 0;
out:
	strbuf_release(&err);
	arena_release(&arena);
	return ret;
}

/* What follows "// name:" on a line of the source; NULL: no such line. */
static char *launch_line(struct arena *arena, const char *source, const char *name)
{
	size_t n = strlen(name);

	for (const char *line = source; *line;) {
		size_t length = strcspn(line, "\n");
		const char *s = line + strspn(line, " \t");
		if (!strncmp(s, "//", 2)) {
			s += 2 + strspn(s + 2, " \t");
			if (!strncmp(s, name, n) && s[n] == ':') {
				const char *value = s + n + 1 + strspn(s + n + 1, " \t");
				size_t used = value < line + length ? (size_t)(line + length - value) : 0;
				while (used && strchr(" \t\r", value[used - 1]))
					used--;
				return arena_strndup(arena, value, used);
			}
		}
		line += length + (line[length] == '\n');
	}
	return NULL;
}

void whole_launch(const char *source, struct strbuf *out)
{
	static const char *const name[] = { "grid", "threads", "shared", "scratch" };
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-*/%(), ";
	struct arena arena = ARENA_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(name); i++) {
		const char *value = launch_line(&arena, source, name[i]);
		if (value && strspn(value, allowed) == strlen(value) && strlen(value) < 80)
			strbuf_addf(out, "// %s: %s\n", name[i], value);
	}
	arena_release(&arena);
}

/* Takes its blanks out: a plan's words end at them. */
static void squeeze(char *text)
{
	char *to = text;

	for (; *text; text++)
		if (*text != ' ' && *text != '\t')
			*to++ = *text;
	*to = 0;
}

static int launch_number(struct arena *arena, const char *source, const char *name, long fallback, long most, long *value, struct strbuf *why_not)
{
	const char *text = launch_line(arena, source, name);
	char *end;

	*value = text ? strtol(text, &end, 10) : fallback;
	if (!text || (end != text && !*end && *value >= 0 && *value <= most))
		return 0;
	strbuf_addf(why_not, "its line '// %s:' is no number up to %ld", name, most);
	return -1;
}

static bool is_plain(const char *source)
{
	for (const char *s = source; *s; s++)
		if ((*s < ' ' && !strchr("\t\n\r", *s)) || *s == 0x7f)
			return false;
	return true;
}

/* A word of the source, not a part of one. */
static bool has_word(const char *source, const char *word)
{
	static const char inside[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	size_t n = strlen(word);

	for (const char *s = source; (s = strstr(s, word)); s += n)
		if ((s == source || !strchr(inside, s[-1])) && (!s[n] || !strchr(inside, s[n])))
			return true;
	return false;
}

/* Is its grid an expression over the plan's dims, of at least one instance here? */
static bool has_instances(const struct plan *plan, const struct problem *p)
{
	int64_t dim[PLAN_MAX_NAMES] = { 0 };

	for (size_t i = 0; i < plan->dim_count; i++)
		for (size_t b = 0; b < p->binding_count; b++)
			if (!strcmp(plan->dim[i], p->binding[b].name))
				dim[i] = p->binding[b].value;
	return plan_step_instances(plan, 0, dim) > 0;
}

static void write_plan(const struct plan *plan, const char *grid, long threads, long shared, long scratch, struct strbuf *out)
{
	strbuf_addf(out, "plan: %s\n", plan->artifact);
	if (plan->dim_count) {
		strbuf_addstr(out, "dim:");
		for (size_t i = 0; i < plan->dim_count; i++)
			strbuf_addf(out, " %s", plan->dim[i]);
		strbuf_addch(out, '\n');
	}
	for (size_t i = 0; i < plan->static_count; i++)
		strbuf_addf(out, "static: %s=%lld\n", plan->static_dim[i].name, (long long)plan->static_dim[i].value);
	for (size_t i = 0; i < plan->buffer_count; i++) {
		const struct plan_buffer *b = &plan->buffer[i];
		if (b->role == PLAN_TMP)
			continue;
		strbuf_addf(out, "buffer: %s %s %s ", b->name, b->role == PLAN_IN ? "in" : "out", dtype_name(b->dtype));
		expr_print(b->elems, out);
		strbuf_addch(out, '\n');
	}
	strbuf_addf(out, "scratch: %ld\nstep: " CANDIDATE_SYMBOL "_whole grid=%s threads=%ld shared=%ld\n", scratch, grid, threads, shared);
}

/* Scalars by the vocabulary's vectors, where it has them. */
static void write_scalars(const char *prologue, struct strbuf *out)
{
	if (strstr(prologue, "km_vf km_exp("))
		strbuf_addstr(out, "KM_I float km_whole_expf(float x) { return km_exp((km_vf)((km_vf){ 0 } + x))[0]; }\n#define expf km_whole_expf\n");
	strbuf_addstr(out, "#define sqrtf __builtin_sqrtf\n#define fabsf __builtin_fabsf\n"
			   "static inline __attribute__((unused)) float km_whole_max(float a, float b) { return a > b ? a : b; }\n"
			   "static inline __attribute__((unused)) float km_whole_min(float a, float b) { return a < b ? a : b; }\n"
			   "#define fmaxf km_whole_max\n#define fminf km_whole_min\n");
}

static void write_source(const struct plan *plan, bool on_host, const char *prologue, const char *source, struct strbuf *out)
{
	const char *comma = "";
	size_t at = 0;

	strbuf_addstr(out, prologue);
	if (!on_host) {
		/* No headers of a toolkit come with the compiler. */
		static const char *const word[][2] = { { "__global__", "global" }, { "__device__", "device" }, { "__shared__", "shared" }, { "__constant__", "constant" } };
		for (size_t i = 0; i < ARRAY_SIZE(word); i++)
			strbuf_addf(out, "#ifndef %s\n#define %s __attribute__((%s))\n#endif\n", word[i][0], word[i][0], word[i][1]);
		strbuf_addf(out, "#define kernel " CANDIDATE_SYMBOL "_whole\n#line 1\n%s\n", source);
		return;
	}
	write_scalars(prologue, out);
	strbuf_addf(out, "#define kernel " CANDIDATE_SYMBOL "_body\n#line 1\n%s\n", source);
	strbuf_addstr(out, "\nvoid " CANDIDATE_SYMBOL "_whole(void *const *buf, const long *dim, long first, long last, void *scratch)\n{\n\tkernel(");
	for (size_t i = 0; i < plan->buffer_count; i++)
		if (plan->buffer[i].role != PLAN_TMP) {
			strbuf_addf(out, "%sbuf[%zu]", comma, at++);
			comma = ", ";
		}
	for (size_t i = 0; i < plan->dim_count; i++)
		strbuf_addf(out, ", dim[%zu]", i);
	strbuf_addstr(out, ", first, last);\n}\n");
}

int whole_make(struct arena *arena, const struct problem_space *ps, const struct lang *lang, const char *source, const char *origin,
	       struct candidate *c, struct strbuf *why_not)
{
	struct strbuf text = STRBUF_INIT, plan_text = STRBUF_INIT, err = STRBUF_INIT;
	struct candidate sample;
	struct plan plan, check;
	long threads, shared, scratch;
	int ret = 0;

	if (!whole_serves(lang)) {
		strbuf_addf(why_not, "no whole sources are taken in language '%s'", lang->name);
		return 0;
	}
	if (strlen(source) > WHOLE_MOST_BYTES || !is_plain(source) || !has_word(source, "kernel")) {
		strbuf_addstr(why_not, strlen(source) > WHOLE_MOST_BYTES ? "too long a source" : !is_plain(source) ? "not plain ASCII" : "it defines no 'kernel'");
		return 0;
	}
	if (!make_sample(arena, ps, lang, &sample) || plan_parse(arena, sample.plan, "plan", &plan, &err)) {
		strbuf_addf(why_not, "language '%s' makes no candidate of this problem", lang->name);
		goto out;
	}
	char *grid = launch_line(arena, source, "grid");
	if (grid)
		squeeze(grid);
	if (launch_number(arena, source, "threads", is_host(lang) ? 1 : 256, 1024, &threads, why_not) ||
	    launch_number(arena, source, "shared", 0, 232448, &shared, why_not) || launch_number(arena, source, "scratch", 0, 64 << 20, &scratch, why_not))
		goto out;
	threads = is_host(lang) ? 1 : threads;
	write_plan(&plan, grid ? grid : first_extent(arena, &ps->problem), threads, is_host(lang) ? 0 : shared, scratch, &plan_text);
	if ((grid && strchr(grid, '=')) || plan_parse(arena, plan_text.buf, "plan", &check, &err) || check.step_count != 1 || !has_instances(&check, &ps->problem)) {
		strbuf_addf(why_not, "its line '// grid:' is no expression over the dims");
		goto out;
	}
	write_source(&plan, is_host(lang), sample.prologue, source, &text);
	const struct written_source written = { .lang = lang->name, .source = text.buf, .plan = plan_text.buf, .origin = origin };
	ret = candidate_written(arena, ps, &written, c, why_not);
out:
	strbuf_release(&text);
	strbuf_release(&plan_text);
	strbuf_release(&err);
	return ret;
}
