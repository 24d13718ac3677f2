/* bench.h: lang_c --bench: rates of printed programs beside this core's FMA peak. */
#ifndef TESTS_UNIT_GENERATE_BENCH_H
#define TESTS_UNIT_GENERATE_BENCH_H

#include "tests/unit/generate/harness.h"

#include <stdio.h>

struct benched {
	const char *name, *text;
	int64_t dim[MOST_DIMS];
	double flop, bytes;
};

/* Twelve chains of FMAs, as many as two units with latency 4 or 5 ask for. */
static const char peak_source[] =
	"void km_peak(void *const *buf, const long *dim, long first, long last, void *scratch)\n{\n"
	"	km_vf a = km_l_f32(buf[0]), b = km_l_f32((float *)buf[0] + KM_L);\n"
	"#define X(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)\n"
	"#define D(i) km_vf c##i = a + (float)i;\n#define S(i) c##i = km_fma(c##i, a, b);\n#define A(i) a += c##i;\n"
	"	X(D)\n	for (long n = 0; n < dim[0]; n++) { X(S) X(S) X(S) X(S) }\n	X(A)\n	km_s_f32(buf[1], a);\n}\n";

struct matmul_knobs {
	int mr, nv, mb, nb, packa, bk, ku;
};

static char *matmul_text(struct arena *arena, const struct target *target, const struct matmul_knobs *q)
{
	int nr = q->nv * target->vector_bytes / 4, bm = q->mr * q->mb, bn = nr * q->nb;
	const char *packa = q->packa ? arena_printf(arena, "buffer Ap f32 [rup(M,%d), K] tmp : d0/%d d1 d0%%%d\n", q->mr, q->mr, q->mr) : "";
	const char *packak = q->packa ? arena_printf(arena, "kernel packa grid [cdiv(M,%d)] threads 1\n  index k<1073741824 of K i<%d of M-p0*%d\n  Ap[p0*%d+i, k] = A[p0*%d+i, k]\n",
					       q->mr, q->mr, q->mr, q->mr, q->mr) : "";
	const char *depth = q->bk ? "k0+k" : "k";

	return arena_printf(arena,
		"plan matmul\ndim M N K\nbuffer A f32 [M, K] in\nbuffer B f32 [K, N] in\nbuffer C f32 [M, N] out\n%s"
		"buffer Bp f32 [K, rup(N, %d)] tmp : d1/%d d0 d1%%%d\n%skernel packb grid [cdiv(K, 64), cdiv(N, %d)] threads 1\n"
		"  index k<64 of K-p0*64 j<%d of N-p1*%d\n  Bp[p0*64+k, p1*%d+j] = B[p0*64+k, p1*%d+j]\n"
		"kernel contract grid [cdiv(N,%d), cdiv(M,%d)] threads 1\n  index i<%d of M-p1*%d j<%d of N-p0*%d k<%d of K%s\n  knob MR=%d NV=%d KU=%d\n"
		"  tile acc f32 [i, j] @acc : j/%d i j%%%d\n  tile a f32 [i, k] @view\n  tile b f32 [k, j] @view\n  acc[i, j] = 0\n%s"
		"  a[i, k] <- %s[p1*%d+i, %s]\n  b[k, j] <- Bp[%s, p0*%d+j]\n  acc[i, j] += mma(k) a[i, k] * b[k, j]\n%s"
		"  C[p1*%d+i, p0*%d+j] = acc[i, j]\n",
		packa, nr, nr, nr, packak, nr, nr, nr, nr, nr, bn, bm, bm, bm, bn, bn, q->bk ? q->bk : 1 << 30, q->bk ? "-k0" : "", q->mr, q->nv, q->ku,
		nr, nr, q->bk ? arena_printf(arena, "  for k0 in 0..K step %d\n", q->bk) : "", q->packa ? "Ap" : "A", bm, depth, depth, bn,
		q->bk ? "  end\n" : "", bm, bn);
}

