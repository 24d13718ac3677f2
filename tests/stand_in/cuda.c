/*
 * A stand-in for NVIDIA's driver, libcuda.so.1, so that what talks to it can be tested without a
 * device: one device whose memory is the process's and whose every kernel is relu over f32, but
 * for the evaluator's own two.  Time is counted, not measured.  The symbols and their numbers are
 * the driver's; what is not asked for is not here.
 *
 * KM_STAND_IN="word ...": busy, full, mismatch, gone (no device), lost (no context after a fault,
 * told by the file $KM_STAND_IN_LOST).  A cubin may say what its kernel does, in its data:
 * "stand-in WORD": hangs, faults, mutates, beside (writes the outputs of another call), breaks (what runs
 * after it is wrong), timed (mutates only after many calls), remembers (answers what it met before
 * at once), other (made for another architecture), greedy (wants more memory than there is).
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long long pointer;
enum { OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, BUSY = 46, NO_DEVICE = 100, NO_BINARY = 209, NOT_FOUND = 500, ILLEGAL_ADDRESS = 700, MISMATCH = 803, UNKNOWN = 999 };
enum { LAUNCH_NS = 20000, REMEMBERED_NS = 10000, BEYOND_GUARDS = 3 * 4096, TIMED_CALLS = 400 };

struct module {
	char does[32];
	long calls;
	float last[16];
};
struct function {
	struct module *module;
	char name[128];
};

static int64_t now_ns;
static int sticky;
static bool is_broken;

static bool is_on(const char *word)
{
	const char *words = getenv("KM_STAND_IN"), *at = words ? strstr(words, word) : NULL;

	return at && (at == words || at[-1] == ' ') && (at[strlen(word)] == ' ' || !at[strlen(word)]);
}

static int fault(int error)
{
	const char *path = getenv("KM_STAND_IN_LOST");

	sticky = error;
	if (is_on("lost") && path)
		close(open(path, O_CREAT | O_WRONLY, 0600));
	return OK;
}

int cuInit(unsigned flags) { (void)flags; return is_on("mismatch") ? MISMATCH : is_on("gone") ? NO_DEVICE : OK; }
int cuDeviceGet(int *device, int ordinal) { *device = 0; return ordinal ? NO_DEVICE : OK; }
int cuDeviceGetName(char *name, int len, int device)
{
	const char *model = getenv("KM_STAND_IN_DEVICE");

	(void)device;
	snprintf(name, (size_t)len, "%s", model ? model : "NVIDIA H200");
	return OK;
}
int cuDeviceGetAttribute(int *value, int attribute, int device) { (void)attribute; (void)device; *value = 4; return OK; }
int cuDevicePrimaryCtxRetain(void **context, int device)
{
	const char *path = getenv("KM_STAND_IN_LOST");

	(void)device;
	*context = &now_ns;
	return is_on("busy") ? BUSY : is_on("lost") && path && !access(path, F_OK) ? UNKNOWN : OK;
}
int cuDevicePrimaryCtxRelease_v2(int device) { (void)device; return OK; }
int cuCtxSetCurrent(void *context) { (void)context; return OK; }
int cuCtxSynchronize(void) { return sticky; }
int cuGetErrorName(int error, const char **name)
{
	*name = error == OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : error == BUSY ? "CUDA_ERROR_DEVICE_UNAVAILABLE" : error == NO_BINARY ? "CUDA_ERROR_NO_BINARY_FOR_GPU"
	      : error == ILLEGAL_ADDRESS ? "CUDA_ERROR_ILLEGAL_ADDRESS" : error == MISMATCH ? "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"
	      : error == NO_DEVICE ? "CUDA_ERROR_NO_DEVICE" : error == NOT_FOUND ? "CUDA_ERROR_NOT_FOUND" : error == INVALID_VALUE ? "CUDA_ERROR_INVALID_VALUE" : "CUDA_ERROR_UNKNOWN";
	return OK;
}

/* ---- memory ---------------------------------------------------------- */

int cuMemAlloc_v2(pointer *memory, size_t bytes)
{
	void *p = is_on("full") || bytes > (size_t)1 << 34 ? NULL : aligned_alloc(256, (bytes + 255) / 256 * 256);

	*memory = (pointer)(uintptr_t)p;
	return p ? OK : OUT_OF_MEMORY;
}
int cuMemFree_v2(pointer memory) { free((void *)(uintptr_t)memory); return OK; }
int cuMemcpyHtoD_v2(pointer to, const void *from, size_t bytes) { memcpy((void *)(uintptr_t)to, from, bytes); return sticky; }
int cuMemcpyDtoH_v2(void *to, pointer from, size_t bytes) { memcpy(to, (const void *)(uintptr_t)from, bytes); return sticky; }
int cuMemsetD16_v2(pointer to, uint16_t value, size_t halves)
{
	uint16_t *p = (uint16_t *)(uintptr_t)to;

	for (size_t i = 0; i < halves; i++)
		p[i] = value;
	return sticky;
}
int cuMemsetD8Async(pointer to, unsigned char value, size_t bytes, void *stream) { (void)stream; memset((void *)(uintptr_t)to, value, bytes); return sticky; }
int cuMemHostAlloc(void **memory, size_t bytes, unsigned flags) { (void)flags; *memory = calloc(1, bytes); return *memory ? OK : OUT_OF_MEMORY; }
int cuMemHostGetDevicePointer_v2(pointer *device, void *host, unsigned flags) { (void)flags; *device = (pointer)(uintptr_t)host; return OK; }

/* ---- time ------------------------------------------------------------ */

