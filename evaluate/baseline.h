/*
 * baseline.h: the strongest a user could have.  evaluate/baseline/<library>.c
 * exports one `const struct baseline baseline_<library>`.
 */
#ifndef EVALUATE_BASELINE_H
#define EVALUATE_BASELINE_H

#include "generate/target.h"
#include "ops/core/problem.h"

struct baseline_state; /* private */
struct baseline {
	const char *name;
	const char *summary;
	const char *artifact; /* it runs where artifacts of this kind do */
	const char *soname; /* what open() loads first, for dlopen(); NULL: nothing */
	bool is_laid_out_otherwise; /* its tensors do not lie as the operator's do: what it writes is not compared */
	const char *package; /* of Debian, that brings it; NULL: it comes with the vendor's toolkit */
	/* Has it a function for the problem?  Asked before a worker is started; NULL: open() tells. */
	bool (*serves)(const struct problem *p);
	/*
	 * Prepares the library for the problem at its best setting.  *setting: what an earlier
	 * open() wrote there, which spares it the search where it still serves, or nothing; then
	 * what it found, at most WORKER_TEXT bytes.  buf[]: the tensors, in table order.  NULL with the reason in
	 * *why_not when the library is absent or has no such operator: normal.
	 * Called in the worker process; libraries are dlopen'ed.
	 */
	struct baseline_state *(*open)(const struct problem *p, const struct target *target,
				       void *const *buf, struct strbuf *setting,
				       struct strbuf *why_not);
	/* Points it at other copies of the tensors, of equal values: timing rotates through sets.  The device's, where it has memory of its own. */
	void (*bind)(struct baseline_state *state, void *const *buf);
	int (*run)(struct baseline_state *state);
	void (*close)(struct baseline_state *state);
};
extern const struct baseline *const baseline_table[];
const struct baseline *baseline_find(const char *name);
/*
 * Is it as accurate as the operator demands, so that kernels must beat it?  Not where its name
 * ends in "_tf32": it rounds f32 factors to tf32, and is shown beside.
 */
bool baseline_is_rival(const char *name);
/* How long a library may search for its best algorithm [ns]: $KM_SEARCH_SECONDS, else 4 s. */
int64_t baseline_search_ns(void);
struct launcher_memory;
/* One call of run(state) by the device's clock [ns]; INFINITY when it fails.  For the search of a library's open(). */
double baseline_call_ns(const struct launcher_memory *device, struct baseline_state *state, int (*run)(struct baseline_state *state));

#endif
