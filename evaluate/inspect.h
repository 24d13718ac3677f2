/*
 * inspect.h: what an artifact says of itself, read before anything loads it: a shared object
 * whose loading would run code, import what candidates may not have, stand in for a library's
 * functions or take memory by the gigabyte is refused.  The box it is loaded into holds all the same.
 */
#ifndef EVALUATE_INSPECT_H
#define EVALUATE_INSPECT_H

#include "ops/core/strbuf.h"

struct inspect_rules {
	const char *const *imports;   /* undefined symbols it may have; ends with NULL; NULL: none */
	const char *const *libraries; /* that it may need; ends with NULL; NULL: none */
	int64_t load_bytes;           /* most memory its segments may take; 0: 64 MiB */
};

/* 1 it may be loaded; 0 with one line in *why_not; -1 with *err: it cannot be read. */
int inspect_shared_object(const char *path, const struct inspect_rules *rules, struct strbuf *why_not, struct strbuf *err);

#endif
