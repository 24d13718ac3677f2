/*
 * Boxes: what is in one can do less than bubblewrap lets it, dies to the last process, is
 * counted as a whole and leaves nothing.  Run with a word, this program is the one inside.
 */
#include "evaluate/sandbox.h"
#include "ops/core/proc.h"
#include "tests/tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char self[4200];
static int closed_in_vain;

/* Takes libc's place: who closes a number twice closes some other thread's descriptor. */
int close(int fd)
{
	int ret = (int)syscall(SYS_close, fd);

	closed_in_vain += ret && fd >= 0 && errno == EBADF;
	return ret;
}

/* ---- inside ---------------------------------------------------------- */

static int reads(const char *path)
{
	char byte;
	int fd = open(path, O_RDONLY | O_NONBLOCK);

	return fd >= 0 && (read(fd, &byte, 1) == 1 || errno == EISDIR);
}

static int writes(const char *path) { return open(path, O_WRONLY | O_CREAT, 0600) >= 0; }

static int sees_others(void)
{
	for (int pid = 300; pid < 40000; pid++)
		if (!kill(pid, 0) || errno == EPERM)
			return 1;
	return 0;
}

/* Attempts that a confined process fails at; one line each that works. */
static int probe(void)
{
	struct {
		const char *what;
		int works;
	} attempt[] = {
		{ "reads /etc/shadow", reads("/etc/shadow") },
		{ "reads /etc/passwd", reads("/etc/passwd") },
		{ "reads /root", reads("/root") },
		{ "reads /home", reads("/home") },
		{ "reads /proc/1/environ of init", reads("/proc/1/environ") && getpid() > 2 && reads("/proc/300/environ") },
		{ "reads /sys", reads("/sys/kernel/mm") },
		{ "reads /var/log", reads("/var/log") },
		{ "reads the disk", reads("/dev/vda") || reads("/dev/sda") },
		{ "writes /usr", writes("/usr/km-probe") },
		{ "writes /etc", writes("/etc/km-probe") },
		{ "writes /", writes("/km-probe") },
		{ "writes /var/tmp", writes("/var/tmp/km-probe") },
		{ "sees other processes", sees_others() },
		{ "sets the clock", !clock_settime(CLOCK_REALTIME, &(struct timespec){ 0, 0 }) },
		{ "sets the host's name", !sethostname("probe", 5) },
		{ "loads a module", syscall(SYS_init_module, "", 0, "") == 0 || errno == ENOEXEC },
		{ "reboots", syscall(SYS_reboot, 0, 0, 0, 0) == 0 || errno == EINVAL },
		{ "becomes root", !setuid(0) || !getuid() },
		{ "mounts on /usr", !mount("tmpfs", "/usr", "tmpfs", 0, "") },
		{ "makes a device", !mknod("/tmp/km-probe-device", S_IFBLK | 0600, 0xfe00) },
		{ "has rights over its own world", syscall(SYS_mount, NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL) == 0 },
	};
	/* Each of these ends a kernel's box: asked for by name, one a run. */
	for (size_t i = 0; i < ARRAY_SIZE(attempt); i++)
		if (attempt[i].works)
			printf("%s\n", attempt[i].what);
	puts("done");
	return 0;
}

static int burn(double seconds)
{
	struct timespec t;

	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	while ((double)t.tv_sec + 1e-9 * (double)t.tv_nsec < seconds);
	return 0;
}

