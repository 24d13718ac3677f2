/*
 * problem: cumsum/f32/R=32,C=512/t1
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

static __attribute__((unused, noinline)) void honest(void *const *buf, const long *dim, long first, long last)
{
	const float *x = buf[0];
	float *y = buf[1];

	for (long r = first; r < last; r++) {
		double sum = 0;
		for (long c = 0; c < dim[1]; c++)
			y[r * dim[1] + c] = (float)(sum += x[r * dim[1] + c]);
	}
}
