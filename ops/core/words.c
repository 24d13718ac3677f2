#include "ops/core/words.h"

#include <string.h>

int words_index(const char *words, const char *word)
{
	int i = 0;

	for (const char *p = words + strspn(words, " "); *p; i++) {
		size_t n = strcspn(p, " ");
		if (word && n == strlen(word) && !memcmp(p, word, n))
			return i;
		p += n;
		p += strspn(p, " ");
	}
	return word ? -1 : i;
}
