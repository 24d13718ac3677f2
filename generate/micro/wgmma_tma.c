/*
 * wgmma_tma: contractions on Hopper's warp-group matrix instructions (wgmma, sm_90a).  One
 * warp group asks the copy engine (TMA) for the blocks of both operands, `pipe` of them in
 * a ring in shared memory; the others contract them.  Blocks of the grid stay on their
 * multiprocessor and take one instance after another, so that the next instance's operands
 * arrive while the present one's accumulators are stored.
 *
 *   NVIDIA, "Parallel Thread Execution ISA" 9.0: 9.7.16 (wgmma, its descriptors), 9.7.9.27
 *   (cp.async.bulk.tensor), 9.7.14.16 (mbarrier), 9.7.20.5 (setmaxnreg).
 *
 * A kernel of it is
 *   accumulators = 0;  for k0 .. pipe n { copies;  mma };  maps and stores
 * with operands in simt_swizzled() digits, along the depth or across it.  Or, of operands in
 * parts (skeleton f32_parts),
 *   sum = small = block = 0
 *   for k0 .. pipe n { copies;  small += mma, ...;  block += mma;  sum = sum + block;  block = 0 }
 * where `block` keeps the products of one trip only: adding in the tensor core cuts off, by
 * 2^-23 of the sum a step and always towards zero; outside it is added by Kahan's summation
 * ("Further remarks on reducing truncation errors", 1965): what rounding loses stays in
 * `block`, which in exact arithmetic were 0.  The small products of the next trip are queued
 * behind the block's, so that the instructions go on while it is added.
 *
 * Operands may come as f32 and be made parts of f16 on the way ("fused"):
 *   for k0 .. pipe n { f <- ..; g <- ..;  a0 = f * scale; a1 = (f * scale - a0) / c; ..;  products }
 * Then three warps of the copying group take numbers from a second ring, of FUSED_RING tiles,
 * and write their parts into the first.  What a warp met is a row of buffer _found: greatest
 * and least magnitude of A's first parts, then of B's, as bits of f16.  Knobs:
 *   WALK    rows of blocks that are walked together, for the second-level cache   [8]
 *   CLUSTER 2: blocks of neighbouring rows run on multiprocessors beside each other, and
 *           each brings half of the columns' operand to both                      [1]
 *   RELAY   2: so many parties of the kernel's threads take instances in turn, each with all of
 *           its rows: one contracts while the other stores                       [1]
 *   TURN    1: a thread's accumulators are put eight columns together before they
 *           are stored, 16 bytes of a 2-byte type                                 [1]
 */
#include "generate/wgmma.h"

#include <string.h>

static bool drives(const struct simt *s)
{
	return s->instr && !strncmp(s->instr->name, "wgmma_", 6);
}

/* How it is launched, and its parameters behind the others: the tensor maps. */
static void set_launch(struct simt *s, const struct wgmma_pipeline *p, struct strbuf *maps)
{
	struct tile_launch *launch = s->launch;

	launch->threads = (p->consumers + 1) * WGMMA_GROUP_THREADS;
	launch->resident = 1;
	launch->cluster = p->cluster > 1 ? p->cluster : 0;
	launch->shared_bytes = p->loop->pipe * (p->slot_bytes + 2 * WGMMA_BARRIER_BYTES) + p->ring * (p->source_bytes + 2 * WGMMA_BARRIER_BYTES) + WGMMA_ALIGNMENT +
			       (p->relays > 1 ? p->relays * WGMMA_BARRIER_BYTES : 0);
	if (launch->shared_bytes > s->target->shared_bytes)
		simt_fail(s, "a ring of %lld bytes exceeds the target's %lld", (long long)launch->shared_bytes, (long long)s->target->shared_bytes);
	for (int i = 0; i < (p->ring ? p->source_count : p->operand_count) && !s->failed; i++) {
		wgmma_print_tensor(s, p, p->ring ? &p->source[i] : &p->operand[i]);
		strbuf_addf(maps, ", KM_TENSOR_MAP km_map%d", i);
	}
}

