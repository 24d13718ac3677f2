/*
 * cubin.c: a grid program in a code object of NVIDIA's, launched through the CUDA
 * driver's interface, which is loaded on use: no header and no library of CUDA's
 * is needed to build this.
 *
 * A kernel takes the plan's buffers, then its run-time dims as 64-bit integers, then its
 * step's tensor maps; two null pointers behind them are for kernels of Triton, whose last
 * parameters are memory that none of ours wants.  A variable <symbol>_shared of the code
 * object adds to the bytes of shared memory of the step's launch: what only its compiler
 * knew.  Blocks lie along x, numbered row-major.  What a launch does wrong shows at the
 * next call that waits: read(), or wait().
 */
#include "ops/core/launch.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STEPS 16
#define MAX_BUFFERS 32

enum { GUARD_BYTES = 4096, GUARD = 0xa55a }; /* around temporaries */

typedef unsigned long long device_pointer;

/* CUlaunchConfig and its attributes, of which one is used here: CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION. */
enum { CLUSTER_DIMENSION = 4 };
struct launch_attribute {
	int id;
	char padding[4];
	union {
		unsigned cluster[3];
		char bytes[64];
	};
};
struct launch_config {
	unsigned gx, gy, gz, bx, by, bz, shared_bytes;
	void *stream;
	struct launch_attribute *attribute;
	unsigned attribute_count;
};

/* The driver's entry points: X(field, symbol, arguments).  All return 0 or an error's number. */
#define DRIVER(X) \
	X(init, "cuInit", (unsigned flags)) \
	X(device_get, "cuDeviceGet", (int *device, int ordinal)) \
	X(context_retain, "cuDevicePrimaryCtxRetain", (void **context, int device)) \
	X(context_release, "cuDevicePrimaryCtxRelease_v2", (int device)) \
	X(context_set, "cuCtxSetCurrent", (void *context)) \
	X(wait, "cuCtxSynchronize", (void)) \
	X(module_load, "cuModuleLoad", (void **module, const char *path)) \
	X(module_text, "cuModuleLoadData", (void **module, const char *text)) \
	X(module_unload, "cuModuleUnload", (void *module)) \
	X(module_function, "cuModuleGetFunction", (void **function, void *module, const char *name)) \
	X(module_global, "cuModuleGetGlobal_v2", (device_pointer *memory, size_t *bytes, void *module, const char *name)) \
	X(function_set, "cuFuncSetAttribute", (void *function, int attribute, int value)) \
	X(allocate, "cuMemAlloc_v2", (device_pointer *memory, size_t bytes)) \
	X(release, "cuMemFree_v2", (device_pointer memory)) \
	X(upload, "cuMemcpyHtoD_v2", (device_pointer to, const void *from, size_t bytes)) \
	X(download, "cuMemcpyDtoH_v2", (void *to, device_pointer from, size_t bytes)) \
	X(fill, "cuMemsetD16_v2", (device_pointer to, uint16_t value, size_t halves)) \
	X(fill_later, "cuMemsetD8Async", (device_pointer to, unsigned char value, size_t bytes, void *stream)) \
	X(launch, "cuLaunchKernel", (void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, \
				     unsigned shared_bytes, void *stream, void **argument, void **extra)) \
	X(launch_more, "cuLaunchKernelEx", (const struct launch_config *config, void *function, void **argument, void **extra)) \
	X(event_create, "cuEventCreate", (void **event, unsigned flags)) \
	X(event_record, "cuEventRecordWithFlags", (void *event, void *stream, unsigned flags)) \
	X(event_elapsed, "cuEventElapsedTime", (float *ms, void *start, void *end)) \
	X(host_allocate, "cuMemHostAlloc", (void **memory, size_t bytes, unsigned flags)) \
	X(host_pointer, "cuMemHostGetDevicePointer_v2", (device_pointer *device, void *host, unsigned flags)) \
	X(wait_value, "cuStreamWaitValue32_v2", (void *stream, device_pointer at, unsigned value, unsigned flags)) \
	X(record, "cuStreamBeginCapture_v2", (void *stream, int mode)) \
	X(record_end, "cuStreamEndCapture", (void *stream, void **graph)) \
	X(graph_ready, "cuGraphInstantiateWithFlags", (void **ready, void *graph, unsigned long long flags)) \
	X(graph_upload, "cuGraphUpload", (void *ready, void *stream)) \
	X(graph_launch, "cuGraphLaunch", (void *ready, void *stream)) \
	X(graph_release, "cuGraphDestroy", (void *graph)) \
	X(graph_ready_release, "cuGraphExecDestroy", (void *ready)) \
	X(persisting_reset, "cuCtxResetPersistingL2Cache", (void)) \
	X(attribute, "cuDeviceGetAttribute", (int *value, int attribute, int device)) \
	X(error_name, "cuGetErrorName", (int error, const char **name))

