#include "generate/lang.h"

#include <string.h>

#define X(name) extern const struct lang lang_##name;
#include "generate/lang.list"
#undef X

const struct lang *const lang_table[] = {
#define X(name) &lang_##name,
#include "generate/lang.list"
#undef X
	NULL
};

const struct lang *lang_find(const char *name)
{
	for (size_t i = 0; lang_table[i]; i++)
		if (!strcmp(lang_table[i]->name, name))
			return lang_table[i];
	return NULL;
}

void printed_release(struct printed *printed)
{
	strbuf_release(&printed->prologue);
	strbuf_release(&printed->source);
	for (size_t i = 0; i < TILE_MAX_KERNELS; i++)
		strbuf_release(&printed->launch[i].tensor);
}
