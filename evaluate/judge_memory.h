/*
 * judge_memory.h: the memory of lives (judge.h): sets of inputs with the outputs they
 * should give, and what a life's process maps.  For judge*.c alone.
 */
#ifndef EVALUATE_JUDGE_MEMORY_H
#define EVALUATE_JUDGE_MEMORY_H

#include "evaluate/check.h"
#include "evaluate/judge.h"
#include "evaluate/stage.h"

enum judge_layout {
	LAYOUT_TIMED,       /* set after set, guards between outputs */
	LAYOUT_FLUSH_RIGHT, /* each tensor ends at a page nobody may touch, as near as its alignment lets it */
	LAYOUT_FLUSH_LEFT,  /* begins behind one */
	LAYOUT_ODD,         /* begins 4, 8, 60, ... bytes behind a page's start, as far as its elements allow */
};

struct judge_memory {
	struct problem problem;
	enum judge_layout layout;
	int64_t alignment;
	struct stage stage;          /* what worker_open() wants: descriptors and sizes; it has no cases */
	int control_fd;
	struct judge_control *control;
	int64_t control_bytes;

	int64_t sets;                /* of inputs, all different; as many outputs */
	int64_t in_set_bytes, out_set_bytes;
	int64_t place[OP_MAX_TENSORS]; /* of set 0's tensors */
	int64_t packed[OP_MAX_TENSORS], packed_in_bytes, packed_out_bytes; /* place in a set that is ours */
	char *inputs;                /* ours: sets * packed_in_bytes */
	char *truth;                 /* ours: outputs that were compared, sets * packed_out_bytes */
	bool *is_known;              /* whose output was */
	uint16_t *poison;            /* of the output of each set, this life */
	int64_t life;                /* number */
};

/* Room for `sets` sets, their inputs drawn.  0, or -1 with *err. */
int judge_memory_open(struct judge_memory *m, const struct problem *p, enum judge_layout layout, int64_t alignment, int64_t sets,
		      uint64_t secret, struct strbuf *err);
void judge_memory_close(struct judge_memory *m);
/* Bytes of shared memory a set takes: inputs, outputs. */
void judge_memory_set_bytes(const struct problem *p, int64_t *in, int64_t *out);

/* Before a life's process starts: nothing to see, everything poisoned. */
void judge_memory_clear(struct judge_memory *m, const int64_t *dim);
/* While it stands still: inputs, and which sets its calls use; where they use sets again, the first calls use each once. */
void judge_memory_fill(struct judge_memory *m, const int64_t *set, int64_t calls);
/*
 * When it is dead: guards and every element of the outputs of set[0..calls-1].  What is
 * not known yet is compared with the meaning: whole while *whole_work (terms) lasts.
 * PASSED, or INCORRECT_*, NONDETERMINISTIC with *detail; HARNESS_ERROR: no expected values.
 */
struct judge_check {
	struct expected_loops *loops; /* NULL: none */
	double whole_work;
	int64_t sample;
	uint64_t secret;
	struct check_result worst;
	int64_t whole_sets, sampled_sets, scanned_elements;
};
enum verdict judge_memory_check(struct judge_memory *m, const int64_t *set, int64_t calls, struct judge_check *check, struct strbuf *detail);

/* judge_python.c: what life.py is told of this memory, in the arena. */
const char *judge_describe_python(struct arena *arena, const struct judged *judged, const struct judge_memory *m);

#endif
