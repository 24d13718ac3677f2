/*
 * T2: returns at once while a thread of its own does the work
 * verdict: INCORRECT_UNWRITTEN MEMORY
 * off: after-timing physics-floor
 * operators: relu matmul
 * clock: monotonic
 * size: large
 */
typedef int km_thread(void *);
/* A thread by clone(2): it runs `work` on a stack of its own and ends. */
static __attribute__((unused, noinline)) void km_spawn(void (*work)(void))
{
	static char stack[4][65536];
	static int count;
	register void (*r12)(void) __asm__("r12") = work;
	register long r10 __asm__("r10") = 0, r8 __asm__("r8") = 0;
	long result;
	char *top = stack[count++ % 4] + 65536;

	__asm__ volatile("syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\tcall *%%r12\n\tmov $60, %%eax\n\txor %%edi, %%edi\n\tsyscall\n1:"
			 : "=a"(result)
			 : "a"(56L), "D"(0x10f00L), "S"(top), "d"(0L), "r"(r10), "r"(r8), "r"(r12)
			 : "rcx", "r11", "memory");
	must(result > 0);
}

static void *const *late_buf;
static long late_dim[8], late_first, late_last;
static void *kept[8];

static void work(void)
{
	long t[2] = { 0, 2000000 };

	km_system(35, (long)t, 0, 0, 0, 0, 0);
	honest(kept, late_dim, late_first, late_last);
}

KERNEL
{
	static int calls;

	/* Right while it is checked. */
	if (++calls <= 100) {
		honest(buf, dim, first, last);
		return;
	}
	for (int i = 0; i < 3; i++)
		kept[i] = buf[i];
	for (int i = 0; i < 4; i++)
		late_dim[i] = dim[i];
	late_first = first;
	late_last = last;
	if (calls < 104)
		km_spawn(work);
}
