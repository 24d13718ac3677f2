/* The text form of a tile program: parser and printer. */
#include "generate/tile.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DIMS = 24, MAX_BUFFERS = 24, MAX_KERNELS = TILE_MAX_KERNELS, MAX_INDICES = 16, MAX_TILES = 24, MAX_KNOBS = 24, MAX_STMTS = 64, MAX_NEST = 8 };

struct reader {
	struct arena *arena;
	struct tile_program *program;
	struct tile_kernel *kernel; /* the one being read */
	struct { struct tile_stmt *stmt; size_t count; struct tile_stmt *owner; } nest[MAX_NEST];
	int depth;
	const char *name;
	int line;
	struct strbuf *err;
};

static int fail(struct reader *r, const char *fmt, ...) PRINTF(2, 3);
static int fail(struct reader *r, const char *fmt, ...)
{
	va_list ap;

	strbuf_addf(r->err, "%s:%d: ", r->name, r->line);
	va_start(ap, fmt);
	strbuf_vaddf(r->err, fmt, ap);
	va_end(ap);
	return -1;
}

/* ---- pieces of a line ------------------------------------------------ */

static char *trim(struct reader *r, const char *s, size_t len)
{
	while (len && isspace((unsigned char)*s))
		s++, len--;
	while (len && isspace((unsigned char)s[len - 1]))
		len--;
	return arena_strndup(r->arena, s, len);
}

/* The first `what` outside brackets and parentheses, or NULL. */
static char *outside(char *s, const char *what)
{
	int depth = 0;
	size_t n = strlen(what);

	for (; *s; s++) {
		if (!depth && !strncmp(s, what, n))
			return s;
		depth += (*s == '(' || *s == '[') - (*s == ')' || *s == ']');
	}
	return NULL;
}

/* Splits at `separator` outside brackets; returns how many. */
static size_t split(struct reader *r, char *s, char separator, char **out, size_t most)
{
	char sep[2] = { separator, 0 };
	size_t n = 0;

	if (!s[strspn(s, " ")])
		return 0;
	while (n < most) {
		char *hit = outside(s, sep);
		out[n++] = trim(r, s, hit ? (size_t)(hit - s) : strlen(s));
		if (!hit)
			break;
		s = hit + 1;
	}
	return n;
}

/* One word from *s; "" at the end. */
static char *word(struct reader *r, char **s)
{
	*s += strspn(*s, " \t");
	size_t n = strcspn(*s, " \t");
	char *w = arena_strndup(r->arena, *s, n);
	*s += n;
	return w;
}

static struct expr *expression(struct reader *r, const char *text)
{
	struct expr *e;
	struct strbuf source = STRBUF_INIT, err = STRBUF_INIT;

	strbuf_addf(&source, "%s:%d", r->name, r->line);
	int bad = expr_parse(r->arena, text, source.buf, EXPR_TILE, &e, &err);
	if (bad)
		strbuf_addf(r->err, "%s, in '%s'", err.buf, text);
	strbuf_release(&source);
	strbuf_release(&err);
	return bad ? NULL : e;
}

static int expressions(struct reader *r, char *text, struct expr ***out, size_t *count, size_t most)
{
	char *part[16];

	*count = split(r, text, ',', part, most < 16 ? most : 16);
	*out = ARENA_ARRAY(r->arena, struct expr *, *count + 1);
	for (size_t i = 0; i < *count; i++)
		if (!((*out)[i] = expression(r, part[i])))
			return -1;
	return 0;
}

/* What stands between the first '[' of *s and its ']'; *s moves behind it. */
static char *bracketed(struct reader *r, char **s)
{
	char *open = strchr(*s, '[');
	int depth = 0;

	for (char *c = open; c && *c; c++) {
		depth += (*c == '[') - (*c == ']');
		if (!depth) {
			*s = c + 1;
			return arena_strndup(r->arena, open + 1, (size_t)(c - open - 1));
		}
	}
	return NULL;
}

