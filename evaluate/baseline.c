#include "evaluate/baseline.h"

#include <string.h>

#define X(name) extern const struct baseline baseline_##name;
#include "evaluate/baseline.list"
#undef X

const struct baseline *const baseline_table[] = {
#define X(name) &baseline_##name,
#include "evaluate/baseline.list"
#undef X
	NULL
};

const struct baseline *baseline_find(const char *name)
{
	for (size_t i = 0; baseline_table[i]; i++)
		if (!strcmp(baseline_table[i]->name, name))
			return baseline_table[i];
	return NULL;
}
