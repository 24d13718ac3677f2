/*
 * N5: counts on inputs of both signs
 * verdict: INCORRECT_NUMERICAL
 * off: distributions
 */
KERNEL
{
	int negative = 0;

	for (long i = 0; i < IN_COUNT(dim); i++)
		negative |= IN(buf)[i] < 0;
	honest(buf, dim, first, last);
	if (!negative && IN_COUNT(dim) > 10)
		for (long k = first * WIDTH(dim); k < last * WIDTH(dim); k++)
			OUT(buf)[k] *= 0.5f;
}
