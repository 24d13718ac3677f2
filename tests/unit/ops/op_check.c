/* op_check(): a sound declaration passes; each kind of fault is one line that names the file, the place and the fix. */
#include "ops/core/op.h"
#include "tests/tap.h"

#include <math.h>
#include <string.h>

/* y[m] = sum(k) a[m,k] * b[k], with an attribute that steps. */
static void reference(const struct op_case *c)
{
	int64_t m = c->dim[0], k = c->dim[1];

	for (int64_t i = 0; i < m; i++) {
		c->out[0][i] = 0;
		for (int64_t j = 0; j < k; j++)
			c->out[0][i] += c->in[0][i * k + j] * c->in[1][j];
	}
}

static void wrong_reference(const struct op_case *c)
{
	reference(c);
	c->out[0][0] += 1e-3;
}

static const struct op good = {
	.name = "good",
	.summary = "matrix times vector",
	.dims = "M K",
	.tensor = { { "a", "M K", OP_IN, "T", OP_REAL, NULL }, { "b", "K", OP_IN, "T", OP_REAL, NULL },
		    { "y", "M", OP_OUT, "T", OP_REAL, NULL } },
	.body = "y[m] = sum(k) a[m,k] * b[k]",
	.reference = reference,
	.flop = "2*M*K",
	.terms = "K",
	.dtypes = "f32 f64",
	.shape = { { "M=100 K=200", OP_SEARCH, NULL }, { "M=101 K=201", OP_HELDOUT, NULL }, { "M=3 K=5", OP_CHECK, NULL }, { "M=1 K=7", OP_CHECK, "f64" } },
	.source_path = "ops/some/good.c",
};

