/*
 * clocks.h: how fast a device ran while it was timed, as its driver's library says.
 * That library, NVML, is loaded on use; where it is missing nothing is known.
 */
#ifndef EVALUATE_CLOCKS_H
#define EVALUATE_CLOCKS_H

#include <stdbool.h>
#include <stdint.h>

/* One look, all zero when nothing is known. */
struct clocks {
	int32_t sm_mhz;    /* clock of the multiprocessors */
	int32_t power_mw;  /* drawn by the board */
	uint64_t reasons;  /* bits of NVML's clocks event reasons: why it is no faster */
};

/* Looks at the first device, at most every some milliseconds: a look costs the host a part of one.  Otherwise *c is zeroed. */
void clocks_look(struct clocks *c);

/* What many looks gave.  Zero-initialised. */
struct clocks_seen {
	int looks;
	double sm_mhz;      /* the sum of all */
	int32_t least_mhz;
	int32_t most_power_mw;
	uint64_t reasons;   /* of all */
};
void clocks_keep(struct clocks_seen *seen, const struct clocks *c);
/* Why it was slowed down, in words: "power cap, heat"; "" when it was not. */
const char *clocks_reasons(uint64_t reasons);

#endif
