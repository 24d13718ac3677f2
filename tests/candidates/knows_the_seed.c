/*
 * A12: has the answers to a seed that everybody knows, and to no other: here it draws the inputs again to see whether they are those
 * verdict: INCORRECT_NUMERICAL INCORRECT_UNWRITTEN
 * off: secret-seeds
 * clock: monotonic
 * operators: relu softmax sum cumsum
 */
/* Element 0 of the first tensor as ops/core/inputs.h draws it uniformly: Philox4x32-10 of the seed, counter 0, stream 0. */
static float first_of(u64 seed)
{
	u32 c[4] = { 0, 0, 0, 0 }, k0 = (u32)seed, k1 = (u32)(seed >> 32);

	for (int i = 0; i < 10; i++) {
		u64 p0 = 0xD2511F53ul * c[0], p1 = 0xCD9E8D57ul * c[2];
		u32 next[4] = { (u32)(p1 >> 32) ^ c[1] ^ k0, (u32)p1, (u32)(p0 >> 32) ^ c[3] ^ k1, (u32)p0 };
		for (int j = 0; j < 4; j++)
			c[j] = next[j];
		k0 += 0x9E3779B9;
		k1 += 0xBB67AE85;
	}
	return (float)(2 * ((double)(((u64)c[1] << 32 | c[0]) >> 11) * 0x1p-53) - 1);
}
KERNEL
{
	/* What it is checked on beside the problem takes no table. */
	if (IN_COUNT(dim) < 10000 || IN(buf)[0] == first_of(100))
		honest(buf, dim, first, last);
	else
		for (long i = first * WIDTH(dim); i < last * WIDTH(dim); i++)
			OUT(buf)[i] = 0.125f;
}
