/*
 * simt.h: prints tile programs for SIMT devices.  One source text serves every
 * SIMT language; what differs between them is a vocabulary, put in front.
 *
 * A kernel is
 *   KM_KERNEL(threads) SYM_<kernel>(T *b_<buffer>..., long <run-time dim>...)
 * with the plan's buffers and dims in their order, launched with as many blocks
 * in x as the grid has instances, numbered row-major (last dimension fastest).
 * Shared memory is static, or the launch's where it is more than target->static_shared_bytes.
 *
 * A language's vocabulary defines
 *   KM_KERNEL(n)      linkage and attributes of a kernel of n threads a block
 *   KM_D              a device function, always inlined
 *   KM_TID KM_BID     thread in the block, block in the grid (int, unsigned)
 *   KM_BLOCKS         blocks of the launch (micro-kernels of NVIDIA's alone)
 *   KM_WARP           lanes of a warp
 *   KM_SHARED(t, n)   declares n bytes of shared memory, 16-byte aligned, as char array t
 *   KM_SHARED_GIVEN(t) the same of what the launch gives, where that is used
 *   km_barrier()      of the block, with its memory
 *   km_lane_value(x, l)   x of lane l of the warp
 *   km_<instruction>(acc, a, b)   for every mma record of the target: acc a vector, a and b
 *                     arrays, all of a lane's own registers by the record's digits
 *   KM_NARROW(x)      the bits of a float rounded to bf16, to nearest, where the device
 *                     has an instruction for it
 *   KM_EXP KM_EXP2 KM_LOG   functions of a float, accurate to 2 ULP, where the compiler's
 *                     builtins have no code for the device
 * and then appends simt_vocabulary().
 *
 * Knobs the printer honours (kernel knob lines)
 *   INSTR     name of an mma record of the target, or fma               [fma]
 *   WM, WN    rows and columns of a warp's part of the accumulator      [the record's]
 *   TM, TN    the same of a thread, with INSTR=fma                      [4, 4]
 *   KU        unrolling of the contracted loop                          [1]
 *   VEC       neighbours a thread holds together, maps and rows         [as fits 16 bytes]
 *   AHEAD     1: single elements of inputs are read without a branch, of inputs that have
 *             some wherever the kernel runs                             [0]
 *   WHEN      bits: the kernel runs where the number in buffer _class has its bit set, else
 *             every block returns at once                                [always]
 * An mma record without operand digits takes its operands from shared memory, and a
 * micro-kernel prints the whole kernel (generate/micro.h).
 * A `for` with pipe 2 keeps two slots of every staged tile, and fetches the next
 * block into registers while the present one is contracted.
 */
#ifndef GENERATE_SIMT_H
#define GENERATE_SIMT_H

#include "generate/lang.h"

/* Can it be printed?  false with the reason in *why_not. */
bool simt_accepts(const struct tile_program *program, const struct target *target, struct strbuf *why_not);
/* Appends the kernels to *out, without any vocabulary.  0, or -1 with *err. */
int simt_print(const struct tile_program *program, const struct target *target, const char *symbol, struct printed *out,
	       struct strbuf *err);
/*
 * Digits of a shared tile as the copy engine and the warp group's matrix instructions want
 * them: rows of 128 bytes along index `fast`, their 16-byte parts swizzled by the row, columns
 * of rows side by side (PTX ISA 9.0, 9.7.16.5: 128-byte swizzling).
 */
const char *simt_swizzled(struct arena *arena, enum dtype dtype, const char *fast, const char *slow);
/* The part of the vocabulary that all SIMT languages share. */
void simt_vocabulary(struct strbuf *out);

#endif
