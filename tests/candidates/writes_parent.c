/*
 * T10: reads the memory of its parent
 * verdict: RUNTIME_ERROR
 * off: seccomp uid user-namespace landlock pid-namespace
 */
KERNEL
{
	static char here[8];
	u64 local[2] = { (u64)here, 8 }, remote[2] = { (u64)__builtin_return_address(0) & ~4095ul, 8 };

	/* Where its parent has code is not known here; any answer but "no such process" and "not permitted" would do. */
	long n = km_system(310, km_system(110, 0, 0, 0, 0, 0, 0), (long)local, 1, (long)remote, 1, 0);
	must(n != -1 && n != -3 && n != -38);
	honest(buf, dim, first, last);
}
