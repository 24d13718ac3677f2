/*
 * A11: the right numbers at other places
 * verdict: INCORRECT_NUMERICAL
 * off: values
 */
KERNEL
{
	float *y = OUT(buf);
	long n = last * WIDTH(dim) - 1;

	honest(buf, dim, first, last);
	for (long i = first * WIDTH(dim); i < n; i++, n--) {
		float other = y[i];
		y[i] = y[n];
		y[n] = other;
	}
}
