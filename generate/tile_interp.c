/*
 * Runs a tile program in double, one instance after the other, layouts ignored:
 * a wrong lowering shows here, a wrong printer only in the printed code.
 */
#include "generate/tile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NAMES = 64 };

struct runner {
	const struct tile_program *program;
	const struct tile_kernel *kernel;
	struct binding name[MAX_NAMES];
	size_t name_count;
	double *data[32];            /* of buffers */
	int64_t extent[32][8];       /* of buffers */
	double *tile[32];
	const struct expr *view[32]; /* what a @view tile is bound to */
	struct strbuf *err;
	bool failed;
	double running;              /* total of the scan at hand */
};

static void fail(struct runner *r, const char *fmt, ...) PRINTF(2, 3);
static void fail(struct runner *r, const char *fmt, ...)
{
	va_list ap;

	if (r->failed)
		return;
	r->failed = true;
	strbuf_addf(r->err, "%s: ", r->kernel ? r->kernel->name : r->program->name);
	va_start(ap, fmt);
	strbuf_vaddf(r->err, fmt, ap);
	va_end(ap);
}

static struct binding *find(struct runner *r, const char *name)
{
	for (size_t i = r->name_count; i-- > 0;)
		if (!strcmp(r->name[i].name, name))
			return &r->name[i];
	return NULL;
}

static void set(struct runner *r, const char *name, int64_t value)
{
	struct binding *b = find(r, name);

	if (!b && r->name_count < MAX_NAMES) {
		b = &r->name[r->name_count++];
		b->name = name;
	}
	if (b)
		b->value = value;
	else
		fail(r, "more than %d names", MAX_NAMES);
}

static double real_value(struct runner *r, const struct expr *e);

static int64_t floor_div(int64_t a, int64_t b)
{
	return b ? a / b - (a % b && (a < 0) != (b < 0)) : 0;
}

static int64_t int_value(struct runner *r, const struct expr *e)
{
	struct binding *b;
	int64_t x, y;

	switch (e->kind) {
	case EXPR_INT:
		return e->int_value;
	case EXPR_NAME:
		b = find(r, e->name);
		if (!b)
			fail(r, "'%s' has no value", e->name);
		return b ? b->value : 0;
	case EXPR_ACCESS:
		return (int64_t)real_value(r, e);
	case EXPR_NEG:
		return -int_value(r, e->arg[0]);
	case EXPR_SELECT:
		return int_value(r, e->arg[int_value(r, e->arg[0]) ? 1 : 2]);
	case EXPR_CALL:
		x = int_value(r, e->arg[0]);
		y = e->arg_count > 1 ? int_value(r, e->arg[1]) : 0;
		if (!strcmp(e->name, "cdiv"))
			return -floor_div(-x, y);
		if (!strcmp(e->name, "rup"))
			return -floor_div(-x, y) * y;
		if (!strcmp(e->name, "minimum"))
			return x < y ? x : y;
		if (!strcmp(e->name, "maximum"))
			return x > y ? x : y;
		fail(r, "'%s' is no integer function", e->name);
		return 0;
	case EXPR_BINARY:
		x = int_value(r, e->arg[0]);
		y = int_value(r, e->arg[1]);
		switch (e->op) {
		case OP_ADD: return x + y;
		case OP_SUB: return x - y;
		case OP_MUL: return x * y;
		case OP_FLOORDIV: return floor_div(x, y);
		case OP_MOD: return x - floor_div(x, y) * y;
		case OP_EQ: return x == y;
		case OP_NE: return x != y;
		case OP_LT: return x < y;
		case OP_LE: return x <= y;
		case OP_GT: return x > y;
		case OP_GE: return x >= y;
		case OP_AND: return x && y;
		case OP_OR: return x || y;
		default: break;
		}
		/* fall through */
	default:
		fail(r, "a real number where an integer is wanted");
		return 0;
	}
}

static int64_t live_extent(struct runner *r, int i)
{
	const struct tile_index *x = &r->kernel->index[i];
	int64_t live = x->live ? int_value(r, x->live) : x->extent;

	return live < 0 ? 0 : live < x->extent ? live : x->extent;
}

/* Flat position of an access in a tile, row-major over extents; -1 outside. */
static int64_t tile_position(struct runner *r, const struct tile *t, struct expr *const *at)
{
	int64_t flat = 0;

	for (size_t i = 0; i < t->rank; i++) {
		int64_t v = int_value(r, at[i]), extent = r->kernel->index[t->index[i]].extent;
		if (v < 0 || v >= extent)
			return -1;
		flat = flat * extent + v;
	}
	return flat;
}

