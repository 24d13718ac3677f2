/* What printed kernels of warp groups are written in: CUDA C++ around PTX. */
#include "generate/wgmma.h"

#include <string.h>

/*
 * A copy of a box, or of pixels, of a tensor of that rank, to this block or to both of a cluster:
 * km_copy_box(to, map, barrier, coordinates, fastest first); of pixels, offsets behind them.
 */
static void print_copy(int rank, bool is_pixels, bool is_to_all, struct strbuf *out)
{
	static const char axis[] = "xyzuv";
	int n = 2;

	strbuf_addf(out, "KM_D void km_copy_%s%s(unsigned to, const km_tensor_map *m, unsigned b", is_pixels ? "pixels" : "box", is_to_all ? "_to_all" : "");
	for (int i = 0; i < rank; i++)
		strbuf_addf(out, ", int %c", axis[i]);
	for (int i = 0; is_pixels && i < rank - 2; i++)
		strbuf_addf(out, ", unsigned short o%d", i);
	strbuf_addf(out, ") {\n asm volatile(\"cp.async.bulk.tensor.%dd.shared::cluster.global%s.mbarrier::complete_tx::bytes%s [%%0], [%%1, {", rank,
		    is_pixels ? ".im2col" : "", is_to_all ? ".multicast::cluster" : "");
	for (int i = 0; i < rank; i++)
		strbuf_addf(out, "%s%%%d", i ? ", " : "", ++n);
	strbuf_addstr(out, "}], [%2]");
	for (int i = 0; is_pixels && i < rank - 2; i++)
		strbuf_addf(out, "%s%%%d", i ? ", " : ", {", ++n);
	strbuf_addstr(out, is_pixels ? "}" : "");
	if (is_to_all)
		strbuf_addf(out, ", %%%d", ++n);
	strbuf_addstr(out, ";\"\n :: \"r\"(to), \"l\"(m), \"r\"(b)");
	for (int i = 0; i < rank; i++)
		strbuf_addf(out, ", \"r\"(%c)", axis[i]);
	for (int i = 0; is_pixels && i < rank - 2; i++)
		strbuf_addf(out, ", \"h\"(o%d)", i);
	strbuf_addf(out, "%s : \"memory\"); }\n", is_to_all ? ", \"h\"((unsigned short)3)" : "");
}

