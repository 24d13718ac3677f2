/*
 * The evaluator: laziness, NaN and infinities as in PyTorch, exact integers,
 * magnitudes, faults with their place, reads counted.
 */
#include "ops/core/interp.h"
#include "tests/tap.h"

#include <math.h>
#include <string.h>

/* x[N], t[N] and the output of one body. */
static const double x[] = { 1.5, NAN, -INFINITY, 2, -0.0, 3 }, t[] = { 2, 0, 1, 5, 3, 9007199254740991 };
static int64_t reads_of_x;

static double read_value(const void *user, int tensor, int64_t index)
{
	(void)user;
	reads_of_x += tensor == 0;
	return tensor == 0 ? x[index] : t[index];
}

static void noop(const struct op_case *c)
{
	(void)c;
}

/* Element `at` of y, computed by the body, over N = 6; a fault is NaN with *err. */
static double value_of(const char *body, int64_t at, double *magnitude, struct strbuf *err)
{
	struct op op = {
		.name = "test", .dims = "N", .body = body, .reference = noop, .dtypes = "f64", .source_path = "file.c",
		.tensor = { { "x", "N", OP_IN, "f64", OP_REAL, NULL }, { "t", "N", OP_IN, "i64", OP_REAL, NULL }, { "y", "N", OP_OUT, "f64", OP_REAL, NULL } },
		.attr = { { "eps", 0.25, false }, { "S", 2, true } },
	};
	struct problem p;
	double value = NAN, m;

	if (problem_from_shape(&op, DTYPE_f64, "N=6", 1, &p, err))
		return NAN;
	struct interp *in = interp_open(&p, read_value, NULL, err);
	if (in && interp_value_magnitude(in, 2, at, &value, &m, err))
		value = NAN;
	else if (in && magnitude)
		*magnitude = m;
	interp_close(in);
	return value;
}

static void gives(const char *body, int64_t at, double want)
{
	struct strbuf err = STRBUF_INIT;
	double got = value_of(body, at, NULL, &err);

	if (!ok(!err.len && (got == want || (isnan(got) && isnan(want))), "%s: y[%lld] is %g", body, (long long)at, want))
		printf("# got %.17g %s\n", got, err.buf);
	strbuf_release(&err);
}

static void fails(const char *body, int64_t at, const char *want)
{
	struct strbuf err = STRBUF_INIT;

	value_of(body, at, NULL, &err);
	if (!ok(!strcmp(err.buf, want), "refused: %s", want))
		printf("# got %s\n", err.buf);
	strbuf_release(&err);
}

static void test_special_values(void)
{
	gives("y[n] = max(k<N) x[k]", 0, NAN);
	gives("y[n] = min(k in 2..N) x[k]", 0, -INFINITY);
	gives("y[n] = max(k in 2..N) x[k]", 0, 3);
	gives("y[n] = argmax(k<N) x[k]", 0, 1);
	gives("y[n] = argmin(k<N) x[k]", 0, 1);
	gives("y[n] = argmin(k in 2..N) x[k]", 0, 2);
	gives("y[n] = argmax(k<N if k > 1) (x[k] > 1)", 0, 3);
	gives("y[n] = argmax(k<0) x[k]", 0, -1);
	gives("y[n] = max(k<0) x[k]", 0, -INFINITY);
	gives("y[n] = min(k<0) x[k]", 0, INFINITY);
	gives("y[n] = max(k<0) t[k]", 0, -0x1p63);
	gives("y[n] = max(k<0) (t[k] > 0)", 0, 0);
	gives("y[n] = min(k<0) (t[k] > 0)", 0, 1);
	gives("y[n] = sum(k<0) x[k] + prod(k<0) x[k]", 0, 1);
	gives("y[n] = relu(x[n])", 1, NAN);
	gives("y[n] = clamp(x[n], -1, 1)", 1, NAN);
	gives("y[n] = clamp(x[n], -1, 1)", 2, -1);
	gives("y[n] = x[n] == x[n]", 1, 0);
	gives("y[n] = x[n] != x[n]", 1, 1);
	gives("y[n] = x[n] < 0 ? 1 : 2", 1, 2);
	gives("y[n] = 1 / x[n]", 4, -INFINITY);
	gives("y[n] = 0 * x[n]", 2, NAN);
	gives("y[n] = exp(x[n])", 2, 0);
	gives("y[n] = (n - 4) // 3 * 10 + (n - 4) % 3", 0, -18);
	gives("y[n] = (n - 4.5) % 3", 0, 1.5);
	gives("y[n] = (n - 4.5) // inf", 0, -1);
	gives("y[n] = x[n] // 0", 0, INFINITY);
}

