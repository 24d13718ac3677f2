#include "evaluate/probe.h"
#include "evaluate/cache.h"
#include "evaluate/compile.h"
#include "evaluate/sandbox.h"
#include "ops/core/hash.h"
#include "ops/core/kv.h"
#include "ops/core/proc.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* ten independent chains hide an FMA's latency of four or five cycles at two a cycle */
static const char flops_source[] =
	"typedef float v __attribute__((ext_vector_type(KM_L)));\n"
	"double km_flops(long n) { v a = 0.999f, b = 0.001f, c0 = 1, c1 = 2, c2 = 3, c3 = 4, c4 = 5, c5 = 6, c6 = 7, c7 = 8, c8 = 9, c9 = 10;\n"
	" for (long i = 0; i < n; i++) {\n"
	"#define F(c) c = __builtin_elementwise_fma(c, a, b); __asm__ volatile(\"\" : \"+v\"(c));\n"
	"  F(c0) F(c1) F(c2) F(c3) F(c4) F(c5) F(c6) F(c7) F(c8) F(c9) }\n"
	" c0 += c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9; return c0[0]; }\n"
	"void km_copy(float *restrict to, const float *restrict from, long n) { for (long i = 0; i < n; i += KM_L)"
	" __builtin_nontemporal_store(*(const v *)(from + i), (v *)(to + i)); }\n";

static const char matrix_source[] =
	"typedef struct { unsigned char palette, row, pad[14]; unsigned short columns[16]; unsigned char rows[16]; } config;\n"
	"double km_matrix(long n) { static char a[1024] __attribute__((aligned(64))), b[1024] __attribute__((aligned(64)));"
	" config c = { 1, 0, {0}, {64,64,64,64,64,64,64,64}, {16,16,16,16,16,16,16,16} };\n"
	" __builtin_ia32_tile_loadconfig(&c);\n"
	" __builtin_ia32_tileloadd64(4, a, 64); __builtin_ia32_tileloadd64(5, a, 64); __builtin_ia32_tileloadd64(6, b, 64); __builtin_ia32_tileloadd64(7, b, 64);\n"
	" __builtin_ia32_tilezero(0); __builtin_ia32_tilezero(1); __builtin_ia32_tilezero(2); __builtin_ia32_tilezero(3);\n"
	" for (long i = 0; i < n; i++) { __builtin_ia32_tdpbf16ps(0, 4, 6); __builtin_ia32_tdpbf16ps(1, 4, 7); __builtin_ia32_tdpbf16ps(2, 5, 6); __builtin_ia32_tdpbf16ps(3, 5, 7); }\n"
	" __builtin_ia32_tilerelease(); return 0; }\n";

bool probe_is_here(const struct target *target)
{
	return target->probe && target->probe();
}

static int64_t sysconf_bytes(int name)
{
	long v = sysconf(name);
	return v > 0 ? v : 0;
}

int64_t probe_l3_bytes(void)
{
	return sysconf_bytes(_SC_LEVEL3_CACHE_SIZE);
}

/* NULL with *err where it cannot be told: an environment without its name would be another one. */
static const char *cpu_model(struct arena *arena, struct strbuf *err)
{
	struct strbuf text = STRBUF_INIT;
	const char *model = NULL;

	if (!strbuf_read_file(&text, "/proc/cpuinfo", err)) {
		model = "unknown";
		char *at = strstr(text.buf, "model name");
		at = at ? strchr(at, ':') : NULL;
		if (at) {
			at += 2;
			model = arena_strndup(arena, at, strcspn(at, "\n"));
		}
	}
	strbuf_release(&text);
	return model;
}

/* Some milliseconds at once: a busy machine takes its processor away after a few. */
struct measured {
	double (*flops)(long), (*matrix)(long);
	void (*copy)(float *, const float *, long);
	float *from, *to;
	long floats; /* there; more than any cache holds */
};
static double run_flops(struct measured *m, long n, int turn) { (void)turn; return m->flops(n); }
static double run_matrix(struct measured *m, long n, int turn) { (void)turn; return m->matrix(n); }
static double run_copy(struct measured *m, long n, int turn)
{
	long at = turn * n % m->floats;

	m->copy(m->to + at, m->from + at, n);
	return 0;
}

/* The best of many: others on the machine only ever slow it down. */
static double best_rate(double (*run)(struct measured *, long, int), struct measured *m, long n, int turns, double work)
{
	double best = 0;

	for (int i = 0; i < turns; i++) {
		int64_t start = clock_ns();
		run(m, n, i);
		double rate = work / ((double)(clock_ns() - start) * 1e-9);
		best = rate > best ? rate : best;
	}
	return best;
}

