/*
 * S2: locks memory
 * verdict: RUNTIME_ERROR
 * off: seccomp
 */
KERNEL
{
	must(!km_system(149, (long)scratch, 4096, 0, 0, 0, 0));
	honest(buf, dim, first, last);
}
