/* Histories, which policies read: TSV of anybody's making. */
#include "generate/history.h"
#include "tests/fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct history history;
	char path[96];

	snprintf(path, sizeof(path), "%s/history", fuzz_folder());
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
	if (!history_read(&arena, path, &history, &err)) {
		if (history.best > history.count)
			abort();
	} else if (!err.len) {
		abort();
	}
	strbuf_release(&err);
	arena_release(&arena);
	return 0;
}

void fuzz_seeds(fuzz_add *add, void *user)
{
	struct strbuf text = STRBUF_INIT;

	history_write_header(&text);
	for (int i = 0; i < 4; i++) {
		struct trial t = { .id = "0123456789abcdef", .knobs = "skeleton=map lang=c BM=8", .verdict = i % 2 ? "PASSED" : "COMPILE_ERROR", .parent = "",
				   .edge = "random", .policy = "random", .generation = i, .time_ns = 1e5 / (i + 1), .fitness = i, .sol_ratio = 0.25, .elapsed_s = i };
		history_write(&t, &text);
		add(text.buf, text.len, user);
	}
	strbuf_release(&text);
}
