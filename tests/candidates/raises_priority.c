/*
 * S12: takes the processor for itself
 * verdict: RUNTIME_ERROR
 * off: seccomp uid user-namespace
 */
KERNEL
{
	must(!km_system(141, 0, 0, -10, 0, 0, 0));
	honest(buf, dim, first, last);
}
