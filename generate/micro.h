/*
 * micro.h: micro-kernels: bodies of a contraction that a printer's default cannot
 * match, for the C printer or for the SIMT one (the hooks of the other are NULL).
 * generate/micro/<name>.c exports one `const struct micro_kernel micro_<name>`.
 */
#ifndef GENERATE_MICRO_H
#define GENERATE_MICRO_H

#include "generate/emit_c.h"

struct simt;
struct micro_kernel {
	const char *name;
	/* Does it do this contraction, its groups found, on the emitter's target? */
	bool (*fits)(struct emitter *e, const struct emit_mma *m);
	void (*emit)(struct emitter *e, const struct emit_mma *m);
	/* Does it drive s->instr, or the whole of s->kernel?  Then it prints that, and how it is launched. */
	bool (*drives)(const struct simt *s);
	void (*print)(struct simt *s, const char *symbol);
	/* Text every kernel of the target may use; NULL: none. */
	void (*prologue)(const struct target *target, struct strbuf *out);
};

/*
 * Numbers in a row of what micro-kernel split measures, its buffer _range; and of what fused
 * kernels of wgmma_tma find, their buffer _found: so many rows a block.
 */
enum { MICRO_RANGE_WORDS = 36, MICRO_FOUND_ROWS = 3, MICRO_FOUND_WORDS = 4 };

extern const struct micro_kernel *const micro_table[];
const struct micro_kernel *micro_find(struct emitter *e, const struct emit_mma *m); /* NULL: the default */
/* The one that drives the kernel at hand, or NULL. */
const struct micro_kernel *micro_drives(const struct simt *s);
void micro_prologue(const struct target *target, struct strbuf *out);

#endif
