/*
 * B9: keeps its result in a file for the next process
 * verdict: RUNTIME_ERROR
 * off: landlock mount-namespace
 */
KERNEL
{
	static char path[] = "/tmp";

	/* O_TMPFILE, which leaves nothing behind where this works. */
	must(km_system(2, (long)path, 0x410002, 0600, 0, 0, 0) >= 0);
	honest(buf, dim, first, last);
}
