#include "generate/llm.h"
#include "generate/llm_json.h"
#include "ops/core/hash.h"
#include "ops/core/proc.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- settings ---------------------------------------------------------- */

const struct llm_variable llm_variables[] = {
	{ "KM_LLM_URL", NULL, "address of an OpenAI-compatible API, https://host/v1; plain http to this machine alone" },
	{ "KM_LLM_MODEL", NULL, "its models, by weight: name[:weight],..." },
	{ "KM_LLM_KEY_FILE", NULL, "file of the key, readable by its owner alone; none: no key is sent" },
	{ "KM_LLM_CA_FILE", NULL, "certificates to trust instead of the system's" },
	{ "KM_LLM_PRICE", NULL, "of a million tokens in and out: in:out, or name=in:out,..." },
	{ "KM_LLM_FORMAT", "json_schema", "how knobs are asked for: json_schema, json_object (with a schema, as llama.cpp takes it), none" },
	{ "KM_LLM_TEMPERATURE", "0.7", "of sampling" },
	{ "KM_LLM_ANSWER_TOKENS", "4096", "most of an answer" },
	{ "KM_LLM_PROMPT_BYTES", "32768", "most of a prompt" },
	{ "KM_LLM_EXCHANGES", "4", "most a batch of candidates" },
	{ "KM_LLM_TIMEOUT_S", "1800", "one exchange, with all tries" },
	{ "KM_LLM_CONNECT_S", "10", "connecting" },
	{ "KM_LLM_STALL_S", "60", "silence within an answer" },
	{ "KM_LLM_TRIES", "6", "most of an exchange" },
	{ "KM_LLM_BACKOFF_S", "1", "before the second try a random part of it, then of its double, ..." },
	{ "KM_LLM_BACKOFF_MOST_S", "60", "... up to this" },
	{ "KM_LLM_RETRY_AFTER_S", "600", "most that a server may ask to wait" },
	{ "KM_LLM_ANSWER_BYTES", "16777216", "most that a server may send" },
	{ "KM_LLM_REQUESTS_PER_MIN", "60", "of all workers of a campaign; 0: any" },
	{ "KM_LLM_TOKENS_PER_MIN", "0", "of all workers of a campaign; 0: any" },
	{ "KM_LLM_TOKENS", "0", "most of a campaign, then the search goes on without; 0: any" },
	{ "KM_LLM_RETRY_SHARE", "0.1", "retries by requests, of all workers of a campaign" },
	{ "KM_LLM_BREAK_S", "60", "silence after five failures on end, then twice as long, ..." },
	{ "KM_LLM_STATE", NULL, "file by which the workers of a campaign share these [KM_CACHE/llm.state]" },
	{ NULL, NULL, NULL },
};

static const char *text_of(const char *name)
{
	const char *value = getenv(name);

	for (const struct llm_variable *v = llm_variables; v->name; v++)
		if (!strcmp(v->name, name))
			return value && *value ? value : v->fallback;
	return NULL;
}

static int real_of(const char *name, double least, double most, double *out, struct strbuf *err)
{
	const char *text = text_of(name);
	char *end;

	*out = strtod(text, &end);
	if (end != text && !*end && *out >= least && *out <= most) /* no NaN passes */
		return 0;
	strbuf_addf(err, "%s is a number from %g to %g, not '%.40s'", name, least, most, text);
	return -1;
}

static int count_of(const char *name, int64_t least, int64_t most, int64_t *out, struct strbuf *err)
{
	double value;

	if (real_of(name, (double)least, (double)most, &value, err))
		return -1;
	*out = (int64_t)value;
	return 0;
}

static int price_of(const char *text, const char *model, struct llm_model *m, struct strbuf *err)
{
	char *end;

	for (const char *s = text; s && *s;) {
		size_t n = strcspn(s, ","), name = strcspn(s, "=");
		const char *number = name < n ? s + name + 1 : s;
		if (name >= n || (strlen(model) == name && !strncmp(s, model, name))) {
			m->price = strtod(number, &end);
			if (end == number || *end != ':' || !(m->price >= 0))
				goto bad;
			number = end + 1;
			m->answer_price = strtod(number, &end);
			if (end == number || (*end && *end != ',') || !(m->answer_price >= 0))
				goto bad;
		}
		s += n + (s[n] == ',');
	}
	return 0;
bad:
	strbuf_addf(err, "KM_LLM_PRICE is in:out or name=in:out,..., of a million tokens, not '%.60s'", text);
	return -1;
}

