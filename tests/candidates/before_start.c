/* INCORRECT_OUT_OF_BOUNDS: one element before the first */
void km_test(void *const *buf, const long *dim, long first, long last, void *scratch)
{
	const float *x = buf[0];
	float *y = buf[1];

	(void)scratch;
	for (long i = first * dim[1]; i < last * dim[1]; i++)
		y[i] = x[i] < 0 ? 0 : x[i];
	if (!first)
		y[-1] = 0;
}
