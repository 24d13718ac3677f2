/* inside.h: what every part of km-worker shares: the two memories, the replies, faults. */
#ifndef EVALUATE_WORKER_INSIDE_H
#define EVALUATE_WORKER_INSIDE_H

#include "evaluate/worker.h"

struct inside {
	char *in, *out;              /* the inputs' memory, read-only, and the outputs' */
	int64_t in_bytes, out_bytes;
	int reply_fd;
	bool has_gaps;               /* pages between tensors that nobody may touch */
};
extern struct inside inside;

void inside_reply(enum worker_word word, int64_t ns, const char *text);
/* The reply to a timing, with the clocks that were seen meanwhile. */
void inside_reply_timed(int64_t ns, const struct clocks *clocks);
/* Maps descriptors 3 and 4; false: refused, and said so. */
bool inside_map(const char *in_bytes, const char *out_bytes);
/*
 * A write into the inputs ends the process with WORKER_EXIT_MUTATED; with has_gaps, one that
 * touches a gap says where (its offset, those in the outputs as -1 - offset) and ends with
 * WORKER_EXIT_BESIDE; any other fault dies of its signal.
 */
void inside_watch_faults(void);

#endif