static int models_of(struct arena *arena, const char *text, struct llm_settings *s, struct strbuf *err)
{
	for (const char *at = text; at && *at;) {
		size_t n = strcspn(at, ",");
		const char *word = arena_strndup(arena, at, n), *colon = strrchr(word, ':');
		struct llm_model m = { .name = word, .weight = 1 };
		char *end;
		double weight = colon ? strtod(colon + 1, &end) : 1;
		/* A name may hold colons: what follows the last is a weight where it is a number. */
		if (colon && end != colon + 1 && !*end) {
			m.name = arena_strndup(arena, word, (size_t)(colon - word));
			m.weight = weight;
		}
		if (!*m.name || !(m.weight >= 0) || !isfinite(m.weight) || s->model_count == LLM_MAX_MODELS) {
			strbuf_addf(err, "KM_LLM_MODEL is name[:weight],... of at most %d, not '%.60s'", LLM_MAX_MODELS, text);
			return -1;
		}
		if (price_of(text_of("KM_LLM_PRICE"), m.name, &m, err))
			return -1;
		if (m.weight > 0)
			s->model[s->model_count++] = m;
		at += n + (at[n] == ',');
	}
	return 0;
}

static const char *state_path(struct arena *arena)
{
	const char *given = text_of("KM_LLM_STATE"), *cache = getenv("KM_CACHE"), *home = getenv("HOME");

	if (given)
		return given;
	return cache && *cache ? arena_printf(arena, "%s/llm.state", cache) : arena_printf(arena, "%s/.cache/kernelmill/llm.state", home && *home ? home : "/tmp");
}

int llm_settings_read(struct arena *arena, struct llm_settings *s, struct strbuf *err)
{
	const char *url = getenv("KM_LLM_URL");
	int64_t bytes;

	*s = (struct llm_settings){ .limits = CHAT_LIMITS };
	s->url = url && *url ? url : NULL;
	s->key_path = text_of("KM_LLM_KEY_FILE");
	s->ca_path = text_of("KM_LLM_CA_FILE");
	s->format = text_of("KM_LLM_FORMAT");
	s->state_path = state_path(arena);
	if ((s->url && llm_url_check(s->url, err)) || models_of(arena, text_of("KM_LLM_MODEL"), s, err) ||
	    real_of("KM_LLM_TEMPERATURE", 0, 2, &s->temperature, err) || count_of("KM_LLM_ANSWER_TOKENS", 1, 1 << 20, &s->answer_tokens, err) ||
	    count_of("KM_LLM_PROMPT_BYTES", 1024, 4 << 20, &s->prompt_bytes, err) || count_of("KM_LLM_EXCHANGES", 1, LLM_MAX_EXCHANGES, &s->exchanges, err) ||
	    real_of("KM_LLM_TIMEOUT_S", 0.1, 86400, &s->timeout_s, err) || real_of("KM_LLM_CONNECT_S", 0.1, 600, &s->connect_s, err) ||
	    real_of("KM_LLM_STALL_S", 0.1, 86400, &s->stall_s, err) || count_of("KM_LLM_TRIES", 1, 100, &s->tries, err) ||
	    real_of("KM_LLM_BACKOFF_S", 0, 600, &s->backoff_s, err) || real_of("KM_LLM_BACKOFF_MOST_S", 0, 3600, &s->backoff_most_s, err) ||
	    real_of("KM_LLM_RETRY_AFTER_S", 0, 86400, &s->retry_after_most_s, err) || count_of("KM_LLM_ANSWER_BYTES", 256, 1 << 30, &bytes, err) ||
	    count_of("KM_LLM_REQUESTS_PER_MIN", 0, 1000000, &s->requests_per_min, err) ||
	    count_of("KM_LLM_TOKENS_PER_MIN", 0, INT64_C(1) << 40, &s->tokens_per_min, err) ||
	    count_of("KM_LLM_TOKENS", 0, INT64_C(1) << 50, &s->most_tokens, err) || real_of("KM_LLM_RETRY_SHARE", 0, 1, &s->retry_share, err) ||
	    real_of("KM_LLM_BREAK_S", 0, 86400, &s->break_s, err))
		return -1;
	s->limits.total_bytes = (size_t)bytes;
	if (s->limits.event_bytes > s->limits.total_bytes)
		s->limits.event_bytes = s->limits.total_bytes;
	if (s->limits.line_bytes > s->limits.total_bytes)
		s->limits.line_bytes = s->limits.total_bytes;
	if (strcmp(s->format, "json_schema") && strcmp(s->format, "json_object") && strcmp(s->format, "none")) {
		strbuf_addf(err, "KM_LLM_FORMAT is json_schema, json_object or none, not '%.40s'", s->format);
		return -1;
	}
	if (s->url && !s->model_count) {
		strbuf_addstr(err, "KM_LLM_URL is set and KM_LLM_MODEL names no model");
		return -1;
	}
	return 0;
}

