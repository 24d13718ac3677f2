/*
 * T11: finds on the stack when its timing began, and moves it
 * verdict: TIMING_FORGED INCORRECT_NUMERICAL INCORRECT_UNWRITTEN
 * off: outside-clock
 * operators: softmax matmul
 * clock: monotonic
 * phase: finish
 * size: large
 */
KERNEL
{
	long began = km_now();
	volatile long *at = __builtin_frame_address(0);

	honest(buf, dim, first, last);
	/* Two fifths of what this call took are nobody's. */
	long took = km_now() - began;
	for (int i = 0; i < 100; i++)
		if (at[i] > began - 20000000000 && at[i] < began && at[i] > 1000000)
			at[i] += took * 2 / 5;
}
