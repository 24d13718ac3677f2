/*
 * memory.h: what happens when there is none.  Tools end (exit 3).  The installed
 * library must not: its entry points set a guard, and the allocation that fails
 * returns there.
 *
 *	struct memory_guard guard;
 *	memory_guard_push(&guard);
 *	if (setjmp(guard.back)) {
 *		... give back what you own ...
 *		status = CORPUS_MEMORY;
 *	} else { ... }
 *	memory_guard_pop(&guard);
 *
 * A jump, because strbuf and arena promise memory to hundreds of callers, none
 * of which could do better than give up.  What only a skipped frame owned is lost.
 */
#ifndef OPS_CORE_MEMORY_H
#define OPS_CORE_MEMORY_H

#include "ops/core/base.h"
#include <setjmp.h>

struct memory_guard {
	jmp_buf back;
	struct memory_guard *outer;
};
void memory_guard_push(struct memory_guard *guard); /* this thread's, until popped */
void memory_guard_pop(struct memory_guard *guard);
/* Jumps to the innermost guard of this thread; without one the program dies. */
NORETURN void out_of_memory(size_t bytes);

#endif
