/* The checker: the reference passes, every known cheat is rejected; inputs; poison and guards. */
#include "evaluate/check.h"
#include "evaluate/stage.h"
#include "ops/core/rng.h"
#include "tests/tap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void test_selfcheck(void)
{
	const struct op *op;

	for (size_t i = 0; (op = op_at(i)); i++) {
		struct strbuf err = STRBUF_INIT;
		/* Those searched in every budget; `km-evaluate selfcheck` has all. */
		if (!(op->shape[0].use & OP_SEARCH))
			continue;
		struct selfcheck_counts counts = { 0 };
		ok(!check_selfcheck(op, 0, &counts, &err) && counts.rejected + counts.right == counts.cheats, "%s: the reference passes, cheats do not %s", op->name, err.buf);
		strbuf_release(&err);
	}
	/* A tolerance so lax that it accepts a constant must be seen. */
	struct op lax = *op_find("softmax");
	struct strbuf err = STRBUF_INIT;
	lax.tolerance = 1e9;
	struct selfcheck_counts counts = { 0 };
	ok(check_selfcheck(&lax, 0, &counts, &err) < 0 && strstr(err.buf, "accepted"), "a lax tolerance is caught");
	strbuf_release(&err);
}

static void test_inputs(void)
{
	struct problem p;
	struct strbuf err = STRBUF_INIT;

	ok(!problem_parse("embedding_bag/f32/B=50,T=300,V=31,D=3/t1", &p, &err), "problem");
	int ids = op_tensor_index(p.op, "ids"), offsets = op_tensor_index(p.op, "off");
	bool in_range = true, ordered = inputs_value(&p, offsets, INPUTS_normal, 1, 0) == 0, has_empty = false;
	for (int64_t i = 0; i < 300; i++) {
		double v = inputs_value(&p, ids, INPUTS_normal, 1, i);
		in_range &= v >= 0 && v < 31 && v == floor(v);
	}
	for (int64_t i = 1; i < 51; i++) {
		double a = inputs_value(&p, offsets, INPUTS_normal, 1, i - 1), b = inputs_value(&p, offsets, INPUTS_normal, 1, i);
		ordered &= a <= b;
		has_empty |= a == b;
	}
	ok(in_range, "indices are integers in range");
	ok(ordered && has_empty && inputs_value(&p, offsets, INPUTS_normal, 1, 50) == 300, "offsets rise from 0 to the end, with empty segments");
	float *filled = malloc(31 * 3 * sizeof(float));
	inputs_fill(&p, 0, INPUTS_wide, 9, filled);
	bool same = true;
	double least = INFINITY, most = 0;
	for (int64_t i = 0; i < 93; i++) {
		same &= filled[i] == inputs_value(&p, 0, INPUTS_wide, 9, i);
		least = fmin(least, fabs(filled[i]));
		most = fmax(most, fabs(filled[i]));
	}
	ok(same && most / least > 1e6, "filling and asking agree; wide is wide");
	free(filled);
	strbuf_release(&err);
}

