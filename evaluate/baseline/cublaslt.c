/*
 * cuBLASLt: matrix products on NVIDIA devices, by the fastest of all algorithms that the
 * library's heuristic names for the problem, each of them timed.  f32 is strict: no TF32.
 *
 * The library is loaded on use and its interface declared here: cublasLt.h of CUDA 13.0.
 */
#include "evaluate/baseline.h"
#include "ops/core/proc.h"

#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REAL_32F = 0, REAL_64F = 1, REAL_16F = 2, REAL_16BF = 14, COMPUTE_32F = 68, COMPUTE_64F = 70 };
enum { DESC_TRANSPOSE_A = 3, DESC_TRANSPOSE_B = 4, TRANSPOSE = 1, LAYOUT_BATCHES = 5, LAYOUT_BATCH_STRIDE = 6, PREFERENCE_WORKSPACE = 1 };
enum { MOST_ALGORITHMS = 128, WORKSPACE_BYTES = 64 << 20, ROUNDS = 3, CALLS = 4 };

struct algorithm {
	uint64_t data[8];
	size_t workspace_bytes;
	int state;
	float waves;
	int reserved[4];
};
#define LIBRARY(X) \
	X(create, "cublasLtCreate", (void **handle)) \
	X(desc, "cublasLtMatmulDescCreate", (void **desc, int compute, int scale)) \
	X(desc_set, "cublasLtMatmulDescSetAttribute", (void *desc, int attribute, const void *value, size_t bytes)) \
	X(layout, "cublasLtMatrixLayoutCreate", (void **layout, int type, uint64_t rows, uint64_t columns, int64_t leading)) \
	X(layout_set, "cublasLtMatrixLayoutSetAttribute", (void *layout, int attribute, const void *value, size_t bytes)) \
	X(preference, "cublasLtMatmulPreferenceCreate", (void **preference)) \
	X(preference_set, "cublasLtMatmulPreferenceSetAttribute", (void *preference, int attribute, const void *value, size_t bytes)) \
	X(heuristic, "cublasLtMatmulAlgoGetHeuristic", (void *handle, void *desc, void *a, void *b, void *c, void *d, void *preference, int wanted, \
							struct algorithm *found, int *count)) \
	X(matmul, "cublasLtMatmul", (void *handle, void *desc, const void *alpha, const void *a, void *a_layout, const void *b, void *b_layout, \
				     const void *beta, const void *c, void *c_layout, void *d, void *d_layout, const struct algorithm *algorithm, \
				     void *workspace, size_t workspace_bytes, void *stream))
#define DRIVER(X) \
	X(allocate, "cuMemAlloc_v2", (unsigned long long *memory, size_t bytes)) \
	X(wait, "cuCtxSynchronize", (void))

struct baseline_state {
#define X(field, symbol, arguments) int(*field) arguments;
	LIBRARY(X)
	DRIVER(X)
#undef X
	void *handle, *operation, *a_layout, *b_layout, *c_layout;
	void *a, *b, *c, *workspace;
	struct algorithm algorithm;
	double one_f64, zero_f64;
	float one, zero;
	bool is_f64;
};

/* The products this binding knows: is the first factor, the second, transposed in memory? */
static const struct product {
	const char *op;
	bool is_a_transposed, is_b_transposed, has_batch;
} product[] = {
	{ "matmul", false, false, false }, { "matmul_transposed_a", true, false, false }, { "matmul_transposed_b", false, true, false },
	{ "matmul_transposed_ab", true, true, false }, { "bmm", false, false, true },
};

static int load(struct baseline_state *s, void *library, void *driver)
{
#define X(field, symbol, arguments) \
	*(void **)&s->field = dlsym(library, symbol); \
	if (!s->field) \
		return -1;
	LIBRARY(X)
#undef X
#define X(field, symbol, arguments) \
	*(void **)&s->field = dlsym(driver, symbol); \
	if (!s->field) \
		return -1;
	DRIVER(X)
#undef X
	return 0;
}

static int run(struct baseline_state *s)
{
	const void *one = s->is_f64 ? (const void *)&s->one_f64 : &s->one, *zero = s->is_f64 ? (const void *)&s->zero_f64 : &s->zero;

	/* Its matrices are columns behind each other: the transpose of the product, of the factors in turn. */
	return s->matmul(s->handle, s->operation, one, s->b, s->b_layout, s->a, s->a_layout, zero, s->c, s->c_layout, s->c, s->c_layout, &s->algorithm,
			 s->workspace, s->algorithm.workspace_bytes, NULL);
}

/* Seconds a call, the least of some rounds; INFINITY when it fails. */
static double time_algorithm(struct baseline_state *s)
{
	double least = INFINITY;

	if (run(s) || s->wait())
		return INFINITY;
	for (int r = 0; r < ROUNDS; r++) {
		int64_t start = clock_ns();
		for (int c = 0; c < CALLS; c++)
			if (run(s))
				return INFINITY;
		if (s->wait())
			return INFINITY;
		double t = (double)(clock_ns() - start) * 1e-9 / CALLS;
		least = t < least ? t : least;
	}
	return least;
}

