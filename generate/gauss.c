#include "generate/gauss.h"

#include <math.h>
#include <string.h>
#include <stdlib.h>

/* What slopes and steps are before data speak: their median, and how far they lie from it (log). */
#define LIKELY_SLOPE 1.0
#define LIKELY_STEP 0.3
#define SPREAD 1.0
/* Coarse, then fine. */
static const double change_by[] = { 3, 1.7 };

static void tabulate(struct gauss *g, size_t k)
{
	g->alike[k][0] = 1;
	for (size_t d = 1; d < g->levels[k]; d++)
		g->alike[k][d] = exp(-g->slope[k] * (double)d / (double)(g->levels[k] - 1) - g->step[k]);
}

static double correlation(const struct gauss *g, const int16_t *a, const int16_t *b)
{
	double alike = 1;

	for (size_t k = 0; k < g->dims; k++)
		alike *= g->alike[k][abs(a[k] - b[k])];
	return alike;
}

/* Cholesky's factor of the correlations of the first n points, in place; false: not positive definite. */
static bool factorize(const struct gauss *g, double *a, size_t n)
{
	for (size_t j = 0; j < n; j++) {
		double *row = a + j * n;
		for (size_t k = 0; k < j; k++)
			row[k] = correlation(g, g->x + j * g->dims, g->x + k * g->dims);
		row[j] = 1 + g->noise;
	}
	/* Row by row; each sum in four parts, which are independent of one another. */
	for (size_t j = 0; j < n; j++) {
		double *row = a + j * n;
		for (size_t k = 0; k <= j; k++) {
			const double *other = a + k * n;
			double s[4] = { 0 };
			size_t i = 0;
			for (; i + 4 <= k; i += 4)
				for (int q = 0; q < 4; q++)
					s[q] += row[i + q] * other[i + q];
			for (; i < k; i++)
				s[0] += row[i] * other[i];
			double left = row[k] - (s[0] + s[1] + (s[2] + s[3]));
			if (k < j)
				row[k] = left / other[k];
			else if (left <= 1e-12)
				return false;
			else
				row[j] = sqrt(left);
		}
	}
	return true;
}

/* factor^-1 y, and the mean of its squares. */
static double whiten(const double *factor, const double *y, size_t n, double *white)
{
	double square = 0;

	for (size_t i = 0; i < n; i++) {
		double v = y[i];
		for (size_t j = 0; j < i; j++)
			v -= factor[i * n + j] * white[j];
		white[i] = v / factor[i * n + i];
		square += white[i] * white[i] / (double)n;
	}
	return square;
}

static double unlikely(double value, double likely)
{
	double z = log(value / likely) / SPREAD;

	return 0.5 * z * z;
}

/* How well slopes and steps explain y, the process' own variance being the best for them (log). */
static double likelihood(struct gauss *g, const double *y, size_t n, double *factor, double *white)
{
	double value = 0;

	if (!factorize(g, factor, n))
		return -INFINITY;
	for (size_t i = 0; i < n; i++)
		value -= log(factor[i * n + i]);
	value -= 0.5 * (double)n * log(whiten(factor, y, n, white) + 1e-12);
	for (size_t k = 0; k < g->dims; k++)
		value -= unlikely(g->slope[k], LIKELY_SLOPE) + unlikely(g->step[k], LIKELY_STEP);
	return value;
}

/* One number after another, up or down by a factor where that explains more. */
static void fit(struct gauss *g, const double *y, size_t n)
{
	double *factor = ARENA_ARRAY(g->arena, double, n * n), *white = ARENA_ARRAY(g->arena, double, n);
	double best = likelihood(g, y, n, factor, white);

	for (size_t sweep = 0; sweep < ARRAY_SIZE(change_by); sweep++)
		for (size_t k = 0; k < 2 * g->dims; k++) {
			size_t knob = k < g->dims ? k : k - g->dims;
			double *value = k < g->dims ? &g->slope[knob] : &g->step[knob], old = *value, chosen = old;
			for (int down = 0; down < 2; down++) {
				*value = down ? old / change_by[sweep] : old * change_by[sweep];
				tabulate(g, knob);
				double now = likelihood(g, y, n, factor, white);
				if (now > best) {
					best = now;
					chosen = *value;
				}
			}
			*value = chosen;
			tabulate(g, knob);
		}
}

