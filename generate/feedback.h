/*
 * feedback.h: what a trial says beyond its row of the history, for policies that read: words of the compiler, the first
 * wrong element, registers, spills, the machine's peaks, and the source of what was not printed.
 * A file of JSON lines, in order of arrival; evaluate writes it with this module.
 */
#ifndef GENERATE_FEEDBACK_H
#define GENERATE_FEEDBACK_H

#include "ops/core/arena.h"
#include "ops/core/strbuf.h"

enum { FEEDBACK_MAX_FACTS = 24 };
struct feedback_fact {
	const char *key;
	double value;
};
struct feedback {
	const char *id, *verdict, *lang, *origin;
	const char *detail;        /* "": nothing to tell */
	const char *source;        /* of a whole source; "" where its knobs print it again */
	double tolerance_ratio;    /* largest error over its bound; NaN: unknown */
	double peak_flop_per_s, peak_bytes_per_s; /* of the machine, one core's; 0: unknown */
	struct feedback_fact fact[FEEDBACK_MAX_FACTS];
	size_t fact_count;
};
struct feedback_list {
	struct feedback *item;
	size_t count;
};

void feedback_write(const struct feedback *feedback, struct strbuf *out); /* one line with '\n' */
/* A missing file is an empty list.  0, or -1 with "file:line: what". */
int feedback_read(struct arena *arena, const char *path, struct feedback_list *list, struct strbuf *err);
/* Of that id, the last; NULL: none. */
const struct feedback *feedback_find(const struct feedback_list *list, const char *id);
/* A fact by its key; NaN: it has none. */
double feedback_fact(const struct feedback *feedback, const char *key);

#endif