/* Median of several calls, seconds; step_s: least of each step. */
static double median_s(void *library, const struct plan *plan, void *const *buf, const int64_t *dim, void *scratch, int calls, double *step_s)
{
	double t[64];

	for (size_t s = 0; s < plan->step_count; s++)
		step_s[s] = 1e9;

	for (int i = -1; i < calls; i++) {
		int64_t start = clock_ns();
		for (size_t s = 0; s < plan->step_count; s++) {
			void (*step)(void *const *, const int64_t *, int64_t, int64_t, void *);
			*(void **)&step = dlsym(library, plan->step[s].symbol);
			int64_t before = clock_ns();
			step(buf, dim, 0, plan_step_instances(plan, s, dim), scratch);
			step_s[s] = fmin(step_s[s], (double)(clock_ns() - before) * 1e-9);
		}
		if (i >= 0)
			t[i] = (double)(clock_ns() - start) * 1e-9;
	}
	for (int i = 0; i < calls; i++)
		for (int k = i + 1; k < calls; k++)
			if (t[k] < t[i]) {
				double swap = t[i];
				t[i] = t[k];
				t[k] = swap;
			}
	return t[calls / 2];
}

static double peak_flop_per_s(void *library)
{
	void (*peak)(void *const *, const int64_t *, int64_t, int64_t, void *);
	float x[64] = { 0 }, y[64];
	double best = 0;
	int64_t n = 500000;

	*(void **)&peak = dlsym(library, "km_peak");
	for (int i = 0; i < 64; i++)
		x[i] = i < 16 ? 0.5f : 1;
	for (int i = 0; i < 5; i++) {
		int64_t start = clock_ns();
		peak((void *[]){ x, y }, &n, 0, 1, NULL);
		double rate = 1 / ((double)(clock_ns() - start) * 1e-9);
		best = rate > best ? rate : best;
	}
	return best * (double)n * 12 * 4 * 2;
}

static void bench(const struct lang *lang, const struct target *target, const struct benched *list, size_t count)
{
	struct arena arena = ARENA_INIT;
	struct strbuf source = STRBUF_INIT, err = STRBUF_INIT;
	struct tile_program *program = ARENA_ARRAY(&arena, struct tile_program, count);
	struct plan *plan = ARENA_ARRAY(&arena, struct plan, count);
	const char *path = arena_printf(&arena, "%s/bench", folder);
	double cpu_s = 0;
	int64_t scratch_bytes = 4096;

	for (size_t i = 0; i < count; i++) {
		struct printed out = PRINTED_INIT;
		struct strbuf text = STRBUF_INIT;
		char *symbol = arena_printf(&arena, "km_%zu", i);
		if (tile_parse(&arena, for_target(&arena, list[i].text, target), list[i].name, &program[i], &err) ||
		    lang->print(&program[i], target, symbol, &out, &err)) {
			printf("%s: %s\n", list[i].name, err.buf);
			exit(1);
		}
		strbuf_addstr(&source, i ? "" : out.prologue.buf);
		strbuf_addstr(&source, i ? "" : peak_source);
		strbuf_addstr(&source, out.source.buf);
		scratch_bytes = out.scratch_bytes > scratch_bytes ? out.scratch_bytes : scratch_bytes;
		tile_plan(&program[i], "so", symbol, out.scratch_bytes, NULL, &text);
		plan_parse(&arena, arena_strdup(&arena, text.buf), list[i].name, &plan[i], &err);
		strbuf_release(&text);
		printed_release(&out);
	}
	if (file_publish(arena_printf(&arena, "%s.c", path), source.buf, source.len, &err) || compile(lang, target, path, &cpu_s, &err)) {
		printf("%s\n", err.buf);
		exit(1);
	}
	if ((x86_isa() & target->isa) != target->isa) {
		printf("compiled; this machine cannot run it\n");
		return;
	}
	void *library = dlopen(arena_printf(&arena, "%s.so", path), RTLD_NOW);
	void *scratch = guarded((size_t)scratch_bytes, true);
	printf("%-44s %9s %9s %7s %8s  %s  (compiled: %.0f ms CPU a program)\n", "", "ms", "GFLOP/s", "of peak", "GB/s", "least ms of steps", cpu_s * 1e3 / (double)count);
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < count; i++) {
			void *buf[MOST_BUFFERS];
			size_t bytes[MOST_BUFFERS];
			for (size_t b = 0; b < program[i].buffer_count; b++) {
				int64_t n = plan_buffer_elems(&plan[i], b, list[i].dim);
				bytes[b] = (size_t)n * dtype_bytes(program[i].buffer[b].dtype);
				buf[b] = guarded(bytes[b], true);
				for (int64_t k = 0; k < n; k++)
					dtype_store(program[i].buffer[b].dtype, buf[b], k, (double)(philox(1, (uint64_t)k, 0) % 1000) / 500 - 1);
			}
			double peak = peak_flop_per_s(library), step_s[8], t = median_s(library, &plan[i], buf, list[i].dim, scratch, 7, step_s);
			printf("%-44s %9.3f %9.1f %6.1f%% %8.1f ", list[i].name, t * 1e3, list[i].flop / t * 1e-9, 100 * list[i].flop / t / peak / (target->vector_bytes / 4),
			       list[i].bytes / t * 1e-9);
			for (size_t k = 0; k < plan[i].step_count && plan[i].step_count > 1; k++)
				printf(" %.3f", step_s[k] * 1e3);
			putchar('\n');
			for (size_t b = 0; b < program[i].buffer_count; b++)
				guarded_free(buf[b], bytes[b], true);
		}
	arena_release(&arena);
}

