/*
 * c.c: vector C, printed from a tile program for targets of artifact kind "so".
 *
 * A kernel is
 *   void SYM_<kernel>(void *const *buf, const long *dim, long first, long last, void *scratch)
 * Every statement becomes a loop nest over the indices it uses; one of them, in
 * which all accesses are unit-stride or constant, runs in vectors, with one
 * masked tail.  A tile lives in the thread's scratch (L1); the accumulator of a
 * contraction outside any loop lives in registers, and the maps behind it are
 * done on each register block.
 *
 * Knobs it honours (kernel knob lines)               [default]
 *   MR, NV    rows and vectors of the register block of a contraction    [4, 2]
 *   KU        unrolling of the innermost contracted loop                 [1]
 *   UNROLL    vector accumulators of a reduction along the vectors       [1]
 *   DU        vectors that go through a reduction across them together   [1]
 *   TU        unrolling of the innermost loop of such a reduction        [1]
 *   PF        rows an index tensor names are fetched so many trips ahead [0]
 *   FUSE      1: a map and the reduction that reads it share one loop    [1]
 *   NT        1: stores of f32 outputs go past the caches                [0]
 *   REAL      f64: arithmetic in double, in scalars                      [f32]
 *   BASE      length of the runs that `order` sorts by insertion         [16]
 */
#include "generate/emit_c.h"
#include "generate/lang.h"
#include "generate/micro.h"
#include "generate/vector_c.h"

#include <elf.h>
#include <stdalign.h>
#include <string.h>

/* ---- kernels --------------------------------------------------------- */

/* Is the tile sorted in place, which takes room for two? */
static bool is_ordered(const struct tile_kernel *k, int tile)
{
	for (size_t i = 0; i < k->stmt_count; i++) {
		const struct tile_stmt *s = &k->stmt[i];
		if (s->kind == TILE_MAP && s->target == tile && s->value->kind == EXPR_REDUCE && s->value->op == OP_ORDER)
			return true;
	}
	return false;
}

/* Places tiles in scratch: at[] in bytes; returns the sum. */
static int64_t place_tiles(const struct tile_kernel *k, const struct target *target, int64_t *at)
{
	int64_t bytes = 0;

	for (size_t i = 0; i < k->tile_count; i++) {
		const struct tile *t = &k->tile[i];
		if (t->place == PLACE_VIEW)
			continue;
		at[i] = bytes;
		/* Slack: register blocks read up to eight vectors from the last point. */
		bytes += round_up(t->layout.elems * (int64_t)dtype_bytes(t->dtype) * (is_ordered(k, (int)i) ? 2 : 1) + 8 * target->vector_bytes, 64);
		/* Tiles of equal size a power of two apart would share cache sets. */
		bytes += 64 * (int64_t)(i + 1);
	}
	return bytes;
}

static void emit_names(struct emitter *e, const int64_t *at)
{
	const struct tile_program *p = e->program;
	const struct tile_kernel *k = e->kernel;
	int dim = 0;

	for (size_t i = 0; i < p->dim_count; i++)
		if (p->dim[i].is_static)
			emit_line(e, "const long %s = %lld;", p->dim[i].name, (long long)p->dim[i].value);
		else
			emit_line(e, "const long %s = dim[%d];", p->dim[i].name, dim++);
	for (size_t i = 0; i < p->buffer_count; i++)
		emit_line(e, "%skm_%s *const b_%s = buf[%zu];", p->buffer[i].role == PLAN_IN ? "const " : "", dtype_name(p->buffer[i].dtype),
			  p->buffer[i].name, i);
	for (size_t i = 0; i < k->tile_count; i++)
		if (k->tile[i].place != PLACE_VIEW)
			emit_line(e, "km_%s *const t_%s = (void *)((char *)scratch + %lld);", dtype_name(k->tile[i].dtype), k->tile[i].name,
				  (long long)at[i]);
	for (int g = 1; g < k->grid_count; g++)
		emit_line(e, "const long km_g%d = %s;", g, emit_int(e, k->grid[g]));
}

static void emit_instances(struct emitter *e)
{
	struct strbuf body = STRBUF_INIT, ids = STRBUF_INIT, *out = e->out;

	/* What the statements need at the start and the end is known behind them. */
	e->out = &body;
	emit_open(e, "for (long km_p = km_first_instance; km_p < km_last_instance; km_p++)");
	tile_print_ids(e->kernel, "long", "km_p", &ids);
	emit_line(e, "%s", ids.buf);
	emit_stmts(e, e->kernel->stmt, e->kernel->stmt_count);
	emit_close(e, 1);
	e->out = out;
	if (e->uses_tiles)
		emit_line(e, "__builtin_ia32_tile_loadconfig(&km_tiles);");
	strbuf_add(out, body.buf, body.len);
	if (e->uses_tiles)
		emit_line(e, "__builtin_ia32_tilerelease();");
	if (e->uses_nt)
		emit_line(e, "__builtin_ia32_sfence();");
	strbuf_release(&body);
	strbuf_release(&ids);
}