static int inside(const char *word)
{
	if (!strcmp(word, "probe"))
		return probe();
	if (!strcmp(word, "burn")) { /* three at a time, each below any limit of its own */
		for (int i = 0; i < 2; i++)
			if (!fork())
				return burn(0.4);
		burn(0.4);
		while (wait(NULL) > 0)
			;
		return 0;
	}
	if (!strcmp(word, "burn-long")) {
		for (int i = 0; i < 3; i++)
			if (!fork())
				return burn(60);
		return burn(60);
	}
	if (!strcmp(word, "child-bomb")) { /* the child is killed for its memory, the parent goes on */
		if (!fork())
			for (;;)
				memset(malloc(8 << 20), 1, 8 << 20);
		wait(NULL);
		sleep(100);
		return 0;
	}
	if (!strcmp(word, "orphans")) {
		for (int i = 0; i < 5; i++)
			if (!fork()) {
				setsid();
				if (!fork())
					sleep(1000);
				_exit(0);
			}
		/* The grandchildren become the first process's own. */
		for (int i = 0; i < 5; i++)
			wait(NULL);
		return 3;
	}
	if (!strcmp(word, "litter")) { /* whatever a box can leave, and no end of its own will */
		for (int i = 0; i < 3; i++)
			if (!fork()) {
				setsid();
				sleep(1000);
			}
		for (int i = 0; i < 200; i++) {
			char name[64];
			snprintf(name, sizeof(name), "/tmp/km-litter.%d", i);
			if (open(name, O_WRONLY | O_CREAT, 0600) < 0)
				return 1;
		}
		open("/dev/shm/km-litter", O_WRONLY | O_CREAT, 0600);
		puts("words");
		return 4;
	}
	if (!strcmp(word, "shm"))
		return open("/dev/shm/km-test-left", O_WRONLY | O_CREAT, 0600) < 0 || open("/tmp/km-test-left", O_WRONLY | O_CREAT, 0600) < 0;
	if (!strcmp(word, "null"))
		return open("/dev/null", O_WRONLY) < 0 || open("/dev/null", O_RDONLY) < 0;
	if (!strcmp(word, "kill-group"))
		return kill(0, SIGKILL);
	if (!strcmp(word, "kill-all"))
		return kill(-1, SIGKILL) ? 0 : 0;
	if (!strcmp(word, "environment"))
		return getenv("KM_TEST_SECRET") || getenv("LD_PRELOAD_TEST") ? 9 : 0;
	if (!strcmp(word, "limits")) {
		struct rlimit l;
		return getrlimit(RLIMIT_CORE, &l) || l.rlim_max || getrlimit(RLIMIT_NOFILE, &l) || l.rlim_max > 1024 || getrlimit(RLIMIT_MEMLOCK, &l) ||
		       l.rlim_max > 1 << 16 || getrlimit(RLIMIT_NPROC, &l) || l.rlim_max > 256;
	}
	if (!strcmp(word, "descriptors")) {
		int count = 0;
		for (int fd = 0; fd < 1024; fd++)
			count += fcntl(fd, F_GETFD) >= 0;
		return count;
	}
	if (!strcmp(word, "flood"))
		for (;;)
			puts("words words words words words words words words words words words words");
	if (!strcmp(word, "uid"))
		return getuid() == 0 || geteuid() == 0;
	sleep(1000);
	return 0;
}

/* ---- outside --------------------------------------------------------- */

struct ran {
	struct sandbox_end end;
	enum sandbox_event event;
	char said[8192];
	int64_t dropped_bytes;
};

/* This program with that word in a box. */
static int run(enum sandbox_role role, const char *word, double wall_s, struct ran *r)
{
	struct strbuf err = STRBUF_INIT;
	struct sandbox box;
	int me = open(self, O_RDONLY | O_CLOEXEC);
	char script[128];

	snprintf(script, sizeof(script), "cp me run && chmod +x run && exec ./run %s", word);
	const struct sandbox_start start = {
		.role = role, .program = role == SANDBOX_COMPILER ? "/bin/sh" : self,
		.argv = role == SANDBOX_COMPILER ? PROC_ARGV("sh", "-c", script) : PROC_ARGV("me", word),
		.file = &(struct sandbox_file){ .name = "me", .fd = me }, .file_count = role == SANDBOX_COMPILER,
		.fd = (const int[]){ SANDBOX_NOWHERE, SANDBOX_SAID, SANDBOX_SAID }, .fd_count = 3,
		.memory_bytes = INT64_C(256) << 20, .file_bytes = INT64_C(64) << 20, .cpu_s = 2, .processes = 64,
	};
	memset(r, 0, sizeof(*r));
	int bad = me < 0 || sandbox_start(&box, &start, &err);
	if (me >= 0)
		close(me);
	if (bad) {
		printf("# %s\n", err.buf);
		strbuf_release(&err);
		return -1;
	}
	r->event = sandbox_watch(&box, -1, clock_ns() + (int64_t)(wall_s * 1e9));
	sandbox_end(&box, &r->end);
	snprintf(r->said, sizeof(r->said), "%s", box.said.buf);
	r->dropped_bytes = box.dropped_bytes;
	sandbox_release(&box);
	return 0;
}

/* Its exit code; -2 when it did not end by itself. */
static int code_of(enum sandbox_role role, const char *word)
{
	struct ran r;

	return run(role, word, 10, &r) || r.event != SANDBOX_ENDED || r.end.signal ? -2 : r.end.exit_code;
}

static int count_of(const char *folder)
{
	DIR *d = opendir(folder);
	int count = 0;

	while (d && readdir(d))
		count++;
	if (d)
		closedir(d);
	return count;
}

