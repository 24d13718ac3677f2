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

void wgmma_print_tensor(struct simt *s, const struct wgmma_pipeline *p, const struct wgmma_operand *o)
{
	const struct expr *from = o->stage->value;
	const struct tile_buffer *b = simt_buffer(s, from->name);
	struct strbuf *out = &s->launch->tensor, boxes = STRBUF_INIT, strides = STRBUF_INIT;
	struct expr *stride = NULL;

	if (!b || *b->layout_text || b->dtype != o->tile->dtype || b->rank < 2 || b->rank > PLAN_MAX_RANK) {
		simt_fail(s, "the copy engine cannot copy '%s' to tile '%s'", from->name, o->tile->name);
		return;
	}
	strbuf_addf(out, "tensor: %s dims=", b->name);
	for (size_t i = 0; i < b->rank; i++) {
		size_t d = b->rank - 1 - i;
		int64_t box = 1, step;
		for (int x = 0; x < 2; x++) {
			int index = x ? o->slow : o->fast;
			if (!affine_stride(&s->arena, from->arg[d], s->kernel->index[index].name, &step) || (step && step != 1) || (i == 0 && !x && !step))
				simt_fail(s, "'%s' is not read in rows that the copy engine takes", from->name);
			else if (step)
				box = x ? s->kernel->index[index].extent / (o->is_shared && o->is_depth_fast ? p->cluster : 1) : wgmma_row_elems(o);
		}
		add_text(out, i ? "," : "", b->dim[d]);
		if (i)
			add_text(&strides, i > 1 ? "," : "", stride);
		stride = stride ? expr_binary(&s->arena, OP_MUL, stride, b->dim[d]) : b->dim[d];
		strbuf_addf(&boxes, "%s%lld", i ? "," : "", (long long)box);
	}
	strbuf_addf(out, " strides=%s box=%s swizzle=%d\n", strides.buf, boxes.buf, WGMMA_ROW_BYTES);
	strbuf_release(&strides);
	strbuf_release(&boxes);
}

/* Coordinates of the box that begins at these points, as texts, of the tile's indices. */
static const char *coordinates(struct simt *s, const struct wgmma_operand *o, const char *fast, const char *slow)
{
	const struct expr *from = o->stage->value;
	const struct tile_buffer *b = simt_buffer(s, from->name);
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < b->rank; i++) {
		struct expr *at = expr_replace_name(&s->arena, from->arg[b->rank - 1 - i], s->kernel->index[o->slow].name, expr_name(&s->arena, slow));
		at = expr_replace_name(&s->arena, at, s->kernel->index[o->fast].name, expr_name(&s->arena, fast));
		strbuf_addf(&text, ", (int)%s", simt_int_text(s, expr_simplify(&s->arena, at)));
	}
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

void wgmma_print_copies(struct simt *s, const struct wgmma_pipeline *p, const struct wgmma_operand *o, const char *to, const char *barrier)
{
	int64_t fast = s->kernel->index[o->fast].extent, slow = s->kernel->index[o->slow].extent, row_length = wgmma_row_elems(o);
	const char *word = o->is_shared ? "km_copy_box_to_all" : "km_copy_box", *map = arena_printf(&s->arena, "&km_map%d, %s", o->map, barrier);
	int64_t boxes = fast / row_length / (o->is_shared && !o->is_depth_fast ? p->cluster : 1);

	for (int64_t b = 0; b < boxes; b++) {
		simt_block(s);
		const char *first = "0", *row = "0";
		if (o->is_shared && o->is_depth_fast)
			row = arena_printf(&s->arena, "KM_BID %% %d * %lld", p->cluster, (long long)(slow / p->cluster));
		else if (o->is_shared)
			first = arena_printf(&s->arena, "KM_BID %% %d * %lld", p->cluster, (long long)(boxes * row_length));
		simt_line(s, "const int km_fast = %s + %lld, km_slow = %s;", first, (long long)(b * row_length), row);
		simt_line(s, "%s(%s + %lld + km_fast / %lld * %lld + km_slow * %d, %s%s);", word, to, (long long)o->at, (long long)row_length,
			  (long long)(slow * WGMMA_ROW_BYTES), WGMMA_ROW_BYTES, map, coordinates(s, o, "km_fast", "km_slow"));
		simt_close(s, 1);
	}
}
