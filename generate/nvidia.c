/* What NVIDIA targets share: which device is here, and the matrix instructions of a warp. */
#include "generate/target.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { DEVICE_NAME_BYTES = 128 };

/* The first device's name as its driver gives it, "NVIDIA H200"; "" without one, and *why tells. */
static const char *device_name(const char **why)
{
	static char name[DEVICE_NAME_BYTES], reason[DEVICE_NAME_BYTES + 64];
	static bool is_known;

	*why = reason;
	if (is_known)
		return name;
	is_known = true;
	void *driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!driver) {
		snprintf(reason, sizeof(reason), "it has no CUDA driver, libcuda.so.1");
		return name;
	}
	int (*init)(unsigned) = (int (*)(unsigned))(uintptr_t)dlsym(driver, "cuInit");
	int (*get)(int *, int) = (int (*)(int *, int))(uintptr_t)dlsym(driver, "cuDeviceGet");
	int (*get_name)(char *, int, int) = (int (*)(char *, int, int))(uintptr_t)dlsym(driver, "cuDeviceGetName");
	int (*error_name)(int, const char **) = (int (*)(int, const char **))(uintptr_t)dlsym(driver, "cuGetErrorName");
	const char *error = "unknown error";
	int device, bad;
	if (!init || !get || !get_name || !error_name) {
		snprintf(reason, sizeof(reason), "its libcuda.so.1 is no CUDA driver");
	} else if ((bad = init(0)) || (bad = get(&device, 0)) || (bad = get_name(name, sizeof(name), device))) {
		name[0] = 0;
		error_name(bad, &error);
		snprintf(reason, sizeof(reason), "its CUDA driver does not start: %s", error ? error : "unknown error");
	} else {
		snprintf(reason, sizeof(reason), "its device is '%s'", name);
	}
	/* The driver stays loaded: it has threads. */
	return name;
}

int nvidia_is_here(const char *model)
{
	const char *why, *name = device_name(&why), *at = strstr(name, model);

	return at && (at[strlen(model)] == 0 || at[strlen(model)] == ' ');
}

const char *nvidia_here(void)
{
	const char *why;

	device_name(&why);
	return why;
}

/*
 * Fragments: NVIDIA, "Parallel Thread Execution ISA" 9.0, 9.7.14.5 (mma.m16n8k16
 * with .bf16): the group of a lane is lane / 4.
 */
#define WARP_MMA { .name = "mma_f32_16x8x16_bf16", .m = 16, .n = 8, .k = 16, .lanes = 32, .ab = DTYPE_bf16, .acc = DTYPE_f32, \
	.a_lane = "i%8 k/2%4", .a_reg = "k/8 i/8 k%2", .b_lane = "j k/2%4", .b_reg = "k/8 k%2", .c_lane = "i%8 j/2", .c_reg = "i/8 j%2" }
/* 9.7.16.5: the accumulator of wgmma.m64nNk16 and .m64nNk8. */
#define GROUP_MMA(columns, depth, type, operand) { .name = "wgmma_f32_64x" #columns "x" #depth "_" #type, .m = 64, .n = columns, .k = depth, .lanes = 128, \
	.ab = DTYPE_##operand, .acc = DTYPE_f32, .c_lane = "i/16 i%8 j/2%4", .c_reg = "j/8 i/8%2 j%2" }

/* Of 2-byte types over any eights of columns. */
#define GROUP_MMA_EIGHTS(type) \
	GROUP_MMA(8, 16, type, type), GROUP_MMA(16, 16, type, type), GROUP_MMA(24, 16, type, type), GROUP_MMA(32, 16, type, type), \
	GROUP_MMA(40, 16, type, type), GROUP_MMA(48, 16, type, type), GROUP_MMA(56, 16, type, type), GROUP_MMA(64, 16, type, type), \
	GROUP_MMA(72, 16, type, type), GROUP_MMA(80, 16, type, type), GROUP_MMA(88, 16, type, type), GROUP_MMA(96, 16, type, type), \
	GROUP_MMA(104, 16, type, type), GROUP_MMA(112, 16, type, type), GROUP_MMA(120, 16, type, type), GROUP_MMA(128, 16, type, type), \
	GROUP_MMA(136, 16, type, type), GROUP_MMA(144, 16, type, type), GROUP_MMA(152, 16, type, type), GROUP_MMA(160, 16, type, type), \
	GROUP_MMA(168, 16, type, type), GROUP_MMA(176, 16, type, type), GROUP_MMA(184, 16, type, type), GROUP_MMA(192, 16, type, type), \
	GROUP_MMA(200, 16, type, type), GROUP_MMA(208, 16, type, type), GROUP_MMA(216, 16, type, type), GROUP_MMA(224, 16, type, type), \
	GROUP_MMA(232, 16, type, type), GROUP_MMA(240, 16, type, type), GROUP_MMA(248, 16, type, type), GROUP_MMA(256, 16, type, type)

const struct mma_instr nvidia_warp_mma[] = { WARP_MMA, { .name = NULL } };
const struct mma_instr nvidia_hopper_mma[] = {
	WARP_MMA, GROUP_MMA_EIGHTS(bf16), GROUP_MMA_EIGHTS(f16),
	/* For parts of f32 numbers: tf32 takes the upper 19 bits of an f32. */
	GROUP_MMA(64, 8, tf32, f32), GROUP_MMA(128, 8, tf32, f32), { .name = NULL }
};
