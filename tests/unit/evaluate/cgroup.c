/*
 * Control groups: those of this machine bound memory, processes and CPU time for real; and what version 2 is asked for on
 * machines that have it, on folders that stand in for its file system.  There mkdirat() brings a group's files, as the
 * kernel does, and controllers are refused to groups that hold processes.
 */
#include "evaluate/cgroup.h"
#include "ops/core/proc.h"
#include "tests/tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- a stand-in for version 2 ---------------------------------------- */

static char root[64];              /* "": this machine's own */
static char mounts[256], own[128]; /* what /proc tells */
static bool is_root, is_delegated;

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode)
{
	if (*root && !strcmp(path, "/proc/self/mounts"))
		return fmemopen(mounts, strlen(mounts), "r");
	if (*root && !strcmp(path, "/proc/self/cgroup"))
		return fmemopen(own, strlen(own), "r");
	return __real_fopen(path, mode);
}

uid_t __real_geteuid(void);
uid_t __wrap_geteuid(void);
uid_t __wrap_geteuid(void)
{
	return !*root ? __real_geteuid() : is_root ? 0 : 1000;
}

ssize_t __real_fgetxattr(int fd, const char *name, void *value, size_t size);
ssize_t __wrap_fgetxattr(int fd, const char *name, void *value, size_t size);
ssize_t __wrap_fgetxattr(int fd, const char *name, void *value, size_t size)
{
	if (!*root)
		return __real_fgetxattr(fd, name, value, size);
	return is_delegated ? 1 : -1;
}

static void put_text(int folder, const char *name, const char *text)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		exit(3);
	close(fd);
}

static void get_text(int folder, const char *name, char text[256])
{
	int fd = openat(folder, name, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, 255);

	text[n > 0 ? n : 0] = 0;
	if (fd >= 0)
		close(fd);
}

/* A group's files, as the kernel makes them. */
static void fill_group(int folder, const char *controllers, const char *enabled)
{
	static const char *const empty[] = { "cgroup.procs", "cgroup.kill", "memory.max", "memory.swap.max", "memory.oom.group", "pids.max" };

	for (size_t i = 0; i < ARRAY_SIZE(empty); i++)
		put_text(folder, empty[i], "");
	put_text(folder, "cgroup.controllers", controllers);
	put_text(folder, "cgroup.subtree_control", enabled);
}

int __real_mkdirat(int folder, const char *name, mode_t mode);
int __wrap_mkdirat(int folder, const char *name, mode_t mode);
int __wrap_mkdirat(int folder, const char *name, mode_t mode)
{
	char enabled[256];
	int ret = __real_mkdirat(folder, name, mode), fd = *root && !ret ? openat(folder, name, O_RDONLY | O_DIRECTORY) : -1;

	if (fd >= 0) {
		get_text(folder, "cgroup.subtree_control", enabled);
		/* Without controllers handed down there are no limits to set. */
		if (strstr(enabled, "memory"))
			fill_group(fd, "memory pids\n", "");
		else
			put_text(fd, "cgroup.procs", "");
		close(fd);
	}
	return ret;
}

static void remove_files(int folder)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);

	for (struct dirent *f; d && (f = readdir(d));)
		unlinkat(folder, f->d_name, 0);
	if (d)
		closedir(d);
}

int __real_unlinkat(int folder, const char *name, int flags);
int __wrap_unlinkat(int folder, const char *name, int flags);
int __wrap_unlinkat(int folder, const char *name, int flags)
{
	int fd = *root && (flags & AT_REMOVEDIR) ? openat(folder, name, O_RDONLY | O_DIRECTORY) : -1;

	if (fd >= 0) {
		remove_files(fd);
		close(fd);
	}
	return __real_unlinkat(folder, name, flags);
}

/* What a descriptor is open on, below root; "" otherwise. */
static const char *name_of(int fd, char path[128])
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, 127);
	path[n > 0 ? n : 0] = 0;
	return n > 0 && !strncmp(path, root, strlen(root)) ? path + strlen(root) : "";
}

ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size)
{
	char path[128], beside[160], procs[256];
	const char *name = *root ? name_of(fd, path) : "";
	size_t length = strlen(name);

	if (length > 23 && !strcmp(name + length - 23, "/cgroup.subtree_control") && size && *(const char *)data == '+') {
		snprintf(beside, sizeof(beside), "%.*s/cgroup.procs", (int)(strlen(path) - 23), path);
		get_text(AT_FDCWD, beside, procs);
		if (*procs) {
			errno = EBUSY;
			return -1;
		}
		return __real_write(fd, "memory pids\n", 12) == 12 ? (ssize_t)size : -1;
	}
	/* Who joins one group leaves the other. */
	if (length > 22 && !strcmp(name + length - 22, "/km-tools/cgroup.procs")) {
		snprintf(beside, sizeof(beside), "%.*s/cgroup.procs", (int)(strlen(path) - 22), path);
		put_text(AT_FDCWD, beside, "");
	}
	return __real_write(fd, data, size);
}

