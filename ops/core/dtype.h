/* dtype.h: element types: sizes, rounding, conversion to and from double. */
#ifndef OPS_CORE_DTYPE_H
#define OPS_CORE_DTYPE_H

#include "ops/core/base.h"

enum dtype {
#define X(name, bytes, is_real, roundoff, tiny, ctype) DTYPE_##name,
#include "ops/core/dtype.def"
#undef X
	DTYPE_COUNT
};

const char *dtype_name(enum dtype dtype);
bool dtype_find(const char *name, enum dtype *dtype); /* false: no such name, *dtype untouched */
size_t dtype_bytes(enum dtype dtype);
bool dtype_is_real(enum dtype dtype);
double dtype_roundoff(enum dtype dtype); /* u: |fl(x) - x| <= u |x| + dtype_tiny() */
double dtype_tiny(enum dtype dtype); /* the least normal number where flushing to 0 is usual (f64, f32, bf16), else the least number */
const char *dtype_ctype(enum dtype dtype); /* C type of the storage */

/* Element i of an array, exactly (i64 beyond 2^53 rounds to nearest). */
double dtype_load(enum dtype dtype, const void *base, int64_t i);
/* Rounds to nearest even into the type; NaN stays NaN; integers truncate then wrap. */
void dtype_store(enum dtype dtype, void *base, int64_t i, double value);
double dtype_round(enum dtype dtype, double value);

#endif
