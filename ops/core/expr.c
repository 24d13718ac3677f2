#include "ops/core/expr.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- tokens ---------------------------------------------------------- */

enum token_kind { TOKEN_END, TOKEN_NUMBER, TOKEN_NAME, TOKEN_PUNCTUATION };

struct token {
	enum token_kind kind;
	const char *start;
	size_t len;
	int line, column;
};

struct parser {
	struct arena *arena;
	const char *source; /* for messages */
	const char *at;     /* behind the current token */
	const char *line_start;
	int line;
	struct token token; /* the current one */
	enum expr_flags flags;
	struct strbuf *err;
	bool failed;        /* one message is enough; every rule returns at once after it */
	int depth;
};

enum { MAX_DEPTH = 200 };

static void fail(struct parser *p, const struct token *at, const char *fmt, ...) PRINTF(3, 4);
static void fail(struct parser *p, const struct token *at, const char *fmt, ...)
{
	va_list ap;

	if (p->failed)
		return;
	p->failed = true;
	strbuf_addf(p->err, "%s:%d:%d: ", p->source, at->line, at->column);
	va_start(ap, fmt);
	strbuf_vaddf(p->err, fmt, ap);
	va_end(ap);
}

/* "1.5e-3", "12", and the 0 of "0..N". */
static size_t number_length(const char *s)
{
	size_t n = strspn(s, "0123456789");

	if (s[n] == '.' && s[n + 1] != '.')
		n += 1 + strspn(s + n + 1, "0123456789");
	if (s[n] == 'e' || s[n] == 'E') {
		size_t sign = n + 1 + (s[n + 1] == '+' || s[n + 1] == '-');
		if (isdigit((unsigned char)s[sign]))
			n = sign + strspn(s + sign, "0123456789");
	}
	return n;
}

static void advance(struct parser *p)
{
	static const char *const two[] = { "..", "//", "<=", ">=", "==", "!=", "&&", "||" };
	const char *s = p->at;

	for (;;) {
		if (*s == '\n') {
			p->line++;
			p->line_start = ++s;
		} else if (*s == ' ' || *s == '\t' || *s == '\r') {
			s++;
		} else if (*s == '#') {
			s += strcspn(s, "\n");
		} else {
			break;
		}
	}
	struct token t = { TOKEN_END, s, 0, p->line, (int)(s - p->line_start) + 1 };
	if (isdigit((unsigned char)*s)) {
		t.kind = TOKEN_NUMBER;
		t.len = number_length(s);
	} else if (isalpha((unsigned char)*s) || *s == '_') {
		t.kind = TOKEN_NAME;
		while (isalnum((unsigned char)s[t.len]) || s[t.len] == '_')
			t.len++;
	} else if (*s) {
		t.kind = TOKEN_PUNCTUATION;
		t.len = 1;
		for (size_t i = 0; i < ARRAY_SIZE(two); i++)
			if (!strncmp(s, two[i], 2))
				t.len = 2;
		if (!strchr("+-*/%<>=!?:()[],;&|.", *s))
			fail(p, &t, "unexpected character '%c'", *s);
	}
	p->token = t;
	p->at = s + t.len;
}

static bool is(const struct parser *p, const char *text)
{
	return p->token.kind != TOKEN_NUMBER && p->token.kind != TOKEN_END &&
	       p->token.len == strlen(text) && !memcmp(p->token.start, text, p->token.len);
}

static bool maybe(struct parser *p, const char *text)
{
	if (p->failed || !is(p, text))
		return false;
	advance(p);
	return true;
}

static void expect(struct parser *p, const char *text, const char *where)
{
	if (p->failed)
		return;
	if (!is(p, text)) {
		if (p->token.kind == TOKEN_END)
			fail(p, &p->token, "expected '%s' %s, but the text ends", text, where);
		else
			fail(p, &p->token, "expected '%s' %s, not '%.*s'", text, where, (int)p->token.len,
			     p->token.start);
		return;
	}
	advance(p);
}

static bool next_is_paren(const struct parser *p)
{
	return p->at[strspn(p->at, " \t\r\n")] == '(';
}

/* ---- tables ---------------------------------------------------------- */

