#include "evaluate/sandbox_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Landlock -------------------------------------------------------- */

/* The kernel's own structure grew after Debian 12's headers: TCP since ABI 4, abstract sockets and signals since 6. */
struct ruleset {
	uint64_t files, net, scope;
};

/* All of ABI 1 (bits 0..12), then renaming across folders, truncation, device control. */
static uint64_t landlock_bits(int abi)
{
	int bits = abi >= 5 ? 16 : abi >= 3 ? 15 : abi == 2 ? 14 : 13;

	return (UINT64_C(1) << bits) - 1;
}

static int landlock_abi(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

int ruleset_open(void)
{
	int abi = landlock_abi();
	struct ruleset r = { .files = landlock_bits(abi), .net = abi >= 4 ? 3 : 0, .scope = abi >= 6 ? 3 : 0 };

	return abi < 1 ? -1 : (int)syscall(SYS_landlock_create_ruleset, &r, abi >= 6 ? 24 : abi >= 4 ? 16 : 8, 0);
}

int ruleset_allow(int ruleset, int fd, bool writes)
{
	const uint64_t of_file = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | UINT64_C(1) << 14;
	uint64_t rights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_DIR;
	struct stat s;

	if (fstat(fd, &s))
		return -1;
	if (writes)
		rights = landlock_bits(landlock_abi());
	/* A file takes fewer rights than a folder. */
	if (!S_ISDIR(s.st_mode))
		rights &= of_file & landlock_bits(landlock_abi());
	struct landlock_path_beneath_attr rule = { .allowed_access = rights, .parent_fd = fd };
	return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

/* ---- telling the parent ---------------------------------------------- */

static void tell(const struct inside *in, int what, int value)
{
	struct told t = { what, value };

	while (write(in->told, &t, sizeof(t)) < 0 && errno == EINTR)
		;
}

NORETURN static void fail(const struct inside *in, int what)
{
	int e = errno;

	if (in->is_rehearsal)
		_exit(what == FAILED_SETUP || what == FAILED_EXEC ? 255 : 128 + what);
	tell(in, what, e);
	_exit(126);
}

static int tell_folder(const struct inside *in, int fd)
{
	struct told t = { TOLD_FOLDER, 0 };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec io = { &t, sizeof(t) };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	*c = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) };
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(in->told, &m, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* ---- who ------------------------------------------------------------- */

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), bad = fd < 0 || write(fd, text, strlen(text)) < 0;

	if (fd >= 0)
		close(fd);
	return bad ? -1 : 0;
}

/* In a user namespace made with the process: the one user and group it stays. */
static int map_user(const struct inside *in)
{
	return write_file("/proc/self/setgroups", "deny") || write_file("/proc/self/uid_map", in->uid_map) ||
	       write_file("/proc/self/gid_map", in->gid_map) ? -1 : 0;
}

static int leave_root(const struct inside *in)
{
	/* The C library's own would have every thread of the parent do it too, and wait for them. */
	return syscall(SYS_setgroups, 0, NULL) || syscall(SYS_setresgid, in->uid, in->uid, in->uid) || syscall(SYS_setresuid, in->uid, in->uid, in->uid) ? -1 : 0;
}

/* ---- the root folder ------------------------------------------------- */

/* Makes the folders above the last name of path (absolute). */
static int make_parents(const char *path)
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	if (len >= sizeof(part))
		return -1;
	memcpy(part, path, len + 1);
	for (char *s = strchr(part + 1, '/'); s; s = strchr(s + 1, '/')) {
		*s = 0;
		if (mkdir(part, 0755) && errno != EEXIST)
			return -1;
		*s = '/';
	}
	return 0;
}

static int make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);

	return fd < 0 ? -1 : close(fd);
}

enum { OLD_LEN = 4 };
#define OLD "/old"

/* What lies at path in the world outside, here too. */
static int bind_one(const char *path, bool is_folder)
{
	char old[PATH_MAX + OLD_LEN] = OLD;
	size_t len = strlen(path);

	if (len >= PATH_MAX || make_parents(path))
		return -1;
	memcpy(old + OLD_LEN, path, len + 1);
	if (is_folder ? mkdir(path, 0755) && errno != EEXIST : make_file(path))
		return -1;
	return mount(old, path, "none", MS_BIND | MS_REC, NULL);
}

