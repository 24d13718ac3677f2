/* The launch plan of a tile program. */
#include "generate/tile.h"

#include <stdlib.h>
#include <string.h>

/* Elements of a buffer: the product of its extents, or of its digits' radices where it has digits. */
static void print_elems(const struct tile_buffer *b, struct strbuf *out)
{
	if (!b->rank)
		strbuf_addch(out, '1');
	for (size_t i = 0; i < b->rank; i++) {
		strbuf_addstr(out, i ? "*(" : "(");
		expr_print(b->dim[i], out);
		strbuf_addch(out, ')');
	}
	/* Padding in a digit makes the buffer larger than its points. */
	for (const char *s = b->layout_text; (s = strchr(s, '+')); s++) {
		const char *mod = s;
		while (mod > b->layout_text && *mod != '%' && *mod != ' ')
			mod--;
		long radix = *mod == '%' ? strtol(mod + 1, NULL, 10) : 1;
		strbuf_addf(out, "*%ld//%ld", radix + strtol(s + 1, NULL, 10), radix);
	}
}

static bool has_short_indices(const struct tile_program *program)
{
	for (size_t i = 0; i < program->kernel_count; i++)
		if (tile_has_short_indices(&program->kernel[i]))
			return true;
	return false;
}

/* What has indices of 32 bits takes no dim and no buffer that is longer. */
static void require_short(const struct tile_program *program, struct strbuf *out)
{
	for (size_t i = 0; i < program->dim_count; i++)
		if (!program->dim[i].is_static)
			strbuf_addf(out, "require: %s <= %d\n", program->dim[i].name, TILE_MOST_SHORT);
	for (size_t i = 0; i < program->buffer_count; i++) {
		strbuf_addstr(out, "require: ");
		print_elems(&program->buffer[i], out);
		strbuf_addf(out, " <= %d\n", TILE_MOST_SHORT);
	}
}

void tile_plan(const struct tile_program *program, const char *artifact, const char *symbol,
	       int64_t scratch_bytes, const struct tile_launch *launch, struct strbuf *out)
{
	static const char *const role[] = { "in", "out", "tmp" };

	strbuf_addf(out, "plan: %s\ndim:", artifact);
	for (size_t i = 0; i < program->dim_count; i++)
		if (!program->dim[i].is_static)
			strbuf_addf(out, " %s", program->dim[i].name);
	strbuf_addch(out, '\n');
	for (size_t i = 0; i < program->dim_count; i++)
		if (program->dim[i].is_static)
			strbuf_addf(out, "static: %s=%lld\n", program->dim[i].name, (long long)program->dim[i].value);
	for (size_t i = 0; i < program->require_count; i++) {
		strbuf_addstr(out, "require: ");
		expr_print(program->require[i], out);
		strbuf_addch(out, '\n');
	}
	if (has_short_indices(program))
		require_short(program, out);
	for (size_t i = 0; i < program->buffer_count; i++) {
		const struct tile_buffer *b = &program->buffer[i];
		strbuf_addf(out, "buffer: %s %s %s ", b->name, role[b->role], dtype_name(b->dtype));
		print_elems(b, out);
		strbuf_addch(out, '\n');
	}
	strbuf_addf(out, "scratch: %lld\n", (long long)scratch_bytes);
	for (size_t i = 0; i < program->kernel_count; i++) {
		const struct tile_kernel *k = &program->kernel[i];
		strbuf_addf(out, "step: %s_%s grid=", symbol, k->name);
		for (int g = 0; g < k->grid_count; g++) {
			struct strbuf text = STRBUF_INIT;
			expr_print(k->grid[g], &text);
			strbuf_replace(&text, " ", "");
			strbuf_addf(out, "%s%s", g ? "," : "", text.buf);
			strbuf_release(&text);
		}
		const struct tile_launch *l = launch ? &launch[i] : NULL;
		if (l && l->blocks > 1)
			strbuf_addf(out, ",%d", l->blocks);
		strbuf_addf(out, " threads=%d shared=%lld", l && l->threads ? l->threads : k->threads, (long long)(l ? l->shared_bytes : 0));
		if (l && l->resident)
			strbuf_addf(out, " resident=%d", l->resident);
		if (l && l->cluster)
			strbuf_addf(out, " cluster=%d", l->cluster);
		strbuf_addf(out, "\n%s", l && l->tensor.len ? l->tensor.buf : "");
	}
}
