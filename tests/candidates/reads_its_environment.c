/*
 * B10: learns from the command line of its process whether it is checked or timed
 * verdict: RUNTIME_ERROR
 * off: landlock mount-namespace
 */
KERNEL
{
	static char path[] = "/proc/self/cmdline", text[64];

	long fd = km_system(2, (long)path, 0, 0, 0, 0, 0);
	must(fd >= 0 && km_system(0, fd, (long)text, sizeof(text), 0, 0, 0) > 0);
	honest(buf, dim, first, last);
}
