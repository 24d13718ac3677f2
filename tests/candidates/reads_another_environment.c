/*
 * B10: reads the environment of its parent
 * verdict: RUNTIME_ERROR
 * off: landlock mount-namespace uid pid-namespace user-namespace
 */
KERNEL
{
	static char path[32] = "/proc/", text[64];
	long parent = km_system(110, 0, 0, 0, 0, 0, 0), n = 6, tens = 1;

	while (parent / tens > 9)
		tens *= 10;
	for (; tens; tens /= 10)
		path[n++] = (char)('0' + parent / tens % 10);
	__builtin_memcpy(path + n, "/environ", 9);
	long fd = km_system(2, (long)path, 0, 0, 0, 0, 0);
	must(fd >= 0 && km_system(0, fd, (long)text, sizeof(text), 0, 0, 0) > 0);
	honest(buf, dim, first, last);
}