/* Read-only, and with it all that is bound below. */
static int make_read_only(const struct inside *in)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };

	if (!syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof(attr)))
		return 0;
	if (errno != ENOSYS)
		return -1;
	/* Before Linux 5.12: one by one, keeping what each may not lose. */
	for (size_t i = 0; i <= in->view_count; i++) {
		const char *path = i < in->view_count ? in->view[i].path : "/";
		struct statvfs v;
		if (i < in->view_count && in->view[i].link)
			continue;
		if (statvfs(path, &v) || mount("none", path, "none", MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | (v.f_flag & ST_NOEXEC ? MS_NOEXEC : 0) |
					       (v.f_flag & ST_NOATIME ? MS_NOATIME : 0) | (v.f_flag & ST_NODIRATIME ? MS_NODIRATIME : 0) |
					       (v.f_flag & ST_RELATIME ? MS_RELATIME : 0), NULL))
			return -1;
	}
	return 0;
}

/* "size=N,nr_inodes=N,mode=0755" */
static void memory_options(char *out, int64_t bytes)
{
	char digits[24], *d = digits + sizeof(digits) - 1;

	*d = 0;
	do
		*--d = (char)('0' + bytes % 10);
	while ((bytes /= 10));
	char *p = stpcpy(out, "nr_inodes=4096,mode=0755,size=");
	stpcpy(p, d);
}

int inside_put_files(int folder, const struct sandbox_file *file, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int to = openat(folder, file[i].name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
		size_t len = file[i].text ? strlen(file[i].text) : 0;
		off_t at = 0;
		int bad = to < 0;
		for (size_t done = 0; !bad && done < len;) {
			ssize_t n = write(to, file[i].text + done, len - done);
			if (n <= 0)
				bad = 1;
			else
				done += (size_t)n;
		}
		for (ssize_t n = 1; !bad && !file[i].text && n > 0;) {
			n = sendfile(to, file[i].fd, &at, 1 << 30);
			bad = n < 0;
		}
		int e = errno;
		if (to >= 0)
			close(to);
		errno = e;
		if (bad)
			return -1;
	}
	return 0;
}

/* A root of our own with the box's folder, /tmp: the folder's descriptor, or -1 with errno. */
static int make_root(const struct inside *in)
{
	const struct sandbox_start *start = in->start;
	bool is_compiler = start->role == SANDBOX_COMPILER;
	char options[80];
	int64_t bytes = 1 << 20;

	for (size_t i = 0; i < start->file_count; i++) {
		struct stat s;
		bytes += start->file[i].text ? (int64_t)strlen(start->file[i].text) : fstat(start->file[i].fd, &s) ? 0 : s.st_size;
		bytes += 8192;
	}
	memory_options(options, bytes);
	if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) || mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, options) ||
	    mkdir("/tmp" OLD, 0755) || syscall(SYS_pivot_root, "/tmp", "/tmp" OLD) || chdir("/"))
		return -1;
	for (size_t i = 0; i < in->view_count; i++) {
		const struct sandbox_view *v = &in->view[i];
		if (v->link ? make_parents(v->path) || symlink(v->link, v->path) : bind_one(v->path, v->is_folder))
			return -1;
	}
	/* Before all is read-only: names to mount at, and what a kernel reads. */
	if (mkdir("/tmp", 0755) || mkdir("/dev", 0755) || symlink("/tmp", "/dev/shm") || make_file("/dev/null") ||
	    ((is_compiler || is_sanitized(start)) && mkdir("/proc", 0555)) || (start->sees_machine && make_file("/dev/urandom")))
		return -1;
	int folder = is_compiler ? -1 : open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!is_compiler && (folder < 0 || inside_put_files(folder, start->file, start->file_count)))
		return -1;
	/* A device is none on a file system without devices: it comes after that, from a tree taken before. */
	int null = (int)syscall(SYS_open_tree, AT_FDCWD, OLD "/dev/null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	/* PyTorch seeds its generators from it; a compiler would read it without end. */
	int random = !start->sees_machine ? -1 : (int)syscall(SYS_open_tree, AT_FDCWD, OLD "/dev/urandom", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (null < 0 || (start->sees_machine && random < 0) || umount2(OLD, MNT_DETACH) || rmdir(OLD) || make_read_only(in) ||
	    syscall(SYS_move_mount, null, "", AT_FDCWD, "/dev/null", MOVE_MOUNT_F_EMPTY_PATH) ||
	    (start->sees_machine && syscall(SYS_move_mount, random, "", AT_FDCWD, "/dev/urandom", MOVE_MOUNT_F_EMPTY_PATH)))
		return -1;
	if (!is_compiler && is_sanitized(start))
		mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "subset=pid");
	if (!is_compiler)
		return folder;
	memory_options(options, start->file_bytes ? start->file_bytes : INT64_C(256) << 20);
	if (mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, options) || (in->uid && chown("/tmp", (uid_t)in->uid, (gid_t)in->uid)) ||
	    (folder = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 || inside_put_files(folder, start->file, start->file_count))
		return -1;
	/* Where it may not be mounted compilers do without. */
	if (in->has[SANDBOX_PID] && mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, start->sees_machine ? "hidepid=2" : "subset=pid,hidepid=2"))
		mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	return folder;
}