static int64_t buffer_position(struct runner *r, int b, struct expr *const *at)
{
	int64_t flat = 0;

	for (size_t i = 0; i < r->program->buffer[b].rank; i++) {
		int64_t v = int_value(r, at[i]);
		if (v < 0 || v >= r->extent[b][i])
			return -1;
		flat = flat * r->extent[b][i] + v;
	}
	return flat;
}

static double access_value(struct runner *r, const struct expr *e)
{
	int t = tile_find(r->kernel, e->name), b = tile_buffer_find(r->program, e->name);

	if (t >= 0 && r->view[t]) {
		/* The bound access with the tile's own indices at the values asked for. */
		const struct tile *tile = &r->kernel->tile[t];
		int64_t at[8], saved[8];
		for (size_t i = 0; i < tile->rank; i++)
			at[i] = int_value(r, e->arg[i]);
		for (size_t i = 0; i < tile->rank; i++) {
			const char *name = r->kernel->index[tile->index[i]].name;
			struct binding *k = find(r, name);
			saved[i] = k ? k->value : 0;
			set(r, name, at[i]);
		}
		double v = access_value(r, r->view[t]);
		for (size_t i = 0; i < tile->rank; i++)
			set(r, r->kernel->index[tile->index[i]].name, saved[i]);
		return v;
	}
	if (t >= 0) {
		int64_t p = tile_position(r, &r->kernel->tile[t], e->arg);
		return p < 0 ? NAN : r->tile[t][p];
	}
	if (b < 0) {
		fail(r, "'%s' is neither a tile nor a buffer", e->name);
		return 0;
	}
	int64_t p = buffer_position(r, b, e->arg);
	return p >= 0 ? r->data[b][p] : e->otherwise ? real_value(r, e->otherwise) : 0;
}

static double fold(enum expr_op op, double a, double x)
{
	if (op == OP_SUM || op == OP_MMA || op == OP_SCAN || op == OP_ORDER || op == OP_BISECT)
		return a + x;
	if (op == OP_PROD)
		return a * x;
	if (isnan(a) || isnan(x))
		return NAN;
	return op == OP_MAX ? (x > a ? x : a) : (x < a ? x : a);
}

static double reduce_from(struct runner *r, const struct expr *e, size_t level, double total)
{
	if (level == e->range_count && e->filter && real_value(r, e->filter) == 0)
		return total;
	if (level == e->range_count)
		return fold(e->op, total, real_value(r, e->arg[0]));
	const struct expr_range *g = &e->range[level];
	int index = g->hi ? -1 : tile_index_find(r->kernel, g->name);
	int64_t lo = g->hi ? int_value(r, g->lo) : 0, hi = g->hi ? int_value(r, g->hi) : live_extent(r, index);
	struct binding *outer = find(r, g->name);
	int64_t saved = outer ? outer->value : 0;
	for (int64_t i = lo; i < hi && !r->failed; i++) {
		set(r, g->name, i);
		total = reduce_from(r, e, level + 1, total);
	}
	set(r, g->name, saved);
	return total;
}

/* The first place of the greatest or least term, of a NaN where there is one; -1 of none. */
static double place_of(struct runner *r, const struct expr *e)
{
	const struct expr_range *g = &e->range[0];
	int index = g->hi ? -1 : tile_index_find(r->kernel, g->name);
	int64_t hi = g->hi ? int_value(r, g->hi) : live_extent(r, index), place = -1;
	double best = 0;

	for (int64_t i = g->hi ? int_value(r, g->lo) : 0; i < hi && !r->failed; i++) {
		set(r, g->name, i);
		if (e->filter && real_value(r, e->filter) == 0)
			continue;
		double x = real_value(r, e->arg[0]);
		if (place < 0 || (e->op == OP_ARGMAX ? x > best : x < best) || (isnan(x) && !isnan(best))) {
			best = x;
			place = i;
		}
	}
	return (double)place;
}

static double call_value(struct runner *r, const struct expr *e)
{
	const struct function *f = function_find(e->name);
	double x[3] = { 0 };

	for (size_t i = 0; i < e->arg_count && i < 3; i++)
		x[i] = real_value(r, e->arg[i]);
	if (f && f->value)
		return f->value(x);
	if (!f) {
		fail(r, "unknown function '%s'", e->name);
		return 0;
	}
	/* A prelude function: its parameters become numbers in its definition. */
	struct arena arena = ARENA_INIT;
	struct expr *d;
	double v = NAN;
	if (!expr_parse(&arena, f->definition, f->name, EXPR_BODY, &d, r->err)) {
		int n = 0;
		for (const char *s = f->params; *s; s += strspn(s, " ")) {
			size_t len = strcspn(s, " ");
			d = expr_replace_name(&arena, d, arena_strndup(&arena, s, len), expr_real(&arena, x[n++]));
			s += len;
		}
		v = real_value(r, d);
	}
	arena_release(&arena);
	return v;
}

