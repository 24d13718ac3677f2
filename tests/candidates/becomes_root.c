/*
 * S10: becomes root
 * verdict: RUNTIME_ERROR
 * off: seccomp uid user-namespace
 */
KERNEL
{
	must(!km_system(105, 0, 0, 0, 0, 0, 0));
	honest(buf, dim, first, last);
}
