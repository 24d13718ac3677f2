#include "evaluate/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- system calls ---------------------------------------------------- */

#ifndef SECCOMP_FILTER_FLAG_SPEC_ALLOW
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW 4
#endif

/* What a worker needs to start, load a kernel, keep a team of threads and answer. */
static const char *const kernel_calls[] = {
	"read", "write", "readv", "writev", "pread64", "lseek", "close", "close_range", "dup", "dup2", "dup3", "fcntl", "poll", "ppoll",
	"openat", "open", "access", "faccessat", "faccessat2", "stat", "fstat", "lstat", "newfstatat", "statx", "readlink", "readlinkat", "getcwd", "ioctl",
	"munmap", "mremap", "brk", "madvise", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "futex", "futex_waitv", "membarrier",
	"sched_yield", "sched_getaffinity", "sched_setaffinity", "getcpu", "get_mempolicy", "nanosleep", "clock_nanosleep", "clock_gettime", "clock_getres",
	"gettimeofday", "time", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall", "getpid", "gettid", "getppid", "getuid",
	"geteuid", "getgid", "getegid", "getrandom", "getrlimit", "getrusage", "sysinfo", "uname", "exit", "exit_group", "execveat", "tgkill",
};

/* What only an attack wants: the box ends at the first. */
static const char *const hostile_calls[] = {
	"fork", "vfork", "execve", "kill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal", "socket", "socketpair", "connect",
	"bind", "listen", "accept", "accept4", "sendto", "sendmsg", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "pidfd_open", "kcmp", "bpf",
	"perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl", "add_key", "request_key", "mount",
	"umount2", "pivot_root", "chroot", "unshare", "setns", "fsopen", "fsmount", "move_mount", "open_tree", "mount_setattr", "personality",
	"kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot", "swapon", "swapoff", "iopl", "ioperm", "seccomp",
	"setuid", "setgid", "setresuid", "setresgid", "setreuid", "setregid", "setgroups", "memfd_create", "shmget", "shmat", "msgget", "semget",
	"mq_open", "unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "symlink", "symlinkat", "link", "linkat", "truncate",
	"ftruncate", "chmod", "fchmod", "fchmodat", "chown", "fchown", "fchownat", "mknod", "mknodat", "settimeofday", "clock_settime", "adjtimex",
};

#define NAMESPACES (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)
#define BITS(arg, mask, value) SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, mask, value)

/* A name this libseccomp or processor does not know is no rule. */
static int add_all(scmp_filter_ctx ctx, uint32_t action, const char *const *name, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int number = seccomp_syscall_resolve_name(name[i]);
		if (number >= 0 && seccomp_rule_add(ctx, action, number, 0))
			return -1;
	}
	return 0;
}

static int kernel_rules(scmp_filter_ctx ctx)
{
	const uint64_t writable_code = PROT_WRITE | PROT_EXEC;

	if (add_all(ctx, SCMP_ACT_ALLOW, kernel_calls, ARRAY_SIZE(kernel_calls)) ||
	    add_all(ctx, SCMP_ACT_KILL_PROCESS, hostile_calls, ARRAY_SIZE(hostile_calls)))
		return -1;
	/* Threads yes, processes no; glibc falls back from clone3, whose flags a filter cannot see. */
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, BITS(0, CLONE_THREAD | NAMESPACES, CLONE_THREAD)) ||
	       seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1, BITS(0, CLONE_THREAD, 0)) ||
	       seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) ||
	       /* Memory is written or executed, and what was written stays so. */
	       seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, BITS(2, writable_code, 0)) ||
	       seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, BITS(2, writable_code, PROT_WRITE)) ||
	       seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, BITS(2, writable_code, PROT_EXEC)) ||
	       seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(mmap), 1, BITS(2, writable_code, writable_code)) ||
	       seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, BITS(2, PROT_EXEC, 0)) ||
	       seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(mprotect), 1, BITS(2, PROT_EXEC, PROT_EXEC)) ||
	       /* glibc asks for limits of its own stack. */
	       seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, SCMP_CMP(2, SCMP_CMP_EQ, 0)) ||
	       seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, SCMP_CMP(0, SCMP_CMP_EQ, PR_SET_NAME)) ||
	       seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, SCMP_CMP(0, SCMP_CMP_EQ, PR_SET_VMA));
}

static int export_filter(scmp_filter_ctx ctx, struct sock_fprog *filter)
{
	int fd = memfd_create("km-filter", MFD_CLOEXEC), ret = -1;

	if (fd < 0)
		return -1;
	off_t bytes = seccomp_export_bpf(ctx, fd) ? 0 : lseek(fd, 0, SEEK_END);
	struct sock_filter *code = bytes > 0 ? malloc((size_t)bytes) : NULL;
	if (code && pread(fd, code, (size_t)bytes, 0) == bytes) {
		*filter = (struct sock_fprog){ .len = (unsigned short)((size_t)bytes / sizeof(*code)), .filter = code };
		ret = 0;
	} else {
		free(code);
	}
	close(fd);
	return ret;
}

