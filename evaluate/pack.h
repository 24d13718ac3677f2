/*
 * pack.h: a batch that is compiled here and run where there is a device, a driver and our tools,
 * but no compiler.  One file:
 *   "KMPACK1 " sha256 of all that follows "\n"
 *   "version " compiler " " length "\n" its version "\n"           which made what is in it
 *   "cached " key " " sha256 " " length "\n" bytes "\n"            our own loops, for the compile cache
 *   "artifact " sha256 " " length "\n" bytes "\n"                   each once
 *   "cell " path " " target " " problem "\n"                        where results belong; of all that follow
 *   "kernel " sha256 " " length " " length "\n" candidate "\n" evaluation "\n"   JSON of record.h
 * What was changed or cut off on the way is refused.  Results are journals below a folder, by
 * the cells' paths; merge_cells() brings them home.
 */
#ifndef EVALUATE_PACK_H
#define EVALUATE_PACK_H

#include "evaluate/compile.h"
#include "evaluate/record.h"
#include "ops/core/diag.h"

struct pack_kernel {
	struct candidate candidate;
	struct evaluation evaluation; /* as compiled: facts, compile_s */
	const char *sha256;           /* of its artifact */
};
struct pack_cell {
	const char *path;             /* below the folder of cells */
	const char *target, *problem;
	struct pack_kernel *kernel;
	size_t count, capacity;
};
struct pack_artifact {
	const char *sha256;
	const char *data;             /* in the mapped file */
	size_t len;
};
struct pack {
	struct arena arena;
	const char *path;
	char *data;
	size_t len;
	struct pack_artifact *artifact;
	size_t artifact_count, artifact_capacity;
	struct pack_cell *cell;
	size_t cell_count, cell_capacity;
};

/*
 * Writes the pack `path` of all candidates below the folder `cells` that were compiled for `target`
 * (NULL: any) and measured nowhere.  What the cache has lost is compiled again.  *kernels: how many.
 * 0, or -1 with *err.
 */
int pack_write(const char *cells, const char *target, const char *path, int jobs, int64_t *kernels, struct strbuf *err);
/* Reads and verifies; brings what belongs there into the compile cache.  0, or -1 with *err; pack_close() in any case. */
int pack_open(struct pack *pack, const char *path, struct strbuf *err);
void pack_close(struct pack *pack);
/* compile_all() for candidates of the pack; what it does not have is missing. */
int pack_all(const struct pack *pack, struct arena *arena, const struct candidate *const *candidate, size_t count, struct compiled *out, struct strbuf *err);
/* What inspection found where it was compiled. */
void pack_facts(const struct pack *pack, const struct candidate *candidate, struct evaluation *evaluation);

/*
 * Adds to the journals below `cells` what those of the same path below `from` have more, and the
 * winners' files.  Each record counts once: merging again, or in parts, or sums of parts, gives
 * the same.  *records: how many were new.  0, or -1 with *err and *code.
 */
int merge_cells(const char *cells, const char *from, int64_t *records, enum exit_code *code, struct strbuf *err);

/* km-evaluate pack, run-pack and merge. */
int pack_main(int argc, char **argv);
int run_pack_main(int argc, char **argv);
int merge_main(int argc, char **argv);

#endif
