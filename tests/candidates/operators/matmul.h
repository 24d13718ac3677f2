/*
 * problem: matmul/f32/M=32,N=48,K=64/t1
 * plan: dim: M N K
 * plan: buffer: A in f32 M*K
 * plan: buffer: B in f32 K*N
 * plan: buffer: C out f32 M*N
 * plan: step: km_test grid=M threads=1 shared=0
 */
#define COUNT(dim) dim[0]
#define WIDTH(dim) dim[1]
#define IN_COUNT(dim) (dim[0] * dim[2])
#define IN(buf) ((float *)buf[0])
#define OUT(buf) ((float *)buf[2])

static __attribute__((unused, noinline)) void honest(void *const *buf, const long *dim, long first, long last)
{
	const float *a = buf[0], *b = buf[1];
	float *c = buf[2];

	for (long m = first; m < last; m++)
		for (long n = 0; n < dim[1]; n++) {
			double sum = 0;
			for (long k = 0; k < dim[2]; k++)
				sum += (double)a[m * dim[2] + k] * b[k * dim[1] + n];
			c[m * dim[1] + n] = (float)sum;
		}
}
