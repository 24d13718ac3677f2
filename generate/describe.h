/* describe.h: a problem for programs in other languages, which make their own inputs and call something else. */
#ifndef GENERATE_DESCRIBE_H
#define GENERATE_DESCRIBE_H

#include "ops/core/problem.h"

/*
 * Appends one line of JSON: problem, op, dtype, torch (the PyTorch expression, ""), flop, bytes
 * (least), dims and attributes by name, tensors in table order: name, role ("in", "out"), dtype,
 * shape, and of inputs domain ("real", "sorted", "factors", "index", "unique", "offsets",
 * "lengths"), bound (those of integers; else 1), lo and hi (equal: any value).
 */
void problem_describe(const struct problem *p, struct strbuf *out);

#endif
