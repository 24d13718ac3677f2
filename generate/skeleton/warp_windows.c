/*
 * warp_windows: convolutions in one to three dimensions by the matrix instructions of warp
 * groups (micro-kernel wgmma_tma), as a product of the filters, its rows, with the pixels of an
 * output image, its columns; the depth are channels and taps.  FROM says what the copy engine reads:
 *   image     the input as it lies, of a window of one place, which meets each pixel
 *   channels  the input with its channels last, which a kernel in front writes; the engine
 *             goes from place to place of the window, strides and pads
 *   taps      what each place of the window sees, channels and taps in a row, which a kernel in front
 *             writes: for few channels, of which a row of 64 would be empty otherwise
 * Windows are not met in the input as it lies: a copy's first coordinate is a multiple of 16
 * bytes, and each tap's is one element further.  Padding is zeros that are multiplied, as
 * everywhere.  Filters are written in rows of channels by a kernel in front, but where they lie
 * so.  The depth goes through all taps of 64 channels, then through those of the next: what the
 * taps share is in the second-level cache.
 */
#include "generate/convolution.h"
#include "generate/simt.h"

#include <string.h>

enum {
	DEPTH = 64,        /* channels of a block: a swizzled row */
	TURNED = 32,       /* columns whose accumulators threads turn together */
	FEW_PIXELS = 4096, /* of an image, whose number blocks are fitted to */
	MOST_GROUPS = 3,   /* that contract */
	/* Tiles of the kernels in front: their sides, their points a thread. */
	TILE = 64, LEAST_TILE = 8, LONGEST_ROW = 512, TURNED_EACH = 16, TAPS_EACH = 64, SMALLEST_WARP = 32, MOST_THREADS = 256,
};

static const struct match *match(struct arena *arena, const struct problem *problem, const struct normal *normal, struct strbuf *why_not)
{
	if (problem->dtype != DTYPE_bf16 && problem->dtype != DTYPE_f16) {
		strbuf_addf(why_not, "warp_windows: no instruction for %s", dtype_name(problem->dtype));
		return NULL;
	}
	const struct match *m = convolution_match(arena, problem, normal, "warp_windows", why_not);
	const struct expr *stored = m ? sum_stored(arena, normal) : NULL;
	/* Their buffers have other extents here. */
	if (m && (expr_uses(stored, m->data->name) || expr_uses(stored, m->weight->name))) {
		strbuf_addstr(why_not, "warp_windows: a factor is read behind the sum");
		return NULL;
	}
	return m;
}

/* ---- which ways there are --------------------------------------------- */

static int64_t taps_of(const struct match *m)
{
	int64_t taps = 1;

	for (int a = 0; a < m->axis_count; a++)
		taps *= m->axis[a].taps;
	return taps;
}

/* A window of one place, which meets each pixel. */
static bool is_one_place(const struct match *m)
{
	bool is = true;

	for (int a = 0; a < m->axis_count; a++)
		is &= m->axis[a].taps == 1 && m->axis[a].stride == 1 && m->axis[a].before == 0;
	return is;
}

/* Pixels of an output image. */
static const char *image_of(struct arena *arena, const struct match *m)
{
	const char *text = m->axis[0].out;

	for (int a = 1; a < m->axis_count; a++)
		text = arena_printf(arena, "%s*%s", text, m->axis[a].out);
	return text;
}

static int64_t text_value(struct arena *arena, const struct problem *problem, const char *text)
{
	struct strbuf err = STRBUF_INIT;
	struct expr *e;
	int64_t value = expr_parse(arena, text, "extent", EXPR_TILE, &e, &err) ? -1 : extent_value(problem, e);

	strbuf_release(&err);
	return value;
}

static bool has_image(struct arena *arena, const struct match *m, const struct problem *problem)
{
	return is_one_place(m) && text_value(arena, problem, image_of(arena, m)) % 8 == 0;
}

