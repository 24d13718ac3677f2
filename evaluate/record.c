#include "evaluate/judge.h"
#include "evaluate/record.h"
#include "evaluate/measure.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define F(kind, member, type, unit, text) { #member, FIELD_##type, offsetof(struct kind, member), 0, unit, text }
#define ARRAY_OF(kind, member, type, count, unit, text) \
	{ #member, FIELD_##type, offsetof(struct kind, member), offsetof(struct kind, count), unit, text }
#define END { NULL, 0, 0, 0, NULL, NULL }

static const struct field environment_fields[] = {
	F(environment, id, ID, "1", "hash of all other fields but start_ns"),
	F(environment, target, NAME, "1", "named hardware target"),
	F(environment, cpu_model, NAME, "1", "processor as the operating system calls it"),
	F(environment, os, NAME, "1", "operating system and kernel"),
	F(environment, compiler, NAME, "1", "compiler and version"),
	F(environment, tool_version, NAME, "1", "version of the evaluator"),
	F(environment, sandbox_level, NAME, "1", "confinement candidates ran in"),
	F(environment, clock, NAME, "1", "clock that timed"),
	F(environment, core_count, INT64, "1", "cores"),
	F(environment, l1_bytes, INT64, "byte", "first-level data cache of a core"),
	F(environment, l2_bytes, INT64, "byte", "second-level cache of a core"),
	F(environment, l3_bytes, INT64, "byte", "last-level cache"),
	F(environment, peak_flop_per_s, REAL, "1/s", "measured f32 peak of one core"),
	F(environment, peak_bytes_per_s, REAL, "byte/s", "measured stream bandwidth of one core"),
	F(environment, matrix_flop_per_s, REAL, "1/s", "measured matrix-unit peak of one core, 0: none"),
	F(environment, datasheet_bytes_per_s, REAL, "byte/s", "bandwidth by the datasheet, 0: unknown"),
	F(environment, start_ns, INT64, "ns", "wall clock since 1970 when the run began"),
	END
};

static const struct field candidate_fields[] = {
	F(candidate, id, ID, "1", "hash of what defines the candidate"),
	F(candidate, problem, PROBLEM, "1", "problem it was made for"),
	F(candidate, target, NAME, "1", "target it was printed for"),
	F(candidate, lang, NAME, "1", "source language"),
	F(candidate, skeleton, NAME, "1", "structure of computation"),
	F(candidate, knobs, TEXT, "1", "knob setting"),
	F(candidate, tile, TEXT, "1", "tile program"),
	F(candidate, plan, TEXT, "1", "launch plan"),
	F(candidate, prologue, TEXT, "1", "vocabulary the source starts with"),
	F(candidate, source, TEXT, "1", "source"),
	F(candidate, origin, NAME, "1", "who wrote the source, as it claims"),
	F(candidate, precision, NAME, "1", "strict: the arithmetic of the problem's dtypes; else the recipe of f32 accuracy"),
	F(candidate, parent, CANDIDATE, "1", "candidate it came from"),
	F(candidate, edge, NAME, "1", "how it came from its parent"),
	F(candidate, policy, NAME, "1", "policy that proposed it"),
	F(candidate, seed, UINT64, "1", "seed of the search"),
	F(candidate, generation, INT64, "1", "number of the batch"),
	END
};

static const struct field evaluation_fields[] = {
	F(evaluation, candidate, CANDIDATE, "1", "candidate tried"),
	F(evaluation, problem, PROBLEM, "1", "problem it was tried on"),
	F(evaluation, environment, ENVIRONMENT, "1", "machine, tools and protocol"),
	F(evaluation, verdict, VERDICT, "1", "outcome"),
	F(evaluation, detail, TEXT, "1", "words of the compiler, first wrong element, ..."),
	F(evaluation, state, STATE, "1", "how far the result can be trusted"),
	F(evaluation, compile_s, REAL, "s", "share of the batch's compile time"),
	F(evaluation, check_s, REAL, "s", "time spent on checking"),
	F(evaluation, measure_s, REAL, "s", "time spent on timing"),
	F(evaluation, max_abs_error, REAL, "1", "largest absolute error"),
	F(evaluation, max_rel_error, REAL, "1", "largest relative error"),
	F(evaluation, max_ulp_error, REAL, "1", "largest error in units of the last place"),
	F(evaluation, tolerance_ratio, REAL, "1", "largest error over its bound; at most 1 passes"),
	F(evaluation, time_ns, REAL, "ns", "median of one call; NaN: not timed"),
	F(evaluation, time_low_ns, REAL, "ns", "lower quartile of one call"),
	F(evaluation, time_high_ns, REAL, "ns", "upper quartile of one call"),
	F(evaluation, rung, INT, "1", "sample level survived to in the race"),
	F(evaluation, calls_per_sample, INT64, "1", "calls averaged in a sample"),
	ARRAY_OF(evaluation, sample_ns, SAMPLES, sample_count, "ns", "raw samples: one call's mean in each"),
	F(evaluation, fitness, REAL, "1", "time of the strongest baseline over time_ns; 0 unless PASSED"),
	F(evaluation, sol_ratio, REAL, "1", "speed-of-light time over time_ns; 0: unknown"),
	F(evaluation, flop_per_s, REAL, "1/s", "useful work per second"),
	F(evaluation, bytes_per_s, REAL, "byte/s", "compulsory traffic per second"),
	ARRAY_OF(evaluation, fact, FACTS, fact_count, "1", "facts of the artifact"),
	F(evaluation, start_ns, INT64, "ns", "wall clock since 1970"),
	F(evaluation, elapsed_s, REAL, "s", "evaluation work on the problem so far"),
	F(evaluation, reproduce, TEXT, "1", "command that repeats the trial alone"),
	END
};

static const struct field baseline_fields[] = {
	F(baseline_record, problem, PROBLEM, "1", "problem"),
	F(baseline_record, environment, ENVIRONMENT, "1", "machine, tools and protocol"),
	F(baseline_record, name, NAME, "1", "library"),
	F(baseline_record, setting, TEXT, "1", "its best setting"),
	F(baseline_record, time_ns, REAL, "ns", "median of one call"),
	ARRAY_OF(baseline_record, sample_ns, SAMPLES, sample_count, "ns", "raw samples: one call's mean in each"),
	F(baseline_record, calls_per_sample, INT64, "1", "calls averaged in a sample"),
	END
};

static const struct field duel_fields[] = {
	F(duel, problem, PROBLEM, "1", "problem"),
	F(duel, environment, ENVIRONMENT, "1", "machine, tools and protocol"),
	F(duel, a, NAME, "1", "candidate id, or baseline:name"),
	F(duel, b, NAME, "1", "candidate id, or baseline:name"),
	F(duel, ratio, REAL, "1", "time of b over time of a, median of pairs"),
	F(duel, low, REAL, "1", "lower end of the " MEASURE_CONFIDENCE_TEXT " interval of ratio"),
	F(duel, high, REAL, "1", "upper end of the " MEASURE_CONFIDENCE_TEXT " interval of ratio"),
	F(duel, verdict, DUEL_VERDICT, "1", "outcome for a"),
	ARRAY_OF(duel, a_ns, SAMPLES, pair_count, "ns", "raw samples of a"),
	ARRAY_OF(duel, b_ns, SAMPLES, pair_count, "ns", "raw samples of b, paired"),
	END
};

static const struct field winner_fields[] = {
	F(winner, problem, PROBLEM, "1", "problem"),
	F(winner, environment, ENVIRONMENT, "1", "machine, tools and protocol"),
	F(winner, candidate, CANDIDATE, "1", "the fastest verified candidate"),
	F(winner, time_ns, REAL, "ns", "one call, as judged_by says"),
	F(winner, low_ns, REAL, "ns", "lower end of its interval: " JUDGE_CONFIDENCE_TEXT " of lives, quartile of clock"),
	F(winner, high_ns, REAL, "ns", "upper end of its interval"),
	F(winner, judged_by, NAME, "1", "who timed it: lives, from outside its process; clock, of its own process"),
	F(winner, raced_ns, REAL, "ns", "median of one call by the clock of its own process"),
	F(winner, raced_low_ns, REAL, "ns", "lower quartile of it"),
	F(winner, raced_high_ns, REAL, "ns", "upper quartile of it"),
	F(winner, baseline, NAME, "1", "strongest baseline"),
	F(winner, baseline_ns, REAL, "ns", "its time"),
	F(winner, ratio, REAL, "1", "strongest baseline's time over the winner's"),
	F(winner, ratio_low, REAL, "1", "lower end of the " MEASURE_CONFIDENCE_TEXT " interval of ratio"),
	F(winner, ratio_high, REAL, "1", "upper end of the " MEASURE_CONFIDENCE_TEXT " interval of ratio"),
	F(winner, loopnest_ratio, REAL, "1", "time of the -O3 loop nest over the winner's, as judged_by says"),
	F(winner, loopnest_low, REAL, "1", "lower end of its " MEASURE_CONFIDENCE_TEXT " interval"),
	F(winner, loopnest_high, REAL, "1", "upper end of its " MEASURE_CONFIDENCE_TEXT " interval"),
	F(winner, raced_loopnest_ratio, REAL, "1", "the same by clocks of their own processes, in pairs"),
	F(winner, sol_ratio, REAL, "1", "share of the speed of light"),
	F(winner, tolerance_ratio, REAL, "1", "largest error over its bound"),
	F(winner, ties, TEXT, "1", "candidates within the noise"),
	F(winner, artifact, TEXT, "1", "artifact below the cell's folder"),
	END
};

static const struct field stop_fields[] = {
	F(stop, problem, PROBLEM, "1", "problem"),
	F(stop, reason, NAME, "1", "why the search ended"),
	F(stop, evaluations, INT64, "1", "trials made"),
	F(stop, elapsed_s, REAL, "s", "evaluation work spent"),
	END
};

static const struct field start_fields[] = {
	F(start, candidate, CANDIDATE, "1", "candidate whose trial begins"),
	F(start, problem, PROBLEM, "1", "problem"),
	F(start, environment, ENVIRONMENT, "1", "machine, tools and protocol"),
	F(start, attempt, INT64, "1", "how often it was begun, this time included"),
	END
};

static const struct field judgement_fields[] = {
	F(judgement, problem, PROBLEM, "1", "problem"),
	F(judgement, environment, ENVIRONMENT, "1", "machine, tools and protocol"),
	F(judgement, candidate, CANDIDATE, "1", "candidate judged from outside its process"),
	F(judgement, verdict, VERDICT, "1", "outcome"),
	F(judgement, detail, TEXT, "1", "why"),
	F(judgement, claimed_ns, REAL, "ns", "one call by the clock of its own process"),
	F(judgement, judged_ns, REAL, "ns", "one call by the judge's clock: slope over lives of few and many calls"),
	F(judgement, low_ns, REAL, "ns", "lower end of its " JUDGE_CONFIDENCE_TEXT " interval"),
	F(judgement, high_ns, REAL, "ns", "upper end of its " JUDGE_CONFIDENCE_TEXT " interval"),
	F(judgement, claim_ratio, REAL, "1", "claimed_ns over judged_ns"),
	F(judgement, calls_few, INT64, "1", "calls of a short life"),
	F(judgement, calls_many, INT64, "1", "calls of a long life"),
	F(judgement, rounds, INT64, "1", "short lives, and long ones"),
	F(judgement, load, REAL, "1", "load average meanwhile"),
	F(judgement, baseline, NAME, "1", "trusted kernel judged in turn with it"),
	F(judgement, baseline_ns, REAL, "ns", "one call of it, judged in the same way"),
	F(judgement, ratio, REAL, "1", "baseline_ns over judged_ns"),
	F(judgement, ratio_low, REAL, "1", "lower end of its " JUDGE_CONFIDENCE_TEXT " interval"),
	F(judgement, ratio_high, REAL, "1", "upper end of its " JUDGE_CONFIDENCE_TEXT " interval"),
	F(judgement, tolerance_ratio, REAL, "1", "largest error over its bound"),
	F(judgement, whole_sets, INT64, "1", "sets of inputs whose outputs were compared whole"),
	F(judgement, sampled_sets, INT64, "1", "sets of inputs whose outputs were compared at secret positions"),
	F(judgement, scanned_elements, INT64, "1", "elements of all calls found written and repeated bit for bit"),
	F(judgement, memory_pass, NAME, "1", "how memory errors were looked for"),
	F(judgement, labels, TEXT, "1", "what is worth knowing of it"),
	END
};

static const struct field exchange_fields[] = {
	F(exchange, request, TEXT, "1", "SHA-256 of what the language model was sent"),
	F(exchange, place, TEXT, "1", "which question of which search"),
	F(exchange, problem, PROBLEM, "1", "problem"),
	F(exchange, target, NAME, "1", "target"),
	F(exchange, model, NAME, "1", "model"),
	F(exchange, mode, NAME, "1", "which earlier trials it was shown: inherit, compare, combine, clean-slate"),
	F(exchange, wants, NAME, "1", "knobs, or the language of a source"),
	F(exchange, parameters, TEXT, "1", "parameters of the request, JSON"),
	F(exchange, system, TEXT, "1", "system message"),
	F(exchange, prompt, TEXT, "1", "user message"),
	F(exchange, answer, TEXT, "1", "answer, or as much as came of one"),
	F(exchange, outcome, NAME, "1", "answered, cut, unfit, or why there is no answer"),
	F(exchange, words, TEXT, "1", "what was wrong"),
	F(exchange, candidates, TEXT, "1", "candidates of the answer"),
	F(exchange, prompt_tokens, INT64, "1", "tokens of the prompt"),
	F(exchange, answer_tokens, INT64, "1", "tokens of the answer"),
	F(exchange, counted, NAME, "1", "who counted them: server; bytes: a quarter of those"),
	F(exchange, cost, REAL, "1", "by the prices given, in their currency"),
	F(exchange, latency_s, REAL, "s", "time it took, with all tries and waiting"),
	F(exchange, retries, INT64, "1", "tries beyond the first"),
	F(exchange, key_id, NAME, "1", "first 8 hex digits of the SHA-256 of the key"),
	F(exchange, start_ns, INT64, "ns", "wall clock since 1970"),
	END
};

static const struct {
	const char *name;
	const struct field *field;
	size_t offset; /* of the kind's struct in struct record */
} kinds[RECORD_ALL_COUNT] = {
	[RECORD_ENVIRONMENT] = { "environment", environment_fields, offsetof(struct record, environment) },
	[RECORD_CANDIDATE] = { "candidate", candidate_fields, offsetof(struct record, candidate) },
	[RECORD_EVALUATION] = { "evaluation", evaluation_fields, offsetof(struct record, evaluation) },
	[RECORD_BASELINE] = { "baseline", baseline_fields, offsetof(struct record, baseline) },
	[RECORD_DUEL] = { "duel", duel_fields, offsetof(struct record, duel) },
	[RECORD_WINNER] = { "winner", winner_fields, offsetof(struct record, winner) },
	[RECORD_STOP] = { "stop", stop_fields, offsetof(struct record, stop) },
	[RECORD_START] = { "start", start_fields, offsetof(struct record, start) },
	[RECORD_JUDGEMENT] = { "judgement", judgement_fields, offsetof(struct record, judgement) },
	[RECORD_EXCHANGE] = { "exchange", exchange_fields, offsetof(struct record, exchange) },
};

const struct field *record_fields(enum record_kind kind) { return kinds[kind].field; }
const char *record_kind_name(enum record_kind kind) { return kinds[kind].name; }

const char *field_word(enum field_type type, int value)
{
	static const char *const duel[] = { "FASTER", "SLOWER", "SAME", "AMBIGUOUS" };

	if (value < 0)
		return NULL;
	switch (type) {
	case FIELD_VERDICT:
		return value < VERDICT_COUNT ? verdict_name((enum verdict)value) : NULL;
	case FIELD_STATE:
		return value <= STATE_GENERATED ? target_state_name((enum target_state)value) : NULL;
	case FIELD_DUEL_VERDICT:
		return (size_t)value < ARRAY_SIZE(duel) ? duel[value] : NULL;
	default:
		return NULL;
	}
}

int field_value(enum field_type type, const char *word)
{
	const char *known;

	for (int i = 0; (known = field_word(type, i)); i++)
		if (!strcmp(known, word))
			return i;
	return -1;
}

/* Compilers and kernels say what they like: what is not UTF-8 becomes U+FFFD. */
static void write_string(const char *text, struct strbuf *out)
{
	strbuf_addch(out, '"');
	for (const unsigned char *s = (const unsigned char *)(text ? text : ""); *s;) {
		size_t n = utf8_bytes((const char *)s);
		if (!n)
			strbuf_addstr(out, "\xef\xbf\xbd");
		else if (*s == '"' || *s == '\\')
			strbuf_addf(out, "\\%c", *s);
		else if (*s == '\n')
			strbuf_addstr(out, "\\n");
		else if (*s == '\t')
			strbuf_addstr(out, "\\t");
		else if (*s < 0x20 || *s == 0x7f)
			strbuf_addf(out, "\\u%04x", *s);
		else
			strbuf_add(out, s, n);
		s += n ? n : 1;
	}
	strbuf_addch(out, '"');
}

/* JSON has no NaN and no infinity: null, "inf", "-inf". */
static void write_real(double value, struct strbuf *out)
{
	if (isnan(value))
		strbuf_addstr(out, "null");
	else if (isinf(value))
		strbuf_addstr(out, value > 0 ? "\"inf\"" : "\"-inf\"");
	else
		strbuf_addf(out, "%.17g", value);
}

/* JSON readers hold numbers as double: what a double cannot hold is a string. */
static void write_int(int64_t value, struct strbuf *out)
{
	bool is_wide = value > INT64_C(1) << 53 || value < -(INT64_C(1) << 53);
	strbuf_addf(out, is_wide ? "\"%" PRId64 "\"" : "%" PRId64, value);
}

static void write_field(const struct field *f, const void *base, struct strbuf *out)
{
	const void *at = (const char *)base + f->offset;
	size_t count = f->count_offset ? *(const size_t *)((const char *)base + f->count_offset) : 0;

	switch (f->type) {
	case FIELD_ID:
		write_string(at, out);
		break;
	case FIELD_CANDIDATE:
	case FIELD_ENVIRONMENT:
	case FIELD_PROBLEM:
	case FIELD_NAME:
	case FIELD_TEXT:
		write_string(*(const char *const *)at, out);
		break;
	case FIELD_REAL:
		write_real(*(const double *)at, out);
		break;
	case FIELD_INT:
		write_int(*(const int *)at, out);
		break;
	case FIELD_INT64:
		write_int(*(const int64_t *)at, out);
		break;
	case FIELD_UINT64: {
		uint64_t v = *(const uint64_t *)at;
		strbuf_addf(out, v >> 53 ? "\"%" PRIu64 "\"" : "%" PRIu64, v);
		break;
	}
	case FIELD_VERDICT:
	case FIELD_STATE:
	case FIELD_DUEL_VERDICT:
		write_string(field_word(f->type, *(const int *)at), out);
		break;
	case FIELD_SAMPLES:
		strbuf_addch(out, '[');
		for (size_t i = 0; i < count; i++) {
			if (i)
				strbuf_addch(out, ',');
			write_real((*(double *const *)at)[i], out);
		}
		strbuf_addch(out, ']');
		break;
	case FIELD_FACTS:
		strbuf_addch(out, '{');
		for (size_t i = 0; i < count; i++) {
			if (i)
				strbuf_addch(out, ',');
			write_string(((const struct fact_value *)at)[i].key, out);
			strbuf_addch(out, ':');
			write_real(((const struct fact_value *)at)[i].value, out);
		}
		strbuf_addch(out, '}');
		break;
	}
}

void record_write(const struct record *record, struct strbuf *out)
{
	const void *base = (const char *)record + kinds[record->kind].offset;

	strbuf_addstr(out, "{\"kind\":");
	write_string(kinds[record->kind].name, out);
	for (const struct field *f = kinds[record->kind].field; f->name; f++) {
		strbuf_addf(out, ",\"%s\":", f->name);
		write_field(f, base, out);
	}
	strbuf_addch(out, '}');
}

static bool read_real(const cJSON *item, double *value)
{
	if (cJSON_IsNull(item))
		*value = NAN;
	else if (cJSON_IsNumber(item))
		*value = item->valuedouble;
	else if (cJSON_IsString(item) && !strcmp(item->valuestring, "inf"))
		*value = INFINITY;
	else if (cJSON_IsString(item) && !strcmp(item->valuestring, "-inf"))
		*value = -INFINITY;
	else
		return false;
	return true;
}

static bool read_int(const cJSON *item, int64_t *value)
{
	char *end;

	if (cJSON_IsNumber(item) && fabs(item->valuedouble) <= 0x1p53 && item->valuedouble == trunc(item->valuedouble))
		*value = (int64_t)item->valuedouble;
	else if (cJSON_IsString(item) && *item->valuestring) {
		*value = strtoll(item->valuestring, &end, 10);
		return !*end;
	} else
		return false;
	return true;
}

static bool read_samples(struct arena *arena, const cJSON *item, double **sample, size_t *count)
{
	if (!cJSON_IsArray(item))
		return false;
	*count = 0;
	*sample = ARENA_ARRAY(arena, double, cJSON_GetArraySize(item) + 1);
	for (const cJSON *e = item->child; e; e = e->next)
		if (!read_real(e, &(*sample)[(*count)++]))
			return false;
	return true;
}

static bool read_facts(struct arena *arena, const cJSON *item, struct fact_value *fact, size_t *count)
{
	if (!cJSON_IsObject(item))
		return false;
	*count = 0;
	for (const cJSON *e = item->child; e; e = e->next) {
		if (*count == EVALUATION_MAX_FACTS || !read_real(e, &fact[*count].value))
			return false;
		fact[(*count)++].key = arena_strdup(arena, e->string);
	}
	return true;
}

static bool read_field(struct arena *arena, const struct field *f, const cJSON *item, void *base)
{
	void *at = (char *)base + f->offset;
	size_t *count = (size_t *)((char *)base + f->count_offset);
	int64_t n;

	switch (f->type) {
	case FIELD_ID:
		if (!cJSON_IsString(item) || strlen(item->valuestring) > 16 || strspn(item->valuestring, "0123456789abcdef") != strlen(item->valuestring))
			return false;
		memcpy(at, item->valuestring, strlen(item->valuestring) + 1);
		return true;
	case FIELD_CANDIDATE:
	case FIELD_ENVIRONMENT:
	case FIELD_PROBLEM:
	case FIELD_NAME:
	case FIELD_TEXT:
		if (!cJSON_IsString(item))
			return false;
		*(const char **)at = arena_strdup(arena, item->valuestring);
		return true;
	case FIELD_REAL:
		return read_real(item, at);
	case FIELD_INT:
		if (!read_int(item, &n) || n != (int)n)
			return false;
		*(int *)at = (int)n;
		return true;
	case FIELD_INT64:
		return read_int(item, at);
	case FIELD_UINT64:
		if (cJSON_IsString(item))
			*(uint64_t *)at = strtoull(item->valuestring, NULL, 10);
		else if (read_int(item, &n))
			*(uint64_t *)at = (uint64_t)n;
		else
			return false;
		return true;
	case FIELD_VERDICT:
	case FIELD_STATE:
	case FIELD_DUEL_VERDICT:
		if (!cJSON_IsString(item) || field_value(f->type, item->valuestring) < 0)
			return false;
		*(int *)at = field_value(f->type, item->valuestring);
		return true;
	case FIELD_SAMPLES: {
		/* Paired arrays share one count. */
		bool is_second = f[-1].type == FIELD_SAMPLES && f[-1].count_offset == f->count_offset;
		size_t got;
		if (!read_samples(arena, item, at, &got) || (is_second && got != *count))
			return false;
		*count = got;
		return true;
	}
	case FIELD_FACTS:
		return read_facts(arena, item, at, count);
	}
	return false;
}

/* A field that journals of earlier versions lack, and what it was then; the fields before it are read.  False: it is none. */
static bool fill_later_field(struct record *record, const struct field *f)
{
	struct winner *w = &record->winner;

	if (record->kind == RECORD_CANDIDATE && f->offset == offsetof(struct candidate, origin))
		record->candidate.origin = "";
	else if (record->kind == RECORD_CANDIDATE && f->offset == offsetof(struct candidate, precision))
		record->candidate.precision = CANDIDATE_STRICT;
	else if (record->kind == RECORD_WINNER && f->offset == offsetof(struct winner, judged_by))
		w->judged_by = "clock";
	else if (record->kind == RECORD_WINNER && f->offset == offsetof(struct winner, raced_ns))
		w->raced_ns = w->time_ns;
	else if (record->kind == RECORD_WINNER && f->offset == offsetof(struct winner, raced_low_ns))
		w->raced_low_ns = w->low_ns;
	else if (record->kind == RECORD_WINNER && f->offset == offsetof(struct winner, raced_high_ns))
		w->raced_high_ns = w->high_ns;
	else if (record->kind == RECORD_WINNER && f->offset == offsetof(struct winner, raced_loopnest_ratio))
		w->raced_loopnest_ratio = w->loopnest_ratio;
	else
		return false;
	return true;
}

int record_read(struct arena *arena, const char *json, struct record *record, struct strbuf *err)
{
	cJSON *root = cJSON_Parse(json);
	const cJSON *kind = cJSON_GetObjectItemCaseSensitive(root, "kind");
	int ret = -1, k = 0;

	if (!cJSON_IsObject(root) || !cJSON_IsString(kind)) {
		strbuf_addstr(err, "not a record: expected a JSON object with 'kind'");
		goto out;
	}
	while (k < RECORD_ALL_COUNT && strcmp(kinds[k].name, kind->valuestring))
		k++;
	if (k == RECORD_ALL_COUNT) {
		strbuf_addf(err, "unknown kind of record '%s'", kind->valuestring);
		goto out;
	}
	memset(record, 0, sizeof(*record));
	record->kind = (enum record_kind)k;
	for (const struct field *f = kinds[k].field; f->name; f++) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(root, f->name);
		if (!item && fill_later_field(record, f))
			continue;
		if (!item || !read_field(arena, f, item, (char *)record + kinds[k].offset)) {
			strbuf_addf(err, "record '%s' %s '%s'", kinds[k].name, item ? "has a bad" : "lacks", f->name);
			goto out;
		}
	}
	ret = 0;
out:
	cJSON_Delete(root);
	return ret;
}
