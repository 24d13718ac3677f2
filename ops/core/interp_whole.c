/*
 * Integer expressions over indices and constants: positions, bounds, conditions.  They are
 * most of what a body evaluates, and neither fail nor carry a magnitude.
 */
#include "ops/core/interp_code.h"

static inline int64_t add(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }
static inline int64_t subtract(int64_t a, int64_t b) { return (int64_t)((uint64_t)a - (uint64_t)b); }
static inline int64_t multiply(int64_t a, int64_t b) { return (int64_t)((uint64_t)a * (uint64_t)b); }

/* The value of `a op b` for every operator, as OF(value) uses it. */
#define OPERATORS(OF) \
	case OP_ADD: OF(add(a, b)) \
	case OP_SUB: OF(subtract(a, b)) \
	case OP_MUL: OF(multiply(a, b)) \
	case OP_FLOORDIV: OF(floor_div(a, b)) \
	case OP_MOD: OF(subtract(a, multiply(floor_div(a, b), b))) \
	case OP_EQ: OF(a == b) \
	case OP_NE: OF(a != b) \
	case OP_LT: OF(a < b) \
	case OP_LE: OF(a <= b) \
	case OP_GT: OF(a > b) \
	case OP_AND: OF(a && b) \
	case OP_OR: OF(a || b) \
	default: OF(a >= b)

static int64_t combine(enum expr_op op, int64_t a, int64_t b)
{
#define GIVE(value) return value;
	switch (op) {
	OPERATORS(GIVE)
	}
#undef GIVE
}

int64_t interp_whole(const struct interp *in, const struct code *c)
{
	switch (c->kind) {
	case CODE_CONSTANT: return c->constant.i;
	case CODE_INDEX: return in->slot[c->slot].i;
	case CODE_NEG: return (int64_t)(0 - (uint64_t)interp_whole(in, c->arg[0]));
	default: return combine(c->expr->op, interp_whole(in, c->arg[0]), interp_whole(in, c->arg[1]));
	}
}

static void combine_batch(enum expr_op op, int count, int64_t *number, const int64_t *right)
{
#define EACH(value) \
	for (int n = 0; n < count; n++) { \
		int64_t a = number[n], b = right[n]; \
		number[n] = value; \
	} \
	break;
	switch (op) {
	OPERATORS(EACH)
	}
#undef EACH
}

static void index_of_lanes(const struct interp *in, int slot, const struct batch *b, const int *lane, int count, int64_t *number)
{
	for (size_t k = 0; k < b->reduce->range_count; k++)
		if (b->reduce->range[k].slot == slot) {
			for (int n = 0; n < count; n++)
				number[n] = b->slot[k][lane[n]].i;
			return;
		}
	for (int n = 0; n < count; n++)
		number[n] = in->slot[slot].i;
}

void interp_whole_batch(const struct interp *in, const struct code *c, const struct batch *b, const int *lane, int count, int64_t *number)
{
	int64_t right[BATCH_LANES];

	switch (c->kind) {
	case CODE_CONSTANT:
		for (int n = 0; n < count; n++)
			number[n] = c->constant.i;
		break;
	case CODE_INDEX: index_of_lanes(in, c->slot, b, lane, count, number); break;
	case CODE_NEG:
		interp_whole_batch(in, c->arg[0], b, lane, count, number);
		for (int n = 0; n < count; n++)
			number[n] = (int64_t)(0 - (uint64_t)number[n]);
		break;
	default:
		interp_whole_batch(in, c->arg[0], b, lane, count, number);
		interp_whole_batch(in, c->arg[1], b, lane, count, right);
		combine_batch(c->expr->op, count, number, right);
	}
}
