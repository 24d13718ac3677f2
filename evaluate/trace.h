/*
 * trace.h: traces.h5, consolidated from journals; the only module that includes
 * hdf5.h.  Columnar groups (struct of arrays), units and descriptions as
 * attributes, text stored once (dictionary), chunked, shuffled, deflated,
 * checksummed; a pure function of the journals: same journals, same bytes.
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
};

/* Writes path from the journals (sorted by cell), aside and renamed.  0, or -1 with *err. */
int trace_pack(const char *const *journal_path, size_t count, const char *path, struct strbuf *err);
/* 0, or -1 with *err: missing, not HDF5, wrong schema, incomplete. */
int trace_read(struct arena *arena, const char *path, struct trace *trace, struct strbuf *err);
/* The same from journals, without a file. */
int trace_from_journals(struct arena *arena, const char *const *journal_path, size_t count,
			struct trace *trace, struct strbuf *err);
/* Row counts, references, hashes, checksums, `complete`.  0, or -1 with one line per fault. */
int trace_validate(const char *path, struct strbuf *err);

#endif
