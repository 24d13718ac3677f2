/* The test build's switches of ops/core/defence.def: linked into no product. */
#include "ops/core/defence.h"

#include <stdlib.h>
#include <string.h>

static const char *const word[] = {
#define X(name, word, does) word,
#include "ops/core/defence.def"
#undef X
};

bool defence_stands(enum defence defence)
{
	const char *off = getenv("KM_DEFENCES_OFF");

	for (size_t n; off && *(off += strspn(off, " ")); off += n)
		if ((n = strcspn(off, " ")) == strlen(word[defence]) && !memcmp(off, word[defence], n))
			return false;
	return true;
}

char *defence_environment(void)
{
	const char *off = getenv("KM_DEFENCES_OFF");

	/* As the environment itself holds it. */
	return off ? (char *)(uintptr_t)off - strlen("KM_DEFENCES_OFF=") : NULL;
}
