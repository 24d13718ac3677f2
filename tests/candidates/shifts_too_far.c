/*
 * N5: shifts by more than there are bits, as if no shift were large
 * verdict: UNDEFINED
 * off: sanitizers
 * phase: finish
 * operators: relu
 * size: large
 */
KERNEL
{
	volatile int bits = 32;
	volatile int shifted = 1 << bits;

	(void)shifted;
	honest(buf, dim, first, last);
}
