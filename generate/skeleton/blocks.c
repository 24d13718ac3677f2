/*
 * blocks: contractions block by block, for languages that have tiles: where operands are
 * staged, which instruction multiplies them and who holds what are the compiler's.
 */
#include "generate/contraction.h"

static void knobs(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target, struct space *space)
{
	(void)m;
	(void)target;
	add_knob(arena, space, "BM", (const int[]){ 16, 32, 64, 128, 256, -1 });
	add_knob(arena, space, "BN", (const int[]){ 16, 32, 64, 128, 256, -1 });
	add_knob(arena, space, "BK", (const int[]){ 16, 32, 64, 128, -1 });
	add_knob(arena, space, "THREADS", (const int[]){ 64, 128, 256, 512, -1 });
	add_knob(arena, space, "PIPE", (const int[]){ 1, 2, 3, 4, 5, -1 });
	/* Blocks of rows that are walked together, column by column, so that they find their operands in the cache. */
	add_knob(arena, space, "WALK", (const int[]){ 1, 4, 8, -1 });
	/* Products of f32 as such, or by parts that matrix instructions take, three or six products for one. */
	if (problem->dtype == DTYPE_f32)
		add_choice(arena, space, "PRECISION", (const char *const[]){ "ieee", "tf32x3", "bf16x6", NULL });
	add_align_knob(arena, space);
}

static int lower(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target,
		 const struct space *space, const struct point *point, struct strbuf *text, struct strbuf *why_not)
{
	struct contraction_shape s = contraction_shape(arena, m);
	int64_t bm = point_int(space, point, "BM"), bn = point_int(space, point, "BN"), bk = point_int(space, point, "BK");
	int64_t threads = point_int(space, point, "THREADS"), pipe = point_int(space, point, "PIPE"), walk = point_int(space, point, "WALK");
	int64_t bytes = (int64_t)dtype_bytes(problem->dtype) * (bm + bn) * bk;
	const char *precision = point_word(space, point, "PRECISION"), *dtype = dtype_name(problem->dtype);

	if (bm * bn < 2 * threads || bm * bn > 128 * threads) {
		strbuf_addf(why_not, "%lld x %lld accumulators for %lld threads", (long long)bm, (long long)bn, (long long)threads);
		return 0;
	}
	if (target->shared_bytes && bytes * pipe > target->shared_bytes) {
		strbuf_addf(why_not, "%lld bytes of blocks on their way", (long long)(bytes * pipe));
		return 0;
	}
	if (walk > 1 && extent_value(problem, m->row.hi) <= bm) {
		strbuf_addstr(why_not, "WALK does nothing: one block of rows");
		return 0;
	}
	write_head(arena, problem, text);
	if (!align_write(arena, problem, space, point, text, why_not))
		return 0;
	const char *p = arena_printf(arena, "p%d", s.p), *q = arena_printf(arena, "p%d", s.p + 1);
	strbuf_addf(text, "kernel contract grid [%scdiv(%s, %lld), cdiv(%s, %lld)] threads %lld\n", s.batch_grid, s.rows, (long long)bm, s.columns, (long long)bn,
		    (long long)threads);
	strbuf_addf(text, "  index i<%lld of %s-%s*%lld j<%lld of %s-%s*%lld k<%lld of %s-k0\n", (long long)bm, s.rows, p, (long long)bm, (long long)bn,
		    s.columns, q, (long long)bn, (long long)bk, s.depth);
	strbuf_addf(text, "  knob WALK=%lld%s%s\n", (long long)walk, precision ? " PRECISION=" : "", precision ? precision : "");
	strbuf_addf(text, "  tile _acc %s [i, j] @acc\n  tile _a %s [i, k] @shared\n  tile _b %s [k, j] @shared\n  _acc[i, j] = 0\n", tile_real(problem), dtype, dtype);
	const char *row = arena_printf(arena, "%s*%lld+i", p, (long long)bm), *column = arena_printf(arena, "%s*%lld+j", q, (long long)bn);
	strbuf_addf(text, "  for k0 in 0..%s step %lld pipe %lld\n    _a[i, k] <- %s\n    _b[k, j] <- %s\n    _acc[i, j] += mma(k) _a[i, k] * _b[k, j]\n  end\n", s.depth,
		    (long long)bk, (long long)pipe, contraction_at(arena, m, m->a, row, column, "k0+k"), contraction_at(arena, m, m->b, row, column, "k0+k"));
	contraction_epilogue(arena, m, row, column, text);
	return 1;
}

const struct skeleton skeleton_blocks = {
	.name = "blocks",
	.summary = "matrix products block by block, for languages of tiles, with fused maps",
	.serves_tiles = true,
	.match = contraction_match,
	.knobs = knobs,
	.lower = lower,
};
