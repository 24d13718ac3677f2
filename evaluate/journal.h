/*
 * journal.h: an append-only file of checksummed frames: the source of truth
 * while a run lives.  A frame is
 *   "KMJ1 " length(8 hex) " " crc32c(8 hex) " " payload "\n"
 * so that a journal can be read with a pager.  Appends are buffered;
 * journal_commit() makes them durable (fsync).  A torn last frame (a kill, a
 * full disk) is dropped on open with a warning; damage before the last frame is
 * an error that names the offset.  One writer at a time (flock).
 */
#ifndef EVALUATE_JOURNAL_H
#define EVALUATE_JOURNAL_H

#include "evaluate/record.h"

struct journal;
/* Opens for appending, creates if absent, cuts a torn tail.  NULL with *err. */
struct journal *journal_open(const char *path, struct strbuf *err);
int journal_append(struct journal *journal, const struct record *record, struct strbuf *err);
/* 0, or -1: what was appended since the last commit may be lost; never retried on this journal. */
int journal_commit(struct journal *journal, struct strbuf *err);
int journal_close(struct journal *journal, struct strbuf *err); /* commits */

/*
 * Calls fn for every whole frame in order; a torn tail is skipped (*torn_bytes
 * tells, may be NULL).  fn returns non-zero to stop.  0, fn's value, or -1 with *err.
 */
int journal_each(struct arena *arena, const char *path,
		 int (*fn)(const struct record *record, void *user), void *user,
		 int64_t *torn_bytes, struct strbuf *err);

#endif
