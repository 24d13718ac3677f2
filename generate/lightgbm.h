/*
 * lightgbm.h: LightGBM's C library, where it is installed: boosted trees on one thread, the same from the
 * same data.  Loaded on first use from $KM_LIGHTGBM, else from $HOME/.cache/kernelmill/lightgbm, where
 * scripts/lightgbm.sh puts it, else from the loader's path.
 */
#ifndef GENERATE_LIGHTGBM_H
#define GENERATE_LIGHTGBM_H

#include "ops/core/strbuf.h"

/*
 * Learns y[n] from x[n][dims] with so many rounds of boosting under `parameters` (its own words) and tells
 * what it expects at at[m][dims].  NAN in x: not there.  0, or -1 with *err: it is not installed, or what it said.
 */
int lightgbm_expect(const double *x, const float *y, size_t n, size_t dims, int rounds, const char *parameters, const double *at, size_t m,
		    double *expected, struct strbuf *err);

#endif
