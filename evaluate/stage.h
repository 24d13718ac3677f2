/*
 * stage.h: the memory a kernel is judged on, shared with its worker process:
 * inputs the worker can only read, outputs with guard zones and poison.
 *
 * A stage holds cases (a problem at one shape); a case holds `sets` copies, so
 * that timing can rotate through more memory than the caches keep.
 */
#ifndef EVALUATE_STAGE_H
#define EVALUATE_STAGE_H

#include "evaluate/check.h"
#include "evaluate/inputs.h"

enum { STAGE_GUARD_BYTES = 4096 };

struct stage_case {
	struct problem problem;
	int sets;
	int64_t in_set_bytes, out_set_bytes;
	int64_t offset[OP_MAX_TENSORS]; /* of set 0, in the inputs' or the outputs' memory */
};
struct stage {
	int in_fd, out_fd;
	char *in, *out;
	int64_t in_bytes, out_bytes;
	struct stage_case *stage_case;
	size_t count;
};

/* Rooms for the given problems; sets[i] copies of each.  0, or -1 with *err. */
int stage_open(struct stage *stage, const struct problem *problem, const int *sets, size_t count, struct strbuf *err);
void stage_close(struct stage *stage);
/* Draws set 0's inputs and copies them to the other sets. */
void stage_fill(struct stage *stage, size_t i, enum distribution d, uint64_t seed);
/* Poison in every output element and guard byte of set `set`. */
void stage_poison(struct stage *stage, size_t i, int set);
/* PASSED; or UNWRITTEN / OUT_OF_BOUNDS with where in detail[160].  Scans every element and guard. */
enum verdict stage_scan(const struct stage *stage, size_t i, int set, char *detail);
/* Output tensors of a set, in table order. */
void stage_outputs(const struct stage *stage, size_t i, int set, const void **out);

#endif
