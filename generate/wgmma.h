/*
 * wgmma.h: the parts of micro-kernel wgmma_tma (generate/micro/wgmma_tma.c says what it prints): wgmma_find.c
 * what the kernel is, wgmma_copies.c how its operands come, wgmma_producer.c and
 * wgmma_consumer.c the two roles of its warp groups, wgmma_words.c what the text is written in.
 */
#ifndef GENERATE_WGMMA_H
#define GENERATE_WGMMA_H

#include "generate/micro.h"
#include "generate/simt_print.h"

enum { WGMMA_ROW_BYTES = 128, WGMMA_GROUP_THREADS = 128, WGMMA_BARRIER_BYTES = 8, WGMMA_ALIGNMENT = 1024, WGMMA_MAX_STAGES = PLAN_MAX_TENSORS,
       WGMMA_MAX_PRODUCTS = 9, WGMMA_FUSED_RING = 3, WGMMA_FUSED_WARPS = MICRO_FOUND_ROWS };

/* One dimension of the pixels of an operand: they begin at from + digit * step, and are read `offset` further. */
struct wgmma_axis {
	const struct expr *digit, *count, *offset; /* digit: 0..count-1, of the slow index */
	int64_t from, step;
};

struct wgmma_operand {
	const struct tile *tile;
	const struct tile_stmt *stage;
	int fast, slow;       /* kernel indices: along a row in shared memory, and across */
	bool is_depth_fast;
	bool is_shared;       /* by the blocks of a cluster: that of the columns */
	int64_t at;           /* bytes in a slot */
	int map;              /* number of its tensor map */
	struct wgmma_axis axis[PLAN_MAX_AXES]; /* of pixels, the fastest first */
	int axis_count;       /* 0: it is of boxes */
};

struct wgmma_product {
	const struct tile *acc;
	const struct wgmma_operand *a, *b;
};

struct wgmma_pipeline {
	const struct tile_stmt *loop;
	size_t loop_at;       /* its place among the kernel's statements */
	struct wgmma_operand operand[WGMMA_MAX_STAGES];
	int operand_count;
	struct wgmma_operand source[2];      /* of f32, whose parts are the operands, two and two; fused kernels alone */
	int source_count;
	int64_t source_bytes;          /* of the larger tile */
	int ring;                      /* tiles of f32 in the second ring; 0: none */
	struct wgmma_product product[WGMMA_MAX_PRODUCTS];
	int product_count;
	const struct tile *sum, *block; /* of all trips, of one; NULL: none is */
	bool is_forgotten;              /* the block, at the trip's end */
	int64_t slot_bytes;
	int consumers;        /* warp groups, of all relays */
	int relays;           /* parties of them that take instances in turn; 1: all work on one */
	int cluster;          /* blocks */
	struct mma_groups groups;
};

/* ---- wgmma_find.c ---- */
/* What s->kernel is; false after simt_fail(). */
bool wgmma_find(struct simt *s, struct wgmma_pipeline *p);
int64_t wgmma_tile_bytes(const struct wgmma_operand *o);
/* Elements of a swizzled row. */
int64_t wgmma_row_elems(const struct wgmma_operand *o);
/* Rows of the tile that a block asks for: all of them, or its part of the cluster's. */
int64_t wgmma_rows(const struct simt *s, const struct wgmma_pipeline *p, const struct wgmma_operand *o);

/* ---- wgmma_copies.c ---- */
/* The plan's line for an operand: the buffer's dimensions, fastest first; a box as wide as the tile along each index. */
void wgmma_print_tensor(struct simt *s, const struct wgmma_pipeline *p, const struct wgmma_operand *o);
/* Asks for an operand's boxes, to a slot that begins at `to`; of a shared one for this block's part, for all blocks of the cluster. */
void wgmma_print_copies(struct simt *s, const struct wgmma_pipeline *p, const struct wgmma_operand *o, const char *to, const char *barrier);
/* Where the instance's pixels of an operand begin, which does not change from trip to trip. */
void wgmma_declare_pixels(struct simt *s, const struct wgmma_pipeline *p, const struct wgmma_operand *o);
/* Opens the walk over instances, groups of WALK rows of the last two grid dimensions at a time. */
void wgmma_open_instances(struct simt *s, const struct wgmma_pipeline *p);
/* Where slot km_slot begins. */
const char *wgmma_slot(struct simt *s, const struct wgmma_pipeline *p);

/* ---- wgmma_producer.c, wgmma_consumer.c ---- */
void wgmma_print_producer(struct simt *s, const struct wgmma_pipeline *p);
void wgmma_print_consumer(struct simt *s, const struct wgmma_pipeline *p);

/* ---- wgmma_words.c ---- */
/*
 * The instruction over its columns as a function of its accumulators and both descriptors, once a source; <1, .>, <., 1>:
 * that operand lies across the depth, which those of other than 2 bytes cannot.
 */
void wgmma_print_instruction(const struct mma_instr *q, struct strbuf *out);
void wgmma_vocabulary(const struct target *target, struct strbuf *out);

#endif
