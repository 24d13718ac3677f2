/* How the driver is asked for times: against a driver that notes what it is asked and would wait for ever where the real one does. */
#include "evaluate/compile.h"
#include "ops/core/launch.h"
#include "tests/tap.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* A stand-in for libcuda.so.1: each call adds a letter to km_log; waiting while the gate is shut is an error. */
static const char driver[] =
	"#include <string.h>\n"
	"char km_log[256]; int km_cannot_record; static unsigned gate, awaited;\n"
	"static int add(char c) { size_t n = strlen(km_log); if (n + 1 < sizeof(km_log)) km_log[n] = c; return 0; }\n"
	"#define NOTHING(name) int name(void) { return 0; }\n"
	"NOTHING(cuInit) NOTHING(cuDeviceGet) NOTHING(cuDevicePrimaryCtxRetain) NOTHING(cuDevicePrimaryCtxRelease_v2) NOTHING(cuCtxSetCurrent)\n"
	"NOTHING(cuModuleLoad) NOTHING(cuModuleUnload) NOTHING(cuModuleGetFunction) NOTHING(cuModuleGetGlobal_v2) NOTHING(cuFuncSetAttribute)\n"
	"NOTHING(cuMemAlloc_v2) NOTHING(cuMemFree_v2) NOTHING(cuMemcpyHtoD_v2) NOTHING(cuMemcpyDtoH_v2) NOTHING(cuMemsetD16_v2) NOTHING(cuModuleLoadData) NOTHING(cuLaunchKernel)\n"
	"NOTHING(cuLaunchKernelEx) NOTHING(cuEventCreate) NOTHING(cuGraphUpload) NOTHING(cuGraphDestroy) NOTHING(cuGetErrorName)\n"
	"int cuDeviceGetAttribute(int *value, int attribute, int device) { *value = 1024; return 0; }\n"
	"int cuMemHostAlloc(void **memory) { *memory = &gate; return 0; }\n"
	"int cuMemHostGetDevicePointer_v2(unsigned long long *there, void *host) { *there = 1; return 0; }\n"
	"int cuCtxResetPersistingL2Cache(void) { return add('P'); }\n"
	"int cuMemsetD8Async(unsigned long long to, unsigned char value, size_t bytes, void *stream) { return add(bytes > 1024 ? 'F' : 'f'); }\n"
	"int cuStreamWaitValue32_v2(void *stream, unsigned long long at, unsigned value) { awaited = value; return add('W'); }\n"
	"int cuEventRecordWithFlags(void *event, void *stream, unsigned flags) { return add(flags ? 'x' : 'e'); }\n"
	"int cuEventElapsedTime(float *ms) { *ms = 2; return 0; }\n"
	"int cuStreamBeginCapture_v2(void *stream, int mode) { return km_cannot_record ? 900 : add('('); }\n"
	"int cuStreamEndCapture(void *stream, void **graph) { *graph = &gate; return add(')'); }\n"
	"int cuGraphInstantiateWithFlags(void **ready) { *ready = &gate; return 0; }\n"
	"int cuGraphLaunch(void *ready, void *stream) { return add('G'); }\n"
	"int cuGraphExecDestroy(void *ready) { return add('d'); }\n"
	"int cuCtxSynchronize(void) { add('S'); return (int)(awaited - gate) > 0 ? 702 : 0; }\n";

static char *driver_log;
static int *cannot_record;

static void note(char c)
{
	driver_log[strlen(driver_log)] = c;
}

static int start(void *user, struct strbuf *err)
{
	note('k');
	if (!*(bool *)user)
		return 0;
	strbuf_addstr(err, "it fails");
	return -1;
}

static void watch(void *user)
{
	(void)user;
	note('w');
}

static void expect(const char *what, bool is_replayed, bool fails, int want, const char *calls)
{
	const struct launcher_timing t = { .start = start, .watch = watch, .user = &fails, .is_replayed = is_replayed };
	struct strbuf err = STRBUF_INIT;
	int64_t ns = 0;

	memset(driver_log, 0, 256);
	int got = launcher_find("cubin")->memory->timed(&t, &ns, &err);
	ok(got == want && !strcmp(driver_log, calls) && (got || ns == 2000000), "%s: %d, '%s', %lld ns %s", what, got, driver_log, (long long)ns, err.buf);
	strbuf_release(&err);
}

int main(void)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	const char *path;

	/* Who asks for it again by its name is given what is loaded. */
	void *library = compile_trusted(&arena, driver, "gcc -O1 -w -Wl,-soname,libcuda.so.1", &path, &err) ? NULL : dlopen(path, RTLD_NOW | RTLD_GLOBAL);
	bool starts = library && !launcher_find("cubin")->memory->begin(&err);
	ok(starts, "a stand-in for the driver starts %s", err.buf);
	if (!starts)
		return done_testing();
	driver_log = dlsym(library, "km_log");
	cannot_record = dlsym(library, "km_cannot_record");
	/* A cold cache; then the gate, and behind it events around the work; the gate opens before anybody waits. */
	expect("queued calls", false, false, 0, "PFWekewS");
	expect("a graph of calls, which holds the events", true, false, 0, "(xkx)SPFWGwSd");
	expect("a call that fails opens the gate all the same", false, true, -1, "PFWekw");
	*cannot_record = 1;
	expect("what cannot be recorded is queued", true, false, 0, "PFWekewS");
	*cannot_record = 0;
	expect("and stays so", true, false, 0, "PFWekewS");
	strbuf_release(&err);
	arena_release(&arena);
	return done_testing();
}
