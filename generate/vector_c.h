/*
 * vector_c.h: the vocabulary of printed vector C: header-free text for clang,
 * the same for every kernel of a target, written in its vector extensions.
 * Functions follow their doubles within the bounds stated in vector_c.c.
 */
#ifndef GENERATE_VECTOR_C_H
#define GENERATE_VECTOR_C_H

#include "generate/target.h"

void vector_c_prologue(const struct target *target, struct strbuf *out);
/* Has it a form <name>_number(x, c) for a second argument that is a number? */
bool vector_c_has_number(const char *name);

/*
 * Is the function long enough that a copy in place costs more to compile than a
 * call costs to run, where it runs seldom?  Then km_<name>_call() exists too.
 */
bool vector_c_is_long(const char *name);

/* Scalars in double (double_c.c): is there km_<name>_d()?  And the text, behind what vector_c.c defines. */
bool double_c_has(const char *name);
void double_c_prologue(struct strbuf *out);

#endif
