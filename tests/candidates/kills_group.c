/*
 * S6: sends a signal to all of its process group
 * verdict: RUNTIME_ERROR
 * off: seccomp
 */
KERNEL
{
	must(!km_system(62, 0, 0, 0, 0, 0, 0));
	honest(buf, dim, first, last);
}
