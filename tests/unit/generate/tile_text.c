/* Layouts, exact index facts, the tile program's text, its launch plan. */
#include "generate/target.h"
#include "generate/tile.h"
#include "tests/tap.h"

#include <string.h>

static const char matmul[] =
	"plan matmul\ndim M N K\nrequire K%2 == 0\nbuffer A bf16 [M, K] in\nbuffer B bf16 [K, N] in\n"
	"buffer Wp bf16 [rup(K, 64), rup(N, 48)] tmp : d1/48 d0 d1%48\nbuffer C f32 [M, N] out\n"
	"kernel contract grid [cdiv(M, 128), cdiv(N, 256)] threads 256\n"
	"  index i<128 of M - p0 * 128 j<256 of N - p1 * 256 k<64 of K - k0\n  knob MR=8 NV=3\n"
	"  tile acc f32 [i, j] @acc\n  tile a bf16 [i, k] @shared : i k/8%8^i%8 k%8\n"
	"  tile b bf16 [k, j] @shared : j/16 k/32 k/2%16 j%16 k%2\n  acc[i, j] = 0\n"
	"  for k0 in 0..K step 64 pipe 4\n    a[i, k] <- A[p0 * 128 + i, k0 + k]\n    b[k, j] <- Wp[k0 + k, p1 * 256 + j]\n"
	"    acc[i, j] += mma(k) a[i, k] * b[k, j]\n  end\n  C[p0 * 128 + i, p1 * 256 + j] = gelu(acc[i, j])\n";

static void test_layouts(void)
{
	static const struct { const char *text; bool one_to_one; } cases[] = {
		{ "", true }, { "k i", true }, { "i k+3", true }, { "i/16 k/32 i%16 k%32", true }, { "i k/8%8^i%8 k%8", true },
		{ "k/16 i/32 i/2%16 k%16 i%2", true }, { "i k%8", false }, { "i/2 k", false }, { "i%8 k", false },
	};
	const char *const name[] = { "i", "k" };
	const int64_t extent[] = { 64, 64 };
	struct arena arena = ARENA_INIT;

	for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
		struct layout layout;
		struct strbuf err = STRBUF_INIT, out = STRBUF_INIT;
		int bad = layout_parse(&arena, cases[c].text, name, extent, 2, &layout, &err);
		ok(!bad && layout_is_one_to_one(&layout, extent, 2) == cases[c].one_to_one, "'%s' is %sone to one", cases[c].text,
		   cases[c].one_to_one ? "" : "not ");
		layout_print(&layout, name, &out);
		ok(!*cases[c].text || !strcmp(out.buf, cases[c].text), "'%s' prints as it was written", cases[c].text);
		bool inverse = true;
		int64_t at[2], back[2];
		for (at[0] = 0; at[0] < 64; at[0]++)
			for (at[1] = 0; at[1] < 64; at[1]++) {
				layout_decode(&layout, layout_encode(&layout, at), 2, back);
				inverse &= back[0] == at[0] && back[1] == at[1];
			}
		bool has_xor = strchr(cases[c].text, '^') != NULL;
		ok(has_xor || inverse == cases[c].one_to_one, "decode inverts encode for '%s'", cases[c].text);
		strbuf_release(&err);
		strbuf_release(&out);
	}
	struct layout layout;
	struct strbuf err = STRBUF_INIT;
	ok(layout_parse(&arena, "i q", name, extent, 2, &layout, &err) < 0 && strstr(err.buf, "'q'"), "an unknown index is named");
	strbuf_release(&err);
	arena_release(&arena);
}

