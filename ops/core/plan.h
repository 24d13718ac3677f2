/*
 * plan.h: a launch plan: how a grid program is run.  Data, not code; read by the
 * worker and by the installed library (libc only).
 *
 *   plan: so                                   artifact kind
 *   dim: M N K                                 run-time dims, in the order of dim[]
 *   static: KH=3                               compile-time dims; may repeat
 *   static: KH=3                               a dim known when it was compiled; may repeat
 *   require: K % 16 == 0                       precondition; may repeat
 *   buffer: A in f32 M*K                       name role dtype elements; in buf[] order
 *   buffer: Wp tmp f32 rup(K,64)*rup(N,48)     role in | out | tmp
 *   scratch: 65536                             bytes a thread keeps across calls
 *   step: km_0a1b_pack grid=cdiv(K,64),cdiv(N,48) threads=1 shared=0
 *   step: km_0a1b_mma grid=cdiv(M,128),cdiv(N,256) threads=384 shared=197760 resident=1
 *   tensor: A dims=K,M strides=K box=64,128 swizzle=128      of the step above; may repeat
 *   tensor: X dims=C,W,H,N strides=C,C*W,C*W*H box=64,128 swizzle=128 from=-1,-1 count=V,U step=2,2
 *
 * On a device a step has a block an instance; with `resident` at most that many blocks a
 * multiprocessor, which share the instances out among themselves; with `cluster` so many
 * blocks beside each other share their memories.  After buffers and dims
 * its kernel takes a tensor map for every `tensor` line: how the copy engine sees a buffer:
 * extents and strides in elements, the first dimension of stride 1; the box it copies; the
 * swizzle of its rows in shared memory, in bytes (0: none).  With `from` a copy is of pixels:
 * the box is of so many channels, the first dimension, of so many pixels, which follow each
 * other as the places of a window do: along each dimension but the first and the last there
 * are `count` of them, `step` apart, the first at `from`.
 *
 * Steps run in order with a barrier between them.  Every step gets all buffers.
 * For artifact kind `so` a step's symbol is
 *   void sym(void *const *buf, const int64_t *dim, int64_t first, int64_t last, void *scratch);
 * and runs program instances first..last-1 of the grid, numbered row-major
 * (last grid dimension fastest).
 */
#ifndef OPS_CORE_PLAN_H
#define OPS_CORE_PLAN_H

#include "ops/core/dtype.h"
#include "ops/core/expr.h"
#include "ops/core/kv.h"

enum plan_role { PLAN_IN, PLAN_OUT, PLAN_TMP };

struct plan_buffer {
	const char *name;
	enum plan_role role;
	enum dtype dtype;
	struct expr *elems;
};
enum { PLAN_MAX_GRID = 8, PLAN_MAX_RANK = 5, PLAN_MAX_AXES = PLAN_MAX_RANK - 2, PLAN_MAX_TENSORS = 8 };
struct plan_tensor {
	size_t buffer;
	int rank;
	struct expr *dim[PLAN_MAX_RANK], *stride[PLAN_MAX_RANK]; /* stride[0] is NULL: 1 */
	int box[PLAN_MAX_RANK];
	int swizzle_bytes;
	int axis_count; /* of pixels: rank - 2; else 0 */
	int from[PLAN_MAX_AXES], step[PLAN_MAX_AXES];
	struct expr *count[PLAN_MAX_AXES];
};
struct plan_step {
	const char *symbol;
	struct expr *grid[PLAN_MAX_GRID];
	int grid_count;
	int threads;          /* per block (devices); 1 on a CPU */
	int64_t shared_bytes;
	int resident;         /* blocks a multiprocessor; 0: a block an instance */
	int cluster;          /* blocks; 0: none share */
	struct plan_tensor *tensor;
	size_t tensor_count;
};
struct plan {
	const char *artifact; /* "so", "cubin", "hsaco", ... */
	const char **dim;
	size_t dim_count;
	struct binding *static_dim;
	size_t static_count;
	struct binding *fixed;    /* static dims */
	size_t fixed_count;
	struct expr **require;
	size_t require_count;
	struct plan_buffer *buffer;
	size_t buffer_count;
	int64_t scratch_bytes;
	struct plan_step *step;
	size_t step_count;
};

/* 0, or -1 with "name:line: what" in *err. */
int plan_parse(struct arena *arena, const char *text, const char *name, struct plan *plan,
	       struct strbuf *err);
void plan_print(const struct plan *plan, struct strbuf *out);
/* Do these dims (plan->dim order) meet every precondition?  false with the first broken one in *why (may be NULL). */
bool plan_accepts(const struct plan *plan, const int64_t *dim, struct strbuf *why);
/* Elements of buffer b at these dims; -1 on overflow, a bad expression or where they would be negative. */
int64_t plan_buffer_elems(const struct plan *plan, size_t b, const int64_t *dim);
/* Any expression of the plan at these dims; -1 likewise. */
int64_t plan_value(const struct plan *plan, const struct expr *e, const int64_t *dim);
/* Program instances of step s at these dims; -1 likewise. */
int64_t plan_step_instances(const struct plan *plan, size_t s, const int64_t *dim);

#define PLAN_MAX_NAMES 32 /* dims and static dims together */

#endif
