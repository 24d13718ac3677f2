/*
 * N7: is wrong in its second tile, which no shape it is checked on reaches
 * verdict: INCORRECT_NUMERICAL
 * off: edges
 * operators: relu
 * phase: finish
 * step: km_test grid=cdiv(M,1024) threads=1 shared=0
 */
KERNEL
{
	long to = last * 1024 < COUNT(dim) ? last * 1024 : COUNT(dim);

	honest(buf, dim, first * 1024, to);
	for (long r = 1024; r < to; r++)
		OUT(buf)[r * WIDTH(dim)] = -1;
}