static const char *const op_text[] = {
	[OP_ADD] = "+", [OP_SUB] = "-", [OP_MUL] = "*", [OP_DIV] = "/", [OP_FLOORDIV] = "//",
	[OP_MOD] = "%", [OP_EQ] = "==", [OP_NE] = "!=", [OP_LT] = "<", [OP_LE] = "<=", [OP_GT] = ">",
	[OP_GE] = ">=", [OP_AND] = "&&", [OP_OR] = "||", [OP_SUM] = "sum", [OP_PROD] = "prod",
	[OP_MAX] = "max", [OP_MIN] = "min", [OP_ARGMAX] = "argmax", [OP_ARGMIN] = "argmin",
	[OP_SCAN] = "scan", [OP_SCAN_PROD] = "scanprod", [OP_SCAN_BACK] = "scanback", [OP_ORDER] = "order", [OP_BISECT] = "bisect", [OP_MMA] = "mma",
};

const char *expr_op_text(enum expr_op op)
{
	return op_text[op];
}

bool expr_is_scan(const struct expr *e, enum expr_op *of)
{
	*of = e->op == OP_SCAN_PROD ? OP_PROD : OP_SUM;
	return e->kind == EXPR_REDUCE && (e->op == OP_SCAN || e->op == OP_SCAN_PROD || e->op == OP_SCAN_BACK);
}

static bool is_keyword(const struct token *t)
{
	static const char *const word[] = { "else", "if", "in" };

	for (size_t i = 0; i < ARRAY_SIZE(word); i++)
		if (t->len == strlen(word[i]) && !memcmp(t->start, word[i], t->len))
			return true;
	return false;
}

/* ---- nodes ----------------------------------------------------------- */

static struct expr *node(struct arena *arena, enum expr_kind kind, size_t args)
{
	struct expr *e = ARENA_ARRAY(arena, struct expr, 1);

	e->kind = kind;
	e->arg_count = args;
	if (args)
		e->arg = ARENA_ARRAY(arena, struct expr *, args);
	return e;
}

static struct expr *node_at(struct parser *p, enum expr_kind kind, size_t args, const struct token *t)
{
	struct expr *e = node(p->arena, kind, args);

	e->line = t->line;
	e->column = t->column;
	return e;
}

struct expr *expr_int(struct arena *arena, int64_t value)
{
	struct expr *e = node(arena, EXPR_INT, 0);

	e->int_value = value;
	return e;
}

struct expr *expr_real(struct arena *arena, double value)
{
	struct expr *e = node(arena, EXPR_REAL, 0);

	e->real_value = value;
	return e;
}

struct expr *expr_name(struct arena *arena, const char *name)
{
	struct expr *e = node(arena, EXPR_NAME, 0);

	e->name = name;
	return e;
}

struct expr *expr_binary(struct arena *arena, enum expr_op op, struct expr *a, struct expr *b)
{
	struct expr *e = node(arena, EXPR_BINARY, 2);

	e->op = op;
	e->arg[0] = a;
	e->arg[1] = b;
	e->line = a->line;
	e->column = a->column;
	return e;
}

struct expr *expr_access(struct arena *arena, const char *name, struct expr **index, size_t count)
{
	struct expr *e = node(arena, EXPR_ACCESS, count);

	e->name = name;
	for (size_t i = 0; i < count; i++)
		e->arg[i] = index[i];
	return e;
}

/* ---- grammar --------------------------------------------------------- */

static struct expr *parse_expr(struct parser *p);
static struct expr *parse_add(struct parser *p);
static struct expr *parse_mul(struct parser *p);
static struct expr *parse_unary(struct parser *p);

/* Something to return after a failure, so that callers need no checks. */
static struct expr *nothing(struct parser *p)
{
	return expr_int(p->arena, 0);
}

static const char *take_name(struct parser *p, const char *what)
{
	const char *name = "";

	if (p->failed)
		return name;
	if (p->token.kind != TOKEN_NAME || is_keyword(&p->token)) {
		fail(p, &p->token, "expected %s, not '%.*s'", what, (int)p->token.len, p->token.start);
		return name;
	}
	name = arena_strndup(p->arena, p->token.start, p->token.len);
	advance(p);
	return name;
}

