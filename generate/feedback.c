#include "generate/feedback.h"
#include "generate/llm_json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *key;
	size_t offset;
} text_field[] = {
	{ "id", offsetof(struct feedback, id) }, { "verdict", offsetof(struct feedback, verdict) }, { "lang", offsetof(struct feedback, lang) },
	{ "origin", offsetof(struct feedback, origin) }, { "detail", offsetof(struct feedback, detail) }, { "source", offsetof(struct feedback, source) },
}, real_field[] = {
	{ "tolerance_ratio", offsetof(struct feedback, tolerance_ratio) }, { "peak_flop_per_s", offsetof(struct feedback, peak_flop_per_s) },
	{ "peak_bytes_per_s", offsetof(struct feedback, peak_bytes_per_s) },
};

/* What is not UTF-8 becomes '?': compilers and kernels say what they like. */
static void add_text(cJSON *o, const char *key, const char *text)
{
	struct strbuf clean = STRBUF_INIT;

	for (const char *s = text; *s;) {
		size_t n = utf8_bytes(s);
		if (n)
			strbuf_add(&clean, s, n);
		else
			strbuf_addch(&clean, '?');
		s += n ? n : 1;
	}
	cJSON_AddStringToObject(o, key, clean.buf);
	strbuf_release(&clean);
}

void feedback_write(const struct feedback *f, struct strbuf *out)
{
	cJSON *o = cJSON_CreateObject();

	for (size_t i = 0; i < ARRAY_SIZE(text_field); i++)
		add_text(o, text_field[i].key, *(const char *const *)((const char *)f + text_field[i].offset));
	for (size_t i = 0; i < ARRAY_SIZE(real_field); i++)
		cJSON_AddNumberToObject(o, real_field[i].key, *(const double *)((const char *)f + real_field[i].offset));
	cJSON *facts = cJSON_AddObjectToObject(o, "facts");
	for (size_t i = 0; i < f->fact_count; i++)
		if (!cJSON_GetObjectItemCaseSensitive(facts, f->fact[i].key))
			cJSON_AddNumberToObject(facts, f->fact[i].key, f->fact[i].value);
	char *text = cJSON_PrintUnformatted(o);
	strbuf_addf(out, "%s\n", text);
	free(text);
	cJSON_Delete(o);
}

static bool real_of(const cJSON *item, double *value)
{
	*value = cJSON_IsNumber(item) ? item->valuedouble : NAN;
	return cJSON_IsNumber(item) || cJSON_IsNull(item);
}

static int read_line(struct arena *arena, const char *line, size_t length, struct feedback *f)
{
	const char *why;
	cJSON *o = llm_json_read(line, length, &why);
	const cJSON *facts = cJSON_GetObjectItemCaseSensitive(o, "facts");
	bool good = cJSON_IsObject(facts);

	*f = (struct feedback){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(text_field) && good; i++) {
		const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, text_field[i].key));
		good = text != NULL;
		*(const char **)((char *)f + text_field[i].offset) = text ? arena_strdup(arena, text) : "";
	}
	for (size_t i = 0; i < ARRAY_SIZE(real_field) && good; i++)
		good = real_of(cJSON_GetObjectItemCaseSensitive(o, real_field[i].key), (double *)((char *)f + real_field[i].offset));
	for (const cJSON *c = good ? facts->child : NULL; c && good && f->fact_count < FEEDBACK_MAX_FACTS; c = c->next) {
		good = real_of(c, &f->fact[f->fact_count].value);
		f->fact[f->fact_count++].key = arena_strdup(arena, c->string);
	}
	cJSON_Delete(o);
	return good ? 0 : -1;
}

int feedback_read(struct arena *arena, const char *path, struct feedback_list *list, struct strbuf *err)
{
	struct strbuf text = STRBUF_INIT;
	size_t lines = 0, line = 0;
	int ret = -1;

	*list = (struct feedback_list){ 0 };
	if (access(path, F_OK) && errno == ENOENT)
		return 0;
	if (strbuf_read_file(&text, path, err))
		goto out;
	for (size_t i = 0; i < text.len; i++)
		lines += text.buf[i] == '\n';
	list->item = ARENA_ARRAY(arena, struct feedback, lines + 1);
	for (char *s = text.buf, *end = text.buf + text.len; s < end;) {
		char *newline = memchr(s, '\n', (size_t)(end - s));
		size_t n = (size_t)((newline ? newline : end) - s);
		if (newline)
			*newline = 0;
		line++;
		if (read_line(arena, s, n, &list->item[list->count])) {
			strbuf_addf(err, "%s:%zu: not what a trial says: write it anew with 'km-evaluate trace history --feedback=FILE'", path, line);
			goto out;
		}
		list->count++;
		s += n + 1;
	}
	ret = 0;
out:
	strbuf_release(&text);
	return ret;
}

const struct feedback *feedback_find(const struct feedback_list *list, const char *id)
{
	for (size_t i = list ? list->count : 0; i-- > 0;)
		if (!strcmp(list->item[i].id, id))
			return &list->item[i];
	return NULL;
}

double feedback_fact(const struct feedback *f, const char *key)
{
	for (size_t i = 0; f && i < f->fact_count; i++)
		if (!strcmp(f->fact[i].key, key))
			return f->fact[i].value;
	return NAN;
}
