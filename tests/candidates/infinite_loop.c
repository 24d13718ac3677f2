/*
 * S3: never comes back
 * verdict: TIMEOUT
 * never: it gives no output
 */
KERNEL
{
	for (volatile int i = 0;; i++)
		;
}
