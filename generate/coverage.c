/* What serves each operator, dtype by dtype and language by language: skeletons that make a candidate, or why none does. */
#include "generate/candidate.h"
#include "generate/lang.h"
#include "generate/policy.h"

#include <string.h>

enum { TRIES = 40 }; /* points of a subspace before it counts as empty */

struct coverage {
	const struct target *target;
	struct strbuf *out;
	unsigned seen; /* dtypes that have had their first problem */
};

/* Does the subspace hold a legal point, its first or a random one?  Else the first reason why not. */
static bool has_candidate(const struct problem_space *ps, size_t sub, struct strbuf *why)
{
	const struct space *space = &ps->sub[sub].space;
	struct rng rng = { 1, 0 };
	struct point point;

	for (int i = 0; i < TRIES; i++) {
		struct arena arena = ARENA_INIT;
		struct strbuf reason = STRBUF_INIT;
		struct candidate c;
		for (size_t k = 0; k < space->knob_count; k++)
			point.value[k] = i ? (int16_t)rng_below(&rng, (int64_t)space->knob[k].value_count) : 0;
		bool is_made = candidate_make(&arena, ps, sub, &point, &c, &reason) == 1;
		if (!is_made && !why->len)
			strbuf_addf(why, "%s: %.*s", ps->sub[sub].skeleton->name, (int)strcspn(reason.buf, "\n"), reason.buf);
		strbuf_release(&reason);
		arena_release(&arena);
		if (is_made)
			return true;
	}
	return false;
}

/* Where no skeleton is for the language: those that are for others. */
static void add_unlowered(const struct problem_space *ps, const struct lang *lang, struct strbuf *why)
{
	for (size_t i = 0; i < ps->sub_count; i++)
		if (!i || ps->sub[i].skeleton != ps->sub[i - 1].skeleton)
			strbuf_addf(why, "%s%s: its kernels say what %s, and '%s' has %s", why->len ? "; " : "", ps->sub[i].skeleton->name,
				    lang->has_tiles ? "each thread does" : "becomes of whole tiles", lang->name, lang->has_tiles ? "tiles" : "threads");
}

static void add_language(const struct problem *p, const struct problem_space *ps, const struct lang *lang, const char *unserved, struct strbuf *out)
{
	struct strbuf why = STRBUF_INIT, served = STRBUF_INIT;
	bool is_lowered = false;

	for (size_t i = 0; i < ps->sub_count; i++) {
		struct strbuf reason = STRBUF_INIT;
		if (ps->sub[i].lang != lang)
			continue;
		is_lowered = true;
		if (has_candidate(ps, i, &reason))
			strbuf_addf(&served, "%s%s", served.len ? " " : "", ps->sub[i].skeleton->name);
		else
			strbuf_addf(&why, "%s%s", why.len ? "; " : "", reason.buf);
		strbuf_release(&reason);
	}
	if (!ps->sub_count)
		strbuf_addstr(&why, unserved);
	else if (!is_lowered)
		add_unlowered(ps, lang, &why);
	problem_print(p, out);
	strbuf_addf(out, "\t%s\t%s\t%s\n", lang->name, served.buf, served.len ? "" : why.buf);
	strbuf_release(&why);
	strbuf_release(&served);
}

static int add_problem(const struct problem *p, enum op_use use, void *user)
{
	struct coverage *c = user;
	struct strbuf unserved = STRBUF_INIT;
	struct problem_space ps;

	(void)use;
	if (c->seen & 1u << p->dtype)
		return 0;
	c->seen |= 1u << p->dtype;
	bool is_open = !space_open(&ps, p, c->target, &unserved);
	for (size_t i = 0; lang_table[i]; i++)
		if (!strcmp(lang_table[i]->artifact, c->target->artifact))
			add_language(p, &ps, lang_table[i], unserved.buf, c->out);
	if (is_open)
		space_close(&ps);
	strbuf_release(&unserved);
	return 0;
}

void space_coverage(const struct op *op, const struct target *target, struct strbuf *out)
{
	struct coverage c = { .target = target, .out = out };
	struct strbuf ignored = STRBUF_INIT;

	problem_each(op, OP_CHECK, 1, add_problem, &c, &ignored);
	strbuf_release(&ignored);
}
