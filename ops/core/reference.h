/*
 * reference.h: whole layers in plain scalar double, for the references of operators.
 *
 * It knows nothing of the notation: a reference is an opinion of its own, so
 * formulas here are written from the layers' definitions (PyTorch's), loops
 * are the simplest, and speed does not matter beyond check shapes.
 *
 * Arrays are dense and row-major: batches N C [D] [H] W for layers of images,
 * N C for linear ones.  A layer takes its first operand over: it is freed, or
 * changed and returned; the others are only read.  Views of operands
 * (REF()) are never changed.  Memory that runs out ends the program.
 *
 *	struct ref y = ref_conv(REF(c->in[0], n, ci, h, w), REF(c->in[1], o, ci, kh, kw), REF(c->in[2], o),
 *				ref_window(1, 0));
 *	y = ref_map(y, ref_relu);
 *	ref_store(c->out[0], y);
 */
#ifndef OPS_CORE_REFERENCE_H
#define OPS_CORE_REFERENCE_H

#include "ops/core/base.h"

enum { REF_MAX_RANK = 8, REF_MAX_SPATIAL = 3 };

struct ref {
	int rank;
	int64_t dim[REF_MAX_RANK];
	double *at;
	bool owned; /* false: a view of an operand */
};

/* A view: REF(data, extent...). */
#define REF(data, ...) \
	ref_view(data, (int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), (const int64_t[]){ __VA_ARGS__ })
#define REF_NONE ((struct ref){ .rank = 0 }) /* no bias, scale or shift */
struct ref ref_view(const double *at, int rank, const int64_t *dim);
struct ref ref_new(int rank, const int64_t *dim); /* zeros */
struct ref ref_copy(struct ref x);                /* x stays as it is */
void ref_store(double *out, struct ref x);        /* copies the elements to out and takes x over */
void ref_free(struct ref x);                      /* of a view: nothing */
int64_t ref_count(struct ref x);

/*
 * Geometry of a convolution, per spatial axis; set all of stride, dilation and groups.
 * Convolution: out = (in + 2 padding - dilation (k - 1) - 1) / stride + 1, weight O C/groups [KD] [KH] K.
 * Transposed: out = (in - 1) stride - 2 padding + dilation (k - 1) + output_padding + 1, weight C O/groups [KD] [KH] K.
 * Zeros beyond the edges are multiplied: 0 * inf is NaN.
 */
struct ref_window {
	int64_t stride[REF_MAX_SPATIAL], padding[REF_MAX_SPATIAL], dilation[REF_MAX_SPATIAL], output_padding[REF_MAX_SPATIAL];
	int64_t groups;
};
struct ref_window ref_window(int64_t stride, int64_t padding); /* the same on every axis; dilation and groups 1 */
struct ref ref_conv(struct ref x, struct ref weight, struct ref bias, struct ref_window window);
struct ref ref_conv_transpose(struct ref x, struct ref weight, struct ref bias, struct ref_window window);
struct ref ref_linear(struct ref x, struct ref weight, struct ref bias); /* x M K, weight N K, bias N */

/*
 * Pooling of the last `spatial` axes; out = (in + 2 padding - size) / stride + 1.  A maximum never sees the
 * padding; an average divides by the whole window's size, padding included.
 */
struct ref ref_max_pool(struct ref x, int spatial, const int64_t *size, const int64_t *stride, const int64_t *padding);
struct ref ref_avg_pool(struct ref x, int spatial, const int64_t *size, const int64_t *stride, const int64_t *padding);
/* Windows of `size` on each axis, side by side. */
struct ref ref_max_tiles(struct ref x, int spatial, int64_t size);
struct ref ref_avg_tiles(struct ref x, int spatial, int64_t size);

/* Statistics are the data's own (training mode), variance over n.  scale and shift, per channel, may be REF_NONE. */
struct ref ref_batch_norm(struct ref x, struct ref scale, struct ref shift, double eps);
struct ref ref_group_norm(struct ref x, int64_t groups, struct ref scale, struct ref shift, double eps);
struct ref ref_instance_norm(struct ref x, struct ref scale, struct ref shift, double eps);
struct ref ref_layer_norm(struct ref x, struct ref scale, struct ref shift, double eps); /* over the last axis */

/* Along one axis; reductions keep it with extent 1. */
struct ref ref_softmax(struct ref x, int axis);
struct ref ref_logsumexp(struct ref x, int axis);
struct ref ref_sum(struct ref x, int axis);
struct ref ref_mean(struct ref x, int axis);
struct ref ref_max(struct ref x, int axis);
struct ref ref_min(struct ref x, int axis);

/* Element by element; y is broadcast to x, aligned at the last axis. */
struct ref ref_add(struct ref x, struct ref y);
struct ref ref_subtract(struct ref x, struct ref y);
struct ref ref_multiply(struct ref x, struct ref y);
struct ref ref_map(struct ref x, double (*f)(double));
struct ref ref_affine(struct ref x, double factor, double addend); /* x * factor + addend */
struct ref ref_divide(struct ref x, double divisor);
struct ref ref_clamp(struct ref x, double lo, double hi);
struct ref ref_leaky_relu(struct ref x, double slope);

/* Of one number. */
double ref_relu(double x);
double ref_sigmoid(double x);
double ref_silu(double x);
double ref_softplus(double x);
double ref_mish(double x);
double ref_gelu(double x);
double ref_hard_swish(double x);

#endif
