/* INCORRECT_UNWRITTEN: hopes that an earlier result is still there */
void km_test(void *const *buf, const long *dim, long first, long last, void *scratch)
{
	(void)buf;
	(void)dim;
	(void)first;
	(void)last;
	(void)scratch;
}
