#include "evaluate/clocks.h"
#include "ops/core/base.h"
#include "ops/core/proc.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* NVML's entry points: X(field, symbol, arguments).  All return 0 or an error's number. */
#define NVML(X) \
	X(init, "nvmlInit_v2", (void)) \
	X(find, "nvmlDeviceGetHandleByPciBusId_v2", (const char *bus_id, void **device)) \
	X(clock, "nvmlDeviceGetClockInfo", (void *device, int kind, unsigned *mhz)) \
	X(power, "nvmlDeviceGetPowerUsage", (void *device, unsigned *milliwatts)) \
	X(reasons, "nvmlDeviceGetCurrentClocksThrottleReasons", (void *device, unsigned long long *reasons))
enum { CLOCK_SM = 1 }; /* nvmlClockType_t */

static struct {
	bool is_known;
	void *device; /* NULL: nothing is known */
#define X(field, symbol, arguments) int(*field) arguments;
	NVML(X)
#undef X
} nvml;

/* The device that CUDA calls the first, by its place on the bus: NVML counts those that CUDA is not shown, too. */
static void *find_device(void)
{
	void *library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL), *driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL), *device;
	int (*bus_id)(char *text, int bytes, int device) = NULL;
	char text[64];

	if (driver)
		*(void **)&bus_id = dlsym(driver, "cuDeviceGetPCIBusId");
	if (!library || !bus_id)
		return NULL;
#define X(field, symbol, arguments) \
	if (!(nvml.field = (int(*) arguments)(uintptr_t)dlsym(library, symbol))) \
		return NULL;
	NVML(X)
#undef X
	return bus_id(text, sizeof(text), 0) || nvml.init() || nvml.find(text, &device) ? NULL : device;
}

void clocks_look(struct clocks *c)
{
	enum { EVERY_NS = 20000000 };
	static int64_t last;
	unsigned mhz, milliwatts;
	unsigned long long reasons;

	*c = (struct clocks){ 0 };
	if (!nvml.is_known) {
		nvml.is_known = true;
		nvml.device = find_device();
	}
	if (!nvml.device || clock_ns() - last < EVERY_NS)
		return;
	if (!nvml.clock(nvml.device, CLOCK_SM, &mhz) && !nvml.power(nvml.device, &milliwatts) && !nvml.reasons(nvml.device, &reasons))
		*c = (struct clocks){ (int32_t)mhz, (int32_t)milliwatts, reasons };
	last = clock_ns();
}

void clocks_keep(struct clocks_seen *seen, const struct clocks *c)
{
	if (!c->sm_mhz)
		return;
	seen->looks++;
	seen->sm_mhz += c->sm_mhz;
	if (!seen->least_mhz || c->sm_mhz < seen->least_mhz)
		seen->least_mhz = c->sm_mhz;
	if (c->power_mw > seen->most_power_mw)
		seen->most_power_mw = c->power_mw;
	seen->reasons |= c->reasons;
}

const char *clocks_reasons(uint64_t reasons)
{
	/* nvml.h of CUDA 13: nvmlClocksEventReasons. */
	static const struct {
		uint64_t bits;
		const char *word;
	} known[] = { { 0x2, "fixed clocks" }, { 0x4, "power cap" }, { 0x8, "hardware slowdown" }, { 0x10, "sync boost" }, { 0x20 | 0x40, "heat" }, { 0x80, "power brake" } };
	static char words[128];
	size_t n = 0;

	words[0] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (reasons & known[i].bits)
			n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s", n ? ", " : "", known[i].word);
	return words;
}
