/*
 * convolution.h: recognising y[n, o, place..] = sum(c, tap..) x[n, c, place*S + tap*D - P ..] * k[o, c, tap..],
 * with zeros around x, in one to three dimensions, and maps on y behind it.  A transposed convolution of stride 1,
 * sum(c, tap..) x[n, c, place + P - tap*D ..] * k[c, o, tap..], is one of taps in the other order.
 */
#ifndef GENERATE_CONVOLUTION_H
#define GENERATE_CONVOLUTION_H

#include "generate/recognise.h"

enum { CONVOLUTION_MAX_AXES = 3 };

struct convolution_axis {
	int64_t stride, dilation, before, taps; /* place*stride + tap*dilation - before */
	const char *in, *out;                   /* extents */
};
struct match {
	const struct normal *normal;
	const struct expr *data, *weight;       /* data[n, c, ..], weight[o, c, tap..] */
	bool is_transposed;                     /* weight[c, o, tap..], and taps of the axes are counted from the other end */
	int axis_count;
	struct convolution_axis axis[CONVOLUTION_MAX_AXES];             /* as they lie: the last is a line */
	const char *batches, *filters, *channels;
};
/* NULL with the reason, which names the skeleton.  Texts live in the arena. */
const struct match *convolution_match(struct arena *arena, const struct problem *problem, const struct normal *normal, const char *skeleton, struct strbuf *why_not);

#endif
