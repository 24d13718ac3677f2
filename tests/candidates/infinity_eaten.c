/*
 * N13: keeps what is finite, and nothing else
 * verdict: INCORRECT_NUMERICAL
 * off: distributions
 * operators: relu index_select
 */
KERNEL
{
	honest(buf, dim, first, last);
	for (long i = first * WIDTH(dim); i < last * WIDTH(dim); i++)
		OUT(buf)[i] = OUT(buf)[i] > 3e38f ? 3e38f : OUT(buf)[i] < -3e38f ? -3e38f : OUT(buf)[i];
}
