#include "generate/replay.h"
#include "ops/core/proc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct running {
	const struct replay *replay;
	struct history seen;
	struct point_set tried;
	struct replay_step *step;
	size_t taken;         /* of this batch */
	struct arena *arena;
	int64_t generation;
};

static bool is_new(const struct search *search, size_t sub_index, const struct point *point)
{
	const struct running *r = search->knower;

	return !sub_index && measured_find(r->replay->space, point) && !point_set_find(&r->tried, 0, point, NULL);
}

/* A taken proposal is a trial; what it came to is told after the batch. */
static bool take(const struct proposal *p, void *user)
{
	struct running *r = user;
	const struct measured_space *s = r->replay->space;
	const struct measured_point *m = p->whole || p->sub_index ? NULL : measured_find(s, &p->point);

	if (!m || r->seen.count + r->taken >= r->replay->budget || !point_set_add(&r->tried, 0, &p->point, r->seen.count + r->taken))
		return false;
	size_t at = r->seen.count + r->taken++;
	struct strbuf knobs = STRBUF_INIT;
	point_print(&s->ps.sub[0], &p->point, &knobs);
	r->seen.trial[at] = (struct trial){ .id = arena_printf(r->arena, "%016zx", (size_t)(m - s->point)), .knobs = arena_strdup(r->arena, knobs.buf),
					    .verdict = isnan(m->time_ns) ? "RUNTIME_ERROR" : "PASSED", .parent = arena_strdup(r->arena, p->parent),
					    .edge = arena_strdup(r->arena, p->edge), .policy = p->policy ? arena_strdup(r->arena, p->policy) : r->replay->policy->name,
					    .generation = r->generation, .time_ns = m->time_ns, .fitness = isnan(m->time_ns) ? 0 : s->median_ns / m->time_ns,
					    .is_point = true, .point = p->point };
	strbuf_release(&knobs);
	return true;
}

size_t replay_run(const struct replay *replay, uint64_t seed, struct replay_step *step, struct strbuf *err)
{
	struct arena arena = ARENA_INIT;
	struct running r = { .replay = replay, .step = step, .arena = &arena };
	const struct search search = { .ps = &replay->space->ps, .seen = &r.seen, .relative = replay->relative, .relative_count = replay->relative_count,
				       .argument = replay->argument, .is_new = is_new, .knower = &r };
	double best_ns = INFINITY, elapsed_s = 0, propose_s = 0;

	r.seen.trial = ARENA_ARRAY(&arena, struct trial, replay->budget);
	point_set_init(&r.tried, &arena, replay->budget);
	for (; r.seen.count < replay->budget; r.generation++) {
		struct arena scratch = ARENA_INIT;
		struct rng rng = { seed ^ (uint64_t)r.generation << 32, 0 };
		size_t left = replay->budget - r.seen.count;
		int64_t start = clock_ns();
		r.taken = 0;
		policy_ask(replay->policy, &scratch, &search, &rng, left < replay->batch ? left : replay->batch, take, &r, err);
		propose_s += (double)(clock_ns() - start) * 1e-9;
		arena_release(&scratch);
		if (!r.taken)
			break;
		for (size_t end = r.seen.count + r.taken; r.seen.count < end; r.seen.count++) {
			struct trial *t = &r.seen.trial[r.seen.count];
			const struct measured_point *m = measured_find(replay->space, &t->point);
			elapsed_s += m->cost_s;
			best_ns = m->time_ns < best_ns ? m->time_ns : best_ns;
			t->elapsed_s = elapsed_s;
			if (t->fitness > 0 && (r.seen.best >= r.seen.count || t->fitness > r.seen.trial[r.seen.best].fitness))
				r.seen.best = r.seen.count;
			step[r.seen.count] = (struct replay_step){ best_ns, elapsed_s, propose_s, (size_t)(m - replay->space->point) };
		}
		/* None passed: best is count, as history_read() has it. */
		if (isinf(best_ns))
			r.seen.best = r.seen.count;
	}
	size_t count = r.seen.count;
	arena_release(&arena);
	return count;
}