/* The dimension an index runs over when no bound is written. */
static struct expr *upper(struct parser *p, const char *name, const struct token *t)
{
	char *dim = arena_strdup(p->arena, name);

	for (char *c = dim; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	struct expr *e = node_at(p, EXPR_NAME, 0, t);
	e->name = dim;
	return e;
}

static void parse_range(struct parser *p, struct expr_range *r)
{
	struct token t = p->token;

	r->name = take_name(p, "an index");
	r->lo = expr_int(p->arena, 0);
	if (maybe(p, "<")) {
		r->hi = parse_add(p);
	} else if (maybe(p, "<=")) {
		r->hi = parse_add(p);
		r->hi = expr_binary(p->arena, OP_ADD, r->hi, expr_int(p->arena, 1));
	} else if (maybe(p, "in")) {
		r->lo = parse_add(p);
		expect(p, "..", "between the bounds of a range");
		r->hi = parse_add(p);
	} else if (p->flags & EXPR_TILE) {
		r->lo = r->hi = NULL;
	} else {
		r->hi = upper(p, r->name, &t);
	}
}

enum { MAX_RANGES = 8, MAX_ARGS = 16 };

static struct expr *parse_reduce(struct parser *p, enum expr_op op)
{
	struct expr *e = node_at(p, EXPR_REDUCE, 1, &p->token);

	e->op = op;
	e->range = ARENA_ARRAY(p->arena, struct expr_range, MAX_RANGES);
	advance(p);
	expect(p, "(", "after a reducer");
	do {
		if (e->range_count == MAX_RANGES) {
			fail(p, &p->token, "more than %d ranges", MAX_RANGES);
			break;
		}
		parse_range(p, &e->range[e->range_count++]);
	} while (maybe(p, ","));
	if (maybe(p, "if"))
		e->filter = parse_expr(p);
	expect(p, ")", "after the ranges of a reduction");
	e->arg[0] = parse_mul(p);
	return e;
}

/* Comma-separated expressions up to `close`; returns how many. */
static size_t parse_list(struct parser *p, const char *close, struct expr **out)
{
	size_t n = 0;

	if (maybe(p, close))
		return 0;
	do {
		if (n == MAX_ARGS) {
			fail(p, &p->token, "more than %d arguments", MAX_ARGS);
			return n;
		}
		out[n++] = parse_expr(p);
	} while (maybe(p, ","));
	expect(p, close, "after a list");
	return n;
}

static struct expr *parse_number(struct parser *p, const char *sign)
{
	char text[64];
	struct token t = p->token;

	snprintf(text, sizeof(text), "%s%.*s", sign, (int)t.len, t.start);
	bool is_real = strpbrk(text, ".eE") != NULL;
	struct expr *e = node_at(p, is_real ? EXPR_REAL : EXPR_INT, 0, &t);
	errno = 0;
	if (is_real)
		e->real_value = strtod(text, NULL);
	else
		e->int_value = strtoll(text, NULL, 10);
	if (errno == ERANGE || t.len >= sizeof(text) - 1)
		fail(p, &t, "number '%s' is out of range", text);
	advance(p);
	return e;
}

static struct expr *parse_call(struct parser *p, const char *name, const struct token *t)
{
	struct expr *arg[MAX_ARGS];
	size_t n = parse_list(p, ")", arg);
	const struct function *f = function_find(name);

	if (!f)
		fail(p, t, "unknown function '%s'", name);
	else if ((size_t)f->arity != n)
		fail(p, t, "'%s' takes %d argument%s, not %zu", name, f->arity, f->arity == 1 ? "" : "s", n);
	struct expr *e = node_at(p, EXPR_CALL, n, t);
	e->name = name;
	for (size_t i = 0; i < n; i++)
		e->arg[i] = arg[i];
	return e;
}

static struct expr *parse_primary(struct parser *p)
{
	struct token t = p->token;

