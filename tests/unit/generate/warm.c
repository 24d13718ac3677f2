/* Where a search begins, what relatives knew, and why it ends: relatives.h, budget_spent(), space_spent(). */
#include "generate/relatives.h"
#include "tests/tap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool open_problem(const char *text, const char *target, struct problem_space *ps)
{
	struct strbuf err = STRBUF_INIT;
	struct problem problem;
	bool opened = !problem_parse(text, &problem, &err) && !space_open(ps, &problem, target_find(target, &err), &err);

	strbuf_release(&err);
	return opened;
}

static const char *word_at(const struct problem_space *ps, size_t sub, const struct point *point, const char *knob)
{
	const char *word = point_word(&ps->sub[sub].space, point, knob);

	return word ? word : "";
}

static size_t subspace_of(const struct problem_space *ps, const char *skeleton, const char *lang)
{
	for (size_t i = 0; i < ps->sub_count; i++)
		if (!strcmp(ps->sub[i].skeleton->name, skeleton) && !strcmp(ps->sub[i].lang->name, lang))
			return i;
	return ps->sub_count;
}

static void test_place(void)
{
	struct problem_space ps, device;
	struct point point;
	bool at_start = true;

	if (!ok(open_problem("matmul/f32/M=512,N=512,K=512/t1", "x86-avx2", &ps), "a space to place knobs in"))
		return;
	size_t sub = subspace_of(&ps, "contraction", "c");
	const struct space *space = &ps.sub[sub].space;
	const struct space_knob *last = &space->knob[space->knob_count - 1];
	char text[256], wanted[64];
	/* A number that no knob has. */
	const struct space_knob *number = NULL;
	for (size_t k = 2; k < space->knob_count; k++)
		if (!number && space->knob[k].value_count > 2 && atof(space->knob[k].value[1]) > 1)
			number = &space->knob[k];
	ok(number != NULL, "a knob of numbers: %s", number ? number->name : "none");
	double above = atof(number->value[1]) * 1.01;
	snprintf(text, sizeof(text), "skeleton=contraction lang=c %s=%.6g NEW=7 %s=%s", number->name, above, last->name, last->value[last->value_count - 1]);
	snprintf(wanted, sizeof(wanted), "%s", number->value[1]);
	ok(relative_place(&ps, text, sub, &point), "knobs of a relative are placed");
	ok(!strcmp(word_at(&ps, sub, &point, number->name), wanted), "a number is at the nearest: %s of %.6g", word_at(&ps, sub, &point, number->name), above);
	ok(!strcmp(word_at(&ps, sub, &point, last->name), last->value[last->value_count - 1]), "a word that is there stays");
	for (size_t k = 2; k < space->knob_count; k++)
		at_start &= &space->knob[k] == number || &space->knob[k] == last || point.value[k] == space->knob[k].start;
	ok(at_start, "knobs that the relative does not have are where the skeleton begins");
	snprintf(text, sizeof(text), "skeleton=contraction lang=c %s=word", number->name);
	ok(relative_place(&ps, text, sub, &point) && point.value[number - space->knob] == number->start, "so is a word that is no number and not there");
	ok(!relative_place(&ps, "skeleton=map lang=c BM=4", sub, &point) && !relative_place(&ps, "", sub, &point) && !relative_place(&ps, "skeleton=", sub, &point) &&
		   !relative_place(&ps, "xskeleton=contraction lang=c", sub, &point), "another skeleton, or none, has no place");
	if (ok(open_problem("relu/f32/M=64,N=64/t1", "nvidia-h100", &device), "a device")) {
		size_t cuda = subspace_of(&device, "map", "cuda"), triton = subspace_of(&device, "map", "triton");
		ok(cuda < device.sub_count && triton < device.sub_count && relative_place(&device, "skeleton=map lang=hip BM=1", cuda, &point) &&
			   relative_place(&device, "skeleton=map lang=hip BM=1", triton, &point), "a skeleton in a language that is not here is placed in those that are");
		ok(relative_place(&device, "skeleton=map lang=cuda BM=1", cuda, &point) && !relative_place(&device, "skeleton=map lang=cuda BM=1", triton, &point),
		   "in its own alone where that is here");
		space_close(&device);
	}
	space_close(&ps);
}

static int read_text(struct arena *arena, const char *text, const struct problem_space *ps, struct relative **relative, size_t *count, struct strbuf *err)
{
	char path[] = "/tmp/km-relatives.XXXXXX";
	int fd = mkstemp(path), ret = -1;

	strbuf_reset(err);
	if (write(fd, text, strlen(text)) == (ssize_t)strlen(text))
		ret = relatives_read(arena, path, ps, relative, count, err);
	close(fd);
	unlink(path);
	return ret;
}

