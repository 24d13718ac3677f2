/*
 * cuDNN: convolutions on NVIDIA devices, forward and transposed, in one to three dimensions, by the
 * fastest of all engine configurations that its heuristics name, each timed (what PyTorch calls
 * benchmarking).  f32 is strict: no engine that rounds to TF32.
 *
 * Rows with channels last take input, filter and output to lie so, converted by nobody: what
 * a program that keeps its data so would have.
 *
 * The library is loaded on use and its interface declared here: cudnn_graph.h of cuDNN 9.
 */
#include "evaluate/baseline/cudnn.h"
#include "ops/core/launch.h"
#include "ops/core/proc.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cudnnBackendDescriptorType_t */
enum { CONVOLUTION = 1, ENGINE_CONFIG = 3, ENGINE_HEURISTIC = 4, PLAN = 5, FORWARD = 10, BACKWARD_DATA = 12, GRAPH = 15, VARIANT_PACK = 16, TENSOR = 17 };
enum { ENGINE = 2 };
/* cudnnBackendAttributeType_t */
enum { TYPE_HANDLE = 0, TYPE_DTYPE = 1, TYPE_BOOLEAN = 2, TYPE_INT64 = 3, TYPE_FLOAT = 4, TYPE_DOUBLE = 5, TYPE_POINTER = 6, TYPE_CONVOLUTION_MODE = 7,
       TYPE_HEURISTIC = 8, TYPE_NUMERICAL_NOTE = 11, TYPE_DESCRIPTOR = 15 };
/* cudnnBackendAttributeName_t */
enum { CONVOLUTION_COMPUTE = 100, CONVOLUTION_MODE, CONVOLUTION_DILATIONS, CONVOLUTION_STRIDES, CONVOLUTION_POST_PADDINGS, CONVOLUTION_PRE_PADDINGS,
       CONVOLUTION_SPATIAL_DIMS };
enum { HEURISTIC_MODE = 200, HEURISTIC_GRAPH, HEURISTIC_RESULTS, CONFIG_ENGINE = 300, PLAN_HANDLE = 400, PLAN_CONFIG, PLAN_WORKSPACE,
       ENGINE_INDEX = 1301, ENGINE_NUMERICAL_NOTE = 1303 };
enum { FORWARD_ALPHA = 700, FORWARD_BETA, FORWARD_CONVOLUTION, FORWARD_W, FORWARD_X, FORWARD_Y, BACKWARD_ALPHA, BACKWARD_BETA, BACKWARD_CONVOLUTION, BACKWARD_W,
       BACKWARD_DX, BACKWARD_DY };
enum { GRAPH_HANDLE = 800, GRAPH_OPS, TENSOR_ALIGNMENT = 900, TENSOR_DTYPE, TENSOR_DIMS, TENSOR_STRIDES, TENSOR_ID = 906, PACK_IDS = 1000, PACK_POINTERS,
       PACK_WORKSPACE = 1003 };
enum { NOTE_TENSOR_CORE = 0, NOTE_DOWN_CONVERT = 1, CROSS_CORRELATION = 1, MOST_NOTES = 16 };
/* cudnnDataType_t, plus one; 0: no convolutions of it. */
static const int data_type[DTYPE_COUNT] = { [DTYPE_f32] = 1, [DTYPE_f64] = 2, [DTYPE_f16] = 3, [DTYPE_bf16] = 10 };

enum { MOST_DIMS = 5, MOST_CONFIGS = 128, ROUNDS = 3, FINALISTS = 4, FINAL_ROUNDS = 7 };
#define WORKSPACE_MOST ((int64_t)4 << 30)

#define LIBRARY(X) \
	X(create, "cudnnCreate", (void **handle)) \
	X(set_stream, "cudnnSetStream", (void *handle, void *stream)) \
	X(make, "cudnnBackendCreateDescriptor", (int kind, void **descriptor)) \
	X(destroy, "cudnnBackendDestroyDescriptor", (void *descriptor)) \
	X(finalize, "cudnnBackendFinalize", (void *descriptor)) \
	X(set, "cudnnBackendSetAttribute", (void *descriptor, int name, int type, int64_t count, const void *values)) \
	X(get, "cudnnBackendGetAttribute", (void *descriptor, int name, int type, int64_t wanted, int64_t *count, void *values)) \
	X(execute, "cudnnBackendExecute", (void *handle, void *plan, void *pack))

