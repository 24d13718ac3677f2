/*
 * cuBLASLt: matrix products on NVIDIA devices, by the fastest algorithm that a search over all
 * of the library's algorithms and their settings finds in a bounded time.  f32 is strict: no TF32.
 *
 * The search: what the heuristic names; every algorithm with every tile and number of stages;
 * then, from the best, one setting after another (cluster, split of k, order of blocks, the
 * algorithm's own options) while that helps.  Each is timed by the device's clock on real data.
 *
 * The library is loaded on use and its interface declared here: cublasLt.h of CUDA 13.0.
 */
#include "evaluate/baseline/cublaslt.h"
#include "ops/core/launch.h"
#include "ops/core/proc.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REAL_32F = 0, REAL_64F = 1, REAL_16F = 2, REAL_16BF = 14, COMPUTE_32F = 68, COMPUTE_64F = 70, COMPUTE_32F_FAST_TF32 = 77 };
enum { DESC_TRANSPOSE_A = 3, DESC_TRANSPOSE_B = 4, DESC_EPILOGUE = 7, DESC_BIAS_POINTER = 8, TRANSPOSE = 1 };
enum { LAYOUT_BATCHES = 5, LAYOUT_BATCH_STRIDE = 6, PREFERENCE_WORKSPACE = 1, PREFERENCE_REDUCTIONS = 3 };
enum { EPILOGUE_NONE = 1, EPILOGUE_RELU = 2, EPILOGUE_BIAS = 4 };
/* How parts of k are added up: in the output, or in the type of the sums; bits where many are meant. */
enum { REDUCTION_NONE = 0, REDUCTION_IN_PLACE = 1, REDUCTION_OF_SUMS = 2 };
enum { CAP_SPLIT_K = 0, CAP_SWIZZLE = 2, CAP_TILES = 6, CAP_OPTION_MOST = 7, CAP_STAGES = 13 };
enum { MOST_HEURISTIC = 64, MOST_IDS = 128, MOST_VALUES = 700, WORKSPACE_BYTES = 64 << 20 };
enum { STARTS = 4, FINALISTS = 4, FINAL_ROUNDS = 7 };

/* cublasLtMatmulHeuristicResult_t, which begins with the cublasLtMatmulAlgo_t. */
struct algorithm {
	uint64_t data[8];
	size_t workspace_bytes;
	int state;
	float waves;
	int reserved[4];
};
#define LIBRARY(X) \
	X(create, int, "cublasLtCreate", (void **handle)) \
	X(version, size_t, "cublasLtGetVersion", (void)) \
	X(desc, int, "cublasLtMatmulDescCreate", (void **desc, int compute, int scale)) \
	X(desc_set, int, "cublasLtMatmulDescSetAttribute", (void *desc, int attribute, const void *value, size_t bytes)) \
	X(layout, int, "cublasLtMatrixLayoutCreate", (void **layout, int type, uint64_t rows, uint64_t columns, int64_t leading)) \
	X(layout_set, int, "cublasLtMatrixLayoutSetAttribute", (void *layout, int attribute, const void *value, size_t bytes)) \
	X(preference, int, "cublasLtMatmulPreferenceCreate", (void **preference)) \
	X(preference_set, int, "cublasLtMatmulPreferenceSetAttribute", (void *preference, int attribute, const void *value, size_t bytes)) \
	X(heuristic, int, "cublasLtMatmulAlgoGetHeuristic", (void *handle, void *desc, void *a, void *b, void *c, void *d, void *preference, int wanted, \
							     struct algorithm *found, int *count)) \
	X(ids, int, "cublasLtMatmulAlgoGetIds", (void *handle, int compute, int scale, int a, int b, int c, int d, int wanted, int *id, int *count)) \
	X(init, int, "cublasLtMatmulAlgoInit", (void *handle, int compute, int scale, int a, int b, int c, int d, int id, uint64_t *algorithm)) \
	X(cap, int, "cublasLtMatmulAlgoCapGetAttribute", (const uint64_t *algorithm, int attribute, void *value, size_t bytes, size_t *written)) \
	X(config_set, int, "cublasLtMatmulAlgoConfigSetAttribute", (uint64_t *algorithm, int attribute, const void *value, size_t bytes)) \
	X(config_get, int, "cublasLtMatmulAlgoConfigGetAttribute", (const uint64_t *algorithm, int attribute, void *value, size_t bytes, size_t *written)) \
	X(check, int, "cublasLtMatmulAlgoCheck", (void *handle, void *desc, void *a, void *b, void *c, void *d, const uint64_t *algorithm, \
						  struct algorithm *result)) \
	X(matmul, int, "cublasLtMatmul", (void *handle, void *desc, const void *alpha, const void *a, void *a_layout, const void *b, void *b_layout, \
					  const void *beta, const void *c, void *c_layout, void *d, void *d_layout, const struct algorithm *algorithm, \
					  void *workspace, size_t workspace_bytes, void *stream))

