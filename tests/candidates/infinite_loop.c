/* TIMEOUT: never comes back */
void km_test(void *const *buf, const long *dim, long first, long last, void *scratch)
{
	(void)buf;
	(void)dim;
	(void)first;
	(void)last;
	(void)scratch;
	for (volatile int i = 0;; i++)
		;
}
