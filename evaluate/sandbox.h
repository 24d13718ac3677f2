/*
 * sandbox.h: a box: a program and all it starts, which may do anything and harms nothing.
 *
 * A box has a pid, user, mount, net, ipc and uts namespace, a root folder with nothing
 * but what it needs (read-only) and a folder of its own, a user id of its own where we are root,
 * limits, a control group, Landlock and a system-call filter.  Each layer is tried once
 * a process; a machine that lacks some runs at a lower level and says so
 * (sandbox_level()).  A layer the machine has is never left out silently: if it fails,
 * the start fails.  KM_SANDBOX_WITHOUT="word ..." leaves out layers of sandbox.def.
 *
 *	struct sandbox box;
 *	if (sandbox_start(&box, &start, err)) return -1;      the machine failed, or has no such program
 *	while (sandbox_watch(&box, fd, deadline_ns) == SANDBOX_READY) ...
 *	sandbox_end(&box, &end);                              all of it is dead now
 *	... read what it left: openat(box.folder, ..., O_NOFOLLOW) ...
 *	sandbox_release(&box);
 *
 * Different threads may have boxes at the same time.  A box ends with this process, whatever ends it.
 */
#ifndef EVALUATE_SANDBOX_H
#define EVALUATE_SANDBOX_H

#include "evaluate/cgroup.h"
#include <sys/types.h>

/* ---- what the machine gives ------------------------------------------ */

enum sandbox_layer {
#define X(name, word, gives, fix) SANDBOX_##name,
#include "evaluate/sandbox.def"
#undef X
	SANDBOX_LAYER_COUNT
};

/* Does this machine give that layer?  why (may be NULL): what refused it, or "". */
bool sandbox_has(enum sandbox_layer layer, const char **why);
const char *sandbox_word(enum sandbox_layer layer);
const char *sandbox_gives(enum sandbox_layer layer);
const char *sandbox_fix(enum sandbox_layer layer);
/*
 * "namespaces": all that confines; "floor": not root, seccomp, and Landlock or a root folder of
 * its own; "process": less; "none": nothing at all.  The control group bounds, and does not confine.
 */
enum sandbox_rank { SANDBOX_NONE, SANDBOX_PROCESS, SANDBOX_FLOOR, SANDBOX_NAMESPACES };
enum sandbox_rank sandbox_rank(void);
/* "namespaces", or "floor without uts-namespace ...": what a trace says. */
void sandbox_level(struct strbuf *out);
/* What is lost, and how to get it back: a line each of limits, isolation, filesystem and syscalls, as "word\tyes|no\ttext". */
void sandbox_summary(struct strbuf *out);

/* ---- a box ----------------------------------------------------------- */

/*
 * TRUSTED: our own code: a session and limits, no confinement.  KERNEL: loads a kernel; writes
 * no file, starts no process.  COMPILER: starts programs, writes in its own folder.
 */
enum sandbox_role { SANDBOX_TRUSTED, SANDBOX_KERNEL, SANDBOX_COMPILER };

enum { SANDBOX_NOWHERE = -1, SANDBOX_SAID = -2 }; /* instead of a descriptor: /dev/null; what it writes is kept in box.said */

/* A file put into the box's folder before it starts. */
struct sandbox_file {
	const char *name;
	int fd;            /* copied from its beginning; or -1: */
	const char *text;
};

/* What a sanitizers' runtime is told, in the environment and by km-worker itself, which a box may keep from reading the former. */
#define SANDBOX_SANITIZER_OPTIONS "detect_leaks=0:disable_coredump=0:symbolize=0:detect_stack_use_after_return=1"

struct sandbox_start {
	enum sandbox_role role;
	const char *program;              /* path, or a name looked up in PATH */
	char *const *argv;                /* ends with NULL; its working folder is the box's folder: use "./name" */
	const struct sandbox_file *file;
	size_t file_count;
	const int *fd;                    /* becomes 0..fd_count-1; nothing else stays open */
	int fd_count;
	const char *const *readable;      /* folders or files beyond the system's own, by their own names; ends with NULL; or NULL */
	bool sees_machine;                /* COMPILER: all of /proc: what the processor is, among others; and /dev/urandom */
	const char *sanitizer;            /* KERNEL: the sanitizers' runtime, loaded before all other libraries; NULL: none */
	bool keeps_folder;                /* box.folder stays for sandbox_release() */
	/* Limits; 0: none. */
	int64_t address_bytes;            /* of each process */
	int64_t memory_bytes;             /* of all together; checked every 50 ms where there is no control group */
	int64_t file_bytes;               /* of each file and of the box's folder; KERNEL: no file at all */
	int cpu_s;                        /* of all together */
	int processes;                    /* and threads, of all together */
	size_t said_bytes;                /* kept of what it says, the rest is counted; 0: 64 KiB */
};

struct sandbox {
	pid_t pid;          /* the program's, for signals and affinity; 0: none, or ended */
	int folder;         /* -1: none */
	struct strbuf said;
	int64_t dropped_bytes;
	/* ---- of sandbox.c ---- */
	enum sandbox_role role;
	pid_t first;        /* our child: the program, or who keeps it */
	int pidfd, output;
	struct cgroup group;
	const char *path;   /* the folder by name, where the box has no root of its own */
	int64_t memory_bytes;
	double cpu_limit_s;
	size_t said_bytes;
	bool over_memory, over_cpu;
};
#define SANDBOX_INIT { .folder = -1, .said = STRBUF_INIT, .pidfd = -1, .output = -1, .group = CGROUP_INIT }

/* Returns when the program runs.  0, or -1 with *err; then nothing is left. */
int sandbox_start(struct sandbox *box, const struct sandbox_start *start, struct strbuf *err);

/* READY: fd can be read (or its other end is closed); ENDED: the program has; LATE: the deadline [clock_ns()] has passed; OVER: a limit was reached. */
enum sandbox_event { SANDBOX_READY, SANDBOX_ENDED, SANDBOX_LATE, SANDBOX_OVER };
/* Waits for one of these, keeping what the box says.  fd -1: none. */
enum sandbox_event sandbox_watch(struct sandbox *box, int fd, int64_t deadline_ns);
/*
 * How long the program could have run since it started, and others had the processor [ns]: of its threads the one that
 * waited most.  0 where the kernel does not say (CONFIG_SCHED_INFO), or when it has ended.
 */
int64_t sandbox_waited_ns(const struct sandbox *box);

struct sandbox_end {
	int exit_code;        /* -1 when a signal ended it */
	int signal;           /* 0 when it exited */
	bool over_memory;     /* the kernel or we ended a process of it for its memory */
	bool over_cpu;
	double cpu_s;         /* of the whole tree */
	int64_t rss_bytes;    /* the most one process had */
	int64_t memory_bytes; /* the most all had; 0: not known */
};
/* Kills what still runs, all of it, and waits for its end; *end may be NULL. */
void sandbox_end(struct sandbox *box, struct sandbox_end *end);
/* Ends it if it runs; its folder is gone. */
void sandbox_release(struct sandbox *box);

#endif
