/*
 * hip.c: HIP C++ for AMD devices, printed from a tile program for targets of
 * artifact kind "hsaco".  Freestanding: no HIP header, no device library.  The
 * artifact is a code object for hipModuleLoad.
 *
 * Kernels, launch and knobs: simt.h.  A skeleton declares, for targets with
 * target->warp > 1, of these what its statements use: INSTR (fma and the names of
 * target->mma whose operands are of the problem's dtype) with WM, WN or TM, TN; KU;
 * VEC; and `pipe 2` on the loop that copies.
 */
#include "generate/simt_points.h"
#include "ops/core/proc.h"

#include <stdlib.h>
#include <string.h>

static const char vocabulary[] =
	"/* HIP, gfx9: wavefronts of 64 */\n"
	"#define KM_KERNEL(n) extern \"C\" __attribute__((global)) __attribute__((amdgpu_flat_work_group_size(n, n))) void\n"
	"#define KM_D __attribute__((device)) inline __attribute__((always_inline))\n"
	"#define KM_TID ((int)__builtin_amdgcn_workitem_id_x())\n"
	"#define KM_BID __builtin_amdgcn_workgroup_id_x()\n"
	"#define KM_WARP 64\n"
	"#define KM_SHARED(name, bytes) static __attribute__((shared)) __attribute__((aligned(16))) char name[bytes]\n"
	"KM_D void km_barrier() { __builtin_amdgcn_fence(__ATOMIC_RELEASE, \"workgroup\"); __builtin_amdgcn_s_barrier(); __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, \"workgroup\"); }\n"
	"KM_D float km_lane_value(float x, int lane) { return __builtin_bit_cast(float, __builtin_amdgcn_ds_bpermute(lane * 4, __builtin_bit_cast(int, x))); }\n"
	"typedef float km_f32x4 __attribute__((ext_vector_type(4)));\n"
	"typedef float km_f32x16 __attribute__((ext_vector_type(16)));\n"
	"typedef short km_s16x4 __attribute__((ext_vector_type(4)));\n"
	"KM_D km_s16x4 km_four(const unsigned short (&x)[4]) { return km_s16x4{(short)x[0], (short)x[1], (short)x[2], (short)x[3]}; }\n"
	"KM_D void km_mfma_f32_32x32x8_bf16(km_f32x16 &c, const unsigned short (&a)[4], const unsigned short (&b)[4]) { c = __builtin_amdgcn_mfma_f32_32x32x8bf16_1k(km_four(a), km_four(b), c, 0, 0, 0); }\n"
	"KM_D void km_mfma_f32_16x16x16_bf16(km_f32x4 &c, const unsigned short (&a)[4], const unsigned short (&b)[4]) { c = __builtin_amdgcn_mfma_f32_16x16x16bf16_1k(km_four(a), km_four(b), c, 0, 0, 0); }\n"
	"KM_D void km_mfma_f32_32x32x2_f32(km_f32x16 &c, const float (&a)[1], const float (&b)[1]) { c = __builtin_amdgcn_mfma_f32_32x32x2f32(a[0], b[0], c, 0, 0, 0); }\n"
	"KM_D void km_mfma_f32_16x16x4_f32(km_f32x4 &c, const float (&a)[1], const float (&b)[1]) { c = __builtin_amdgcn_mfma_f32_16x16x4f32(a[0], b[0], c, 0, 0, 0); }\n";

static bool accepts(const struct tile_program *program, const struct target *target, struct strbuf *why_not)
{
	if (strcmp(target->artifact, "hsaco") || target->warp != 64) {
		strbuf_addf(why_not, "HIP is printed for AMD devices with wavefronts of 64, not '%s'", target->name);
		return false;
	}
	return simt_accepts(program, target, why_not);
}

static int print(const struct tile_program *program, const struct target *target, const char *symbol, struct printed *out,
		 struct strbuf *err)
{
	strbuf_addstr(&out->prologue, vocabulary);
	simt_vocabulary(&out->prologue);
	if (simt_has_points(program))
		simt_points_vocabulary(&out->prologue);
	return simt_print(program, target, symbol, out, err);
}

/* ---- facts of a code object ------------------------------------------ */

/* 0; -1 with *err: it refuses the file; 1 with *err: it cannot run. */
static int tool_output(char *const argv[], struct strbuf *out, struct strbuf *err)
{
	const struct proc_limits limits = { .wall_s = 60, .output_bytes = 256 << 20 };
	struct proc_result result;
	struct strbuf errout = STRBUF_INIT;
	int ret = proc_run(argv, NULL, &limits, &result, out, &errout, err) ? 1 : 0;

	if (!ret && result.exit_code) {
		strbuf_addf(err, "%s failed: %.*s", argv[0], (int)strcspn(errout.buf, "\n"), errout.buf);
		ret = -1;
	}
	strbuf_release(&errout);
	return ret;
}

/* Is it the symbol's own, or a kernel of its plan (symbol_<kernel>)? */
static bool belongs(const char *name, size_t len, const char *symbol)
{
	size_t n = strlen(symbol);

	return len >= n && !strncmp(name, symbol, n) && (len == n || name[n] == '_');
}

