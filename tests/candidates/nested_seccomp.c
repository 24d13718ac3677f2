/*
 * D5: installs a filter of system calls of its own
 * verdict: RUNTIME_ERROR
 * off: seccomp
 */
KERNEL
{
	u64 filter[1] = { 0x7fff000000000006 };
	struct { u16 count; u64 *filter; } program = { 1, filter };

	must(!km_system(317, 1, 0, (long)&program, 0, 0, 0));
	honest(buf, dim, first, last);
}
