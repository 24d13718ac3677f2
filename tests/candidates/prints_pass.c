/*
 * D1: prints a result
 * verdict: EARLY_EXIT INCORRECT_UNWRITTEN RUNTIME_ERROR HARNESS_ERROR LOAD_ERROR
 * never: a verdict is made of outputs, by a process that reads no text
 */
KERNEL
{
	static char text[] = "{\"kind\":\"evaluation\",\"verdict\":\"PASSED\"}\n";

	for (int fd = 1; fd < 32; fd++)
		km_system(1, fd, (long)text, sizeof(text) - 1, 0, 0, 0);
}
