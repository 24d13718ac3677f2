/*
 * worker.h: one kernel or baseline in a process of its own, spoken to over pipes.
 * The worker never sees expected values; a crash costs its own trial.
 */
#ifndef EVALUATE_WORKER_H
#define EVALUATE_WORKER_H

#include "evaluate/clocks.h"
#include "evaluate/sandbox.h"
#include "evaluate/stage.h"

/* What travels on the pipes; both ends are built together. */
enum worker_op { WORKER_RUN = 1, WORKER_TIME, WORKER_QUIT };
struct worker_request {
	int32_t op, calls, sets, first_set;
	int64_t dim[OP_MAX_DIMS];           /* in the plan's order */
	int64_t offset[OP_MAX_TENSORS];     /* of set 0, by tensor */
	int64_t in_first, out_first, in_set_bytes, out_set_bytes;
};
enum worker_word { WORKER_REFUSED, WORKER_HELLO, WORKER_DONE };
enum { WORKER_TEXT = 480 };
struct worker_reply {
	int32_t word;
	int64_t ns;
	struct clocks clocks;   /* of a device while it was timed */
	char text[WORKER_TEXT]; /* what went wrong; a baseline's setting when it opens */
};

/* Exit codes by which km-worker says what a kernel did: wrote to an input; touched memory beside a tensor (inside.h). */
enum { WORKER_EXIT_MUTATED = 77, WORKER_EXIT_BESIDE = 76 };

struct worker {
	struct sandbox box; /* box.pid 0: it has ended */
	int to, from;
	const struct stage *stage;
	int64_t memory_bytes;
	int error;         /* errno of a failed read or write of its pipes: ours, not its doing */
	bool was_killed;   /* SIGKILL ended it, which was not ours: perhaps not its doing */
	bool is_up;        /* it said hello: what ends it from now on is the kernel's doing */
	char setting[WORKER_TEXT]; /* what a baseline said when it opened */
	struct clocks_seen clocks; /* of the device, over all that was timed */
};

struct worker_start {
	const char *plan, *artifact;    /* a candidate: plan.h text and the artifact's path */
	const char *baseline, *problem; /* or a baseline, opened on set 0 of case 0 */
	const char *setting;            /* that an earlier one said when it opened; NULL: none did */
	const char *target;
	int threads;
	bool is_life;                   /* one of judge.h's, told what to do in the memory `control` */
	int control;
	bool is_python;                 /* the life of a Python file: life.py */
	bool is_confined;               /* a candidate in the sandbox; a device's worker talks to its driver, and is not */
	int64_t memory_bytes;           /* of addresses, and beyond the stage of memory; 0: no limit */
	int cpu_s;                      /* 0: no limit */
	double limit_s;                 /* until it has loaded */
};

/*
 * Starts km-worker and waits until it has loaded.  PASSED, or the verdict with
 * the reason in *detail (LOAD_ERROR, RUNTIME_ERROR, EARLY_EXIT, TIMEOUT, MEMORY;
 * HARNESS_ERROR when the worker program itself could not start).
 */
enum verdict worker_open(struct worker *worker, const struct stage *stage, const struct worker_start *start, struct strbuf *detail);
/*
 * Runs case i once on set `set`; plan_dim[] says where in op->dims the plan's dims lie.  limit_s, here and below: beyond it the
 * answer comes too late (TIMEOUT); what it waited for a processor that others had is not counted.
 */
enum verdict worker_run(struct worker *worker, size_t i, int set, const int *plan_dim, size_t plan_dims, double limit_s,
			struct strbuf *detail);
/* `calls` calls rotating through the sets from `first_set`; *ns of all.  The first time touches all sets before the clock starts. */
enum verdict worker_time(struct worker *worker, size_t i, int calls, int first_set, const int *plan_dim, size_t plan_dims,
			 double limit_s, int64_t *ns, struct strbuf *detail);
/*
 * The worker's one thread stays on a processor from now on: number `turn`, counted round
 * the allowed ones from the last.  Contestants of one comparison share it: each on its
 * own would measure the processors.
 */
void worker_stay(const struct worker *worker, int turn);
/* The next reply: WORKER_DONE, or why not. */
enum verdict worker_hear(struct worker *worker, double limit_s, struct worker_reply *reply, struct strbuf *detail);
void worker_close(struct worker *worker);

#endif
