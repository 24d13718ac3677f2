#include "ops/core/inputs.h"
#include "ops/core/rng.h"
#include "ops/core/memory.h"

#include <math.h>
#include <stdlib.h>

const char *distribution_name(enum distribution d)
{
	static const char *const name[] = {
#define X(n, sentence) #n,
		INPUT_DISTRIBUTIONS(X)
#undef X
	};
	return name[d];
}

/*
 * x with its first three bits of fraction; what follows them lies in the lower half of a
 * unit of f8e4m3 (3 bits), bf16 (7), tf32 and f16 (10) and f32 (23).  v: in [0,1).
 */
static double with_fine_bits(double x, double v)
{
	int e;
	double u = 2 * fabs(frexp(x, &e)) - 1;
	double m3 = floor(8 * u), m7 = 5 + floor(3 * (8 * u - m3)), m10 = 2 + floor(2 * v), m23 = floor((0.3 + 0.15 * v) * 8192);

	return copysign(ldexp(1 + m3 / 8 + m7 / 128 + m10 / 1024 + (m23 + 0.35) * 0x1p-23, e - 1), x);
}

/* 2^-1..2^2 */
static double fine(double u, double v)
{
	return with_fine_bits(ldexp(1 + u, (int)floor(3 * v) - 1), v);
}

/* In powers of two: how far from 1 `wide` goes.  Half the range of a narrow dtype: products must not overflow. */
static double wide_span(enum dtype dtype)
{
	return dtype == DTYPE_f16 || dtype == DTYPE_f8e5m2 ? 7 : dtype == DTYPE_f8e4m3 ? 4 : 20;
}

static double draw(enum distribution d, enum dtype dtype, uint64_t seed, uint64_t stream, uint64_t i)
{
	double u = rng_uniform_at(seed, stream, i);

	switch (d) {
	case INPUTS_normal:
	case INPUTS_rare: return rng_normal_at(seed, stream, i);
	case INPUTS_uniform: return 2 * u - 1;
	case INPUTS_wide: return (u < 0.5 ? -1 : 1) * exp2(wide_span(dtype) * (2 * rng_uniform_at(seed, stream + 64, i) - 1));
	case INPUTS_positive: return 1 - u;
	case INPUTS_tiny: return (2 * u - 1) * 0x1p-124;
	case INPUTS_grid:
	case INPUTS_sparse: return floor(17 * u) / 2 - 4;
	case INPUTS_fine: return fine(u, rng_uniform_at(seed, stream + 64, i));
	case INPUTS_faint: return fine(u, rng_uniform_at(seed, stream + 64, i)) / 16;
	case INPUTS_special:
		if (u < 0.05)
			return NAN;
		if (u < 0.1)
			return u < 0.075 ? INFINITY : -INFINITY;
		return u < 0.15 ? (u < 0.125 ? 0.0 : -0.0) : rng_normal_at(seed, stream, i);
	case INPUTS_COUNT: break;
	}
	return 0;
}

/* What the elements of a tensor are drawn from, the same for all of them. */
struct source {
	const struct op_tensor *tensor;
	enum dtype dtype;
	uint64_t seed, stream;
	enum distribution distribution;
	int64_t bound, elems, last; /* last: extent of the last dimension */
	double lo, hi;              /* lo < hi: the range */
	double odd;                 /* sparse: the share of those that are not as most are */
	int real, reals;            /* which of the real inputs without a range, -1: none of them; how many */
};

int64_t inputs_bound(const struct problem *p, int t)
{
	const char *text = p->op->tensor[t].bound;
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct expr *e;
	int64_t value = 1;

	if (!text || expr_parse(&arena, text, p->op->name, EXPR_BODY, &e, &err) ||
	    expr_int_value(e, p->binding, p->binding_count, &value, &err))
		value = 1;
	strbuf_release(&err);
	arena_release(&arena);
	return value;
}

static struct source source_of(const struct problem *p, int t, enum distribution d, uint64_t seed)
{
	const struct op_tensor *tensor = &p->op->tensor[t];
	int64_t extent[OP_MAX_RANK];
	int rank = problem_shape(p, t, extent);
	struct source s = { .tensor = tensor, .dtype = problem_tensor_dtype(p, t), .seed = seed, .stream = (uint64_t)t, .distribution = d,
			    .bound = inputs_bound(p, t), .elems = problem_elems(p, t), .last = rank ? extent[rank - 1] : 1,
			    .lo = tensor->lo, .hi = tensor->hi };

