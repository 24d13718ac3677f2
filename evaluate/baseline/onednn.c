/*
 * oneDNN 2.x through its C API, loaded when used: matrix products (weights in the
 * layout it prefers, reordered before timing), convolutions, softmax, layer
 * normalisation, relu and gelu.
 */
#include "evaluate/baseline.h"

#include <stdlib.h>
#include <string.h>

#if __has_include(<dnnl.h>)
#include <dlfcn.h>
#include <dnnl.h>
#include <stdio.h>

extern const struct baseline baseline_onednn;

enum { MAX_ARGS = 6 };

struct baseline_state {
	void *library;
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	dnnl_primitive_t primitive;
	dnnl_exec_arg_t arg[MAX_ARGS];
	int tensor[MAX_ARGS]; /* whose memory an argument is; -1: our own, packed once */
	int arg_count;
};

/* The functions used, resolved by name. */
#define FUNCTIONS(X) \
	X(dnnl_engine_create) X(dnnl_stream_create) X(dnnl_memory_desc_init_by_tag) X(dnnl_matmul_desc_init) \
	X(dnnl_convolution_forward_desc_init) X(dnnl_softmax_forward_desc_init) X(dnnl_eltwise_forward_desc_init) \
	X(dnnl_layer_normalization_forward_desc_init) X(dnnl_primitive_desc_create) X(dnnl_primitive_desc_query_md) \
	X(dnnl_primitive_desc_query) X(dnnl_primitive_create) X(dnnl_primitive_execute) X(dnnl_stream_wait) X(dnnl_memory_create) \
	X(dnnl_memory_set_data_handle) X(dnnl_memory_desc_equal) X(dnnl_reorder_primitive_desc_create) X(dnnl_primitive_desc_destroy) X(dnnl_primitive_destroy)

static struct {
#define X(name) __typeof__(&name) name;
	FUNCTIONS(X)
#undef X
} lib;

