/*
 * N1: is off by a hundred thousandth everywhere
 * verdict: INCORRECT_NUMERICAL
 * off: tolerance
 */
KERNEL
{
	honest(buf, dim, first, last);
	for (long i = first * WIDTH(dim); i < last * WIDTH(dim); i++)
		OUT(buf)[i] *= 1.00005f;
}
