#include "ops/core/memory.h"
#include "ops/core/diag.h"

#include <stdlib.h>

/* The installed library has no diag.c: it may neither print nor exit, and always has a guard. */
NORETURN void die(const char *fmt, ...) PRINTF(1, 2) __attribute__((weak, visibility("hidden")));

static _Thread_local struct memory_guard *innermost;

void memory_guard_push(struct memory_guard *guard)
{
	guard->outer = innermost;
	innermost = guard;
}

void memory_guard_pop(struct memory_guard *guard)
{
	innermost = guard->outer;
}

void out_of_memory(size_t bytes)
{
	if (innermost)
		longjmp(innermost->back, 1);
	if (die)
		die("out of memory for %zu bytes", bytes);
	abort();
}
