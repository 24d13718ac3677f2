/*
 * B9: keeps its result in System V shared memory
 * verdict: RUNTIME_ERROR
 * off: seccomp
 */
KERNEL
{
	must(km_system(29, 4711, 4096, 01666, 0, 0, 0) >= 0);
	honest(buf, dim, first, last);
}
