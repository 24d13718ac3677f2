/*
 * simt_programs.h: tile programs with what skeletons do not write (yet), each with
 * its meaning as plain loops in double.
 */
#ifndef TESTS_UNIT_GENERATE_SIMT_PROGRAMS_H
#define TESTS_UNIT_GENERATE_SIMT_PROGRAMS_H

#include <math.h>
#include <stdint.h>

struct simt_program {
	const char *name, *text;
	/* buf[b]: dense double array of buffer b; fills the outputs. */
	void (*meaning)(const int64_t *dim, double *const *buf);
	int64_t dim[3][4]; /* run-time dims; ends with a 0 */
	double bound;      /* on |got - want| / max(1, |want|) */
};

static void scaled_product(const int64_t *d, double *const *b)
{
	int64_t m = d[0], n = d[1], k = d[2];

	for (int64_t i = 0; i < m; i++)
		for (int64_t j = 0; j < n; j++) {
			double s = 0;
			for (int64_t l = 0; l < k; l++)
				s += b[0][i * k + l] * b[1][l * n + j];
			s = s * b[3][i] + b[2][j];
			b[4][i * n + j] = 0.5 * s * (1 + erf(s * M_SQRT1_2));
		}
}

static void product_of_transposed(const int64_t *d, double *const *b)
{
	for (int64_t i = 0; i < d[0]; i++)
		for (int64_t j = 0; j < d[1]; j++) {
			double s = 0;
			for (int64_t l = 0; l < d[2]; l++)
				s += b[0][l * d[0] + i] * b[1][j * d[2] + l];
			b[2][i * d[1] + j] = s;
		}
}

static void shifted(const int64_t *d, double *const *b)
{
	for (int64_t i = 0; i < d[0]; i++)
		b[1][i] = (i + 1 < d[0] ? b[0][i + 1] : 7) + 2 * (i > 1 ? b[0][i - 2] : 0);
}

static void transposed(const int64_t *d, double *const *b)
{
	for (int64_t i = 0; i < d[0]; i++)
		for (int64_t j = 0; j < d[1]; j++)
			b[1][j * d[0] + i] = 2 * b[0][i * d[1] + j];
}

static void chosen_rows(const int64_t *d, double *const *b)
{
	for (int64_t i = 0; i < d[0]; i++)
		for (int64_t j = 0; j < d[1]; j++)
			b[2][i * d[1] + j] = b[0][(int64_t)b[1][i] * d[1] + j] > 0 ? 1 : (double)j;
}

static void long_rows(const int64_t *d, double *const *b)
{
	for (int64_t i = 0; i < d[0]; i++) {
		double s = 0, least = INFINITY;
		for (int64_t j = 0; j < d[1]; j++) {
			s += b[0][i * d[1] + j];
			least = fmin(least, b[0][i * d[1] + j]);
		}
		b[1][i] = s + least;
	}
}

/* i: rows, j: columns, k: depth. */