/* Of CUresult: what no kernel did. */
enum {
	OUT_OF_MEMORY = 2, STUB_LIBRARY = 34, DEVICE_UNAVAILABLE = 46, NO_DEVICE = 100, INVALID_DEVICE = 101, NO_BINARY_FOR_GPU = 209,
	UNSUPPORTED_PTX_VERSION = 222, SYSTEM_NOT_READY = 802, SYSTEM_DRIVER_MISMATCH = 803, COMPAT_NOT_SUPPORTED = 804,
};

enum { MAX_DYNAMIC_SHARED = 8 };      /* CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES */
enum { LARGER_CLUSTER = 14, PORTABLE_CLUSTER = 8 }; /* CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED: of more than 8 blocks */
enum { MULTIPROCESSORS = 16, L2_BYTES = 38 }; /* CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, _L2_CACHE_SIZE */
/* CU_STREAM_PER_THREAD: it waits for the default stream and is waited for by it, as that one does for itself, but can be recorded. */
#define STREAM ((void *)2)
enum { NO_INTERLEAVE = 0, PROMOTE_256_BYTES = 3, ZEROS_OUTSIDE = 0 }; /* of cuTensorMapEncodeTiled and cuTensorMapEncodeIm2col */

/* One more than the CUtensorMapDataType of each type; 0: the copy engine has none. */
static const int tensor_type[DTYPE_COUNT] = {
	[DTYPE_u8] = 1, [DTYPE_i8] = 1, [DTYPE_i32] = 4, [DTYPE_i64] = 6, [DTYPE_f16] = 7, [DTYPE_f32] = 8, [DTYPE_f64] = 9, [DTYPE_bf16] = 10,
};

/* CUtensorMap: opaque, 128 bytes, aligned to 64 (CUDA Driver API 13.0, tensor map objects). */
struct tensor_map {
	_Alignas(64) char bytes[128];
};

static struct {
	void *library;
	/* Both since driver 12.0; asked for by plans with tensors alone. */
	int (*encode)(struct tensor_map *map, int type, unsigned rank, void *base, const uint64_t *dim, const uint64_t *stride_bytes,
		      const unsigned *box, const unsigned *step, int interleave, int swizzle, int promotion, int outside);
	int (*encode_pixels)(struct tensor_map *map, int type, unsigned rank, void *base, const uint64_t *dim, const uint64_t *stride_bytes,
			     const int *lower, const int *upper, unsigned channels, unsigned pixels, const unsigned *step, int interleave, int swizzle,
			     int promotion, int outside);
#define X(field, symbol, arguments) int(*field) arguments;
	DRIVER(X)
#undef X
	int last_error;
	bool is_ready;    /* the device's context was made, and its memory taken: what fails from now on is a kernel's doing */
	void *own, *own_sum, *own_canary; /* the module of our own kernels */
	device_pointer scratch;
} cu;

struct kernel {
	const struct plan *plan;
	int device;
	void *context, *module;
	void *function[MAX_STEPS];
	int64_t shared_bytes[MAX_STEPS];
	device_pointer own[MAX_BUFFERS]; /* temporaries the kernel keeps */
	int64_t own_bytes[MAX_BUFFERS];
	int64_t dim[PLAN_MAX_NAMES];     /* of the grids below */
	bool is_ready;
	int multiprocessors;
	int64_t blocks[MAX_STEPS];
	struct tensor_map map[MAX_STEPS][PLAN_MAX_TENSORS];
};

/* 0, or -1 with "<what> failed: CUDA_ERROR_..." in *err. */
static int checked(int error, const char *what, struct strbuf *err)
{
	const char *name = NULL;

	if (!error)
		return 0;
	cu.last_error = error;
	cu.error_name(error, &name);
	strbuf_addf(err, "%s failed: %s%s", what, name ? name : "unknown error",
		    error == OUT_OF_MEMORY	    ? ": out of memory"
		    : error == DEVICE_UNAVAILABLE   ? ": another process has it for itself"
		    : error == NO_BINARY_FOR_GPU    ? ": it was made for another architecture than this device's"
		    : error == SYSTEM_DRIVER_MISMATCH ? ": the driver's library and its kernel module are of different versions"
						    : "");
	return -1;
}

