#include "ops/core/normal.h"
#include "ops/core/op_check.h"
#include "ops/core/words.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { MAX_STMTS = 64, MAX_SCOPE = 32 };

struct checker {
	struct arena arena;
	const struct op *op;
	struct body body;
	struct normal form;   /* the body's statements with attributes put in: for kinds */
	const char *scope[MAX_SCOPE];
	size_t scope_count;
	const struct body_stmt *stmt; /* the one at hand */
	struct strbuf *err;
	bool bad;
};

static void fault(struct checker *c, int line, int column, const char *fmt, ...) PRINTF(4, 5);
static void fault(struct checker *c, int line, int column, const char *fmt, ...)
{
	char at[64], text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(at, sizeof(at), "body:%d:%d:", line, column);
	op_fault(c->op, at, c->err, "%s", text);
	c->bad = true;
}

static const struct body_stmt *find_stmt(const struct checker *c, const char *name)
{
	for (size_t i = 0; i < c->body.stmt_count; i++)
		if (!strcmp(c->body.stmt[i].name, name))
			return &c->body.stmt[i];
	return NULL;
}

/* ---- names ----------------------------------------------------------- */

static bool in_scope(const struct checker *c, const char *name)
{
	for (size_t i = 0; i < c->scope_count; i++)
		if (!strcmp(c->scope[i], name))
			return true;
	return false;
}

static void bind_index(struct checker *c, const char *name, int line, int column)
{
	if (in_scope(c, name))
		fault(c, line, column, "index '%s' is bound twice: rename the inner one", name);
	else if (find_stmt(c, name) || op_tensor_index(c->op, name) >= 0 || op_attr_index(c->op, name) >= 0 || op_dim_index(c->op, name) >= 0)
		fault(c, line, column, "index '%s' is also a tensor, statement, dimension or attribute: rename the index", name);
	else if (!op_is_name(name))
		fault(c, line, column, "'%s' cannot name an index: it is a word of C, or longer than 32 characters", name);
	if (c->scope_count < MAX_SCOPE)
		c->scope[c->scope_count++] = name;
}

static int tensor_rank(const struct op_tensor *t)
{
	int rank = 0;

	for (const char *s = t->shape + strspn(t->shape, " "); *s; rank++) {
		s += strcspn(s, " ");
		s += strspn(s, " ");
	}
	return rank;
}

/* How many indices a name is read with, or -1: it is no tensor or statement that can be read. */
static int rank_of(const struct checker *c, const char *name)
{
	const struct body_stmt *s = find_stmt(c, name);
	int t = op_tensor_index(c->op, name);

	if (s)
		return (int)s->index_count;
	return t >= 0 && c->op->tensor[t].role == OP_IN ? tensor_rank(&c->op->tensor[t]) : -1;
}

static void check_name(struct checker *c, const struct expr *e)
{
	if (in_scope(c, e->name) || op_dim_index(c->op, e->name) >= 0 || op_attr_index(c->op, e->name) >= 0)
		return;
	int rank = rank_of(c, e->name);
	if (rank > 0)
		fault(c, e->line, e->column, "'%s' has %d dimension%s but is read without indices: write %s[...]", e->name, rank,
		      rank == 1 ? "" : "s", e->name);
	else if (rank < 0 && islower((unsigned char)*e->name))
		fault(c, e->line, e->column, "index '%s' is not declared: give '%s' that index, or reduce over it, as in sum(%s)", e->name,
		      c->stmt->name, e->name);
	else if (rank < 0)
		fault(c, e->line, e->column, "'%s' is not declared: add it to .dims (%s) or .attr, or define it with a statement", e->name,
		      c->op->dims);
}

static void check_access(struct checker *c, const struct expr *e)
{
	int rank = rank_of(c, e->name);

	if (rank < 0 && in_scope(c, e->name))
		fault(c, e->line, e->column, "'%s' is an index and cannot be read with indices: rename it or the tensor", e->name);
	else if (rank < 0)
		fault(c, e->line, e->column, "'%s' is not declared: add it to .tensor as an input, or define it with a statement", e->name);
	else if ((size_t)rank != e->arg_count)
		fault(c, e->line, e->column, "'%s' has %d dimension%s but is read with %zu ind%s: make them agree", e->name, rank,
		      rank == 1 ? "" : "s", e->arg_count, e->arg_count == 1 ? "ex" : "ices");
}

