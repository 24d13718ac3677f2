/* What a server of language models answers: streams, in pieces of any size, and whole answers; their errors and fences. */
#include "generate/llm_chat.h"
#include "generate/llm_json.h"
#include "tests/fuzz.h"

static void feed(struct chat *chat, const uint8_t *data, size_t size, size_t step, bool is_stream)
{
	static const struct chat_limits limits = { .line_bytes = 1 << 14, .event_bytes = 1 << 15, .total_bytes = 1 << 16, .events = 1000 };
	bool goes_on = true;

	chat_init(chat, &limits, is_stream);
	for (size_t at = 0; at < size && goes_on; at += step)
		goes_on = chat_feed(chat, (const char *)data + at, size - at < step ? size - at : step);
	chat_end(chat);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct chat whole, parts;
	const char *block, *why;
	char code[64];
	size_t length;

	if (size < 2)
		return 0;
	feed(&whole, data + 2, size - 2, size, data[0] & 1);
	feed(&parts, data + 2, size - 2, 1 + data[1] % 32, data[0] & 1);
	/* Where it is too long depends on the pieces; what it says does not. */
	if (whole.state != CHAT_TOO_LARGE && parts.state != CHAT_TOO_LARGE &&
	    (whole.state != parts.state || strcmp(whole.content.buf, parts.content.buf) || whole.prompt_tokens != parts.prompt_tokens || strcmp(whole.code, parts.code)))
		abort();
	for (const char *s = whole.content.buf; *s; s += utf8_bytes(s))
		if (!utf8_bytes(s))
			abort();
	if (!chat_fenced(whole.content.buf, &block, &length, &why) && (block < whole.content.buf || block + length > whole.content.buf + whole.content.len))
		abort();
	chat_error_code((const char *)data + 2, size - 2, code);
	if (strlen(code) != strspn(code, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."))
		abort();
	chat_release(&whole);
	chat_release(&parts);
	return 0;
}

void fuzz_seeds(fuzz_add *add, void *user)
{
	static const char *const seed[] = {
		"\1\7: alive\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"```c\\nint a;\\n```\\n\"}}]}\n\n"
		"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":7}}\r\n\r\ndata: [DONE]\n\n",
		"\1\3event: error\rdata: {\"error\":{\"type\":\"overloaded_error\",\"code\":null}}\r\r",
		"\1\3data: {\"choices\":\ndata: [{\"delta\":{\"content\":\"\\ud83d\\ude00\"}}]}\n\n",
		"\2\3{\"choices\":[{\"message\":{\"content\":\"{\\\"proposals\\\":[]}\"},\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":1e3}}",
		"\2\3{\"error\":{\"type\":\"t\",\"code\":\"insufficient_quota\"}}",
	};

	for (size_t i = 0; i < sizeof(seed) / sizeof(*seed); i++)
		add(seed[i], strlen(seed[i]), user);
}
