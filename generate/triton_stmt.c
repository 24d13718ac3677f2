/* Kernels and statements of printed Triton. */
#include "generate/triton.h"

#include <string.h>

/* Beyond MOST_A_THREAD points a thread what is unrolled spills, and takes its compiler many seconds. */
enum { MOST_POINTS = 1 << 20, MOST_A_THREAD = 128, LEAST_DOT = 16, MOST_WARPS = 32 };

void triton_fail(struct triton *s, const char *fmt, ...)
{
	va_list ap;

	if (s->failed)
		return;
	s->failed = true;
	strbuf_addf(s->err, "kernel '%s': ", s->kernel->name);
	va_start(ap, fmt);
	strbuf_vaddf(s->err, fmt, ap);
	va_end(ap);
}

void triton_line(struct triton *s, const char *fmt, ...)
{
	va_list ap;

	strbuf_addf(s->out, "%*s", 4 * s->depth, "");
	va_start(ap, fmt);
	strbuf_vaddf(s->out, fmt, ap);
	va_end(ap);
	strbuf_addch(s->out, '\n');
}

/* ---- statements ------------------------------------------------------ */

void triton_bound_axes(struct triton *s)
{
	int64_t points = 1;

	for (int k = 0; k < s->axis_count; k++)
		if (__builtin_mul_overflow(points, triton_padded(s, s->axis[k]), &points) || points > MOST_POINTS) {
			triton_fail(s, "a statement over more than %d points", MOST_POINTS);
			return;
		}
	if (points > (int64_t)MOST_A_THREAD * s->kernel->threads)
		triton_fail(s, "%lld points for %d threads", (long long)points, s->kernel->threads);
}

/* The axes of a statement: its target's indices, in their order there. */
static void open_axes(struct triton *s, const struct tile_stmt *stmt)
{
	s->axis_count = s->kept_count = 0;
	for (size_t a = 0; a < stmt->at_count; a++)
		for (int i = 0; i < (int)s->kernel->index_count; i++) {
			bool has = false;
			for (int k = 0; k < s->axis_count; k++)
				has |= s->axis[k] == i;
			if (has || !expr_uses(stmt->at[a], s->kernel->index[i].name))
				continue;
			if (s->axis_count == TRITON_MAX_AXES) {
				triton_fail(s, "more than %d axes", TRITON_MAX_AXES);
				return;
			}
			s->axis[s->axis_count++] = i;
		}
	triton_bound_axes(s);
}

static struct triton_value right_side(struct triton *s, const struct expr *x)
{
	enum expr_op of;

	return expr_is_scan(x, &of) ? triton_scan(s, x) : triton_print_value(s, x);
}

static void print_map(struct triton *s, const struct tile_stmt *stmt)
{
	const struct tile *t = &s->kernel->tile[stmt->target];
	struct triton_value v = right_side(s, stmt->value);
	const char *text = triton_narrowed(s, v, t->dtype);
	uint32_t all = 0;

	for (int i = 0; i < s->axis_count; i++)
		all |= UINT32_C(1) << s->axis[i];
	if (!dtype_is_real(t->dtype)) {
		triton_fail(s, "tile '%s' of %s is not printed for Triton", t->name, dtype_name(t->dtype));
		return;
	}
	if (!v.over)
		text = arena_printf(&s->arena, "tl.full(%s, %s, %s)", triton_shape(s), text, triton_dtype(t->dtype));
	else if (v.over != all)
		text = arena_printf(&s->arena, "tl.broadcast_to(%s, %s)", text, triton_shape(s));
	triton_line(s, "t_%s = %s", t->name, text);
}

