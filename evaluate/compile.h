/*
 * compile.h: sources to artifacts, in batches, through the cache (cache.h).
 */
#ifndef EVALUATE_COMPILE_H
#define EVALUATE_COMPILE_H

#include "generate/candidate.h"

struct compiled {
	bool ok;
	bool is_missing;       /* its language's compiler is not here: no fault of the source */
	bool is_rejected;      /* it compiled, and inspection refuses it: inspect.h; log says why */
	const char *artifact;  /* path, of a file that was checked when it was given out; shared by the batch unless alone */
	const char *log;       /* compiler's words when not ok */
	double compile_s;      /* share of wall time */
};

struct compile_options {
	const char *cache_folder; /* NULL: the default of cache.h */
	int jobs;                 /* translation units at a time */
	int batch;                /* candidates per translation unit; 1: each alone */
	double wall_s;            /* limit per compiler run */
};

/*
 * Compiles count candidates of one language and target, and inspects shared objects; a unit that
 * fails is bisected until each culprit stands alone.  Only what has a tile program, and so was printed
 * here, shares a unit.  out[i] answers candidate i.
 * A language that is compiled by a server (lang.h) is skipped where there is none.
 * 0, or -1 with *err: no compiler ("cannot run 'clang-22': ...; run scripts/setup.sh").
 */
int compile_all(struct arena *arena, const struct candidate *const *candidate, size_t count,
		const struct compile_options *options, struct compiled *out, struct strbuf *err);
/* Compiles a whole C translation unit as a trusted shared object (baselines, compiled evaluator). */
int compile_trusted(struct arena *arena, const char *source, const char *flags,
		    const char **artifact, struct strbuf *err);
/* What a pack (pack.h) tells a machine without compilers: the version of the one that made what it brings. */
void compile_assume_version(const char *compiler, const char *version);
/*
 * Compiles one candidate, of a language that clang compiles, with AddressSanitizer and UBSan, which end it at their first
 * report, and NaN in uninitialised variables.  It wants the runtime loaded before it (undefined.h) and is not inspected.
 * 0, or -1 with *err.
 */
int compile_sanitized(struct arena *arena, const struct candidate *candidate, struct compiled *out, struct strbuf *err);

/* First line of "<compiler> --version", kept for the program's life; NULL with *err when it cannot run. */
const char *compile_version(struct arena *arena, const char *compiler, struct strbuf *err);

#endif