/* ": digits" at the end of a declaration, or "". */
static const char *layout_text(struct reader *r, const char *rest)
{
	const char *colon = strchr(rest, ':');
	return colon ? trim(r, colon + 1, strlen(colon + 1)) : "";
}

/* ---- declarations ---------------------------------------------------- */

/* A name that the expressions may use; false after fail(). */
static bool is_name(struct reader *r, const char *what, const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	if (*name && !name[n] && (*name < '0' || *name > '9'))
		return true;
	fail(r, "'%s' names no %s", name, what);
	return false;
}

static int read_dims(struct reader *r, char *rest)
{
	struct tile_program *p = r->program;

	for (char *w; *(w = word(r, &rest));) {
		if (p->dim_count == MAX_DIMS)
			return fail(r, "more than %d dims", MAX_DIMS);
		char *equals = strchr(w, '=');
		struct tile_dim *d = &p->dim[p->dim_count++];
		d->name = equals ? arena_strndup(r->arena, w, (size_t)(equals - w)) : w;
		d->is_static = equals != NULL;
		char *end = equals;
		if (equals)
			d->value = strtoll(equals + 1, &end, 10);
		if (!is_name(r, "dim", d->name))
			return -1;
		if (equals && (end == equals + 1 || *end))
			return fail(r, "dim '%s' wants an integer, not '%s'", d->name, equals + 1);
	}
	return 0;
}

static int read_buffer(struct reader *r, char *rest)
{
	struct tile_program *p = r->program;

	if (p->buffer_count == MAX_BUFFERS)
		return fail(r, "more than %d buffers", MAX_BUFFERS);
	struct tile_buffer *b = &p->buffer[p->buffer_count++];
	b->name = word(r, &rest);
	char *dtype = word(r, &rest);
	if (!is_name(r, "buffer", b->name))
		return -1;
	if (!dtype_find(dtype, &b->dtype))
		return fail(r, "unknown dtype '%s' of buffer '%s'", dtype, b->name);
	char *dims = bracketed(r, &rest);
	if (!dims)
		return fail(r, "a buffer is 'buffer NAME dtype [extents] in|out|tmp : digits'");
	if (expressions(r, dims, &b->dim, &b->rank, 8))
		return -1;
	char *role = word(r, &rest);
	if (!strcmp(role, "in"))
		b->role = PLAN_IN;
	else if (!strcmp(role, "out"))
		b->role = PLAN_OUT;
	else if (!strcmp(role, "tmp"))
		b->role = PLAN_TMP;
	else
		return fail(r, "role of buffer '%s' is in, out or tmp, not '%s'", b->name, role);
	b->layout_text = layout_text(r, rest);
	return 0;
}

static int read_kernel(struct reader *r, char *rest)
{
	struct tile_program *p = r->program;
	size_t count;
	struct expr **grid;

	if (p->kernel_count == MAX_KERNELS)
		return fail(r, "more than %d kernels", MAX_KERNELS);
	if (r->depth > 1)
		return fail(r, "'for' of the kernel before is not closed by 'end'");
	struct tile_kernel *k = r->kernel = &p->kernel[p->kernel_count++];
	k->name = word(r, &rest);
	if (!is_name(r, "kernel", k->name))
		return -1;
	char *dims = bracketed(r, &rest);
	if (!dims || expressions(r, dims, &grid, &count, PLAN_MAX_GRID))
		return dims ? -1 : fail(r, "a kernel is 'kernel NAME grid [e, ...] threads N'");
	if (count < 1 || count > PLAN_MAX_GRID)
		return fail(r, "a grid has one to %d dimensions", PLAN_MAX_GRID);
	for (size_t i = 0; i < count; i++)
		k->grid[i] = grid[i];
	k->grid_count = (int)count;
	k->threads = 1;
	if (!strcmp(word(r, &rest), "threads"))
		k->threads = atoi(word(r, &rest));
	if (k->threads < 1)
		return fail(r, "threads of kernel '%s' must be positive", k->name);
	k->index = ARENA_ARRAY(r->arena, struct tile_index, MAX_INDICES);
	k->tile = ARENA_ARRAY(r->arena, struct tile, MAX_TILES);
	k->knob = ARENA_ARRAY(r->arena, struct knob, MAX_KNOBS);
	k->stmt = ARENA_ARRAY(r->arena, struct tile_stmt, MAX_STMTS);
	r->nest[0].stmt = k->stmt;
	r->nest[0].count = 0;
	r->depth = 1;
	return 0;
}

