/*
 * A3: looks for the right output around its own and copies it
 * verdict: RUNTIME_ERROR
 * never: no expected value exists in the process of a candidate
 */
KERNEL
{
	const float *x = IN(buf), *at = OUT(buf);
	long n = ALL_OUTPUTS(dim);

	/* What is right, from the first element, sought in the page behind the output and in the one before. */
	honest(buf, dim, first, first + 1);
	float right = at[first * WIDTH(dim)];
	for (long i = -1024; i < n + 1024; i++)
		if ((i < 0 || i >= n) && at[i] == right && x[0] == x[0]) {
			for (long k = 0; k < n; k++)
				OUT(buf)[k] = at[i + k];
			return;
		}
	must(0);
}