/* One way to run it. */
struct way {
	void *plan;
	int64_t workspace_bytes;
	int heuristic, engine, number; /* the mode that named it, its engine, which of the mode's */
	double ns;
};
struct baseline_state {
#define X(field, symbol, arguments) int(*field) arguments;
	LIBRARY(X)
#undef X
	size_t (*version)(void);
	const struct launcher_memory *device;
	void *handle, *workspace, *pack;
	int64_t workspace_bytes;
	void *x, *k, *y;
	struct way way;
};

/* A convolution: y = x * k, or, transposed, the x whose convolution y is. */
struct shape {
	int spatial, dtype;
	bool is_transposed, is_channels_last;
	int64_t x[MOST_DIMS], k[MOST_DIMS], y[MOST_DIMS]; /* of the operator's tensors; one of one dimension gets a second of extent 1 */
	int64_t stride[3], padding[3], dilation[3];
};

/* The operators this binding knows: their spatial letters, which follow S, P and D in attributes' names. */
static const struct convolution {
	const char *op, *spatial;
	bool is_transposed;
} convolution[] = {
	{ "conv1d", "", false }, { "conv2d", "", false }, { "conv2d_grouped", "HW", false }, { "conv3d", "ZHW", false },
	{ "conv_transpose1d", "", true }, { "conv_transpose2d", "HW", true }, { "conv_transpose3d", "ZHW", true },
};

static int load(struct baseline_state *s, void *library)
{
#define X(field, symbol, arguments) \
	*(void **)&s->field = dlsym(library, symbol); \
	if (!s->field) \
		return -1;
	LIBRARY(X)
#undef X
	*(void **)&s->version = dlsym(library, "cudnnGetVersion");
	return s->version ? 0 : -1;
}

/* ---- describing the problem ------------------------------------------ */

static int64_t attribute(const struct problem *p, char letter, const char *spatial, int i, int64_t otherwise)
{
	/* "SH", or "S" where all dimensions have one. */
	const char name[3] = { letter, spatial[0] ? spatial[i] : 0, 0 };
	int a = op_attr_index(p->op, name);

	return a < 0 ? otherwise : (int64_t)p->attr[a];
}

/* Pads a shape of one spatial dimension to two: cuDNN has no fewer. */
static int spread(const struct problem *p, const char *tensor, int64_t *extent)
{
	int64_t own[OP_MAX_RANK];
	int rank = problem_shape(p, op_tensor_index(p->op, tensor), own);

	for (int i = 0; i < rank && i < MOST_DIMS; i++)
		extent[i] = own[i];
	if (rank == 3) {
		extent[3] = extent[2];
		extent[2] = 1;
	}
	return rank - 2;
}

static void shape_of(const struct problem *p, const struct convolution *c, struct shape *shape)
{
	int own = spread(p, "x", shape->x);

	spread(p, "k", shape->k);
	spread(p, "y", shape->y);
	shape->spatial = own == 1 ? 2 : own;
	shape->is_transposed = c->is_transposed;
	shape->dtype = data_type[p->dtype] - 1;
	for (int i = 0; i < shape->spatial; i++) {
		bool is_made_up = own == 1 && i == 0;
		int at = own == 1 ? 0 : i;
		shape->stride[i] = is_made_up ? 1 : attribute(p, 'S', c->spatial, at, 1);
		shape->padding[i] = is_made_up ? 0 : attribute(p, 'P', c->spatial, at, 0);
		shape->dilation[i] = is_made_up ? 1 : attribute(p, 'D', c->spatial, at, 1);
	}
}

/* A descriptor that collects faults: NULL once anything failed. */
struct maker {
	struct baseline_state *s;
	int error;
};

static void *begin(struct maker *m, int kind)
{
	void *d = NULL;

	if (!m->error)
		m->error = m->s->make(kind, &d);
	return d;
}

static void put(struct maker *m, void *d, int name, int type, int64_t count, const void *values)
{
	if (!m->error)
		m->error = m->s->set(d, name, type, count, values);
}

static void *finish(struct maker *m, void *d)
{
	if (!m->error)
		m->error = m->s->finalize(d);
	return d;
}

