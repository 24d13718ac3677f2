/*
 * A6: leaves the work to a library
 * verdict: COMPILE_ERROR
 * never: a candidate links nothing, not even libc
 */
float cblas_sdot(int n, const float *x, int one, const float *y, int also_one);
KERNEL
{
	OUT(buf)[0] = cblas_sdot(1, IN(buf), 1, IN(buf), 1);
	honest(buf, dim, first, last);
}
