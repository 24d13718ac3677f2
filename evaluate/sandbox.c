#include "evaluate/sandbox.h"
#include "evaluate/sandbox_inside.h"
#include "ops/core/arena.h"
#include "ops/core/defence.h"
#include "ops/core/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A range no distribution gives to people or services. */
enum { FIRST_UID = 0x4b4d0000, UIDS = 0x10000 };
enum { SAID_BYTES = 64 << 10, TICK_MS = 50, MOST_VIEWS = 32, MOST_DESCRIPTORS = 16 };

/* ---- what the machine gives ------------------------------------------ */

static const struct {
	const char *word, *gives, *fix;
} layers[SANDBOX_LAYER_COUNT] = {
#define X(name, word, gives, fix) { word, gives, fix },
#include "evaluate/sandbox.def"
#undef X
};

static struct {
	bool has[SANDBOX_LAYER_COUNT];
	const char *why[SANDBOX_LAYER_COUNT];
	struct sock_fprog filter[SANDBOX_COMPILER + 1];        /* by role */
	struct sandbox_view view[SANDBOX_COMPILER + 1][MOST_VIEWS];
	size_t view_count[SANDBOX_COMPILER + 1];
} machine;

static bool is_left_out(const char *word)
{
	const char *list = getenv("KM_SANDBOX_WITHOUT");

	for (size_t len = strlen(word); list && *(list += strspn(list, " ")); list += strcspn(list, " "))
		if (strcspn(list, " ") == len && !memcmp(list, word, len))
			return true;
	return false;
}

/* What of the system a role reads: libraries; or a toolchain, which is what a distribution keeps in /usr. */
static const char *const kernel_view[] = { "/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/etc/ld.so.cache" };
static const char *const compiler_view[] = { "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/alternatives", "/etc/ld.so.cache",
					     "/etc/ld.so.conf", "/etc/ld.so.conf.d" };

static bool is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return !strncmp(path, folder, len) && (!path[len] || path[len] == '/');
}

/* Adds what lies at path, unless a folder above it is there; not every system has all. */
static void add_view(struct sandbox_view *view, size_t *count, const char *path)
{
	char link[PATH_MAX];
	struct stat s;

	for (size_t i = 0; i < *count; i++)
		if (view[i].is_folder && is_below(path, view[i].path))
			return;
	if (*count == MOST_VIEWS || lstat(path, &s))
		return;
	ssize_t n = S_ISLNK(s.st_mode) ? readlink(path, link, sizeof(link) - 1) : 0;
	if (n < 0)
		return;
	link[n] = 0;
	view[(*count)++] = (struct sandbox_view){ path, n ? strdup(link) : NULL, S_ISDIR(s.st_mode) };
}

/* In a child of its own: 0, or errno. */
static int try_layer(enum sandbox_layer layer)
{
	switch (layer) {
	case SANDBOX_USER:
		/* As a box does it: root, which may make them where others may not, has been left behind. */
		if (!getuid() && setresuid(FIRST_UID, FIRST_UID, FIRST_UID))
			return errno;
		return unshare(CLONE_NEWUSER) ? errno : 0;
	case SANDBOX_UID:
		return getuid() ? 0 : setresuid(FIRST_UID, FIRST_UID, FIRST_UID) ? errno : 0;
	case SANDBOX_LANDLOCK: {
		int fd = ruleset_open();
		return fd < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_landlock_restrict_self, fd, 0) ? errno : 0;
	}
	case SANDBOX_SECCOMP:
		errno = EINVAL;
		return !machine.filter[SANDBOX_KERNEL].len || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || filter_install(&machine.filter[SANDBOX_KERNEL]) ? errno : 0;
	default: {
		bool one[SANDBOX_LAYER_COUNT] = { false };
		one[layer] = true;
		if (geteuid() && (!machine.has[SANDBOX_USER] || unshare(CLONE_NEWUSER)))
			return errno ? errno : EPERM;
		return unshare((int)inside_namespaces(one)) ? errno : 0;
	}
	}
}

