/*
 * journal.h: an append-only series of checksummed frames: the source of truth
 * while a run lives.  A frame is
 *   "KMJ2 " length " " seq " " synced " " crc32c " " payload "\n"     (8 hex digits each)
 * so that a journal can be read with a pager.  Frame `seq` says that all frames
 * before number `synced` were on the disk when it was written; its checksum
 * covers all of the frame and the journal's and segment's identity, so that no
 * frame of another place is ever taken for one of here.
 *
 * A journal is the file PATH and its later segments PATH.1, PATH.2, ...  Each
 * begins with a header: schema, journal's id, segment's number, tools, and
 *   from, to   its frames replace those from `from` on; of the earlier segments
 *              those before `to` count.
 * A segment is never repaired: whoever finds a journal not closed (a kill, a power
 * cut) or meets an error of write or fdatasync goes on in a new segment, into which
 * the frames that are not known to be on the disk are written again.  Readers skip
 * what is torn; a frame missing that was once on the disk is an error.
 * Journals of the first format ("KMJ1 ", no seq) are read as a first segment.
 *
 * Group commit: frames are durable, and may be acknowledged, once journal_commit()
 * returned 0; journal_append() calls it every 64 frames or 100 ms.  One writer at a
 * time (flock).
 */
#ifndef EVALUATE_JOURNAL_H
#define EVALUATE_JOURNAL_H

#include "evaluate/record.h"
#include "ops/core/diag.h"

#define JOURNAL_MAGIC "KMJ"

struct journal;
/*
 * Opens for appending, creates if absent.  NULL with *err and, where code is not
 * NULL, *code: KM_EXIT_NOT_DURABLE when it cannot be written, KM_EXIT_FATAL when it
 * is damaged, no journal, or being written by another process.
 */
struct journal *journal_open(const char *path, enum exit_code *code, struct strbuf *err);
/* What the headers of new segments tell of who writes: compiler, sandbox level. */
void journal_describe(struct journal *journal, const char *tools);
/*
 * Makes room on the disk for at least `bytes` more, so that what is begun can be
 * recorded even where the disk fills up meanwhile.  -1 with *err: there is none.
 */
int journal_reserve(struct journal *journal, int64_t bytes, struct strbuf *err);
int journal_append(struct journal *journal, const struct record *record, struct strbuf *err);
/* 0, or -1: what was appended since the last commit may be lost, and the journal takes no more. */
int journal_commit(struct journal *journal, struct strbuf *err);
/* Frames that are durable, all writers' together. */
int64_t journal_durable(const struct journal *journal);
int journal_close(struct journal *journal, struct strbuf *err); /* commits */

/*
 * Calls fn for every record in order; what is torn is skipped (*torn_bytes tells,
 * may be NULL).  fn returns non-zero to stop.  0, fn's value, or -1 with *err.
 */
int journal_each(struct arena *arena, const char *path,
		 int (*fn)(const struct record *record, void *user), void *user,
		 int64_t *torn_bytes, struct strbuf *err);

#endif