/*
 * What an algorithm can be set to: X(field, attribute, bytes, first, last), in the order in which
 * a search tries them.  Where the library lists what it takes, or the algorithm says how far an
 * option goes, last is -1.
 */
#define KNOBS(X) \
	X(tile, 1, 4, 0, -1) X(stages, 6, 4, 0, -1) X(cluster, 8, 2, 0, 51) X(option, 5, 4, 0, -1) X(split, 2, 4, 1, 16) X(reduction, 3, 4, 0, -1) \
	X(swizzle, 4, 4, 0, -1) X(inner, 7, 2, 0, 4)
enum knob {
#define X(field, attribute, bytes, first, last) KNOB_##field,
	KNOBS(X)
#undef X
	KNOB_COUNT
};
static const struct {
	const char *name;
	int attribute, bytes, first, last;
} knob_table[KNOB_COUNT] = {
#define X(field, attribute, bytes, first, last) { #field, attribute, bytes, first, last },
	KNOBS(X)
#undef X
};

struct choice {
	int id;
	int32_t value[KNOB_COUNT];
};
struct trial {
	struct algorithm algorithm;
	double ns;
};
struct search {
	int64_t deadline;
	struct trial best[FINALISTS + 1]; /* fastest first, and the heuristic's best; ns INFINITY: none */
	int timed;
};

struct baseline_state {
#define X(field, type, symbol, arguments) type(*field) arguments;
	LIBRARY(X)
#undef X
	const struct launcher_memory *device;
	void *handle, *operation, *a_layout, *b_layout, *c_layout;
	const void *a, *b, *c;
	void *d, *workspace;
	const struct product *product;
	int tensor_a, tensor_b, tensor_c, tensor_d, tensor_bias; /* -1: none */
	int compute, scale_type, type_ab, type_cd;
	struct algorithm algorithm;
	double alpha_f64, beta_f64;
	float alpha, beta;
	bool is_f64;
};

/* The products this binding knows: y = act(alpha * a b + beta * c + bias), each factor as it lies or transposed. */
static const struct product {
	const char *op, *a, *b, *out;
	bool is_a_transposed, is_b_transposed;
	const char *bias; /* a number for each column of the product */
	const char *c;    /* scaled by the attribute beta, the product by alpha */
	int epilogue;
} product[] = {
	{ "matmul", "A", "B", "C", .epilogue = EPILOGUE_NONE },
	{ "matmul_transposed_a", "x", "w", "y", .is_a_transposed = true, .epilogue = EPILOGUE_NONE },
	{ "matmul_transposed_b", "x", "w", "y", .is_b_transposed = true, .epilogue = EPILOGUE_NONE },
	{ "matmul_transposed_ab", "x", "w", "y", true, true, .epilogue = EPILOGUE_NONE },
	{ "bmm", "x", "w", "y", .epilogue = EPILOGUE_NONE },
	{ "mv", "a", "x", "y", .epilogue = EPILOGUE_NONE },
	{ "addmm", "x", "w", "y", .c = "b", .epilogue = EPILOGUE_NONE },
	{ "matmul_relu_bf16", "x", "w", "y", .epilogue = EPILOGUE_RELU },
	{ "gemm_add_relu", "x", "weight", "y", .is_b_transposed = true, .bias = "bias", .epilogue = EPILOGUE_RELU | EPILOGUE_BIAS },
};

