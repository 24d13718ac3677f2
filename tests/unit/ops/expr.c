/* The notation's parser and printer: precedence, round trips, places of faults, integer values, functions. */
#include "ops/core/expr.h"
#include "tests/tap.h"

#include <math.h>
#include <string.h>

static struct arena arena;

/* Parses, prints as `want`, and parses again to an equal tree. */
static void prints(const char *text, const char *want, enum expr_flags flags)
{
	struct strbuf out = STRBUF_INIT, err = STRBUF_INIT;
	struct expr *one = NULL, *two = NULL;
	bool good = !expr_parse(&arena, text, "text", flags, &one, &err);

	if (good)
		expr_print(one, &out);
	good = good && !strcmp(out.buf, want) && !expr_parse(&arena, out.buf, "printed", flags, &two, &err) && expr_equal(one, two);
	if (!ok(good, "'%s' prints as '%s'", text, want))
		printf("# got '%s' %s\n", out.buf, err.buf);
	strbuf_release(&out);
	strbuf_release(&err);
}

static void refuses(const char *text, const char *want)
{
	struct strbuf err = STRBUF_INIT;
	struct body body;

	if (!ok(body_parse(&arena, text, "f", &body, &err) == -1 && !strcmp(err.buf, want), "refused: %s", want))
		printf("# %s\n", err.buf);
	strbuf_release(&err);
}

static void values(const char *text, bool valid, int64_t want)
{
	static const struct binding binding[] = { { "M", 7 }, { "N", -3 }, { "Z", 0 }, { "BIG", INT64_MAX } };
	struct strbuf err = STRBUF_INIT;
	struct expr *e;
	int64_t value = want;
	int ret = expr_parse(&arena, text, "f", EXPR_BODY, &e, &err);

	if (!ret)
		ret = expr_int_value(e, binding, ARRAY_SIZE(binding), &value, &err);
	if (!ok(valid ? !ret && value == want : ret == -1 && err.len, "value of %s", text))
		printf("# %d: %lld %s\n", ret, (long long)value, err.buf);
	strbuf_release(&err);
}

static void test_printing(void)
{
	prints("a+b*c", "a + b * c", EXPR_BODY);
	prints("(a+b)*c", "(a + b) * c", EXPR_BODY);
	prints("a-(b-c)", "a - (b - c)", EXPR_BODY);
	prints("a-b-c", "a - b - c", EXPR_BODY);
	prints("a/(b*c)//d%e", "a / (b * c)//d%e", EXPR_BODY);
	prints("a*(b//c)", "a * (b//c)", EXPR_BODY);
	prints("-x*y", "-x * y", EXPR_BODY);
	prints("-(x*y)", "-(x * y)", EXPR_BODY);
	prints("--x", "--x", EXPR_BODY);
	prints("-5", "-5", EXPR_BODY);
	prints("-(5)", "-(5)", EXPR_BODY);
	prints("-(-5)", "-(-5)", EXPR_BODY);
	prints("x - -5", "x - -5", EXPR_BODY);
	prints("-0.5", "-0.5", EXPR_BODY);
	prints("-(0.5)", "-(0.5)", EXPR_BODY);
	prints("-9223372036854775808", "-9223372036854775808", EXPR_BODY);
	prints("-inf", "-inf", EXPR_BODY);
	prints("0.1", "0.1", EXPR_BODY);
	prints("1e300", "1e+300", EXPR_BODY);
	prints("3.0", "3.0", EXPR_BODY);
	prints("0.70710678118654752440", "0.7071067811865476", EXPR_BODY);
	prints("sum(k) a[k]*b[k]/n + c", "sum(k<K) a[k] * b[k] / n + c", EXPR_BODY);
	prints("c + sum(k) a[k]", "c + sum(k<K) a[k]", EXPR_BODY);
	prints("(sum(k) a[k]) * 2", "(sum(k<K) a[k]) * 2", EXPR_BODY);
	prints("sum(k) (sum(j<=k) a[j])", "sum(k<K) (sum(j<k + 1) a[j])", EXPR_BODY);
	prints("-sum(k) a[k]", "-(sum(k<K) a[k])", EXPR_BODY);
	prints("sum(t in o[b]..o[b+1] if i[t]==v) w[t]", "sum(t in o[b]..o[b + 1] if i[t] == v) w[t]", EXPR_BODY);
	prints("max(k in 0..N) x[k]", "max(k<N) x[k]", EXPR_BODY);
	prints("max(k in 1..N) x[k]", "max(k in 1..N) x[k]", EXPR_BODY);
	prints("x[i-1] else 0 * 2", "x[i - 1] else 0 * 2", EXPR_BODY);
	prints("x[i] else -inf", "x[i] else -inf", EXPR_BODY);
	prints("x[i] else y[i-N] else 0", "x[i] else y[i - N] else 0", EXPR_BODY);
	prints("x[i] else (a+b)", "x[i] else (a + b)", EXPR_BODY);
	prints("a ? b : c ? d : e", "a ? b : c ? d : e", EXPR_BODY);
	prints("(a ? b : c) ? d : e", "(a ? b : c) ? d : e", EXPR_BODY);
	prints("a ? b ? c : d : e", "a ? b ? c : d : e", EXPR_BODY);
	prints("(a ? b : c) + 1", "(a ? b : c) + 1", EXPR_BODY);
	prints("a<b && c<d || e==f", "a < b && c < d || e == f", EXPR_BODY);
	prints("a && (b || c)", "a && (b || c)", EXPR_BODY);
	prints("(a<b) == (c<d)", "(a < b) == (c < d)", EXPR_BODY);
	prints("clamp(x, -1, maximum(a,b))", "clamp(x, -1, maximum(a, b))", EXPR_BODY);
	prints("sum (k) x[k]", "sum(k<K) x[k]", EXPR_BODY);
	prints("sum[k]", "sum[k]", EXPR_BODY);
	prints("scan(k) x", "scan(k) x", EXPR_TILE);
	prints("mma(k) a * b", "mma(k) a * b", EXPR_TILE);
	prints("max(c<K) x", "max(c<K) x", EXPR_TILE);
}

