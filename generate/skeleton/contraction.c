/*
 * contraction: out[rows, columns] = sum(k) a[..] * b[..], then maps on out.
 * Operands are packed once by kernels of the plan, or read as they lie.
 */
#include "generate/micro.h"
#include "generate/recognise.h"

#include <stdlib.h>
#include <string.h>

struct match {
	const struct normal *normal;
	const struct normal_stmt *sum;
	const struct expr *a, *b;          /* a holds the row index, b the column index */
	struct expr_range batch, row, column, depth;
	bool has_batch;
};

static bool is_factor(const struct expr *f)
{
	return f->kind == EXPR_ACCESS && access_is_plain(f);
}

static const struct match *match(struct arena *arena, const struct problem *problem, const struct normal *normal,
				 struct strbuf *why_not)
{
	const struct normal_stmt *s = &normal->stmt[0];
	const struct expr *e = s->value;
	struct match *m = ARENA_ARRAY(arena, struct match, 1);

	(void)problem;
	m->normal = normal;
	m->sum = s;
	if (e->kind != EXPR_REDUCE || e->op != OP_SUM || e->filter || e->range_count != 1 || e->arg[0]->kind != EXPR_BINARY ||
	    e->arg[0]->op != OP_MUL || !is_factor(e->arg[0]->arg[0]) || !is_factor(e->arg[0]->arg[1]) ||
	    !range_is_static(&e->range[0], s->index, s->index_count)) {
		strbuf_addstr(why_not, "contraction: no sum over one index of a product of two plain accesses");
		return NULL;
	}
	if (s->index_count < 2 || s->index_count > 3) {
		strbuf_addstr(why_not, "contraction: wants two output indices, or three with a batch");
		return NULL;
	}
	m->depth = e->range[0];
	m->a = e->arg[0]->arg[0];
	m->b = e->arg[0]->arg[1];
	const struct expr_range *last = &s->index[s->index_count - 1];
	if (access_position(m->a, last->name) >= 0) {
		const struct expr *t = m->a;
		m->a = m->b;
		m->b = t;
	}
	m->column = *last;
	m->row = s->index[s->index_count - 2];
	if (s->index_count == 3) {
		m->has_batch = true;
		m->batch = s->index[0];
	}
	if (access_position(m->b, m->column.name) < 0 || access_position(m->a, m->row.name) < 0 || access_position(m->a, m->column.name) >= 0 ||
	    access_position(m->b, m->row.name) >= 0 || access_position(m->a, m->depth.name) < 0 || access_position(m->b, m->depth.name) < 0) {
		strbuf_addstr(why_not, "contraction: rows must be in one factor and columns in the other");
		return NULL;
	}
	/* What follows must map the product, element by element. */
	for (size_t i = 1; i < normal->stmt_count; i++) {
		const struct normal_stmt *t = &normal->stmt[i];
		bool same = t->value->kind != EXPR_REDUCE && t->index_count == s->index_count && t->tensor >= 0;
		for (size_t k = 0; same && k < s->index_count; k++)
			same = !strcmp(t->index[k].name, s->index[k].name);
		if (!same) {
			strbuf_addf(why_not, "contraction: '%s' is no map of the product", t->name);
			return NULL;
		}
	}
	if (normal->stmt_count > 2 || (normal->stmt_count == 2 && s->tensor >= 0)) {
		strbuf_addstr(why_not, "contraction: more than one output");
		return NULL;
	}
	return m;
}

/* Matrix tiles need a micro-kernel that drives them. */
static bool has_amx(const struct problem *p, const struct target *target)
{
	bool driven = false;

	for (size_t i = 0; micro_table[i]; i++)
		driven |= !strcmp(micro_table[i]->name, "amx_bf16");
	return driven && p->dtype == DTYPE_bf16 && (target->isa & ISA_BIT(amx_bf16));
}

/* The record a point names, or NULL for fma. */
static const struct mma_instr *instruction(const struct target *target, const char *name)
{
	for (const struct mma_instr *q = target->mma; q && q->name; q++)
		if (!strcmp(q->name, name))
			return q;
	return NULL;
}