	if (p->failed)
		return nothing(p);
	if (t.kind == TOKEN_NUMBER)
		return parse_number(p, "");
	if (maybe(p, "(")) {
		struct expr *e = parse_expr(p);
		expect(p, ")", "to close a parenthesis");
		return e;
	}
	if (t.kind == TOKEN_END) {
		fail(p, &t, "expected an expression, but the text ends");
		return nothing(p);
	}
	const char *name = take_name(p, "an expression");
	if (!strcmp(name, "inf")) {
		struct expr *e = node_at(p, EXPR_REAL, 0, &t);
		e->real_value = INFINITY;
		return e;
	}
	if (maybe(p, "(")) {
		return parse_call(p, name, &t);
	}
	if (maybe(p, "[")) {
		struct expr *arg[MAX_ARGS];
		size_t n = parse_list(p, "]", arg);
		struct expr *e = node_at(p, EXPR_ACCESS, n, &t);
		e->name = name;
		for (size_t i = 0; i < n; i++)
			e->arg[i] = arg[i];
		if (maybe(p, "else"))
			e->otherwise = parse_unary(p);
		return e;
	}
	struct expr *e = node_at(p, EXPR_NAME, 0, &t);
	e->name = name;
	return e;
}

static bool reducer(const struct parser *p, enum expr_op *op)
{
	if (p->token.kind != TOKEN_NAME || !next_is_paren(p))
		return false;
	for (int o = OP_SUM; o <= (p->flags & EXPR_TILE ? OP_MMA : OP_ARGMIN); o++)
		if (is(p, op_text[o])) {
			*op = (enum expr_op)o;
			return true;
		}
	return false;
}

static struct expr *parse_unary(struct parser *p)
{
	struct token t = p->token;
	struct expr *e;
	enum expr_op op;

	if (p->failed)
		return nothing(p);
	if (++p->depth > MAX_DEPTH) {
		fail(p, &t, "nested too deeply");
		return nothing(p);
	}
	if (maybe(p, "-")) {
		/* A minus before a number belongs to it, so that "-1" prints and parses as itself. */
		if (p->token.kind == TOKEN_NUMBER || is(p, "inf")) {
			e = p->token.kind == TOKEN_NUMBER ? parse_number(p, "-") : parse_primary(p);
			if (isinf(e->real_value))
				e->real_value = -INFINITY;
			e->line = t.line;
			e->column = t.column;
		} else {
			e = node_at(p, EXPR_NEG, 1, &t);
			e->arg[0] = parse_unary(p);
		}
	} else if (reducer(p, &op)) {
		e = parse_reduce(p, op);
	} else {
		e = parse_primary(p);
	}
	p->depth--;
	return e;
}

/* sub { op sub } for the operators of one level, left to right. */
static struct expr *parse_left(struct parser *p, const enum expr_op *ops, size_t count,
			       struct expr *(*sub)(struct parser *))
{
	struct expr *a = sub(p);

	for (size_t i = 0; i < count && !p->failed; i++)
		if (p->token.kind == TOKEN_PUNCTUATION && maybe(p, op_text[ops[i]])) {
			a = expr_binary(p->arena, ops[i], a, sub(p));
			i = (size_t)-1;
		}
	return a;
}

static struct expr *parse_mul(struct parser *p)
{
	static const enum expr_op ops[] = { OP_MUL, OP_DIV, OP_FLOORDIV, OP_MOD };
	return parse_left(p, ops, ARRAY_SIZE(ops), parse_unary);
}

static struct expr *parse_add(struct parser *p)
{
	static const enum expr_op ops[] = { OP_ADD, OP_SUB };
	return parse_left(p, ops, ARRAY_SIZE(ops), parse_mul);
}

static struct expr *parse_cmp(struct parser *p)
{
	struct expr *a = parse_add(p);