static void test_stage(void)
{
	struct problem p;
	struct strbuf err = STRBUF_INIT;
	struct stage stage;
	char detail[160] = "";
	const void *in[OP_MAX_TENSORS];

	ok(!problem_parse("relu/f32/M=3,N=5/t1", &p, &err), "problem");
	const struct stage_case wanted[2] = { { .problem = p, .distribution = INPUTS_normal, .seed = 1, .sets = 2 },
					      { .problem = p, .distribution = INPUTS_special, .seed = 2, .sets = 1 } };
	ok(!stage_open(&stage, wanted, 2, &err), "stage %s", err.buf);
	bool drawn = true;
	for (size_t k = 0; k < 2; k++) {
		stage_inputs(&stage, k, in);
		for (int i = 0; i < 15; i++) {
			float want = (float)inputs_value(&p, 0, wanted[k].distribution, wanted[k].seed, i);
			drawn &= !memcmp((const float *)in[0] + i, &want, sizeof(want));
		}
	}
	ok(drawn && !in[1], "inputs are drawn as asked");
	ok(!memcmp(stage.in + stage.stage_case[0].offset[0], stage.in + stage.stage_case[0].offset[0] + stage.stage_case[0].in_set_bytes, 60),
	   "every set holds the same inputs");
	void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, stage.in_fd, 0);
	ok(map == MAP_FAILED && write(stage.in_fd, "x", 1) < 0, "nobody else can write them");
	float *out = (float *)(stage.out + stage.stage_case[0].offset[1]);
	stage_poison(&stage, 0, 0);
	ok(stage_scan(&stage, 0, 0, detail) == VERDICT_INCORRECT_UNWRITTEN && strstr(detail, "element 0"), "nothing written: %s", detail);
	for (int i = 0; i < 14; i++)
		out[i] = 1;
	ok(stage_scan(&stage, 0, 0, detail) == VERDICT_INCORRECT_UNWRITTEN && strstr(detail, "element 14"), "the tail skipped: %s", detail);
	stage_poison(&stage, 0, 0);
	for (int i = 0; i < 14; i++)
		out[i] = 1;
	ok(stage_scan_again(&stage, 0, 0, detail) == VERDICT_INCORRECT_UNWRITTEN && strstr(detail, "element 14"), "under another pattern too: %s", detail);
	memcpy(&out[14], (uint16_t[]){ 1, 2 }, 4);
	memcpy(&out[3], (uint16_t[]){ stage.poison, stage.poison }, 4);
	ok(stage_scan_again(&stage, 0, 0, detail) == VERDICT_PASSED, "another element, which was written before, holds this pattern by right");
	out[3] = 1;
	out[14] = NAN;
	ok(stage_scan(&stage, 0, 0, detail) == VERDICT_PASSED, "an honest NaN is not poison");
	out[15] = 1;
	ok(stage_scan(&stage, 0, 0, detail) == VERDICT_INCORRECT_OUT_OF_BOUNDS, "one element past the end: %s", detail);
	stage_poison(&stage, 0, 0);
	out[-1] = 0;
	ok(stage_scan(&stage, 0, 0, detail) == VERDICT_INCORRECT_OUT_OF_BOUNDS, "one element before the start: %s", detail);
	uint16_t first = stage.poison;
	stage_poison(&stage, 0, 0);
	ok(stage.poison != first && isnan(out[0]), "each poison differs from the last and is no number");
	uint64_t hash = stage_outputs_hash(&stage, 0, 0);
	out[14] = 3;
	ok(hash != stage_outputs_hash(&stage, 0, 0), "the hash sees the last element");
	hash = stage_outputs_hash(&stage, 0, 0);
	out[15] = 3;
	ok(hash == stage_outputs_hash(&stage, 0, 0), "and nothing after it");
	stage_close(&stage);
	strbuf_release(&err);
}

static void test_sampled(void)
{
	struct problem p;
	struct strbuf err = STRBUF_INIT;
	struct check_result r;

	ok(!problem_parse("softmax/f32/R=300,C=200/t1", &p, &err), "problem");
	float *input = malloc(60000 * sizeof(float));
	inputs_fill(&p, 0, INPUTS_normal, 3, input);
	const void *in[OP_MAX_TENSORS] = { input };
	struct expected *whole = expected_open(&p, in, 0, 0, &err), *sample = expected_open(&p, in, 512, 99, &err);
	ok(whole && sample, "whole (compiled loops) and sampled (lazy) expectations: %s", err.buf);
	/* The honest answer, by the reference. */
	double *x = malloc(60000 * sizeof(double)), *y = malloc(60000 * sizeof(double));
	float *z = malloc(60000 * sizeof(float));
	inputs_values(&p, 0, INPUTS_normal, 3, x);
	problem_reference(&p, (double *const[OP_MAX_TENSORS]){ x, y });
	for (int i = 0; i < 60000; i++)
		z[i] = (float)y[i];
	const void *out[] = { z };
	expected_compare(whole, out, &r);
	ok(r.verdict == VERDICT_PASSED && r.compared_count == 60000 && r.tolerance_ratio < 1, "the reference passes whole (ratio %.3f)", r.tolerance_ratio);
	expected_compare(sample, out, &r);
	ok(r.verdict == VERDICT_PASSED && r.compared_count > 400 && r.compared_count < 600, "and sampled (%lld)", (long long)r.compared_count);
	z[59999] *= 1.001f;
	expected_compare(whole, out, &r);
	ok(r.verdict == VERDICT_INCORRECT_NUMERICAL && r.wrong_count == 1 && strstr(r.first_wrong, "y[299,199]"), "one wrong element: %s", r.first_wrong);
	expected_compare(sample, out, &r);
	ok(r.verdict == VERDICT_INCORRECT_NUMERICAL, "the last corner is always sampled");
	expected_close(whole);
	expected_close(sample);
	free(input);
	free(x);
	free(y);
	free(z);
	strbuf_release(&err);
}

