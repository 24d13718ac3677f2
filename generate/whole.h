/*
 * whole.h: a whole source that somebody wrote for a problem, as a candidate.
 *
 * It defines a function `kernel` over the operator's tensors and dims in their order, see whole_contract(); what calls
 * that, the launch plan and the vocabulary in front of it come from here.  Lines of the source say how it is launched
 * where that is another way than the contract's:
 *   // grid: cdiv(R,4)     // threads: 256     // shared: 16384     // scratch: 65536
 */
#ifndef GENERATE_WHOLE_H
#define GENERATE_WHOLE_H

#include "generate/candidate.h"

enum { WHOLE_MOST_BYTES = 256 << 10 };

/* Can whole sources be taken in this language: is it C, CUDA C++ or HIP C++? */
bool whole_serves(const struct lang *lang);
/* Appends what a source is to define, for people and models: the declaration without its ';', and the rules.  0, or -1: the language makes no candidate of the problem. */
int whole_contract(const struct problem_space *ps, const struct lang *lang, struct strbuf *declaration, struct strbuf *rules);
/* Appends a source's lines that say how it is launched, as far as they may hold what they do. */
void whole_launch(const char *source, struct strbuf *out);
/*
 * 1: *c is the candidate, its strings in the arena; parent, edge and policy are "".  0 with the reason in *why_not: too long, not
 * plain ASCII, no `kernel`, a launch line that is none.
 */
int whole_make(struct arena *arena, const struct problem_space *ps, const struct lang *lang, const char *source, const char *origin,
	       struct candidate *c, struct strbuf *why_not);

#endif
