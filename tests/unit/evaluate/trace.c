/* Traces: journals -> HDF5 -> records; order and repetition do not matter; damage is found. */
#include "evaluate/journal.h"
#include "evaluate/trace.h"
#include "tests/tap.h"
#include "tests/unit/evaluate/samples.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/km-trace.XXXXXX";
static struct strbuf err = STRBUF_INIT;

static const char *in_folder(const char *name)
{
	static char path[8][128];
	static int n;

	snprintf(path[n = (n + 1) % 8], 128, "%s/%s", folder, name);
	return path[n];
}

static void write_journal(const char *name, int first, int count, bool with_rest)
{
	double sample[3];
	struct journal *journal = journal_open(in_folder(name), NULL, &err);
	struct record r = sample_environment();

	journal_append(journal, &r, &err);
	for (int i = first; i < first + count; i++) {
		r = sample_candidate(i);
		journal_append(journal, &r, &err);
		r = sample_evaluation(i, sample);
		journal_append(journal, &r, &err);
	}
	for (int kind = RECORD_BASELINE; kind < RECORD_KIND_COUNT && with_rest; kind++) {
		r = sample_other((enum record_kind)kind, sample);
		journal_append(journal, &r, &err);
	}
	ok(!journal_close(journal, &err), "write %s", name);
}

static bool same_bytes(const char *a, const char *b)
{
	struct strbuf x = STRBUF_INIT, y = STRBUF_INIT;
	bool same = !strbuf_read_file(&x, a, &err) && !strbuf_read_file(&y, b, &err) && x.len == y.len && !memcmp(x.buf, y.buf, x.len);

	strbuf_release(&x);
	strbuf_release(&y);
	return same;
}

static void as_text(const struct trace *t, struct strbuf *out)
{
	struct record r;

#define ALL(KIND, member)                                               \
	for (size_t i = 0; i < t->member##_count; i++) {                \
		r = (struct record){ .kind = KIND, .member = t->member[i] }; \
		record_write(&r, out);                                  \
		strbuf_addch(out, '\n');                                \
	}
	ALL(RECORD_ENVIRONMENT, environment)
	ALL(RECORD_CANDIDATE, candidate)
	ALL(RECORD_EVALUATION, evaluation)
	ALL(RECORD_BASELINE, baseline)
	ALL(RECORD_DUEL, duel)
	ALL(RECORD_WINNER, winner)
	ALL(RECORD_STOP, stop)
	ALL(RECORD_JUDGEMENT, judgement)
	ALL(RECORD_EXCHANGE, exchange)
}

static void test_round_trip(void)
{
	struct arena arena = ARENA_INIT;
	struct strbuf want = STRBUF_INIT, got = STRBUF_INIT;
	struct trace from_journals, from_file;
	const char *journals[] = { in_folder("a"), in_folder("b") };

	ok(!trace_from_journals(&arena, journals, 2, &from_journals, &err), "read the journals");
	ok(from_journals.evaluation_count == 20 && from_journals.candidate_count == 20 && from_journals.environment_count == 1, "20 trials, one environment");
	ok(from_journals.winner_count == 1 && from_journals.stop_count == 1 && from_journals.duel_count == 1, "one winner, stop, duel");
	int in_order = 1;
	for (size_t i = 1; i < from_journals.evaluation_count; i++)
		in_order &= from_journals.evaluation[i - 1].start_ns < from_journals.evaluation[i].start_ns;
	ok(in_order, "evaluations in order of time");
	int ret = trace_pack(journals, 2, in_folder("t.h5"), &err);
	ok(!ret, "pack (%s)", err.buf);
	ret = trace_read(&arena, in_folder("t.h5"), &from_file, &err);
	ok(!ret, "read the file (%s)", err.buf);
	as_text(&from_journals, &want);
	as_text(&from_file, &got);
	ok(want.len && !strcmp(want.buf, got.buf), "the file gives every record back, bit for bit");
	ret = trace_validate(in_folder("t.h5"), &err);
	ok(!ret, "and is valid (%s)", err.buf);
	strbuf_release(&want);
	strbuf_release(&got);
	arena_release(&arena);
}

static void test_merging(void)
{
	const char *backwards[] = { in_folder("b"), in_folder("a") };
	const char *twice[] = { in_folder("a"), in_folder("b"), in_folder("a"), in_folder("b") };

	ok(!trace_pack(backwards, 2, in_folder("u.h5"), &err) && same_bytes(in_folder("t.h5"), in_folder("u.h5")), "the order of journals does not matter");
	ok(!trace_pack(twice, 4, in_folder("u.h5"), &err) && same_bytes(in_folder("t.h5"), in_folder("u.h5")), "repeated frames do not matter");
	ok(!trace_pack(NULL, 0, in_folder("e.h5"), &err) && !trace_validate(in_folder("e.h5"), &err), "no journal: an empty, valid file");
}

