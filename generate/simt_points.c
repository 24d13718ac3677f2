#include "generate/simt_points.h"
#include "generate/emit_c.h"
#include "generate/vector_c.h"

#include <string.h>

/*
 * Threads 0..Lanes-1 of each group of neighbours put their values together, by halves: the
 * order, and so the result, is always the same.  `memory` has 16 bytes a thread.
 */
static const char together[] =
	"template <int Lanes, class Fold, class T> KM_D T km_together(T x, void *memory) {\n"
	" T *const all = (T *)memory; const int tid = KM_TID, lane = tid % Lanes; km_barrier(); all[tid] = x; km_barrier();\n"
	" for (int o = Lanes / 2; o; o /= 2) { if (lane < o) all[tid] = Fold::of(all[tid], all[tid + o]); km_barrier(); }\n"
	" return all[tid - lane]; }\n"
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

/* Declares the point of this thread, and whether it counts; returns how many threads of the block have one. */
static int64_t declare_point(struct simt *s, struct emitter *e, uint32_t mask)
{
	const struct tile_kernel *k = s->kernel;
	struct strbuf on = STRBUF_INIT;
	int64_t stride = e->lanes;

	if (e->lanes > 1)
		simt_line(s, "const int km_part = km_tid %% %d;", e->lanes);
	for (size_t i = k->index_count; i-- > 0;) {
		const struct tile_index *x = &k->index[i];
		if (!(mask >> i & 1))
			continue;
		e->index[i].is_fixed = true;
		simt_line(s, "const long %s = km_tid / %lld %% %lld;", x->name, (long long)stride, (long long)x->extent);
		stride *= x->extent;
		if (x->live)
			strbuf_addf(&on, "%s%s < %s", on.len ? " && " : "", x->name, simt_int_text(s, x->live));
	}
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

void simt_print_points(struct simt *s, const char *symbol)
{
	const struct tile_kernel *k = s->kernel;
	struct emitter e = { .program = s->program, .kernel = k, .target = s->target, .out = s->out, .err = s->err, .depth = 1,
			     .lanes = (int)tile_knob_int(k, "LANES", 1), .block_tile = -1, .vector = -1, .written = -1, .is_thread = true };

	if (k->index_count > EMIT_MAX_INDICES || k->tile_count > EMIT_MAX_TILES) {
		simt_fail(s, "too many indices or tiles");
		return;
	}
	e.is_double = tile_wants_double(s->program, k);
	strbuf_addstr(s->out, "namespace km_points {\n");
	simt_head(s, symbol, arena_printf(&s->arena, "KM_KERNEL(%d)", k->threads), "");
	simt_place(s);
	declare_tiles(s, e.lanes > 1);
	if (declare_point(s, &e, spread_indices(k, k->stmt, k->stmt_count)) > k->threads || k->threads % e.lanes || (e.lanes & (e.lanes - 1)))
		simt_fail(s, "%d threads are too few for the points of a block, or share them unevenly", k->threads);
	if (!s->failed)
		emit_stmts(&e, k->stmt, k->stmt_count);
	s->failed |= e.failed;
	strbuf_addstr(s->out, "}\n}\n");
	arena_release(&e.arena);
}
