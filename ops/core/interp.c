#include "ops/core/interp_code.h"
#include "ops/core/memory.h"

#include <stdlib.h>
#include <string.h>

void interp_fail(struct interp *in, const struct expr *at, const char *fmt, ...)
{
	va_list ap;

	if (in->failed)
		return;
	in->failed = true;
	strbuf_addf(in->err, "%s:body:%d:%d: ", in->problem->op->source_path ? in->problem->op->source_path : in->problem->op->name,
		    at->line, at->column);
	va_start(ap, fmt);
	strbuf_vaddf(in->err, fmt, ap);
	va_end(ap);
}

static size_t memo_slot(const struct memo *m, int64_t key)
{
	size_t i = (size_t)((uint64_t)key * UINT64_C(0x9E3779B97F4A7C15) >> 17) & (m->capacity - 1);

	while (m->key[i] != -1 && m->key[i] != key)
		i = (i + 1) & (m->capacity - 1);
	return i;
}

static void memo_grow(struct memo *m)
{
	struct memo old = *m;

	m->capacity = old.capacity ? 2 * old.capacity : 64;
	m->key = malloc(m->capacity * sizeof(*m->key));
	m->value = malloc(m->capacity * sizeof(*m->value));
	if (!m->key || !m->value)
		out_of_memory(m->capacity * sizeof(*m->value));
	for (size_t i = 0; i < m->capacity; i++)
		m->key[i] = -1;
	for (size_t i = 0; i < old.capacity; i++)
		if (old.key[i] != -1) {
			size_t k = memo_slot(m, old.key[i]);
			m->key[k] = old.key[i];
			m->value[k] = old.value[i];
		}
	free(old.key);
	free(old.value);
}

/* The memoised value, or NULL. */
static const struct value *memo_find(const struct stmt *stmt, const int64_t *index)
{
	int64_t key = 0;

	for (size_t i = 0; i < stmt->normal->index_count; i++)
		key = key * stmt->extent[i] + index[i];
	if (!stmt->memo.capacity)
		return NULL;
	size_t k = memo_slot(&stmt->memo, key);
	return stmt->memo.key[k] == key ? &stmt->memo.value[k] : NULL;
}

static void memo_add(struct stmt *stmt, const int64_t *index, struct value v)
{
	int64_t key = 0;

	for (size_t i = 0; i < stmt->normal->index_count; i++)
		key = key * stmt->extent[i] + index[i];
	if (2 * stmt->memo.count >= stmt->memo.capacity)
		memo_grow(&stmt->memo);
	size_t k = memo_slot(&stmt->memo, key);
	stmt->memo.key[k] = key;
	stmt->memo.value[k] = v;
	stmt->memo.count++;
}

/* A recurrence is evaluated in increasing order: recursion would be as deep as it is long. */
static void evaluate_before(struct interp *in, int s, const int64_t *index, const struct expr *at)
{
	struct stmt *stmt = &in->stmt[s];
	int64_t earlier[8], last = index[stmt->step];

	memcpy(earlier, index, stmt->normal->index_count * sizeof(*index));
	int64_t *t = &earlier[stmt->step];
	for (*t = last - 1; *t >= 0 && !memo_find(stmt, earlier); --*t)
		;
	for (++*t; *t < last && !in->failed; ++*t)
		interp_stmt(in, s, earlier, at);
}

struct value interp_stmt(struct interp *in, int s, const int64_t *index, const struct expr *at)
{
	struct stmt *stmt = &in->stmt[s];
	struct value saved[MAX_SLOTS];
	const struct value *known = memo_find(stmt, index);

	if (known)
		return *known;
	if (++in->depth > MAX_DEPTH) {
		interp_fail(in, at, "'%s' depends on itself without end", stmt->normal->name);
		return integer_value(0);
	}
	if (stmt->step >= 0)
		evaluate_before(in, s, index, at);
	memcpy(saved, in->slot, (size_t)stmt->slot_count * sizeof(*saved));
	for (size_t i = 0; i < stmt->normal->index_count; i++)
		in->slot[stmt->slot[i]] = integer_value(index[i]);
	struct value v = interp_evaluate(in, stmt->code);
	memcpy(in->slot, saved, (size_t)stmt->slot_count * sizeof(*saved));
	in->depth--;
	if (!in->failed && !memo_find(stmt, index))
		memo_add(stmt, index, v);
	return v;
}

void interp_forget(struct interp *in)
{
	for (size_t i = 0; i < in->normal.stmt_count; i++) {
		free(in->stmt[i].memo.key);
		free(in->stmt[i].memo.value);
		in->stmt[i].memo = (struct memo){ 0 };
	}
}

void interp_close(struct interp *in)
{
	if (!in)
		return;
	if (in->stmt)
		interp_forget(in);
	arena_release(&in->arena);
	free(in);
}

struct interp *interp_open(const struct problem *problem, interp_read *read, const void *user,
			   struct strbuf *err)
{
	struct interp *in = calloc(1, sizeof(*in));

	if (!in)
		out_of_memory(sizeof(*in));
	in->problem = problem;
	in->read = read;
	in->user = user;
	in->err = err;
	if (normal_form(&in->arena, problem->op, problem->dtype, problem->attr, &in->normal, err))
		goto fail;
	in->stmt = ARENA_ARRAY(&in->arena, struct stmt, in->normal.stmt_count + 1);
	if (interp_resolve(in))
		goto fail;
	return in;
fail:
	interp_close(in);
	return NULL;
}

int interp_value_magnitude(struct interp *in, int tensor, int64_t index, double *value,
			   double *magnitude, struct strbuf *err)
{
	const char *name = in->problem->op->tensor[tensor].name;
	int64_t at[8];

	in->err = err;
	in->failed = false;
	in->depth = 0;
	for (size_t s = 0; s < in->normal.stmt_count; s++) {
		if (strcmp(in->normal.stmt[s].name, name))
			continue;
		for (size_t i = in->normal.stmt[s].index_count; i-- > 0;) {
			at[i] = index % in->stmt[s].extent[i];
			index /= in->stmt[s].extent[i];
		}
		struct value v = interp_stmt(in, (int)s, at, in->normal.stmt[s].value);
		*value = v.d;
		*magnitude = v.magnitude;
		return in->failed ? -1 : 0;
	}
	strbuf_addf(err, "%s: output '%s' has no statement in the body", in->problem->op->name, name);
	return -1;
}

int interp_value(struct interp *in, int tensor, int64_t index, double *value, struct strbuf *err)
{
	double magnitude;
	return interp_value_magnitude(in, tensor, index, value, &magnitude, err);
}

int64_t interp_reads(const struct interp *in)
{
	return in->reads;
}
