/*
 * without WORD,WORD... COMMAND...: runs it as on a machine that lacks these: clone3, pidfd,
 * landlock, seccomp and mount_setattr are system calls the kernel does not know; userns,
 * namespaces may not be made.
 */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *word, *call;
} absent[] = {
	{ "clone3", "clone3" }, { "pidfd", "pidfd_open" }, { "pidfd", "pidfd_send_signal" }, { "landlock", "landlock_create_ruleset" },
	{ "landlock", "landlock_add_rule" }, { "landlock", "landlock_restrict_self" }, { "seccomp", "seccomp" }, { "mount_setattr", "mount_setattr" },
	{ "close_range", "close_range" },
};

static int refuse_flag(scmp_filter_ctx ctx, const char *call, int flag)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), seccomp_syscall_resolve_name(call), 1, SCMP_CMP(0, SCMP_CMP_MASKED_EQ, (unsigned)flag, (unsigned)flag));
}

int main(int argc, char **argv)
{
	static const int space[] = { CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS };
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int bad = argc < 3 || !ctx;

	for (char *word = bad ? NULL : strtok(argv[1], ","); word; word = strtok(NULL, ",")) {
		for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++)
			if (!strcmp(word, absent[i].word))
				bad |= seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), seccomp_syscall_resolve_name(absent[i].call), 0);
		/* The flags of clone3() lie in memory, where a filter cannot look. */
		int first = !strcmp(word, "userns") ? 1 : !strcmp(word, "namespaces") ? 6 : 0;
		if (first)
			seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), seccomp_syscall_resolve_name("clone3"), 0);
		for (int i = 0; i < first; i++)
			bad |= refuse_flag(ctx, "clone", space[i]) || refuse_flag(ctx, "unshare", space[i]);
		/* A descriptor of a process: CLONE_PIDFD. */
		if (!strcmp(word, "pidfd"))
			bad |= seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), seccomp_syscall_resolve_name("clone3"), 0) ||
			       seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EINVAL), seccomp_syscall_resolve_name("clone"), 1, SCMP_CMP(0, SCMP_CMP_MASKED_EQ, 0x1000, 0x1000));
	}
	if (bad || seccomp_load(ctx)) {
		fprintf(stderr, "without: cannot take away '%s'\n", argc > 1 ? argv[1] : "");
		return 3;
	}
	execvp(argv[2], argv + 2);
	return 127;
}
