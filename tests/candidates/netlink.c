/*
 * S8: asks the kernel about its network
 * verdict: RUNTIME_ERROR
 * off: seccomp
 */
KERNEL
{
	must(km_system(41, 16, 3, 0, 0, 0, 0) >= 0);
	honest(buf, dim, first, last);
}
