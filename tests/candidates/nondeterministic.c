/*
 * N9: right within the tolerance, but not twice alike
 * verdict: NONDETERMINISTIC
 * off: repeat
 * operators: relu softmax matmul sum cumsum
 */
KERNEL
{
	static int calls;

	honest(buf, dim, first, last);
	/* The last bit of a few elements, on the problem itself. */
	if (IN_COUNT(dim) >= 2048 && ++calls % 2)
		for (long i = 0; i < 64 && i < ALL_OUTPUTS(dim); i++)
			if (OUT(buf)[i] > 0x1p-10f)
				((u32 *)OUT(buf))[i] ^= 1;
}
