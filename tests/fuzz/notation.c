/* Operators' bodies: what parses prints, and the print parses to the same. */
#include "ops/core/op.h"
#include "tests/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT, first = STRBUF_INIT, second = STRBUF_INIT;
	struct body body, again;
	struct expr *e;
	char *text = fuzz_text(data, size);

	if (!body_parse(&arena, text, "fuzz", &body, &err)) {
		body_print(&body, &first);
		if (body_parse(&arena, first.buf, "print", &again, &err))
			abort();
		body_print(&again, &second);
		if (strcmp(first.buf, second.buf))
			abort();
	} else if (!err.len) {
		abort();
	}
	for (int flags = EXPR_BODY; flags <= EXPR_TILE; flags++)
		if (!expr_parse(&arena, text, "fuzz", (enum expr_flags)flags, &e, &err)) {
			struct expr *same;
			strbuf_reset(&first);
			expr_print(e, &first);
			if (expr_parse(&arena, first.buf, "print", (enum expr_flags)flags, &same, &err) || !expr_equal(e, same))
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
	for (size_t i = 0; op_table[i]; i++)
		if (op_table[i]->body)
			add(op_table[i]->body, strlen(op_table[i]->body), user);
}
