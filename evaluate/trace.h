/*
 * trace.h: traces.h5, consolidated from journals; only trace_write.c and
 * trace_read.c include hdf5.h.  Columnar groups (struct of arrays), units and
 * descriptions as attributes, text stored once (dictionary), chunked, shuffled,
 * deflated, checksummed; a pure function of the set of frames in the journals:
 * same frames, same bytes, in whatever order or how often they are given.
 *
 *   /environments /candidates /evaluations /baselines /duels /winners /stops /judgements /exchanges
 *       one column per field of record.h, of that name; where the value is not in
 *       the column, its attribute `refers_to` says what it is a row of:
 *       int32 into /text or /problems; NAME_offset, NAME_length into /samples/value
 *       or /facts.  A column NAME_row is the row of the record that id NAME names, -1: none.
 *   /problems   name, op, dtype, shape, thread_count
 *   /text       bytes[offset[i] .. offset[i]+length[i]), UTF-8; sha256[i]
 *   /samples    value [ns]
 *   /facts      evaluation_row, key, value
 *   /knobs      candidate_row, key, value
 *   /edges      child_row, parent_row, edge
 *
 * Order: evaluations of a problem as they were made; of several winners or stops
 * of a problem in one journal the last alone is kept.
 */
#ifndef EVALUATE_TRACE_H
#define EVALUATE_TRACE_H

#include "evaluate/record.h"

/* Everything in a trace file, as records again; strings in the arena. */
struct trace {
	struct environment *environment;
	size_t environment_count;
	struct candidate *candidate;
	size_t candidate_count;
	struct evaluation *evaluation;
	size_t evaluation_count;
	struct baseline_record *baseline;
	size_t baseline_count;
	struct duel *duel;
	size_t duel_count;
	struct winner *winner;
	size_t winner_count;
	struct stop *stop;
	size_t stop_count;
	struct start *start; /* of journals, in their order; a file has none */
	size_t start_count;
	struct judgement *judgement;
	size_t judgement_count;
	struct exchange *exchange;
	size_t exchange_count;
};

/* Publishes the trace as the file `path`: aside, fsync, rename.  0, or -1 with *err and the old file kept. */
int trace_write(const struct trace *trace, const char *path, struct strbuf *err);
/* trace_from_journals() and trace_write(). */
int trace_pack(const char *const *journal_path, size_t count, const char *path, struct strbuf *err);
/* 0, or -1 with *err: missing, not HDF5, wrong schema, incomplete. */
int trace_read(struct arena *arena, const char *path, struct trace *trace, struct strbuf *err);
/* The same from journals, without a file. */
int trace_from_journals(struct arena *arena, const char *const *journal_path, size_t count,
			struct trace *trace, struct strbuf *err);
/* Appends the paths of all files named `journal` in or below `path` (or path itself, a file) to *list, sorted. */
struct path_list {
	const char **path;
	size_t count;
};
int trace_find_journals(struct arena *arena, const char *path, struct path_list *list, struct strbuf *err);
/* Whatever `path` is: a trace file, a journal, or a folder of journals.  0, or -1 with *err. */
int trace_load(struct arena *arena, const char *path, struct trace *trace, struct strbuf *err);
/* `km-evaluate trace relatives` (relatives.c), `trace progress` (progress.c). */
int trace_relatives(int argc, char **argv);
int trace_progress(int argc, char **argv);
/*
 * trace_export.c: what others read.  `problem` NULL: all of them.
 * knobs: TSV of each problem's knobs: problem, knob, values tried, spread (worst over
 * best of the values' best times), best value, "matters" | "no measurable effect" (spread
 * at most 1 + margin) | "one value".  csv: one line per trial.  t4: Kernel Tuner's T4
 * results, schema 1.0.0; -1 with *err when the trials are of several problems.
 */
void trace_knobs(const struct trace *trace, const char *problem, double margin, struct strbuf *out);
void trace_export_csv(const struct trace *trace, const char *problem, struct strbuf *out);
int trace_export_t4(const struct trace *trace, const char *problem, struct strbuf *out, struct strbuf *err);
/* The candidate of that id and problem; NULL: none. */
const struct candidate *trace_candidate(const struct trace *trace, const char *id, const char *problem);
/* `km-evaluate trace ...`: argv[0] is "trace". */
int trace_main(int argc, char **argv);
/* Row counts, references, hashes, checksums, `complete`.  0, or -1 with one line per fault. */
int trace_validate(const char *path, struct strbuf *err);

#endif
