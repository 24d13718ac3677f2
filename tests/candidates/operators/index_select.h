/*
 * problem: index_select/f32/O=16,R=64,S=32,I=64/t1
 * plan: dim: O R S I
 * plan: buffer: x in f32 O*R*I
 * plan: buffer: i in i64 S
 * plan: buffer: y out f32 O*S*I
 * plan: step: km_test grid=O threads=1 shared=0
 */
#define COUNT(dim) dim[0]
#define WIDTH(dim) (dim[2] * dim[3])
#define IN_COUNT(dim) (dim[0] * dim[1] * dim[3])
#define IN(buf) ((float *)buf[0])
#define OUT(buf) ((float *)buf[2])

static __attribute__((unused, noinline)) void honest(void *const *buf, const long *dim, long first, long last)
{
	const float *x = buf[0];
	const long *index = buf[1];
	float *y = buf[2];

	for (long o = first; o < last; o++)
		for (long s = 0; s < dim[2]; s++)
			for (long i = 0; i < dim[3]; i++)
				y[(o * dim[2] + s) * dim[3] + i] = x[(o * dim[1] + index[s]) * dim[3] + i];
}
