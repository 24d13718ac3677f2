#include "ops/core/proc.h"
#include "ops/core/diag.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_ns(void) { return read_clock(CLOCK_MONOTONIC); }
int64_t wall_ns(void) { return read_clock(CLOCK_REALTIME); }

const char *proc_self_folder(void)
{
	static char path[PATH_MAX];

	if (!path[0]) {
		ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
		if (n <= 0)
			return ".";
		path[n] = 0;
		char *slash = strrchr(path, '/');
		if (slash && slash != path)
			*slash = 0;
	}
	return path;
}

static void limit(int resource, int64_t value)
{
	if (value) {
		struct rlimit l = { (rlim_t)value, (rlim_t)value };
		setrlimit(resource, &l);
	}
}

/* Takes variables whose names begin with `prefix` out of the environment. */
static void hide(const char *prefix)
{
	size_t kept = 0;

	for (size_t i = 0; environ && environ[i]; i++)
		if (strncmp(environ[i], prefix, strlen(prefix)))
			environ[kept++] = environ[i];
	if (environ)
		environ[kept] = NULL;
}

/* Runs in the child; reports why it could not start through `report`. */
NORETURN static void start(char *const argv[], int in, int out, int errout, int report,
			   const struct proc_limits *limits, pid_t parent)
{
	sigset_t none;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(in, 0);
	dup2(out, 1);
	dup2(errout, 2);
	limit(RLIMIT_AS, limits->memory_bytes);
	limit(RLIMIT_FSIZE, limits->file_bytes);
	if (limits->temp_folder)
		setenv("TMPDIR", limits->temp_folder, 1);
	if (limits->hidden)
		hide(limits->hidden);
	execvp(argv[0], argv);
	int e = errno;
	if (write(report, &e, sizeof(e)) < 0)
		_exit(126);
	_exit(127);
}

struct stream {
	int fd;
	struct strbuf *to;
	size_t room;
};

/* Reads what is there; closes at the end of file. */
static void drain(struct stream *s)
{
	char block[16384];
	ssize_t n = read(s->fd, block, sizeof(block));

	if (n > 0 && s->to) {
		size_t keep = (size_t)n < s->room ? (size_t)n : s->room;
		strbuf_add(s->to, block, keep);
		s->room -= keep;
	}
	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
		close(s->fd);
		s->fd = -1;
	}
}

static void feed(int *fd, const char **input)
{
	ssize_t n = write(*fd, *input, strlen(*input));

	if (n > 0)
		*input += n;
	if ((n < 0 && errno != EINTR && errno != EAGAIN) || !**input) {
		close(*fd);
		*fd = -1;
	}
}

static void close_pair(int fd[2])
{
	for (int i = 0; i < 2; i++)
		if (fd[i] >= 0)
			close(fd[i]);
}

/* Moves data until all pipes are closed or the time is up; true: timed out. */
static bool pump(int in, const char *input, struct stream *out, struct stream *errout,
		 int64_t deadline_ns)
{
	bool timed_out = false;

	while (!timed_out && (out->fd >= 0 || errout->fd >= 0)) {
		struct pollfd p[3] = { { in, POLLOUT, 0 }, { out->fd, POLLIN, 0 }, { errout->fd, POLLIN, 0 } };
		int64_t left = deadline_ns ? (deadline_ns - clock_ns()) / 1000000 : 1000;
		if (deadline_ns && left <= 0)
			timed_out = true;
		else if (poll(p, 3, (int)(left < 1000 ? left : 1000)) > 0) {
			if (p[0].revents)
				feed(&in, &input);
			if (p[1].revents)
				drain(out);
			if (p[2].revents)
				drain(errout);
		}
	}
	if (in >= 0)
		close(in);
	return timed_out;
}

static void wait_child(pid_t pid, int64_t deadline_ns, struct proc_result *result)
{
	struct rusage usage = { 0 };
	int status = 0;

	for (;;) {
		pid_t got = wait4(pid, &status, deadline_ns ? WNOHANG : 0, &usage);
		if (got == pid || (got < 0 && errno != EINTR))
			break;
		if (deadline_ns && clock_ns() > deadline_ns) {
			result->timed_out = true;
			kill(-pid, SIGKILL);
			deadline_ns = 0;
		} else if (deadline_ns) {
			nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
		}
	}
	kill(-pid, SIGKILL); /* whatever it left behind */
	result->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	result->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	result->cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
			1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	result->max_rss_bytes = (int64_t)usage.ru_maxrss * 1024;
}

int proc_run(char *const argv[], const char *input, const struct proc_limits *limits,
	     struct proc_result *result, struct strbuf *out, struct strbuf *errout,
	     struct strbuf *err)
{
	static const struct proc_limits no_limits;
	int in[2] = { -1, -1 }, o[2] = { -1, -1 }, e[2] = { -1, -1 }, report[2] = { -1, -1 };
	int why = 0;
	int64_t begin_ns = clock_ns();

	if (!limits)
		limits = &no_limits;
	*result = (struct proc_result){ 0 };
	signal(SIGPIPE, SIG_IGN);
	if (pipe2(in, O_CLOEXEC) || pipe2(o, O_CLOEXEC) || pipe2(e, O_CLOEXEC) || pipe2(report, O_CLOEXEC)) {
		strbuf_addf(err, "cannot run '%s': %s", argv[0], strerror(errno));
		goto fail;
	}
	pid_t parent = getpid(), pid = fork();
	if (pid < 0) {
		strbuf_addf(err, "cannot run '%s': %s", argv[0], strerror(errno));
		goto fail;
	}
	if (!pid)
		start(argv, in[0], o[1], e[1], report[1], limits, parent);
	setpgid(pid, pid);
	close(in[0]);
	close(o[1]);
	close(e[1]);
	close(report[1]);
	fcntl(in[1], F_SETFL, O_NONBLOCK);
	size_t room = limits->output_bytes ? limits->output_bytes : 1 << 20;
	struct stream so = { o[0], out, room }, se = { e[0], errout, room };
	int64_t deadline_ns = limits->wall_s > 0 ? begin_ns + (int64_t)(limits->wall_s * 1e9) : 0;
	if (!input || !*input) {
		close(in[1]);
		in[1] = -1;
	}
	result->timed_out = pump(in[1], input, &so, &se, deadline_ns);
	if (result->timed_out)
		kill(-pid, SIGKILL);
	if (so.fd >= 0)
		close(so.fd);
	if (se.fd >= 0)
		close(se.fd);
	wait_child(pid, result->timed_out ? 0 : deadline_ns, result);
	result->wall_s = (double)(clock_ns() - begin_ns) * 1e-9;
	ssize_t got = read(report[0], &why, sizeof(why));
	close(report[0]);
	if (got == (ssize_t)sizeof(why)) {
		strbuf_addf(err, "cannot run '%s': %s", argv[0], strerror(why));
		return -1;
	}
	return 0;
fail:
	close_pair(in);
	close_pair(o);
	close_pair(e);
	close_pair(report);
	return -1;
}
