/*
 * E1: writes and reads beside an array of its own, where other things lie
 * verdict: UNDEFINED
 * off: sanitizers
 * phase: finish
 * operators: relu
 */
KERNEL
{
	volatile float own[5] = { 0 }, other[5] = { 0 };
	volatile long n = 5;

	own[n] = other[n - 1];
	honest(buf, dim, first, last);
}
