/* The rules a tile program keeps before it is printed. */
#include "generate/target.h"
#include "generate/tile.h"

#include <string.h>

struct checker {
	struct arena arena;
	const struct tile_program *program;
	const struct tile_kernel *kernel;
	const struct target *target;
	const char *loop[16];  /* variables of enclosing FORs */
	size_t loop_count;
	const struct tile_stmt *stmt;     /* at hand, or NULL: what it writes binds indices */
	const struct expr *reduction[8];  /* enclosing the expression at hand */
	size_t reduction_count;
	bool is_written[64];   /* tiles */
	struct strbuf *err;
	int faults;
};

static void fault(struct checker *c, int line, const char *fmt, ...) PRINTF(3, 4);
static void fault(struct checker *c, int line, const char *fmt, ...)
{
	va_list ap;

	c->faults++;
	strbuf_addf(c->err, "%s%s: line %d: ", c->err->len ? "\n" : "", c->kernel->name, line);
	va_start(ap, fmt);
	strbuf_vaddf(c->err, fmt, ap);
	va_end(ap);
}

static bool is_integer_buffer(const struct checker *c, const char *name)
{
	int b = tile_buffer_find(c->program, name);
	return b >= 0 && !dtype_is_real(c->program->buffer[b].dtype);
}

/* Does the statement, or a reduction around, run over this index? */
static bool is_bound(const struct checker *c, const char *name)
{
	for (size_t i = 0; c->stmt && i < c->stmt->at_count; i++)
		if (expr_uses(c->stmt->at[i], name))
			return true;
	for (size_t i = 0; i < c->reduction_count; i++)
		for (size_t k = 0; k < c->reduction[i]->range_count; k++)
			if (!strcmp(c->reduction[i]->range[k].name, name))
				return true;
	return false;
}

/* A program id, dim or loop variable: the same for the whole statement. */
static bool is_outer(const struct checker *c, const char *name)
{
	if (name[0] == 'p' && name[1] >= '0' && name[1] < '0' + c->kernel->grid_count && !name[2])
		return true;
	for (size_t i = 0; i < c->program->dim_count; i++)
		if (!strcmp(c->program->dim[i].name, name))
			return true;
	for (size_t i = 0; i < c->loop_count; i++)
		if (!strcmp(c->loop[i], name))
			return true;
	return false;
}

static bool is_stored(const struct checker *c, const char *name)
{
	return tile_find(c->kernel, name) >= 0 || tile_buffer_find(c->program, name) >= 0;
}

static void check_value(struct checker *c, const struct expr *e, int line, bool in_index);

/* An access; a bare name of a tile or buffer is one of rank 0. */
static void check_access(struct checker *c, const struct expr *e, int line, bool in_index)
{
	int t = tile_find(c->kernel, e->name), b = tile_buffer_find(c->program, e->name);
	size_t rank = t >= 0 ? c->kernel->tile[t].rank : b >= 0 ? c->program->buffer[b].rank : 0;

	if (t < 0 && b < 0) {
		fault(c, line, "'%s' is neither a tile nor a buffer", e->name);
		return;
	}
	if (rank != e->arg_count)
		fault(c, line, "'%s' has rank %zu, read with %zu indices", e->name, rank, e->arg_count);
	if (t >= 0 && !c->is_written[t])
		fault(c, line, "tile '%s' is read before it is written", e->name);
	if (t < 0 && c->program->buffer[b].role == PLAN_OUT)
		fault(c, line, "output '%s' is read", e->name);
	if (in_index && !is_integer_buffer(c, e->name))
		fault(c, line, "'%s' stands in an index but is no integer buffer", e->name);
	for (size_t i = 0; i < e->arg_count; i++)
		check_value(c, e->arg[i], line, true);
	if (e->otherwise)
		check_value(c, e->otherwise, line, false);
}