static void print_stage(struct triton *s, const struct tile_stmt *stmt)
{
	const struct tile *t = &s->kernel->tile[stmt->target];
	const struct tile_buffer *b = &s->program->buffer[tile_buffer_find(s->program, stmt->value->name)];
	const char *text = triton_load(s, stmt->value);
	struct expr *const *at = stmt->value->arg;

	if (!dtype_is_real(t->dtype) || !dtype_is_real(b->dtype) || (b->dtype != t->dtype && (dtype_bytes(b->dtype) == 1 || dtype_bytes(t->dtype) == 1))) {
		triton_fail(s, "a copy of %s to %s is not printed for Triton", dtype_name(b->dtype), dtype_name(t->dtype));
		return;
	}
	/* A tensor of fewer axes than the tile: where the source does not depend on an index. */
	for (int i = 0; i < s->axis_count; i++) {
		bool used = false;
		for (size_t d = 0; d < stmt->value->arg_count; d++)
			used |= expr_uses(at[d], s->kernel->index[s->axis[i]].name);
		if (!used)
			triton_fail(s, "tile '%s' repeats its source, which is not printed for Triton", t->name);
	}
	if (b->dtype != t->dtype)
		text = arena_printf(&s->arena, "%s.to(%s)", text, triton_dtype(t->dtype));
	triton_line(s, "t_%s = %s", t->name, text);
}

/* An operand as [first, second] of these indices. */
static const char *operand(struct triton *s, const struct expr *x, int first, int second)
{
	int t = tile_find(s->kernel, x->name);
	int at[2];

	for (size_t d = 0; d < 2; d++)
		at[d] = t >= 0 && x->arg_count == 2 && x->arg[d]->kind == EXPR_NAME ? tile_index_find(s->kernel, x->arg[d]->name) : -1;
	bool is_plain = at[0] == first && at[1] == second, is_turned = at[0] == second && at[1] == first;
	if (!is_plain && !is_turned)
		triton_fail(s, "an mma of anything but plain tiles is not printed for Triton");
	return arena_printf(&s->arena, is_plain ? "t_%s" : "tl.trans(t_%s)", x->name);
}

static void print_mma(struct triton *s, const struct tile_stmt *stmt)
{
	const struct tile *acc = &s->kernel->tile[stmt->target];
	const char *precision = tile_knob(s->kernel, "PRECISION", "ieee");
	struct strbuf why = STRBUF_INIT;
	struct mma_groups g;

	if (!tile_mma_groups(s->kernel, stmt, &g, &why))
		triton_fail(s, "%s", why.buf);
	else if (g.row_count != 1 || g.column_count != 1 || g.depth_count != 1 || acc->rank != 2 || acc->index[0] != g.row[0])
		triton_fail(s, "an mma of groups of several indices is not printed for Triton");
	strbuf_release(&why);
	if (s->failed)
		return;
	const int *index[] = { g.row, g.column, g.depth };
	for (int i = 0; i < 3; i++)
		if (triton_padded(s, *index[i]) < LEAST_DOT)
			triton_fail(s, "an mma of less than %d points along '%s'", LEAST_DOT, s->kernel->index[*index[i]].name);
	const char *a = operand(s, g.a, g.row[0], g.depth[0]), *b = operand(s, g.b, g.depth[0], g.column[0]);
	int ta = tile_find(s->kernel, g.a->name), tb = tile_find(s->kernel, g.b->name);
	if (!s->failed && s->kernel->tile[ta].dtype != s->kernel->tile[tb].dtype)
		triton_fail(s, "an mma of factors of two types is not printed for Triton");
	triton_line(s, "t_%s = tl.dot(%s, %s, t_%s, input_precision=\"%s\"%s)", acc->name, a, b, acc->name, precision,
		    acc->dtype == DTYPE_f64 ? ", out_dtype=tl.float64" : "");
}

static void print_store(struct triton *s, const struct tile_stmt *stmt)
{
	const struct tile_buffer *b = &s->program->buffer[stmt->target];
	struct triton_value v = right_side(s, stmt->value);
	const char *mask, *pointer = triton_pointer(s, expr_access(&s->arena, b->name, stmt->at, stmt->at_count), &mask);
	const char *text = triton_narrowed(s, v, b->dtype);

	triton_line(s, "tl.store(%s, %s%s%s)", pointer, text, mask ? ", mask=" : "", mask ? mask : "");
}

