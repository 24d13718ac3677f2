#include "generate/space.h"

/* The target by its name for people: this machine's own is "native". */
static const struct target *real_target(const struct target *t)
{
	if (t->alias)
		return target_of_this_machine();
	return t->probe && t->probe() ? NULL : t;
}

static int add_states(const struct problem *p, enum op_use use, void *user)
{
	struct strbuf *out = user;

	(void)use;
	for (size_t i = 0; target_table[i]; i++) {
		const struct target *t = real_target(target_table[i]);
		struct strbuf why = STRBUF_INIT;
		struct problem_space ps;
		if (t && !space_open(&ps, p, t, &why)) {
			strbuf_addf(out, "%s%s:%s", out->len ? " " : "", target_table[i]->name, target_state_name(t->best_state));
			space_close(&ps);
		}
		strbuf_release(&why);
	}
	return 1; /* the first problem tells */
}

void space_states(const struct op *op, struct strbuf *out)
{
	struct strbuf states = STRBUF_INIT, ignored = STRBUF_INIT;

	problem_each(op, OP_CHECK, 1, add_states, &states, &ignored);
	strbuf_addstr(out, states.len ? states.buf : "declared");
	strbuf_release(&states);
	strbuf_release(&ignored);
}
