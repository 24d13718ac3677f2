/* scan: y[rows, c] = sum(j <= c) x: prefix sums along the last index, on CPUs (on devices: running.c). */
#include "generate/recognise.h"

#include <string.h>

struct match {
	const struct normal_stmt *stmt;
	const struct expr *value; /* of the term at column c */
};

static const struct match *match(struct arena *arena, const struct problem *problem, const struct normal *normal,
				 struct strbuf *why_not)
{
	const struct normal_stmt *s = &normal->stmt[0];
	const struct expr *e = s->value;

	(void)problem;
	if (normal->stmt_count != 1 || e->kind != EXPR_REDUCE || e->op != OP_SUM || e->range_count != 1 || e->filter || s->index_count < 1 ||
	    s->index_count > 2) {
		strbuf_addstr(why_not, "scan: no single sum over one range");
		return NULL;
	}
	const char *c = s->index[s->index_count - 1].name;
	const struct expr *hi = e->range[0].hi, *lo = e->range[0].lo;
	bool inclusive = hi->kind == EXPR_BINARY && hi->op == OP_ADD && hi->arg[0]->kind == EXPR_NAME && !strcmp(hi->arg[0]->name, c) &&
			 hi->arg[1]->kind == EXPR_INT && hi->arg[1]->int_value == 1 && lo->kind == EXPR_INT && !lo->int_value;
	if (!inclusive || expr_uses(e->arg[0], c)) {
		strbuf_addstr(why_not, "scan: the range does not end at the last output index");
		return NULL;
	}
	struct match *m = ARENA_ARRAY(arena, struct match, 1);
	m->stmt = s;
	m->value = expr_replace_name(arena, e->arg[0], e->range[0].name, expr_name(arena, c));
	return m;
}

static void knobs(struct arena *arena, const struct match *m, const struct problem *problem,
		  const struct target *target, struct space *space)
{
	(void)m;
	(void)problem;
	(void)target;
	add_knob(arena, space, "BR", (const int[]){ 1, 2, 4, 8, 16, 32, 64, -1 });
	add_choice(arena, space, "VARIANT", (const char *const[]){ "row", "block", "rows", NULL });
	add_knob(arena, space, "BC", (const int[]){ 16, 32, 64, 128, 256, 512, 1024, 2048, -1 });
	add_knob(arena, space, "NT", (const int[]){ 0, 1, -1 });
}

static int lower(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target,
		 const struct space *space, const struct point *point, struct strbuf *text, struct strbuf *why_not)
{
	const struct normal_stmt *s = m->stmt;
	const char *variant = point_word(space, point, "VARIANT"), *c = s->index[s->index_count - 1].name;
	const char *columns = expr_text(arena, s->index[s->index_count - 1].hi, NULL);
	int64_t br = point_int(space, point, "BR"), bc = point_int(space, point, "BC");
	bool has_row = s->index_count == 2;

	if ((!strcmp(variant, "row") && bc != 16) || (!has_row && br != 1)) {
		strbuf_addstr(why_not, "BC without blocks, or BR without rows, does nothing");
		return 0;
	}
	if (!strcmp(variant, "rows") && (!has_row || br < target->vector_bytes / 4)) {
		strbuf_addstr(why_not, "fewer rows than lanes");
		return 0;
	}
	const char *r = has_row ? s->index[0].name : "r", *rows = has_row ? expr_text(arena, s->index[0].hi, NULL) : "1";
	const char *row = arena_printf(arena, "p0*%lld+%s", (long long)br, r);
	const char *whole[] = { r, row, NULL }, *blocked[] = { r, row, c, arena_printf(arena, "c0+%s", c), NULL };
	write_head(arena, problem, text);
	strbuf_addf(text, "kernel scan grid [cdiv(%s, %lld)] threads 1\n  index %s<%lld of %s-p0*%lld", rows, (long long)br, r, (long long)br, rows, (long long)br);
	if (!strcmp(variant, "row")) {
		strbuf_addf(text, " %s<1073741824 of %s\n  knob NT=%lld\n", c, columns, (long long)point_int(space, point, "NT"));
		strbuf_addf(text, "  %s[%s%s%s] = scan(%s) %s\n", s->name, has_row ? row : "", has_row ? ", " : "", c, c, expr_text(arena, m->value, whole));
		return 1;
	}
	bool across = !strcmp(variant, "rows");
	/* "rows": vectors hold a column of rows, so the tile is transposed in the copy. */
	const char *digits = across ? arena_printf(arena, " : %s %s", c, r) : "";
	strbuf_addf(text, " %s<%lld of %s-c0\n  knob NT=%lld\n", c, (long long)bc, columns, (long long)point_int(space, point, "NT"));
	const char *real = tile_real(problem);
	strbuf_addf(text, "  tile x_ %s [%s, %s] @reg%s\n  tile y_ %s [%s, %s] @reg%s\n  tile k_ %s [%s] @reg\n  k_[%s] = 0\n", real, r, c, digits, real, r, c, digits,
		    real, r, r);
	strbuf_addf(text, "  for c0 in 0..%s step %lld\n", columns, (long long)bc);
	strbuf_addf(text, "    x_[%s, %s] = %s\n    y_[%s, %s] = scan(%s) x_[%s, %s]\n", r, c, expr_text(arena, m->value, blocked), r, c, c, r, c);
	strbuf_addf(text, "    %s[%s%sc0+%s] = k_[%s] + y_[%s, %s]\n", s->name, has_row ? row : "", has_row ? ", " : "", c, r, r, c);
	strbuf_addf(text, "    k_[%s] = k_[%s] + sum(%s) x_[%s, %s]\n  end\n", r, r, c, r, c);
	return 1;
}

const struct skeleton skeleton_scan = {
	.name = "scan",
	.summary = "prefix sums along the last index",
	.match = match,
	.knobs = knobs,
	.lower = lower,
};
