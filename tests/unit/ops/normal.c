/* The normal form: what is hoisted, under which guard, what is shared, which divisors move, which kinds result. */
#include "ops/core/normal.h"
#include "tests/tap.h"

#include <string.h>

static const struct op form = {
	.name = "form", .dims = "N K B T", .source_path = "file.c",
	.tensor = { { "x", "N K", OP_IN, "T", OP_REAL, NULL }, { "a", "N", OP_IN, "T", OP_REAL, NULL },
		    { "off", "B+1", OP_IN, "i64", OP_OFFSETS, "T" }, { "v", "T", OP_IN, "T", OP_REAL, NULL },
		    { "y", "N", OP_OUT, "T", OP_REAL, NULL } },
	.attr = { { "eps", 0.5, false }, { "S", 2, true } },
};

/* The printed form, statements joined by " | ". */
static void gives(const char *body, const char *want)
{
	struct op op = form;
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT, err = STRBUF_INIT;
	struct normal normal;

	op.body = body;
	if (!normal_form(&arena, &op, DTYPE_f32, NULL, &normal, &err))
		normal_print(&normal, &out);
	strbuf_replace(&out, "\n", " | ");
	if (!ok(!err.len && !strcmp(out.buf, want), "%s", body))
		printf("# got  %s%s\n# want %s\n", out.buf, err.buf, want);
	strbuf_release(&out);
	strbuf_release(&err);
	arena_release(&arena);
}

static void kinds(const char *body, enum kind want)
{
	struct op op = form;
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct normal normal;

	op.body = body;
	bool good = !normal_form(&arena, &op, DTYPE_f32, NULL, &normal, &err) && normal.stmt[normal.stmt_count - 1].kind == want;
	ok(good, "kind of %s %s", body, err.buf);
	strbuf_release(&err);
	arena_release(&arena);
}

static void test_hoisting(void)
{
	gives("y[n] = sum(k) x[n,k]", "y[n<N] = sum(k<K) x[n, k] | ");
	gives("y[n] = a[n] + sum(k) x[n,k]", "_1[n<N] = sum(k<K) x[n, k] | y[n<N] = a[n] + _1[n] | ");
	gives("y[n] = sum(k) x[n,k] + eps * S", "_1[n<N] = sum(k<K) x[n, k] | y[n<N] = _1[n] + 0.5 * 2 | ");
	gives("E = N//S; y[n<E] = a[n*S] * E", "y[n<N//2] = a[n * 2] * (N//2) | ");
	gives("y[n] = a[n] / (max(i<N) a[i]) - (max(i<N) a[i])",
	      "_1 = max(i<N) a[i] | y[n<N] = a[n] / _1 - _1 | ");
	gives("y[n] = sum(k) (x[n,k] - (max(i<N) x[i,k]))",
	      "_1[k<K] = max(i<N) x[i, k] | y[n<N] = sum(k<K) (x[n, k] - _1[k]) | ");
	gives("y[n] = sum(b) (sum(t in off[b]..off[b+1]) v[t])",
	      "_1[b<B] = sum(t in off[b]..off[b + 1]) v[t] | y[n<N] = sum(b<B) _1[b] | ");
}

static void test_guards(void)
{
	gives("y[n] = n > 0 ? sum(k) x[n-1,k] : 0",
	      "_1[n<N] = sum(k<K if n > 0) x[n - 1, k] | y[n<N] = n > 0 ? _1[n] : 0 | ");
	gives("y[n] = n == 0 ? 1 : sum(k) x[n-1,k]",
	      "_1[n<N] = sum(k<K if (n == 0) == 0) x[n - 1, k] | y[n<N] = n == 0 ? 1 : _1[n] | ");
	/* Nothing can go wrong: no guard. */
	gives("y[n] = n > 0 ? sum(k) x[n,k] : 0", "_1[n<N] = sum(k<K) x[n, k] | y[n<N] = n > 0 ? _1[n] : 0 | ");
	gives("y[n] = n > 0 ? sum(k) (x[n-1,k] else 0) : 0", "_1[n<N] = sum(k<K) x[n - 1, k] else 0 | y[n<N] = n > 0 ? _1[n] : 0 | ");
	gives("y[n] = n > 0 ? sum(k<B) x[n,k] : 0", "_1[n<N] = sum(k<B if n > 0) x[n, k] | y[n<N] = n > 0 ? _1[n] : 0 | ");
	gives("y[n] = n > 0 && (sum(k) x[n-1,k]) > 0", "_1[n<N] = sum(k<K if n > 0) x[n - 1, k] | y[n<N] = n > 0 && _1[n] > 0 | ");
	gives("y[n] = n == 0 || (sum(k) x[n-1,k]) > 0", "_1[n<N] = sum(k<K if (n == 0) == 0) x[n - 1, k] | y[n<N] = n == 0 || _1[n] > 0 | ");
	gives("y[n] = a[n-1] else (sum(k) x[n+1,k])",
	      "_1[n<N] = sum(k<K if n - 1 < 0 || n - 1 >= N) x[n + 1, k] | y[n<N] = a[n - 1] else _1[n] | ");
	gives("y[n] = sum(i<N if i > 0) (sum(k) x[i-1,k])", "_1[i<N] = sum(k<K if i > 0) x[i - 1, k] | y[n<N] = sum(i<N if i > 0) _1[i] | ");
	gives("y[n] = sum(i in 1..N) (sum(k) x[i-1,k])", "_1[i<N] = sum(k<K if i >= 1) x[i - 1, k] | y[n<N] = sum(i in 1..N) _1[i] | ");
	gives("y[n] = sum(i<=n) (sum(k) x[i,k])", "_1[i<N] = sum(k<K) x[i, k] | y[n<N] = sum(i<n + 1) _1[i] | ");
	gives("y[n] = sum(i<N-n) (sum(k) x[i+n,k])",
	      "_1[n<N, i<N - 0] = sum(k<K if i < N - n) x[i + n, k] | y[n<N] = sum(i<N - n) _1[n, i] | ");
	gives("y[n] = n > 0 ? sum(k) (k//n) : 0", "_1[n<N] = sum(k<K if n > 0) k//n | y[n<N] = n > 0 ? _1[n] : 0 | ");
	gives("y[n] = n > 0 ? (n > 1 ? sum(k) x[n-2,k] : 1) : 0",
	      "_1[n<N] = sum(k<K if n > 0 && n > 1) x[n - 2, k] | y[n<N] = n > 0 ? n > 1 ? _1[n] : 1 : 0 | ");
}

