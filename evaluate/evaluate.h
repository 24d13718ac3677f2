/*
 * evaluate.h: trials.  A session serves one problem on one target: it keeps the
 * staged memory, expected values, baselines and the journal.
 */
#ifndef EVALUATE_EVALUATE_H
#define EVALUATE_EVALUATE_H

#include "evaluate/compile.h"
#include "evaluate/journal.h"
#include "evaluate/probe.h"
#include "evaluate/stage.h"
#include "evaluate/trace.h"

struct session_options {
	const char *clock;   /* "monotonic", or "model": time from the candidate's hash */
	int jobs, batch;
	const char *lock_path; /* device lock; NULL: default */
};

struct check_case {
	size_t stage_case;
	enum distribution distribution;
	uint64_t seed;
	struct expected *expected;
};

struct session {
	struct arena arena;
	struct session_options options;
	const struct target *target;
	struct problem problem;
	const char *problem_text;
	struct environment environment;
	bool can_run;
	struct journal *journal;
	struct trace past;          /* what the journal held when it was opened */
	struct stage stage;         /* case 0: the problem itself; others: its check shapes */
	struct check_case *check;
	size_t check_count;
	double baseline_ns;         /* strongest so far; 0: none */
	const char *baseline_name;
	double elapsed_s;
	int lock_fd;
};

/* Opens the journal, measures baselines where it has none.  0, or -1 with *err. */
int session_open(struct session *s, const char *problem, const char *target, const char *journal_path,
		 const struct session_options *options, struct strbuf *err);
int session_close(struct session *s, struct strbuf *err);
/* Compiles, inspects, checks, races and records candidates the journal does not know. */
int session_run(struct session *s, const struct candidate *candidate, size_t count, struct strbuf *err);
/*
 * The winner: recompiled alone, checked again on fresh seeds and held-out
 * shapes, whole on its own, dueled with the plain loops, the strongest baseline
 * and the runner-up; artifacts below `folder`.  1 done, 0 no candidate passed, -1 *err.
 */
int session_finish(struct session *s, const char *folder, const char *reason, struct strbuf *err);

/* ---- pieces both share ---- */
/* A loaded candidate with its plan on disk. */
struct contestant {
	const struct candidate *candidate;
	struct plan plan;
	int plan_dim[OP_MAX_DIMS];
	char plan_path[64];
	struct worker *worker;
	int calls;       /* per sample */
	int next_set;
	struct evaluation *evaluation;
	struct session *session;
};
int contestant_prepare(struct session *s, const struct candidate *c, struct contestant *out, struct strbuf *detail);
enum verdict contestant_start(struct contestant *c, const char *artifact, struct strbuf *detail);
void contestant_end(struct contestant *c);
/* Every applicable check case, then the problem itself sampled, then once more for determinism. */
enum verdict contestant_check(struct contestant *c, struct evaluation *e, struct strbuf *detail);
/* One sample [ns per call], or NaN. */
double contestant_sample(struct contestant *c);
double model_time_ns(const char *id);
void session_lock(struct session *s, bool exclusive);
void session_unlock(struct session *s);
int session_append(struct session *s, enum record_kind kind, const void *payload, struct strbuf *err);

#endif
