/*
 * point_set.h: points of a problem space, each with a number: what was tried, what was measured.
 * Points are compared whole: values behind the last knob must be 0.
 */
#ifndef GENERATE_POINT_SET_H
#define GENERATE_POINT_SET_H

#include "generate/space.h"

struct point_slot {
	struct point point;
	uint32_t sub_index, number; /* number + 1; 0: empty */
};
struct point_set {
	struct arena *arena;
	struct point_slot *slot;
	size_t slot_count, count;
};

/* An empty set; what it takes is the arena's. */
void point_set_init(struct point_set *set, struct arena *arena, size_t expected);
/* Adds the point with its number; false, and nothing changes, when it was there. */
bool point_set_add(struct point_set *set, size_t sub_index, const struct point *point, size_t number);
/* Is it there?  *number (may be NULL) is what it was added with. */
bool point_set_find(const struct point_set *set, size_t sub_index, const struct point *point, size_t *number);

#endif