bool gauss_learn(struct gauss *g, struct arena *arena, const int16_t *x, const double *y, size_t n, const size_t *levels, size_t dims, size_t most_fit,
		 struct rng *rng)
{
	int16_t *shuffled = ARENA_ARRAY(arena, int16_t, n * dims);
	double *value = ARENA_ARRAY(arena, double, n);
	size_t *order = ARENA_ARRAY(arena, size_t, n);
	*g = (struct gauss){ .arena = arena, .dims = dims, .levels = levels, .known = n, .x = shuffled, .noise = 1e-4 };
	for (size_t i = 0; i < n; i++) {
		g->mean += y[i] / (double)n;
		order[i] = i;
	}
	for (size_t i = 0; i < n; i++)
		g->deviation += (y[i] - g->mean) * (y[i] - g->mean) / (double)n;
	g->deviation = sqrt(g->deviation);
	if (n < 2 || !(g->deviation > 0) || dims > GAUSS_MAX_DIMS)
		return false;
	size_t fitted = n < most_fit ? n : most_fit;
	for (size_t i = 0; i < n; i++) {
		size_t j = i < fitted ? i + (size_t)rng_below(rng, (int64_t)(n - i)) : i, t = order[i];
		order[i] = order[j];
		order[j] = t;
		memcpy(shuffled + i * dims, x + order[i] * dims, dims * sizeof(*x));
		value[i] = (y[order[i]] - g->mean) / g->deviation;
	}
	for (size_t k = 0; k < dims; k++) {
		g->slope[k] = LIKELY_SLOPE;
		g->step[k] = LIKELY_STEP;
		g->alike[k] = ARENA_ARRAY(arena, double, levels[k]);
		tabulate(g, k);
	}
	fit(g, value, fitted);
	g->factor = ARENA_ARRAY(arena, double, n * n);
	g->white = ARENA_ARRAY(arena, double, n);
	if (!factorize(g, g->factor, n))
		return false;
	g->scale = sqrt(whiten(g->factor, value, n, g->white) + 1e-12);
	return true;
}

void gauss_look(struct gauss *g, const int16_t *at, size_t m, size_t room)
{
	size_t n = g->known;

	g->at = at;
	g->looked = m;
	g->room = room;
	g->believed = 0;
	g->v = ARENA_ARRAY(g->arena, double, (n + room) * m);
	g->expected = ARENA_ARRAY(g->arena, double, m);
	g->unsure = ARENA_ARRAY(g->arena, double, m);
	for (size_t i = 0; i < m; i++)
		g->unsure[i] = 1 + g->noise;
	for (size_t a = 0; a < n; a++) {
		double *restrict row = g->v + a * m;
		for (size_t i = 0; i < m; i++)
			row[i] = correlation(g, g->x + a * g->dims, at + i * g->dims);
		for (size_t b = 0; b < a; b++) {
			const double *restrict before = g->v + b * m;
			double f = g->factor[a * n + b];
			for (size_t i = 0; i < m; i++)
				row[i] -= f * before[i];
		}
		double f = 1 / g->factor[a * n + a], w = g->white[a];
		for (size_t i = 0; i < m; i++) {
			row[i] *= f;
			g->expected[i] += w * row[i];
			g->unsure[i] -= row[i] * row[i];
		}
	}
	for (size_t i = 0; i < m; i++) {
		g->expected[i] = g->mean + g->deviation * g->expected[i];
		g->unsure[i] = sqrt(fmax(g->unsure[i], 1e-10)) * g->scale * g->deviation;
	}
}

void gauss_believe(struct gauss *g, size_t i)
{
	size_t m = g->looked, rows = g->known + g->believed;
	double *restrict row = g->v + rows * m, unit = g->scale * g->deviation, own = g->unsure[i] / unit;

	if (g->believed == g->room)
		return;
	for (size_t k = 0; k < m; k++)
		row[k] = correlation(g, g->at + k * g->dims, g->at + i * g->dims);
	for (size_t b = 0; b < rows; b++) {
		const double *restrict before = g->v + b * m;
		double f = before[i];
		for (size_t k = 0; k < m; k++)
			row[k] -= f * before[k];
	}
	for (size_t k = 0; k < m; k++) {
		row[k] /= own;
		double left = g->unsure[k] * g->unsure[k] / unit / unit - row[k] * row[k];
		g->unsure[k] = sqrt(fmax(left, 1e-10)) * unit;
	}
	g->believed++;
}

double gauss_log_improvement(const struct gauss *g, size_t i, double best)
{
	double s = g->unsure[i], u = (best - g->expected[i]) / s;

	if (u < -25)
		return -0.5 * u * u + log(s);
	double density = exp(-0.5 * u * u) * 0.3989422804014327, below = 0.5 * erfc(-u * 0.7071067811865476);
	return log(fmax(s * (u * below + density), 1e-300));
}
