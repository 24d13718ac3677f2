#include "ops/core/diag.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *diag_tool = "kernelmill";

static void say(const char *kind, const char *fmt, va_list ap)
{
	fflush(stdout);
	fprintf(stderr, "%s: %s: ", diag_tool, kind);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

#define SAY(kind)                   \
	do {                        \
		va_list ap;         \
		va_start(ap, fmt);  \
		say(kind, fmt, ap); \
		va_end(ap);         \
	} while (0)

void warn(const char *fmt, ...)
{
	SAY("warning");
}

void error(const char *fmt, ...)
{
	SAY("error");
}

void die(const char *fmt, ...)
{
	SAY("fatal");
	exit(KM_EXIT_FATAL);
}

void usage(const char *fmt, ...)
{
	SAY("usage");
	exit(KM_EXIT_USAGE);
}

void bug(const char *fmt, ...)
{
	SAY("bug");
	abort();
}

int diag_report(struct strbuf *err, int code)
{
	char *rest = err->buf;

	for (char *line; err->len && (line = strsep(&rest, "\n"));)
		if (*line)
			error("%s", line);
	strbuf_release(err);
	return code;
}

int diag_finish(int code)
{
	if (fflush(stdout) || ferror(stdout)) {
		error("cannot write to standard output: %s", strerror(errno));
		return KM_EXIT_NOT_DURABLE;
	}
	return code;
}