/* A fact over the kernels of a symbol: the greatest of them, or their sum. */
static const struct note {
	const char *key, *fact;
	bool adds;
} note[] = {
	{ ".vgpr_count:", "registers", false }, { ".agpr_count:", "accumulator_registers", false },
	{ ".sgpr_count:", "scalar_registers", false }, { ".vgpr_spill_count:", "spills", true },
	{ ".sgpr_spill_count:", "scalar_spills", true }, { ".group_segment_fixed_size:", "lds_bytes", false },
	{ ".private_segment_fixed_size:", "private_bytes", false },
};

/* One kernel's notes, from its "  - " to the next: when it is the symbol's, adds up into total[] and its name to *names. */
static void read_kernel(const char *text, size_t len, const char *symbol, double *total, struct strbuf *names)
{
	double value[ARRAY_SIZE(note)] = { 0 };
	bool is_ours = false;

	for (const char *s = text; s < text + len;) {
		size_t n = strcspn(s, "\n");
		const char *key = s + strspn(s, " -");
		/* Arguments' own keys stand deeper. */
		if (key - s == 4) {
			for (size_t i = 0; i < ARRAY_SIZE(note); i++)
				if (!strncmp(key, note[i].key, strlen(note[i].key)))
					value[i] = strtod(key + strlen(note[i].key), NULL);
			if (!strncmp(key, ".name:", 6)) {
				const char *name = key + 6 + strspn(key + 6, " '");
				size_t name_len = strcspn(name, "'\n");
				is_ours = belongs(name, name_len, symbol);
				if (is_ours)
					strbuf_addf(names, "%s%.*s", names->len ? "," : "", (int)name_len, name);
			}
		}
		s += n + 1;
	}
	for (size_t i = 0; is_ours && i < ARRAY_SIZE(note); i++)
		total[i] = note[i].adds ? total[i] + value[i] : value[i] > total[i] ? value[i] : total[i];
}

/* Also gives the names of the symbol's kernels, comma-separated. */
static int read_notes(const char *path, const char *symbol, double *total, struct strbuf *names, struct strbuf *err)
{
	struct strbuf text = STRBUF_INIT;
	int ret = tool_output(PROC_ARGV("llvm-readelf-22", "--notes", path), &text, err);

	if (!ret) {
		const char *s = strstr(text.buf, "\n  - ");
		while (s) {
			const char *next = strstr(s + 1, "\n  - ");
			read_kernel(s + 1, next ? (size_t)(next - s) : strlen(s + 1), symbol, total, names);
			s = next;
		}
		if (!names->len) {
			strbuf_addf(err, "'%s' has no kernel of '%s'", path, symbol);
			ret = -1;
		}
	}
	strbuf_release(&text);
	return ret;
}

/* Bytes of code of these kernels, and matrix instructions in them. */
static int read_code(const char *path, const char *names, double *code_bytes, double *matrix_count, struct strbuf *err)
{
	struct strbuf text = STRBUF_INIT, option = STRBUF_INIT;

	strbuf_addf(&option, "--disassemble-symbols=%s", names);
	int ret = tool_output(PROC_ARGV("llvm-objdump-22", option.buf, path), &text, err);
	*code_bytes = *matrix_count = 0;
	for (const char *s = text.buf; !ret && *s;) {
		size_t n = strcspn(s, "\n");
		/* "\tv_mov_b32_e32 v1, 0  // 000000001900: 7E020280": the encoding in words of four bytes. */
		const char *comment = *s == '\t' ? strstr(s, "// ") : NULL;
		const char *code = comment && comment < s + n ? memchr(comment, ':', (size_t)(s + n - comment)) : NULL;
		for (const char *w = code ? code + 1 : s + n; w < s + n && *w == ' '; w += 9)
			*code_bytes += 4;
		*matrix_count += !strncmp(s, "\tv_mfma", 7);
		s += n + (s[n] == '\n');
	}
	strbuf_release(&text);
	strbuf_release(&option);
	return ret;
}

static int inspect(const char *path, const char *symbol, void (*add)(const char *key, double value, void *user), void *user,
		   struct strbuf *err)
{
	double total[ARRAY_SIZE(note)] = { 0 }, code_bytes, matrix_count;
	struct strbuf names = STRBUF_INIT;
	int ret = read_notes(path, symbol, total, &names, err);

	if (!ret)
		ret = read_code(path, names.buf, &code_bytes, &matrix_count, err);
	for (size_t i = 0; !ret && i < ARRAY_SIZE(note); i++)
		add(note[i].fact, total[i], user);
	if (!ret) {
		add("code_bytes", code_bytes, user);
		add("matrix_instructions", matrix_count, user);
	}
	strbuf_release(&names);
	return ret;
}

const struct lang lang_hip = {
	.name = "hip",
	.summary = "HIP C++ for AMD devices, freestanding, with matrix instructions",
	.suffix = "hip",
	.artifact = "hsaco",
	.can_batch = true,
	.compile = "clang-22 -x hip -std=gnu++17 --offload-arch=%march --offload-device-only -nogpuinc -nogpulib -O3 -w "
		   "--no-gpu-bundle-output %flags " LANG_DATELESS " -o %out %in",
	.accepts = accepts,
	.print = print,
	.inspect = inspect,
};
