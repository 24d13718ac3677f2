/* Journals: frames, segments, torn tails, damage, one writer, groups, failed commits. */
#include "evaluate/journal.h"
#include "tests/tap.h"
#include "tests/unit/evaluate/samples.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[64];
static struct strbuf err = STRBUF_INIT;

static int count(const struct record *record, void *user)
{
	(void)record;
	++*(int *)user;
	return 0;
}

static int stop_at_three(const struct record *record, void *user)
{
	(void)record;
	return ++*(int *)user == 3 ? 7 : 0;
}

static int frames(int64_t *torn_bytes)
{
	struct arena arena = ARENA_INIT;
	int n = 0;

	strbuf_reset(&err);
	if (journal_each(&arena, path, count, &n, torn_bytes, &err))
		n = -1;
	arena_release(&arena);
	return n;
}

static void append(int first, int n)
{
	double sample[3];
	struct journal *journal = journal_open(path, NULL, &err);

	for (int i = first; i < first + n && journal; i++) {
		struct record r = sample_evaluation(i, sample);
		journal_append(journal, &r, &err);
	}
	ok(journal && !journal_close(journal, &err), "append %d", n);
}

static off_t size(void)
{
	struct stat st;
	return stat(path, &st) ? -1 : st.st_size;
}

static void poke(off_t at, char c)
{
	int fd = open(path, O_WRONLY);
	ok(fd >= 0 && pwrite(fd, &c, 1, at) == 1, "damage byte %ld", (long)at);
	close(fd);
}

static const char *segment(int number)
{
	static char name[80];

	snprintf(name, sizeof(name), "%s.%d", path, number);
	return name;
}

static void remove_all(void)
{
	unlink(path);
	for (int i = 1; i < 40; i++)
		unlink(segment(i));
}

static void test_torn(void)
{
	int64_t torn = 0;
	off_t whole = size();

	append(5, 1);
	off_t last = size();
	int wrong = 0;
	struct strbuf bytes = STRBUF_INIT;
	wrong += strbuf_read_file(&bytes, path, &err);
	/* The last frames: the record, and the one that closes the journal. */
	for (off_t cut = last - 1; cut > whole; cut -= 1 + (last - whole) / 60) {
		int n = truncate(path, cut) ? -1 : frames(&torn);
		wrong += !(n == 5 || n == 6) || torn > last - whole;
	}
	ok(!wrong, "a last frame cut anywhere is skipped and counted (%d wrong)", wrong);
	ok(!truncate(path, whole + 100) && frames(&torn) == 5 && torn == 100, "cut in the middle");
	fprintf(stderr, "# warnings are expected\n");
	append(6, 1);
	ok(size() == whole + 100 && frames(&torn) == 6 && torn == 100, "the next writer leaves it alone and goes on in a new segment");
	ok(!access(segment(1), R_OK), "which is there");
	append(7, 1);
	ok(frames(NULL) == 7 && access(segment(2), R_OK), "a closed segment is gone on with");
	ok(!truncate(segment(1), 100) && frames(&torn) == 5, "a new segment torn in its header: what was before counts");
	append(8, 1);
	ok(frames(NULL) == 6 && !access(segment(2), R_OK), "and the next writer begins another");
	strbuf_release(&bytes);
}

static void test_damage(void)
{
	remove_all();
	append(0, 5);
	off_t before = size();
	int got;

	poke(before / 2, 1);
	got = frames(NULL);
	ok(got < 0 && strstr(err.buf, path) && strstr(err.buf, "damaged at byte") && strstr(err.buf, "truncate -s"),
	   "damage before the end is an error with offset and fix: %s", err.buf);
	strbuf_reset(&err);
	enum exit_code code;
	ok(!journal_open(path, &code, &err) && strstr(err.buf, "damaged") && code == KM_EXIT_FATAL, "and no writer starts");
	ok(size() == before, "nothing was cut");
}

/* What a later writer did not find does not come back, mixed with what it wrote, with an older copy of the file. */
static void test_restored(void)
{
	struct strbuf bytes = STRBUF_INIT;

	remove_all();
	append(0, 8);
	ok(!strbuf_read_file(&bytes, path, &err) && !truncate(path, size() / 2), "keep a copy, lose half");
	int left = frames(NULL);
	append(20, 1);
	ok(left < 8 && frames(NULL) == left + 1 && !file_publish(path, bytes.buf, bytes.len, &err) && frames(NULL) < 0,
	   "a segment that was longer when the next began: %s", err.buf);
	strbuf_release(&bytes);
}

/* Files that are not where they belong. */
static void test_swapped(void)
{
	char other[80];

	snprintf(other, sizeof(other), "%s.9", path);
	remove_all();
	append(0, 2);
	ok(!truncate(path, size() - 10), "cut");
	append(2, 2);
	ok(!rename(segment(1), other) && frames(NULL) < 0 && strstr(err.buf, "belongs elsewhere"), "a segment under another number: %s", err.buf);
	ok(!rename(path, segment(1)) && !rename(other, path) && frames(NULL) < 0, "two segments swapped");
	remove_all();
	append(0, 2);
	ok(!truncate(path, size() - 10), "cut");
	append(2, 2);
	snprintf(other, sizeof(other), "%s.kept", path);
	ok(!rename(segment(1), other) && !unlink(path), "keep a segment");
	append(0, 2);
	ok(!rename(other, segment(1)) && frames(NULL) < 0 && strstr(err.buf, "another journal"), "a segment of another journal: %s", err.buf);
	unlink(path);
	ok(frames(NULL) < 0, "segments without the first");
}

