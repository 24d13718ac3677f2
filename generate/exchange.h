/*
 * exchange.h: one exchange with a language model, whatever became of it, and the transcript of a search: a file of
 * JSON lines, one exchange each.  This module alone reads and writes them.
 */
#ifndef GENERATE_EXCHANGE_H
#define GENERATE_EXCHANGE_H

#include "ops/core/arena.h"
#include "ops/core/strbuf.h"

struct exchange {
	const char *request;     /* SHA-256 of the request's body: model, parameters, prompt */
	const char *place;       /* which question of which search: "<problem> <target> <seed of the batch> <number>" */
	const char *problem, *target;
	const char *model;
	const char *mode;        /* inherit, compare, combine, clean-slate */
	const char *wants;       /* "knobs", or the language of a source */
	const char *parameters;  /* of the request, JSON */
	const char *system, *prompt, *answer;
	const char *outcome;     /* "answered", "cut" (at the limit of tokens), "unfit" (nothing of it can be tried), or why there is no answer */
	const char *words;       /* of what is wrong, or ""; never a server's own */
	const char *candidates;  /* ids of those that the answer gave */
	int64_t prompt_tokens, answer_tokens;
	const char *counted;     /* who counted them: "server", or "bytes": a quarter of those, where it did not; "": nothing was sent */
	double cost;             /* by KM_LLM_PRICE; 0 without */
	double latency_s;        /* with all tries and the waiting between them */
	int64_t retries;
	const char *key_id;      /* first 8 hex digits of the key's SHA-256, or "" */
	int64_t start_ns;        /* wall clock */
};

void exchange_write(const struct exchange *exchange, struct strbuf *out); /* one JSON line with '\n' */
/* One line.  0, or -1 with *err. */
int exchange_read(struct arena *arena, const char *line, size_t length, struct exchange *exchange, struct strbuf *err);
/*
 * A transcript; a missing file is an empty one.  What a kill left torn is skipped, and *torn says how many lines.
 * 0, or -1 with *err: it cannot be read.
 */
int exchange_read_file(struct arena *arena, const char *path, struct exchange **exchange, size_t *count, size_t *torn,
		       struct strbuf *err);
/* Appends it, durably, under a lock: several may write one transcript.  0, or -1 with *err. */
int exchange_append(const char *path, const struct exchange *exchange, struct strbuf *err);

#endif