int cuStreamWaitValue32_v2(void *stream, pointer at, unsigned value, unsigned flags) { (void)stream; (void)at; (void)value; (void)flags; return sticky; }
int cuEventCreate(void **event, unsigned flags) { (void)flags; *event = calloc(1, sizeof(int64_t)); return OK; }
int cuEventRecordWithFlags(void *event, void *stream, unsigned flags) { (void)stream; (void)flags; *(int64_t *)event = now_ns; return sticky; }
int cuEventElapsedTime(float *ms, void *start, void *end) { *ms = (float)((double)(*(int64_t *)end - *(int64_t *)start) * 1e-6); return sticky; }

/* Nothing can be recorded: work is started as it comes. */
int cuStreamBeginCapture_v2(void *stream, int mode) { (void)stream; (void)mode; return UNKNOWN; }
int cuStreamEndCapture(void *stream, void **graph) { (void)stream; (void)graph; return UNKNOWN; }
int cuGraphInstantiateWithFlags(void **ready, void *graph, unsigned long long flags) { (void)ready; (void)graph; (void)flags; return UNKNOWN; }
int cuGraphUpload(void *ready, void *stream) { (void)ready; (void)stream; return UNKNOWN; }
int cuGraphLaunch(void *ready, void *stream) { (void)ready; (void)stream; return UNKNOWN; }
int cuGraphDestroy(void *graph) { (void)graph; return OK; }
int cuGraphExecDestroy(void *ready) { (void)ready; return OK; }
int cuCtxResetPersistingL2Cache(void) { return OK; }

/* ---- modules --------------------------------------------------------- */

int cuModuleLoadData(void **module, const char *text) { (void)text; *module = calloc(1, sizeof(struct module)); return OK; }
int cuModuleLoad(void **module, const char *path)
{
	static const char mark[] = "stand-in ";
	struct module *m = calloc(1, sizeof(*m));
	FILE *f = fopen(path, "rb");
	static char data[1 << 22];
	size_t len = f ? fread(data, 1, sizeof(data) - 1, f) : 0;
	const char *at = len ? memmem(data, len, mark, sizeof(mark) - 1) : NULL;

	if (f)
		fclose(f);
	data[len] = 0;
	if (at)
		snprintf(m->does, sizeof(m->does), "%s", at + sizeof(mark) - 1);
	*module = m;
	return !len ? INVALID_VALUE : !strcmp(m->does, "other") ? NO_BINARY : OK;
}
int cuModuleUnload(void *module) { free(module); return OK; }
int cuModuleGetFunction(void **function, void *module, const char *name)
{
	struct function *f = calloc(1, sizeof(*f));

	f->module = module;
	snprintf(f->name, sizeof(f->name), "%s", name);
	*function = f;
	return OK;
}
int cuModuleGetGlobal_v2(pointer *memory, size_t *bytes, void *module, const char *name) { (void)memory; (void)bytes; (void)module; (void)name; return NOT_FOUND; }
int cuFuncSetAttribute(void *function, int attribute, int value) { (void)function; (void)attribute; (void)value; return OK; }

/* ---- kernels --------------------------------------------------------- */

static void sum(void **argument)
{
	const uint64_t *from = *(const uint64_t **)argument[0], words = *(uint64_t *)argument[1];
	uint64_t total = 0;

	for (uint64_t i = 0; i < words; i++)
		total += (from[i] ^ i) * UINT64_C(0x9e3779b97f4a7c15);
	**(uint64_t **)argument[2] += total;
}

static void canary(unsigned threads, void **argument)
{
	uint32_t *into = *(uint32_t **)argument[0];

	for (uint32_t t = 0; t < threads; t++) {
		uint32_t x = t;
		for (unsigned i = *(unsigned *)argument[1]; i > 0; i--)
			x = x * 1664525 + 1013904223;
		into[t] = is_broken ? 0 : x;
	}
}

static int relu(struct module *m, void **argument)
{
	float *x = *(float **)argument[0], *y = *(float **)argument[1];
	int64_t n = *(int64_t *)argument[2] * *(int64_t *)argument[3];

	m->calls++;
	if (!strcmp(m->does, "hangs"))
		for (;;)
			pause();
	if (!strcmp(m->does, "faults"))
		return fault(ILLEGAL_ADDRESS);
	bool is_met = !memcmp(m->last, x, n < 16 ? 0 : sizeof(m->last));
	if (n >= 16)
		memcpy(m->last, x, sizeof(m->last));
	now_ns += strcmp(m->does, "remembers") ? LAUNCH_NS : is_met ? REMEMBERED_NS : 10 * LAUNCH_NS;
	for (int64_t i = 0; i < n; i++)
		y[i] = x[i] > 0 || x[i] != x[i] ? x[i] : 0;
	if (!strcmp(m->does, "mutates"))
		x[n + 8] = 17;
	if (!strcmp(m->does, "timed") && m->calls > TIMED_CALLS)
		x[n + BEYOND_GUARDS / 4] = 17; /* the inputs of another call, which no checked run reads back */
	if (!strcmp(m->does, "beside"))
		memset((char *)y + n * 4 + BEYOND_GUARDS, 1, 64);
	if (!strcmp(m->does, "breaks"))
		is_broken = true;
	return OK;
}

int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared_bytes, void *stream, void **argument,
		   void **extra)
{
	struct function *f = function;

	(void)gy; (void)gz; (void)by; (void)bz; (void)shared_bytes; (void)stream; (void)extra;
	if (sticky)
		return sticky;
	if (bx > 1024)
		return INVALID_VALUE;
	if (!strcmp(f->name, "km_sum"))
		sum(argument);
	else if (!strcmp(f->name, "km_canary"))
		canary(gx * bx, argument);
	else
		return relu(f->module, argument);
	now_ns += 1000;
	return OK;
}
int cuLaunchKernelEx(const void *config, void *function, void **argument, void **extra) { (void)config; (void)function; (void)argument; (void)extra; return INVALID_VALUE; }