static int by_time(const void *a, const void *b)
{
	const struct measured_point *x = *(const struct measured_point *const *)a, *y = *(const struct measured_point *const *)b;

	return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

size_t replay_relatives(const struct measured_space *space, const struct measured_space *donor, const char *from, size_t most,
			struct relative *out)
{
	const struct measured_point **best = malloc(donor->count * sizeof(*best));
	size_t passed = 0, count = 0;

	for (size_t i = 0; best && i < donor->count; i++)
		if (!isnan(donor->point[i].time_ns))
			best[passed++] = &donor->point[i];
	if (best)
		qsort(best, passed, sizeof(*best), by_time);
	for (; count < most && count < passed; count++) {
		out[count] = (struct relative){ .share = donor->best_ns / best[count]->time_ns, .from = from };
		if (!measured_map(space, donor, &best[count]->point, &out[count].point))
			break;
	}
	free(best);
	return count;
}

static int by_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The times of all that passed, ascending; free() them. */
static double *sorted_times(const struct measured_space *space, size_t *count)
{
	double *time = malloc(space->count * sizeof(*time));

	*count = 0;
	if (!time)
		abort();
	for (size_t i = 0; i < space->count; i++)
		if (!isnan(space->point[i].time_ns))
			time[(*count)++] = space->point[i].time_ns;
	qsort(time, *count, sizeof(*time), by_double);
	return time;
}

/* The mean of the best of so many different ones of time[], ascending. */
static double mean_best(const double *time, size_t count, size_t drawn)
{
	double mean = 0, none_better = 1; /* the chance that none of the first k was drawn */

	if (drawn >= count)
		return time[0];
	for (size_t k = 0; k < count - drawn + 1 && none_better > 1e-12; k++) {
		double is_best = none_better * (double)drawn / (double)(count - k);
		mean += is_best * time[k];
		none_better -= is_best;
	}
	return mean;
}

static double baseline_of(const double *time, size_t count, double evaluations)
{
	double n = evaluations < 1 ? 1 : evaluations;
	size_t whole = (size_t)n;
	double low = mean_best(time, count, whole), high = mean_best(time, count, whole + 1);

	return low + (n - (double)whole) * (high - low);
}

double replay_mean_cost_s(const struct measured_space *space)
{
	double total = 0;

	for (size_t i = 0; i < space->count; i++)
		total += space->point[i].cost_s;
	return total / (double)space->count;
}

double replay_cutoff_s(const struct measured_space *space)
{
	size_t count, low = 1, high;
	double *time = sorted_times(space, &count), goal = space->median_ns + 0.95 * (space->best_ns - space->median_ns);

	for (high = count; low < high;) {
		size_t mid = (low + high) / 2;
		if (mean_best(time, count, mid) > goal)
			low = mid + 1;
		else
			high = mid;
	}
	free(time);
	return (double)low * (double)space->count / (double)count * replay_mean_cost_s(space);
}

double replay_best_at_s(const struct replay_step *step, size_t count, double seconds)
{
	size_t low = 0, high = count; /* the first that is later */

	while (low < high) {
		size_t mid = (low + high) / 2;
		if (step[mid].elapsed_s <= seconds)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? step[low - 1].best_ns : INFINITY;
}

double replay_score(const struct measured_space *space, const struct replay_step *step, size_t count, size_t budget)
{
	enum { TIMES = 50 };
	size_t passed;
	double *time = sorted_times(space, &passed), each = replay_mean_cost_s(space) * (double)space->count / (double)passed, total = 0,
	       end = fmin(replay_cutoff_s(space), (double)budget * replay_mean_cost_s(space));

	for (int i = 1; i <= TIMES; i++) {
		double at = end * i / TIMES, base = baseline_of(time, passed, at / each), best = replay_best_at_s(step, count, at);
		if (isfinite(best) && base > space->best_ns)
			total += (base - best) / (base - space->best_ns);
		else
			total += !isfinite(best) ? 0 : best <= base;
	}
	free(time);
	return total / TIMES;
}

/* Student's t for 95 %, two-sided (Abramowitz and Stegun 26.7.5). */
static double student(double degrees)
{
	const double z = 1.959964, z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;

	if (degrees < 3)
		return degrees < 2 ? 12.706 : 4.303;
	return z + (z3 + z) / (4 * degrees) + (5 * z5 + 16 * z3 + 3 * z) / (96 * degrees * degrees) +
	       (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * degrees * degrees * degrees);
}

struct replay_mean replay_mean(const double *value, size_t count)
{
	double mean = 0, square = 0;

	for (size_t i = 0; i < count; i++)
		mean += value[i] / (double)count;
	for (size_t i = 0; i < count; i++)
		square += (value[i] - mean) * (value[i] - mean);
	double half = count > 1 ? student((double)count - 1) * sqrt(square / (double)(count - 1) / (double)count) : INFINITY;
	return (struct replay_mean){ mean, mean - half, mean + half };
}
