/*
 * lang.h: a source language: prints a tile program.
 * generate/lang/<name>.c exports one `const struct lang lang_<name>`.
 */
#ifndef GENERATE_LANG_H
#define GENERATE_LANG_H

#include "generate/target.h"
#include "generate/tile.h"

/* What a printer gives back.  Every text is appended to. */
struct printed {
	struct strbuf prologue; /* vocabulary: equal for all candidates of a language and target that may share a translation unit */
	struct strbuf source;   /* the kernels; symbols SYMBOL_<kernel> with SYMBOL as given */
	int64_t scratch_bytes;  /* per thread (CPU) */
	struct tile_launch launch[TILE_MAX_KERNELS]; /* per kernel (devices) */
};
#define PRINTED_INIT { .prologue = STRBUF_INIT, .source = STRBUF_INIT, .launch = { [0 ... TILE_MAX_KERNELS - 1] = { .tensor = STRBUF_INIT } } }
void printed_release(struct printed *printed);

/*
 * Equal sources are equal code, whenever they are compiled: what stands for the date is a name that nothing has.
 * (-Werror=date-time says nothing where -w is given, in clang 22.)
 */
#define LANG_DATELESS "-D__DATE__=km_no_date -D__TIME__=km_no_date -D__TIMESTAMP__=km_no_date"

/* A knob the language itself adds to the ones of the skeleton (compiler-level choices). */
struct lang {
	const char *name;
	const char *summary;
	const char *suffix;    /* "c", "hip" */
	const char *artifact;  /* serves targets of this artifact kind */
	bool can_batch;        /* many candidates in one translation unit */
	bool has_tiles;        /* its values are tiles: which thread holds what is its compiler's */
	/*
	 * Compile command, space-separated words; %in %out %march are replaced,
	 * %flags by the target's compiler_flags.
	 */
	const char *compile;
	/*
	 * A compiler that stays instead, the text of a Python program (evaluate/resident.h says what it is
	 * asked); `compile` then names it, and begins with the environment it wants.  NULL: none.
	 */
	const char *server;
	/* May the program be printed for the target?  false with the reason in *why_not: normal. */
	bool (*accepts)(const struct tile_program *program, const struct target *target,
			struct strbuf *why_not);
	/* 0, or -1 with *err (a bug or an unsupported construct accepts() missed). */
	int (*print)(const struct tile_program *program, const struct target *target,
		     const char *symbol, struct printed *out, struct strbuf *err);
	/*
	 * Facts of a compiled artifact for one symbol ("registers", "spills",
	 * "lds_bytes", "vector_width", ...), reported through add(); NULL: none.
	 * 0; -1 with *err: it is not what it should be; 1 with *err: it cannot be read.
	 */
	int (*inspect)(const char *artifact_path, const char *symbol,
		       void (*add)(const char *key, double value, void *user), void *user,
		       struct strbuf *err);
};

extern const struct lang *const lang_table[];
const struct lang *lang_find(const char *name);

#endif
