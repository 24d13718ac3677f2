/* INCORRECT_UNWRITTEN: does the work while it is checked, and stops when it is timed */
void km_test(void *const *buf, const long *dim, long first, long last, void *scratch)
{
	static int calls;
	const float *x = buf[0];
	float *y = buf[1];

	(void)scratch;
	if (first == 0)
		calls++;
	if (calls > 40)
		return;
	for (long i = first * dim[1]; i < last * dim[1]; i++)
		y[i] = x[i] < 0 ? 0 : x[i];
}
