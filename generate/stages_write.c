/* What kernels of stages write alike, whatever they run on. */
#include "generate/stages.h"

#include <string.h>

const struct stage *stages_find(const struct match *m, const char *name)
{
	for (size_t i = 0; i < m->count; i++)
		if (!strcmp(m->stage[i].stmt->name, name))
			return &m->stage[i];
	return NULL;
}

const char *stages_kept_name(struct arena *arena, const struct stage *x)
{
	return arena_printf(arena, "%s_kept", x->stmt->name);
}

struct expr *stages_in_memory(struct stages_writer *w, const struct expr *e)
{
	const struct stage *x = e->kind == EXPR_NAME || e->kind == EXPR_ACCESS ? stages_find(w->match, e->name) : NULL;
	struct expr *copy = ARENA_ARRAY(w->arena, struct expr, 1);

	*copy = *e;
	if (x)
		copy->name = stages_kept_name(w->arena, x);
	copy->arg = ARENA_ARRAY(w->arena, struct expr *, e->arg_count + 1);
	for (size_t i = 0; i < e->arg_count; i++)
		copy->arg[i] = stages_in_memory(w, e->arg[i]);
	copy->range = ARENA_ARRAY(w->arena, struct expr_range, e->range_count + 1);
	for (size_t i = 0; i < e->range_count; i++)
		copy->range[i] = (struct expr_range){ e->range[i].name, e->range[i].lo ? stages_in_memory(w, e->range[i].lo) : NULL,
						      e->range[i].hi ? stages_in_memory(w, e->range[i].hi) : NULL };
	copy->otherwise = e->otherwise ? stages_in_memory(w, e->otherwise) : NULL;
	copy->filter = e->filter ? stages_in_memory(w, e->filter) : NULL;
	return copy;
}

const char *stages_extent(struct stages_writer *w, const struct normal_stmt *s, size_t i)
{
	return expr_text(w->arena, s->index[i].hi, NULL);
}

/* f64 sums where a comparison with a random number decides; what is whole, exactly. */
static const char *kept_dtype(const struct stages_writer *w, const struct stage *x)
{
	enum dtype d = x->stmt->tensor >= 0 ? problem_tensor_dtype(w->problem, x->stmt->tensor) : w->problem->dtype;

	/* What is an output too is rounded on its way there, not where the body goes on with it. */
	if (x->stmt->kind == KIND_REAL)
		return w->is_double || d == DTYPE_f64 || x->scheme == PREFIX ? "f64" : "f32";
	if (x->stmt->tensor >= 0)
		return dtype_name(d);
	return x->stmt->kind == KIND_BOOL ? "bool" : "i64";
}

void stages_write_memory(struct stages_writer *w)
{
	for (size_t i = 0; i < w->match->count; i++) {
		const struct stage *x = &w->match->stage[i];
		if (!x->is_kept)
			continue;
		strbuf_addf(w->text, "buffer %s %s [", stages_kept_name(w->arena, x), kept_dtype(w, x));
		for (size_t k = 0; k < x->stmt->index_count; k++)
			strbuf_addf(w->text, "%s%s", k ? ", " : "", stages_extent(w, x->stmt, k));
		strbuf_addstr(w->text, "] tmp\n");
	}
}

const char *stages_place(struct stages_writer *w, const char *name, const char *at)
{
	return *at ? arena_printf(w->arena, "%s[%s]", name, at) : name;
}

void stages_write_stores(struct stages_writer *w, const struct stage *x, const char *indent, const char *at, const char *value)
{
	const char *kept = x->is_kept ? stages_place(w, stages_kept_name(w->arena, x), at) : NULL;

	if (kept)
		strbuf_addf(w->text, "%s%s = %s\n", indent, kept, value);
	if (x->stmt->tensor >= 0)
		strbuf_addf(w->text, "%s%s = %s\n", indent, stages_place(w, x->stmt->name, at), kept ? kept : value);
}