static int count_lines(const char *file)
{
	FILE *f = fopen(file, "re");
	int count = 0;

	for (int c; f && (c = getc(f)) != EOF;)
		count += c == '\n';
	if (f)
		fclose(f);
	return count;
}

/* Processes that run this program with that word. */
static int count_running(const char *word)
{
	DIR *d = opendir("/proc");
	char path[300], text[512];
	int count = 0;

	for (struct dirent *f; d && (f = readdir(d));) {
		snprintf(path, sizeof(path), "/proc/%.20s/cmdline", f->d_name);
		int fd = f->d_name[0] > '0' && f->d_name[0] <= '9' ? open(path, O_RDONLY | O_CLOEXEC) : -1;
		ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
		if (fd >= 0)
			close(fd);
		text[n > 0 ? n : 0] = 0;
		size_t first = strlen(text) + 1;
		count += n > (ssize_t)first && !strcmp(text + first, word);
	}
	if (d)
		closedir(d);
	return count;
}

static void test_small(enum sandbox_role role, const char *name)
{
	struct ran r;

	ok(code_of(role, "environment") == 0, "%s: the environment is not ours", name);
	ok(code_of(role, "descriptors") == 3, "%s: three descriptors given, three open", name);
	ok(!sandbox_has(SANDBOX_UID, NULL) || code_of(role, "uid") == 0, "%s: not root", name);
	ok(code_of(role, "limits") == 0, "%s: no core, few files, processes and locked memory", name);
	ok(!run(role, "kill-group", 5, &r), "%s: kill(0) does not reach us", name);
	ok(!run(role, "kill-all", 5, &r), "%s: nor does kill(-1)", name);
	bool started = !run(role, "flood", 1, &r);
	ok(started && r.event != SANDBOX_ENDED && r.dropped_bytes > 1 << 20, "%s: of a flood of words %lld bytes are dropped", name,
	   (long long)r.dropped_bytes);
	started = !run(role, "wait", 0.2, &r);
	ok(started && r.event == SANDBOX_LATE && r.end.signal == SIGKILL, "%s: ends at its time", name);
}

static void test_tree(void)
{
	struct ran r;

	ok(code_of(SANDBOX_COMPILER, "null") == 0, "/dev/null is a device that works");
	bool started = !run(SANDBOX_COMPILER, "burn", 10, &r);
	ok(started && r.event == SANDBOX_ENDED && r.end.cpu_s >= 1.1 && r.end.cpu_s < 2,
	   "CPU time is summed over the tree: %.2f s of 3 x 0.4", r.end.cpu_s);
	started = !run(SANDBOX_COMPILER, "burn-long", 20, &r);
	ok(started && r.event == SANDBOX_OVER && r.end.over_cpu && r.end.cpu_s < 4,
	   "four that each stay below a limit of 2 s do not together: stopped at %.2f s", r.end.cpu_s);
	started = !run(SANDBOX_COMPILER, "child-bomb", 20, &r);
	ok(started && r.event == SANDBOX_OVER && r.end.over_memory,
	   "a child that takes all memory ends the whole box: peak %lld MiB", (long long)r.end.memory_bytes >> 20);
	started = !run(SANDBOX_COMPILER, "orphans", 10, &r);
	ok(started && r.event == SANDBOX_ENDED && r.end.exit_code == 3 && count_running("orphans") == 0,
	   "daemons die with the program that left them (event %d, code %d, signal %d, %d running)", (int)r.event, r.end.exit_code, r.end.signal, count_running("orphans"));
	ok(code_of(SANDBOX_COMPILER, "shm") == 0 && access("/dev/shm/km-test-left", F_OK) && access("/tmp/km-test-left", F_OK),
	   "shared memory and temporary files are the box's own");
	ok(code_of(SANDBOX_KERNEL, "shm") != 0, "and a kernel has none at all");
}

/* AddressSanitizer reserves terabytes of addresses: where memory is bounded, addresses need not be.  (Its search for leaks traces, which no box allows.) */
static void test_addresses(void)
{
	static const char script[] = "echo 'int main(int n, char **v) { char *p = __builtin_malloc(n + 8); p[n] = 1; return p[n] + !v - 1; }' >a.c &&\n"
				     "gcc -fsanitize=address -o a a.c && ASAN_OPTIONS=detect_leaks=0 ./a";
	const struct sandbox_start start = { .role = SANDBOX_COMPILER, .program = "/bin/sh", .argv = PROC_ARGV("sh", "-c", script),
		.fd = (const int[]){ SANDBOX_NOWHERE, SANDBOX_SAID, SANDBOX_SAID }, .fd_count = 3,
		.memory_bytes = INT64_C(512) << 20, .file_bytes = INT64_C(64) << 20, .cpu_s = 20, .processes = 64 };
	struct strbuf err = STRBUF_INIT;
	struct sandbox box;
	struct sandbox_end end = { .exit_code = -1 };

	if (!sandbox_start(&box, &start, &err)) {
		sandbox_watch(&box, -1, clock_ns() + INT64_C(30000000000));
		sandbox_end(&box, &end);
	}
	ok(end.exit_code == 0, "a program with AddressSanitizer runs under a limit of memory %s%s", err.buf, box.said.buf);
	sandbox_release(&box);
	strbuf_release(&err);
}

