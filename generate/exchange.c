#include "generate/exchange.h"
#include "generate/llm_json.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The fields, once.  A count fits a double. */
enum kind { TEXT, COUNT, REAL, WIDE };
#define F(name, kind) { #name, kind, offsetof(struct exchange, name) }
static const struct {
	const char *key;
	enum kind kind;
	size_t offset;
} field[] = {
	F(request, TEXT), F(place, TEXT), F(problem, TEXT), F(target, TEXT), F(model, TEXT), F(mode, TEXT), F(wants, TEXT),
	F(parameters, TEXT), F(system, TEXT), F(prompt, TEXT), F(answer, TEXT), F(outcome, TEXT), F(words, TEXT), F(candidates, TEXT),
	F(prompt_tokens, COUNT), F(answer_tokens, COUNT), F(counted, TEXT), F(cost, REAL), F(latency_s, REAL), F(retries, COUNT),
	F(key_id, TEXT), F(start_ns, WIDE),
};

void exchange_write(const struct exchange *x, struct strbuf *out)
{
	cJSON *o = cJSON_CreateObject();

	for (size_t i = 0; i < ARRAY_SIZE(field); i++) {
		const void *at = (const char *)x + field[i].offset;
		char wide[24];
		switch (field[i].kind) {
		case TEXT:
			cJSON_AddStringToObject(o, field[i].key, *(const char *const *)at);
			break;
		case COUNT:
			cJSON_AddNumberToObject(o, field[i].key, (double)*(const int64_t *)at);
			break;
		case REAL:
			cJSON_AddNumberToObject(o, field[i].key, *(const double *)at);
			break;
		case WIDE:
			snprintf(wide, sizeof(wide), "%" PRId64, *(const int64_t *)at);
			cJSON_AddStringToObject(o, field[i].key, wide);
			break;
		}
	}
	char *text = cJSON_PrintUnformatted(o);
	strbuf_addf(out, "%s\n", text);
	free(text);
	cJSON_Delete(o);
}

static bool read_field(struct arena *arena, enum kind kind, const cJSON *item, void *at)
{
	char *rest;

	switch (kind) {
	case TEXT:
		if (!cJSON_IsString(item))
			return false;
		*(const char **)at = arena_strdup(arena, item->valuestring);
		return true;
	case COUNT:
		if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble < 0x1p53))
			return false;
		*(int64_t *)at = (int64_t)item->valuedouble;
		return true;
	case REAL:
		*(double *)at = cJSON_IsNumber(item) ? item->valuedouble : 0;
		return cJSON_IsNumber(item) && isfinite(item->valuedouble);
	case WIDE:
		if (!cJSON_IsString(item) || !*item->valuestring)
			return false;
		*(int64_t *)at = strtoll(item->valuestring, &rest, 10);
		return !*rest;
	}
	return false;
}

int exchange_read(struct arena *arena, const char *line, size_t length, struct exchange *x, struct strbuf *err)
{
	const char *why;
	cJSON *o = llm_json_read(line, length, &why);
	int ret = -1;

	if (!cJSON_IsObject(o)) {
		strbuf_addf(err, "not an exchange: %s", o ? "no JSON object" : why);
		goto out;
	}
	*x = (struct exchange){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(field); i++)
		if (!read_field(arena, field[i].kind, cJSON_GetObjectItemCaseSensitive(o, field[i].key), (char *)x + field[i].offset)) {
			strbuf_addf(err, "an exchange without a good '%s'", field[i].key);
			goto out;
		}
	ret = 0;
out:
	cJSON_Delete(o);
	return ret;
}

int exchange_read_file(struct arena *arena, const char *path, struct exchange **exchange, size_t *count, size_t *torn, struct strbuf *err)
{
	struct strbuf text = STRBUF_INIT;
	size_t lines = 0;
	int ret = -1;

	*count = *torn = 0;
	*exchange = NULL;
	if (access(path, F_OK) && errno == ENOENT)
		return 0;
	if (strbuf_read_file(&text, path, err))
		goto out;
	for (size_t i = 0; i < text.len; i++)
		lines += text.buf[i] == '\n';
	*exchange = ARENA_ARRAY(arena, struct exchange, lines + 1);
	for (char *s = text.buf, *end = text.buf + text.len; s < end;) {
		char *newline = memchr(s, '\n', (size_t)(end - s));
		struct strbuf why = STRBUF_INIT;
		size_t n = (size_t)((newline ? newline : end) - s);
		if (newline)
			*newline = 0;
		/* The last line without its end was being written. */
		if (n && newline && !exchange_read(arena, s, n, &(*exchange)[*count], &why))
			++*count;
		else
			*torn += n > 0;
		strbuf_release(&why);
		s += n + 1;
	}
	ret = 0;
out:
	strbuf_release(&text);
	return ret;
}

static int write_all(int fd, const char *data, size_t length)
{
	while (length) {
		ssize_t n = write(fd, data, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		length -= (size_t)n;
	}
	return 0;
}

int exchange_append(const char *path, const struct exchange *x, struct strbuf *err)
{
	struct strbuf line = STRBUF_INIT;
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600), ret = -1;
	struct stat st;
	char last = '\n';

	if (fd < 0)
		goto out;
	while (flock(fd, LOCK_EX) && errno == EINTR)
		;
	if (fstat(fd, &st))
		goto out;
	/* What a kill left torn ends where this begins. */
	if (st.st_size && pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n')
		strbuf_addch(&line, '\n');
	exchange_write(x, &line);
	if (write_all(fd, line.buf, line.len) || fsync(fd) || (!st.st_size && folder_sync(path)))
		goto out;
	ret = 0;
out:
	if (ret)
		strbuf_addf(err, "cannot write transcript '%s': %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	strbuf_release(&line);
	return ret;
}
