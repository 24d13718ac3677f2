/* Kernels of passes: rows as they are, and maps. */
#include "generate/passes.h"

#include <string.h>

static const struct normal_stmt *find_stmt(const struct match *m, const char *name, size_t *number)
{
	for (size_t i = 0; i < m->count; i++)
		if (!strcmp(m->stmt[i].name, name)) {
			*number = i;
			return &m->stmt[i];
		}
	return NULL;
}

/* The statements' names as what holds them: registers of this kernel, or memory that an earlier one wrote. */
static struct expr *held(const struct passes_writer *w, const struct expr *e)
{
	struct expr *copy = ARENA_ARRAY(w->arena, struct expr, 1);
	size_t number;

	*copy = *e;
	if ((e->kind == EXPR_ACCESS || e->kind == EXPR_NAME) && find_stmt(w->match, e->name, &number)) {
		if (number >= w->pass.first && number < w->here)
			return expr_name(w->arena, arena_printf(w->arena, "%s_here", e->name));
		copy->name = arena_printf(w->arena, "%s_kept", e->name);
	}
	copy->arg = ARENA_ARRAY(w->arena, struct expr *, e->arg_count + 1);
	for (size_t i = 0; i < e->arg_count; i++)
		copy->arg[i] = held(w, e->arg[i]);
	copy->otherwise = e->otherwise ? held(w, e->otherwise) : NULL;
	return copy;
}

const char *passes_held_text(const struct passes_writer *w, const struct expr *e)
{
	return expr_text(w->arena, held(w, e), w->mapping);
}

void passes_map_name(struct passes_writer *w, const char *name, const char *text)
{
	w->mapping[w->mapped++] = name;
	w->mapping[w->mapped++] = text;
	w->mapping[w->mapped] = NULL;
}

/* A reduction's term, its ranges by the names of the pass's first. */
const struct expr *passes_term(const struct passes_writer *w, const struct normal_stmt *s)
{
	const struct expr *lead = w->pass.lead->value, *e = s->value->arg[0];

	for (size_t i = 0; i < lead->range_count; i++)
		e = expr_replace_name(w->arena, e, s->value->range[i].name, expr_name(w->arena, lead->range[i].name));
	return e;
}

/* Does a statement behind it read the statement? */
static bool uses_after(const struct match *m, size_t number)
{
	bool uses = false;

	for (size_t i = number + 1; i < m->count && !uses; i++)
		uses = expr_uses(m->stmt[i].value, m->stmt[number].name);
	return uses;
}

bool passes_is_kept(const struct passes_writer *w, size_t number)
{
	for (size_t i = w->pass.end; i < w->match->count; i++)
		if (expr_uses(w->match->stmt[i].value, w->match->stmt[number].name))
			return true;
	return false;
}

void passes_write_extents(struct passes_writer *w, const struct expr_range *range, size_t count, struct strbuf *out)
{
	for (size_t i = 0; i < count; i++)
		strbuf_addf(out, "%s%s", i ? ", " : "", expr_text(w->arena, range[i].hi, NULL));
}

/* "name[p0, p1]" of the pass's rows, and what is added behind them. */
const char *passes_row_place(struct passes_writer *w, const char *name, const char *more)
{
	struct strbuf at = STRBUF_INIT;

	for (size_t i = 0; i < w->pass.lead->index_count; i++)
		strbuf_addf(&at, "%sp%zu", i ? ", " : "", i);
	strbuf_addf(&at, "%s%s", at.len && *more ? ", " : "", more);
	const char *place = at.len ? arena_printf(w->arena, "%s[%s]", name, at.buf) : arena_strdup(w->arena, name);
	strbuf_release(&at);
	return place;
}

