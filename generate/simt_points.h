/*
 * simt_points.h: kernels of scalars for SIMT devices: a thread, or several, a point.
 *
 * What is no tile of reals (whole numbers and truths, gathers, conditions, recurrences along a row,
 * places of extremes, bisection) is printed by the C printer's scalars (emit_c.h), the indices
 * of stores spread over the block's threads, the last one fastest.  A kernel asks for it by
 *   LANES    threads that share a point                                   [printed otherwise]
 *   ACROSS   names of reduced ranges, and of loops, that these deal out among themselves, with commas between
 *   APART    1: these are no neighbours in the block, but as far from each other as the block has
 *            points: where points, not terms, lie side by side in memory              [neighbours]
 *   TU       unrolling of such ranges, and of loops that ACROSS names                        [1]
 *   REAL     f64: arithmetic in double                                    [f32]
 *   INDEX    32: indices, dims and places in buffers are computed in 32 bits (tile.h)         [64]
 * The threads of a block are at least as many as the indices have points, times LANES.
 */
#ifndef GENERATE_SIMT_POINTS_H
#define GENERATE_SIMT_POINTS_H

#include "generate/simt_print.h"

bool simt_is_points(const struct tile_kernel *kernel);
/* Prints s->kernel so; simt_fail() where it cannot. */
void simt_print_points(struct simt *s, const char *symbol);
bool simt_has_points(const struct tile_program *program);
/* What such kernels are written in, behind simt_vocabulary(). */
void simt_points_vocabulary(struct strbuf *out);

#endif
