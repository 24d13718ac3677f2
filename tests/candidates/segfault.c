/* RUNTIME_ERROR: reads where nothing is */
void km_test(void *const *buf, const long *dim, long first, long last, void *scratch)
{
	(void)dim;
	(void)first;
	(void)last;
	(void)scratch;
	*(float *)buf[1] = *(volatile float *)8;
}
