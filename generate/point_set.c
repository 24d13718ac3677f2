#include "generate/point_set.h"

#include <string.h>

static size_t home(const struct point_set *set, size_t sub_index, const struct point *point)
{
	uint64_t word[sizeof(struct point) / 8], h = sub_index + 0x9e3779b97f4a7c15u;

	_Static_assert(sizeof(struct point) % 8 == 0, "hashed in words");
	memcpy(word, point, sizeof(word));
	for (size_t i = 0; i < ARRAY_SIZE(word); i++) {
		h = (h ^ word[i]) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	return (size_t)h & (set->slot_count - 1);
}

/* Where it is, or would be. */
static struct point_slot *slot_of(const struct point_set *set, size_t sub_index, const struct point *point)
{
	size_t at = home(set, sub_index, point);

	for (;; at = (at + 1) & (set->slot_count - 1)) {
		struct point_slot *s = &set->slot[at];
		if (!s->number || (s->sub_index == sub_index && !memcmp(&s->point, point, sizeof(*point))))
			return s;
	}
}

void point_set_init(struct point_set *set, struct arena *arena, size_t expected)
{
	size_t slots = 64;

	while (slots < 2 * expected)
		slots *= 2;
	*set = (struct point_set){ .arena = arena, .slot = ARENA_ARRAY(arena, struct point_slot, slots), .slot_count = slots };
}

bool point_set_add(struct point_set *set, size_t sub_index, const struct point *point, size_t number)
{
	if (2 * set->count >= set->slot_count) {
		struct point_set larger;
		point_set_init(&larger, set->arena, 2 * set->slot_count);
		for (size_t i = 0; i < set->slot_count; i++)
			if (set->slot[i].number)
				point_set_add(&larger, set->slot[i].sub_index, &set->slot[i].point, set->slot[i].number - 1);
		*set = larger;
	}
	struct point_slot *s = slot_of(set, sub_index, point);
	if (s->number)
		return false;
	*s = (struct point_slot){ .point = *point, .sub_index = (uint32_t)sub_index, .number = (uint32_t)number + 1 };
	set->count++;
	return true;
}

bool point_set_find(const struct point_set *set, size_t sub_index, const struct point *point, size_t *number)
{
	const struct point_slot *s = slot_of(set, sub_index, point);

	if (!s->number)
		return false;
	if (number)
		*number = s->number - 1;
	return true;
}
