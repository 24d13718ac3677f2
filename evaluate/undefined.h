/*
 * undefined.h: what is promoted, compiled once more with clang's AddressSanitizer and
 * UndefinedBehaviorSanitizer, its uninitialised variables full of NaN, and run on every
 * check shape in the worker's box.
 *
 * Guard pages (judge.h) see what leaves tensors by more than their alignment; this sees what
 * leaves them by a byte (worker/calls.c), what leaves temporaries, local arrays and the
 * kernel's scratch, loads that are not aligned as their type promises, arithmetic that C does
 * not define, and results that depend on what the stack held.  What inline assembler and
 * tile registers do is not seen.
 */
#ifndef EVALUATE_UNDEFINED_H
#define EVALUATE_UNDEFINED_H

#include "evaluate/evaluate.h"

/* Path of the runtime that comes with the compiler, which starts in a box here; NULL with the reason and the fix in *why_not. */
const char *undefined_runtime(struct arena *arena, struct strbuf *why_not);

/*
 * PASSED, or the candidate's verdict with a sanitizer's first words in *detail; *how says what
 * was done, or why nothing was: "sanitizers: 9 check shapes", "no sanitizers: ...".
 * HARNESS_ERROR with *err: the machine failed.
 */
enum verdict undefined_search(struct session *s, const struct candidate *c, struct strbuf *how, struct strbuf *detail, struct strbuf *err);

#endif