/* One layer in a child of its own: 0, or errno. */
static int try_apart(enum sandbox_layer layer)
{
	int status = 0;

	/* A child that somebody killed tells nothing of the layer. */
	for (int tries = 0; tries < 3; tries++) {
		pid_t pid = fork();
		if (pid < 0)
			return errno;
		if (!pid)
			_exit(try_layer(layer) & 255);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			break;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

static void lose(int layer, const char *why)
{
	machine.has[layer] = false;
	machine.why[layer] = why;
}

/* Who it stays in a user namespace made with it. */
static void map_same(struct inside *in)
{
	snprintf(in->uid_map, sizeof(in->uid_map), "%u %u 1", geteuid(), geteuid());
	snprintf(in->gid_map, sizeof(in->gid_map), "%u %u 1", getegid(), getegid());
}

static int spawn(const struct inside *in, int *pidfd);

/* All layers there are, one after another as a box enters them: the one that fails, SANDBOX_LAYER_COUNT for none, -1 for the start itself. */
static int rehearse(enum sandbox_role role)
{
	const struct sandbox_start start = { .role = role };
	const struct cgroup none = CGROUP_INIT;
	struct inside in = { .start = &start, .has = machine.has, .told = -1, .program = -1, .folder = -1, .group = &none, .ruleset = -1,
			     .view = machine.view[role], .view_count = machine.view_count[role], .filter = &machine.filter[role],
			     .uid = getuid() ? 0 : FIRST_UID, .is_rehearsal = true };
	int status = 0, pidfd = -1;

	map_same(&in);
	if (machine.has[SANDBOX_LANDLOCK])
		in.ruleset = ruleset_open();
	pid_t pid = spawn(&in, &pidfd);
	if (in.ruleset >= 0)
		close(in.ruleset);
	if (pidfd >= 0)
		close(pidfd);
	if (pid < 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return SANDBOX_LAYER_COUNT;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) - 128 : -1;
	return code >= 0 && code < SANDBOX_LAYER_COUNT ? code : -1;
}

static void try_all(void)
{
	static const char *const together = "works alone, but not together with the others";

	for (size_t i = 0; i < ARRAY_SIZE(kernel_view); i++)
		add_view(machine.view[SANDBOX_KERNEL], &machine.view_count[SANDBOX_KERNEL], kernel_view[i]);
	for (size_t i = 0; i < ARRAY_SIZE(compiler_view); i++)
		add_view(machine.view[SANDBOX_COMPILER], &machine.view_count[SANDBOX_COMPILER], compiler_view[i]);
	for (int role = SANDBOX_KERNEL; role <= SANDBOX_COMPILER; role++)
		if (filter_build((enum sandbox_role)role, &machine.filter[role])) /* once more, as below */
			filter_build((enum sandbox_role)role, &machine.filter[role]);
	for (int i = 0; i < SANDBOX_LAYER_COUNT; i++) {
		const char *why = "";
		int error = 0;
		if (is_left_out(layers[i].word))
			why = "left out by KM_SANDBOX_WITHOUT";
		else if (i == SANDBOX_CGROUP)
			cgroup_kind(&why);
		/* Twice, here and below: what a passing want of memory or descriptors cost is not what the machine lacks. */
		else if (try_apart((enum sandbox_layer)i) && (error = try_apart((enum sandbox_layer)i)))
			why = strerrordesc_np(error);
		machine.has[i] = !*why;
		machine.why[i] = why;
	}
	/* What works alone and not together confines nobody: said so, instead of failing every candidate. */
	for (int role = SANDBOX_KERNEL; role <= SANDBOX_COMPILER; role++)
		for (int failed; rehearse((enum sandbox_role)role) != SANDBOX_LAYER_COUNT &&
				 (failed = rehearse((enum sandbox_role)role)) != SANDBOX_LAYER_COUNT;) {
			bool any = false;
			for (int i = 0; i < SANDBOX_CGROUP; i++)
				if (machine.has[i] && (failed < 0 || failed == i)) {
					lose(i, together);
					any = true;
				}
			if (!any)
				break;
		}
}

bool sandbox_has(enum sandbox_layer layer, const char **why)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, try_all);
	if (why)
		*why = machine.why[layer];
	return machine.has[layer];
}

const char *sandbox_word(enum sandbox_layer layer) { return layers[layer].word; }
const char *sandbox_gives(enum sandbox_layer layer) { return layers[layer].gives; }
const char *sandbox_fix(enum sandbox_layer layer) { return layers[layer].fix; }