/* Damage anywhere is found before HDF5 sees it. */
static void test_corruption(void)
{
	struct strbuf whole = STRBUF_INIT, want = STRBUF_INIT;
	struct arena arena = ARENA_INIT;
	struct trace t;
	int silent = 0, found = 0;

	strbuf_read_file(&whole, in_folder("t.h5"), &err);
	trace_read(&arena, in_folder("t.h5"), &t, &err);
	as_text(&t, &want);
	for (size_t at = 1; at < whole.len; at += at < 512 ? 37 : 7919) {
		struct arena scratch = ARENA_INIT;
		struct strbuf got = STRBUF_INIT;
		char keep = whole.buf[at];
		int fd = open(in_folder("c.h5"), O_WRONLY | O_CREAT | O_TRUNC, 0666);

		whole.buf[at] ^= 0x55;
		if (write(fd, whole.buf, whole.len) != (ssize_t)whole.len)
			silent++;
		close(fd);
		whole.buf[at] = keep;
		strbuf_reset(&err);
		if (trace_read(&scratch, in_folder("c.h5"), &t, &err)) {
			found++;
			if (!strstr(err.buf, "c.h5") || strchr(err.buf, '\n'))
				silent++;
		} else {
			as_text(&t, &got);
			silent += strcmp(got.buf, want.buf) != 0;
		}
		arena_release(&scratch);
		strbuf_release(&got);
	}
	ok(!silent && found > 20, "flipped bytes: %d named in one line, %d missed", found, silent);
	strbuf_reset(&err);
	ok(!truncate(in_folder("c.h5"), (off_t)whole.len / 2), "truncate");
	int ret = trace_read(&arena, in_folder("c.h5"), &t, &err);
	ok(ret < 0 && strstr(err.buf, "trace pack"), "a truncated file is named with its fix: %s", err.buf);
	strbuf_reset(&err);
	ret = trace_read(&arena, in_folder("a"), &t, &err);
	ok(ret < 0 && strstr(err.buf, "is a journal, not"), "a journal is no trace file: %s", err.buf);
	strbuf_reset(&err);
	ret = trace_read(&arena, in_folder("absent.h5"), &t, &err);
	ok(ret < 0 && strstr(err.buf, "No such file"), "nor is nothing: %s", err.buf);
	strbuf_release(&whole);
	strbuf_release(&want);
	arena_release(&arena);
}

static void test_missing_reference(void)
{
	double sample[3];
	const char *path = in_folder("lost");
	struct journal *journal = journal_open(path, NULL, &err);
	struct record r = sample_evaluation(1, sample);

	journal_append(journal, &r, &err);
	journal_close(journal, &err);
	strbuf_reset(&err);
	ok(!trace_pack(&path, 1, in_folder("l.h5"), &err), "pack a trial without its candidate");
	int ret = trace_validate(in_folder("l.h5"), &err);
	ok(ret < 0 && strstr(err.buf, "0000000000000002"), "validation names what is missing: %s", err.buf);
}

static void test_finding(void)
{
	struct arena arena = ARENA_INIT;
	struct path_list list = { 0 };

	make_folder(in_folder("cells/x/y"), &err);
	write_journal("cells/x/y/journal", 0, 1, false);
	write_journal("cells/x/journal", 1, 1, false);
	ok(!trace_find_journals(&arena, in_folder("cells"), &list, &err) && list.count == 2 && strcmp(list.path[0], list.path[1]) < 0, "journals below a folder, sorted");
	ok(!trace_find_journals(&arena, in_folder("a"), &list, &err) && list.count == 3, "a file stands for itself");
	ok(trace_find_journals(&arena, in_folder("nowhere"), &list, &err) < 0 && strstr(err.buf, "nowhere"), "a missing folder is an error");
	arena_release(&arena);
}

int main(void)
{
	char command[64];

	if (!mkdtemp(folder))
		return 1;
	write_journal("a", 0, 12, false);
	write_journal("b", 12, 8, true);
	test_round_trip();
	test_merging();
	test_corruption();
	test_missing_reference();
	test_finding();
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	if (system(command))
		return 1;
	strbuf_release(&err);
	return done_testing();
}