/* One machine: this process's group there, what the top and its own group hand down, and who is in it. */
struct machine {
	const char *what, *path, *top_enabled, *own_controllers, *own_enabled, *own_procs;
	bool is_root, is_delegated, is_container;
	enum cgroup_kind wanted;
	const char *base; /* where groups must come to lie */
};

static int open_at(const char *below)
{
	char path[200];

	snprintf(path, sizeof(path), "%s%s", root, below);
	return open(path, O_RDONLY | O_DIRECTORY);
}

/* In a process of its own: what a machine gives is found once. */
static int on_machine(const struct machine *m)
{
	struct cgroup group = CGROUP_INIT;
	struct cgroup_use use;
	struct strbuf err = STRBUF_INIT;
	char text[256];
	int bad = 0;

	snprintf(root, sizeof(root), "/tmp/km-cgroup.XXXXXX");
	if (!mkdtemp(root))
		return 3;
	char kept[64];
	memcpy(kept, root, sizeof(kept));
	*root = 0; /* the set-up goes past what stands in */
	int top = open(kept, O_RDONLY | O_DIRECTORY), folder = top;
	if (*m->path && !m->is_container) {
		mkdirat(top, m->path + 1, 0755);
		folder = openat(top, m->path + 1, O_RDONLY | O_DIRECTORY);
	}
	fill_group(top, "cpu memory pids\n", m->top_enabled);
	fill_group(folder, m->own_controllers, m->own_enabled);
	put_text(folder, "cgroup.procs", m->own_procs);
	/* A supervisor that is gone left a group; that of one that lives stays. */
	const char *const stale = "km-4194303-7";
	char lives[32];
	snprintf(lives, sizeof(lives), "km-%d-7", getppid());
	memcpy(root, kept, sizeof(kept));
	snprintf(mounts, sizeof(mounts), "tmpfs /tmp tmpfs rw 0 0\nnone %s cgroup2 rw,nosuid 0 0\n", root);
	snprintf(own, sizeof(own), "4:hugetlb:/x\n0::%s\n", *m->path ? m->path : "/");
	is_root = m->is_root;
	is_delegated = m->is_delegated;
	int base = open_at(m->base);
	mkdirat(base, stale, 0755);
	mkdirat(base, lives, 0755);

	if (cgroup_kind(NULL) != m->wanted)
		bad |= 1;
	if (m->wanted == CGROUP_V2) {
		bad |= !faccessat(base, stale, F_OK, 0) || faccessat(base, lives, F_OK, 0) ? 2 : 0;
		bad |= cgroup_open(&group, INT64_C(64) << 20, 8, &err) || group.kind != CGROUP_V2 || faccessat(base, group.name, F_OK, 0) ? 4 : 0;
	}
	if (m->wanted == CGROUP_V2 && !bad) {
		const char *const set[][2] = { { "memory.max", "67108864" }, { "memory.swap.max", "0" }, { "memory.oom.group", "1" }, { "pids.max", "8" } };
		for (size_t i = 0; i < ARRAY_SIZE(set); i++) {
			get_text(group.folder[0], set[i][0], text);
			bad |= strcmp(text, set[i][1]) ? 8 : 0;
		}
		bad |= cgroup_join(&group) ? 16 : 0;
		cgroup_kill(&group);
		get_text(group.folder[0], "cgroup.kill", text);
		bad |= strcmp(text, "1") ? 32 : 0;
		put_text(group.folder[0], "cpu.stat", "usage_usec 1500000\nuser_usec 1000000\n");
		put_text(group.folder[0], "memory.peak", "4096\n");
		put_text(group.folder[0], "memory.events", "low 0\noom 3\noom_kill 2\noom_group_kill 1\n");
		cgroup_read(&group, &use);
		bad |= use.cpu_s != 1.5 || use.memory_bytes != 4096 || use.oom_kills != 2 ? 64 : 0;
		/* Killed where the machine ran out, not the group. */
		put_text(group.folder[0], "memory.events", "low 0\noom 0\noom_kill 2\n");
		cgroup_read(&group, &use);
		bad |= use.oom_kills ? 64 : 0;
		char name[32];
		memcpy(name, group.name, sizeof(name));
		cgroup_close(&group);
		bad |= !faccessat(base, name, F_OK, 0) ? 128 : 0;
	}
	proc_run(PROC_ARGV("rm", "-rf", kept), NULL, NULL, &(struct proc_result){ 0 }, NULL, NULL, &err);
	return bad;
}

