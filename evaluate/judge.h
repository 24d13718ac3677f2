/*
 * judge.h: a kernel judged from outside its process: nothing that the kernel, or
 * what is loaded with it, says or does in there is believed.
 *
 * A life is one process that loads the kernel, is stopped, is given inputs nobody has
 * seen before, goes on, makes a number of calls, says so and is killed.  Its time is this
 * process's clock from SIGCONT until SIGKILL was sent: what it still had to do is not
 * done, whatever ran lies in it, and threads, detours and patched clocks hide nothing.  Each call has inputs and an output of its own; the
 * inputs' memory is sealed against all writers but us, and empty until the process
 * stands still.  Outputs are poisoned, another pattern a call, with guard zones on
 * both sides, and are read when the process is dead: every element and guard byte of
 * every call.  The first life that computes a set of inputs has its output compared
 * with the operator's meaning (whole while that costs seconds, then at secret
 * positions); all later lives must give the same bits.
 *
 * What a process costs besides its calls vanishes in the slope
 *   (Q T(many) - Q T(few)) / (many - few)
 * over lives of few and of many calls (Q: their lower quartile, since others' work only
 * adds), in turn with those of a trusted kernel, the compiled loop nest of the body, which
 * is measured in the same way.  Intervals are bootstrap percentiles (JUDGE_CONFIDENCE).
 * The kernel's own clock, read in its process over the same calls, gives the claim.  What
 * a life's time holds beside the claim is a fraction of a millisecond however many calls
 * it made, on a busy machine too; where it grows with the calls by surely more than
 * JUDGE_UNSEEN of their time, the verdict is TIMING_FORGED.  Where the interval holds nothing, or
 * spans a factor of ten, there is no time to publish: NOT_MEASURED.
 *
 * Strict lives, which are not timed, hold what the call promises: tensors that end or
 * begin at a page nobody may touch, tensors aligned as their elements only, callee-saved
 * registers and floating-point modes, memory, descriptors and threads left as found.
 */
#ifndef EVALUATE_JUDGE_H
#define EVALUATE_JUDGE_H

#include "evaluate/record.h"
#include "ops/core/problem.h"

#define JUDGE_CONFIDENCE 0.95
#define JUDGE_CONFIDENCE_TEXT "95 %"
#define JUDGE_UNSEEN 0.08

/* What is judged.  Texts are lent. */
struct judged {
	const struct problem *problem;
	const struct target *target;
	const char *artifact;     /* the shared object's or the Python file's path */
	/*
	 * A launch plan (plan.h); NULL: host-wrapped: the shared object has
	 *   void SYMBOL(void *const *buf, const int64_t *dim);
	 * buf[] in the order of the operator's tensors, dim[] in that of its dimensions.
	 */
	const char *plan;
	const char *symbol;
	bool is_python;           /* the artifact is a KernelBench file with a class ModelNew, run by life.py */
	const char *weights;      /* names of what it holds, in the order of the inputs that are not arguments; NULL: by size, in its order */
	bool is_confined;         /* in the sandbox; false for tests of what the judge does without it */
};

struct judge_options {
	uint64_t secret;          /* inputs and the order of calls are drawn from it */
	double window_s;          /* calls of a long life take about this long; 0: 0.03 */
	double limit_s;           /* for a life beyond what its calls should take; 0: 10 */
	int64_t own_bytes;        /* memory a host-wrapped kernel may have of its own; 0: 2 GiB */
	int64_t memory_bytes;     /* inputs of all calls, and outputs of all; 0: 96 MiB each */
	int least_rounds, most_rounds; /* 0: 5 (Python: 3) and 15 */
	int64_t alignment;        /* what the kernel may count on, at least an element [bytes]; 0: an element */
	double floor_ns;          /* no call can be faster: physics; 0: unknown */
	bool no_strict, no_baseline;
};

/*
 * Judges it.  0 with *out filled (strings in the arena; out->verdict may be any), or -1
 * with *err: this machine or tool failed.
 */
int judge(struct arena *arena, const struct judged *judged, const struct judge_options *options, struct judgement *out,
	  struct strbuf *err);

/* `km-evaluate judge ...` (judge_main.c). */
int judge_main(int argc, char **argv);

/* ---- what a life's process is told (evaluate/worker/life.c) ---- */

enum { JUDGE_MOST_GAPS = 256, JUDGE_LONG = 2000 /* calls of the longest life, where they are short */ };
/* Behind it: gap[], then for each call the place of every tensor. */
struct judge_control {
	int64_t calls;            /* this and the places are 0 until the process stands still */
	int64_t dim[OP_MAX_DIMS]; /* in the kernel's order */
	int32_t tensor_count, is_strict;
	int32_t is_input[OP_MAX_TENSORS];
	/* Strict lives: pages that nobody may touch, in the inputs' and the outputs' memory. */
	int32_t gap_count[2];
	int64_t gap[2][JUDGE_MOST_GAPS];
	int64_t at[];             /* calls * tensor_count offsets in the inputs' or the outputs' memory */
};
/* km-worker's part of a life. */
int life_main(const char *artifact, int threads);

#endif
