/* expected.h: what expected.c computes and check.c compares with; users include check.h. */
#ifndef EVALUATE_EXPECTED_H
#define EVALUATE_EXPECTED_H

#include "evaluate/check.h"

/* Elements compared of one output: all, or a sample. */
struct expected_output {
	int tensor;
	int64_t *index;  /* NULL: 0..count-1 */
	int64_t count;
	double *want, *bound;
};
struct expected {
	struct problem problem;
	struct expected_output output[OP_MAX_TENSORS];
	int output_count;
};

#endif
