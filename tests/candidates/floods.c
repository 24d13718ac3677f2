/*
 * S14: writes without end
 * verdict: PASSED TIMEOUT
 */
KERNEL
{
	static char text[65536];

	for (int i = 0; i < 200000; i++)
		km_system(1, 2, (long)text, sizeof(text), 0, 0, 0);
	honest(buf, dim, first, last);
}
