/*
 * tile.h: the tile program, what lies between operators and languages.
 *
 * A statement of a tile program is a statement of the index notation whose
 * indices run over a tile.  Text form (prints, parses; round trip is a test):
 *
 *   plan matmul
 *   dim M N K                             run-time dims; "dim KH=3" is compile-time
 *   require K % 2 == 0                    precondition on run-time dims; may repeat
 *   buffer A bf16 [M, K] in
 *   buffer Wp bf16 [rup(K,64), rup(N,48)] tmp : d1/48 d0 d1%48     digits over d0, d1, ...
 *   buffer C f32 [M, N] out
 *   kernel contract grid [cdiv(M,128), cdiv(N,256)] threads 256
 *     index i<128 of M-p0*128  j<256 of N-p1*256  k<64 of K-k0    "of": live extent, clipped to 0..extent
 *     knob MR=8 NV=3
 *     tile acc f32 [i, j] @acc
 *     tile a bf16 [i, k] @shared : i k/8%8^i%8 k%8
 *     tile b bf16 [k, j] @shared : j/16 k/32 k/2%16 j%16 k%2
 *     acc[i, j] = 0
 *     for k0 in 0..K step 64 pipe 4
 *       a[i, k] <- A[p0*128+i, k0+k]
 *       b[k, j] <- Wp[k0+k, p1*256+j]
 *       acc[i, j] += mma(k) a[i, k] * b[k, j]
 *     end
 *     C[p0*128+i, p1*256+j] = gelu(acc[i, j])
 *
 * Meaning
 * - A kernel's grid has 1..8 dimensions, program ids p0, p1, ...  Instances are independent.
 * - A live extent is evaluated where the index is used (it may name for-variables and p's);
 *   every loop over the index ends there.  A tile's points beyond it are undefined: a
 *   reduction or scan never visits them, a store never writes them.
 * - A read of a buffer outside its bounds gives 0, or the value of its `else`; a write
 *   outside is dropped.  Printers prove what they can and guard the rest.
 * - mma contracts index groups: those in acc and a (rows), in acc and b (columns), in a and
 *   b (contracted).  Each group may hold several indices: mma(c, r, s) w[o, c, r, s] *
 *   x[c, h+r, w+s].  Operands may be read by affine expressions (a halo tile).
 * - t[.., c] = order(j) before: the c that exactly n of the j are before stands at position
 *   n of t's last index; `before`, over j and c, is a strict total order.
 * - argmax, argmin: the first place of an extreme, of a NaN before it; over one range; -1 of none.
 * - bisect(n in lo..hi) p: of how many n is p true, where it is true of the first ones only.
 * - `<-` is a copy that may be asynchronous; it converts dtype where source and tile differ.
 * - `X[...] += e` on a buffer is atomic.
 * - A kernel with knob BLOCKS=n has the threads of n blocks an instance, on devices where blocks
 *   read each other's shared memory; its meaning is the same without.
 * - A kernel with knob WHEN=bits runs where the number in buffer _class, which a kernel before
 *   it stores, has its bit set.
 * - Arithmetic is f32 unless all operands are f64 or integers; a store rounds once.
 * - tile places: reg (spread over threads; a CPU keeps it in registers or L1), acc
 *   (accumulator), shared (LDS; packed scratch on a CPU), view (no copy: `<-` binds the
 *   tile to the buffer's memory, whose digits are the tile's).
 *
 * All of it lives in one arena.
 */
#ifndef GENERATE_TILE_H
#define GENERATE_TILE_H

#include "generate/layout.h"
#include "ops/core/dtype.h"
#include "ops/core/expr.h"
#include "ops/core/plan.h"

struct tile_dim {
	const char *name;
	bool is_static;
	int64_t value; /* when static */
};
struct tile_buffer {
	const char *name;
	enum dtype dtype;
	struct expr **dim; /* extents */
	size_t rank;
	enum plan_role role;
	const char *layout_text; /* digits over d0, d1, ...; "" row-major.  Non-trivial only for tmp. */
};
struct tile_index {
	const char *name;
	int64_t extent;
	struct expr *live; /* NULL: always the whole extent */
};
enum place { PLACE_REG, PLACE_ACC, PLACE_SHARED, PLACE_VIEW };
struct tile {
	const char *name;
	enum dtype dtype;
	int *index; /* positions in kernel->index */
	size_t rank;
	enum place place;
	const char *layout_text;
	struct layout layout; /* parsed over its indices' extents */
};
struct knob {
	const char *name, *value;
};

enum tile_stmt_kind { TILE_MAP, TILE_STORE, TILE_ATOMIC, TILE_STAGE, TILE_MMA, TILE_FOR, TILE_BARRIER };

/*
 * MAP     tile[index...] = value        at[] are the tile's indices as NAMEs
 * STORE   buffer[at...] = value         ATOMIC  buffer[at...] += value
 * STAGE   tile[index...] <- buffer[...] value is the ACCESS (its otherwise may be set)
 * MMA     tile[index...] += value       value is EXPR_REDUCE OP_MMA over a product of two ACCESSes
 * FOR     var in lo..hi step step pipe pipe: body
 */
struct tile_stmt {
	enum tile_stmt_kind kind;
	int target;        /* position of the tile (MAP, STAGE, MMA) or buffer (STORE, ATOMIC) */
	struct expr **at;
	size_t at_count;
	struct expr *value;
	const char *var;
	struct expr *lo, *hi;
	int64_t step;
	int pipe;
	struct tile_stmt *body;
	size_t body_count;
	int line;          /* of the text */
};