static const char words[] =
	"/* Hopper: warp-group matrix instructions, the copy engine, barriers in shared memory */\n"
	"#define KM_KERNEL_ALONE(n) extern \"C\" __attribute__((global)) __attribute__((launch_bounds(n, 1))) void\n"
	"struct __attribute__((aligned(64))) km_tensor_map { char bytes[128]; };\n"
	"#define KM_TENSOR_MAP const __attribute__((grid_constant)) km_tensor_map\n"
	"KM_D unsigned km_shared_address(const void *p) { return (unsigned)(unsigned long)(const __attribute__((address_space(3))) char *)p; }\n"
	"KM_D void km_barrier_start(unsigned b, int count) { asm volatile(\"mbarrier.init.shared::cta.b64 [%0], %1;\" :: \"r\"(b), \"r\"(count) : \"memory\"); }\n"
	"KM_D void km_barriers_started() { asm volatile(\"fence.mbarrier_init.release.cluster;\" ::: \"memory\"); }\n"
	"KM_D void km_barrier_expect(unsigned b, int bytes) { asm volatile(\"mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;\" :: \"r\"(b), \"r\"(bytes) : \"memory\"); }\n"
	"KM_D void km_barrier_arrive(unsigned b) { asm volatile(\"mbarrier.arrive.shared::cta.b64 _, [%0];\" :: \"r\"(b) : \"memory\"); }\n"
	"KM_D void km_barrier_wait(unsigned b, unsigned phase) {\n"
	" asm volatile(\"{\\n.reg .pred p;\\nkm_again:\\nmbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1;\\n@p bra km_done;\\nbra km_again;\\nkm_done:\\n}\" :: \"r\"(b), \"r\"(phase) : \"memory\"); }\n"
	"KM_D void km_barrier_arrive_at(unsigned b, int block) {\n"
	" asm volatile(\"{\\n.reg .b32 there;\\nmapa.shared::cluster.u32 there, %0, %1;\\nmbarrier.arrive.release.cluster.shared::cluster.b64 _, [there];\\n}\" :: \"r\"(b), \"r\"(block) : \"memory\"); }\n"
	/* 128-byte swizzling; 1024 bytes from eight rows to the next. */
	"template <int Leading> KM_D unsigned long km_descriptor(unsigned at) {\n"
	" return (unsigned long)((at & 0x3ffff) >> 4) | (unsigned long)(Leading >> 4) << 16 | (unsigned long)(1024 >> 4) << 32 | 1ul << 62; }\n"
	"template <int N> KM_D void km_give_registers() { asm volatile(\"setmaxnreg.dec.sync.aligned.u32 %0;\" :: \"n\"(N)); }\n"
	"template <int N> KM_D void km_take_registers() { asm volatile(\"setmaxnreg.inc.sync.aligned.u32 %0;\" :: \"n\"(N)); }\n"
	"KM_D void km_group_begin() { asm volatile(\"wgmma.fence.sync.aligned;\" ::: \"memory\"); }\n"
	"KM_D void km_group_commit() { asm volatile(\"wgmma.commit_group.sync.aligned;\" ::: \"memory\"); }\n"
	"template <int N> KM_D void km_group_wait() { asm volatile(\"wgmma.wait_group.sync.aligned %0;\" :: \"n\"(N) : \"memory\"); }\n"
	/* What is computed from these registers stays behind this place, and what goes into them before. */
	"template <int N> KM_D void km_pin(float (&x)[N]) { KM_UNROLL for (int i = 0; i < N; i++) asm volatile(\"\" : \"+f\"(x[i]) :: \"memory\"); }\n"
	/* Sums stay in their registers: with t for the new one the assembler would want room for both. */
	"template <int N> KM_D void km_add_up(float (&sum)[N], float (&x)[N]) { KM_UNROLL for (int i = 0; i < N; i++)\n"
	" asm volatile(\"{\\n.reg .f32 t;\\nadd.rn.f32 t, %0, %1;\\nsub.rn.f32 t, t, %0;\\nsub.rn.f32 %1, %1, t;\\nadd.rn.f32 %0, %0, t;\\n}\" : \"+f\"(sum[i]), \"+f\"(x[i])); }\n"
	/* Shared memory written by threads, for what reads it without them. */
	"KM_D void km_shared_written() { asm volatile(\"fence.proxy.async.shared::cta;\" ::: \"memory\"); }\n"
	"KM_D void km_warp_together() { asm volatile(\"bar.warp.sync -1;\" ::: \"memory\"); }\n"
	"KM_D void km_shared_read(float *x, unsigned at) { asm volatile(\"ld.shared.v4.f32 {%0, %1, %2, %3}, [%4];\" : \"=f\"(x[0]), \"=f\"(x[1]), \"=f\"(x[2]), \"=f\"(x[3]) : \"r\"(at)); }\n"
	"KM_D void km_shared_write(unsigned at, const unsigned (&x)[4]) { asm volatile(\"st.shared.v4.b32 [%0], {%1, %2, %3, %4};\" :: \"r\"(at), \"r\"(x[0]), \"r\"(x[1]), \"r\"(x[2]), \"r\"(x[3]) : \"memory\"); }\n"
	/* Of pairs of f16: magnitudes met, NaN above all. */
	"struct km_met { unsigned most = 0, least = 0x7fff7fff;\n"
	" KM_D void add(unsigned h) { h &= 0x7fff7fff; asm(\"max.NaN.f16x2 %0, %0, %1;\" : \"+r\"(most) : \"r\"(h)); asm(\"min.f16x2 %0, %0, %1;\" : \"+r\"(least) : \"r\"(h)); }\n"
	" KM_D void tell(int *row) { unsigned m = km_top(most & 0xffff, most >> 16), l = ~km_top(~(least & 0xffff), ~(least >> 16));\n"
	"  m = km_warp_top(m); l = ~km_warp_top(~l); if (KM_TID % KM_WARP == 0) { row[0] = (int)m; row[1] = (int)l; } } };\n"
	/* Eight numbers at a time: rows of 32 f32 become rows of 64 f16, both swizzled; neighbouring threads take rows below each other. */
	"template <int Rows, int Length, int Threads> KM_D void km_to_parts(unsigned from, unsigned high, unsigned low, float scale, int thread, km_met &met) {\n"
	" for (int g = thread; g < Rows * Length / 8; g += Threads) {\n"
	"  const int row = g % Rows, part = g / Rows, odd = row & 7, at = part % 4 * 2; float x[8]; unsigned h[4], l[4];\n"
	"  const unsigned source = from + (part / 4 * Rows + row) * 128, to = (part / 8 * Rows + row) * 128 + ((part % 8 ^ odd) << 4);\n"
	"  km_shared_read(x, source + ((at ^ odd) << 4)); km_shared_read(x + 4, source + ((at + 1 ^ odd) << 4));\n"
	"  KM_UNROLL for (int i = 0; i < 4; i++) { const float a = x[2 * i] * scale, b = x[2 * i + 1] * scale; float c, d;\n"
	"   asm(\"cvt.rn.f16x2.f32 %0, %1, %2;\" : \"=r\"(h[i]) : \"f\"(b), \"f\"(a)); met.add(h[i]);\n"
	"   asm(\"{.reg .b16 p, q;\\nmov.b32 {p, q}, %2;\\ncvt.f32.f16 %0, p;\\ncvt.f32.f16 %1, q;}\" : \"=f\"(c), \"=f\"(d) : \"r\"(h[i]));\n"
	"   asm(\"cvt.rn.f16x2.f32 %0, %1, %2;\" : \"=r\"(l[i]) : \"f\"((b - d) * 4096.0f), \"f\"((a - c) * 4096.0f)); }\n"
	"  km_shared_write(high + to, h); km_shared_write(low + to, l); } }\n"
	/* Four threads with pairs of columns 8c + 2l, of c = 0..3: then thread l has all eight of c = l. */
	"template <int N> KM_D void km_turn(float (&x)[N]) {\n"
	" const int lane = KM_TID % 4; const bool odd = lane & 1, high = lane & 2;\n"
	" KM_UNROLL for (int at = 0; at < N; at += 16) { KM_UNROLL for (int half = 0; half < 2; half++) {\n"
	"  float v[4][2];\n"
	"  KM_UNROLL for (int c = 0; c < 4; c++) { v[c][0] = x[at + c * 4 + half * 2]; v[c][1] = x[at + c * 4 + half * 2 + 1]; }\n"
	"  KM_UNROLL for (int e = 0; e < 2; e++) {\n"
	"   KM_UNROLL for (int c = 0; c < 4; c += 2) {\n"
	"    float t = km_lane_value(odd ? v[c][e] : v[c + 1][e], KM_TID % KM_WARP ^ 1); v[c][e] = odd ? t : v[c][e]; v[c + 1][e] = odd ? v[c + 1][e] : t; }\n"
	"   KM_UNROLL for (int c = 0; c < 2; c++) {\n"
	"    float t = km_lane_value(high ? v[c][e] : v[c + 2][e], KM_TID % KM_WARP ^ 2); v[c][e] = high ? t : v[c][e]; v[c + 2][e] = high ? v[c + 2][e] : t; } }\n"
	"  KM_UNROLL for (int c = 0; c < 4; c++) { x[at + half * 2 + c * 4] = v[c][0]; x[at + half * 2 + c * 4 + 1] = v[c][1]; } }\n"
	"  float y[16]; KM_UNROLL for (int half = 0; half < 2; half++) { KM_UNROLL for (int c = 0; c < 8; c++) y[half * 8 + c] = x[at + half * 2 + c / 2 * 4 + c % 2]; }\n"
	"  KM_UNROLL for (int c = 0; c < 16; c++) x[at + c] = y[c]; } }\n";