static int build_filter(struct sock_fprog *filter)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int ret = -1;

	/* Calls by another processor's convention are killed by default; 2: a tree, not a list, for few steps a call. */
	if (ctx && !seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) && !kernel_rules(ctx))
		ret = export_filter(ctx, filter);
	seccomp_release(ctx);
	return ret;
}

static int install_filter(const struct sock_fprog *filter)
{
	/* SPEC_ALLOW: older kernels slow a filtered process's loads down otherwise, and with them its kernel's times. */
	if (!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, filter))
		return 0;
	return errno == EINVAL ? (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter) : -1;
}

/* ---- files ----------------------------------------------------------- */

/* The kernel's own structure grew after Debian 12's headers: TCP since ABI 4, abstract sockets and signals since 6. */
struct ruleset {
	uint64_t files, net, scope;
};

/* What may be read: the libraries a worker is linked with. */
static const char *const readable[] = { "/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/ld.so.preload" };

static int allow_reading(int ruleset, int fd)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE, .parent_fd = fd };

	return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

/* A ruleset that allows reading the system's libraries and nothing else; -1 with errno. */
static int base_ruleset(void)
{
	int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	/* All of ABI 1 (bits 0..12), then renaming across folders, truncation, device control. */
	int bits = abi >= 5 ? 16 : abi >= 3 ? 15 : abi == 2 ? 14 : 13;
	struct ruleset r = { .files = (UINT64_C(1) << bits) - 1, .net = abi >= 4 ? 3 : 0, .scope = abi >= 6 ? 3 : 0 };

	if (abi < 1)
		return -1;
	int fd = (int)syscall(SYS_landlock_create_ruleset, &r, abi >= 6 ? 24 : abi >= 4 ? 16 : 8, 0);
	for (size_t i = 0; fd >= 0 && i < ARRAY_SIZE(readable); i++) {
		int at = open(readable[i], O_PATH | O_CLOEXEC);
		if (at < 0)
			continue; /* not every system has all */
		int bad = allow_reading(fd, at);
		close(at);
		/* A file takes fewer rights than a folder. */
		if (bad && errno != EINVAL) {
			close(fd);
			return -1;
		}
	}
	return fd;
}

/* ---- trying the layers ----------------------------------------------- */

static const struct {
	const char *word, *gives, *fix;
} layers[SANDBOX_LAYER_COUNT] = {
#define X(name, word, gives, fix) { word, gives, fix },
#include "evaluate/sandbox.def"
#undef X
};

static struct {
	bool has[SANDBOX_LAYER_COUNT];
	int error[SANDBOX_LAYER_COUNT];
	struct sock_fprog filter;
} machine;

static bool is_left_out(const char *word)
{
	const char *list = getenv("KM_SANDBOX_WITHOUT");

	for (size_t len = strlen(word); list && *(list += strspn(list, " ")); list += strcspn(list, " "))
		if (strcspn(list, " ") == len && !memcmp(list, word, len))
			return true;
	return false;
}

static const int namespace_of[SANDBOX_LAYER_COUNT] = { [SANDBOX_MOUNT] = CLONE_NEWNS, [SANDBOX_NET] = CLONE_NEWNET, [SANDBOX_IPC] = CLONE_NEWIPC,
							[SANDBOX_UTS] = CLONE_NEWUTS };

/* In a child of its own: 0, or errno. */
static int try(enum sandbox_layer layer)
{
	switch (layer) {
	case SANDBOX_USER:
		/* As a box does it: root, which may make them where others may not, has been left behind. */
		if (!getuid() && setresuid(SANDBOX_FIRST_UID, SANDBOX_FIRST_UID, SANDBOX_FIRST_UID))
			return errno;
		return unshare(CLONE_NEWUSER) ? errno : 0;
	case SANDBOX_UID:
		return getuid() ? 0 : setresuid(SANDBOX_FIRST_UID, SANDBOX_FIRST_UID, SANDBOX_FIRST_UID) ? errno : 0;
	case SANDBOX_LANDLOCK: {
		int fd = base_ruleset();
		return fd < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_landlock_restrict_self, fd, 0) ? errno : 0;
	}
	case SANDBOX_SECCOMP:
		return !machine.filter.len || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || install_filter(&machine.filter) ? errno ? errno : EINVAL : 0;
	default:
		if (geteuid() && unshare(CLONE_NEWUSER))
			return errno;
		return unshare(namespace_of[layer]) ? errno : 0;
	}
}

/* All layers that the machine has, one after another as a box enters them. */
static int rehearse(void)
{
	struct sandbox box = { .ruleset = -1, .program = -1, .artifact = -1, .uid = getuid() ? 0 : SANDBOX_FIRST_UID };

	if (machine.has[SANDBOX_LANDLOCK])
		box.ruleset = base_ruleset();
	errno = 0;
	return sandbox_enter(&box) || sandbox_seal(&box) ? errno ? errno : EINVAL : 0;
}

/* One layer in a child of its own; SANDBOX_LAYER_COUNT: all that there are. */
static int try_apart(enum sandbox_layer layer)
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return errno;
	if (!pid)
		_exit((layer == SANDBOX_LAYER_COUNT ? rehearse() : try(layer)) & 255);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