/* As the contraction skeleton writes it for AMX. */
static const char *amx_text(struct arena *arena, int bm, int bn, int bk)
{
	return arena_printf(arena,
		"plan matmul\ndim M N K\nbuffer A bf16 [M, K] in\nbuffer B bf16 [K, N] in\nbuffer C f32 [M, N] out\n"
		"buffer Ap bf16 [rup(M, 32), rup(K, 32)] tmp : d0/16 d1/32 d0%%16 d1%%32\nbuffer Bp bf16 [rup(K, 32), rup(N, 32)] tmp : d1/16 d0/32 d0/2%%16 d1%%16 d0%%2\n"
		"kernel packa grid [cdiv(M, 32)] threads 1\n  index i<32 k<1073741824 of rup(K, 32)\n  Ap[p0*32+i, k] = A[p0*32+i, k]\n"
		"kernel packb grid [cdiv(N, 32)] threads 1\n  index k<1073741824 of rup(K, 32) j<32\n  Bp[k, p0*32+j] = B[k, p0*32+j]\n"
		"kernel contract grid [cdiv(M,%d), cdiv(N,%d)] threads 1\n  index i<%d of M-p0*%d j<%d of N-p1*%d k<%d of rup(K, 32)%s\n  knob AMX=1\n"
		"  tile acc f32 [i, j] @acc : i/16 j/16 i%%16 j%%16\n  tile a bf16 [i, k] @view\n  tile b bf16 [k, j] @view\n  acc[i, j] = 0\n%s"
		"  a[i, k] <- Ap[p0*%d+i, %sk]\n  b[k, j] <- Bp[%sk, p1*%d+j]\n  acc[i, j] += mma(k) a[i, k] * b[k, j]\n%s"
		"  C[p0*%d+i, p1*%d+j] = acc[i, j]\n",
		bm, bn, bm, bm, bn, bn, bk ? bk : 1 << 30, bk ? "-k0" : "", bk ? arena_printf(arena, "  for k0 in 0..rup(K, 32) step %d\n", bk) : "", bm,
		bk ? "k0+" : "", bk ? "k0+" : "", bn, bk ? "  end\n" : "", bm, bn);
}

static const char *program_text(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (!strcmp(programs[i].name, name))
			return programs[i].text;
	return NULL;
}

