#include "ops/core/kv.h"

#include <string.h>

static bool is_key(const char *s, size_t len)
{
	if (!len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9') || s[i] == '_' ||
		      s[i] == '.' || s[i] == '-'))
			return false;
	return true;
}

int kv_parse(struct arena *arena, const char *text, const char *name, struct kv *kv,
	     struct strbuf *err)
{
	size_t lines = 1;

	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	kv->pair = ARENA_ARRAY(arena, struct kv_pair, lines);
	kv->count = 0;
	int line = 0;
	for (const char *p = text; *p;) {
		size_t len = strcspn(p, "\n");
		line++;
		if (len && p[0] != '#') {
			const char *colon = memchr(p, ':', len);
			if (!colon || !is_key(p, (size_t)(colon - p))) {
				strbuf_addf(err, "%s:%d: expected 'key: value'", name, line);
				return -1;
			}
			const char *value = colon + 1, *end = p + len;
			while (value < end && *value == ' ')
				value++;
			kv->pair[kv->count++] = (struct kv_pair){
				.key = arena_strndup(arena, p, (size_t)(colon - p)),
				.value = arena_strndup(arena, value, (size_t)(end - value)),
				.line = line,
			};
		}
		p += len + (p[len] == '\n');
	}
	return 0;
}

const char *kv_find(const struct kv *kv, const char *key)
{
	for (size_t i = 0; i < kv->count; i++)
		if (!strcmp(kv->pair[i].key, key))
			return kv->pair[i].value;
	return NULL;
}

void kv_add(struct strbuf *out, const char *key, const char *fmt, ...)
{
	size_t start;
	va_list ap;

	strbuf_addf(out, "%s: ", key);
	start = out->len;
	va_start(ap, fmt);
	strbuf_vaddf(out, fmt, ap);
	va_end(ap);
	/* A record is one line; a line break in a value would forge the next key. */
	for (size_t i = start; i < out->len; i++)
		if (out->buf[i] == '\n')
			out->buf[i] = ' ';
	strbuf_addch(out, '\n');
}
