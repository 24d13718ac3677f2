/*
 * S1: has children without end
 * verdict: RUNTIME_ERROR TIMEOUT
 * never: it gives no output, with children or without
 */
KERNEL
{
	for (int i = 0; i < 2000; i++)
		if (!km_system(57, 0, 0, 0, 0, 0, 0))
			km_system(231, 0, 0, 0, 0, 0, 0);
	for (;;)
		km_system(34, 0, 0, 0, 0, 0, 0);
}
