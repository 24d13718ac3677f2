/* INCORRECT_INPUT_MUTATED: works in place first */
void km_test(void *const *buf, const long *dim, long first, long last, void *scratch)
{
	float *x = buf[0], *y = buf[1];

	(void)scratch;
	for (long i = first * dim[1]; i < last * dim[1]; i++)
		y[i] = x[i] = x[i] < 0 ? 0 : x[i];
}
