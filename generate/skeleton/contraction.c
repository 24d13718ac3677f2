/*
 * contraction: out[rows, columns] = sum(k) a[..] * b[..], then maps on out.
 * Operands are packed once by kernels of the plan, or read as they lie.
 */
#include "generate/contraction.h"
#include "generate/micro.h"

#include <string.h>

/* Matrix tiles need a micro-kernel that drives them. */
static bool has_amx(const struct problem *p, const struct target *target)
{
	bool driven = false;

	for (size_t i = 0; micro_table[i]; i++)
		driven |= !strcmp(micro_table[i]->name, "amx_bf16");
	return driven && p->dtype == DTYPE_bf16 && (target->isa & ISA_BIT(amx_bf16));
}

static void simt_knobs(struct arena *arena, const struct problem *problem, const struct target *target, struct space *space)
{
	const char *instr[8] = { "fma" };
	int n = 1;

	for (const struct mma_instr *q = target->mma; q && q->name && n < 7; q++)
		if (q->ab == problem->dtype && q->a_lane)
			instr[n++] = q->name;
	add_choice(arena, space, "INSTR", instr);
	add_knob(arena, space, "BM", (const int[]){ 32, 64, 128, 256, -1 });
	add_knob(arena, space, "BN", (const int[]){ 32, 64, 128, 256, -1 });
	add_knob(arena, space, "BK", (const int[]){ 8, 16, 32, 64, -1 });
	/* Of a thread with fma; repeats of the instruction in a warp else. */
	add_knob(arena, space, "TM", (const int[]){ 1, 2, 4, 8, -1 });
	add_knob(arena, space, "TN", (const int[]){ 1, 2, 4, 8, -1 });
	add_knob(arena, space, "PACK", (const int[]){ 0, 1, -1 });
	add_knob(arena, space, "PIPE", (const int[]){ 1, 2, -1 });
	add_knob(arena, space, "KU", (const int[]){ 1, 2, 4, -1 });
}

static void knobs(struct arena *arena, const struct match *m, const struct problem *problem,
		  const struct target *target, struct space *space)
{
	(void)m;
	if (target->warp > 1) {
		simt_knobs(arena, problem, target, space);
		return;
	}
	if (has_amx(problem, target)) {
		add_knob(arena, space, "BM", (const int[]){ 64, 128, 256, 512, 1024, -1 });
		add_knob(arena, space, "BN", (const int[]){ 32, 64, 128, 256, 512, 1024, -1 });
		add_knob(arena, space, "BK", (const int[]){ 0, 256, 512, 1024, -1 });
		add_knob(arena, space, "JFIRST", (const int[]){ 0, 1, -1 });
		add_knob(arena, space, "AMX", (const int[]){ 1, -1 });
		return;
	}
	if (target->vector_reg_count >= 32) {
		add_knob(arena, space, "MR", (const int[]){ 4, 6, 8, 9, 12, 14, -1 });
		add_knob(arena, space, "NV", (const int[]){ 1, 2, 3, 4, -1 });
	} else {
		add_knob(arena, space, "MR", (const int[]){ 2, 3, 4, 5, 6, 8, 12, -1 });
		add_knob(arena, space, "NV", (const int[]){ 1, 2, 3, 4, -1 });
	}
	add_knob(arena, space, "MB", (const int[]){ 4, 8, 16, 32, 64, -1 });
	add_knob(arena, space, "NB", (const int[]){ 2, 4, 8, 16, 32, -1 });
	add_knob(arena, space, "BK", (const int[]){ 0, 128, 256, 384, 512, -1 });
	add_knob(arena, space, "KU", (const int[]){ 1, 2, 4, -1 });
	add_knob(arena, space, "PACKA", (const int[]){ 0, 1, -1 });
	add_knob(arena, space, "PACKB", (const int[]){ 0, 1, -1 });
	add_knob(arena, space, "JFIRST", (const int[]){ 0, 1, -1 });
}