static int print_kernel(const struct tile_program *program, const struct tile_kernel *kernel, const struct target *target,
			const char *symbol, struct printed *out, struct strbuf *err)
{
	struct emitter e = { .program = program, .kernel = kernel, .target = target, .out = &out->source, .err = err,
			     .lanes = target->vector_bytes / 4, .block_tile = -1, .vector = -1, .written = -1 };
	int64_t at[EMIT_MAX_TILES] = { 0 };

	e.is_double = tile_wants_double(program, kernel);
	if (kernel->index_count > EMIT_MAX_INDICES || kernel->tile_count > EMIT_MAX_TILES) {
		strbuf_addf(err, "kernel '%s': too many indices or tiles", kernel->name);
		return -1;
	}
	int64_t bytes = place_tiles(kernel, target, at);
	if (bytes > out->scratch_bytes)
		out->scratch_bytes = bytes;
	strbuf_addf(e.out, "void %s_%s(void *const *buf, const long *dim, long km_first_instance, long km_last_instance, void *scratch)\n{\n",
		    symbol, kernel->name);
	e.depth = 1;
	emit_names(&e, at);
	emit_instances(&e);
	strbuf_addstr(e.out, "}\n");
	arena_release(&e.arena);
	return e.failed ? -1 : 0;
}

/* ---- the language ---------------------------------------------------- */

static int print(const struct tile_program *program, const struct target *target, const char *symbol,
		 struct printed *out, struct strbuf *err)
{
	vector_c_prologue(target, &out->prologue);
	micro_prologue(target, &out->prologue);
	for (size_t i = 0; i < program->kernel_count; i++)
		if (print_kernel(program, &program->kernel[i], target, symbol, out, err))
			return -1;
	return 0;
}

static bool accepts(const struct tile_program *program, const struct target *target, struct strbuf *why_not)
{
	struct printed out = PRINTED_INIT;
	bool is_good = false;

	if (strcmp(target->artifact, "so") || target->vector_bytes < 16) {
		strbuf_addf(why_not, "vector C wants a target with vector registers, not '%s'", target->name);
		return false;
	}
	/* What can be printed is what prints. */
	is_good = !print(program, target, "km", &out, why_not);
	printed_release(&out);
	return is_good;
}

static bool holds(size_t len, uint64_t at, uint64_t bytes)
{
	return at <= len && bytes <= len - at;
}

/* Bytes of code of every function whose name is the symbol, or begins with it and '_'. */
static double code_bytes(const char *image, size_t len, const char *symbol)
{
	const Elf64_Ehdr *h = (const void *)image;
	double bytes = 0;
	size_t n = strlen(symbol);

	if (len < sizeof(*h) || memcmp(h->e_ident, ELFMAG, SELFMAG) || h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_shoff % alignof(Elf64_Shdr) ||
	    !holds(len, h->e_shoff, (uint64_t)h->e_shnum * sizeof(Elf64_Shdr)))
		return -1;
	const Elf64_Shdr *section = (const void *)(image + h->e_shoff);
	for (int i = 0; i < h->e_shnum; i++) {
		const Elf64_Shdr *s = &section[i], *names = s->sh_link < h->e_shnum ? &section[s->sh_link] : NULL;
		if (s->sh_type != SHT_DYNSYM || !names || s->sh_offset % alignof(Elf64_Sym) || !holds(len, s->sh_offset, s->sh_size) ||
		    !holds(len, names->sh_offset, names->sh_size))
			continue;
		const Elf64_Sym *sym = (const void *)(image + s->sh_offset);
		for (size_t k = 0; k < s->sh_size / sizeof(*sym); k++) {
			if (ELF64_ST_TYPE(sym[k].st_info) != STT_FUNC || sym[k].st_name >= names->sh_size)
				continue;
			/* The last name ends with the file at the latest. */
			const char *name = image + names->sh_offset + sym[k].st_name;
			if (!strncmp(name, symbol, n) && (!name[n] || name[n] == '_'))
				bytes += (double)sym[k].st_size;
		}
	}
	return bytes;
}

static int inspect(const char *artifact_path, const char *symbol, void (*add)(const char *key, double value, void *user), void *user,
		   struct strbuf *err)
{
	struct strbuf image = STRBUF_INIT;
	int ret = strbuf_read_file(&image, artifact_path, err) ? 1 : 0;

	if (!ret) {
		double bytes = code_bytes(image.buf, image.len, symbol);
		if (bytes < 0) {
			strbuf_addf(err, "'%s' is no 64-bit ELF object", artifact_path);
			ret = -1;
		} else {
			add("code_bytes", bytes, user);
		}
	}
	strbuf_release(&image);
	return ret;
}

const struct lang lang_c = {
	.name = "c",
	.summary = "vector C for CPUs, header-free, in clang's vector extensions",
	.suffix = "c",
	.artifact = "so",
	.can_batch = true,
	/*
	 * Loops are vectors already and unrolled where a knob says so: -O3 and the
	 * vectorizers cost a third more time and change nothing.  What needs a
	 * library must not link.
	 */
	.compile = "clang-22 -x c -std=gnu17 -O2 -march=%march %flags " LANG_DATELESS " -ffp-contract=fast -fno-math-errno -fno-trapping-math -fno-vectorize "
		   "-fno-slp-vectorize -fno-unroll-loops -fno-builtin -fno-stack-protector -fPIC -shared -nostdlib -fuse-ld=lld "
		   "-Wl,--no-undefined -w -o %out %in",
	.accepts = accepts,
	.print = print,
	.inspect = inspect,
};