static bool is_unserved(void)
{
	switch (cu.last_error) {
	case OUT_OF_MEMORY:
		return !cu.is_ready;
	case STUB_LIBRARY:
	case DEVICE_UNAVAILABLE:
	case NO_DEVICE:
	case INVALID_DEVICE:
	case NO_BINARY_FOR_GPU:
	case UNSUPPORTED_PTX_VERSION:
	case SYSTEM_NOT_READY:
	case SYSTEM_DRIVER_MISMATCH:
	case COMPAT_NOT_SUPPORTED:
		return true;
	default:
		return !cu.library;
	}
}

static int load_driver(struct strbuf *err)
{
	if (cu.library)
		return 0;
	cu.library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!cu.library) {
		strbuf_addf(err, "no CUDA driver: %s", dlerror());
		return -1;
	}
#define X(field, symbol, arguments) \
	if (!(cu.field = (int(*) arguments)(uintptr_t)dlsym(cu.library, symbol))) { \
		strbuf_addf(err, "the CUDA driver is too old: it lacks '%s'", symbol); \
		goto fail; \
	}
	DRIVER(X)
#undef X
	*(void **)&cu.encode = dlsym(cu.library, "cuTensorMapEncodeTiled");
	*(void **)&cu.encode_pixels = dlsym(cu.library, "cuTensorMapEncodeIm2col");
	if (!checked(cu.init(0), "initialising the CUDA driver", err))
		return 0;
fail:
	dlclose(cu.library);
	cu.library = NULL;
	return -1;
}

static void close_kernel(struct kernel *k)
{
	if (!k)
		return;
	for (size_t b = 0; b < MAX_BUFFERS; b++)
		if (k->own[b])
			cu.release(k->own[b] - GUARD_BYTES);
	if (k->module)
		cu.module_unload(k->module);
	if (k->context)
		cu.context_release(k->device);
	free(k);
}

/* What a step's launch gives a block: as its plan and the code object say. */
static int64_t shared_bytes_of(struct kernel *k, const struct plan_step *step)
{
	char name[512];
	device_pointer memory = 0;
	size_t bytes = 0;
	uint32_t more = 0;
	int len = snprintf(name, sizeof(name), "%s_shared", step->symbol);

	if (len > 0 && len < (int)sizeof(name) && !cu.module_global(&memory, &bytes, k->module, name) && bytes == sizeof(more) &&
	    cu.download(&more, memory, sizeof(more)))
		more = 0;
	return step->shared_bytes + more;
}

static int load_functions(struct kernel *k, const char *path, struct strbuf *err)
{
	cu.is_ready = true;
	if (checked(cu.module_load(&k->module, path), "loading the cubin", err))
		return -1;
	for (size_t s = 0; s < k->plan->step_count; s++) {
		const struct plan_step *step = &k->plan->step[s];
		if (checked(cu.module_function(&k->function[s], k->module, step->symbol), step->symbol, err))
			return -1;
		k->shared_bytes[s] = shared_bytes_of(k, step);
		if (step->cluster > PORTABLE_CLUSTER && checked(cu.function_set(k->function[s], LARGER_CLUSTER, 1), "asking for a large cluster", err))
			return -1;
		if (k->shared_bytes[s] > INT_MAX) {
			strbuf_addf(err, "'%s' wants %lld bytes of shared memory", step->symbol, (long long)k->shared_bytes[s]);
			return -1;
		}
		if (k->shared_bytes[s] &&
		    checked(cu.function_set(k->function[s], MAX_DYNAMIC_SHARED, (int)k->shared_bytes[s]), "reserving shared memory", err))
			return -1;
	}
	return 0;
}

/* The first device's context, for this thread. */
static int begin(struct strbuf *err)
{
	void *context;
	int device;

	if (load_driver(err) || checked(cu.device_get(&device, 0), "finding a device", err) ||
	    checked(cu.context_retain(&context, device), "opening the device", err))
		return -1;
	return checked(cu.context_set(context), "using the device", err);
}

