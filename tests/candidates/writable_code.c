/*
 * T8: maps memory both writable and executable
 * verdict: RUNTIME_ERROR
 * off: seccomp
 */
KERNEL
{
	must(km_system(9, 0, 4096, 7, 0x22, -1, 0) > 0);
	honest(buf, dim, first, last);
}
