/*
 * store.h: objects on disk whose bytes are checked before they are believed.
 *
 * An object is a folder of plain files.  One of them, the manifest ("entry"), is lines of
 * kv.h: what the object is, and
 *	file.<name>: SHA-256 of each file beside it
 *	seal: SHA-256 of all lines above
 * A file that was changed, cut short or emptied does not have its hash; an object under
 * another's name does not have its key.  Compiled artifacts lie in such objects
 * (evaluate/cache.h) and so do the corpus's kernels (corpus/index.h).
 *
 * An object appears whole or not at all, and is replaced in one step: written aside, fsynced,
 * renamed, the folder fsynced.  What is read belongs to one object even while another
 * replaces it.  Any number of processes and threads may publish, read and remove at a
 * time.  Part of the installed library: prints nothing.
 */
#ifndef OPS_CORE_STORE_H
#define OPS_CORE_STORE_H

#include "ops/core/kv.h"

#define STORE_MANIFEST "entry"

struct store_file {
	const char *name;
	const void *data;
	size_t size;
};

/* ---- manifests ---- */

/* Adds the line file.<name> with the hash of the data. */
void store_add_hash(struct strbuf *manifest, const struct store_file *file);
/* Ends a manifest's text with its seal. */
void store_seal(struct strbuf *manifest);

/* ---- reading ---- */

enum store_status { STORE_WHOLE, STORE_ABSENT, STORE_DAMAGED, STORE_UNREADABLE };

struct store_object {
	const char *folder; /* lent */
	int fd;             /* of the folder; -1: none */
	struct kv manifest; /* of the arena */
};
/*
 * Opens the object `folder` and checks its seal.  Not WHOLE: a line in *err (ABSENT too).
 * store_close() in any case.
 */
enum store_status store_open(struct arena *arena, const char *folder, struct store_object *object, struct strbuf *err);
/* The same object again, whose manifest was read before. */
enum store_status store_reopen(const char *folder, const struct kv *manifest, struct store_object *object, struct strbuf *err);
/* Appends the file `name` to *data; not WHOLE, with a line in *err, unless it has its hash. */
enum store_status store_read(const struct store_object *object, const char *name, struct strbuf *data, struct strbuf *err);
/* The same for every file that the manifest names. */
enum store_status store_check(const struct store_object *object, struct strbuf *err);
void store_close(struct store_object *object);

/* ---- writing ---- */

/*
 * Publishes the files, manifest among them, as the object `folder`; what lies there is
 * replaced.  Sweeps what killed processes left beside it.  1 written, 0 these very bytes
 * were there already, -1 with *err.
 */
int store_publish(const char *folder, const struct store_file *file, size_t count, struct strbuf *err);
/* Removes the object, whatever lies there, in one step for who reads it.  0 (also when it is absent), or -1 with *err. */
int store_remove(const char *folder, struct strbuf *err);

#endif