static int choose(struct baseline_state *s, struct strbuf *setting)
{
	struct algorithm *found = calloc(MOST_ALGORITHMS, sizeof(*found)), best = { 0 };
	size_t workspace = WORKSPACE_BYTES;
	void *preference = NULL;
	unsigned long long memory = 0;
	double least = INFINITY;
	int count = 0, at = -1;

	if (!found)
		abort();
	if (!s->preference(&preference) && !s->preference_set(preference, PREFERENCE_WORKSPACE, &workspace, sizeof(workspace)) &&
	    !s->allocate(&memory, workspace))
		s->heuristic(s->handle, s->operation, s->b_layout, s->a_layout, s->c_layout, s->c_layout, preference, MOST_ALGORITHMS, found, &count);
	s->workspace = (void *)(uintptr_t)memory;
	for (int i = 0; i < count; i++) {
		s->algorithm = found[i];
		double t = found[i].state ? INFINITY : time_algorithm(s);
		if (t < least) {
			least = t;
			best = found[i];
			at = i;
		}
	}
	s->algorithm = best;
	free(found);
	strbuf_addf(setting, "cublasLtMatmul, algorithm %d of the heuristic's %d, %zu bytes of workspace", at, count, best.workspace_bytes);
	return at < 0 ? -1 : 0;
}

static int make_layout(struct baseline_state *s, void **layout, int type, int64_t rows, int64_t columns, int64_t batches)
{
	int count = (int)batches;
	int64_t stride = rows * columns;

	if (s->layout(layout, type, (uint64_t)columns, (uint64_t)rows, columns))
		return -1;
	return batches > 1 && (s->layout_set(*layout, LAYOUT_BATCHES, &count, sizeof(count)) || s->layout_set(*layout, LAYOUT_BATCH_STRIDE, &stride, sizeof(stride)));
}

static struct baseline_state *open_cublaslt(const struct problem *p, const struct target *target, void *const *buf, struct strbuf *setting,
					    struct strbuf *why_not)
{
	static const int real[DTYPE_COUNT] = { [DTYPE_f32] = REAL_32F + 1, [DTYPE_f64] = REAL_64F + 1, [DTYPE_f16] = REAL_16F + 1, [DTYPE_bf16] = REAL_16BF + 1 };
	const struct product *k = product;

	(void)target;
	while (k < product + ARRAY_SIZE(product) && strcmp(k->op, p->op->name))
		k++;
	int in = real[p->dtype] - 1, out = real[problem_tensor_dtype(p, 2)] - 1;
	if (k == product + ARRAY_SIZE(product) || in < 0 || out < 0) {
		strbuf_addf(why_not, "no function for '%s' of this dtype", p->op->name);
		return NULL;
	}
	void *library = dlopen("libcublasLt.so.13", RTLD_NOW), *driver = dlopen("libcuda.so.1", RTLD_NOW);
	if (!library)
		library = dlopen("libcublasLt.so.12", RTLD_NOW);
	struct baseline_state *s = calloc(1, sizeof(*s));
	if (!s)
		abort();
	s->one = 1;
	s->one_f64 = 1;
	s->is_f64 = p->dtype == DTYPE_f64;
	s->a = buf[0];
	s->b = buf[1];
	s->c = buf[2];
	const int64_t *d = p->dim + k->has_batch, batches = k->has_batch ? p->dim[0] : 1;
	int a_transposed = k->is_a_transposed ? TRANSPOSE : 0, b_transposed = k->is_b_transposed ? TRANSPOSE : 0;
	if (!library || !driver || load(s, library, driver)) {
		strbuf_addf(why_not, "cuBLASLt is not installed: %s", dlerror());
		goto fail;
	}
	if (s->create(&s->handle) || s->desc(&s->operation, s->is_f64 ? COMPUTE_64F : COMPUTE_32F, s->is_f64 ? REAL_64F : REAL_32F) ||
	    s->desc_set(s->operation, DESC_TRANSPOSE_A, &b_transposed, sizeof(b_transposed)) ||
	    s->desc_set(s->operation, DESC_TRANSPOSE_B, &a_transposed, sizeof(a_transposed)) ||
	    make_layout(s, &s->a_layout, in, a_transposed ? d[2] : d[0], a_transposed ? d[0] : d[2], batches) ||
	    make_layout(s, &s->b_layout, in, b_transposed ? d[1] : d[2], b_transposed ? d[2] : d[1], batches) ||
	    make_layout(s, &s->c_layout, out, d[0], d[1], batches) || choose(s, setting)) {
		strbuf_addstr(why_not, "cuBLASLt has no algorithm for the problem");
		goto fail;
	}
	return s;
fail:
	free(s);
	return NULL;
}

static void bind(struct baseline_state *s, void *const *buf)
{
	s->a = buf[0];
	s->b = buf[1];
	s->c = buf[2];
}

/* The worker ends with it. */
static void close_cublaslt(struct baseline_state *s)
{
	free(s);
}

const struct baseline baseline_cublaslt = {
	.name = "cublaslt",
	.summary = "cuBLASLt: matrix products on NVIDIA devices, all algorithms of its heuristic timed",
	.artifact = "cubin",
	.library = "libcublasLt.so.13",
	.package = NULL,
	.open = open_cublaslt,
	.bind = bind,
	.run = run,
	.close = close_cublaslt,
};