static void simt_knobs(struct arena *arena, const struct problem *problem, const struct target *target, struct space *space)
{
	const char *instr[8] = { "fma" };
	int n = 1;

	for (const struct mma_instr *q = target->mma; q && q->name && n < 7; q++)
		if (q->ab == problem->dtype)
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

/* The access's text with each index at `global` positions: row, column, depth, batch given as texts. */
static const char *at(struct arena *arena, const struct match *m, const struct expr *access, const char *row, const char *column, const char *depth)
{
	const char *mapping[] = { m->row.name, row, m->column.name, column, m->depth.name, depth,
				  m->has_batch ? m->batch.name : NULL, "p0", NULL };
	return expr_text(arena, access, mapping);
}

struct shape {
	const char *rows, *columns, *depth, *batches, *batch_grid, *batch_index;
	int p;   /* grid position of the first block dimension */
};

static struct shape shape_of(struct arena *arena, const struct match *m)
{
	struct shape s = { expr_text(arena, m->row.hi, NULL), expr_text(arena, m->column.hi, NULL), expr_text(arena, m->depth.hi, NULL),
			   m->has_batch ? expr_text(arena, m->batch.hi, NULL) : "", "", "", m->has_batch };
	if (m->has_batch) {
		s.batch_grid = arena_printf(arena, "%s, ", s.batches);
		s.batch_index = "p0, ";
	}
	return s;
}

/* The maps behind the sum, on the accumulator. */
static void write_epilogue(struct arena *arena, const struct match *m, const char *row, const char *column, struct strbuf *text)
{
	const struct normal_stmt *last = &m->normal->stmt[m->normal->stmt_count - 1];
	const char *mapping[] = { m->row.name, row, m->column.name, column, m->has_batch ? m->batch.name : NULL, "p0", NULL };
	const char *place = m->has_batch ? arena_printf(arena, "p0, %s, %s", row, column) : arena_printf(arena, "%s, %s", row, column);

	if (last == m->sum) {
		strbuf_addf(text, "  %s[%s] = _acc[i, j]\n", last->name, place);
		return;
	}
	const struct expr *access = find_access(last->value, m->sum->name);
	const struct expr *value = last->value;
	if (access) {
		struct expr *marks[2] = { expr_name(arena, "local_i"), expr_name(arena, "local_j") };
		struct expr *acc = expr_access(arena, "_acc", marks, 2);
		/* Every read of the sum is at the same indices. */
		value = expr_replace_name(arena, value, "", acc);
		struct strbuf s = STRBUF_INIT, from = STRBUF_INIT;
		expr_print(access, &from);
		expr_print(value, &s);
		strbuf_replace(&s, from.buf, "_acc[local_i, local_j]");
		struct strbuf err = STRBUF_INIT;
		struct expr *parsed;
		if (!expr_parse(arena, s.buf, "epilogue", EXPR_TILE, &parsed, &err))
			value = parsed;
		strbuf_release(&s);
		strbuf_release(&from);
		strbuf_release(&err);
	}
	const char *with_local[] = { mapping[0], mapping[1], mapping[2], mapping[3], "local_i", "i", "local_j", "j", mapping[4], "p0", NULL };
	strbuf_addf(text, "  %s[%s] = %s\n", last->name, place, expr_text(arena, value, with_local));
}

static int lower_amx(struct arena *arena, const struct match *m, const struct problem *problem, const struct space *space,
		     const struct point *point, struct strbuf *text, struct strbuf *why_not)
{
	struct shape s = shape_of(arena, m);
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
	strbuf_addf(text, "  Ap[p0*32+i, k] = %s\n", at(arena, m, m->a, "p0*32+i", "j", "k"));
	strbuf_addf(text, "kernel packb grid [cdiv(%s, 32)] threads 1\n  index k<1073741824 of rup(%s, 32) j<32\n", s.columns, s.depth);
	strbuf_addf(text, "  Bp[k, p0*32+j] = %s\n", at(arena, m, m->b, "i", "p0*32+j", "k"));
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
	write_epilogue(arena, m, arena_printf(arena, "p%d*%lld+i", pi, (long long)bm), arena_printf(arena, "p%d*%lld+j", pj, (long long)bn), text);
	return 1;
}

/* Neighbours along the depth that one lane holds of an operand: the fastest register digit "k%R". */
static int depth_run(const struct mma_instr *q)
{
	const char *last = strrchr(q->b_reg, ' ');

	last = last ? last + 1 : q->b_reg;
	return strncmp(last, "k%", 2) ? 1 : atoi(last + 2);
}

/*
 * Blocks of A and B through shared memory.  PACK lays them out so that a thread's part is one
 * wide read: rows of A together for fma, the depth in groups for B with an instruction.
 */
static int lower_simt(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target,
		      const struct space *space, const struct point *point, struct strbuf *text, struct strbuf *why_not)
{
	struct shape s = shape_of(arena, m);
	int64_t bm = point_int(space, point, "BM"), bn = point_int(space, point, "BN"), bk = point_int(space, point, "BK");
	int64_t tm = point_int(space, point, "TM"), tn = point_int(space, point, "TN"), pack = point_int(space, point, "PACK");
	const struct mma_instr *q = instruction(target, point_word(space, point, "INSTR"));
	int64_t wm = q ? tm * q->m : tm, wn = q ? tn * q->n : tn, threads = bm / wm * (bn / wn) * (q ? q->lanes : 1);

	if (bm % wm || bn % wn || (q && bk % q->k)) {
		strbuf_addstr(why_not, "a warp's part does not divide the block");
		return 0;
	}
	if (threads < target->warp || threads > target->max_threads || threads % target->warp) {
		strbuf_addf(why_not, "%lld threads a block", (long long)threads);
		return 0;
	}
	if (wm * wn / (q ? q->lanes : 1) > 256) {
		strbuf_addstr(why_not, "more than 256 accumulators a thread");
		return 0;
	}
	if (pack && q && depth_run(q) == 1) {
		strbuf_addstr(why_not, "PACK does nothing: a lane holds one point of the depth");
		return 0;
	}
	const char *dtype = q ? dtype_name(q->ab) : "f32", *a_digits = "i k+1", *b_digits = "k j";
	if (q && q->ab == DTYPE_bf16)
		a_digits = "i k+8";
	if (pack && q)
		b_digits = arena_printf(arena, "k/%d j k%%%d", depth_run(q), depth_run(q));
	else if (pack)
		a_digits = "k i+4";
	write_head(arena, problem, text);
	strbuf_addf(text, "kernel contract grid [%scdiv(%s, %lld), cdiv(%s, %lld)] threads %lld\n", s.batch_grid, s.rows, (long long)bm, s.columns,
		    (long long)bn, (long long)threads);
	strbuf_addf(text, "  index i<%lld of %s-p%d*%lld j<%lld of %s-p%d*%lld k<%lld of %s-k0\n", (long long)bm, s.rows, s.p, (long long)bm, (long long)bn,
		    s.columns, s.p + 1, (long long)bn, (long long)bk, s.depth);
	strbuf_addf(text, q ? "  knob INSTR=%s WM=%lld WN=%lld KU=%lld\n" : "  knob INSTR=%s TM=%lld TN=%lld KU=%lld\n", q ? q->name : "fma", (long long)wm,
		    (long long)wn, (long long)point_int(space, point, "KU"));
	strbuf_addf(text, "  tile _acc f32 [i, j] @acc\n  tile _a %s [i, k] @shared : %s\n  tile _b %s [k, j] @shared : %s\n  _acc[i, j] = 0\n", dtype, a_digits,
		    dtype, b_digits);
	const char *row = arena_printf(arena, "p%d*%lld+i", s.p, (long long)bm), *column = arena_printf(arena, "p%d*%lld+j", s.p + 1, (long long)bn);
	strbuf_addf(text, "  for k0 in 0..%s step %lld pipe %lld\n    _a[i, k] <- %s\n    _b[k, j] <- %s\n    _acc[i, j] += mma(k) _a[i, k] * _b[k, j]\n  end\n", s.depth,
		    (long long)bk, (long long)point_int(space, point, "PIPE"), at(arena, m, m->a, row, column, "k0+k"), at(arena, m, m->b, row, column, "k0+k"));
	write_epilogue(arena, m, row, column, text);
	return 1;
}

static int lower(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target,
		 const struct space *space, const struct point *point, struct strbuf *text, struct strbuf *why_not)
{
	struct shape s = shape_of(arena, m);
	int64_t lanes = target->vector_bytes / 4;

	if (target->warp > 1)
		return lower_simt(arena, m, problem, target, space, point, text, why_not);
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
			    at(arena, m, m->a, arena_printf(arena, "p0*%lld+i", (long long)mr), "j", "k"));
	if (pack_b)
		strbuf_addf(text, "kernel packb grid [cdiv(%s, 64), cdiv(%s, %lld)] threads 1\n  index k<64 of %s-p0*64 j<%lld of %s-p1*%lld\n  Bp[p0*64+k, p1*%lld+j] = %s\n",
			    s.depth, s.columns, (long long)nr, s.depth, (long long)nr, s.columns, (long long)nr, (long long)nr,
			    at(arena, m, m->b, "i", arena_printf(arena, "p1*%lld+j", (long long)nr), "p0*64+k"));
	const char *grid_i = arena_printf(arena, "cdiv(%s, %lld)", s.rows, (long long)bm), *grid_j = arena_printf(arena, "cdiv(%s, %lld)", s.columns, (long long)bn);
	strbuf_addf(text, "kernel contract grid [%s%s, %s] threads 1\n", s.batch_grid, jfirst ? grid_j : grid_i, jfirst ? grid_i : grid_j);
	strbuf_addf(text, "  index i<%lld of %s-p%d*%lld j<%lld of %s-p%d*%lld k<%lld of %s%s\n", (long long)bm, s.rows, pi, (long long)bm, (long long)bn, s.columns,
		    pj, (long long)bn, (long long)(bk ? bk : INT64_C(1) << 30), s.depth, bk ? "-k0" : "");
	strbuf_addf(text, "  knob MR=%lld NV=%lld KU=%lld\n", (long long)mr, (long long)nv, (long long)point_int(space, point, "KU"));
	strbuf_addf(text, "  tile _acc f32 [i, j] @acc%s\n  tile _a f32 [i, k] @view\n  tile _b f32 [k, j] @view\n  _acc[i, j] = 0\n",
		    bk ? arena_printf(arena, " : j/%lld i j%%%lld", (long long)nr, (long long)nr) : "");
	const char *row = arena_printf(arena, "p%d*%lld+i", pi, (long long)bm), *column = arena_printf(arena, "p%d*%lld+j", pj, (long long)bn);
	const char *depth = bk ? "k0+k" : "k", *indent = bk ? "  " : "";
	const char *from_a = pack_a ? arena_printf(arena, "Ap[%s, %s]", row, depth) : at(arena, m, m->a, row, column, depth);
	const char *from_b = pack_b ? arena_printf(arena, "Bp[%s, %s]", depth, column) : at(arena, m, m->b, row, column, depth);
	if (bk)
		strbuf_addf(text, "  for k0 in 0..%s step %lld\n", s.depth, (long long)bk);
	strbuf_addf(text, "%s  _a[i, k] <- %s\n%s  _b[k, j] <- %s\n%s  _acc[i, j] += mma(k) _a[i, k] * _b[k, j]\n", indent, from_a, indent, from_b, indent);
	if (bk)
		strbuf_addstr(text, "  end\n");
	write_epilogue(arena, m, row, column, text);
	return 1;
}

const struct skeleton skeleton_contraction = {
	.name = "contraction",
	.summary = "matrix products with packing, register and cache blocks, and fused maps",
	.serves_simt = true,
	.match = match,
	.knobs = knobs,
	.lower = lower,
};
