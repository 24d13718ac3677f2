/*
 * Every operator, every skeleton, random points: the lowered program, verified
 * and interpreted in double, equals the operator's reference.  And the
 * verifier's rules, one bad program each.
 */
#include "generate/space.h"
#include "ops/core/inputs.h"
#include "ops/core/rng.h"
#include "tests/tap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct check {
	struct problem_space *ps;
	const struct tile_program *program;
	const struct problem *search;
	int ran, wrong;
	double worst;
};

/* Interprets at one check shape and compares; of shapes that `require` excludes, at those it may demand. */
static int at_shape(const struct problem *p, enum op_use use, void *user)
{
	struct check *c = user;
	double *data[32] = { NULL }, *want[OP_MAX_TENSORS] = { NULL };
	int64_t dim[OP_MAX_DIMS];
	struct binding binding[OP_MAX_DIMS];
	struct strbuf err = STRBUF_INIT;
	size_t dims = 0;

	(void)use;
	for (int i = 0; i < OP_MAX_ATTRS && p->op->attr[i].name; i++)
		if (p->attr[i] != c->search->attr[i])
			return 0;
	for (size_t i = 0; i < c->program->dim_count; i++) {
		int64_t v = p->dim[op_dim_index(p->op, c->program->dim[i].name)];
		binding[i] = (struct binding){ c->program->dim[i].name, v };
		if (c->program->dim[i].is_static && c->program->dim[i].value != v)
			return 0;
		if (!c->program->dim[i].is_static)
			dim[dims++] = v;
	}
	for (size_t i = 0; i < c->program->require_count; i++) {
		int64_t holds;
		struct problem rounded = *p;
		if (expr_int_value(c->program->require[i], binding, c->program->dim_count, &holds, &err) || !holds)
			return problem_round_up(&rounded, PROBLEM_ROW) ? 0 : at_shape(&rounded, use, user);
	}
	if (p->dtype != c->search->dtype)
		return 0;
	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++) {
		int64_t n = problem_elems(p, t);
		data[t] = malloc(sizeof(double) * (size_t)(n + 1));
		want[t] = malloc(sizeof(double) * (size_t)(n + 1));
		if (p->op->tensor[t].role == OP_IN)
			inputs_values(p, t, INPUTS_normal, 5, data[t]);
		else
			for (int64_t i = 0; i < n; i++)
				data[t][i] = NAN;
		memcpy(want[t], data[t], sizeof(double) * (size_t)n);
	}
	problem_reference(p, want);
	c->ran++;
	if (tile_interp(c->program, dim, data, &err)) {
		printf("# %s\n", err.buf);
		c->wrong++;
	}
	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++) {
		for (int64_t i = 0; want[t] && i < problem_elems(p, t); i++) {
			double d = fabs(data[t][i] - want[t][i]) / (1e-6 + fabs(want[t][i]));
			if (!(d <= 1e-9))
				c->wrong++;
			c->worst = fmax(c->worst, d);
		}
		free(data[t]);
		free(want[t]);
	}
	strbuf_release(&err);
	return 0;
}

