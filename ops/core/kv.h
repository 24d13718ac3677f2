/*
 * kv.h: text records of "key: value" lines (corpus entries, plans, stamps).
 * A value may hold any byte but '\n'; a key occurs once unless the reader walks.
 * libc only, so that the installed library can read them.
 */
#ifndef OPS_CORE_KV_H
#define OPS_CORE_KV_H

#include "ops/core/arena.h"
#include "ops/core/strbuf.h"

struct kv_pair {
	const char *key, *value;
	int line;
};
struct kv {
	struct kv_pair *pair;
	size_t count;
};

/* Splits `text` (kept by the arena); `name` is for messages.  0, or -1 and *err: "name:line: expected 'key: value'". */
int kv_parse(struct arena *arena, const char *text, const char *name, struct kv *kv,
	     struct strbuf *err);
/* The value of the first pair with that key; NULL when absent. */
const char *kv_find(const struct kv *kv, const char *key);
void kv_add(struct strbuf *out, const char *key, const char *fmt, ...) PRINTF(3, 4);

#endif
