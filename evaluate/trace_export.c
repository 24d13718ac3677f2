/* trace_export.c: traces in the formats of others, and which knobs matter. */
#include "evaluate/trace.h"
#include "ops/core/arena.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool is_wanted(const char *problem, const char *wanted)
{
	return !wanted || !strcmp(problem, wanted);
}

/* Calls with each KEY=VALUE word of a knob text. */
struct word {
	const char *key, *value;
	int key_len, value_len;
};

static bool next_word(const char **text, struct word *word)
{
	const char *s = *text + strspn(*text, " ");
	int len = (int)strcspn(s, " ");
	const char *equal = memchr(s, '=', (size_t)len);

	*text = s + len;
	if (!equal)
		return false;
	*word = (struct word){ s, equal + 1, (int)(equal - s), len - (int)(equal - s) - 1 };
	return true;
}

/* The best time seen with one value of a knob. */
struct setting {
	const char *problem, *key, *value;
	double time_ns;
};

static int by_setting(const void *pa, const void *pb)
{
	const struct setting *a = pa, *b = pb;
	int order = strcmp(a->problem, b->problem);

	order = order ? order : strcmp(a->key, b->key);
	order = order ? order : strcmp(a->value, b->value);
	return order ? order : (a->time_ns > b->time_ns) - (a->time_ns < b->time_ns);
}

static size_t count_words(const char *text)
{
	size_t n = 0;

	for (const char *p = text; *p; p++)
		n += *p == '=';
	return n;
}

/* One row per problem, knob, value with its best time, sorted. */
static size_t collect(struct arena *arena, const struct trace *trace, const char *problem, struct setting **out)
{
	size_t most = 1, n = 0, kept = 0;

	const struct candidate **of = ARENA_ARRAY(arena, const struct candidate *, trace->evaluation_count + 1);
	for (size_t i = 0; i < trace->evaluation_count; i++) {
		const struct evaluation *e = &trace->evaluation[i];
		if (!is_wanted(e->problem, problem) || e->verdict != VERDICT_PASSED || !(e->time_ns > 0) ||
		    !(of[i] = trace_candidate(trace, e->candidate, e->problem)))
			continue;
		most += count_words(of[i]->knobs);
	}
	struct setting *set = ARENA_ARRAY(arena, struct setting, most);
	for (size_t i = 0; i < trace->evaluation_count; i++) {
		struct word w;
		for (const char *p = of[i] ? of[i]->knobs : ""; next_word(&p, &w);)
			set[n++] = (struct setting){ trace->evaluation[i].problem, arena_strndup(arena, w.key, (size_t)w.key_len),
						     arena_strndup(arena, w.value, (size_t)w.value_len), trace->evaluation[i].time_ns };
	}
	qsort(set, n, sizeof(*set), by_setting);
	for (size_t i = 0; i < n; i++)
		if (!kept || strcmp(set[kept - 1].problem, set[i].problem) || strcmp(set[kept - 1].key, set[i].key) ||
		    strcmp(set[kept - 1].value, set[i].value))
			set[kept++] = set[i];
	*out = set;
	return kept;
}

void trace_knobs(const struct trace *trace, const char *problem, double margin, struct strbuf *out)
{
	struct arena arena = ARENA_INIT;
	struct setting *set;
	size_t n = collect(&arena, trace, problem, &set);

	strbuf_addstr(out, "problem\tknob\tvalues\tspread_ratio\tbest_value\teffect\n");
	for (size_t i = 0, end; i < n; i = end) {
		size_t best = i, worst = i;
		for (end = i; end < n && !strcmp(set[end].problem, set[i].problem) && !strcmp(set[end].key, set[i].key); end++) {
			best = set[end].time_ns < set[best].time_ns ? end : best;
			worst = set[end].time_ns > set[worst].time_ns ? end : worst;
		}
		double spread = set[worst].time_ns / set[best].time_ns;
		strbuf_addf(out, "%s\t%s\t%zu\t%.3f\t%s\t%s\n", set[i].problem, set[i].key, end - i, spread, set[best].value,
			    end - i == 1 ? "one value" : spread > 1 + margin ? "matters" : "no measurable effect");
	}
	arena_release(&arena);
}

/* RFC 4180. */
static void add_quoted(struct strbuf *out, const char *text)
{
	if (!strpbrk(text, ",\"\n\r")) {
		strbuf_addstr(out, text);
		return;
	}
	strbuf_addch(out, '"');
	for (; *text; text++) {
		if (*text == '"')
			strbuf_addch(out, '"');
		strbuf_addch(out, *text);
	}
	strbuf_addch(out, '"');
}

static bool in_csv(const struct field *f)
{
	return f->type != FIELD_SAMPLES && f->type != FIELD_FACTS;
}

static void add_value(struct strbuf *out, const struct field *f, const void *at)
{
	switch (f->type) {
	case FIELD_REAL:
		if (!isnan(*(const double *)at))
			strbuf_addf(out, "%.17g", *(const double *)at);
		break;
	case FIELD_INT:
		strbuf_addf(out, "%d", *(const int *)at);
		break;
	case FIELD_INT64:
		strbuf_addf(out, "%" PRId64, *(const int64_t *)at);
		break;
	case FIELD_VERDICT:
	case FIELD_STATE:
		strbuf_addstr(out, field_word(f->type, *(const int *)at));
		break;
	default:
		add_quoted(out, *(const char *const *)at);
	}
}

