/* samples.h: records for tests, with every awkward value a field can hold. */
#ifndef TESTS_UNIT_EVALUATE_SAMPLES_H
#define TESTS_UNIT_EVALUATE_SAMPLES_H

#include "evaluate/record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SAMPLE_PROBLEM "matmul/f32/M=64,N=64,K=64/t1"

__attribute__((unused)) static struct record sample_environment(void)
{
	return (struct record){ .kind = RECORD_ENVIRONMENT,
		.environment = { .id = "00112233445566aa", .target = "x86-avx2", .cpu_model = "Some \"CPU\" \\ 3",
			.os = "Linux 6.1", .compiler = "clang 22", .tool_version = "0.1.0", .sandbox_level = "seccomp",
			.clock = "monotonic_raw", .core_count = 2, .l1_bytes = 32768, .l2_bytes = 524288, .l3_bytes = 1 << 25,
			.peak_flop_per_s = 1.1e11, .peak_bytes_per_s = 2e10, .datasheet_bytes_per_s = 0,
			.start_ns = INT64_C(1790000000123456789) } };
}

__attribute__((unused)) static struct record sample_candidate(int i)
{
	struct record r = { .kind = RECORD_CANDIDATE,
		.candidate = { .problem = SAMPLE_PROBLEM, .target = "x86-avx2", .lang = "c", .skeleton = "contraction", .origin = "printed",
			.tile = "plan matmul\n", .plan = "plan: so\ndim: M N K\n", .prologue = "typedef float v8;\n",
			.policy = "random", .seed = UINT64_MAX - 5, .generation = i / 4 } };
	static char source[64][64], knobs[64][64], parent[64][17];

	snprintf(r.candidate.id, 17, "%016x", i + 1);
	snprintf(source[i % 64], 64, "void km_%d(void) { }\t// \xc3\xa9\n", i);
	snprintf(knobs[i % 64], 64, "skeleton=contraction lang=c BM=%d K=%d", 8 << i % 3, i % 2);
	snprintf(parent[i % 64], 17, "%016x", i);
	r.candidate.source = source[i % 64];
	r.candidate.knobs = knobs[i % 64];
	r.candidate.parent = i ? parent[i % 64] : "";
	r.candidate.edge = i ? "neighbour" : "random";
	return r;
}

/* sample[]: at least 3 doubles that outlive the record. */
__attribute__((unused)) static struct record sample_evaluation(int i, double *sample)
{
	struct record r = { .kind = RECORD_EVALUATION,
		.evaluation = { .problem = SAMPLE_PROBLEM, .environment = "00112233445566aa",
			.verdict = i % 3 ? VERDICT_PASSED : VERDICT_COMPILE_ERROR, .state = STATE_MEASURED,
			.detail = i % 3 ? "" : "error: expected ';'\nin line 2", .compile_s = 0.1 / 3, .check_s = 5e-324,
			.max_abs_error = INFINITY, .max_rel_error = -INFINITY, .max_ulp_error = -0.0,
			.time_ns = i % 3 ? 1e6 / (i + 1) : NAN, .time_low_ns = NAN, .time_high_ns = 1.7976931348623157e308,
			.rung = 2, .calls_per_sample = 1000, .fitness = i % 3 ? 1.5 + i : 0, .sol_ratio = 0.25, .start_ns = INT64_C(1790000000123456789) + i,
			.elapsed_s = 0.5 * (i + 1), .reproduce = "km-evaluate reproduce", .fact_count = 2 } };
	static char id[64][17];

	snprintf(id[i % 64], 17, "%016x", i + 1);
	r.evaluation.candidate = id[i % 64];
	r.evaluation.fact[0] = (struct fact_value){ "registers", 31 };
	r.evaluation.fact[1] = (struct fact_value){ "code_bytes", NAN };
	if (i % 3) {
		sample[0] = 0.1, sample[1] = NAN, sample[2] = 1e6 / 7;
		r.evaluation.sample_ns = sample;
		r.evaluation.sample_count = 3;
	}
	return r;
}

/* sample[]: at least 2 doubles. */
__attribute__((unused)) static struct record sample_other(enum record_kind kind, double *sample)
{
	struct record r = { .kind = kind };

	sample[0] = 3e6 + 0.1;
	sample[1] = 4e6;
	if (kind == RECORD_BASELINE)
		r.baseline = (struct baseline_record){ SAMPLE_PROBLEM, "00112233445566aa", "loopnest", "-O3", 3e6, sample, 2, 10 };
	else if (kind == RECORD_DUEL)
		r.duel = (struct duel){ SAMPLE_PROBLEM, "00112233445566aa", "0000000000000002", "baseline:loopnest", 6, 5.5, 6.5,
					DUEL_FASTER, sample, sample, 2 };
	else if (kind == RECORD_WINNER)
		r.winner = (struct winner){ .problem = SAMPLE_PROBLEM, .environment = "00112233445566aa", .candidate = "0000000000000002",
			.time_ns = 5e5, .low_ns = 4e5, .high_ns = 6e5, .baseline = "loopnest", .baseline_ns = 3e6, .ratio = 6,
			.ratio_low = 5.5, .ratio_high = 6.5, .judged_by = "lives", .raced_ns = 9, .raced_low_ns = 8, .raced_high_ns = 10, .raced_loopnest_ratio = 7, .loopnest_ratio = 6, .loopnest_low = 5.5, .loopnest_high = 6.5,
			.sol_ratio = 0.5, .tolerance_ratio = 0.25, .ties = "", .artifact = "0000000000000002/kernel.so" };
	else if (kind == RECORD_STOP)
		r.stop = (struct stop){ SAMPLE_PROBLEM, "evaluations", 20, 12.5 };
	else if (kind == RECORD_JUDGEMENT)
		r.judgement = (struct judgement){ .problem = SAMPLE_PROBLEM, .environment = "00112233445566aa", .candidate = "0000000000000002",
			.verdict = VERDICT_TIMING_FORGED, .detail = "claims\t1", .claimed_ns = 1e5, .judged_ns = 5e5, .low_ns = 4e5, .high_ns = INFINITY,
			.claim_ratio = 0.2, .calls_few = 3, .calls_many = 30, .rounds = 5, .load = 4.5, .baseline = "loopnest", .baseline_ns = NAN,
			.ratio = 2, .ratio_low = 1, .ratio_high = 3, .tolerance_ratio = 0.5, .whole_sets = 30, .sampled_sets = 1,
			.scanned_elements = INT64_C(1) << 40, .memory_pass = "guard pages", .labels = "" };
	else if (kind == RECORD_EXCHANGE)
		r.exchange = (struct exchange){ "aa11", SAMPLE_PROBLEM " x86-avx2 0000000000000001 0", SAMPLE_PROBLEM, "x86-avx2", "a/model", "inherit", "knobs",
			"{}", "You write kernels.", "line\n\"quoted\"", "{\"proposals\":[]}", "unfit", "no list", "0000000000000002", 120, 7, "server", 0.25, 1.5, 2,
			"0a1b2c3d", INT64_C(1790000000123456789) };
	return r;
}

#endif