/* The first format is read, and gone on with in a segment of the second. */
static void test_old(void)
{
	struct strbuf bytes = STRBUF_INIT;

	remove_all();
	strbuf_reset(&err);
	ok(!strbuf_read_file(&bytes, "tests/journals/first", &err) && !file_publish(path, bytes.buf, bytes.len, &err), "a journal of the first format %s", err.buf);
	int old = frames(NULL);
	ok(old == 13, "%d records", old);
	append(0, 2);
	ok(frames(NULL) == old + 2, "and two more");
	poke(500, 1);
	ok(frames(NULL) < 0 && strstr(err.buf, "damaged at byte"), "damage in it is found: %s", err.buf);
	strbuf_release(&bytes);
	remove_all();
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
	setrlimit(RLIMIT_FSIZE, &limit);
}

static void test_full(void)
{
	struct record r = sample_environment();

	remove_all();
	append(0, 8);
	off_t before = size();
	struct journal *journal = journal_open(path, NULL, &err);
	ok(journal_append(journal, &r, &err) == 0 && size() == before, "append is buffered");
	signal(SIGXFSZ, SIG_IGN);
	limit_files((rlim_t)before + 50);
	strbuf_reset(&err);
	int ret = journal_commit(journal, &err);
	limit_files(RLIM_INFINITY);
	ok(!ret && frames(NULL) == 9, "after a failed write the frames go to a new segment, once");
	ok(journal_append(journal, &r, &err) == 0, "append");
	limit_files(10);
	ret = journal_commit(journal, &err);
	limit_files(RLIM_INFINITY);
	ok(ret < 0 && strstr(err.buf, path), "a second failure is an error: %s", err.buf);
	ok(journal_commit(journal, &err) < 0, "and is not retried");
	journal_close(journal, &err);
	ok(frames(NULL) == 9, "what was committed stays");
	append(20, 1);
	ok(frames(NULL) == 10, "and the next writer goes on");
}

static void test_groups(void)
{
	double sample[3];
	struct record r = sample_evaluation(1, sample);

	remove_all();
	struct journal *journal = journal_open(path, NULL, &err);
	for (int i = 0; i < 63; i++)
		journal_append(journal, &r, &err);
	ok(journal_durable(journal) == 0, "63 frames wait");
	journal_append(journal, &r, &err);
	ok(journal_durable(journal) == 64, "64 are a group");
	journal_append(journal, &r, &err);
	usleep(110000);
	journal_append(journal, &r, &err);
	ok(journal_durable(journal) == 66, "100 ms are long enough");
	ok(!journal_reserve(journal, 1 << 20, &err) && size() < 1 << 19, "reserved room does not show in the size");
	struct stat st;
	stat(path, &st);
	bool has_room = st.st_blocks * 512 >= 1 << 20;
	journal_close(journal, &err);
	stat(path, &st);
	ok(has_room && st.st_blocks * 512 < 1 << 20, "and goes back to the disk");
	ok(frames(NULL) == 66, "all are there");
	remove_all();
}

/* A writer killed at any moment: what it had committed is there, and the next writer goes on. */
static void test_kill(void)
{
	int lost = 0, rounds = 12;

	for (int round = 0; round < rounds; round++) {
		int fd[2], acknowledged = 0, n;
		remove_all();
		if (pipe(fd))
			return;
		pid_t pid = fork();
		if (!pid) {
			double sample[3];
			struct journal *journal = journal_open(path, NULL, &err);
			for (int i = 1;; i++) {
				struct record r = sample_evaluation(i, sample);
				if (journal_append(journal, &r, &err) || journal_commit(journal, &err) || write(fd[1], &i, sizeof(i)) < 0)
					_exit(1);
			}
		}
		close(fd[1]);
		for (int i = 0; i < 1 + round && read(fd[0], &n, sizeof(n)) == sizeof(n); i++)
			acknowledged = n;
		usleep((useconds_t)(137 * round));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		while (read(fd[0], &n, sizeof(n)) == sizeof(n))
			acknowledged = n;
		close(fd[0]);
		lost += !acknowledged || frames(NULL) < acknowledged;
		struct journal *next = journal_open(path, NULL, &err);
		lost += !next;
		journal_close(next, &err);
	}
	ok(!lost, "%d writers killed at work: nothing acknowledged is lost", rounds);
}

int main(void)
{
	char folder[] = "/tmp/km-journal.XXXXXX";
	int n = 0;
	struct arena arena = ARENA_INIT;

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/journal", folder);
	ok(frames(NULL) < 0 && strstr(err.buf, path), "a missing journal is an error for readers");
	strbuf_reset(&err);
	append(0, 3);
	append(3, 2);
	ok(frames(NULL) == 5, "two writers in turn");
	ok(journal_each(&arena, path, stop_at_three, &n, NULL, &err) == 7 && n == 3, "a reader may stop");
	struct journal *first = journal_open(path, NULL, &err);
	ok(first && !journal_open(path, NULL, &err) && strstr(err.buf, "being written"), "one writer at a time");
	strbuf_reset(&err);
	journal_close(first, &err);
	test_torn();
	test_damage();
	test_restored();
	test_swapped();
	test_old();
	test_full();
	test_groups();
	test_kill();
	arena_release(&arena);
	remove_all();
	rmdir(folder);
	strbuf_release(&err);
	return done_testing();
}
