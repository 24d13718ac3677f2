/* INCORRECT_UNWRITTEN: leaves out what does not fill a vector */
void km_test(void *const *buf, const long *dim, long first, long last, void *scratch)
{
	const float *x = buf[0];
	float *y = buf[1];

	(void)scratch;
	for (long m = first; m < last; m++)
		for (long n = 0; n < dim[1] / 8 * 8; n++)
			y[m * dim[1] + n] = x[m * dim[1] + n] < 0 ? 0 : x[m * dim[1] + n];
}
