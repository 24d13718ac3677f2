/*
 * Proofs about index expressions: what is proven holds at every point tried, for
 * random expressions under the facts of a kernel; and what printers need is proven.
 */
#include "generate/tile.h"
#include "ops/core/rng.h"
#include "tests/tap.h"

#include <string.h>

static const char program_text[] =
	"plan t\ndim M K S=3 C\nrequire C <= 64\nbuffer A f32 [M, K] in\nbuffer B f32 [M, K] out\n"
	"kernel k grid [cdiv(M, 8), cdiv(K, 4)] threads 1\n  index i<8 of M-p0*8 j<5 of K-k0 u<3\n"
	"  for k0 in 0..rup(K, 5) step 5\n    B[p0*8+i, k0+j] = A[p0*8+i, k0+j]\n  end\n";

static const struct tile_program *program(struct arena *arena)
{
	static struct tile_program p;
	struct strbuf err = STRBUF_INIT;

	ok(!tile_parse(arena, program_text, "t", &p, &err), "program %s", err.buf);
	strbuf_release(&err);
	return &p;
}

enum { NAMES = 9 };
static const char *const name[NAMES] = { "M", "K", "S", "C", "p0", "p1", "k0", "i", "j" };

/* One point that the facts allow. */
static void draw_point(struct rng *rng, struct binding *at)
{
	int64_t m = 1 + rng_below(rng, 40), k = 1 + rng_below(rng, 40);
	int64_t p0 = rng_below(rng, (m + 7) / 8), p1 = rng_below(rng, (k + 3) / 4), k0 = 5 * rng_below(rng, (k + 4) / 5);
	int64_t live_i = m - p0 * 8 < 8 ? m - p0 * 8 : 8, live_j = k - k0 < 5 ? k - k0 : 5;
	int64_t value[NAMES] = { m, k, 3, 1 + rng_below(rng, 64), p0, p1, k0, rng_below(rng, live_i), rng_below(rng, live_j) };

	/* Extremes are where bounds break. */
	if (rng_below(rng, 2))
		value[7] = live_i - 1;
	if (rng_below(rng, 2))
		value[8] = live_j - 1;
	for (int n = 0; n < NAMES; n++)
		at[n] = (struct binding){ name[n], value[n] };
}

static struct expr *draw(struct arena *arena, struct rng *rng, int depth)
{
	static const enum expr_op op[] = { OP_ADD, OP_SUB, OP_FLOORDIV, OP_MOD, OP_MUL };
	static const char *const call[] = { "minimum", "maximum", "cdiv", "rup" };

	if (!depth || !rng_below(rng, 4)) {
		if (!rng_below(rng, 4))
			return expr_int(arena, rng_below(rng, 12) - 2);
		return expr_name(arena, name[rng_below(rng, NAMES)]);
	}
	int64_t which = rng_below(rng, 10);
	struct expr *a = draw(arena, rng, depth - 1), *number = expr_int(arena, 1 + rng_below(rng, 8));
	if (which < 4)
		return expr_binary(arena, op[rng_below(rng, 2)], a, draw(arena, rng, depth - 1));
	if (which < 7)
		return expr_binary(arena, op[2 + rng_below(rng, 3)], a, number);
	if (which == 7)
		return expr_binary(arena, rng_below(rng, 2) ? OP_MUL : OP_MOD, a, expr_name(arena, name[rng_below(rng, 4)]));
	struct expr *e = ARENA_ARRAY(arena, struct expr, 1);
	e->kind = EXPR_CALL;
	e->name = call[rng_below(rng, 4)];
	e->arg_count = 2;
	e->arg = ARENA_ARRAY(arena, struct expr *, 2);
	e->arg[0] = a;
	e->arg[1] = e->name[0] == 'm' ? draw(arena, rng, depth - 1) : number;
	return e;
}

