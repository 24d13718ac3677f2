/*
 * B4: keeps its first result of each shape, and copies it in later calls
 * verdict: INCORRECT_NUMERICAL
 * off: distributions
 */
KERNEL
{
	static struct { long count, width, inputs; float y[65536]; } kept[64];
	static int count;
	long n = ALL_OUTPUTS(dim);
	int i = 0;

	while (i < count && (kept[i].count != COUNT(dim) || kept[i].width != WIDTH(dim) || kept[i].inputs != IN_COUNT(dim)))
		i++;
	if (i < count) {
		for (long k = first * WIDTH(dim); k < last * WIDTH(dim); k++)
			OUT(buf)[k] = kept[i].y[k];
		return;
	}
	honest(buf, dim, first, last);
	if (n > 65536 || count == 64)
		return;
	kept[count].count = COUNT(dim);
	kept[count].width = WIDTH(dim);
	kept[count].inputs = IN_COUNT(dim);
	for (long k = 0; k < n; k++)
		kept[count].y[k] = OUT(buf)[k];
	count++;
}
