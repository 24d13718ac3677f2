/*
 * S12: makes itself a world in which it is root
 * verdict: RUNTIME_ERROR
 * off: seccomp user-namespace
 */
KERNEL
{
	static int done;

	if (!done++)
		must(!km_system(272, 0x10000000, 0, 0, 0, 0, 0));
	honest(buf, dim, first, last);
}
