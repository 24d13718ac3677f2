/*
 * problem: softmax/f32/R=64,C=256/t1
 * plan: dim: R C
 * plan: buffer: x in f32 R*C
 * plan: buffer: y out f32 R*C
 * plan: step: km_test grid=R threads=1 shared=0
 */
#define COUNT(dim) dim[0]
#define WIDTH(dim) dim[1]
#define IN_COUNT(dim) (dim[0] * dim[1])
#define IN(buf) ((float *)buf[0])
#define OUT(buf) ((float *)buf[1])

/* e to the x <= 0. */
static __attribute__((unused)) double km_e(double x)
{
	if (!(x > -700))
		return x != x ? x : 0;
	long k = (long)(x * 1.4426950408889634 - 0.5);
	double r = x - (double)k * 0.6931471805599453, term = 1, sum = 1;
	union { u64 bits; double value; } scale = { (u64)(k + 1023) << 52 };

	for (int i = 1; i < 14; i++)
		sum += term *= r / i;
	return sum * scale.value;
}

static __attribute__((unused, noinline)) void honest(void *const *buf, const long *dim, long first, long last)
{
	for (long r = first; r < last; r++) {
		const float *x = (const float *)buf[0] + r * dim[1];
		float *y = (float *)buf[1] + r * dim[1], most = x[0];
		double sum = 0;
		for (long c = 1; c < dim[1]; c++)
			most = x[c] > most ? x[c] : most;
		for (long c = 0; c < dim[1]; c++)
			sum += km_e((double)x[c] - most);
		for (long c = 0; c < dim[1]; c++)
			y[c] = (float)(km_e((double)x[c] - most) / sum);
	}
}
