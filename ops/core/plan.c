#include "ops/core/plan.h"

#include <stdlib.h>
#include <string.h>

static const char *const role_names[] = { "in", "out", "tmp" };

/* What one pass over the lines fills; the message prefix goes with it. */
struct plan_reader {
	struct arena *arena;
	const char *name;
	int line;
	struct plan *plan;
	struct strbuf *err;
};

static int bad(struct plan_reader *r, const char *what, const char *subject)
{
	strbuf_addf(r->err, "%s:%d: %s '%s'", r->name, r->line, what, subject);
	return -1;
}

/* The next word of *text, or "" at the end. */
static char *next_word(struct arena *arena, const char **text)
{
	const char *s = *text + strspn(*text, " ");
	size_t len = strcspn(s, " ");

	*text = s + len;
	return arena_strndup(arena, s, len);
}

static bool is_integer(const char *text, int64_t *value)
{
	char *end;

	*value = strtoll(text, &end, 10);
	return *text && !*end;
}

static int parse_expr(struct plan_reader *r, const char *text, struct expr **out)
{
	struct strbuf why = STRBUF_INIT;
	int ret = expr_parse(r->arena, text, text, EXPR_BODY, out, &why);

	if (ret)
		strbuf_addf(r->err, "%s:%d: %s", r->name, r->line, why.buf);
	strbuf_release(&why);
	return ret;
}

static int read_dims(struct plan_reader *r, const char *text)
{
	struct plan *p = r->plan;

	if (p->dim)
		return bad(r, "dims again:", text);
	p->dim = ARENA_ARRAY(r->arena, const char *, PLAN_MAX_NAMES);
	for (char *w; *(w = next_word(r->arena, &text));) {
		if (p->dim_count == PLAN_MAX_NAMES)
			return bad(r, "too many dims at", w);
		p->dim[p->dim_count++] = w;
	}
	return 0;
}

static int read_fixed(struct plan_reader *r, const char *text)
{
	char *word = next_word(r->arena, &text), *equal = strchr(word, '=');
	int64_t value;

	if (!equal || equal == word || !is_integer(equal + 1, &value) || r->plan->fixed_count == PLAN_MAX_NAMES)
		return bad(r, "expected NAME=INTEGER, not", word);
	*equal = 0;
	r->plan->fixed[r->plan->fixed_count++] = (struct binding){ word, value };
	return 0;
}

static int read_buffer(struct plan_reader *r, const char *text)
{
	struct plan_buffer *b = &r->plan->buffer[r->plan->buffer_count++];
	size_t role = 0;

	b->name = next_word(r->arena, &text);
	const char *word = next_word(r->arena, &text);
	while (role < ARRAY_SIZE(role_names) && strcmp(role_names[role], word))
		role++;
	if (role == ARRAY_SIZE(role_names))
		return bad(r, "expected in, out or tmp, not", word);
	b->role = (enum plan_role)role;
	word = next_word(r->arena, &text);
	if (!dtype_find(word, &b->dtype))
		return bad(r, "unknown dtype", word);
	return parse_expr(r, text, &b->elems);
}

/* "cdiv(K,64),cdiv(N,48)": cut at the commas that no parenthesis holds. */
static int read_list(struct plan_reader *r, const char *text, struct expr **out, int most, int *count)
{
	for (const char *p = text, *start = text;; p++) {
		static const char *const open = "([", *const close = ")]";
		int depth = 0;
		for (; *p && (depth || *p != ','); p++)
			depth += strchr(open, *p) ? 1 : strchr(close, *p) ? -1 : 0;
		if (*count == most)
			return bad(r, "too many dimensions:", text);
		if (parse_expr(r, arena_strndup(r->arena, start, (size_t)(p - start)), &out[(*count)++]))
			return -1;
		if (!*p)
			return 0;
		start = p + 1;
	}
}

