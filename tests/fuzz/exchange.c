/* Lines of a transcript, of what trials said, and sources with the lines that say how they are launched. */
#include "generate/exchange.h"
#include "generate/feedback.h"
#include "generate/llm_prompt.h"
#include "tests/fuzz.h"

#include <stdio.h>

/* What is read is written as it was read. */
static void exchange(const char *text, size_t length)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT, once = STRBUF_INIT, twice = STRBUF_INIT;
	struct exchange x, y;

	if (!exchange_read(&arena, text, length, &x, &err)) {
		exchange_write(&x, &once);
		if (exchange_read(&arena, once.buf, once.len - 1, &y, &err))
			abort();
		exchange_write(&y, &twice);
		if (strcmp(once.buf, twice.buf))
			abort();
	} else if (!err.len) {
		abort();
	}
	strbuf_release(&err);
	strbuf_release(&once);
	strbuf_release(&twice);
	arena_release(&arena);
}

static void feedback(const char *text, size_t length)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT, once = STRBUF_INIT;
	struct feedback_list list;
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "%s/feedback", fuzz_folder());
	if (!(f = fopen(path, "w")) || fwrite(text, 1, length, f) != length || fclose(f))
		abort();
	if (!feedback_read(&arena, path, &list, &err))
		for (size_t i = 0; i < list.count; i++)
			feedback_write(&list.item[i], &once);
	else if (!err.len)
		abort();
	strbuf_release(&err);
	strbuf_release(&once);
	arena_release(&arena);
}

/* What is shown is plain, and not longer than it may be. */
static void shown(const char *text)
{
	struct strbuf out = STRBUF_INIT, stripped = STRBUF_INIT;

	for (int hash = 0; hash < 2; hash++) {
		strbuf_reset(&out);
		strbuf_reset(&stripped);
		prompt_strip(text, hash, &stripped);
		prompt_words(text, stripped.buf, 500, &out);
		if (out.len > 500)
			abort();
		prompt_clean(stripped.buf, 500, &out);
		for (const char *s = out.buf; *s; s++)
			if (!(*s >= ' ' && *s < 0x7f) && *s != '\n' && *s != '\t')
				abort();
	}
	strbuf_release(&out);
	strbuf_release(&stripped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	exchange(text, size);
	feedback(text, size);
	shown(text);
	free(text);
	return 0;
}

void fuzz_seeds(fuzz_add *add, void *user)
{
	const struct exchange x = { "aa", "p t 01 0", "p", "t", "m", "inherit", "c", "{}", "system", "prompt\n\"", "answer", "answered", "", "id", 5, 6, "server", 0.125, 1.5, 2, "0011aabb", 17 };
	const struct feedback f = { "aa", "PASSED", "c", "model", "error", "int a;", 0.5, 1e9, 1e8, { { "spills", 3 } }, 1 };
	static const char source[] = "// grid: cdiv(R,4)\n/* text */\nconst char *s = \"say \\\" it\"; char c = '\\n';\n#error words\nk.c:1:2: error: words\n   3 | #error words\n# py\n\"\"\"doc\"\"\"\n";
	struct strbuf line = STRBUF_INIT;

	exchange_write(&x, &line);
	add(line.buf, line.len - 1, user);
	strbuf_reset(&line);
	feedback_write(&f, &line);
	add(line.buf, line.len, user);
	add(source, sizeof(source) - 1, user);
	strbuf_release(&line);
}
