/* How the driver is asked for times, and NVML for clocks: against a driver that notes what it is asked and would wait for ever where the real one does. */
#include "evaluate/clocks.h"
#include "evaluate/compile.h"
#include "ops/core/launch.h"
#include "tests/tap.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
	"int cuDeviceGetPCIBusId(char *text) { strcpy(text, \"0000:42:00.0\"); return 0; }\n"
	"int cuCtxSynchronize(void) { add('S'); return (int)(awaited - gate) > 0 ? 702 : 0; }\n";

/* A stand-in for libnvidia-ml.so.1, which has a device at that place alone. */
static const char nvml[] =
	"#include <string.h>\n"
	"int nvmlInit_v2(void) { return 0; }\n"
	"int nvmlDeviceGetHandleByPciBusId_v2(const char *id, void **device) { *device = device; return strcmp(id, \"0000:42:00.0\"); }\n"
	"int nvmlDeviceGetClockInfo(void *device, int kind, unsigned *mhz) { static unsigned now = 1980; *mhz = kind == 1 ? now : 0; now -= 30; return 0; }\n"
	"int nvmlDeviceGetPowerUsage(void *device, unsigned *milliwatts) { *milliwatts = 650000; return 0; }\n"
	"int nvmlDeviceGetCurrentClocksThrottleReasons(void *device, unsigned long long *reasons) { *reasons = 0x24; return 0; }\n";

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

/* Two looks too close to each other are one. */
static void test_clocks(void)
{
	struct clocks_seen seen = { 0 };

	for (int i = 0; i < 3; i++) {
		struct clocks c;
		if (i == 2)
			usleep(25000);
		clocks_look(&c);
		clocks_keep(&seen, &c);
	}
	ok(seen.looks == 2 && seen.sm_mhz == 1980 + 1950 && seen.least_mhz == 1950 && seen.most_power_mw == 650000,
	   "%d looks, %g MHz in all, %d at least, %d mW", seen.looks, seen.sm_mhz, seen.least_mhz, seen.most_power_mw);
	ok(!strcmp(clocks_reasons(seen.reasons), "power cap, heat"), "slowed by %s", clocks_reasons(seen.reasons));
	ok(!*clocks_reasons(0) && !*clocks_reasons(1), "an idle device is not slowed down");
}

/* Loaded, so that who asks for it by its name is given it. */
static void *stand_in(struct arena *arena, const char *source, const char *flags, struct strbuf *err)
{
	const char *path;

	return compile_trusted(arena, source, flags, &path, err) ? NULL : dlopen(path, RTLD_NOW | RTLD_GLOBAL);
}

int main(void)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	void *library = stand_in(&arena, driver, "gcc -O1 -w -Wl,-soname,libcuda.so.1", &err);
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
	if (ok(stand_in(&arena, nvml, "gcc -O1 -w -Wl,-soname,libnvidia-ml.so.1", &err) != NULL, "a stand-in for NVML is loaded %s", err.buf))
		test_clocks();
	strbuf_release(&err);
	arena_release(&arena);
	return done_testing();
}