/* ---- descriptors and limits ------------------------------------------ */

enum { MOST_DESCRIPTORS = 16 };

/* The child's descriptors are those of in->fd; all else ends with exec. */
static int take_descriptors(const struct inside *in)
{
	int high[MOST_DESCRIPTORS], count = in->start->fd_count;

	/* Above all targets first, so that none is overwritten before it is moved. */
	for (int i = 0; i < count; i++)
		if ((high[i] = fcntl(in->fd[i], F_DUPFD_CLOEXEC, MOST_DESCRIPTORS)) < 0)
			return -1;
	for (int i = 0; i < count; i++)
		if (dup2(high[i], i) < 0)
			return -1;
	if (!syscall(SYS_close_range, count, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */))
		return 0;
	for (int fd = count; fd < 4096; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return 0;
}

static void limit(int resource, int64_t value)
{
	struct rlimit old, l = { (rlim_t)value, (rlim_t)value };

	if (!getrlimit(resource, &old) && old.rlim_max < l.rlim_max)
		l = (struct rlimit){ old.rlim_max, old.rlim_max };
	setrlimit(resource, &l);
}

static void set_limits(const struct inside *in)
{
	const struct sandbox_start *s = in->start;

	limit(RLIMIT_CORE, 0);
	if (s->address_bytes && !is_sanitized(s))
		limit(RLIMIT_AS, s->address_bytes);
	if (s->cpu_s)
		limit(RLIMIT_CPU, s->cpu_s);
	if (s->role == SANDBOX_TRUSTED)
		return;
	limit(RLIMIT_FSIZE, s->role == SANDBOX_KERNEL ? 0 : s->file_bytes ? s->file_bytes : INT64_MAX);
	limit(RLIMIT_NOFILE, s->role == SANDBOX_KERNEL ? 64 : 1024);
	limit(RLIMIT_STACK, s->role == SANDBOX_KERNEL ? 8 << 20 : 64 << 20);
	limit(RLIMIT_MEMLOCK, 1 << 16);
	limit(RLIMIT_MSGQUEUE, 0);
	limit(RLIMIT_NICE, 0);
	limit(RLIMIT_RTPRIO, 0);
	/* Counted over a user: only of one that is the box's own, or in a user namespace. */
	if (s->processes && ((in->uid && in->has[SANDBOX_UID]) || in->has[SANDBOX_USER]))
		limit(RLIMIT_NPROC, s->processes);
}

/* ---- without a pid namespace ----------------------------------------- */

struct entry {
	uint64_t inode, offset;
	unsigned short length;
	unsigned char type;
	char name[];
};

/* Kills every child of this process; `proc` is /proc. */
static void kill_children(int proc)
{
	_Alignas(8) char list[8192];
	pid_t self = getpid();

	lseek(proc, 0, SEEK_SET);
	for (long n; (n = syscall(SYS_getdents64, proc, list, sizeof(list))) > 0;)
		for (long at = 0; at < n; at += ((struct entry *)(list + at))->length) {
			char path[64], text[512];
			const char *name = ((struct entry *)(list + at))->name;
			pid_t pid = 0, parent = 0;
			for (const char *s = name; *s >= '0' && *s <= '9'; s++)
				pid = pid * 10 + (*s - '0');
			if (!pid || strlen(name) > 20)
				continue;
			stpcpy(stpcpy(path, name), "/stat");
			int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
			ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
			if (fd >= 0)
				close(fd);
			text[len > 0 ? len : 0] = 0;
			/* "pid (name) state parent": the name may hold anything. */
			const char *s = strrchr(text, ')');
			for (s = s && strlen(s) > 4 ? s + 4 : ""; *s >= '0' && *s <= '9'; s++)
				parent = parent * 10 + (*s - '0');
			if (parent == self)
				kill(pid, SIGKILL);
		}
}

static volatile pid_t kept; /* the keeper's program until it is reaped; 0 */

static void end_kept(int signal)
{
	(void)signal;
	if (kept > 0) {
		kill(-kept, SIGKILL);
		kill(kept, SIGKILL);
	}
}

/*
 * Between the parent and the program: orphans of the program become this process's children
 * and die with it.  Returns in the program; the keeper ends as the program ended, and ends it when told to (SIGTERM).
 */
static void keep(const struct inside *in)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY), status = 0, of_program = 0;
	const struct sigaction on_term = { .sa_handler = end_kept };

	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid < 0)
		fail(in, FAILED_SETUP);
	if (!pid) {
		if (proc >= 0)
			close(proc);
		setsid();
		return;
	}
	kept = pid;
	sigaction(SIGTERM, &on_term, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	tell(in, TOLD_PROGRAM, pid);
	if (dup2(proc, 3) < 0)
		close(3);
	syscall(SYS_close_range, 4, ~0u, 0);
	/* Seen dead before it is reaped, so that its number is nobody else's while we may signal it. */
	siginfo_t info = { 0 };
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	kill(-pid, SIGKILL);
	kept = 0;
	while (waitpid(pid, &of_program, 0) < 0 && errno == EINTR)
		;
	for (;;) {
		kill_children(3);
		pid_t got = waitpid(-1, &status, 0);
		if (got < 0 && errno == ECHILD)
			break;
	}
	if (WIFEXITED(of_program))
		_exit(WEXITSTATUS(of_program));
	limit(RLIMIT_CORE, 0);
	signal(WTERMSIG(of_program), SIG_DFL);
	kill(getpid(), WTERMSIG(of_program));
	_exit(128 + WTERMSIG(of_program));
}

