#include "generate/simt_points.h"
#include "generate/emit_c.h"
#include "generate/recognise.h"
#include "generate/vector_c.h"

#include <string.h>

/*
 * The Lanes threads of each group, Apart from each other, put their values together, by halves: the order, and
 * so the result, is always the same.  `memory` has 16 bytes a thread.
 */
static const char together[] =
	"template <int Lanes, int Apart, class Fold, class T> KM_D T km_together(T x, void *memory) {\n"
	/* Whole warps first among themselves, without a barrier. */
	" if constexpr (Apart == 1 && Lanes >= KM_WARP && __is_arithmetic(T)) { T *const red = (T *)memory; const int tid = KM_TID, warp = tid / KM_WARP, lane = tid % KM_WARP;\n"
	"  KM_UNROLL for (int o = 1; o < KM_WARP; o *= 2) x = Fold::of(x, km_lane_value(x, lane ^ o));\n"
	"  if constexpr (Lanes > KM_WARP) { constexpr int warps = Lanes / KM_WARP; km_barrier(); if (lane == 0) red[warp] = x; km_barrier();\n"
	"   x = red[warp / warps * warps]; KM_UNROLL for (int w = 1; w < warps; w++) x = Fold::of(x, red[warp / warps * warps + w]); }\n"
	"  return x; }\n"
	" T *const all = (T *)memory; const int tid = KM_TID, lane = tid / Apart % Lanes; km_barrier(); all[tid] = x; km_barrier();\n"
	" for (int o = Lanes / 2; o; o /= 2) { if (lane < o) all[tid] = Fold::of(all[tid], all[tid + o * Apart]); km_barrier(); }\n"
	" return all[tid - lane * Apart]; }\n"
	"template <class T> struct km_sum_of { static KM_D T of(T a, T b) { return a + b; } };\n"
	"template <class T> struct km_product_of { static KM_D T of(T a, T b) { return a * b; } };\n"
	/* A NaN stays. */
	"template <class T> struct km_greatest_of { static KM_D T of(T a, T b) { return a > b || a != a ? a : b; } };\n"
	"template <class T> struct km_least_of { static KM_D T of(T a, T b) { return a < b || a != a ? a : b; } };\n"
	/* Of places: of the greater (or lesser) value, of a NaN before it, of equal ones the first; -1 is none. */
	"template <class T> struct km_placed { T value; long place; };\n"
	"template <class T, bool Greatest> struct km_place_of { static KM_D km_placed<T> of(km_placed<T> a, km_placed<T> b) {\n"
	" if (a.place < 0 || b.place < 0) return a.place < 0 ? b : a; const bool x = a.value != a.value, y = b.value != b.value;\n"
	" if (x != y) return x ? a : b; if (x || a.value == b.value) return a.place < b.place ? a : b;\n"
	" return (a.value > b.value) == Greatest ? a : b; } };\n";

/* Of indices in 32 bits. */
static const char short_numbers[] =
	"KM_I int km_min_short(int a, int b) { return a < b ? a : b; }\nKM_I int km_max_short(int a, int b) { return a > b ? a : b; }\n"
	"KM_I int km_cdiv_short(int a, int b) { return (a + b - 1) / b; }\nKM_I int km_rup_short(int a, int b) { return (a + b - 1) / b * b; }\n"
	"KM_I int km_fdiv_short(int a, int b) { return a / b - (a % b && (a < 0) != (b < 0)); }\n"
	"KM_I int km_fmod_short(int a, int b) { return a - km_fdiv_short(a, b) * b; }\nKM_I int km_labs_short(int a) { return a < 0 ? -a : a; }\n";

bool simt_is_points(const struct tile_kernel *kernel)
{
	return tile_knob_int(kernel, "LANES", 0) > 0;
}

bool simt_has_points(const struct tile_program *program)
{
	for (size_t i = 0; i < program->kernel_count; i++)
		if (simt_is_points(&program->kernel[i]))
			return true;
	return false;
}

void simt_points_vocabulary(struct strbuf *out)
{
	/* Names of its own: the two vocabularies share some. */
	strbuf_addstr(out, "namespace km_points {\n");
	scalar_c_prologue(true, out);
	strbuf_addstr(out, short_numbers);
	strbuf_addstr(out, together);
	strbuf_addstr(out, "}\n");
}

/* Indices in the targets of statements: those that threads are spread over. */
static uint32_t spread_indices(const struct tile_kernel *k, const struct tile_stmt *stmt, size_t count)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < count; i++) {
		for (size_t a = 0; a < stmt[i].at_count; a++)
			for (size_t n = 0; n < k->index_count; n++)
				mask |= expr_uses(stmt[i].at[a], k->index[n].name) ? UINT32_C(1) << n : 0;
		mask |= spread_indices(k, stmt[i].body, stmt[i].body_count);
	}
	return mask;
}

