/* NONDETERMINISTIC: within the tolerance, but not twice alike */
void km_test(void *const *buf, const long *dim, long first, long last, void *scratch)
{
	static int calls;
	const float *x = buf[0];
	float *y = buf[1];

	(void)scratch;
	for (long i = first * dim[1]; i < last * dim[1]; i++)
		y[i] = x[i] < 0 ? 0 : x[i];
	/* The last bit of one element, on the problem itself. */
	if (first == 0 && dim[1] == 1024 && ++calls % 2)
		for (long i = 0; i < 64; i++)
			if (y[i] > 0.5f && y[i] < 1)
				y[i] *= 1 + 0x1p-23f;
}
