/* svg.h: the report's charts. */
#ifndef REPORT_SVG_H
#define REPORT_SVG_H

#include "ops/core/strbuf.h"

/*
 * A search curve: x the trial (1..count), y fitness[i] on a log scale (dots;
 * <= 0: failed, marked on the axis) and the best so far (steps).  `label` is the
 * chart's text for readers who cannot see it.
 */
void svg_search_curve(struct strbuf *out, const double *fitness, size_t count, const char *label);

/*
 * Lines that rise in steps: y in 0..1 against x from 0, in `unit`.  Lines without points are left out.
 */
struct svg_line {
	double *x, *y;
	size_t count;
};
void svg_lines(struct strbuf *out, const struct svg_line *line, size_t count, const char *unit, const char *label);

#endif
