#include "ops/core/progress.h"
#include "ops/core/proc.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static struct {
	const char *what;
	int64_t total, start_ns, shown_ns;
	bool is_terminal, is_shown;
} state;

void progress_start(const char *what, int64_t total)
{
	state.what = what;
	state.total = total;
	state.start_ns = state.shown_ns = clock_ns();
	state.is_terminal = isatty(2);
	state.is_shown = false;
}

void progress_update(int64_t done, const char *fmt, ...)
{
	int64_t now = clock_ns();

	if (!state.is_terminal || now - state.start_ns < 1000000000 || now - state.shown_ns < 250000000)
		return;
	state.shown_ns = now;
	state.is_shown = true;
	fprintf(stderr, "\r\033[K%s ", state.what);
	if (state.total)
		fprintf(stderr, "%lld/%lld ", (long long)done, (long long)state.total);
	va_list ap;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fflush(stderr);
}

void progress_end(void)
{
	if (state.is_shown)
		fputs("\r\033[K", stderr);
	state.is_shown = false;
}
