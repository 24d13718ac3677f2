/*
 * stage.h: the memory a kernel is judged on, shared with its worker process:
 * inputs the worker can only read, outputs with guard zones and poison.
 *
 * A stage holds cases (a problem at one shape with one draw of inputs); a case
 * holds `sets` copies, so that timing can rotate through more memory than the
 * caches keep.  Inputs are drawn once: no worker can change them.
 */
#ifndef EVALUATE_STAGE_H
#define EVALUATE_STAGE_H

#include "ops/core/inputs.h"
#include "evaluate/verdict.h"

enum { STAGE_GUARD_BYTES = 4096 };

struct stage_case {
	struct problem problem;         /* these four by the caller */
	enum distribution distribution;
	uint64_t seed;
	int sets;
	int64_t in_first, out_first;    /* bytes before set 0 in the inputs' and outputs' memory */
	int64_t in_set_bytes, out_set_bytes;
	int64_t offset[OP_MAX_TENSORS]; /* of set 0's tensors, in the inputs' or the outputs' memory */
};
struct stage {
	struct arena arena;
	int in_fd, out_fd;
	char *in, *out;
	int64_t in_bytes, out_bytes;
	struct stage_case *stage_case;
	size_t count;
	uint16_t poison;                /* the pattern of the last stage_poison() */
	struct stage_suspect { int tensor; int64_t element; } *suspect; /* held the pattern at the last stage_scan() */
	size_t suspect_count;
};
#define STAGE_INIT { .in_fd = -1, .out_fd = -1 }

/* Makes room for copies of the given cases and draws their inputs.  0, or -1 with *err. */
int stage_open(struct stage *stage, const struct stage_case *wanted, size_t count, struct strbuf *err);
void stage_close(struct stage *stage);
/* Poison, another pattern each time, in every output element and guard byte of set `set`. */
void stage_poison(struct stage *stage, size_t i, int set);
/*
 * PASSED; or UNWRITTEN / OUT_OF_BOUNDS with where in detail[160].  Scans every
 * element and guard.  An element may hold the pattern by right (1 in 65536 for
 * two-byte types): after another run, over another pattern, stage_scan_again() looks at
 * the suspects of the scan before alone, and is sure.
 */
enum verdict stage_scan(struct stage *stage, size_t i, int set, char *detail);
enum verdict stage_scan_again(struct stage *stage, size_t i, int set, char *detail);
/* Input tensors of set 0 at their place in the tensor table (NULL elsewhere). */
void stage_inputs(const struct stage *stage, size_t i, const void **in);
/* Output tensors of a set, in table order. */
void stage_outputs(const struct stage *stage, size_t i, int set, const void **out);
/* A hash of a set's outputs: equal runs give equal bits. */
uint64_t stage_outputs_hash(const struct stage *stage, size_t i, int set);

#endif
