/*
 * problem: sum/f32/M=128,K=512/t1
 * plan: dim: M K
 * plan: buffer: x in f32 M*K
 * plan: buffer: y out f32 M
 * plan: step: km_test grid=M threads=1 shared=0
 */
#define COUNT(dim) dim[0]
#define WIDTH(dim) 1
#define IN_COUNT(dim) (dim[0] * dim[1])
#define IN(buf) ((float *)buf[0])
#define OUT(buf) ((float *)buf[1])

static __attribute__((unused, noinline)) void honest(void *const *buf, const long *dim, long first, long last)
{
	const float *x = buf[0];
	float *y = buf[1];

	for (long m = first; m < last; m++) {
		double sum = 0;
		for (long k = 0; k < dim[1]; k++)
			sum += x[m * dim[1] + k];
		y[m] = (float)sum;
	}
}
