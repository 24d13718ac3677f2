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

/*
 * The part of it that is about single numbers, in C and C++ alike (scalar_c.c).  The text before it defines
 * KM_I and KM_CALLED: what a function put in place where it is used, and one that is called, begin with;
 * has_doubles: double_c_prologue() too.
 */
void scalar_c_prologue(bool has_doubles, struct strbuf *out);
/* Functions in double, fp8 and random words (double_c.c), behind KM_I, KM_CALLED, km_half(), km_widen() and km_narrow(). */
void double_c_prologue(struct strbuf *out);
/* Is there km_<name>_d(), a function in double? */
bool double_c_has(const char *name);

#endif
