/*
 * S11: opens a message queue that other candidates can open
 * verdict: RUNTIME_ERROR
 * off: seccomp
 */
KERNEL
{
	must(km_system(68, 4711, 01666, 0, 0, 0, 0) >= 0);
	honest(buf, dim, first, last);
}
