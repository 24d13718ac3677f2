#include "ops/core/dtype.h"

#include <math.h>
#include <string.h>

static const struct {
	const char *name, *ctype;
	size_t bytes;
	bool is_real;
	double roundoff, tiny;
} table[] = {
#define X(name, bytes, is_real, roundoff, tiny, ctype) { #name, #ctype, bytes, is_real, roundoff, tiny },
#include "ops/core/dtype.def"
#undef X
};

const char *dtype_name(enum dtype dtype) { return table[dtype].name; }
size_t dtype_bytes(enum dtype dtype) { return table[dtype].bytes; }
bool dtype_is_real(enum dtype dtype) { return table[dtype].is_real; }
double dtype_roundoff(enum dtype dtype) { return table[dtype].roundoff; }
double dtype_tiny(enum dtype dtype) { return table[dtype].tiny; }
const char *dtype_ctype(enum dtype dtype) { return table[dtype].ctype; }

bool dtype_find(const char *name, enum dtype *dtype)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(table[i].name, name)) {
			*dtype = (enum dtype)i;
			return true;
		}
	return false;
}

static double half_to_double(uint16_t h)
{
	int exponent = h >> 10 & 31, mantissa = h & 1023;
	double v = exponent == 31 ? (mantissa ? NAN : INFINITY)
		 : exponent	  ? ldexp(1024 + mantissa, exponent - 25)
				  : ldexp(mantissa, -24);
	return h >> 15 ? -v : v;
}

/* Round to nearest even at `bits` fraction bits with smallest normal exponent emin, greatest emax. */
static double round_real(double x, int bits, int emin, int emax)
{
	int e;

	if (x == 0 || !isfinite(x))
		return x;
	frexp(x, &e);
	e = e - 1 < emin ? emin : e - 1;
	double y = ldexp(nearbyint(ldexp(x, bits - e)), e - bits);
	return fabs(y) < ldexp(1, emax + 1) ? y : copysign(INFINITY, x);
}

static uint16_t half_from_double(double x)
{
	double y = round_real(x, 10, -14, 15);
	uint16_t sign = signbit(y) ? 0x8000 : 0;
	int e;

	if (isnan(y))
		return sign | 0x7e00;
	if (isinf(y))
		return sign | 0x7c00;
	if (fabs(y) < 0x1p-14)
		return (uint16_t)(sign | (int)ldexp(fabs(y), 24));
	frexp(y, &e);
	return (uint16_t)(sign | (e + 14) << 10 | ((int)ldexp(fabs(y), 11 - e) & 1023));
}

static uint16_t bfloat_from_double(double x)
{
	float f = (float)round_real(x, 7, -126, 127);
	uint32_t u;

	memcpy(&u, &f, 4);
	return isnan(x) ? (uint16_t)((u >> 16 & 0x8000) | 0x7fc0) : (uint16_t)(u >> 16);
}

/* fp8 (OCP 8-bit floating point, 2023): beyond 448 an e4m3 is NaN, beyond 57344 an e5m2 infinite. */
static uint8_t e4m3_from_double(double x)
{
	double y = fabs(round_real(x, 3, -6, 8)), over = y > 448 ? NAN : y;
	uint8_t sign = signbit(x) ? 0x80 : 0;
	int e;

	if (isnan(over))
		return sign | 0x7f;
	if (over < 0x1p-6)
		return (uint8_t)(sign | (int)ldexp(over, 9));
	frexp(over, &e);
	return (uint8_t)(sign | (e + 6) << 3 | ((int)ldexp(over, 4 - e) & 7));
}

static double e4m3_to_double(uint8_t b)
{
	int exponent = b >> 3 & 15, mantissa = b & 7;
	double v = exponent == 15 && mantissa == 7 ? NAN : exponent ? ldexp(8 + mantissa, exponent - 10) : ldexp(mantissa, -9);
	return b >> 7 ? -v : v;
}

/* The top byte of an f16. */
static uint8_t e5m2_from_double(double x)
{
	return isnan(x) ? 0x7f : (uint8_t)(half_from_double(round_real(x, 2, -14, 15)) >> 8);
}

double dtype_load(enum dtype dtype, const void *base, int64_t i)
{
	switch (dtype) {
	case DTYPE_f64: return ((const double *)base)[i];
	case DTYPE_f32: return ((const float *)base)[i];
	case DTYPE_f16: return half_to_double(((const uint16_t *)base)[i]);
	case DTYPE_bf16: {
		uint32_t u = (uint32_t)((const uint16_t *)base)[i] << 16;
		float f;
		memcpy(&f, &u, 4);
		return f;
	}
	case DTYPE_f8e4m3: return e4m3_to_double(((const uint8_t *)base)[i]);
	case DTYPE_f8e5m2: return half_to_double((uint16_t)(((const uint8_t *)base)[i] << 8));
	case DTYPE_i64: return (double)((const int64_t *)base)[i];
	case DTYPE_i32: return ((const int32_t *)base)[i];
	case DTYPE_i16: return ((const int16_t *)base)[i];
	case DTYPE_i8: return ((const int8_t *)base)[i];
	case DTYPE_u8: return ((const uint8_t *)base)[i];
	case DTYPE_bool: return ((const uint8_t *)base)[i]; /* what is neither 0 nor 1 is no truth value */
	case DTYPE_COUNT: break;
	}
	return NAN;
}

/* Truncates, then wraps into 64 bits; NaN and infinities give 0. */
static int64_t to_integer(double x)
{
	if (!isfinite(x))
		return 0;
	x = trunc(x);
	if (fabs(x) < 0x1p63)
		return (int64_t)x;
	x = fmod(x, 0x1p64);
	return (int64_t)(uint64_t)(x < 0 ? x + 0x1p64 : x);
}

void dtype_store(enum dtype dtype, void *base, int64_t i, double value)
{
	switch (dtype) {
	case DTYPE_f64: ((double *)base)[i] = value; break;
	case DTYPE_f32: ((float *)base)[i] = (float)value; break;
	case DTYPE_f16: ((uint16_t *)base)[i] = half_from_double(value); break;
	case DTYPE_bf16: ((uint16_t *)base)[i] = bfloat_from_double(value); break;
	case DTYPE_f8e4m3: ((uint8_t *)base)[i] = e4m3_from_double(value); break;
	case DTYPE_f8e5m2: ((uint8_t *)base)[i] = e5m2_from_double(value); break;
	case DTYPE_i64: ((int64_t *)base)[i] = to_integer(value); break;
	case DTYPE_i32: ((int32_t *)base)[i] = (int32_t)to_integer(value); break;
	case DTYPE_i16: ((int16_t *)base)[i] = (int16_t)to_integer(value); break;
	case DTYPE_i8: ((int8_t *)base)[i] = (int8_t)to_integer(value); break;
	case DTYPE_u8: ((uint8_t *)base)[i] = (uint8_t)to_integer(value); break;
	case DTYPE_bool: ((uint8_t *)base)[i] = value != 0; break;
	case DTYPE_COUNT: break;
	}
}

double dtype_round(enum dtype dtype, double value)
{
	int64_t cell;

	dtype_store(dtype, &cell, 0, value);
	return dtype_load(dtype, &cell, 0);
}