static void check_reduction(struct checker *c, const struct expr *e, int line, bool in_index)
{
	if ((e->op == OP_ARGMAX || e->op == OP_ARGMIN) && e->range_count != 1)
		fault(c, line, "%s is over one range", expr_op_text(e->op));
	enum expr_op of;
	bool scans = expr_is_scan(e, &of);
	if ((scans || e->op == OP_ORDER) && (!c->stmt || e != c->stmt->value))
		fault(c, line, "%s is the whole right side of its statement", scans ? "a scan" : "an order");
	if (e->op == OP_ORDER && c->stmt && (c->stmt->kind != TILE_MAP || !c->stmt->at_count || e->range_count != 1 || e->range[0].hi))
		fault(c, line, "order is over one tile index, into a tile");
	if (e->op == OP_BISECT && (e->range_count != 1 || !e->range[0].hi || e->filter))
		fault(c, line, "bisect is over one range with bounds, without a condition");
	for (size_t i = 0; i < e->range_count; i++) {
		if (!e->range[i].hi && tile_index_find(c->kernel, e->range[i].name) < 0)
			fault(c, line, "reduction over '%s', which is no tile index and has no bounds", e->range[i].name);
		if (e->range[i].hi) {
			check_value(c, e->range[i].lo, line, true);
			check_value(c, e->range[i].hi, line, true);
		}
	}
	if (c->reduction_count == ARRAY_SIZE(c->reduction)) {
		fault(c, line, "more than %zu reductions inside one another", ARRAY_SIZE(c->reduction));
		return;
	}
	c->reduction[c->reduction_count++] = e;
	if (e->filter)
		check_value(c, e->filter, line, in_index);
	check_value(c, e->arg[0], line, in_index);
	c->reduction_count--;
}

static void check_value(struct checker *c, const struct expr *e, int line, bool in_index)
{
	if (e->kind == EXPR_REDUCE) {
		check_reduction(c, e, line, in_index);
		return;
	}
	if (e->kind == EXPR_ACCESS || (e->kind == EXPR_NAME && is_stored(c, e->name))) {
		check_access(c, e, line, in_index);
		return;
	}
	if (e->kind == EXPR_NAME && !is_outer(c, e->name) && !is_bound(c, e->name))
		fault(c, line, tile_index_find(c->kernel, e->name) >= 0 ? "index '%s' is not in scope: neither what is written nor a reduction runs over it" :
		      "'%s' is not in scope", e->name);
	for (size_t i = 0; i < e->arg_count; i++)
		check_value(c, e->arg[i], line, in_index);
}

static void check_mma(struct checker *c, const struct tile_stmt *s)
{
	struct mma_groups g;
	struct strbuf why = STRBUF_INIT;

	if (!tile_mma_groups(c->kernel, s, &g, &why))
		fault(c, s->line, "%s", why.buf);
	else if (!g.row_count || !g.column_count || !g.depth_count)
		fault(c, s->line, "an mma has rows, columns and a depth");
	strbuf_release(&why);
	if (!c->is_written[s->target])
		fault(c, s->line, "accumulator '%s' is not initialised", c->kernel->tile[s->target].name);
	check_value(c, s->value, s->line, false);
}

/* In a pipelined loop copies come first, then what reads them, and nothing is stored between. */
static void check_pipe(struct checker *c, const struct tile_stmt *loop)
{
	bool consuming = false;

	for (size_t i = 0; loop->pipe > 1 && i < loop->body_count; i++) {
		bool is_stage = loop->body[i].kind == TILE_STAGE;
		if (is_stage && consuming)
			fault(c, loop->body[i].line, "a copy behind a consumer in a loop with 'pipe %d'", loop->pipe);
		consuming |= !is_stage;
	}
}

