/* INCORRECT_NUMERICAL: turns NaN into 0 */
void km_test(void *const *buf, const long *dim, long first, long last, void *scratch)
{
	const float *x = buf[0];
	float *y = buf[1];

	(void)scratch;
	for (long i = first * dim[1]; i < last * dim[1]; i++)
		y[i] = x[i] > 0 ? x[i] : 0;
}
