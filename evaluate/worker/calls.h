/*
 * calls.h: how km-worker calls what it serves, kernels and libraries alike: on which memory,
 * how often, and by whose clock.
 */
#ifndef EVALUATE_WORKER_CALLS_H
#define EVALUATE_WORKER_CALLS_H

#include "evaluate/baseline.h"
#include "evaluate/worker/inside.h"
#include "ops/core/launch.h"

/* Both memories as what is called sees them: the host's, or a device's own copies. */
struct copies {
	const struct launcher_memory *memory; /* NULL: the host's */
	char *in, *out;
	char *back;                           /* room for one set of inputs, read back */
	int64_t back_bytes;
};
/* `slack` bytes more lie before and behind each copy.  0, or -1 with *err. */
int copies_open(struct copies *copies, const struct launcher_memory *memory, int64_t slack, struct strbuf *err);
/* All inputs, as they lie in the host's memory. */
int copies_send_inputs(struct copies *copies, struct strbuf *err);

/* What is called over and over: a kernel, or a library's function. */
struct callee {
	struct copies *copies;
	const struct worker_request *request;
	int (*call)(struct callee *c, int number, struct strbuf *err);
	int64_t *readied; /* dims for which all is allocated that a call allocates; of OP_MAX_DIMS */
	int first, count; /* of the request's calls, those that start() makes */
	struct clocks clocks; /* of the device, seen during the request */
	/* of a kernel */
	const struct launcher *launcher;
	const struct plan *plan;
	struct kernel *kernel;
	/* of a library */
	const struct baseline *baseline;
	struct baseline_state *state;
	const struct problem *problem;
};
int call_kernel(struct callee *c, int number, struct strbuf *err);
int call_library(struct callee *c, int number, struct strbuf *err);
/*
 * All of a request: what it needs is sent to the device, its calls are made, what it wants comes
 * back.  *ns is the time from the first call's start to the last's end, the device's own where it
 * has a clock.  0, or -1 with *err; ends the process where an input was changed.
 */
int serve_request(struct callee *c, int64_t *ns, struct strbuf *err);

/* The next request; false: none will come. */
bool next_request(struct worker_request *q);
/* Bytes that follow a request, NUL-terminated, the caller's to free; NULL: none came. */
char *request_bytes(int32_t bytes);

/* group.c: a device's kernels, one after another and side by side, until no request comes.  Its exit code. */
int group_main(const char *artifact_kind);
/* trial.c: calls a device's kernel once a problem, and nothing more.  Its exit code. */
int trial_main(const char *plan_path, const char *artifact, int count, char **problem);

#endif
