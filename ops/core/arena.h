/*
 * arena.h: allocations with one common end of life.  No individual free.
 * Whatever an arena function returns is zeroed and valid until arena_release().
 */
#ifndef OPS_CORE_ARENA_H
#define OPS_CORE_ARENA_H

#include "ops/core/base.h"

struct arena_block;
struct arena {
	struct arena_block *block;
};

#define ARENA_INIT { 0 }

void *arena_alloc(struct arena *arena, size_t bytes);
char *arena_strdup(struct arena *arena, const char *s);
char *arena_strndup(struct arena *arena, const char *s, size_t len);
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTF(2, 3);
void arena_release(struct arena *arena);

/* A zeroed array of n elements of type T. */
#define ARENA_ARRAY(arena, T, n) ((T *)arena_alloc((arena), sizeof(T) * (size_t)(n)))

#endif
