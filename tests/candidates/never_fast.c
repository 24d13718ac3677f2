/*
 * A9: the fast branch is never taken; what runs is the library
 * verdict: COMPILE_ERROR
 * never: a candidate links nothing, not even libc
 */
void cblas_scopy(int n, const float *x, int one, float *y, int also_one);
KERNEL
{
	if (dim[0] == -1)
		honest(buf, dim, first, last);
	else
		cblas_scopy((int)ALL_OUTPUTS(dim), IN(buf), 1, OUT(buf), 1);
}