	for (int o = OP_EQ; o <= OP_GE && !p->failed; o++)
		if (p->token.kind == TOKEN_PUNCTUATION && maybe(p, op_text[o]))
			return expr_binary(p->arena, (enum expr_op)o, a, parse_add(p));
	return a;
}

static struct expr *parse_and(struct parser *p)
{
	static const enum expr_op ops[] = { OP_AND };
	return parse_left(p, ops, 1, parse_cmp);
}

static struct expr *parse_or(struct parser *p)
{
	static const enum expr_op ops[] = { OP_OR };
	return parse_left(p, ops, 1, parse_and);
}

static struct expr *parse_expr(struct parser *p)
{
	if (++p->depth > MAX_DEPTH) {
		fail(p, &p->token, "nested too deeply");
		return nothing(p);
	}
	struct expr *condition = parse_or(p);
	if (maybe(p, "?")) {
		struct expr *e = node(p->arena, EXPR_SELECT, 3);
		e->line = condition->line;
		e->column = condition->column;
		e->arg[0] = condition;
		e->arg[1] = parse_expr(p);
		expect(p, ":", "between the branches of '?'");
		e->arg[2] = parse_expr(p);
		condition = e;
	}
	p->depth--;
	return condition;
}

static void parse_stmt(struct parser *p, struct body_stmt *s)
{
	s->line = p->token.line;
	s->column = p->token.column;
	s->name = take_name(p, "a statement's name");
	if (maybe(p, "[")) {
		s->index = ARENA_ARRAY(p->arena, struct expr_range, MAX_RANGES);
		do {
			struct token t = p->token;
			if (s->index_count == MAX_RANGES) {
				fail(p, &t, "more than %d indices", MAX_RANGES);
				return;
			}
			struct expr_range *r = &s->index[s->index_count++];
			r->name = take_name(p, "an index");
			r->lo = expr_int(p->arena, 0);
			r->hi = maybe(p, "<") ? parse_add(p) : upper(p, r->name, &t);
		} while (maybe(p, ","));
		expect(p, "]", "after a statement's indices");
	}
	expect(p, "=", "after a statement's name and indices");
	s->value = parse_expr(p);
}

static struct parser start(struct arena *arena, const char *text, const char *source,
			   enum expr_flags flags, struct strbuf *err)
{
	struct parser p = { .arena = arena, .source = source, .at = text, .line_start = text, .line = 1,
			    .flags = flags, .err = err };

	advance(&p);
	return p;
}

int body_parse(struct arena *arena, const char *text, const char *source, struct body *body,
	       struct strbuf *err)
{
	struct parser p = start(arena, text, source, EXPR_BODY, err);
	size_t most = 1;

	for (const char *c = text; *c; c++)
		most += *c == ';';
	body->stmt = ARENA_ARRAY(arena, struct body_stmt, most);
	body->stmt_count = 0;
	while (!p.failed && p.token.kind != TOKEN_END) {
		parse_stmt(&p, &body->stmt[body->stmt_count++]);
		if (p.token.kind != TOKEN_END)
			expect(&p, ";", "between statements");
	}
	if (!p.failed && !body->stmt_count)
		fail(&p, &p.token, "an empty body: write 'y[i] = ...'");
	return p.failed ? -1 : 0;
}

int expr_parse(struct arena *arena, const char *text, const char *source, enum expr_flags flags,
	       struct expr **out, struct strbuf *err)
{
	struct parser p = start(arena, text, source, flags, err);
	struct expr *e = parse_expr(&p);