enum sandbox_rank sandbox_rank(void)
{
	const bool *has = machine.has;
	bool all = true;

	sandbox_has(SANDBOX_UID, NULL);
	for (int i = 0; i < SANDBOX_CGROUP; i++)
		all &= has[i];
	if (all)
		return SANDBOX_NAMESPACES;
	if (has[SANDBOX_UID] && has[SANDBOX_SECCOMP] && (has[SANDBOX_LANDLOCK] || has[SANDBOX_MOUNT]))
		return SANDBOX_FLOOR;
	return has[SANDBOX_SECCOMP] || has[SANDBOX_LANDLOCK] || has[SANDBOX_MOUNT] || has[SANDBOX_PID] ? SANDBOX_PROCESS : SANDBOX_NONE;
}

void sandbox_level(struct strbuf *out)
{
	static const char *const rank[] = { [SANDBOX_NONE] = "none", [SANDBOX_PROCESS] = "process", [SANDBOX_FLOOR] = "floor", [SANDBOX_NAMESPACES] = "namespaces" };
	const char *between = " without ";

	strbuf_addstr(out, rank[sandbox_rank()]);
	for (int i = 0; i < SANDBOX_LAYER_COUNT; i++)
		if (!machine.has[i]) {
			strbuf_addf(out, "%s%s", between, layers[i].word);
			between = " ";
		}
}

void sandbox_summary(struct strbuf *out)
{
	const bool *has = machine.has;

	sandbox_has(SANDBOX_CGROUP, NULL);
	strbuf_addf(out, "limits\t%s\n",
		    !has[SANDBOX_CGROUP]
			    ? "no\tlimits: NO CGROUP. Memory is checked every 50 ms, short spikes pass. Ask for a delegated cgroup (systemd: Delegate=yes; Slurm: ConstrainRAMSpace=yes)"
		    : cgroup_kind(NULL) == CGROUP_V1 ? "yes\tlimits: cgroup v1 (per-process OOM kill; tree killed by supervisor)"
						     : "yes\tlimits: cgroup v2");
	strbuf_addf(out, "isolation\t%s\n",
		    has[SANDBOX_PID] ? "yes\tisolation: namespaces"
				     : "no\tisolation: NO NAMESPACES (sysctl user.max_user_namespaces / kernel.unprivileged_userns_clone / AppArmor). A candidate can see other processes; daemons are hunted by subreaper");
	strbuf_addf(out, "filesystem\t%s\n",
		    has[SANDBOX_LANDLOCK] && has[SANDBOX_MOUNT] ? "yes\tfilesystem: a root of its own, and Landlock"
		    : has[SANDBOX_MOUNT]                        ? "no\tfilesystem: mount namespace only (Landlock off in lsm=)"
		    : has[SANDBOX_LANDLOCK]                     ? "no\tfilesystem: Landlock only (no mount namespace)"
								: "no\tfilesystem: OPEN. A candidate reads what its user may read");
	strbuf_addf(out, "syscalls\t%s\n", has[SANDBOX_SECCOMP] ? "yes\tsyscalls: filtered" : "no\tsyscalls: UNFILTERED");
	if (sandbox_rank() == SANDBOX_NONE)
		strbuf_addstr(out, "candidates\tno\trefusing to run untrusted code\n");
}

/* ---- starting -------------------------------------------------------- */

/* The child runs inside_run(); its pid, or -1 with errno.  *pidfd: -1 where Linux is older than that. */
static int clone_here(const struct inside *in, int *pidfd)
{
	bool is_confined = in->start->role != SANDBOX_TRUSTED;
	unsigned long flags = is_confined ? inside_namespaces(in->has) : 0;
	int group = in->group->kind == CGROUP_V2 ? in->group->folder[0] : -1, fd = -1;
	struct clone_args args = { .flags = flags | CLONE_PIDFD | (group >= 0 ? CLONE_INTO_CGROUP : 0), .pidfd = (uintptr_t)&fd,
				   .exit_signal = SIGCHLD, .cgroup = group >= 0 ? (uint64_t)group : 0 };

	long pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0 && group >= 0 && errno != ENOSYS) {
		args.flags &= ~(uint64_t)CLONE_INTO_CGROUP;
		pid = syscall(SYS_clone3, &args, sizeof(args));
	}
	/* Older kernels, and containers whose filter knows no clone3(). */
	if (pid < 0 && errno == ENOSYS)
		pid = syscall(SYS_clone, flags | CLONE_PIDFD | SIGCHLD, NULL, &fd, NULL, NULL);
	if (pid < 0 && errno == EINVAL)
		pid = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
	if (!pid)
		inside_run(in);
	*pidfd = fd;
	return (int)pid;
}