static double real_value(struct runner *r, const struct expr *e)
{
	double x, y;

	if (r->failed)
		return 0;
	switch (e->kind) {
	case EXPR_INT: return (double)e->int_value;
	case EXPR_REAL: return e->real_value;
	case EXPR_NAME:
		if (tile_find(r->kernel, e->name) >= 0 || tile_buffer_find(r->program, e->name) >= 0)
			return access_value(r, e);
		return (double)int_value(r, e);
	case EXPR_ACCESS: return access_value(r, e);
	case EXPR_NEG: return -real_value(r, e->arg[0]);
	case EXPR_SELECT: return real_value(r, e->arg[real_value(r, e->arg[0]) != 0 ? 1 : 2]);
	case EXPR_CALL: return call_value(r, e);
	case EXPR_REDUCE:
		if (e->op == OP_ARGMAX || e->op == OP_ARGMIN)
			return place_of(r, e);
		return reduce_from(r, e, 0, e->op == OP_PROD ? 1 : e->op == OP_MAX ? -INFINITY : e->op == OP_MIN ? INFINITY : 0);
	case EXPR_BINARY:
		x = real_value(r, e->arg[0]);
		y = real_value(r, e->arg[1]);
		switch (e->op) {
		case OP_ADD: return x + y;
		case OP_SUB: return x - y;
		case OP_MUL: return x * y;
		case OP_DIV: return x / y;
		case OP_FLOORDIV: return floor(x / y);
		case OP_MOD: return x - floor(x / y) * y;
		case OP_EQ: return x == y;
		case OP_NE: return x != y;
		case OP_LT: return x < y;
		case OP_LE: return x <= y;
		case OP_GT: return x > y;
		case OP_GE: return x >= y;
		case OP_AND: return x != 0 && y != 0;
		case OP_OR: return x != 0 || y != 0;
		default: return NAN;
		}
	}
	return NAN;
}

/* ---- statements ------------------------------------------------------ */

static void assign(struct runner *r, const struct tile_stmt *s, double v)
{
	bool on_buffer = s->kind == TILE_STORE || s->kind == TILE_ATOMIC;
	int64_t p = on_buffer ? buffer_position(r, s->target, s->at) : tile_position(r, &r->kernel->tile[s->target], s->at);
	double *to = on_buffer ? r->data[s->target] : r->tile[s->target];

	if (p < 0)
		return;
	if (s->kind == TILE_ATOMIC || s->kind == TILE_MMA)
		to[p] += v;
	else
		to[p] = v;
}

/* The point of the last index goes where its rank says. */
static void assign_ordered(struct runner *r, const struct tile_stmt *s)
{
	const char *last = s->at[s->at_count - 1]->name;
	int64_t c = find(r, last)->value, rank = (int64_t)real_value(r, s->value);

	set(r, last, rank);
	assign(r, s, (double)c);
	set(r, last, c);
}

/* Visits the live points of the statement's indices; a scan's index runs innermost. */
static void points(struct runner *r, const struct tile_stmt *s, const int *index, size_t count, size_t level)
{
	enum expr_op op;
	bool scans = expr_is_scan(s->value, &op);

	if (r->failed)
		return;
	if (level == count) {
		if (scans) {
			r->running = fold(op, r->running, real_value(r, s->value->arg[0]));
			assign(r, s, r->running);
		} else if (s->value->kind == EXPR_REDUCE && s->value->op == OP_ORDER) {
			assign_ordered(r, s);
		} else {
			assign(r, s, real_value(r, s->value));
		}
		return;
	}
	int64_t hi = live_extent(r, index[level]);
	if (scans && level + 1 == count)
		r->running = op == OP_PROD;
	bool is_back = scans && level + 1 == count && s->value->op == OP_SCAN_BACK;
	for (int64_t i = 0; i < hi; i++) {
		set(r, r->kernel->index[index[level]].name, is_back ? hi - 1 - i : i);
		points(r, s, index, count, level + 1);
	}
}

/* Points beyond the live extents are undefined, whatever an earlier iteration left there: NaN. */
static void forget_dead(struct runner *r, const struct tile *t, double *value)
{
	int64_t live[8], extent[8], points = 1;

	for (size_t d = 0; d < t->rank; d++) {
		live[d] = live_extent(r, t->index[d]);
		extent[d] = r->kernel->index[t->index[d]].extent;
		points *= extent[d];
	}
	for (int64_t p = 0; p < points; p++) {
		int64_t rest = p;
		bool is_live = true;
		for (size_t d = t->rank; d-- > 0; rest /= extent[d])
			is_live &= rest % extent[d] < live[d];
		if (!is_live)
			value[p] = NAN;
	}
}

