/*
 * llm_client.c: one request to a server that nobody vouches for, by libcurl.
 *
 * The address is https, or this machine; certificates are verified and there is no switch that says otherwise.  No
 * redirect is followed: it would carry the key along.  Nothing is decompressed.  What the server says is never shown:
 * its status and, of an error, the word that is its code.
 */
#include "generate/llm.h"
#include "ops/core/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef KM_CURL
#include <curl/curl.h>
#endif

/* ---- the address and the key ------------------------------------------ */

static bool is_this_machine(const char *host, size_t n)
{
	return (n == 9 && !strncmp(host, "localhost", 9)) || (n == 5 && !strncmp(host, "[::1]", 5)) ||
	       (n >= 9 && !strncmp(host, "127.", 4) && strspn(host, "0123456789.") >= n);
}

int llm_url_check(const char *url, struct strbuf *err)
{
	bool is_plain = !strncmp(url, "http://", 7), is_tls = !strncmp(url, "https://", 8);
	const char *host = url + (is_tls ? 8 : 7);
	size_t n = is_plain || is_tls ? (*host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/")) : 0;

	if (strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/._-[]~%") != strlen(url) || !n)
		strbuf_addstr(err, "KM_LLM_URL is no address such as https://host/v1: no user, no '?'");
	else if (is_plain && !is_this_machine(host, n))
		strbuf_addstr(err, "KM_LLM_URL is plain http to another machine: the key would be readable on the way: give https");
	else
		return 0;
	return -1;
}

void llm_key_wipe(char *key)
{
	if (!key)
		return;
	explicit_bzero(key, strlen(key));
	free(key);
}

char *llm_key_read(const char *path, struct strbuf *err)
{
	enum { MOST = 4096 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char *key = calloc(1, MOST + 1);
	struct stat st;
	ssize_t n = 0;

	if (!key || fd < 0 || fstat(fd, &st)) {
		strbuf_addf(err, "cannot read the key file '%s': %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode) || (st.st_mode & 077) || (st.st_uid != geteuid() && st.st_uid)) {
		strbuf_addf(err, "the key file '%s' is not yours alone: chmod 600 it", path);
	} else if ((n = read(fd, key, MOST)) > 0) {
		while (n && (key[n - 1] == '\n' || key[n - 1] == '\r'))
			key[--n] = 0;
		bool is_word = n >= 8;
		for (ssize_t i = 0; i < n; i++)
			is_word &= key[i] > ' ' && key[i] < 0x7f;
		if (is_word && n < MOST) {
			close(fd);
			return key;
		}
	}
	if (!err->len)
		strbuf_addf(err, "the key file '%s' holds no key: one line, at least 8 characters without blanks", path);
	if (key)
		explicit_bzero(key, MOST);
	free(key);
	if (fd >= 0)
		close(fd);
	return NULL;
}

static bool find(const char *text, struct strbuf *needle)
{
	bool found = needle->len >= 6 && strcasestr(text, needle->buf);

	explicit_bzero(needle->buf, needle->len);
	strbuf_reset(needle);
	return found;
}

/* Of the key's base64, as it is within any text's, the characters that depend on nothing but the key. */
static void base64_inside(const char *key, size_t skip, const char *alphabet, struct strbuf *out)
{
	size_t n = strlen(key), from = skip;

	for (; from + 3 <= n; from += 3) {
		uint32_t v = (uint32_t)(uint8_t)key[from] << 16 | (uint32_t)(uint8_t)key[from + 1] << 8 | (uint8_t)key[from + 2];
		for (int i = 18; i >= 0; i -= 6)
			strbuf_addch(out, alphabet[v >> i & 63]);
	}
}

bool llm_key_is_in(const char *key, const char *text)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct strbuf s = STRBUF_INIT;
	size_t n = strlen(key);
	bool found = false;

	strbuf_addstr(&s, key);
	found |= find(text, &s);
	for (size_t i = n; i-- > 0;)
		strbuf_addch(&s, key[i]);
	found |= find(text, &s);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(&s, "%02x", (unsigned char)key[i]);
	found |= find(text, &s);
	for (int all = 0; all < 2; all++) {
		for (size_t i = 0; i < n; i++)
			if (!all && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~", key[i]))
				strbuf_addch(&s, key[i]);
			else
				strbuf_addf(&s, "%%%02x", (unsigned char)key[i]);
		found |= find(text, &s);
	}
	for (size_t skip = 0; skip < 3; skip++) {
		base64_inside(key, skip, base64, &s);
		found |= find(text, &s);
		base64_inside(key, skip, base64url, &s);
		found |= find(text, &s);
	}
	strbuf_release(&s);
	return found;
}

void llm_try_release(struct llm_try *t) { chat_release(&t->chat); }

static void conclude(struct llm_try *t, enum try_end end, const char *outcome, const char *fmt, ...) PRINTF(4, 5);
static void conclude(struct llm_try *t, enum try_end end, const char *outcome, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->words, sizeof(t->words), fmt, ap);
	va_end(ap);
	t->end = end;
	t->outcome = outcome;
}

#ifndef KM_CURL

const char *llm_client_missing(void) { return "this program was built without libcurl: install libcurl4-openssl-dev and build again"; }

void llm_client_try(const struct llm_settings *settings, const char *key, const char *body, double seconds_left, struct llm_try *t)
{
	(void)key;
	(void)body;
	(void)seconds_left;
	*t = (struct llm_try){ 0 };
	chat_init(&t->chat, &settings->limits, true);
	conclude(t, TRY_FAILED, "unreachable", "%s", llm_client_missing());
}

#else

const char *llm_client_missing(void) { return NULL; }

enum { MOST_HEADER_BYTES = 64 << 10, MOST_ERROR_BYTES = 64 << 10 };

struct transfer {
	CURL *curl;
	struct llm_try *t;
	struct strbuf error;      /* the body of what is no answer */
	size_t header_bytes;
	bool is_begun, is_encoded, has_huge_header;
	double until_s;
};

static double now_s(void) { return (double)clock_ns() * 1e-9; }

static size_t take_header(char *data, size_t size, size_t count, void *user)
{
	struct transfer *x = user;
	size_t n = size * count;
	static const char encoding[] = "content-encoding:";

	x->header_bytes += n;
	x->has_huge_header = x->header_bytes > MOST_HEADER_BYTES;
	if (n > strlen(encoding) && !strncasecmp(data, encoding, strlen(encoding)) && !memmem(data, n, "identity", 8))
		x->is_encoded = true;
	return x->has_huge_header || x->is_encoded ? 0 : n;
}

static size_t take_body(char *data, size_t size, size_t count, void *user)
{
	struct transfer *x = user;
	size_t n = size * count;
	char *type = NULL;
	long status = 0;

	curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200) {
		/* More of it than is kept says nothing. */
		if (x->error.len + n > MOST_ERROR_BYTES)
			return 0;
		strbuf_add(&x->error, data, n);
		return n;
	}
	if (!x->is_begun) {
		curl_easy_getinfo(x->curl, CURLINFO_CONTENT_TYPE, &type);
		x->t->chat.is_stream = !type || !strcasestr(type, "application/json");
		x->is_begun = true;
	}
	return chat_feed(&x->t->chat, data, n) ? n : 0;
}

/* Ends it in time even where libcurl would not. */
static int watch(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)a, (void)b, (void)c, (void)d;
	return now_s() > ((struct transfer *)user)->until_s;
}

/* Errors that mean an account, not a moment: another try costs, and none helps. */
static bool is_money(long status, const char *code)
{
	static const char *const word[] = { "insufficient_quota", "spend_limit", "billing", "credit", "payment" };

	for (size_t i = 0; i < ARRAY_SIZE(word); i++)
		if (strcasestr(code, word[i]))
			return true;
	return status == 402;
}

static bool is_passing(const char *code)
{
	static const char *const word[] = { "overloaded", "rate_limit", "server_error", "api_error", "timeout", "unavailable" };

	for (size_t i = 0; i < ARRAY_SIZE(word); i++)
		if (strcasestr(code, word[i]))
			return true;
	return false;
}

static void judge_status(struct llm_try *t, long status, const char *code)
{
	static const int again[] = { 408, 429, 500, 502, 503, 504, 529 };
	const char *colon = *code ? ": " : "";

	if (is_money(status, code)) {
		conclude(t, TRY_STOP, "money", "HTTP %ld%s%s", status, colon, code);
		return;
	}
	if (status == 401 || status == 403) {
		conclude(t, TRY_STOP, "refused", "the server refuses the key: HTTP %ld%s%s", status, colon, code);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(again); i++)
		if (status == again[i]) {
			conclude(t, TRY_AGAIN, status == 429 ? "rate" : "busy", "HTTP %ld%s%s", status, colon, code);
			return;
		}
	if (status >= 300 && status < 400)
		conclude(t, TRY_FAILED, "refused", "HTTP %ld: a redirect, which is not followed: give the address itself", status);
	else
		conclude(t, TRY_FAILED, "refused", "HTTP %ld%s%s", status, colon, code);
}

static void judge_transfer(struct transfer *x, CURLcode code)
{
	struct llm_try *t = x->t;

	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_ABORTED_BY_CALLBACK:
		conclude(t, TRY_AGAIN, "timeout", "no answer in time");
		return;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CERTPROBLEM:
		conclude(t, TRY_FAILED, "untrusted", "the server's certificate is not to be trusted: %s", curl_easy_strerror(code));
		return;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
	case CURLE_OUT_OF_MEMORY:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_HTTP_POST_ERROR:
		conclude(t, TRY_FAILED, "unreachable", "%s", curl_easy_strerror(code));
		return;
	default:
		/* Of connecting, receiving, the handshake. */
		conclude(t, TRY_AGAIN, "unreachable", "%s", curl_easy_strerror(code));
		return;
	}
}

