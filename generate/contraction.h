/*
 * contraction.h: what the skeletons of contractions share: recognising
 * out[rows, columns] = sum(k) a[..] * b[..], with a batch in front or not, and maps on out
 * behind it; the texts of its accesses; its epilogue.
 */
#ifndef GENERATE_CONTRACTION_H
#define GENERATE_CONTRACTION_H

#include "generate/recognise.h"

struct match {
	const struct normal *normal;
	const struct normal_stmt *sum;
	const struct expr *a, *b;          /* a holds the row index, b the column index */
	struct expr_range batch, row, column, depth;
	bool has_batch;
};
const struct match *contraction_match(struct arena *arena, const struct problem *problem, const struct normal *normal, struct strbuf *why_not);

/* The access's text with each index at `global` positions: row, column, depth given as texts, the batch at p0. */
const char *contraction_at(struct arena *arena, const struct match *m, const struct expr *access, const char *row, const char *column,
			   const char *depth);

struct contraction_shape {
	const char *rows, *columns, *depth, *batches, *batch_grid;
	int p;   /* grid position of the first block dimension */
};
struct contraction_shape contraction_shape(struct arena *arena, const struct match *m);

/* Stores accumulator _acc[i, j], with the maps behind the sum, at these texts of row and column. */
void contraction_epilogue(struct arena *arena, const struct match *m, const char *row, const char *column, struct strbuf *text);

/* Neighbours along the depth that one lane holds of an operand. */
int mma_depth_run(const struct mma_instr *instr);

/*
 * A kernel of a device that contracts blocks of A and B through shared memory.  is_packed lays
 * them out so that a thread's part is one wide read: rows of A together for fma, the depth in
 * groups for B with an instruction.
 */
struct contraction_blocks {
	const struct mma_instr *instr; /* NULL: fma */
	int64_t bm, bn, bk;            /* of a block */
	int64_t wm, wn;                /* of a warp, with fma of a thread */
	int64_t pipe, unroll;
	bool is_packed;
	bool is_summed_apart;          /* each block of the depth is summed for itself: smaller errors, twice the accumulators */
};
int64_t contraction_block_threads(const struct contraction_blocks *b);
/* knobs: further ones, "" or " NAME=VALUE ..." */
void contraction_write_blocks(struct arena *arena, const struct match *m, const struct problem *problem, const struct contraction_blocks *b, const char *name,
			      const char *knobs, struct strbuf *text);

#endif
