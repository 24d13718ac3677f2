/*
 * kill -9 of writers.  A writer appends numbered records, in groups, and tells
 * after each group what is acknowledged; it is killed at a random instant, again
 * and again, until a journal is complete; then what packs it is killed, too.
 * Nothing acknowledged may be lost, no record be twice or wrong, and the product
 * must be the undisturbed one's, byte for byte.
 */
#include "tests/faults/faults.h"

#include <signal.h>
#include <dirent.h>
#include <sys/wait.h>

enum { RECORDS = 400, SALT = 7 };
static char folder[64], path[96], product[96];
static int64_t salt[RECORDS];

static int have(struct strbuf *err)
{
	struct arena arena = ARENA_INIT;
	struct reading r = { .salt = salt, .most = RECORDS };
	int ret = access(path, F_OK) ? 0 : journal_each(&arena, path, compare_numbered, &r, NULL, err);

	arena_release(&arena);
	return ret ? -1 : (int)r.count;
}

/* Goes on where the journal ends, until it is complete; `to` hears what is acknowledged. */
NORETURN static void write_records(int to)
{
	struct strbuf err = STRBUF_INIT;
	struct journal *journal = journal_open(path, NULL, &err);
	int n = journal ? have(&err) : -1;
	char text[64];

	if (n < 0)
		_exit(3);
	fault_seed = (uint64_t)getpid() * 2654435761u + 1;
	while (n < RECORDS) {
		for (int i = 1 + (int)draw(12); i > 0 && n < RECORDS; i--, n++) {
			struct record r = numbered(n, SALT, text);
			if (journal_append(journal, &r, &err))
				_exit(3);
		}
		if (journal_commit(journal, &err) || write(to, &n, sizeof(n)) != sizeof(n))
			_exit(3);
	}
	_exit(journal_close(journal, &err) ? 3 : 0);
}

NORETURN static void pack(int to)
{
	struct strbuf err = STRBUF_INIT;
	const char *const journal = path;

	(void)to;
	_exit(trace_pack(&journal, 1, product, &err) ? 3 : 0);
}

/* Runs work in a child, kills it after so long; what it acknowledged goes to *acknowledged.  Its wait status. */
static int run_killed(void (*work)(int), useconds_t after_us, int *acknowledged)
{
	int fd[2], status, n;

	if (pipe(fd))
		exit(3);
	pid_t pid = fork();
	if (pid < 0)
		exit(3);
	if (!pid) {
		close(fd[0]);
		work(fd[1]);
	}
	close(fd[1]);
	if (after_us)
		usleep(after_us);
	if (after_us)
		kill(pid, SIGKILL);
	while (read(fd[0], &n, sizeof(n)) == sizeof(n))
		*acknowledged = n;
	close(fd[0]);
	waitpid(pid, &status, 0);
	return status;
}

static void remove_all(void)
{
	DIR *dir = opendir(folder);

	for (struct dirent *e; dir && (e = readdir(dir));)
		unlinkat(dirfd(dir), e->d_name, 0);
	if (dir)
		closedir(dir);
}

/* Nothing but the journal's segments and the product. */
static int leftovers(void)
{
	DIR *dir = opendir(folder);
	int n = 0;

	for (struct dirent *e; dir && (e = readdir(dir));)
		n += e->d_name[0] != '.' && strncmp(e->d_name, "journal", 7) && strcmp(e->d_name, "traces.h5");
	if (dir)
		closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	int64_t count = faults_begin(argc, argv, 60, 500), kills = 0;
	struct strbuf err = STRBUF_INIT, want = STRBUF_INIT, got = STRBUF_INIT;
	int acknowledged = 0;
	const char *tmp = getenv("TMPDIR");

	for (int i = 0; i < RECORDS; i++)
		salt[i] = SALT;
	snprintf(folder, sizeof(folder), "%.40s/km-kill.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return 3;
	snprintf(path, sizeof(path), "%s/journal", folder);
	snprintf(product, sizeof(product), "%s/traces.h5", folder);
	int64_t start = clock_ns();
	int status = run_killed(write_records, 0, &acknowledged);
	double write_us = (double)(clock_ns() - start) * 1e-3;
	start = clock_ns();
	if (status || acknowledged != RECORDS || run_killed(pack, 0, &acknowledged) || strbuf_read_file(&want, product, &err)) {
		fprintf(fault_out, "cannot make the undisturbed product: %s\n", err.buf);
		return 3;
	}
	double pack_us = (double)(clock_ns() - start) * 1e-3;
	fault_seed = 2463534242u;
	while (kills < count) {
		remove_all();
		acknowledged = 0;
		do {
			status = run_killed(write_records, 1 + draw((uint32_t)(0.5 * write_us) + 2), &acknowledged);
			kills += WIFSIGNALED(status);
			int there = have(&err);
			if (there < acknowledged)
				bad("kill %" PRId64 ": %d acknowledged, %d there: %s", kills, acknowledged, there, err.buf);
			else if (WIFEXITED(status) && WEXITSTATUS(status))
				bad("kill %" PRId64 ": the next writer failed", kills);
			strbuf_reset(&err);
		} while (status && fault_bad < 20);
		for (int i = 0; i < 4; i++) {
			status = run_killed(pack, i == 3 ? 0 : 1 + draw((uint32_t)pack_us + 2), &acknowledged);
			kills += WIFSIGNALED(status);
			strbuf_reset(&got);
			/* Whole, or not there yet. */
			if (!access(product, F_OK) && (strbuf_read_file(&got, product, &err) || got.len != want.len || memcmp(got.buf, want.buf, got.len)))
				bad("kill %" PRId64 ": the product is another one", kills);
		}
		if (!got.len || leftovers())
			bad("kill %" PRId64 ": %s", kills, got.len ? "files are left over" : "no product");
	}
	remove_all();
	rmdir(folder);
	return faults_end("writers and packers killed", kills);
}
