/*
 * N3: leaves out what does not fill a vector
 * verdict: INCORRECT_UNWRITTEN INCORRECT_NUMERICAL
 * off: check-shapes
 */
KERNEL
{
	for (long i = first; i < last; i++) {
		static float row[1 << 16];
		long n = WIDTH(dim);
		for (long k = 0; k < n; k++)
			row[k] = OUT(buf)[i * n + k];
		honest(buf, dim, i, i + 1);
		for (long k = n > 1 ? n / 8 * 8 : n; k < n; k++)
			OUT(buf)[i * n + k] = row[k];
	}
	if (WIDTH(dim) == 1 && last % 8)
		OUT(buf)[last - 1] = 0;
}
