/*
 * worker.h: one kernel or baseline in a process of its own, spoken to over pipes.
 * The worker never sees expected values; a crash costs its own trial.
 */
#ifndef EVALUATE_WORKER_H
#define EVALUATE_WORKER_H

#include "evaluate/stage.h"
#include "evaluate/verdict.h"
#include <sys/types.h>

/* What travels on the pipes; both ends are built together. */
enum worker_op { WORKER_RUN = 1, WORKER_TIME = 2, WORKER_QUIT = 3 };
struct worker_request {
	int32_t op, calls, sets, first_set;
	int64_t dim[OP_MAX_DIMS];           /* in the plan's order */
	int64_t offset[OP_MAX_TENSORS];     /* of set 0, by tensor */
	int64_t in_set_bytes, out_set_bytes;
};
struct worker_reply {
	int32_t ok;
	int64_t ns;
	char text[232]; /* what went wrong; a baseline's setting when it opens */
};

struct worker {
	pid_t pid;
	int to, from;
	const struct stage *stage;
	const struct problem *problem;
	int64_t input_fault; /* of the last fault: >= 0 when it hit the inputs */
};

struct worker_start {
	const char *plan_path, *artifact, *symbol_note; /* a candidate */
	const char *baseline, *problem;                 /* or a baseline, on case `stage_case` */
	const char *target;
	size_t stage_case;
	int threads;
	int64_t memory_bytes; /* RLIMIT_AS; 0: none */
	int cpu_s;            /* RLIMIT_CPU */
};

/*
 * Starts km-worker and waits until it has loaded.  PASSED, or the verdict with
 * the reason in *detail (LOAD_ERROR, RUNTIME_ERROR, TIMEOUT, ...; HARNESS_ERROR
 * when the worker program itself could not start).
 */
enum verdict worker_open(struct worker *worker, const struct stage *stage, const struct worker_start *start, struct strbuf *detail);
/* Runs case i once on set `set`.  dim[] order: plan_dim[] positions in op->dims. */
enum verdict worker_run(struct worker *worker, size_t i, int set, const int *plan_dim, size_t plan_dims, double limit_s, struct strbuf *detail);
/* `calls` calls rotating through the sets from `first_set`; *ns of all.  */
enum verdict worker_time(struct worker *worker, size_t i, int calls, int first_set, const int *plan_dim, size_t plan_dims, double limit_s,
			 int64_t *ns, struct strbuf *detail);
void worker_close(struct worker *worker);
const char *worker_setting(const struct worker *worker); /* what a baseline said when it opened */

#endif
