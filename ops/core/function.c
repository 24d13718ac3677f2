/* The functions of the index notation: builtins, integer helpers, casts, prelude.  One table. */
#include "ops/core/dtype.h"
#include "ops/core/expr.h"
#include "ops/core/rng.h"

#include <math.h>
#include <string.h>

static double f_abs(const double *x) { return fabs(x[0]); }
static double f_sqrt(const double *x) { return sqrt(x[0]); }
static double f_rsqrt(const double *x) { return 1 / sqrt(x[0]); }
static double f_exp(const double *x) { return exp(x[0]); }
static double f_exp2(const double *x) { return exp2(x[0]); }
static double f_expm1(const double *x) { return expm1(x[0]); }
static double f_log(const double *x) { return log(x[0]); }
static double f_log1p(const double *x) { return log1p(x[0]); }
static double f_sin(const double *x) { return sin(x[0]); }
static double f_cos(const double *x) { return cos(x[0]); }
static double f_tanh(const double *x) { return tanh(x[0]); }
static double f_erf(const double *x) { return erf(x[0]); }
static double f_pow(const double *x) { return pow(x[0], x[1]); }
static double f_floor(const double *x) { return floor(x[0]); }
static double f_ceil(const double *x) { return ceil(x[0]); }
static double f_round(const double *x) { return nearbyint(x[0]); } /* half to even */
static double f_trunc(const double *x) { return trunc(x[0]); }
static double f_atan2(const double *x) { return atan2(x[0], x[1]); }
/* NaN of either argument propagates, as in PyTorch. */
static double f_maximum(const double *x) { return isnan(x[0]) || x[0] > x[1] ? x[0] : x[1]; }
static double f_minimum(const double *x) { return isnan(x[0]) || x[0] < x[1] ? x[0] : x[1]; }
static double f_bit_and(const double *x) { return (double)((int64_t)x[0] & (int64_t)x[1]); }
static double f_bit_or(const double *x) { return (double)((int64_t)x[0] | (int64_t)x[1]); }
static double f_bit_xor(const double *x) { return (double)((int64_t)x[0] ^ (int64_t)x[1]); }
static double f_bit_not(const double *x) { return (double)~(int64_t)x[0]; }
static double f_shl(const double *x) { return (double)(int64_t)((uint64_t)(int64_t)x[0] << (int)x[1]); }
static double f_shr(const double *x) { return (double)((uint64_t)(int64_t)x[0] >> (int)x[1]); }
static double f_philox(const double *x) { return philox((uint64_t)x[0], (uint64_t)x[1], (int)x[2]); }
static double f_cdiv(const double *x) { return ceil(x[0] / x[1]); }
static double f_rup(const double *x) { return ceil(x[0] / x[1]) * x[1]; }
static double f_f64(const double *x) { return x[0]; }
static double f_f32(const double *x) { return dtype_round(DTYPE_f32, x[0]); }
static double f_f16(const double *x) { return dtype_round(DTYPE_f16, x[0]); }
static double f_bf16(const double *x) { return dtype_round(DTYPE_bf16, x[0]); }
static double f_i64(const double *x) { return dtype_round(DTYPE_i64, x[0]); }
static double f_i32(const double *x) { return dtype_round(DTYPE_i32, x[0]); }
static double f_i16(const double *x) { return dtype_round(DTYPE_i16, x[0]); }
static double f_i8(const double *x) { return dtype_round(DTYPE_i8, x[0]); }
static double f_u8(const double *x) { return dtype_round(DTYPE_u8, x[0]); }
static double f_bool(const double *x) { return x[0] != 0; }

static double f_f8e4m3(const double *x) { return dtype_round(DTYPE_f8e4m3, x[0]); }
static double f_f8e5m2(const double *x) { return dtype_round(DTYPE_f8e5m2, x[0]); }

#define F(name, arity) { #name, arity, f_##name, NULL, NULL }
#define PRELUDE(name, arity, params, definition) { name, arity, NULL, params, definition }

const struct function function_table[] = {
	F(abs, 1), F(sqrt, 1), F(rsqrt, 1), F(exp, 1), F(exp2, 1), F(expm1, 1), F(log, 1), F(log1p, 1), F(sin, 1),
	F(cos, 1), F(tanh, 1), F(erf, 1), F(pow, 2), F(floor, 1), F(ceil, 1), F(round, 1), F(trunc, 1),
	F(atan2, 2), F(maximum, 2), F(minimum, 2), F(bit_and, 2), F(bit_or, 2), F(bit_xor, 2),
	F(bit_not, 1), F(shl, 2), F(shr, 2), F(philox, 3), F(cdiv, 2), F(rup, 2),
	F(f64, 1), F(f32, 1), F(f16, 1), F(bf16, 1), F(f8e4m3, 1), F(f8e5m2, 1), F(i64, 1), F(i32, 1),
	F(i16, 1), F(i8, 1), F(u8, 1), F(bool, 1),
	PRELUDE("sigmoid", 1, "x", "1 / (1 + exp(-x))"),
	PRELUDE("relu", 1, "x", "maximum(x, 0)"),
	PRELUDE("silu", 1, "x", "x * sigmoid(x)"),
	PRELUDE("gelu", 1, "x", "0.5 * x * (1 + erf(x * 0.70710678118654752440))"),
	PRELUDE("gelu_tanh", 1, "x",
		"0.5 * x * (1 + tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)))"),
	PRELUDE("softplus", 1, "x", "maximum(x, 0) + log1p(exp(-abs(x)))"),
	PRELUDE("mish", 1, "x", "x * tanh(softplus(x))"),
	PRELUDE("clamp", 3, "x lo hi", "minimum(maximum(x, lo), hi)"),
	PRELUDE("hardswish", 1, "x", "x * clamp(x + 3, 0, 6) / 6"),
	PRELUDE("leaky", 2, "x a", "x > 0 ? x : a * x"),
	PRELUDE("sq", 1, "x", "x * x"),
	/* 24 bits, so that f32 never rounds to 1. */
	PRELUDE("uniform", 2, "seed i", "shr(philox(seed, i, 0), 8) * 5.9604644775390625e-08"),
	{ NULL, 0, NULL, NULL, NULL },
};

const struct function *function_find(const char *name)
{
	for (const struct function *f = function_table; f->name; f++)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}