void trace_export_csv(const struct trace *trace, const char *problem, struct strbuf *out)
{
	const struct field *fields = record_fields(RECORD_EVALUATION);

	for (const struct field *f = fields; f->name; f++)
		if (in_csv(f))
			strbuf_addf(out, "%s,", f->name);
	strbuf_addstr(out, "target,lang,skeleton,precision,knobs,parent,edge,policy,generation\r\n");
	for (size_t i = 0; i < trace->evaluation_count; i++) {
		const struct evaluation *e = &trace->evaluation[i];
		if (!is_wanted(e->problem, problem))
			continue;
		for (const struct field *f = fields; f->name; f++)
			if (in_csv(f)) {
				add_value(out, f, (const char *)e + f->offset);
				strbuf_addch(out, ',');
			}
		const struct candidate *c = trace_candidate(trace, e->candidate, e->problem);
		const char *words[] = { c ? c->target : "", c ? c->lang : "", c ? c->skeleton : "", c ? c->precision : "", c ? c->knobs : "",
					c ? c->parent : "", c ? c->edge : "", c ? c->policy : "" };
		for (size_t k = 0; k < ARRAY_SIZE(words); k++) {
			add_quoted(out, words[k]);
			strbuf_addch(out, ',');
		}
		strbuf_addf(out, "%" PRId64 "\r\n", c ? c->generation : -1);
	}
}

static void add_json(struct strbuf *out, const char *text, size_t len)
{
	strbuf_addch(out, '"');
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == '"' || text[i] == '\\')
			strbuf_addf(out, "\\u%04x", (unsigned char)text[i]);
		else
			strbuf_addch(out, text[i]);
	strbuf_addch(out, '"');
}

/* Numbers stay numbers: tools sort and plot by them. */
static void add_setting(struct strbuf *out, const struct word *w)
{
	char text[32], *end;

	if (w->value_len > 0 && w->value_len < 16) {
		memcpy(text, w->value, (size_t)w->value_len);
		text[w->value_len] = 0;
		long long v = strtoll(text, &end, 10);
		if (!*end) {
			strbuf_addf(out, "%lld", v);
			return;
		}
	}
	add_json(out, w->value, (size_t)w->value_len);
}

static void add_timestamp(struct strbuf *out, int64_t ns)
{
	time_t s = (time_t)(ns / 1000000000);
	struct tm tm;
	char text[64];

	gmtime_r(&s, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	strbuf_addf(out, "\"timestamp\":\"%s.%06d+00:00\"", text, (int)(ns / 1000 % 1000000));
}

static const char *t4_invalidity(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_PASSED:
		return "correct";
	case VERDICT_COMPILE_ERROR:
	case VERDICT_REJECTED:
		return "compile";
	case VERDICT_TIMEOUT:
		return "timeout";
	default:
		return verdict_name(verdict)[0] == 'I' || verdict == VERDICT_NONDETERMINISTIC ? "correctness" : "runtime";
	}
}

static void add_t4_result(struct strbuf *out, const struct evaluation *e, const struct candidate *c)
{
	struct word w;
	bool first = true;

	strbuf_addch(out, '{');
	add_timestamp(out, e->start_ns);
	strbuf_addstr(out, ",\"configuration\":{");
	for (const char *p = c->knobs; next_word(&p, &w); first = false) {
		if (!first)
			strbuf_addch(out, ',');
		add_json(out, w.key, (size_t)w.key_len);
		strbuf_addch(out, ':');
		add_setting(out, &w);
	}
	strbuf_addf(out, "},\"times\":{\"compilation\":%.9g,\"framework\":0,\"search_algorithm\":0,\"validation\":%.9g",
		    1e3 * e->compile_s, 1e3 * e->check_s);
	if (e->sample_count) {
		strbuf_addstr(out, ",\"runtimes\":[");
		for (size_t i = 0, n = 0; i < e->sample_count; i++)
			if (isfinite(e->sample_ns[i]))
				strbuf_addf(out, "%s%.17g", n++ ? "," : "", 1e-6 * e->sample_ns[i]);
		strbuf_addch(out, ']');
	}
	strbuf_addf(out, "},\"invalidity\":\"%s\",\"correctness\":%d,\"measurements\":[{\"name\":\"time\",\"value\":",
		    t4_invalidity(e->verdict), e->verdict == VERDICT_PASSED);
	if (e->verdict == VERDICT_PASSED && isfinite(e->time_ns))
		strbuf_addf(out, "%.17g", 1e-6 * e->time_ns);
	else
		add_json(out, verdict_name(e->verdict), strlen(verdict_name(e->verdict)));
	strbuf_addstr(out, ",\"unit\":\"ms\"}],\"objectives\":[\"time\"]}");
}

int trace_export_t4(const struct trace *trace, const char *problem, struct strbuf *out, struct strbuf *err)
{
	bool first = true;

	for (size_t i = 1; i < trace->evaluation_count && !problem; i++)
		if (strcmp(trace->evaluation[i].problem, trace->evaluation[0].problem)) {
			strbuf_addf(err, "a T4 file holds one problem: choose with --problem='%s' or another of 'trace ls'",
				    trace->evaluation[0].problem);
			return -1;
		}
	strbuf_addstr(out, "{\"metadata\":{\"timeunit\":\"miliseconds\"},\"results\":["); /* sic: Kernel Tuner's word */
	for (size_t i = 0; i < trace->evaluation_count; i++) {
		const struct evaluation *e = &trace->evaluation[i];
		const struct candidate *c = is_wanted(e->problem, problem) ? trace_candidate(trace, e->candidate, e->problem) : NULL;
		if (!c)
			continue;
		strbuf_addstr(out, first ? "\n" : ",\n");
		first = false;
		add_t4_result(out, e, c);
	}
	strbuf_addstr(out, "\n],\"schema_version\":\"1.0.0\"}\n");
	return 0;
}