static int load(struct baseline_state *s, void *library)
{
#define X(field, type, symbol, arguments) \
	*(void **)&s->field = dlsym(library, symbol); \
	if (!s->field) \
		return -1;
	LIBRARY(X)
#undef X
	return 0;
}

int cublaslt_run(struct baseline_state *s)
{
	const void *alpha = s->is_f64 ? (const void *)&s->alpha_f64 : &s->alpha, *beta = s->is_f64 ? (const void *)&s->beta_f64 : &s->beta;

	/* Its matrices are columns behind each other: the transpose of the product, of the factors in turn. */
	return s->matmul(s->handle, s->operation, alpha, s->b, s->b_layout, s->a, s->a_layout, beta, s->c, s->c_layout, s->d, s->c_layout, &s->algorithm,
			 s->workspace, s->algorithm.workspace_bytes, s->device->stream);
}

/* ---- timing one setting ---------------------------------------------- */

/* One call by the device's clock [ns]; INFINITY when it fails. */
static double call_ns(struct baseline_state *s)
{
	return baseline_call_ns(s->device, s, cublaslt_run);
}

static void enter(struct search *search, const struct trial *t)
{
	int at = FINALISTS;

	for (int i = 0; i < FINALISTS; i++)
		if (!memcmp(search->best[i].algorithm.data, t->algorithm.data, sizeof(t->algorithm.data)))
			return;
	while (at > 0 && t->ns < search->best[at - 1].ns)
		at--;
	if (at == FINALISTS)
		return;
	memmove(&search->best[at + 1], &search->best[at], (size_t)(FINALISTS - 1 - at) * sizeof(*t));
	search->best[at] = *t;
}

/* Times an algorithm that was checked; those far behind the best by one call only. */
static double try_algorithm(struct baseline_state *s, struct search *search, const struct algorithm *algorithm)
{
	struct strbuf ignored = STRBUF_INIT;
	struct trial t = { *algorithm, INFINITY };

	s->algorithm = *algorithm;
	search->timed++;
	/* What it loads, it loads now: nothing may wait where calls are queued. */
	if (!cublaslt_run(s) && !s->device->wait(NULL, &ignored)) {
		t.ns = call_ns(s);
		for (int i = 0; i < 2 && t.ns < 1.2 * search->best[0].ns; i++)
			t.ns = fmin(t.ns, call_ns(s));
		enter(search, &t);
	}
	strbuf_release(&ignored);
	return t.ns;
}

/* ---- the search ------------------------------------------------------ */

/* An algorithm so set; false: the library does not take it for this problem. */
static bool make(struct baseline_state *s, const struct choice *c, struct algorithm *out)
{
	uint64_t data[8] = { 0 };

	if (s->init(s->handle, s->compute, s->scale_type, s->type_ab, s->type_ab, s->type_cd, s->type_cd, c->id, data))
		return false;
	for (int k = 0; k < KNOB_COUNT; k++)
		if (s->config_set(data, knob_table[k].attribute, &c->value[k], (size_t)knob_table[k].bytes))
			return false;
	memset(out, 0, sizeof(*out));
	if (s->check(s->handle, s->operation, s->b_layout, s->a_layout, s->c_layout, s->c_layout, data, out) || out->state || out->workspace_bytes > WORKSPACE_BYTES)
		return false;
	memcpy(out->data, data, sizeof(data));
	return true;
}

static void read_choice(struct baseline_state *s, const struct algorithm *algorithm, struct choice *c)
{
	size_t written;

	*c = (struct choice){ 0 };
	s->config_get(algorithm->data, 0, &c->id, sizeof(c->id), &written);
	for (int k = 0; k < KNOB_COUNT; k++)
		s->config_get(algorithm->data, knob_table[k].attribute, &c->value[k], (size_t)knob_table[k].bytes, &written);
}

/* Sums in 16 bits are less than what operators ask for. */
static bool may_reduce_in_place(const struct baseline_state *s)
{
	return s->type_cd == REAL_32F || s->type_cd == REAL_64F;
}

