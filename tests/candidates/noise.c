/*
 * A11: noise of about the right size
 * verdict: INCORRECT_NUMERICAL
 * off: values
 */
KERNEL
{
	u32 state = 1;

	for (long i = first * WIDTH(dim); i < last * WIDTH(dim); i++) {
		state = state * 1664525u + 1013904223u;
		OUT(buf)[i] = (float)(int)state * 0x1p-31f;
	}
}
