/*
 * layout.h: a memory layout is a list of named digits, slow to fast.
 *
 * A digit is `v`, `v/d`, `v%m`, `v/d%m`, then `+p` (padding) or `^u/d%m` (xor
 * swizzle); v, u are tile index names.  The address of a point is the
 * mixed-radix number of its digits.  `i k` is row-major, `j/48 k j%48` a BLIS
 * panel, `j/16 k/32 k/2%16 j%16 k%2` AMX's VNNI order.
 */
#ifndef GENERATE_LAYOUT_H
#define GENERATE_LAYOUT_H

#include "ops/core/arena.h"
#include "ops/core/expr.h"
#include "ops/core/strbuf.h"

struct digit {
	int var;      /* position in the names the layout was parsed with */
	int64_t div;  /* >= 1 */
	int64_t mod;  /* 0: the outermost digit of its variable */
	int64_t pad;  /* added to the extent, never to the value */
	int xor_var;  /* -1: none */
	int64_t xor_div, xor_mod;
	int64_t extent; /* radix: mod, or ceil(extent(var)/div), plus pad */
};
struct layout {
	struct digit *digit;
	size_t count;
	int64_t elems; /* product of the extents */
};

/*
 * name[i], extent[i] for i < rank are the variables.  Empty text means
 * row-major in their order.  0, or -1 with what is wrong.
 */
int layout_parse(struct arena *arena, const char *text, const char *const *name,
		 const int64_t *extent, size_t rank, struct layout *layout, struct strbuf *err);
void layout_print(const struct layout *layout, const char *const *name, struct strbuf *out);
/* Address of the point value[] (one per variable). */
int64_t layout_encode(const struct layout *layout, const int64_t *value);
/* The point at an address (inverse of encode for xor-free layouts). */
void layout_decode(const struct layout *layout, int64_t address, size_t rank, int64_t *value);
/* The address as a tree over index[] (one tree per variable). */
struct expr *layout_encode_expr(struct arena *arena, const struct layout *layout,
				struct expr *const *index);
/* Do all points within the extents have different addresses? */
bool layout_is_one_to_one(const struct layout *layout, const int64_t *extent, size_t rank);

#endif
