/* Journals: frames, torn tails, damage, one writer, failed commits. */
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
	struct journal *journal = journal_open(path, &err);

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

static void test_torn(void)
{
	int64_t torn = 0;
	off_t whole = size();

	append(5, 1);
	off_t last = size();
	int wrong = 0;
	for (off_t cut = whole + 1; cut < last; cut += 1 + (last - whole) / 40)
		wrong += truncate(path, last) || truncate(path, cut) || frames(&torn) != 5 || torn != cut - whole;
	ok(!wrong, "a last frame cut anywhere is skipped and counted (%d wrong)", wrong);
	fprintf(stderr, "# a warning is expected\n");
	append(6, 1);
	ok(frames(&torn) == 6 && torn == 0, "the next writer cuts the torn tail and goes on");
	ok(!truncate(path, size() + 4096) && frames(&torn) == 6 && torn == 4096, "so is a tail of zeros");
	append(7, 1);
	ok(frames(NULL) == 7, "and goes on after it");
}

static void test_damage(void)
{
	off_t before = size();

	poke(before / 2, 1);
	int got = frames(NULL);
	ok(got < 0 && strstr(err.buf, path) && strstr(err.buf, "damaged at byte") && strstr(err.buf, "truncate -s"),
	   "damage before the end is an error with offset and fix: %s", err.buf);
	strbuf_reset(&err);
	ok(!journal_open(path, &err) && strstr(err.buf, "damaged"), "and no writer starts");
	ok(size() == before, "nothing was cut");
}

static void test_full(void)
{
	struct journal *journal;
	struct record r = sample_environment();
	struct rlimit limit;

	unlink(path);
	append(0, 3);
	off_t before = size();
	journal = journal_open(path, &err);
	ok(journal_append(journal, &r, &err) == 0, "append is buffered");
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	struct rlimit tight = { (rlim_t)before + 50, limit.rlim_max };
	setrlimit(RLIMIT_FSIZE, &tight);
	strbuf_reset(&err);
	int ret = journal_commit(journal, &err);
	setrlimit(RLIMIT_FSIZE, &limit);
	ok(ret < 0 && strstr(err.buf, path), "a commit that cannot be written says so: %s", err.buf);
	ok(journal_commit(journal, &err) < 0, "and is not retried");
	journal_close(journal, &err);
	ok(size() == before && frames(NULL) == 3, "what was committed stays");
}

/* A writer killed at any moment: what it had committed is there, and the next writer goes on. */
static void test_kill(void)
{
	int lost = 0, rounds = 12;

	for (int round = 0; round < rounds; round++) {
		int fd[2], acknowledged = 0, n;
		unlink(path);
		if (pipe(fd))
			return;
		pid_t pid = fork();
		if (!pid) {
			double sample[3];
			struct journal *journal = journal_open(path, &err);
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
		struct journal *next = journal_open(path, &err);
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
	struct journal *first = journal_open(path, &err);
	ok(first && !journal_open(path, &err) && strstr(err.buf, "being written"), "one writer at a time");
	strbuf_reset(&err);
	journal_close(first, &err);
	test_torn();
	test_damage();
	test_full();
	test_kill();
	arena_release(&arena);
	unlink(path);
	rmdir(folder);
	strbuf_release(&err);
	return done_testing();
}
