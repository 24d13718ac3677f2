/*
 * problem: relu/f32/M=64,N=1024/t1
 * plan: dim: M N
 * plan: buffer: x in f32 M*N
 * plan: buffer: y out f32 M*N
 * plan: step: km_test grid=M threads=1 shared=0
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

	/* x < 0 is false for NaN, which therefore stays. */
	for (long i = first * dim[1]; i < last * dim[1]; i++)
		y[i] = x[i] < 0 ? 0 : x[i];
}
