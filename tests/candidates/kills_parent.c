/*
 * S6: sends its parent a signal
 * verdict: RUNTIME_ERROR
 * off: seccomp uid landlock user-namespace
 */
KERNEL
{
	must(!km_system(62, km_system(110, 0, 0, 0, 0, 0, 0), 0, 0, 0, 0, 0));
	honest(buf, dim, first, last);
}
