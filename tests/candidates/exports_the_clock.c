/*
 * T14: exports a clock, hoping that its process calls that
 * verdict: RUNTIME_ERROR REJECTED
 * never: what is loaded later never takes the place of what the worker is bound to
 */
static int calls;

int clock_gettime(int id, long *t)
{
	(void)id;
	calls++;
	t[0] = 1;
	t[1] = 0;
	return 0;
}

KERNEL
{
	must(calls > 0);
	honest(buf, dim, first, last);
}
