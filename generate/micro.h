/*
 * micro.h: micro-kernels: bodies of one tile operation that a printer's default
 * cannot match.  generate/micro/<name>.c exports one
 * `const struct micro_kernel micro_<name>`.
 */
#ifndef GENERATE_MICRO_H
#define GENERATE_MICRO_H

#include "generate/target.h"
#include "generate/tile.h"

struct micro_kernel {
	const char *name;
	/* Does it do this contraction on this target? */
	bool (*fits)(const struct tile_kernel *kernel, const struct tile_stmt *stmt, const struct target *target);
	/* Text every kernel of the target may use; NULL: none. */
	void (*prologue)(const struct target *target, struct strbuf *out);
};

extern const struct micro_kernel *const micro_table[];
const struct micro_kernel *micro_find(const struct tile_kernel *kernel, const struct tile_stmt *stmt, const struct target *target);
void micro_prologue(const struct target *target, struct strbuf *out);

#endif
