/* Records survive JSON bit for bit; bad JSON is refused by name. */
#include "tests/tap.h"
#include "tests/unit/evaluate/samples.h"

#include <stdlib.h>

static void survives(const struct record *record, const char *what)
{
	struct strbuf first = STRBUF_INIT, second = STRBUF_INIT, err = STRBUF_INIT;
	struct arena arena = ARENA_INIT;
	struct record back;

	record_write(record, &first);
	bool read = !record_read(&arena, first.buf, &back, &err);
	if (read)
		record_write(&back, &second);
	ok(read && !strcmp(first.buf, second.buf), "%s survives (%s)", what, err.buf);
	ok(!strchr(first.buf, '\n'), "%s is one line", what);
	arena_release(&arena);
	strbuf_release(&first);
	strbuf_release(&second);
	strbuf_release(&err);
}

static void test_values(void)
{
	struct strbuf text = STRBUF_INIT, err = STRBUF_INIT;
	struct arena arena = ARENA_INIT;
	struct record back = { 0 };
	double sample[3];
	struct record r = sample_evaluation(1, sample);

	record_write(&r, &text);
	ok(!record_read(&arena, text.buf, &back, &err), "read");
	const struct evaluation *a = &r.evaluation, *b = &back.evaluation;
	ok(a->compile_s == b->compile_s && a->check_s == b->check_s && a->time_high_ns == b->time_high_ns, "reals are exact, denormal and largest included");
	ok(b->max_abs_error == INFINITY && b->max_rel_error == -INFINITY && isnan(b->time_low_ns), "infinities and NaN come back");
	ok(b->max_ulp_error == 0 && signbit(b->max_ulp_error), "so does minus zero");
	ok(b->start_ns == a->start_ns, "a 63-bit integer is exact");
	ok(b->sample_count == 3 && b->sample_ns[0] == 0.1 && isnan(b->sample_ns[1]) && b->sample_ns[2] == sample[2], "samples");
	ok(b->fact_count == 2 && !strcmp(b->fact[0].key, "registers") && b->fact[0].value == 31 && isnan(b->fact[1].value), "facts");
	ok(b->verdict == VERDICT_PASSED && b->state == STATE_MEASURED, "enums travel as words");
	struct record c = sample_candidate(3);
	strbuf_reset(&text);
	record_write(&c, &text);
	ok(!record_read(&arena, text.buf, &back, &err) && back.candidate.seed == UINT64_MAX - 5, "a 64-bit seed is exact");
	ok(!strcmp(back.candidate.source, c.candidate.source) && !strcmp(back.candidate.id, c.candidate.id), "source and id");
	c.candidate.source = "bad \xff\xc0\xaf\xed\xa0\x80 bytes";
	strbuf_reset(&text);
	record_write(&c, &text);
	ok(!record_read(&arena, text.buf, &back, &err) && strstr(back.candidate.source, "bad \xef\xbf\xbd"), "what is not UTF-8 is replaced");
	strbuf_release(&text);
	strbuf_release(&err);
	arena_release(&arena);
}

static void refused(const char *json, const char *words)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct record back;

	int ret = record_read(&arena, json, &back, &err);
	ok(ret < 0 && strstr(err.buf, words), "refused: %.40s (%s)", json, err.buf);
	strbuf_release(&err);
	arena_release(&arena);
}

/* A journal of before winners kept both times: what there was is what was raced. */
static void test_earlier_winner(void)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct record r;

	int bad = record_read(&arena, "{\"kind\":\"winner\",\"problem\":\"p\",\"environment\":\"e\",\"candidate\":\"1\",\"time_ns\":5,\"low_ns\":4,\"high_ns\":6,"
			      "\"baseline\":\"b\",\"baseline_ns\":9,\"ratio\":2,\"ratio_low\":1,\"ratio_high\":3,\"loopnest_ratio\":7,\"loopnest_low\":6,"
			      "\"loopnest_high\":8,\"sol_ratio\":1,\"tolerance_ratio\":1,\"ties\":\"\",\"artifact\":\"a\"}", &r, &err);
	ok(!bad && !strcmp(r.winner.judged_by, "clock") && r.winner.raced_ns == 5 && r.winner.raced_low_ns == 4 && r.winner.raced_high_ns == 6 &&
	   r.winner.raced_loopnest_ratio == 7, "a winner of an earlier version is read %s", err.buf);
	strbuf_release(&err);
	arena_release(&arena);
}

int main(void)
{
	double sample[3];
	struct record r;

	r = sample_environment();
	survives(&r, "environment");
	r = sample_candidate(0);
	survives(&r, "candidate");
	r = sample_evaluation(0, sample);
	survives(&r, "failed evaluation");
	r = sample_evaluation(1, sample);
	survives(&r, "passed evaluation");
	for (int kind = RECORD_BASELINE; kind < RECORD_KIND_COUNT; kind++) {
		r = sample_other((enum record_kind)kind, sample);
		survives(&r, record_kind_name((enum record_kind)kind));
	}
	test_values();
	test_earlier_winner();
	refused("", "not a record");
	refused("[1]", "not a record");
	refused("{\"kind\":\"stop\"", "not a record");
	refused("{\"kind\":\"story\"}", "unknown kind of record 'story'");
	refused("{\"kind\":\"stop\",\"problem\":\"p\"}", "lacks 'reason'");
	refused("{\"kind\":\"stop\",\"problem\":\"p\",\"reason\":\"r\",\"evaluations\":1.5,\"elapsed_s\":0}", "bad 'evaluations'");
	refused("{\"kind\":\"duel\",\"problem\":\"p\",\"environment\":\"e\",\"a\":\"x\",\"b\":\"y\",\"ratio\":1,\"low\":1,\"high\":1,"
		"\"verdict\":\"SAME\",\"a_ns\":[],\"b_ns\":[1]}", "bad 'b_ns'");
	return done_testing();
}
