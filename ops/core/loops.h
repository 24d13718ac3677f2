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

#endif
