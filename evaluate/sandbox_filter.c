/* Which system calls a box may make: an allow-list for kernels, a list of refusals for compilers. */
#include "evaluate/sandbox_inside.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

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

/* What only an attack wants of either: a kernel's box ends at the first, a compiler's is refused it. */
static const char *const hostile_calls[] = {
	"connect", "bind", "listen", "accept", "accept4", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "pidfd_open", "kcmp", "bpf",
	"perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl", "add_key", "request_key", "mount",
	"umount2", "pivot_root", "chroot", "unshare", "setns", "fsopen", "fsmount", "fsconfig", "fspick", "move_mount", "open_tree", "mount_setattr",
	"personality", "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot", "swapon", "swapoff", "iopl", "ioperm", "seccomp",
	"setuid", "setgid", "setresuid", "setresgid", "setreuid", "setregid", "setfsuid", "setfsgid", "setgroups", "mknod", "mknodat", "settimeofday",
	"clock_settime", "adjtimex", "clock_adjtime", "shmget", "shmat", "msgget", "semget", "mq_open", "pidfd_send_signal", "open_by_handle_at",
	"name_to_handle_at", "quotactl", "acct", "syslog", "sethostname", "setdomainname", "lookup_dcookie", "vhangup", "nfsservctl",
};

/* What a compiler's driver does and a kernel has no business with. */
static const char *const process_calls[] = {
	"fork", "vfork", "execve", "kill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "socket", "socketpair", "sendto", "sendmsg", "memfd_create",
	"unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "symlink", "symlinkat", "link", "linkat", "truncate",
	"ftruncate", "chmod", "fchmod", "fchmodat", "chown", "fchown", "fchownat",
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
	    add_all(ctx, SCMP_ACT_KILL_PROCESS, hostile_calls, ARRAY_SIZE(hostile_calls)) ||
	    add_all(ctx, SCMP_ACT_KILL_PROCESS, process_calls, ARRAY_SIZE(process_calls)))
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
	       seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 2, SCMP_CMP(0, SCMP_CMP_EQ, PR_SET_DUMPABLE), SCMP_CMP(1, SCMP_CMP_EQ, 0)) ||
	       seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, SCMP_CMP(0, SCMP_CMP_EQ, PR_SET_VMA)) ? -1 : 0;
}

static int compiler_rules(scmp_filter_ctx ctx)
{
	if (add_all(ctx, SCMP_ACT_ERRNO(EPERM), hostile_calls, ARRAY_SIZE(hostile_calls)) ||
	    seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) ||
	    seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1, SCMP_CMP(0, SCMP_CMP_NE, AF_UNIX)))
		return -1;
	static const int space[] = { CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP };
	for (size_t i = 0; i < ARRAY_SIZE(space); i++)
		if (seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, BITS(0, (uint64_t)space[i], (uint64_t)space[i])))
			return -1;
	return 0;
}

static int export_filter(scmp_filter_ctx ctx, struct sock_fprog *filter)
{
	int fd = memfd_create("km-filter", MFD_CLOEXEC), ret = -1;

	if (fd < 0)
		return -1;
	off_t bytes = seccomp_export_bpf(ctx, fd) ? 0 : lseek(fd, 0, SEEK_END);
	struct sock_filter *code = bytes > 0 ? malloc((size_t)bytes) : NULL;
	/* The library does not notice a write cut short; a whole filter ends with a return. */
	if (code && pread(fd, code, (size_t)bytes, 0) == bytes && BPF_CLASS(code[(size_t)bytes / sizeof(*code) - 1].code) == BPF_RET) {
		*filter = (struct sock_fprog){ .len = (unsigned short)((size_t)bytes / sizeof(*code)), .filter = code };
		ret = 0;
	} else {
		free(code);
	}
	close(fd);
	return ret;
}

int filter_build(enum sandbox_role role, struct sock_fprog *filter)
{
	/* What is on no list: refused to a kernel, harmless to a compiler. */
	scmp_filter_ctx ctx = seccomp_init(role == SANDBOX_KERNEL ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW);
	int ret = -1;

	/* Calls by another processor's convention are killed by default; 2: a tree, not a list, for few steps a call. */
	if (ctx && !seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) && !(role == SANDBOX_KERNEL ? kernel_rules(ctx) : compiler_rules(ctx)))
		ret = export_filter(ctx, filter);
	seccomp_release(ctx);
	return ret;
}

int filter_install(const struct sock_fprog *filter)
{
	/* SPEC_ALLOW: older kernels slow a filtered process's loads down otherwise, and with them its kernel's times. */
	if (!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, filter))
		return 0;
	return errno == EINVAL ? (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter) : -1;
}