static void test_file(void)
{
	struct arena arena = ARENA_INIT;
	struct strbuf text = STRBUF_INIT, err = STRBUF_INIT;
	struct problem_space ps;
	struct relative *relative;
	size_t count;

	if (!ok(open_problem("relu/f32/M=64,N=300/t1", "x86-avx2", &ps), "a space of relu"))
		return;
	const struct subspace *sub = &ps.sub[subspace_of(&ps, "map", "c")];
	struct point a = { { 0 } }, b = { { 0 } };
	struct strbuf first = STRBUF_INIT, second = STRBUF_INIT;
	b.value[2] = 1;
	point_print(sub, &a, &first);
	point_print(sub, &b, &second);
	relatives_write_header(&text);
	relatives_write("gelu on x", 1, second.buf, &text);
	relatives_write("gelu on x", 0.5, first.buf, &text);
	relatives_write("gelu on x", 0.25, "skeleton=none lang=c A=1", &text);
	relatives_write("abs on x", 1, second.buf, &text);
	ok(!read_text(&arena, text.buf, &ps, &relative, &count, &err) && count == 2 && relative[0].point.value[2] == 1 && relative[0].share == 1 &&
		   relative[1].share == 0.5 && !strcmp(relative[1].from, "gelu on x"), "a file gives its rows in order, equal points once, unknown skeletons not: %zu %s", count, err.buf);
	ok(!read_text(&arena, "from\tshare\tknobs\n", &ps, &relative, &count, &err) && !count, "a file without rows");
	ok(read_text(&arena, "nonsense\n", &ps, &relative, &count, &err) && strstr(err.buf, ":1:"), "no header: %s", err.buf);
	ok(read_text(&arena, "from\tshare\tknobs\na\tb\tc\n", &ps, &relative, &count, &err) && strstr(err.buf, ":2:"), "no number: %s", err.buf);
	ok(read_text(&arena, "from\tshare\tknobs\na\t1\tc\td\n", &ps, &relative, &count, &err), "too many fields");
	ok(read_text(&arena, "from\tshare\tknobs\na\t-1\tc\n", &ps, &relative, &count, &err), "a share below 0");
	strbuf_reset(&err);
	ok(relatives_read(&arena, "/no/such/file", &ps, &relative, &count, &err) < 0, "no file: %s", err.buf);
	strbuf_release(&text);
	strbuf_release(&first);
	strbuf_release(&second);
	strbuf_release(&err);
	space_close(&ps);
	arena_release(&arena);
}

static struct trial timed(double time_ns, double baseline_ns, double light_ns)
{
	return (struct trial){ .id = "0123456789abcdef", .knobs = "", .verdict = "PASSED", .parent = "", .edge = "", .policy = "", .time_ns = time_ns,
			       .fitness = baseline_ns > 0 ? baseline_ns / time_ns : 1e6 / time_ns, .sol_ratio = light_ns / time_ns, .baseline_ns = baseline_ns };
}

static const char *spent(const struct budget *budget, const struct trial *trial, size_t count)
{
	struct history h = { .trial = (struct trial *)trial, .count = count, .best = count };

	for (size_t i = 0; i < count; i++)
		if (trial[i].fitness > 0 && (h.best == count || trial[i].fitness > trial[h.best].fitness))
			h.best = i;
	const char *reason = budget_spent(budget, &h);
	return reason ? reason : "";
}

static bool is_no_win(const char *reason)
{
	return !strncmp(reason, STOP_NO_WIN, strlen(STOP_NO_WIN));
}

static void test_no_win(void)
{
	const struct budget budget = { .sol_ratio = 0.97 };
	/* Light takes 98 ns, the baseline 100. */
	struct trial t[] = { timed(200, 100, 98), timed(400, 100, 98) };

	ok(is_no_win(spent(&budget, t, 2)), "a baseline at the speed of light leaves nothing to win: %s", spent(&budget, t, 2));
	ok(!*spent(&(struct budget){ 0 }, t, 2), "not where no share was asked for");
	t[0] = timed(99.5, 100, 98);
	ok(!strcmp(spent(&budget, t, 2), "speed of light"), "who beat it is at the speed of light");
	struct trial far[] = { timed(200, 100, 90) };
	ok(!*spent(&budget, far, 1), "a baseline at 0.9 leaves something");
	struct trial doubt[] = { timed(200, 100, 110) };
	ok(!*spent(&budget, doubt, 1), "above 1.05 the peak is in doubt");
	struct trial none[] = { timed(200, 0, 98) };
	none[0].sol_ratio = 0.49;
	ok(!*spent(&budget, none, 1), "without a baseline there is nothing that cannot be won");
	struct trial failed[] = { timed(200, 100, 98) };
	failed[0].fitness = failed[0].sol_ratio = 0;
	ok(!*spent(&budget, failed, 1), "nor where nothing passed");
}

