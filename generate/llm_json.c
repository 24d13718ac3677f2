#include "generate/llm_json.h"

#include <stdlib.h>
#include <string.h>

struct reader {
	const char *at, *end;
	int depth, values;
	const char *why;
};

static bool refuse(struct reader *r, const char *why)
{
	if (!r->why)
		r->why = why;
	return false;
}

static void blanks(struct reader *r)
{
	while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
		r->at++;
}

static int hex4(const char *s, const char *end)
{
	int value = 0;

	if (end - s < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = s[i];
		int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

static bool escape(struct reader *r)
{
	int code, low;

	if (r->at == r->end)
		return refuse(r, "it ends within a string");
	if (strchr("\"\\/bfnrt", *r->at) && *r->at) {
		r->at++;
		return true;
	}
	if (*r->at++ != 'u' || (code = hex4(r->at, r->end)) < 0)
		return refuse(r, "a wrong escape");
	r->at += 4;
	if (!code)
		return refuse(r, "a NUL in a string");
	if (code < 0xd800 || code > 0xdfff)
		return true;
	if (code > 0xdbff || r->end - r->at < 6 || r->at[0] != '\\' || r->at[1] != 'u' || (low = hex4(r->at + 2, r->end)) < 0xdc00 || low > 0xdfff)
		return refuse(r, "half a surrogate pair");
	r->at += 6;
	return true;
}

static bool string(struct reader *r)
{
	for (r->at++; r->at < r->end && *r->at != '"';) {
		unsigned char c = (unsigned char)*r->at;
		size_t n;
		if (c < 0x20)
			return refuse(r, "a control character in a string");
		if (c == '\\') {
			r->at++;
			if (!escape(r))
				return false;
			continue;
		}
		/* The text ends with NUL: no sequence reaches beyond. */
		if (!(n = utf8_bytes(r->at)))
			return refuse(r, "not UTF-8");
		r->at += n;
	}
	if (r->at == r->end)
		return refuse(r, "it ends within a string");
	r->at++;
	return true;
}

static size_t digits(struct reader *r)
{
	const char *from = r->at;

	while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
		r->at++;
	return (size_t)(r->at - from);
}

static bool number(struct reader *r)
{
	const char *from = r->at;

	r->at += *r->at == '-';
	if (r->at < r->end && *r->at == '0')
		r->at++;
	else if (!digits(r))
		return refuse(r, "not a JSON value");
	if (r->at < r->end && *r->at == '.') {
		r->at++;
		if (!digits(r))
			return refuse(r, "a wrong number");
	}
	if (r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
		r->at++;
		if (r->at < r->end && (*r->at == '+' || *r->at == '-'))
			r->at++;
		if (!digits(r))
			return refuse(r, "a wrong number");
	}
	return r->at - from <= LLM_JSON_NUMBER || refuse(r, "a number of too many digits");
}

static bool word(struct reader *r, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(r->end - r->at) < n || memcmp(r->at, text, n))
		return refuse(r, "not a JSON value");
	r->at += n;
	return true;
}

static bool value(struct reader *r);

/* The members of an object or the elements of an array, its bracket read. */
static bool members(struct reader *r, char closing)
{
	if (++r->depth > LLM_JSON_DEPTH)
		return refuse(r, "too deep");
	blanks(r);
	if (r->at < r->end && *r->at == closing) {
		r->at++;
		r->depth--;
		return true;
	}
	for (;;) {
		blanks(r);
		if (closing == '}') {
			if (r->at == r->end || *r->at != '"')
				return refuse(r, "an object without a name");
			if (!string(r))
				return false;
			blanks(r);
			if (r->at == r->end || *r->at++ != ':')
				return refuse(r, "a name without a value");
		}
		if (!value(r))
			return false;
		blanks(r);
		if (r->at == r->end)
			return refuse(r, "it ends too early");
		char c = *r->at++;
		if (c == closing)
			break;
		if (c != ',')
			return refuse(r, "neither ',' nor an end");
	}
	r->depth--;
	return true;
}

static bool value(struct reader *r)
{
	blanks(r);
	if (r->at == r->end)
		return refuse(r, "it ends too early");
	if (++r->values > LLM_JSON_VALUES)
		return refuse(r, "too many values");
	switch (*r->at) {
	case '{':
		r->at++;
		return members(r, '}');
	case '[':
		r->at++;
		return members(r, ']');
	case '"':
		return string(r);
	case 't':
		return word(r, "true");
	case 'f':
		return word(r, "false");
	case 'n':
		return word(r, "null");
	default:
		return number(r);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* No name twice, however it is escaped: readers differ in which of them they take. */
static bool is_unambiguous(const cJSON *item, const char **why)
{
	static const char *name[LLM_JSON_MEMBERS];
	int count = 0;

	for (const cJSON *c = item->child; c && cJSON_IsObject(item); c = c->next) {
		if (count == LLM_JSON_MEMBERS) {
			*why = "an object of too many members";
			return false;
		}
		name[count++] = c->string;
	}
	if (count)
		qsort(name, (size_t)count, sizeof(*name), by_name);
	for (int i = 1; i < count; i++)
		if (!strcmp(name[i - 1], name[i])) {
			*why = "a name that occurs twice in an object";
			return false;
		}
	for (const cJSON *c = item->child; c; c = c->next)
		if (!is_unambiguous(c, why))
			return false;
	return true;
}

cJSON *llm_json_read(const char *text, size_t length, const char **why)
{
	struct reader r = { text, text + length, 0, 0, NULL };

	*why = "not a JSON value";
	if (memchr(text, 0, length)) {
		*why = "a NUL";
		return NULL;
	}
	if (!value(&r) || (blanks(&r), r.at != r.end && !refuse(&r, "more than one value"))) {
		*why = r.why;
		return NULL;
	}
	cJSON *root = cJSON_ParseWithLength(text, length);
	if (root && !is_unambiguous(root, why)) {
		cJSON_Delete(root);
		root = NULL;
	}
	return root;
}
