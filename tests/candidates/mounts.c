/*
 * S12: mounts a file system
 * verdict: RUNTIME_ERROR
 * off: seccomp landlock uid user-namespace
 */
KERNEL
{
	static char type[] = "tmpfs", at[] = "/tmp";

	must(!km_system(165, (long)type, (long)at, (long)type, 0, 0, 0));
	honest(buf, dim, first, last);
}