static void test_divisors(void)
{
	gives("y[n] = sum(k) x[n,k] / K", "_1[n<N] = sum(k<K) x[n, k] | y[n<N] = _1[n] / K | ");
	gives("y[n] = sum(k) x[n,k] / (k + 1)", "y[n<N] = sum(k<K) x[n, k] / (k + 1) | ");
	/* An empty sum is 0, whatever would have divided it. */
	gives("y[n] = sum(k if x[n,k] > 0) x[n,k] / a[n]", "y[n<N] = sum(k<K if x[n, k] > 0) x[n, k] / a[n] | ");
	gives("y[n] = sum(i<n) a[i] / n", "y[n<N] = sum(i<n) a[i] / n | ");
	gives("y[n] = sum(i in n..N-1) a[i] / (N-1-n)", "y[n<N] = sum(i in n..N - 1) a[i] / (N - 1 - n) | ");
	gives("y[b<B] = sum(t in off[b]..off[b+1]) v[t] / (off[b+1] - off[b])",
	      "y[b<B] = sum(t in off[b]..off[b + 1]) v[t] / (off[b + 1] - off[b]) | ");
}

/* What attributes rule out is gone, with its reductions; what they do not decide stays. */
static void test_branches(void)
{
	gives("y[n] = S == 2 ? sum(k) x[n,k] : max(k) x[n,k]", "y[n<N] = sum(k<K) x[n, k] | ");
	gives("y[n] = eps < 0 || S != 2 ? max(k) x[n,k] : a[n]", "y[n<N] = a[n] | ");
	gives("y[n] = eps == inf && a[n] > 0 ? max(k) x[n,k] : a[n] * eps", "y[n<N] = a[n] * 0.5 | ");
	gives("y[n] = S == 2 && a[n] > 0 ? 1 : a[n]", "y[n<N] = 2 == 2 && a[n] > 0 ? 1 : a[n] | ");
}

static void test_kinds(void)
{
	kinds("y[n] = a[n] > 0", KIND_BOOL);
	kinds("y[n] = (a[n] > 0) + (a[n] < 0)", KIND_INT);
	kinds("y[n] = sum(k) (x[n,k] > 0)", KIND_INT);
	kinds("y[n] = max(k) (x[n,k] > 0)", KIND_BOOL);
	kinds("y[n] = argmax(k) x[n,k]", KIND_INT);
	kinds("y[n] = n / 2", KIND_REAL);
	kinds("y[n] = n // 2", KIND_INT);
	kinds("y[n] = n // 2.0", KIND_REAL);
	kinds("y[n] = n > 1 ? n : 0.5", KIND_REAL);
	kinds("y[n] = off[n] else -inf", KIND_REAL);
	kinds("y[n] = (y[n-1] else 0) + a[n]", KIND_REAL);
	kinds("y[n] = (y[n-1] else 0) + off[n]", KIND_INT);
	kinds("y[n] = i32(a[n])", KIND_INT);
	kinds("y[n] = maximum(n, 2)", KIND_INT);
	kinds("y[n] = exp(n)", KIND_REAL);
	kinds("y[n] = off[n] * S", KIND_INT);
	kinds("y[n] = off[n] * eps", KIND_REAL);
}

int main(void)
{
	test_hoisting();
	test_guards();
	test_divisors();
	test_branches();
	test_kinds();
	return done_testing();
}
