/*
 * programs.h: tile programs as skeletons write them, each with its meaning as
 * plain loops in double.  `$L` in a text is the number of f32 lanes of the
 * target, `$2L` and `$4L` twice and four times that.
 */
#ifndef TESTS_UNIT_GENERATE_PROGRAMS_H
#define TESTS_UNIT_GENERATE_PROGRAMS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define MOST_BUFFERS 8
#define MOST_DIMS 8

struct program {
	const char *name, *text;
	/* buf[b]: dense double array of buffer b of the program (NULL for tmp); fills the outputs. */
	void (*meaning)(const int64_t *dim, double *const *buf);
	double bound;                     /* on |got - want| / max(1, |want|) */
	int64_t dim[5][MOST_DIMS];        /* run-time dims; ends with a 0 */
	bool has_specials;                /* inputs hold NaN and infinities */
	bool wants_amx;
	int64_t index_limit;              /* integer inputs are 0..limit-1, or segments when 0 */
};

static void gelu(const int64_t *d, double *const *b)
{
	for (int64_t i = 0; i < d[0]; i++)
		b[1][i] = 0.5 * b[0][i] * (1 + erf(b[0][i] * M_SQRT1_2));
}

static void relu_of_sum(const int64_t *d, double *const *b)
{
	for (int64_t i = 0; i < d[0]; i++)
		for (int64_t j = 0; j < d[1]; j++) {
			double x = b[0][i * d[1] + j] + b[1][j];
			b[2][i * d[1] + j] = x > 0 || isnan(x) ? x : 0;
		}
}

static void transpose(const int64_t *d, double *const *b)
{
	for (int64_t i = 0; i < d[0]; i++)
		for (int64_t j = 0; j < d[1]; j++)
			b[1][j * d[0] + i] = b[0][i * d[1] + j];
}

static void softmax(const int64_t *d, double *const *b)
{
	for (int64_t i = 0; i < d[0]; i++) {
		const double *x = b[0] + i * d[1];
		double m = -INFINITY, s = 0;
		for (int64_t j = 0; j < d[1]; j++)
			m = fmax(m, x[j]);
		for (int64_t j = 0; j < d[1]; j++)
			s += exp(x[j] - m);
		for (int64_t j = 0; j < d[1]; j++)
			b[1][i * d[1] + j] = exp(x[j] - m) / s;
	}
}

static void layer_norm(const int64_t *d, double *const *b)
{
	for (int64_t i = 0; i < d[0]; i++) {
		const double *x = b[0] + i * d[1];
		double mean = 0, v = 0;
		for (int64_t j = 0; j < d[1]; j++)
			mean += x[j] / (double)d[1];
		for (int64_t j = 0; j < d[1]; j++)
			v += (x[j] - mean) * (x[j] - mean) / (double)d[1];
		for (int64_t j = 0; j < d[1]; j++)
			b[3][i * d[1] + j] = (x[j] - mean) / sqrt(v + 1e-5) * b[1][j] + b[2][j];
	}
}

static void row_max_and_sum(const int64_t *d, double *const *b)
{
	for (int64_t i = 0; i < d[0]; i++) {
		double m = -INFINITY, s = 0;
		for (int64_t j = 0; j < d[1]; j++) {
			double x = b[0][i * d[1] + j];
			m = isnan(x) || x > m ? x : m;
			s += x;
		}
		b[1][i] = m;
		b[2][i] = s;
	}
}

static void column_sum(const int64_t *d, double *const *b)
{
	for (int64_t j = 0; j < d[1]; j++) {
		b[1][j] = 0;
		for (int64_t i = 0; i < d[0]; i++)
			b[1][j] += b[0][i * d[1] + j];
	}
}

static void cumsum(const int64_t *d, double *const *b)
{
	for (int64_t i = 0; i < d[0]; i++) {
		double s = 0;
		for (int64_t j = 0; j < d[1]; j++)
			b[1][i * d[1] + j] = s += b[0][i * d[1] + j];
	}
}

static void matmul(const int64_t *d, double *const *b)
{
	for (int64_t i = 0; i < d[0]; i++)
		for (int64_t j = 0; j < d[1]; j++) {
			double s = 0;
			for (int64_t k = 0; k < d[2]; k++)
				s += b[0][i * d[2] + k] * b[1][k * d[1] + j];
			b[2][i * d[1] + j] = s;
		}
}

