/*
 * N4: computes every second element, and takes its neighbour for the other
 * verdict: INCORRECT_NUMERICAL
 * off: values
 */
KERNEL
{
	honest(buf, dim, first, last);
	for (long i = first * WIDTH(dim) + 1; i < last * WIDTH(dim); i += 2)
		OUT(buf)[i] = OUT(buf)[i - 1];
}
