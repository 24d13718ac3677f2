/*
 * S4: deletes files
 * verdict: RUNTIME_ERROR
 * off: seccomp landlock mount-namespace
 */
KERNEL
{
	static char path[] = "/tmp/km-test-no-such-file";

	/* There is none; permission is refused before that is seen. */
	must(km_system(87, (long)path, 0, 0, 0, 0, 0) == -2);
	honest(buf, dim, first, last);
}
