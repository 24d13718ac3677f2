/*
 * S3: sleeps for ever
 * verdict: TIMEOUT RUNTIME_ERROR
 * never: it gives no output
 */
KERNEL
{
	for (;;)
		km_system(34, 0, 0, 0, 0, 0, 0);
}
