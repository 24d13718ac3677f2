/* map: outputs computed element by element; broadcasts, casts and transposes included. */
#include "generate/recognise.h"

#include <string.h>

struct match {
	const struct normal_stmt *stmt;
	bool is_strided; /* some input is not read along the output's last index: worth staging */
};

static const struct expr *strided_access(const struct expr *e, const char *last)
{
	const struct expr *found = NULL;

	if (e->kind == EXPR_ACCESS && e->arg_count >= 2 && access_is_plain(e) && expr_uses(e, last) &&
	    access_position(e, last) != (int)e->arg_count - 1)
		return e;
	for (size_t i = 0; i < e->arg_count && !found; i++)
		found = strided_access(e->arg[i], last);
	return found;
}

static const struct match *match(struct arena *arena, const struct problem *problem, const struct normal *normal,
				 struct strbuf *why_not)
{
	const struct normal_stmt *s = &normal->stmt[normal->stmt_count - 1];

	(void)problem;
	if (normal->stmt_count != 1 || s->value->kind == EXPR_REDUCE || s->tensor < 0) {
		strbuf_addstr(why_not, "map: the body reduces or has several statements");
		return NULL;
	}
	if (expr_uses(s->value, s->name)) {
		strbuf_addf(why_not, "map: '%s' is a recurrence", s->name);
		return NULL;
	}
	if (s->index_count < 1 || s->index_count > 3) {
		strbuf_addf(why_not, "map: outputs of one to three dimensions, not %zu", s->index_count);
		return NULL;
	}
	struct match *m = ARENA_ARRAY(arena, struct match, 1);
	m->stmt = s;
	m->is_strided = strided_access(s->value, s->index[s->index_count - 1].name) != NULL;
	return m;
}

static void knobs(struct arena *arena, const struct match *m, const struct problem *problem,
		  const struct target *target, struct space *space)
{
	bool simt = target->warp > 1;

	if (simt) {
		add_knob(arena, space, "BM", (const int[]){ 1, 2, 4, 8, -1 });
		add_knob(arena, space, "BN", (const int[]){ 256, 512, 1024, 2048, 4096, -1 });
		add_knob(arena, space, "THREADS", (const int[]){ 64, 128, 256, 512, -1 });
		add_align_knob(arena, space);
		/* Two or four chunks a thread. */
		start_knob(space, "BN", "2048");
		start_knob(space, "THREADS", "256");
	} else if (m->is_strided) {
		add_knob(arena, space, "BM", (const int[]){ 4, 8, 16, 32, 64, 128, -1 });
		add_knob(arena, space, "BN", (const int[]){ 8, 16, 32, 64, 128, 256, -1 });
		add_knob(arena, space, "STAGE", (const int[]){ 0, 1, -1 });
		add_knob(arena, space, "PAD", (const int[]){ 0, 1, 8, -1 });
	} else {
		add_knob(arena, space, "BM", (const int[]){ 1, 2, 4, 8, 16, 32, 64, 128, 256, -1 });
		add_knob(arena, space, "BN", (const int[]){ 128, 256, 512, 1024, 2048, 4096, 8192, 65536, -1 });
		add_knob(arena, space, "NT", (const int[]){ 0, 1, -1 });
	}
	if (calls_rounding(m->stmt->value))
		add_real_knob(arena, space, problem, target);
}

static int lower(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target,
		 const struct space *space, const struct point *point, struct strbuf *text, struct strbuf *why_not)
{
	const struct normal_stmt *s = m->stmt;
	int64_t bm = point_int(space, point, "BM"), bn = point_int(space, point, "BN");
	int64_t threads = point_int(space, point, "THREADS");
	size_t rank = s->index_count;
	const char *mapping[8] = { NULL };
	struct strbuf grid = STRBUF_INIT, index = STRBUF_INIT, at = STRBUF_INIT;
	int ret = 0;

	if (point_int(space, point, "PAD") && !point_int(space, point, "STAGE")) {
		strbuf_addstr(why_not, "PAD without STAGE does nothing");
		goto out;
	}
	if (rank == 1 && bm != 1 && !m->is_strided) {
		strbuf_addstr(why_not, "BM > 1 on a vector does nothing");
		goto out;
	}
	for (size_t i = 0; i < rank; i++) {
		const char *name = s->index[i].name, *extent = expr_text(arena, s->index[i].hi, NULL);
		int64_t block = i + 1 == rank ? bn : i + 2 == rank ? bm : 1;
		const char *global = block == 1 && i + 2 < rank ? arena_printf(arena, "p%zu", i)
								: arena_printf(arena, "p%zu*%lld+%s", i, (long long)block, name);
		strbuf_addf(&grid, "%scdiv(%s, %lld)", i ? ", " : "", extent, (long long)block);
		if (i + 2 >= rank)
			strbuf_addf(&index, " %s<%lld of %s-p%zu*%lld", name, (long long)block, extent, i, (long long)block);
		strbuf_addf(&at, "%s%s", i ? ", " : "", global);
		mapping[2 * i] = name;
		mapping[2 * i + 1] = global;
	}
	write_head(arena, problem, text);
	if (!align_write(arena, problem, space, point, text, why_not))
		goto out;
	strbuf_addf(text, "kernel map grid [%s] threads %lld\n  index%s\n", grid.buf, (long long)(threads ? threads : 1), index.buf);
	if (point_int(space, point, "NT"))
		strbuf_addstr(text, "  knob NT=1\n");
	if (is_real_f64(space, point))
		strbuf_addstr(text, "  knob REAL=f64\n");
	const struct expr *value = s->value;
	const struct expr *strided = m->is_strided ? strided_access(s->value, s->index[rank - 1].name) : NULL;
	if (strided && point_int(space, point, "STAGE")) {
		/* The block goes through a tile whose rows are read as they lie in memory. */
		const char *a = s->index[rank - 2].name, *b = s->index[rank - 1].name;
		int64_t pad = point_int(space, point, "PAD");
		strbuf_addf(text, "  tile t %s [%s, %s] @shared : %s %s", dtype_name(problem_tensor_dtype(problem, op_tensor_index(problem->op, strided->name))),
			    a, b, b, a);
		if (pad)
			strbuf_addf(text, "+%lld", (long long)pad);
		strbuf_addf(text, "\n  t[%s, %s] <- %s\n", a, b, expr_text(arena, strided, mapping));
		if (expr_equal(strided, value)) {
			strbuf_addf(text, "  %s[%s] = t[%s, %s]\n", s->name, at.buf, a, b);
			ret = 1;
			goto out;
		}
		strbuf_addstr(why_not, "STAGE serves pure transposes");
		goto out;
	}
	strbuf_addf(text, "  %s[%s] = %s\n", s->name, at.buf, expr_text(arena, value, mapping));
	(void)target;
	ret = 1;
out:
	strbuf_release(&grid);
	strbuf_release(&index);
	strbuf_release(&at);
	return ret;
}

const struct skeleton skeleton_map = {
	.name = "map",
	.summary = "element by element: pointwise functions, broadcasts, transposes",
	.serves_simt = true,
	.serves_tiles = true,
	.serves_whole = true,
	.match = match,
	.knobs = knobs,
	.lower = lower,
};
