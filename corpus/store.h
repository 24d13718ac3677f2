/* store.h: writing corpus folders: an entry appears whole or not at all. */
#ifndef CORPUS_STORE_H
#define CORPUS_STORE_H

#include "corpus/index.h"

struct store_file {
	const char *name;
	const void *data;
	size_t size;
};

/*
 * Publishes files (the last one is the entry) as <corpus>/<target>/<op>/<id>/:
 * written aside, fsynced, renamed.  1 written, 0 it was there already, -1 with *err.
 */
int store_publish(const char *corpus, const char *target, const char *op, const char *id,
		  const struct store_file *file, size_t count, struct strbuf *err);
/* Removes an entry's folder, and its parents when they are empty then.  0, or -1 with *err. */
int store_remove(const char *corpus, const char *folder, struct strbuf *err);
/* Adds the line file.<name> with the hash of the data. */
void store_add_hash(struct strbuf *entry, const struct store_file *file);

#endif
