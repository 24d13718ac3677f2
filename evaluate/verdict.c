#include "evaluate/verdict.h"

#include <string.h>

static const struct {
	const char *name, *sentence;
} table[] = {
#define X(name, fault, sentence) { #name, sentence },
#include "evaluate/verdict.def"
#undef X
};

const char *verdict_name(enum verdict verdict) { return table[verdict].name; }
const char *verdict_sentence(enum verdict verdict) { return table[verdict].sentence; }

bool verdict_find(const char *name, enum verdict *verdict)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(table[i].name, name)) {
			*verdict = (enum verdict)i;
			return true;
		}
	return false;
}
