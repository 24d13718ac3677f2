/* What skeletons of contractions share. */
#include "generate/contraction.h"

#include <stdlib.h>
#include <string.h>

static bool is_factor(const struct expr *f)
{
	return f->kind == EXPR_ACCESS && access_is_plain(f);
}

const struct match *contraction_match(struct arena *arena, const struct problem *problem, const struct normal *normal,
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
	if (!sum_is_mapped(normal, "contraction", why_not))
		return NULL;
	return m;
}

const char *contraction_at(struct arena *arena, const struct match *m, const struct expr *access, const char *row, const char *column, const char *depth)
{
	const char *mapping[] = { m->row.name, row, m->column.name, column, m->depth.name, depth,
				  m->has_batch ? m->batch.name : NULL, "p0", NULL };
	return expr_text(arena, access, mapping);
}

struct contraction_shape contraction_shape(struct arena *arena, const struct match *m)
{
	struct contraction_shape s = { expr_text(arena, m->row.hi, NULL), expr_text(arena, m->column.hi, NULL), expr_text(arena, m->depth.hi, NULL),
			   m->has_batch ? expr_text(arena, m->batch.hi, NULL) : "", "", m->has_batch };
	if (m->has_batch) {
		s.batch_grid = arena_printf(arena, "%s, ", s.batches);
	}
	return s;
}

/* The maps behind the sum, on the accumulator. */
void contraction_epilogue(struct arena *arena, const struct match *m, const char *row, const char *column, struct strbuf *text)
{
	const char *with[] = { m->row.name, row, m->column.name, column, "local_i", "i", "local_j", "j", m->has_batch ? m->batch.name : NULL, "p0", NULL };
	const char *place = m->has_batch ? arena_printf(arena, "p0, %s, %s", row, column) : arena_printf(arena, "%s, %s", row, column);

	strbuf_addf(text, "  %s[%s] = %s\n", m->normal->stmt[m->normal->stmt_count - 1].name, place, expr_text(arena, sum_stored(arena, m->normal), with));
}

/* The fastest register digit, "k%R". */
int mma_depth_run(const struct mma_instr *q)
{
	const char *last = strrchr(q->b_reg, ' ');

	last = last ? last + 1 : q->b_reg;
	return strncmp(last, "k%", 2) ? 1 : atoi(last + 2);
}

int64_t contraction_block_threads(const struct contraction_blocks *b)
{
	return b->bm / b->wm * (b->bn / b->wn) * (b->instr ? b->instr->lanes : 1);
}

void contraction_write_blocks(struct arena *arena, const struct match *m, const struct problem *problem, const struct contraction_blocks *b, const char *name,
			      const char *knobs, struct strbuf *text)
{
	struct contraction_shape s = contraction_shape(arena, m);
	const struct mma_instr *q = b->instr;
	long long bm = b->bm, bn = b->bn, bk = b->bk;
	const char *real = tile_real(problem), *dtype = q ? dtype_name(q->ab) : real, *a_digits = "i k+1", *b_digits = "k j";

	if (q && q->ab == DTYPE_bf16)
		a_digits = "i k+8";
	if (b->is_packed && q)
		b_digits = arena_printf(arena, "k/%d j k%%%d", mma_depth_run(q), mma_depth_run(q));
	else if (b->is_packed)
		a_digits = "k i+4";
	strbuf_addf(text, "kernel %s grid [%scdiv(%s, %lld), cdiv(%s, %lld)] threads %lld\n", name, s.batch_grid, s.rows, bm, s.columns, bn,
		    (long long)contraction_block_threads(b));
	strbuf_addf(text, "  index i<%lld of %s-p%d*%lld j<%lld of %s-p%d*%lld k<%lld of %s-k0\n", bm, s.rows, s.p, bm, bn, s.columns, s.p + 1, bn, bk, s.depth);
	strbuf_addf(text, q ? "  knob INSTR=%s WM=%lld WN=%lld KU=%lld%s\n" : "  knob INSTR=%s TM=%lld TN=%lld KU=%lld%s\n", q ? q->name : "fma",
		    (long long)b->wm, (long long)b->wn, (long long)b->unroll, knobs);
	const char *sum = b->is_summed_apart ? "_block" : "_acc";
	strbuf_addf(text, "  tile _acc %s [i, j] @acc\n%s  tile _a %s [i, k] @shared : %s\n  tile _b %s [k, j] @shared : %s\n  _acc[i, j] = 0\n", real,
		    b->is_summed_apart ? "  tile _block f32 [i, j] @acc\n" : "", dtype, a_digits, dtype, b_digits);
	const char *row = arena_printf(arena, "p%d*%lld+i", s.p, bm), *column = arena_printf(arena, "p%d*%lld+j", s.p + 1, bn);
	strbuf_addf(text, "  for k0 in 0..%s step %lld pipe %lld\n    _a[i, k] <- %s\n    _b[k, j] <- %s\n", s.depth, bk, (long long)b->pipe,
		    contraction_at(arena, m, m->a, row, column, "k0+k"), contraction_at(arena, m, m->b, row, column, "k0+k"));
	strbuf_addf(text, "%s    %s[i, j] += mma(k) _a[i, k] * _b[k, j]\n%s  end\n", b->is_summed_apart ? "    _block[i, j] = 0\n" : "", sum,
		    b->is_summed_apart ? "    _acc[i, j] = _acc[i, j] + _block[i, j]\n" : "");
	contraction_epilogue(arena, m, row, column, text);
}
