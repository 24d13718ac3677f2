/*
 * ask.h: what a program outside is asked for candidates, and how it answers (--policy=exec:PROGRAM).
 *
 * The program is started for each batch and forgets: what it must know of the search it is told anew, and equal
 * questions should have equal answers.  On its standard input are JSON objects, one a line, each with a "kind":
 *
 *   problem   what is to be made: "problem", "target", "artifact", "languages" (of the target), "tensors", "dims", "torch",
 *             ... as 'km-generate describe' tells it; "plan": the launch plan (ops/core/plan.h) of whole sources but for
 *             its steps; "symbol": what stands for the names of their kernels
 *   space     a part of the knob space: "skeleton", "lang", "start" (knobs to begin with, as text), "knobs": an array of
 *             {"name", "values"}, values as words in order
 *   relative  knobs that did well elsewhere, in words of this space: "from", "share" (its speed by the best there), "knobs"
 *   trial     in order of arrival: "id", "knobs", "verdict", "detail" (why not), "time_ns" (null: not timed), "fitness" (speed by the
 *             strongest baseline's; 0 unless PASSED), "sol_ratio" (share of the speed of light), "baseline_ns" (0: none),
 *             "generation", "parent", "edge", "policy"
 *   source    the text of one of the best trials that can be printed, or of a candidate to begin with: "id", "knobs", "lang",
 *             "prologue" (of the printer's; a whole source has its own words), "source", "plan"
 *   refused   of its answers to this question so far: "line" (from 1), "why"
 *   ask       the end: "want", how many candidates; "seed", a number below 2^53
 *
 * On its standard output it answers with as many lines as it wants, each one candidate, the first `want` good ones count:
 *
 *   {"knobs": "skeleton=map lang=c BN=8 ..."}     a point, as text or as an object, {"skeleton": "map", "BN": 8, ...}
 *   {"source": "...", "lang": "c"}                a whole source, whose kernels are KMSYMBOL_<name>; "steps": ["main grid=cdiv(M,16)"],
 *                                                 what is launched, ["main grid=1"] where none are given; or "plan", all of it
 *   {"candidate": {...}}                          a line of a batch: candidate.h
 *
 * and may add "parent" (a trial's id) and "edge" (a word: how it came from that).  Where not one is good it is started once
 * more and told what was refused, three times in all.  A program that fails, takes longer than $KM_EXEC_SECONDS (120) or says more
 * than 16 MiB has answered nothing.
 */
#ifndef GENERATE_ASK_H
#define GENERATE_ASK_H

#include "generate/policy.h"

/* Lines of all but "refused" and "ask". */
void ask_write(struct arena *arena, const struct search *search, struct strbuf *out);
void ask_write_refused(int64_t line, const char *why, struct strbuf *out);
void ask_write_end(size_t want, uint64_t seed, struct strbuf *out);
/*
 * Reads an answer, which is taken apart: proposals that are legal, new and not among those of out[] before go to
 * out[*count...most - 1]; lines "refused" are added for the others.
 */
void ask_read(struct arena *arena, const struct search *search, char *answer, struct proposal *out, size_t *count, size_t most,
	      struct strbuf *refused);

#endif