void passes_write_buffer(struct passes_writer *w, const struct normal_stmt *s, const char *what, const char *more)
{
	struct strbuf extents = STRBUF_INIT;

	passes_write_extents(w, s->index, s->index_count, &extents);
	strbuf_addf(w->text, "buffer %s_%s %s [%s%s%s] tmp\n", s->name, what, tile_real(w->problem), extents.buf, extents.len && *more ? ", " : "", more);
	strbuf_release(&extents);
}

void passes_open_rows(struct passes_writer *w, const char *name, const char *more, int64_t lanes, const char *across)
{
	struct strbuf grid = STRBUF_INIT;

	passes_write_extents(w, w->pass.lead->index, w->pass.lead->index_count, &grid);
	strbuf_addf(&grid, "%s%s", grid.len && *more ? ", " : "", more);
	strbuf_addf(w->text, "kernel %s%zu grid [%s] threads %lld\n  knob LANES=%lld ACROSS=%s TU=8\n", name, w->pass.first, grid.len ? grid.buf : "1", (long long)lanes,
		    (long long)lanes, across);
	strbuf_release(&grid);
	w->mapped = 0;
	w->mapping[0] = NULL;
	for (size_t i = 0; i < w->pass.lead->index_count; i++)
		passes_map_name(w, w->pass.lead->index[i].name, arena_printf(w->arena, "p%zu", i));
	w->here = w->pass.first;
	w->kernels++;
}

void passes_write_register(struct passes_writer *w, const char *name, const char *what)
{
	strbuf_addf(w->text, "  tile %s_%s %s [] @reg\n", name, what, tile_real(w->problem));
}

/* Of each statement of the pass: registers. */
void passes_write_registers(struct passes_writer *w)
{
	for (size_t i = w->pass.first; i < w->pass.end; i++)
		passes_write_register(w, w->match->stmt[i].name, "here");
}

/* Stores of statement `number`, which the kernel holds. */
void passes_write_results(struct passes_writer *w, size_t number)
{
	const struct normal_stmt *s = &w->match->stmt[number];

	if (passes_is_kept(w, number))
		strbuf_addf(w->text, "  %s = %s_here\n", passes_row_place(w, arena_printf(w->arena, "%s_kept", s->name), ""), s->name);
	if (s->tensor >= 0)
		strbuf_addf(w->text, "  %s = %s_here\n", passes_row_place(w, s->name, ""), s->name);
	w->here = number + 1;
}

/* "(r<R, c<C)" of the pass's terms. */
static const char *terms_text(struct passes_writer *w)
{
	const struct expr *lead = w->pass.lead->value;
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < lead->range_count; i++)
		strbuf_addf(&text, "%s%s<%s", i ? ", " : "", lead->range[i].name, expr_text(w->arena, lead->range[i].hi, NULL));
	const char *kept = arena_strdup(w->arena, text.buf);
	strbuf_release(&text);
	return kept;
}

/* Is it a map of the elements of the pass's rows, with their column for its last index? */
static bool follows_rows(const struct passes_writer *w, const struct normal_stmt *s)
{
	size_t rows = w->pass.lead->index_count;
	bool follows = !passes_is_reduction(s) && w->pass.lead->value->range_count == 1 && s->index_count == rows + 1 && expr_equal(s->index[rows].hi, w->pass.along->hi);

	for (size_t i = 0; i < rows && follows; i++)
		follows = !strcmp(s->index[i].name, w->pass.lead->index[i].name);
	return follows;
}