static struct kernel *open_kernel(const struct plan *plan, const char *path, int threads, struct strbuf *err)
{
	struct kernel *k = aligned_alloc(_Alignof(struct kernel), sizeof(*k));

	(void)threads;
	if (!k) {
		strbuf_addstr(err, "out of memory for a kernel");
		return NULL;
	}
	memset(k, 0, sizeof(*k));
	k->plan = plan;
	if (plan->step_count > MAX_STEPS || plan->buffer_count > MAX_BUFFERS)
		strbuf_addf(err, "plan of '%s' has more than %d steps or %d buffers", path, MAX_STEPS, MAX_BUFFERS);
	else if (!load_driver(err) && !checked(cu.device_get(&k->device, 0), "finding a device", err) &&
		 !checked(cu.attribute(&k->multiprocessors, MULTIPROCESSORS, k->device), "asking the device", err) &&
		 !checked(cu.context_retain(&k->context, k->device), "opening the device", err) &&
		 !checked(cu.context_set(k->context), "using the device", err) && !load_functions(k, path, err))
		return k;
	close_kernel(k);
	return NULL;
}

/* Guards lie around it; whole vectors at its end are its own. */
static int own_buffer(struct kernel *k, size_t b, int64_t bytes, struct strbuf *err)
{
	const size_t room = (size_t)(bytes + 16 + 255) / 256 * 256;
	device_pointer base = 0;

	if (k->own[b] && k->own_bytes[b] >= (int64_t)room)
		return 0;
	if (k->own[b])
		cu.release(k->own[b] - GUARD_BYTES);
	k->own[b] = 0;
	if (checked(cu.allocate(&base, room + 2 * GUARD_BYTES), "allocating a temporary", err))
		return -1;
	k->own[b] = base + GUARD_BYTES;
	k->own_bytes[b] = (int64_t)room;
	return checked(cu.fill(base, GUARD, (room + 2 * GUARD_BYTES) / 2), "guarding a temporary", err) ||
	       checked(cu.fill(k->own[b], 0, room / 2), "clearing a temporary", err) ? -1 : 0;
}

static int intact(struct kernel *k, struct strbuf *err)
{
	uint16_t guard[GUARD_BYTES / 2];

	for (size_t b = 0; b < k->plan->buffer_count; b++)
		for (int end = 0; end < 2 && k->own[b]; end++) {
			device_pointer at = end ? k->own[b] + (device_pointer)k->own_bytes[b] : k->own[b] - GUARD_BYTES;
			if (checked(cu.download(guard, at, sizeof(guard)), "the kernel", err))
				return -1;
			for (size_t i = 0; i < ARRAY_SIZE(guard); i++)
				if (guard[i] != GUARD) {
					strbuf_addf(err, "memory %s temporary '%s' was written", end ? "behind" : "before", k->plan->buffer[b].name);
					return -1;
				}
		}
	return 0;
}

/* Preconditions, grids and temporaries for these dims. */
static int prepare(struct kernel *k, const int64_t *dim, struct strbuf *err)
{
	const struct plan *plan = k->plan;
	struct strbuf why = STRBUF_INIT;

	k->is_ready = false;
	if (!plan_accepts(plan, dim, &why)) {
		strbuf_addf(err, "the kernel requires %s", why.buf);
		strbuf_release(&why);
		return -1;
	}
	for (size_t s = 0; s < plan->step_count; s++) {
		int64_t instances = plan_step_instances(plan, s, dim), most = (int64_t)plan->step[s].resident * k->multiprocessors;
		if (instances < 0 || instances > INT_MAX) {
			strbuf_addf(err, "the grid of '%s' has no value below 2^31 at these dims", plan->step[s].symbol);
			return -1;
		}
		k->blocks[s] = most && instances > most ? most : instances;
		if (plan->step[s].cluster)
			k->blocks[s] -= k->blocks[s] % plan->step[s].cluster;
	}
	for (size_t b = 0; b < plan->buffer_count; b++) {
		int64_t bytes;
		if (plan->buffer[b].role != PLAN_TMP)
			continue;
		int64_t elems = plan_buffer_elems(plan, b, dim);
		if (elems < 0 || __builtin_mul_overflow(elems, (int64_t)dtype_bytes(plan->buffer[b].dtype), &bytes)) {
			strbuf_addf(err, "out of memory for buffer '%s'", plan->buffer[b].name);
			return -1;
		}
		if (own_buffer(k, b, bytes, err))
			return -1;
	}
	memcpy(k->dim, dim, plan->dim_count * sizeof(*dim));
	k->is_ready = true;
	return 0;
}

