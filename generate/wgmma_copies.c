/* How operands of warp groups come to shared memory: tensor maps, boxes, in which order. */
#include "generate/wgmma.h"

/* ---- tensor maps ----------------------------------------------------- */

static void add_text(struct strbuf *out, const char *separator, const struct expr *e)
{
	struct strbuf text = STRBUF_INIT;

	expr_print(e, &text);
	strbuf_replace(&text, " ", "");
	strbuf_addf(out, "%s%s", separator, text.buf);
	strbuf_release(&text);
}

/* "dims= strides=", the fastest first. */
static void add_dims(struct simt *s, const struct tile_buffer *b, struct strbuf *out)
{
	struct strbuf strides = STRBUF_INIT;
	struct expr *stride = NULL;

	strbuf_addf(out, "tensor: %s dims=", b->name);
	for (size_t i = 0; i < b->rank; i++) {
		struct expr *dim = b->dim[b->rank - 1 - i];
		add_text(out, i ? "," : "", dim);
		if (i)
			add_text(&strides, i > 1 ? "," : "", stride);
		stride = stride ? expr_binary(&s->arena, OP_MUL, stride, dim) : dim;
	}
	strbuf_addf(out, " strides=%s", strides.buf);
	strbuf_release(&strides);
}

/* A box as wide as the tile along each index. */
static void add_box(struct simt *s, const struct wgmma_pipeline *p, const struct wgmma_operand *o, struct strbuf *out)
{
	const struct expr *from = o->stage->value;

	for (size_t i = 0; i < from->arg_count; i++) {
		const struct expr *at = from->arg[from->arg_count - 1 - i];
		int64_t box = 1, step;
		for (int x = 0; x < 2; x++) {
			int index = x ? o->slow : o->fast;
			if (!affine_stride(&s->arena, at, s->kernel->index[index].name, &step) || (step && step != 1) || (i == 0 && !x && !step))
				simt_fail(s, "'%s' is not read in rows that the copy engine takes", from->name);
			else if (step)
				box = x ? wgmma_rows(s, p, o) : wgmma_row_elems(o);
		}
		strbuf_addf(out, "%s%lld", i ? "," : " box=", (long long)box);
	}
	strbuf_addf(out, " swizzle=%d", WGMMA_ROW_BYTES);
}

static void add_pixels(struct simt *s, const struct wgmma_pipeline *p, const struct wgmma_operand *o, struct strbuf *out)
{
	strbuf_addf(out, " box=%lld,%lld swizzle=%d", (long long)wgmma_row_elems(o), (long long)wgmma_rows(s, p, o), WGMMA_ROW_BYTES);
	for (int a = 0; a < o->axis_count; a++)
		strbuf_addf(out, "%s%lld", a ? "," : " from=", (long long)o->axis[a].from);
	for (int a = 0; a < o->axis_count; a++)
		add_text(out, a ? "," : " count=", o->axis[a].count);
	for (int a = 0; a < o->axis_count; a++)
		strbuf_addf(out, "%s%lld", a ? "," : " step=", (long long)o->axis[a].step);
}

void wgmma_print_tensor(struct simt *s, const struct wgmma_pipeline *p, const struct wgmma_operand *o)
{
	const struct expr *from = o->stage->value;
	const struct tile_buffer *b = simt_buffer(s, from->name);
	struct strbuf *out = &s->launch->tensor;

	if (!b || *b->layout_text || b->dtype != o->tile->dtype || b->rank < 2 || b->rank > PLAN_MAX_RANK) {
		simt_fail(s, "the copy engine cannot copy '%s' to tile '%s'", from->name, o->tile->name);
		return;
	}
	add_dims(s, b, out);
	if (o->axis_count)
		add_pixels(s, p, o, out);
	else
		add_box(s, p, o, out);
	strbuf_addch(out, '\n');
}

/* The access's index in the buffer's dimension d, counted from the fastest, where the tile's indices have these values. */
static const char *coordinate(struct simt *s, const struct wgmma_operand *o, size_t d, const char *fast, const char *slow)
{
	const struct expr *from = o->stage->value;
	struct expr *at = expr_replace_name(&s->arena, from->arg[from->arg_count - 1 - d], s->kernel->index[o->slow].name, expr_name(&s->arena, slow));

	at = expr_replace_name(&s->arena, at, s->kernel->index[o->fast].name, expr_name(&s->arena, fast));
	return arena_printf(&s->arena, ", (int)%s", simt_int_text(s, expr_simplify(&s->arena, at)));
}

