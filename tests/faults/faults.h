/*
 * faults.h: what the fault batteries share.  Each is a program or script
 *   NAME [small|large|COUNT]
 * that prints one line, TSV: name, count, bad, seconds; what was bad goes to
 * stderr.  Exit 0 when none was.
 */
#ifndef TESTS_FAULTS_H
#define TESTS_FAULTS_H

#include "evaluate/journal.h"
#include "evaluate/trace.h"
#include "ops/core/proc.h"
#include "ops/core/rng.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int64_t fault_start_ns;
static int fault_bad;
static FILE *fault_out; /* the real stderr: the journal's warnings of torn frames are expected, by the thousand */

/* How many of what is counted: `small` in make check, `large` in make check-trust. */
static inline int64_t faults_begin(int argc, char **argv, int64_t small, int64_t large)
{
	fault_start_ns = clock_ns();
	fault_out = fdopen(dup(2), "w");
	if (!fault_out || !freopen("/dev/null", "w", stderr))
		exit(3);
	if (argc < 2 || !strcmp(argv[1], "small"))
		return small;
	return !strcmp(argv[1], "large") ? large : strtoll(argv[1], NULL, 10);
}

__attribute__((format(printf, 1, 2), unused)) static void bad(const char *fmt, ...)
{
	va_list ap;

	if (++fault_bad > 20)
		return;
	va_start(ap, fmt);
	vfprintf(fault_out, fmt, ap);
	va_end(ap);
	fputc('\n', fault_out);
	fflush(fault_out);
}

static inline int faults_end(const char *name, int64_t count)
{
	printf("%s\t%" PRId64 "\t%d\t%.1f\n", name, count, fault_bad, (double)(clock_ns() - fault_start_ns) * 1e-9);
	return fault_bad > 0;
}

/* A small generator: batteries are repeated by their seed. */
static uint64_t fault_seed = 1;
static inline uint32_t draw(uint32_t below)
{
	fault_seed ^= fault_seed << 13;
	fault_seed ^= fault_seed >> 7;
	fault_seed ^= fault_seed << 17;
	return (uint32_t)((fault_seed >> 24) % below);
}

/*
 * A numbered record whose content depends on `salt`, and its check: what a reader
 * gets must be one that was written under that number.
 */
static inline struct record numbered(int64_t number, int64_t salt, char text[64])
{
	snprintf(text, 64, "%016" PRIx64, (uint64_t)number * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)salt * UINT64_C(0x2545f4914f6cdd1d));
	return (struct record){ .kind = RECORD_STOP, .stop = { .problem = text, .reason = text, .evaluations = number, .elapsed_s = (double)salt } };
}

static inline bool is_numbered(const struct record *record, int64_t number, int64_t salt)
{
	char text[64];

	numbered(number, salt, text);
	return record->kind == RECORD_STOP && record->stop.evaluations == number && record->stop.elapsed_s == (double)salt &&
	       !strcmp(record->stop.reason, text) && !strcmp(record->stop.problem, text);
}

/* Reads numbered records and compares them with salt[]: how many agree from the first on. */
struct reading {
	const int64_t *salt;
	int64_t count, most;
	bool is_wrong;
};

__attribute__((unused)) static int compare_numbered(const struct record *record, void *user)
{
	struct reading *r = user;

	if (r->count >= r->most || !is_numbered(record, r->count, r->salt[r->count])) {
		r->is_wrong = true;
		return 1;
	}
	r->count++;
	return 0;
}

#endif