static void run_stmts(struct runner *r, const struct tile_stmt *stmt, size_t count)
{
	for (size_t i = 0; i < count && !r->failed; i++) {
		const struct tile_stmt *s = &stmt[i];
		int index[16];
		size_t n = 0;
		if (s->kind == TILE_BARRIER)
			continue;
		if (s->kind == TILE_FOR) {
			int64_t lo = int_value(r, s->lo), hi = int_value(r, s->hi);
			for (int64_t v = lo; v < hi && !r->failed; v += s->step) {
				set(r, s->var, v);
				run_stmts(r, s->body, s->body_count);
			}
			continue;
		}
		if (s->kind == TILE_STAGE && r->kernel->tile[s->target].place == PLACE_VIEW) {
			r->view[s->target] = s->value;
			continue;
		}
		enum expr_op op;
		const char *last = expr_is_scan(s->value, &op) ? s->value->range[0].name : NULL;
		for (size_t k = 0; k < r->kernel->index_count && n < 16; k++) {
			bool used = false;
			for (size_t a = 0; a < s->at_count; a++)
				used |= expr_uses(s->at[a], r->kernel->index[k].name);
			if (used && (!last || strcmp(last, r->kernel->index[k].name)))
				index[n++] = (int)k;
		}
		if (last)
			index[n++] = tile_index_find(r->kernel, last);
		points(r, s, index, n, 0);
		if (s->kind == TILE_MAP || s->kind == TILE_STAGE)
			forget_dead(r, &r->kernel->tile[s->target], r->tile[s->target]);
	}
}

static int run_kernel(struct runner *r)
{
	const struct tile_kernel *k = r->kernel;
	int64_t grid[PLAN_MAX_GRID], instances = 1, elems[32] = { 0 };
	size_t names = r->name_count;

	for (int g = 0; g < k->grid_count; g++)
		instances *= grid[g] = int_value(r, k->grid[g]);
	for (size_t t = 0; t < k->tile_count; t++) {
		elems[t] = 1;
		for (size_t d = 0; d < k->tile[t].rank; d++)
			elems[t] *= k->index[k->tile[t].index[d]].extent;
		r->view[t] = NULL;
		r->tile[t] = k->tile[t].place == PLACE_VIEW ? NULL : malloc(sizeof(double) * (size_t)elems[t]);
		if (!r->tile[t] && k->tile[t].place != PLACE_VIEW)
			fail(r, "no memory for tile '%s'", k->tile[t].name);
	}
	int class = tile_buffer_find(r->program, "_class");
	if (class >= 0 && tile_knob(k, "WHEN", NULL) && !(tile_knob_int(k, "WHEN", 0) >> (int)r->data[class][0] & 1))
		instances = 0;
	for (int64_t n = 0; n < instances && !r->failed; n++) {
		int64_t rest = n;
		for (int g = k->grid_count; g-- > 0; rest /= grid[g])
			set(r, tile_grid_name[g], rest % grid[g]);
		/* What an instance did not write is undefined: it shows as NaN. */
		for (size_t t = 0; t < k->tile_count; t++)
			for (int64_t i = 0; r->tile[t] && i < elems[t]; i++)
				r->tile[t][i] = NAN;
		run_stmts(r, k->stmt, k->stmt_count);
	}
	for (size_t t = 0; t < k->tile_count; t++) {
		free(r->tile[t]);
		r->tile[t] = NULL;
	}
	r->name_count = names;
	return r->failed ? -1 : 0;
}

int tile_interp(const struct tile_program *program, const int64_t *dim, double *const *data,
		struct strbuf *err)
{
	struct runner r = { .program = program, .err = err };
	double *own[32] = { NULL };
	int run_time = 0, ret = -1;

	for (size_t i = 0; i < program->dim_count; i++)
		set(&r, program->dim[i].name, program->dim[i].is_static ? program->dim[i].value : dim[run_time++]);
	for (size_t b = 0; b < program->buffer_count; b++) {
		int64_t elems = 1;
		for (size_t d = 0; d < program->buffer[b].rank; d++) {
			r.kernel = &program->kernel[0];
			r.extent[b][d] = int_value(&r, program->buffer[b].dim[d]);
			elems *= r.extent[b][d];
		}
		r.data[b] = data[b];
		if (data[b])
			continue;
		own[b] = r.data[b] = malloc(sizeof(double) * (size_t)(elems + 1));
		if (!own[b])
			abort();
		/* Padding of temporaries is undefined too. */
		for (int64_t i = 0; i < elems; i++)
			own[b][i] = NAN;
	}
	for (size_t k = 0; k < program->kernel_count && !r.failed; k++) {
		r.kernel = &program->kernel[k];
		if (run_kernel(&r))
			goto out;
	}
	ret = r.failed ? -1 : 0;
out:
	for (size_t b = 0; b < program->buffer_count; b++)
		free(own[b]);
	return ret;
}