/*
 * One thread starts all boxes and is there until we end: the kernel ends a box with the
 * thread that started it.
 */
static struct {
	pthread_mutex_t turn, lock;
	pthread_cond_t asked, answered;
	pid_t process;            /* whose thread it is: a child of ours after fork() has none */
	const struct inside *in;  /* to start; NULL: nothing */
	int pid, pidfd, error;
} spawner = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, NULL, 0, 0, 0 };

static void *serve_spawns(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&spawner.lock);
	for (;;) {
		while (!spawner.in)
			pthread_cond_wait(&spawner.asked, &spawner.lock);
		spawner.pid = clone_here(spawner.in, &spawner.pidfd);
		spawner.error = errno;
		spawner.in = NULL;
		pthread_cond_signal(&spawner.answered);
	}
	return NULL;
}

/* As clone_here(), in that thread. */
static int spawn(const struct inside *in, int *pidfd)
{
	pthread_t thread;
	sigset_t all, old;

	pthread_mutex_lock(&spawner.turn);
	pthread_mutex_lock(&spawner.lock);
	if (spawner.process != getpid()) {
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &old);
		int e = pthread_create(&thread, NULL, serve_spawns, NULL);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
		if (!e)
			pthread_detach(thread);
		spawner.process = e ? 0 : getpid();
		errno = e;
	}
	int pid = -1;
	if (spawner.process) {
		spawner.in = in;
		pthread_cond_signal(&spawner.asked);
		while (spawner.in)
			pthread_cond_wait(&spawner.answered, &spawner.lock);
		pid = spawner.pid;
		*pidfd = spawner.pidfd;
		errno = spawner.error;
	}
	pthread_mutex_unlock(&spawner.lock);
	pthread_mutex_unlock(&spawner.turn);
	return pid;
}

static int next_uid(void)
{
	static _Atomic unsigned count;

	/* Apart from those of other tools of ours that run at the same time. */
	return FIRST_UID + (int)(((unsigned)getpid() * 61 + count++) % UIDS);
}

/* What a box of that role finds in its environment; ends with NULL. */
static char **environment_of(struct arena *arena, const struct sandbox_start *start, const char *folder)
{
	char **list = ARENA_ARRAY(arena, char *, 10);
	enum sandbox_role role = start->role;
	const char *path = getenv("PATH");
	int n = 0;

	if (role == SANDBOX_TRUSTED)
		return environ;
	if (is_sanitized(start))
		list[n++] = arena_strdup(arena, "ASAN_OPTIONS=" SANDBOX_SANITIZER_OPTIONS);
	if (start->sanitizer) {
		list[n++] = arena_strdup(arena, "UBSAN_OPTIONS=symbolize=0");
		list[n++] = arena_printf(arena, "LD_PRELOAD=%s", start->sanitizer);
	}
	if (defence_environment())
		list[n++] = defence_environment();
	if (role == SANDBOX_KERNEL)
		return list;
	list[n++] = arena_printf(arena, "PATH=%s", path && *path ? path : "/usr/local/bin:/usr/bin:/bin");
	list[n++] = arena_printf(arena, "HOME=%s", folder);
	list[n++] = arena_printf(arena, "TMPDIR=%s", folder);
	list[n++] = arena_strdup(arena, "LC_ALL=C.UTF-8");
	/* Equal sources give equal artifacts. */
	list[n++] = arena_strdup(arena, "SOURCE_DATE_EPOCH=0");
	return list;
}