const char *llm_model_of(const struct llm_settings *s, struct rng *rng)
{
	double sum = 0, at;

	for (size_t i = 0; i < s->model_count; i++)
		sum += s->model[i].weight;
	at = rng_unit(rng) * sum;
	for (size_t i = 0; i < s->model_count; i++)
		if ((at -= s->model[i].weight) < 0)
			return s->model[i].name;
	return s->model_count ? s->model[s->model_count - 1].name : "";
}

/* ---- opening ----------------------------------------------------------- */

struct transcript {
	const char *path;
	struct exchange *exchange;
	size_t count;
};
struct llm {
	struct arena arena;
	struct llm_settings settings;
	struct transcript file, own;
	bool is_replay;
	char *key;
	char key_id[9];
	const char *unserved; /* why there is nobody to ask; NULL: there is */
};

static int transcript_open(struct llm *llm, struct transcript *t, const char *path, struct strbuf *err)
{
	size_t torn;

	t->path = path;
	return path ? exchange_read_file(&llm->arena, path, &t->exchange, &t->count, &torn, err) : 0;
}

/* What is asked by is wrong or missing: no error of a search. */
static void settle(struct llm *llm)
{
	struct strbuf err = STRBUF_INIT;
	char hex[65];

	int bad = llm_settings_read(&llm->arena, &llm->settings, &err);
	/* One question to which nobody answers tells why; and a transcript knows how many there were. */
	if (bad || llm->is_replay)
		llm->settings.exchanges = bad && !llm->is_replay ? 1 : LLM_MAX_EXCHANGES;
	if (bad || llm->is_replay)
		goto out;
	if (!llm->settings.url)
		strbuf_addstr(&err, "no model: KM_LLM_URL and KM_LLM_MODEL are not set");
	else if (llm_client_missing())
		strbuf_addstr(&err, llm_client_missing());
	else if (llm->settings.key_path && (llm->key = llm_key_read(llm->settings.key_path, &err))) {
		sha256_hex(llm->key, strlen(llm->key), hex);
		memcpy(llm->key_id, hex, 8);
	}
out:
	if (err.len)
		llm->unserved = arena_strdup(&llm->arena, err.buf);
	strbuf_release(&err);
}

struct llm *llm_open(const char *how, const char *own, struct strbuf *err)
{
	struct llm *llm = calloc(1, sizeof(*llm));
	bool is_record = how && !strncmp(how, "record:", 7) && how[7];
	bool is_replay = how && !strncmp(how, "replay:", 7) && how[7];

	if (!llm)
		return NULL;
	if (how && *how && !is_record && !is_replay) {
		strbuf_addf(err, "--llm is record:FILE or replay:FILE, not '%s'", how);
		llm_close(llm);
		return NULL;
	}
	llm->is_replay = is_replay;
	if (transcript_open(llm, &llm->file, is_record || is_replay ? how + 7 : NULL, err) || transcript_open(llm, &llm->own, own, err)) {
		llm_close(llm);
		return NULL;
	}
	settle(llm);
	if (is_replay && !llm->file.count && !llm->unserved)
		llm->unserved = arena_printf(&llm->arena, "transcript '%s' holds no exchange", llm->file.path);
	return llm;
}

void llm_close(struct llm *llm)
{
	if (!llm)
		return;
	llm_key_wipe(llm->key);
	arena_release(&llm->arena);
	free(llm);
}

bool llm_is_there(const struct llm *llm) { return llm && (llm->is_replay || llm->settings.url); }
const struct llm_settings *llm_settings_of(const struct llm *llm) { return &llm->settings; }

/* ---- asking ------------------------------------------------------------ */

/* How the form of the answer is asked for: dialects differ. */
static void add_format(cJSON *body, const char *format, const char *schema_text)
{
	cJSON *schema = schema_text && strcmp(format, "none") ? cJSON_Parse(schema_text) : NULL;

	if (!schema)
		return;
	cJSON *form = cJSON_AddObjectToObject(body, "response_format");
	cJSON_AddStringToObject(form, "type", format);
	if (!strcmp(format, "json_object")) {
		cJSON_AddItemToObject(form, "schema", schema);
		return;
	}
	cJSON *named = cJSON_AddObjectToObject(form, "json_schema");
	cJSON_AddStringToObject(named, "name", "proposals");
	cJSON_AddTrueToObject(named, "strict");
	cJSON_AddItemToObject(named, "schema", schema);
}