/* What bubblewrap denies is denied here, to a compiler and more so to a kernel. */
static void test_oracle(void)
{
	struct strbuf oracle = STRBUF_INIT, err = STRBUF_INIT;
	struct proc_result result;
	struct ran r;

	if (proc_run(PROC_ARGV("bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL", "--ro-bind",
			       "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--ro-bind", "/etc/ld.so.cache", "/etc/ld.so.cache",
			       "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--ro-bind", self, "/probe", "/probe", "probe"),
		     NULL, NULL, &result, &oracle, NULL, &err) || result.exit_code || !strstr(oracle.buf, "done\n")) {
		skip(2, "bubblewrap does not run here");
	} else {
		for (int role = SANDBOX_KERNEL; role <= SANDBOX_COMPILER; role++) {
			bool inside_it = !run((enum sandbox_role)role, "probe", 10, &r);
			/* A kernel's box ends at the first system call of an attack: that is denial, too. */
			bool ended = role == SANDBOX_KERNEL && r.end.signal == SIGSYS;
			inside_it &= ended || strstr(r.said, "done\n");
			for (char *line = strtok(r.said, "\n"); line; line = strtok(NULL, "\n"))
				if (!strstr(oracle.buf, line)) {
					printf("# allowed, and not by bubblewrap: %s\n", line);
					inside_it = false;
				}
			ok(inside_it, "%s: whatever bubblewrap denies is denied%s", role == SANDBOX_KERNEL ? "a kernel" : "a compiler", ended ? " (by the end of its box)" : "");
		}
	}
	strbuf_release(&oracle);
	strbuf_release(&err);
}

static struct sandbox shared;

static void *start_shared(void *err)
{
	const struct sandbox_start start = { .role = SANDBOX_KERNEL, .program = self, .argv = PROC_ARGV("me", "of-a-thread"), .processes = 8 };

	sandbox_start(&shared, &start, err);
	return NULL;
}

/* The kernel ends a box with us, however we end; not with a thread of ours. */
static void test_parents(void)
{
	struct strbuf err = STRBUF_INIT;
	pthread_t thread;

	pthread_create(&thread, NULL, start_shared, &err);
	pthread_join(thread, NULL);
	ok(sandbox_watch(&shared, -1, clock_ns() + 300000000) == SANDBOX_LATE, "a box outlives the thread that asked for it %s", err.buf);
	sandbox_release(&shared);
	pid_t supervisor = fork();
	if (!supervisor) {
		const struct sandbox_start start = { .role = SANDBOX_COMPILER, .program = "/bin/sleep", .argv = PROC_ARGV("sleep", "98765.25"), .processes = 8 };
		struct sandbox box;
		if (sandbox_start(&box, &start, &err))
			_exit(1);
		for (;;)
			pause();
	}
	for (int i = 0; i < 500 && !count_running("98765.25"); i++)
		nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
	bool ran = count_running("98765.25") == 1;
	kill(supervisor, SIGKILL);
	waitpid(supervisor, NULL, 0);
	for (int i = 0; i < 500 && count_running("98765.25"); i++)
		nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
	ok(ran && !count_running("98765.25"), "a box dies with a supervisor that is killed");
	strbuf_release(&err);
}