static void bench_all(const struct lang *lang, const struct target *target)
{
	static const struct matmul_knobs knobs[] = {
		{ 6, 2, 16, 8, 0, 0, 1 },   { 6, 2, 16, 8, 1, 0, 1 },   { 6, 2, 16, 8, 0, 0, 4 },   { 6, 2, 16, 8, 1, 0, 4 },
		{ 6, 2, 16, 64, 1, 256, 4 }, { 6, 2, 16, 64, 0, 256, 4 }, { 6, 2, 24, 64, 1, 384, 4 }, { 6, 2, 32, 64, 1, 512, 4 },
		{ 4, 3, 24, 42, 1, 256, 4 }, { 4, 3, 16, 8, 1, 0, 4 },  { 8, 3, 43, 22, 0, 0, 1 },   { 8, 3, 43, 22, 1, 0, 1 },
		{ 14, 2, 12, 16, 0, 0, 1 },
	};
	struct arena arena = ARENA_INIT;
	struct benched list[48];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(knobs); i++)
		list[n++] = (struct benched){ arena_printf(&arena, "matmul 1024 MR=%d NV=%d MB=%d NB=%d A=%d BK=%d KU=%d", knobs[i].mr, knobs[i].nv, knobs[i].mb,
							   knobs[i].nb, knobs[i].packa, knobs[i].bk, knobs[i].ku),
					      matmul_text(&arena, target, &knobs[i]), { 1024, 1024, 1024 }, 2.0 * 1024 * 1024 * 1024, 3 * 4.0 * 1024 * 1024 };
	static const int amx[][3] = { { 1024, 128, 0 }, { 256, 256, 0 }, { 512, 512, 512 }, { 256, 256, 512 }, { 128, 1024, 0 }, { 1024, 64, 0 },
				      { 256, 32, 0 }, { 512, 32, 0 }, { 1024, 32, 0 }, { 128, 128, 512 }, { 64, 64, 512 }, { 256, 512, 256 } };
	for (size_t i = 0; i < ARRAY_SIZE(amx) && (target->isa & ISA_BIT(amx_bf16)); i++) {
		int bm = amx[i][0], bn = amx[i][1], bk = amx[i][2];
		list[n++] = (struct benched){ arena_printf(&arena, "bf16 matmul 1024 AMX BM=%d BN=%d BK=%d", bm, bn, bk), amx_text(&arena, bm, bn, bk), { 1024, 1024, 1024 },
					      2.0 * 1024 * 1024 * 1024, 8.0 * 1024 * 1024 };
	}
	list[n++] = (struct benched){ "softmax_tile 2048x512", program_text("softmax_tile"), { 2048, 512 }, 0, 8.0 * 2048 * 512 };
	list[n++] = (struct benched){ "softmax_stream 2048x1024", program_text("softmax_stream"), { 2048, 1024 }, 0, 8.0 * 2048 * 1024 };
	list[n++] = (struct benched){ "cumsum_row 512x4096", program_text("cumsum_row"), { 512, 4096 }, 0, 8.0 * 512 * 4096 };
	list[n++] = (struct benched){ "cumsum_block 512x4096", program_text("cumsum_block"), { 512, 4096 }, 0, 8.0 * 512 * 4096 };
	list[n++] = (struct benched){ "transpose 2048x2048", program_text("transpose"), { 2048, 2048 }, 0, 8.0 * 2048 * 2048 };
	list[n++] = (struct benched){ "gelu 64x1024 (in cache)", program_text("gelu"), { 65536 }, 0, 8.0 * 65536 };
	list[n++] = (struct benched){ "gelu 2M", program_text("gelu"), { 2 << 20 }, 0, 8.0 * (2 << 20) };
	list[n++] = (struct benched){ "layer_norm 2048x1024", program_text("layer_norm"), { 2048, 1024 }, 0, 8.0 * 2048 * 1024 };
	bench(lang, target, list, n);
	arena_release(&arena);
}

#endif
