#include "ops/core/arena.h"
#include "ops/core/memory.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first block is small, for the arenas that parse one line; they double. */
enum { FIRST_BYTES = 2 * 1024, BLOCK_BYTES = 64 * 1024 };

struct arena_block {
	struct arena_block *next;
	size_t used, capacity;
	alignas(max_align_t) char data[];
};

void *arena_alloc(struct arena *arena, size_t bytes)
{
	struct arena_block *b = arena->block;

	bytes = (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!b || b->capacity - b->used < bytes) {
		size_t next = !b ? FIRST_BYTES : b->capacity >= BLOCK_BYTES ? BLOCK_BYTES : 2 * b->capacity;
		size_t capacity = bytes > next / 4 ? bytes : next;
		struct arena_block *fresh = calloc(1, sizeof(*fresh) + capacity);
		if (!fresh)
			out_of_memory(capacity);
		fresh->capacity = capacity;
		/* A large block goes behind the current one, whose rest stays usable. */
		if (b && capacity != next) {
			fresh->next = b->next;
			b->next = fresh;
		} else {
			fresh->next = b;
			arena->block = fresh;
		}
		b = fresh;
	}
	void *p = b->data + b->used;
	b->used += bytes;
	return p;
}

char *arena_strndup(struct arena *arena, const char *s, size_t len)
{
	char *p = arena_alloc(arena, len + 1);
	memcpy(p, s, len);
	return p;
}

char *arena_strdup(struct arena *arena, const char *s)
{
	return arena_strndup(arena, s, strlen(s));
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		out_of_memory(SIZE_MAX); /* longer than INT_MAX */
	char *p = arena_alloc(arena, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

void arena_release(struct arena *arena)
{
	for (struct arena_block *b = arena->block, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	arena->block = NULL;
}
