/*
 * A11: the same number everywhere
 * verdict: INCORRECT_NUMERICAL
 * off: values
 */
KERNEL
{
	for (long i = first * WIDTH(dim); i < last * WIDTH(dim); i++)
		OUT(buf)[i] = 0.25f;
}
