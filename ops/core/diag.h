/*
 * diag.h: messages on stderr, `tool: kind: message`, one line, lower case, no
 * full stop, cause first, subject in single quotes; and the exit codes.
 */
#ifndef OPS_CORE_DIAG_H
#define OPS_CORE_DIAG_H

#include "ops/core/strbuf.h"

enum exit_code {
#define X(name, code, sentence) KM_##name = code,
#include "ops/core/exit.def"
#undef X
};

extern const char *diag_tool; /* the program's name, set first thing in main() */

void warn(const char *fmt, ...) PRINTF(1, 2);  /* and go on */
void error(const char *fmt, ...) PRINTF(1, 2); /* the caller returns an exit code */
NORETURN void die(const char *fmt, ...) PRINTF(1, 2);   /* exit 3 */
NORETURN void usage(const char *fmt, ...) PRINTF(1, 2); /* exit 2; only from main.c files */
NORETURN void bug(const char *fmt, ...) PRINTF(1, 2);   /* internal impossibility: abort */

/* Each line of *err as an error; releases it; returns `code`. */
int diag_report(struct strbuf *err, int code);

/* Flushes stdout; returns `code`, or KM_EXIT_NOT_DURABLE with a message when stdout could not be written. */
int diag_finish(int code);

#endif
