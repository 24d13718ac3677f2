/*
 * S18: raises the limits it was given
 * verdict: RUNTIME_ERROR
 * never: it needs CAP_SYS_RESOURCE, which root need not have, and a box never has
 */
KERNEL
{
	u64 none[2] = { 1ul << 40, 1ul << 40 };

	must(!km_system(160, 9, (long)none, 0, 0, 0, 0));
	honest(buf, dim, first, last);
}
