/*
 * S1: has a child
 * verdict: RUNTIME_ERROR
 * off: seccomp
 */
KERNEL
{
	long child = km_system(57, 0, 0, 0, 0, 0, 0);

	if (!child)
		km_system(231, 0, 0, 0, 0, 0, 0);
	must(child > 0);
	km_system(61, child, 0, 0, 0, 0, 0);
	honest(buf, dim, first, last);
}