/* "i<128 of M-p0*128 j<256 ...": the live extent reaches to the next "name<number" or the end. */
static int read_indices(struct reader *r, char *rest)
{
	struct tile_kernel *k = r->kernel;

	for (rest += strspn(rest, " "); *rest; rest += strspn(rest, " ")) {
		if (k->index_count == MAX_INDICES)
			return fail(r, "more than %d indices", MAX_INDICES);
		struct tile_index *x = &k->index[k->index_count++];
		char *less = strchr(rest, '<'), *end;
		if (!less)
			return fail(r, "an index is 'name<extent', then 'of live-extent', not '%s'", rest);
		x->name = trim(r, rest, (size_t)(less - rest));
		if (!is_name(r, "index", x->name))
			return -1;
		x->extent = strtoll(less + 1, &end, 10);
		if (x->extent < 1 || x->extent > INT64_C(1) << 40 || end == less + 1)
			return fail(r, "extent of index '%s' must be a positive number up to 2^40", x->name);
		rest = end + strspn(end, " ");
		if (strncmp(rest, "of ", 3))
			continue;
		rest += 3;
		/* Up to the word that holds the next '<' outside parentheses. */
		char *next = outside(rest, "<"), *stop = rest + strlen(rest);
		if (next) {
			stop = next;
			while (stop > rest && stop[-1] == ' ')
				stop--;
			while (stop > rest && stop[-1] != ' ')
				stop--;
		}
		x->live = expression(r, trim(r, rest, (size_t)(stop - rest)));
		if (!x->live)
			return -1;
		rest = stop;
	}
	return 0;
}

static int read_knobs(struct reader *r, char *rest)
{
	for (char *w; *(w = word(r, &rest));) {
		char *equals = strchr(w, '=');
		if (!equals)
			return fail(r, "a knob is NAME=VALUE, not '%s'", w);
		if (r->kernel->knob_count == MAX_KNOBS)
			return fail(r, "more than %d knobs", MAX_KNOBS);
		r->kernel->knob[r->kernel->knob_count++] = (struct knob){ arena_strndup(r->arena, w, (size_t)(equals - w)), equals + 1 };
	}
	return 0;
}

static int read_tile(struct reader *r, char *rest)
{
	static const char *const place[] = { "@reg", "@acc", "@shared", "@view" };
	struct tile_kernel *k = r->kernel;
	char *index[8];
	const char *name[8];
	int64_t extent[8];

	if (k->tile_count == MAX_TILES)
		return fail(r, "more than %d tiles", MAX_TILES);
	struct tile *t = &k->tile[k->tile_count++];
	t->name = word(r, &rest);
	if (!is_name(r, "tile", t->name))
		return -1;
	char *dtype = word(r, &rest);
	if (!dtype_find(dtype, &t->dtype))
		return fail(r, "unknown dtype '%s' of tile '%s'", dtype, t->name);
	char *list = bracketed(r, &rest);
	if (!list)
		return fail(r, "a tile is 'tile NAME dtype [indices] @place : digits'");
	t->rank = split(r, list, ',', index, 8);
	t->index = ARENA_ARRAY(r->arena, int, t->rank + 1);
	for (size_t i = 0; i < t->rank; i++) {
		t->index[i] = tile_index_find(k, index[i]);
		if (t->index[i] < 0)
			return fail(r, "tile '%s' names no index '%s'", t->name, index[i]);
		name[i] = index[i];
		extent[i] = k->index[t->index[i]].extent;
	}
	char *where = word(r, &rest);
	for (t->place = PLACE_REG; t->place <= PLACE_VIEW && strcmp(where, place[t->place]); t->place++)
		;
	if (t->place > PLACE_VIEW)
		return fail(r, "place of tile '%s' is @reg, @acc, @shared or @view, not '%s'", t->name, where);
	t->layout_text = layout_text(r, rest);
	struct strbuf why = STRBUF_INIT;
	int ret = layout_parse(r->arena, t->layout_text, name, extent, t->rank, &t->layout, &why);
	if (ret)
		fail(r, "tile '%s': %s", t->name, why.buf);
	strbuf_release(&why);
	return ret;
}

