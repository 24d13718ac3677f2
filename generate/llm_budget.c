/*
 * llm_budget.c: rates, retries and the circuit breaker of all workers that share a file, under its lock.
 *
 * Its clock counts from the machine's start: nobody sets it.  After another start, or where the file is not one of
 * these, what depends on the clock begins anew.
 */
#include "generate/llm.h"
#include "ops/core/kv.h"
#include "ops/core/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* One exchange may be tried again as often as it may, whatever the share says. */
enum { FAILURES_THAT_BREAK = 5, FREE_RETRIES = 5, MOST_DOUBLINGS = 4 };

struct shared {
	char boot[40];
	double at_s;                /* of the two buckets */
	double requests_left, tokens_left;
	double requests, retries, tokens; /* so far */
	double failures;            /* on end */
	double closed_until_s;      /* the breaker's */
	char stop_key[16], stop_words[160];
};

static double now_s(void) { return (double)clock_ns() * 1e-9; }

static void read_boot(char out[40])
{
	struct strbuf text = STRBUF_INIT, err = STRBUF_INIT;

	out[0] = 0;
	if (!strbuf_read_file(&text, "/proc/sys/kernel/random/boot_id", &err)) {
		text.buf[strcspn(text.buf, "\n")] = 0;
		if (strlen(text.buf) < 40)
			memcpy(out, text.buf, strlen(text.buf) + 1);
	}
	strbuf_release(&text);
	strbuf_release(&err);
}

static double number_of(const struct kv *kv, const char *key, double fallback)
{
	const char *text = kv_find(kv, key);
	char *end;
	double value = text ? strtod(text, &end) : fallback;

	return text && (end == text || *end || !isfinite(value)) ? fallback : value;
}

static double burst(int64_t rate_per_min) { return fmax(1, (double)rate_per_min / 4); }

static void copy_word(char *out, size_t room, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	n = n < room ? n : room - 1;
	memcpy(out, text ? text : "", n);
	out[n] = 0;
}

static void parse(const struct llm_settings *s, const char *text, struct shared *state)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct kv kv = { 0 };
	double now = now_s();

	*state = (struct shared){ .at_s = now, .requests_left = burst(s->requests_per_min), .tokens_left = burst(s->tokens_per_min) };
	read_boot(state->boot);
	if (!kv_parse(&arena, text, "state", &kv, &err)) {
		const char *boot = kv_find(&kv, "boot");
		state->requests = number_of(&kv, "requests", 0);
		state->retries = number_of(&kv, "retries", 0);
		state->tokens = number_of(&kv, "tokens", 0);
		copy_word(state->stop_key, sizeof(state->stop_key), kv_find(&kv, "stop_key"));
		copy_word(state->stop_words, sizeof(state->stop_words), kv_find(&kv, "stop_words"));
		double at_s = number_of(&kv, "at_s", now);
		if (boot && !strcmp(boot, state->boot) && at_s <= now) {
			state->at_s = at_s;
			state->requests_left = number_of(&kv, "requests_left", state->requests_left);
			state->tokens_left = number_of(&kv, "tokens_left", state->tokens_left);
			state->failures = number_of(&kv, "failures", 0);
			state->closed_until_s = number_of(&kv, "closed_until_s", 0);
		}
	}
	strbuf_release(&err);
	arena_release(&arena);
}

