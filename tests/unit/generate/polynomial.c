/* Polynomials: their value is the expression's, whatever was resolved on the way. */
#include "generate/polynomial.h"
#include "ops/core/rng.h"
#include "tests/tap.h"

#include <string.h>

static const char *const names[] = { "p", "v", "l", "N" };
static const int64_t most[] = { 9, 3, 7, 100 };

static struct expr *random_expr(struct arena *arena, struct rng *rng, int depth)
{
	static const enum expr_op op[] = { OP_ADD, OP_ADD, OP_SUB, OP_MUL, OP_FLOORDIV, OP_MOD };
	static const int64_t divisor[] = { 1, 2, 3, 8, 16, 32 };
	int64_t kind = depth ? rng_below(rng, 8) : rng_below(rng, 2);

	if (kind == 0)
		return expr_int(arena, rng_below(rng, 40) - 4);
	if (kind == 1)
		return expr_name(arena, names[rng_below(rng, 4)]);
	enum expr_op o = op[kind - 2];
	struct expr *a = random_expr(arena, rng, depth - 1);
	struct expr *b = o == OP_FLOORDIV || o == OP_MOD ? expr_int(arena, divisor[rng_below(rng, 6)]) : random_expr(arena, rng, depth - 1);
	return expr_binary(arena, o, a, b);
}

static bool same_values(const struct expr *a, const struct expr *b, struct rng *rng)
{
	for (int i = 0; i < 40; i++) {
		struct binding at[4];
		struct strbuf err = STRBUF_INIT;
		int64_t x = 0, y = 1;
		for (int k = 0; k < 4; k++)
			at[k] = (struct binding){ names[k], rng_below(rng, most[k] + 1) };
		bool good = !expr_int_value(a, at, 4, &x, &err) && !expr_int_value(b, at, 4, &y, &err) && x == y;
		strbuf_release(&err);
		if (!good)
			return false;
	}
	return true;
}

static struct polynomial of(struct arena *arena, const struct facts *facts, const char *text)
{
	struct strbuf err = STRBUF_INIT;
	struct expr *e = NULL;

	expr_parse(arena, text, "test", EXPR_TILE, &e, &err);
	strbuf_release(&err);
	return polynomial_of(arena, facts, e);
}

static bool prints(struct arena *arena, const struct facts *facts, const char *text, const char *want)
{
	struct polynomial p = of(arena, facts, text);
	struct strbuf out = STRBUF_INIT;

	expr_print(polynomial_expr(arena, &p), &out);
	bool good = !strcmp(out.buf, want);
	if (!good)
		printf("# %s\n", out.buf);
	strbuf_release(&out);
	return good;
}

int main(void)
{
	struct arena arena = ARENA_INIT;
	struct rng rng = { 5, 0 };
	struct fact fact[4];
	int wrong = 0, split_wrong = 0, splits = 0;

	for (int k = 0; k < 4; k++)
		fact[k] = (struct fact){ names[k], expr_int(&arena, 0), expr_int(&arena, most[k]) };
	struct facts facts = { fact, 4 };
	for (int i = 0; i < 3000; i++) {
		struct arena scratch = ARENA_INIT;
		struct expr *e = random_expr(&scratch, &rng, 4);
		struct polynomial p = polynomial_of(&scratch, &facts, e), coefficient, rest;
		wrong += !same_values(e, polynomial_expr(&scratch, &p), &rng);
		if (polynomial_split(&scratch, &p, "v", &coefficient, &rest)) {
			struct expr *c = expr_binary(&scratch, OP_MUL, polynomial_expr(&scratch, &coefficient), expr_name(&scratch, "v"));
			split_wrong += !same_values(e, expr_binary(&scratch, OP_ADD, c, polynomial_expr(&scratch, &rest)), &rng) ||
				       expr_uses(polynomial_expr(&scratch, &rest), "v");
			splits++;
		}
		arena_release(&scratch);
	}
	ok(!wrong, "3000 random expressions keep their values: %d do not", wrong);
	ok(!split_wrong && splits > 500, "%d splits keep them too: %d do not", splits, split_wrong);
	ok(prints(&arena, &facts, "(p*32 + v*8 + l) // 16", "p * 2 + v//2"), "a lane inside its vector drops out of a quotient");
	ok(prints(&arena, &facts, "(p*32 + v*8 + l) % 16", "l + v%2 * 8"), "and comes back in the remainder");
	ok(prints(&arena, &facts, "(p*8 + l) // 8", "p"), "a whole panel is its number");
	ok(prints(&arena, &facts, "(N + p) * (N - p)", "N * N - p * p"), "products are multiplied out");
	ok(prints(&arena, &facts, "(N*16 + l) % 16 - l", "0"), "terms cancel");
	arena_release(&arena);
	return done_testing();
}