	if (!p.failed && p.token.kind != TOKEN_END)
		fail(&p, &p.token, "unexpected '%.*s' after the expression", (int)p.token.len, p.token.start);
	if (p.failed)
		return -1;
	*out = e;
	return 0;
}

/* ---- printing -------------------------------------------------------- */

enum level { LEVEL_SELECT, LEVEL_OR, LEVEL_AND, LEVEL_CMP, LEVEL_ADD, LEVEL_REDUCE, LEVEL_MUL, LEVEL_UNARY, LEVEL_PRIMARY };

static enum level level_of(const struct expr *e)
{
	switch (e->kind) {
	case EXPR_SELECT:
		return LEVEL_SELECT;
	case EXPR_BINARY:
		return e->op <= OP_SUB ? LEVEL_ADD : e->op <= OP_MOD ? LEVEL_MUL
		     : e->op <= OP_GE  ? LEVEL_CMP : e->op == OP_AND ? LEVEL_AND : LEVEL_OR;
	case EXPR_NEG:
		return LEVEL_UNARY;
	case EXPR_REDUCE:
		/* It swallows the product behind it, so inside one it wants parentheses. */
		return LEVEL_REDUCE;
	case EXPR_INT:
		return e->int_value < 0 ? LEVEL_UNARY : LEVEL_PRIMARY;
	case EXPR_REAL:
		return signbit(e->real_value) ? LEVEL_UNARY : LEVEL_PRIMARY;
	default:
		return LEVEL_PRIMARY;
	}
}

static void print_at(const struct expr *e, enum level least, struct strbuf *out)
{
	bool parens = level_of(e) < least;

	if (parens)
		strbuf_addch(out, '(');
	expr_print(e, out);
	if (parens)
		strbuf_addch(out, ')');
}

static void print_real(double value, struct strbuf *out)
{
	char text[40];

	if (isinf(value)) {
		strbuf_addstr(out, value < 0 ? "-inf" : "inf");
		return;
	}
	for (int digits = 6; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	strbuf_addstr(out, text);
	if (!strpbrk(text, ".e"))
		strbuf_addstr(out, ".0");
}

static void print_range(const struct expr_range *r, struct strbuf *out)
{
	strbuf_addstr(out, r->name);
	if (!r->hi)
		return;
	if (r->lo->kind == EXPR_INT && r->lo->int_value == 0) {
		strbuf_addch(out, '<');
		print_at(r->hi, LEVEL_ADD, out);
	} else {
		strbuf_addstr(out, " in ");
		print_at(r->lo, LEVEL_ADD, out);
		strbuf_addstr(out, "..");
		print_at(r->hi, LEVEL_ADD, out);
	}
}

static void print_list(struct expr *const *arg, size_t count, struct strbuf *out)
{
	for (size_t i = 0; i < count; i++) {
		if (i)
			strbuf_addstr(out, ", ");
		expr_print(arg[i], out);
	}
}

static void print_reduce(const struct expr *e, struct strbuf *out)
{
	strbuf_addf(out, "%s(", op_text[e->op]);
	for (size_t i = 0; i < e->range_count; i++) {
		if (i)
			strbuf_addstr(out, ", ");
		print_range(&e->range[i], out);
	}
	if (e->filter) {
		strbuf_addstr(out, " if ");
		expr_print(e->filter, out);
	}
	strbuf_addstr(out, ") ");
	print_at(e->arg[0], LEVEL_MUL, out);
}

void expr_print(const struct expr *e, struct strbuf *out)
{
	enum level level = level_of(e);

	switch (e->kind) {
	case EXPR_INT:
		strbuf_addf(out, "%lld", (long long)e->int_value);
		break;
	case EXPR_REAL:
		print_real(e->real_value, out);
		break;
	case EXPR_NAME:
		strbuf_addstr(out, e->name);
		break;
	case EXPR_ACCESS:
		strbuf_addf(out, "%s[", e->name);
		print_list(e->arg, e->arg_count, out);
		strbuf_addch(out, ']');
		if (e->otherwise) {
			strbuf_addstr(out, " else ");
			print_at(e->otherwise, LEVEL_UNARY, out);
		}
		break;
	case EXPR_NEG:
		strbuf_addch(out, '-');
		/* -(5), so that it does not read back as a number. */
		if (e->arg[0]->kind == EXPR_INT || e->arg[0]->kind == EXPR_REAL) {
			strbuf_addch(out, '(');
			expr_print(e->arg[0], out);
			strbuf_addch(out, ')');
		} else {
			print_at(e->arg[0], LEVEL_UNARY, out);
		}
		break;
	case EXPR_BINARY:
		/* Comparisons do not chain: both sides are sums. */
		print_at(e->arg[0], level == LEVEL_CMP ? LEVEL_ADD : level, out);
		strbuf_addf(out, e->op == OP_FLOORDIV || e->op == OP_MOD ? "%s" : " %s ", op_text[e->op]);
		print_at(e->arg[1], level + 1, out);
		break;
	case EXPR_SELECT:
		print_at(e->arg[0], LEVEL_OR, out);
		strbuf_addstr(out, " ? ");
		expr_print(e->arg[1], out);
		strbuf_addstr(out, " : ");
		expr_print(e->arg[2], out);
		break;
	case EXPR_CALL:
		strbuf_addf(out, "%s(", e->name);
		print_list(e->arg, e->arg_count, out);
		strbuf_addch(out, ')');
		break;
	case EXPR_REDUCE:
		print_reduce(e, out);
		break;
	}
}

void body_print(const struct body *body, struct strbuf *out)
{
	for (size_t i = 0; i < body->stmt_count; i++) {
		const struct body_stmt *s = &body->stmt[i];
		if (i)
			strbuf_addstr(out, "; ");
		strbuf_addstr(out, s->name);
		for (size_t k = 0; k < s->index_count; k++) {
			strbuf_addstr(out, k ? ", " : "[");
			print_range(&s->index[k], out);
		}
		strbuf_addstr(out, s->index_count ? "] = " : " = ");
		expr_print(s->value, out);
	}
}

/* ---- structure ------------------------------------------------------- */

static bool same(const struct expr *a, const struct expr *b)
{
	return (!a && !b) || (a && b && expr_equal(a, b));
}

bool expr_equal(const struct expr *a, const struct expr *b)
{
	if (a == b)
		return true;
	if (a->kind != b->kind || a->arg_count != b->arg_count || a->range_count != b->range_count)
		return false;
	if ((a->kind == EXPR_BINARY || a->kind == EXPR_REDUCE) && a->op != b->op)
		return false;
	if (a->kind == EXPR_INT && a->int_value != b->int_value)
		return false;
	if (a->kind == EXPR_REAL && memcmp(&a->real_value, &b->real_value, sizeof(double)))
		return false;
	if ((a->name || b->name) && (!a->name || !b->name || strcmp(a->name, b->name)))
		return false;
	for (size_t i = 0; i < a->range_count; i++)
		if (strcmp(a->range[i].name, b->range[i].name) || !same(a->range[i].lo, b->range[i].lo) ||
		    !same(a->range[i].hi, b->range[i].hi))
			return false;
	for (size_t i = 0; i < a->arg_count; i++)
		if (!expr_equal(a->arg[i], b->arg[i]))
			return false;
	return same(a->otherwise, b->otherwise) && same(a->filter, b->filter);
}

static struct expr *replace_in(struct arena *arena, const struct expr *e, const char *name, struct expr *with)
{
	return e ? expr_replace_name(arena, e, name, with) : NULL;
}

struct expr *expr_replace_name(struct arena *arena, const struct expr *e, const char *name,
			       struct expr *with)
{
	if (e->kind == EXPR_NAME && !strcmp(e->name, name))
		return with;
	if (!expr_uses(e, name))
		return (struct expr *)e;
	struct expr *copy = ARENA_ARRAY(arena, struct expr, 1);
	*copy = *e;
	if (e->arg_count)
		copy->arg = ARENA_ARRAY(arena, struct expr *, e->arg_count);
	for (size_t i = 0; i < e->arg_count; i++)
		copy->arg[i] = expr_replace_name(arena, e->arg[i], name, with);
	copy->otherwise = replace_in(arena, e->otherwise, name, with);
	copy->filter = replace_in(arena, e->filter, name, with);
	if (e->range_count)
		copy->range = ARENA_ARRAY(arena, struct expr_range, e->range_count);
	for (size_t i = 0; i < e->range_count; i++)
		copy->range[i] = (struct expr_range){ e->range[i].name,
						      replace_in(arena, e->range[i].lo, name, with),
						      replace_in(arena, e->range[i].hi, name, with) };
	return copy;
}

bool expr_uses(const struct expr *e, const char *name)
{
	if (!e)
		return false;
	if ((e->kind == EXPR_NAME || e->kind == EXPR_ACCESS) && !strcmp(e->name, name))
		return true;
	for (size_t i = 0; i < e->arg_count; i++)
		if (expr_uses(e->arg[i], name))
			return true;
	for (size_t i = 0; i < e->range_count; i++)
		if (expr_uses(e->range[i].lo, name) || expr_uses(e->range[i].hi, name))
			return true;
	return expr_uses(e->otherwise, name) || expr_uses(e->filter, name);
}

/* ---- integers -------------------------------------------------------- */

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b && (a < 0) != (b < 0));
}