/* The program's path: as given, or found in PATH; NULL when there is none. */
static const char *find_program(struct arena *arena, const char *name)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/'))
		return access(name, X_OK) ? NULL : name;
	for (const char *s = path && *path ? path : "/usr/bin:/bin"; *s; s += strcspn(s, ":"), s += *s == ':') {
		const char *at = arena_printf(arena, "%.*s/%s", (int)strcspn(s, ":"), s, name);
		if (*s == '/' && !access(at, X_OK))
			return at;
	}
	return NULL;
}

static int pass_over(const char *path, const struct stat *s, int type, struct FTW *ftw)
{
	(void)s;
	(void)type;
	(void)ftw;
	remove(path);
	return 0;
}

static void delete_folder(const char *path)
{
	nftw(path, pass_over, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* Where a box has no root of its own its folder lies among ours. */
static int make_folder_outside(struct sandbox *box, const struct sandbox_start *start, int uid, struct strbuf *err)
{
	const char *temporary = getenv("TMPDIR");
	struct strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "%s/km-box.XXXXXX", temporary && *temporary ? temporary : "/tmp");
	if (mkdtemp(path.buf)) {
		box->path = strbuf_detach(&path);
		box->folder = open(box->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		bool is_compiler = start->role == SANDBOX_COMPILER;
		if (box->folder >= 0 && !fchmod(box->folder, 0755) && !inside_put_files(box->folder, start->file, start->file_count) &&
		    (!is_compiler || !uid || !fchown(box->folder, (uid_t)uid, (gid_t)uid)))
			return 0;
	}
	strbuf_addf(err, "cannot make a folder '%s': %s", box->path ? box->path : path.buf, strerror(errno));
	strbuf_release(&path);
	return -1;
}

/* Files it may read, by name; -1 with errno. */
static int open_ruleset(const struct inside *in)
{
	int ruleset = ruleset_open();

	for (size_t i = 0; ruleset >= 0 && i <= in->view_count; i++) {
		const char *path = i < in->view_count ? in->view[i].path : NULL;
		int fd = path ? open(path, O_PATH | O_CLOEXEC) : in->program;
		if (fd < 0 || (i < in->view_count && in->view[i].link)) {
			if (path && fd >= 0)
				close(fd);
			continue;
		}
		int bad = ruleset_allow(ruleset, fd, false), e = errno;
		if (path)
			close(fd);
		if (bad) {
			close(ruleset);
			errno = e;
			return -1;
		}
	}
	return ruleset;
}

/* Hears what the child says until it executes its program.  0, or -1 with *err. */
static int hear(struct sandbox *box, int told, const char *program, struct strbuf *err)
{
	for (;;) {
		struct told t;
		union {
			char bytes[CMSG_SPACE(sizeof(int))];
			struct cmsghdr align;
		} control;
		struct iovec io = { &t, sizeof(t) };
		struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes) };
		struct pollfd f = { told, POLLIN, 0 };
		if (poll(&f, 1, 30000) == 0) {
			strbuf_addf(err, "cannot start '%s': nothing heard of it for 30 s", program);
			return -1;
		}
		ssize_t n = recvmsg(told, &m, MSG_CMSG_CLOEXEC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(t))
			return 0;
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		if (t.what == TOLD_FOLDER && c && c->cmsg_type == SCM_RIGHTS) {
			if (box->folder >= 0)
				close(box->folder);
			memcpy(&box->folder, CMSG_DATA(c), sizeof(int));
		} else if (t.what == TOLD_PROGRAM) {
			box->pid = t.value;
		} else if (t.what == FAILED_EXEC) {
			strbuf_addf(err, "cannot run '%s': %s", program, strerror(t.value));
			return -1;
		} else {
			strbuf_addf(err, "cannot start '%s': the sandbox refused %s: %s: see 'km-evaluate doctor'", program,
				    t.what >= 0 && t.what < SANDBOX_LAYER_COUNT ? layers[t.what].word : "its set-up", strerror(t.value));
			return -1;
		}
	}
}

/* What only this function opens, and closes again. */
struct opened {
	int null, said, told[2], program, ruleset;
};

static void close_all(const struct opened *o)
{
	const int fd[] = { o->null, o->said, o->told[0], o->told[1], o->program, o->ruleset };

	for (size_t i = 0; i < ARRAY_SIZE(fd); i++)
		if (fd[i] >= 0)
			close(fd[i]);
}

