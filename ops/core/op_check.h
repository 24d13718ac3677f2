/*
 * op_check.h: the parts of op_check(), which is declared in op.h.
 * Each adds one line per fault to *err and returns whether there was none.
 */
#ifndef OPS_CORE_OP_CHECK_H
#define OPS_CORE_OP_CHECK_H

#include "ops/core/problem.h"

/* Adds a line; `at` is "" or "body:1:12:". */
void op_fault(const struct op *op, const char *at, struct strbuf *err, const char *fmt, ...) PRINTF(4, 5);

/* Can it name a dimension, tensor, index or statement?  At most 32 characters, no word of C. */
bool op_is_name(const char *s);
/* Names, ranks, kinds, shapes and recurrences of the body; the rest of the record is sound. */
bool op_check_body(const struct op *op, struct strbuf *err);
/*
 * Proves at every declared shape, before anything runs, that each access lies inside or
 * has an `else`: from extents, ranges, conditions and what the tensor table says of index
 * tensors.  What cannot be proven is a fault, "body:1:12:".
 */
bool op_check_bounds(const struct op *op, struct strbuf *err);
/* Body against reference at the check shapes. */
bool op_check_run(const struct op *op, struct strbuf *err);

#endif
