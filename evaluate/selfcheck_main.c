/* km-evaluate selfcheck: the table of check_selfcheck() over operators. */
#include "evaluate/check.h"
#include "ops/core/cli.h"
#include "ops/core/diag.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Checks one operator and prints its line.  Is all as it should be? */
static bool selfcheck_one(const struct op *op, double most_work)
{
	struct selfcheck_counts c = { 0 };
	struct strbuf err = STRBUF_INIT;
	bool good = !check_selfcheck(op, most_work, &c, &err);

	printf("%s\t%s\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\n", op->name,
	       good ? "ok" : verdict_name(VERDICT_INVALID_REFERENCE), c.shapes, c.cheats, c.rejected, c.right, c.elsewhere);
	if (!good)
		error("%s", err.buf);
	else if (op->constant)
		printf("# explained: %s: its output does not vary: %s\n", op->name, op->constant);
	fflush(stdout);
	strbuf_release(&err);
	return good;
}

/* Operators are handed out to `jobs` processes, one at a time. */
static int selfcheck_all(const struct op *const *op, int count, int jobs, double most_work)
{
	_Atomic int *next = mmap(NULL, sizeof(*next), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int bad = 0, status;

	if (next == MAP_FAILED)
		die("cannot share memory: %s", strerror(errno));
	fflush(NULL);
	for (int j = 0; j < jobs; j++) {
		pid_t pid = fork();
		if (pid < 0)
			die("cannot start a process: %s", strerror(errno));
		if (pid)
			continue;
		for (int i; (i = (*next)++) < count;)
			bad |= !selfcheck_one(op[i], most_work);
		_exit(bad ? KM_EXIT_NO : KM_EXIT_DONE);
	}
	while (wait(&status) > 0 || errno == EINTR)
		if (!WIFEXITED(status) || WEXITSTATUS(status) != KM_EXIT_DONE)
			bad = WIFEXITED(status) && WEXITSTATUS(status) == KM_EXIT_NO && bad != KM_EXIT_FATAL ? KM_EXIT_NO : KM_EXIT_FATAL;
	munmap((void *)next, sizeof(*next));
	return bad;
}

int selfcheck_main(int argc, char **argv)
{
	static const struct cli_command command = { "selfcheck", "[OP...]", "does the checker reject the known cheats? exit 1 when not", NULL };
	const char *extra_ops = NULL;
	double most_work = 0;
	int64_t jobs = sysconf(_SC_NPROCESSORS_ONLN);
	const struct cli_option options[] = {
		{ "work", 0, CLI_REAL, &most_work, "TERMS", "also at every shape of at most so many terms [check shapes only]" },
		{ "jobs", 'j', CLI_INT, &jobs, "N", "operators at a time [processors]" },
		CLI_EXTRA_OPS(&extra_ops), CLI_END };
	int n = cli_parse(argc, argv, &command, options, 0, 4096), count = 0;
	struct strbuf err = STRBUF_INIT;
	const struct op *op, **chosen;

	if (op_load_extra(extra_ops, &err))
		return diag_report(&err, KM_EXIT_FATAL);
	for (int i = 1; i <= n; i++)
		if (!op_find(argv[i]))
			usage("unknown operator '%s': see 'km-generate ops'", argv[i]);
	for (size_t i = 0; op_at(i); i++)
		count++;
	chosen = calloc((size_t)count + 1, sizeof(*chosen));
	if (!chosen)
		die("out of memory");
	count = 0;
	for (size_t i = 0; (op = op_at(i)); i++) {
		bool is_wanted = !n;
		for (int k = 1; k <= n; k++)
			is_wanted |= op_find(argv[k]) == op;
		if (is_wanted)
			chosen[count++] = op;
	}
	puts("op\tverdict\tshapes\tcheats\trejected\tright\telsewhere");
	int code = selfcheck_all(chosen, count, jobs < 1 ? 1 : (int)jobs, most_work);
	free(chosen);
	return code;
}