/* Coordinates of the box that begins at km_fast, km_slow; of pixels, where they begin, then how far from there they are read. */
static const char *coordinates(struct simt *s, const struct wgmma_operand *o)
{
	size_t rank = o->stage->value->arg_count;
	struct strbuf text = STRBUF_INIT;

	for (size_t d = 0; d < rank; d++)
		if (o->axis_count && d > 0 && d + 1 < rank)
			strbuf_addf(&text, ", km_pixel%d_%zu", o->map, d - 1);
		else
			strbuf_addstr(&text, coordinate(s, o, d, "km_fast", "km_slow"));
	for (int a = 0; a < o->axis_count; a++)
		strbuf_addf(&text, ", (unsigned short)%s", simt_int_text(s, o->axis[a].offset));
	const char *kept = arena_strdup(&s->arena, text.buf);
	strbuf_release(&text);
	return kept;
}

/* ---- asking for them -------------------------------------------------- */

void wgmma_open_instances(struct simt *s, const struct wgmma_pipeline *p)
{
	const struct tile_kernel *k = s->kernel;
	int rows = k->grid_count - 2, columns = k->grid_count - 1;

	const char *rank = p->cluster > 1 ? arena_printf(&s->arena, " * %d + KM_BID %% %d", p->cluster, p->cluster) : "";
	long long walk = tile_knob_int(k, "WALK", 8);
	simt_line(s, "const unsigned km_rows = km_g%d / %d, km_columns = km_g%d;", rows, p->cluster, columns);
	simt_open(s, "for (unsigned km_at = KM_BID / %d; km_at < km_rows * km_columns%s; km_at += KM_BLOCKS / %d)", p->cluster, rows ? " * km_g0" : "", p->cluster);
	simt_line(s, "const unsigned km_in = km_at %% (km_rows * km_columns), km_wide = %lld * km_columns, km_first = km_in / km_wide * %lld;", walk, walk);
	simt_line(s, "const unsigned km_high = (unsigned)km_least(km_rows - km_first, %lld);", walk);
	simt_line(s, "const long p%d = (km_first + km_in %% km_wide %% km_high)%s, p%d = km_in %% km_wide / km_high;", rows, rank, columns);
	if (rows)
		simt_line(s, "const long p0 = km_at / (km_rows * km_columns);");
}

const char *wgmma_slot(struct simt *s, const struct wgmma_pipeline *p)
{
	return arena_printf(&s->arena, "km_base + km_slot * %lld", (long long)p->slot_bytes);
}

/* This block's part of an operand that a cluster's blocks share begins at this row. */
static const char *first_row(struct simt *s, const struct wgmma_pipeline *p, const struct wgmma_operand *o)
{
	return o->is_shared && o->is_depth_fast ? arena_printf(&s->arena, "KM_BID %% %d * %lld", p->cluster, (long long)wgmma_rows(s, p, o)) : "0";
}

void wgmma_declare_pixels(struct simt *s, const struct wgmma_pipeline *p, const struct wgmma_operand *o)
{
	if (!o->axis_count)
		return;
	simt_line(s, "int km_pixel%d_0%s%s;", o->map, o->axis_count > 1 ? arena_printf(&s->arena, ", km_pixel%d_1", o->map) : "",
		  o->axis_count > 2 ? arena_printf(&s->arena, ", km_pixel%d_2", o->map) : "");
	simt_block(s);
	simt_line(s, "const int km_slow = %s;", first_row(s, p, o));
	for (int a = 0; a < o->axis_count; a++) {
		const struct expr *digit = expr_replace_name(&s->arena, o->axis[a].digit, s->kernel->index[o->slow].name, expr_name(&s->arena, "km_slow"));
		simt_line(s, "km_pixel%d_%d = (int)%s * %lld + %lld;", o->map, a, simt_int_text(s, digit), (long long)o->axis[a].step, (long long)o->axis[a].from);
	}
	simt_close(s, 1);
}

void wgmma_print_copies(struct simt *s, const struct wgmma_pipeline *p, const struct wgmma_operand *o, const char *to, const char *barrier)
{
	int64_t fast = s->kernel->index[o->fast].extent, slow = s->kernel->index[o->slow].extent, row_length = wgmma_row_elems(o);
	const char *word = arena_printf(&s->arena, "km_copy_%s%s", o->axis_count ? "pixels" : "box", o->is_shared ? "_to_all" : "");
	const char *map = arena_printf(&s->arena, "&km_map%d, %s", o->map, barrier);
	bool is_cut = o->is_shared && !o->is_depth_fast;
	int64_t boxes = fast / row_length / (is_cut ? p->cluster : 1);

	for (int64_t b = 0; b < boxes; b++) {
		const char *first = is_cut ? arena_printf(&s->arena, "KM_BID %% %d * %lld", p->cluster, (long long)(boxes * row_length)) : "0";
		simt_block(s);
		simt_line(s, "const int km_fast = %s + %lld, km_slow = %s;", first, (long long)(b * row_length), first_row(s, p, o));
		simt_line(s, "%s(%s + %lld + km_fast / %lld * %lld + km_slow * %d, %s%s);", word, to, (long long)o->at, (long long)row_length,
			  (long long)(slow * WGMMA_ROW_BYTES), WGMMA_ROW_BYTES, map, coordinates(s, o));
		simt_close(s, 1);
	}
}