static void *make_tensor(struct maker *m, const struct shape *shape, const int64_t *extent, int64_t id)
{
	void *d = begin(m, TENSOR);
	int64_t stride[MOST_DIMS], alignment = 16, step = 1;
	int rank = shape->spatial + 2;

	for (int i = rank; i-- > 1;) {
		/* Dense: the last dimension moves fastest, or the channels do. */
		int at = !shape->is_channels_last ? i : i == rank - 1 ? 1 : i + 1;
		stride[at] = step;
		step *= extent[at];
	}
	stride[0] = step;
	put(m, d, TENSOR_DTYPE, TYPE_DTYPE, 1, &shape->dtype);
	put(m, d, TENSOR_DIMS, TYPE_INT64, rank, extent);
	put(m, d, TENSOR_STRIDES, TYPE_INT64, rank, stride);
	put(m, d, TENSOR_ID, TYPE_INT64, 1, &id);
	put(m, d, TENSOR_ALIGNMENT, TYPE_INT64, 1, &alignment);
	return finish(m, d);
}

static void *make_convolution(struct maker *m, const struct shape *shape)
{
	void *d = begin(m, CONVOLUTION);
	int64_t spatial = shape->spatial;
	int mode = CROSS_CORRELATION, compute = shape->dtype == data_type[DTYPE_f64] - 1 ? shape->dtype : data_type[DTYPE_f32] - 1;

	put(m, d, CONVOLUTION_COMPUTE, TYPE_DTYPE, 1, &compute);
	put(m, d, CONVOLUTION_MODE, TYPE_CONVOLUTION_MODE, 1, &mode);
	put(m, d, CONVOLUTION_SPATIAL_DIMS, TYPE_INT64, 1, &spatial);
	put(m, d, CONVOLUTION_DILATIONS, TYPE_INT64, spatial, shape->dilation);
	put(m, d, CONVOLUTION_STRIDES, TYPE_INT64, spatial, shape->stride);
	put(m, d, CONVOLUTION_PRE_PADDINGS, TYPE_INT64, spatial, shape->padding);
	put(m, d, CONVOLUTION_POST_PADDINGS, TYPE_INT64, spatial, shape->padding);
	return finish(m, d);
}

enum { ID_X = 'x', ID_K = 'k', ID_Y = 'y' };

/* The operation graph of the one operation; m->error where cuDNN refuses it. */
static void *make_graph(struct maker *m, const struct shape *shape)
{
	void *x = make_tensor(m, shape, shape->x, ID_X), *k = make_tensor(m, shape, shape->k, ID_K);
	void *y = make_tensor(m, shape, shape->y, ID_Y), *c = make_convolution(m, shape);
	void *op = begin(m, shape->is_transposed ? BACKWARD_DATA : FORWARD), *graph;
	bool is_f64 = shape->dtype == data_type[DTYPE_f64] - 1;
	const float one = 1, zero = 0;
	const double one_f64 = 1, zero_f64 = 0;
	const void *alpha = is_f64 ? (const void *)&one_f64 : &one, *beta = is_f64 ? (const void *)&zero_f64 : &zero;
	int real = is_f64 ? TYPE_DOUBLE : TYPE_FLOAT;

	/* What a transposed convolution takes, the gradient of a convolution has for its output's. */
	put(m, op, shape->is_transposed ? BACKWARD_CONVOLUTION : FORWARD_CONVOLUTION, TYPE_DESCRIPTOR, 1, &c);
	put(m, op, shape->is_transposed ? BACKWARD_DY : FORWARD_X, TYPE_DESCRIPTOR, 1, &x);
	put(m, op, shape->is_transposed ? BACKWARD_W : FORWARD_W, TYPE_DESCRIPTOR, 1, &k);
	put(m, op, shape->is_transposed ? BACKWARD_DX : FORWARD_Y, TYPE_DESCRIPTOR, 1, &y);
	put(m, op, shape->is_transposed ? BACKWARD_ALPHA : FORWARD_ALPHA, real, 1, alpha);
	put(m, op, shape->is_transposed ? BACKWARD_BETA : FORWARD_BETA, real, 1, beta);
	finish(m, op);
	graph = begin(m, GRAPH);
	put(m, graph, GRAPH_HANDLE, TYPE_HANDLE, 1, &m->s->handle);
	put(m, graph, GRAPH_OPS, TYPE_DESCRIPTOR, 1, &op);
	return finish(m, graph);
}

