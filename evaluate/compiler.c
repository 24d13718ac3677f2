#include "evaluate/compiler.h"
#include "evaluate/sandbox.h"
#include "ops/core/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SAID_BYTES = 16 << 10, PROCESSES = 256 };
#define FILE_BYTES (INT64_C(512) << 20)

/* What it left under that name, if that is a file: no link, pipe or device that would trick the reader. */
static int read_output(int folder, struct strbuf *made, struct strbuf *log)
{
	int fd = openat(folder, COMPILER_OUTPUT, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), ret = -1;
	struct stat s;

	if (fd < 0)
		strbuf_addf(log, "the compiler made no file: %s", strerror(errno));
	else if (fstat(fd, &s) || !S_ISREG(s.st_mode) || s.st_size > FILE_BYTES)
		strbuf_addstr(log, "what the compiler made is no file");
	else if (strbuf_read_fd(made, fd))
		strbuf_addf(log, "what the compiler made cannot be read: %s", strerror(errno));
	else
		ret = 0;
	if (fd >= 0)
		close(fd);
	return ret;
}

/* How it ended, where that was not of its own will. */
static void add_end(const struct compiler_run *run, enum sandbox_event event, const struct sandbox_end *end, struct strbuf *log)
{
	if (log->len && log->buf[log->len - 1] != '\n')
		strbuf_addch(log, '\n');
	if (event == SANDBOX_LATE)
		strbuf_addf(log, "the compiler was stopped after %.0f s", run->wall_s);
	else if (end->over_memory)
		strbuf_addf(log, "the compiler was stopped at %lld MiB of memory", (long long)run->memory_bytes >> 20);
	else if (end->over_cpu)
		strbuf_addf(log, "the compiler was stopped after %.0f s of CPU time", end->cpu_s);
	else if (end->signal == SIGXFSZ)
		strbuf_addf(log, "the compiler was stopped at a file of %lld MiB", (long long)FILE_BYTES >> 20);
	else if (end->signal)
		strbuf_addf(log, "the compiler crashed: signal %d (%s)", end->signal, strsignal(end->signal));
}

/* One try. */
static int run_once(const struct compiler_run *run, struct strbuf *made, struct strbuf *log, bool *was_killed, struct strbuf *err)
{
	char name[64];
	struct sandbox box;
	struct sandbox_end end;
	int ret = 0;

	snprintf(name, sizeof(name), COMPILER_SOURCE "%s", run->suffix);
	int64_t deadline_ns = clock_ns() + (int64_t)(run->wall_s * 1e9);
	const struct sandbox_start start = {
		.role = SANDBOX_COMPILER,
		.program = run->argv[0],
		.argv = run->argv,
		.file = &(struct sandbox_file){ .name = name, .fd = -1, .text = run->text },
		.file_count = 1,
		.fd = (const int[]){ SANDBOX_NOWHERE, SANDBOX_SAID, SANDBOX_SAID },
		.fd_count = 3,
		.keeps_folder = true,
		/* Addresses are not memory: twice as many, for where nothing else bounds it. */
		.address_bytes = 2 * run->memory_bytes,
		.memory_bytes = run->memory_bytes,
		.file_bytes = FILE_BYTES,
		.cpu_s = (int)run->wall_s + 1,
		.processes = PROCESSES,
		.said_bytes = SAID_BYTES,
	};
	if (sandbox_start(&box, &start, err))
		return -1;
	enum sandbox_event event = sandbox_watch(&box, -1, deadline_ns);
	sandbox_end(&box, &end);
	/* It, or a process of its own, as clang tells of those. */
	*was_killed = event == SANDBOX_ENDED && !end.over_memory && !end.over_cpu &&
		      (end.signal == SIGKILL || (end.exit_code && strstr(box.said.buf, "command: Killed")));
	strbuf_add(log, box.said.buf, box.said.len);
	if (box.dropped_bytes)
		strbuf_addf(log, "\n(and %lld bytes more)", (long long)box.dropped_bytes);
	if (event == SANDBOX_ENDED && !end.exit_code && !end.over_memory)
		ret = !read_output(box.folder, made, log);
	else
		add_end(run, event, &end, log);
	sandbox_release(&box);
	return ret;
}

int compiler_run(const struct compiler_run *wanted, struct strbuf *made, struct strbuf *log, struct strbuf *err)
{
	struct compiler_run run = *wanted;
	bool was_killed = true;
	int ret = 0;

	run.wall_s = run.wall_s > 0 ? run.wall_s : 120;
	run.memory_bytes = run.memory_bytes ? run.memory_bytes : INT64_C(4) << 30;
	/* Killed, and not by us: perhaps not the source's doing. */
	for (int tries = 0; tries < 3 && was_killed; tries++) {
		struct strbuf said = STRBUF_INIT;
		ret = run_once(&run, made, &said, &was_killed, err);
		if (ret < 0 || !was_killed || tries == 2)
			strbuf_add(log, said.buf, said.len);
		strbuf_release(&said);
		if (ret < 0)
			break;
	}
	return ret;
}
