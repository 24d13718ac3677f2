/*
 * simt_print.h: the parts of the SIMT printer: simt.c kernels and lists of
 * statements, simt_spread.c which thread holds what, simt_stmt.c assignments,
 * simt_expr.c addresses, simt_value.c values, simt_copy.c copies to shared memory, simt_mma.c
 * contractions, simt_vocabulary.c what the text is written in.
 */
#ifndef GENERATE_SIMT_PRINT_H
#define GENERATE_SIMT_PRINT_H

#include "generate/simt.h"

enum { SIMT_MAX_FORS = 8, SIMT_MAX_DIGITS = 8, SIMT_MAX_INDICES = 16, SIMT_MAX_TILES = 24, SIMT_MAX_LOADS = 16, SIMT_MAX_TOLD = 16, SIMT_TOLD_BYTES = 8 };

/*
 * Which thread and which of its registers hold which point: digits over the
 * kernel's indices.  The last register digit is the chunk: neighbours along
 * index `column`, loaded and stored together (`chunk` of them; 1: none).
 */
struct spread {
	struct digit thread[SIMT_MAX_DIGITS], reg[SIMT_MAX_DIGITS];
	int thread_count, reg_count;
	int column, chunk;
	int outer_count; /* leading register digits that number whole vectors (mma) */
};

/* What a value is made of: truths (bool), whole numbers (long), reals (float, or double in kernels that want it). */
enum simt_kind { SIMT_TRUTH, SIMT_WHOLE, SIMT_REAL };

struct simt {
	struct arena arena;
	const struct tile_program *program;
	const struct tile_kernel *kernel;
	const struct target *target;
	struct strbuf *out, *err;
	struct tile_launch *launch;           /* of the kernel */
	int depth;
	bool failed;
	bool is_double;                       /* reals are */
	const struct tile_stmt *fors[SIMT_MAX_FORS];
	size_t for_count;
	struct spread block, acc;
	const struct mma_instr *instr;        /* NULL: fma */
	const char *slot[SIMT_MAX_TILES];     /* of a shared tile in a ring: offset text, or NULL */
	uint32_t written, read;               /* shared tiles since the last barrier */
	int copies;                           /* numbers the registers of copies */
	/* While a statement is printed */
	const struct spread *spread;
	int column;                           /* the chunk's index, -1: one point at a time */
	int chunk;
	const char *lanes;                    /* text: how many of the chunk count, or NULL: all */
	bool is_uncut;                        /* printed where nothing cuts the indices */
	bool is_whole;                        /* printed for blocks that nothing cuts, of aligned chunks */
	const struct expr *load[SIMT_MAX_LOADS]; /* accesses fetched as chunks: km_x<i>[km_v] */
	int load_count;
	int told;                             /* reductions printed that blocks of a cluster tell each other */
	const struct expr *reduce[8];         /* reductions whose value is in q<i> */
	int reduce_count;
};

void simt_fail(struct simt *s, const char *fmt, ...) PRINTF(2, 3);
void simt_line(struct simt *s, const char *fmt, ...) PRINTF(2, 3);
void simt_open(struct simt *s, const char *fmt, ...) PRINTF(2, 3);
void simt_block(struct simt *s); /* opens a bare one */
void simt_close(struct simt *s, int count);

/* ---- simt.c ---- */
/* Opens the kernel: its name and parameters, `more` behind them; its run-time dims that are known. */
void simt_head(struct simt *s, const char *symbol, const char *attribute, const char *more);
/* Blocks that share an instance: knob BLOCKS. */
int simt_blocks(const struct simt *s);
/* Threads of an instance: of all of its blocks.  km_tid is one of them. */
int simt_threads(const struct simt *s);
/* Declares the thread, km_tid, and the instance, p0, p1, ... */
void simt_place(struct simt *s);
/* Declares the tiles that lie in registers. */
void simt_declare_registers(struct simt *s);
void simt_statements(struct simt *s, const struct tile_stmt *stmt, size_t count);

/* ---- simt_expr.c ---- */
const struct tile *simt_tile(const struct simt *s, const char *name);
const struct tile_buffer *simt_buffer(const struct simt *s, const char *name);
struct facts simt_facts(struct simt *s);
const char *simt_int_text(struct simt *s, const struct expr *x);
/* Element number of a buffer or shared-tile access. */
struct expr *simt_address(struct simt *s, const struct expr *access);
/* A pointer to the chunk of an access that begins at the column's <name>_0. */
const char *simt_chunk_pointer(struct simt *s, const struct expr *access);
/*
 * May the buffer access be a chunk along index `column`: unit stride, and what is not
 * proven inside bounds it from above only?  Then *lanes says how many of it count
 * (`all`: the text for the chunk's own).
 */