/* "64,128": whole numbers within bounds. */
static int read_numbers(struct plan_reader *r, const char *word, const char *text, int least, int greatest, int *out, int most, int *count)
{
	for (const char *s = text;; s++) {
		char *end;
		long n = strtol(s, &end, 10);
		if (end == s || n < least || n > greatest || *count == most || (*end && *end != ','))
			return bad(r, "no list of numbers in bounds:", word);
		out[(*count)++] = (int)n;
		s = end;
		if (!*s)
			return 0;
	}
}

/* One word of a tensor's line; counts[]: of dims, strides, box, from, count, step. */
static int read_tensor_word(struct plan_reader *r, const char *w, struct plan_tensor *t, int counts[6])
{
	int64_t value;

	if (!strncmp(w, "dims=", 5))
		return read_list(r, w + 5, t->dim, PLAN_MAX_RANK, &counts[0]);
	if (!strncmp(w, "strides=", 8))
		return read_list(r, w + 8, t->stride, PLAN_MAX_RANK, &counts[1]);
	if (!strncmp(w, "box=", 4))
		return read_numbers(r, w, w + 4, 1, 256, t->box, PLAN_MAX_RANK, &counts[2]);
	if (!strncmp(w, "from=", 5))
		return read_numbers(r, w, w + 5, INT16_MIN, 0, t->from, PLAN_MAX_AXES, &counts[3]);
	if (!strncmp(w, "count=", 6))
		return read_list(r, w + 6, t->count, PLAN_MAX_AXES, &counts[4]);
	if (!strncmp(w, "step=", 5))
		return read_numbers(r, w, w + 5, 1, 8, t->step, PLAN_MAX_AXES, &counts[5]);
	if (strncmp(w, "swizzle=", 8) || !is_integer(w + 8, &value) || (value && value != 32 && value != 64 && value != 128))
		return bad(r, "expected dims=, strides=, box=, swizzle=, from=, count= or step=, not", w);
	t->swizzle_bytes = (int)value;
	return 0;
}

static int read_tensor(struct plan_reader *r, const char *text)
{
	struct plan *p = r->plan;
	struct plan_step *step = p->step_count ? &p->step[p->step_count - 1] : NULL;
	int counts[6] = { 0, 1 };

	if (!step || step->tensor_count == PLAN_MAX_TENSORS)
		return bad(r, step ? "too many tensors at" : "no step before", text);
	if (!step->tensor)
		step->tensor = ARENA_ARRAY(r->arena, struct plan_tensor, PLAN_MAX_TENSORS);
	struct plan_tensor *t = &step->tensor[step->tensor_count++];
	const char *name = next_word(r->arena, &text);
	while (t->buffer < p->buffer_count && strcmp(p->buffer[t->buffer].name, name))
		t->buffer++;
	if (t->buffer == p->buffer_count)
		return bad(r, "no buffer", name);
	for (char *w; *(w = next_word(r->arena, &text));)
		if (read_tensor_word(r, w, t, counts))
			return -1;
	t->rank = counts[0];
	t->axis_count = counts[3];
	if (!t->rank || counts[1] != t->rank || counts[2] != (t->axis_count ? 2 : t->rank))
		return bad(r, "dims, strides and box of a tensor differ in number:", name);
	if (counts[4] != t->axis_count || counts[5] != t->axis_count || (t->axis_count && t->axis_count != t->rank - 2))
		return bad(r, "pixels want from, count and step for each dimension but the first and the last:", name);
	return 0;
}

