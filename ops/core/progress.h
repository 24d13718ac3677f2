/*
 * progress.h: one line on stderr, only on a terminal, only after one second,
 * at most four times a second, erased at the end.
 */
#ifndef OPS_CORE_PROGRESS_H
#define OPS_CORE_PROGRESS_H

#include "ops/core/base.h"

void progress_start(const char *what, int64_t total); /* total 0: unknown */
void progress_update(int64_t done, const char *fmt, ...) PRINTF(2, 3);
void progress_end(void);

#endif
