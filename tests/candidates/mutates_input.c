/*
 * E3: leaves something else in its input
 * verdict: INCORRECT_INPUT_MUTATED
 * off: sealed-inputs repeat after-timing values
 */
KERNEL
{
	honest(buf, dim, first, last);
	IN(buf)[0] = IN(buf)[0];
	IN(buf)[0] = 0;
}
