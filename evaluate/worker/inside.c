#include "evaluate/worker/inside.h"
#include "ops/core/defence.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct inside inside;

static void say(const struct worker_reply *r)
{
	if (write(inside.reply_fd, r, sizeof(*r)) != (ssize_t)sizeof(*r))
		_exit(1);
}

void inside_reply(enum worker_word word, int64_t ns, const char *text)
{
	struct worker_reply r = { .word = word, .ns = ns };

	snprintf(r.text, sizeof(r.text), "%s", text);
	say(&r);
}

void inside_reply_timed(int64_t ns, const struct clocks *clocks)
{
	say(&(struct worker_reply){ .word = WORKER_DONE, .ns = ns, .clocks = *clocks });
}

/* Was the fault a write? */
static bool is_write(const void *context)
{
#if defined(__x86_64__)
	return ((const ucontext_t *)context)->uc_mcontext.gregs[REG_ERR] & 2;
#else
	(void)context;
	return true;
#endif
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
	const char *at = info->si_addr;
	bool is_input = at >= inside.in && at < inside.in + inside.in_bytes, is_output = at >= inside.out && at < inside.out + inside.out_bytes;

	if (signal == SIGSEGV && inside.has_gaps && (is_output || (is_input && !is_write(context)))) {
		inside_reply(WORKER_REFUSED, is_input ? at - inside.in : -1 - (at - inside.out), is_write(context) ? "wrote" : "read");
		_exit(WORKER_EXIT_BESIDE);
	}
	if (signal == SIGSEGV && is_input)
		_exit(WORKER_EXIT_MUTATED);
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigaction(signal, &standard, NULL);
	raise(signal);
}

void inside_watch_faults(void)
{
	static char stack[65536];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	sigaltstack(&alternate, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

bool inside_map(const char *in_bytes, const char *out_bytes)
{
	inside.in_bytes = strtoll(in_bytes, NULL, 10);
	inside.out_bytes = strtoll(out_bytes, NULL, 10);
	inside.in = mmap(NULL, (size_t)inside.in_bytes, defence_stands(DEFENCE_SEALED_INPUTS) ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED, 3, 0);
	inside.out = mmap(NULL, (size_t)inside.out_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, 4, 0);
	if (inside.in == MAP_FAILED || inside.out == MAP_FAILED) {
		inside_reply(WORKER_REFUSED, 0, strerror(errno));
		return false;
	}
	close(3);
	close(4);
	madvise(inside.in, (size_t)inside.in_bytes, MADV_HUGEPAGE);
	madvise(inside.out, (size_t)inside.out_bytes, MADV_HUGEPAGE);
	return true;
}
