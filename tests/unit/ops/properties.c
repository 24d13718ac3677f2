/*
 * What sorting, choosing, counting and drawing must give, stated without a second
 * implementation: properties of the references' outputs, at every check shape, dtype and
 * distribution.
 */
#include "tests/tap.h"
#include "tests/unit/ops/cases.h"

static bool is_nan(double x) { return x != x; }
static bool same(double a, double b) { return a == b || (is_nan(a) && is_nan(b)); }
/* NaN is the greatest, as PyTorch has it. */
static bool above(double a, double b) { return is_nan(a) ? !is_nan(b) : a > b; }

/* Elements of tensor `name`, and how many. */
static const double *of(const struct case_data *c, const char *name, int64_t *count)
{
	int t = op_tensor_index(c->problem->op, name);

	if (count)
		*count = c->elems[t];
	return c->value[t];
}

static int64_t dim(const struct case_data *c, const char *name)
{
	return c->problem->dim[op_dim_index(c->problem->op, name)];
}

/* Are the n values distinct whole numbers of 0..most-1? */
static bool are_distinct(const double *v, int64_t n, int64_t most)
{
	bool *seen = calloc((size_t)most + 1, sizeof(*seen)), good = true;

	for (int64_t i = 0; i < n && good; i++) {
		good = v[i] >= 0 && v[i] < (double)most && v[i] == floor(v[i]) && !seen[(int64_t)v[i]];
		if (good)
			seen[(int64_t)v[i]] = true;
	}
	free(seen);
	return good;
}

/* Rows of values and positions: in order, equal ones in the input's; the first K of a row, no greater one left. */
static bool is_sorted_by(const struct case_data *c, const char *values, const char *positions, bool falls, int64_t k)
{
	const double *x = of(c, "x", NULL), *i = of(c, positions, NULL), *y = values ? of(c, values, NULL) : NULL;
	int64_t R = dim(c, "R"), C = dim(c, "C");
	bool good = true;

	for (int64_t r = 0; r < R && good; r++, x += C, i += k, y = y ? y + k : NULL) {
		good = are_distinct(i, k, C);
		for (int64_t o = 0; o < k && good; o++) {
			double now = x[(int64_t)i[o]], next = o + 1 < k ? x[(int64_t)i[o + 1]] : now;
			good = !y || same(y[o], now);
			good &= falls ? !above(next, now) : !above(now, next);
			good &= o + 1 == k || !same(now, next) || i[o] < i[o + 1];
		}
		/* What was left out is behind the last one taken. */
		for (int64_t j = 0; j < C && good && k < C; j++) {
			bool taken = false;
			for (int64_t o = 0; o < k; o++)
				taken |= (int64_t)i[o] == j;
			good = taken || (falls ? !above(x[j], x[(int64_t)i[k - 1]]) : !above(x[(int64_t)i[k - 1]], x[j]));
		}
	}
	return good;
}

static bool sorts(const struct case_data *c) { return is_sorted_by(c, "y", "i", false, dim(c, "C")); }
static bool sorts_down(const struct case_data *c) { return is_sorted_by(c, "y", "i", true, dim(c, "C")); }
static bool sorts_positions(const struct case_data *c) { return is_sorted_by(c, NULL, "i", false, dim(c, "C")); }
static bool sorts_positions_down(const struct case_data *c) { return is_sorted_by(c, NULL, "i", true, dim(c, "C")); }
static bool takes_greatest(const struct case_data *c) { return is_sorted_by(c, "y", "i", true, dim(c, "K")); }
static bool takes_smallest(const struct case_data *c) { return is_sorted_by(c, "y", "i", false, dim(c, "K")); }

