/*
 * A3: reads the list of its mappings to look for the expected output
 * verdict: RUNTIME_ERROR
 * off: landlock mount-namespace
 */
KERNEL
{
	static char path[] = "/proc/self/maps", text[64];

	long fd = km_system(2, (long)path, 0, 0, 0, 0, 0);
	must(fd >= 0 && km_system(0, fd, (long)text, sizeof(text), 0, 0, 0) > 0);
	honest(buf, dim, first, last);
}
