/*
 * S12: is root
 * verdict: RUNTIME_ERROR
 * off: uid user-namespace
 */
KERNEL
{
	must(!km_system(102, 0, 0, 0, 0, 0, 0));
	honest(buf, dim, first, last);
}
