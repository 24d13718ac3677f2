#include "generate/micro.h"
#include "generate/simt_print.h"

#include <stddef.h>

#define X(name) extern const struct micro_kernel micro_##name;
#include "generate/micro.list"
#undef X

const struct micro_kernel *const micro_table[] = {
#define X(name) &micro_##name,
#include "generate/micro.list"
#undef X
	NULL
};

const struct micro_kernel *micro_find(struct emitter *e, const struct emit_mma *m)
{
	for (size_t i = 0; micro_table[i]; i++)
		if (micro_table[i]->fits && micro_table[i]->fits(e, m))
			return micro_table[i];
	return NULL;
}

void micro_print_simt(struct simt *s, const char *symbol)
{
	for (size_t i = 0; micro_table[i]; i++)
		if (micro_table[i]->drives && micro_table[i]->drives(s)) {
			micro_table[i]->print(s, symbol);
			return;
		}
	simt_fail(s, "no micro-kernel drives '%s'", s->instr->name);
}

void micro_prologue(const struct target *target, struct strbuf *out)
{
	for (size_t i = 0; micro_table[i]; i++)
		if (micro_table[i]->prologue)
			micro_table[i]->prologue(target, out);
}
