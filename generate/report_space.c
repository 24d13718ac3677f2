/* What a knob space holds, and which of its knobs do nothing: for people and for tests. */
#include "generate/candidate.h"
#include "ops/core/rng.h"

#include <string.h>

/* Does changing knob k alone ever change what is printed?  Looks at `tries` legal points. */
static bool knob_matters(const struct problem_space *ps, size_t sub, size_t k, int tries)
{
	const struct space *space = &ps->sub[sub].space;
	struct rng rng = { 1, 0 };
	bool matters = false;

	for (int found = 0, drawn = 0; found < tries && drawn < 40 * tries && !matters; drawn++) {
		struct arena arena = ARENA_INIT;
		struct candidate a, b;
		struct point p = { { 0 } };
		struct strbuf why = STRBUF_INIT;
		for (size_t i = 0; i < space->knob_count; i++)
			p.value[i] = (int16_t)rng_below(&rng, (int64_t)space->knob[i].value_count);
		if (candidate_make(&arena, ps, sub, &p, &a, &why) == 1) {
			p.value[k] = (int16_t)((p.value[k] + 1 + rng_below(&rng, (int64_t)space->knob[k].value_count - 1)) %
					       (int64_t)space->knob[k].value_count);
			if (candidate_make(&arena, ps, sub, &p, &b, &why) == 1) {
				found++;
				matters = strcmp(a.id, b.id) != 0;
			}
		}
		strbuf_release(&why);
		arena_release(&arena);
	}
	return matters;
}

/* Share of random points that are legal, and the commonest reason why not. */
static double legal_share(const struct problem_space *ps, size_t sub, int tries, struct strbuf *why_not)
{
	const struct space *space = &ps->sub[sub].space;
	struct rng rng = { 2, 0 };
	int legal = 0;

	for (int t = 0; t < tries; t++) {
		struct arena arena = ARENA_INIT;
		struct candidate c;
		struct point p = { { 0 } };
		struct strbuf why = STRBUF_INIT;
		for (size_t i = 0; i < space->knob_count; i++)
			p.value[i] = (int16_t)rng_below(&rng, (int64_t)space->knob[i].value_count);
		if (candidate_make(&arena, ps, sub, &p, &c, &why) == 1)
			legal++;
		else if (!why_not->len)
			strbuf_add(why_not, why.buf, strcspn(why.buf, "\n"));
		strbuf_release(&why);
		arena_release(&arena);
	}
	return (double)legal / tries;
}

void space_report(const struct problem_space *ps, struct strbuf *out)
{
	for (size_t s = 0; s < ps->sub_count; s++) {
		const struct subspace *sub = &ps->sub[s];
		struct strbuf why = STRBUF_INIT;
		double share = legal_share(ps, s, 100, &why);
		strbuf_addf(out, "subspace\tskeleton=%s lang=%s\t%lld points, about %.0f legal%s%s\n", sub->skeleton->name, sub->lang->name,
			    (long long)subspace_size(sub), share * (double)subspace_size(sub), why.len ? "; pruned such as: " : "", why.buf);
		for (size_t k = 2; k < sub->space.knob_count; k++) {
			const struct space_knob *knob = &sub->space.knob[k];
			strbuf_addf(out, "knob\t%s\t", knob->name);
			for (size_t v = 0; v < knob->value_count; v++)
				strbuf_addf(out, "%s%s", v ? " " : "", knob->value[v]);
			bool matters = knob->value_count > 1 && share > 0 && knob_matters(ps, s, k, 12);
			strbuf_addf(out, "\t%s\n", knob->value_count < 2 ? "fixed" : matters ? "" : "does nothing");
		}
		strbuf_release(&why);
	}
}
