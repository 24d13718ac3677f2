/*
 * worker.h: one kernel or baseline in a process of its own, spoken to over pipes.
 * The worker never sees expected values; a crash costs its own trial.
 */
#ifndef EVALUATE_WORKER_H
#define EVALUATE_WORKER_H

#include "evaluate/clocks.h"
#include "evaluate/sandbox.h"
#include "evaluate/stage.h"

/*
 * What travels on the pipes; both ends are built together.  A device's worker holds many
 * kernels, each in a slot: LOAD, which plan and artifact's path follow, answers which, and
 * SETTLE asks whether a slot's kernel left the device and its memory as it should (group.c).
 */
enum worker_op { WORKER_RUN = 1, WORKER_TIME, WORKER_QUIT, WORKER_AUDIT, WORKER_LOAD, WORKER_UNLOAD, WORKER_SETTLE };
struct worker_request {
	int32_t op, calls, sets, first_set;
	int32_t slot, plan_bytes, path_bytes;
	int64_t dim[OP_MAX_DIMS];           /* in the plan's order */
	int64_t offset[OP_MAX_TENSORS];     /* of set 0, by tensor */
	int64_t bytes[OP_MAX_TENSORS];
	int64_t in_first, out_first, in_set_bytes, out_set_bytes;
};
enum worker_word { WORKER_REFUSED, WORKER_HELLO, WORKER_DONE, WORKER_UNSERVED /* the device or its driver, no kernel's doing */ };
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
	struct clocks last;        /* of the device, during what it was asked last */
	struct clocks_seen clocks; /* over all that was timed */
};

#define WORKER_INIT { .box = SANDBOX_INIT, .to = -1, .from = -1 }

struct worker_start {
	const char *plan, *artifact;    /* a candidate: plan.h text and the artifact's path */
	const char *group;              /* or a device's worker without a kernel yet, of this artifact kind */
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
	const char *sanitizer;          /* of a candidate in the sandbox: its sanitizers' runtime (undefined.h); NULL: it has none */
};

/*
 * Starts km-worker and waits until it has loaded.  PASSED, or the verdict with
 * the reason in *detail (LOAD_ERROR, RUNTIME_ERROR, EARLY_EXIT, TIMEOUT, MEMORY;
 * NOT_MEASURED when the device serves nobody; HARNESS_ERROR when the worker program
 * itself could not start).
 */
enum verdict worker_open(struct worker *worker, const struct stage *stage, const struct worker_start *start, struct strbuf *detail);
/* What is asked of a kernel: of which, on which case and sets. */
struct worker_task {
	int slot;                  /* of a group; else 0 */
	size_t i;                  /* case */
	int calls, first_set;
	const int *plan_dim;       /* where in op->dims the plan's dims lie */
	size_t plan_dims;
	double limit_s;            /* beyond it the answer comes too late (TIMEOUT); what it waited for a processor that others had is not counted */
};
/*
 * RUN: once, on set first_set.  TIME: `calls` calls rotating through the sets; *ns of all; the
 * first time touches all sets before the clock starts.  AUDIT, of devices: RUN with its *ns, by
 * the device's clock.
 */
enum verdict worker_ask(struct worker *worker, enum worker_op op, const struct worker_task *task, int64_t *ns, struct strbuf *detail);
/* Of a group: a kernel more, in *slot; LOAD_ERROR and NOT_MEASURED (not made for this device) leave the worker as it was. */
enum verdict worker_load(struct worker *worker, const char *plan, const char *artifact, double limit_s, int *slot, struct strbuf *detail);
enum verdict worker_unload(struct worker *worker, int slot, struct strbuf *detail);
/* Of a group: after a kernel's work.  Not PASSED: the worker has ended, for its memory is no longer trusted. */
enum verdict worker_settle(struct worker *worker, int slot, struct strbuf *detail);
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
