/* JSON of others: journals' records and batches' candidates.  What is read is written, and reads the same. */
#include "evaluate/record.h"
#include "tests/fuzz.h"
#include "tests/unit/evaluate/samples.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT, first = STRBUF_INIT, second = STRBUF_INIT;
	struct record record, again;
	struct candidate candidate, same;
	char *text = fuzz_text(data, size);

	if (!record_read(&arena, text, &record, &err)) {
		record_write(&record, &first);
		if (record_read(&arena, first.buf, &again, &err))
			abort();
		record_write(&again, &second);
		if (strcmp(first.buf, second.buf))
			abort();
	} else if (!err.len) {
		abort();
	}
	strbuf_reset(&first);
	strbuf_reset(&second);
	if (!candidate_read(&arena, text, &candidate, &err)) {
		candidate_write(&candidate, &first);
		if (candidate_read(&arena, first.buf, &same, &err))
			abort();
		candidate_write(&same, &second);
		if (strcmp(first.buf, second.buf))
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
	double sample[3];

	for (int kind = 0; kind < RECORD_KIND_COUNT; kind++)
		for (int i = 0; i < 2; i++) {
			struct strbuf text = STRBUF_INIT;
			struct record r = kind == RECORD_ENVIRONMENT ? sample_environment() : kind == RECORD_CANDIDATE ? sample_candidate(i)
					: kind == RECORD_EVALUATION ? sample_evaluation(i, sample) : sample_other((enum record_kind)kind, sample);
			record_write(&r, &text);
			add(text.buf, text.len, user);
			strbuf_reset(&text);
			if (kind == RECORD_CANDIDATE) {
				candidate_write(&r.candidate, &text);
				add(text.buf, text.len, user);
			}
			strbuf_release(&text);
		}
}
