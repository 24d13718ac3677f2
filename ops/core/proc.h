/* proc.h: start a child without a shell, feed it, collect it. */
#ifndef OPS_CORE_PROC_H
#define OPS_CORE_PROC_H

#include "ops/core/strbuf.h"
#include <sys/types.h>

struct proc_result {
	int exit_code;       /* -1 when a signal ended it */
	int signal;          /* 0 when it exited */
	bool timed_out;
	double wall_s, cpu_s;
	int64_t max_rss_bytes;
};
struct proc_limits {
	double wall_s;          /* 0: none; the process group is killed */
	int64_t memory_bytes;   /* RLIMIT_AS; 0: none */
	int64_t file_bytes;     /* RLIMIT_FSIZE; 0: none */
	const char *temp_folder; /* TMPDIR of the child; NULL: ours */
	const char *hidden;      /* variables whose names begin so are not given to the child; NULL: all are */
	size_t output_bytes;    /* kept of stdout and of stderr each; the rest is counted and dropped; 0: 1 MiB */
};

/* An argv from words: PROC_ARGV("ls", "-l"). */
#define PROC_ARGV(...) ((char *const *)(const char *const[]){ __VA_ARGS__, NULL })

/*
 * Runs argv (argv[0] looked up in PATH; argv ends with NULL) with `input` on its
 * stdin, in its own process group.  0 with *result and the outputs appended, or
 * -1 with a line in *err when it could not be started.  out, errout may be NULL.
 */
int proc_run(char *const argv[], const char *input, const struct proc_limits *limits,
	     struct proc_result *result, struct strbuf *out, struct strbuf *errout,
	     struct strbuf *err);
/* Monotonic clock [ns], and wall clock since 1970 [ns]. */
int64_t clock_ns(void);
int64_t wall_ns(void);
/* Folder of the running executable, with no trailing slash; NULL never. */
const char *proc_self_folder(void);

#endif
