/* loops_head.h: the C text in front of printed loops: types, arithmetic, functions. */
#ifndef OPS_CORE_LOOPS_HEAD_H
#define OPS_CORE_LOOPS_HEAD_H

#include "ops/core/strbuf.h"

/*
 * Defines `real` and `num` (the type of a real value: `real`, or a pair (v, m) of
 * value and magnitude with `pairs`), load_T and store_T of every dtype T, and of
 * every builtin function NAME
 *   i_NAME on int64_t, f_NAME on num, t_NAME from num to int64_t (casts).
 * `native`: storage dtypes, else every array is double; `boxed`: outputs are pairs of them.  `is_float`: real is float.
 * All other names end in '_', so that they meet none of an operator's.
 */
void loops_head(bool native, bool is_float, bool pairs, bool boxed, struct strbuf *out);

/*
 * input_DTYPE(array, index): an element of an input in its storage dtype, as a pair of loops_head()'s;
 * struct loops_team and what divides a box among its threads.
 */
void loops_boxed_head(struct strbuf *out);

#endif
