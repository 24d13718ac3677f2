/*
 * evaluate.h: trials.  A session serves one problem on one target: it keeps the
 * staged memory, expected values, baselines and the journal.
 */
#ifndef EVALUATE_EVALUATE_H
#define EVALUATE_EVALUATE_H

#include "evaluate/check.h"
#include "evaluate/compile.h"
#include "evaluate/journal.h"
#include "evaluate/measure.h"
#include "evaluate/probe.h"
#include "evaluate/stage.h"
#include "evaluate/trace.h"
#include "evaluate/worker.h"
#include "ops/core/diag.h"
#include "ops/core/plan.h"

struct pack;

struct session_options {
	const struct pack *pack; /* whose candidates are compiled already: pack.h; or NULL */
	const char *clock;     /* "monotonic", or "model": time from the candidate's hash */
	int jobs, batch;
	const char *lock_path; /* device lock; NULL: default */
	int attempts;          /* how often a candidate may end the evaluator before it is given up; 0: 3 */
	bool allow_unsafe;     /* run sources nobody vouches for below the sandbox's floor */
	const char *baselines; /* a file of rows that other programs timed (scripts/baselines.py); NULL: $KM_BASELINES, where that names one */
	bool is_final;         /* the stricter judgement: fresh seeds, held-out shapes, the problem compared whole */
};

struct session {
	struct arena arena;
	struct session_options options;
	const struct target *target;
	struct problem problem;
	const char *problem_text;
	struct environment environment;
	bool can_run, is_model;
	const char *why_not_here;    /* when it cannot: "this machine is no nvidia-h200: ..." */
	struct journal *journal;
	struct trace past;           /* what the journal held when it was opened */
	struct stage stage;          /* case 0: the problem itself; others: its check shapes */
	struct expected **expected;  /* one a stage case */
	double baseline_ns;          /* strongest so far; 0: none */
	const char *baseline_name;
	double own_baseline_ns;      /* strongest of those that run here, in a worker, and so can be dueled */
	const char *own_baseline_name;
	double elapsed_s;
	bool is_device;              /* kernels run on a device, all in one worker: device.c */
	struct worker device;        /* that worker, while life > 0 and it has not ended */
	int64_t life;                /* its number: who was loaded in an earlier one is not in this one */
	const char *device_lost;     /* why the device serves no more in this session; NULL: it does */
	bool is_suspect;             /* its memory was found changed after a race: each contestant is tried alone */
	size_t audit;                /* the case whose inputs nobody sees before its audit; 0: none */
	int lock_fd;
	int turn;                    /* which processor workers of one thread are timed on: worker_stay() */
	enum exit_code exit_code;    /* what the last failure of a session function means for the tool */
};
#define SESSION_INIT { .lock_fd = -1, .stage = STAGE_INIT, .exit_code = KM_EXIT_FATAL }

/* Opens the journal, measures baselines where it has none.  0, or -1 with *err. */
int session_open(struct session *s, const char *problem, const char *target, const char *journal_path,
		 const struct session_options *options, struct strbuf *err);
int session_close(struct session *s, struct strbuf *err);
/* Closes it; its exit code where something was bad, else `done`, or that what it recorded may be lost. */
enum exit_code session_end(struct session *s, bool is_bad, enum exit_code done, struct strbuf *err);
/* Records the exchanges of a transcript (generate/exchange.h) that are of this problem and target and that the journal does not know. */
int session_exchanges(struct session *s, const char *path, struct strbuf *err);
/* Compiles, inspects, checks, races and records candidates the journal does not know. */
int session_run(struct session *s, const struct candidate *candidate, size_t count, struct strbuf *err);
/*
 * The winner: recompiled alone, checked again on fresh seeds and held-out
 * shapes, whole on its own, dueled with the plain loops, the strongest baseline
 * and the runners-up, and, a kernel for this CPU, judged from outside its process (judge.h),
 * without which the next of the finalists is; artifacts below `folder`.  The session is_final.
 * 1 done, 0 no candidate passed, -1 *err.
 */
int session_finish(struct session *s, const char *folder, const char *reason, struct strbuf *err);

/* ---- pieces both share ---- */

