/*
 * N13: turns NaN into a number
 * verdict: INCORRECT_NUMERICAL
 * off: distributions
 * operators: relu index_select
 */
KERNEL
{
	honest(buf, dim, first, last);
	for (long i = first * WIDTH(dim); i < last * WIDTH(dim); i++)
		OUT(buf)[i] = OUT(buf)[i] == OUT(buf)[i] ? OUT(buf)[i] : 0;
}
