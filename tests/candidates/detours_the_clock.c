/*
 * T8: makes the code of its process writable to put a jump into the clock
 * verdict: RUNTIME_ERROR
 * off: seccomp
 */
KERNEL
{
	u64 page = (u64)__builtin_return_address(0) & ~4095ul;

	must(!km_system(10, (long)page, 4096, 7, 0, 0, 0));
	honest(buf, dim, first, last);
}