static void print_list(struct triton *s, const struct tile_stmt *stmt, size_t count);

static void print_for(struct triton *s, const struct tile_stmt *f)
{
	if (s->for_count == TRITON_MAX_FORS) {
		triton_fail(s, "loops nested too deeply");
		return;
	}
	s->axis_count = s->kept_count = 0;
	const char *lo = triton_whole(s, f->lo), *hi = triton_whole(s, f->hi);
	triton_line(s, "for v_%s in tl.range(%s, %s, %lld, num_stages=%d):", f->var, lo, hi, (long long)f->step, f->pipe > 1 ? f->pipe : 1);
	s->fors[s->for_count++] = f;
	s->depth++;
	print_list(s, f->body, f->body_count);
	s->depth--;
	s->for_count--;
}

static void print_list(struct triton *s, const struct tile_stmt *stmt, size_t count)
{
	for (size_t i = 0; i < count && !s->failed; i++) {
		if (stmt[i].kind == TILE_FOR) {
			print_for(s, &stmt[i]);
			continue;
		}
		open_axes(s, &stmt[i]);
		if (s->failed)
			return;
		switch (stmt[i].kind) {
		case TILE_MAP:
			print_map(s, &stmt[i]);
			break;
		case TILE_STAGE:
			print_stage(s, &stmt[i]);
			break;
		case TILE_MMA:
			print_mma(s, &stmt[i]);
			break;
		case TILE_STORE:
			print_store(s, &stmt[i]);
			break;
		case TILE_ATOMIC:
			triton_fail(s, "atomic stores are not printed for Triton yet");
			break;
		default: /* barriers are its compiler's */
			break;
		}
	}
}

/* ---- kernels --------------------------------------------------------- */

static void check_kernel(struct triton *s, const struct target *target)
{
	const struct tile_kernel *k = s->kernel;
	int warps = target->warp > 1 ? k->threads / target->warp : 0;

	if (warps < 1 || k->threads % target->warp || warps & (warps - 1) || warps > MOST_WARPS || k->threads > target->max_threads)
		triton_fail(s, "%d threads a block: Triton wants a power of two of warps", k->threads);
	if (tile_knob_int(k, "BLOCKS", 1) > 1)
		triton_fail(s, "a cluster's blocks share no instance in Triton");
	for (size_t i = 0; i < k->tile_count; i++)
		if (k->tile[i].place == PLACE_VIEW)
			triton_fail(s, "view '%s' is not printed for Triton", k->tile[i].name);
}

/* A number by which every value of the dim is divisible, from `require D % n == 0`. */
static int64_t divisor_of(const struct tile_program *program, const char *dim)
{
	int64_t divisor = 1;

	for (size_t i = 0; i < program->require_count; i++) {
		const struct expr *e = program->require[i], *m = e->kind == EXPR_BINARY && e->op == OP_EQ ? e->arg[0] : NULL;
		if (m && m->kind == EXPR_BINARY && m->op == OP_MOD && m->arg[0]->kind == EXPR_NAME && !strcmp(m->arg[0]->name, dim) &&
		    m->arg[1]->kind == EXPR_INT && e->arg[1]->kind == EXPR_INT && !e->arg[1]->int_value && m->arg[1]->int_value > divisor)
			divisor = m->arg[1]->int_value;
	}
	return divisor;
}

/*
 * Program ids of the instance.  With WALK the last two dimensions are taken in groups of so
 * many of the first, each group column by column.
 */