static void matmul_bias_relu(const int64_t *d, double *const *b)
{
	for (int64_t i = 0; i < d[0]; i++)
		for (int64_t j = 0; j < d[1]; j++) {
			double s = b[2][j];
			for (int64_t k = 0; k < d[2]; k++)
				s += b[0][i * d[2] + k] * b[1][k * d[1] + j];
			b[3][i * d[1] + j] = s > 0 ? s : 0;
		}
}

static void batched_matmul(const int64_t *d, double *const *b)
{
	for (int64_t n = 0; n < d[0]; n++)
		matmul(d + 1, (double *const[]){ b[0] + n * d[1] * d[3], b[1] + n * d[3] * d[2], b[2] + n * d[1] * d[2] });
}

/* x[NB,CI,H,W], k[O,CI,3,3], padding 1, stride s. */
static void conv(const int64_t *d, double *const *b, int64_t s)
{
	int64_t ho = (d[2] - 1) / s + 1, wo = (d[3] - 1) / s + 1;
	double *y = b[2];

	for (int64_t n = 0; n < d[0]; n++)
		for (int64_t o = 0; o < d[4]; o++)
			for (int64_t i = 0; i < ho; i++)
				for (int64_t j = 0; j < wo; j++, y++) {
					*y = 0;
					for (int64_t c = 0; c < d[1]; c++)
						for (int64_t u = 0; u < 3; u++)
							for (int64_t v = 0; v < 3; v++) {
								int64_t r = i * s + u - 1, q = j * s + v - 1;
								if (r >= 0 && r < d[2] && q >= 0 && q < d[3])
									*y += b[0][((n * d[1] + c) * d[2] + r) * d[3] + q] *
									      b[1][((o * d[1] + c) * 3 + u) * 3 + v];
							}
				}
}

static void conv_by_1(const int64_t *d, double *const *b) { conv(d, b, 1); }
static void conv_by_2(const int64_t *d, double *const *b) { conv(d, b, 2); }

static void bag(const int64_t *d, double *const *b)
{
	/* table[V, D], ids[T], offsets[B+1] */
	for (int64_t s = 0; s < d[2]; s++)
		for (int64_t k = 0; k < d[1]; k++) {
			b[3][s * d[1] + k] = 0;
			for (int64_t t = (int64_t)b[2][s]; t < (int64_t)b[2][s + 1]; t++)
				b[3][s * d[1] + k] += b[0][(int64_t)b[1][t] * d[1] + k];
		}
}

static void shifted(const int64_t *d, double *const *b)
{
	for (int64_t i = 0; i < d[0]; i++)
		for (int64_t j = 0; j < d[1]; j++) {
			bool inside = i >= 1 && j + 2 < d[1];
			b[1][i * d[1] + j] = inside ? b[0][(i - 1) * d[1] + j + 2] : -3;
		}
}

#define MATMUL_HEAD(type) "plan matmul\ndim M N K\nbuffer A " type " [M, K] in\nbuffer B " type " [K, N] in\nbuffer C f32 [M, N] out\n"

static void doubles(const int64_t *d, double *const *b)
{
	for (int64_t i = 0; i < d[0]; i++) {
		double x = b[0][i], all[] = { expm1(x), log1p(fabs(x)), pow(fabs(x), 2.7), atan2(x, x - 1), erf(x), tanh(x), sin(1000 * x), fmod(fabs(x), 0.3), exp(x), cos(x) };
		for (int64_t k = 0; k < 10; k++)
			b[1][k * d[0] + i] = all[k];
	}
}

static void place(const int64_t *d, double *const *b)
{
	for (int64_t i = 0; i < d[0]; i++) {
		int64_t at = 0;
		for (int64_t j = 1; j < d[1]; j++) {
			double x = b[0][i * d[1] + j], best = b[0][i * d[1] + at];
			at = x > best || (isnan(x) && !isnan(best)) ? j : at;
		}
		b[1][i] = (double)at;
	}
}

static void any_above(const int64_t *d, double *const *b)
{
	for (int64_t i = 0; i < d[0]; i++) {
		b[1][i] = 0;
		for (int64_t j = 0; j < i && j < d[1]; j++)
			b[1][i] += b[0][i * d[1] + j] > 1;
		b[1][i] = b[1][i] > 0;
	}
}