bool simt_is_chunk(struct simt *s, const struct expr *access, int column, const char *all, const char **lanes);
/* Does its address depend on memory?  Then not even the address is computed where no lane counts. */
bool simt_reads_index(const struct expr *access);
/* Conditions for the access to be inside its buffer; "" when proven. */
const char *simt_guard(struct simt *s, const struct expr *access);
/* Register number of a tile held in registers, by loop variables. */
const char *simt_register(struct simt *s, const struct tile *tile);
int64_t simt_register_count(const struct spread *spread, const struct tile *tile);
bool simt_tile_has(const struct tile *tile, int index);
/* Value of a tile index by its digits, without the chunk's own. */
const char *simt_index_text(struct simt *s, const struct spread *spread, int index, int upto);

/* ---- simt_value.c ---- */
/* Are the kernel's reals double: does it want that, or hold some tile in f64? */
bool simt_is_double(const struct tile_program *program, const struct tile_kernel *kernel);
/* The body of a prelude function with the call's arguments put in, or NULL. */
const struct expr *simt_definition(struct simt *s, const struct expr *call);
enum simt_kind simt_kind(struct simt *s, const struct expr *x);
/* Type of a kind's values, and of the values of a buffer's or tile's elements. */
const char *simt_type(const struct simt *s, enum simt_kind kind);
const char *simt_type_for(const struct simt *s, enum dtype dtype);
/* Value of x at a point (inside the loop over km_v, if any), as one of a kind, or for elements of a dtype. */
const char *simt_value_text(struct simt *s, const struct expr *x, enum simt_kind kind);
const char *simt_text_for(struct simt *s, const struct expr *x, enum dtype dtype);

/* ---- simt_spread.c ---- */
bool simt_touches(const struct tile_kernel *k, const struct tile_stmt *stmt, const struct tile *t);
bool simt_touches_accumulator(const struct tile_kernel *k, const struct tile_stmt *stmt);
/* Indices in the statement's target, as a set. */
uint32_t simt_free_indices(const struct tile_kernel *k, const struct tile_stmt *stmt);
/* Reductions in x, added to s->reduce[]. */
void simt_collect_reductions(struct simt *s, const struct expr *x);
/* The tile index a reduction runs over, or -1 after simt_fail(). */
int simt_reduced_index(struct simt *s, const struct expr *r);
/* Chooses s->block, for the statements that use no accumulator. */
void simt_block_spread(struct simt *s);
/* Points of an index that the digits can hold. */
int64_t simt_capacity(const struct spread *p, int index);

/* ---- simt_stmt.c ---- */
/* Can the index end before its extent?  (Not where its live extent is proven to reach that far.) */
bool simt_is_cut(struct simt *s, int index);
/* Shared tiles that the statement reads, as a set. */
uint32_t simt_shared_reads(const struct simt *s, const struct tile_stmt *stmt);
void simt_barrier(struct simt *s);
void simt_assign(struct simt *s, const struct tile_stmt *stmt);

/* ---- simt_scan.c ---- */
/* Prints "tile[.., j] = scan(j) other[.., j]", of tiles in registers. */
void simt_scan(struct simt *s, const struct tile_stmt *stmt);
/* Most values that a scan has a warp tell the others, of all statements; 0: there is none. */
int64_t simt_scanned_blocks(struct simt *s, const struct tile_stmt *stmt, size_t count);

/* ---- simt_copy.c ---- */
int64_t simt_gcd(int64_t a, int64_t b);
/*
 * Do n aligned neighbours along `var` (a position in the tile's indices) lie next to
 * each other?  Then the elements their address is a multiple of, at most n; else 0.
 */
int64_t simt_run_alignment(const struct layout *layout, int var, int64_t n);
int simt_tile_position(const struct tile *t, int index);
/* " + slot * elements", or "". */
const char *simt_slot_offset(struct simt *s, const struct tile *t, const char *slot);
/*
 * A copy into a shared tile, by all threads: registers km_c<number>, global memory to
 * registers, registers to the tile (of `slot`, a text; NULL: the first).
 */
void simt_declare_copy(struct simt *s, const struct tile_stmt *stage, int number);
void simt_fetch(struct simt *s, const struct tile_stmt *stage, int number);
void simt_put(struct simt *s, const struct tile_stmt *stage, int number, const char *slot);

/* ---- simt_mma.c ---- */
void simt_contract(struct simt *s, const struct tile_stmt *stmt);
/* The accumulator's digits; false after simt_fail(). */
bool simt_accumulator_spread(struct simt *s, const struct tile_stmt *mma);

#endif
