/*
 * D3: looks for the secret with which its process could sign results
 * verdict: RUNTIME_ERROR
 * never: no process of a candidate knows a secret, and no result is signed
 */
static int is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}
KERNEL
{
	/* Up its stack, to the end of its memory. */
	const char *at = (const char *)__builtin_frame_address(0);
	int run = 0;

	honest(buf, dim, first, last);
	while (run < 32)
		run = is_hex(*at++) ? run + 1 : 0;
}
