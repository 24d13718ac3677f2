#include "evaluate/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

/* Where groups are made: the folder of each hierarchy, found once. */
static struct {
	enum cgroup_kind kind;
	int base[CGROUP_PARTS];
	const char *why;
} machine = { .base = { -1, -1, -1 }, .why = "" };

static const char *const part_name[CGROUP_PARTS] = { "memory", "pids", "cpuacct" };

/* ---- files ----------------------------------------------------------- */

static int put(int folder, const char *name, const char *text)
{
	int fd = openat(folder, name, O_WRONLY | O_CLOEXEC), bad = fd < 0 || write(fd, text, strlen(text)) < 0, e = errno;

	if (fd >= 0)
		close(fd);
	errno = e;
	return bad ? -1 : 0;
}

static int put_number(int folder, const char *name, int64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, value);
	return put(folder, name, text);
}

/* The file's text, shortened to fit; "" when it cannot be read. */
static void get(int folder, const char *name, char *text, size_t size)
{
	int fd = folder < 0 ? -1 : openat(folder, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	while ((n = fd < 0 ? 0 : read(fd, text, size - 1)) < 0 && errno == EINTR)
		;
	text[n > 0 ? n : 0] = 0;
	if (fd >= 0)
		close(fd);
}

/* The number after `key` ("" : the file's first); 0 when absent. */
static int64_t get_number(int folder, const char *name, const char *key)
{
	char text[1024];
	size_t len = strlen(key);

	get(folder, name, text, sizeof(text));
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (!strncmp(line, key, len) && (!len || line[len] == ' '))
			return strtoll(line + len, NULL, 10);
	return 0;
}

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *s = text + strspn(text, " ,\n"); *s; s += strcspn(s, " ,\n"), s += strspn(s, " ,\n"))
		if (strcspn(s, " ,\n") == len && !memcmp(s, word, len))
			return true;
	return false;
}

/* ---- finding the hierarchies ----------------------------------------- */

/* The path of this process in the hierarchy with that controller ("": version 2). */
static bool own_path(const char *controller, char path[PATH_MAX])
{
	char line[PATH_MAX + 256];
	FILE *f = fopen("/proc/self/cgroup", "re");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		char *list = strchr(line, ':'), *at = list ? strchr(list + 1, ':') : NULL;
		if (!at)
			continue;
		*at = 0;
		at[1 + strcspn(at + 1, "\n")] = 0;
		found = *controller ? has_word(list + 1, controller) : !list[1];
		if (found)
			snprintf(path, PATH_MAX, "%s", at + 1);
	}
	if (f)
		fclose(f);
	return found;
}

/* Where that hierarchy is mounted. */
static bool mount_point(const char *controller, char path[PATH_MAX])
{
	char line[PATH_MAX * 2], where[PATH_MAX], type[64], options[1024];
	FILE *f = fopen("/proc/self/mounts", "re");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %4095s %63s %1023s", where, type, options) == 3) {
			found = *controller ? !strcmp(type, "cgroup") && has_word(options, controller) : !strcmp(type, "cgroup2");
			if (found)
				snprintf(path, PATH_MAX, "%s", where);
		}
	if (f)
		fclose(f);
	return found;
}

