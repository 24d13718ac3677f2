#include "generate/layout.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static int find_name(const char *const *name, size_t rank, const char *s, size_t len)
{
	for (size_t i = 0; i < rank; i++)
		if (strlen(name[i]) == len && !memcmp(name[i], s, len))
			return (int)i;
	return -1;
}

/* No number of a layout is larger, so that none of their sums overflows. */
#define MOST (INT64_C(1) << 40)

/* "v/d%m" at *s; advances it. */
static int parse_term(const char **s, const char *const *name, size_t rank, int *var, int64_t *div, int64_t *mod)
{
	size_t len = 0;

	while (isalnum((unsigned char)(*s)[len]) || (*s)[len] == '_')
		len++;
	*var = find_name(name, rank, *s, len);
	if (*var < 0)
		return -1;
	*s += len;
	*div = 1;
	*mod = 0;
	char *end;
	if (**s == '/') {
		*div = strtoll(*s + 1, &end, 10);
		*s = end;
	}
	if (**s == '%') {
		*mod = strtoll(*s + 1, &end, 10);
		*s = end;
		if (*mod < 1 || *mod > MOST)
			return -1;
	}
	return *div < 1 || *div > MOST ? -1 : 0;
}

static int parse_digit(const char *word, const char *const *name, const int64_t *extent, size_t rank, struct digit *d)
{
	const char *s = word;
	char *end;

	*d = (struct digit){ .xor_var = -1, .xor_div = 1, .xor_mod = 1 };
	if (parse_term(&s, name, rank, &d->var, &d->div, &d->mod))
		return -1;
	if (*s == '+') {
		d->pad = strtoll(s + 1, &end, 10);
		s = end;
		if (d->pad < 0 || d->pad > MOST)
			return -1;
	}
	if (*s == '^') {
		s++;
		if (parse_term(&s, name, rank, &d->xor_var, &d->xor_div, &d->xor_mod) || !d->xor_mod)
			return -1;
	}
	d->extent = (d->mod ? d->mod : (extent[d->var] + d->div - 1) / d->div) + d->pad;
	return *s ? -1 : 0;
}

int layout_parse(struct arena *arena, const char *text, const char *const *name,
		 const int64_t *extent, size_t rank, struct layout *layout, struct strbuf *err)
{
	struct strbuf row_major = STRBUF_INIT;
	int ret = -1;

	if (!text[strspn(text, " ")]) {
		for (size_t i = 0; i < rank; i++)
			strbuf_addf(&row_major, "%s ", name[i]);
		text = row_major.buf;
	}
	layout->digit = ARENA_ARRAY(arena, struct digit, strlen(text) + 1);
	layout->count = 0;
	layout->elems = 1;
	for (const char *s = text + strspn(text, " "); *s; s += strspn(s, " ")) {
		size_t len = strcspn(s, " ");
		char *word = arena_strndup(arena, s, len);
		struct digit *d = &layout->digit[layout->count++];
		if (parse_digit(word, name, extent, rank, d)) {
			strbuf_addf(err, "bad digit '%s': write v, v/d, v%%m or v/d%%m, then +pad or ^u/d%%m", word);
			goto out;
		}
		if (__builtin_mul_overflow(layout->elems, d->extent, &layout->elems)) {
			strbuf_addf(err, "layout '%s' is too large", text);
			goto out;
		}
		s += len;
	}
	ret = 0;
out:
	strbuf_release(&row_major);
	return ret;
}

static void print_term(int var, int64_t div, int64_t mod, const char *const *name, struct strbuf *out)
{
	strbuf_addstr(out, name[var]);
	if (div > 1)
		strbuf_addf(out, "/%lld", (long long)div);
	if (mod)
		strbuf_addf(out, "%%%lld", (long long)mod);
}

void layout_print(const struct layout *layout, const char *const *name, struct strbuf *out)
{
	for (size_t i = 0; i < layout->count; i++) {
		const struct digit *d = &layout->digit[i];
		if (i)
			strbuf_addch(out, ' ');
		print_term(d->var, d->div, d->mod, name, out);
		if (d->pad)
			strbuf_addf(out, "+%lld", (long long)d->pad);
		if (d->xor_var >= 0) {
			strbuf_addch(out, '^');
			print_term(d->xor_var, d->xor_div, d->xor_mod, name, out);
		}
	}
}

int64_t layout_encode(const struct layout *layout, const int64_t *value)
{
	int64_t address = 0;

	for (size_t i = 0; i < layout->count; i++) {
		const struct digit *d = &layout->digit[i];
		int64_t v = value[d->var] / d->div;
		if (d->mod)
			v %= d->mod;
		if (d->xor_var >= 0)
			v ^= value[d->xor_var] / d->xor_div % d->xor_mod;
		address = address * d->extent + v;
	}
	return address;
}

void layout_decode(const struct layout *layout, int64_t address, size_t rank, int64_t *value)
{
	for (size_t i = 0; i < rank; i++)
		value[i] = 0;
	for (size_t i = layout->count; i-- > 0;) {
		const struct digit *d = &layout->digit[i];
		value[d->var] += address % d->extent * d->div;
		address /= d->extent;
	}
}

static struct expr *term_expr(struct arena *arena, struct expr *e, int64_t div, int64_t mod)
{
	if (div > 1)
		e = expr_binary(arena, OP_FLOORDIV, e, expr_int(arena, div));
	if (mod)
		e = expr_binary(arena, OP_MOD, e, expr_int(arena, mod));
	return e;
}

struct expr *layout_encode_expr(struct arena *arena, const struct layout *layout,
				struct expr *const *index)
{
	struct expr *address = NULL;

	for (size_t i = 0; i < layout->count; i++) {
		const struct digit *d = &layout->digit[i];
		struct expr *v = term_expr(arena, index[d->var], d->div, d->mod);
		if (d->xor_var >= 0) {
			struct expr *call = ARENA_ARRAY(arena, struct expr, 1);
			call->kind = EXPR_CALL;
			call->name = "bit_xor";
			call->arg_count = 2;
			call->arg = ARENA_ARRAY(arena, struct expr *, 2);
			call->arg[0] = v;
			call->arg[1] = term_expr(arena, index[d->xor_var], d->xor_div, d->xor_mod);
			v = call;
		}
		address = address ? expr_binary(arena, OP_ADD, expr_binary(arena, OP_MUL, address, expr_int(arena, d->extent)), v) : v;
	}
	return address ? address : expr_int(arena, 0);
}

bool layout_is_one_to_one(const struct layout *layout, const int64_t *extent, size_t rank)
{
	int64_t points = 1, value[8] = { 0 };

	for (size_t i = 0; i < rank; i++)
		points *= extent[i];
	uint8_t *seen = calloc((size_t)layout->elems / 8 + 1, 1);
	if (!seen)
		return false;
	bool is_one = true;
	for (int64_t p = 0; p < points && is_one; p++) {
		int64_t a = layout_encode(layout, value);
		is_one = a >= 0 && a < layout->elems && !(seen[a / 8] >> a % 8 & 1);
		if (is_one)
			seen[a / 8] |= (uint8_t)(1 << a % 8);
		for (size_t i = rank; i-- > 0 && ++value[i] == extent[i];)
			value[i] = 0;
	}
	free(seen);
	return is_one;
}