static void try_all(void)
{
	build_filter(&machine.filter);
	for (int i = 0; i < SANDBOX_LAYER_COUNT; i++) {
		machine.error[i] = is_left_out(layers[i].word) ? ECANCELED : try_apart((enum sandbox_layer)i);
		machine.has[i] = !machine.error[i];
	}
	/* What works alone and not together confines nobody: said so, instead of failing every candidate. */
	int error = try_apart(SANDBOX_LAYER_COUNT);
	for (int i = 0; error && i < SANDBOX_LAYER_COUNT; i++)
		if (machine.has[i]) {
			machine.has[i] = false;
			machine.error[i] = error;
		}
}

bool sandbox_has(enum sandbox_layer layer, const char **why)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, try_all);
	if (why)
		*why = machine.has[layer] ? "" : machine.error[layer] == ECANCELED ? "left out by KM_SANDBOX_WITHOUT" : strerror(machine.error[layer]);
	return machine.has[layer];
}

const char *sandbox_word(enum sandbox_layer layer) { return layers[layer].word; }
const char *sandbox_gives(enum sandbox_layer layer) { return layers[layer].gives; }
const char *sandbox_fix(enum sandbox_layer layer) { return layers[layer].fix; }

enum sandbox_rank sandbox_rank(void)
{
	int missing = 0;

	for (int i = 0; i < SANDBOX_LAYER_COUNT; i++)
		missing += !sandbox_has((enum sandbox_layer)i, NULL);
	if (!missing)
		return SANDBOX_NAMESPACES;
	return machine.has[SANDBOX_UID] && machine.has[SANDBOX_SECCOMP] && machine.has[SANDBOX_LANDLOCK] ? SANDBOX_FLOOR : SANDBOX_PROCESS;
}

void sandbox_level(struct strbuf *out)
{
	static const char *const rank[] = { [SANDBOX_PROCESS] = "process", [SANDBOX_FLOOR] = "floor", [SANDBOX_NAMESPACES] = "namespaces" };
	const char *between = " without ";

	strbuf_addstr(out, rank[sandbox_rank()]);
	for (int i = 0; i < SANDBOX_LAYER_COUNT; i++)
		if (!machine.has[i]) {
			strbuf_addf(out, "%s%s", between, layers[i].word);
			between = " ";
		}
}

/* ---- a box ----------------------------------------------------------- */

static int next_uid(void)
{
	static _Atomic int count;

	return SANDBOX_FIRST_UID + count++ % SANDBOX_UIDS;
}

int sandbox_prepare(struct sandbox *box, const char *program, const char *artifact, struct strbuf *err)
{
	*box = (struct sandbox){ .ruleset = -1, .program = -1, .artifact = -1 };
	sandbox_has(SANDBOX_SECCOMP, NULL);
	box->uid = getuid() ? 0 : next_uid();
	box->program = open(program, O_PATH | O_CLOEXEC);
	box->artifact = open(artifact, O_RDONLY | O_CLOEXEC);
	if (box->program < 0 || box->artifact < 0) {
		strbuf_addf(err, "cannot open '%s': %s", box->program < 0 ? program : artifact, strerror(errno));
		sandbox_release(box);
		return -1;
	}
	if (!machine.has[SANDBOX_LANDLOCK])
		return 0;
	box->ruleset = base_ruleset();
	if (box->ruleset < 0 || allow_reading(box->ruleset, box->program) || allow_reading(box->ruleset, box->artifact)) {
		strbuf_addf(err, "cannot lock files away: %s", strerror(errno));
		sandbox_release(box);
		return -1;
	}
	return 0;
}

int sandbox_enter(const struct sandbox *box)
{
	int flags = 0;

	for (int i = 0; i < SANDBOX_LAYER_COUNT; i++)
		flags |= machine.has[i] ? namespace_of[i] : 0;
	/* Root makes them as root, and leaves root behind; others own them through a user namespace. */
	if (box->uid ? unshare(flags) : machine.has[SANDBOX_USER] && unshare(CLONE_NEWUSER | flags))
		return -1;
	if (box->uid && machine.has[SANDBOX_UID] &&
	    (setgroups(0, NULL) || setresgid(box->uid, box->uid, box->uid) || setresuid(box->uid, box->uid, box->uid)))
		return -1;
	/* What is left of rights over the machine goes with a user namespace that maps nobody. */
	if (box->uid && machine.has[SANDBOX_USER] && machine.has[SANDBOX_UID] && unshare(CLONE_NEWUSER))
		return -1;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

int sandbox_seal(const struct sandbox *box)
{
	if (box->ruleset >= 0 && syscall(SYS_landlock_restrict_self, box->ruleset, 0))
		return -1;
	return machine.has[SANDBOX_SECCOMP] ? install_filter(&machine.filter) : 0;
}

void sandbox_release(struct sandbox *box)
{
	int fd[] = { box->ruleset, box->program, box->artifact };

	for (size_t i = 0; i < ARRAY_SIZE(fd); i++)
		if (fd[i] >= 0)
			close(fd[i]);
	*box = (struct sandbox){ .ruleset = -1, .program = -1, .artifact = -1 };
}