static int start_box(struct arena *arena, struct sandbox *box, const struct sandbox_start *s, struct opened *o, struct strbuf *err)
{
	bool is_confined = s->role != SANDBOX_TRUSTED;
	int fd[MOST_DESCRIPTORS], pipes[2];
	struct inside in = { .start = s, .has = machine.has, .folder = -1, .ruleset = -1, .fd = fd, .group = &box->group, .filter = &machine.filter[s->role],
			     .uid = is_confined && !getuid() ? next_uid() : 0 };
	const char *program = find_program(arena, s->program);
	struct sandbox_view *view = ARENA_ARRAY(arena, struct sandbox_view, MOST_VIEWS);

	if (!program) {
		strbuf_addf(err, "cannot run '%s': %s", s->program, strerror(ENOENT));
		return -1;
	}
	memcpy(view, machine.view[s->role], sizeof(machine.view[s->role]));
	in.view = view;
	in.view_count = machine.view_count[s->role];
	for (size_t i = 0; s->readable && s->readable[i]; i++)
		add_view(view, &in.view_count, s->readable[i]);
	map_same(&in);
	/* A worker is found where its user may not look; a compiler finds its parts by its own name. */
	in.program_path = s->role == SANDBOX_KERNEL ? NULL : program;
	o->program = open(program, O_PATH | O_CLOEXEC);
	o->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	in.program = o->program;
	bool outside = is_confined ? !machine.has[SANDBOX_MOUNT] : s->file_count || s->keeps_folder;
	if (o->program < 0 || o->null < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, o->told) || pipe2(pipes, O_CLOEXEC)) {
		strbuf_addf(err, "cannot start '%s': %s", program, strerror(errno));
		return -1;
	}
	box->output = pipes[0];
	o->said = pipes[1];
	fcntl(box->output, F_SETFL, O_NONBLOCK);
	if ((outside && make_folder_outside(box, s, in.uid, err)) ||
	    (is_confined && machine.has[SANDBOX_CGROUP] && cgroup_open(&box->group, box->memory_bytes, s->processes, err)))
		return -1;
	in.folder = box->folder;
	in.environment = environment_of(arena, s, box->path ? box->path : "/tmp");
	if (is_confined && machine.has[SANDBOX_LANDLOCK] && (in.ruleset = o->ruleset = open_ruleset(&in)) < 0) {
		strbuf_addf(err, "cannot lock files away: %s", strerror(errno));
		return -1;
	}
	for (int i = 0; i < s->fd_count; i++)
		fd[i] = s->fd[i] == SANDBOX_NOWHERE ? o->null : s->fd[i] == SANDBOX_SAID ? o->said : s->fd[i];
	in.told = o->told[1];
	box->first = box->pid = spawn(&in, &box->pidfd);
	if (box->first < 0) {
		strbuf_addf(err, "cannot start '%s': %s", program, strerror(errno));
		box->first = box->pid = 0;
		return -1;
	}
	close(o->told[1]);
	close(o->said);
	o->told[1] = o->said = -1;
	return hear(box, o->told[0], program, err);
}

int sandbox_start(struct sandbox *box, const struct sandbox_start *start, struct strbuf *err)
{
	struct arena arena = ARENA_INIT;
	struct opened opened = { -1, -1, { -1, -1 }, -1, -1 };

	*box = (struct sandbox)SANDBOX_INIT;
	sandbox_has(SANDBOX_UID, NULL);
	box->role = start->role;
	box->memory_bytes = start->memory_bytes ? start->memory_bytes + (is_sanitized(start) ? INT64_C(1) << 30 : 0) : 0;
	box->cpu_limit_s = start->cpu_s;
	box->said_bytes = start->said_bytes ? start->said_bytes : SAID_BYTES;
	int bad = start_box(&arena, box, start, &opened, err);
	close_all(&opened);
	arena_release(&arena);
	if (bad)
		sandbox_release(box);
	return bad;
}

/* ---- watching -------------------------------------------------------- */