static void judge(struct transfer *x, CURLcode code)
{
	struct llm_try *t = x->t;
	struct chat *chat = &t->chat;
	char word[64] = "";
	long status = 0;

	curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
	if (x->is_encoded || x->has_huge_header) {
		conclude(t, TRY_FAILED, x->is_encoded ? "malformed" : "too-large", x->is_encoded ? "compressed, which was not asked for" : "headers too long");
		return;
	}
	if (status && status != 200) {
		chat_error_code(x->error.buf, x->error.len, word);
		judge_status(t, status, word);
		return;
	}
	if (code == CURLE_OK)
		chat_end(chat);
	switch (chat->state) {
	case CHAT_WHOLE:
		if (!strcmp(chat->finish, "length"))
			conclude(t, TRY_CUT, "cut", "at the limit of its length");
		else
			conclude(t, TRY_ANSWERED, "answered", "%s", "");
		return;
	case CHAT_MALFORMED:
		conclude(t, TRY_FAILED, "malformed", "no answer as the API has it: %s", chat->why);
		return;
	case CHAT_TOO_LARGE:
		conclude(t, TRY_FAILED, "too-large", "%s", chat->why);
		return;
	case CHAT_ERROR:
		conclude(t, is_money(0, chat->code) ? TRY_STOP : is_passing(chat->code) ? TRY_AGAIN : TRY_FAILED, is_money(0, chat->code) ? "money" : "error",
			 "an error within the answer%s%s", *chat->code ? ": " : "", chat->code);
		return;
	case CHAT_OPEN:
		break;
	}
	if (code == CURLE_OK)
		conclude(t, TRY_AGAIN, "truncated", "the answer was cut off");
	else
		judge_transfer(x, code);
}

