/*
 * emit_c.h: what the parts of the C printer share: the text being written, what
 * stands for each tile index at this place, addresses, loads, expressions, loops.
 *
 * Everywhere below a "text" lives in the emitter's arena.  The first fault is
 * kept in *err and sets `failed`; callers go on and the text is thrown away.
 */
#ifndef GENERATE_EMIT_C_H
#define GENERATE_EMIT_C_H

#include "generate/polynomial.h"
#include "generate/target.h"
#include "generate/tile.h"

enum { EMIT_MAX_FORS = 8, EMIT_MAX_INDICES = 16, EMIT_MAX_TILES = 24, EMIT_MAX_REDUCTIONS = 8 };

/* How an index appears where text is being printed. */
struct emit_index {
	const struct expr *origin; /* added to the index's variable; NULL: 0 */
	const char *count;         /* how many points its loops visit; NULL: the live extent */
	bool is_fixed;             /* a loop around has it: statements open none */
};

/* A declaration printed in front of the loop being written, or first in the kernel of a thread, once per different text. */
struct emit_hoist {
	struct strbuf text;
	struct { const char *declaration, *name; } item[64];
	int count;
};

struct emitter {
	struct arena arena;
	const struct tile_program *program;
	const struct tile_kernel *kernel;
	const struct target *target;
	struct strbuf *out, *err;
	bool failed;
	int depth;
	int lanes;                                  /* of an f32 vector; of a thread: those that share a point */
	int serial;                                 /* for names */
	const struct tile_stmt *fors[EMIT_MAX_FORS]; /* loops around */
	size_t for_count;
	struct emit_index index[EMIT_MAX_INDICES];
	const struct expr *bound[EMIT_MAX_TILES];   /* of a @view tile: the access it is */
	const struct expr_range *range[EMIT_MAX_FORS]; /* of reductions, that are open: with bounds of their own */
	int range_count;
	const char *inner[EMIT_MAX_INDICES];        /* variables of loops inside the vector loop */
	int inner_count;
	struct facts facts;                         /* emit_facts() of the kernel, inside loop facts_of */
	const struct tile_stmt *facts_of;
	struct expr *zero;
	struct { const char *name; int64_t most; } known[8]; /* further variables: 0..most */
	int known_count;
	/* An accumulator that exists as the block of one register tile, row-major; -1: none. */
	int block_tile, block_row;
	int64_t block_columns;
	/* In a vector loop: the index, and whether lanes beyond the end are masked off (km_m). */
	int vector;
	bool is_tail;
	bool is_cold; /* runs once a row: long functions are called, not put in place */
	struct emit_hoist *hoist;
	int written;                                /* tile the statement writes, or -1 */
	const struct expr *reduction[EMIT_MAX_REDUCTIONS]; /* whose value is in q<i> */
	int reduction_count;
	bool uses_tiles, uses_nt;                   /* AMX state to set up; stores to fence */
	bool is_double;                             /* arithmetic in double: a buffer is f64, a cast or knob REAL asks; nothing is in vectors */
	/*
	 * One thread's scalars (simt_points.c): a register tile is the element of the point at hand.  `lanes` > 1
	 * threads share the point, terms of the reductions over ranges that knob ACROSS names dealt out
	 * among them; km_part is the thread's number, km_on tells whether the point counts.
	 */
	bool is_thread;
	bool is_short; /* indices and dims are ints: knob INDEX=32 (simt_points.h) */
	int apart;     /* neighbours among those threads are so many threads from each other */
	bool is_window; /* printed for windows: loops of known length are unrolled, and what may be outside is read at a place that is not, without a branch */
	bool is_inside; /* printed for points whose accesses are all inside their buffers: no guards, and loops of known length are unrolled */
	bool is_dealt; /* inside a loop whose trips the threads of a point take in turn */
};

/* ---- text ---- */
void emit_fail(struct emitter *e, const char *fmt, ...) PRINTF(2, 3);
void emit_line(struct emitter *e, const char *fmt, ...) PRINTF(2, 3);
void emit_open(struct emitter *e, const char *fmt, ...) PRINTF(2, 3); /* a line that ends in " {" */
void emit_close(struct emitter *e, int count);
const char *emit_text(struct emitter *e, const char *fmt, ...) PRINTF(2, 3);

/* ---- names ---- */
const struct tile *emit_tile(const struct emitter *e, const char *name);            /* NULL: none */
const struct tile_buffer *emit_buffer(const struct emitter *e, const char *name);   /* of no tile's name; NULL: none */
bool emit_dtype(struct emitter *e, const char *name, enum dtype *dtype);
/* An access to a view as the access to the buffer behind it. */
const struct expr *emit_through_view(struct emitter *e, const struct expr *access);
/* Replaces names: with(name) gives the tree or NULL to keep it. */
struct expr *emit_replace(struct emitter *e, const struct expr *x, const struct expr *(*with)(struct emitter *e, const char *name, void *user),
			  void *user);