static void add_message(cJSON *list, const char *role, const char *text)
{
	cJSON *message = cJSON_CreateObject();

	cJSON_AddStringToObject(message, "role", role);
	cJSON_AddStringToObject(message, "content", text);
	cJSON_AddItemToArray(list, message);
}

/* *parameters: all of it but the prompt. */
static char *body_of(struct arena *arena, const struct llm_settings *s, const struct llm_question *q, const char **parameters)
{
	cJSON *body = cJSON_CreateObject();

	cJSON_AddNumberToObject(body, "temperature", s->temperature);
	cJSON_AddNumberToObject(body, "max_tokens", (double)s->answer_tokens);
	cJSON_AddNumberToObject(body, "seed", (double)(q->seed & 0x7fffffff));
	cJSON_AddTrueToObject(body, "stream");
	cJSON_AddTrueToObject(cJSON_AddObjectToObject(body, "stream_options"), "include_usage");
	add_format(body, s->format, q->schema);
	char *text = cJSON_PrintUnformatted(body);
	*parameters = arena_strdup(arena, text);
	free(text);
	cJSON_AddStringToObject(body, "model", q->model);
	cJSON *messages = cJSON_AddArrayToObject(body, "messages");
	add_message(messages, "system", q->system);
	add_message(messages, "user", q->prompt);
	text = cJSON_PrintUnformatted(body);
	cJSON_Delete(body);
	return text;
}

static bool is_answer(const struct exchange *x) { return !strcmp(x->outcome, "answered") || !strcmp(x->outcome, "cut") || !strcmp(x->outcome, LLM_UNFIT); }

/* An answer before what failed. */
static const struct exchange *find(const struct transcript *t, const char *request, const char *place)
{
	const struct exchange *found = NULL;

	for (size_t i = 0; i < t->count; i++)
		if (request ? !strcmp(t->exchange[i].request, request) : !strcmp(t->exchange[i].place, place))
			if (!found || (!is_answer(found) && is_answer(&t->exchange[i])))
				found = &t->exchange[i];
	return found;
}

/*
 * Times differ from run to run, and prompts with them: where no exchange is of this very request, the one
 * that was made at this place of the search stands for it.
 */
static const struct exchange *recall(const struct llm *llm, const char *request, const char *place)
{
	const struct exchange *x = find(&llm->own, request, NULL);

	if (!x || !is_answer(x)) {
		const struct exchange *of_file = find(&llm->file, request, NULL);
		x = of_file ? of_file : llm->is_replay ? x : NULL;
	}
	if (!x && llm->is_replay)
		x = find(&llm->file, NULL, place);
	return x && (llm->is_replay || is_answer(x)) ? x : NULL;
}

static double now_s(void) { return (double)clock_ns() * 1e-9; }

static void sleep_s(double s)
{
	struct timespec t = { (time_t)s, (long)((s - floor(s)) * 1e9) };

	while (s > 0 && nanosleep(&t, &t))
		;
}

/* Waits for its turn.  0, or -1 with *why. */
static int take_turn(const struct llm *llm, bool is_retry, double until_s, struct strbuf *why)
{
	double wait_s;
	int busy;

	while ((busy = llm_budget_take(&llm->settings, llm->key_id, is_retry, &wait_s, why)) == 1) {
		if (now_s() + wait_s > until_s) {
			strbuf_addstr(why, "the rate of requests or tokens leaves no time for it");
			return -1;
		}
		sleep_s(fmin(wait_s, 1));
	}
	return busy;
}

static int64_t tokens_of(int64_t told, size_t bytes) { return told >= 0 ? told : (int64_t)(bytes + 3) / 4; }

static void settle_exchange(struct arena *arena, const struct llm *llm, const struct llm_try *t, struct exchange *x)
{
	const struct chat *chat = &t->chat;

	x->outcome = t->outcome;
	x->words = arena_strdup(arena, t->words);
	/* What was received of one that was cut off is kept, for whoever reads the transcript. */
	x->answer = arena_strdup(arena, chat->content.buf);
	if (llm->key && (llm_key_is_in(llm->key, x->answer) || llm_key_is_in(llm->key, x->words))) {
		x->answer = x->words = "";
		x->outcome = "key-echoed";
	}
	bool is_asked = t->end == TRY_ANSWERED || t->end == TRY_CUT || chat->content.len;
	x->counted = !is_asked ? "" : chat->prompt_tokens < 0 || chat->answer_tokens < 0 ? "bytes" : "server";
	x->prompt_tokens = is_asked ? tokens_of(chat->prompt_tokens, strlen(x->system) + strlen(x->prompt)) : 0;
	x->answer_tokens = is_asked ? tokens_of(chat->answer_tokens, chat->content.len) : 0;
	for (size_t i = 0; i < llm->settings.model_count; i++)
		if (!strcmp(llm->settings.model[i].name, x->model))
			x->cost = 1e-6 * ((double)x->prompt_tokens * llm->settings.model[i].price + (double)x->answer_tokens * llm->settings.model[i].answer_price);
}

