#include "corpus/promote.h"
#include "corpus/index.h"
#include "ops/core/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* All that an entry tells, found in one journal. */
struct evidence {
	const char *journal, *cell;
	struct winner winner;
	const struct candidate *candidate;
	const struct evaluation *evaluation; /* the winner's last passed trial */
	const struct environment *environment;
	const struct judgement *judgement;   /* from outside its process; NULL: of a device, which has none yet */
	const struct trace *trace;
	struct problem problem;
};

static void add_fault(struct strbuf *err, const char *journal, const char *fmt, ...) PRINTF(3, 4);
static void add_fault(struct strbuf *err, const char *journal, const char *fmt, ...)
{
	va_list ap;

	strbuf_addf(err, "%sjournal '%s': ", err->len ? "\n" : "", journal);
	va_start(ap, fmt);
	strbuf_vaddf(err, fmt, ap);
	va_end(ap);
}

static int gather(struct evidence *e, struct strbuf *err)
{
	const struct winner *w = &e->winner;
	struct strbuf why = STRBUF_INIT;
	int ret = -1;

	e->candidate = trace_candidate(e->trace, w->candidate, w->problem);
	for (size_t i = 0; i < e->trace->evaluation_count; i++) {
		const struct evaluation *v = &e->trace->evaluation[i];
		if (!strcmp(v->candidate, w->candidate) && !strcmp(v->problem, w->problem) && v->verdict == VERDICT_PASSED)
			e->evaluation = v;
	}
	for (size_t i = 0; i < e->trace->environment_count; i++)
		if (!strcmp(e->trace->environment[i].id, w->environment))
			e->environment = &e->trace->environment[i];
	for (size_t i = 0; i < e->trace->judgement_count; i++) {
		const struct judgement *j = &e->trace->judgement[i];
		if (!strcmp(j->candidate, w->candidate) && !strcmp(j->problem, w->problem) && !strcmp(j->environment, w->environment) &&
		    j->verdict == VERDICT_PASSED)
			e->judgement = j;
	}
	const char *suffix = strrchr(w->artifact, '.');
	if (!e->candidate)
		add_fault(err, e->journal, "winner '%s' has no candidate record", w->candidate);
	else if (!e->evaluation)
		add_fault(err, e->journal, "winner '%s' has no trial that passed", w->candidate);
	else if (!e->environment)
		add_fault(err, e->journal, "winner '%s' names unknown environment '%s'", w->candidate, w->environment);
	else if (!e->judgement && suffix && !strcmp(suffix, ".so"))
		add_fault(err, e->journal, "winner '%s' was not judged from outside its process: run 'km-evaluate finish' again", w->candidate);
	else if (problem_parse(w->problem, &e->problem, &why))
		add_fault(err, e->journal, "%s", why.buf);
	else
		ret = 0;
	strbuf_release(&why);
	return ret;
}

/* The published time is the judged one, whatever the journal's winner says: those of earlier versions say what was raced. */
static void publish_judged(const struct judgement *j, struct winner *w)
{
	if (!j || j->judged_ns == w->time_ns)
		return;
	w->sol_ratio *= w->time_ns / j->judged_ns;
	w->judged_by = "lives";
	w->time_ns = j->judged_ns;
	w->low_ns = j->low_ns;
	w->high_ns = j->high_ns;
}

static void add_problem(const struct evidence *e, struct strbuf *out)
{
	const struct problem *p = &e->problem;
	const struct op *op = p->op;
	struct strbuf dims = STRBUF_INIT, attrs = STRBUF_INIT, defaults = STRBUF_INIT, tensors = STRBUF_INIT;

	for (int i = 0; i < op_dim_count(op); i++)
		strbuf_addf(&dims, "%s%s=%lld", i ? " " : "", p->binding[i].name, (long long)p->dim[i]);
	for (int i = 0; i < OP_MAX_ATTRS && op->attr[i].name; i++) {
		strbuf_addf(&attrs, "%s%s=%.17g", i ? " " : "", op->attr[i].name, p->attr[i]);
		strbuf_addf(&defaults, "%s%s=%.17g", i ? " " : "", op->attr[i].name, op->attr[i].value);
	}
	for (int i = 0; i < OP_MAX_TENSORS && op->tensor[i].name; i++)
		strbuf_addf(&tensors, "%s%s", i ? " " : "", op->tensor[i].name);
	kv_add(out, "problem", "%s", e->winner.problem);
	kv_add(out, "dims", "%s", dims.buf);
	kv_add(out, "static_dims", "%s", op->static_dims ? op->static_dims : "");
	kv_add(out, "attrs", "%s", attrs.buf);
	kv_add(out, "attr_defaults", "%s", defaults.buf);
	kv_add(out, "tensors", "%s", tensors.buf);
	kv_add(out, "threads", "%d", p->threads);
	strbuf_release(&dims);
	strbuf_release(&attrs);
	strbuf_release(&defaults);
	strbuf_release(&tensors);
}

