#include "ops/core/reference.h"
#include "ops/core/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- arrays ---------------------------------------------------------- */

int64_t ref_count(struct ref x)
{
	int64_t count = 1;

	for (int i = 0; i < x.rank; i++)
		count *= x.dim[i];
	return count;
}

struct ref ref_view(const double *at, int rank, const int64_t *dim)
{
	struct ref x = { .rank = rank, .at = (double *)at };

	memcpy(x.dim, dim, (size_t)rank * sizeof(*dim));
	return x;
}

struct ref ref_new(int rank, const int64_t *dim)
{
	struct ref x = ref_view(NULL, rank, dim);
	int64_t count = ref_count(x);

	x.at = calloc((size_t)(count > 0 ? count : 1), sizeof(double));
	x.owned = true;
	if (!x.at)
		out_of_memory((size_t)count * sizeof(double));
	return x;
}

struct ref ref_copy(struct ref x)
{
	struct ref y = ref_new(x.rank, x.dim);

	memcpy(y.at, x.at, (size_t)ref_count(x) * sizeof(double));
	return y;
}

void ref_free(struct ref x)
{
	if (x.owned)
		free(x.at);
}

/* x itself, or a copy where x is a view. */
static struct ref changeable(struct ref x)
{
	return x.owned ? x : ref_copy(x);
}

void ref_store(double *out, struct ref x)
{
	memcpy(out, x.at, (size_t)ref_count(x) * sizeof(double));
	ref_free(x);
}

/* Elements between neighbours along an axis. */
static int64_t step_of(struct ref x, int axis)
{
	int64_t step = 1;

	for (int i = axis + 1; i < x.rank; i++)
		step *= x.dim[i];
	return step;
}

/* Counts up like an odometer; false: it went back to zeros. */
static bool advance(int64_t *at, const int64_t *dim, int rank)
{
	for (int i = rank - 1; i >= 0; i--) {
		if (++at[i] < dim[i])
			return true;
		at[i] = 0;
	}
	return false;
}

/* ---- convolution ----------------------------------------------------- */

struct ref_window ref_window(int64_t stride, int64_t padding)
{
	struct ref_window w = { .groups = 1 };

	for (int i = 0; i < REF_MAX_SPATIAL; i++) {
		w.stride[i] = stride;
		w.padding[i] = padding;
		w.dilation[i] = 1;
	}
	return w;
}

/*
 * Where along axis i a tap meets its input: *in may be outside.  false: a
 * transposed convolution's tap that falls between two inputs.
 */
static bool tap(const struct ref_window *w, bool transposed, int i, int64_t out, int64_t k, int64_t *in)
{
	if (!transposed) {
		*in = out * w->stride[i] - w->padding[i] + k * w->dilation[i];
		return true;
	}
	int64_t spread = out + w->padding[i] - k * w->dilation[i];
	int64_t rest = (spread % w->stride[i] + w->stride[i]) % w->stride[i];
	*in = (spread - rest) / w->stride[i];
	return !rest;
}

/* One output element: the taps of one image x (C spatial...) and filter k, channels apart by k_step. */
static double convolve(struct ref x, const double *image, int64_t channels, const double *k, int64_t k_step,
		       const int64_t *size, const int64_t *out, const struct ref_window *w, bool transposed)
{
	int spatial = x.rank - 2;
	int64_t area = step_of(x, 1), at[REF_MAX_SPATIAL] = { 0 }, number = 0;
	double sum = 0;

	do {
		bool meets = true, inside = true;
		int64_t position = 0;
		for (int i = 0; i < spatial; i++) {
			int64_t in;
			meets &= tap(w, transposed, i, out[i], at[i], &in);
			inside &= in >= 0 && in < x.dim[2 + i];
			position = position * x.dim[2 + i] + in;
		}
		for (int64_t c = 0; meets && c < channels; c++)
			sum += (inside ? image[c * area + position] : 0) * k[c * k_step + number];
		number++;
	} while (advance(at, size, spatial));
	return sum;
}

