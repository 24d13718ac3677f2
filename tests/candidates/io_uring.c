/*
 * S12: asks for a queue that goes around filters of system calls
 * verdict: RUNTIME_ERROR
 * off: seccomp
 */
KERNEL
{
	static long parameters[32];
	static int done;

	if (!done++)
		must(km_system(425, 4, (long)parameters, 0, 0, 0, 0) >= 0);
	honest(buf, dim, first, last);
}