/*
 * What a copy of pixels can say: CUtensorMap's corners, and offsets, in 16, 8 or 5 bits for one,
 * two or three dimensions (CUDA Driver API 13.0, cuTensorMapEncodeIm2col; PTX ISA 9.0, 5.5.5), strides to 8.
 */
static bool has_channels(const struct match *m)
{
	static const int64_t corner[] = { 1 << 15, 1 << 7, 1 << 4 }, offset[] = { (1 << 16) - 1, (1 << 8) - 1, (1 << 5) - 1 };
	bool has = !is_one_place(m);

	for (int a = 0; a < m->axis_count; a++) {
		const struct convolution_axis *x = &m->axis[a];
		int64_t reach = (x->taps - 1) * x->dilation, most = corner[m->axis_count - 1];
		has &= x->stride <= 8 && x->before <= most && x->before < most + reach && reach - x->before + x->stride - 1 <= most && reach <= offset[m->axis_count - 1];
	}
	return has;
}

/* Columns of a block: more than what fits its pixels evenly enough, where an image has few. */
static void add_columns(struct arena *arena, const struct match *m, const struct problem *problem, struct space *space)
{
	int64_t pixels = text_value(arena, problem, image_of(arena, m)), blocks[] = { (pixels + 255) / 256, (pixels + 255) / 256 + 1, (pixels + 127) / 128 };
	int columns[ARRAY_SIZE(blocks) * 2 + 4] = { 64, 128, 256 }, n = 3;

	for (size_t i = 0; pixels > 0 && pixels <= FEW_PIXELS && i < 2 * ARRAY_SIZE(blocks); i++) {
		/* Eights are what instructions take, thirty-twos what threads turn. */
		int64_t each = (pixels + blocks[i / 2] - 1) / blocks[i / 2], unit = i % 2 ? 32 : 8;
		columns[n] = (int)((each + unit - 1) / unit * unit);
		bool is_new = true;
		for (int k = 0; k < n; k++)
			is_new &= columns[k] != columns[n];
		n += is_new;
	}
	columns[n] = -1;
	add_knob(arena, space, "BN", columns);
}

static void knobs(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target, struct space *space)
{
	const char *from[4] = { NULL };
	int n = 0;

	(void)target;
	if (has_image(arena, m, problem))
		from[n++] = "image";
	if (has_channels(m))
		from[n++] = "channels";
	if (!n || extent_value(problem, m->normal->stmt[0].value->range[0].hi) < DEPTH)
		from[n++] = "taps";
	add_choice(arena, space, "FROM", from);
	add_columns(arena, m, problem, space);
	add_knob(arena, space, "GROUPS", (const int[]){ 1, 2, 3, -1 });
	/* Instructions of a group above each other. */
	add_knob(arena, space, "TM", (const int[]){ 1, 2, 4, -1 });
	add_knob(arena, space, "PIPE", (const int[]){ 2, 3, 4, 6, -1 });
	add_knob(arena, space, "CLUSTER", (const int[]){ 1, 2, -1 });
	add_knob(arena, space, "WALK", (const int[]){ 1, 8, 32, -1 });
	add_knob(arena, space, "TURN", (const int[]){ 0, 1, -1 });
	/* Parties of groups that take blocks in turn. */
	add_knob(arena, space, "RELAY", (const int[]){ 1, 2, -1 });
}

/* ---- writing ---------------------------------------------------------- */

struct writer {
	struct arena *arena;
	const struct match *m;
	const struct problem *problem;
	struct strbuf *text;
	const char *dtype;
	bool is_image, is_taps;
	const char *channels;                /* of the depth: for taps, those with their taps */
	long long taps;                      /* of the depth beside its channels */
	bool has_own_filters;                /* as they lie they are rows of channels */
	const char *image;                   /* pixels of the output's */
	long long bm, bn;
};

static const char *row_text(const struct writer *w)
{
	return arena_printf(w->arena, "p1*%lld+_i", w->bm);
}

