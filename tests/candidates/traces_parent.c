/*
 * T10: traces its parent
 * verdict: RUNTIME_ERROR
 * off: seccomp uid user-namespace landlock pid-namespace
 */
KERNEL
{
	static int done;

	/* PTRACE_SEIZE, which does not stop it. */
	if (!done++)
		must(!km_system(101, 0x4206, km_system(110, 0, 0, 0, 0, 0, 0), 0, 0, 0, 0));
	honest(buf, dim, first, last);
}
