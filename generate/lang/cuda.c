/*
 * cuda.c: CUDA C++ for NVIDIA devices, printed from a tile program for targets of
 * artifact kind "cubin".  Freestanding: no CUDA header, no device library; the
 * compiler needs ptxas alone of the toolkit, and is told the version of PTX, which it
 * would otherwise guess from the toolkit.  The artifact is for cuModuleLoad().
 *
 * Kernels, launch and knobs: simt.h.
 */
#include "generate/cubin.h"
#include "generate/micro.h"
#include "generate/simt_points.h"

#include <elf.h>
#include <stdalign.h>
#include <string.h>

static const char vocabulary[] =
	"/* CUDA: warps of 32 */\n"
	"#define KM_KERNEL(n) extern \"C\" __attribute__((global)) __attribute__((launch_bounds(n))) void\n"
	"#define KM_D __attribute__((device)) inline __attribute__((always_inline))\n"
	"#define KM_TID ((int)__nvvm_read_ptx_sreg_tid_x())\n"
	"#define KM_BID ((unsigned)__nvvm_read_ptx_sreg_ctaid_x())\n"
	"#define KM_BLOCKS ((unsigned)__nvvm_read_ptx_sreg_nctaid_x())\n"
	"#define KM_WARP 32\n"
	"#define KM_SHARED(name, bytes) static __attribute__((shared)) __attribute__((aligned(16))) char name[bytes]\n"
	"#define KM_SHARED_GIVEN(name) extern __attribute__((shared)) __attribute__((aligned(16))) char name[]\n"
	"KM_D void km_barrier() { __syncthreads(); }\n"
	/* Blocks of a cluster: what they wrote to shared memory is seen behind it (PTX ISA, barrier.cluster: release and acquire by default). */
	"#define KM_CLUSTERS\n"
	"KM_D void km_cluster_barrier() { asm volatile(\"barrier.cluster.arrive.aligned;\\nbarrier.cluster.wait.aligned;\" ::: \"memory\"); }\n"
	"KM_D unsigned km_shared_of(const void *p, int block) {\n"
	" unsigned y; asm(\"mapa.shared::cluster.u32 %0, %1, %2;\" : \"=r\"(y) : \"r\"((unsigned)(unsigned long)(const __attribute__((address_space(3))) char *)p), \"r\"(block)); return y; }\n"
	"KM_D float km_of_block(const float *p, int block) { float y; asm volatile(\"ld.shared::cluster.f32 %0, [%1];\" : \"=f\"(y) : \"r\"(km_shared_of(p, block)) : \"memory\"); return y; }\n"
	"KM_D double km_of_block(const double *p, int block) { double y; asm volatile(\"ld.shared::cluster.f64 %0, [%1];\" : \"=d\"(y) : \"r\"(km_shared_of(p, block)) : \"memory\"); return y; }\n"
	"KM_D long km_of_block(const long *p, int block) { long y; asm volatile(\"ld.shared::cluster.b64 %0, [%1];\" : \"=l\"(y) : \"r\"(km_shared_of(p, block)) : \"memory\"); return y; }\n"
	"KM_D float km_lane_value(float x, int lane) { return __builtin_bit_cast(float, __nvvm_shfl_sync_idx_i32(-1, __builtin_bit_cast(int, x), lane, 31)); }\n"
	/* 2^x on [-0.5, 0.5] by the special function unit, 2 ULP; then the exponent in two steps, so that tiny results keep what they can. */
	"KM_D float km_scaled(float f, float n) {\n"
	" float y; asm(\"ex2.approx.f32 %0, %1;\" : \"=f\"(y) : \"f\"(f)); int i = (int)n, h = i / 2;\n"
	" return y * __builtin_bit_cast(float, (127 + h) << 23) * __builtin_bit_cast(float, (127 + i - h) << 23); }\n"
	"KM_D float km_exp_here(float x) {\n"
	" float n = __builtin_rintf(__builtin_fminf(__builtin_fmaxf(x * 1.442695041f, -250.0f), 250.0f));\n"
	" float f = __builtin_fmaf(n, -0.693145752f, x); f = __builtin_fmaf(n, -1.42860677e-06f, f);\n"
	" f = __builtin_fminf(__builtin_fmaxf(f, -1.0f), 1.0f); float y = km_scaled(__builtin_fmaf(f, 1.925963033e-8f, f * 1.442695022f), n); return x != x ? x : y; }\n"
	"KM_D float km_exp2_here(float x) {\n"
	" float c = __builtin_fminf(__builtin_fmaxf(x, -250.0f), 250.0f), n = __builtin_rintf(c), y = km_scaled(c - n, n); return x != x ? x : y; }\n"
	/* Mantissa in [sqrt(1/2), sqrt(2)), the polynomial of Cephes' logf, 1 ULP. */
	"KM_D float km_log_here(float x) {\n"
	" float t = x < 1.17549435e-38f ? x * 8388608.0f : x; int u = __builtin_bit_cast(int, t), e = ((u - 0x3f3504f3) >> 23);\n"
	" float m = __builtin_bit_cast(float, u - (e << 23)) - 1.0f, n = (float)(e - (x < 1.17549435e-38f ? 23 : 0)), z = m * m;\n"
	" float p = 7.0376836292e-2f; p = __builtin_fmaf(p, m, -1.1514610310e-1f); p = __builtin_fmaf(p, m, 1.1676998740e-1f);\n"
	" p = __builtin_fmaf(p, m, -1.2420140846e-1f); p = __builtin_fmaf(p, m, 1.4249322787e-1f); p = __builtin_fmaf(p, m, -1.6668057665e-1f);\n"
	" p = __builtin_fmaf(p, m, 2.0000714765e-1f); p = __builtin_fmaf(p, m, -2.4999993993e-1f); p = __builtin_fmaf(p, m, 3.3333331174e-1f);\n"
	" float y = __builtin_fmaf(p * m, z, __builtin_fmaf(n, -2.12194440e-4f, -0.5f * z)) + m; y = __builtin_fmaf(n, 0.693359375f, y);\n"
	" const float other = x > 0.0f ? x : x == 0.0f ? -__builtin_inff() : __builtin_nanf(\"\"); return (x > 0.0f) & (x < __builtin_inff()) ? y : other; }\n"
	/* By the special function unit, 1 ULP; of what is beyond 2^126 nothing (PTX ISA, rcp.approx.ftz.f32). */
	"KM_D float km_reciprocal_here(float x) { float y; asm(\"rcp.approx.ftz.f32 %0, %1;\" : \"=f\"(y) : \"f\"(x)); return y; }\n"
	"#define KM_QUOTIENT(a, b) ((a) * km_reciprocal_here(b))\n"
	/* One instruction each; NaN of either wins (PTX ISA, max: .NaN). */
	"#define KM_MAXIMUM(a, b) __nvvm_fmax_nan_f(a, b)\n#define KM_MINIMUM(a, b) __nvvm_fmin_nan_f(a, b)\n"
	"#define KM_EXP km_exp_here\n#define KM_EXP2 km_exp2_here\n#define KM_LOG km_log_here\n"
	/* To nearest, ties to even, two in one instruction: cvt.rn.bf16x2.f32, since sm_80. */
	"#define KM_NARROW(x) __builtin_bit_cast(unsigned short, (__bf16)(x))\n"
	"typedef float km_f32x4 __attribute__((ext_vector_type(4)));\n"
	"KM_D unsigned km_pair(unsigned short low, unsigned short high) { return low | (unsigned)high << 16; }\n"
	"KM_D void km_mma_f32_16x8x16_bf16(km_f32x4 &c, const unsigned short (&a)[8], const unsigned short (&b)[4]) {\n"
	" float c0 = c[0], c1 = c[1], c2 = c[2], c3 = c[3];\n"
	" asm(\"mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\"\n"
	" : \"+f\"(c0), \"+f\"(c1), \"+f\"(c2), \"+f\"(c3) : \"r\"(km_pair(a[0], a[1])), \"r\"(km_pair(a[2], a[3])), \"r\"(km_pair(a[4], a[5])),\n"
	" \"r\"(km_pair(a[6], a[7])), \"r\"(km_pair(b[0], b[1])), \"r\"(km_pair(b[2], b[3]))); c = km_f32x4{c0, c1, c2, c3}; }\n";