static void drain(struct sandbox *box)
{
	char block[16384];

	while (box->output >= 0) {
		ssize_t n = read(box->output, block, sizeof(block));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			close(box->output);
			box->output = -1;
			return;
		}
		size_t room = box->said_bytes - box->said.len, keep = (size_t)n < room ? (size_t)n : room;
		strbuf_add(&box->said, block, keep);
		box->dropped_bytes += n - (ssize_t)keep;
		if ((size_t)n < sizeof(block))
			return;
	}
}

/* What one process uses, from /proc/<pid>/stat; its parent, or 0. */
static pid_t read_stat(const char *pid, int64_t *rss_bytes, double *cpu_s)
{
	char path[64], text[1024];
	long parent, user, system, children_user, children_system, rss;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	const char *s = strrchr(text, ')');
	if (!s || sscanf(s + 1, " %*c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld %ld %ld %*d %*d %*d %*d %*u %*u %ld", &parent, &user, &system,
			 &children_user, &children_system, &rss) != 6)
		return 0;
	*rss_bytes = rss * sysconf(_SC_PAGESIZE);
	*cpu_s = (double)(user + system + children_user + children_system) / (double)sysconf(_SC_CLK_TCK);
	return (pid_t)parent;
}

/* The sums over a process and all that descend from it: without a control group. */
static void sum_tree(pid_t first, int64_t *rss_bytes, double *cpu_s)
{
	enum { MOST = 4096 };
	static _Thread_local struct {
		pid_t pid, parent;
		int64_t rss_bytes;
		double cpu_s;
		bool in;
	} p[MOST];
	size_t count = 0;
	DIR *d = opendir("/proc");

	for (struct dirent *f; d && count < MOST && (f = readdir(d));) {
		if (f->d_name[0] < '1' || f->d_name[0] > '9')
			continue;
		p[count].pid = atoi(f->d_name);
		p[count].parent = read_stat(f->d_name, &p[count].rss_bytes, &p[count].cpu_s);
		p[count].in = p[count].pid == first;
		count += p[count].parent || p[count].in;
	}
	if (d)
		closedir(d);
	for (bool grew = true; grew;) {
		grew = false;
		for (size_t i = 0; i < count; i++)
			for (size_t k = 0; !p[i].in && k < count; k++)
				if (p[k].in && p[i].parent == p[k].pid)
					grew = p[i].in = true;
	}
	*rss_bytes = 0;
	*cpu_s = 0;
	for (size_t i = 0; i < count; i++)
		if (p[i].in) {
			*rss_bytes += p[i].rss_bytes;
			*cpu_s += p[i].cpu_s;
		}
}

/* Has the box passed a limit that no single process's own limit sees? */
static bool is_over(struct sandbox *box)
{
	struct cgroup_use use;
	int64_t rss_bytes = 0;
	double cpu_s = 0;
	char pid[16];

	if (box->group.kind != CGROUP_NONE) {
		cgroup_read(&box->group, &use);
		box->over_memory |= use.oom_kills > 0;
		cpu_s = use.cpu_s;
	} else if (box->role == SANDBOX_COMPILER) {
		sum_tree(box->first, &rss_bytes, &cpu_s);
	} else {
		/* A kernel's box is one process, whose time the kernel itself limits. */
		snprintf(pid, sizeof(pid), "%d", box->pid);
		read_stat(pid, &rss_bytes, &cpu_s);
	}
	box->over_memory |= box->memory_bytes && rss_bytes > box->memory_bytes;
	box->over_cpu |= box->cpu_limit_s > 0 && cpu_s > box->cpu_limit_s;
	return box->over_memory || box->over_cpu;
}