/* A supervisor that was stopped looks too late at what came in time. */
static void test_stopped(void)
{
	struct strbuf err = STRBUF_INIT;
	const struct sandbox_start start = { .role = SANDBOX_KERNEL, .program = self, .argv = PROC_ARGV("me", "uid"), .processes = 8 };
	struct sandbox box;
	int words[2];

	if (!ok(!pipe(words) && write(words[1], "x", 1) == 1 && !sandbox_start(&box, &start, &err), "a box starts %s", err.buf))
		return;
	ok(sandbox_watch(&box, words[0], 1) == SANDBOX_READY, "after the deadline what was said before it is heard");
	for (int i = 0; i < 1000 && kill(box.first, 0) == 0 && sandbox_watch(&box, -1, clock_ns() + 10000000) == SANDBOX_LATE; i++)
		;
	ok(sandbox_watch(&box, -1, 1) == SANDBOX_ENDED, "and an end is an end");
	sandbox_release(&box);
	close(words[0]);
	close(words[1]);
	closed_in_vain = 0;
	bool all = true;
	for (int i = 0; i < 4; i++) {
		all = all && !sandbox_start(&box, &start, &err);
		sandbox_release(&box);
	}
	ok(all && !closed_in_vain, "boxes that are released before their end have nothing closed twice (%d)", closed_in_vain);
	strbuf_release(&err);
}

static void test_leaks(void)
{
	int fds = count_of("/proc/self/fd"), mounts = count_lines("/proc/self/mounts"), files = count_of("/tmp"), shm = count_of("/dev/shm");
	struct ran r;
	bool all = true;

	for (int i = 0; i < 20; i++)
		all &= !run(i & 1 ? SANDBOX_KERNEL : SANDBOX_COMPILER, i & 1 ? "environment" : "orphans", 10, &r);
	ok(all && count_of("/proc/self/fd") == fds && count_lines("/proc/self/mounts") == mounts && count_of("/dev/shm") == shm && waitpid(-1, NULL, WNOHANG) < 0,
	   "20 boxes leave no descriptor, mount, shared memory or process (%d files more in /tmp, of anybody)", count_of("/tmp") - files);
}

static int64_t own_rss_bytes(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f || fscanf(f, "%*d %ld", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

/* For tests/trust/boxes.sh: `runs` boxes; tells how many ended as they should not, and what this process keeps of them. */
static int campaign(int runs)
{
	static const struct {
		const char *word;
		enum sandbox_role role;
		int share, code; /* of 20; exit code, or -1: ended by us */
		double wall_s;
	} kind[] = {
		{ "environment", SANDBOX_KERNEL, 10, 0, 10 }, { "environment", SANDBOX_COMPILER, 4, 0, 10 }, { "litter", SANDBOX_COMPILER, 3, 4, 10 },
		{ "wait", SANDBOX_KERNEL, 1, -1, 0.002 }, { "flood", SANDBOX_COMPILER, 1, -1, 0.02 }, { "orphans", SANDBOX_COMPILER, 1, 3, 10 },
	};
	int wrong = 0, fds = 0;
	int64_t rss_bytes = 0;
	struct ran r;

	for (int i = -20; i < runs; i++) {
		size_t k = 0;
		/* What is allocated once is no leak. */
		if (!i) {
			fds = count_of("/proc/self/fd");
			rss_bytes = own_rss_bytes();
		}
		for (int at = (i + 20) * 7 % 20; at >= kind[k].share; k++)
			at -= kind[k].share;
		bool bad = run(kind[k].role, kind[k].word, kind[k].wall_s, &r) ||
			   (kind[k].code < 0 ? r.event != SANDBOX_LATE : r.event != SANDBOX_ENDED || r.end.exit_code != kind[k].code);
		if (bad && i >= 0)
			printf("# %s: event %d, code %d, signal %d: %.80s\n", kind[k].word, (int)r.event, r.end.exit_code, r.end.signal, r.said);
		wrong += bad && i >= 0;
	}
	int64_t grown = own_rss_bytes() - rss_bytes;
	printf("boxes\t%d\nwrong ends\t%d\ndescriptors\t%d\nchildren\t%d\nKiB grown beyond 1 a 1000 boxes\t%d\n", runs, wrong, count_of("/proc/self/fd") - fds,
	       waitpid(-1, NULL, WNOHANG) >= 0, grown > (256 << 10) + runs ? (int)(grown >> 10) : 0);
	return 0;
}

int main(int argc, char **argv)
{
	bool is_campaign = argc > 2 && !strcmp(argv[1], "campaign");

	if (argc > 1 && !is_campaign)
		return inside(argv[1]);
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return 1;
	if (is_campaign)
		return campaign(atoi(argv[2]));
	setenv("KM_TEST_SECRET", "secret", 1);
	test_small(SANDBOX_KERNEL, "kernel");
	test_small(SANDBOX_COMPILER, "compiler");
	test_tree();
	test_addresses();
	if (sandbox_rank() == SANDBOX_NAMESPACES)
		test_oracle();
	else
		skip(2, "bubblewrap needs namespaces, and so does the comparison");
	test_parents();
	test_stopped();
	test_leaks();
	return done_testing();
}