/* How the copy engine sees a buffer at these dims. */
static int encode_map(const struct kernel *k, const struct plan_tensor *t, device_pointer base, struct tensor_map *map, struct strbuf *err)
{
	const struct plan_buffer *b = &k->plan->buffer[t->buffer];
	uint64_t dim[PLAN_MAX_RANK], stride[PLAN_MAX_RANK];
	unsigned box[PLAN_MAX_RANK], step[PLAN_MAX_RANK];
	int upper[PLAN_MAX_AXES];
	const int swizzle = t->swizzle_bytes == 128 ? 3 : t->swizzle_bytes == 64 ? 2 : t->swizzle_bytes == 32;

	if (!cu.encode || !cu.encode_pixels || !tensor_type[b->dtype]) {
		strbuf_addf(err, "buffer '%s' cannot be copied by tensor maps: %s", b->name, tensor_type[b->dtype] ? "the CUDA driver is too old" : "of its type");
		return -1;
	}
	for (int i = 0; i < t->rank; i++) {
		int64_t extent = plan_value(k->plan, t->dim[i], k->dim), elems = i ? plan_value(k->plan, t->stride[i], k->dim) : 1;
		dim[i] = (uint64_t)extent;
		stride[i] = (uint64_t)elems * dtype_bytes(b->dtype);
		box[i] = (unsigned)t->box[i];
		step[i] = 1;
		if (extent < 1 || elems < 1 || (i && stride[i] % 16)) {
			strbuf_addf(err, "the rows of buffer '%s' are no multiple of 16 bytes at these dims", b->name);
			return -1;
		}
	}
	if (base % 16) {
		strbuf_addf(err, "the kernel requires buffer '%s' at a multiple of 16 bytes", b->name);
		return -1;
	}
	for (int a = 0; a < t->axis_count; a++) {
		int64_t count = plan_value(k->plan, t->count[a], k->dim);
		step[a + 1] = (unsigned)t->step[a];
		/* The box that pixels begin in ends behind the last place: counted from the dimension's end. */
		upper[a] = (int)(t->from[a] + (count - 1) * t->step[a] + 1 - (int64_t)dim[a + 1]);
	}
	if (t->axis_count)
		return checked(cu.encode_pixels(map, tensor_type[b->dtype] - 1, (unsigned)t->rank, (void *)(uintptr_t)base, dim, stride + 1, t->from, upper, box[0],
						box[1], step, NO_INTERLEAVE, swizzle, PROMOTE_256_BYTES, ZEROS_OUTSIDE), "making a tensor map of pixels", err);
	return checked(cu.encode(map, tensor_type[b->dtype] - 1, (unsigned)t->rank, (void *)(uintptr_t)base, dim, stride + 1, box, step, NO_INTERLEAVE, swizzle,
				 PROMOTE_256_BYTES, ZEROS_OUTSIDE), "making a tensor map", err);
}

static int launch(const struct kernel *k, size_t s, void **argument)
{
	const struct plan_step *step = &k->plan->step[s];
	struct launch_attribute cluster = { .id = CLUSTER_DIMENSION, .cluster = { (unsigned)step->cluster, 1, 1 } };
	const struct launch_config config = { .gx = (unsigned)k->blocks[s], .gy = 1, .gz = 1, .bx = (unsigned)step->threads, .by = 1, .bz = 1,
					      .shared_bytes = (unsigned)k->shared_bytes[s], .stream = STREAM, .attribute = &cluster, .attribute_count = 1 };

	if (step->cluster)
		return cu.launch_more(&config, k->function[s], argument, NULL);
	return cu.launch(k->function[s], config.gx, 1, 1, config.bx, 1, 1, config.shared_bytes, STREAM, argument, NULL);
}

