/*
 * emit_c_job.h: an assignment of a tile program on its way into C, shared by the
 * parts of the printer that print assignments.  Private to them.
 */
#ifndef GENERATE_EMIT_C_JOB_H
#define GENERATE_EMIT_C_JOB_H

#include "generate/emit_c.h"

struct job {
	const struct tile_stmt *stmt;
	struct expr *target;
	int free[EMIT_MAX_INDICES], free_count; /* indices its loops run over */
	struct job *first;                      /* a map done in the same loop before it, or NULL */
	bool is_raw;                            /* a copy that changes no bits */
};

/* emit_c_job.c */
struct job job_of(struct emitter *e, const struct tile_stmt *s);
bool job_has(const struct job *job, int i); /* does index i occur in the target? */
/* Loops over all free indices but `v` and `w`; returns how many. */
int job_open(struct emitter *e, const struct job *job, int v, int w);
void emit_close_index(struct emitter *e, int count);
/* Body of a vector loop: the value into the target.  user: the job. */
void job_map(struct emitter *e, int copy, void *user);

/* emit_c_reduce.c: reduction `number`, in e->reduction[], into km_q<number> */
/* Along v, one of its ranges, into a scalar. */
void job_reduce_along(struct emitter *e, const struct expr *r, int number, int v, const struct job *first);
/*
 * Do the threads that share a point each take some of this range, or trips of this loop?  (Knob ACROSS.)
 */
bool emit_is_dealt_out(const struct emitter *e, const char *range);
/* Term by term, into a scalar or, in a vector loop, a vector. */
void job_reduce_in_place(struct emitter *e, const struct expr *r, int number, bool is_vector);
/* Body of a vector loop: all reductions in place, then the value. */
void job_reduce_and_map(struct emitter *e, int copy, void *user);
/* `wide` vectors of accumulators go through the ranges together: one pass over the rows for all. */
void job_reduce_wide(struct emitter *e, const struct job *job, int v, int wide);
/*
 * Stores of a thread's reductions over the same ranges, one behind the other: they go through the ranges together, so
 * that what several of them read is read once.  (Knob TOGETHER.)  Returns how many statements it took; 0: it is not that.
 */
size_t job_reduce_together(struct emitter *e, const struct tile_stmt *stmt, size_t count);
void job_scan(struct emitter *e, const struct job *job);
void job_order(struct emitter *e, const struct job *job); /* emit_c_order.c */

/* emit_c_copy.c: copies that turn rows into columns; false: it is not that */
bool job_transpose(struct emitter *e, const struct job *job);
bool job_pairs(struct emitter *e, const struct job *job);

#endif