	double terms = (double)problem_terms(p);
	s.odd = terms > 1.4 ? 0.7 / terms : 0.5;
	s.real = -1;
	for (int k = 0; k < OP_MAX_TENSORS && p->op->tensor[k].name; k++) {
		const struct op_tensor *x = &p->op->tensor[k];
		if (x->role != OP_IN || x->domain != OP_REAL || x->lo < x->hi || !dtype_is_real(problem_tensor_dtype(p, k)))
			continue;
		s.real = k == t ? s.reals : s.real;
		s.reals++;
	}
	if (!(s.lo < s.hi) && !dtype_is_real(s.dtype)) {
		s.lo = s.dtype == DTYPE_u8 || s.dtype == DTYPE_bool ? 0 : -8;
		s.hi = s.dtype == DTYPE_bool ? 1 : s.lo + 16;
	}
	return s;
}

/* Position `at` of a row of `count` + 1 offsets: non-decreasing, first 0, last the bound; neighbours are often equal: empty segments. */
static double offset_at(const struct source *s, uint64_t row, int64_t at, int64_t count)
{
	if (at == 0)
		return 0;
	if (at == count)
		return (double)s->bound;
	/* A jitter below one step keeps the order; rounding down to even positions makes ties. */
	double step = (double)s->bound / (double)count;
	double v = step * ((double)(at & ~INT64_C(1)) + rng_uniform_at(s->seed, s->stream + 64 * row, (uint64_t)(at / 2)));
	return floor(v < (double)s->bound ? v : (double)s->bound);
}

static double length_at(const struct source *s, int64_t i)
{
	uint64_t row = (uint64_t)(i / s->last);
	int64_t at = i % s->last;

	return offset_at(s, row, at + 1, s->last) - offset_at(s, row, at, s->last);
}

static int64_t gcd(int64_t a, int64_t b)
{
	return b ? gcd(b, a % b) : a;
}

/* Element i of a row that steps through 0..bound-1 without meeting a value twice. */
static double unique_at(const struct source *s, int64_t i)
{
	uint64_t row = (uint64_t)(i / s->last);
	int64_t step = 1 + (int64_t)(rng_uniform_at(s->seed, s->stream, 2 * row) * (double)(s->bound - 1));
	int64_t from = (int64_t)(rng_uniform_at(s->seed, s->stream, 2 * row + 1) * (double)s->bound);

	while (gcd(step, s->bound) != 1)
		step++;
	return (double)(int64_t)((from + (__int128)step * (i % s->last)) % s->bound);
}

/* Non-decreasing along a row, pairs of neighbours equal. */
static double sorted_at(const struct source *s, int64_t i)
{
	bool ranged = s->lo < s->hi;
	double lo = ranged ? s->lo : -3, hi = ranged ? s->hi : 3;
	uint64_t row = (uint64_t)(i / s->last), pair = (uint64_t)(i % s->last / 2), pairs = (uint64_t)((s->last + 1) / 2);
	double at = ((double)pair + rng_uniform_at(s->seed, s->stream, row * pairs + pair)) / (double)pairs;
	double v = lo + at * (hi - lo);

	return dtype_is_real(s->dtype) ? v : floor(v);
}

static double ranged_at(const struct source *s, int64_t i)
{
	double lo = s->lo, u = rng_uniform_at(s->seed, s->stream + 256 * (uint64_t)s->distribution, (uint64_t)i);

	if (!dtype_is_real(s->dtype))
		return floor(lo + u * (s->hi - lo + 1));
	/* The ends themselves now and then: thresholds lie there. */
	if (s->distribution == INPUTS_grid && (i % 7 == 3 || i % 11 == 5))
		return i % 7 == 3 ? lo : s->hi;
	/* And where a special value of another tensor may meet them, the first element included. */
	if ((s->distribution == INPUTS_special || s->distribution == INPUTS_rare) && (i % 5 == 0 || i % 8 == 4))
		return i % 5 == 0 ? lo : s->hi;
	if (s->distribution == INPUTS_positive && lo < 0 && s->hi > 0)
		lo = 0;
	double v = lo + u * (s->hi - lo);
	if (s->distribution != INPUTS_fine && s->distribution != INPUTS_faint)
		return v;
	double fine = with_fine_bits(v, rng_uniform_at(s->seed, s->stream + 64, (uint64_t)i));
	return fine < lo || fine > s->hi ? v : fine;
}

