#include "generate/llm_chat.h"
#include "generate/llm_json.h"

#include <string.h>

void chat_init(struct chat *chat, const struct chat_limits *limits, bool is_stream)
{
	*chat = (struct chat){ .limits = *limits, .prompt_tokens = -1, .answer_tokens = -1, .is_stream = is_stream,
			       .content = STRBUF_INIT, .line = STRBUF_INIT, .event = STRBUF_INIT };
}

void chat_release(struct chat *chat)
{
	strbuf_release(&chat->content);
	strbuf_release(&chat->line);
	strbuf_release(&chat->event);
}

static bool end(struct chat *chat, enum chat_state state, const char *why)
{
	chat->state = state;
	chat->why = why;
	return false;
}

/* Of a word that a server says only what is a word is kept. */
static void keep_word(const cJSON *item, char *out, size_t room)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
	const char *text = cJSON_GetStringValue(item);

	if (text && *text && strlen(text) < room && strspn(text, allowed) == strlen(text))
		memcpy(out, text, strlen(text) + 1);
}

static int64_t count_of(const cJSON *usage, const char *name)
{
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(usage, name);

	return cJSON_IsNumber(n) && n->valuedouble >= 0 && n->valuedouble <= 1e12 ? (int64_t)n->valuedouble : -1;
}

static void take_error(const cJSON *error, char code[64])
{
	keep_word(cJSON_GetObjectItemCaseSensitive(error, "type"), code, 64);
	keep_word(cJSON_GetObjectItemCaseSensitive(error, "code"), code, 64);
}

void chat_error_code(const char *body, size_t length, char code[64])
{
	const char *why;
	cJSON *root = llm_json_read(body, length, &why);
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(root, "error");

	code[0] = 0;
	take_error(cJSON_IsObject(error) ? error : root, code);
	cJSON_Delete(root);
}

/* A chunk of a stream ("delta"), or the whole answer ("message"). */
static bool take_object(struct chat *chat, const cJSON *root, const char *part)
{
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(root, "error");
	const cJSON *usage = cJSON_GetObjectItemCaseSensitive(root, "usage");
	const cJSON *choices = cJSON_GetObjectItemCaseSensitive(root, "choices");

	if (!cJSON_IsObject(root))
		return end(chat, CHAT_MALFORMED, "no JSON object");
	if (error && !cJSON_IsNull(error)) {
		take_error(error, chat->code);
		return end(chat, CHAT_ERROR, NULL);
	}
	if (cJSON_IsObject(usage)) {
		chat->prompt_tokens = count_of(usage, "prompt_tokens");
		chat->answer_tokens = count_of(usage, "completion_tokens");
	}
	if (!cJSON_IsArray(choices))
		return usage ? true : end(chat, CHAT_MALFORMED, "no 'choices'");
	const cJSON *choice = choices->child;
	if (!choice)
		return true;
	const cJSON *message = cJSON_GetObjectItemCaseSensitive(choice, part);
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(message, "content"));
	if (text && *text) {
		strbuf_addstr(&chat->content, text);
		chat->pieces++;
	}
	keep_word(cJSON_GetObjectItemCaseSensitive(choice, "finish_reason"), chat->finish, sizeof(chat->finish));
	return true;
}

static bool take_event(struct chat *chat)
{
	const char *why;

	if (++chat->events > chat->limits.events)
		return end(chat, CHAT_TOO_LARGE, "too many events");
	if (!strcmp(chat->event.buf, "[DONE]"))
		return end(chat, CHAT_WHOLE, NULL);
	cJSON *root = llm_json_read(chat->event.buf, chat->event.len, &why);
	if (!root)
		return end(chat, CHAT_MALFORMED, why);
	bool goes_on = take_object(chat, root, "delta");
	cJSON_Delete(root);
	strbuf_reset(&chat->event);
	chat->has_data = false;
	return goes_on;
}

static bool take_line(struct chat *chat)
{
	const char *line = chat->line.buf;

	if (!chat->line.len) {
		if (chat->has_data)
			return take_event(chat);
		return true;
	}
	/* Comments, which keep the line alive, and fields that nothing depends on. */
	if (strncmp(line, "data", 4) || (line[4] && line[4] != ':'))
		return true;
	const char *data = line[4] ? line + 5 + (line[5] == ' ') : line + 4;
	if (chat->has_data)
		strbuf_addch(&chat->event, '\n');
	chat->has_data = true;
	strbuf_add(&chat->event, data, chat->line.len - (size_t)(data - line));
	if (chat->event.len > chat->limits.event_bytes)
		return end(chat, CHAT_TOO_LARGE, "an event too long");
	return true;
}

bool chat_feed(struct chat *chat, const char *data, size_t length)
{
	if (chat->state != CHAT_OPEN)
		return false;
	chat->total += length;
	if (chat->total > chat->limits.total_bytes)
		return end(chat, CHAT_TOO_LARGE, "an answer too long");
	if (!chat->is_stream) {
		strbuf_add(&chat->line, data, length);
		return true;
	}
	while (length) {
		size_t n = 0;
		if (chat->has_cr && *data == '\n') {
			data++;
			length--;
			chat->has_cr = false;
			continue;
		}
		chat->has_cr = false;
		while (n < length && data[n] != '\n' && data[n] != '\r')
			n++;
		strbuf_add(&chat->line, data, n);
		if (chat->line.len > chat->limits.line_bytes)
			return end(chat, CHAT_TOO_LARGE, "a line too long");
		if (memchr(chat->line.buf, 0, chat->line.len))
			return end(chat, CHAT_MALFORMED, "a NUL");
		if (n == length)
			return true;
		chat->has_cr = data[n] == '\r';
		data += n + 1;
		length -= n + 1;
		if (!take_line(chat))
			return false;
		strbuf_reset(&chat->line);
	}
	return true;
}

void chat_end(struct chat *chat)
{
	const char *why;

	if (chat->state != CHAT_OPEN || chat->is_stream)
		return;
	cJSON *root = llm_json_read(chat->line.buf, chat->line.len, &why);
	if (!root)
		end(chat, CHAT_MALFORMED, why);
	else if (take_object(chat, root, "message"))
		chat->state = CHAT_WHOLE;
	cJSON_Delete(root);
}

int chat_fenced(const char *answer, const char **block, size_t *length, const char **why)
{
	const char *open = NULL;
	int blocks = 0;

	for (const char *line = answer; *line;) {
		size_t n = strcspn(line, "\n");
		const char *next = line + n + (line[n] == '\n');
		if (!strncmp(line, "```", 3)) {
			/* A fence is the line's all: a word of a language may follow the one that opens. */
			size_t word = strspn(line + 3, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+#-_");
			size_t blank = strspn(line + 3 + word, " \t\r");
			if (3 + word + blank != n || (open && word)) {
				*why = "a fence with more on its line";
				return -1;
			}
			if (open) {
				*length = (size_t)(line - open);
				*block = open;
				open = NULL;
			} else {
				blocks++;
				open = next;
			}
		}
		line = next;
	}
	*why = open ? "a fenced block that does not end" : !blocks ? "no fenced block" : "more than one fenced block";
	return open || blocks != 1 ? -1 : 0;
}