/* What can be timed: a candidate or a baseline in its worker. */
struct contestant {
	struct session *session;
	const struct candidate *candidate; /* NULL: a baseline */
	const char *artifact, *baseline;   /* one of them: what the worker runs */
	const char *sanitizer;             /* runtime that it was compiled for (undefined.h); NULL: none */
	struct plan plan;
	int plan_dim[OP_MAX_DIMS];
	bool is_shared;            /* a device's candidate: in the session's worker, not one of its own */
	struct worker own;
	int slot;                  /* of the shared one, in its life `life` */
	int64_t life;
	bool is_running;
	bool was_killed;           /* its worker was, and not by us: perhaps not its doing */
	int calls;       /* per sample */
	int next_set;
	int64_t made;    /* calls so far */
	struct clocks_seen clocks; /* of a device, while this one was timed */
	double first_ns; /* of contestant_settle() */
	double last_ns;  /* of the last sample, a call */
	enum verdict verdict; /* why it stopped, and in words */
	const char *detail;
};
/* Starts candidate c compiled as `artifact`; or the verdict with *detail.  contestant_end() in any case. */
enum verdict contestant_start(struct session *s, const struct candidate *c, const char *artifact, struct contestant *out,
			      struct strbuf *detail);
/* The same with its sanitizers' runtime (undefined.h); NULL: without. */
enum verdict contestant_start_sanitized(struct session *s, const struct candidate *c, const char *artifact, const char *runtime,
					struct contestant *out, struct strbuf *detail);
/* The same for a baseline; not PASSED: absent, or not its operator. */
enum verdict contestant_start_baseline(struct session *s, const char *name, struct contestant *out, struct strbuf *detail);
void contestant_end(struct contestant *c);
/* Every case its plan accepts, the problem itself last and twice; the largest errors go to *worst. */
enum verdict contestant_check(struct contestant *c, struct check_result *worst, struct strbuf *detail);
/* The check shapes alone, the largest errors to *worst, which was initialised; *served: how many its plan accepts. */
enum verdict contestant_check_shapes(struct contestant *c, struct check_result *worst, int *served, struct strbuf *detail);
/* One case of the stage; a worker that died is gone. */
enum verdict contestant_check_case(struct contestant *c, size_t i, struct check_result *worst, struct strbuf *detail);
/* Shapes just beyond the kernel's own tiles, where none of the stage's is (edges.c), in a worker of their own. */
enum verdict contestant_check_edges(const struct contestant *c, struct check_result *worst, struct strbuf *detail);
/*
 * The problem alone, once more, and calls as they are timed: is what was timed still right?  On a
 * device also a call on inputs that were never seen, which must be right and take about as long.
 */
enum verdict contestant_check_again(struct contestant *c, struct check_result *worst, struct strbuf *detail);
/*
 * Under all tools of compute-sanitizer, on small check shapes: the verdict of the first that found
 * something, with what.  *skipped: which could not look, and why; "": all did.
 */
enum verdict contestant_sanitize(const struct contestant *c, struct strbuf *skipped, struct strbuf *detail);
/* Chooses calls per sample; false when it failed. */
bool contestant_settle(struct contestant *c);
/*
 * device.c: the worker in which a device's candidates are, started where there is none.  A device
 * that does not serve, asked three times, is lost to the session: NOT_MEASURED with why, from then
 * on at once.
 */
enum verdict device_open(struct session *s, struct strbuf *detail);
/* Ends it, and whatever a kernel broke in its context; another starts when one is needed. */
void device_end(struct session *s);

/* One sample [ns per call], or NaN with verdict and detail set. */
double contestant_sample(struct contestant *c);
/* A sampler over an array of contestants, and the renewer of the first two: new workers, settled calls. */
double contestant_sampler(size_t i, void *contestants);
bool contestants_renew(void *contestants);
/* Readies both for a duel: longer samples, and half a rotation apart, so that neither finds what the other left in the caches. */
void contestants_apart(struct contestant *a, struct contestant *b);

double model_time_ns(const char *id);
/*
 * No call is faster: compulsory bytes over the datasheet's bandwidth, or, where none is known, over eight times
 * what one core was measured to stream, or, of what caches hold, over what no core's registers take.  0: unknown.
 */
double physics_floor_ns(const struct environment *e, const struct problem *p);
/* The file that who times on this device ("cpu", a target's name) locks; `path` NULL: $KM_LOCK, else the default.  Its descriptor, or -1 with *err. */
int device_lock_open(const char *path, const char *device, struct strbuf *err);
void session_lock(struct session *s, bool exclusive);
void session_unlock(struct session *s);
/* compile_all(), or what the session's pack brings instead. */
int session_compile(struct session *s, const struct candidate *const *candidate, size_t count, const struct compile_options *options,
		    struct compiled *out, struct strbuf *err);
int session_append(struct session *s, enum record_kind kind, const void *payload, struct strbuf *err);
int session_commit(struct session *s, struct strbuf *err);
/* Room on the disk for what the next steps record. */
int session_reserve(struct session *s, int64_t bytes, struct strbuf *err);

#endif
