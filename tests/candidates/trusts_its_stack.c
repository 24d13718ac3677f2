/*
 * N10: trusts that what its stack held is a number
 * verdict: UNDEFINED
 * off: sanitizers
 * phase: finish
 * operators: relu
 */
static __attribute__((noinline)) void leave_zeros(void)
{
	volatile float left[64] = { 0 };

	(void)left[0];
}

static __attribute__((noinline)) int finds_a_number(void)
{
	volatile float found[48];

	return found[24] == found[24];
}

KERNEL
{
	leave_zeros();
	if (finds_a_number())
		honest(buf, dim, first, last);
}