static int one_problem(const struct problem *problem, enum op_use use, void *user)
{
	const struct target *target = user;
	struct problem_space ps;
	struct strbuf err = STRBUF_INIT, name = STRBUF_INIT;

	(void)use;
	problem_print(problem, &name);
	if (space_open(&ps, problem, target, &err)) {
		/* Devices of warps are served in part; the reason is told, and nothing was tested. */
		strbuf_addf(&name, " on %s: %s", target->name, err.buf);
		if (target->warp > 1 && strstr(err.buf, "so far"))
			skip(1, name.buf);
		else
			ok(false, "%s", name.buf);
		strbuf_release(&err);
		strbuf_release(&name);
		return 0;
	}
	for (size_t s = 0; s < ps.sub_count; s++) {
		const struct subspace *sub = &ps.sub[s];
		struct rng rng = { 11, 0 };
		struct check c = { .ps = &ps, .search = problem };
		/* Those of devices are run as printed too, by evaluate/cuda.c. */
		int legal = 0, refused = 0, enough = target->warp > 1 ? 2 : 4;
		for (int t = 0; t < 60 && legal < enough; t++) {
			struct arena arena = ARENA_INIT;
			struct tile_program program;
			struct point p = { { 0 } };
			struct strbuf text = STRBUF_INIT, why = STRBUF_INIT;
			for (size_t k = 0; k < sub->space.knob_count; k++)
				p.value[k] = (int16_t)rng_below(&rng, (int64_t)sub->space.knob[k].value_count);
			if (sub->skeleton->lower(&arena, sub->match, problem, target, &sub->space, &p, &text, &why) == 1) {
				legal++;
				if (tile_parse(&arena, text.buf, "t", &program, &why) || tile_verify(&program, NULL, &why)) {
					refused++;
					printf("# %s\n%s", why.buf, text.buf);
				} else {
					c.program = &program;
					problem_each(problem->op, OP_CHECK, 1, at_shape, &c, &why);
				}
			}
			strbuf_release(&text);
			strbuf_release(&why);
			arena_release(&arena);
		}
		ok(legal && !refused && !c.wrong && c.ran, "%s %s/%s: %d programs, %d runs, %d wrong, worst %.1e", name.buf, sub->skeleton->name,
		   sub->lang->name, legal, c.ran, c.wrong, c.worst);
	}
	space_close(&ps);
	strbuf_release(&err);
	strbuf_release(&name);
	return 0;
}

static const char good[] =
	"plan t\ndim M K\nbuffer A f32 [M, K] in\nbuffer B f32 [K, M] in\nbuffer n i64 [M] in\nbuffer C f32 [M, M] out\n"
	"kernel k grid [cdiv(M, 8)] threads 64\n  index i<8 of M-p0*8 j<16 of M k<4 of K-k0\n"
	"  tile acc f32 [i, j] @acc\n  tile a f32 [i, k] @shared : k i\n  tile b f32 [k, j] @shared\n"
	"  acc[i, j] = 0\n  for k0 in 0..K step 4 pipe 2\n    a[i, k] <- A[p0*8+i, k0+k]\n    b[k, j] <- B[k0+k, j]\n"
	"    acc[i, j] += mma(k) a[i, k] * b[k, j]\n  end\n  C[p0*8+i, j] = acc[i, j]\n";