/* What a knob of an algorithm may be: the values' number. */
static int values_of(struct baseline_state *s, int id, enum knob k, int32_t *value)
{
	uint64_t data[8] = { 0 };
	size_t written = 0;
	int32_t most = 0;
	int n = 0;

	if (s->init(s->handle, s->compute, s->scale_type, s->type_ab, s->type_ab, s->type_cd, s->type_cd, id, data))
		return 0;
	if (k == KNOB_tile || k == KNOB_stages) {
		s->cap(data, k == KNOB_tile ? CAP_TILES : CAP_STAGES, value, MOST_VALUES * sizeof(*value), &written);
		n = (int)(written / sizeof(*value));
		/* 0: its own choice. */
		value[n] = 0;
		return n ? n : 1;
	}
	if (k == KNOB_split && (s->cap(data, CAP_SPLIT_K, &most, sizeof(most), &written) || !most)) {
		value[0] = 1;
		return 1;
	}
	if (k == KNOB_option || k == KNOB_swizzle)
		s->cap(data, k == KNOB_option ? CAP_OPTION_MOST : CAP_SWIZZLE, &most, sizeof(most), &written);
	else if (k == KNOB_reduction)
		most = REDUCTION_OF_SUMS;
	else
		most = knob_table[k].last;
	for (int32_t v = knob_table[k].first; v <= most && n < MOST_VALUES; v++)
		if (k != KNOB_reduction || v != REDUCTION_IN_PLACE || may_reduce_in_place(s))
			value[n++] = v;
	return n;
}

static bool is_late(const struct search *search)
{
	return clock_ns() > search->deadline;
}

static void try_heuristic(struct baseline_state *s, struct search *search)
{
	struct algorithm *found = calloc(MOST_HEURISTIC, sizeof(*found));
	size_t workspace = WORKSPACE_BYTES;
	const uint32_t reductions = REDUCTION_OF_SUMS | (may_reduce_in_place(s) ? REDUCTION_IN_PLACE : 0);
	void *preference = NULL;
	int count = 0;

	if (!found)
		abort();
	if (!s->preference(&preference) && !s->preference_set(preference, PREFERENCE_WORKSPACE, &workspace, sizeof(workspace)) &&
	    !s->preference_set(preference, PREFERENCE_REDUCTIONS, &reductions, sizeof(reductions)))
		s->heuristic(s->handle, s->operation, s->b_layout, s->a_layout, s->c_layout, s->c_layout, preference, MOST_HEURISTIC, found, &count);
	for (int i = 0; i < count; i++)
		if (!found[i].state)
			try_algorithm(s, search, &found[i]);
	search->best[FINALISTS] = search->best[0];
	free(found);
}

/* Every tile with every number of stages of an algorithm, the rest as it comes. */
static void try_tiles(struct baseline_state *s, struct search *search, int id)
{
	int32_t tile[MOST_VALUES + 1], stages[MOST_VALUES + 1];
	int tiles = values_of(s, id, KNOB_tile, tile), depths = values_of(s, id, KNOB_stages, stages);
	struct choice c = { .id = id, .value = { [KNOB_split] = 1 } };
	struct algorithm a;

	for (int i = 0; i < tiles * depths && !is_late(search); i++) {
		c.value[KNOB_tile] = tile[i % tiles];
		c.value[KNOB_stages] = stages[i / tiles];
		if (make(s, &c, &a))
			try_algorithm(s, search, &a);
	}
}

/* Changes one setting at a time while that makes it faster. */
static void climb(struct baseline_state *s, struct search *search, struct choice at, double ns)
{
	int32_t value[MOST_VALUES + 1];
	struct algorithm a;
	bool is_better = true;

	while (is_better && !is_late(search)) {
		is_better = false;
		for (int k = KNOB_COUNT; k-- > 0;) {
			int count = values_of(s, at.id, (enum knob)k, value);
			for (int i = 0; i < count && !is_late(search); i++) {
				struct choice c = at;
				c.value[k] = value[i];
				/* Parts of k are added up somehow. */
				if (k == KNOB_split && value[i] > 1 && !c.value[KNOB_reduction])
					c.value[KNOB_reduction] = REDUCTION_OF_SUMS;
				if (value[i] == at.value[k] || !make(s, &c, &a))
					continue;
				double t = try_algorithm(s, search, &a);
				if (t < 0.995 * ns) {
					ns = t;
					at = c;
					is_better = true;
				}
			}
		}
	}
}

