/*
 * llm_prompt.h: what a language model is told: the problem, a diagnosis, trials, pages of the knowledge base, and how to answer.
 *
 * All of it but our own sentences is data: operators, sources, compilers' words, pages.  Data is shown as plain ASCII, cut to
 * a length, between lines with a delimiter that it does not hold; of sources comments and the texts of strings are
 * taken out, and of a compiler's words what merely repeats the source.  The model has no tools, and what it
 * answers only ever enters the compiler's box.
 *
 * Pure: equal searches and generators give equal prompts.
 */
#ifndef GENERATE_LLM_PROMPT_H
#define GENERATE_LLM_PROMPT_H

#include "generate/feedback.h"
#include "generate/policy.h"

/* ---- text that others wrote ------------------------------------------- */

/* Appends at most `most` bytes: ASCII, newlines and tabs; what is not seen (bidi marks, zero width, controls) is gone, the rest is '?'. */
void prompt_clean(const char *text, size_t most, struct strbuf *out);
/* A source without comments and with empty strings; `hash`: its comments begin with '#', as Python's. */
void prompt_strip(const char *source, bool hash, struct strbuf *out);
/* A compiler's or the checker's words, without what stands in the source ("": none), at most `most` bytes. */
void prompt_words(const char *detail, const char *source, size_t most, struct strbuf *out);

/* ---- diagnosis and knowledge ------------------------------------------ */

enum { DIAGNOSIS_MAX = 8 };
struct diagnosis {
	const char *word[DIAGNOSIS_MAX]; /* of generate/knowledge/README.md, "Vocabulary of when" */
	size_t count;
	struct strbuf sentences;         /* the same for a reader, with its numbers */
};
/* Of a trial, or, NULL, of a search without one.  Release sentences. */
void diagnose(const struct search *search, const struct trial *trial, struct diagnosis *out);

/* Appends the best fitting pages, at most `most` bytes; their titles, comma-separated, to titles.  (llm_knowledge.c) */
void knowledge_add(const char *folder, const struct diagnosis *diagnosis, const char *target, const char *lang, const char *const *kind,
		   size_t kind_count, size_t most, const char *fence, struct strbuf *out, struct strbuf *titles);
/* KM_KNOWLEDGE, or where this program's folder has it: installed or in its source tree; in `out`, "" where there is none. */
void knowledge_folder(struct strbuf *out);

/* ---- the prompt -------------------------------------------------------- */

enum memory_mode { MODE_INHERIT, MODE_COMPARE, MODE_COMBINE, MODE_CLEAN_SLATE, MODE_COUNT };
const char *memory_mode_name(enum memory_mode mode); /* "clean-slate" */

struct prompt_plan {
	enum memory_mode mode;
	const struct trial *parent, *other; /* other: compared or combined with; NULL where the mode has none */
	size_t sub_index;                   /* whose knobs, or whose language */
	bool wants_source;
	int64_t most_proposals;             /* of knobs */
	char fence[20];
	size_t most_bytes;
	const char *knowledge;              /* folder, "": none */
};
void prompt_write(const struct search *search, const struct prompt_plan *plan, struct strbuf *system, struct strbuf *prompt);
/* The JSON schema of an answer with knobs. */
void prompt_schema(const struct search *search, const struct prompt_plan *plan, struct strbuf *out);

#endif
