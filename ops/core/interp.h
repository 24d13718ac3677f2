/*
 * interp.h: evaluates a body in double, lazily: value(output, index) with a memo
 * per statement computes only what is asked for.
 */
#ifndef OPS_CORE_INTERP_H
#define OPS_CORE_INTERP_H

#include "ops/core/problem.h"

/* Element `index` (flat, row-major) of input tensor t of the problem, as double. */
typedef double interp_read(const void *user, int tensor, int64_t index);

struct interp;
/* NULL with a line in *err when the body is bad.  `user` must outlive the interp. */
struct interp *interp_open(const struct problem *problem, interp_read *read, const void *user,
			   struct strbuf *err);
void interp_close(struct interp *interp);
/*
 * Element `index` (flat) of output tensor t.  0, or -1 with "file:body:line:col:
 * read of 'x' outside: index 7 of 0..6" in *err.
 */
int interp_value(struct interp *interp, int tensor, int64_t index, double *value,
		 struct strbuf *err);
/*
 * Like interp_value(), and *magnitude = the same element computed with every sum
 * taken over |terms| (for the tolerance; at least |value|).
 */
int interp_value_magnitude(struct interp *interp, int tensor, int64_t index, double *value,
			   double *magnitude, struct strbuf *err);
/* Reads of inputs so far. */
int64_t interp_reads(const struct interp *interp);
/* Forget memoised values, keep the compiled body. */
void interp_forget(struct interp *interp);

#endif
