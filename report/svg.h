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

#endif
