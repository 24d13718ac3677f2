/*
 * Terms of a reduction, a batch at a time: each node of the expression is visited once for
 * 64 index tuples, not once for each, which is several times faster.  What a lane must not
 * evaluate (the branch not taken, a read outside) it does not: lanes are listed, not masked.
 */
#include "ops/core/interp_code.h"

#include <string.h>

/* The slot of a range of the reduction, or NULL. */
static const struct value *own_slot(const struct batch *b, int slot)
{
	for (size_t k = 0; k < b->reduce->range_count; k++)
		if (b->reduce->range[k].slot == slot)
			return b->slot[k];
	return NULL;
}

/* One lane alone, as if it were the current term. */
static struct value alone(struct interp *in, const struct code *c, const struct batch *b, int lane)
{
	for (size_t k = 0; k < b->reduce->range_count; k++)
		in->slot[b->reduce->range[k].slot] = b->slot[k][lane];
	return interp_evaluate(in, c);
}

/* Index k of an access, lane[n]'s at number[n]. */
static void index_batch(struct interp *in, const struct code *c, size_t k, const struct batch *b, const int *lane, int count, int64_t *number)
{
	struct value scratch[BATCH_LANES];

	if (c->arg[k]->is_whole) {
		interp_whole_batch(in, c->arg[k], b, lane, count, number);
		return;
	}
	const struct value *v = interp_evaluate_batch(in, c->arg[k], b, lane, count, scratch);
	if (v[lane[0]].kind == KIND_REAL)
		interp_fail(in, c->arg[k]->expr, "index %zu of '%s' is not an integer", k, c->expr->name);
	for (int n = 0; n < count; n++)
		number[n] = v[lane[n]].i;
}

static void access_batch(struct interp *in, const struct code *c, const struct batch *b, const int *lane, int count, struct value *room)
{
	int64_t at[8][BATCH_LANES];
	const int64_t *extent = c->kind == CODE_TENSOR ? in->tensor[c->slot].extent : in->stmt[c->slot].extent;
	int outside[BATCH_LANES], outside_count = 0;

	for (size_t k = 0; k < c->arg_count; k++)
		index_batch(in, c, k, b, lane, count, at[k]);
	for (int n = 0; n < count && !in->failed; n++) {
		int64_t index[8];
		size_t k = 0;
		for (; k < c->arg_count; k++) {
			index[k] = at[k][n];
			if (index[k] < 0 || index[k] >= extent[k])
				break;
		}
		if (k == c->arg_count)
			room[lane[n]] = as_kind(interp_access(in, c, index), c->want);
		else if (c->otherwise)
			outside[outside_count++] = lane[n];
		else
			interp_outside(in, c, k, index[k]);
	}
	if (outside_count && !in->failed) {
		struct value other[BATCH_LANES];
		const struct value *v = interp_evaluate_batch(in, c->otherwise, b, outside, outside_count, other);
		for (int n = 0; n < outside_count; n++)
			room[outside[n]] = as_kind(v[outside[n]], c->want);
	}
}

/* The branches, each on the lanes that take it. */
static void select_batch(struct interp *in, const struct code *c, const struct batch *b, const int *lane, int count, struct value *room)
{
	struct value scratch[BATCH_LANES];
	const struct value *condition = interp_evaluate_batch(in, c->arg[0], b, lane, count, scratch);
	int taken[2][BATCH_LANES], taken_count[2] = { 0, 0 };

	for (int n = 0; n < count; n++) {
		int branch = is_true(condition[lane[n]]) ? 0 : 1;
		taken[branch][taken_count[branch]++] = lane[n];
	}
	for (int branch = 0; branch < 2; branch++) {
		if (!taken_count[branch] || in->failed)
			continue;
		const struct value *v = interp_evaluate_batch(in, c->arg[1 + branch], b, taken[branch], taken_count[branch], scratch);
		for (int n = 0; n < taken_count[branch]; n++)
			room[taken[branch][n]] = as_kind(v[taken[branch][n]], c->want);
	}
}

static void binary_batch(struct interp *in, const struct code *c, const struct batch *b, const int *lane, int count, struct value *room)
{
	struct value left[BATCH_LANES], right[BATCH_LANES];
	const struct value *x = interp_evaluate_batch(in, c->arg[0], b, lane, count, left);
	const struct value *y = interp_evaluate_batch(in, c->arg[1], b, lane, count, right);

	for (int n = 0; n < count; n++)
		room[lane[n]] = interp_combine(in, c->expr, x[lane[n]], y[lane[n]]);
}

static void call_batch(struct interp *in, const struct code *c, const struct batch *b, const int *lane, int count, struct value *room)
{
	struct value argument[3][BATCH_LANES];
	const struct value *x[3] = { NULL };

	for (size_t k = 0; k < c->arg_count && k < 3; k++)
		x[k] = interp_evaluate_batch(in, c->arg[k], b, lane, count, argument[k]);
	for (int n = 0; n < count; n++) {
		struct value one[3] = { { 0 } };
		for (size_t k = 0; k < c->arg_count && k < 3; k++)
			one[k] = x[k][lane[n]];
		room[lane[n]] = interp_apply(c, one);
	}
}

const struct value *interp_evaluate_batch(struct interp *in, const struct code *c, const struct batch *b, const int *lane, int count,
					  struct value *room)
{
	const struct value *v;

	if (in->failed) {
		memset(room, 0, BATCH_LANES * sizeof(*room));
		return room;
	}
	if (c->is_whole && c->kind != CODE_INDEX) {
		int64_t number[BATCH_LANES];
		interp_whole_batch(in, c, b, lane, count, number);
		for (int n = 0; n < count; n++)
			room[lane[n]] = whole_value(c, number[n]);
		return room;
	}
	switch (c->kind) {
	case CODE_INDEX:
		v = own_slot(b, c->slot);
		if (v)
			return v;
		for (int n = 0; n < count; n++)
			room[lane[n]] = in->slot[c->slot];
		break;
	case CODE_CONSTANT:
		for (int n = 0; n < count; n++)
			room[lane[n]] = c->constant;
		break;
	case CODE_NEG:
		v = interp_evaluate_batch(in, c->arg[0], b, lane, count, room);
		for (int n = 0; n < count; n++) {
			struct value x = v[lane[n]];
			room[lane[n]] = x.kind == KIND_REAL ? real_value(-x.d, x.magnitude) : integer_value(-x.i);
		}
		break;
	case CODE_TENSOR:
	case CODE_STMT: access_batch(in, c, b, lane, count, room); break;
	case CODE_BINARY:
		if (c->expr->op != OP_AND && c->expr->op != OP_OR) {
			binary_batch(in, c, b, lane, count, room);
			break;
		}
		goto one_by_one;
	case CODE_SELECT: select_batch(in, c, b, lane, count, room); break;
	case CODE_CALL: call_batch(in, c, b, lane, count, room); break;
	default: /* reductions inside, functions of the prelude */
	one_by_one:
		for (int n = 0; n < count && !in->failed; n++)
			room[lane[n]] = alone(in, c, b, lane[n]);
	}
	return room;
}