static void test_lazy(void)
{
	gives("y[n] = n > 0 ? x[n-1] : 7", 0, 7);
	gives("y[n] = n > 0 && x[n-1] > 0", 0, 0);
	gives("y[n] = n == 0 || x[n-1] > 0", 0, 1);
	gives("y[n] = x[n-1] else eps", 0, 0.25);
	gives("y[n] = sum(k<9 if k < 1) x[k]", 0, 1.5);
	gives("y[n] = x[t[n]]", 0, -INFINITY);
	gives("y[n] = sum(k in t[2]..t[0]) t[k]", 0, 0);
	reads_of_x = 0;
	gives("s[n] = sum(k<N) x[k]; y[n] = n == 3 ? s[n] : x[n]", 0, 1.5);
	ok(reads_of_x == 1, "an element that is not asked for costs nothing: %lld reads", (long long)reads_of_x);
	reads_of_x = 0;
	gives("s = sum(k in 3..N) x[k]; y[n] = s * s + s", 0, 30);
	ok(reads_of_x == 3, "a statement is evaluated once: %lld reads", (long long)reads_of_x);
}

static void test_integers(void)
{
	gives("y[n] = t[5] + 3 - t[5] - 2", 0, 1);
	gives("y[n] = (t[5] * 1024 + 1) % 1024", 0, 1);
	gives("y[n] = sum(k<3) (t[5] + 1 + k) % 2", 0, 1);
	gives("y[n] = i64(t[5] * 1024 + 1) % 7 == (t[5] * 1024 + 1) % 7", 0, 1);
	gives("y[n] = i8(t[5] * 2 + 3)", 0, 1);
	gives("y[n] = t[5] * t[5] * t[5] % 2", 0, 1);
	gives("y[n] = 7 / 2", 0, 3.5);
	gives("y[n] = n * S // 4", 3, 1);
}

static double magnitude_of(const char *body)
{
	struct strbuf err = STRBUF_INIT;
	double magnitude = NAN;

	value_of(body, 0, &magnitude, &err);
	strbuf_release(&err);
	return magnitude;
}

static void test_magnitudes(void)
{
	ok(magnitude_of("y[n] = x[0] - x[3]") == 3.5, "a difference has the sum of magnitudes");
	ok(magnitude_of("y[n] = sum(k in 3..N) (0 - x[k])") == 5, "a sum of negative terms too");
	ok(fabs(magnitude_of("y[n] = exp(x[0] - x[3])") - 3.5 * exp(-0.5)) < 1e-4, "a function passes it on by its slope");
	ok(magnitude_of("y[n] = x[3]") == 2, "a read has its value");
}

static void test_faults(void)
{
	fails("y[n] = x[n+1]", 5, "file.c:body:1:8: read of 'x' outside: index 6 of 0..5 in dimension 0");
	fails("y[n] =\n  x[n-1]", 0, "file.c:body:2:3: read of 'x' outside: index -1 of 0..5 in dimension 0");
	fails("y[n] = x[n/1]", 0, "file.c:body:1:10: index 0 of 'x' is not an integer");
	fails("y[n] = t[n] % t[1]", 0, "file.c:body:1:8: integer division by zero");
	fails("y[n] = q", 0, "file.c:body:1:8: 'q' is not declared: neither an index in scope, a dimension, an attribute, an input nor a statement");
	fails("y[n] = y[n] + 1", 0, "file.c:body:1:8: 'y' depends on itself without end");
}

int main(void)
{
	test_special_values();
	test_lazy();
	test_integers();
	test_magnitudes();
	test_faults();
	return done_testing();
}