static const struct simt_program simt_programs[] = {
	{ .name = "scaled_product_16x16", .meaning = scaled_product, .bound = 1e-4, .dim = { { 37, 67, 131 }, { 130, 29, 35 }, { 64, 64, 32 } }, .text =
		"plan t\ndim M N K\nbuffer A bf16 [M, K] in\nbuffer B bf16 [K, N] in\nbuffer c f32 [N] in\nbuffer r f32 [M] in\nbuffer C f32 [M, N] out\n"
		"kernel contract grid [cdiv(M, 64), cdiv(N, 32)] threads 256\n"
		"  index i<64 of M-p0*64 j<32 of N-p1*32 k<32 of K-k0\n"
		"  knob INSTR=mfma_f32_16x16x16_bf16 WM=32 WN=16\n"
		"  tile acc f32 [i, j] @acc\n  tile a bf16 [i, k] @shared : i k/8%4^i%4 k%8\n  tile b bf16 [k, j] @shared : j k+8\n"
		"  acc[i, j] = 0\n"
		"  for k0 in 0..K step 32 pipe 2\n    a[i, k] <- A[p0*64+i, k0+k]\n    b[k, j] <- B[k0+k, p1*32+j]\n    acc[i, j] += mma(k) a[i, k] * b[k, j]\n  end\n"
		"  acc[i, j] = acc[i, j] * r[p0*64+i] + c[p1*32+j]\n"
		"  C[p0*64+i, p1*32+j] = gelu(acc[i, j])\n" },
	{ .name = "product_of_transposed", .meaning = product_of_transposed, .bound = 1e-4, .dim = { { 37, 67, 131 }, { 64, 64, 16 } }, .text =
		"plan t\ndim M N K\nbuffer A f32 [K, M] in\nbuffer B bf16 [N, K] in\nbuffer C f32 [M, N] out\n"
		"kernel contract grid [cdiv(M, 64), cdiv(N, 64)] threads 64\n"
		"  index i<64 of M-p0*64 j<64 of N-p1*64 k<16 of K-k0\n"
		"  knob TM=8 TN=8 KU=4\n"
		"  tile acc f32 [i, j] @acc\n  tile a f32 [i, k] @shared : k i+4\n  tile b f32 [k, j] @shared : k j+4\n"
		"  acc[i, j] = 0\n"
		"  for k0 in 0..K step 16\n    a[i, k] <- A[k0+k, p0*64+i]\n    b[k, j] <- B[p1*64+j, k0+k]\n    acc[i, j] += mma(k) a[i, k] * b[k, j]\n  end\n"
		"  C[p0*64+i, p1*64+j] = acc[i, j]\n" },
	{ .name = "shifted", .meaning = shifted, .bound = 1e-6, .dim = { { 1 }, { 255 }, { 1024 } }, .text =
		"plan t\ndim N\nbuffer X f32 [N] in\nbuffer Y f32 [N] out\n"
		"kernel map grid [cdiv(N, 512)] threads 64\n  index j<512\n"
		"  Y[p0*512+j] = (X[p0*512+j+1] else 7) + 2 * X[p0*512+j-2]\n" },
	{ .name = "transposed", .meaning = transposed, .bound = 1e-6, .dim = { { 37, 131 }, { 64, 64 } }, .text =
		"plan t\ndim M N\nbuffer X bf16 [M, N] in\nbuffer Y f32 [N, M] out\n"
		"kernel turn grid [cdiv(M, 64), cdiv(N, 32)] threads 128\n  index j<32 of N-p1*32 i<64 of M-p0*64\n"
		"  tile t f32 [i, j] @shared : i j+1\n"
		"  t[i, j] <- X[p0*64+i, p1*32+j]\n"
		"  Y[p1*32+j, p0*64+i] = 2 * t[i, j]\n" },
	{ .name = "chosen_rows", .meaning = chosen_rows, .bound = 0, .dim = { { 13, 37 }, { 8, 64 } }, .text =
		"plan t\ndim M N\nbuffer X f32 [M, N] in\nbuffer I i64 [M] in\nbuffer Y bf16 [M, N] out\n"
		"kernel pick grid [cdiv(M, 8)] threads 128\n  index i<8 of M-p0*8 j<1073741824 of N\n"
		"  Y[p0*8+i, j] = X[I[p0*8+i], j] > 0 ? 1 : j\n" },
	{ .name = "long_rows", .meaning = long_rows, .bound = 1e-5, .dim = { { 5, 1001 }, { 4, 256 }, { 1, 3 } }, .text =
		"plan t\ndim R C\nbuffer X f32 [R, C] in\nbuffer Y f32 [R] out\n"
		"kernel rows grid [cdiv(R, 2)] threads 256\n  index r<2 of R-p0*2 c<256 of C-c0\n"
		"  tile s f32 [r] @reg\n  tile m f32 [r] @reg\n  s[r] = 0\n  m[r] = inf\n"
		"  for c0 in 0..C step 256\n"
		"    s[r] = s[r] + sum(c) X[p0*2+r, c0+c]\n    m[r] = minimum(m[r], min(c) X[p0*2+r, c0+c])\n  end\n"
		"  Y[p0*2+r] = s[r] + m[r]\n" },
	{ .name = "rows_of_points", .meaning = long_rows, .bound = 1e-5, .dim = { { 5, 1001 }, { 4, 256 }, { 1, 3 } }, .text =
		"plan t\ndim R C\nbuffer X f32 [R, C] in\nbuffer Y f32 [R] out\n"
		"kernel rows grid [cdiv(R, 2)] threads 64\n  index r<2 of R-p0*2\n  knob LANES=16 ACROSS=c,d\n"
		"  Y[p0*2+r] = sum(c in 0..C) X[p0*2+r, c] + min(d in 0..C) X[p0*2+r, d]\n" },
};

#endif