static int lower_amx(struct arena *arena, const struct match *m, const struct problem *problem, const struct space *space,
		     const struct point *point, struct strbuf *text, struct strbuf *why_not)
{
	struct contraction_shape s = contraction_shape(arena, m);
	int64_t bm = point_int(space, point, "BM"), bn = point_int(space, point, "BN"), bk = point_int(space, point, "BK");
	bool jfirst = point_int(space, point, "JFIRST");
	int pi = s.p + jfirst, pj = s.p + !jfirst;

	if (m->has_batch) {
		strbuf_addstr(why_not, "AMX: no batches");
		return 0;
	}
	write_head(arena, problem, text);
	strbuf_addf(text, "buffer Ap bf16 [rup(%s, 32), rup(%s, 32)] tmp : d0/16 d1/32 d0%%16 d1%%32\n", s.rows, s.depth);
	strbuf_addf(text, "buffer Bp bf16 [rup(%s, 32), rup(%s, 32)] tmp : d1/16 d0/32 d0/2%%16 d1%%16 d0%%2\n", s.depth, s.columns);
	/* Padding of the depth must be zero: it is multiplied. */
	strbuf_addf(text, "kernel packa grid [cdiv(%s, 32)] threads 1\n  index i<32 k<1073741824 of rup(%s, 32)\n", s.rows, s.depth);
	strbuf_addf(text, "  Ap[p0*32+i, k] = %s\n", contraction_at(arena, m, m->a, "p0*32+i", "j", "k"));
	strbuf_addf(text, "kernel packb grid [cdiv(%s, 32)] threads 1\n  index k<1073741824 of rup(%s, 32) j<32\n", s.columns, s.depth);
	strbuf_addf(text, "  Bp[k, p0*32+j] = %s\n", contraction_at(arena, m, m->b, "i", "p0*32+j", "k"));
	strbuf_addf(text, "kernel contract grid [%s%s] threads 1\n",
		    arena_printf(arena, jfirst ? "cdiv(%s, %lld), " : "cdiv(%s, %lld), ", jfirst ? s.columns : s.rows, (long long)(jfirst ? bn : bm)),
		    arena_printf(arena, "cdiv(%s, %lld)", jfirst ? s.rows : s.columns, (long long)(jfirst ? bm : bn)));
	strbuf_addf(text, "  index i<%lld of %s-p%d*%lld j<%lld of %s-p%d*%lld k<%lld of rup(%s, 32)%s\n", (long long)bm, s.rows, pi, (long long)bm,
		    (long long)bn, s.columns, pj, (long long)bn, (long long)(bk ? bk : INT64_C(1) << 30), s.depth, bk ? "-k0" : "");
	strbuf_addstr(text, "  knob AMX=1\n  tile _acc f32 [i, j] @acc : i/16 j/16 i%16 j%16\n  tile _a bf16 [i, k] @view\n  tile _b bf16 [k, j] @view\n  _acc[i, j] = 0\n");
	const char *indent = bk ? "  " : "", *k0 = bk ? "k0+" : "";
	if (bk)
		strbuf_addf(text, "  for k0 in 0..rup(%s, 32) step %lld\n", s.depth, (long long)bk);
	strbuf_addf(text, "%s  _a[i, k] <- Ap[p%d*%lld+i, %sk]\n%s  _b[k, j] <- Bp[%sk, p%d*%lld+j]\n%s  _acc[i, j] += mma(k) _a[i, k] * _b[k, j]\n", indent, pi,
		    (long long)bm, k0, indent, k0, pj, (long long)bn, indent);
	if (bk)
		strbuf_addstr(text, "  end\n");
	contraction_epilogue(arena, m, arena_printf(arena, "p%d*%lld+i", pi, (long long)bm), arena_printf(arena, "p%d*%lld+j", pj, (long long)bn), text);
	return 1;
}

static int lower_simt(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target,
		      const struct space *space, const struct point *point, struct strbuf *text, struct strbuf *why_not)
{
	int64_t tm = point_int(space, point, "TM"), tn = point_int(space, point, "TN");
	const struct mma_instr *q = mma_find(target, point_word(space, point, "INSTR"));
	const struct contraction_blocks b = { q, point_int(space, point, "BM"), point_int(space, point, "BN"), point_int(space, point, "BK"),
					      q ? tm * q->m : tm, q ? tn * q->n : tn, point_int(space, point, "PIPE"), point_int(space, point, "KU"),
					      point_int(space, point, "PACK"), false };
	int64_t threads = contraction_block_threads(&b);

	if (b.bm % b.wm || b.bn % b.wn || (q && b.bk % q->k)) {
		strbuf_addstr(why_not, "a warp's part does not divide the block");
		return 0;
	}
	if (threads < target->warp || threads > target->max_threads || threads % target->warp) {
		strbuf_addf(why_not, "%lld threads a block", (long long)threads);
		return 0;
	}
	if (b.wm * b.wn / (q ? q->lanes : 1) > 256) {
		strbuf_addstr(why_not, "more than 256 accumulators a thread");
		return 0;
	}
	if (b.is_packed && q && mma_depth_run(q) == 1) {
		strbuf_addstr(why_not, "PACK does nothing: a lane holds one point of the depth");
		return 0;
	}
	write_head(arena, problem, text);
	contraction_write_blocks(arena, m, problem, &b, "contract", "", text);
	return 1;
}