/* ---- choosing -------------------------------------------------------- */

/* Does it round f32 factors?  Then it is of the row with TF32 alone. */
static bool is_rounding(struct baseline_state *s, void *config, int *number)
{
	void *engine = NULL;
	int note[MOST_NOTES];
	int64_t count = 0, index = -1, got = 0;
	bool rounds = false;

	if (s->make(ENGINE, &engine) || s->get(config, CONFIG_ENGINE, TYPE_DESCRIPTOR, 1, &got, &engine))
		return true;
	if (s->get(engine, ENGINE_NUMERICAL_NOTE, TYPE_NUMERICAL_NOTE, MOST_NOTES, &count, note))
		count = 0;
	for (int64_t i = 0; i < count && i < MOST_NOTES; i++)
		rounds |= note[i] == NOTE_TENSOR_CORE || note[i] == NOTE_DOWN_CONVERT;
	s->get(engine, ENGINE_INDEX, TYPE_INT64, 1, &got, &index);
	*number = (int)index;
	s->destroy(engine);
	return rounds;
}

static int make_pack(struct baseline_state *s)
{
	struct maker m = { .s = s };
	const int64_t id[] = { ID_X, ID_K, ID_Y };
	void *pointer[] = { s->x, s->k, s->y };

	if (s->pack)
		s->destroy(s->pack);
	s->pack = begin(&m, VARIANT_PACK);
	put(&m, s->pack, PACK_IDS, TYPE_INT64, 3, id);
	put(&m, s->pack, PACK_POINTERS, TYPE_POINTER, 3, pointer);
	put(&m, s->pack, PACK_WORKSPACE, TYPE_POINTER, 1, &s->workspace);
	finish(&m, s->pack);
	return m.error;
}

int cudnn_run(struct baseline_state *s)
{
	return s->execute(s->handle, s->way.plan, s->pack);
}

/* One call by the device's clock [ns]; INFINITY when it fails. */
static double call_ns(struct baseline_state *s)
{
	return baseline_call_ns(s->device, s, cudnn_run);
}

/* Room for it; false when the device has not so much. */
static bool make_room(struct baseline_state *s, int64_t bytes)
{
	struct strbuf ignored = STRBUF_INIT;

	if (bytes > s->workspace_bytes) {
		void *more = s->device->allocate(NULL, (size_t)bytes, &ignored);
		strbuf_release(&ignored);
		if (!more)
			return false;
		s->workspace = more;
		s->workspace_bytes = bytes;
		return !make_pack(s);
	}
	return true;
}

/* Makes a plan of a configuration; false: cuDNN does not take it here. */
static bool make_plan(struct baseline_state *s, void *config, struct way *w)
{
	struct maker m = { .s = s };
	int64_t got;

	w->plan = begin(&m, PLAN);
	put(&m, w->plan, PLAN_HANDLE, TYPE_HANDLE, 1, &s->handle);
	put(&m, w->plan, PLAN_CONFIG, TYPE_DESCRIPTOR, 1, &config);
	finish(&m, w->plan);
	if (!m.error)
		m.error = s->get(w->plan, PLAN_WORKSPACE, TYPE_INT64, 1, &got, &w->workspace_bytes);
	if (m.error || w->workspace_bytes > WORKSPACE_MOST || !make_room(s, w->workspace_bytes)) {
		if (w->plan)
			s->destroy(w->plan);
		return false;
	}
	return true;
}

struct choices {
	struct way best[FINALISTS]; /* fastest first; ns INFINITY: none */
	int timed, named;
	int64_t deadline;
};

static void enter(struct baseline_state *s, struct choices *c, const struct way *w)
{
	int at = FINALISTS;

	while (at > 0 && w->ns < c->best[at - 1].ns)
		at--;
	if (at == FINALISTS) {
		s->destroy(w->plan);
		return;
	}
	if (c->best[FINALISTS - 1].plan)
		s->destroy(c->best[FINALISTS - 1].plan);
	memmove(&c->best[at + 1], &c->best[at], (size_t)(FINALISTS - 1 - at) * sizeof(*w));
	c->best[at] = *w;
}

