/*
 * passes: reductions of rows too long for a block's registers, on devices of warps: losses, norms, softmax of long
 * rows, products of a matrix and a vector.  A pass reads its operands once, whatever it computes of them:
 *   parts   the rows are cut into parts of PART terms, a block each: partial results, and a kernel that puts them together
 *   whole   PART=0: a block a row; what is computed of the row's elements follows in the same kernel, which finds
 *           them in the cache
 * A reduction of what an earlier one centres is not another pass: for any number a of the row, and any c of the part,
 *   sum exp(e - a) = sum over parts of exp(c - a) * sum exp(e - c)                 c: the part's greatest e
 *   sum (e - a)^2  = sum over parts of (sum (e - c)^2 + n * (c - a)^2)             c: the mean of its n terms
 * (Chan, Golub, LeVeque 1979; online softmax: Milakov, Gimelshein 2018), which loses nothing beside the two passes.
 * Kernels of reductions are those of points (simt_points.h), with all threads at one row; maps are tiles.
 */
#include "generate/passes.h"
#include "generate/tile.h"

#include <string.h>

enum { MAP_RANK = 3, FEW_ROWS = 64, MOST_TERMS_OF_FEW = 1 << 17 };

static int64_t terms_of(const struct problem *problem, const struct normal_stmt *s)
{
	int64_t terms = 1;

	for (size_t i = 0; i < s->value->range_count; i++)
		terms *= passes_extent(problem, &s->value->range[i]);
	return terms;
}

static int64_t points_of(const struct problem *problem, const struct normal_stmt *s)
{
	int64_t points = 1;

	for (size_t i = 0; i < s->index_count; i++)
		points *= passes_extent(problem, &s->index[i]);
	return points;
}

static void knobs(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target, struct space *space)
{
	static const int part[] = { 8192, 4096, 16384, 32768, 2048, 64, 256 };
	int64_t terms = 0;
	int parts[ARRAY_SIZE(part) + 2], n = 0;
	bool maps = false;

	(void)target;
	for (size_t i = 0; i < m->count; i++) {
		if (!passes_is_reduction(&m->stmt[i])) {
			bool is_of_row = false;
			for (size_t k = 0; k < i; k++)
				is_of_row |= passes_is_reduction(&m->stmt[k]) && passes_same_indices(&m->stmt[k], &m->stmt[i]);
			maps |= !is_of_row;
			continue;
		}
		terms = terms_of(problem, &m->stmt[i]) > terms ? terms_of(problem, &m->stmt[i]) : terms;
	}
	add_knob(arena, space, "LANES", (const int[]){ 256, 128, 512, 1024, -1 });
	/* Small parts are for rows that have no others. */
	for (size_t i = 0; i < ARRAY_SIZE(part); i++)
		if (part[i] < terms && (part[i] >= 2048 || terms <= 4096))
			parts[n++] = part[i];
	parts[n++] = 0;
	parts[n] = -1;
	add_knob(arena, space, "PART", parts);
	start_knob(space, "LANES", terms <= 4096 ? "128" : "256");
	if (maps) {
		add_knob(arena, space, "BN", (const int[]){ 2048, 1024, 4096, 512, -1 });
		add_knob(arena, space, "THREADS", (const int[]){ 256, 128, 512, -1 });
	}
}

/* Is the pass cut into parts, at this point? */
static bool is_cut(const struct passes_writer *w, const struct pass *p)
{
	return w->part && p->along && terms_of(w->problem, p->lead) > w->part;
}

/* The pass at statement `first`, as it is written. */
static struct pass next_pass(const struct passes_writer *w, size_t first)
{
	struct pass p = passes_at(w->match, first, false);

	return is_cut(w, &p) ? passes_at(w->match, first, true) : p;
}

static bool write_memory(struct passes_writer *w, struct strbuf *why_not)
{
	for (size_t i = 0; i < w->match->count; i = w->pass.end) {
		w->pass = next_pass(w, i);
		for (size_t k = w->pass.first; k < w->pass.end; k++) {
			if (passes_is_kept(w, k))
				passes_write_buffer(w, &w->match->stmt[k], "kept", "");
		}
		if (!w->pass.along && (!w->pass.lead->index_count || w->pass.lead->index_count > MAP_RANK)) {
			strbuf_addf(why_not, "passes: '%s' is a map of no or more than %d dimensions", w->pass.lead->name, MAP_RANK);
			return false;
		}
		if (is_cut(w, &w->pass))
			passes_write_part_memory(w);
	}
	return true;
}

static int lower(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target, const struct space *space,
		 const struct point *point, struct strbuf *text, struct strbuf *why_not)
{
	struct passes_writer w = { .arena = arena, .match = m, .problem = problem, .text = text, .lanes = point_int(space, point, "LANES"), .part = point_int(space, point, "PART"),
			    .columns = point_int(space, point, "BN"), .threads = point_int(space, point, "THREADS") };
	bool is_in_parts = false, maps = false;

	(void)target;
	write_head(arena, problem, text);
	if (!write_memory(&w, why_not))
		return 0;
	for (size_t i = 0; i < m->count; i = w.pass.end) {
		w.pass = next_pass(&w, i);
		if (!w.pass.along) {
			passes_write_map(&w);
			maps = true;
		} else if (is_cut(&w, &w.pass)) {
			passes_write_parts(&w);
			is_in_parts = true;
		} else if (terms_of(problem, w.pass.lead) > MOST_TERMS_OF_FEW && points_of(problem, w.pass.lead) < FEW_ROWS) {
			strbuf_addf(why_not, "a few blocks would go through all of '%s'", w.pass.lead->name);
			return 0;
		} else {
			passes_write_whole(&w);
		}
	}
	if (w.kernels > TILE_MAX_KERNELS)
		strbuf_addf(why_not, "more than %d kernels", TILE_MAX_KERNELS);
	else if (w.part && !is_in_parts)
		strbuf_addstr(why_not, "PART does nothing: no row is longer");
	else if (w.columns && !maps && (point->value[space->knob_count - 1] || point->value[space->knob_count - 2]))
		strbuf_addstr(why_not, "BN and THREADS do nothing: no map has a kernel of its own");
	else
		return 1;
	return 0;
}

const struct skeleton skeleton_passes = {
	.name = "passes",
	.summary = "reductions of long rows, in parts: losses, norms and softmax whose rows fill no block",
	.needs_warps = true,
	.serves_simt = true,
	.match = passes_match,
	.knobs = knobs,
	.lower = lower,
};