struct facts emit_facts(struct emitter *e);
void emit_know(struct emitter *e, const char *name, int64_t most); /* forget by known_count */
/* Is x a multiple of m wherever it is evaluated? */
bool emit_is_multiple(struct emitter *e, const struct expr *x, int64_t m);

/* ---- integers and addresses (emit_c.c) ---- */
const char *emit_int(struct emitter *e, const struct expr *x); /* as it stands: nothing replaced */
/* Is x a quotient or remainder that a thread's kernel computes once, in e->hoist?  emit_int() then gives its name. */
bool emit_is_divided_once(const struct emitter *e, const struct expr *x);
const char *emit_polynomial(struct emitter *e, const struct polynomial *p);
const char *emit_index_type(const struct emitter *e);
/* x with every index as it appears here; in a vector loop, index v as lanes * km_v + km_lane. */
struct expr *emit_here(struct emitter *e, const struct expr *x);
/* Element number of an access that emit_through_view() has seen, at this place. */
struct polynomial emit_address(struct emitter *e, const struct expr *access);
/* "b_X", "t_x" or "km_block". */
const char *emit_base(struct emitter *e, const struct expr *access);
/* Its address as a pointer's text; what the loop does not change comes out of it. */
const char *emit_pointer(struct emitter *e, const struct expr *access);
/* Over the lanes of index v: 0 the same element, 1 neighbours, -1 neither. */
int emit_lane_stride(struct emitter *e, const struct expr *access, int v);
const char *emit_hoisted(struct emitter *e, const char *type, const char *value);
/* Conditions under which the access is inside its buffer: of the scalars, and the mask of the lanes; "" where proven. */
void emit_guards(struct emitter *e, const struct expr *access, const char **condition, const char **mask);

/* ---- whole numbers (emit_c_whole.c) ---- */
/* Is x of an integer or truth kind: indices, integer tensors, comparisons, integer functions of those? */
bool emit_is_whole(struct emitter *e, const struct expr *x);
bool emit_is_bool(struct emitter *e, const struct expr *x); /* is it a truth value, of kind bool? */
/* Such an x, exactly, as a long (no vectors). */
const char *emit_whole(struct emitter *e, const struct expr *x);
bool emit_is_truth(const struct expr *x);
/* The definition of a function of the prelude with the arguments of call x in place, or NULL. */
const struct expr *emit_definition(struct emitter *e, const struct expr *x);

/* ---- reals (emit_c_value.c) ---- */
/* A condition: an expression of C that is true or false. */
const char *emit_truth(struct emitter *e, const struct expr *x, bool is_vector);
/* May stores and loads of the dtype be vectors? */
bool emit_is_real_vector(enum dtype d);
/* The value as the target's dtype wants it: whole numbers exactly. */
const char *emit_scalar(struct emitter *e, const struct expr *x, const struct expr *target);
const char *emit_real(struct emitter *e, const struct expr *x, bool is_vector);
/* All accesses of x are 0 or 1 strided over v; *units counts the latter. */
bool emit_fits_vector(struct emitter *e, const struct expr *x, int v, int *units);
void emit_store(struct emitter *e, const struct expr *target, const char *value, bool is_vector, bool is_raw);

/* ---- loops (emit_c_job.c) and statements (emit_c_stmt.c) ---- */
const char *emit_count(struct emitter *e, int index); /* text of how many points */
void emit_open_index(struct emitter *e, int index);
/*
 * Prints body for full vectors of index v (in groups of `unroll`, copy 0.. of
 * each) and, masked, for the rest.
 */
void emit_vector_loop(struct emitter *e, int v, int unroll, void (*body)(struct emitter *e, int copy, void *user), void *user);
void emit_assign(struct emitter *e, const struct tile_stmt *s);
void emit_stmts(struct emitter *e, const struct tile_stmt *stmt, size_t count);

/* ---- contractions (emit_c_mma.c, micro/) ---- */
struct emit_mma {
	const struct tile_stmt *stmt;
	struct mma_groups groups;
	int row, column;                  /* the indices blocked by the registers: the last of their groups */
	const struct tile_stmt *epilogue; /* statements on the accumulator; it starts at zero.  NULL: it lies in memory */
	size_t epilogue_count;
};
void emit_contraction(struct emitter *e, struct emit_mma *m);
/* The operand's access with one index put in place: name -> origin * size + lane(s). */
const struct expr *emit_placed(struct emitter *e, const struct expr *access, int index, struct expr *with);
/* Loops over the other rows and columns, which the epilogue then finds fixed; returns how many. */
int emit_open_outer(struct emitter *e, const struct emit_mma *m);
void emit_close_outer(struct emitter *e, const struct emit_mma *m, int opened);
/* The epilogue on the block at rows `rows` * km_i, columns `columns` * km_j, row-major in km_block. */
void emit_epilogue(struct emitter *e, const struct emit_mma *m, int64_t rows, int64_t columns);

#endif
