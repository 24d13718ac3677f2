/*
 * resident.h: compilers that stay: a language's server (lang.h), a process in a box of its own
 * (sandbox.h) for each that compiles at a time, started on first use and there until we end.
 * It is asked by lines of JSON,
 *   {"source": text, "march": ..., "seconds": limit}  ->  {"artifact": base64} or {"log": why not}
 * and says first {"version": ...}, or {"missing": why}.  A server that hangs or dies costs the
 * source at hand, and another takes its place.  Thread-safe.
 */
#ifndef EVALUATE_RESIDENT_H
#define EVALUATE_RESIDENT_H

#include "generate/lang.h"

/* 1 made, the bytes appended to *made; 0 refused, with what it said in *log; -1 with *err: the machine failed. */
int resident_compile(const struct lang *lang, const struct target *target, const char *text, struct strbuf *made, double wall_s,
		     struct strbuf *log, struct strbuf *err);
/* A server's answer, a line: 1 with the artifact in *data; 0: refused, with what it said in *log; -1 with *err: it is no answer. */
int resident_read(const char *answer, struct strbuf *data, struct strbuf *log, struct strbuf *err);
/* Its version, kept for the program's life; NULL with the reason in *why_not where there is none here. */
const char *resident_version(const struct lang *lang, struct strbuf *why_not);

#endif
