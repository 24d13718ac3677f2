/*
 * T15: sets the clock of the machine
 * verdict: RUNTIME_ERROR
 * off: seccomp
 */
KERNEL
{
	long t[2] = { 1700000000, 0 };

	must(km_system(227, 0, (long)t, 0, 0, 0, 0) != -38);
	honest(buf, dim, first, last);
}