/* Points of a block's indices. */
static int64_t points_of(const struct tile_kernel *k, uint32_t mask)
{
	int64_t points = 1;

	for (size_t i = 0; i < k->index_count; i++)
		points *= mask >> i & 1 ? k->index[i].extent : 1;
	return points;
}

/*
 * Declares the point of this thread, and whether it counts; returns how many threads of the block have one.
 * Those that share a point are neighbours, or (APART) as far apart as the block has points.
 */
static int64_t declare_point(struct simt *s, struct emitter *e, uint32_t mask)
{
	const struct tile_kernel *k = s->kernel;
	struct strbuf on = STRBUF_INIT;
	int64_t points = points_of(k, mask), stride = tile_knob_int(k, "APART", 0) ? 1 : e->lanes;

	e->apart = stride == e->lanes ? 1 : (int)points;
	if (e->lanes > 1)
		simt_line(s, "const int km_part = km_tid / %d %% %d;", e->apart, e->lanes);
	for (size_t i = k->index_count; i-- > 0;) {
		const struct tile_index *x = &k->index[i];
		if (!(mask >> i & 1))
			continue;
		e->index[i].is_fixed = true;
		simt_line(s, "const %s %s = km_tid / %lld %% %lld;", emit_index_type(e), x->name, (long long)stride, (long long)x->extent);
		stride *= x->extent;
		if (x->live)
			strbuf_addf(&on, "%s%s < %s", on.len ? " && " : "", x->name, simt_int_text(s, x->live));
	}
	stride = points * e->lanes;
	if (stride < k->threads)
		strbuf_addf(&on, "%skm_tid < %lld", on.len ? " && " : "", (long long)stride);
	if (e->lanes > 1)
		simt_line(s, "const bool km_on = %s;", on.len ? on.buf : "true");
	else if (on.len)
		simt_line(s, "if (!(%s)) return;", on.buf);
	strbuf_release(&on);
	return stride;
}

static void declare_tiles(struct simt *s, bool is_shared)
{
	const struct tile_kernel *k = s->kernel;

	if (is_shared)
		simt_line(s, "KM_SHARED(km_shared, %d);", 16 * k->threads);
	for (size_t i = 0; i < k->tile_count; i++) {
		const struct tile *t = &k->tile[i];
		if (t->place != PLACE_REG)
			simt_fail(s, "tile '%s' is in no thread's registers", t->name);
		simt_line(s, "km_%s t_%s[1];", dtype_name(t->dtype), t->name);
	}
}

/* e with the reduced ranges at their ends: where the index, which is affine in them, is least or greatest; NULL: it is not. */
static const struct expr *at_end(struct simt *s, const struct emitter *e, const struct expr *index, bool greatest)
{
	for (int i = 0; i < e->range_count; i++) {
		const struct expr_range *r = e->range[i];
		int64_t stride;
		if (!expr_uses(index, r->name))
			continue;
		if (!affine_stride(&s->arena, index, r->name, &stride))
			return NULL;
		struct expr *last = expr_binary(&s->arena, OP_SUB, r->hi, expr_int(&s->arena, 1));
		index = expr_replace_name(&s->arena, index, r->name, (stride > 0) == greatest ? last : r->lo);
	}
	return index;
}

/* Adds what must hold for the access to be inside, whatever is reduced; false where that is not known before. */
static bool add_inside(struct simt *s, struct emitter *e, const struct expr *access, struct strbuf *condition)
{
	const struct tile_buffer *b = emit_buffer(e, access->name);
	struct facts facts = emit_facts(e);

	for (size_t d = 0; b && d < access->arg_count; d++) {
		if (tile_proven_inside(&s->arena, &facts, access->arg[d], b->dim[d]))
			continue;
		const struct expr *least = at_end(s, e, access->arg[d], false), *greatest = at_end(s, e, access->arg[d], true);
		if (!least || !greatest)
			return false;
		const char *text = emit_text(e, "%s >= 0 && %s < %s", emit_int(e, least), emit_int(e, greatest), emit_int(e, b->dim[d]));
		if (!strstr(condition->buf, text))
			strbuf_addf(condition, "%s%s", condition->len ? " && " : "", text);
	}
	return true;
}

static bool add_all_inside(struct simt *s, struct emitter *e, const struct expr *x, struct strbuf *condition)
{
	int ranges = e->range_count;
	bool is_known = !x->filter;

	if (x->kind == EXPR_REDUCE)
		is_known &= x->op <= OP_MIN;
	for (size_t i = 0; i < x->range_count && is_known; i++) {
		is_known = x->range[i].hi && range_is_static(&x->range[i], NULL, 0) && e->range_count < EMIT_MAX_FORS;
		if (is_known)
			e->range[e->range_count++] = &x->range[i];
	}
	if (x->kind == EXPR_ACCESS && is_known) {
		for (size_t i = 0; i < x->arg_count; i++)
			is_known &= !reads_any_tensor(x->arg[i]);
		is_known = is_known && add_inside(s, e, x, condition);
	}
	for (size_t i = 0; i < x->arg_count && is_known; i++)
		is_known = add_all_inside(s, e, x->arg[i], condition);
	e->range_count = ranges;
	return is_known;
}

