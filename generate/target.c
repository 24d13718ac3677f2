#include "generate/target.h"

#include <string.h>

#define X(name) extern const struct target target_##name;
#include "generate/target.list"
#undef X

const struct target *const target_table[] = {
#define X(name) &target_##name,
#include "generate/target.list"
#undef X
	NULL
};

const char *target_state_name(enum target_state state)
{
	static const char *const name[] = { "measured", "emulated", "modelled", "compiled", "generated" };
	return name[state];
}

const struct target *target_of_this_machine(void)
{
	const struct target *best = NULL;

	/* Of those this machine is, the one with the most features. */
	for (size_t i = 0; target_table[i]; i++) {
		const struct target *t = target_table[i];
		if (!t->alias && t->probe && t->probe() &&
		    (!best || __builtin_popcountll(t->isa) > __builtin_popcountll(best->isa)))
			best = t;
	}
	return best;
}

const struct target *target_find(const char *name, struct strbuf *err)
{
	for (size_t i = 0; target_table[i]; i++) {
		const struct target *t = target_table[i];
		if (strcmp(t->name, name))
			continue;
		if (!t->alias)
			return t;
		t = target_of_this_machine();
		if (!t)
			strbuf_addf(err, "target '%s': this machine is none of the targets; see 'km-generate targets'", name);
		return t;
	}
	strbuf_addf(err, "unknown target '%s': known are", name);
	for (size_t i = 0; target_table[i]; i++)
		strbuf_addf(err, "%s %s", i ? "," : "", target_table[i]->name);
	return NULL;
}

const struct mma_instr *mma_find(const struct target *target, const char *name)
{
	for (const struct mma_instr *q = target->mma; q && q->name; q++)
		if (!strcmp(q->name, name))
			return q;
	return NULL;
}