static bool load(void **library, struct strbuf *why_not)
{
	*library = dlopen(baseline_onednn.soname, RTLD_NOW);
	if (!*library) {
		strbuf_addf(why_not, "oneDNN is not installed: %s", dlerror());
		return false;
	}
#define X(name) \
	*(void **)&lib.name = dlsym(*library, #name); \
	if (!lib.name) { \
		strbuf_addstr(why_not, "oneDNN lacks " #name); \
		return false; \
	}
	FUNCTIONS(X)
#undef X
	return true;
}

struct builder {
	struct baseline_state *s;
	const struct problem *p;
	void *const *buf;
	bool ok;
};

static void must(struct builder *b, dnnl_status_t status)
{
	b->ok = b->ok && status == dnnl_success;
}

static dnnl_data_type_t type_of(enum dtype d)
{
	return d == DTYPE_bf16 ? dnnl_bf16 : dnnl_f32;
}

static dnnl_memory_desc_t desc(struct builder *b, int ndims, const int64_t *dims, dnnl_data_type_t type, dnnl_format_tag_t tag)
{
	dnnl_memory_desc_t md;
	dnnl_dims_t d = { 0 };

	for (int i = 0; i < ndims; i++)
		d[i] = dims[i];
	must(b, lib.dnnl_memory_desc_init_by_tag(&md, ndims, d, type, tag));
	return md;
}

static void add_memory(struct builder *b, int kind, const dnnl_memory_desc_t *md, int tensor, void *data)
{
	if (!b->ok)
		return;
	b->s->tensor[b->s->arg_count] = tensor;
	b->s->arg[b->s->arg_count].arg = kind;
	must(b, lib.dnnl_memory_create(&b->s->arg[b->s->arg_count++].memory, md, b->s->engine, data));
}

static void add_arg(struct builder *b, int kind, const dnnl_memory_desc_t *md, int tensor)
{
	add_memory(b, kind, md, tensor, b->buf[tensor]);
}

/* An operand in the layout the primitive prefers; packed here, outside the timing. */
static void add_packed(struct builder *b, int kind, const_dnnl_primitive_desc_t pd, dnnl_query_t query, const dnnl_memory_desc_t *plain, int tensor)
{
	const dnnl_memory_desc_t *wanted = b->ok ? lib.dnnl_primitive_desc_query_md(pd, query, 0) : NULL;
	dnnl_primitive_desc_t rpd = NULL;
	dnnl_primitive_t reorder = NULL;
	dnnl_exec_arg_t arg[2];

	if (!wanted || lib.dnnl_memory_desc_equal(wanted, plain)) {
		add_arg(b, kind, plain, tensor);
		return;
	}
	must(b, lib.dnnl_memory_create(&arg[0].memory, plain, b->s->engine, b->buf[tensor]));
	add_memory(b, kind, wanted, -1, DNNL_MEMORY_ALLOCATE);
	if (!b->ok)
		return;
	arg[0].arg = DNNL_ARG_FROM;
	arg[1] = b->s->arg[b->s->arg_count - 1];
	arg[1].arg = DNNL_ARG_TO;
	must(b, lib.dnnl_reorder_primitive_desc_create(&rpd, plain, b->s->engine, wanted, b->s->engine, NULL));
	if (b->ok)
		must(b, lib.dnnl_primitive_create(&reorder, rpd));
	if (b->ok)
		must(b, lib.dnnl_primitive_execute(reorder, b->s->stream, 2, arg));
	must(b, lib.dnnl_stream_wait(b->s->stream));
}

static const_dnnl_primitive_desc_t create(struct builder *b, const void *op_desc)
{
	dnnl_primitive_desc_t pd = NULL;

	if (b->ok)
		must(b, lib.dnnl_primitive_desc_create(&pd, op_desc, NULL, b->s->engine, NULL));
	if (b->ok)
		must(b, lib.dnnl_primitive_create(&b->s->primitive, pd));
	return pd;
}

static const_dnnl_primitive_desc_t build_matmul(struct builder *b)
{
	const int64_t *d = b->p->dim, a[] = { d[0], d[2] }, w[] = { d[2], d[1] }, c[] = { d[0], d[1] };
	dnnl_data_type_t type = type_of(b->p->dtype);
	dnnl_memory_desc_t ma = desc(b, 2, a, type, dnnl_ab), any = desc(b, 2, w, type, dnnl_format_tag_any), plain = desc(b, 2, w, type, dnnl_ab),
			   mc = desc(b, 2, c, dnnl_f32, dnnl_ab);
	dnnl_matmul_desc_t md;

	must(b, lib.dnnl_matmul_desc_init(&md, &ma, &any, NULL, &mc));
	const_dnnl_primitive_desc_t pd = create(b, &md);
	add_arg(b, DNNL_ARG_SRC, &ma, 0);
	add_packed(b, DNNL_ARG_WEIGHTS, pd, dnnl_query_weights_md, &plain, 1);
	add_arg(b, DNNL_ARG_DST, &mc, 2);
	return pd;
}

static const_dnnl_primitive_desc_t build_conv2d(struct builder *b)
{
	int64_t x[8], k[8], y[8];

	problem_shape(b->p, 0, x);
	problem_shape(b->p, 1, k);
	problem_shape(b->p, 2, y);
	dnnl_dims_t strides = { (int64_t)b->p->attr[0], (int64_t)b->p->attr[0] }, padding = { (int64_t)b->p->attr[1], (int64_t)b->p->attr[1] };
	/* The data stays in the caller's NCHW; the weights may be packed. */
	dnnl_memory_desc_t mx = desc(b, 4, x, dnnl_f32, dnnl_nchw), any = desc(b, 4, k, dnnl_f32, dnnl_format_tag_any),
			   plain = desc(b, 4, k, dnnl_f32, dnnl_oihw), my = desc(b, 4, y, dnnl_f32, dnnl_nchw);
	dnnl_convolution_desc_t cd;
	must(b, lib.dnnl_convolution_forward_desc_init(&cd, dnnl_forward_inference, dnnl_convolution_auto, &mx, &any, NULL, &my, strides, padding, padding));
	const_dnnl_primitive_desc_t pd = create(b, &cd);
	add_arg(b, DNNL_ARG_SRC, &mx, 0);
	add_packed(b, DNNL_ARG_WEIGHTS, pd, dnnl_query_weights_md, &plain, 1);
	add_arg(b, DNNL_ARG_DST, &my, 2);
	return pd;
}

static const_dnnl_primitive_desc_t build_softmax(struct builder *b)
{
	dnnl_memory_desc_t m = desc(b, 2, b->p->dim, dnnl_f32, dnnl_ab);
	dnnl_softmax_desc_t sd;

	must(b, lib.dnnl_softmax_forward_desc_init(&sd, dnnl_forward_inference, &m, 1));
	const_dnnl_primitive_desc_t pd = create(b, &sd);
	add_arg(b, DNNL_ARG_SRC, &m, 0);
	add_arg(b, DNNL_ARG_DST, &m, 1);
	return pd;
}

static const_dnnl_primitive_desc_t eltwise(struct builder *b, dnnl_alg_kind_t kind)
{
	dnnl_memory_desc_t m = desc(b, 2, b->p->dim, dnnl_f32, dnnl_ab);
	dnnl_eltwise_desc_t ed;

	must(b, lib.dnnl_eltwise_forward_desc_init(&ed, dnnl_forward_inference, kind, &m, 0, 0));
	const_dnnl_primitive_desc_t pd = create(b, &ed);
	add_arg(b, DNNL_ARG_SRC, &m, 0);
	add_arg(b, DNNL_ARG_DST, &m, 1);
	return pd;
}

static const_dnnl_primitive_desc_t build_relu(struct builder *b) { return eltwise(b, dnnl_eltwise_relu); }
static const_dnnl_primitive_desc_t build_gelu(struct builder *b) { return eltwise(b, dnnl_eltwise_gelu_erf); }

static const_dnnl_primitive_desc_t build_layer_norm(struct builder *b)
{
	const int64_t two[] = { 2, b->p->dim[1] };
	dnnl_memory_desc_t m = desc(b, 2, b->p->dim, dnnl_f32, dnnl_ab), ms = desc(b, 2, two, dnnl_f32, dnnl_ab);
	dnnl_layer_normalization_desc_t ld;

	/* Scale and shift as one tensor of two rows, copied together once. */
	must(b, lib.dnnl_layer_normalization_forward_desc_init(&ld, dnnl_forward_inference, &m, NULL, (float)b->p->attr[0], dnnl_use_scaleshift));
	const_dnnl_primitive_desc_t pd = create(b, &ld);
	float *both = malloc(2 * sizeof(float) * (size_t)b->p->dim[1]);
	if (!both)
		abort();
	memcpy(both, b->buf[1], sizeof(float) * (size_t)b->p->dim[1]);
	memcpy(both + b->p->dim[1], b->buf[2], sizeof(float) * (size_t)b->p->dim[1]);
	add_arg(b, DNNL_ARG_SRC, &m, 0);
	add_memory(b, DNNL_ARG_SCALE_SHIFT, &ms, -1, both);
	add_arg(b, DNNL_ARG_DST, &m, 3);
	return pd;
}

/* The library's primitives this binding knows, by operator. */
static const struct {
	const char *op;
	const_dnnl_primitive_desc_t (*build)(struct builder *b);
} primitive[] = {
	{ "matmul", build_matmul }, { "conv2d", build_conv2d }, { "softmax", build_softmax },
	{ "relu", build_relu }, { "gelu", build_gelu }, { "layer_norm", build_layer_norm },
};

static struct baseline_state *open_onednn(const struct problem *p, const struct target *target, void *const *buf,
					  struct strbuf *setting, struct strbuf *why_not)
{
	const char *info = "?";
	char threads[16];

	(void)target;
	for (size_t i = 0; i < ARRAY_SIZE(primitive); i++) {
		if (strcmp(p->op->name, primitive[i].op))
			continue;
		struct baseline_state *s = calloc(1, sizeof(*s));
		struct builder b = { s, p, buf, true };
		if (!s)
			abort();
		snprintf(threads, sizeof(threads), "%d", p->threads);
		setenv("OMP_NUM_THREADS", threads, 1);
		unsetenv("ONEDNN_MAX_CPU_ISA");
		unsetenv("DNNL_MAX_CPU_ISA");
		if (!load(&s->library, why_not)) {
			free(s);
			return NULL;
		}
		must(&b, lib.dnnl_engine_create(&s->engine, dnnl_cpu, 0));
		must(&b, lib.dnnl_stream_create(&s->stream, s->engine, dnnl_stream_default_flags));
		const_dnnl_primitive_desc_t pd = b.ok ? primitive[i].build(&b) : NULL;
		if (!b.ok) {
			strbuf_addf(why_not, "oneDNN refuses this problem");
			free(s);
			return NULL;
		}
		lib.dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &info);
		strbuf_reset(setting);
		strbuf_addf(setting, "%s, weights in its own layout, packed before timing, %s threads", info, threads);
		return s;
	}
	strbuf_addf(why_not, "no primitive for '%s'", p->op->name);
	return NULL;
}

static void bind(struct baseline_state *s, void *const *buf)
{
	for (int i = 0; i < s->arg_count; i++)
		if (s->tensor[i] >= 0)
			lib.dnnl_memory_set_data_handle(s->arg[i].memory, buf[s->tensor[i]]);
}

static int run(struct baseline_state *s)
{
	return lib.dnnl_primitive_execute(s->primitive, s->stream, s->arg_count, s->arg) != dnnl_success || lib.dnnl_stream_wait(s->stream) != dnnl_success;
}
#else
static struct baseline_state *open_onednn(const struct problem *p, const struct target *target, void *const *buf,
					  struct strbuf *setting, struct strbuf *why_not)
{
	(void)p;
	(void)target;
	(void)buf;
	(void)setting;
	strbuf_addstr(why_not, "built without oneDNN's header: apt-get install libdnnl-dev, then make clean all");
	return NULL;
}

static void bind(struct baseline_state *s, void *const *buf)
{
	(void)s;
	(void)buf;
}

static int run(struct baseline_state *s)
{
	(void)s;
	return -1;
}
#endif

static void close_onednn(struct baseline_state *s)
{
	free(s);
}

const struct baseline baseline_onednn = {
	.name = "onednn",
	.summary = "oneDNN: matrix products, convolutions, softmax, norms, activations",
	.artifact = "so",
	.soname = "libdnnl.so.2",
	.package = "libdnnl2",
	.open = open_onednn,
	.bind = bind,
	.run = run,
	.close = close_onednn,
};