static void print_instance(struct triton *s)
{
	const struct tile_kernel *k = s->kernel;
	int last = k->grid_count - 1;
	int64_t walk = last ? tile_knob_int(k, "WALK", 1) : 1;

	triton_line(s, "km_p = tl.program_id(0)");
	for (int g = walk > 1 ? last - 1 : 1; g < k->grid_count; g++)
		triton_line(s, "km_g%d = tl.cast(%s, tl.int32)", g, triton_whole(s, k->grid[g]));
	if (!last)
		triton_line(s, "p0 = km_p.to(tl.int64)");
	if (last == 2)
		triton_line(s, walk > 1 ? "p0 = (km_p // (km_g1 * km_g2)).to(tl.int64)\n    km_p = km_p %% (km_g1 * km_g2)" : "p0 = (km_p // (km_g1 * km_g2)).to(tl.int64)");
	if (last && walk > 1) {
		triton_line(s, "km_first = km_p // (%lld * km_g%d) * %lld", (long long)walk, last, (long long)walk);
		triton_line(s, "km_height = tl.minimum(km_g%d - km_first, %lld)", last - 1, (long long)walk);
		triton_line(s, "km_p = km_p %% (%lld * km_g%d)", (long long)walk, last);
		triton_line(s, "p%d = (km_first + km_p %% km_height).to(tl.int64)", last - 1);
		triton_line(s, "p%d = (km_p // km_height).to(tl.int64)", last);
	} else if (last) {
		triton_line(s, last == 1 ? "p0 = (km_p // km_g1).to(tl.int64)" : "p1 = (km_p // km_g2 %% km_g1).to(tl.int64)");
		triton_line(s, "p%d = (km_p %% km_g%d).to(tl.int64)", last, last);
	}
}

/*
 * A line for what compiles it: warps of a block, sizes of the indices, and of what types
 * and divisors its parameters are.  Buffers begin at multiples of 16 bytes.
 */
static void print_head(struct triton *s, const char *symbol, const struct target *target)
{
	const struct tile_kernel *k = s->kernel;

	strbuf_addf(s->out, "#: %s_%s %d ", symbol, k->name, k->threads / target->warp);
	for (size_t i = 0; i < k->index_count; i++)
		strbuf_addf(s->out, "%s%lld", i ? "," : "", (long long)triton_padded(s, (int)i));
	strbuf_addstr(s->out, k->index_count ? "" : "-");
	for (size_t i = 0; i < s->program->buffer_count; i++)
		strbuf_addf(s->out, " *%s:16", triton_dtype(s->program->buffer[i].dtype) + strlen("tl."));
	for (size_t i = 0; i < s->program->dim_count; i++)
		if (!s->program->dim[i].is_static)
			strbuf_addf(s->out, " int64:%lld", (long long)divisor_of(s->program, s->program->dim[i].name));
	strbuf_addf(s->out, "\n@triton.jit\ndef %s_%s(", symbol, k->name);
	for (size_t i = 0; i < s->program->buffer_count; i++)
		strbuf_addf(s->out, "%sb_%s", i ? ", " : "", s->program->buffer[i].name);
	for (size_t i = 0; i < s->program->dim_count; i++)
		if (!s->program->dim[i].is_static)
			strbuf_addf(s->out, ", d_%s", s->program->dim[i].name);
	strbuf_addstr(s->out, "):\n");
	s->depth = 1;
	print_instance(s);
	for (size_t i = 0; i < k->index_count; i++)
		if (triton_padded(s, (int)i) <= MOST_POINTS)
			triton_line(s, "i_%s = tl.arange(0, %lld)", k->index[i].name, (long long)triton_padded(s, (int)i));
}

int triton_print(const struct tile_program *program, const struct target *target, const char *symbol, struct strbuf *out, struct strbuf *err)
{
	int ret = 0;

	for (size_t i = 0; i < program->kernel_count && !ret; i++) {
		struct triton s = { .program = program, .kernel = &program->kernel[i], .out = out, .err = err,
				    .is_double = tile_wants_double(program, &program->kernel[i]) };
		check_kernel(&s, target);
		if (!s.failed) {
			print_head(&s, symbol, target);
			print_list(&s, s.kernel->stmt, s.kernel->stmt_count);
		}
		ret = s.failed ? -1 : 0;
		arena_release(&s.arena);
	}
	return ret;
}