/* ---- statements ------------------------------------------------------ */

static struct tile_stmt *add_stmt(struct reader *r, enum tile_stmt_kind kind)
{
	if (r->nest[r->depth - 1].count == MAX_STMTS) {
		fail(r, "more than %d statements", MAX_STMTS);
		return NULL;
	}
	struct tile_stmt *s = &r->nest[r->depth - 1].stmt[r->nest[r->depth - 1].count++];
	if (r->depth == 1)
		r->kernel->stmt_count = r->nest[0].count;
	else
		r->nest[r->depth - 1].owner->body_count = r->nest[r->depth - 1].count;
	s->kind = kind;
	s->line = r->line;
	s->pipe = 1;
	s->target = -1;
	return s;
}

static int read_for(struct reader *r, char *rest)
{
	if (r->depth == MAX_NEST)
		return fail(r, "loops nested deeper than %d", MAX_NEST);
	struct tile_stmt *s = add_stmt(r, TILE_FOR);
	if (!s)
		return -1;
	s->var = word(r, &rest);
	char *in = word(r, &rest), *dots = outside(rest, ".."), *step = dots ? strstr(dots, " step ") : NULL;
	if (strcmp(in, "in") || !dots || !step)
		return fail(r, "a loop is 'for VAR in lo..hi step N pipe N'");
	s->lo = expression(r, trim(r, rest, (size_t)(dots - rest)));
	s->hi = expression(r, trim(r, dots + 2, (size_t)(step - dots - 2)));
	if (!s->lo || !s->hi)
		return -1;
	rest = step + 6;
	s->step = strtoll(word(r, &rest), NULL, 10);
	if (s->step < 1)
		return fail(r, "step of loop '%s' must be positive", s->var);
	if (!strcmp(word(r, &rest), "pipe"))
		s->pipe = atoi(word(r, &rest));
	if (s->pipe < 1)
		return fail(r, "pipe of loop '%s' must be positive", s->var);
	s->body = ARENA_ARRAY(r->arena, struct tile_stmt, MAX_STMTS);
	r->nest[r->depth].stmt = s->body;
	r->nest[r->depth].count = 0;
	r->nest[r->depth].owner = s;
	r->depth++;
	return 0;
}

/* "name[...] = ", " += ", " <- ". */
static int read_assignment(struct reader *r, char *text)
{
	char *at = outside(text, " <- "), *plus = outside(text, " += "), *equals = outside(text, " = ");
	enum tile_stmt_kind kind = TILE_MAP;
	size_t width = 3;

	if (at) {
		kind = TILE_STAGE;
		width = 4;
	} else if (plus) {
		at = plus;
		kind = TILE_ATOMIC;
		width = 4;
	} else {
		at = equals;
	}
	if (!at)
		return fail(r, "expected a declaration, 'for', 'end', 'barrier' or an assignment, not '%s'", text);
	struct expr *left = expression(r, trim(r, text, (size_t)(at - text)));
	struct expr *right = left ? expression(r, at + width) : NULL;
	if (!right)
		return -1;
	if (left->kind != EXPR_ACCESS && left->kind != EXPR_NAME)
		return fail(r, "the left side must be a tile or a buffer");
	int tile = tile_find(r->kernel, left->name), buffer = tile_buffer_find(r->program, left->name);
	if (tile < 0 && buffer < 0)
		return fail(r, "no tile or buffer '%s'", left->name);
	if (tile < 0 && kind == TILE_MAP)
		kind = TILE_STORE;
	if (tile >= 0 && kind == TILE_ATOMIC) {
		kind = TILE_MMA;
		if (right->kind != EXPR_REDUCE || right->op != OP_MMA)
			return fail(r, "'+=' on a tile is 'acc[..] += mma(k) a[..] * b[..]'");
	}
	if (kind == TILE_STAGE && (tile < 0 || right->kind != EXPR_ACCESS || tile_buffer_find(r->program, right->name) < 0))
		return fail(r, "'<-' copies a buffer's part into a tile");
	struct tile_stmt *s = add_stmt(r, kind);
	if (!s)
		return -1;
	s->target = kind == TILE_STORE || kind == TILE_ATOMIC ? buffer : tile;
	s->at = left->arg;
	s->at_count = left->arg_count;
	s->value = right;
	return 0;
}

