/*
 * E6: leaves the direction flag set
 * verdict: RUNTIME_ERROR INCORRECT_OUT_OF_BOUNDS INCORRECT_STATE
 * off: judge
 * clock: monotonic
 * phase: finish
 * size: large
 */
KERNEL
{
	honest(buf, dim, first, last);
	__asm__ volatile("std");
}