/* Values once each, with how often they come and which an element is; NaNs are all different. */
static bool is_unique(const struct case_data *c, bool consecutive)
{
	int64_t n;
	const double *x = of(c, "x", &n), *y = of(c, "y", NULL), *inverse = of(c, "inverse", NULL), *counts = of(c, "counts", NULL);
	int64_t count = (int64_t)of(c, "count", NULL)[0];
	double sum = 0, *seen = calloc((size_t)n + 1, sizeof(*seen));
	bool good = count >= 1 && count <= n;

	for (int64_t u = 0; u < n && good; u++) {
		sum += counts[u];
		good = u < count ? counts[u] >= 1 : y[u] == 0 && counts[u] == 0;
		good &= u == 0 || u >= count || (consecutive ? y[u] != y[u - 1] : !above(y[u - 1], y[u]) && y[u] != y[u - 1]);
	}
	for (int64_t i = 0; i < n && good; i++) {
		int64_t u = (int64_t)inverse[i];
		good = u >= 0 && u < count && same(y[u], x[i]) && (!consecutive || !i || inverse[i] >= inverse[i - 1]);
		if (good)
			seen[u]++;
	}
	for (int64_t u = 0; u < count && good; u++)
		good = seen[u] == counts[u];
	free(seen);
	return good && sum == (double)n;
}

static bool finds_runs(const struct case_data *c) { return is_unique(c, true); }
static bool finds_values(const struct case_data *c) { return is_unique(c, false); }

/* Positions of what is not zero, rising, all of them; -1 behind. */
static bool finds_nonzero(const struct case_data *c)
{
	int64_t n, wanted = 0;
	const double *x = of(c, "x", &n), *at = of(c, "at", NULL);
	int64_t count = (int64_t)of(c, "count", NULL)[0];
	bool good = true;

	for (int64_t i = 0; i < n; i++)
		wanted += x[i] != 0;
	for (int64_t t = 0; t < n && good; t++)
		good = t >= count ? at[t] == -1 : x[(int64_t)at[t]] != 0 && (!t || at[t] > at[t - 1]);
	return good && count == wanted;
}

/* The chosen elements in their order, zeros behind. */
static bool selects(const struct case_data *c)
{
	int64_t n, t = 0;
	const double *x = of(c, "x", &n), *mask = of(c, "mask", NULL), *y = of(c, "y", NULL);
	bool good = true;

	for (int64_t i = 0; i < n && good; i++)
		if (mask[i] != 0)
			good = same(y[t++], x[i]);
	good &= (double)t == of(c, "count", NULL)[0];
	while (t < n && good)
		good = y[t++] == 0;
	return good;
}

/* Where x would go into the sorted t: before (left) or behind equal ones. */
static bool is_place(const struct case_data *c, bool right)
{
	int64_t n, k;
	const double *x = of(c, "x", &n), *t = of(c, "t", &k), *y = of(c, "y", NULL);
	bool good = true;

	for (int64_t i = 0; i < n && good; i++) {
		int64_t p = (int64_t)y[i];
		good = p >= 0 && p <= k;
		if (!is_nan(x[i]))
			good &= (p == 0 || (right ? t[p - 1] <= x[i] : t[p - 1] < x[i])) && (p == k || (right ? t[p] > x[i] : t[p] >= x[i]));
	}
	return good;
}

static bool places_left(const struct case_data *c) { return is_place(c, false); }
static bool places_right(const struct case_data *c) { return is_place(c, true); }

static bool permutes(const struct case_data *c)
{
	int64_t n;
	const double *y = of(c, "y", &n);

	return are_distinct(y, n, n);
}

/* In [0, 1); of a sample large enough, within 1.95 / sqrt(n) of uniform (Kolmogorov and Smirnov, 0.1 %). */
static bool is_uniform(const struct case_data *c)
{
	enum { BINS = 64 };
	int64_t n, bin[BINS] = { 0 }, below = 0;
	const double *y = of(c, "y", &n);
	double furthest = 0;

	for (int64_t i = 0; i < n; i++) {
		if (!(y[i] >= 0 && y[i] < 1))
			return c->problem->dtype != DTYPE_f32 && c->problem->dtype != DTYPE_f64 && y[i] == 1; /* rounded up */
		bin[(int)(y[i] * BINS)]++;
	}
	for (int b = 0; b < BINS; b++) {
		below += bin[b];
		furthest = fmax(furthest, fabs((double)below / (double)n - (b + 1.0) / BINS));
	}
	return n < 64 || furthest < 1.95 / sqrt((double)n);
}