struct tile_kernel {
	const char *name;
	struct expr *grid[PLAN_MAX_GRID];
	int grid_count;
	int threads;
	struct tile_index *index;
	size_t index_count;
	struct tile *tile;
	size_t tile_count;
	struct knob *knob;
	size_t knob_count;
	struct tile_stmt *stmt;
	size_t stmt_count;
};
enum { TILE_MAX_KERNELS = 16 };
struct tile_program {
	const char *name;
	struct tile_dim *dim;
	size_t dim_count;
	struct expr **require;
	size_t require_count;
	struct tile_buffer *buffer;
	size_t buffer_count;
	struct tile_kernel *kernel;
	size_t kernel_count;
};

/* tile_text.c.  0, or -1 with "name:line: what". */
int tile_parse(struct arena *arena, const char *text, const char *name,
	       struct tile_program *program, struct strbuf *err);
void tile_print(const struct tile_program *program, struct strbuf *out);

struct target;
/*
 * tile_verify.c: the rules: names in scope and of the right rank; inputs not
 * written, outputs not read; tiles written before read; mma groups, dtypes and
 * divisibility; layouts one to one; shared bytes x pipe within the target's;
 * stages before consumers in a `pipe` loop.  target may be NULL (no limits).
 * 0, or -1 with one line per broken rule, "kernel: line: what".
 */
int tile_verify(const struct tile_program *program, const struct target *target,
		struct strbuf *err);

/*
 * tile_interp.c: runs the program in double, layouts ignored: tells a wrong
 * lowering from a wrong printer.  dim[]: values of the run-time dims in order.
 * data[b]: dense row-major double array of buffer b (tmp: NULL, kept inside).
 * 0, or -1 with *err.
 */
int tile_interp(const struct tile_program *program, const int64_t *dim, double *const *data,
		struct strbuf *err);

/*
 * tile_plan.c: the launch plan of a program, text of plan.h.  Step symbols are
 * SYMBOL_<kernel name>; scratch_bytes (largest per-thread need) and launch[k] (per kernel,
 * may be NULL) come from the printer.
 */
struct tile_launch {
	int threads;          /* of a block; 0: the kernel's own */
	int64_t shared_bytes; /* that the launch gives a block */
	int resident;         /* blocks a multiprocessor; 0: a block an instance */
	int cluster;          /* blocks that run beside each other; 0: none do */
	int blocks;           /* that share an instance, neighbours in the grid; 0: one has it alone */
	struct strbuf tensor; /* plan.h's tensor lines */
};
void tile_plan(const struct tile_program *program, const char *artifact, const char *symbol,
	       int64_t scratch_bytes, const struct tile_launch *launch, struct strbuf *out);

extern const char *const tile_grid_name[PLAN_MAX_GRID]; /* "p0", "p1", ... */
/* "const TYPE p0 = ..., p1 = ...;" of the instance's number, in C; km_g1, km_g2, ... are the grid's extents. */
void tile_print_ids(const struct tile_kernel *kernel, const char *type, const char *instance, struct strbuf *out);

/* Lookups: position by name, or -1; a knob's value, or `otherwise`. */
int tile_find(const struct tile_kernel *kernel, const char *name);
int tile_index_find(const struct tile_kernel *kernel, const char *name);
int tile_buffer_find(const struct tile_program *program, const char *name);
const char *tile_knob(const struct tile_kernel *kernel, const char *name, const char *otherwise);
int64_t tile_knob_int(const struct tile_kernel *kernel, const char *name, int64_t otherwise);
/* Knob INDEX=32: indices, dims and places in buffers are computed in 32 bits, and the plan takes no more than TILE_MOST_SHORT of any. */
enum { TILE_MOST_SHORT = 1 << 28 /* sums on the way to a place may be several times as large */ };
bool tile_has_short_indices(const struct tile_kernel *kernel);
/* Does the kernel calculate in f64: knob REAL=f64, a buffer of the plan is f64, or a value is cast to it? */
bool tile_wants_double(const struct tile_program *program, const struct tile_kernel *kernel);
#include "ops/core/affine.h"
/*
 * What is known of the names of a kernel: run-time dims >= 1, static dims equal
 * their value, 0 <= p < its grid extent, `var` of enclosing FORs (outermost
 * first, given by the caller) in lo..hi-1, then every index: 0 <= i <=
 * minimum(extent, live) - 1.  `fors` may be NULL when for_count is 0.
 */
struct facts tile_facts(struct arena *arena, const struct tile_program *program,
			const struct tile_kernel *kernel, const struct tile_stmt *const *fors,
			size_t for_count);
/* Is access `index` (of a buffer's dimension d, without its `else`) proven inside 0..extent-1? */
bool tile_proven_inside(struct arena *arena, const struct facts *facts, const struct expr *index,
			const struct expr *extent);

/* The index groups of an mma statement (positions in kernel->index). */
struct mma_groups {
	int row[4], column[4], depth[4];
	int row_count, column_count, depth_count;
	const struct expr *a, *b; /* the two ACCESSes; a holds the rows */
};
/* false with a line in *why when the statement is no contraction. */
bool tile_mma_groups(const struct tile_kernel *kernel, const struct tile_stmt *stmt,
		     struct mma_groups *groups, struct strbuf *why);

#endif