static bool has_ended(const struct sandbox *box)
{
	siginfo_t info = { 0 };

	return box->first <= 0 || waitid(P_PID, (id_t)box->first, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid;
}

enum sandbox_event sandbox_watch(struct sandbox *box, int fd, int64_t deadline_ns)
{
	/* One process under a control group needs no looking after. */
	bool is_bounded = box->role == SANDBOX_TRUSTED || (box->role == SANDBOX_KERNEL && box->group.kind != CGROUP_NONE);
	int tick = box->pidfd < 0 ? 2 : is_bounded ? 1000 : TICK_MS;
	int64_t next_look_ns = clock_ns() + (int64_t)tick * 1000000;

	for (;;) {
		struct pollfd f[3] = { { fd, POLLIN, 0 }, { box->pidfd, POLLIN, 0 }, { box->output, POLLIN, 0 } };
		int64_t left = (deadline_ns - clock_ns() + 999999) / 1000000;
		/* Past the deadline one look more: who was stopped himself finds there what came in time. */
		bool is_late = left <= 0;
		int ready = poll(f, 3, is_late ? 0 : left < tick ? (int)left : tick);
		if (f[2].revents && ready > 0)
			drain(box);
		if (f[0].revents && ready > 0)
			return SANDBOX_READY;
		if ((f[1].revents && ready > 0) || (box->pidfd < 0 && has_ended(box)))
			return SANDBOX_ENDED;
		if (is_late)
			return SANDBOX_LATE;
		if (!is_bounded && clock_ns() >= next_look_ns) {
			if (is_over(box))
				return SANDBOX_OVER;
			next_look_ns = clock_ns() + (int64_t)TICK_MS * 1000000;
		}
	}
}

int64_t sandbox_waited_ns(const struct sandbox *box)
{
	char path[32], stat[300];
	long long most_ns = 0, ns;

	snprintf(path, sizeof(path), "/proc/%d/task", box->pid);
	DIR *d = box->pid > 0 ? opendir(path) : NULL;
	for (struct dirent *f; d && (f = readdir(d));) {
		snprintf(stat, sizeof(stat), "%s/%s/schedstat", path, f->d_name);
		FILE *s = f->d_name[0] == '.' ? NULL : fopen(stat, "re");
		if (s && fscanf(s, "%*s %lld", &ns) == 1 && ns > most_ns)
			most_ns = ns;
		if (s)
			fclose(s);
	}
	if (d)
		closedir(d);
	return most_ns;
}

/* ---- the end --------------------------------------------------------- */

/* Kills the program, its process group, and with the first process of a pid namespace all that is in it. */
static void kill_all(struct sandbox *box)
{
	if (box->first == box->pid) {
		kill(-box->pid, SIGKILL);
		kill(box->pid, SIGKILL);
	} else {
		kill(box->first, SIGTERM);
	}
	cgroup_kill(&box->group);
	/* A keeper hunts what is left and ends; one that does not is in our way. */
	int64_t deadline_ns = clock_ns() + INT64_C(5000000000);
	while (box->first != box->pid && !has_ended(box)) {
		if (clock_ns() > deadline_ns)
			kill(box->first, SIGKILL);
		nanosleep(&(struct timespec){ 0, 200000 }, NULL);
	}
}

void sandbox_end(struct sandbox *box, struct sandbox_end *end)
{
	struct sandbox_end unused;
	struct cgroup_use use;
	struct rusage usage = { 0 };
	int status = 0;

	if (!end)
		end = &unused;
	*end = (struct sandbox_end){ .exit_code = -1 };
	if (box->first <= 0)
		return;
	kill_all(box);
	while (wait4(box->first, &status, 0, &usage) < 0 && errno == EINTR)
		;
	box->first = box->pid = 0;
	drain(box);
	cgroup_read(&box->group, &use);
	double cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + 1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	*end = (struct sandbox_end){
		.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
		.over_memory = box->over_memory || use.oom_kills > 0,
		.over_cpu = box->over_cpu || (box->cpu_limit_s > 0 && WIFSIGNALED(status) && cpu_s >= box->cpu_limit_s - 0.05),
		.cpu_s = use.cpu_s > cpu_s ? use.cpu_s : cpu_s,
		.rss_bytes = (int64_t)usage.ru_maxrss * 1024,
		.memory_bytes = use.memory_bytes,
	};
	cgroup_close(&box->group);
}

void sandbox_release(struct sandbox *box)
{
	/* Which may close some. */
	sandbox_end(box, NULL);
	const int fd[] = { box->folder, box->pidfd, box->output };

	cgroup_close(&box->group);
	for (size_t i = 0; i < ARRAY_SIZE(fd); i++)
		if (fd[i] >= 0)
			close(fd[i]);
	if (box->path) {
		delete_folder(box->path);
		free((char *)(uintptr_t)box->path);
	}
	strbuf_release(&box->said);
	*box = (struct sandbox)SANDBOX_INIT;
}