/* Under the lock until state_close(). */
static int state_open(const struct llm_settings *s, struct shared *state, struct strbuf *err)
{
	struct strbuf text = STRBUF_INIT;
	char *folder = strdup(s->state_path), *slash = strrchr(folder, '/');
	int fd = -1;

	if (slash && slash > folder) {
		*slash = 0;
		if (make_folder(folder, err)) {
			strbuf_addstr(err, ": name another file with KM_LLM_STATE");
			goto out;
		}
	}
	fd = open(s->state_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	while (fd >= 0 && flock(fd, LOCK_EX) && errno == EINTR)
		;
	if (fd < 0 || strbuf_read_fd(&text, fd)) {
		strbuf_addf(err, "cannot keep the budgets of language models in '%s': %s: name another file with KM_LLM_STATE", s->state_path, strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	} else {
		parse(s, text.buf, state);
	}
out:
	free(folder);
	strbuf_release(&text);
	return fd;
}

static void state_close(int fd, const struct shared *state)
{
	struct strbuf text = STRBUF_INIT;

	kv_add(&text, "boot", "%s", state->boot);
	kv_add(&text, "at_s", "%.17g", state->at_s);
	kv_add(&text, "requests_left", "%.17g", state->requests_left);
	kv_add(&text, "tokens_left", "%.17g", state->tokens_left);
	kv_add(&text, "requests", "%.0f", state->requests);
	kv_add(&text, "retries", "%.0f", state->retries);
	kv_add(&text, "tokens", "%.0f", state->tokens);
	kv_add(&text, "failures", "%.0f", state->failures);
	kv_add(&text, "closed_until_s", "%.17g", state->closed_until_s);
	kv_add(&text, "stop_key", "%s", state->stop_key);
	kv_add(&text, "stop_words", "%s", state->stop_words);
	/* Half of it, after a kill, is read as far as it goes. */
	if (pwrite(fd, text.buf, text.len, 0) == (ssize_t)text.len)
		ftruncate(fd, (off_t)text.len);
	close(fd);
	strbuf_release(&text);
}

static void refill(const struct llm_settings *s, struct shared *state)
{
	double now = now_s(), passed_min = (now - state->at_s) / 60;

	state->requests_left = fmin(burst(s->requests_per_min), state->requests_left + passed_min * (double)s->requests_per_min);
	state->tokens_left = fmin(burst(s->tokens_per_min), state->tokens_left + passed_min * (double)s->tokens_per_min);
	state->at_s = now;
}

static int take(const struct llm_settings *s, const char *key_id, struct shared *state, bool is_retry, double *wait_s, struct strbuf *why)
{
	double now = now_s();

	if (*state->stop_words && !strcmp(state->stop_key, key_id)) {
		strbuf_addf(why, "stopped for this key: %s: remove '%s' to go on", state->stop_words, s->state_path);
		return -1;
	}
	if (s->most_tokens && state->tokens >= (double)s->most_tokens) {
		strbuf_addf(why, "all %" PRId64 " tokens of KM_LLM_TOKENS are used", s->most_tokens);
		return -1;
	}
	if (is_retry && state->retries + 1 > FREE_RETRIES + s->retry_share * state->requests) {
		strbuf_addf(why, "no more retries: %.0f of %.0f requests", state->retries, state->requests);
		return -1;
	}
	if (!is_retry && state->closed_until_s > now && state->closed_until_s <= now + s->break_s * (1 << MOST_DOUBLINGS)) {
		strbuf_addf(why, "%.0f failures on end: not asked for %.0f s", state->failures, state->closed_until_s - now);
		return -1;
	}
	refill(s, state);
	*wait_s = 0;
	if (s->requests_per_min && state->requests_left < 1)
		*wait_s = (1 - state->requests_left) * 60 / (double)s->requests_per_min;
	if (s->tokens_per_min && state->tokens_left <= 0)
		*wait_s = fmax(*wait_s, (1 - state->tokens_left) * 60 / (double)s->tokens_per_min);
	if (*wait_s > 0)
		return 1;
	state->requests_left -= s->requests_per_min > 0;
	state->requests += !is_retry;
	state->retries += is_retry;
	/* After a silence one asks, and the others wait for what becomes of it. */
	if (!is_retry && state->failures >= FAILURES_THAT_BREAK)
		state->closed_until_s = now + s->break_s;
	return 0;
}

int llm_budget_take(const struct llm_settings *s, const char *key_id, bool is_retry, double *wait_s, struct strbuf *why)
{
	struct shared state;
	int fd = state_open(s, &state, why);

	if (fd < 0)
		return -1;
	int ret = take(s, key_id, &state, is_retry, wait_s, why);
	state_close(fd, &state);
	return ret;
}

void llm_budget_tell(const struct llm_settings *s, const char *key_id, enum try_end end, const char *words, int64_t tokens)
{
	struct strbuf ignored = STRBUF_INIT;
	struct shared state;
	int fd = state_open(s, &state, &ignored);

	strbuf_release(&ignored);
	if (fd < 0)
		return;
	refill(s, &state);
	state.tokens += (double)tokens;
	state.tokens_left -= (double)tokens;
	if (end == TRY_ANSWERED || end == TRY_CUT) {
		state.failures = state.closed_until_s = 0;
	} else {
		state.failures++;
		int doublings = (int)fmin(MOST_DOUBLINGS, state.failures - FAILURES_THAT_BREAK);
		if (doublings >= 0)
			state.closed_until_s = now_s() + s->break_s * (1 << doublings);
	}
	if (end == TRY_STOP) {
		copy_word(state.stop_key, sizeof(state.stop_key), key_id);
		copy_word(state.stop_words, sizeof(state.stop_words), words);
	}
	state_close(fd, &state);
}
