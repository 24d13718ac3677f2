/* promote.h: winners of journals become corpus entries. */
#ifndef CORPUS_PROMOTE_H
#define CORPUS_PROMOTE_H

#include "evaluate/trace.h"

struct promotion {
	size_t written, kept, removed;
	bool is_write_error; /* what failed was writing */
};
/*
 * OUT/cells -> OUT/corpus: one entry per winner, stale entries removed; a line
 * per entry is appended to *out.  0, or -1 with a line per fault in *err (the
 * other winners are still promoted, and then nothing is removed).
 */
int promote(const char *out_folder, struct promotion *promotion, struct strbuf *out, struct strbuf *err);
/* Removes an entry's folder, and its parents below the corpus folder when they are empty then.  0, or -1 with *err. */
int entry_remove(const char *corpus, const char *folder, struct strbuf *err);

#endif
