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
static int read_grid(struct plan_reader *r, struct plan_step *step, const char *text)
{
	for (const char *p = text, *start = text;; p++) {
		static const char *const open = "([", *const close = ")]";
		int depth = 0;
		for (; *p && (depth || *p != ','); p++)
			depth += strchr(open, *p) ? 1 : strchr(close, *p) ? -1 : 0;
		if (step->grid_count == 3)
			return bad(r, "a grid has at most three dimensions:", text);
		if (parse_expr(r, arena_strndup(r->arena, start, (size_t)(p - start)), &step->grid[step->grid_count++]))
			return -1;
		if (!*p)
			return 0;
		start = p + 1;
	}
}

static int read_step(struct plan_reader *r, const char *text)
{
	struct plan_step *step = &r->plan->step[r->plan->step_count++];
	int64_t value;

	step->symbol = next_word(r->arena, &text);
	step->threads = 1;
	for (char *w; *(w = next_word(r->arena, &text));) {
		if (!strncmp(w, "grid=", 5)) {
			if (read_grid(r, step, w + 5))
				return -1;
		} else if (!strncmp(w, "threads=", 8) && is_integer(w + 8, &value) && value > 0 && value <= 4096) {
			step->threads = (int)value;
		} else if (!strncmp(w, "shared=", 7) && is_integer(w + 7, &value) && value >= 0) {
			step->shared_bytes = value;
		} else {
			return bad(r, "expected grid=, threads= or shared=, not", w);
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
		for (int g = 0; g < s->grid_count; g++) {
			struct strbuf text = STRBUF_INIT;
			expr_print(s->grid[g], &text);
			strbuf_replace(&text, " ", "");
			strbuf_addf(out, "%s%s", g ? "," : "", text.buf);
			strbuf_release(&text);
		}
		strbuf_addf(out, " threads=%d shared=%lld\n", s->threads, (long long)s->shared_bytes);
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

/* Value of an expression at these dims; -1 when it has none. */
static int64_t value_at(const struct plan *plan, const struct expr *e, const int64_t *dim)
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
		if (value_at(plan, plan->require[i], dim) <= 0) {
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
	int64_t n = value_at(plan, plan->buffer[b].elems, dim);

	return n < 0 ? -1 : n;
}

int64_t plan_step_instances(const struct plan *plan, size_t s, const int64_t *dim)
{
	int64_t total = 1;

	for (int g = 0; g < plan->step[s].grid_count; g++) {
		int64_t n = value_at(plan, plan->step[s].grid[g], dim);
		if (n < 0 || __builtin_mul_overflow(total, n, &total))
			return -1;
	}
	return total;
}
