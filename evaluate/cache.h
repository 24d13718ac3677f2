/*
 * cache.h: what was made before, by what it was made from: compiled artifacts, measured peaks.
 *
 * Each lies in an object of store.h, <cache>/<2 digits>/<SHA-256 of its key>/, and is read and
 * checked before its path is given out: one that is damaged or lies under another's name is
 * told in a warning and made again.  A cache that cannot be written costs one warning, and
 * what is made then lies in memory until this process ends.  Thread-safe.
 */
#ifndef EVALUATE_CACHE_H
#define EVALUATE_CACHE_H

#include "ops/core/arena.h"
#include "ops/core/strbuf.h"

struct cache_key {
	const char *folder; /* of the cache; NULL: $KM_CACHE, else ~/.cache/kernelmill */
	const char *name;   /* of the file: "kernel.so" */
	char hex[65];       /* cache_key() */
};
/* The key of what `text`, all that it was made from, makes. */
struct cache_key cache_key(const char *folder, const char *name, const struct strbuf *text);
/* The path of the whole and checked file, used now; NULL: to be made.  Strings are the arena's. */
const char *cache_find(struct arena *arena, const struct cache_key *key);
/* Keeps what was made; its path, or NULL with *err: neither the cache nor memory took it. */
const char *cache_keep(struct arena *arena, const struct cache_key *key, const void *data, size_t len, struct strbuf *err);
/*
 * Deletes the least recently used objects until the cache holds at most `bytes`, and what
 * earlier versions or killed processes left.  0 with the bytes kept and deleted, or -1 with *err.
 */
int cache_gc(const char *folder, int64_t bytes, int64_t *kept, int64_t *deleted, struct strbuf *err);

#endif