static int ask(struct arena *arena, const struct llm *llm, const char *body, uint64_t seed, struct exchange *x, struct strbuf *why)
{
	const struct llm_settings *s = &llm->settings;
	double start_s = now_s(), until_s = start_s + s->timeout_s;
	struct rng jitter = { seed ^ (uint64_t)wall_ns(), 0 };
	struct llm_try t;

	for (int64_t tries = 0;; tries++) {
		if (take_turn(llm, tries > 0, until_s, why)) {
			if (!tries)
				return -1;
			break; /* with the outcome of the try before */
		}
		llm_client_try(s, llm->key, body, fmax(0.1, until_s - now_s()), &t);
		settle_exchange(arena, llm, &t, x);
		x->retries = tries;
		llm_budget_tell(s, llm->key_id, t.end, x->words, x->prompt_tokens + x->answer_tokens);
		/* Full jitter: a random part of what doubles with each try; what the server asks for is the least. */
		double wait_s = fmax(rng_unit(&jitter) * fmin(s->backoff_most_s, s->backoff_s * exp2((double)tries)), t.retry_after_s);
		bool goes_on = t.end == TRY_AGAIN && tries + 1 < s->tries && now_s() + wait_s < until_s;
		llm_try_release(&t);
		if (!goes_on)
			break;
		sleep_s(wait_s);
	}
	x->latency_s = now_s() - start_s;
	strbuf_reset(why);
	if (is_answer(x))
		return 0;
	strbuf_addf(why, "%s%s%s", x->outcome, *x->words ? ": " : "", x->words);
	return -1;
}

int llm_ask(struct arena *arena, struct llm *llm, const struct llm_question *q, struct exchange *x, struct strbuf *why)
{
	char request[65];
	int ret = -1;

	*x = (struct exchange){ .problem = q->problem, .target = q->target, .model = q->model, .mode = q->mode, .wants = q->wants, .system = q->system,
				.prompt = q->prompt, .answer = "", .outcome = "", .words = "", .candidates = "", .counted = "", .key_id = arena_strdup(arena, llm->key_id),
				.start_ns = wall_ns() };
	char *body = body_of(arena, &llm->settings, q, &x->parameters);
	sha256_hex(body, strlen(body), request);
	x->request = arena_strdup(arena, request);
	x->place = arena_printf(arena, "%s %s %016" PRIx64 " %" PRId64, q->problem, q->target, q->batch_seed, q->number);
	const struct exchange *known = recall(llm, x->request, x->place);
	if (known) {
		*x = *known;
		ret = is_answer(x) ? 0 : -1;
		if (ret)
			strbuf_addf(why, "%s%s%s, as the transcript tells", x->outcome, *x->words ? ": " : "", x->words);
	} else if (llm->unserved) {
		strbuf_addstr(why, llm->unserved);
	} else if (llm->is_replay && !q->number) {
		strbuf_addf(why, "transcript '%s' has no exchange for this batch of the search", llm->file.path);
	} else if (!llm->is_replay) {
		ret = ask(arena, llm, body, q->seed, x, why);
	}
	free(body);
	return ret;
}

static int keep(struct transcript *t, const struct exchange *x, struct strbuf *err)
{
	for (size_t i = 0; t->path && i < t->count; i++)
		if (!strcmp(t->exchange[i].request, x->request) && !strcmp(t->exchange[i].outcome, x->outcome) && t->exchange[i].start_ns == x->start_ns)
			return 0;
	return t->path ? exchange_append(t->path, x, err) : 0;
}

/* What was asked is not asked again, here too. */
static void remember(struct llm *llm, const struct exchange *x)
{
	struct exchange *grown = ARENA_ARRAY(&llm->arena, struct exchange, llm->own.count + 1);

	if (llm->own.count)
		memcpy(grown, llm->own.exchange, llm->own.count * sizeof(*grown));
	grown[llm->own.count++] = *x;
	llm->own.exchange = grown;
}

int llm_keep(struct llm *llm, const struct exchange *x, struct strbuf *err)
{
	if (!*x->outcome)
		return 0;
	if ((!llm->is_replay && keep(&llm->file, x, err)) || keep(&llm->own, x, err))
		return -1;
	remember(llm, x);
	return 0;
}