/* The plan's preconditions, for people; the library reads them from the plan. */
static void add_region(const struct candidate *c, struct strbuf *out)
{
	int n = 0;

	for (const char *p = c->plan; p && *p; p += strcspn(p, "\n"), p += *p == '\n')
		if (!strncmp(p, "require: ", 9)) {
			char key[32];
			snprintf(key, sizeof(key), "region.%d", n++);
			kv_add(out, key, "%.*s", (int)strcspn(p + 9, "\n"), p + 9);
		}
}

/* As few digits as give the value back. */
static void add_real(struct strbuf *out, const char *key, double value)
{
	char text[40];

	for (int digits = 6; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	kv_add(out, key, "%s", text);
}

static void add_speed(const struct evidence *e, struct strbuf *out)
{
	const struct winner *w = &e->winner;

	kv_add(out, "state", "%s", target_state_name(e->evaluation->state));
	add_real(out, "time_ns", w->time_ns);
	add_real(out, "time_low_ns", w->low_ns);
	add_real(out, "time_high_ns", w->high_ns);
	kv_add(out, "judged_by", "%s", w->judged_by);
	add_real(out, "raced_time_ns", w->raced_ns);
	add_real(out, "raced_time_low_ns", w->raced_low_ns);
	add_real(out, "raced_time_high_ns", w->raced_high_ns);
	kv_add(out, "baseline", "%s", w->baseline);
	add_real(out, "baseline_time_ns", w->baseline_ns);
	add_real(out, "baseline_ratio", w->ratio);
	add_real(out, "baseline_ratio_low", w->ratio_low);
	add_real(out, "baseline_ratio_high", w->ratio_high);
	add_real(out, "loopnest_ratio", w->loopnest_ratio);
	add_real(out, "loopnest_ratio_low", w->loopnest_low);
	add_real(out, "loopnest_ratio_high", w->loopnest_high);
	add_real(out, "raced_loopnest_ratio", w->raced_loopnest_ratio);
	add_real(out, "sol_ratio", w->sol_ratio);
	add_real(out, "tolerance_ratio", w->tolerance_ratio);
	kv_add(out, "ties", "%s", w->ties);
	for (size_t i = 0; i < e->trace->baseline_count; i++) {
		const struct baseline_record *b = &e->trace->baseline[i];
		char key[64];
		if (strcmp(b->problem, w->problem) || strcmp(b->environment, w->environment))
			continue;
		snprintf(key, sizeof(key), "baseline.%s", b->name);
		for (char *p = key; *p; p++)
			*p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
		kv_add(out, key, "%.6g ns, %s", b->time_ns, b->setting);
	}
}

/* How it was judged from outside: judge.h. */
static void add_judgement(const struct evidence *e, struct strbuf *out)
{
	const struct judgement *j = e->judgement;

	kv_add(out, "judge.verdict", "%s", j ? verdict_name(j->verdict) : verdict_name(VERDICT_NOT_MEASURED));
	if (!j)
		return;
	add_real(out, "judge.time_ns", j->judged_ns);
	add_real(out, "judge.time_low_ns", j->low_ns);
	add_real(out, "judge.time_high_ns", j->high_ns);
	add_real(out, "judge.claim_ratio", j->claim_ratio);
	kv_add(out, "judge.calls", "%lld %lld", (long long)j->calls_few, (long long)j->calls_many);
	kv_add(out, "judge.rounds", "%lld", (long long)j->rounds);
	add_real(out, "judge.load", j->load);
	kv_add(out, "judge.baseline", "%s", j->baseline);
	add_real(out, "judge.baseline_ratio", j->ratio);
	add_real(out, "judge.baseline_ratio_low", j->ratio_low);
	add_real(out, "judge.baseline_ratio_high", j->ratio_high);
	kv_add(out, "judge.sets", "%lld whole, %lld sampled", (long long)j->whole_sets, (long long)j->sampled_sets);
	kv_add(out, "judge.memory_pass", "%s", j->memory_pass);
	kv_add(out, "judge.sandbox", "%s", e->environment->sandbox_level ? e->environment->sandbox_level : "");
}

static void add_origin(const struct evidence *e, const char *build, struct strbuf *out)
{
	const struct environment *m = e->environment;
	const struct candidate *c = e->candidate;

	kv_add(out, "skeleton", "%s", c->skeleton);
	kv_add(out, "precision", "%s", c->precision);
	kv_add(out, "knobs", "%s", c->knobs);
	kv_add(out, "policy", "%s", c->policy);
	kv_add(out, "build", "%s", build);
	kv_add(out, "compiler", "%s", m->compiler);
	kv_add(out, "cpu_model", "%s", m->cpu_model);
	kv_add(out, "os", "%s", m->os);
	kv_add(out, "tool_version", "%s", m->tool_version);
	kv_add(out, "trace.environment", "%s", m->id);
	kv_add(out, "trace.candidate", "%s", c->id);
	kv_add(out, "trace.start_ns", "%lld", (long long)e->evaluation->start_ns);
	kv_add(out, "reproduce", "%s", e->evaluation->reproduce);
	kv_add(out, "licence", "Apache-2.0");
}

/* The command that makes kernel.so of kernel.<suffix>; target facts filled in. */
static void build_command(const struct lang *lang, const char *target_name, struct strbuf *out)
{
	struct strbuf ignored = STRBUF_INIT;
	const struct target *target = target_find(target_name, &ignored);

	strbuf_addstr(out, lang ? lang->compile : "");
	strbuf_replace(out, "%march", target && target->march ? target->march : "");
	strbuf_replace(out, "%flags", target && target->compiler_flags ? target->compiler_flags : "");
	strbuf_release(&ignored);
}

/* Below the cell, or below its artifacts. */
static int read_artifact(const struct evidence *e, struct strbuf *data, struct strbuf *err)
{
	struct strbuf path = STRBUF_INIT, why = STRBUF_INIT;

	strbuf_addf(&path, "%s/%s", e->cell, e->winner.artifact);
	if (access(path.buf, R_OK)) {
		strbuf_reset(&path);
		strbuf_addf(&path, "%s/artifacts/%s", e->cell, e->winner.artifact);
	}
	int ret = strbuf_read_file(data, path.buf, &why);
	if (ret)
		add_fault(err, e->journal, "artifact of winner '%s': %s", e->winner.candidate, why.buf);
	strbuf_release(&path);
	strbuf_release(&why);
	return ret;
}

/* A kernel with run-time dimensions may win several problems: the id tells them apart. */
static void entry_id(const struct winner *w, char out[32])
{
	char hex[65];

	sha256_hex(w->problem, strlen(w->problem), hex);
	snprintf(out, 32, "%.16s-%.6s", w->candidate, hex);
}

/* 0 and the folder in *folder, or -1: 1 in *is_write_error when writing failed. */
static int promote_one(struct arena *arena, const char *corpus, struct evidence *e, const char **folder,
		       struct promotion *promotion, struct strbuf *out, struct strbuf *err)
{
	struct strbuf entry = STRBUF_INIT, source = STRBUF_INIT, artifact = STRBUF_INIT, build = STRBUF_INIT, why = STRBUF_INIT;
	char id[32];
	int ret = -1;

	if (gather(e, err) || read_artifact(e, &artifact, err))
		goto out;
	publish_judged(e->judgement, &e->winner);
	const struct candidate *c = e->candidate;
	const struct lang *lang = lang_find(c->lang);
	const char *slash = strrchr(e->winner.artifact, '/');
	strbuf_addf(&source, "%s%s", c->prologue, c->source);
	struct store_file file[] = {
		{ "plan", c->plan, strlen(c->plan) },
		{ arena_printf(arena, "kernel.%s", lang ? lang->suffix : c->lang), source.buf, source.len },
		{ slash ? slash + 1 : e->winner.artifact, artifact.buf, artifact.len },
		{ "entry", NULL, 0 },
	};
	entry_id(&e->winner, id);
	build_command(lang, c->target, &build);
	kv_add(&entry, "format", CORPUS_FORMAT);
	kv_add(&entry, "id", "%s", id);
	kv_add(&entry, "op", "%s", e->problem.op->name);
	kv_add(&entry, "dtype", "%s", dtype_name(e->problem.dtype));
	kv_add(&entry, "target", "%s", c->target);
	kv_add(&entry, "lang", "%s", c->lang);
	kv_add(&entry, "source", "%s", file[1].name);
	kv_add(&entry, "artifact", "%s", file[2].name);
	add_problem(e, &entry);
	add_region(c, &entry);
	add_speed(e, &entry);
	add_judgement(e, &entry);
	add_origin(e, build.buf, &entry);
	for (int i = 0; i < 3; i++)
		store_add_hash(&entry, &file[i]);
	store_seal(&entry);
	file[3].data = entry.buf;
	file[3].size = entry.len;
	*folder = arena_printf(arena, "%s/%s/%s/%s", corpus, c->target, e->problem.op->name, id);
	int written = store_publish(*folder, file, ARRAY_SIZE(file), &why);
	if (written < 0) {
		strbuf_addf(err, "%s%s", err->len ? "\n" : "", why.buf);
		promotion->is_write_error = true;
		goto out;
	}
	promotion->written += written == 1;
	promotion->kept += written == 0;
	strbuf_addf(out, "%s\t%s\t%s\t%.6g\t%.3f\t%s\n", id, c->target, e->winner.problem, e->winner.time_ns, e->winner.ratio,
		    written ? "written" : "kept");
	ret = 0;
out:
	strbuf_release(&entry);
	strbuf_release(&source);
	strbuf_release(&artifact);
	strbuf_release(&build);
	strbuf_release(&why);
	return ret;
}

int entry_remove(const char *corpus, const char *folder, struct strbuf *err)
{
	char *parent = strdup(folder), *slash;
	int ret = store_remove(folder, err);

	/* Never the corpus folder itself. */
	while (!ret && parent && (slash = strrchr(parent, '/'))) {
		*slash = 0;
		if (strlen(parent) <= strlen(corpus) || rmdir(parent))
			break;
	}
	free(parent);
	return ret;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What no journal backs any more goes. */
static int remove_stale(struct arena *arena, const char *corpus, const char **kept, size_t count, struct promotion *promotion,
			struct strbuf *out, struct strbuf *err)
{
	struct entry_list list = { 0 };

	if (access(corpus, F_OK))
		return 0;
	if (entry_find_all(arena, corpus, &list, err))
		return -1;
	if (count)
		qsort(kept, count, sizeof(*kept), by_path);
	for (size_t i = 0; i < list.count; i++) {
		const char *folder = list.folder[i];
		if (count && bsearch(&folder, kept, count, sizeof(*kept), by_path))
			continue;
		if (entry_remove(corpus, folder, err)) {
			promotion->is_write_error = true;
			return -1;
		}
		promotion->removed++;
		strbuf_addf(out, "%s\t\t\t\t\tremoved\n", strrchr(folder, '/') + 1);
	}
	return 0;
}

int promote(const char *out_folder, struct promotion *promotion, struct strbuf *out, struct strbuf *err)
{
	struct arena arena = ARENA_INIT;
	struct path_list journals = { 0 };
	const char *cells = arena_printf(&arena, "%s/cells", out_folder), *corpus = arena_printf(&arena, "%s/corpus", out_folder);
	size_t count = 0, faults = 0, capacity = 0;
	const char **kept = NULL;

	*promotion = (struct promotion){ 0 };
	if (trace_find_journals(&arena, cells, &journals, err))
		faults++;
	for (size_t i = 0; i < journals.count; i++) {
		struct arena one = ARENA_INIT;
		struct trace trace = { 0 };
		struct strbuf why = STRBUF_INIT;
		const char *journal = journals.path[i];
		const char *cell = arena_strndup(&arena, journal, (size_t)(strrchr(journal, '/') - journal));
		if (trace_from_journals(&one, &journal, 1, &trace, &why)) {
			strbuf_addf(err, "%s%s", err->len ? "\n" : "", why.buf);
			faults++;
		}
		for (size_t w = 0; w < trace.winner_count; w++) {
			struct evidence e = { .journal = journal, .cell = cell, .winner = trace.winner[w], .trace = &trace };
			if (count == capacity) {
				const char **grown = ARENA_ARRAY(&arena, const char *, capacity = 2 * capacity + 64);
				if (count)
					memcpy(grown, kept, count * sizeof(*grown));
				kept = grown;
			}
			if (promote_one(&arena, corpus, &e, &kept[count], promotion, out, err))
				faults++;
			else
				count++;
		}
		strbuf_release(&why);
		arena_release(&one);
	}
	if (!faults && remove_stale(&arena, corpus, kept, count, promotion, out, err))
		faults++;
	arena_release(&arena);
	return faults ? -1 : 0;
}
