/* Files of relatives, and of how far searches are: what somebody may have edited. */
#include "generate/relatives.h"
#include "generate/split.h"
#include "tests/fuzz.h"

#include <math.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct problem_space ps;
	struct strbuf err = STRBUF_INIT;
	struct arena arena = ARENA_INIT;
	struct relative *relative;
	struct split_cell *cell;
	struct split_curve *curve;
	size_t count;
	char path[128];

	if (!ps.sub_count) {
		struct problem problem;
		if (problem_parse("relu/f32/M=64,N=300/t1", &problem, &err) || space_open(&ps, &problem, target_find("x86-avx2", &err), &err))
			abort();
	}
	snprintf(path, sizeof(path), "%s/input", fuzz_folder());
	if (file_write(path, data, size))
		abort();
	if (!relatives_read(&arena, path, &ps, &relative, &count, &err))
		for (size_t i = 0; i < count; i++)
			for (size_t k = 0; k < ps.sub[relative[i].sub_index].space.knob_count; k++)
				if ((size_t)relative[i].point.value[k] >= ps.sub[relative[i].sub_index].space.knob[k].value_count)
					abort();
	if (!split_read(&arena, path, &cell, &count, &err) && split_evaluations(cell, count, 100, 24) > 100)
		abort();
	split_read_curves(&arena, path, &curve, &count, &err);
	strbuf_release(&err);
	arena_release(&arena);
	return 0;
}

void fuzz_seeds(fuzz_add *add, void *user)
{
	static const char *const files[] = {
		"from\tshare\tknobs\ngelu on x\t1\tskeleton=map lang=c BM=3 BN=1e9 NT=x\nrelu on y\t0.5\tskeleton=map lang=hip\n",
		"cell\tgroup\tweight\tevaluations\tbest\tbefore\tbefore_evaluations\tlight\topen\na\tg\t1\t20\t2\t1.5\t15\t0.5\t1\nb\tg\t1\t0\t0\t0\t0\t0\t1\n",
		"cell\tgroup\tspeed\tlight\na\tg\t1\t0.5\na\tg\t2\t0.9\nb\tg\t0\t0\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		add(files[i], strlen(files[i]), user);
}