static bool accepts(const struct tile_program *program, const struct target *target, struct strbuf *why_not)
{
	if (strcmp(target->artifact, "cubin") || target->warp != 32) {
		strbuf_addf(why_not, "CUDA is printed for NVIDIA devices, not '%s'", target->name);
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
	micro_prologue(target, &out->prologue);
	return simt_print(program, target, symbol, out, err);
}

/* ---- facts of a cubin: an ELF file ----------------------------------- */

/* Attributes of section .nv.info, as ptxas writes them: format, number, 16 bits of size, then (symbol, value). */
enum { ATTRIBUTE_SIZED = 4, ATTRIBUTE_FRAME_BYTES = 0x11, ATTRIBUTE_REGISTERS = 0x2f };
/* The low bits of a 128-bit instruction: matrix products of a warp, of a warp group, of a tensor core by itself (sm_100). */
enum { OPCODE_MASK = 0xfff, OPCODE_HMMA = 0x23c, OPCODE_HGMMA = 0x9f0, OPCODE_UTCHMMA = 0x5ea, INSTRUCTION_BYTES = 16 };

struct cubin {
	const char *data;
	size_t len;
	const Elf64_Shdr *section;
	size_t section_count;
	const Elf64_Shdr *section_names;
	const Elf64_Sym *symbol;
	size_t symbol_count;
	const Elf64_Shdr *symbol_names;
};

struct cubin_facts {
	double registers, stack_bytes, shared_bytes, given_bytes, code_bytes, matrix_count, group_count;
	int kernels;
};

static bool holds(const struct cubin *c, uint64_t at, uint64_t bytes)
{
	return at <= c->len && bytes <= c->len - at;
}

/* A name of that table; "" outside it.  The last ends with the file at the latest. */
static const char *name_at(const struct cubin *c, const Elf64_Shdr *table, uint64_t at)
{
	return table->sh_type != SHT_NOBITS && at < table->sh_size ? c->data + table->sh_offset + at : "";
}

static int read_cubin(const struct strbuf *file, struct cubin *c)
{
	const Elf64_Ehdr *head = (const Elf64_Ehdr *)(const void *)file->buf;

	*c = (struct cubin){ .data = file->buf, .len = file->len };
	if (file->len < sizeof(*head) || memcmp(head->e_ident, ELFMAG, SELFMAG) || !holds(c, head->e_shoff, (uint64_t)head->e_shnum * sizeof(Elf64_Shdr)) ||
	    head->e_shoff % alignof(Elf64_Shdr) || head->e_shstrndx >= head->e_shnum)
		return -1;
	c->section = (const Elf64_Shdr *)(const void *)(c->data + head->e_shoff);
	c->section_count = head->e_shnum;
	for (size_t i = 0; i < c->section_count; i++) {
		const Elf64_Shdr *s = &c->section[i];
		if (s->sh_type != SHT_NOBITS && !holds(c, s->sh_offset, s->sh_size))
			return -1;
		if (s->sh_type == SHT_SYMTAB && s->sh_link < c->section_count && s->sh_offset % alignof(Elf64_Sym) == 0) {
			c->symbol = (const Elf64_Sym *)(const void *)(c->data + s->sh_offset);
			c->symbol_count = s->sh_size / sizeof(Elf64_Sym);
			c->symbol_names = &c->section[s->sh_link];
		}
	}
	c->section_names = &c->section[head->e_shstrndx];
	return c->symbol ? 0 : -1;
}

/* Is it the symbol's own, or a kernel of its plan (symbol_<kernel>)? */
static bool belongs(const char *name, const char *symbol)
{
	size_t n = strlen(symbol);

	return !strncmp(name, symbol, n) && (!name[n] || name[n] == '_');
}

static void keep_most(double *most, double value)
{
	*most = value > *most ? value : *most;
}

static void read_attributes(const struct cubin *c, const Elf64_Shdr *s, const char *symbol, struct cubin_facts *facts)
{
	const char *at = c->data + s->sh_offset, *end = at + s->sh_size;

	while (end - at >= 4) {
		unsigned format = (unsigned char)at[0], attribute = (unsigned char)at[1], size = (unsigned char)at[2] | (unsigned)(unsigned char)at[3] << 8;
		uint32_t value[2];
		at += 4;
		if (format != ATTRIBUTE_SIZED)
			continue;
		if (size > (size_t)(end - at))
			return;
		if (size == sizeof(value)) {
			memcpy(value, at, sizeof(value));
			bool is_ours = value[0] < c->symbol_count && belongs(name_at(c, c->symbol_names, c->symbol[value[0]].st_name), symbol);
			if (is_ours && attribute == ATTRIBUTE_REGISTERS)
				keep_most(&facts->registers, value[1]);
			else if (is_ours && attribute == ATTRIBUTE_FRAME_BYTES)
				keep_most(&facts->stack_bytes, value[1]);
		}
		at += size;
	}
}

static void read_code(const struct cubin *c, const Elf64_Shdr *s, struct cubin_facts *facts)
{
	const char *code = c->data + s->sh_offset;

	facts->kernels++;
	facts->code_bytes += (double)s->sh_size;
	for (uint64_t i = 0; i + INSTRUCTION_BYTES <= s->sh_size; i += INSTRUCTION_BYTES) {
		unsigned opcode = ((unsigned char)code[i] | (unsigned)(unsigned char)code[i + 1] << 8) & OPCODE_MASK;
		bool is_group = opcode == OPCODE_HGMMA || opcode == OPCODE_UTCHMMA;
		facts->matrix_count += opcode == OPCODE_HMMA || is_group;
		facts->group_count += is_group;
	}
}

/* Variables <symbol>_<kernel>_shared: what a launch gives beside, in launch/cubin.c's words. */
static void read_given(const struct cubin *c, const char *symbol, struct cubin_facts *facts)
{
	for (size_t i = 0; i < c->symbol_count; i++) {
		const Elf64_Sym *v = &c->symbol[i];
		const char *name = name_at(c, c->symbol_names, v->st_name), *end = strrchr(name, '_');
		const Elf64_Shdr *s = v->st_shndx < c->section_count ? &c->section[v->st_shndx] : NULL;
		uint32_t bytes;
		if (!end || strcmp(end, "_shared") || !belongs(name, symbol) || v->st_size != sizeof(bytes) || !s || s->sh_type == SHT_NOBITS ||
		    v->st_value > s->sh_size || s->sh_size - v->st_value < sizeof(bytes))
			continue;
		memcpy(&bytes, c->data + s->sh_offset + v->st_value, sizeof(bytes));
		keep_most(&facts->given_bytes, bytes);
	}
}

int cubin_inspect(const char *path, const char *symbol, void (*add)(const char *key, double value, void *user), void *user,
		  struct strbuf *err)
{
	struct strbuf file = STRBUF_INIT;
	struct cubin_facts facts = { 0 };
	struct cubin c;
	int ret = strbuf_read_file(&file, path, err) ? 1 : 0;

	if (!ret && read_cubin(&file, &c)) {
		strbuf_addf(err, "'%s' is no cubin", path);
		ret = -1;
	}
	for (size_t i = 0; !ret && i < c.section_count; i++) {
		const char *name = name_at(&c, c.section_names, c.section[i].sh_name);
		bool has_data = c.section[i].sh_type != SHT_NOBITS;
		if (has_data && !strcmp(name, ".nv.info"))
			read_attributes(&c, &c.section[i], symbol, &facts);
		else if (has_data && !strncmp(name, ".text.", 6) && belongs(name + 6, symbol))
			read_code(&c, &c.section[i], &facts);
		else if (!strncmp(name, ".nv.shared.", 11) && belongs(name + 11, symbol))
			keep_most(&facts.shared_bytes, (double)c.section[i].sh_size);
	}
	if (!ret)
		read_given(&c, symbol, &facts);
	if (!ret && !facts.kernels) {
		strbuf_addf(err, "'%s' has no kernel of '%s'", path, symbol);
		ret = -1;
	}
	if (!ret) {
		add("registers", facts.registers, user);
		add("stack_bytes", facts.stack_bytes, user);
		add("shared_bytes", facts.shared_bytes + facts.given_bytes, user);
		add("code_bytes", facts.code_bytes, user);
		add("matrix_instructions", facts.matrix_count, user);
		add("group_matrix_instructions", facts.group_count, user);
	}
	strbuf_release(&file);
	return ret;
}

const struct lang lang_cuda = {
	.name = "cuda",
	.summary = "CUDA C++ for NVIDIA devices, freestanding, with matrix instructions of a warp",
	.suffix = "cu",
	.artifact = "cubin",
	.can_batch = true,
	.compile = "clang-22 -x cuda -std=gnu++17 --cuda-gpu-arch=%march --cuda-device-only -nocudainc -nocudalib -Xclang -target-feature -Xclang +ptx86 -O3 -w %flags " LANG_DATELESS " -o %out %in",
	.accepts = accepts,
	.print = print,
	.inspect = cubin_inspect,
};
