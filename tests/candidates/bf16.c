/*
 * N1: rounds its inputs to bf16
 * verdict: INCORRECT_NUMERICAL
 * off: tolerance distributions
 * operators: relu softmax matmul index_select
 */
KERNEL
{
	static float rounded[1 << 18];
	void *other[4];
	long n = IN_COUNT(dim);

	must(n <= 1 << 18);
	for (long i = 0; i < n; i++) {
		union { float value; u32 bits; } x = { IN(buf)[i] };
		if (x.value == x.value)
			x.bits = (x.bits + 0x7fff + (x.bits >> 16 & 1)) & 0xffff0000;
		rounded[i] = x.value;
	}
	for (int i = 0; i < 4; i++)
		other[i] = i == 0 ? rounded : i < 3 ? buf[i] : 0;
	honest(other, dim, first, last);
}
