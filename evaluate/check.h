/*
 * check.h: outputs against the operator's meaning.
 *
 * Whole on check shapes (compiled double loops, cross-checked with the lazy
 * evaluator), sampled on large ones; the tolerance is op.h's formula.
 */
#ifndef EVALUATE_CHECK_H
#define EVALUATE_CHECK_H

#include "ops/core/inputs.h"
#include "evaluate/verdict.h"

struct check_result {
	enum verdict verdict;      /* PASSED or INCORRECT_* */
	double max_abs_error, max_rel_error, max_ulp_error, tolerance_ratio;
	int64_t wrong_count, compared_count;
	char first_wrong[160];     /* "y[3,17]: got 1.25, want 1.5 (bound 1e-6)" */
};

/* Expected values of one problem on given inputs; computed once, used for every candidate. */
struct expected;
/*
 * in[]: the input tensors in storage dtype, at their place in the tensor table;
 * needed only until this returns.  `sample` 0: every element; else about that
 * many, clustered, corners and tails included, at positions drawn from `secret`.
 * NULL with *err.
 */
struct expected *expected_open(const struct problem *p, const void *const *in, int64_t sample, uint64_t secret,
			       struct strbuf *err);
void expected_close(struct expected *expected);
/* Compiled once, for whole comparisons of many draws of one problem; NULL with *err: loops cannot say its body. */
struct expected_loops;
struct expected_loops *expected_loops_open(const struct problem *p, struct strbuf *err);
void expected_loops_close(struct expected_loops *loops);
/*
 * Compiles all loops that expected_open() may want for a problem of that operator, dtype, attributes and
 * compile-time dims, and calls each() with the artifact of each: who has them in the cache needs no compiler.
 */
void expected_prepare(struct arena *arena, const struct problem *p, void (*each)(const char *artifact, void *user), void *user);
struct expected *expected_of_loops(const struct expected_loops *loops, const void *const *in);
/* out[]: output buffers in storage dtype, in the order of the outputs of the tensor table. */
void expected_compare(const struct expected *expected, const void *const *out,
		      struct check_result *result);
/* Does element i (of those compared) of an output pass? */
bool expected_accepts(const struct expected *expected, int output, int64_t i, double got);
/* Expected values of output `output` (0: the first in the tensor table), in order; with `sample` 0 all of them. */
const double *expected_values(const struct expected *expected, int output, int64_t *count);

/* The distributions that a check shape is judged on, every candidate and every cheat alike; their count. */
size_t check_distributions(const struct problem *p, enum distribution d[INPUTS_COUNT]);
/* The one where there is room for one: what is counted or compared has ties and zeros. */
enum distribution check_distribution(const struct problem *p);

/* How the checker did against its own cheats, added up over shapes. */
struct selfcheck_counts {
	int64_t shapes, cheats, rejected;
	int64_t right; /* forged outputs that equal the honest ones, number for number: softmax of one column is a constant */
	int64_t elsewhere; /* lower-precision twins that do not show at a large shape, but do at the check shapes */
};
/*
 * The checker checks itself (selfcheck.c): zeros, ones, copies of inputs, a constant mean,
 * noise, the previous output, one wrong element, a skipped tail, swapped operands and
 * lower-precision twins must each be rejected at every check shape and dtype of op, and
 * the reference accepted; with most_work > 0 also at every other shape of at most so
 * many terms.  0, or -1 with one line per cheat that was accepted.
 */
int check_selfcheck(const struct op *op, double most_work, struct selfcheck_counts *counts, struct strbuf *err);
/* The command: operators side by side, a line each (selfcheck_main.c). */
int selfcheck_main(int argc, char **argv);

#endif
