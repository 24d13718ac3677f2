#include "evaluate/resident.h"
#include "evaluate/sandbox.h"
#include "ops/core/diag.h"
#include "ops/core/proc.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_SERVERS = 64, START_S = 60, GRACE_S = 5, MOST_ANSWER_BYTES = 256 << 20, PROCESSES = 256 };
#define MEMORY_BYTES (INT64_C(8) << 30)
#define FILE_BYTES (INT64_C(512) << 20)

struct server {
	const struct lang *lang; /* NULL: the place is free */
	struct sandbox box;
	int to, from;
	bool is_busy;
	char version[256];
};

static struct server server[MOST_SERVERS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/*
 * The Python of the language's own environment (scripts/setup.sh), or the system's: itself, and
 * the folders it runs from, as it says; words with spaces between.  0, or -1 with *err.
 */
static int ask_python(const struct lang *lang, struct strbuf *words, struct strbuf *err)
{
	const char *home = getenv("HOME");
	struct strbuf python = STRBUF_INIT;
	struct proc_result result;

	strbuf_addf(&python, "%s/.cache/kernelmill/%.*s/bin/python", home ? home : "", (int)strcspn(lang->compile, " "), lang->compile);
	if (access(python.buf, X_OK)) {
		strbuf_reset(&python);
		strbuf_addstr(&python, "python3");
	}
	int ret = proc_run(PROC_ARGV(python.buf, "-c", "import sys; print(sys.executable, sys.prefix, sys.base_prefix)"), NULL, NULL, &result, words, NULL, err);
	if (!ret && result.exit_code) {
		strbuf_addf(err, "'%s' does not run", python.buf);
		ret = -1;
	}
	strbuf_release(&python);
	return ret;
}

static void stop(struct server *s)
{
	close(s->to);
	close(s->from);
	sandbox_release(&s->box);
	pthread_mutex_lock(&lock);
	*s = (struct server){ 0 };
	pthread_mutex_unlock(&lock);
}

/* A line of its answers.  0; -1 when it has ended, or the time has. */
static int read_answer(struct server *s, double wall_s, struct strbuf *line)
{
	int64_t end = clock_ns() + (int64_t)(wall_s * 1e9);
	char part[65536];

	while (line->len < MOST_ANSWER_BYTES) {
		int64_t left_ms = (end - clock_ns()) / 1000000;
		struct pollfd p = { .fd = s->from, .events = POLLIN };
		int ready = poll(&p, 1, left_ms < 0 ? 0 : (int)left_ms);
		if (ready < 0 && errno == EINTR)
			continue;
		ssize_t n = ready > 0 ? read(s->from, part, sizeof(part)) : 0;
		if (n <= 0)
			return -1;
		strbuf_add(line, part, (size_t)n);
		if (part[n - 1] == '\n')
			return 0;
	}
	return -1;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Copies the string member of a JSON object; false: there is none. */
static bool copy_member(const char *json, const char *name, struct strbuf *out)
{
	cJSON *object = cJSON_Parse(json);
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	if (text)
		strbuf_addstr(out, text);
	cJSON_Delete(object);
	return text != NULL;
}

static int launch(struct server *s, const struct lang *lang, struct strbuf *err)
{
	struct strbuf words = STRBUF_INIT;
	const char *word[4] = { NULL };
	int to[2] = { -1, -1 }, from[2] = { -1, -1 }, ret = -1;

	if (ask_python(lang, &words, err))
		goto out;
	char *rest = NULL, *w = strtok_r(words.buf, " \n", &rest);
	for (int i = 0; w && i < 3; i++, w = strtok_r(NULL, " \n", &rest))
		word[i] = w;
	/* Outside an environment both folders are one. */
	if (word[2] && !strcmp(word[1], word[2]))
		word[2] = NULL;
	if (!word[1]) {
		strbuf_addf(err, "no Python for the compiler of '%s'", lang->name);
		goto out;
	}
	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC)) {
		strbuf_addf(err, "cannot start '%s': %s", word[0], strerror(errno));
		goto out;
	}
	const struct sandbox_start start = {
		.role = SANDBOX_COMPILER,
		.program = word[0],
		.argv = PROC_ARGV(word[0], "-c", lang->server),
		.fd = (const int[]){ to[0], from[1], SANDBOX_NOWHERE },
		.fd_count = 3,
		.readable = word + 1,
		.memory_bytes = MEMORY_BYTES,
		.file_bytes = FILE_BYTES,
		.processes = PROCESSES,
	};
	ret = sandbox_start(&s->box, &start, err);
out:
	close(to[0]);
	close(from[1]);
	if (ret) {
		close(to[1]);
		close(from[0]);
	}
	s->to = to[1];
	s->from = from[0];
	strbuf_release(&words);
	return ret;
}