static void try_config(struct baseline_state *s, struct choices *c, void *config, struct way w)
{
	struct strbuf ignored = STRBUF_INIT;

	if (clock_ns() > c->deadline || !make_plan(s, config, &w))
		return;
	s->way = w;
	c->timed++;
	w.ns = INFINITY;
	/* What it loads or compiles, it does now. */
	if (!cudnn_run(s) && !s->device->wait(NULL, &ignored)) {
		w.ns = call_ns(s);
		for (int i = 1; i < ROUNDS && w.ns < 1.2 * c->best[0].ns; i++)
			w.ns = fmin(w.ns, call_ns(s));
	}
	enter(s, c, &w);
	strbuf_release(&ignored);
}

/* All that one heuristic names for the problem in one layout. */
static void try_heuristic(struct baseline_state *s, struct choices *c, void *graph, int mode, bool may_round)
{
	struct maker m = { .s = s };
	void *heuristic = begin(&m, ENGINE_HEURISTIC), *config[MOST_CONFIGS] = { NULL };
	int64_t count = 0;
	struct way w = { .heuristic = mode };

	put(&m, heuristic, HEURISTIC_GRAPH, TYPE_DESCRIPTOR, 1, &graph);
	put(&m, heuristic, HEURISTIC_MODE, TYPE_HEURISTIC, 1, &mode);
	finish(&m, heuristic);
	for (int i = 0; i < MOST_CONFIGS; i++)
		config[i] = begin(&m, ENGINE_CONFIG);
	if (!m.error && s->get(heuristic, HEURISTIC_RESULTS, TYPE_DESCRIPTOR, MOST_CONFIGS, &count, config))
		count = 0;
	for (w.number = 0; !m.error && w.number < count; w.number++) {
		bool rounds = is_rounding(s, config[w.number], &w.engine);
		c->named++;
		if (may_round || !rounds)
			try_config(s, c, config[w.number], w);
	}
	for (int i = 0; i < MOST_CONFIGS; i++)
		if (config[i])
			s->destroy(config[i]);
	if (heuristic)
		s->destroy(heuristic);
}

/* The best few in turn: the least of single calls is a matter of luck. */
static void decide(struct baseline_state *s, struct choices *c)
{
	double sum[FINALISTS] = { 0 };
	int best = 0;

	for (int r = 0; r < FINAL_ROUNDS; r++)
		for (int i = 0; i < FINALISTS && c->best[i].ns < INFINITY; i++) {
			s->way = c->best[i];
			sum[i] += call_ns(s);
		}
	for (int i = 1; i < FINALISTS && c->best[i].ns < INFINITY; i++)
		best = sum[i] < sum[best] ? i : best;
	s->way = c->best[best];
}

#define SETTING_FORMAT "cuDNN %zu, mode %d, configuration %d, engine %d"

/* What an earlier search chose; false: nothing that serves. */
static bool parse_setting(struct baseline_state *s, const char *setting, struct way *w)
{
	size_t version;

	return sscanf(setting, SETTING_FORMAT, &version, &w->heuristic, &w->number, &w->engine) == 4 && version == s->version();
}

/* Times that one configuration alone, as far as it is there again. */
static void try_again(struct baseline_state *s, struct choices *c, const struct shape *shape, const struct way *known)
{
	struct maker m = { .s = s };
	void *graph = make_graph(&m, shape), *heuristic = begin(&m, ENGINE_HEURISTIC), *config[MOST_CONFIGS] = { NULL };
	struct way w = *known;
	int64_t count = 0;

	put(&m, heuristic, HEURISTIC_GRAPH, TYPE_DESCRIPTOR, 1, &graph);
	put(&m, heuristic, HEURISTIC_MODE, TYPE_HEURISTIC, 1, &known->heuristic);
	finish(&m, heuristic);
	for (int i = 0; i < MOST_CONFIGS; i++)
		config[i] = begin(&m, ENGINE_CONFIG);
	if (!m.error && !s->get(heuristic, HEURISTIC_RESULTS, TYPE_DESCRIPTOR, MOST_CONFIGS, &count, config) && known->number < count) {
		is_rounding(s, config[known->number], &w.engine);
		if (w.engine == known->engine)
			try_config(s, c, config[known->number], w);
	}
}

