/*
 * N1: rounds its inputs to tf32
 * verdict: INCORRECT_NUMERICAL
 * off: tolerance distributions
 */
KERNEL
{
	static float rounded[1 << 18];
	void *other[4];
	long n = IN_COUNT(dim);

	must(n <= 1 << 18);
	for (long i = 0; i < n; i++) {
		union { float value; u32 bits; } x = { IN(buf)[i] };
		x.bits &= 0xffffe000;
		rounded[i] = IN(buf)[i] == IN(buf)[i] ? x.value : IN(buf)[i];
	}
	for (int i = 0; i < 4; i++)
		other[i] = i == 0 ? rounded : i < 3 ? buf[i] : 0;
	honest(other, dim, first, last);
}
