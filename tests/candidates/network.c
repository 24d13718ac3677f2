/*
 * S8: opens a socket
 * verdict: RUNTIME_ERROR
 * off: seccomp
 */
KERNEL
{
	must(km_system(41, 2, 1, 0, 0, 0, 0) >= 0);
	honest(buf, dim, first, last);
}
