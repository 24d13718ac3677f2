/* The published lists that the operators must cover: ATen names, KernelBench levels 1 and 2, at their published sizes. */
#include "ops/core/problem.h"
#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>

struct row {
	char number[80], name[120], rest[400];
};

/* Calls fn for every line of tests/golden/<file>; '#' starts a comment line. */
static int each_row(const char *file, void (*fn)(const struct row *row))
{
	char line[600];
	int rows = 0;
	struct strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "tests/golden/%s", file);
	FILE *f = fopen(path.buf, "r");
	if (!f)
		printf("# cannot read %s\n", path.buf);
	while (f && fgets(line, sizeof(line), f)) {
		struct row row = { "", "", "" };
		line[strcspn(line, "\n")] = 0;
		if (*line == '#')
			continue;
		sscanf(line, "%79[^\t]\t%119[^\t]\t%399[^\t]", row.number, row.name, row.rest);
		fn(&row);
		rows++;
	}
	if (f)
		fclose(f);
	strbuf_release(&path);
	return rows;
}

static void test_aten(const struct row *row)
{
	ok(op_find(row->number) != NULL, "ATen's %s is declared", row->number);
}

/* Does a space-separated list hold the word? */
static bool holds(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *w = list; w && *w; w += strspn(w, " ")) {
		size_t m = strcspn(w, " ");
		if (m == n && !memcmp(w, word, n))
			return true;
		w += m;
	}
	return false;
}

/* The operator and shape of a published problem; how many there are. */
static int find_source(const char *source, struct problem *p)
{
	struct strbuf err = STRBUF_INIT;
	const struct op *op;
	int found = 0;

	for (size_t i = 0; (op = op_at(i)); i++)
		for (const struct op_shape *s = op->shape; s->binding; s++)
			if (holds(s->source, source) && !problem_from_shape(op, DTYPE_f32, s->binding, 1, p, &err))
				found++;
	strbuf_release(&err);
	return found;
}

static bool has_twin(const char *source)
{
	struct problem p;
	char twin[104];

	snprintf(twin, sizeof(twin), "%s/cpu", source);
	return find_source(twin, &p) > 0;
}

static void test_level1(const struct row *row)
{
	struct problem p;
	char source[96];

	snprintf(source, sizeof(source), "kb1/%s", row->number);
	int found = find_source(source, &p);
	/* The published count takes what windows leave out at an edge for read. */
	int64_t bytes = found ? problem_least_bytes(&p) : 0, published = atoll(row->rest);
	if (!ok(found == 1 && bytes <= published && bytes >= published - published / 200, "%s %s: one problem, of its published least bytes", source, row->name))
		printf("# %d found; %lld bytes, published %s\n", found, (long long)bytes, row->rest);
	ok(has_twin(source), "%s has a scaled shape for processors", source);
}

/* Every published input and weight is an input of the same size, each standing for one. */
static void test_level2(const struct row *row)
{
	struct problem p;
	char source[96];
	bool taken[OP_MAX_TENSORS] = { false };

	snprintf(source, sizeof(source), "kb2/%s", row->number);
	if (!ok(find_source(source, &p) == 1, "%s %s: one problem", source, row->name))
		return;
	for (const char *w = row->rest; *w; w += strspn(w, " ")) {
		int64_t size = strtoll(w, (char **)&w, 10);
		int t = 0;
		while (t < OP_MAX_TENSORS && p.op->tensor[t].name &&
		       (taken[t] || p.op->tensor[t].role != OP_IN || problem_elems(&p, t) != size))
			t++;
		bool is_there = t < OP_MAX_TENSORS && p.op->tensor[t].name;
		/* A number that scales is an attribute: known when the kernel is made. */
		ok(is_there || size == 1, "%s (%s) has an input of %lld elements", source, p.op->name, (long long)size);
		if (is_there)
			taken[t] = true;
	}
	ok(has_twin(source), "%s has a scaled shape for processors", source);
}

int main(void)
{
	ok(each_row("aten_operators.txt", test_aten) == 158, "158 ATen names");
	ok(each_row("kernelbench_level1.tsv", test_level1) == 100, "100 problems of level 1");
	ok(each_row("kernelbench_level2.tsv", test_level2) == 100, "100 problems of level 2");
	return done_testing();
}
