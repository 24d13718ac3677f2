/*
 * compiler.h: one run of a compiler in its box, on one source that may be written to break it.
 * It sees the system's toolchain, read-only, and a folder of its own; what it makes
 * is read from there when all of it is dead.
 */
#ifndef EVALUATE_COMPILER_H
#define EVALUATE_COMPILER_H

#include "ops/core/strbuf.h"

/* Names in the box: the source is COMPILER_SOURCE with its language's suffix. */
#define COMPILER_SOURCE "unit."
#define COMPILER_OUTPUT "unit.out"

struct compiler_run {
	char *const *argv;          /* argv[0] is looked up in PATH; ends with NULL; fixed by the language, never by a candidate */
	const char *suffix, *text;  /* of the source */
	double wall_s;              /* 0: 120 */
	int64_t memory_bytes;       /* of all its processes; 0: 4 GiB */
};

/*
 * 1: made, its bytes appended to *made.  0: refused, stopped at a limit or crashed; what it said
 * (at most 16 KiB), and how it ended where that was not of its own will, appended to *log.
 * -1: the machine failed, or there is no such compiler; *err.
 */
int compiler_run(const struct compiler_run *run, struct strbuf *made, struct strbuf *log, struct strbuf *err);

#endif
