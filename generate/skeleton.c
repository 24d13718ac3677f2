#include "generate/skeleton.h"

#include <stdlib.h>
#include <string.h>

#define X(name) extern const struct skeleton skeleton_##name;
#include "generate/skeleton.list"
#undef X

const struct skeleton *const skeleton_table[] = {
#define X(name) &skeleton_##name,
#include "generate/skeleton.list"
#undef X
	NULL
};

const struct skeleton *skeleton_find(const char *name)
{
	for (size_t i = 0; skeleton_table[i]; i++)
		if (!strcmp(skeleton_table[i]->name, name))
			return skeleton_table[i];
	return NULL;
}

const char *point_word(const struct space *space, const struct point *point, const char *knob)
{
	for (size_t i = 0; i < space->knob_count; i++)
		if (!strcmp(space->knob[i].name, knob))
			return space->knob[i].value[point->value[i]];
	return NULL;
}

int64_t point_int(const struct space *space, const struct point *point, const char *knob)
{
	const char *word = point_word(space, point, knob);
	return word ? strtoll(word, NULL, 10) : 0;
}
