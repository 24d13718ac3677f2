/*
 * llm.h: asking a language model, over the OpenAI-compatible HTTP API, and its transcripts.
 *
 * Everything it is set by comes from the environment, llm_variables[]; the key from a file alone.  What it answers is
 * kept in a transcript before anybody sees it, and what is in a transcript is not asked again: a search is a
 * function of its seed, its history and its transcript.  Nothing here ends a search: where nobody answers, why.
 *
 * Thread rule: one struct llm a thread.
 */
#ifndef GENERATE_LLM_H
#define GENERATE_LLM_H

#include "generate/exchange.h"
#include "generate/llm_chat.h"
#include "ops/core/rng.h"

struct llm_model {
	const char *name;
	double weight;
	double price, answer_price; /* of a million tokens, in and out */
};
enum { LLM_MAX_MODELS = 16, LLM_MAX_EXCHANGES = 64 };

struct llm_settings {
	const char *url;            /* https, or http to this machine: "https://host/v1"; NULL: no model */
	struct llm_model model[LLM_MAX_MODELS];
	size_t model_count;
	const char *key_path, *ca_path, *state_path;
	const char *format;         /* how the form of an answer is asked for: "json_schema", "json_object", "none" */
	double temperature;
	int64_t answer_tokens;      /* most of an answer */
	int64_t prompt_bytes;       /* most of a prompt */
	int64_t exchanges;          /* most a batch */
	/* Of one exchange. */
	double connect_s, stall_s, timeout_s; /* timeout_s: all tries and waiting together */
	int64_t tries;
	double backoff_s, backoff_most_s, retry_after_most_s;
	struct chat_limits limits;
	/* Of all workers that share state_path; 0: no limit. */
	int64_t requests_per_min, tokens_per_min, most_tokens;
	double retry_share;         /* retries by requests */
	double break_s;             /* silence after several failures on end */
};
struct llm_variable {
	const char *name, *fallback, *help;
};
extern const struct llm_variable llm_variables[]; /* ends with name NULL */

/* From the environment.  0, or -1 with one line in *err: what is wrong there. */
int llm_settings_read(struct arena *arena, struct llm_settings *settings, struct strbuf *err);

struct llm;
/*
 * `how`: NULL or "": the model answers; "record:FILE": it does, and FILE is kept too; "replay:FILE": only FILE answers.
 * own: the search's transcript, which is always kept; NULL: none.  Each FILE is of any number of searches.
 * NULL with *err where `how` is none of these or a transcript cannot be read; that there is no model is told by llm_ask().
 */
struct llm *llm_open(const char *how, const char *own, struct strbuf *err);
void llm_close(struct llm *llm);
/* Is there anybody to ask: a model, or a transcript? */
bool llm_is_there(const struct llm *llm);
const struct llm_settings *llm_settings_of(const struct llm *llm);

struct llm_question {
	const char *problem, *target, *mode, *wants;
	uint64_t batch_seed;        /* with number: its place in the search */
	int64_t number;             /* of the question in its batch */
	const char *model;
	uint64_t seed;              /* for the model */
	const char *system, *prompt;
	const char *schema;         /* of the answer, JSON; NULL: text */
};
/*
 * 0: *x is the exchange, its outcome "answered" or "cut".  -1: nobody answered, *why says so in a line; where *x has an
 * outcome it was tried; of a transcript that has no further
 * question of the batch *why says nothing.  Then llm_keep() it either way, with its candidates.
 */
int llm_ask(struct arena *arena, struct llm *llm, const struct llm_question *question, struct exchange *x, struct strbuf *why);
#define LLM_UNFIT "unfit" /* the outcome of an answer of which nothing can be tried: set by who asked */
/* Into the transcripts that do not have it, durably; its strings live as long as *llm.  0, or -1 with *err: its answer must not be used. */
int llm_keep(struct llm *llm, const struct exchange *x, struct strbuf *err);

/* A model by weight. */
const char *llm_model_of(const struct llm_settings *settings, struct rng *rng);

/* ---- pieces of it, for llm*.c and tests ------------------------------- */

enum try_end {
	TRY_ANSWERED, TRY_CUT, /* at the limit of tokens */
	TRY_AGAIN,             /* as it was: it may go better */
	TRY_FAILED,            /* it would not */
	TRY_STOP,              /* nor would any other: the key, or money */
};
struct llm_try {
	enum try_end end;
	const char *outcome;        /* of struct exchange */
	char words[160];
	double retry_after_s;       /* 0: not told; clamped */
	struct chat chat;
};
/* One request.  Never follows, never decompresses, never trusts; ends within seconds_left.  (llm_client.c) */
void llm_client_try(const struct llm_settings *settings, const char *key, const char *body, double seconds_left, struct llm_try *t);
void llm_try_release(struct llm_try *t);
/* NULL, or why this program cannot ask: built without libcurl. */
const char *llm_client_missing(void);
/* Is it an address the key may be sent to?  0, or -1 with *err. */
int llm_url_check(const char *url, struct strbuf *err);

/* The key of a file, NULL with *err: group or others may read it, it is none.  llm_key_wipe() it. */
char *llm_key_read(const char *path, struct strbuf *err);
void llm_key_wipe(char *key);
/* Does the text hold the key, plain, reversed, in hexadecimal, base64 or as in an address? */
bool llm_key_is_in(const char *key, const char *text);

/* What all workers share: llm_budget.c.  0 go; 1 wait *wait_s and ask again; -1 not now, *why says so. */
int llm_budget_take(const struct llm_settings *settings, const char *key_id, bool is_retry, double *wait_s, struct strbuf *why);
void llm_budget_tell(const struct llm_settings *settings, const char *key_id, enum try_end end, const char *words, int64_t tokens);

#endif
