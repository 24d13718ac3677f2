/*
 * Journals: one segment or, at a line "SEGMENT\n", several.  The checksums are put right first, so that what is
 * behind them is reached.  A writer opens what can be read, adds a record, and that is read too.
 */
#include "evaluate/journal.h"
#include "evaluate/journal_read.h"
#include "ops/core/hash.h"
#include "tests/fuzz.h"
#include "tests/unit/evaluate/samples.h"

#include <fcntl.h>
#include <unistd.h>

static const char border[] = "SEGMENT\n";

static int count(const struct record *record, void *user)
{
	(void)record;
	++*(int *)user;
	return 0;
}

static const char *segment_path(int i)
{
	static char path[96];

	snprintf(path, sizeof(path), i ? "%s/journal.%d" : "%s/journal", fuzz_folder(), i);
	return path;
}

static void write_hex(char *at, uint32_t value)
{
	char text[9];

	snprintf(text, sizeof(text), "%08x", value);
	memcpy(at, text, 8);
}

/* The checksum of each frame whose length fits; the first frame of a segment has no seed. */
static void put_right(char *data, size_t size, const char *id, int number)
{
	uint32_t seed = 0;

	for (size_t i = 0; i + FRAME_HEAD_BYTES < size;) {
		const char *hit = memmem(data + i, size - i, FRAME_MAGIC, 5);
		char *end;
		if (!hit)
			return;
		size_t at = (size_t)(hit - data), length = strtoul(hit + 5, &end, 16);
		if (at + FRAME_HEAD_BYTES < size && length < size - at - FRAME_HEAD_BYTES)
			write_hex(data + at + 32, crc32c(crc32c(seed, data + at + 5, 27), data + at + FRAME_HEAD_BYTES, length));
		if (!at)
			seed = frame_seed(id, number);
		i = at + 5;
	}
}

static void write_file(const char *path, const char *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
}

static int records(struct arena *arena, struct strbuf *err)
{
	int n = 0;

	return journal_each(arena, segment_path(0), count, &n, NULL, err) ? -1 : n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { MOST = 4 };
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	char *text = fuzz_text(data, size), *rest = text, id[17] = "";
	const char *at = memmem(text, size, "\"journal\":\"", 11);
	int n;

	if (at && (size_t)(at - text) + 27 < size)
		memcpy(id, at + 11, 16);
	for (int i = 0; i < MOST; i++) {
		size_t left = size - (size_t)(rest - text);
		const char *end = memmem(rest, left, border, strlen(border));
		size_t length = end ? (size_t)(end - rest) : left;
		put_right(rest, length, id, i);
		write_file(segment_path(i), rest, length);
		if (!end) {
			for (i++; i < MOST; i++)
				unlink(segment_path(i));
			break;
		}
		rest += length + strlen(border);
	}
	n = records(&arena, &err);
	if (n < 0 && !err.len)
		abort();
	strbuf_reset(&err);
	struct journal *journal = n >= 0 ? journal_open(segment_path(0), NULL, &err) : NULL;
	if (journal) {
		double sample[3];
		struct record r = sample_evaluation(1, sample);
		if (journal_append(journal, &r, &err) || journal_close(journal, &err) || records(&arena, &err) != n + 1)
			abort();
	}
	for (int i = 0; i < 8; i++)
		unlink(segment_path(i));
	free(text);
	strbuf_release(&err);
	arena_release(&arena);
	return 0;
}

/* Sessions, each but the last cut before it was closed. */
void fuzz_seeds(fuzz_add *add, void *user)
{
	for (int sessions = 1; sessions <= 3; sessions++) {
		struct strbuf all = STRBUF_INIT, err = STRBUF_INIT;
		for (int s = 0; s < sessions; s++) {
			struct journal *journal = journal_open(segment_path(0), NULL, &err);
			double sample[3];
			for (int i = 0; journal && i < 2; i++) {
				struct record r = sample_other(i ? RECORD_STOP : RECORD_WINNER, sample);
				journal_append(journal, &r, &err);
			}
			if (!journal || journal_close(journal, &err))
				abort();
			struct strbuf data = STRBUF_INIT;
			if (strbuf_read_file(&data, segment_path(s), &err))
				abort();
			if (s + 1 < sessions && truncate(segment_path(s), (off_t)data.len - 20))
				abort();
			strbuf_add(&all, data.buf, s + 1 < sessions ? data.len - 20 : data.len);
			if (s + 1 < sessions)
				strbuf_addstr(&all, border);
			strbuf_release(&data);
		}
		add(all.buf, all.len, user);
		for (int i = 0; i < sessions; i++)
			unlink(segment_path(i));
		strbuf_release(&all);
		strbuf_release(&err);
	}
	add("KMJ1 0000004e 00000000 {\"kind\":\"stop\"}\n", 39, user);
}