/* ---- all of it ------------------------------------------------------- */

unsigned long inside_namespaces(const bool *has)
{
	static const struct {
		enum sandbox_layer layer;
		unsigned long flag;
	} space[] = { { SANDBOX_PID, CLONE_NEWPID }, { SANDBOX_MOUNT, CLONE_NEWNS }, { SANDBOX_NET, CLONE_NEWNET }, { SANDBOX_IPC, CLONE_NEWIPC },
		      { SANDBOX_UTS, CLONE_NEWUTS } };
	unsigned long flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(space); i++)
		flags |= has[space[i].layer] ? space[i].flag : 0;
	/* Root makes them as root, and leaves root behind; others own them through a user namespace. */
	return flags | (geteuid() && has[SANDBOX_USER] ? CLONE_NEWUSER : 0);
}

static void reset_signals(void)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The ruleset is the parent's; the folder is known here only. */
static int lock_files(const struct inside *in, int folder)
{
	bool is_compiler = in->start->role == SANDBOX_COMPILER;
	static const char *const written[] = { "/dev/null", "/proc", "/dev/urandom" };

	if (folder >= 0 && ruleset_allow(in->ruleset, folder, is_compiler))
		return -1;
	for (size_t i = 0; (is_compiler || is_sanitized(in->start)) && i < ARRAY_SIZE(written); i++) {
		int fd = open(written[i], O_PATH | O_CLOEXEC);
		if (fd >= 0 && (!i || in->has[SANDBOX_MOUNT]) && ruleset_allow(in->ruleset, fd, !i))
			return -1;
		if (fd >= 0)
			close(fd);
	}
	return (int)syscall(SYS_landlock_restrict_self, in->ruleset, 0);
}

void inside_run(const struct inside *in)
{
	const struct sandbox_start *s = in->start;
	bool is_confined = s->role != SANDBOX_TRUSTED;
	int folder = in->folder;

	setsid();
	reset_signals();
	if (cgroup_join(in->group))
		fail(in, SANDBOX_CGROUP);
	if (is_confined && geteuid() && in->has[SANDBOX_USER] && map_user(in))
		fail(in, SANDBOX_USER);
	if (is_confined && !in->has[SANDBOX_PID])
		keep(in);
	if (is_confined && in->has[SANDBOX_MOUNT] && (folder = make_root(in)) < 0)
		fail(in, SANDBOX_MOUNT);
	if (folder >= 0 && (fchdir(folder) || (s->keeps_folder && tell_folder(in, folder))))
		fail(in, FAILED_SETUP);
	if (take_descriptors(in))
		fail(in, FAILED_SETUP);
	set_limits(in);
	umask(022);
	if (is_confined && in->uid && in->has[SANDBOX_UID] && leave_root(in))
		fail(in, SANDBOX_UID);
	/* What is left of rights over the machine goes with a user namespace that maps nobody. */
	if (is_confined && in->uid && in->has[SANDBOX_USER] && in->has[SANDBOX_UID] && unshare(CLONE_NEWUSER))
		fail(in, SANDBOX_USER);
	/* After the change of user, which forgets it; a parent that died before has closed its end. */
	struct pollfd parent = { in->told, 0, 0 };
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (!in->is_rehearsal && poll(&parent, 1, 0) > 0)
		_exit(126);
	if (is_confined && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || (in->ruleset >= 0 && lock_files(in, folder))))
		fail(in, SANDBOX_LANDLOCK);
	if (is_confined && in->has[SANDBOX_SECCOMP] && filter_install(in->filter))
		fail(in, SANDBOX_SECCOMP);
	if (in->is_rehearsal)
		_exit(0);
	if (in->program_path)
		execve(in->program_path, s->argv, in->environment);
	else
		syscall(SYS_execveat, in->program, "", s->argv, in->environment, AT_EMPTY_PATH);
	fail(in, FAILED_EXEC);
}
