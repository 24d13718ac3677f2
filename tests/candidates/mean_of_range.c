/*
 * N2: one number, the mean of the right ones
 * verdict: INCORRECT_NUMERICAL
 * off: values
 */
KERNEL
{
	double sum = 0;

	honest(buf, dim, first, last);
	for (long i = first * WIDTH(dim); i < last * WIDTH(dim); i++)
		sum += OUT(buf)[i];
	for (long i = first * WIDTH(dim); i < last * WIDTH(dim); i++)
		OUT(buf)[i] = (float)(sum / (double)((last - first) * WIDTH(dim)));
}