static struct ref convolution(struct ref x, struct ref weight, struct ref bias, const struct ref_window *w, bool transposed)
{
	int spatial = x.rank - 2;
	int64_t channels = x.dim[1] / w->groups, taps = step_of(weight, 1);
	int64_t filters = transposed ? weight.dim[1] : weight.dim[0] / w->groups; /* of a group */
	int64_t dim[REF_MAX_RANK] = { x.dim[0], filters * w->groups }, out[REF_MAX_SPATIAL] = { 0 };

	for (int i = 0; i < spatial; i++) {
		int64_t reach = w->dilation[i] * (weight.dim[2 + i] - 1);
		dim[2 + i] = transposed ? (x.dim[2 + i] - 1) * w->stride[i] - 2 * w->padding[i] + reach + w->output_padding[i] + 1
					: (x.dim[2 + i] + 2 * w->padding[i] - reach - 1) / w->stride[i] + 1;
	}
	struct ref y = ref_new(x.rank, dim);
	double *to = y.at;
	for (int64_t n = 0; n < dim[0]; n++)
		for (int64_t o = 0; o < dim[1]; o++)
			do {
				int64_t g = o / filters;
				const double *image = x.at + (n * x.dim[1] + g * channels) * step_of(x, 1);
				const double *k = weight.at + (transposed ? g * channels * filters + o % filters : o * channels) * taps;
				*to++ = convolve(x, image, channels, k, transposed ? filters * taps : taps, weight.dim + 2, out, w, transposed) +
					(bias.at ? bias.at[o] : 0);
			} while (advance(out, dim + 2, spatial));
	ref_free(x);
	return y;
}

struct ref ref_conv(struct ref x, struct ref weight, struct ref bias, struct ref_window window)
{
	return convolution(x, weight, bias, &window, false);
}

struct ref ref_conv_transpose(struct ref x, struct ref weight, struct ref bias, struct ref_window window)
{
	return convolution(x, weight, bias, &window, true);
}

struct ref ref_linear(struct ref x, struct ref weight, struct ref bias)
{
	int64_t m = x.dim[0], n = weight.dim[0], k = x.dim[1];
	struct ref y = ref_new(2, (const int64_t[]){ m, n });

	for (int64_t i = 0; i < m; i++)
		for (int64_t j = 0; j < n; j++) {
			double sum = bias.at ? bias.at[j] : 0;
			for (int64_t l = 0; l < k; l++)
				sum += x.at[i * k + l] * weight.at[j * k + l];
			y.at[i * n + j] = sum;
		}
	ref_free(x);
	return y;
}

/* ---- pooling --------------------------------------------------------- */

static double larger(double a, double b) { return isnan(a) || a > b ? a : b; }
static double smaller(double a, double b) { return isnan(a) || a < b ? a : b; }

static double pool_one(const double *plane, int spatial, const int64_t *extent, const int64_t *size, const int64_t *first, bool mean)
{
	int64_t at[REF_MAX_SPATIAL] = { 0 }, count = 0;
	double result = mean ? 0 : -INFINITY;

	do {
		bool inside = true;
		int64_t position = 0;
		for (int i = 0; i < spatial; i++) {
			int64_t in = first[i] + at[i];
			inside &= in >= 0 && in < extent[i];
			position = position * extent[i] + in;
		}
		if (inside)
			result = mean ? result + plane[position] : larger(plane[position], result);
		count++;
	} while (advance(at, size, spatial));
	return mean ? result / (double)count : result;
}

static struct ref pool(struct ref x, int spatial, const int64_t *size, const int64_t *stride, const int64_t *padding, bool mean)
{
	int outer = x.rank - spatial;
	const int64_t *extent = x.dim + outer;
	int64_t area = step_of(x, outer - 1), dim[REF_MAX_RANK], out[REF_MAX_SPATIAL] = { 0 }, first[REF_MAX_SPATIAL];

	memcpy(dim, x.dim, sizeof(dim));
	for (int i = 0; i < spatial; i++)
		dim[outer + i] = (extent[i] + 2 * padding[i] - size[i]) / stride[i] + 1;
	struct ref y = ref_new(x.rank, dim);
	double *to = y.at;
	for (const double *plane = x.at; plane < x.at + ref_count(x); plane += area)
		do {
			for (int i = 0; i < spatial; i++)
				first[i] = out[i] * stride[i] - padding[i];
			*to++ = pool_one(plane, spatial, extent, size, first, mean);
		} while (advance(out, dim + outer, spatial));
	ref_free(x);
	return y;
}