static void check_stmts(struct checker *c, const struct tile_stmt *stmt, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct tile_stmt *s = &stmt[i];
		bool on_buffer = s->kind == TILE_STORE || s->kind == TILE_ATOMIC;
		if (s->kind == TILE_BARRIER)
			continue;
		c->stmt = s->kind == TILE_FOR ? NULL : s;
		if (s->kind == TILE_FOR) {
			check_value(c, s->lo, s->line, true);
			check_value(c, s->hi, s->line, true);
			if (is_outer(c, s->var) || is_stored(c, s->var) || tile_index_find(c->kernel, s->var) >= 0)
				fault(c, s->line, "loop variable '%s' is already a name", s->var);
			check_pipe(c, s);
			if (c->loop_count < 16)
				c->loop[c->loop_count++] = s->var;
			check_stmts(c, s->body, s->body_count);
			c->loop_count--;
			continue;
		}
		size_t rank = on_buffer ? c->program->buffer[s->target].rank : c->kernel->tile[s->target].rank;
		const char *name = on_buffer ? c->program->buffer[s->target].name : c->kernel->tile[s->target].name;
		if (s->at_count != rank)
			fault(c, s->line, "'%s' has rank %zu, written with %zu indices", name, rank, s->at_count);
		for (size_t k = 0; k < s->at_count; k++) {
			check_value(c, s->at[k], s->line, true);
			bool own = on_buffer || (s->at[k]->kind == EXPR_NAME && k < rank &&
						 !strcmp(s->at[k]->name, c->kernel->index[c->kernel->tile[s->target].index[k]].name));
			if (!own)
				fault(c, s->line, "tile '%s' is written by its own indices", name);
		}
		if (on_buffer && c->program->buffer[s->target].role == PLAN_IN)
			fault(c, s->line, "input '%s' is written", name);
		if (s->kind == TILE_MMA)
			check_mma(c, s);
		else
			check_value(c, s->value, s->line, false);
		if (!on_buffer)
			c->is_written[s->target] = true;
	}
}

/* The deepest `pipe` of a loop that stages this tile. */
static int pipe_of(const struct tile_stmt *stmt, size_t count, int tile, int pipe)
{
	int most = 1;

	for (size_t i = 0; i < count; i++) {
		int p = 1;
		if (stmt[i].kind == TILE_FOR)
			p = pipe_of(stmt[i].body, stmt[i].body_count, tile, stmt[i].pipe);
		else if (stmt[i].kind == TILE_STAGE && stmt[i].target == tile)
			p = pipe;
		most = p > most ? p : most;
	}
	return most;
}

static void check_tiles(struct checker *c)
{
	int64_t shared = 0;

	for (size_t i = 0; i < c->kernel->tile_count; i++) {
		const struct tile *t = &c->kernel->tile[i];
		int64_t extent[8], points = 1;
		if (t->place == PLACE_VIEW)
			continue;
		for (size_t d = 0; d < t->rank; d++) {
			extent[d] = c->kernel->index[t->index[d]].extent;
			if (__builtin_mul_overflow(points, extent[d], &points))
				points = INT64_MAX;
		}
		if (points > INT64_C(1) << 31)
			fault(c, 0, "tile '%s' has more than 2^31 points", t->name);
		/* Counting points is dear; row-major is one to one by construction. */
		if (*t->layout_text && points <= 1 << 20 && !layout_is_one_to_one(&t->layout, extent, t->rank))
			fault(c, 0, "layout '%s' of tile '%s' puts two points at one address", t->layout_text, t->name);
		if (t->place == PLACE_SHARED)
			shared += t->layout.elems * (int64_t)dtype_bytes(t->dtype) * pipe_of(c->kernel->stmt, c->kernel->stmt_count, (int)i, 1);
	}
	if (c->target && c->target->shared_bytes && shared > c->target->shared_bytes)
		fault(c, 0, "%lld bytes of shared tiles, '%s' has %lld", (long long)shared, c->target->name, (long long)c->target->shared_bytes);
	if (c->target && c->target->max_threads && c->kernel->threads > c->target->max_threads)
		fault(c, 0, "%d threads, '%s' has %d", c->kernel->threads, c->target->name, c->target->max_threads);
}

int tile_verify(const struct tile_program *program, const struct target *target,
		struct strbuf *err)
{
	int faults = 0;

	for (size_t i = 0; i < program->kernel_count; i++) {
		struct checker c = { .program = program, .kernel = &program->kernel[i], .target = target, .err = err };
		check_tiles(&c);
		for (size_t k = 0; k < c.kernel->index_count; k++)
			if (c.kernel->index[k].live)
				for (size_t d = 0; d < c.kernel->tile_count; d++)
					if (expr_uses(c.kernel->index[k].live, c.kernel->tile[d].name))
						fault(&c, 0, "live extent of '%s' reads tile '%s'", c.kernel->index[k].name, c.kernel->tile[d].name);
		check_stmts(&c, c.kernel->stmt, c.kernel->stmt_count);
		faults += c.faults;
		arena_release(&c.arena);
	}
	return faults ? -1 : 0;
}