static void check_names(struct checker *c, const struct expr *e)
{
	size_t saved = c->scope_count;

	if (!e)
		return;
	if (e->kind == EXPR_NAME)
		check_name(c, e);
	else if (e->kind == EXPR_ACCESS)
		check_access(c, e);
	for (size_t i = 0; i < e->range_count; i++) {
		check_names(c, e->range[i].lo);
		check_names(c, e->range[i].hi);
		bind_index(c, e->range[i].name, e->line, e->column);
	}
	if (e->kind == EXPR_REDUCE && (e->op == OP_ARGMAX || e->op == OP_ARGMIN) && e->range_count != 1)
		fault(c, e->line, e->column, "%s takes one index: flatten, as in x[i//C,i%%C]", expr_op_text(e->op));
	check_names(c, e->filter);
	for (size_t i = 0; i < e->arg_count; i++)
		check_names(c, e->arg[i]);
	check_names(c, e->otherwise);
	c->scope_count = saved;
}

static bool reads_tensor(const struct expr *e)
{
	bool found = e && e->kind == EXPR_ACCESS;

	for (size_t i = 0; e && !found && i < e->arg_count; i++)
		found = reads_tensor(e->arg[i]);
	return found;
}

static void check_stmt_names(struct checker *c, const struct body_stmt *s)
{
	const struct body_stmt *other = find_stmt(c, s->name);
	int t = op_tensor_index(c->op, s->name);

	c->stmt = s;
	if (other != s)
		fault(c, s->line, s->column, "'%s' is defined twice: keep one statement", s->name);
	if (!op_is_name(s->name))
		fault(c, s->line, s->column, "'%s' cannot name a statement: it is a word of C, or longer than 32 characters", s->name);
	if (t >= 0 && c->op->tensor[t].role == OP_IN)
		fault(c, s->line, s->column, "'%s' is an input and cannot be defined: rename the statement, or declare it OP_OUT", s->name);
	if (op_dim_index(c->op, s->name) >= 0 || op_attr_index(c->op, s->name) >= 0)
		fault(c, s->line, s->column, "'%s' is a dimension or attribute and cannot be defined: rename the statement", s->name);
	c->scope_count = 0;
	for (size_t i = 0; i < s->index_count; i++) {
		const struct expr *hi = s->index[i].hi;
		if (hi->kind == EXPR_NAME && rank_of(c, hi->name) < 0 && op_dim_index(c->op, hi->name) < 0 && op_attr_index(c->op, hi->name) < 0)
			fault(c, hi->line, hi->column, "index '%s' runs over '%s', which is not declared: write %s<EXTENT, or add '%s' to .dims (%s)",
			      s->index[i].name, hi->name, s->index[i].name, hi->name, c->op->dims);
		else
			check_names(c, hi);
		if (reads_tensor(hi))
			fault(c, hi->line, hi->column, "extent of index '%s' is read from a tensor: extents must follow from dimensions", s->index[i].name);
	}
	for (size_t i = 0; i < s->index_count; i++)
		bind_index(c, s->index[i].name, s->line, s->column);
	check_names(c, s->value);
}

/* ---- kinds ----------------------------------------------------------- */

static const char *kind_name(enum kind kind)
{
	return kind == KIND_REAL ? "real" : kind == KIND_INT ? "an integer" : "a truth value";
}

static void want_int(struct checker *c, const struct expr *e, const struct expr *at, const char *what)
{
	if (e && normal_kind(&c->form, e) == KIND_REAL)
		fault(c, e->line ? e->line : at->line, e->line ? e->column : at->column, "%s is real: make it an integer, with // for / or i64(...)", what);
}

static void check_kinds(struct checker *c, const struct expr *e)
{
	if (!e)
		return;
	for (size_t i = 0; e->kind == EXPR_ACCESS && i < e->arg_count; i++)
		want_int(c, e->arg[i], e, "a position");
	for (size_t i = 0; i < e->range_count; i++) {
		want_int(c, e->range[i].lo, e, "the bound of a range");
		want_int(c, e->range[i].hi, e, "the bound of a range");
		check_kinds(c, e->range[i].lo);
		check_kinds(c, e->range[i].hi);
	}
	for (size_t i = 0; i < e->arg_count; i++)
		check_kinds(c, e->arg[i]);
	check_kinds(c, e->otherwise);
	check_kinds(c, e->filter);
}

static struct expr *put_attributes(struct checker *c, struct expr *e)
{
	for (int i = 0; i < OP_MAX_ATTRS && c->op->attr[i].name; i++) {
		const struct op_attr *a = &c->op->attr[i];
		e = expr_replace_name(&c->arena, e, a->name, a->is_int ? expr_int(&c->arena, (int64_t)a->value) : expr_real(&c->arena, a->value));
	}
	return e;
}

static void check_output_kind(struct checker *c, const struct normal_stmt *s, const struct body_stmt *b)
{
	const struct op_tensor *t = &c->op->tensor[s->tensor];
	enum dtype d = DTYPE_f32;

	if (!op_dtype_rule(t->dtype, c->form.dtype, &d) || dtype_is_real(d))
		return;
	if (s->kind == KIND_REAL || (d == DTYPE_bool && s->kind == KIND_INT))
		fault(c, b->line, b->column, "output '%s' has dtype %s where T is %s, but its value is %s: write %s(...) around it", s->name,
		      dtype_name(d), dtype_name(c->form.dtype), kind_name(s->kind), dtype_name(d));
}

