#include "generate/policy.h"

/* Uniform over subspaces, then over each knob. */
static size_t propose(struct arena *arena, const struct search *search, struct rng *rng, size_t want, struct proposal *out,
		      struct strbuf *err)
{
	const struct problem_space *ps = search->ps;

	(void)arena;
	(void)err;
	for (size_t i = 0; i < want; i++) {
		out[i].sub_index = (size_t)rng_below(rng, (int64_t)ps->sub_count);
		const struct space *space = &ps->sub[out[i].sub_index].space;
		for (size_t k = 0; k < space->knob_count; k++)
			out[i].point.value[k] = (int16_t)rng_below(rng, (int64_t)space->knob[k].value_count);
		out[i].parent = "";
		out[i].edge = "random";
	}
	return want;
}

const struct policy policy_random = {
	.name = "random",
	.summary = "uniform over skeletons and languages, then over every knob",
	.propose = propose,
};