static int run(struct kernel *k, void *const *buf, const int64_t *dim, struct strbuf *err)
{
	device_pointer pointer[MAX_BUFFERS];
	void *argument[MAX_BUFFERS + PLAN_MAX_NAMES + PLAN_MAX_TENSORS + 2];
	device_pointer null = 0;
	size_t n = 0;

	if ((!k->is_ready || memcmp(k->dim, dim, k->plan->dim_count * sizeof(*dim))) && prepare(k, dim, err))
		return -1;
	for (size_t b = 0; b < k->plan->buffer_count; b++) {
		pointer[b] = buf[b] ? (device_pointer)(uintptr_t)buf[b] : k->own[b];
		argument[n++] = &pointer[b];
	}
	for (size_t d = 0; d < k->plan->dim_count; d++)
		argument[n++] = &k->dim[d];
	for (size_t s = 0; s < k->plan->step_count; s++) {
		const struct plan_step *step = &k->plan->step[s];
		size_t tensors = step->tensor_count;
		for (size_t t = 0; k->blocks[s] && t < tensors; t++) {
			argument[n + t] = &k->map[s][t];
			if (encode_map(k, &step->tensor[t], pointer[step->tensor[t].buffer], &k->map[s][t], err))
				return -1;
		}
		argument[n + tensors] = argument[n + tensors + 1] = &null;
		if (k->blocks[s] && checked(launch(k, s, argument), "the launch", err))
			return -1;
	}
	return 0;
}

/* ---- memory of the device -------------------------------------------- */

static void *allocate(struct kernel *k, size_t bytes, struct strbuf *err)
{
	device_pointer memory = 0;

	(void)k;
	if (checked(cu.allocate(&memory, bytes), "allocating device memory", err))
		return NULL;
	return (void *)(uintptr_t)memory;
}

static int write_memory(struct kernel *k, void *device, const void *host, size_t bytes, struct strbuf *err)
{
	(void)k;
	return checked(cu.upload((device_pointer)(uintptr_t)device, host, bytes), "copying to the device", err);
}

static int read_memory(struct kernel *k, void *host, const void *device, size_t bytes, struct strbuf *err)
{
	(void)k;
	return checked(cu.download(host, (device_pointer)(uintptr_t)device, bytes), "the kernel", err);
}

static int wait_all(struct kernel *k, struct strbuf *err)
{
	(void)k;
	return checked(cu.wait(), "the kernel", err);
}

/* ---- timing ---------------------------------------------------------- */

/* What timed() needs, made once a process. */
static struct {
	void *first, *last, *gate;
	device_pointer gate_there, flush;
	int l2_bytes;
	unsigned turn;
	bool is_ready, cannot_record;
} timing;

static int ready_timing(struct strbuf *err)
{
	enum { MAPPED = 2 }; /* CU_MEMHOSTALLOC_DEVICEMAP */
	int device;

	if (timing.is_ready)
		return 0;
	if (checked(cu.event_create(&timing.first, 0), "making an event", err) || checked(cu.event_create(&timing.last, 0), "making an event", err) ||
	    checked(cu.host_allocate(&timing.gate, sizeof(unsigned), MAPPED), "allocating host memory", err) ||
	    checked(cu.host_pointer(&timing.gate_there, timing.gate, 0), "mapping host memory", err) ||
	    checked(cu.device_get(&device, 0), "finding a device", err) || checked(cu.attribute(&timing.l2_bytes, L2_BYTES, device), "asking the device", err) ||
	    checked(cu.allocate(&timing.flush, 2 * (size_t)timing.l2_bytes + 1), "allocating device memory", err))
		return -1;
	timing.is_ready = true;
	return 0;
}

/* The cache holds none of the tensors any more, and nothing that a kernel asked it to keep. */
static int flush_cache(struct strbuf *err)
{
	return checked(cu.persisting_reset(), "resetting the cache", err) ||
	       checked(cu.fill_later(timing.flush, 0, 2 * (size_t)timing.l2_bytes, STREAM), "flushing the cache", err);
}

enum { AS_IT_COMES = 0, IN_THE_GRAPH = 1 }; /* CU_EVENT_RECORD_DEFAULT, _EXTERNAL */

static int start_between_events(const struct launcher_timing *t, unsigned flags, struct strbuf *err)
{
	return checked(cu.event_record(timing.first, STREAM, flags), "an event", err) || t->start(t->user, err) ||
	       checked(cu.event_record(timing.last, STREAM, flags), "an event", err);
}