static int fault(const struct expr *e, const char *what, const char *name, struct strbuf *err)
{
	strbuf_addf(err, "column %d: %s", e->column, what);
	if (name)
		strbuf_addf(err, " '%s'", name);
	return -1;
}

static int int_binary(const struct expr *e, int64_t a, int64_t b, int64_t *value, struct strbuf *err)
{
	bool overflow = false;

	switch (e->op) {
	case OP_ADD: overflow = __builtin_add_overflow(a, b, value); break;
	case OP_SUB: overflow = __builtin_sub_overflow(a, b, value); break;
	case OP_MUL: overflow = __builtin_mul_overflow(a, b, value); break;
	case OP_FLOORDIV:
	case OP_MOD:
		if (!b)
			return fault(e, "division by zero", NULL, err);
		if (b == -1)
			overflow = e->op == OP_MOD ? (*value = 0, false) : __builtin_sub_overflow(0, a, value);
		else if (e->op == OP_FLOORDIV)
			*value = floor_div(a, b);
		else
			*value = a % b + (a % b && (a % b < 0) != (b < 0) ? b : 0);
		break;
	case OP_EQ: *value = a == b; break;
	case OP_NE: *value = a != b; break;
	case OP_LT: *value = a < b; break;
	case OP_LE: *value = a <= b; break;
	case OP_GT: *value = a > b; break;
	case OP_GE: *value = a >= b; break;
	case OP_AND: *value = a && b; break;
	case OP_OR: *value = a || b; break;
	default: return fault(e, "not an integer operator:", op_text[e->op], err);
	}
	return overflow ? fault(e, "the value overflows 64 bits", NULL, err) : 0;
}

