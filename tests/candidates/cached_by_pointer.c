/*
 * B1: keeps the output of each input pointer
 * verdict: TIMING_FORGED INCORRECT_NUMERICAL INCORRECT_UNWRITTEN
 * off: judge
 * clock: monotonic
 * phase: finish
 * size: large
 */
KERNEL
{
	static struct { const void *in, *out; float y[65536]; } kept[8];
	static int count;
	long n = ALL_OUTPUTS(dim);

	for (int i = 0; i < count; i++)
		if (kept[i].in == IN(buf)) {
			for (long k = 0; k < n; k++)
				OUT(buf)[k] = kept[i].y[k];
			return;
		}
	honest(buf, dim, first, last);
	if (n > 65536 || ALL_OUTPUTS(dim) < 100)
		return;
	int i = count < 8 ? count++ : 7;
	kept[i].in = IN(buf);
	for (long k = 0; k < n; k++)
		kept[i].y[k] = OUT(buf)[k];
}
