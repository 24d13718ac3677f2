/*
 * corpus.h: look up, load and launch the fastest verified kernel for an
 * operator, a data type, a shape and a hardware target.
 *
 * Needs libc and libm only.  Never prints, never exits, never reads the
 * environment.  A `struct corpus` is read-only after corpus_open() and may be
 * used from several threads; a `struct corpus_handle` by one at a time.
 * Strings and memory it allocates are freed by the closing calls, also after
 * CORPUS_MEMORY.
 */
#ifndef CORPUS_CORPUS_H
#define CORPUS_CORPUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum corpus_status {
	CORPUS_OK = 0,
	CORPUS_MISSING,  /* no kernel serves the key */
	CORPUS_IO,       /* a file could not be read */
	CORPUS_CORRUPT,  /* a file does not hold what its hash says, or cannot be parsed */
	CORPUS_MEMORY,
	CORPUS_ARGUMENT, /* NULL, or a name the operator does not have */
	CORPUS_LOAD,     /* the artifact could not be loaded on this machine */
	CORPUS_LAUNCH,   /* the kernel refused the call */
};
const char *corpus_status_text(enum corpus_status status);

struct corpus;
struct corpus_binding {
	const char *name; /* dimension "M" or attribute "eps" */
	double value;
};
/* What selects a kernel. */
struct corpus_key {
	const char *op;      /* "matmul" */
	const char *dtype;   /* "f32" */
	const char *target;  /* "x86-avx2"; NULL: what this machine is */
	int threads;         /* 0: 1 */
	const struct corpus_binding *binding; /* every dimension; attributes that are not default */
	size_t binding_count;
};
/* Strings belong to the corpus and live until corpus_close(). */
struct corpus_kernel {
	const char *id, *op, *dtype, *target, *lang;
	const char *folder;       /* of source, plan and artifact */
	const char *problem;      /* the shape it was measured at */
	int is_exact;             /* 1: measured at the very shape asked for; 0: chosen by region */
	double time_ns;           /* one call at `problem`, timed from outside its process where the entry is judged_by lives [ns] */
	double baseline_ratio;    /* strongest baseline's time over the kernel's, timed in turn */
	double sol_ratio;         /* share of the speed of light */
	double tolerance_ratio;   /* largest error / allowed error */
};

enum corpus_status corpus_open(const char *folder, struct corpus **corpus);
void corpus_close(struct corpus *corpus);
/*
 * The fastest kernel whose region contains the key's shape: the one measured at
 * that shape, else the one measured nearest to it.  CORPUS_MISSING leaves *kernel untouched.
 */
enum corpus_status corpus_find(const struct corpus *corpus, const struct corpus_key *key,
			       struct corpus_kernel *kernel);
size_t corpus_count(const struct corpus *corpus);
enum corpus_status corpus_at(const struct corpus *corpus, size_t i, struct corpus_kernel *kernel);

struct corpus_handle;
/* Loads the kernel for the key.  Owned by you: corpus_unload(). */
enum corpus_status corpus_load(const struct corpus *corpus, const struct corpus_key *key,
			       struct corpus_handle **handle);
/* buffer[]: the operator's tensors in the order of its table, dense row-major. */
enum corpus_status corpus_launch(struct corpus_handle *handle, void *const *buffer);
void corpus_unload(struct corpus_handle *handle);
/* What the last failed call of this thread was about; "" when nothing. */
const char *corpus_error(void);

#ifdef __cplusplus
}
#endif
#endif