/* The work as one graph, ready on the device; NULL when it cannot be recorded, as what a library does may not. */
static void *record_graph(const struct launcher_timing *t)
{
	enum { RELAXED = 2 }; /* CU_STREAM_CAPTURE_MODE_RELAXED */
	struct strbuf ignored = STRBUF_INIT;
	void *graph = NULL, *ready = NULL;

	if (!timing.cannot_record && !cu.record(STREAM, RELAXED)) {
		int bad = start_between_events(t, IN_THE_GRAPH, &ignored);
		bad = cu.record_end(STREAM, &graph) || bad;
		if (bad || !graph || cu.graph_ready(&ready, graph, 0))
			ready = NULL;
		else if (cu.graph_upload(ready, STREAM) || cu.wait()) {
			cu.graph_ready_release(ready);
			ready = NULL;
		}
		if (graph)
			cu.graph_release(graph);
	}
	timing.cannot_record = !ready;
	strbuf_release(&ignored);
	return ready;
}

/*
 * The stream waits for a number in the host's memory: all is queued behind it before anything
 * of it runs, so that the events measure the device alone.
 */
static int timed(const struct launcher_timing *t, int64_t *ns, struct strbuf *err)
{
	enum { AT_LEAST = 0 }; /* CU_STREAM_WAIT_VALUE_GEQ */
	void *graph = NULL;
	float ms = 0;
	int bad;

	if (ready_timing(err))
		return -1;
	if (t->is_replayed)
		graph = record_graph(t);
	timing.turn++;
	bad = flush_cache(err) || checked(cu.wait_value(STREAM, timing.gate_there, timing.turn, AT_LEAST), "queueing a wait", err);
	if (!bad) {
		bad = graph ? checked(cu.graph_launch(graph, STREAM), "the launch", err) : start_between_events(t, AS_IT_COMES, err);
		__atomic_store_n((unsigned *)timing.gate, timing.turn, __ATOMIC_SEQ_CST);
		if (t->watch)
			t->watch(t->user);
	}
	bad = bad || checked(cu.wait(), "the kernel", err) || checked(cu.event_elapsed(&ms, timing.first, timing.last), "the kernel", err);
	if (graph)
		cu.graph_ready_release(graph);
	*ns = (int64_t)((double)ms * 1e6 + 0.5);
	return bad ? -1 : 0;
}

/* ---- our own kernels ------------------------------------------------- */

enum { SUM_BLOCKS = 1056, CANARY_BLOCKS = 264, OWN_THREADS = 256, CANARY_ROUNDS = 256 };
/* x -> 1664525 x + 1013904223 (Numerical Recipes, 3rd edition, 7.1.4), the canary's. */
#define STEP_FACTOR 1664525u
#define STEP_MORE 1013904223u

/*
 * As text (PTX ISA 7.0), which every driver since 11.0 translates for its device.  sum: words
 * and their places, mixed and added up in any order; canary: each thread writes where a chain
 * of dependent steps from its number ends.
 */
static const char own_kernels[] =
	".version 7.0\n.target sm_70\n.address_size 64\n"
	".visible .entry km_sum(.param .u64 from, .param .u64 words, .param .u64 into)\n"
	"{\n.reg .pred %p;\n.reg .b32 %r<4>;\n.reg .b64 %d<10>;\n"
	"mov.u32 %r0, %ctaid.x;\nmov.u32 %r1, %ntid.x;\nmov.u32 %r2, %tid.x;\nmov.u32 %r3, %nctaid.x;\n"
	"mul.wide.u32 %d0, %r0, %r1;\ncvt.u64.u32 %d1, %r2;\nadd.u64 %d0, %d0, %d1;\nmul.wide.u32 %d2, %r3, %r1;\n"
	"ld.param.u64 %d3, [from];\nld.param.u64 %d4, [words];\nld.param.u64 %d5, [into];\nmov.u64 %d6, 0;\n"
	"next:\nsetp.ge.u64 %p, %d0, %d4;\n@%p bra done;\nshl.b64 %d7, %d0, 3;\nadd.u64 %d7, %d3, %d7;\nld.global.u64 %d8, [%d7];\n"
	"add.u64 %d8, %d8, %d0;\nmul.lo.u64 %d8, %d8, 0x9e3779b97f4a7c15U;\nshr.u64 %d9, %d8, 32;\nxor.b64 %d8, %d8, %d9;\n"
	"mul.lo.u64 %d8, %d8, 0xd6e8feb86659fd93U;\nadd.u64 %d6, %d6, %d8;\nadd.u64 %d0, %d0, %d2;\nbra next;\n"
	"done:\nred.global.add.u64 [%d5], %d6;\nret;\n}\n"
	".visible .entry km_canary(.param .u64 into, .param .u32 rounds)\n"
	"{\n.reg .pred %p;\n.reg .b32 %r<5>;\n.reg .b64 %d<2>;\n"
	"mov.u32 %r0, %ctaid.x;\nmov.u32 %r1, %ntid.x;\nmov.u32 %r2, %tid.x;\nmad.lo.u32 %r3, %r0, %r1, %r2;\n"
	"ld.param.u64 %d0, [into];\nmul.wide.u32 %d1, %r3, 4;\nadd.u64 %d0, %d0, %d1;\nld.param.u32 %r4, [rounds];\n"
	"next:\nsetp.eq.u32 %p, %r4, 0;\n@%p bra done;\nmad.lo.u32 %r3, %r3, 1664525, 1013904223;\nsub.u32 %r4, %r4, 1;\nbra next;\n"
	"done:\nst.global.u32 [%d0], %r3;\nret;\n}\n";

