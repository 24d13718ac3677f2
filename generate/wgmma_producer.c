/* The warp group that brings operands, or makes them of others. */
#include "generate/wgmma.h"

/* The walk over instances, and over trips; ended by close_trips(). */
static void open_trips(struct simt *s, const struct wgmma_pipeline *p)
{
	const struct tile_stmt *f = p->loop;

	wgmma_open_instances(s, p);
	for (int i = 0; i < p->operand_count; i++)
		wgmma_declare_pixels(s, p, &p->operand[i]);
	simt_open(s, "for (long %s = %s; %s < %s; %s += %lld)", f->var, simt_int_text(s, f->lo), f->var, simt_int_text(s, f->hi), f->var, (long long)f->step);
	s->fors[s->for_count++] = f;
}

static void close_trips(struct simt *s)
{
	s->for_count--;
	simt_close(s, 2);
}

/* Copies f32 into the second ring, tile after tile. */
static void print_fused_copies(struct simt *s, const struct wgmma_pipeline *p)
{
	simt_line(s, "int km_slot = 0; unsigned km_phase = 1;");
	open_trips(s, p);
	for (int i = 0; i < p->source_count; i++) {
		simt_line(s, "km_barrier_wait(km_source_empty + km_slot * %d, km_phase);", WGMMA_BARRIER_BYTES);
		simt_line(s, "km_barrier_expect(km_source_full + km_slot * %d, %lld);", WGMMA_BARRIER_BYTES, (long long)wgmma_tile_bytes(&p->source[i]));
		wgmma_print_copies(s, p, &p->source[i], arena_printf(&s->arena, "km_source + km_slot * %lld", (long long)p->source_bytes),
			     arena_printf(&s->arena, "km_source_full + km_slot * %d", WGMMA_BARRIER_BYTES));
		simt_line(s, "if (++km_slot == %d) { km_slot = 0; km_phase ^= 1; }", WGMMA_FUSED_RING);
	}
	close_trips(s);
}

/* Takes tiles of the second ring, and puts their parts into the slots of the first. */
static void print_fused_parts(struct simt *s, const struct wgmma_pipeline *p)
{
	simt_line(s, "int km_slot = 0, km_source_slot = 0; unsigned km_phase = 1, km_source_phase = 0;");
	simt_line(s, "km_met km_of_a, km_of_b; const float km_scale_a = b__scale[0], km_scale_b = b__scale[1];");
	open_trips(s, p);
	simt_line(s, "km_barrier_wait(km_empty + km_slot * %d, km_phase);", WGMMA_BARRIER_BYTES);
	for (int i = 0; i < p->source_count; i++) {
		const struct wgmma_operand *o = &p->source[i];
		simt_line(s, "km_barrier_wait(km_source_full + km_source_slot * %d, km_source_phase);", WGMMA_BARRIER_BYTES);
		simt_line(s, "km_to_parts<%lld, %lld, %d>(km_source + km_source_slot * %lld, %s + %lld, %s + %lld, km_scale_%c, KM_TID - KM_WARP, km_of_%c);",
			  (long long)s->kernel->index[o->slow].extent, (long long)s->kernel->index[o->fast].extent, WGMMA_FUSED_WARPS * s->target->warp,
			  (long long)p->source_bytes, wgmma_slot(s, p), (long long)p->operand[2 * i].at, wgmma_slot(s, p), (long long)p->operand[2 * i + 1].at, "ab"[i], "ab"[i]);
		simt_line(s, "km_warp_together(); if (KM_TID %% KM_WARP == 0) km_barrier_arrive(km_source_empty + km_source_slot * %d);", WGMMA_BARRIER_BYTES);
		simt_line(s, "if (++km_source_slot == %d) { km_source_slot = 0; km_source_phase ^= 1; }", WGMMA_FUSED_RING);
	}
	simt_line(s, "km_shared_written(); km_warp_together(); if (KM_TID %% KM_WARP == 0) km_barrier_arrive(km_full + km_slot * %d);", WGMMA_BARRIER_BYTES);
	simt_line(s, "if (++km_slot == %d) { km_slot = 0; km_phase ^= 1; }", p->loop->pipe);
	close_trips(s);
	simt_line(s, "int *const km_row = (int *)b__found + (KM_BID * %d + KM_TID / KM_WARP - 1) * %d;", WGMMA_FUSED_WARPS, MICRO_FOUND_WORDS);
	simt_line(s, "km_of_a.tell(km_row); km_of_b.tell(km_row + 2);");
}

static void print_fused_producer(struct simt *s, const struct wgmma_pipeline *p)
{
	simt_line(s, "km_give_registers<56>();");
	simt_line(s, "if (KM_BID == 0 && KM_TID == 0) *b__blocks = (int)KM_BLOCKS;");
	simt_open(s, "if (KM_TID == 0)");
	print_fused_copies(s, p);
	s->depth--;
	simt_open(s, "} else if (KM_TID >= KM_WARP)");
	print_fused_parts(s, p);
	simt_close(s, 1);
}

/* One thread asks for all operands, slot after slot. */
static void print_plain_producer(struct simt *s, const struct wgmma_pipeline *p)
{
	simt_line(s, "km_give_registers<%d>();", p->consumers < 3 ? 40 : 32);
	simt_open(s, "if (KM_TID == 0)");
	simt_line(s, "int km_slot = 0; unsigned km_phase = 1;");
	open_trips(s, p);
	simt_line(s, "km_barrier_wait(km_empty + km_slot * %d, km_phase);", WGMMA_BARRIER_BYTES);
	simt_line(s, "km_barrier_expect(km_full + km_slot * %d, %lld);", WGMMA_BARRIER_BYTES, (long long)p->slot_bytes);
	for (int i = 0; i < p->operand_count; i++)
		wgmma_print_copies(s, p, &p->operand[i], wgmma_slot(s, p), arena_printf(&s->arena, "km_full + km_slot * %d", WGMMA_BARRIER_BYTES));
	simt_line(s, "if (++km_slot == %d) { km_slot = 0; km_phase ^= 1; }", p->loop->pipe);
	close_trips(s);
	simt_close(s, 1);
}

void wgmma_print_producer(struct simt *s, const struct wgmma_pipeline *p)
{
	if (p->ring)
		print_fused_producer(s, p);
	else
		print_plain_producer(s, p);
}