/* A block a row.  What is computed of its elements goes backwards: the last are the likeliest to be in the cache still. */
void passes_write_whole(struct passes_writer *w)
{
	const char *along = w->pass.along->name, *extent = expr_text(w->arena, w->pass.along->hi, NULL);

	passes_open_rows(w, "rows", "", w->lanes, along);
	passes_write_registers(w);
	for (size_t i = w->pass.first; i < w->pass.end; i++) {
		const struct normal_stmt *s = &w->match->stmt[i];
		if (passes_is_reduction(s))
			strbuf_addf(w->text, "  %s_here = %s(%s) (%s)\n", s->name, expr_op_text(s->value->op), terms_text(w), passes_held_text(w, passes_term(w, s)));
		else
			strbuf_addf(w->text, "  %s_here = %s\n", s->name, passes_held_text(w, s->value));
		passes_write_results(w, i);
	}
	size_t mapped = w->mapped;
	for (; w->pass.end < w->match->count && follows_rows(w, &w->match->stmt[w->pass.end]); w->pass.end++) {
		const struct normal_stmt *s = &w->match->stmt[w->pass.end];
		if (uses_after(w->match, w->pass.end))
			break;
		const char *column = arena_printf(w->arena, "%s-1-%s", extent, along);
		passes_map_name(w, s->index[s->index_count - 1].name, column);
		strbuf_addf(w->text, "  for %s in 0..%s step 1\n    %s = %s\n  end\n", along, extent, passes_row_place(w, s->name, column), passes_held_text(w, s->value));
		w->mapped = mapped;
	}
}

/* Do all rows read something along them that is not the row's: weights? */
static bool reads_weights(const struct normal_stmt *s, const struct expr *e)
{
	const struct expr *last = e->kind == EXPR_ACCESS && e->arg_count ? e->arg[e->arg_count - 1] : NULL;
	bool reads = s->index_count > 1 && last && expr_uses(last, s->index[s->index_count - 1].name) && !expr_uses(e, s->index[0].name);

	for (size_t i = 0; i < e->arg_count && !reads; i++)
		reads = reads_weights(s, e->arg[i]);
	return reads;
}

/*
 * Elements of one statement, over blocks of its last index.  Rows, or the blocks of one, go backwards: the last are in the cache still.
 * Where they read weights, the blocks of all rows at the same place follow each other, and find these in the cache.
 */
void passes_write_map(struct passes_writer *w)
{
	const struct normal_stmt *s = w->pass.lead;
	struct strbuf grid = STRBUF_INIT, at = STRBUF_INIT;
	long long columns = (long long)w->columns;
	size_t count = s->index_count, across = reads_weights(s, s->value);
	const struct expr_range *last = &s->index[count - 1];
	const char *blocks = arena_printf(w->arena, "cdiv(%s, %lld)", expr_text(w->arena, last->hi, NULL), columns), *block = arena_printf(w->arena, "p%zu", across ? 0 : count - 1);

	w->mapped = 0;
	w->here = w->pass.first;
	if (count == 1)
		block = arena_printf(w->arena, "(%s-1-p0)", blocks);
	if (across)
		strbuf_addf(&grid, "%s", blocks);
	for (size_t i = 0; i < count; i++) {
		const char *name = s->index[i].name, *extent = expr_text(w->arena, s->index[i].hi, NULL);
		bool is_last = i + 1 == count;
		const char *here = is_last ? arena_printf(w->arena, "%s*%lld+%s", block, columns, name) : arena_printf(w->arena, "%s-1-p%zu", extent, i + across);
		passes_map_name(w, name, here);
		if (!is_last || !across)
			strbuf_addf(&grid, "%s%s", grid.len ? ", " : "", is_last ? blocks : extent);
		strbuf_addf(&at, "%s%s", i ? ", " : "", here);
	}
	strbuf_addf(w->text, "kernel map%zu grid [%s] threads %lld\n  index %s<%lld of %s-%s*%lld\n", w->pass.first, grid.buf, (long long)w->threads, last->name, columns,
		    expr_text(w->arena, last->hi, NULL), block, columns);
	const char *value = passes_held_text(w, s->value);
	if (passes_is_kept(w, w->pass.first))
		strbuf_addf(w->text, "  %s_kept[%s] = %s\n", s->name, at.buf, value);
	if (s->tensor >= 0)
		strbuf_addf(w->text, "  %s[%s] = %s\n", s->name, at.buf, value);
	w->kernels++;
	strbuf_release(&grid);
	strbuf_release(&at);
}