/* The best few and the heuristic's best in turn: the least of single calls is a matter of luck. */
static void decide(struct baseline_state *s, struct search *search)
{
	double sample[FINALISTS + 1][FINAL_ROUNDS];
	int best = 0;

	for (int r = 0; r < FINAL_ROUNDS; r++)
		for (int i = 0; i <= FINALISTS; i++) {
			s->algorithm = search->best[i].algorithm;
			sample[i][r] = search->best[i].ns < INFINITY ? call_ns(s) : INFINITY;
		}
	for (int i = 0; i <= FINALISTS; i++) {
		for (int r = 1; r < FINAL_ROUNDS; r++) /* insertion */
			for (int k = r; k > 0 && sample[i][k] < sample[i][k - 1]; k--) {
				double t = sample[i][k];
				sample[i][k] = sample[i][k - 1];
				sample[i][k - 1] = t;
			}
		search->best[i].ns = sample[i][FINAL_ROUNDS / 2];
		best = search->best[i].ns < search->best[best].ns ? i : best;
	}
	s->algorithm = search->best[best].algorithm;
	search->best[0].ns = search->best[best].ns;
}

#define SETTING_FORMAT "cublasLtMatmul %zu, algorithm %016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %016" PRIx64
#define SETTING_READ "cublasLtMatmul %zu, algorithm %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64

/* What an earlier search chose, in this version of the library; false: nothing that serves. */
static bool choose_again(struct baseline_state *s, const char *setting)
{
	struct algorithm a = { 0 };
	uint64_t d[8];
	size_t version;

	if (sscanf(setting, SETTING_READ, &version, &d[0], &d[1], &d[2], &d[3], &d[4], &d[5], &d[6], &d[7]) != 9 || version != s->version())
		return false;
	if (s->check(s->handle, s->operation, s->b_layout, s->a_layout, s->c_layout, s->c_layout, d, &a) || a.state || a.workspace_bytes > WORKSPACE_BYTES)
		return false;
	memcpy(a.data, d, sizeof(d));
	s->algorithm = a;
	return true;
}

static int choose(struct baseline_state *s, struct strbuf *setting)
{
	int64_t deadline = clock_ns() + baseline_search_ns();
	struct search search = { .deadline = deadline - baseline_search_ns() / 2 };
	struct choice c, from[STARTS];
	double from_ns[STARTS];
	int id[MOST_IDS], ids = 0, starts = 0;

	if (choose_again(s, setting->buf))
		return 0;
	for (int i = 0; i <= FINALISTS; i++)
		search.best[i].ns = INFINITY;
	try_heuristic(s, &search);
	/* Half of the time for all, the other half for the best of them. */
	if (!s->ids(s->handle, s->compute, s->scale_type, s->type_ab, s->type_ab, s->type_cd, s->type_cd, MOST_IDS, id, &ids))
		for (int i = ids; i-- > 0;) /* the newest first */
			try_tiles(s, &search, id[i]);
	search.deadline = deadline;
	for (; starts < STARTS && starts < FINALISTS && search.best[starts].ns < INFINITY; starts++) {
		read_choice(s, &search.best[starts].algorithm, &from[starts]);
		from_ns[starts] = search.best[starts].ns;
	}
	for (int i = 0; i < starts; i++)
		climb(s, &search, from[i], from_ns[i]);
	if (!(search.best[0].ns < INFINITY))
		return -1;
	decide(s, &search);
	const uint64_t *d = s->algorithm.data;
	read_choice(s, &s->algorithm, &c);
	strbuf_reset(setting);
	strbuf_addf(setting, SETTING_FORMAT "; id %d", s->version(), d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], c.id);
	for (int k = 0; k < KNOB_COUNT; k++)
		strbuf_addf(setting, " %s=%d", knob_table[k].name, (int)c.value[k]);
	strbuf_addf(setting, "; the best of %d timed, the heuristic's takes %.3f of its time", search.timed, search.best[FINALISTS].ns / search.best[0].ns);
	return 0;
}