static int open_folder(const char *mount, const char *path)
{
	char whole[2 * PATH_MAX];

	snprintf(whole, sizeof(whole), "%s%s", mount, strcmp(path, "/") ? path : "");
	int fd = open(whole, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* In a container what is mounted may begin at our own group. */
	return fd < 0 ? open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : fd;
}

/* Groups of processes that are gone: their supervisor was killed. */
static void sweep(int base)
{
	int copy = openat(base, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	int pid, number;

	for (struct dirent *f; d && (f = readdir(d));)
		if (sscanf(f->d_name, "km-%d-%d", &pid, &number) == 2 && kill(pid, 0) && errno == ESRCH)
			unlinkat(base, f->d_name, AT_REMOVEDIR);
	if (d)
		closedir(d);
}

/* Can a group be made here, and does it have these files? */
static bool works(int base, const char *const *file)
{
	char name[32];
	int folder = -1;

	if (base < 0)
		return false;
	sweep(base);
	snprintf(name, sizeof(name), "km-%d-0", getpid());
	if (mkdirat(base, name, 0755))
		return false;
	folder = openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = folder >= 0;
	for (size_t i = 0; ok && file[i]; i++)
		ok = !faccessat(folder, file[i], W_OK, AT_EACCESS);
	if (folder >= 0)
		close(folder);
	unlinkat(base, name, AT_REMOVEDIR);
	return ok;
}

/* Version 2 hands controllers to groups below only where no process stays beside them. */
static bool may_enable(int base)
{
	char text[256];

	get(base, "cgroup.subtree_control", text, sizeof(text));
	if (has_word(text, "memory") && has_word(text, "pids"))
		return true;
	if (!put(base, "cgroup.subtree_control", "+memory +pids"))
		return true;
	/* Delegated to us alone: its processes may be moved one down. */
	if (errno != EBUSY || (geteuid() == 0 && fgetxattr(base, "user.delegate", text, sizeof(text)) < 1))
		return false;
	mkdirat(base, "km-tools", 0755);
	int tools = openat(base, "km-tools", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char procs[8192];
	get(base, "cgroup.procs", procs, sizeof(procs));
	for (char *s = procs; tools >= 0 && *s; s += strcspn(s, "\n"), s += *s == '\n')
		put_number(tools, "cgroup.procs", strtoll(s, NULL, 10));
	if (tools >= 0)
		close(tools);
	return !put(base, "cgroup.subtree_control", "+memory +pids");
}

static bool find_v2(void)
{
	static const char *const file[] = { "cgroup.procs", "memory.max", "pids.max", NULL };
	char mount[PATH_MAX], path[PATH_MAX], text[256];

	if (!mount_point("", mount) || !own_path("", path))
		return false;
	size_t len = strlen(path);
	if (len > 9 && !strcmp(path + len - 9, "/km-tools"))
		path[len - 9] = 0;
	/* Root on a machine of systemd's makes them at the top; others below what was delegated to them. */
	int top = geteuid() ? -1 : open_folder(mount, "/");
	get(top, "cgroup.subtree_control", text, sizeof(text));
	int base = has_word(text, "memory") && has_word(text, "pids") ? top : open_folder(mount, path);
	if (top >= 0 && base != top)
		close(top);
	if (base < 0)
		return false;
	get(base, "cgroup.controllers", text, sizeof(text));
	if (!has_word(text, "memory") || !has_word(text, "pids") || !may_enable(base) || !works(base, file)) {
		close(base);
		return false;
	}
	machine.base[0] = base;
	return true;
}

static bool find_v1(void)
{
	static const char *const file[CGROUP_PARTS][3] = { { "cgroup.procs", "memory.limit_in_bytes", NULL }, { "cgroup.procs", "pids.max", NULL },
							   { "cgroup.procs", "cpuacct.usage", NULL } };
	char mount[PATH_MAX], path[PATH_MAX];

	for (int i = 0; i < CGROUP_PARTS; i++) {
		for (int tries = 0; tries < 2 && machine.base[i] < 0; tries++) {
			int base = mount_point(part_name[i], mount) && own_path(part_name[i], path) ? open_folder(mount, path) : -1;
			if (works(base, file[i]))
				machine.base[i] = base;
			else if (base >= 0)
				close(base);
		}
	}
	return machine.base[0] >= 0;
}

/* Twice each: what a passing want of memory or descriptors cost is not what the machine lacks. */
static void find(void)
{
	machine.kind = find_v2() || find_v2() ? CGROUP_V2 : find_v1() ? CGROUP_V1 : CGROUP_NONE;
	if (machine.kind == CGROUP_NONE)
		machine.why = "no control group with memory and pids that this user may make groups in";
}

enum cgroup_kind cgroup_kind(const char **why)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, find);
	if (why)
		*why = machine.why;
	return machine.kind;
}

/* ---- a group --------------------------------------------------------- */

static int set_limits(const struct cgroup *g, int64_t memory_bytes, int processes)
{
	if (g->kind == CGROUP_V2) {
		put(g->folder[0], "memory.oom.group", "1");
		put(g->folder[0], "memory.swap.max", "0");
		return (memory_bytes && put_number(g->folder[0], "memory.max", memory_bytes)) ||
		       (processes && put_number(g->folder[0], "pids.max", processes)) ? -1 : 0;
	}
	if (memory_bytes && put_number(g->folder[0], "memory.limit_in_bytes", memory_bytes))
		return -1;
	if (memory_bytes)
		put_number(g->folder[0], "memory.memsw.limit_in_bytes", memory_bytes);
	return processes && g->folder[1] >= 0 ? put_number(g->folder[1], "pids.max", processes) : 0;
}

int cgroup_open(struct cgroup *g, int64_t memory_bytes, int processes, struct strbuf *err)
{
	static _Atomic unsigned count;

	*g = (struct cgroup)CGROUP_INIT;
	g->kind = cgroup_kind(NULL);
	snprintf(g->name, sizeof(g->name), "km-%d-%u", getpid(), ++count);
	for (int i = 0; i < CGROUP_PARTS; i++) {
		if (machine.base[i] < 0)
			continue;
		if (mkdirat(machine.base[i], g->name, 0755) ||
		    (g->folder[i] = openat(machine.base[i], g->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 ||
		    (g->procs[i] = openat(g->folder[i], "cgroup.procs", O_WRONLY | O_CLOEXEC)) < 0)
			goto failed;
	}
	if (g->kind == CGROUP_NONE || !set_limits(g, memory_bytes, processes))
		return 0;
failed:
	strbuf_addf(err, "cannot make the control group '%s': %s", g->name, strerror(errno));
	cgroup_close(g);
	return -1;
}

int cgroup_join(const struct cgroup *g)
{
	for (int i = 0; i < CGROUP_PARTS; i++)
		if (g->procs[i] >= 0 && write(g->procs[i], "0", 1) != 1)
			return -1;
	return 0;
}

void cgroup_kill(const struct cgroup *g)
{
	char procs[8192];

	if (g->kind == CGROUP_NONE || (g->kind == CGROUP_V2 && !put(g->folder[0], "cgroup.kill", "1")))
		return;
	get(g->folder[0], "cgroup.procs", procs, sizeof(procs));
	for (char *s = procs; *s; s += strcspn(s, "\n"), s += *s == '\n')
		kill((pid_t)strtoll(s, NULL, 10), SIGKILL);
}

void cgroup_read(const struct cgroup *g, struct cgroup_use *use)
{
	*use = (struct cgroup_use){ 0 };
	if (g->kind == CGROUP_V2) {
		use->cpu_s = (double)get_number(g->folder[0], "cpu.stat", "usage_usec") * 1e-6;
		use->memory_bytes = get_number(g->folder[0], "memory.peak", "");
		use->oom_kills = get_number(g->folder[0], "memory.events", "oom") ? get_number(g->folder[0], "memory.events", "oom_kill") : 0;
	} else if (g->kind == CGROUP_V1) {
		use->cpu_s = (double)get_number(g->folder[2], "cpuacct.usage", "") * 1e-9;
		use->memory_bytes = get_number(g->folder[0], "memory.max_usage_in_bytes", "");
		/* Failures against memsw are counted by no kernel; charges come in batches of 64 pages. */
		bool was_full = use->memory_bytes + (1 << 20) > get_number(g->folder[0], "memory.limit_in_bytes", "");
		use->oom_kills = was_full ? get_number(g->folder[0], "memory.oom_control", "oom_kill") : 0;
	}
}

void cgroup_close(struct cgroup *g)
{
	for (int i = 0; i < CGROUP_PARTS; i++) {
		if (g->procs[i] >= 0)
			close(g->procs[i]);
		if (g->folder[i] >= 0)
			close(g->folder[i]);
		/* The kernel takes a moment to forget who has just died. */
		for (int k = 0; machine.base[i] >= 0 && *g->name && unlinkat(machine.base[i], g->name, AT_REMOVEDIR) && errno == EBUSY && k < 200; k++)
			nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	}
	*g = (struct cgroup)CGROUP_INIT;
}
