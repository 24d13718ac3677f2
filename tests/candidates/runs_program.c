/*
 * S10: executes a program
 * verdict: RUNTIME_ERROR
 * off: seccomp landlock mount-namespace
 */
KERNEL
{
	static char path[] = "/usr/bin/no-such-program";

	/* There is none; what may not execute is told or killed before that is seen. */
	must(km_system(59, (long)path, 0, 0, 0, 0, 0) == -2);
	honest(buf, dim, first, last);
}