static int int_call(const struct expr *e, const int64_t *x, int64_t *value, struct strbuf *err)
{
	bool is_cdiv = !strcmp(e->name, "cdiv"), is_rup = !strcmp(e->name, "rup");

	if (is_cdiv || is_rup) {
		if (x[1] <= 0)
			return fault(e, "divisor must be positive in", e->name, err);
		*value = floor_div(x[0], x[1]) + (x[0] % x[1] != 0);
		if (is_rup && __builtin_mul_overflow(*value, x[1], value))
			return fault(e, "the value overflows 64 bits", NULL, err);
	} else if (!strcmp(e->name, "minimum")) {
		*value = x[0] < x[1] ? x[0] : x[1];
	} else if (!strcmp(e->name, "maximum")) {
		*value = x[0] > x[1] ? x[0] : x[1];
	} else if (!strcmp(e->name, "abs")) {
		if (x[0] == INT64_MIN)
			return fault(e, "the value overflows 64 bits", NULL, err);
		*value = x[0] < 0 ? -x[0] : x[0];
	} else {
		return fault(e, "not an integer function:", e->name, err);
	}
	return 0;
}

int expr_int_value(const struct expr *e, const struct binding *binding, size_t count,
		   int64_t *value, struct strbuf *err)
{
	int64_t x[3] = { 0 };

	switch (e->kind) {
	case EXPR_INT:
		*value = e->int_value;
		return 0;
	case EXPR_NAME:
		for (size_t i = 0; i < count; i++)
			if (!strcmp(binding[i].name, e->name)) {
				*value = binding[i].value;
				return 0;
			}
		return fault(e, "unknown name", e->name, err);
	case EXPR_SELECT:
		if (expr_int_value(e->arg[0], binding, count, x, err))
			return -1;
		return expr_int_value(e->arg[x[0] ? 1 : 2], binding, count, value, err);
	case EXPR_BINARY:
		/* Like everywhere, && and || stop early. */
		if (e->op == OP_AND || e->op == OP_OR) {
			if (expr_int_value(e->arg[0], binding, count, x, err))
				return -1;
			if ((x[0] != 0) == (e->op == OP_OR)) {
				*value = x[0] != 0;
				return 0;
			}
		}
		/* fall through */
	case EXPR_NEG:
	case EXPR_CALL:
		if (e->arg_count > ARRAY_SIZE(x))
			return fault(e, "not an integer function:", e->name, err);
		for (size_t i = 0; i < e->arg_count; i++)
			if (expr_int_value(e->arg[i], binding, count, &x[i], err))
				return -1;
		if (e->kind == EXPR_NEG)
			return __builtin_sub_overflow(0, x[0], value) ? fault(e, "the value overflows 64 bits", NULL, err) : 0;
		return e->kind == EXPR_BINARY ? int_binary(e, x[0], x[1], value, err) : int_call(e, x, value, err);
	default:
		return fault(e, "not an integer expression", NULL, err);
	}
}
