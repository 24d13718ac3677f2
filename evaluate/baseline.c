#include "evaluate/baseline.h"

#include <stdlib.h>
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

bool baseline_is_rival(const char *name)
{
	size_t len = strlen(name);

	return len < 5 || strcmp(name + len - 5, "_tf32") != 0;
}

int64_t baseline_search_ns(void)
{
	const char *seconds = getenv("KM_SEARCH_SECONDS");
	double s = seconds ? strtod(seconds, NULL) : 0;

	return (int64_t)(1e9 * (s > 0 && s < 3600 ? s : 4));
}

const struct baseline *baseline_find(const char *name)
{
	for (size_t i = 0; baseline_table[i]; i++)
		if (!strcmp(baseline_table[i]->name, name))
			return baseline_table[i];
	return NULL;
}