static void test_rules(void)
{
	static const struct { const char *from, *to, *message; } rule[] = {
		{ "  C[p0*8+i, j] = acc", "  A[p0*8+i, j] = acc", "input 'A' is written" },
		{ "= acc[i, j]\n", "= C[i, j]\n", "output 'C' is read" },
		{ "  acc[i, j] = 0\n", "", "is not initialised" },
		{ "= acc[i, j]\n", "= acc[i, j] + q\n", "'q' is not in scope" },
		{ "= acc[i, j]\n", "= acc[i, j] + k\n", "index 'k' is not in scope" },
		{ "= acc[i, j]\n", "= acc[i, j] + b\n", "'b' has rank 2, read with 0 indices" },
		{ "= acc[i, j]\n", "= argmax(k, j) a[i, k]\n", "argmax is over one range" },
		{ "= acc[i, j]\n", "= 0 + scan(k) a[i, k]\n", "a scan is the whole right side" },
		{ "B[k0+k, j]", "B[k0+k]", "rank 2" },
		{ ": k i", ": k/2 i", "two points at one address" },
		{ "a[i, k] <- A[p0*8+i, k0+k]\n    b[k, j] <- B[k0+k, j]\n    acc[i, j] += mma(k) a[i, k] * b[k, j]",
		  "a[i, k] <- A[p0*8+i, k0+k]\n    acc[i, j] = 1\n    b[k, j] <- B[k0+k, j]\n    acc[i, j] += mma(k) a[i, k] * b[k, j]", "behind a consumer" },
		{ "mma(k) a[i, k] * b[k, j]", "mma(k) a[i, k] * a[i, k]", "must be in exactly one operand" },
		{ "C[p0*8+i, j]", "C[A[i, j], j]", "no integer buffer" },
		{ "for k0 in", "for i in", "already a name" },
		{ "i<8 of M-p0*8", "i<100000 of M-p0*8", "bytes of shared tiles" },
		{ "threads 64", "threads 4096", "4096 threads" },
	};
	static const struct target small = { .name = "small", .shared_bytes = 65536, .max_threads = 1024 };
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct tile_program p;

	bool sound = !tile_parse(&arena, good, "t", &p, &err) && !tile_verify(&p, &small, &err);
	ok(sound, "a sound program is accepted %s", err.buf);
	for (size_t i = 0; i < ARRAY_SIZE(rule); i++) {
		struct strbuf text = STRBUF_INIT;
		strbuf_addstr(&text, good);
		strbuf_replace(&text, rule[i].from, rule[i].to);
		strbuf_reset(&err);
		bool refused = !tile_parse(&arena, text.buf, "t", &p, &err) && tile_verify(&p, &small, &err) < 0;
		ok(refused && strstr(err.buf, rule[i].message), "refused: %s", err.buf);
		strbuf_release(&text);
	}
	strbuf_release(&err);
	arena_release(&arena);
}

/* Small programs by hand: Y[0] of X = 1 2 3 4 5 6, and what it must be. */
static void test_meaning(void)
{
	static const struct { const char *body, *what; double want; } program[] = {
		{ "  x[j] <- X[j]\n  Y[0] = sum(j) x[j]\n", "a sum", 21 },
		{ "  x[j] <- X[j]\n  Y[0] = sum(j if x[j] > 2) x[j]\n", "a filter leaves terms out", 18 },
		{ "  x[j] <- X[j]\n  Y[0] = max(j if x[j] < 3) x[j]\n", "a filtered maximum", 2 },
		/* The second round's two live points leave nothing of the first's four behind. */
		{ "  for k0 in 0..N step 4\n    c[k] <- X[k0+k]\n    Y[0] = c[3]\n  end\n", "a point beyond the live extent", NAN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(program); i++) {
		struct arena arena = ARENA_INIT;
		struct strbuf err = STRBUF_INIT, text = STRBUF_INIT;
		struct tile_program p;
		double x[] = { 1, 2, 3, 4, 5, 6 }, y = -1, *data[] = { x, &y };
		int64_t n = 6;
		strbuf_addf(&text, "plan t\ndim N\nbuffer X f32 [N] in\nbuffer Y f32 [1] out\nkernel k grid [1] threads 1\n"
			    "  index j<8 of N k<4 of N-k0\n  tile x f32 [j] @reg\n  tile c f32 [k] @reg\n%s", program[i].body);
		bool ran = !tile_parse(&arena, text.buf, "t", &p, &err) && !tile_verify(&p, NULL, &err) && !tile_interp(&p, &n, data, &err);
		ok(ran && (isnan(program[i].want) ? isnan(y) : y == program[i].want), "%s: %g %s", program[i].what, y, err.buf);
		strbuf_release(&text);
		strbuf_release(&err);
		arena_release(&arena);
	}
}

int main(void)
{
	struct strbuf err = STRBUF_INIT;
	const struct op *op;

	test_rules();
	test_meaning();
	for (int t = 0; target_table[t]; t++)
		for (size_t i = 0; !target_table[t]->alias && (op = op_at(i)); i++)
			problem_each(op, OP_SEARCH, 1, one_problem, (void *)(uintptr_t)target_table[t], &err);
	strbuf_release(&err);
	return done_testing();
}
