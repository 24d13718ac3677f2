/*
 * micro.h: micro-kernels: bodies of a contraction that the C printer's default
 * cannot match.  generate/micro/<name>.c exports one
 * `const struct micro_kernel micro_<name>`.
 */
#ifndef GENERATE_MICRO_H
#define GENERATE_MICRO_H

#include "generate/emit_c.h"

struct micro_kernel {
	const char *name;
	/* Does it do this contraction, its groups found, on the emitter's target? */
	bool (*fits)(struct emitter *e, const struct emit_mma *m);
	void (*emit)(struct emitter *e, const struct emit_mma *m);
	/* Text every kernel of the target may use; NULL: none. */
	void (*prologue)(const struct target *target, struct strbuf *out);
};

extern const struct micro_kernel *const micro_table[];
const struct micro_kernel *micro_find(struct emitter *e, const struct emit_mma *m); /* NULL: the default */
void micro_prologue(const struct target *target, struct strbuf *out);

#endif