static int load_own(struct strbuf *err)
{
	if (cu.own)
		return 0;
	return checked(cu.module_text(&cu.own, own_kernels), "loading our own kernels", err) ||
	       checked(cu.module_function(&cu.own_sum, cu.own, "km_sum"), "km_sum", err) ||
	       checked(cu.module_function(&cu.own_canary, cu.own, "km_canary"), "km_canary", err) ||
	       checked(cu.allocate(&cu.scratch, CANARY_BLOCKS * OWN_THREADS * sizeof(uint32_t)), "allocating device memory", err) ? -1 : 0;
}

static int sum(const void *device, size_t bytes, uint64_t *result, struct strbuf *err)
{
	device_pointer from = (device_pointer)(uintptr_t)device;
	uint64_t words = bytes / sizeof(uint64_t);
	void *argument[] = { &from, &words, &cu.scratch };

	return load_own(err) || checked(cu.fill(cu.scratch, 0, sizeof(*result) / 2), "clearing memory", err) ||
	       checked(cu.launch(cu.own_sum, SUM_BLOCKS, 1, 1, OWN_THREADS, 1, 1, 0, STREAM, argument, NULL), "summing memory", err) ||
	       checked(cu.download(result, cu.scratch, sizeof(*result)), "summing memory", err) ? -1 : 0;
}

static int start_canary(void *user, struct strbuf *err)
{
	unsigned rounds = CANARY_ROUNDS;
	void *argument[] = { &cu.scratch, &rounds };

	(void)user;
	return checked(cu.launch(cu.own_canary, CANARY_BLOCKS, 1, 1, OWN_THREADS, 1, 1, 0, STREAM, argument, NULL), "the canary", err);
}

static int canary(int64_t *ns, struct strbuf *err)
{
	static uint32_t got[CANARY_BLOCKS * OWN_THREADS];
	uint32_t factor = 1, more = 0;

	if (load_own(err) || checked(cu.fill(cu.scratch, GUARD, sizeof(got) / 2), "clearing memory", err) || timed(&(struct launcher_timing){ start_canary, NULL, NULL, false }, ns, err) ||
	    checked(cu.download(got, cu.scratch, sizeof(got)), "the canary", err))
		return -1;
	for (int i = 0; i < CANARY_ROUNDS; i++) {
		more = STEP_FACTOR * more + STEP_MORE;
		factor *= STEP_FACTOR;
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(got); i++)
		if (got[i] != factor * i + more) {
			strbuf_addf(err, "a kernel of our own, run after it, gave %u where %u is right", got[i], factor * i + more);
			return -1;
		}
	return 0;
}

static int fill_memory(void *device, uint16_t pattern, size_t bytes, struct strbuf *err)
{
	return checked(cu.fill((device_pointer)(uintptr_t)device, pattern, bytes / 2), "filling device memory", err);
}

static const struct launcher_memory memory = {
	.stream = STREAM,
	.fill = fill_memory,
	.sum = sum,
	.canary = canary,
	.intact = intact,
	.is_unserved = is_unserved,
	.timed = timed,
	.begin = begin,
	.allocate = allocate,
	.write = write_memory,
	.read = read_memory,
	.wait = wait_all,
};

const struct launcher launcher_cubin = {
	.kind = "cubin",
	.open = open_kernel,
	.run = run,
	.close = close_kernel,
	.memory = &memory,
};
