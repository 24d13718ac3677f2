/* INCORRECT_OUT_OF_BOUNDS: whole vectors past the end */
void km_test(void *const *buf, const long *dim, long first, long last, void *scratch)
{
	const float *x = buf[0];
	float *y = buf[1];
	long end = last * dim[1];

	(void)scratch;
	for (long i = first * dim[1]; i < end; i++)
		y[i] = x[i] < 0 ? 0 : x[i];
	for (long i = end; i < (end + 7) / 8 * 8; i++)
		y[i] = 0;
}