/* Shared memory: the ring, the second one of f32, the barriers of both. */
static void print_places(struct simt *s, const struct wgmma_pipeline *p)
{
	int pipe = p->loop->pipe;

	simt_line(s, "KM_SHARED_GIVEN(km_shared);");
	simt_line(s, "const unsigned km_base = km_shared_address(km_shared) + %d & -%d;", WGMMA_ALIGNMENT - 1, WGMMA_ALIGNMENT);
	if (p->ring)
		simt_line(s, "const unsigned km_source = km_base + %lld;", (long long)(pipe * p->slot_bytes));
	simt_line(s, "const unsigned km_full = km_base + %lld, km_empty = km_full + %d;", (long long)(pipe * p->slot_bytes + p->ring * p->source_bytes),
		  pipe * WGMMA_BARRIER_BYTES);
	if (p->ring)
		simt_line(s, "const unsigned km_source_full = km_empty + %d, km_source_empty = km_source_full + %d;", pipe * WGMMA_BARRIER_BYTES,
			  p->ring * WGMMA_BARRIER_BYTES);
	if (p->relays > 1)
		simt_line(s, "const unsigned km_order = km_empty + %d;", pipe * WGMMA_BARRIER_BYTES);
}

static void print_barriers(struct simt *s, const struct wgmma_pipeline *p)
{
	simt_open(s, "if (KM_TID == 0)");
	simt_open(s, "for (int km_i = 0; km_i < %d; km_i++)", p->loop->pipe);
	simt_line(s, "km_barrier_start(km_full + km_i * %d, %d);", WGMMA_BARRIER_BYTES, p->ring ? WGMMA_FUSED_WARPS : 1);
	simt_line(s, "km_barrier_start(km_empty + km_i * %d, %d);", WGMMA_BARRIER_BYTES, s->kernel->threads / s->target->warp * p->cluster);
	simt_close(s, 1);
	for (int i = 0; i < p->ring; i++)
		simt_line(s, "km_barrier_start(km_source_full + %d, 1); km_barrier_start(km_source_empty + %d, %d);", i * WGMMA_BARRIER_BYTES, i * WGMMA_BARRIER_BYTES,
			  WGMMA_FUSED_WARPS);
	for (int i = 0; i < p->relays && p->relays > 1; i++)
		simt_line(s, "km_barrier_start(km_order + %d, %d);", i * WGMMA_BARRIER_BYTES, s->kernel->threads / s->target->warp);
	simt_line(s, "km_barriers_started();");
	simt_close(s, 1);
}

static void print(struct simt *s, const char *symbol)
{
	const struct tile_kernel *k = s->kernel;
	struct wgmma_pipeline p;
	struct strbuf maps = STRBUF_INIT;

	if (!wgmma_find(s, &p))
		return;
	set_launch(s, &p, &maps);
	if (s->failed)
		goto out;
	wgmma_print_instruction(s->instr, s->out);
	simt_head(s, symbol, arena_printf(&s->arena, "KM_KERNEL_ALONE(%d)", s->launch->threads), maps.buf);
	for (int g = 0; g < k->grid_count; g++)
		simt_line(s, "const unsigned km_g%d = (unsigned)%s;", g, simt_int_text(s, k->grid[g]));
	print_places(s, &p);
	print_barriers(s, &p);
	/* Nobody signals a block that is not ready, or one that has gone. */
	simt_line(s, p.cluster > 1 ? "km_cluster_barrier();" : "km_barrier();");
	simt_open(s, "if (KM_TID < %d)", WGMMA_GROUP_THREADS);
	wgmma_print_producer(s, &p);
	s->depth--;
	simt_open(s, "} else");
	wgmma_print_consumer(s, &p);
	simt_close(s, 1);
	if (p.cluster > 1)
		simt_line(s, "km_cluster_barrier();");
	strbuf_addstr(s->out, "}\n");
out:
	strbuf_release(&maps);
}

const struct micro_kernel micro_wgmma_tma = {
	.name = "wgmma_tma",
	.drives = drives,
	.print = print,
	.prologue = wgmma_vocabulary,
};
