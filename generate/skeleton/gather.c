/* gather: y[s, d] = sum over a segment of rows that an index tensor names: embedding bags, jagged sums. */
#include "generate/recognise.h"

#include <string.h>

struct match {
	const struct normal_stmt *stmt;
};

static const struct match *match(struct arena *arena, const struct problem *problem, const struct normal *normal,
				 struct strbuf *why_not)
{
	const struct normal_stmt *s = &normal->stmt[0];
	const struct expr *e = s->value;

	(void)problem;
	if (normal->stmt_count != 1 || e->kind != EXPR_REDUCE || e->op > OP_MIN || e->filter || e->range_count != 1 || s->index_count != 2 ||
	    (!reads_any_tensor(e->range[0].lo) && !reads_any_tensor(e->range[0].hi))) {
		strbuf_addstr(why_not, "gather: no reduction over a range that a tensor bounds");
		return NULL;
	}
	if (expr_uses(e->range[0].lo, s->index[1].name) || expr_uses(e->range[0].hi, s->index[1].name)) {
		strbuf_addstr(why_not, "gather: the segment depends on the last index");
		return NULL;
	}
	struct match *m = ARENA_ARRAY(arena, struct match, 1);
	m->stmt = s;
	return m;
}

static void knobs(struct arena *arena, const struct match *m, const struct problem *problem,
		  const struct target *target, struct space *space)
{
	(void)m;
	(void)problem;
	if (target->warp > 1) {
		add_knob(arena, space, "BD", (const int[]){ 32, 64, 128, 256, 512, 1024, -1 });
		add_knob(arena, space, "THREADS", (const int[]){ 32, 64, 128, 256, -1 });
		add_align_knob(arena, space);
		return;
	}
	add_knob(arena, space, "BD", (const int[]){ 8, 16, 32, 64, 128, 1073741824, -1 });
	add_knob(arena, space, "DU", (const int[]){ 1, 2, 4, 8, -1 });
	add_knob(arena, space, "PF", (const int[]){ 0, 2, 4, 8, 16, -1 });
	add_knob(arena, space, "TU", (const int[]){ 1, 2, 4, -1 });
	add_knob(arena, space, "NT", (const int[]){ 0, 1, -1 });
}

static int lower(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target,
		 const struct space *space, const struct point *point, struct strbuf *text, struct strbuf *why_not)
{
	const struct normal_stmt *s = m->stmt;
	const char *b = s->index[0].name, *d = s->index[1].name, *width = expr_text(arena, s->index[1].hi, NULL);
	int64_t bd = point_int(space, point, "BD");
	bool simt = target->warp > 1;
	int64_t threads = simt ? point_int(space, point, "THREADS") : 1;

	if (bd < threads) {
		strbuf_addstr(why_not, "more threads than columns");
		return 0;
	}
	if (!simt && bd < INT64_C(1) << 30 && bd >= extent_value(problem, s->index[1].hi) && bd > 8) {
		strbuf_addstr(why_not, "BD covers the row: as unbounded");
		return 0;
	}
	if (!simt && point_int(space, point, "DU") * target->vector_bytes / 4 > bd) {
		strbuf_addstr(why_not, "DU is wider than BD");
		return 0;
	}
	const char *mapping[] = { b, "p0", d, arena_printf(arena, "p1*%lld+%s", (long long)bd, d), NULL };
	write_head(arena, problem, text);
	if (!align_write(arena, problem, space, point, text, why_not))
		return 0;
	strbuf_addf(text, "kernel gather grid [%s, cdiv(%s, %lld)] threads %lld\n  index %s<%lld of %s-p1*%lld\n", expr_text(arena, s->index[0].hi, NULL), width,
		    (long long)bd, (long long)threads, d, (long long)bd, width, (long long)bd);
	if (!simt)
		strbuf_addf(text, "  knob DU=%lld PF=%lld TU=%lld NT=%lld\n", (long long)point_int(space, point, "DU"), (long long)point_int(space, point, "PF"),
			    (long long)point_int(space, point, "TU"), (long long)point_int(space, point, "NT"));
	strbuf_addf(text, "  %s[p0, p1*%lld+%s] = %s\n", s->name, (long long)bd, d, expr_text(arena, s->value, mapping));
	return 1;
}

const struct skeleton skeleton_gather = {
	.name = "gather",
	.summary = "reductions over segments of gathered rows: embedding bags, jagged sums",
	.serves_tiles = true,
	.match = match,
	.knobs = knobs,
	.lower = lower,
};
