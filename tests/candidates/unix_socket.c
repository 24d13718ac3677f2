/*
 * S8: opens a socket to processes of this machine
 * verdict: RUNTIME_ERROR
 * off: seccomp
 */
KERNEL
{
	must(km_system(41, 1, 1, 0, 0, 0, 0) >= 0);
	honest(buf, dim, first, last);
}