static bool reduces_some(const struct expr *x)
{
	bool reduces = x->kind == EXPR_REDUCE;

	for (size_t i = 0; i < x->arg_count && !reduces; i++)
		reduces = reduces_some(x->arg[i]);
	return reduces;
}

/*
 * The condition under which all that a thread reads and writes is inside, for kernels that reduce windows: most
 * threads' is, and neighbouring points then share what they read.  NULL: there is none, or it is not known.
 */
static const char *inside_condition(struct simt *s, struct emitter *e)
{
	const struct tile_kernel *k = s->kernel;
	struct strbuf condition = STRBUF_INIT;
	bool is_known = e->lanes == 1, reduces = false;

	for (size_t i = 0; i < k->stmt_count && is_known; i++) {
		const struct tile_stmt *x = &k->stmt[i];
		is_known = x->kind == TILE_STORE;
		reduces |= x->value && reduces_some(x->value);
		if (is_known)
			is_known = add_all_inside(s, e, x->value, &condition) &&
				   add_inside(s, e, expr_access(&s->arena, s->program->buffer[x->target].name, x->at, x->at_count), &condition);
	}
	const char *text = is_known && reduces ? arena_printf(&s->arena, "%s", condition.len ? condition.buf : "true") : NULL;
	strbuf_release(&condition);
	return text;
}

/* Reductions with conditions of their own, over ranges that nothing but dims bounds. */
static bool is_window(const struct tile_kernel *k)
{
	bool is = tile_knob_int(k, "LANES", 1) == 1 && k->stmt_count;

	for (size_t i = 0; i < k->stmt_count && is; i++) {
		const struct expr *e = k->stmt[i].value;
		is = k->stmt[i].kind == TILE_STORE && e->kind == EXPR_REDUCE && e->op <= OP_MIN && !reads_any_tensor(e->filter);
		for (size_t r = 0; is && r < e->range_count; r++)
			is = e->range[r].hi && range_is_static(&e->range[r], NULL, 0);
	}
	return is;
}

/* The kernel's threads at their points. */
static void print_body(struct simt *s)
{
	const struct tile_kernel *k = s->kernel;
	struct emitter e = { .program = s->program, .kernel = k, .target = s->target, .out = s->out, .err = s->err, .depth = s->depth,
			     .lanes = (int)tile_knob_int(k, "LANES", 1), .block_tile = -1, .vector = -1, .written = -1, .is_thread = true, .is_short = tile_has_short_indices(k) };

	if (k->index_count > EMIT_MAX_INDICES || k->tile_count > EMIT_MAX_TILES) {
		simt_fail(s, "too many indices or tiles");
		return;
	}
	e.is_double = tile_wants_double(s->program, k);
	simt_place(s);
	declare_tiles(s, e.lanes > 1);
	if (declare_point(s, &e, spread_indices(k, k->stmt, k->stmt_count)) > k->threads || k->threads % e.lanes || (e.lanes & (e.lanes - 1)))
		simt_fail(s, "%d threads are too few for the points of a block, or share them unevenly", k->threads);
	struct emit_hoist hoist = { .text = STRBUF_INIT };
	struct strbuf text = STRBUF_INIT;
	e.hoist = &hoist;
	e.out = &text;
	const char *inside = s->failed ? NULL : inside_condition(s, &e);
	e.is_window = inside || is_window(k);
	if (inside) {
		emit_open(&e, "if (%s)", inside);
		e.is_inside = true;
		emit_stmts(&e, k->stmt, k->stmt_count);
		e.is_inside = false;
		emit_line(&e, "return;");
		emit_close(&e, 1);
	}
	if (!s->failed && (!inside || strcmp(inside, "true")))
		emit_stmts(&e, k->stmt, k->stmt_count);
	strbuf_add(s->out, hoist.text.buf, hoist.text.len);
	strbuf_add(s->out, text.buf, text.len);
	strbuf_release(&hoist.text);
	strbuf_release(&text);
	s->failed |= e.failed;
	arena_release(&e.arena);
}

void simt_print_points(struct simt *s, const char *symbol)
{
	strbuf_addstr(s->out, "namespace km_points {\n");
	simt_head(s, symbol, arena_printf(&s->arena, "KM_KERNEL(%d)", s->kernel->threads), "");
	if (!s->failed)
		print_body(s);
	strbuf_addstr(s->out, "}\n}\n");
}