struct ref ref_max_pool(struct ref x, int spatial, const int64_t *size, const int64_t *stride, const int64_t *padding)
{
	return pool(x, spatial, size, stride, padding, false);
}

struct ref ref_avg_pool(struct ref x, int spatial, const int64_t *size, const int64_t *stride, const int64_t *padding)
{
	return pool(x, spatial, size, stride, padding, true);
}

static struct ref tiles(struct ref x, int spatial, int64_t size, bool mean)
{
	const int64_t sizes[REF_MAX_SPATIAL] = { size, size, size }, none[REF_MAX_SPATIAL] = { 0 };

	return pool(x, spatial, sizes, sizes, none, mean);
}

struct ref ref_max_tiles(struct ref x, int spatial, int64_t size) { return tiles(x, spatial, size, false); }
struct ref ref_avg_tiles(struct ref x, int spatial, int64_t size) { return tiles(x, spatial, size, true); }

/* ---- normalisation --------------------------------------------------- */

/*
 * Elements share mean and variance where set_of(x, i) is equal.  Sums are compensated by a
 * second pass over the deviations, so that an offset much above the spread costs nothing.
 */
static struct ref normalise(struct ref x, int64_t sets, int64_t (*set_of)(const struct ref *x, int64_t sets, int64_t i),
			    double eps)
{
	int64_t count = ref_count(x);
	double *mean = calloc((size_t)sets * 2, sizeof(double)), *variance = mean + sets, share = (double)sets / (double)count;

	if (!mean)
		out_of_memory((size_t)sets * 2 * sizeof(double));
	x = changeable(x);
	for (int64_t i = 0; i < count; i++)
		mean[set_of(&x, sets, i)] += x.at[i];
	for (int64_t i = 0; i < count; i++) {
		double deviation = x.at[i] -= mean[set_of(&x, sets, i)] * share;
		variance[set_of(&x, sets, i)] += deviation * deviation;
	}
	for (int64_t i = 0; i < count; i++)
		x.at[i] /= sqrt(variance[set_of(&x, sets, i)] * share + eps);
	free(mean);
	return x;
}

static int64_t channel_of(const struct ref *x, int64_t sets, int64_t i)
{
	return i / step_of(*x, 1) % sets;
}

static int64_t run_of(const struct ref *x, int64_t sets, int64_t i) /* equal runs, one after the other */
{
	return i / (ref_count(*x) / sets);
}

/* Scale and shift along an axis, where there are. */
static struct ref scale_and_shift(struct ref x, int axis, struct ref scale, struct ref shift)
{
	int64_t step = step_of(x, axis), extent = x.dim[axis];

	for (int64_t i = 0; i < ref_count(x); i++)
		x.at[i] = x.at[i] * (scale.at ? scale.at[i / step % extent] : 1) + (shift.at ? shift.at[i / step % extent] : 0);
	return x;
}

struct ref ref_batch_norm(struct ref x, struct ref scale, struct ref shift, double eps)
{
	return scale_and_shift(normalise(x, x.dim[1], channel_of, eps), 1, scale, shift);
}

struct ref ref_group_norm(struct ref x, int64_t groups, struct ref scale, struct ref shift, double eps)
{
	return scale_and_shift(normalise(x, x.dim[0] * groups, run_of, eps), 1, scale, shift);
}

struct ref ref_instance_norm(struct ref x, struct ref scale, struct ref shift, double eps)
{
	return ref_group_norm(x, x.dim[1], scale, shift, eps);
}

struct ref ref_layer_norm(struct ref x, struct ref scale, struct ref shift, double eps)
{
	int last = x.rank - 1;

	return scale_and_shift(normalise(x, ref_count(x) / x.dim[last], run_of, eps), last, scale, shift);
}

/* ---- along an axis --------------------------------------------------- */