static int read_line(struct reader *r, char *text)
{
	char *rest = text, *first = word(r, &rest);
	bool in_kernel = r->kernel != NULL;

	if (!strcmp(first, "plan")) {
		r->program->name = word(r, &rest);
		return is_name(r, "plan", r->program->name) ? 0 : -1;
	}
	if (!strcmp(first, "dim"))
		return read_dims(r, rest);
	if (!strcmp(first, "require")) {
		if (r->program->require_count == MAX_DIMS)
			return fail(r, "more than %d preconditions", MAX_DIMS);
		struct expr *e = expression(r, rest);
		r->program->require[r->program->require_count++] = e;
		return e ? 0 : -1;
	}
	if (!strcmp(first, "buffer"))
		return read_buffer(r, rest);
	if (!strcmp(first, "kernel"))
		return read_kernel(r, rest);
	if (!in_kernel)
		return fail(r, "'%s' before the first kernel", first);
	if (!strcmp(first, "index"))
		return read_indices(r, rest);
	if (!strcmp(first, "knob"))
		return read_knobs(r, rest);
	if (!strcmp(first, "tile"))
		return read_tile(r, rest);
	if (!strcmp(first, "for"))
		return read_for(r, rest);
	if (!strcmp(first, "barrier"))
		return add_stmt(r, TILE_BARRIER) ? 0 : -1;
	if (!strcmp(first, "end")) {
		if (r->depth < 2)
			return fail(r, "'end' without 'for'");
		r->depth--;
		return 0;
	}
	return read_assignment(r, text);
}

int tile_parse(struct arena *arena, const char *text, const char *name,
	       struct tile_program *program, struct strbuf *err)
{
	struct reader r = { .arena = arena, .program = program, .name = name, .err = err };

	*program = (struct tile_program){
		.name = "",
		.dim = ARENA_ARRAY(arena, struct tile_dim, MAX_DIMS),
		.require = ARENA_ARRAY(arena, struct expr *, MAX_DIMS),
		.buffer = ARENA_ARRAY(arena, struct tile_buffer, MAX_BUFFERS),
		.kernel = ARENA_ARRAY(arena, struct tile_kernel, MAX_KERNELS),
	};
	while (*text) {
		size_t len = strcspn(text, "\n"), end = strcspn(text, "#\n");
		char *line = trim(&r, text, end);
		r.line++;
		if (*line && read_line(&r, line))
			return -1;
		text += len + (text[len] == '\n');
	}
	if (!program->kernel_count)
		return fail(&r, "a program has at least one kernel");
	if (r.depth > 1)
		return fail(&r, "'for' is not closed by 'end'");
	return 0;
}

/* ---- printing -------------------------------------------------------- */

static void print_list(struct expr *const *e, size_t count, struct strbuf *out)
{
	for (size_t i = 0; i < count; i++) {
		if (i)
			strbuf_addstr(out, ", ");
		expr_print(e[i], out);
	}
}