static void test_version_2(void)
{
	static const struct machine machine[] = {
		{ .what = "root where the top hands controllers down", .path = "/session", .top_enabled = "memory pids\n", .own_controllers = "memory pids\n", .own_enabled = "",
		  .own_procs = "1\n", .is_root = true, .wanted = CGROUP_V2, .base = "" },
		{ .what = "a user's own group, empty", .path = "/user", .top_enabled = "memory pids\n", .own_controllers = "memory pids\n", .own_enabled = "", .own_procs = "",
		  .is_delegated = true, .wanted = CGROUP_V2, .base = "/user" },
		{ .what = "a user's own group with this process in it, which moves one down", .path = "/user", .top_enabled = "memory pids\n", .own_controllers = "memory pids\n",
		  .own_enabled = "", .own_procs = "77\n", .is_delegated = true, .wanted = CGROUP_V2, .base = "/user" },
		{ .what = "a container, whose mount begins at its own group", .path = "/docker-1234", .top_enabled = "memory pids\n", .own_controllers = "memory pids\n",
		  .own_enabled = "memory pids\n", .own_procs = "", .is_container = true, .wanted = CGROUP_V2, .base = "" },
		{ .what = "root beside other processes, with nothing delegated: none is moved", .path = "/session", .top_enabled = "", .own_controllers = "memory pids\n",
		  .own_enabled = "", .own_procs = "1\n", .is_root = true, .wanted = CGROUP_NONE, .base = "/session" },
		{ .what = "hugetlb alone", .path = "", .top_enabled = "", .own_controllers = "hugetlb\n", .own_enabled = "", .own_procs = "", .is_root = true, .wanted = CGROUP_NONE,
		  .base = "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(machine); i++) {
		int status = 0;
		fflush(stdout);
		pid_t pid = fork();
		if (!pid)
			_exit(on_machine(&machine[i]));
		waitpid(pid, &status, 0);
		ok(pid > 0 && WIFEXITED(status) && !WEXITSTATUS(status), "version 2, %s: %s (%d)", machine[i].what,
		   machine[i].wanted == CGROUP_V2 ? "groups are made, bounded, read, killed and removed" : "is not taken", WEXITSTATUS(status));
	}
}

/* ---- this machine's own ---------------------------------------------- */

/* A child in a new group runs work(); its status, what the group counted, and what it had to say. */
static int in_group(int64_t memory_bytes, int processes, int (*work)(void), struct cgroup_use *use)
{
	struct cgroup group;
	struct strbuf err = STRBUF_INIT;
	int status = -1;

	if (cgroup_open(&group, memory_bytes, processes, &err)) {
		printf("# %s\n", err.buf);
		return -1;
	}
	fflush(stdout);
	pid_t pid = fork();
	if (!pid)
		_exit(cgroup_join(&group) ? 99 : work());
	waitpid(pid, &status, 0);
	cgroup_kill(&group);
	cgroup_read(&group, use);
	cgroup_close(&group);
	return status;
}

static int take_memory(void)
{
	for (int i = 0; i < 256; i++) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p != MAP_FAILED)
			memset(p, 1, 1 << 20);
	}
	return 0;
}

/* How many children there can be at a time; they stay. */
static int bomb(void)
{
	int count = 0;

	while (count < 90) {
		pid_t pid = fork();
		if (!pid) {
			pause();
			_exit(0);
		}
		if (pid < 0)
			break;
		count++;
	}
	return count;
}

static int burn(void)
{
	struct timespec t;

	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	while (t.tv_sec == 0 && t.tv_nsec < 200000000);
	return 0;
}

static void test_own(void)
{
	struct cgroup_use use;

	int status = in_group(INT64_C(32) << 20, 0, take_memory, &use);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && use.oom_kills > 0, "a process that takes more memory than its group may have is killed (status %d, %" PRId64 " kills)",
	   status, use.oom_kills);
	ok(use.memory_bytes > INT64_C(16) << 20 && use.memory_bytes <= INT64_C(32) << 20, "the most the group had: %" PRId64 " of 32 MiB", use.memory_bytes >> 20);
	status = in_group(0, 9, bomb, &use);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 8, "a fork bomb ends at the group's processes: %d children of 8", WEXITSTATUS(status));
	status = in_group(0, 0, burn, &use);
	ok(WIFEXITED(status) && use.cpu_s > 0.15 && use.cpu_s < 2, "CPU time is counted: %.2f s of 0.2", use.cpu_s);
}

int main(void)
{
	const char *why;

	/* First: what this machine gives is found once, and known to all children. */
	test_version_2();
	enum cgroup_kind kind = cgroup_kind(&why);
	printf("# control groups here: %s\n", kind == CGROUP_V2 ? "version 2" : kind == CGROUP_V1 ? "version 1" : why);
	if (kind == CGROUP_NONE)
		skip(4, "this machine gives no control group");
	else
		test_own();
	return done_testing();
}