static const char *column_text(const struct writer *w)
{
	return arena_printf(w->arena, "p2*%lld+_j", w->bn);
}

/* Where the column is along axis a. */
static const char *place_text(const struct writer *w, int a)
{
	const struct match *m = w->m;
	const char *rest = arena_printf(w->arena, "(%s)", column_text(w));

	for (int inner = m->axis_count - 1; inner > a; inner--)
		rest = arena_printf(w->arena, "%s//%s", rest, m->axis[inner].out);
	return arena_printf(w->arena, "%s%%%s", rest, m->axis[a].out);
}

/* The tap's number along axis a, of its number among all. */
static const char *tap_text(const struct writer *w, const char *tap, int a)
{
	for (int inner = w->m->axis_count - 1; inner > a; inner--)
		tap = arena_printf(w->arena, "%s//%lld", tap, (long long)w->m->axis[inner].taps);
	return a ? arena_printf(w->arena, "%s%%%lld", tap, (long long)w->m->axis[a].taps) : tap;
}

/* Along axis a of the input: of a place, at a tap. */
static const char *input_text(const struct writer *w, int a, const char *place, const char *tap)
{
	const struct convolution_axis *x = &w->m->axis[a];

	return arena_printf(w->arena, "(%s)*%lld + %s*%lld - %lld", place, (long long)x->stride, tap_text(w, tap, a), (long long)x->dilation, (long long)x->before);
}

/* "N, H, W" of the input, behind each other. */
static const char *lengths(const struct writer *w)
{
	const char *text = w->m->batches;

	for (int a = 0; a < w->m->axis_count; a++)
		text = arena_printf(w->arena, "%s, %s", text, w->m->axis[a].in);
	return text;
}

static void write_buffers(struct writer *w)
{
	const struct match *m = w->m;
	const char *extents[OP_MAX_TENSORS] = { NULL };
	const struct op *op = w->problem->op;

	extents[op_tensor_index(op, m->normal->stmt[m->normal->stmt_count - 1].name)] = arena_printf(w->arena, "%s, %s, %s", m->batches, m->filters, w->image);
	if (w->is_image)
		extents[op_tensor_index(op, m->data->name)] = arena_printf(w->arena, "%s, %s, %s", m->batches, m->channels, w->image);
	extents[op_tensor_index(op, m->weight->name)] = w->has_own_filters ? arena_printf(w->arena, "%s, 1, %s", m->filters, w->channels)
							: m->is_transposed ? arena_printf(w->arena, "%s, %s, %lld", m->channels, m->filters, (long long)taps_of(m))
									   : arena_printf(w->arena, "%s, %s, %lld", m->filters, w->channels, w->taps);
	write_head_of(w->arena, w->problem, extents, w->text);
	if (w->has_own_filters)
		strbuf_addf(w->text, "require (%s) %% 8 == 0\n", w->channels);
	else
		strbuf_addf(w->text, "buffer _k %s [%s, %lld, rup(%s, 8)] tmp\n", w->dtype, m->filters, w->taps, w->channels);
	if (w->is_image)
		strbuf_addf(w->text, "require (%s) %% 8 == 0\n", w->image);
	else
		strbuf_addf(w->text, "buffer _x %s [%s, rup(%s, 8)] tmp\n", w->dtype, w->is_taps ? arena_printf(w->arena, "%s, %s", m->batches, w->image) : lengths(w), w->channels);
}

/* Points of a side of a tile: a power of two that the extent fills, or `most`. */
static long long side(const struct writer *w, const char *extent, int64_t most)
{
	int64_t least = text_value(w->arena, w->problem, extent), side = LEAST_TILE;

	while (side < least && side < most)
		side *= 2;
	return side;
}

static long long threads_for(long long points, int each)
{
	return points / each < SMALLEST_WARP ? SMALLEST_WARP : points / each;
}