/* Whole numbers from lo to hi - 1. */
static bool is_in_range(const struct case_data *c)
{
	const struct op *op = c->problem->op;
	double lo = c->problem->attr[op_attr_index(op, "lo")], hi = c->problem->attr[op_attr_index(op, "hi")];
	int64_t n;
	const double *y = of(c, "y", &n);
	bool good = true;

	for (int64_t i = 0; i < n; i++)
		good &= y[i] >= lo && y[i] < hi && y[i] == floor(y[i]);
	return good;
}

/* Whole numbers of 0..N-1, never one whose weight is zero. */
static bool samples(const struct case_data *c)
{
	int64_t n, k;
	const double *p = of(c, "p", &n), *y = of(c, "y", &k);
	double all = 0;
	bool good = true;

	for (int64_t i = 0; i < n; i++)
		all += p[i];
	for (int64_t i = 0; i < k; i++)
		good &= y[i] >= 0 && y[i] < (double)n && y[i] == floor(y[i]) && (!(all > 0) || p[(int64_t)y[i]] > 0);
	return good;
}

static const struct {
	const char *op, *what;
	bool (*holds)(const struct case_data *c);
} property[] = {
	{ "sort", "rows rise, NaN last, equal ones in their order; the positions are a permutation", sorts },
	{ "sort_descending", "rows fall, NaN first, equal ones in their order", sorts_down },
	{ "argsort", "positions of rising values", sorts_positions },
	{ "argsort_descending", "positions of falling values", sorts_positions_down },
	{ "topk", "the greatest, falling; none left out is greater", takes_greatest },
	{ "topk_smallest", "the least, rising; none left out is less", takes_smallest },
	{ "unique_consecutive", "no two neighbours are equal; the inverse gives the input back; counts add up", finds_runs },
	{ "_unique2", "values rise; the inverse gives the input back; counts add up", finds_values },
	{ "nonzero", "positions rise and are all of those that are not zero", finds_nonzero },
	{ "masked_select", "the chosen ones in their order", selects },
	{ "searchsorted", "what lies left is less, what lies right is not", places_left },
	{ "searchsorted_right", "what lies left is not greater, what lies right is", places_right },
	{ "randperm", "a permutation", permutes },
	{ "rand", "in [0, 1), uniform", is_uniform },
	{ "randint", "whole numbers of the range", is_in_range },
	{ "multinomial", "never what has no weight", samples },
};

struct count {
	bool (*holds)(const struct case_data *c);
	int cases, good;
};

static int at_shape(const struct problem *p, enum op_use use, void *user)
{
	static const enum distribution draw[] = { INPUTS_normal, INPUTS_grid, INPUTS_special };
	struct count *n = user;

	(void)use;
	for (size_t i = 0; i < ARRAY_SIZE(draw); i++) {
		struct case_data c;
		/* Weights that are no numbers have no sample. */
		if (draw[i] == INPUTS_special && n->holds == samples)
			continue;
		case_open(&c, p, draw[i]);
		n->cases++;
		n->good += n->holds(&c);
		case_close(&c);
	}
	return 0;
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(property); i++) {
		struct count n = { property[i].holds, 0, 0 };
		struct strbuf err = STRBUF_INIT;
		const struct op *op = op_find(property[i].op);
		bool ran = op && !problem_each(op, OP_CHECK, 1, at_shape, &n, &err);
		ok(ran && n.cases && n.good == n.cases, "%s: %s, in %d of %d %s", property[i].op, property[i].what, n.good, n.cases, err.buf ? err.buf : "");
		strbuf_release(&err);
	}
	return done_testing();
}
