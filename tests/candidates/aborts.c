/*
 * S15: ends by a signal that leaves its memory on disk
 * verdict: RUNTIME_ERROR INCORRECT_UNWRITTEN
 * never: it gives no output
 */
KERNEL
{
	km_system(234, km_system(39, 0, 0, 0, 0, 0, 0), km_system(186, 0, 0, 0, 0, 0, 0), 6, 0, 0, 0);
}