/* Filters, a row of channels for each tap. */
static void write_filters(struct writer *w)
{
	const char *c = arena_printf(w->arena, "(p1*%d+_c)", TILE), *from;
	long long last = taps_of(w->m) - 1;

	if (!w->m->is_transposed)
		from = arena_printf(w->arena, "p0, %s, _t", c);
	else if (w->is_taps)
		from = arena_printf(w->arena, "%s//%lld, p0, %lld-%s%%%lld", c, last + 1, last, c, last + 1);
	else
		from = arena_printf(w->arena, "%s, p0, %lld-_t", c, last);
	strbuf_addf(w->text, "kernel filters grid [%s, cdiv(rup(%s, 8), %d)] threads %d\n  index _t<%lld _c<%d of rup(%s, 8)-p1*%d\n  _k[p0, _t, %s] = %s[%s]\n", w->m->filters,
		    w->channels, TILE, SMALLEST_WARP, w->taps, TILE, w->channels, TILE, c, w->m->weight->name, from);
}

/* The input with its channels last, through a tile in shared memory. */
static void write_channels(struct writer *w)
{
	const struct match *m = w->m;
	const struct convolution_axis *line = &m->axis[m->axis_count - 1];
	long long width = side(w, line->in, TILE);
	int n = m->axis_count;
	const char *lines = "", *ids = "";

	for (int a = 0; a + 1 < n; a++) {
		lines = arena_printf(w->arena, "%s%s, ", lines, m->axis[a].in);
		ids = arena_printf(w->arena, "%sp%d, ", ids, a + 1);
	}
	strbuf_addf(w->text, "kernel channels grid [%s, %scdiv(%s, %lld), cdiv(rup(%s, 8), %d)] threads %lld\n  index _w<%lld of %s-p%d*%lld _c<%d of rup(%s, 8)-p%d*%d\n",
		    m->batches, lines, line->in, width, w->channels, TILE, threads_for(width * TILE, TURNED_EACH), width, line->in, n, width, TILE, w->channels, n + 1, TILE);
	strbuf_addf(w->text, "  tile _turn %s [_c, _w] @shared : _c _w+2\n  _turn[_c, _w] <- %s[p0, p%d*%d+_c, %sp%d*%lld+_w]\n  _x[p0, %sp%d*%lld+_w, p%d*%d+_c] = _turn[_c, _w]\n", w->dtype,
		    m->data->name, n + 1, TILE, ids, n, width, ids, n, width, n + 1, TILE);
}

/* What each place sees. */
static void write_taps(struct writer *w)
{
	const struct match *m = w->m;
	const struct convolution_axis *line = &m->axis[m->axis_count - 1];
	long long row = side(w, w->channels, LONGEST_ROW), width = side(w, line->out, MOST_THREADS * TAPS_EACH / row), all = (long long)taps_of(m);
	int n = m->axis_count;
	/* One piece of a row where it is short: then its numbers are small, and quickly divided. */
	bool is_short = text_value(w->arena, w->problem, w->channels) <= row;
	const char *lines = "", *number = "0", *at = "", *c = is_short ? "_c" : arena_printf(w->arena, "(p%d*%lld+_c)", n + 1, row);

	for (int a = 0; a + 1 < n; a++) {
		lines = arena_printf(w->arena, "%s%s, ", lines, m->axis[a].out);
		number = a ? arena_printf(w->arena, "(%s)*%s+p%d", number, m->axis[a].out, a + 1) : "p1";
	}
	for (int a = 0; a < n; a++)
		at = arena_printf(w->arena, "%s, %s", at,
				  input_text(w, a, a == n - 1 ? arena_printf(w->arena, "(p%d*%lld+_w)", n, width) : arena_printf(w->arena, "p%d", a + 1),
					     arena_printf(w->arena, "(%s%%%lld)", c, all)));
	if (is_short)
		strbuf_addf(w->text, "require %s <= %lld\n", w->channels, row);
	strbuf_addf(w->text, "kernel taps grid [%s, %scdiv(%s, %lld)%s] threads %lld\n  index _w<%lld of %s-p%d*%lld _c<%lld of rup(%s, 8)%s\n", m->batches, lines, line->out, width,
		    is_short ? "" : arena_printf(w->arena, ", cdiv(rup(%s, 8), %lld)", w->channels, row), threads_for(width * row, TAPS_EACH), width, line->out, n, width, row,
		    w->channels, is_short ? "" : arena_printf(w->arena, "-p%d*%lld", n + 1, row));
	strbuf_addf(w->text, "  knob AHEAD=1\n  _x[p0, (%s)*%s+p%d*%lld+_w, %s] = (%s[p0, %s//%lld%s] else 0)\n", number, line->out, n, width, c, m->data->name, c, all, at);
}