/* All points of a small space, in the order in which they are counted up, as trials. */
static size_t try_all(struct arena *arena, const struct problem_space *ps, struct trial *trial, size_t most)
{
	size_t count = 0;

	for (size_t s = 0; s < ps->sub_count; s++) {
		const struct space *space = &ps->sub[s].space;
		for (int64_t at = 0; at < subspace_size(&ps->sub[s]) && count < most; at++) {
			struct strbuf why = STRBUF_INIT, knobs = STRBUF_INIT;
			struct candidate c;
			struct point p = { { 0 } };
			int64_t rest = at;
			for (size_t k = 0; k < space->knob_count; k++) {
				p.value[k] = (int16_t)(rest % (int64_t)space->knob[k].value_count);
				rest /= (int64_t)space->knob[k].value_count;
			}
			bool is_new = candidate_make(arena, ps, s, &p, &c, &why) == 1;
			/* Some points make the same candidate. */
			for (size_t i = 0; is_new && i < count; i++)
				is_new = strcmp(trial[i].id, c.id) != 0;
			if (is_new) {
				point_print(&ps->sub[s], &p, &knobs);
				trial[count] = timed(200, 100, 50);
				trial[count].knobs = arena_strdup(arena, knobs.buf);
				trial[count++].id = arena_strdup(arena, c.id);
			}
			strbuf_release(&why);
			strbuf_release(&knobs);
		}
	}
	return count;
}

static void test_exhausted(void)
{
	struct arena arena = ARENA_INIT;
	struct problem_space ps;
	static struct trial trial[2048];

	if (!ok(open_problem("sum/f32/M=4,K=64/t1", "x86-avx2", &ps), "a small space"))
		return;
	struct history h = { .trial = trial, .count = try_all(&arena, &ps, trial, 2048) };
	history_place(&h, &ps);
	int64_t size = 0;
	for (size_t i = 0; i < ps.sub_count; i++)
		size += subspace_size(&ps.sub[i]);
	if (size > 2048) {
		skip(4, "its space is not small here");
	} else {
		ok(is_no_win(space_spent(&ps, &h)), "all %zu were tried, none beat the baseline: %s", h.count, space_spent(&ps, &h));
		trial[3].fitness = 1.1;
		h.best = 3;
		ok(!strcmp(space_spent(&ps, &h), "space"), "one did");
		trial[3].fitness = 0.5;
		h.count--;
		ok(!strcmp(space_spent(&ps, &h), "space"), "one is left");
		trial[h.count - 1].baseline_ns = 0;
		h.count++;
		trial[h.count - 1].baseline_ns = 0;
		ok(!strcmp(space_spent(&ps, &h), "space"), "nothing to beat");
	}
	space_close(&ps);
	arena_release(&arena);
}

static void test_later_columns(void)
{
	struct arena arena = ARENA_INIT;
	struct strbuf text = STRBUF_INIT, err = STRBUF_INIT;
	struct trial t = timed(200, 100, 50);
	struct history back;
	char path[] = "/tmp/km-history.XXXXXX";
	int fd = mkstemp(path);

	t.detail = "unit.c:3:\terror: 'x'\nundeclared";
	history_write_header(&text);
	history_write(&t, &text);
	ok(!file_publish(path, text.buf, text.len, &err) && !history_read(&arena, path, &back, &err) && back.count == 1 && back.trial[0].baseline_ns == 100 &&
		   !strcmp(back.trial[0].detail, "unit.c:3: error: 'x' undeclared") && fabs(history_baseline_sol(&back) - 0.5) < 1e-12,
	   "a history tells the baseline's time and words, on one line: %s", err.buf);
	close(fd);
	unlink(path);
	strbuf_release(&text);
	strbuf_release(&err);
	arena_release(&arena);
}

int main(void)
{
	test_place();
	test_file();
	test_no_win();
	test_exhausted();
	test_later_columns();
	return done_testing();
}
