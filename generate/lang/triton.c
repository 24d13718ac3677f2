/*
 * triton.c: Triton, printed from a tile program, for NVIDIA devices.  Its compiler is
 * Python's, without a device; what it makes ends as one cubin a plan, launched as the
 * printed CUDA is: parameters are the plan's buffers, then its run-time dims.
 *
 * Kernels: triton.h.  Knobs it honours: PRECISION, of products of f32 (ieee, or parts of
 * f32 as tf32x3, bf16x6); WALK, so many of the second last dimension of the grid together;
 * and the kernel's threads and the `pipe n` of a loop.
 */
#include "generate/cubin.h"
#include "generate/triton.h"

#include <string.h>

static const char server[] =
	"language = \"triton\"\n"
#include "kernel_server.inc"
	;

static bool accepts(const struct tile_program *program, const struct target *target, struct strbuf *why_not)
{
	struct strbuf text = STRBUF_INIT;

	if (strcmp(target->artifact, "cubin")) {
		strbuf_addf(why_not, "Triton is printed for NVIDIA devices, not '%s'", target->name);
		return false;
	}
	/* The printer alone knows what it can print. */
	bool accepted = !triton_print(program, target, "accepts", &text, why_not);
	strbuf_release(&text);
	return accepted;
}

static int print(const struct tile_program *program, const struct target *target, const char *symbol, struct printed *out,
		 struct strbuf *err)
{
	strbuf_addstr(&out->prologue, "import triton\nimport triton.language as tl\nfrom triton.language.extra.cuda import libdevice\n");
	triton_vocabulary(&out->prologue);
	return triton_print(program, target, symbol, &out->source, err);
}

const struct lang lang_triton = {
	.name = "triton",
	.summary = "Triton for NVIDIA devices, compiled without one",
	.suffix = "py",
	.artifact = "cubin",
	.has_tiles = true,
	.compile = "triton %march",
	.server = server,
	.accepts = accepts,
	.print = print,
	.inspect = cubin_inspect,
};