void wgmma_print_instruction(const struct mma_instr *q, struct strbuf *out)
{
	int registers = q->m * q->n / q->lanes;
	const char *type = strrchr(q->name, '_') + 1;
	bool has_order = dtype_bytes(q->ab) == 2;

	strbuf_addf(out, "#ifndef KM_HAS_%s\n#define KM_HAS_%s\n", q->name, q->name);
	strbuf_addf(out, "template <int A, int B> KM_D void km_%s(float *c, unsigned long a, unsigned long b) {\n asm volatile(\"wgmma.mma_async.sync.aligned.m%dn%dk%d.f32.%s.%s {",
		    q->name, q->m, q->n, q->k, type, type);
	for (int i = 0; i < registers; i++)
		strbuf_addf(out, "%s%%%d", i ? ", " : "", i);
	strbuf_addf(out, "}, %%%d, %%%d, 1, 1, 1", registers, registers + 1);
	if (has_order)
		strbuf_addf(out, ", %%%d, %%%d", registers + 2, registers + 3);
	strbuf_addstr(out, ";\"\n : ");
	for (int i = 0; i < registers; i++)
		strbuf_addf(out, "%s\"+f\"(c[%d])", i ? ", " : "", i);
	strbuf_addf(out, "\n : \"l\"(a), \"l\"(b)%s); }\n#endif\n", has_order ? ", \"n\"(A), \"n\"(B)" : "");
}

void wgmma_vocabulary(const struct target *target, struct strbuf *out)
{
	if (!(target->isa & ISA_BIT(wgmma)))
		return;
	strbuf_addstr(out, words);
	for (int rank = 2; rank <= PLAN_MAX_RANK; rank++)
		for (int way = 0; way < 4; way++)
			if (!(way & 1) || rank > 2)
				print_copy(rank, way & 1, way & 2, out);
}
