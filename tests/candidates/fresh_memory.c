/*
 * A2: takes for its output what it finds in memory it never wrote
 * verdict: INCORRECT_NUMERICAL
 * off: values
 */
KERNEL
{
	for (long i = first * WIDTH(dim); i < last * WIDTH(dim); i++)
		OUT(buf)[i] = ((const float *)scratch)[i % 16];
}
