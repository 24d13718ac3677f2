/*
 * relatives.h: where a search may begin: what did well for a problem's relatives.  A file of them is TSV with a header line,
 *
 *   from    share    knobs
 *
 * nearest relative first, and of each the best first: the relative, for people; the speed there by that of the best there;
 * knobs as in a trace.  `km-evaluate trace relatives` writes it (evaluate/relatives.c), and says there who is near.
 */
#ifndef GENERATE_RELATIVES_H
#define GENERATE_RELATIVES_H

#include "generate/policy.h"

void relatives_write_header(struct strbuf *out);
void relatives_write(const char *from, double share, const char *knobs, struct strbuf *out);
/* The file's rows as points of this space, equal ones once.  0, or -1 with "file:line: what". */
int relatives_read(struct arena *arena, const char *path, const struct problem_space *ps, struct relative **relative, size_t *count,
		   struct strbuf *err);
/*
 * Knobs of another space in this one, in subspace `sub_index`: each knob of the same name at the same word, else at the number
 * nearest by ratio, else where the skeleton begins.  False: it is of another skeleton; or of another language, where this
 * space has the skeleton in that language too.
 */
bool relative_place(const struct problem_space *ps, const char *knobs, size_t sub_index, struct point *point);

#endif