static int lower(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target,
		 const struct space *space, const struct point *point, struct strbuf *text, struct strbuf *why_not)
{
	struct contraction_shape s = contraction_shape(arena, m);
	int64_t lanes = target->vector_bytes / 4;

	if (target->warp > 1)
		return lower_simt(arena, m, problem, target, space, point, text, why_not);
	if (problem->dtype == DTYPE_f64) {
		strbuf_addstr(why_not, "its vectors add in f32, with half of the digits of f64");
		return 0;
	}
	if (has_amx(problem, target))
		return lower_amx(arena, m, problem, space, point, text, why_not);
	int64_t mr = point_int(space, point, "MR"), nv = point_int(space, point, "NV"), nr = nv * lanes, bk = point_int(space, point, "BK");
	int64_t bm = mr * point_int(space, point, "MB"), bn = nr * point_int(space, point, "NB");
	bool pack_a = point_int(space, point, "PACKA"), pack_b = point_int(space, point, "PACKB"), jfirst = point_int(space, point, "JFIRST");
	int pi = s.p + jfirst, pj = s.p + !jfirst;

	if (mr * nv + nv + 1 > target->vector_reg_count) {
		strbuf_addf(why_not, "a block of %lld x %lld vectors spills", (long long)mr, (long long)nv);
		return 0;
	}
	if (!pack_b && (access_position(m->b, m->column.name) != (int)m->b->arg_count - 1 || problem->dtype != DTYPE_f32)) {
		strbuf_addstr(why_not, "columns of the second factor are not unit-stride f32: it must be packed");
		return 0;
	}
	if ((pack_a || pack_b) && m->has_batch) {
		strbuf_addstr(why_not, "batches are not packed");
		return 0;
	}
	if (bk && extent_value(problem, m->depth.hi) <= bk) {
		strbuf_addstr(why_not, "BK covers the depth: as BK=0");
		return 0;
	}
	write_head(arena, problem, text);
	if (pack_a)
		strbuf_addf(text, "buffer Ap f32 [rup(%s, %lld), %s] tmp : d0/%lld d1 d0%%%lld\n", s.rows, (long long)mr, s.depth, (long long)mr, (long long)mr);
	if (pack_b)
		strbuf_addf(text, "buffer Bp f32 [%s, rup(%s, %lld)] tmp : d1/%lld d0 d1%%%lld\n", s.depth, s.columns, (long long)nr, (long long)nr, (long long)nr);
	if (pack_a)
		strbuf_addf(text, "kernel packa grid [cdiv(%s, %lld)] threads 1\n  index k<1073741824 of %s i<%lld of %s-p0*%lld\n  Ap[p0*%lld+i, k] = %s\n", s.rows,
			    (long long)mr, s.depth, (long long)mr, s.rows, (long long)mr, (long long)mr,
			    contraction_at(arena, m, m->a, arena_printf(arena, "p0*%lld+i", (long long)mr), "j", "k"));
	if (pack_b)
		strbuf_addf(text, "kernel packb grid [cdiv(%s, 64), cdiv(%s, %lld)] threads 1\n  index k<64 of %s-p0*64 j<%lld of %s-p1*%lld\n  Bp[p0*64+k, p1*%lld+j] = %s\n",
			    s.depth, s.columns, (long long)nr, s.depth, (long long)nr, s.columns, (long long)nr, (long long)nr,
			    contraction_at(arena, m, m->b, "i", arena_printf(arena, "p1*%lld+j", (long long)nr), "p0*64+k"));
	const char *grid_i = arena_printf(arena, "cdiv(%s, %lld)", s.rows, (long long)bm), *grid_j = arena_printf(arena, "cdiv(%s, %lld)", s.columns, (long long)bn);
	strbuf_addf(text, "kernel contract grid [%s%s, %s] threads 1\n", s.batch_grid, jfirst ? grid_j : grid_i, jfirst ? grid_i : grid_j);
	strbuf_addf(text, "  index i<%lld of %s-p%d*%lld j<%lld of %s-p%d*%lld k<%lld of %s%s\n", (long long)bm, s.rows, pi, (long long)bm, (long long)bn, s.columns,
		    pj, (long long)bn, (long long)(bk ? bk : INT64_C(1) << 30), s.depth, bk ? "-k0" : "");
	strbuf_addf(text, "  knob MR=%lld NV=%lld KU=%lld\n", (long long)mr, (long long)nv, (long long)point_int(space, point, "KU"));
	strbuf_addf(text, "  tile _acc f32 [i, j] @acc%s\n  tile _a f32 [i, k] @view\n  tile _b f32 [k, j] @view\n  _acc[i, j] = 0\n",
		    bk ? arena_printf(arena, " : j/%lld i j%%%lld", (long long)nr, (long long)nr) : "");
	const char *row = arena_printf(arena, "p%d*%lld+i", pi, (long long)bm), *column = arena_printf(arena, "p%d*%lld+j", pj, (long long)bn);
	const char *depth = bk ? "k0+k" : "k", *indent = bk ? "  " : "";
	const char *from_a = pack_a ? arena_printf(arena, "Ap[%s, %s]", row, depth) : contraction_at(arena, m, m->a, row, column, depth);
	const char *from_b = pack_b ? arena_printf(arena, "Bp[%s, %s]", depth, column) : contraction_at(arena, m, m->b, row, column, depth);
	if (bk)
		strbuf_addf(text, "  for k0 in 0..%s step %lld\n", s.depth, (long long)bk);
	strbuf_addf(text, "%s  _a[i, k] <- %s\n%s  _b[k, j] <- %s\n%s  _acc[i, j] += mma(k) _a[i, k] * _b[k, j]\n", indent, from_a, indent, from_b, indent);
	if (bk)
		strbuf_addstr(text, "  end\n");
	contraction_epilogue(arena, m, row, column, text);
	return 1;
}

const struct skeleton skeleton_contraction = {
	.name = "contraction",
	.summary = "matrix products with packing, register and cache blocks, and fused maps",
	.serves_simt = true,
	.match = contraction_match,
	.knobs = knobs,
	.lower = lower,
};