/* A server nobody uses, started where there is none.  NULL with *err. */
static struct server *take(const struct lang *lang, struct strbuf *err)
{
	struct server *s = NULL;
	struct strbuf line = STRBUF_INIT, text = STRBUF_INIT;
	bool is_new = false;

	/* A server that died is told by its answer. */
	signal(SIGPIPE, SIG_IGN);
	pthread_mutex_lock(&lock);
	for (int i = 0; i < MOST_SERVERS && !s; i++)
		if (server[i].lang == lang && !server[i].is_busy)
			s = &server[i];
	for (int i = 0; i < MOST_SERVERS && !s; i++)
		if (!server[i].lang) {
			s = &server[i];
			is_new = true;
		}
	if (s) {
		s->lang = lang;
		s->is_busy = true;
	}
	pthread_mutex_unlock(&lock);
	if (!s || !is_new) {
		if (!s)
			strbuf_addf(err, "more than %d compilers of '%s'", MOST_SERVERS, lang->name);
		return s;
	}
	if (launch(s, lang, err)) {
		pthread_mutex_lock(&lock);
		*s = (struct server){ 0 };
		pthread_mutex_unlock(&lock);
		return NULL;
	}
	if (!read_answer(s, START_S, &line) && copy_member(line.buf, "version", &text)) {
		snprintf(s->version, sizeof(s->version), "%s", text.buf);
	} else {
		if (!copy_member(line.buf, "missing", &text))
			strbuf_addf(&text, "the compiler of '%s' does not start", lang->name);
		strbuf_addf(err, "%s: run 'scripts/setup.sh %.*s'", text.buf, (int)strcspn(lang->compile, " "), lang->compile);
		stop(s);
		s = NULL;
	}
	strbuf_release(&line);
	strbuf_release(&text);
	return s;
}

static void give_back(struct server *s)
{
	pthread_mutex_lock(&lock);
	s->is_busy = false;
	pthread_mutex_unlock(&lock);
}

const char *resident_version(const struct lang *lang, struct strbuf *why_not)
{
	static const struct lang *known;
	static char version[256], missing[1024];

	if (known != lang) {
		struct strbuf err = STRBUF_INIT;
		struct server *s = take(lang, &err);
		known = lang;
		snprintf(version, sizeof(version), "%s", s ? s->version : "");
		snprintf(missing, sizeof(missing), "%s", err.buf);
		if (s)
			give_back(s);
		strbuf_release(&err);
	}
	if (!*version)
		strbuf_addstr(why_not, missing);
	return *version ? version : NULL;
}

/* Appends the bytes of a base64 text; -1 when it is none. */
static int decode(const char *text, struct strbuf *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = 0;
	int held = 0;

	for (; *text && *text != '='; text++) {
		const char *d = strchr(digits, *text);
		if (!d)
			return -1;
		bits = bits << 6 | (unsigned)(d - digits);
		held += 6;
		if (held >= 8) {
			held -= 8;
			strbuf_addch(out, (char)(bits >> held));
		}
	}
	return 0;
}

int resident_read(const char *answer, struct strbuf *data, struct strbuf *log, struct strbuf *err)
{
	struct strbuf text = STRBUF_INIT;
	int ret = 0;

	if (copy_member(answer, "artifact", &text)) {
		ret = decode(text.buf, data) ? -1 : 1;
		if (ret < 0)
			strbuf_addstr(err, "answers in no base64");
	} else if (!copy_member(answer, "log", log)) {
		strbuf_addstr(log, "the compiler gave no answer");
	}
	strbuf_release(&text);
	return ret;
}

int resident_compile(const struct lang *lang, const struct target *target, const char *text, struct strbuf *made, double wall_s,
		     struct strbuf *log, struct strbuf *err)
{
	struct strbuf answer = STRBUF_INIT, fault = STRBUF_INIT;
	struct server *s = take(lang, err);
	int ret = -1;

	if (!s)
		return -1;
	cJSON *request = cJSON_CreateObject();
	cJSON_AddStringToObject(request, "source", text);
	cJSON_AddStringToObject(request, "march", target->march ? target->march : "");
	cJSON_AddNumberToObject(request, "seconds", wall_s);
	char *line = cJSON_PrintUnformatted(request);
	cJSON_Delete(request);
	bool is_lost = !line || write_all(s->to, line, strlen(line)) || write_all(s->to, "\n", 1) || read_answer(s, wall_s + GRACE_S, &answer);
	free(line);
	if (is_lost) {
		strbuf_addf(log, "the compiler of '%s' died, or was stopped after %.0f s", lang->name, wall_s);
		stop(s);
		ret = 0;
		goto out;
	}
	give_back(s);
	ret = resident_read(answer.buf, made, log, &fault);
	if (ret < 0)
		strbuf_addf(err, "the compiler of '%s' %s", lang->name, fault.buf);
out:
	strbuf_release(&answer);
	strbuf_release(&fault);
	return ret;
}