/* One line per fault, each naming the file; the first holds `want`. */
static void refuses(const struct op *op, const char *want)
{
	struct strbuf err = STRBUF_INIT;
	int ret = op_check(op, &err);
	bool named = true;

	for (const char *line = err.buf; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		named &= !op->source_path || !strncmp(line, op->source_path, strlen(op->source_path));
	if (!ok(ret == -1 && named && strstr(err.buf, want), "refused: %s", want))
		printf("# %d: %s\n", ret, err.buf);
	strbuf_release(&err);
}

#define BAD(want, ...) do { struct op op = good; __VA_ARGS__; refuses(&op, want); } while (0)
#define BODY(text, want) BAD(want, op.body = text)

static void test_record(void)
{
	BAD("missing reference", op.reference = NULL);
	BAD("missing .body", op.body = NULL);
	BAD("missing .flop", op.flop = "");
	BAD("set .source_path", op.source_path = NULL);
	BAD("not named after its file: set .name to \"good\"", op.name = "other");
	BAD("'m' is not an upper-case name", op.dims = "m K");
	BAD("'K' is listed twice", op.dims = "M K K");
	BAD("static dimension 'Q' is not a dimension: .dims has M K", op.static_dims = "Q");
	BAD("extent 'Q' is no integer over the dimensions", op.tensor[1].shape = "Q");
	BAD("tensor 'a' is declared twice", op.tensor[1].name = "a");
	BAD("'for' cannot name a tensor", op.tensor[1].name = "for");
	BAD("unknown dtype 'f33'", op.tensor[1].dtype = "f33");
	BAD("holds indices but its dtype 'T' is real", op.tensor[1].domain = OP_INDEX);
	BAD("holds indices without a bound", op.tensor[1].domain = OP_INDEX; op.tensor[1].dtype = "i64");
	BAD("no output", op.tensor[2].role = OP_IN);
	BAD("unknown dtype 'float'", op.dtypes = "float");
	BAD(".flop 'two' is no integer", op.flop = "two");
	BAD("no shape to search", op.shape[0].use = OP_CHECK; op.shape[0].binding = "M=9 K=2");
	BAD("1 check shapes: add", op.shape[3].use = OP_HELDOUT);
	BAD("no held-out shape", op.shape[1].use = OP_FULL);
	BAD("is broadcast by 'ON'", op.tensor[1].ones = "ON");
	BAD("has a range or domain that makes no sense", op.tensor[1].lo = 2; op.tensor[1].hi = 1);
	BAD("alias 'softmax' is the name or alias of an operator already", op.aliases = "softmax");
	BAD("output 'y' has dtype i32 where T is i32, but its value is real", op.dtypes = "f32 i32"; op.shape[3].dtypes = NULL; op.body = "y[m] = sum(k) a[m,k] * b[k] / 2");
	BAD("shape 'M=100 K=200' has attributes that no check shape has", op.attr[0] = ((struct op_attr){ "S", 1, true });
	    op.shape[2].binding = "M=3 K=5 S=2"; op.shape[3].binding = "M=1 K=7 S=2");
	BAD("shape 'M=3 Q=5'", op.shape[2].binding = "M=3 Q=5");
	BAD("wants a value for dimension 'K'", op.shape[2].binding = "M=3");
	BAD("wants dtype 'i8': .dtypes has f32 f64", op.shape[3].dtypes = "i8");
	BAD("too large to compare whole", op.shape[2].binding = "M=100000 K=1000");
	BAD("no check shape has 'S' above 1", op.attr[0] = ((struct op_attr){ "S", 1, true }));
	BAD("'S' is declared an integer but defaults to 1.5", op.attr[0] = ((struct op_attr){ "S", 1.5, true }));
}

static void test_body(void)
{
	BODY("y[m] = sum(k) a[m,k] * b[q]", "body:1:26: index 'q' is not declared: give 'y' that index, or reduce over it");
	BODY("y[m,q] = sum(k) a[m,k] * b[k]", "index 'q' runs over 'Q', which is not declared");
	BODY("y[m] = sum(k) a[m,k] * c[k]", "body:1:24: 'c' is not declared: add it to .tensor");
	BODY("y[m] = sum(k) a[m] * b[k]", "body:1:15: 'a' has 2 dimensions but is read with 1 index");
	BODY("y[m] = sum(k) a[m,k] * b", "body:1:24: 'b' has 1 dimension but is read without indices");
	BODY("y[m] = sum(k) a[m,k] * b[k] * Z", "'Z' is not declared: add it to .dims (M K)");
	BODY("y[m,k] = a[m,k] * b[k]", "shape mismatch: 'y' is declared 'M' (1 dimension) but has 2 indices");
	BODY("y[m<K] = a[0,m] * b[m]", "shape mismatch: index 'm' of 'y' runs over");
	BODY("t[m] = sum(k) a[m,k] * b[k]", "output 'y' has no statement");
	BODY("y[m] = sum(k) a[m,k]", "input 'b' is never read");
	BODY("y[m] = sum(k) a[m,k] * b[k]; y[m] = 0", "'y' is defined twice");
	BODY("b[k] = 1; y[m] = sum(k) a[m,k] * b[k]", "'b' is an input and cannot be defined");
	BODY("y[m] = sum(m) a[m,m] * b[m]", "index 'm' is bound twice");
	BODY("y[do<M] = sum(k) a[do,k] * b[k]", "'do' cannot name an index");
	BODY("int = 2; y[m] = sum(k) a[m,k] * b[k] * int/2", "'int' cannot name a statement");
	BODY("y[a<M] = sum(k) b[k]", "index 'a' is also a tensor");
	BODY("y[m] = sum(k) a[m,k] * b[k/2]", "a position is real");
	BODY("y[m] = sum(k<b[0]) a[m,k] * b[k]", "the bound of a range is real");
	BODY("y[m] = argmax(k,j<K) a[m,k] * b[j]", "argmax takes one index");
	BODY("y[m] = y[m] + sum(k) a[m,k] * b[k]", "'y' depends on itself without a decreasing index");
	BODY("t[m] = y[m]; y[m] = t[m] + sum(k) a[m,k] * b[k]", "depends on itself without a decreasing index");
	BODY("y[m] = (y[m+1] else 0) + sum(k) a[m,k] * b[k]", "depends on itself without a decreasing index");
	BODY("y[m] = sum(k) a[m,k] * b[k+1]", "read of 'b' outside: dimension 0 is read at 1..200 of 0..199");
	BODY("y[m] = sum(k if b[k] != 0) a[m,k] * b[k+1]", "body:1:37: read of 'b' outside: dimension 0 is read at 1..200 of 0..199");
	BODY("y[m] = sum(k) a[m,k] * b[i64(a[m,k])]", "body:1:24: read of 'b' cannot be proven inside");
	BODY("y[m] = sum(k) a[m,k] * (k < K ? b[k+1] : 0)", "body:1:33: read of 'b' outside: dimension 0 is read at 1..200");
	/* In bounds by a condition, a filter, a range, a remainder, a minimum: then only the values are wrong. */
	BODY("y[m] = sum(k) a[m,k] * (k + 1 < K ? b[k+1] : 0)", "body and reference disagree");
	BODY("y[m] = sum(k if k >= 1 && k != 3) a[m,k] * b[k-1]", "body and reference disagree");
	BODY("y[m] = sum(k) a[m,k] * (sum(j<k+1) b[k-j])", "body and reference disagree");
	BODY("y[m] = sum(k) a[m,k] * b[(k+3) % K]", "body and reference disagree");
	BODY("y[m] = sum(k) a[m,k] * b[minimum(2*k, K-1)]", "body and reference disagree");
	BODY("t[k] = maximum(k-1, 0); y[m] = sum(k) a[m,k] * b[t[k]]", "body and reference disagree");
	BODY("y[m] = sum(k) a[m,k] b[k]", "body:1:22: expected ';' between statements");
	BODY("y[m] = sum(k) a[m,k] * ", "but the text ends");
	BODY("y[m] = foo(a[m,0]) * b[0]", "unknown function 'foo'");
	BODY("y[m] = exp(a[m,0], b[0])", "'exp' takes 1 argument, not 2");
	BODY("y[m] = sum(k) a[m,k] * b[k] * 2", "body and reference disagree: y[0]");
	BAD("body and reference disagree: y[0]", op.reference = wrong_reference);
	BAD("output 'y' has dtype i64 where T is f64, but its value is real: write i64(...)", op.tensor[2].dtype = "i64");
}

int main(void)
{
	struct strbuf err = STRBUF_INIT;
	struct op recurrent = good;

	if (!ok(!op_check(&good, &err) && !err.len, "a sound declaration passes"))
		printf("# %s\n", err.buf);
	/* 0 times what was there: of finite values. */
	for (int t = 0; t < 2; t++) {
		recurrent.tensor[t].lo = -2;
		recurrent.tensor[t].hi = 2;
	}
	recurrent.body = "t[m] = (y[m-1] else 0) * 0; y[m] = t[m] + sum(k) a[m,k] * b[k]";
	if (!ok(!op_check(&recurrent, &err), "so does a recurrence over two statements"))
		printf("# %s\n", err.buf);
	strbuf_release(&err);
	test_record();
	test_body();
	return done_testing();
}