static void test_comments(void)
{
	struct strbuf err = STRBUF_INIT;
	struct body body;

	ok(!body_parse(&arena, "# what it is\ny[i] = a[i] # first\n\t+ 1; # and\n", "f", &body, &err) && body.stmt_count == 1 &&
	   body.stmt[0].line == 2, "comments reach to the end of the line, a last ';' may stand");
	strbuf_release(&err);
}

static void test_faults(void)
{
	refuses("y[i] = a +", "f:1:11: expected an expression, but the text ends");
	refuses("y[i] = (a", "f:1:10: expected ')' to close a parenthesis, but the text ends");
	refuses("y[i] = a;\ny[i] = @", "f:2:8: unexpected character '@'");
	refuses("y[i] a", "f:1:6: expected '=' after a statement's name and indices, not 'a'");
	refuses("y[i] = a b", "f:1:10: expected ';' between statements, not 'b'");
	refuses("y[i] = a < b < c", "f:1:14: expected ';' between statements, not '<'");
	refuses("y[i] = foo(a)", "f:1:8: unknown function 'foo'");
	refuses("y[i] = pow(a)", "f:1:8: 'pow' takes 2 arguments, not 1");
	refuses("y[i] = scan(k) a", "f:1:8: unknown function 'scan'");
	refuses("y[i] = 99999999999999999999", "f:1:8: number '99999999999999999999' is out of range");
	refuses("y[i] = sum(k in 0,N) a", "f:1:18: expected '..' between the bounds of a range, not ','");
	refuses("y[if] = a", "f:1:3: expected an index, not 'if'");
	refuses("", "f:1:1: an empty body: write 'y[i] = ...'");
	refuses("y = 1 ? 2", "f:1:10: expected ':' between the branches of '?', but the text ends");
	char deep[1000] = "y = ";
	memset(deep + 4, '(', 900);
	refuses(deep, "f:1:105: nested too deeply");
}

static void test_values(void)
{
	values("M + N*2", true, 1);
	values("N//2", true, -2);
	values("N%2", true, 1);
	values("-M//2", true, -4);
	values("-(M//2)", true, -3);
	values("cdiv(M, 2)", true, 4);
	values("rup(M, 4)", true, 8);
	values("minimum(M, N) + maximum(M, N)", true, 4);
	values("M > 3 && N < 0 ? 10 : 20", true, 10);
	values("Z != 0 && M//Z > 0", true, 0);
	values("Z == 0 || M//Z > 0", true, 1);
	values("M//Z", false, 0);
	values("BIG + 1", false, 0);
	values("-(-BIG - 1)", false, 0);
	values("Q", false, 0);
	values("M / 2", false, 0);
	values("exp(M)", false, 0);
	values("a[M]", false, 0);
	values("cdiv(M, Z)", false, 0);
}

static double call(const char *name, double a, double b, double c)
{
	return function_find(name)->value((double[]){ a, b, c });
}

