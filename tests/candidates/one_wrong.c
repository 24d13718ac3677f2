/* INCORRECT_NUMERICAL: one element of one row, only where shapes are odd */
void km_test(void *const *buf, const long *dim, long first, long last, void *scratch)
{
	const float *x = buf[0];
	float *y = buf[1];

	(void)scratch;
	for (long i = first * dim[1]; i < last * dim[1]; i++)
		y[i] = x[i] < 0 ? 0 : x[i];
	if (dim[1] % 2 && first == 0 && dim[1] > 3)
		y[3] += 0.125f;
}
