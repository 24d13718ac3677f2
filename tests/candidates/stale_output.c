/*
 * A1: writes each output once, and later trusts that it is still there
 * verdict: INCORRECT_UNWRITTEN NONDETERMINISTIC
 * off: poison
 */
KERNEL
{
	static const void *written[512];
	static int count;

	for (int i = 0; i < count; i++)
		if (written[i] == OUT(buf))
			return;
	if (count < 512)
		written[count++] = OUT(buf);
	honest(buf, dim, first, last);
}
