/*
 * cute.c: CuTe's Python (nvidia-cutlass-dsl), printed from a tile program, for NVIDIA
 * devices.  It is a language of threads that is traced by running it: the kernels are the
 * text that triton.h prints, and cute_tiles.py says what its words mean for the points a
 * thread holds.  Its ahead-of-time output is an object with a host's launcher, but it also
 * gives the PTX of the kernels, whose parameters are those we named: that is assembled to
 * one cubin, launched by the plan as all others are, and no host code is kept.
 *
 * Serves statements without loops over at most two tile indices: maps and rows, of f32, f16, bf16, integers and bool.
 */
#include "generate/cubin.h"
#include "generate/triton.h"

#include <string.h>

enum { MOST_A_THREAD = 64 }; /* every point of a thread's is traced */

static const char server[] =
	"language = \"cute\"\n"
#include "kernel_server.inc"
	;
static const char tiles[] =
#include "cute_tiles.inc"
	;

/* Does x reduce only over the last index, whole? */
static bool reduces_rows(const struct tile_kernel *k, const struct expr *x)
{
	bool good = x->kind != EXPR_REDUCE || (x->op <= OP_MIN && x->range_count == 1 && !x->range[0].hi &&
					       tile_index_find(k, x->range[0].name) == (int)k->index_count - 1);

	for (size_t i = 0; i < x->arg_count && good; i++)
		good = reduces_rows(k, x->arg[i]);
	return good && (!x->filter || reduces_rows(k, x->filter)) && (!x->otherwise || reduces_rows(k, x->otherwise));
}

/* The first function of x, or type it is cast to, that cute_tiles.py has no words for; NULL: none. */
static const char *missing_word(const struct expr *x)
{
	static const char *const words[] = { "expm1", "pow", "atan2", "philox", "uniform", "f64", "f8e4m3", "f8e5m2" };
	const char *missing = NULL;

	if (!x)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(words) && x->kind == EXPR_CALL; i++)
		if (!strcmp(words[i], x->name))
			return x->name;
	for (size_t i = 0; i < x->arg_count && !missing; i++)
		missing = missing_word(x->arg[i]);
	return missing ? missing : missing_word(x->filter) ? missing_word(x->filter) : missing_word(x->otherwise);
}

static bool has_types(const struct tile_program *program, struct strbuf *why_not)
{
	for (size_t i = 0; i < program->buffer_count; i++) {
		enum dtype d = program->buffer[i].dtype;
		if (d == DTYPE_f64 || d == DTYPE_f8e4m3 || d == DTYPE_f8e5m2) {
			strbuf_addf(why_not, "buffer '%s' of %s: CuTe is printed for f32, f16, bf16, integers and bool", program->buffer[i].name, dtype_name(d));
			return false;
		}
	}
	return true;
}

static bool is_served(const struct tile_kernel *k, struct strbuf *why_not)
{
	int64_t points = 1;

	for (size_t i = 0; i < k->index_count; i++)
		points *= k->index[i].extent < MOST_A_THREAD * 1024 ? k->index[i].extent : MOST_A_THREAD * 1024;
	if (k->index_count > 2 || points > (int64_t)MOST_A_THREAD * k->threads) {
		strbuf_addf(why_not, "kernel '%s': CuTe is printed for at most two tile indices, and %d points a thread", k->name, MOST_A_THREAD);
		return false;
	}
	for (size_t i = 0; i < k->stmt_count; i++) {
		const struct tile_stmt *s = &k->stmt[i];
		if ((s->kind != TILE_MAP && s->kind != TILE_STORE) || !reduces_rows(k, s->value)) {
			strbuf_addf(why_not, "kernel '%s': line %d: CuTe is printed for maps and for reductions of rows", k->name, s->line);
			return false;
		}
		if (missing_word(s->value)) {
			strbuf_addf(why_not, "kernel '%s': '%s' is not printed for CuTe", k->name, missing_word(s->value));
			return false;
		}
	}
	return true;
}

static bool accepts(const struct tile_program *program, const struct target *target, struct strbuf *why_not)
{
	struct strbuf text = STRBUF_INIT;
	bool accepted = !strcmp(target->artifact, "cubin");

	if (!accepted)
		strbuf_addf(why_not, "CuTe is printed for NVIDIA devices, not '%s'", target->name);
	accepted = accepted && has_types(program, why_not);
	for (size_t i = 0; i < program->kernel_count && accepted; i++)
		accepted = is_served(&program->kernel[i], why_not);
	accepted = accepted && !triton_print(program, target, "accepts", &text, why_not);
	strbuf_release(&text);
	return accepted;
}

static int print(const struct tile_program *program, const struct target *target, const char *symbol, struct printed *out,
		 struct strbuf *err)
{
	strbuf_addstr(&out->prologue, tiles);
	triton_vocabulary(&out->prologue);
	/* // rounds down there. */
	strbuf_addstr(&out->prologue, "def km_whole_div(a, b):\n    return a // b\n");
	/* There is no fmod.  Each step is exact and takes 50 bits off a quotient that is below 2^277. */
	strbuf_addstr(&out->prologue,
		      "def km_real_mod(a, b):\n    x, y = tl.cast(a, tl.float64), tl.cast(b, tl.float64)\n    r = x\n"
		      "    for _ in range(6):\n        r = tl.fma(-tl.floor(r / y), y, r)\n"
		      "    near = tl.where((x != 0.0) & ((x < 0.0) != (y < 0.0)), y, x)\n"
		      "    return tl.where((tl.abs(y) == float('inf')) & (tl.abs(x) < float('inf')), near, r).to(tl.float32)\n");
	return triton_print(program, target, symbol, &out->source, err);
}

const struct lang lang_cute = {
	.name = "cute",
	.summary = "CuTe's Python for NVIDIA devices, compiled without one: maps and rows",
	.suffix = "py",
	.artifact = "cubin",
	.has_tiles = true,
	.compile = "triton cute %march",
	.server = server,
	.accepts = accepts,
	.print = print,
	.inspect = cubin_inspect,
};