static int choose(struct baseline_state *s, const struct shape *shape, bool may_round, struct strbuf *setting)
{
	static const int mode[] = { 3, 1, 2 }; /* A, B, fallback */
	struct choices c = { .deadline = clock_ns() + baseline_search_ns() };
	struct way known = { 0 };

	for (int i = 0; i < FINALISTS; i++)
		c.best[i].ns = INFINITY;
	if (parse_setting(s, setting->buf, &known)) {
		try_again(s, &c, shape, &known);
		if (c.best[0].ns < INFINITY) {
			s->way = c.best[0];
			return 0;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(mode); i++) {
		struct maker m = { .s = s };
		void *graph = make_graph(&m, shape);
		if (!m.error)
			try_heuristic(s, &c, graph, mode[i], may_round);
	}
	if (!(c.best[0].ns < INFINITY))
		return -1;
	decide(s, &c);
	strbuf_reset(setting);
	strbuf_addf(setting, SETTING_FORMAT, s->version(), s->way.heuristic, s->way.number, s->way.engine);
	strbuf_addf(setting, ", %lld bytes of workspace; %d timed of %d named", (long long)s->way.workspace_bytes, c.timed, c.named);
	return 0;
}

/* ---- opening --------------------------------------------------------- */

/* NULL: it has no function for the problem. */
static const struct convolution *convolution_of(const struct problem *p, bool is_tf32)
{
	for (const struct convolution *c = convolution; c < convolution + ARRAY_SIZE(convolution); c++)
		if (!strcmp(c->op, p->op->name))
			return !data_type[p->dtype] || (is_tf32 && p->dtype != DTYPE_f32) ? NULL : c;
	return NULL;
}

bool cudnn_serves(const struct problem *p)
{
	return convolution_of(p, false) != NULL;
}

bool cudnn_serves_tf32(const struct problem *p)
{
	return convolution_of(p, true) != NULL;
}

static struct baseline_state *open_as(const struct problem *p, void *const *buf, bool is_channels_last, bool is_tf32, struct strbuf *setting,
				      struct strbuf *why_not)
{
	const struct convolution *c = convolution_of(p, is_tf32);
	struct shape shape = { .is_channels_last = is_channels_last };

	if (!c) {
		strbuf_addf(why_not, "no function for '%s' of this dtype", p->op->name);
		return NULL;
	}
	void *library = dlopen("libcudnn.so.9", RTLD_NOW);
	struct baseline_state *s = calloc(1, sizeof(*s));
	if (!s)
		abort();
	s->device = launcher_find("cubin")->memory;
	if (!library || load(s, library)) {
		strbuf_addf(why_not, "cuDNN is not installed: %s", dlerror());
		goto fail;
	}
	shape_of(p, c, &shape);
	cudnn_bind(s, buf);
	if (s->create(&s->handle) || s->set_stream(s->handle, s->device->stream) || !make_room(s, 1 << 20)) {
		strbuf_addstr(why_not, "cuDNN does not start");
		goto fail;
	}
	/* Factors of other types than f32 are on the matrix units as they are. */
	if (choose(s, &shape, is_tf32 || p->dtype != DTYPE_f32, setting)) {
		strbuf_addstr(why_not, "cuDNN has no engine for the problem");
		goto fail;
	}
	return s;
fail:
	free(s);
	return NULL;
}

#define OPEN_AS(name, is_channels_last, is_tf32) \
	CUDNN_OPEN(name) \
	{ \
		(void)target; \
		return open_as(p, buf, is_channels_last, is_tf32, setting, why_not); \
	}
OPEN_AS(cudnn_open, false, false)
OPEN_AS(cudnn_open_tf32, false, true)
OPEN_AS(cudnn_open_channels_last, true, false)
OPEN_AS(cudnn_open_channels_last_tf32, true, true)

/* The operators' tensors are the input, the filter and the output, in this order. */
void cudnn_bind(struct baseline_state *s, void *const *buf)
{
	s->x = buf[0];
	s->k = buf[1];
	s->y = buf[2];
	if (s->handle)
		make_pack(s);
}

/* The worker ends with it. */
void cudnn_close(struct baseline_state *s)
{
	free(s);
}

const struct baseline baseline_cudnn = {
	.name = "cudnn",
	.summary = "cuDNN: convolutions on NVIDIA devices, all that its heuristics name timed",
	.artifact = "cubin",
	.soname = "libcudnn.so.9",
	.package = NULL,
	.serves = cudnn_serves,
	.open = cudnn_open,
	.bind = cudnn_bind,
	.run = cudnn_run,
	.close = cudnn_close,
};