static void test_text(void)
{
	static const struct { const char *from, *to, *message; } wrong[] = {
		{ "bf16 [M, K] in", "bf17 [M, K] in", "unknown dtype 'bf17'" }, { "  end\n", "", "not closed" },
		{ "@shared : i", "@cache : i", "@cache" }, { "a[i, k] <-", "z[i, k] <-", "no tile or buffer 'z'" },
		{ "index i<128", "index i<0", "must be a positive number" }, { "step 64", "step 0", "must be positive" },
		{ "index i<128", "index i)<128", "'i)' names no index" },
		{ "gelu(acc", "gelv(acc", "unknown function 'gelv'" }, { "C[p0 * 128 + i", "C[p0 * 128 + i +", "expected" },
	};
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT, out = STRBUF_INIT, plan = STRBUF_INIT;
	struct tile_program p;

	ok(!tile_parse(&arena, matmul, "matmul", &p, &err), "a matmul parses: %s", err.buf);
	tile_print(&p, &out);
	ok(!strcmp(out.buf, matmul), "and prints as it was written");
	tile_plan(&p, "so", "SYM", 4096, NULL, &plan);
	ok(strstr(plan.buf, "buffer: Wp tmp bf16 (rup(K, 64))*(rup(N, 48))\n") && strstr(plan.buf, "require: K%2 == 0\n") &&
		   strstr(plan.buf, "step: SYM_contract grid=cdiv(M,128),cdiv(N,256) threads=256"), "its launch plan");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct strbuf text = STRBUF_INIT;
		struct tile_program q;
		strbuf_addstr(&text, matmul);
		strbuf_replace(&text, wrong[i].from, wrong[i].to);
		strbuf_reset(&err);
		bool is_refused = tile_parse(&arena, text.buf, "bad", &q, &err) < 0;
		ok(is_refused && strstr(err.buf, wrong[i].message) && !strncmp(err.buf, "bad:", 4),
		   "'%s' is refused with its line: %s", wrong[i].to, err.buf);
		strbuf_release(&text);
	}
	struct mma_groups g;
	ok(tile_mma_groups(&p.kernel[0], &p.kernel[0].stmt[1].body[2], &g, &err) && g.row_count == 1 && g.column_count == 1 && g.depth_count == 1,
	   "the contraction's index groups");
	strbuf_release(&err);
	strbuf_release(&out);
	strbuf_release(&plan);
	arena_release(&arena);
}

/* expression, extent, is it inside? with i < min(128, M - p0*128), k < min(64, K - k0), k0 in 0..K-1 */
static void test_bounds(void)
{
	static const struct { const char *index, *extent; bool inside; } cases[] = {
		{ "p0*128+i", "M", true }, { "p0*128+i+1", "M", false }, { "k0+k", "K", true }, { "k0+k+1", "K", false },
		{ "p1*256+j", "rup(N,48)", true }, { "p1*256+j", "M", false }, { "p0*128+i-1", "M", false }, { "(k0+k)//2", "K", true },
		{ "k%8", "8", true }, { "k%8", "7", false }, { "i", "128", true }, { "i", "127", false }, { "M-1-(p0*128+i)", "M", true },
		{ "minimum(k0+k, K-1)", "K", true }, { "3", "M", false },
	};
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct tile_program p;

	ok(!tile_parse(&arena, matmul, "matmul", &p, &err), "program");
	const struct tile_stmt *loop = &p.kernel[0].stmt[1];
	struct facts facts = tile_facts(&arena, &p, &p.kernel[0], &loop, 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct expr *index, *extent;
		bool parsed = !expr_parse(&arena, cases[i].index, "t", EXPR_TILE, &index, &err) && !expr_parse(&arena, cases[i].extent, "t", EXPR_TILE, &extent, &err);
		ok(parsed && tile_proven_inside(&arena, &facts, index, extent) == cases[i].inside, "%s %s 0..%s", cases[i].index,
		   cases[i].inside ? "is proven in" : "is not proven in", cases[i].extent);
	}
	struct expr *e;
	int64_t stride, lo, hi;
	ok(!expr_parse(&arena, "2*(i+3)-i+M", "t", EXPR_TILE, &e, &err) && affine_stride(&arena, e, "i", &stride) && stride == 1, "stride of a sum");
	ok(!expr_parse(&arena, "i//2", "t", EXPR_TILE, &e, &err) && !affine_stride(&arena, e, "i", &stride), "a quotient has no stride");
	ok(!expr_parse(&arena, "k0%64*3+i", "t", EXPR_TILE, &e, &err) && affine_interval(&arena, &facts, e, &lo, &hi) && lo == 0 && hi == 316, "an interval");
	strbuf_release(&err);
	arena_release(&arena);
}

static void test_targets(void)
{
	struct strbuf err = STRBUF_INIT;

	ok(!target_find("x86-avx3", &err) && strstr(err.buf, "x86-avx512"), "an unknown target names the known ones");
	strbuf_reset(&err);
	const struct target *native = target_find("native", &err);
	ok(native == target_of_this_machine() && (!native || !native->alias), "native stands for a named target (%s)", native ? native->name : "none");
	for (size_t i = 0; target_table[i]; i++) {
		const struct target *t = target_table[i];
		ok(t->summary && (t->alias || (t->artifact && t->march && (t->vector_bytes || t->warp > 1))), "target '%s' states its facts", t->name);
	}
	strbuf_release(&err);
}

int main(void)
{
	test_layouts();
	test_text();
	test_bounds();
	test_targets();
	return done_testing();
}