static struct curl_slist *headers_of(const char *key)
{
	struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json");

	list = curl_slist_append(list, "Accept: text/event-stream, application/json");
	list = curl_slist_append(list, "Expect:");
	/* The key comes last, and lies nowhere longer than it is sent. */
	if (key) {
		struct strbuf line = STRBUF_INIT;
		strbuf_addf(&line, "Authorization: Bearer %s", key);
		list = curl_slist_append(list, line.buf);
		explicit_bzero(line.buf, line.len);
		strbuf_release(&line);
	}
	return list;
}

static void headers_free(struct curl_slist *list)
{
	for (struct curl_slist *l = list; l; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl_slist_free_all(list);
}

/* False: libcurl lacks one of them. */
static bool configure(CURL *curl, const struct llm_settings *s, const char *url, const char *body, double seconds_left, struct transfer *x)
{
	bool is_plain = !strncmp(url, "http://", 7);
	CURLcode bad = CURLE_OK;

#define SET(option, value) bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_##option, value)
	SET(URL, url);
	SET(PROTOCOLS_STR, is_plain ? "http" : "https");
	SET(FOLLOWLOCATION, 0L);
	SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(NOSIGNAL, 1L);
	SET(SSL_VERIFYPEER, 1L);
	SET(SSL_VERIFYHOST, 2L);
	SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (s->ca_path)
		SET(CAINFO, s->ca_path);
	if (is_plain)
		SET(PROXY, "");
	SET(NETRC, (long)CURL_NETRC_IGNORED);
	SET(CONNECTTIMEOUT_MS, (long)(1000 * fmin(s->connect_s, seconds_left)));
	SET(TIMEOUT_MS, (long)(1000 * seconds_left) + 1);
	SET(LOW_SPEED_LIMIT, 1L);
	SET(LOW_SPEED_TIME, (long)ceil(s->stall_s));
	SET(NOPROGRESS, 0L);
	SET(XFERINFOFUNCTION, watch);
	SET(XFERINFODATA, x);
	SET(HEADERFUNCTION, take_header);
	SET(HEADERDATA, x);
	SET(WRITEFUNCTION, take_body);
	SET(WRITEDATA, x);
	SET(POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
	SET(POSTFIELDS, body);
	SET(USERAGENT, "kernelmill/" KM_VERSION);
#undef SET
	return !bad;
}

void llm_client_try(const struct llm_settings *s, const char *key, const char *body, double seconds_left, struct llm_try *t)
{
	struct transfer x = { .t = t, .error = STRBUF_INIT, .until_s = now_s() + seconds_left };
	struct strbuf url = STRBUF_INIT;
	struct curl_slist *headers = NULL;
	curl_off_t retry_after = 0;

	*t = (struct llm_try){ 0 };
	chat_init(&t->chat, &s->limits, true);
	strbuf_addf(&url, "%s%schat/completions", s->url, s->url[strlen(s->url) - 1] == '/' ? "" : "/");
	x.curl = curl_easy_init();
	if (!x.curl || !configure(x.curl, s, url.buf, body, seconds_left, &x)) {
		conclude(t, TRY_FAILED, "unreachable", "this libcurl lacks https or an option of 7.85");
		goto out;
	}
	headers = headers_of(key);
	curl_easy_setopt(x.curl, CURLOPT_HTTPHEADER, headers);
	CURLcode code = curl_easy_perform(x.curl);
	judge(&x, code);
	/* Seconds, or a date by this machine's clock; it may come negative or beyond all sense. */
	curl_easy_getinfo(x.curl, CURLINFO_RETRY_AFTER, &retry_after);
	t->retry_after_s = fmin(fmax((double)retry_after, 0), s->retry_after_most_s);
out:
	if (x.curl)
		curl_easy_cleanup(x.curl);
	headers_free(headers);
	strbuf_release(&url);
	strbuf_release(&x.error);
}

#endif