static const struct program programs[] = {
	/* The first row's range is empty: no truth is there. */
	{ "any", "plan any\ndim M N\nbuffer X f32 [M, N] in\nbuffer Y bool [M] out\nkernel any grid [M] threads 1\n"
		 "  Y[p0] = max(j in 0..minimum(p0, N)) (X[p0, j] > 1)\n",
	  any_above, 0, .dim = { { 1, 1 }, { 5, 67 }, { 40, 30 } } },
	{ "doubles", "plan doubles\ndim N\nbuffer X f64 [N] in\nbuffer Y f64 [10, N] out\nkernel map grid [cdiv(N,128)] threads 1\n  index j<128 of N-p0*128\n"
		     "  Y[0, p0*128+j] = expm1(X[p0*128+j])\n  Y[1, p0*128+j] = log1p(abs(X[p0*128+j]))\n  Y[2, p0*128+j] = pow(abs(X[p0*128+j]), 2.7)\n"
		     "  Y[3, p0*128+j] = atan2(X[p0*128+j], X[p0*128+j] - 1)\n  Y[4, p0*128+j] = erf(X[p0*128+j])\n  Y[5, p0*128+j] = tanh(X[p0*128+j])\n"
		     "  Y[6, p0*128+j] = sin(1000 * X[p0*128+j])\n  Y[7, p0*128+j] = abs(X[p0*128+j]) % 0.3\n  Y[8, p0*128+j] = exp(X[p0*128+j])\n"
		     "  Y[9, p0*128+j] = cos(X[p0*128+j])\n",
	  doubles, 1e-13, .dim = { { 1 }, { 256 }, { 1000 } } },
	{ "place", "plan place\ndim M N\nbuffer X f32 [M, N] in\nbuffer K i64 [M] out\nkernel place grid [M] threads 1\n"
		   "  K[p0] = argmax(j in 0..N) X[p0, j]\n",
	  place, 0, .dim = { { 1, 1 }, { 5, 67 }, { 40, 30 } }, .has_specials = true },
	{ "gelu", "plan gelu\ndim N\nbuffer X f32 [N] in\nbuffer Y f32 [N] out\nkernel map grid [cdiv(N,128)] threads 1\n  index j<128 of N-p0*128\n"
		  "  knob NT=1\n  Y[p0*128+j] = gelu(X[p0*128+j])\n",
	  gelu, 1e-6, .dim = { { 1 }, { 5 }, { 256 }, { 1000 } } },
	{ "gelu_bf16", "plan gelu\ndim N\nbuffer X bf16 [N] in\nbuffer Y bf16 [N] out\nkernel map grid [cdiv(N,128)] threads 1\n  index j<128 of N-p0*128\n"
		       "  Y[p0*128+j] = gelu(X[p0*128+j])\n",
	  gelu, 4e-3, .dim = { { 3 }, { 256 }, { 777 } } },
	{ "relu", "plan relu\ndim M N\nbuffer X f32 [M, N] in\nbuffer b f32 [N] in\nbuffer Y f32 [M, N] out\nkernel map grid [cdiv(M,4), cdiv(N,64)] threads 1\n"
		  "  index i<4 of M-p0*4 j<64 of N-p1*64\n  Y[p0*4+i, p1*64+j] = relu(X[p0*4+i, p1*64+j] + b[p1*64+j])\n",
	  relu_of_sum, 1e-6, .dim = { { 1, 1 }, { 5, 67 }, { 9, 128 } }, .has_specials = true },
	{ "shift", "plan shift\ndim M N\nbuffer X f32 [M, N] in\nbuffer Y f32 [M, N] out\nkernel map grid [cdiv(M,4), cdiv(N,64)] threads 1\n"
		   "  index i<4 of M-p0*4 j<64 of N-p1*64\n  Y[p0*4+i, p1*64+j] = X[p0*4+i-1, p1*64+j+2] else -3\n",
	  shifted, 0, .dim = { { 1, 1 }, { 5, 67 }, { 9, 128 } } },
	{ "transpose", "plan transpose\ndim M N\nbuffer X f32 [M, N] in\nbuffer Y f32 [N, M] out\nkernel map grid [cdiv(N,32), cdiv(M,64)] threads 1\n"
		       "  index j<32 of N-p0*32 i<64 of M-p1*64\n  knob NT=1\n  Y[p0*32+j, p1*64+i] = X[p1*64+i, p0*32+j]\n",
	  transpose, 0, .dim = { { 1, 1 }, { 17, 35 }, { 64, 96 }, { 130, 61 } } },
	{ "transpose_staged", "plan transpose\ndim M N\nbuffer X f32 [M, N] in\nbuffer Y f32 [N, M] out\nkernel map grid [cdiv(N,32), cdiv(M,64)] threads 1\n"
			      "  index j<32 of N-p0*32 i<64 of M-p1*64\n  tile t f32 [j, i] @shared : i j+1\n  t[j, i] <- X[p1*64+i, p0*32+j]\n"
			      "  Y[p0*32+j, p1*64+i] = t[j, i]\n",
	  transpose, 0, .dim = { { 1, 1 }, { 17, 35 }, { 64, 96 }, { 130, 61 } } },
	{ "softmax_tile", "plan softmax\ndim R C\nrequire C <= 512\nbuffer X f32 [R, C] in\nbuffer Y f32 [R, C] out\nkernel rows grid [cdiv(R,4)] threads 1\n"
			  "  index i<4 of R-p0*4 j<512 of C\n  knob UNROLL=4 FUSE=1\n  tile x f32 [i, j] @reg\n  tile m f32 [i] @reg\n  tile s f32 [i] @reg\n"
			  "  x[i,j] = X[p0*4+i, j]\n  m[i] = max(j) x[i,j]\n  x[i,j] = exp(x[i,j] - m[i])\n  s[i] = sum(j) x[i,j]\n"
			  "  Y[p0*4+i, j] = x[i,j] / s[i]\n",
	  softmax, 1e-6, .dim = { { 1, 1 }, { 5, 7 }, { 6, 131 }, { 8, 512 } } },
	{ "softmax_stream", "plan softmax\ndim R C\nbuffer X f32 [R, C] in\nbuffer Y f32 [R, C] out\nkernel rows grid [cdiv(R,2)] threads 1\n"
			    "  index i<2 of R-p0*2 j<1073741824 of C\n  knob UNROLL=2 FUSE=0 NT=1\n  tile m f32 [i] @reg\n  tile s f32 [i] @reg\n"
			    "  m[i] = max(j) X[p0*2+i, j]\n  s[i] = sum(j) (exp(X[p0*2+i, j] - m[i]))\n"
			    "  Y[p0*2+i, j] = exp(X[p0*2+i, j] - m[i]) / s[i]\n",
	  softmax, 1e-6, .dim = { { 1, 1 }, { 5, 7 }, { 6, 131 }, { 8, 512 } } },
	{ "layer_norm", "plan layer_norm\ndim R C\nbuffer X f32 [R, C] in\nbuffer g f32 [C] in\nbuffer b f32 [C] in\nbuffer Y f32 [R, C] out\n"
			"kernel rows grid [cdiv(R,4)] threads 1\n  index i<4 of R-p0*4 j<1073741824 of C\n  knob UNROLL=4\n  tile m f32 [i] @reg\n  tile v f32 [i] @reg\n"
			"  m[i] = sum(j) X[p0*4+i, j] / C\n  v[i] = sum(j) sq(X[p0*4+i, j] - m[i]) / C\n"
			"  Y[p0*4+i, j] = (X[p0*4+i, j] - m[i]) * rsqrt(v[i] + 0.00001) * g[j] + b[j]\n",
	  layer_norm, 2e-5, .dim = { { 1, 2 }, { 5, 7 }, { 6, 131 }, { 8, 512 } } },
	{ "row_reduce", "plan reduce\ndim R C\nbuffer X f32 [R, C] in\nbuffer M f32 [R] out\nbuffer S f32 [R] out\nkernel rows grid [cdiv(R,4)] threads 1\n"
			"  index i<4 of R-p0*4 j<1073741824 of C\n  knob UNROLL=8\n  tile m f32 [i] @reg\n  m[i] = max(j) X[p0*4+i, j]\n  M[p0*4+i] = m[i]\n"
			"  S[p0*4+i] = sum(j) X[p0*4+i, j]\n",
	  row_max_and_sum, 1e-5, .dim = { { 1, 1 }, { 5, 67 }, { 6, 131 }, { 9, 500 } }, .has_specials = true },
	{ "column_reduce", "plan reduce\ndim R C\nbuffer X f32 [R, C] in\nbuffer S f32 [C] out\nkernel columns grid [cdiv(C,64)] threads 1\n"
			   "  index j<64 of C-p0*64 i<1073741824 of R\n  knob DU=4\n  S[p0*64+j] = sum(i) X[i, p0*64+j]\n",
	  column_sum, 1e-5, .dim = { { 1, 1 }, { 5, 67 }, { 60, 131 } } },
	{ "cumsum_row", "plan cumsum\ndim R C\nbuffer X f32 [R, C] in\nbuffer Y f32 [R, C] out\nkernel scan grid [cdiv(R,2)] threads 1\n"
			"  index i<2 of R-p0*2 j<1073741824 of C\n  Y[p0*2+i, j] = scan(j) X[p0*2+i, j]\n",
	  cumsum, 1e-5, .dim = { { 1, 1 }, { 5, 67 }, { 6, 131 }, { 33, 500 } } },
	{ "cumsum_block", "plan cumsum\ndim R C\nbuffer X f32 [R, C] in\nbuffer Y f32 [R, C] out\nkernel scan grid [cdiv(R,2)] threads 1\n"
			  "  index i<2 of R-p0*2 j<128 of C-c0\n  knob NT=1\n  tile x f32 [i, j] @reg\n  tile y f32 [i, j] @reg\n  tile c f32 [i] @reg\n  c[i] = 0\n"
			  "  for c0 in 0..C step 128\n    x[i, j] = X[p0*2+i, c0+j]\n    y[i, j] = scan(j) x[i, j]\n    Y[p0*2+i, c0+j] = c[i] + y[i, j]\n"
			  "    c[i] = c[i] + sum(j) x[i, j]\n  end\n",
	  cumsum, 1e-5, .dim = { { 1, 1 }, { 5, 67 }, { 6, 131 }, { 33, 500 } } },
	{ "cumsum_rows", "plan cumsum\ndim R C\nbuffer X f32 [R, C] in\nbuffer Y f32 [R, C] out\nkernel scan grid [cdiv(R,32)] threads 1\n"
			 "  index i<32 of R-p0*32 j<64 of C-c0\n  tile x f32 [i, j] @reg : j i\n  tile y f32 [i, j] @reg : j i\n  tile c f32 [i] @reg\n  c[i] = 0\n"
			 "  for c0 in 0..C step 64\n    x[i, j] = X[p0*32+i, c0+j]\n    y[i, j] = scan(j) x[i, j]\n    Y[p0*32+i, c0+j] = c[i] + y[i, j]\n"
			 "    c[i] = c[i] + sum(j) x[i, j]\n  end\n",
	  cumsum, 1e-5, .dim = { { 1, 1 }, { 5, 67 }, { 6, 131 }, { 33, 500 } } },
	{ "matmul_plain", MATMUL_HEAD("f32") "kernel contract grid [cdiv(M,24), cdiv(N,$4L)] threads 1\n  index i<24 of M-p0*24 j<$4L of N-p1*$4L k<1073741824 of K\n"
					     "  knob MR=6 NV=2\n  tile acc f32 [i, j] @acc\n  tile a f32 [i, k] @view\n  tile b f32 [k, j] @view\n  acc[i, j] = 0\n"
					     "  a[i, k] <- A[p0*24+i, k]\n  b[k, j] <- B[k, p1*$4L+j]\n  acc[i, j] += mma(k) a[i, k] * b[k, j]\n"
					     "  C[p0*24+i, p1*$4L+j] = acc[i, j]\n",
	  matmul, 1e-5, .dim = { { 1, 1, 1 }, { 5, 7, 3 }, { 37, 67, 131 }, { 130, 29, 35 } } },
	{ "matmul_packed",
	  "plan matmul\ndim M N K\nbuffer A f32 [M, K] in\nbuffer B f32 [K, N] in\nbuffer e f32 [N] in\nbuffer C f32 [M, N] out\n"
	  "buffer Ap f32 [rup(M, 6), K] tmp : d0/6 d1 d0%6\nbuffer Bp f32 [K, rup(N, $2L)] tmp : d1/$2L d0 d1%$2L\n"
	  "kernel packa grid [cdiv(M, 6)] threads 1\n  index k<1073741824 of K i<6 of M-p0*6\n  Ap[p0*6+i, k] = A[p0*6+i, k]\n"
	  "kernel packb grid [cdiv(K, 64), cdiv(N, $2L)] threads 1\n  index k<64 of K-p0*64 j<$2L of N-p1*$2L\n  Bp[p0*64+k, p1*$2L+j] = B[p0*64+k, p1*$2L+j]\n"
	  "kernel contract grid [cdiv(N,$4L), cdiv(M,24)] threads 1\n  index i<24 of M-p1*24 j<$4L of N-p0*$4L k<1073741824 of K\n  knob MR=6 NV=2 KU=2\n"
	  "  tile acc f32 [i, j] @acc\n  tile a f32 [i, k] @view\n  tile b f32 [k, j] @view\n  acc[i, j] = 0\n  a[i, k] <- Ap[p1*24+i, k]\n"
	  "  b[k, j] <- Bp[k, p0*$4L+j]\n  acc[i, j] += mma(k) a[i, k] * b[k, j]\n  C[p1*24+i, p0*$4L+j] = relu(acc[i, j] + e[p0*$4L+j])\n",
	  matmul_bias_relu, 1e-5, .dim = { { 1, 1, 1 }, { 5, 7, 3 }, { 37, 67, 131 }, { 130, 29, 35 } } },
	{ "matmul_blocked",
	  MATMUL_HEAD("f32") "buffer Bp f32 [K, rup(N, $2L)] tmp : d1/$2L d0 d1%$2L\nkernel packb grid [cdiv(K, 64), cdiv(N, $2L)] threads 1\n"
			     "  index k<64 of K-p0*64 j<$2L of N-p1*$2L\n  Bp[p0*64+k, p1*$2L+j] = B[p0*64+k, p1*$2L+j]\n"
			     "kernel contract grid [cdiv(M,24), cdiv(N,$4L)] threads 1\n  index i<24 of M-p0*24 j<$4L of N-p1*$4L k<32 of K-k0\n  knob MR=6 NV=2\n"
			     "  tile acc f32 [i, j] @acc : j/$2L i j%$2L\n  tile a f32 [i, k] @view\n  tile b f32 [k, j] @view\n  acc[i, j] = 0\n  for k0 in 0..K step 32\n"
			     "    a[i, k] <- A[p0*24+i, k0+k]\n    b[k, j] <- Bp[k0+k, p1*$4L+j]\n    acc[i, j] += mma(k) a[i, k] * b[k, j]\n  end\n"
			     "  C[p0*24+i, p1*$4L+j] = acc[i, j]\n",
	  matmul, 1e-5, .dim = { { 1, 1, 1 }, { 5, 7, 3 }, { 37, 67, 131 }, { 130, 29, 35 } } },
	{ "matmul_staged",
	  MATMUL_HEAD("f32") "kernel contract grid [cdiv(M,24), cdiv(N,$4L)] threads 1\n  index i<24 of M-p0*24 j<$4L of N-p1*$4L k<32 of K-k0\n  knob MR=4 NV=2\n"
			     "  tile acc f32 [i, j] @acc\n  tile a f32 [i, k] @shared : i k+8\n  tile b f32 [k, j] @shared : j/$2L k j%$2L\n  acc[i, j] = 0\n"
			     "  for k0 in 0..K step 32\n    a[i, k] <- A[p0*24+i, k0+k]\n    b[k, j] <- B[k0+k, p1*$4L+j]\n    acc[i, j] += mma(k) a[i, k] * b[k, j]\n  end\n"
			     "  C[p0*24+i, p1*$4L+j] = acc[i, j]\n",
	  matmul, 1e-5, .dim = { { 1, 1, 1 }, { 5, 7, 3 }, { 37, 67, 131 }, { 130, 29, 35 } } },
	{ "matmul_bf16",
	  MATMUL_HEAD("bf16") "buffer Bp f32 [K, rup(N, $2L)] tmp : d1/$2L d0 d1%$2L\nkernel packb grid [cdiv(K, 64), cdiv(N, $2L)] threads 1\n"
			      "  index k<64 of K-p0*64 j<$2L of N-p1*$2L\n  Bp[p0*64+k, p1*$2L+j] = B[p0*64+k, p1*$2L+j]\n"
			      "kernel contract grid [cdiv(M,24), cdiv(N,$4L)] threads 1\n  index i<24 of M-p0*24 j<$4L of N-p1*$4L k<1073741824 of K\n  knob MR=6 NV=2\n"
			      "  tile acc f32 [i, j] @acc\n  tile a bf16 [i, k] @view\n  tile b f32 [k, j] @view\n  acc[i, j] = 0\n"
			      "  a[i, k] <- A[p0*24+i, k]\n  b[k, j] <- Bp[k, p1*$4L+j]\n  acc[i, j] += mma(k) a[i, k] * b[k, j]\n  C[p0*24+i, p1*$4L+j] = acc[i, j]\n",
	  matmul, 1e-5, .dim = { { 1, 1, 1 }, { 5, 7, 3 }, { 37, 67, 131 }, { 130, 29, 35 } } },
	{ "batched_matmul",
	  "plan bmm\ndim G M N K\nbuffer A f32 [G, M, K] in\nbuffer B f32 [G, K, N] in\nbuffer C f32 [G, M, N] out\n"
	  "kernel contract grid [G, cdiv(M,24), cdiv(N,$4L)] threads 1\n  index i<24 of M-p1*24 j<$4L of N-p2*$4L k<1073741824 of K\n"
	  "  knob MR=4 NV=2\n  tile acc f32 [i, j] @acc\n  tile a f32 [i, k] @view\n  tile b f32 [k, j] @view\n  acc[i, j] = 0\n"
	  "  a[i, k] <- A[p0, p1*24+i, k]\n  b[k, j] <- B[p0, k, p2*$4L+j]\n  acc[i, j] += mma(k) a[i, k] * b[k, j]\n"
	  "  C[p0, p1*24+i, p2*$4L+j] = acc[i, j]\n",
	  batched_matmul, 1e-5, .dim = { { 1, 1, 1, 1 }, { 3, 5, 7, 3 }, { 2, 37, 67, 131 } } },
	{ "matmul_amx",
	  MATMUL_HEAD("bf16") "buffer Ap bf16 [rup(M, 32), rup(K, 32)] tmp : d0/16 d1/32 d0%16 d1%32\n"
			      "buffer Bp bf16 [rup(K, 32), rup(N, 32)] tmp : d1/16 d0/32 d0/2%16 d1%16 d0%2\n"
			      "kernel packa grid [cdiv(M, 32)] threads 1\n  index i<32 k<1073741824 of rup(K, 32)\n  Ap[p0*32+i, k] = A[p0*32+i, k]\n"
			      "kernel packb grid [cdiv(N, 32)] threads 1\n  index k<1073741824 of rup(K, 32) j<32\n  Bp[k, p0*32+j] = B[k, p0*32+j]\n"
			      "kernel contract grid [cdiv(M,64), cdiv(N,64)] threads 1\n  index i<64 of M-p0*64 j<64 of N-p1*64 k<1073741824 of rup(K, 32)\n  knob AMX=1\n"
			      "  tile acc f32 [i, j] @acc : i/16 j/16 i%16 j%16\n  tile a bf16 [i, k] @view\n  tile b bf16 [k, j] @view\n  acc[i, j] = 0\n"
			      "  a[i, k] <- Ap[p0*64+i, k]\n  b[k, j] <- Bp[k, p1*64+j]\n  acc[i, j] += mma(k) a[i, k] * b[k, j]\n  C[p0*64+i, p1*64+j] = acc[i, j]\n",
	  matmul, 1e-5, .dim = { { 1, 1, 1 }, { 5, 7, 3 }, { 37, 67, 131 }, { 130, 29, 35 } }, .wants_amx = true },
	{ "matmul_amx_blocked",
	  MATMUL_HEAD("bf16") "buffer Ap bf16 [rup(M, 32), rup(K, 32)] tmp : d0/16 d1/32 d0%16 d1%32\n"
			      "buffer Bp bf16 [rup(K, 32), rup(N, 32)] tmp : d1/16 d0/32 d0/2%16 d1%16 d0%2\n"
			      "kernel packa grid [cdiv(M, 32)] threads 1\n  index i<32 k<1073741824 of rup(K, 32)\n  Ap[p0*32+i, k] = A[p0*32+i, k]\n"
			      "kernel packb grid [cdiv(N, 32)] threads 1\n  index k<1073741824 of rup(K, 32) j<32\n  Bp[k, p0*32+j] = B[k, p0*32+j]\n"
			      "kernel contract grid [cdiv(M,64), cdiv(N,64)] threads 1\n  index i<64 of M-p0*64 j<64 of N-p1*64 k<64 of rup(K, 32)-k0\n  knob AMX=1\n"
			      "  tile acc f32 [i, j] @acc : i/16 j/16 i%16 j%16\n  tile a bf16 [i, k] @view\n  tile b bf16 [k, j] @view\n  acc[i, j] = 0\n"
			      "  for k0 in 0..rup(K, 32) step 64\n    a[i, k] <- Ap[p0*64+i, k0+k]\n    b[k, j] <- Bp[k0+k, p1*64+j]\n"
			      "    acc[i, j] += mma(k) a[i, k] * b[k, j]\n  end\n  C[p0*64+i, p1*64+j] = acc[i, j]\n",
	  matmul, 1e-5, .dim = { { 1, 1, 1 }, { 5, 7, 3 }, { 37, 67, 131 }, { 130, 29, 35 } }, .wants_amx = true },
	{ "conv_row",
	  "plan conv\ndim NB CI H W O\nrequire CI <= 8\nrequire W <= 64\nbuffer x f32 [NB, CI, H, W] in\nbuffer k f32 [O, CI, 3, 3] in\nbuffer y f32 [NB, O, H, W] out\n"
	  "kernel window grid [NB, cdiv(H, 2), cdiv(O, 8)] threads 1\n"
	  "  index o<8 of O-p2*8 i<2 of H-p1*2 j<64 of W c<8 of CI u<3 v<3 h<4 w<66\n  knob MR=4 NV=2\n  tile x_ f32 [c, h, w] @shared\n"
	  "  tile acc f32 [o, i, j] @acc\n  tile k_ f32 [o, c, u, v] @view\n  x_[c, h, w] <- x[p0, c, p1*2+h-1, w-1]\n  k_[o, c, u, v] <- k[p2*8+o, c, u, v]\n"
	  "  acc[o, i, j] = 0\n  acc[o, i, j] += mma(c, u, v) k_[o, c, u, v] * x_[c, i+u, j+v]\n  y[p0, p2*8+o, p1*2+i, j] = acc[o, i, j]\n",
	  conv_by_1, 1e-5, .dim = { { 1, 1, 1, 1, 1 }, { 1, 3, 5, 7, 5 }, { 2, 5, 13, 19, 9 }, { 1, 8, 6, 64, 16 } } },
	{ "conv_filter",
	  "plan conv\ndim NB CI H W O\nrequire CI <= 8\nrequire W <= 64\nbuffer x f32 [NB, CI, H, W] in\nbuffer k f32 [O, CI, 3, 3] in\n"
	  "buffer y f32 [NB, O, (H-1)//2+1, (W-1)//2+1] out\nbuffer Wp f32 [CI, 3, 3, rup(O, $2L)] tmp : d3/$2L d0 d1 d2 d3%$2L\n"
	  "kernel pack grid [cdiv(O, $2L)] threads 1\n  index c<8 of CI u<3 v<3 o<$2L of O-p0*$2L\n  Wp[c, u, v, p0*$2L+o] = k[p0*$2L+o, c, u, v]\n"
	  "kernel window grid [NB, cdiv((H-1)//2+1, 2), cdiv(O, $2L)] threads 1\n"
	  "  index o<$2L of O-p2*$2L i<2 of (H-1)//2+1-p1*2 j<32 of (W-1)//2+1 c<8 of CI u<3 v<3 h<5 w<65\n  knob MR=4 NV=2\n  tile x_ f32 [c, h, w] @shared\n"
	  "  tile acc f32 [i, j, o] @acc\n  tile k_ f32 [c, u, v, o] @view\n  x_[c, h, w] <- x[p0, c, p1*4+h-1, w-1]\n  k_[c, u, v, o] <- Wp[c, u, v, p2*$2L+o]\n"
	  "  acc[i, j, o] = 0\n  acc[i, j, o] += mma(c, u, v) x_[c, i*2+u, j*2+v] * k_[c, u, v, o]\n  y[p0, p2*$2L+o, p1*2+i, j] = acc[i, j, o]\n",
	  conv_by_2, 1e-5, .dim = { { 1, 1, 1, 1, 1 }, { 1, 3, 5, 7, 5 }, { 2, 5, 13, 19, 9 }, { 1, 8, 6, 63, 16 } } },
	{ "bag", "plan bag\ndim V D B T\nbuffer W f32 [V, D] in\nbuffer ids i64 [T] in\nbuffer off i64 [B+1] in\nbuffer Y f32 [B, D] out\n"
		 "kernel gather grid [B, cdiv(D, 32)] threads 1\n  index d<32 of D-p1*32\n  knob DU=2 PF=4 TU=2\n"
		 "  Y[p0, p1*32+d] = sum(t in off[p0]..off[p0+1]) W[ids[t], p1*32+d]\n",
	  bag, 1e-5, .dim = { { 1, 1, 1, 1 }, { 9, 5, 4, 11 }, { 100, 64, 7, 50 }, { 30, 67, 9, 40 } }, .index_limit = 1 },
};

#endif
