/* COMPILE_ERROR: calls what is not in it; candidates link nothing */
void km_no_such_function(void);
void km_test(void *const *buf, const long *dim, long first, long last, void *scratch)
{
	(void)buf;
	(void)dim;
	(void)first;
	(void)last;
	(void)scratch;
	km_no_such_function();
}
