/*
 * warp_groups: contractions by the matrix instructions of warp groups, whose operands the
 * copy engine brings to shared memory as they lie (micro-kernel wgmma_tma).
 */
#include "generate/contraction.h"
#include "generate/simt.h"

#include <string.h>

enum { DEPTH = 64 }; /* of a block: a swizzled row of 2-byte elements */

static const struct match *match(struct arena *arena, const struct problem *problem, const struct normal *normal, struct strbuf *why_not)
{
	if (problem->dtype != DTYPE_bf16 && problem->dtype != DTYPE_f16) {
		strbuf_addf(why_not, "warp_groups: no instruction for %s", dtype_name(problem->dtype));
		return NULL;
	}
	return contraction_match(arena, problem, normal, why_not);
}

static void knobs(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target, struct space *space)
{
	(void)m;
	(void)problem;
	(void)target;
	add_knob(arena, space, "BN", (const int[]){ 64, 128, 256, -1 });
	add_knob(arena, space, "GROUPS", (const int[]){ 1, 2, 3, -1 });
	/* Instructions of a group above each other. */
	add_knob(arena, space, "TM", (const int[]){ 1, 2, 4, -1 });
	add_knob(arena, space, "PIPE", (const int[]){ 2, 3, 4, 5, 6, -1 });
	add_knob(arena, space, "CLUSTER", (const int[]){ 1, 2, -1 });
	add_knob(arena, space, "WALK", (const int[]){ 1, 4, 8, 16, 32, -1 });
	add_knob(arena, space, "TURN", (const int[]){ 0, 1, -1 });
	/* Parties of groups that take blocks in turn. */
	add_knob(arena, space, "RELAY", (const int[]){ 1, 2, -1 });
}

/* The index an operand runs along in memory, and how far that goes. */
static const struct expr_range *fast_index(const struct match *m, const struct expr *access)
{
	const char *last = access->arg[access->arg_count - 1]->name;

	return !strcmp(last, m->depth.name) ? &m->depth : !strcmp(last, m->row.name) ? &m->row : !strcmp(last, m->column.name) ? &m->column : NULL;
}

/*
 * Warp groups that contract what the copy engine brings, as it lies: along the depth or across
 * it, rows of whole 16 bytes.  TM: instructions of a group above each other.
 */
static int lower(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target,
			const struct space *space, const struct point *point, struct strbuf *text, struct strbuf *why_not)
{
	struct contraction_shape s = contraction_shape(arena, m);
	int64_t bn = point_int(space, point, "BN"), tm = point_int(space, point, "TM"), groups = point_int(space, point, "GROUPS");
	const struct mma_instr *q = mma_find(target, arena_printf(arena, "wgmma_f32_64x%lldx16_%s", (long long)bn, dtype_name(problem->dtype)));
	const struct expr_range *fast[] = { fast_index(m, m->a), fast_index(m, m->b) };

	if (!q) {
		strbuf_addf(why_not, "warp_groups: '%s' has no instruction of %lld columns for %s", target->name, (long long)bn, dtype_name(problem->dtype));
		return 0;
	}
	if (groups * point_int(space, point, "RELAY") > 3) {
		strbuf_addstr(why_not, "warp_groups: more than 3 groups that contract");
		return 0;
	}
	if (tm * bn > 256) {
		strbuf_addstr(why_not, "warp_groups: more than 128 accumulators a thread");
		return 0;
	}
	int64_t bm = groups * q->m * tm, pipe = point_int(space, point, "PIPE"), cluster = point_int(space, point, "CLUSTER");
	write_head(arena, problem, text);
	for (int o = 0; o < 2; o++) {
		const char *extent = fast[o] ? expr_text(arena, fast[o]->hi, NULL) : NULL;
		if (!extent || extent_value(problem, fast[o]->hi) % 8) {
			strbuf_addstr(why_not, "warp_groups: the rows of an operand are no multiple of 16 bytes");
			return 0;
		}
		strbuf_addf(text, "require (%s) %% 8 == 0\n", extent);
	}
	/* A whole number of clusters: what is beyond the rows stores nothing. */
	const char *grid_rows = arena_printf(arena, cluster > 1 ? "rup(cdiv(%s, %lld), %lld)" : "cdiv(%s, %lld)", s.rows, (long long)bm, (long long)cluster);
	strbuf_addf(text, "kernel contract grid [%s%s, cdiv(%s, %lld)] threads %lld\n", s.batch_grid, grid_rows, s.columns, (long long)bn,
		    (long long)(groups * q->lanes));
	strbuf_addf(text, "  index i<%lld of %s-p%d*%lld j<%lld of %s-p%d*%lld k<%d of %s-k0\n", (long long)bm, s.rows, s.p, (long long)bm, (long long)bn,
		    s.columns, s.p + 1, (long long)bn, DEPTH, s.depth);
	strbuf_addf(text, "  knob INSTR=%s WM=%lld WN=%lld CLUSTER=%lld WALK=%s TURN=%s RELAY=%s\n", q->name, (long long)(q->m * tm), (long long)bn,
		    (long long)cluster,
		    point_word(space, point, "WALK"), point_word(space, point, "TURN"), point_word(space, point, "RELAY"));
	strbuf_addf(text, "  tile _acc f32 [i, j] @acc\n  tile _a %s [i, k] @shared : %s\n  tile _b %s [k, j] @shared : %s\n  _acc[i, j] = 0\n", dtype_name(q->ab),
		    fast[0] == &m->depth ? simt_swizzled(arena, q->ab, "k", "i") : simt_swizzled(arena, q->ab, "i", "k"), dtype_name(q->ab),
		    fast[1] == &m->depth ? simt_swizzled(arena, q->ab, "k", "j") : simt_swizzled(arena, q->ab, "j", "k"));
	const char *row = arena_printf(arena, "p%d*%lld+i", s.p, (long long)bm), *column = arena_printf(arena, "p%d*%lld+j", s.p + 1, (long long)bn);
	strbuf_addf(text, "  for k0 in 0..%s step %d pipe %lld\n    _a[i, k] <- %s\n    _b[k, j] <- %s\n    _acc[i, j] += mma(k) _a[i, k] * _b[k, j]\n  end\n", s.depth,
		    DEPTH, (long long)pipe, contraction_at(arena, m, m->a, row, column, "k0+k"), contraction_at(arena, m, m->b, row, column, "k0+k"));
	contraction_epilogue(arena, m, row, column, text);
	return 1;
}

const struct skeleton skeleton_warp_groups = {
	.name = "warp_groups",
	.summary = "matrix products by warp groups, operands brought by the copy engine, with fused maps",
	.serves_simt = true,
	.isa = ISA_BIT(wgmma),
	.match = match,
	.knobs = knobs,
	.lower = lower,
};
