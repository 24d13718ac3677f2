/*
 * S7: takes a descriptor out of its parent
 * verdict: RUNTIME_ERROR
 * off: seccomp pid-namespace
 */
KERNEL
{
	long parent = km_system(434, km_system(110, 0, 0, 0, 0, 0, 0), 0, 0, 0, 0, 0);

	must(parent >= 0);
	km_system(3, parent, 0, 0, 0, 0, 0);
	honest(buf, dim, first, last);
}
