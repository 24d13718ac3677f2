/*
 * index.h: corpus entries: the text record beside each kernel, and the tree of
 * them.  libc and libm only: this is part of the installed library.
 *
 * <corpus>/<target>/<op>/<id>/entry holds "key: value" lines (kv.h):
 *   format: 1            id, op, dtype, target, lang, artifact (file name), threads, problem
 *   dims: M=1024 N=..    static_dims: KH KW     attrs: S=1 P=0     attr_defaults: S=1 P=1
 *   tensors: A B C       in the operator's order
 *   time_ns (with time_low_ns time_high_ns judged_by, and raced_time_ns: as the process's own clock had it)
 *   baseline_ratio sol_ratio tolerance_ratio, and evidence that only people read
 * It is the manifest of an object of store.h, which has the hashes of all beside it.
 */
#ifndef CORPUS_INDEX_H
#define CORPUS_INDEX_H

#include "corpus/corpus.h"
#include "ops/core/kv.h"
#include "ops/core/plan.h"
#include "ops/core/store.h"

#define CORPUS_FORMAT "1"
#define ENTRY_MAX_DIMS 16

struct entry_dim {
	const char *name;
	int64_t value;
	bool is_static; /* known when the kernel was compiled: must be equal */
};
struct entry_attr {
	const char *name;
	double value, standard; /* the operator's default */
};
struct entry {
	const char *id, *op, *dtype, *target, *lang, *problem, *artifact;
	const char *folder;
	int threads;
	struct entry_dim *dim;
	size_t dim_count;
	struct entry_attr *attr;
	size_t attr_count;
	const char **tensor;
	size_t tensor_count;
	double time_ns, baseline_ratio, sol_ratio, tolerance_ratio;
	struct kv kv;
	struct plan plan;
};

/* Reads and checks `folder`/entry and `folder`/plan (hashes included).  Else a status and a line in *err. */
enum corpus_status entry_read(struct arena *arena, const char *folder, struct entry *entry,
			      struct strbuf *err);
/* Does the file `name` beside the entry have its recorded hash? */
enum corpus_status entry_check_file(const struct entry *entry, const char *name, struct strbuf *err);
/* Do all files that it names? */
enum corpus_status entry_check_files(const struct entry *entry, struct strbuf *err);
/* 0: made for `native`, the target this machine is; 1: runs on it too; -1: does not.  native may be NULL. */
struct target;
int entry_target_rank(const struct entry *entry, const struct target *native);

struct entry_list {
	char **folder;
	size_t count;
};
/* Folders of all entries below a corpus folder, sorted by target, op, id; hidden folders are not looked into. */
enum corpus_status entry_find_all(struct arena *arena, const char *corpus_folder,
				  struct entry_list *list, struct strbuf *err);

#endif
