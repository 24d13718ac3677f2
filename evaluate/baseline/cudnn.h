/* cudnn.h: what the rows of cuDNN share, for each layout and each way to compute f32; cudnn.c alone implements it. */
#ifndef EVALUATE_BASELINE_CUDNN_H
#define EVALUATE_BASELINE_CUDNN_H

#include "evaluate/baseline.h"

bool cudnn_serves(const struct problem *p);
bool cudnn_serves_tf32(const struct problem *p);
/* open() of each row.  Those in tf32, which keeps 11 bits of each factor, are for f32 alone. */
#define CUDNN_OPEN(name) \
	struct baseline_state *name(const struct problem *p, const struct target *target, void *const *buf, struct strbuf *setting, struct strbuf *why_not)
CUDNN_OPEN(cudnn_open);
CUDNN_OPEN(cudnn_open_tf32);
CUDNN_OPEN(cudnn_open_channels_last);
CUDNN_OPEN(cudnn_open_channels_last_tf32);
void cudnn_bind(struct baseline_state *s, void *const *buf);
int cudnn_run(struct baseline_state *s);
void cudnn_close(struct baseline_state *s);

#endif