static const char *digits(const struct writer *w, enum dtype dtype, int operand)
{
	bool is_across = operand && w->is_image;

	return simt_swizzled(w->arena, dtype, is_across ? "_j" : "_d", is_across ? "_d" : operand ? "_j" : "_i");
}

/* The copies' sources at depth k0: its channel, its tap. */
static void write_stages(struct writer *w)
{
	const struct match *m = w->m;
	const char *channel = w->taps == 1 ? "k0+_d" : arena_printf(w->arena, "k0//%lld*%d+_d", DEPTH * w->taps, DEPTH);
	const char *tap = w->taps == 1 ? "0" : arena_printf(w->arena, "k0//%d%%%lld", DEPTH, w->taps), *at = "";

	strbuf_addf(w->text, "    _a[_i, _d] <- %s[%s, %s, %s]\n", w->has_own_filters ? m->weight->name : "_k", row_text(w), tap, channel);
	for (int a = 0; a < m->axis_count; a++)
		at = arena_printf(w->arena, "%s%s, ", at, input_text(w, a, place_text(w, a), tap));
	if (w->is_image)
		strbuf_addf(w->text, "    _b[_d, _j] <- %s[p0, %s, %s]\n", m->data->name, channel, column_text(w));
	else
		strbuf_addf(w->text, "    _b[_d, _j] <- _x[p0, %s%s]\n", w->is_taps ? arena_printf(w->arena, "%s, ", column_text(w)) : at, channel);
}

static void write_result(struct writer *w)
{
	const struct match *m = w->m;
	const struct normal_stmt *s = &m->normal->stmt[0];
	const char *mapping[2 * (CONVOLUTION_MAX_AXES + 4) + 1] = { s->index[0].name, "p0", s->index[1].name, row_text(w), "local_i", "_i", "local_j", "_j" };

	for (int a = 0; a < m->axis_count; a++) {
		mapping[8 + 2 * a] = s->index[a + 2].name;
		mapping[9 + 2 * a] = place_text(w, a);
	}
	strbuf_addf(w->text, "  %s[p0, %s, %s] = %s\n", m->normal->stmt[m->normal->stmt_count - 1].name, row_text(w), column_text(w),
		    expr_text(w->arena, sum_stored(w->arena, m->normal), mapping));
}