/* Measures with our own code compiled for the target; trusted, so in this process. */
static int measure_peaks(struct arena *arena, const struct target *target, struct environment *e, struct strbuf *err)
{
	struct strbuf source = STRBUF_INIT, flags = STRBUF_INIT;
	struct measured m = { 0 };
	const char *artifact;
	int lanes = target->vector_bytes / 4, ret = -1;
	bool has_matrix = target->isa & ISA_BIT(amx_bf16);
	long floats = 32 << 20, piece = 2 << 20;

	strbuf_addf(&source, "#define KM_L %d\n%s%s", lanes, flops_source, has_matrix ? matrix_source : "");
	strbuf_addf(&flags, "clang-22 -O2 -march=%s %s -w", target->march, target->compiler_flags ? target->compiler_flags : "");
	if (compile_trusted(arena, source.buf, flags.buf, &artifact, err))
		goto out;
	void *library = dlopen(artifact, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		strbuf_addf(err, "cannot load the probe: %s", dlerror());
		goto out;
	}
	*(void **)&m.flops = dlsym(library, "km_flops");
	*(void **)&m.copy = dlsym(library, "km_copy");
	*(void **)&m.matrix = dlsym(library, "km_matrix");
	m.from = aligned_alloc(64, (size_t)floats * 4);
	m.to = aligned_alloc(64, (size_t)floats * 4);
	if (!m.from || !m.to || !m.flops || !m.copy) {
		strbuf_addstr(err, "no memory for the probe");
		goto out;
	}
	memset(m.from, 1, (size_t)floats * 4);
	memset(m.to, 1, (size_t)floats * 4);
	m.floats = floats;
	e->peak_flop_per_s = best_rate(run_flops, &m, 400000, 250, 4e5 * 10 * 2 * lanes);
	e->peak_bytes_per_s = best_rate(run_copy, &m, piece, 25 * (int)(floats / piece), (double)piece * 8);
	if (m.matrix)
		e->matrix_flop_per_s = best_rate(run_matrix, &m, 100000, 250, 1e5 * 4 * 16 * 16 * 32 * 2);
	dlclose(library);
	ret = 0;
out:
	free(m.from);
	free(m.to);
	strbuf_release(&source);
	strbuf_release(&flags);
	return ret;
}

/* The peaks are measured once a machine and target: a record of them lies in the cache. */
static int known_peaks(struct arena *arena, const struct target *target, const struct strbuf *machine, struct environment *e, struct strbuf *err)
{
	struct strbuf text = STRBUF_INIT, why = STRBUF_INIT, from = STRBUF_INIT;
	struct kv kv;
	int ret = -1;

	strbuf_addf(&from, "peaks\n%s", machine->buf);
	const struct cache_key key = cache_key(NULL, "peaks", &from);
	const char *path = cache_find(arena, &key);
	if (path && !strbuf_read_file(&text, path, &why) && !kv_parse(arena, text.buf, path, &kv, &why) && kv_find(&kv, "flop_per_s")) {
		e->peak_flop_per_s = strtod(kv_find(&kv, "flop_per_s"), NULL);
		e->peak_bytes_per_s = strtod(kv_find(&kv, "bytes_per_s"), NULL);
		e->matrix_flop_per_s = strtod(kv_find(&kv, "matrix_flop_per_s"), NULL);
		ret = 0;
		goto out;
	}
	if (measure_peaks(arena, target, e, err))
		goto out;
	strbuf_reset(&text);
	kv_add(&text, "machine", "%s", machine->buf);
	kv_add(&text, "flop_per_s", "%.17g", e->peak_flop_per_s);
	kv_add(&text, "bytes_per_s", "%.17g", e->peak_bytes_per_s);
	kv_add(&text, "matrix_flop_per_s", "%.17g", e->matrix_flop_per_s);
	ret = cache_keep(arena, &key, text.buf, text.len, err) ? 0 : -1;
out:
	strbuf_release(&text);
	strbuf_release(&why);
	strbuf_release(&from);
	return ret;
}

int probe_environment(struct arena *arena, const struct target *target, const char *clock, struct environment *e, struct strbuf *err)
{
	struct utsname u;
	struct strbuf key = STRBUF_INIT;
	char hex[65];
	int ret = -1;

	*e = (struct environment){ .target = target->name, .tool_version = KM_VERSION, .clock = clock };
	struct strbuf level = STRBUF_INIT;
	if (!strcmp(target->artifact, "so"))
		sandbox_level(&level);
	else
		strbuf_addstr(&level, "process");
	e->sandbox_level = arena_strdup(arena, level.buf);
	strbuf_release(&level);
	uname(&u);
	e->os = arena_printf(arena, "%s %s", u.sysname, u.release);
	e->compiler = compile_version(arena, "clang-22", err);
	if (!e->compiler)
		goto out;
	bool here = probe_is_here(target), is_cpu = target->warp <= 1;
	e->cpu_model = here ? cpu_model(arena, err) : "none: not run";
	if (!e->cpu_model)
		goto out;
	e->core_count = here && is_cpu ? sysconf(_SC_NPROCESSORS_ONLN) : target->core_count;
	e->l1_bytes = here && is_cpu ? sysconf_bytes(_SC_LEVEL1_DCACHE_SIZE) : target->l1_bytes;
	e->l2_bytes = here && is_cpu ? sysconf_bytes(_SC_LEVEL2_CACHE_SIZE) : target->l2_bytes;
	e->l3_bytes = here && is_cpu ? probe_l3_bytes() : target->l3_bytes;
	e->datasheet_bytes_per_s = target->peak_bytes_per_s;
	strbuf_addf(&key, "%s|%s|%s|%s|%s|%s|%lld|%lld|%lld|%s", target->name, e->cpu_model, e->os, e->compiler, e->tool_version, clock,
		    (long long)e->core_count, (long long)e->l2_bytes, (long long)e->l3_bytes, e->sandbox_level);
	sha256_hex(key.buf, key.len, hex);
	memcpy(e->id, hex, 16);
	if (!is_cpu) {
		e->peak_flop_per_s = target->peak_flop_per_s[DTYPE_f32];
		e->matrix_flop_per_s = target->peak_flop_per_s[DTYPE_bf16];
		e->peak_bytes_per_s = target->peak_bytes_per_s;
	} else if (here && strcmp(clock, "model") && known_peaks(arena, target, &key, e, err))
		goto out;
	e->start_ns = wall_ns();
	ret = 0;
out:
	strbuf_release(&key);
	return ret;
}
