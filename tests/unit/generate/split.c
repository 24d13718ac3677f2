/* Evaluations over cells: split.h. */
#include "generate/split.h"
#include "tests/tap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct split_cell cell(double best, double before, double light, int64_t evaluations)
{
	return (struct split_cell){ .name = "c", .group = "g", .weight = 1, .evaluations = evaluations, .best = best, .before = before,
				    .before_evaluations = evaluations * 3 / 4, .light = light, .is_open = true };
}

static void test_gain(void)
{
	struct split_cell flat = cell(2, 2, 0.5, 40), rising = cell(2, 1.5, 0.5, 40), done = cell(2, 2, 1, 40), nothing = cell(0, 0, 0, 40), young = cell(2, 2, 0.5, 10);

	ok(split_gain(&rising, 1, 0) > split_gain(&flat, 1, 0), "who rose of late may go on");
	ok(split_gain(&flat, 1, 0) > split_gain(&done, 1, 0) && split_gain(&done, 1, 0) == 0, "at the speed of light there is nothing to gain");
	ok(split_gain(&young, 1, 0) > split_gain(&flat, 1, 0), "who was tried less may gain more");
	ok(split_gain(&flat, 1, 24) < split_gain(&flat, 1, 0), "what is given already counts");
	ok(split_gain(&nothing, 0, 0) > split_gain(&flat, 1, 0), "where nothing passed there is most to gain");
	ok(split_gain(&flat, 0.3, 0) < split_gain(&flat, 1, 0), "what its like did not reach it is not hoped to reach");
	struct split_cell empty = cell(0, 0, 0, 0);
	ok(isinf(split_gain(&empty, 0, 0)), "who has none comes first");
	rising.weight = 2;
	ok(fabs(split_gain(&rising, 1, 0) - 2 * split_gain(&(struct split_cell){ .weight = 1, .evaluations = 40, .best = 2, .before = 1.5, .before_evaluations = 30, .light = 0.5 }, 1, 0)) < 1e-12,
	   "weights multiply");
}

static void test_split(void)
{
	struct split_cell c[] = { cell(2, 2, 0.9, 40), cell(2, 1, 0.2, 40), cell(2, 2, 0.2, 40), cell(3, 3, 0.1, 40) };
	int64_t sum = 0;

	c[3].is_open = false;
	ok(split_evaluations(c, 4, 100, 24) == 100, "all are given");
	for (int i = 0; i < 4; i++)
		sum += c[i].next;
	ok(sum == 100 && !c[3].next, "to open cells alone, no more than there are: %lld", (long long)sum);
	ok(c[1].next >= c[2].next && c[2].next > c[0].next, "more to who gains more: %lld %lld %lld", (long long)c[0].next, (long long)c[1].next, (long long)c[2].next);
	for (int i = 0; i < 4; i++)
		c[i].is_open = false;
	ok(!split_evaluations(c, 4, 100, 24) && !split_evaluations(c, 0, 100, 24), "nobody is open: nothing is given");
	struct split_cell alike[] = { cell(1, 1, 0.5, 10), cell(1, 1, 0.5, 10), cell(1, 1, 0.5, 10) };
	split_evaluations(alike, 3, 9, 3);
	ok(alike[0].next == 3 && alike[1].next == 3 && alike[2].next == 3, "equals get equal shares");
}

static int publish(const char *path, const char *text, struct strbuf *err)
{
	return file_publish(path, text, strlen(text), err);
}

static void test_files(void)
{
	struct arena arena = ARENA_INIT;
	struct strbuf text = STRBUF_INIT, err = STRBUF_INIT;
	struct split_cell c = cell(2.5, 1.25, 0.5, 40), *back;
	struct split_curve *curve;
	char path[] = "/tmp/km-split.XXXXXX";
	int fd = mkstemp(path);
	size_t count;

	split_write_header(&text);
	for (int i = 0; i < 5; i++)
		split_write(&c, &text);
	ok(!publish(path, text.buf, &err) && !split_read(&arena, path, &back, &count, &err) && count == 5 && back[4].best == 2.5 && back[4].before == 1.25 &&
		   back[4].before_evaluations == 30 && back[4].is_open && !strcmp(back[4].group, "g"), "cells travel through their file: %s", err.buf);
	ok(!publish(path, "junk\n", &err) && split_read(&arena, path, &back, &count, &err) && strstr(err.buf, ":1:"), "no header: %s", err.buf);
	strbuf_reset(&err);
	strbuf_addstr(&text, "a\tb\t1\t2\t3\tx\t1\t1\t1\n");
	ok(!publish(path, text.buf, &err) && split_read(&arena, path, &back, &count, &err) && strstr(err.buf, ":7:"), "no number: %s", err.buf);
	strbuf_reset(&err);
	ok(!publish(path, "cell\tgroup\tspeed\tlight\na\tg\t1\t0.1\na\tg\t0\t0\na\tg\t3\t0.3\nb\tg\t2\t0.2\n", &err) && !split_read_curves(&arena, path, &curve, &count, &err) && count == 2 &&
		   curve[0].count == 3 && curve[0].speed[2] == 3 && curve[1].count == 1 && curve[1].light[0] == 0.2, "curves are read: %s", err.buf);
	struct split_cell at = split_at(&curve[0], 2);
	ok(at.best == 1 && at.light == 0.1 && at.is_open && at.before == 1 && at.before_evaluations == 1, "what is known after two trials is of two");
	close(fd);
	unlink(path);
	strbuf_release(&text);
	strbuf_release(&err);
	arena_release(&arena);
}

/* Half of the searches find all at once, half slowly: where the evaluations belong is known. */
static void test_replay(void)
{
	enum { CURVES = 16, TRIALS = 200 };
	static double speed[CURVES][TRIALS], light[CURVES][TRIALS];
	struct split_curve curve[CURVES];
	int64_t given[CURVES], sum = 0;

	for (int i = 0; i < CURVES; i++) {
		for (int k = 0; k < TRIALS; k++) {
			light[i][k] = i % 2 ? 0.95 : 0.1 + 0.8 * k / TRIALS;
			speed[i][k] = light[i][k] * 4;
		}
		curve[i] = (struct split_curve){ "c", "g", speed[i], light[i], TRIALS };
	}
	double equal = split_replay_equal(curve, CURVES, 1600, given), gain = split_replay_gain(curve, CURVES, 1600, given);
	for (int i = 0; i < CURVES; i++)
		sum += given[i];
	ok(sum == 1600, "all of the total is spent, and no more: %lld", (long long)sum);
	ok(gain > 1.2 * equal, "evaluations go where something is to be found: %.3f, equal shares %.3f", gain, equal);
	ok(given[0] > 3 * given[1], "and not where it is found: %lld and %lld", (long long)given[0], (long long)given[1]);
	ok(split_replay_gain(curve, CURVES, 1 << 20, given) == split_replay_equal(curve, CURVES, 1 << 20, given) && given[0] == TRIALS, "with enough for all both find all");
	ok(split_first(100, 5) == 5 && split_first(1 << 20, 5) == 24 && split_first(3, 5) == 1, "first shares");
}

int main(void)
{
	test_gain();
	test_split();
	test_files();
	test_replay();
	return done_testing();
}