static void write_contract(struct writer *w, const struct mma_instr *q, const struct space *space, const struct point *point)
{
	const struct match *m = w->m;
	long long cluster = point_int(space, point, "CLUSTER"), groups = point_int(space, point, "GROUPS");
	/* A whole number of clusters: what is beyond the rows stores nothing. */
	const char *rows = arena_printf(w->arena, cluster > 1 ? "rup(cdiv(%s, %lld), %lld)" : "cdiv(%s, %lld)", m->filters, w->bm, cluster);

	strbuf_addf(w->text, "kernel contract grid [%s, %s, cdiv(%s, %lld)] threads %lld\n", m->batches, rows, w->image, w->bn, groups * q->lanes);
	strbuf_addf(w->text, "  index _i<%lld of %s-p1*%lld _j<%lld of %s-p2*%lld _d<%d of %s-k0//%lld*%d\n", w->bm, m->filters, w->bm, w->bn, w->image, w->bn, DEPTH,
		    w->channels, DEPTH * w->taps, DEPTH);
	strbuf_addf(w->text, "  knob INSTR=%s WM=%lld WN=%lld CLUSTER=%lld WALK=%s TURN=%s RELAY=%s\n  tile _acc f32 [_i, _j] @acc\n", q->name,
		    (long long)point_int(space, point, "TM") * q->m, w->bn, cluster, point_word(space, point, "WALK"), point_word(space, point, "TURN"), point_word(space, point, "RELAY"));
	strbuf_addf(w->text, "  tile _a %s [_i, _d] @shared : %s\n  tile _b %s [_d, _j] @shared : %s\n  _acc[_i, _j] = 0\n  for k0 in 0..%lld*rup(%s, %d) step %d pipe %s\n", w->dtype,
		    digits(w, q->ab, 0), w->dtype, digits(w, q->ab, 1), w->taps, w->channels, DEPTH, DEPTH, point_word(space, point, "PIPE"));
	write_stages(w);
	strbuf_addstr(w->text, "    _acc[_i, _j] += mma(_d) _a[_i, _d] * _b[_d, _j]\n  end\n");
	write_result(w);
}

static int lower(struct arena *arena, const struct match *m, const struct problem *problem, const struct target *target, const struct space *space,
		 const struct point *point, struct strbuf *text, struct strbuf *why_not)
{
	int64_t bn = point_int(space, point, "BN"), tm = point_int(space, point, "TM"), groups = point_int(space, point, "GROUPS");
	const struct mma_instr *q = mma_find(target, arena_printf(arena, "wgmma_f32_64x%lldx16_%s", (long long)bn, dtype_name(problem->dtype)));
	const char *from = point_word(space, point, "FROM");
	struct writer w = { .arena = arena, .m = m, .problem = problem, .text = text, .dtype = dtype_name(problem->dtype), .bn = bn };

	if (!q) {
		strbuf_addf(why_not, "warp_windows: '%s' has no instruction of %lld columns for %s", target->name, (long long)bn, w.dtype);
		return 0;
	}
	if (groups * point_int(space, point, "RELAY") > MOST_GROUPS) {
		strbuf_addf(why_not, "warp_windows: more than %d groups that contract", MOST_GROUPS);
		return 0;
	}
	if (tm * bn > 256) {
		strbuf_addstr(why_not, "warp_windows: more than 128 accumulators a thread");
		return 0;
	}
	if (point_int(space, point, "TURN") && bn % TURNED) {
		strbuf_addf(why_not, "warp_windows: threads turn %d columns at a time", TURNED);
		return 0;
	}
	w.bm = groups * q->m * tm;
	w.image = image_of(arena, m);
	w.is_image = !strcmp(from, "image");
	w.is_taps = !strcmp(from, "taps");
	w.taps = w.is_taps ? 1 : (long long)taps_of(m);
	w.channels = w.is_taps && taps_of(m) > 1 ? arena_printf(arena, "(%s)*%lld", m->channels, (long long)taps_of(m)) : m->channels;
	w.has_own_filters = !m->is_transposed && w.taps == 1 && text_value(arena, problem, w.channels) % 8 == 0;
	write_buffers(&w);
	if (!w.has_own_filters)
		write_filters(&w);
	if (w.is_taps)
		write_taps(&w);
	else if (!w.is_image)
		write_channels(&w);
	write_contract(&w, q, space, point);
	return 1;
}

const struct skeleton skeleton_warp_windows = {
	.name = "warp_windows",
	.summary = "convolutions by warp groups, whose windows the copy engine brings, with fused maps",
	.serves_simt = true,
	.isa = ISA_BIT(wgmma),
	.match = match,
	.knobs = knobs,
	.lower = lower,
};
