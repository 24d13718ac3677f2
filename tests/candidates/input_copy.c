/*
 * A10: hands its input through
 * verdict: INCORRECT_NUMERICAL
 * off: values
 */
KERNEL
{
	for (long i = first * WIDTH(dim); i < last * WIDTH(dim); i++)
		OUT(buf)[i] = IN(buf)[i % IN_COUNT(dim)];
}