static int read_step(struct plan_reader *r, const char *text)
{
	struct plan_step *step = &r->plan->step[r->plan->step_count++];
	int64_t value;

	step->symbol = next_word(r->arena, &text);
	step->threads = 1;
	for (char *w; *(w = next_word(r->arena, &text));) {
		if (!strncmp(w, "grid=", 5)) {
			if (read_list(r, w + 5, step->grid, PLAN_MAX_GRID, &step->grid_count))
				return -1;
		} else if (!strncmp(w, "threads=", 8) && is_integer(w + 8, &value) && value > 0 && value <= 4096) {
			step->threads = (int)value;
		} else if (!strncmp(w, "shared=", 7) && is_integer(w + 7, &value) && value >= 0) {
			step->shared_bytes = value;
		} else if (!strncmp(w, "resident=", 9) && is_integer(w + 9, &value) && value > 0 && value <= 32) {
			step->resident = (int)value;
		} else if (!strncmp(w, "cluster=", 8) && is_integer(w + 8, &value) && value > 1 && value <= 16) {
			step->cluster = (int)value;
		} else {
			return bad(r, "expected grid=, threads=, shared=, resident= or cluster=, not", w);
		}
	}
	return step->grid_count && *step->symbol ? 0 : bad(r, "step without a grid:", step->symbol);
}

static int read_line(struct plan_reader *r, const struct kv_pair *pair)
{
	struct plan *p = r->plan;

	r->line = pair->line;
	if (!strcmp(pair->key, "plan"))
		p->artifact = pair->value;
	else if (!strcmp(pair->key, "dim"))
		return read_dims(r, pair->value);
	else if (!strcmp(pair->key, "static"))
		return read_fixed(r, pair->value);
	else if (!strcmp(pair->key, "require"))
		return parse_expr(r, pair->value, &p->require[p->require_count++]);
	else if (!strcmp(pair->key, "buffer"))
		return read_buffer(r, pair->value);
	else if (!strcmp(pair->key, "scratch")) {
		if (!is_integer(pair->value, &p->scratch_bytes) || p->scratch_bytes < 0)
			return bad(r, "scratch is no byte count:", pair->value);
	} else if (!strcmp(pair->key, "step"))
		return read_step(r, pair->value);
	else if (!strcmp(pair->key, "tensor"))
		return read_tensor(r, pair->value);
	else
		return bad(r, "unknown key", pair->key);
	return 0;
}

int plan_parse(struct arena *arena, const char *text, const char *name, struct plan *plan,
	       struct strbuf *err)
{
	struct plan_reader r = { arena, name, 0, plan, err };
	struct kv kv;

	*plan = (struct plan){ 0 };
	if (kv_parse(arena, text, name, &kv, err))
		return -1;
	plan->fixed = ARENA_ARRAY(arena, struct binding, PLAN_MAX_NAMES);
	plan->require = ARENA_ARRAY(arena, struct expr *, kv.count + 1);
	plan->buffer = ARENA_ARRAY(arena, struct plan_buffer, kv.count + 1);
	plan->step = ARENA_ARRAY(arena, struct plan_step, kv.count + 1);
	for (size_t i = 0; i < kv.count; i++)
		if (read_line(&r, &kv.pair[i]))
			return -1;
	if (!plan->artifact || !plan->step_count || plan->dim_count + plan->fixed_count > PLAN_MAX_NAMES) {
		strbuf_addf(err, "%s: a plan wants 'plan: KIND' and at least one 'step:'", name);
		return -1;
	}
	return 0;
}

/* Comma-separated, without spaces. */
static void print_list(struct expr *const *e, int count, struct strbuf *out)
{
	for (int i = 0; i < count; i++) {
		struct strbuf text = STRBUF_INIT;
		expr_print(e[i], &text);
		strbuf_replace(&text, " ", "");
		strbuf_addf(out, "%s%s", i ? "," : "", text.buf);
		strbuf_release(&text);
	}
}

static void print_numbers(const char *key, const int *n, int count, struct strbuf *out)
{
	for (int i = 0; i < count; i++)
		strbuf_addf(out, "%s%d", i ? "," : key, n[i]);
}

static void print_tensor(const struct plan *plan, const struct plan_tensor *t, struct strbuf *out)
{
	strbuf_addf(out, "tensor: %s dims=", plan->buffer[t->buffer].name);
	print_list(t->dim, t->rank, out);
	if (t->rank > 1)
		strbuf_addstr(out, " strides=");
	print_list(t->stride + 1, t->rank - 1, out);
	print_numbers(" box=", t->box, t->axis_count ? 2 : t->rank, out);
	strbuf_addf(out, " swizzle=%d", t->swizzle_bytes);
	print_numbers(" from=", t->from, t->axis_count, out);
	if (t->axis_count)
		strbuf_addstr(out, " count=");
	print_list(t->count, t->axis_count, out);
	print_numbers(" step=", t->step, t->axis_count, out);
	strbuf_addch(out, '\n');
}