static double fold_sum(double a, double b) { return a + b; }
static double fold_log(double a, double b) /* log(exp(a) + exp(b)) */
{
	double most = larger(a, b), least = smaller(a, b);

	return isinf(most) ? most : most + log1p(exp(least - most));
}

static struct ref fold(struct ref x, int axis, double start, double (*f)(double element, double sofar))
{
	int64_t dim[REF_MAX_RANK], step = step_of(x, axis), extent = x.dim[axis];

	memcpy(dim, x.dim, sizeof(dim));
	dim[axis] = 1;
	struct ref y = ref_new(x.rank, dim);
	for (int64_t i = 0; i < ref_count(y); i++) {
		double sofar = start;
		for (int64_t k = 0; k < extent; k++)
			sofar = f(x.at[(i / step * extent + k) * step + i % step], sofar);
		y.at[i] = sofar;
	}
	ref_free(x);
	return y;
}

struct ref ref_sum(struct ref x, int axis) { return fold(x, axis, 0, fold_sum); }
struct ref ref_max(struct ref x, int axis) { return fold(x, axis, -INFINITY, larger); }
struct ref ref_min(struct ref x, int axis) { return fold(x, axis, INFINITY, smaller); }
struct ref ref_logsumexp(struct ref x, int axis) { return fold(x, axis, -INFINITY, fold_log); }
struct ref ref_mean(struct ref x, int axis) { return ref_divide(ref_sum(x, axis), (double)x.dim[axis]); }

struct ref ref_softmax(struct ref x, int axis)
{
	struct ref total = ref_logsumexp(ref_copy(x), axis);

	/* exp(inf - inf): a row that holds an infinity, or nothing but negative ones, has no softmax. */
	for (int64_t i = 0; i < ref_count(total); i++)
		total.at[i] = isinf(total.at[i]) ? NAN : total.at[i];
	x = ref_map(ref_subtract(x, total), exp);
	ref_free(total);
	return x;
}

/* ---- element by element ---------------------------------------------- */

/* The element of y that meets element i of x. */
static int64_t meeting(struct ref x, struct ref y, int64_t i)
{
	int64_t at = 0, step = 1;

	for (int k = 1; k <= y.rank; k++) {
		int64_t extent = x.dim[x.rank - k];
		at += y.dim[y.rank - k] == 1 ? 0 : i % extent * step;
		step *= y.dim[y.rank - k];
		i /= extent;
	}
	return at;
}

#define BINARY(name, op) \
	struct ref name(struct ref x, struct ref y) \
	{ \
		x = changeable(x); \
		for (int64_t i = 0; i < ref_count(x); i++) \
			x.at[i] = x.at[i] op y.at[meeting(x, y, i)]; \
		return x; \
	}
BINARY(ref_add, +)
BINARY(ref_subtract, -)
BINARY(ref_multiply, *)

#define EACH(declaration, value) \
	struct ref declaration \
	{ \
		x = changeable(x); \
		for (int64_t i = 0; i < ref_count(x); i++) { \
			double e = x.at[i]; \
			x.at[i] = value; \
		} \
		return x; \
	}
EACH(ref_map(struct ref x, double (*f)(double)), f(e))
EACH(ref_affine(struct ref x, double factor, double addend), e * factor + addend)
EACH(ref_divide(struct ref x, double divisor), e / divisor)
EACH(ref_clamp(struct ref x, double lo, double hi), e < lo ? lo : e > hi ? hi : e)
EACH(ref_leaky_relu(struct ref x, double slope), e > 0 ? e : e * slope)

double ref_relu(double x) { return x < 0 ? 0 : x; }
double ref_sigmoid(double x) { return 1 / (1 + exp(-x)); }
double ref_silu(double x) { return x / (1 + exp(-x)); }
double ref_softplus(double x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }
double ref_mish(double x) { return x * tanh(ref_softplus(x)); }
double ref_gelu(double x) { return x * 0.5 * erfc(-x * 0.70710678118654752440); }
double ref_hard_swish(double x) { return x <= -3 ? 0 * x : x >= 3 ? x : x * (x + 3) / 6; }