/* Special values: the same kind of value is right, any other is wrong, and an infinite term excuses nothing. */
static void test_special(void)
{
	struct problem p;
	struct strbuf err = STRBUF_INIT;
	struct check_result r;
	float x[4] = { NAN, INFINITY, -INFINITY, -1 };
	const void *in[OP_MAX_TENSORS] = { x };

	ok(!problem_parse("gelu/f32/M=1,N=4/t1", &p, &err), "problem");
	struct expected *e = expected_open(&p, in, 0, 0, &err);
	float right[4] = { NAN, INFINITY, NAN, (float)(-0.5 * erfc(1 / sqrt(2))) };
	const void *out[] = { right };
	expected_compare(e, out, &r);
	ok(r.verdict == VERDICT_PASSED, "NaN and infinities where they belong %s", r.first_wrong);
	right[1] = 1e30f;
	expected_compare(e, out, &r);
	ok(r.verdict == VERDICT_INCORRECT_NUMERICAL && r.wrong_count == 1, "a number for an infinity: %s", r.first_wrong);
	right[1] = INFINITY;
	right[0] = 0;
	expected_compare(e, out, &r);
	ok(r.verdict == VERDICT_INCORRECT_NUMERICAL && r.wrong_count == 1, "a number for a NaN: %s", r.first_wrong);
	right[0] = NAN;
	right[3] = NAN;
	expected_compare(e, out, &r);
	ok(r.verdict == VERDICT_INCORRECT_NUMERICAL && r.wrong_count == 1, "a NaN for a number: %s", r.first_wrong);
	expected_close(e);
	strbuf_release(&err);
}

/* Of outputs that are read many elements at a time each is seen, wherever it lies. */
static void test_large_outputs(void)
{
	enum { ELEMS = 3 * 5003 };
	static const int place[] = { 0, 1, 4095, 4096, 8190, 12287, 12288, ELEMS - 2, ELEMS - 1 };
	struct problem p;
	struct strbuf err = STRBUF_INIT;
	struct stage stage;
	char detail[160] = "";

	ok(!problem_parse("relu/f32/M=3,N=5003/t1", &p, &err), "problem");
	const struct stage_case wanted = { .problem = p, .distribution = INPUTS_normal, .seed = 1, .sets = 1 };
	ok(!stage_open(&stage, &wanted, 1, &err), "stage %s", err.buf);
	float *out = (float *)(stage.out + stage.stage_case[0].offset[1]);
	bool seen = true, hashed = true;
	for (size_t i = 0; i < ARRAY_SIZE(place); i++) {
		char name[32];
		stage_poison(&stage, 0, 0);
		for (int k = 0; k < ELEMS; k++)
			if (k != place[i])
				out[k] = 1;
		snprintf(name, sizeof(name), "element %d of", place[i]);
		seen &= stage_scan(&stage, 0, 0, detail) == VERDICT_INCORRECT_UNWRITTEN && strstr(detail, name);
		out[place[i]] = 1;
		seen &= stage_scan(&stage, 0, 0, detail) == VERDICT_PASSED;
		uint64_t hash = stage_outputs_hash(&stage, 0, 0);
		out[place[i]] = 2;
		hashed &= hash != stage_outputs_hash(&stage, 0, 0);
		out[place[i]] = 1;
		hashed &= hash == stage_outputs_hash(&stage, 0, 0);
	}
	ok(seen, "one element that was not written: %s", detail);
	ok(hashed, "the hash sees one element that changed");
	stage_close(&stage);
	strbuf_release(&err);
}

int main(void)
{
	test_selfcheck();
	test_large_outputs();
	test_inputs();
	test_stage();
	test_sampled();
	test_special();
	return done_testing();
}