void plan_print(const struct plan *plan, struct strbuf *out)
{
	strbuf_addf(out, "plan: %s\ndim:", plan->artifact);
	for (size_t i = 0; i < plan->dim_count; i++)
		strbuf_addf(out, " %s", plan->dim[i]);
	strbuf_addch(out, '\n');
	for (size_t i = 0; i < plan->fixed_count; i++)
		strbuf_addf(out, "static: %s=%lld\n", plan->fixed[i].name, (long long)plan->fixed[i].value);
	for (size_t i = 0; i < plan->require_count; i++) {
		strbuf_addstr(out, "require: ");
		expr_print(plan->require[i], out);
		strbuf_addch(out, '\n');
	}
	for (size_t i = 0; i < plan->buffer_count; i++) {
		const struct plan_buffer *b = &plan->buffer[i];
		strbuf_addf(out, "buffer: %s %s %s ", b->name, role_names[b->role], dtype_name(b->dtype));
		expr_print(b->elems, out);
		strbuf_addch(out, '\n');
	}
	strbuf_addf(out, "scratch: %lld\n", (long long)plan->scratch_bytes);
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct plan_step *s = &plan->step[i];
		strbuf_addf(out, "step: %s grid=", s->symbol);
		print_list(s->grid, s->grid_count, out);
		strbuf_addf(out, " threads=%d shared=%lld", s->threads, (long long)s->shared_bytes);
		if (s->resident)
			strbuf_addf(out, " resident=%d", s->resident);
		if (s->cluster)
			strbuf_addf(out, " cluster=%d", s->cluster);
		strbuf_addch(out, '\n');
		for (size_t t = 0; t < s->tensor_count; t++)
			print_tensor(plan, &s->tensor[t], out);
	}
}

static size_t bind(const struct plan *plan, const int64_t *dim, struct binding *binding)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->dim_count; i++)
		binding[n++] = (struct binding){ plan->dim[i], dim[i] };
	for (size_t i = 0; i < plan->fixed_count; i++)
		binding[n++] = plan->fixed[i];
	return n;
}

int64_t plan_value(const struct plan *plan, const struct expr *e, const int64_t *dim)
{
	struct binding binding[PLAN_MAX_NAMES];
	struct strbuf ignored = STRBUF_INIT;
	int64_t value;

	if (expr_int_value(e, binding, bind(plan, dim, binding), &value, &ignored))
		value = -1;
	strbuf_release(&ignored);
	return value;
}

bool plan_accepts(const struct plan *plan, const int64_t *dim, struct strbuf *why)
{
	for (size_t i = 0; i < plan->require_count; i++)
		if (plan_value(plan, plan->require[i], dim) <= 0) {
			if (why)
				expr_print(plan->require[i], why);
			return false;
		}
	for (size_t i = 0; i < plan->dim_count; i++)
		if (dim[i] < 0) {
			if (why)
				strbuf_addf(why, "%s >= 0", plan->dim[i]);
			return false;
		}
	return true;
}

int64_t plan_buffer_elems(const struct plan *plan, size_t b, const int64_t *dim)
{
	int64_t n = plan_value(plan, plan->buffer[b].elems, dim);

	return n < 0 ? -1 : n;
}

int64_t plan_step_instances(const struct plan *plan, size_t s, const int64_t *dim)
{
	int64_t total = 1;

	for (int g = 0; g < plan->step[s].grid_count; g++) {
		int64_t n = plan_value(plan, plan->step[s].grid[g], dim);
		if (n < 0 || __builtin_mul_overflow(total, n, &total))
			return -1;
	}
	return total;
}
