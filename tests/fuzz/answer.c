/* Answers of the compilers that stay, which run in boxes and may say anything. */
#include "evaluate/resident.h"
#include "tests/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf artifact = STRBUF_INIT, log = STRBUF_INIT, err = STRBUF_INIT;
	char *text = fuzz_text(data, size);
	int ret = resident_read(text, &artifact, &log, &err);

	if ((ret < 0) != (err.len > 0) || (ret != 0 && log.len))
		abort();
	free(text);
	strbuf_release(&artifact);
	strbuf_release(&log);
	strbuf_release(&err);
	return 0;
}

void fuzz_seeds(fuzz_add *add, void *user)
{
	static const char *const answers[] = {
		"{\"artifact\": \"f0VMRgIBAQAAAAAAAAAAAA==\"}\n", "{\"log\": \"kernel.py:3: no such \\u201cname\\u201d\\n\"}\n", "{\"version\": \"3.5.0\"}\n", "{\"artifact\": null, \"log\": [1, {}]}\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		add(answers[i], strlen(answers[i]), user);
}
