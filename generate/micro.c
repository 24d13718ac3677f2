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

const struct micro_kernel *micro_drives(const struct simt *s)
{
	for (size_t i = 0; micro_table[i]; i++)
		if (micro_table[i]->drives && micro_table[i]->drives(s))
			return micro_table[i];
	return NULL;
}

void micro_prologue(const struct target *target, struct strbuf *out)
{
	for (size_t i = 0; micro_table[i]; i++)
		if (micro_table[i]->prologue)
			micro_table[i]->prologue(target, out);
}
