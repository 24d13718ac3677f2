/*
 * loops.h: prints the normal form as plain C loop nests.
 * Two uses: the compiled evaluator (all double: whole-array comparison) and the
 * -O3 loop-nest baseline (storage dtypes, f32 arithmetic).
 */
#ifndef OPS_CORE_LOOPS_H
#define OPS_CORE_LOOPS_H

#include "ops/core/problem.h"

enum loops_arithmetic {
	LOOPS_DOUBLE, /* inputs and outputs are double arrays; sums in double */
	LOOPS_NATIVE, /* inputs and outputs in their storage dtypes; sums in float (f64 for f64) */
};

/*
 * Appends a translation unit (math.h, stdint.h, stdlib.h only) that defines
 *   void SYMBOL(void *const *buf, const int64_t *dim);
 * buf[] in the order of the tensor table, dim[] in that of op->dims.  With
 * `magnitude` (LOOPS_DOUBLE only) every sum is over |terms|.  Intermediates
 * are malloc'ed inside.  0, or -1 with *err.
 */
int loops_print(const struct problem *problem, enum loops_arithmetic arithmetic, bool magnitude,
		const char *symbol, struct strbuf *out, struct strbuf *err);

/*
 * The same on a part of the iteration space, for a few elements of a large output: a loops_boxed.  In
 * double, inputs in their storage dtypes (no fp8); outputs are arrays of pairs, value and magnitude.
 * box[2 * (LOOPS_RANK * k + i)] and the next are the first and the end of index i of the k-th
 * statement; loops_box() fills them.  Outputs and intermediates are whole arrays of which only that
 * part is touched.  Every thread of a team calls it: outer loops are divided among them.
 */
enum { LOOPS_RANK = 8, LOOPS_MOST_STMTS = 64 };
struct loops_team {
	int64_t thread, threads;
	void *(*share)(struct loops_team *team, int64_t which, size_t bytes); /* the same memory for all threads */
	void (*wait)(struct loops_team *team);                                 /* until all have come so far */
};
typedef void loops_boxed(void *const *buf, const int64_t *dim, const int64_t *box, struct loops_team *team);
int loops_print_boxed(const struct problem *problem, const char *symbol, struct strbuf *out, struct strbuf *err);
/*
 * The parts of all statements that elements (flat positions) of output `tensor` need: *box
 * (malloc'ed, the caller's), and *work, the terms of their sums.  0, or -1 with *err.
 */
int loops_box(const struct problem *problem, int tensor, const int64_t *element, size_t count, int64_t **box, double *work, struct strbuf *err);
/* Calls fn by a team of so many threads, of which this is one (loops_team.c). */
void loops_run(loops_boxed *fn, void *const *buf, const int64_t *dim, const int64_t *box, int threads);

#endif
