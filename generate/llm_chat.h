/*
 * llm_chat.h: what a server answers to a chat completion: a stream of events (SSE), or one JSON object.
 * Bytes come as the network gives them; whatever they are, memory is bounded and nothing but this parser sees them.
 */
#ifndef GENERATE_LLM_CHAT_H
#define GENERATE_LLM_CHAT_H

#include "ops/core/strbuf.h"

enum chat_state {
	CHAT_OPEN,       /* more is to come */
	CHAT_WHOLE,      /* the end was told */
	CHAT_MALFORMED,  /* not what was asked for: why */
	CHAT_TOO_LARGE,
	CHAT_ERROR,      /* the server says what went wrong: code */
};

struct chat_limits {
	size_t line_bytes, event_bytes, total_bytes, events;
};
#define CHAT_LIMITS { .line_bytes = 1 << 20, .event_bytes = 4 << 20, .total_bytes = 16 << 20, .events = 1000000 }

struct chat {
	struct chat_limits limits;
	enum chat_state state;
	struct strbuf content;     /* the answer so far */
	char finish[32];           /* why it ended: "stop", "length", ... */
	char code[64];             /* of an error: letters, digits and "_-." alone */
	const char *why;           /* CHAT_MALFORMED, CHAT_TOO_LARGE */
	int64_t prompt_tokens, answer_tokens; /* -1: not told */
	int64_t pieces;            /* events with text */
	bool is_stream;
	/* of the parser */
	struct strbuf line, event;
	size_t total, events;
	bool has_cr, has_data;
};

void chat_init(struct chat *chat, const struct chat_limits *limits, bool is_stream);
void chat_release(struct chat *chat);
/* False when no more is wanted: chat->state says why. */
bool chat_feed(struct chat *chat, const char *data, size_t length);
/* No more comes.  CHAT_OPEN afterwards: it was cut off. */
void chat_end(struct chat *chat);
/* The code of an error body, or "": keeps no other word of it. */
void chat_error_code(const char *body, size_t length, char code[64]);

/*
 * The one fenced block of an answer: lines ``` (with a language word or not) ... ```.  0, or -1 with *why: there is
 * none, there are more, or one that does not end.  *block and *length lie in `answer`.
 */
int chat_fenced(const char *answer, const char **block, size_t *length, const char **why);

#endif