/* ---- opening --------------------------------------------------------- */

static int make_layout(struct baseline_state *s, void **layout, int type, int64_t rows, int64_t columns, int64_t batches)
{
	int count = (int)batches;
	int64_t stride = rows * columns;

	if (s->layout(layout, type, (uint64_t)columns, (uint64_t)rows, columns))
		return -1;
	return batches > 1 && (s->layout_set(*layout, LAYOUT_BATCHES, &count, sizeof(count)) || s->layout_set(*layout, LAYOUT_BATCH_STRIDE, &stride, sizeof(stride)));
}

static int64_t extent_of(const struct problem *p, const char *dim)
{
	int d = op_dim_index(p->op, dim);
	return d < 0 ? 1 : p->dim[d];
}

/* A row added to all rows is a bias, where it is not scaled; anything but that and a whole matrix is not for cuBLASLt. */
static const char *add_c(struct baseline_state *s, const struct problem *p, int *epilogue)
{
	double beta = p->attr[op_attr_index(p->op, "beta")], alpha = p->attr[op_attr_index(p->op, "alpha")];
	int t = op_tensor_index(p->op, s->product->c);
	bool is_row = op_is_ones(p->op, p->attr, t, 0), is_column = op_is_ones(p->op, p->attr, t, 1);

	s->alpha_f64 = alpha;
	s->beta_f64 = is_row ? 0 : beta;
	if (is_column || (is_row && (beta != 1 || s->is_f64)))
		return "cuBLASLt adds whole matrices, and rows that are not scaled, alone";
	if (is_row) {
		s->tensor_bias = t;
		*epilogue |= EPILOGUE_BIAS;
	} else {
		s->tensor_c = t;
	}
	return NULL;
}

static int describe(struct baseline_state *s, const struct problem *p, int epilogue)
{
	const int64_t m = extent_of(p, "M"), n = extent_of(p, "N"), k = extent_of(p, "K"), batches = extent_of(p, "B");
	bool at = s->product->is_a_transposed, bt = s->product->is_b_transposed;
	const int a_transposed = at ? TRANSPOSE : 0, b_transposed = bt ? TRANSPOSE : 0;
	/* Which epilogue there is for a bias of no epilogue at all, is that of the bias. */
	const int told = epilogue & ~EPILOGUE_NONE ? epilogue & ~EPILOGUE_NONE : EPILOGUE_NONE;

	return s->create(&s->handle) || s->desc(&s->operation, s->compute, s->scale_type) ||
	       s->desc_set(s->operation, DESC_TRANSPOSE_A, &b_transposed, sizeof(b_transposed)) ||
	       s->desc_set(s->operation, DESC_TRANSPOSE_B, &a_transposed, sizeof(a_transposed)) ||
	       s->desc_set(s->operation, DESC_EPILOGUE, &told, sizeof(told)) || make_layout(s, &s->a_layout, s->type_ab, at ? k : m, at ? m : k, batches) ||
	       make_layout(s, &s->b_layout, s->type_ab, bt ? n : k, bt ? k : n, batches) || make_layout(s, &s->c_layout, s->type_cd, m, n, batches);
}

/* One more than the library's number of each type; 0: it has none. */
static const int real[DTYPE_COUNT] = { [DTYPE_f32] = REAL_32F + 1, [DTYPE_f64] = REAL_64F + 1, [DTYPE_f16] = REAL_16F + 1, [DTYPE_bf16] = REAL_16BF + 1 };

/* NULL: it has no function for the problem. */
static const struct product *product_of(const struct problem *p, bool is_tf32)
{
	for (const struct product *k = product; k < product + ARRAY_SIZE(product); k++)
		if (!strcmp(k->op, p->op->name))
			return !real[p->dtype] || (is_tf32 && p->dtype != DTYPE_f32) ? NULL : k;
	return NULL;
}

bool cublaslt_serves(const struct problem *p)
{
	return product_of(p, false) != NULL;
}

