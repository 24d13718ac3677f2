/* The checker: the reference passes, every known cheat is rejected; inputs; poison and guards. */
#include "evaluate/check.h"
#include "evaluate/stage.h"
#include "ops/core/rng.h"
#include "tests/tap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void test_selfcheck(void)
{
	const struct op *op;

	for (size_t i = 0; (op = op_at(i)); i++) {
		struct strbuf err = STRBUF_INIT;
		ok(!check_selfcheck(op, &err), "%s: the reference passes, cheats do not %s", op->name, err.buf);
		strbuf_release(&err);
	}
	/* A tolerance so lax that it accepts a constant must be seen. */
	struct op lax = *op_find("softmax");
	struct strbuf err = STRBUF_INIT;
	lax.tolerance = 1e9;
	ok(check_selfcheck(&lax, &err) < 0 && strstr(err.buf, "accepted"), "a lax tolerance is caught");
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
	int sets = 2;

	ok(!problem_parse("relu/f32/M=3,N=5/t1", &p, &err) && !stage_open(&stage, &p, &sets, 1, &err), "stage %s", err.buf);
	stage_fill(&stage, 0, INPUTS_normal, 1);
	float *out = (float *)(stage.out + stage.stage_case[0].offset[1]);
	stage_poison(&stage, 0, 0);
	ok(stage_scan(&stage, 0, 0, detail) == VERDICT_INCORRECT_UNWRITTEN && strstr(detail, "element 0"), "nothing written: %s", detail);
	for (int i = 0; i < 14; i++)
		out[i] = 1;
	ok(stage_scan(&stage, 0, 0, detail) == VERDICT_INCORRECT_UNWRITTEN && strstr(detail, "element 14"), "the tail skipped: %s", detail);
	out[14] = NAN;
	ok(stage_scan(&stage, 0, 0, detail) == VERDICT_PASSED, "an honest NaN is not poison");
	out[15] = 1;
	ok(stage_scan(&stage, 0, 0, detail) == VERDICT_INCORRECT_OUT_OF_BOUNDS, "one element past the end: %s", detail);
	stage_poison(&stage, 0, 0);
	out[-1] = 0;
	ok(stage_scan(&stage, 0, 0, detail) == VERDICT_INCORRECT_OUT_OF_BOUNDS, "one element before the start: %s", detail);
	stage_close(&stage);
	strbuf_release(&err);
}

static void test_sampled(void)
{
	struct problem p;
	struct strbuf err = STRBUF_INIT;
	struct check_result r;

	ok(!problem_parse("softmax/f32/R=300,C=200/t1", &p, &err), "problem");
	struct expected *whole = expected_open(&p, INPUTS_normal, 3, 0, 0, &err), *sample = expected_open(&p, INPUTS_normal, 3, 512, 99, &err);
	ok(whole && sample, "whole (compiled loops) and sampled (lazy) expectations: %s", err.buf);
	/* The honest answer, by the reference. */
	double *x = malloc(60000 * sizeof(double)), *y = malloc(60000 * sizeof(double));
	float *z = malloc(60000 * sizeof(float));
	for (int64_t i = 0; i < 60000; i++)
		x[i] = inputs_value(&p, 0, INPUTS_normal, 3, i);
	p.op->reference(&(struct op_case){ p.dim, p.attr, (const double *const[]){ x }, (double *const[]){ y } });
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
	free(x);
	free(y);
	free(z);
	strbuf_release(&err);
}

int main(void)
{
	test_selfcheck();
	test_inputs();
	test_stage();
	test_sampled();
	return done_testing();
}
