/*
 * D6: reads where nothing is, and lives on in a signal handler that ends the process
 * verdict: EARLY_EXIT RUNTIME_ERROR
 * never: a process that is gone has answered nothing
 */
struct action { void (*handler)(int); u64 flags; void (*restorer)(void); u64 mask; };
static void leave(int signal)
{
	(void)signal;
	km_system(231, 0, 0, 0, 0, 0, 0);
}

KERNEL
{
	struct action a = { leave, 0x4000000, (void (*)(void))leave, 0 };

	km_system(13, 11, (long)&a, 0, 8, 0, 0);
	*(volatile int *)8 = 0;
}