bool cublaslt_serves_tf32(const struct problem *p)
{
	return product_of(p, true) != NULL;
}

static struct baseline_state *open_as(const struct problem *p, void *const *buf, bool is_tf32, struct strbuf *setting, struct strbuf *why_not)
{
	const struct product *k = product_of(p, is_tf32);
	const char *fault = NULL;

	if (!k) {
		strbuf_addf(why_not, "no function for '%s' of this dtype", p->op->name);
		return NULL;
	}
	void *library = dlopen("libcublasLt.so.13", RTLD_NOW);
	if (!library)
		library = dlopen("libcublasLt.so.12", RTLD_NOW);
	struct baseline_state *s = calloc(1, sizeof(*s));
	if (!s)
		abort();
	int epilogue = k->epilogue, out = op_tensor_index(p->op, k->out);
	s->product = k;
	s->device = launcher_find("cubin")->memory;
	s->is_f64 = p->dtype == DTYPE_f64;
	s->alpha_f64 = 1;
	s->compute = s->is_f64 ? COMPUTE_64F : is_tf32 ? COMPUTE_32F_FAST_TF32 : COMPUTE_32F;
	s->scale_type = s->is_f64 ? REAL_64F : REAL_32F;
	s->tensor_a = op_tensor_index(p->op, k->a);
	s->tensor_b = op_tensor_index(p->op, k->b);
	s->tensor_d = s->tensor_c = out;
	s->tensor_bias = k->bias ? op_tensor_index(p->op, k->bias) : -1;
	s->type_ab = real[problem_tensor_dtype(p, s->tensor_a)] - 1;
	s->type_cd = real[problem_tensor_dtype(p, out)] - 1;
	if (!library || load(s, library)) {
		strbuf_addf(why_not, "cuBLASLt is not installed: %s", dlerror());
		goto fail;
	}
	if (k->c && (fault = add_c(s, p, &epilogue))) {
		strbuf_addstr(why_not, fault);
		goto fail;
	}
	s->alpha = (float)s->alpha_f64;
	s->beta = (float)s->beta_f64;
	s->workspace = s->device->allocate(NULL, WORKSPACE_BYTES, why_not);
	if (!s->workspace)
		goto fail;
	if (describe(s, p, epilogue)) {
		strbuf_addstr(why_not, "cuBLASLt does not take the problem");
		goto fail;
	}
	cublaslt_bind(s, buf);
	if (choose(s, setting)) {
		strbuf_addstr(why_not, "cuBLASLt has no algorithm for the problem");
		goto fail;
	}
	return s;
fail:
	free(s);
	return NULL;
}

struct baseline_state *cublaslt_open(const struct problem *p, const struct target *target, void *const *buf, struct strbuf *setting,
				     struct strbuf *why_not)
{
	(void)target;
	return open_as(p, buf, false, setting, why_not);
}

struct baseline_state *cublaslt_open_tf32(const struct problem *p, const struct target *target, void *const *buf, struct strbuf *setting,
					  struct strbuf *why_not)
{
	(void)target;
	return open_as(p, buf, true, setting, why_not);
}

void cublaslt_bind(struct baseline_state *s, void *const *buf)
{
	s->a = buf[s->tensor_a];
	s->b = buf[s->tensor_b];
	s->c = buf[s->tensor_c];
	s->d = buf[s->tensor_d];
	if (s->tensor_bias >= 0)
		s->desc_set(s->operation, DESC_BIAS_POINTER, &buf[s->tensor_bias], sizeof(buf[0]));
}

/* The worker ends with it. */
void cublaslt_close(struct baseline_state *s)
{
	free(s);
}

const struct baseline baseline_cublaslt = {
	.name = "cublaslt",
	.summary = "cuBLASLt: matrix products on NVIDIA devices, all its algorithms and their settings searched",
	.artifact = "cubin",
	.soname = "libcublasLt.so.13",
	.package = NULL,
	.serves = cublaslt_serves,
	.open = cublaslt_open,
	.bind = cublaslt_bind,
	.run = cublaslt_run,
	.close = cublaslt_close,
};
