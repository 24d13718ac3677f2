/* Tile programs: what parses prints, and the print parses to the same. */
#include "generate/tile.h"
#include "tests/fuzz.h"
#include "tests/unit/generate/programs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT, first = STRBUF_INIT, second = STRBUF_INIT;
	struct tile_program program, again;
	char *text = fuzz_text(data, size);

	if (!tile_parse(&arena, text, "fuzz", &program, &err)) {
		tile_print(&program, &first);
		if (tile_parse(&arena, first.buf, "print", &again, &err))
			abort();
		tile_print(&again, &second);
		if (strcmp(first.buf, second.buf))
			abort();
	} else if (!err.len) {
		abort();
	}
	free(text);
	strbuf_release(&err);
	strbuf_release(&first);
	strbuf_release(&second);
	arena_release(&arena);
	return 0;
}

void fuzz_seeds(fuzz_add *add, void *user)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		struct strbuf text = STRBUF_INIT;
		strbuf_addstr(&text, programs[i].text);
		strbuf_replace(&text, "$4L", "64");
		strbuf_replace(&text, "$2L", "32");
		strbuf_replace(&text, "$L", "16");
		add(text.buf, text.len, user);
		strbuf_release(&text);
	}
}