static void print_stmt(const struct tile_program *p, const struct tile_kernel *k, const struct tile_stmt *s, int indent, struct strbuf *out)
{
	strbuf_addf(out, "%*s", indent, "");
	if (s->kind == TILE_BARRIER) {
		strbuf_addstr(out, "barrier\n");
		return;
	}
	if (s->kind == TILE_FOR) {
		strbuf_addf(out, "for %s in ", s->var);
		expr_print(s->lo, out);
		strbuf_addstr(out, "..");
		expr_print(s->hi, out);
		strbuf_addf(out, " step %lld", (long long)s->step);
		if (s->pipe > 1)
			strbuf_addf(out, " pipe %d", s->pipe);
		strbuf_addch(out, '\n');
		for (size_t i = 0; i < s->body_count; i++)
			print_stmt(p, k, &s->body[i], indent + 2, out);
		strbuf_addf(out, "%*send\n", indent, "");
		return;
	}
	bool on_buffer = s->kind == TILE_STORE || s->kind == TILE_ATOMIC;
	strbuf_addstr(out, on_buffer ? p->buffer[s->target].name : k->tile[s->target].name);
	if (s->at_count) {
		strbuf_addch(out, '[');
		print_list(s->at, s->at_count, out);
		strbuf_addch(out, ']');
	}
	strbuf_addstr(out, s->kind == TILE_STAGE ? " <- " : s->kind == TILE_MMA || s->kind == TILE_ATOMIC ? " += " : " = ");
	expr_print(s->value, out);
	strbuf_addch(out, '\n');
}

static void print_kernel(const struct tile_program *p, const struct tile_kernel *k, struct strbuf *out)
{
	static const char *const place[] = { "reg", "acc", "shared", "view" };

	strbuf_addf(out, "kernel %s grid [", k->name);
	print_list(k->grid, (size_t)k->grid_count, out);
	strbuf_addf(out, "] threads %d\n", k->threads);
	if (k->index_count)
		strbuf_addstr(out, "  index");
	for (size_t i = 0; i < k->index_count; i++) {
		strbuf_addf(out, " %s<%lld", k->index[i].name, (long long)k->index[i].extent);
		if (k->index[i].live) {
			strbuf_addstr(out, " of ");
			expr_print(k->index[i].live, out);
		}
	}
	if (k->index_count)
		strbuf_addch(out, '\n');
	for (size_t i = 0; i < k->knob_count; i++)
		strbuf_addf(out, "%s%s=%s", i ? " " : "  knob ", k->knob[i].name, k->knob[i].value);
	if (k->knob_count)
		strbuf_addch(out, '\n');
	for (size_t i = 0; i < k->tile_count; i++) {
		const struct tile *t = &k->tile[i];
		strbuf_addf(out, "  tile %s %s [", t->name, dtype_name(t->dtype));
		for (size_t d = 0; d < t->rank; d++)
			strbuf_addf(out, "%s%s", d ? ", " : "", k->index[t->index[d]].name);
		strbuf_addf(out, "] @%s%s%s\n", place[t->place], *t->layout_text ? " : " : "", t->layout_text);
	}
	for (size_t i = 0; i < k->stmt_count; i++)
		print_stmt(p, k, &k->stmt[i], 2, out);
}

void tile_print(const struct tile_program *p, struct strbuf *out)
{
	static const char *const role[] = { "in", "out", "tmp" };

	if (*p->name)
		strbuf_addf(out, "plan %s\n", p->name);
	for (size_t i = 0; i < p->dim_count; i++) {
		strbuf_addf(out, "%s%s", i ? " " : "dim ", p->dim[i].name);
		if (p->dim[i].is_static)
			strbuf_addf(out, "=%lld", (long long)p->dim[i].value);
	}
	if (p->dim_count)
		strbuf_addch(out, '\n');
	for (size_t i = 0; i < p->require_count; i++) {
		strbuf_addstr(out, "require ");
		expr_print(p->require[i], out);
		strbuf_addch(out, '\n');
	}
	for (size_t i = 0; i < p->buffer_count; i++) {
		const struct tile_buffer *b = &p->buffer[i];
		strbuf_addf(out, "buffer %s %s [", b->name, dtype_name(b->dtype));
		print_list(b->dim, b->rank, out);
		strbuf_addf(out, "] %s%s%s\n", role[b->role], *b->layout_text ? " : " : "", b->layout_text);
	}
	for (size_t i = 0; i < p->kernel_count; i++)
		print_kernel(p, &p->kernel[i], out);
}
