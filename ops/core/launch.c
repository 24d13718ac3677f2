#include "ops/core/launch.h"

#include <string.h>

#define X(name) extern const struct launcher launcher_##name;
#include "ops/core/launch.list"
#undef X

const struct launcher *const launcher_table[] = {
#define X(name) &launcher_##name,
#include "ops/core/launch.list"
#undef X
	NULL
};

const struct launcher *launcher_find(const char *kind)
{
	for (size_t i = 0; launcher_table[i]; i++)
		if (!strcmp(launcher_table[i]->kind, kind))
			return launcher_table[i];
	return NULL;
}