static double factor_at(const struct source *s, int64_t i)
{
	double u = rng_uniform_at(s->seed, s->stream, (uint64_t)i), w = rng_uniform_at(s->seed, s->stream + 64, (uint64_t)i);
	double sign = u < 0.5 && s->distribution != INPUTS_positive ? -1 : 1;

	if (s->dtype == DTYPE_bool)
		return u >= 0.125;
	/* Powers of two, whose products are exact however long. */
	if (!dtype_is_real(s->dtype))
		return w < 1.0 / 512 ? 0 : (s->dtype == DTYPE_u8 ? 1 : sign) * (w < 1.0 / 16 ? 2 : 1);
	switch (s->distribution) {
	case INPUTS_special: return draw(s->distribution, s->dtype, s->seed, s->stream, (uint64_t)i);
	case INPUTS_grid: return sign * (w < 1.0 / 512 ? 0 : w < 0.25 ? 0.5 : w < 0.75 ? 1 : 2);
	case INPUTS_fine:
	case INPUTS_faint: return sign * with_fine_bits(exp2(1.5 * w - 0.9), 2 * u < 1 ? 2 * u : 2 * u - 1);
	default: return sign * exp2(rng_normal_at(s->seed, s->stream + 64, (uint64_t)i) / 4);
	}
}

static double real_at(const struct source *s, int64_t i)
{
	return s->lo < s->hi ? ranged_at(s, i) : draw(s->distribution, s->dtype, s->seed, s->stream, (uint64_t)i);
}

/* The one special value of a problem's inputs; 0: element i is not it.  Seeds that follow each other go through tensors and kinds. */
static double rare_at(const struct source *s, int64_t i)
{
	static const double kind[] = { NAN, INFINITY, -INFINITY };

	if (s->seed % (uint64_t)s->reals != (uint64_t)s->real || (double)i != floor(rng_uniform_at(s->seed, s->stream + 64, 0) * (double)s->elems))
		return 0;
	return kind[s->seed / (uint64_t)s->reals % ARRAY_SIZE(kind)];
}

static bool is_sparse_zero(const struct source *s, int64_t i)
{
	bool is_odd = rng_uniform_at(s->seed, s->stream + 128, (uint64_t)i) < s->odd, may = !(s->lo < s->hi) || (s->lo <= 0 && s->hi >= 0);

	return s->distribution == INPUTS_sparse && may && is_odd == (s->seed & 1);
}

static double value_at(const struct source *s, int64_t i)
{
	double v;

	switch (s->tensor->domain) {
	case OP_INDEX: return floor(rng_uniform_at(s->seed, s->stream, (uint64_t)i) * (double)s->bound);
	case OP_UNIQUE: return unique_at(s, i);
	case OP_OFFSETS: return offset_at(s, (uint64_t)(i / s->last), i % s->last, s->last - 1);
	case OP_LENGTHS: return length_at(s, i);
	case OP_SORTED: v = sorted_at(s, i); break;
	case OP_FACTORS: return dtype_round(s->dtype, factor_at(s, i));
	default:
		if (is_sparse_zero(s, i))
			return 0;
		v = s->distribution == INPUTS_rare && s->real >= 0 ? rare_at(s, i) : 0;
		if (v != 0)
			return v;
		v = real_at(s, i);
	}
	double rounded = dtype_round(s->dtype, v);
	/* Rounding to a coarse dtype must not leave the range. */
	if (s->lo < s->hi && (rounded < s->lo || rounded > s->hi))
		return dtype_round(s->dtype, (s->lo + s->hi) / 2);
	return rounded;
}

double inputs_value(const struct problem *p, int t, enum distribution d, uint64_t seed, int64_t i)
{
	struct source s = source_of(p, t, d, seed);

	return value_at(&s, i);
}

struct inputs {
	struct source source[OP_MAX_TENSORS];
};

struct inputs *inputs_open(const struct problem *p, enum distribution d, uint64_t seed)
{
	struct inputs *in = calloc(1, sizeof(*in));

	if (!in)
		out_of_memory(sizeof(*in));
	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		if (p->op->tensor[t].role == OP_IN)
			in->source[t] = source_of(p, t, d, seed);
	return in;
}

double inputs_read(const void *inputs, int tensor, int64_t i)
{
	return value_at(&((const struct inputs *)inputs)->source[tensor], i);
}

void inputs_close(struct inputs *inputs)
{
	free(inputs);
}

void inputs_values(const struct problem *p, int t, enum distribution d, uint64_t seed, double *value)
{
	struct source s = source_of(p, t, d, seed);

	for (int64_t i = 0; i < s.elems; i++)
		value[i] = value_at(&s, i);
}

void inputs_fill(const struct problem *p, int t, enum distribution d, uint64_t seed, void *base)
{
	struct source s = source_of(p, t, d, seed);

	for (int64_t i = 0; i < s.elems; i++)
		dtype_store(s.dtype, base, i, value_at(&s, i));
}