static void test_functions(void)
{
	struct strbuf err = STRBUF_INIT;
	struct expr *e;
	int bad = 0;

	for (const struct function *f = function_table; f->name; f++)
		bad += f->definition ? expr_parse(&arena, f->definition, f->name, EXPR_BODY, &e, &err) : !f->value;
	ok(!bad, "every function has a value or a definition that parses %s", err.buf);
	ok(isnan(call("maximum", NAN, 1, 0)) && isnan(call("maximum", 1, NAN, 0)) && isnan(call("minimum", NAN, -INFINITY, 0)) &&
	   isnan(call("minimum", -INFINITY, NAN, 0)), "maximum and minimum keep NaN");
	ok(call("round", 2.5, 0, 0) == 2 && call("round", -1.5, 0, 0) == -2, "round is half to even");
	ok(call("pow", -0.0, -1, 0) == -INFINITY && call("pow", 0, 0, 0) == 1, "pow is C's");
	ok(call("log", 0, 0, 0) == -INFINITY && isnan(call("sqrt", -1, 0, 0)) && call("rsqrt", 0, 0, 0) == INFINITY, "edges follow IEEE");
	ok(call("f8e4m3", 448, 0, 0) == 448 && isnan(call("f8e4m3", 480, 0, 0)) && call("f8e4m3", 464, 0, 0) == 448 &&
	   call("f8e5m2", 65536, 0, 0) == INFINITY, "small floats overflow to nan and inf");
	ok(call("f8e4m3", 1.0625, 0, 0) == 1 && call("f8e4m3", 1.1875, 0, 0) == 1.25 && call("f8e4m3", 0x1p-9, 0, 0) == 0x1p-9 &&
	   call("f8e4m3", 0x1p-10, 0, 0) == 0, "and round to nearest even, subnormals too");
	ok(call("bf16", 1 + 0x1p-8, 0, 0) == 1 && call("bf16", 1 + 3 * 0x1p-8, 0, 0) == 1 + 0x1p-6, "bf16 rounds to nearest even");
	ok(call("i8", 200.9, 0, 0) == -56 && call("u8", -1, 0, 0) == 255 && call("i32", -2.9, 0, 0) == -2, "integer casts truncate, then wrap");
	ok(call("shr", -1, 63, 0) == 1 && call("bit_xor", 6, 3, 0) == 5, "shifts are logical");
	ok(call("philox", 0, 0, 0) == 0x6627e8d5 && call("philox", 0, 0, 3) == 0x9b00dbd8, "philox gives its known answer");
	strbuf_release(&err);
}

/* "N" is 6, nothing else has a value. */
static bool only_N(const void *names, const char *name, double *value)
{
	*value = 6;
	return names && !strcmp(name, "N");
}

/* expr_value() of a text; NaN: it has none. */
static double number(const char *text, bool has_names)
{
	struct strbuf err = STRBUF_INIT;
	struct expr *e = NULL;
	double value;

	if (expr_parse(&arena, text, "text", EXPR_BODY, &e, &err) || !expr_value(e, has_names ? only_N : NULL, "", &value))
		value = NAN;
	strbuf_release(&err);
	return value;
}

static void test_numbers(void)
{
	ok(number("-7 // 2", false) == -4 && number("-7 % 4", false) == 1 && number("2 * 3 - 0.5 >= 5.5", false) == 1, "numbers have values");
	ok(isnan(number("7 // 0", false)) && isnan(number("7 % (N - 6)", true)), "but not over zero");
	ok(number("maximum(N, 2) + minimum(N, 2)", true) == 8 && isnan(number("N", false)) && isnan(number("K", true)) && isnan(number("x[2]", true)), "names as told");
	ok(number("0 != 0 && K", false) == 0 && number("K || 2 > 1", false) == 1 && isnan(number("1 && K", false)) && isnan(number("K || 0", false)),
	   "one side settles a truth where it can");
	ok(number("1 && 2", false) == 1 && number("0 || 0", false) == 0, "and truths are 0 or 1");
}

static void test_trees(void)
{
	struct expr *e = NULL, *with = expr_binary(&arena, OP_ADD, expr_name(&arena, "p"), expr_int(&arena, 1));
	struct strbuf err = STRBUF_INIT, out = STRBUF_INIT;

	expr_parse(&arena, "sum(k<N if k<n) x[k, n] * n + y[n] else n", "f", EXPR_BODY, &e, &err);
	expr_print(expr_replace_name(&arena, e, "n", with), &out);
	ok(!strcmp(out.buf, "sum(k<N if k < p + 1) x[k, p + 1] * (p + 1) + y[p + 1] else (p + 1)"), "names are replaced everywhere: %s", out.buf);
	ok(expr_uses(e, "n") && expr_uses(e, "x") && expr_uses(e, "N") && !expr_uses(e, "z"), "uses: names and accesses");
	ok(e->line == 1 && e->arg[1]->column == 31, "trees know their place");
	strbuf_release(&err);
	strbuf_release(&out);
}

int main(void)
{
	test_printing();
	test_comments();
	test_faults();
	test_values();
	test_functions();
	test_numbers();
	test_trees();
	arena_release(&arena);
	return done_testing();
}
