/*
 * S16: leaves a link where its parent will read
 * verdict: RUNTIME_ERROR
 * off: seccomp landlock mount-namespace
 */
KERNEL
{
	static char from[] = "/etc/passwd", to[] = "/tmp/km-test-link";

	long made = km_system(88, (long)from, (long)to, 0, 0, 0, 0);
	km_system(87, (long)to, 0, 0, 0, 0, 0);
	must(!made);
	honest(buf, dim, first, last);
}