/* Proven implies true; a plain share of what is true is proven. */
static void test_random(void)
{
	struct rng rng = { 3, 0 };
	int proven = 0, holds = 0, wrong = 0, interval_wrong = 0, intervals = 0, differs = 0;

	for (int t = 0; t < 4000; t++) {
		struct arena arena = ARENA_INIT;
		static struct tile_program p;
		struct strbuf err = STRBUF_INIT;
		if (tile_parse(&arena, program_text, "t", &p, &err))
			break;
		const struct tile_stmt *loop = &p.kernel[0].stmt[0];
		struct facts facts = tile_facts(&arena, &p, &p.kernel[0], &loop, 1);
		struct expr *a = draw(&arena, &rng, 3), *b = draw(&arena, &rng, 3);
		struct affine form = affine_of(&arena, a);
		struct expr *back = affine_expr(&arena, &form), *simple = expr_simplify(&arena, a);
		bool is_proven = affine_le(&arena, &facts, a, b), is_true = true;
		int64_t x, y, z, lo, hi;
		bool has_interval = affine_interval(&arena, &facts, a, &lo, &hi);
		for (int n = 0; n < 200; n++) {
			struct binding at[NAMES];
			draw_point(&rng, at);
			if (expr_int_value(a, at, NAMES, &x, &err) || expr_int_value(b, at, NAMES, &y, &err))
				break;
			is_true &= x <= y;
			interval_wrong += has_interval && (x < lo || x > hi);
			differs += expr_int_value(back, at, NAMES, &z, &err) || z != x;
			differs += expr_int_value(simple, at, NAMES, &z, &err) || z != x;
		}
		if (is_proven && !is_true) {
			strbuf_reset(&err);
			expr_print(a, &err);
			strbuf_addstr(&err, "  <=  ");
			expr_print(b, &err);
			printf("# wrongly proven: %s\n", err.buf);
		}
		proven += is_proven;
		holds += is_true;
		wrong += is_proven && !is_true;
		intervals += has_interval;
		strbuf_release(&err);
		arena_release(&arena);
	}
	ok(!wrong, "no comparison is wrongly proven (%d proven, %d hold at 200 points, of 4000)", proven, holds);
	ok(proven * 10 > holds * 6, "six in ten of what holds is proven");
	ok(!interval_wrong && intervals > 100, "no value lies outside its interval (%d intervals)", intervals);
	ok(!differs, "linear forms and simplified trees keep the value");
}

static void test_needed(void)
{
	static const struct { const char *a, *b; bool holds; } cases[] = {
		{ "p0*8+i", "M-1", true }, { "p0*8+i", "M-2", false }, { "k0+j", "K-1", true }, { "k0", "rup(K,5)-5", true },
		{ "k0+4", "rup(K,5)-1", true }, { "k0+5", "rup(K,5)-1", false }, { "(p0*8+i)//4", "(M-1)//4", true },
		{ "i//4", "1", true }, { "i//4", "0", false }, { "i//4*4+3", "7", true }, { "i//2%2*2+i%2", "3", true },
		{ "i//2%2*2+i%2", "2", false }, { "i//4*4+i%4", "i", true }, { "i", "i//4*4+i%4", true }, { "S*i+u", "23", true },
		{ "j%S", "2", true }, { "i%K", "K-1", true }, { "i//K", "-1", false }, { "C", "64", true }, { "C", "63", false },
		{ "rup(M,8)", "cdiv(M,8)*8", true }, { "M", "rup(M,8)", true }, { "rup(M,8)", "M+7", true }, { "rup(M,8)", "M+6", false },
		{ "1", "M*K", true }, { "2", "M*K", false }, { "minimum(k0+j,K-1)", "K-1", true }, { "i < 4 ? i : 4", "7", true },
		{ "9223372036854775807*i", "0", false }, { "0", "-9223372036854775807*(4*M)", false },
	};
	struct arena arena = ARENA_INIT;
	const struct tile_program *p = program(&arena);
	const struct tile_stmt *loop = &p->kernel[0].stmt[0];
	struct facts facts = tile_facts(&arena, p, &p->kernel[0], &loop, 1);
	struct strbuf err = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct expr *a, *b;
		bool parsed = !expr_parse(&arena, cases[i].a, "t", EXPR_TILE, &a, &err) && !expr_parse(&arena, cases[i].b, "t", EXPR_TILE, &b, &err);
		ok(parsed && affine_le(&arena, &facts, a, b) == cases[i].holds, "%s <= %s is %sproven", cases[i].a, cases[i].b, cases[i].holds ? "" : "not ");
	}
	strbuf_release(&err);
	arena_release(&arena);
}

int main(void)
{
	test_needed();
	test_random();
	return done_testing();
}
