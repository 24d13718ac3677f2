/*
 * A7: its own way fails, and on the fault a library is called
 * verdict: COMPILE_ERROR
 * never: a candidate links nothing, not even libc
 */
void *dlopen(const char *name, int flags);
KERNEL
{
	if (!dlopen("libopenblas.so.0", 2))
		honest(buf, dim, first, last);
}
