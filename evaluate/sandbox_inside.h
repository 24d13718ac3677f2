/*
 * sandbox_inside.h: the half of sandbox.c that runs in the child, between its start and
 * exec: system calls only, since another thread of the parent may have held the lock of malloc().
 */
#ifndef EVALUATE_SANDBOX_INSIDE_H
#define EVALUATE_SANDBOX_INSIDE_H

#include "evaluate/sandbox.h"
#include <linux/filter.h>

static inline bool is_sanitized(const struct sandbox_start *start)
{
	return IS_SANITIZED || start->sanitizer;
}

/* ---- system calls: sandbox_filter.c ---------------------------------- */

/* The filter of a role; 0, or -1.  installed: 0, or -1 with errno. */
int filter_build(enum sandbox_role role, struct sock_fprog *filter);
int filter_install(const struct sock_fprog *filter);

/* ---- files ----------------------------------------------------------- */

/* One thing of the root folder: what lies at that name here, bound, or made again where it is a link. */
struct sandbox_view {
	const char *path, *link; /* link: where it points; NULL: not one */
	bool is_folder;
};

/* A Landlock ruleset that handles all it can and allows nothing; -1 with errno. */
int ruleset_open(void);
/* Allows reading and executing below fd, and with `writes` all else too. */
int ruleset_allow(int ruleset, int fd, bool writes);

/* ---- the child ------------------------------------------------------- */

/* What a child tells before exec, over a socket: where it failed, or one of these. */
enum { TOLD_FOLDER = -1, TOLD_PROGRAM = -2, FAILED_SETUP = SANDBOX_LAYER_COUNT, FAILED_EXEC };
struct told {
	int32_t what, value; /* FOLDER: comes with a descriptor; PROGRAM: its pid; else errno */
};

struct inside {
	const struct sandbox_start *start;
	const bool *has;                 /* layers */
	int told;                        /* socket; its other end closes with the parent */
	int program;                     /* executed by descriptor where program_path is NULL */
	const char *program_path;
	char *const *environment;
	const int *fd;                   /* of start->fd_count, resolved */
	const struct sandbox_view *view;
	size_t view_count;
	int folder;                      /* opened by the parent where the box has no root of its own; -1 */
	const struct cgroup *group;
	int ruleset;                     /* -1: none */
	const struct sock_fprog *filter;
	int uid;                         /* to become; 0: stays who we are */
	char uid_map[64], gid_map[64];
	bool is_rehearsal;               /* ends with 0 instead of exec */
};

NORETURN void inside_run(const struct inside *in);
/* Namespaces that clone takes for those layers. */
unsigned long inside_namespaces(const bool *has);
/* Copies the files into a folder.  0, or -1 with errno. */
int inside_put_files(int folder, const struct sandbox_file *file, size_t count);

#endif