static void check_all_kinds(struct checker *c, enum dtype dtype)
{
	struct normal_stmt *form = ARENA_ARRAY(&c->arena, struct normal_stmt, c->body.stmt_count);

	c->form = (struct normal){ .op = c->op, .dtype = dtype, .stmt = form, .stmt_count = c->body.stmt_count };
	for (size_t i = 0; i < c->body.stmt_count; i++) {
		const struct body_stmt *s = &c->body.stmt[i];
		int t = op_tensor_index(c->op, s->name);
		form[i] = (struct normal_stmt){ .name = s->name, .index = s->index, .index_count = s->index_count,
						.value = put_attributes(c, s->value), .tensor = t };
	}
	/* Kinds only grow, so a recurrence settles. */
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < c->body.stmt_count; i++)
			form[i].kind = normal_kind(&c->form, form[i].value);
	for (size_t i = 0; i < c->body.stmt_count; i++) {
		check_kinds(c, form[i].value);
		for (size_t k = 0; k < form[i].index_count; k++)
			want_int(c, put_attributes(c, form[i].index[k].hi), form[i].index[k].hi, "an extent");
		if (form[i].tensor >= 0)
			check_output_kind(c, &form[i], &c->body.stmt[i]);
	}
}

/* ---- recurrences ----------------------------------------------------- */

struct graph {
	bool reads[MAX_STMTS][MAX_STMTS];
	bool reaches[MAX_STMTS][MAX_STMTS];
};

static void close_paths(bool reaches[MAX_STMTS][MAX_STMTS], size_t n)
{
	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < n; j++)
				reaches[i][j] |= reaches[i][k] && reaches[k][j];
}

/*
 * Every read of a statement of s's own cycle: at which step of index `name`?
 * Sets same[u] for reads at `name` itself; returns false for any but name or name - c, c > 0.
 */
static bool steps_back(const struct checker *c, const struct expr *e, const struct graph *g, size_t s, const char *name, bool same[MAX_STMTS])
{
	if (!e)
		return true;
	if (e->kind == EXPR_ACCESS || e->kind == EXPR_NAME) {
		const struct body_stmt *u = find_stmt(c, e->name);
		size_t at = u ? (size_t)(u - c->body.stmt) : 0;
		if (u && g->reaches[at][s]) {
			size_t d = 0;
			while (d < u->index_count && strcmp(u->index[d].name, name))
				d++;
			if (d >= e->arg_count)
				return false;
			const struct expr *x = e->arg[d];
			bool back = x->kind == EXPR_BINARY && x->op == OP_SUB && x->arg[0]->kind == EXPR_NAME &&
				    !strcmp(x->arg[0]->name, name) && x->arg[1]->kind == EXPR_INT && x->arg[1]->int_value > 0;
			if (!back && !(x->kind == EXPR_NAME && !strcmp(x->name, name)))
				return false;
			same[at] |= !back;
		}
	}
	for (size_t i = 0; i < e->arg_count; i++)
		if (!steps_back(c, e->arg[i], g, s, name, same))
			return false;
	for (size_t i = 0; i < e->range_count; i++)
		if (!steps_back(c, e->range[i].lo, g, s, name, same) || !steps_back(c, e->range[i].hi, g, s, name, same))
			return false;
	return steps_back(c, e->otherwise, g, s, name, same) && steps_back(c, e->filter, g, s, name, same);
}

/* Does the cycle through statement s only step back along index `name`? */
static bool decreases(const struct checker *c, const struct graph *g, size_t s, const char *name)
{
	struct graph at_once = { 0 };
	size_t n = c->body.stmt_count;

	for (size_t i = 0; i < n; i++)
		if (g->reaches[i][s] && g->reaches[s][i] && !steps_back(c, c->body.stmt[i].value, g, i, name, at_once.reaches[i]))
			return false;
	close_paths(at_once.reaches, n);
	for (size_t i = 0; i < n; i++)
		if (at_once.reaches[i][i])
			return false;
	return true;
}

static void check_recurrences(struct checker *c)
{
	struct graph *g = ARENA_ARRAY(&c->arena, struct graph, 1);
	size_t n = c->body.stmt_count;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			g->reaches[i][j] = expr_uses(c->body.stmt[i].value, c->body.stmt[j].name);
	close_paths(g->reaches, n);
	for (size_t i = 0; i < n; i++) {
		const struct body_stmt *s = &c->body.stmt[i];
		bool good = !g->reaches[i][i];
		for (size_t k = 0; !good && k < s->index_count; k++)
			good = decreases(c, g, i, s->index[k].name);
		if (!good)
			fault(c, s->line, s->column, "'%s' depends on itself without a decreasing index: read it at smaller positions only, such as %s[t-1]",
			      s->name, s->name);
	}
}

/* ---- outputs --------------------------------------------------------- */

struct shape_check {
	struct checker *c;
	int tensor;
	const struct body_stmt *stmt;
};

/* The problem's names and, after them, the body's derived dimensions. */
static size_t bind_all(struct checker *c, const struct problem *p, struct binding *binding, size_t room)
{
	struct strbuf ignored = STRBUF_INIT;
	size_t count = p->binding_count;

	memcpy(binding, p->binding, count * sizeof(*binding));
	for (size_t i = 0; i < c->body.stmt_count && count < room; i++) {
		const struct body_stmt *s = &c->body.stmt[i];
		if (!s->index_count && !expr_int_value(s->value, binding, count, &binding[count].value, &ignored))
			binding[count++].name = s->name;
	}
	strbuf_release(&ignored);
	return count;
}

static int check_output_shape(const struct problem *p, enum op_use use, void *user)
{
	struct shape_check *x = user;
	struct binding binding[OP_MAX_DIMS + OP_MAX_ATTRS + MAX_STMTS];
	size_t count = bind_all(x->c, p, binding, ARRAY_SIZE(binding));
	struct strbuf why = STRBUF_INIT, where = STRBUF_INIT;
	int64_t want[8], got;
	int rank = problem_shape(p, x->tensor, want), ret = 0;

	(void)use;
	problem_print(p, &where);
	for (int i = 0; !ret && i < rank; i++) {
		const struct expr_range *r = &x->stmt->index[i];
		if (expr_int_value(r->hi, binding, count, &got, &why)) {
			fault(x->c, x->stmt->line, x->stmt->column, "extent of index '%s' cannot be computed: %s: use dimensions and integer attributes",
			      r->name, why.buf);
			ret = 1;
		} else if (got != want[i]) {
			fault(x->c, x->stmt->line, x->stmt->column,
			      "shape mismatch: index '%s' of '%s' runs over %lld but dimension %d of the tensor is %lld at %s: make .shape and body agree",
			      r->name, x->stmt->name, (long long)got, i, (long long)want[i], where.buf);
			ret = 1;
		}
	}
	strbuf_release(&why);
	strbuf_release(&where);
	return ret;
}

static void check_outputs(struct checker *c)
{
	for (int t = 0; t < OP_MAX_TENSORS && c->op->tensor[t].name; t++) {
		const struct op_tensor *x = &c->op->tensor[t];
		const struct body_stmt *s = find_stmt(c, x->name);
		bool is_read = false;
		for (size_t i = 0; i < c->body.stmt_count; i++)
			is_read |= expr_uses(c->body.stmt[i].value, x->name);
		if (x->role == OP_IN && !is_read)
			fault(c, 1, 1, "input '%s' is never read: remove it from .tensor, or use it", x->name);
		if (x->role == OP_IN)
			continue;
		int rank = tensor_rank(x);
		if (!s)
			fault(c, 1, 1, "output '%s' has no statement: define it, as in %s[...] = ...", x->name, x->name);
		else if ((size_t)rank != s->index_count)
			fault(c, s->line, s->column, "shape mismatch: '%s' is declared '%s' (%d dimension%s) but has %zu ind%s: make them agree", x->name,
			      x->shape, rank, rank == 1 ? "" : "s", s->index_count, s->index_count == 1 ? "ex" : "ices");
		else {
			struct shape_check check = { c, t, s };
			problem_each(c->op, ~0u, 1, check_output_shape, &check, c->err);
		}
	}
}

bool op_check_body(const struct op *op, struct strbuf *err)
{
	struct checker c = { .op = op, .err = err };
	struct strbuf source = STRBUF_INIT;

	strbuf_addf(&source, "%s:body", op->source_path);
	if (body_parse(&c.arena, op->body, source.buf, &c.body, err)) {
		strbuf_addstr(err, ": see the grammar in ops/core/expr.h");
		c.bad = true;
		goto out;
	}
	if (c.body.stmt_count > MAX_STMTS) {
		op_fault(op, "", err, "%zu statements: the limit is %d", c.body.stmt_count, MAX_STMTS);
		c.bad = true;
		goto out;
	}
	for (size_t i = 0; i < c.body.stmt_count; i++)
		check_stmt_names(&c, &c.body.stmt[i]);
	if (!c.bad)
		check_recurrences(&c);
	for (int d = 0; d < DTYPE_COUNT && !c.bad; d++)
		if (words_index(op->dtypes, dtype_name((enum dtype)d)) >= 0)
			check_all_kinds(&c, (enum dtype)d);
	if (!c.bad)
		check_outputs(&c);
out:
	strbuf_release(&source);
	arena_release(&c.arena);
	return !c.bad;
}
